"""What each table and column means, in what unit. Declared once; migrations, docs and Datasette
are checked against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spiders.sources import score_kinds


@dataclass(frozen=True)
class Table:
    """A table: what a row is, who reads it, and what each column holds (unit included)."""

    name: str
    row: str
    readers: Literal["analysts", "internal"]
    columns: dict[str, str]


_FACTS = {
    "title": "title in the language the source shows",
    "original_title": "title in the original language",
    "year": "year of release as the source gives it",
    "kind": "movie, short, tvMovie, video … in IMDb's words",
    "runtime_minutes": "running time, minutes",
    "released_on": "first release anywhere, date",
    "original_language": "ISO 639-1",
    "overview": "what the film is about, from TMDB's API, with its attribution",
}
_SCORE = {
    "state": "scored, not_rated (the site says there is none yet)"
    " or missing (no known layout held it)",
    "value": "the figure in its own scale; NULL unless scored; missing is never 0",
    "scale_max": "the end of the scale in which the page gave it",
    "votes": "ratings or reviews counted",
    "votes_at_least": "1 where the site shows a band (250,000+)",
    "basis": "whose votes count, where the site distinguishes: all or verified",
    "relayed": "1 where this source repeats another site's figure: a cross-check, never the score",
    "origin": "live (asked), dataset, or archive (a saved page with its date)",
    "layout": "the page layout that the reader recognised",
    "url": "the page that said so",
}
_OBSERVED = {
    "observed_at": "when the source said so, UTC",
    "observed_to": "how exact that is: second, day, month or year"
    " (a saved page's date may be coarse)",
}

TABLES: tuple[Table, ...] = (
    Table(
        "films",
        "a film: the work itself",
        "analysts",
        {
            "film_id": "our number of the film; never used again for another, survives a rebuild",
            **_FACTS,
            "imdb_id": "tt…",
            "tmdb_id": "TMDB's number",
            "wikidata_id": "Q…",
            "merged_into": "the film that this one turned out to be",
        },
    ),
    Table(
        "tracked_films",
        "a film that a person tracks, whatever the universe says",
        "internal",
        {
            "film_id": "the film",
            "given": "what the person gave: an id, a URL, a line of a CSV",
            "tracked_at": "since when, UTC",
        },
    ),
    Table(
        "film_titles",
        "an alternative title, and the listing that gives it",
        "analysts",
        {
            "listing_id": "the listing that says so",
            "film_id": "the film that the listing is",
            "title": "the title",
            "country": "ISO 3166-1 where given",
            "language": "ISO 639-1 where given",
        },
    ),
    Table(
        "people",
        "somebody's name",
        "analysts",
        {"person_id": "our number of the name", "name": "the name as sources write it"},
    ),
    Table(
        "film_people",
        "who did what in a film, and the listing that says so",
        "analysts",
        {
            "listing_id": "the listing that says so",
            "film_id": "the film that the listing is",
            "person_id": "whose name",
            "part": "director, writer or cast",
            "billing": "order in the billing, from 0",
        },
    ),
    Table(
        "film_genres",
        "a genre of a film, and the listing that says so",
        "analysts",
        {
            "listing_id": "the listing that says so",
            "film_id": "the film that the listing is",
            "genre": "the source's word for it",
        },
    ),
    Table(
        "listings",
        "one film as one source lists it",
        "analysts",
        {
            "listing_id": "our number of the listing",
            "source": "key of the source",
            "source_id": "the source's own id: tt1074638, m/skyfall, movie/skyfall",
            "url": "the page for people to open",
            **_FACTS,
            "offers": "what else the source has on it (plot_summary, quiz), as JSON",
            "first_seen_at": "when first heard of, UTC",
            "not_found_runs": "how many runs in a row answered 404",
            "gone_at": "since when it has been gone (404 on three runs), UTC",
        },
    ),
    Table(
        "listing_identifiers",
        "an id at another source that a listing states of its film",
        "internal",
        {
            "listing_id": "the listing that states it",
            "source": "key of the other source",
            "source_id": "the id there",
        },
    ),
    Table(
        "listing_films",
        "which film a listing is, and when",
        "analysts",
        {
            "listing_id": "the listing",
            "film_id": "the film",
            "valid_from": "since when it has meant this film, UTC",
            "valid_to": "until when; NULL: still",
            "method": "how it was matched: identifier, evidence or ruling",
            "probability": "that they are the same, from 0 to 1",
            "evidence": "why it is believed",
            "is_primary": "1 for the listing whose scores stand for the film on that source",
        },
    ),
    Table(
        "score_observations",
        "what a listing said of one score kind at one time; append-only",
        "analysts",
        {"listing_id": "the listing", "score_kind": "key of the score kind", **_OBSERVED, **_SCORE},
    ),
    Table(
        "scores",
        "what stands now, of one listing and score kind",
        "analysts",
        {
            "listing_id": "the listing",
            "score_kind": "key of the score kind",
            **_SCORE,
            "observed_at": "when the source first said exactly this, UTC",
            "changed_at": "when state or value last changed, UTC",
            "last_attempt_state": "what the last answer held; it may not have replaced what stands",
            "last_attempt_at": "when that was, UTC",
        },
    ),
    Table(
        "confirmations",
        "when a standing score or verdict was last seen unchanged",
        "internal",
        {
            "listing_id": "the listing",
            "topic": "a score kind, or credits",
            "confirmed_at": "UTC",
        },
    ),
    Table(
        "dataset_confirmations",
        "when a whole dataset last confirmed every score that stands on it",
        "internal",
        {"source": "key of the source", "confirmed_at": "UTC"},
    ),
    Table(
        "credits_verdicts",
        "what one listing says of scenes in the credits; append-only",
        "analysts",
        {
            "listing_id": "the listing",
            **_OBSERVED,
            "during": "a scene during the credits: yes, no or unknown",
            "after": "a scene after the credits: yes, no or unknown",
            "scene_count": "how many scenes, where it says",
            "extras": "what else there is (blooper, stills, dedication …), as JSON",
            "worth_staying": "net votes for staying; may be negative",
            "worth_staying_votes": "votes cast",
            "origin": _SCORE["origin"],
            "layout": _SCORE["layout"],
            "url": _SCORE["url"],
        },
    ),
    Table(
        "urls",
        "what we know of one URL",
        "internal",
        {
            "url": "as the source publishes it, whatever replica stood in",
            "source": "key of the source",
            "listing_id": "the listing it shows, for a listing's page",
            "etag": "validator of the last answer stored in full",
            "last_modified": "validator of the last answer stored in full",
            "records_hash": "digest of what was read of it",
            "reader_version": "digest of the reader that read it; a newer one asks in full again",
            "last_outcome": "ok, not_found, blocked, rate_limited, unauthorised, not_a_film, "
            "unreadable or error",
            "last_status": "HTTP status",
            "last_asked_at": "UTC",
            "failures": "failures in a row",
        },
    ),
    Table(
        "due",
        "when a listing is asked next",
        "internal",
        {"listing_id": "the listing", "due_at": "not before, UTC", "why": "one reason"},
    ),
    Table(
        "lookups",
        "a film sought on a source",
        "internal",
        {
            "film_id": "the film",
            "source": "key of the source",
            "sought_at": "UTC",
            "found": "listed, not_listed or ambiguous",
            "detail": "what was found",
        },
    ),
    Table(
        "runs",
        "one night or one command",
        "analysts",
        {
            "run_id": "our number of the run",
            "command": "the command",
            "plan": "what it set out to do, as JSON",
            "pid": "process id",
            "started_at": "UTC",
            "ended_at": "UTC; NULL: still running, or killed",
            "outcome": "ok, partly (something failed, the rest stands), failed or interrupted",
            "exception": "what broke it",
        },
    ),
    Table(
        "crawls",
        "one source in one run",
        "analysts",
        {
            "run_id": "the run",
            "source": "key of the source",
            "started_at": "UTC",
            "seconds": "time that its processes took, seconds",
            "asked": "URLs asked",
            "fetched": "answers with a body that was read",
            "unchanged": "304 answers",
            "not_found": "404 answers",
            "blocked": "blocks",
            "unreadable": "pages that no known layout fitted",
            "failed": "errors and time-outs",
            "stored": "records stored",
            "changed": "scores and verdicts that changed",
            "held": "records held back by the guard",
            "outcome": "ok, partly (some answers could not be used), blocked, failed, skipped or"
            " interrupted",
            "detail": "why it was skipped, or what stopped it",
            "exception": "what broke it",
        },
    ),
    Table(
        "quarantine",
        "a record held back by the guard",
        "analysts",
        {
            "quarantine_id": "our number of it",
            "run_id": "the run that held it",
            "listing_id": "the listing",
            "topic": "a score kind, credits or listing",
            "reason": "why it was held",
            "record": "what the page said, as JSON",
            "standing": "what stands meanwhile, as JSON",
            "held_at": "first, UTC",
            "last_held_at": "last, UTC",
            "times_held": "how many answers said the same",
            "decision": "released, rejected, superseded (a later answer passed) or NULL: open",
            "decided_by": "who decided",
            "decided_at": "UTC",
        },
    ),
    Table(
        "rulings",
        "a person's decision that two listings are, or are not, the same film",
        "internal",
        {
            "ruling_id": "our number of it",
            "listing_a": "one listing, source:source_id",
            "listing_b": "the other",
            "ruling": "same or different",
            "ruled_by": "who",
            "ruled_at": "UTC",
            "undone_at": "UTC; NULL: it holds",
        },
    ),
)


def film_scores() -> Table:
    """The table of films with their scores side by side; its columns follow the register."""
    columns = {
        "film_id": "the film",
        "imdb_id": "tt…",
        "tmdb_id": "TMDB's number",
        "title": _FACTS["title"],
        "year": _FACTS["year"],
        "kind": _FACTS["kind"],
        "released_on": _FACTS["released_on"],
    }
    for kind in score_kinds():
        key, label = kind.key, kind.label
        columns |= {
            key: f"{label}, {kind.side}, 0–{kind.scale_max}; NULL unless scored",
            f"{key}_100": f"{label} on a linear scale of 0–100",
            f"{key}_votes": f"ratings or reviews counted in the {label}",
            f"{key}_votes_at_least": f"1 where the count of the {label} is a band's lower end",
            f"{key}_state": "scored, not_rated, missing, blocked, not_listed or not_asked",
            f"{key}_confirmed_at": f"when the {label} was last seen to be so, UTC",
        }
    return Table("film_scores", "a film with its scores side by side", "analysts", columns)


def all_tables() -> tuple[Table, ...]:
    """Every table, the derived ones included."""
    return (*TABLES, film_scores())

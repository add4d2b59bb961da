"""What each table and column means, in what unit. Declared once; migrations, docs and Datasette
are checked against it. Views are described beside their SQL, in `pipelines.views`."""

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


FILM_COLUMNS = {
    "title": "title in the language the source shows",
    "original_title": "title in the original language",
    "year": "year of release as the source gives it",
    "kind": "movie, short, tvMovie, video … in IMDb's words",
    "runtime_minutes": "running time, minutes",
    "released_on": "first release anywhere, date",
    "original_language": "ISO 639-1",
    "overview": "what the film is about, from TMDB's API, with its attribution",
}
"""Columns of a film, and of what one listing says of it."""

SCORE_COLUMNS = {
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
"""Columns of what a listing says of one score kind."""

CRAWL_COUNTS = {
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
}
"""Columns of what one crawl came to."""

SAVED_AT = "where a saved page told the figure before: when it was saved, UTC; else NULL"
TIME_COLUMNS = {
    "observed_at": "when the source said so, UTC",
    "observed_to": "how exact that is: second, day, month or year"
    " (a saved page's date may be coarse)",
}
"""Columns of whatever was said at a time."""

TABLES: tuple[Table, ...] = (
    Table(
        "films",
        "a film: the work itself",
        "analysts",
        {
            "film_id": "our number of the film; never used again for another, survives a rebuild",
            **FILM_COLUMNS,
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
            **FILM_COLUMNS,
            "offers": "what else the source has on it (plot_summary, quiz), as JSON",
            "first_seen_at": "when first heard of, UTC",
            "not_found_runs": "how many runs in a row answered 404",
            "gone_at": "since when it has been gone (404 on three runs), UTC",
            "another_film_since": "since when its page shows another film than it did before, UTC",
            "changed_upstream_at": "by when it had changed, as the source's own feed of changes "
            "last said, UTC",
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
            "valid_from": "since when it has meant this film, UTC; year 1: since ever",
            "valid_to": "until when; NULL: still",
            "method": "how it was matched: identifier, evidence, ruling, or tracked (a person"
            " tracks the film by it)",
            "probability": "that they are the same, from 0 to 1",
            "evidence": "why it is believed",
            "is_primary": "1 for the listing whose scores stand for the film on that source",
        },
    ),
    Table(
        "judgements",
        "a film that a listing was held against and is not known to be",
        "analysts",
        {
            "listing_id": "the listing",
            "film_id": "the film",
            "answer": "ask (doubtful: a person may rule) or different",
            "method": "what was held against it: identifier (an id that the rest contradicts),"
            " evidence or ruling",
            "probability": "that they are the same, from 0 to 1",
            "evidence": "what speaks for it and against it",
            "judged_at": "when it was first judged so, UTC",
        },
    ),
    Table(
        "film_keys",
        "a key under which a film's titles and people are looked up in matching",
        "internal",
        {
            "match_key": "hash of a title or of a name and year; one is of all that is compared,"
            " and shows whether a film describes itself otherwise than it did",
            "film_id": "the film",
        },
    ),
    Table(
        "filmless_listings",
        "a listing that is no film of ours now; unmatched_listings tells of it",
        "internal",
        {"listing_id": "the listing"},
    ),
    Table(
        "unmerged_listings",
        "a listing of which something new is stored, and which is not matched and merged yet",
        "internal",
        {"listing_id": "the listing"},
    ),
    Table(
        "unmerged_films",
        "a film that gained or lost a listing, and is not merged yet",
        "internal",
        {"film_id": "the film"},
    ),
    Table(
        "unindexed_films",
        "a film whose keys are written once a listing is held against films",
        "internal",
        {"film_id": "the film"},
    ),
    Table(
        "listing_keys",
        "the same for a listing that no identifier matches to a film",
        "internal",
        {"match_key": "hash of a title or of a name and year", "listing_id": "the listing"},
    ),
    Table(
        "key_versions",
        "the version that wrote the keys of films and listings",
        "internal",
        {"version": "digest of the code that makes them"},
    ),
    Table(
        "score_observations",
        "what a listing said of one score kind at one time; append-only",
        "analysts",
        {
            "listing_id": "the listing",
            "score_kind": "key of the score kind",
            **TIME_COLUMNS,
            **SCORE_COLUMNS,
        },
    ),
    Table(
        "scores",
        "what stands now, of one listing and score kind",
        "analysts",
        {
            "listing_id": "the listing",
            "score_kind": "key of the score kind",
            **SCORE_COLUMNS,
            "observed_at": "when the source first said exactly this, UTC",
            "changed_at": "when state or value last changed, UTC",
            "last_attempt_state": "what the last answer held; it may not have replaced what stands",
            "last_attempt_at": "when that was, UTC",
            "said_otherwise": "1 where a saved page of that time or later says otherwise",
        },
    ),
    Table(
        "moves",
        "a figure that a listing came to show in place of another; score_moves has its film",
        "internal",
        {
            "said_at": "when the source first said so, as far as we saw, UTC",
            "listing_id": "the listing",
            "score_kind": "key of the score kind",
            "origin": "live or dataset",
            "value": "the figure then, in its own scale",
            "votes": "ratings or reviews counted then",
            "old_said_at": "when the figure before was first said, UTC",
            "old_value": "the figure before",
            "old_votes": "ratings or reviews counted before",
            "delta_100": "by how many points of 100 it moved",
            "saved_at": SAVED_AT,
        },
    ),
    Table(
        "figure_hours",
        "figures that were last seen within one hour, which SQLite counts as they come, change and"
        " go; figures_by_age tells of them",
        "internal",
        {
            "source": "key of the source",
            "score_kind": "key of the score kind",
            "state": SCORE_COLUMNS["state"],
            "by_dataset": "1 where their dataset confirms them, when it comes whole",
            "seen_in": "the hour, UTC: 2026-11-29T03; empty where no known layout held them",
            "figures": "how many there are",
        },
    ),
    Table(
        "score_counts",
        "films that have one score kind in one state, of one year and of as many points: how many;"
        " counted as films are merged",
        "internal",
        {
            "score_kind": "key of the score kind",
            "state": "scored, not_rated, missing, blocked, not_listed or not_asked",
            "year": "the films' year; NULL where it is not known",
            "points": "the score of 100, without its fraction; NULL unless scored",
            "films": "how many there are",
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
        "dataset_records",
        "what a dataset last said of a listing, so that what it says again is not stored again",
        "internal",
        {"listing_id": "the listing", "digest": "of the record, and of the reader that read it"},
    ),
    Table(
        "credits_verdicts",
        "what one listing says of scenes in the credits; append-only",
        "analysts",
        {
            "listing_id": "the listing",
            **TIME_COLUMNS,
            "during": "a scene during the credits: yes, no or unknown",
            "after": "a scene after the credits: yes, no or unknown",
            "scene_count": "how many scenes, where it says",
            "extras": "what else there is (blooper, stills, dedication …), as JSON",
            "worth_staying": "net votes for staying; may be negative",
            "worth_staying_votes": "votes cast",
            "origin": SCORE_COLUMNS["origin"],
            "layout": SCORE_COLUMNS["layout"],
            "url": SCORE_COLUMNS["url"],
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
            "first_answered_at": "when it first answered in full, UTC",
            "last_answered_at": "when it last did, UTC",
            "answers": "how often it did in all",
            "changes": "how many of these brought something new: a score or verdict that moved",
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
            "exception": "what broke it, or why it ended early",
            "continues": "the run whose work it goes on with, since that one gave way",
            "db_bytes": "size of the database at the end of a whole refresh, bytes",
            "wal_bytes": "size of the WAL beside it then, bytes",
        },
    ),
    Table(
        "run_coverage",
        "a score kind at the end of a whole refresh: of how many films it was known",
        "analysts",
        {
            "run_id": "the run",
            "score_kind": "key of the score kind",
            "scored": "films whose score of this kind is known",
            "films": "films that there were",
            "is_usual": "1: later nights are held against it; 0: it was known of fewer films than"
            " usual, and nobody had acknowledged that",
        },
    ),
    Table(
        "last_requests",
        "when a source was last asked: the next process waits from then",
        "internal",
        {
            "source": "key of the source",
            "asked_at": "UTC, rounded up",
            "not_before": "when it asked us to come back, where that is later, UTC",
        },
    ),
    Table(
        "feeds",
        "how far a source's feed of changes has been read",
        "internal",
        {
            "source": "key of the source",
            "read_to": "what changed before that is known, UTC",
            "missed_before": "what answered before that may have changed without the feed's telling"
            " us, UTC",
        },
    ),
    Table(
        "exports",
        "the last export of all its ids that was read of a source",
        "internal",
        {
            "source": "key of the source",
            "exported_on": "the day whose export it is",
            "read_at": "UTC",
            "first_run_id": "the run that read the first one, and asked none of it",
        },
    ),
    Table(
        "exported_ids",
        "a film of a source's exports, whether or not anything more is known of it",
        "internal",
        {
            "source": "key of the source",
            "source_id": "the source's own id",
            "popularity": "how popular it is there, by the source's own measure: as it was when it"
            " last doubled or halved",
            "absent_since": "the first export of which it was no part, if it is not in the last one"
            " (or no longer popular enough for the universe); not asked then, and no deletion",
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
            **CRAWL_COUNTS,
            "outcome": "ok, partly (some answers could not be used), held (by the guard), blocked,"
            " failed, skipped or interrupted",
            "detail": "why it was skipped or held, or what stopped it",
            "exception": "what broke it",
            "profile": "what its answers were like, as JSON: later crawls are held against it",
        },
    ),
    Table(
        "quarantine",
        "a record, or a crawl's answers, held back by the guard",
        "analysts",
        {
            "quarantine_id": "our number of it",
            "run_id": "the run that held it",
            "listing_id": "the listing",
            "topic": "a score kind, credits, listing (a page of another film) or crawl (all that"
            " some of a source's answers said)",
            "reason": "why it was held",
            "record": "what the page said, as JSON; of a crawl, how many answers and records",
            "standing": "what stood when it was first held, as JSON with the names of columns of"
            " scores or credits_verdicts",
            "held_at": "first, UTC",
            "last_held_at": "last, UTC",
            "times_held": "how many answers said the same",
            "decision": "released, rejected, superseded (a later answer passed) or NULL: open",
            "decided_by": "who decided: a person, a later answer, or the guard itself",
            "decided_at": "UTC",
            "source": "key of the source",
            "rule": "the guard's rule, in one word",
            "nights": "on how many nights answers said the same",
            "origin": "live (asked), dataset, or archive (a saved page with its date)",
            "observed_to": "how exact the time is: second, day, month or year",
            "from_list": "1 where a list page said so, which shows less than the listing's own",
        },
    ),
    Table(
        "held_answers",
        "an answer of a crawl that is held back as a whole",
        "internal",
        {
            "quarantine_id": "the row of quarantine that says why",
            "answer": "the answer with its records: JSON, packed by zlib",
        },
    ),
    Table(
        "released_listings",
        "a listing of which a released crawl spoke",
        "internal",
        {"listing_id": "the listing", "quarantine_id": "the row of quarantine that was released"},
    ),
    Table(
        "paused_sources",
        "a source that a person has paused",
        "internal",
        {
            "source": "key of the source",
            "paused_at": "since when, UTC",
            "paused_until": "it is asked again from then on, UTC; NULL: once it is resumed",
            "why": "a person's words",
        },
    ),
    Table(
        "alerts",
        "what health finds wrong, and whether anybody was told",
        "internal",
        {
            "finding": "its key: what is wrong, and of which source",
            "what": "what happened, as last found",
            "first_seen_at": "when it was first found, UTC; NULL: not found, only acknowledged",
            "told_at": "when an alert last told of it, UTC; NULL: none has",
            "acked_until": "no alert tells of it until then, UTC",
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
    Table(
        "film_search",
        "the words of a film that a search finds; its rowid is the film's number",
        "internal",
        {
            "title": "the film's title",
            "other_titles": "original and alternative titles, and those on its listings",
            "people": "names of its people",
        },
    ),
    Table(
        "film_words",
        "a word of film_search: what a misspelt one may have meant",
        "internal",
        {
            "term": "the word, without accents and capitals",
            "doc": "how many films have it",
            "cnt": "how often they have it",
        },
    ),
)


def film_scores() -> Table:
    """The table of films with their scores side by side; its columns follow the register."""
    columns = {
        "film_id": "the film",
        "imdb_id": "tt…",
        "tmdb_id": "TMDB's number",
        "title": FILM_COLUMNS["title"],
        "year": FILM_COLUMNS["year"],
        "kind": FILM_COLUMNS["kind"],
        "released_on": FILM_COLUMNS["released_on"],
    }
    for kind in score_kinds():
        key, label = kind.key, kind.label
        columns |= {
            key: f"{label}, {kind.side}, 0–{kind.scale_max}; NULL unless scored",
            f"{key}_100": f"{label} on a linear scale of 0–100",
            f"{key}_votes": f"ratings or reviews counted in the {label}",
            f"{key}_votes_at_least": f"1 where the count of the {label} is a band's lower end",
            f"{key}_state": "scored, not_rated, missing, blocked, not_listed or not_asked",
            f"{key}_confirmed_at": f"when the {label} was last seen to be so, UTC, as of the last"
            " time that anything of this film was new; the view freshness has it as of now",
        }
    columns |= CONSENSUS | {"oldest_confirmed_at": OLDEST_CONFIRMED_AT}
    return Table("film_scores", "a film with its scores side by side", "analysts", columns)


CONSENSUS = {
    "consensus_100": "what critics and audience together make of it, 0–100 (docs/consensus.md);"
    " scores of listings that are gone are left out",
    "consensus_low": "where the interval begins that holds the consensus nine times in ten, 0–100",
    "consensus_high": "where that interval ends, 0–100",
    "critics_100": "the same of the critics' kinds alone, 0–100",
    "audience_100": "the same of the audience's kinds alone, 0–100",
    "spread_100": "how far the kinds lie apart on common ground, points of 100; NULL for one kind",
    "kinds_used": "the score kinds that the consensus is made of",
}

OLDEST_CONFIRMED_AT = (
    "when that one of kinds_used was last seen to be so that was seen longest ago, UTC: no figure"
    " behind the consensus is older; as of the last time that anything of this film was new, and"
    " the view freshness has it as of now"
)

_STAY = Table(
    "stay_for_the_credits",
    "a film of which a source says something of the credits; disagreement is shown, not averaged",
    "analysts",
    {
        "film_id": "the film",
        "imdb_id": "tt…",
        "title": FILM_COLUMNS["title"],
        "year": FILM_COLUMNS["year"],
        "stay": "yes (a scene after the credits), until_mid (one during them, none known after),"
        " no (none at either place), unknown, or disputed (sources disagree)",
        "during": "a scene during the credits: yes, no, unknown or disputed",
        "after": "a scene after the credits: yes, no, unknown or disputed",
        "scene_count": "how many scenes, where a source counts them",
        "yes_sources": "the sources that know of a scene, as JSON",
        "no_sources": "the sources that say no to a place and yes to none, as JSON",
        "worth_staying": "net votes for staying; may be negative",
        "confirmed_at": "when the one of these sources that was seen last was seen to say so, UTC,"
        " as of the last time that anything of this film was new; the view film_verdicts has it of"
        " each as of now",
    },
)


def derived_tables() -> tuple[Table, ...]:
    """The tables that merge makes of the others."""
    return (film_scores(), _STAY)


def all_tables() -> tuple[Table, ...]:
    """Every table, the derived ones included."""
    return (*TABLES, *derived_tables())

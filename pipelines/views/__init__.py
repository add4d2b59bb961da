"""What each view and its columns mean, as `pipelines.tables` has it of tables. The SQL of a view is
the file of its name beside this one."""

from __future__ import annotations

from pipelines.ages import LONGER_AGO, SEEN
from pipelines.tables import (
    CONSENSUS,
    CRAWL_COUNTS,
    FILM_COLUMNS,
    OLDEST_CONFIRMED_AT,
    SAVED_AT,
    SCORE_COLUMNS,
    TIME_COLUMNS,
    Table,
)

_FILM = {"film_id": "the film", "title": FILM_COLUMNS["title"], "year": FILM_COLUMNS["year"]}
_LISTED = {
    "listing_id": "the listing",
    "listing": "the same as the command line names it: source:source_id",
}
_ATTEMPT = {
    "last_attempt_state": "what the last answer held; it may not have replaced what stands",
    "last_attempt_at": "when that was, UTC",
}
_VERDICT = {
    "during": "a scene during the credits: yes, no or unknown",
    "after": "a scene after the credits: yes, no or unknown",
    "scene_count": "how many scenes, where it says",
}

_AT_LEAST = (
    "there may be more: of a band its least counts, and a kind whose site does not tell how many"
    " there are is left out; NULL where none does"
)

_SEEN = "how long ago that is, to the hour: {}; never where no known layout held it".format(
    ", ".join([*SEEN, LONGER_AGO])
)

_FRESHNESS = {
    **_FILM,
    **_LISTED,
    "source": "key of the source",
    "score_kind": "key of the score kind",
    "state": SCORE_COLUMNS["state"],
    "value": SCORE_COLUMNS["value"],
    "votes": SCORE_COLUMNS["votes"],
    "votes_at_least": SCORE_COLUMNS["votes_at_least"],
    "observed_at": "when the source first said exactly this, UTC",
    "changed_at": "when state or value last changed, UTC",
    "confirmed_at": "when it was last seen to be so, UTC",
    "seen": _SEEN,
    "age_days": "days since then",
    **_ATTEMPT,
    "gone_at": "since when the listing has been gone, UTC",
}

VIEWS: tuple[Table, ...] = (
    Table(
        "critics_vs_audience",
        "a film of which both critics and audience are known",
        "analysts",
        {
            **_FILM,
            "imdb_id": "tt…",
            "critics_100": "what the critics' kinds make of it, 0–100 on common ground",
            "audience_100": "what the audience's kinds make of it, 0–100 on common ground",
            "gap_100": "critics less audience, points of 100; negative: the audience likes it more",
            "critics_votes": f"reviews counted in the critics' kinds together; {_AT_LEAST}",
            "audience_votes": f"ratings counted in the audience's kinds together; {_AT_LEAST}",
            "consensus_100": CONSENSUS["consensus_100"],
            "consensus_low": CONSENSUS["consensus_low"],
            "consensus_high": CONSENSUS["consensus_high"],
            "kinds_used": CONSENSUS["kinds_used"],
            "oldest_confirmed_at": OLDEST_CONFIRMED_AT,
        },
    ),
    Table(
        "credits_disputes",
        "a place in a film's credits of which one source says yes and another no",
        "analysts",
        {
            **_FILM,
            "place": "during or after",
            "yes_sources": "the sources that know of a scene there, as JSON",
            "no_sources": "the sources that say there is none, as JSON",
            "yes_urls": "their pages, as JSON",
            "no_urls": "their pages, as JSON",
        },
    ),
    Table(
        "film_verdicts",
        "what a listing says now of a film's credits; stay_for_the_credits is made of these",
        "analysts",
        {
            "film_id": "the film",
            "listing_id": "the listing",
            "source": "key of the source",
            "url": "the page for people to open",
            **_VERDICT,
            "worth_staying": "net votes for staying; may be negative",
            "confirmed_at": "when it was last seen to say so, UTC",
        },
    ),
    Table(
        "score_changes",
        "a figure or state that a listing came to show, other than the one before it",
        "analysts",
        {
            "film_id": "the film that the listing was at that time",
            "title": FILM_COLUMNS["title"],
            **_LISTED,
            "source": "key of the source",
            "score_kind": "key of the score kind",
            "old_state": "scored or not_rated; NULL where nothing was known before",
            "old_value": "the figure before, in its own scale; NULL unless scored",
            "new_state": "scored or not_rated",
            "new_value": "the figure then, in its own scale; NULL unless scored",
            "delta_100": "by how many points of 100 it moved; NULL unless both are scored",
            "old_votes": "ratings or reviews counted before",
            "new_votes": "ratings or reviews counted then",
            "changed_at": "when the source first said so, as far as we saw, UTC",
            "days_since_release": "days from the first release anywhere to that time; negative:"
            " before it; NULL where of a saved page only the month or year is known",
            "cause": "moved, first_seen (nothing was known before), backfilled (a saved page says"
            " so) or released (it was held back until a person let it pass, or three nights said"
            " so)",
            "saved_at": SAVED_AT,
        },
    ),
    Table(
        "score_moves",
        "a figure of a film that moved: of score_changes what has a delta_100 other than 0, and was"
        " not backfilled; found without a look at each step",
        "analysts",
        {
            "film_id": "the film that the listing was at that time",
            "listing_id": "the listing",
            "score_kind": "key of the score kind",
            "old_value": "the figure before, in its own scale",
            "new_value": "the figure then, in its own scale",
            "delta_100": "by how many points of 100 it moved",
            "old_votes": "ratings or reviews counted before",
            "new_votes": "ratings or reviews counted then",
            "changed_at": "when the source first said so, as far as we saw, UTC",
            "saved_at": SAVED_AT,
        },
    ),
    Table(
        "score_history",
        "a span of time in which a listing said a figure",
        "analysts",
        {
            "film_id": "the film that the listing was at that time",
            "listing_id": "the listing",
            "source": "key of the source",
            "score_kind": "key of the score kind",
            "state": "scored or not_rated",
            "value": "the figure in its own scale; NULL unless scored",
            "votes": "ratings or reviews counted",
            "votes_at_least": SCORE_COLUMNS["votes_at_least"],
            "origin": SCORE_COLUMNS["origin"],
            "valid_from": "since when, UTC",
            "observed_to": TIME_COLUMNS["observed_to"],
            "valid_to": "until when, UTC; NULL: still",
        },
    ),
    Table(
        "film_sources",
        "a film and a source: whether it is listed there, and what came of asking",
        "analysts",
        {
            **_FILM,
            "source": "key of the source",
            "state": "ok (what it says of the film is stored), missing (no known layout fits its"
            " page), blocked, error (no answer), not_asked, gone (404 on three runs), not_listed"
            " (sought, and no listing found), or ambiguous (a listing there may be this film or"
            " another)",
            **_LISTED,
            "url": "the page for people to open",
            "method": "how the listing was matched: identifier, evidence, ruling or tracked",
            "evidence": "why it is believed to be the film",
            "last_outcome": "what came of the last request for its page",
            "last_asked_at": "when the source was last asked for the film, or somebody for its"
            " listing there, UTC",
            "due_at": "when it is asked next, not before, UTC",
            "why": "why then; or where it is not listed, who said so",
            "gone_at": "since when the listing has been gone, UTC",
        },
    ),
    Table(
        "freshness",
        "a score that stands, or a page that should show one: how old it is",
        "analysts",
        _FRESHNESS,
    ),
    Table(
        "freshness_by_age",
        "a score as freshness has it, found by how long ago it was seen: for facets, not for joins",
        "analysts",
        _FRESHNESS,
    ),
    Table(
        "figures_by_age",
        "figures of one source, kind and state that were last seen within one hour: how many",
        "analysts",
        {
            "source": "key of the source",
            "score_kind": "key of the score kind",
            "state": SCORE_COLUMNS["state"],
            "seen_in": "the hour in which they were last seen to be so, UTC: 2026-11-29T03",
            "seen": _SEEN,
            "figures": "how many there are",
        },
    ),
    Table(
        "freshness_by_source",
        "a source: how old its scores are",
        "analysts",
        {
            "source": "key of the source",
            "scores": "how many of its scores stand",
            "newest_days": "days since the one last seen was seen, to the hour",
            "average_days": "days since they were seen, on average",
            "oldest_days": "days since the one longest unseen was seen, to the hour",
            "older_than_a_week": "how many were not seen for seven days",
            "last_attempt_differs": "how many the last answer did not hold as they stand: missing,"
            " blocked, held back …",
        },
    ),
    Table(
        "coverage",
        "a score kind: of how many films it is known, and why not of the others",
        "analysts",
        {
            "score_kind": "key of the score kind",
            "source": "key of the source",
            "films": "films in all",
            "scored": "films with a figure",
            "not_rated": "films of which the site says that there is none yet",
            "missing": "films whose page should show it, and no known layout held it",
            "blocked": "films of which nothing is known, since the site blocked us",
            "not_listed": "films that were sought on the source, and of which no listing was found",
            "not_asked": "films that the source was not asked for",
            "scored_share": "share of the films that have a figure, 0–1",
        },
    ),
    Table(
        "last_night",
        "a source in the last run that ended",
        "analysts",
        {
            "run_id": "the run",
            "command": "the command",
            "started_at": "UTC",
            "ended_at": "UTC",
            "run_outcome": "how the whole run ended",
            "source": "key of the source",
            "outcome": "how its crawl ended",
            "detail": "why it was skipped, or what stopped it",
            **CRAWL_COUNTS,
            "seconds": "time that its processes took, seconds",
        },
    ),
    Table(
        "standing_verdicts",
        "what a listing says now of the credits: its newest verdict",
        "analysts",
        {
            "listing_id": "the listing",
            **TIME_COLUMNS,
            **_VERDICT,
            "extras": "what else there is (blooper, stills, dedication …), as JSON",
            "worth_staying": "net votes for staying; may be negative",
            "worth_staying_votes": "votes cast",
            "origin": SCORE_COLUMNS["origin"],
            "layout": SCORE_COLUMNS["layout"],
            "url": SCORE_COLUMNS["url"],
            "confirmed_at": "when it was last seen to say so, UTC",
        },
    ),
    Table(
        "unmatched_listings",
        "a listing that is not known to be any film of ours: kept, and matched once evidence comes",
        "analysts",
        {
            "listing_id": "the listing",
            "source": "key of the source",
            "source_id": "the source's own id",
            "title": FILM_COLUMNS["title"],
            "year": FILM_COLUMNS["year"],
            "url": "the page for people to open",
            "first_seen_at": "when first heard of, UTC",
        },
    ),
    Table(
        "confirmed",
        "when a standing score or verdict was last seen to be so, by its own row or its dataset",
        "internal",
        {
            "listing_id": "the listing",
            "topic": "a score kind, or credits",
            "confirmed_at": "UTC",
        },
    ),
    Table(
        "standing_scores",
        "what stands of a listing and score kind, and when it was last seen to be so",
        "internal",
        {
            "listing_id": "the listing",
            "source": "key of the source",
            "gone_at": "since when the listing has been gone, UTC",
            "score_kind": "key of the score kind",
            "state": SCORE_COLUMNS["state"],
            "value": SCORE_COLUMNS["value"],
            "scale_max": SCORE_COLUMNS["scale_max"],
            "votes": SCORE_COLUMNS["votes"],
            "votes_at_least": SCORE_COLUMNS["votes_at_least"],
            "origin": SCORE_COLUMNS["origin"],
            "observed_at": "when the source first said exactly this, UTC",
            "changed_at": "when state or value last changed, UTC",
            "confirmed_at": "when it was last seen to be so, UTC",
            **_ATTEMPT,
        },
    ),
    Table(
        "seen_again",
        "what stands, seen again after a saved page said otherwise",
        "internal",
        {
            "listing_id": "the listing",
            "score_kind": "key of the score kind",
            "state": "scored or not_rated",
            "value": SCORE_COLUMNS["value"],
            "scale_max": SCORE_COLUMNS["scale_max"],
            "votes": SCORE_COLUMNS["votes"],
            "votes_at_least": SCORE_COLUMNS["votes_at_least"],
            "origin": SCORE_COLUMNS["origin"],
            "said_at": "when it was seen again, UTC",
            "old_said_at": "when the saved page said otherwise, UTC",
            "old_state": "state on the saved page",
            "old_value": "value on the saved page",
            "old_scale_max": "scale_max of the saved page",
            "old_votes": "votes on the saved page",
        },
    ),
    Table(
        "score_steps",
        "a figure or state that a listing said, with the one before it",
        "internal",
        {
            "film_id": "the film that the listing was at that time",
            "title": FILM_COLUMNS["title"],
            "released_on": FILM_COLUMNS["released_on"],
            "listing_id": "the listing",
            "source": "key of the source",
            "source_id": "the source's own id",
            "score_kind": "key of the score kind",
            "state": "scored or not_rated",
            "value": "the figure in its own scale; NULL unless scored",
            "scale_max": SCORE_COLUMNS["scale_max"],
            "votes": "ratings or reviews counted",
            "votes_at_least": SCORE_COLUMNS["votes_at_least"],
            "origin": SCORE_COLUMNS["origin"],
            "said_at": "when the source said so, UTC",
            "observed_to": TIME_COLUMNS["observed_to"],
            "old_state": "state of the one before; NULL where there is none",
            "old_value": "value of the one before",
            "old_scale_max": "scale_max of the one before",
            "old_votes": "votes of the one before",
            "saved_at": SAVED_AT,
        },
    ),
)

"""Everything that is known of one film: what `film --json` prints, and its page shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlite_utils import Database

from spiders.sources import score_kinds, source_of_kind

# The row of film_scores knows when its figures were last seen as of its last merge, which a dataset
# that brings nothing new does not cause.
_SEEN = """
SELECT s.score_kind, s.confirmed_at
FROM listing_films lf JOIN standing_scores s USING (listing_id)
WHERE lf.film_id = ? AND lf.valid_to IS NULL AND lf.is_primary AND s.state <> 'missing'
  AND s.confirmed_at >= lf.valid_from
"""

# So does that of stay_for_the_credits: as there, those count who know of either place, if any does.
_SAID = """
SELECT coalesce(max(confirmed_at) FILTER (WHERE during <> 'unknown' OR after <> 'unknown'),
  max(confirmed_at)) AS confirmed_at
FROM film_verdicts WHERE film_id IN (SELECT ?)
"""

STATES = {
    "not_rated": "not rated yet",
    "missing": "missing: in no known layout",
    "blocked": "not known: the site blocked us",
    "not_listed": "not listed there",
    "not_asked": "not asked",
}
"""Why a film has no figure of a kind, in words: 30 letters at most, and the card of a film fits 80
columns whatever its votes and ages."""


def film_facts(db: Database, film_id: int) -> dict[str, Any]:
    """Everything that is known of one film, as `film --json` prints it."""
    film = _row(db, "SELECT * FROM films WHERE film_id = ?", film_id)
    scores = _row(db, "SELECT * FROM film_scores WHERE film_id = ?", film_id)
    listings = _rows(
        db,
        "SELECT l.source, l.source_id, l.url, lf.is_primary, lf.evidence, u.last_outcome,"
        " max(u.last_asked_at) AS last_asked_at FROM listing_films lf JOIN listings l"
        " USING (listing_id) LEFT JOIN urls u ON u.listing_id = l.listing_id"
        " WHERE lf.film_id = ? AND lf.valid_to IS NULL"
        " GROUP BY l.listing_id ORDER BY l.source, l.source_id",
        film_id,
    )
    urls = {row["source"]: row["url"] for row in listings if row["is_primary"]}
    seen = {row["score_kind"]: row["confirmed_at"] for row in _rows(db, _SEEN, film_id)}
    kinds = {}
    for kind in score_kinds():
        key = kind.key
        source = source_of_kind(key)
        kinds[key] = {
            "label": kind.label,
            "state": scores.get(f"{key}_state", "not_asked"),
            "value": scores.get(key),
            "scale_max": kind.scale_max,
            "votes": scores.get(f"{key}_votes"),
            "votes_at_least": bool(scores.get(f"{key}_votes_at_least")),
            "confirmed_at": seen.get(key),
            "source": source.key,
            "url": urls.get(source.key),
        }
    held = _rows(
        db,
        "SELECT l.source, q.topic, q.reason, q.held_at FROM quarantine q JOIN listing_films lf"
        " ON lf.listing_id = q.listing_id AND lf.valid_to IS NULL"
        " JOIN listings l ON l.listing_id = q.listing_id"
        " WHERE lf.film_id = ? AND q.decision IS NULL ORDER BY q.held_at",
        film_id,
    )
    relayed = _rows(
        db,
        "SELECT l.source, s.score_kind, s.state, s.value, s.scale_max, s.votes, s.votes_at_least,"
        " max(s.observed_at, ifnull(c.confirmed_at, '')) AS confirmed_at FROM scores s"
        " JOIN listings l USING (listing_id) JOIN listing_films lf ON lf.listing_id = l.listing_id"
        " AND lf.valid_to IS NULL LEFT JOIN confirmations c ON c.listing_id = s.listing_id"
        " AND c.topic = s.score_kind WHERE s.relayed = 1 AND lf.film_id = ? ORDER BY 1, 2",
        film_id,
    )
    tracked = _row(db, "SELECT tracked_at FROM tracked_films WHERE film_id = ?", film_id)
    return {
        **film,
        "tracked_at": tracked.get("tracked_at"),
        "credits": _stay(db, film_id),
        "consensus": _consensus(scores, seen),
        "scores": kinds,
        "relayed": [row | {"votes_at_least": bool(row["votes_at_least"])} for row in relayed],
        "held": held,
        "listings": listings,
    }


def never_asked(facts: Mapping[str, Any]) -> bool:
    """Whether nobody has been asked about a film yet."""
    states = {score["state"] for score in facts["scores"].values()}
    return states == {"not_asked"} and not any(row["last_asked_at"] for row in facts["listings"])


def _consensus(scores: Mapping[str, Any], seen: Mapping[str, str]) -> dict[str, Any] | None:
    """What a film's scores come to together, of 100, and when the oldest of them was last `seen`;
    None where there is nothing to go by."""
    if scores.get("consensus_100") is None:
        return None
    kinds = scores["kinds_used"].split(", ")
    return {
        "value": scores["consensus_100"],
        "low": scores["consensus_low"],
        "high": scores["consensus_high"],
        "critics": scores["critics_100"],
        "audience": scores["audience_100"],
        "spread": scores["spread_100"],
        "kinds": kinds,
        "oldest_confirmed_at": min((seen[key] for key in kinds if key in seen), default=None),
    }


def _stay(db: Database, film_id: int) -> dict[str, Any]:
    """Whether to stay for the credits; unknown where no source says anything."""
    told = _row(
        db,
        "SELECT stay, during, after, scene_count, yes_sources, no_sources, worth_staying"
        " FROM stay_for_the_credits WHERE film_id = ?",
        film_id,
    )
    if not told:
        return {
            **dict.fromkeys(("stay", "during", "after"), "unknown"),
            "scene_count": None,
            "yes_sources": [],
            "no_sources": [],
            "worth_staying": None,
            "confirmed_at": None,
        }
    sources = {name: json.loads(told[name]) for name in ("yes_sources", "no_sources")}
    return told | sources | _row(db, _SAID, film_id)


def credits_answer(told: Mapping[str, Any]) -> str:
    """`stay`, or `both` where scenes are known during and after the credits: the key of the words
    in which each surface says it."""
    both = (told["during"], told["after"]) == ("yes", "yes")
    return "both" if both else str(told["stay"])


def _rows(db: Database, sql: str, *values: Any) -> list[dict[str, Any]]:
    return list(db.query(sql, values))


def _row(db: Database, sql: str, *values: Any) -> dict[str, Any]:
    return next(iter(_rows(db, sql, *values)), {})

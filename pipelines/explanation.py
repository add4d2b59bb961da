"""Why a film is what it is said to be: its listings, what was rejected, each score's origin, and
where sources disagree."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from pipelines.clock import BEGINNING
from spiders.sources import ScoreKind, by_key, score_kind

RUNTIMES_APART = 5
"""Minutes by which running times of one cut differ: sites round, and count logos or not."""

_LISTINGS = """
SELECT l.source, l.source_id, l.title, l.year, l.url, lf.method, lf.probability, lf.evidence,
  lf.is_primary, nullif(lf.valid_from, :beginning) AS valid_from, lf.valid_to, l.gone_at
FROM listing_films lf JOIN listings l USING (listing_id)
WHERE lf.film_id = :film_id
ORDER BY lf.valid_to IS NOT NULL, l.source, NOT lf.is_primary, l.source_id, lf.valid_from
"""
_REJECTED = """
SELECT l.source, l.source_id, l.title, l.year, l.url, j.answer, j.method, j.probability,
  j.evidence, j.judged_at,
  (SELECT f.title || ifnull(' (' || f.year || ')', '') FROM listing_films lf
   JOIN films f USING (film_id) WHERE lf.listing_id = j.listing_id AND lf.valid_to IS NULL)
  AS matched_to
FROM judgements j JOIN listings l USING (listing_id)
WHERE j.film_id = :film_id
ORDER BY j.answer, j.probability DESC, l.source, l.source_id
"""
# What no known layout held was never seen: its last attempt tells when that was.
_SCORES = """
SELECT s.score_kind, s.state, s.value, s.scale_max, s.votes, s.votes_at_least, s.basis, s.relayed,
  l.source, l.source_id, lf.is_primary, s.origin, s.layout, s.url, s.changed_at,
  iif(s.state = 'missing', NULL, max(s.observed_at, coalesce(c.confirmed_at, d.confirmed_at, '')))
  AS confirmed_at,
  s.last_attempt_state, s.last_attempt_at
FROM listing_films lf JOIN listings l USING (listing_id) JOIN scores s USING (listing_id)
LEFT JOIN confirmations c ON c.listing_id = s.listing_id AND c.topic = s.score_kind
LEFT JOIN dataset_confirmations d ON d.source = l.source AND s.origin = 'dataset'
WHERE lf.film_id = :film_id AND lf.valid_to IS NULL
ORDER BY s.relayed, s.score_kind, NOT lf.is_primary, l.source, l.source_id
"""
_FACTS = """
SELECT l.source, l.year, l.runtime_minutes
FROM listing_films lf JOIN listings l USING (listing_id)
WHERE lf.film_id = :film_id AND lf.valid_to IS NULL
ORDER BY l.source, l.source_id
"""
_CREDITS = "SELECT place, yes_sources, no_sources FROM credits_disputes WHERE film_id = :film_id"


def explanation(db: Database, known: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that `explain --json` prints of one film, of which `film_facts` are known."""
    about = {"film_id": known["film_id"], "beginning": BEGINNING}
    listings = list(db.query(_LISTINGS, about))
    scores = list(db.query(_SCORES, about))
    return {
        **{name: known[name] for name in ("film_id", "title", "year", "imdb_id", "tmdb_id")},
        "runtime_minutes": known["runtime_minutes"],
        "listings": [row for row in listings if row["valid_to"] is None],
        "formerly": [row for row in listings if row["valid_to"] is not None],
        "rejected": list(db.query(_REJECTED, about)),
        "scores": scores,
        "disagreements": [
            *_facts_apart(list(db.query(_FACTS, about))),
            *_relayed_apart(scores),
            *_credits_apart(list(db.query(_CREDITS, about))),
        ],
    }


def _facts_apart(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Years that differ, and running times that differ by more than a cut's rounding."""
    found = []
    for name, apart, unit in (("year", 1, ""), ("runtime_minutes", RUNTIMES_APART + 1, " min")):
        said = {row["source"]: row[name] for row in rows if row[name] is not None}
        if said and max(said.values()) - min(said.values()) >= apart:
            figures = ", ".join(f"{_say(source)} {value}{unit}" for source, value in said.items())
            found.append(f"{name.partition('_')[0]}: {figures}")
    return found


def _relayed_apart(scores: Sequence[Mapping[str, Any]]) -> list[str]:
    """Figures that one source repeats from another, where the other says something else."""
    own = {row["score_kind"]: row for row in reversed(scores) if not row["relayed"]}
    found = []
    for row in scores:
        stands = own.get(row["score_kind"])
        if row["relayed"] and stands and "scored" == row["state"] == stands["state"]:
            kind = score_kind(row["score_kind"])
            if abs(row["value"] / row["scale_max"] - stands["value"] / stands["scale_max"]) > 0.005:
                repeated, itself = (shown(kind, said) for said in (row, stands))
                found.append(
                    f"{kind.label}: {by_key(row['source']).name} repeats {repeated},"
                    f" {by_key(stands['source']).name} itself says {itself}"
                )
    return found


def _credits_apart(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Places in the credits of which one source says yes and another no."""
    found = []
    for row in rows:
        know, deny = (_say(*json.loads(row[f"{word}_sources"])) for word in ("yes", "no"))
        place = f"a scene {row['place']} the credits"
        found.append(f"{place}: {know} there is one, {deny} there is none")
    return found


def _say(*sources: str) -> str:
    """Sources by name, and the verb."""
    return f"{', '.join(by_key(key).name for key in sources)} say{'s' if len(sources) == 1 else ''}"


def shown(kind: ScoreKind, row: Mapping[str, Any]) -> str:
    """A figure as its own site would write it, in whatever scale a page gave it."""
    return kind.show(row["value"] * kind.scale_max / row["scale_max"])

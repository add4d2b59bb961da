"""The table of films with their scores side by side, and what the scores come to together."""

from __future__ import annotations

import pandas as pd
from sqlite_utils import Database

from pipelines.consensus import Model, consensus
from pipelines.database import set_aside_frame, write_over
from pipelines.register_sql import filled_in
from pipelines.score_counts import counted, write_counts
from pipelines.tables import CONSENSUS, film_scores
from spiders.sources import score_kinds, source_of_kind

_OF_FILM = ("film_id", "imdb_id", "tmdb_id", "title", "year", "kind", "released_on")
_OF_KIND = ("value", "value_100", "votes", "votes_at_least", "state", "confirmed_at")

_TEMPORARY = (
    "DROP TABLE IF EXISTS temp.known",
    "CREATE TEMP TABLE known (film_id INTEGER, score_kind TEXT, value REAL, value_100 REAL,"
    " votes INTEGER, votes_at_least INTEGER, state TEXT, confirmed_at TEXT, gone_at TEXT,"
    " PRIMARY KEY (film_id, score_kind)) WITHOUT ROWID",
)

# A score that was last seen before its listing came to be another film is not that film's.
_STANDING = """
INSERT INTO temp.known
SELECT p.film_id, s.score_kind, s.value, round(100.0 * s.value / s.scale_max, 2), s.votes,
  s.votes_at_least, s.state, iif(s.state = 'missing', NULL, s.confirmed_at), s.gone_at
FROM temp.primaries p
CROSS JOIN standing_scores s USING (listing_id)
WHERE p.source = CASE s.score_kind {kind_sources} END AND s.confirmed_at >= p.valid_from
"""

# Of a film f and a source: why none of its figures is known.
_WHY_NOT = """ifnull(
  (SELECT CASE (SELECT last_outcome FROM urls u WHERE u.listing_id = p.listing_id
                ORDER BY last_asked_at DESC LIMIT 1)
     WHEN 'blocked' THEN 'blocked'
     WHEN 'rate_limited' THEN 'blocked'
     WHEN 'unauthorised' THEN 'blocked'
     WHEN 'not_found' THEN 'not_listed'
     WHEN 'not_a_film' THEN 'not_listed'
     WHEN 'unreadable' THEN 'missing'
     ELSE 'not_asked'
   END
   FROM temp.primaries p WHERE p.film_id = f.film_id AND p.source = '{source}'),
  iif(EXISTS (SELECT 1 FROM lookups l WHERE l.film_id = f.film_id AND l.source = '{source}'
              AND l.found = 'not_listed'), 'not_listed', 'not_asked'))"""


def write_film_scores(db: Database) -> None:
    """Make the rows of `film_scores` of the films in temp.touched anew.

    temp.primaries (film_id, source, listing_id, valid_from) holds their primary listings.
    """
    run = db.conn.execute
    for statement in (*_TEMPORARY, filled_in(_STANDING)):
        run(statement)
    scored = pd.read_sql_query(
        "SELECT film_id, score_kind, value_100, votes, votes_at_least FROM temp.known"
        " WHERE state = 'scored' AND gone_at IS NULL",
        db.conn,
        dtype={"votes": "Int64", "votes_at_least": "bool"},
    )
    set_aside_frame(db, "agreed", consensus(scored)[list(CONSENSUS)])
    touched = "WHERE film_id IN (SELECT film_id FROM temp.touched)"
    before = counted(db, f"(SELECT * FROM film_scores {touched})")
    run(
        f"DELETE FROM film_scores {touched} AND NOT EXISTS"
        " (SELECT 1 FROM films f WHERE f.film_id = film_scores.film_id AND f.merged_into IS NULL)"
    )
    run("DROP TABLE IF EXISTS temp.wide")
    run(f"CREATE TEMP TABLE wide AS {_wide_sql()}")
    # What a film is, and in which states its scores are, seldom changes with the figures; a third
    # of the indexes are of that alone.
    states = [f"{kind.key}_state" for kind in score_kinds()]
    write_over(
        db, "film_scores", "SELECT * FROM temp.wide WHERE true", apart=[*_OF_FILM[1:], *states]
    )
    write_counts(db, before, counted(db, "temp.wide"))


def _wide_sql() -> str:
    # Six joins of a temporary table by its key take two thirds of the time of one pass that picks
    # each column out of a film's rows by max(…) FILTER.
    keys = [kind.key for kind in score_kinds()]
    columns = [
        *(f"f.{name}" for name in _OF_FILM),
        *(_column(key, name) for key in keys for name in _OF_KIND),
        *(f"a.{name}" for name in CONSENSUS),
        _oldest(),
    ]
    named = (
        f"{column} AS {name}" for column, name in zip(columns, film_scores().columns, strict=True)
    )
    joins = " ".join(
        f"LEFT JOIN temp.known {key} ON {key}.film_id = f.film_id AND {key}.score_kind = '{key}'"
        for key in keys
    )
    return (
        f"SELECT {', '.join(named)}"
        f" FROM temp.touched t CROSS JOIN films f USING (film_id) {joins}"
        " LEFT JOIN temp.agreed a ON a.film_id = f.film_id WHERE f.merged_into IS NULL"
    )


def _oldest() -> str:
    """When that figure was last seen which was seen longest ago, of those that the consensus is
    made of. What is no part of it counts as later than any time."""
    times = (
        f"iif({key}.state = 'scored' AND {key}.gone_at IS NULL, {key}.confirmed_at, '9999')"
        for key in Model.default().curves
    )
    return f"nullif(min('9999', {', '.join(times)}), '9999')"


def _column(kind: str, name: str) -> str:
    if name != "state":
        return f"{kind}.{name}"
    why_not = _WHY_NOT.format(source=source_of_kind(kind).key)
    return f"ifnull({kind}.state, {why_not})"

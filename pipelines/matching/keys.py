"""The keys under which films and unmatched listings are found for one another, kept in the
database so that a new listing is held against a million films without reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pandas as pd
from sqlite_utils import Database

from pipelines.database import indexed_afterwards, set_aside
from pipelines.matching import candidates, facts

CROWDED = 200
"""A key that more films share tells too little to hold them all against a listing; a film that is
meant has a rarer one beside it, of title and year or of a name and year."""

ENOUGH = 50
"""Films to choose from, about: a listing's rarest keys count, until they give so many. Where there
are ten times as many films, a word and a year are of ten times as many of them."""

CHOSEN = 10
"""Films that a listing is held against, those with which it shares the rarest keys; and all that
share as much as the last of them, since of films of one name and year any may be meant."""

AT_ONCE = 20_000
"""Films or listings whose keys are worked out at a time: those of a million take gigabytes."""


def index_films(db: Database, table: str) -> None:
    """Write the keys of the films of a table (film_id) anew."""
    _index(db, table, "film", facts.of_films)


def index_listings(db: Database, table: str) -> None:
    """Write the keys of the listings of a temporary table (listing_id) anew."""
    _index(db, table, "listing", facts.of_listings)


def _index(
    db: Database, table: str, what: str, described: Callable[[Database, str], pd.DataFrame]
) -> None:
    run, own, kept = db.conn.execute, f"{what}_id", f"{what}_keys"
    run("DROP TABLE IF EXISTS temp.keyed")
    run("CREATE TEMP TABLE keyed (own, match_key, PRIMARY KEY (own, match_key)) WITHOUT ROWID")
    for numbers in portions(db, f"SELECT {own} FROM {table} ORDER BY {own}", AT_ONCE):
        set_aside(db, f"keyed_{what}s", own, numbers)
        told = described(db, f"keyed_{what}s")
        keyed = candidates.keys(told[told["title"].notna()])
        db.conn.executemany(
            "INSERT INTO temp.keyed VALUES (?, ?)",
            zip(keyed["row"].tolist(), keyed["key"].tolist(), strict=True),
        )
    write = f"INSERT INTO {kept} SELECT match_key, own FROM temp.keyed k"
    if not run(f"SELECT EXISTS (SELECT 1 FROM {kept})").fetchone()[0]:
        with indexed_afterwards(db, kept):
            run(f"{write} ORDER BY match_key, own")
        return
    # Most are as they were, and to write those again would cost a quiet night the most.
    run(
        f"DELETE FROM {kept} WHERE {own} IN (SELECT {own} FROM {table})"
        f" AND NOT EXISTS (SELECT 1 FROM temp.keyed k WHERE k.own = {kept}.{own}"
        f" AND k.match_key = {kept}.match_key)"
    )
    run(
        f"{write} WHERE NOT EXISTS (SELECT 1 FROM {kept} o WHERE o.match_key = k.match_key"
        f" AND o.{own} = k.own) ORDER BY match_key, own"
    )


def portions(db: Database, select: str, size: int) -> Iterator[list[int]]:
    """The numbers that a SELECT gives, so many at a time; it is read to its end before the first
    are given, so that what it reads may be changed."""
    numbers = [row[0] for row in db.conn.execute(select)]
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def candidate_pairs(db: Database, listing_ids: Sequence[int]) -> pd.DataFrame:
    """The films that share a telling key with each of these listings.

    Columns listing_id and film_id, each pair once; without the pairs in `temp.refused`, and without
    films that another listing of IMDb or TMDB is already: those two list a film once.
    """
    found = []
    for start in range(0, len(listing_ids), AT_ONCE):
        set_aside(db, "seekers", "listing_id", listing_ids[start : start + AT_ONCE])
        found.append(pd.read_sql_query(_CANDIDATES, db.conn, dtype="int64"))
    return pd.concat(found, ignore_index=True)


_CANDIDATES = f"""
WITH keyed AS MATERIALIZED (
  SELECT k.listing_id, k.match_key FROM temp.seekers CROSS JOIN listing_keys k USING (listing_id)
), shared AS MATERIALIZED (
  SELECT s.match_key, (SELECT count(*) FROM (SELECT 1 FROM film_keys f
    WHERE f.match_key = s.match_key LIMIT {CROWDED + 1})) AS films
  FROM (SELECT DISTINCT match_key FROM keyed) s
), ranked AS (
  SELECT k.listing_id, k.match_key, s.films, sum(s.films) OVER (PARTITION BY k.listing_id
    ORDER BY s.films, k.match_key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS rarer
  FROM keyed k JOIN shared s USING (match_key) WHERE s.films BETWEEN 1 AND {CROWDED}
), pairs AS MATERIALIZED (
  SELECT k.listing_id, f.film_id, sum(1.0 / k.films) AS shared
  FROM ranked k CROSS JOIN film_keys f USING (match_key) WHERE ifnull(k.rarer, 0) < {ENOUGH}
  GROUP BY k.listing_id, f.film_id
), free AS MATERIALIZED (
  SELECT p.listing_id, p.film_id, p.shared FROM pairs p CROSS JOIN listings l USING (listing_id)
  WHERE NOT EXISTS (SELECT 1 FROM temp.refused r
                    WHERE r.listing_id = p.listing_id AND r.film_id = p.film_id)
    AND NOT (l.source IN ('imdb', 'tmdb') AND EXISTS (
      SELECT 1 FROM listing_films lf JOIN listings m USING (listing_id)
      WHERE lf.film_id = p.film_id AND lf.valid_to IS NULL AND m.source = l.source
        AND m.listing_id <> l.listing_id))
)
SELECT listing_id, film_id FROM (
  SELECT listing_id, film_id,
    rank() OVER (PARTITION BY listing_id ORDER BY round(shared, 9) DESC) AS place
  FROM free
) WHERE place <= {CHOSEN} ORDER BY listing_id, film_id
"""

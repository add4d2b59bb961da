"""The keys under which films and unmatched listings are found for one another, kept in the
database so that a new listing is held against a million films without reading them."""

from __future__ import annotations

import pandas as pd
from sqlite_utils import Database

from pipelines.database import set_aside
from pipelines.matching import candidates, facts

CROWDED = 200
"""A key that more films share tells too little to hold them all against a listing; a film that is
meant has a rarer one beside it, of title and year or of a name and year."""


FILMS_AT_ONCE = 20_000
"""Films of which keys are written at a time: of a million together they take gigabytes."""


def index_films(db: Database, table: str) -> None:
    """Write the keys of the films of a table (film_id) anew."""
    films = [row[0] for row in db.conn.execute(f"SELECT film_id FROM {table} ORDER BY film_id")]
    for start in range(0, len(films), FILMS_AT_ONCE):
        set_aside(db, "indexed", "film_id", films[start : start + FILMS_AT_ONCE])
        _index(db, facts.of_films(db, "indexed"), "indexed", "film")


def index_listings(db: Database, table: str) -> None:
    """Write the keys of the listings of a temporary table (listing_id) anew."""
    _index(db, facts.of_listings(db, table), table, "listing")


def _index(db: Database, described: pd.DataFrame, table: str, what: str) -> None:
    titled = described[described["title"].notna()]
    keyed = candidates.keys(titled)[["key", "row"]]
    now = set(keyed.itertuples(index=False, name=None))
    own = f"{what}_id"
    known = set(
        db.conn.execute(
            f"SELECT match_key, {own} FROM temp.{table} CROSS JOIN {what}_keys USING ({own})"
        )
    )
    # Most are as they were, and to write those again would cost a quiet night the most.
    db.conn.executemany(
        f"DELETE FROM {what}_keys WHERE match_key = ? AND {own} = ?", sorted(known - now)
    )
    db.conn.executemany(
        f"INSERT INTO {what}_keys (match_key, {own}) VALUES (?, ?)", sorted(now - known)
    )


def candidate_pairs(db: Database, table: str) -> pd.DataFrame:
    """The films that share a key with each listing of a temporary table (listing_id).

    Columns listing_id and film_id, each pair once; without the pairs in `temp.refused`, and without
    films that another listing of IMDb or TMDB is already: those two list a film once.
    """
    return pd.read_sql_query(
        f"""
WITH sought AS MATERIALIZED (
  SELECT DISTINCT k.match_key FROM temp.{table} t CROSS JOIN listing_keys k USING (listing_id)
), telling AS MATERIALIZED (
  SELECT s.match_key FROM sought s
  WHERE (SELECT count(*) FROM (SELECT 1 FROM film_keys f WHERE f.match_key = s.match_key
         LIMIT {CROWDED + 1})) BETWEEN 1 AND {CROWDED}
), pairs AS MATERIALIZED (
  SELECT DISTINCT k.listing_id, f.film_id
  FROM temp.{table} t CROSS JOIN listing_keys k USING (listing_id)
  JOIN telling USING (match_key) JOIN film_keys f USING (match_key)
)
SELECT p.listing_id, p.film_id FROM pairs p JOIN listings l USING (listing_id)
WHERE NOT EXISTS (SELECT 1 FROM temp.refused r
                  WHERE r.listing_id = p.listing_id AND r.film_id = p.film_id)
  AND NOT (l.source IN ('imdb', 'tmdb') AND EXISTS (
    SELECT 1 FROM listing_films lf JOIN listings m USING (listing_id)
    WHERE lf.film_id = p.film_id AND lf.valid_to IS NULL AND m.source = l.source
      AND m.listing_id <> l.listing_id))
ORDER BY p.listing_id, p.film_id
""",
        db.conn,
    )

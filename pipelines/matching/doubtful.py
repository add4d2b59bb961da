"""The matches that evidence does not decide: a person is asked."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from pipelines.most_votes import most_votes

_OF_LISTING = "(SELECT max(s.votes) FROM scores s WHERE s.listing_id = j.listing_id)"
_OF_FILM = """(SELECT max(s.votes) FROM listing_films lf JOIN scores s USING (listing_id)
       WHERE lf.film_id = j.film_id AND lf.valid_to IS NULL)"""

# What evidence said of a listing stays where a ruling or an identifier has decided since.
_UNDECIDED = """
  j.answer = 'ask' AND NOT EXISTS (
    SELECT 1 FROM listing_films lf
    WHERE lf.listing_id = j.listing_id AND lf.valid_to IS NULL AND lf.method <> 'evidence')
"""
_HOW_MANY = f"SELECT count(DISTINCT j.listing_id) FROM judgements j WHERE {_UNDECIDED}"

# Which go first is found of all of them, what else is told only of those that are shown.
_DOUBTFUL = f"""
WITH first AS MATERIALIZED (
  SELECT j.listing_id, j.film_id, j.probability,
    {most_votes([_OF_LISTING, _OF_FILM])} AS votes
  FROM judgements j
  WHERE {_UNDECIDED}
  ORDER BY votes DESC, j.listing_id, j.probability DESC
  LIMIT ? OFFSET ?
)
SELECT l.listing_id, l.source, l.source_id, l.title, l.year, l.url,
  j.film_id, f.title AS film_title, f.year AS film_year,
  (SELECT m.source || ':' || m.source_id FROM listing_films lf JOIN listings m USING (listing_id)
   WHERE lf.film_id = j.film_id AND lf.valid_to IS NULL
   ORDER BY m.source <> 'imdb', m.source <> 'tmdb', m.listing_id LIMIT 1) AS film_listing,
  j.method, j.probability, j.evidence, j.judged_at, first.votes
FROM first
CROSS JOIN judgements j ON j.listing_id = first.listing_id AND j.film_id = first.film_id
CROSS JOIN listings l ON l.listing_id = j.listing_id
CROSS JOIN films f ON f.film_id = j.film_id
ORDER BY first.votes DESC, j.listing_id, j.probability DESC
"""


def doubtful(db: Database, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Listings that may be a film, with why, those with the most votes first: a row for each pair.

    `film_listing` is a listing of that film by which a ruling can name it, None where it has none.
    """
    return list(db.query(_DOUBTFUL, [limit, offset]))


def how_many_doubtful(db: Database) -> int:
    """How many listings `doubtful` tells of."""
    return int(next(db.conn.execute(_HOW_MANY))[0])

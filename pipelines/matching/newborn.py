"""Films that a catalogue brings by the hundred thousand: of listings that share nothing with any
other, each a film of its own.

Two statements make as many of them as there are. The matcher would come to the same films, in
another order here and there, after it has sought for each what is not there.
"""

from __future__ import annotations

from sqlite_utils import Database

from pipelines import clock
from pipelines.matching.identifiers import OWN
from spiders.sources import FILM_KINDS

# What nobody states, rules on, waits for or has ever matched. Titles are not looked at where each
# film is one of IMDb's, and goes on being that: to such a film evidence matches no other of IMDb's
# listings.
_ALONE = f"""
CREATE TEMP TABLE newborn AS
SELECT l.listing_id, l.source_id
FROM temp.unmatched u CROSS JOIN listings l USING (listing_id)
WHERE l.source = 'imdb' AND l.title IS NOT NULL
  AND ifnull(l.kind, 'movie') IN ({", ".join(f"'{kind}'" for kind in FILM_KINDS)})
  AND NOT EXISTS (SELECT 1 FROM films WHERE imdb_id IS NULL AND merged_into IS NULL)
  AND NOT EXISTS (SELECT 1 FROM temp.examined CROSS JOIN listing_films USING (listing_id)
                  WHERE valid_to IS NULL AND method = 'evidence')
  AND NOT EXISTS (SELECT 1 FROM films f WHERE f.imdb_id = l.source_id)
  AND NOT EXISTS (SELECT 1 FROM listing_films lf WHERE lf.listing_id = l.listing_id)
  AND NOT EXISTS (SELECT 1 FROM listing_identifiers i WHERE i.listing_id = l.listing_id)
  AND NOT EXISTS (SELECT 1 FROM listing_identifiers i
                  WHERE i.source = l.source AND i.source_id = l.source_id)
  AND NOT EXISTS (SELECT 1 FROM judgements j WHERE j.listing_id = l.listing_id)
  AND NOT EXISTS (SELECT 1 FROM listing_keys k WHERE k.listing_id = l.listing_id)
  AND l.source || ':' || l.source_id NOT IN
    (SELECT listing_a FROM rulings UNION SELECT listing_b FROM rulings)
ORDER BY l.source_id
"""


def give_birth_to_the_unrelated(db: Database) -> set[int]:
    """Make films of the listings in temp.unmatched that share nothing with any other, and take them
    out of there and of temp.examined; returns the films."""
    run = db.conn.execute
    run("DROP TABLE IF EXISTS temp.newborn")
    run(_ALONE)
    run("INSERT INTO films (imdb_id) SELECT source_id FROM temp.newborn ORDER BY rowid")
    born = "FROM temp.newborn n CROSS JOIN films f ON f.imdb_id = n.source_id"
    run(
        "INSERT INTO listing_films (listing_id, film_id, valid_from, method, probability, evidence)"
        f" SELECT n.listing_id, f.film_id, ?, 'identifier', 1.0, ? {born} ORDER BY n.listing_id",
        (clock.BEGINNING, OWN),
    )
    run(f"INSERT INTO unindexed_films SELECT f.film_id {born} ORDER BY f.film_id")
    for table in ("unmatched", "examined"):
        run(f"DELETE FROM temp.{table} WHERE listing_id IN (SELECT listing_id FROM temp.newborn)")
    return {film_id for (film_id,) in run(f"SELECT f.film_id {born}")}

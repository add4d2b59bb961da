"""From matched listings to what analysts read: primary listings, facts, scores and credits.

Everything here is derived: it can be made anew at any time and comes out the same. The work is
done by SQL and pandas over the films that were touched, so that its cost follows what changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from sqlite_utils import Database

from pipelines.credits import write_stay
from pipelines.database import indexed_afterwards, set_aside, transaction, write_over
from pipelines.film_scores import write_film_scores
from pipelines.listings import FACTS
from pipelines.register_sql import filled_in
from pipelines.search import write_search

CHUNK = 10_000
"""Films that are merged at a time: memory stays near 200 MB however many there are, and chunks of
more are no faster."""


def merge(db: Database, film_ids: Iterable[int]) -> None:
    """Bring the given films' facts, scores and credits up to date, in one transaction."""
    with transaction(db):
        merge_within(db, film_ids)


def merge_within(db: Database, film_ids: Iterable[int]) -> None:
    """`merge`, in the transaction of whoever calls."""
    films = sorted(set(film_ids))  # neighbours in the database are merged together
    with _indexed(db, films):
        _merge(db, films)


def _indexed(db: Database, films: Sequence[int]) -> AbstractContextManager[None]:
    """How the indexes of films' scores are kept while these films, in order, are merged: where more
    are new than there were, as on a first night, they are made afterwards."""
    (last,) = db.conn.execute("SELECT ifnull(max(film_id), 0) FROM film_scores").fetchone()
    new = len(films) - bisect_right(films, last)
    return indexed_afterwards(db, "film_scores") if new > last else nullcontext()


def merge_all(db: Database) -> None:
    """Merge every film, in the transaction of whoever calls."""
    _merge(db, [row[0] for row in db.conn.execute("SELECT film_id FROM films ORDER BY film_id")])


def _merge(db: Database, films: Sequence[int]) -> None:
    for start in range(0, len(films), CHUNK):
        set_aside(db, "touched", "film_id", films[start : start + CHUNK])
        _write_primaries_and_facts(db)
        _write_whose_parts(db)
        write_film_scores(db)
        write_stay(db)
        write_search(db)
        db.conn.execute(
            "DELETE FROM unmerged_films WHERE film_id IN (SELECT film_id FROM temp.touched)"
        )


# Listings in the order in which they speak for their film: sources as the register has them; of
# several listings on one source, those that are not gone, nor lead to another, then the one that
# bears the film's own id, then those that more than evidence matched, then those with the most
# votes, then those first heard of. The first of a source is primary.
_ORDER = "film_id, rank, is_gone, has_moved, is_other, by_evidence, fewest, listing_id"

# A key keeps that order for less than half of what windows take.
_LISTED = (
    "DROP TABLE IF EXISTS temp.listed",
    "CREATE TEMP TABLE listed (film_id INTEGER, rank INTEGER, is_gone INTEGER, has_moved INTEGER,"
    " is_other INTEGER, by_evidence INTEGER, fewest INTEGER, listing_id INTEGER, source TEXT,"
    f" valid_from TEXT, is_primary INTEGER, PRIMARY KEY ({_ORDER})) WITHOUT ROWID",
    """
INSERT INTO temp.listed
SELECT lf.film_id, CASE l.source {ranks} END, l.gone_at IS NOT NULL,
  EXISTS (SELECT 1 FROM listing_identifiers i
          WHERE i.listing_id = l.listing_id AND i.source = l.source),
  l.source_id NOT IN (ifnull(f.imdb_id, ''), ifnull(CAST(f.tmdb_id AS TEXT), ''),
                      ifnull(f.wikidata_id, '')),
  lf.method = 'evidence',
  ifnull((SELECT -max(votes) FROM scores s WHERE s.listing_id = l.listing_id), 1),
  lf.listing_id, l.source, lf.valid_from, lf.is_primary
FROM temp.touched t
CROSS JOIN films f USING (film_id)
CROSS JOIN listing_films lf ON lf.film_id = f.film_id AND lf.valid_to IS NULL
CROSS JOIN listings l USING (listing_id)
""",
    "DROP TABLE IF EXISTS temp.primaries",
    "CREATE TEMP TABLE primaries (film_id INTEGER, source TEXT, listing_id INTEGER,"
    " valid_from TEXT, PRIMARY KEY (film_id, source)) WITHOUT ROWID",
    "INSERT OR IGNORE INTO temp.primaries"
    f" SELECT film_id, source, listing_id, valid_from FROM temp.listed ORDER BY {_ORDER}",
)


def _write_primaries_and_facts(db: Database) -> None:
    """Write which listings are primary (also to temp.primaries), and the films' facts."""
    run = db.conn.execute
    for statement in _LISTED:
        run(filled_in(statement))
    run(
        "UPDATE listing_films SET is_primary = 1 - is_primary WHERE valid_to IS NULL"
        " AND listing_id IN (SELECT o.listing_id FROM temp.listed o JOIN temp.primaries p"
        " USING (film_id, source) WHERE o.is_primary <> (o.listing_id = p.listing_id))"
    )
    write_over(db, "films", _facts_sql(), ("film_id", *FACTS))


def _facts_sql() -> str:
    """Each fact is that of the first listing that has it: nearly always of the very first."""
    facts = ", ".join(
        f"ifnull(l.{name}, (SELECT m.{name} FROM temp.listed o CROSS JOIN listings m"
        f" USING (listing_id) WHERE o.film_id = t.film_id AND m.{name} IS NOT NULL"
        f" ORDER BY {_ORDER} LIMIT 1))"
        for name in FACTS
    )
    return (
        f"SELECT t.film_id, {facts} FROM temp.touched t CROSS JOIN listings l WHERE l.listing_id ="
        f" (SELECT listing_id FROM temp.listed WHERE film_id = t.film_id ORDER BY {_ORDER} LIMIT 1)"
    )


def _write_whose_parts(db: Database) -> None:
    """Titles, people and genres belong to the film that their listing is now, if any."""
    run = db.conn.execute
    for table in ("film_titles", "film_people", "film_genres"):
        now = (
            f"(SELECT lf.film_id FROM listing_films lf WHERE lf.listing_id = {table}.listing_id"
            " AND lf.valid_to IS NULL)"
        )
        run(
            f"UPDATE {table} SET film_id = {now}"
            f" WHERE film_id IN (SELECT film_id FROM temp.touched) AND film_id IS NOT {now}"
        )
        run(
            f"UPDATE {table} SET film_id = now.film_id FROM temp.listed now"
            f" WHERE {table}.listing_id = now.listing_id AND {table}.film_id IS NOT now.film_id"
        )

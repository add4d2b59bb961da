"""Which film a listing is, and since when: rows of `listing_films` begin, move, end.

A first match holds for all that the listing ever said. A match that proves wrong is undone for as
long, unless the listing's page came to show another film: then its past stays where it was. All
functions work in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import set_aside

OWN_ID = {"imdb": "imdb_id", "tmdb": "tmdb_id", "wikidata": "wikidata_id"}
"""The column of `films` that holds a film's own id at a source."""

ANCHOR = "coalesce('imdb' || f.imdb_id, 'tmdb' || f.tmdb_id, 'wikidata' || f.wikidata_id)"
"""SQL: the source and id of the listing that a film `f` stands or falls with; NULL: it has none."""


class Link(NamedTuple):
    """A listing that is a film, how that was found, and why it is believed."""

    listing_id: int
    film_id: int
    method: str
    probability: float
    evidence: str


def link(db: Database, links: Iterable[Link]) -> set[int]:
    """Match listings that are no film now; returns the films."""
    db.conn.execute("DROP TABLE IF EXISTS temp.links")
    columns = "listing_id INTEGER PRIMARY KEY, film_id, method, probability, evidence"
    db.conn.execute(f"CREATE TEMP TABLE links ({columns})")
    db.conn.executemany("INSERT INTO temp.links VALUES (?, ?, ?, ?, ?)", links)
    return link_all(db, "links")


def link_all(db: Database, table: str) -> set[int]:
    """Match the listings of a temporary table, which has the columns of `Link`: none is a film now.
    Returns the films."""
    run = db.conn.execute
    run(
        "INSERT INTO listing_films (listing_id, film_id, valid_from, method, probability, evidence)"
        " SELECT k.listing_id, k.film_id, ifnull((SELECT max(lf.valid_to,"
        "   ifnull(l.another_film_since, '')) FROM listing_films lf JOIN listings l"
        "   USING (listing_id) WHERE lf.listing_id = k.listing_id ORDER BY lf.valid_to DESC"
        f"   LIMIT 1), '{clock.BEGINNING}'), k.method, k.probability, k.evidence"
        f" FROM temp.{table} k ORDER BY k.listing_id"
    )
    run(
        "DELETE FROM judgements WHERE (listing_id, film_id) IN"
        f" (SELECT listing_id, film_id FROM temp.{table})"
    )
    return {row[0] for row in run(f"SELECT DISTINCT film_id FROM temp.{table}")}


def update_evidence(db: Database, links: Iterable[Link]) -> None:
    """Write what speaks for matches that stand, where that is something else by now."""
    db.conn.executemany(
        "UPDATE listing_films SET probability = ?1, evidence = ?2 WHERE listing_id = ?3"
        " AND valid_to IS NULL AND (probability, evidence) <> (?1, ?2)",
        ((one.probability, one.evidence, one.listing_id) for one in links),
    )


def leave(db: Database, listing_ids: Iterable[int]) -> set[int]:
    """Take listings, and their ids, from the films that they are now; returns the films."""
    leaving = list(listing_ids)
    if not leaving:
        return set()
    set_aside(db, "leaving", "listing_id", leaving)
    run = db.conn.execute
    for source, column in OWN_ID.items():
        run(
            f"UPDATE films SET {column} = NULL WHERE film_id IN (SELECT f.film_id"
            " FROM temp.leaving CROSS JOIN listing_films lf USING (listing_id)"
            " CROSS JOIN listings l USING (listing_id) CROSS JOIN films f ON f.film_id = lf.film_id"
            f" WHERE lf.valid_to IS NULL AND l.source = '{source}'"
            f" AND l.source_id = CAST(f.{column} AS TEXT))"
        )
    left = run(
        "SELECT DISTINCT film_id FROM temp.leaving CROSS JOIN listing_films USING (listing_id)"
        " WHERE valid_to IS NULL"
    ).fetchall()
    run(
        "UPDATE listing_films SET valid_to = l.another_film_since, is_primary = 0"
        " FROM listings l JOIN temp.leaving USING (listing_id)"
        " WHERE listing_films.listing_id IN (SELECT listing_id FROM temp.leaving)"
        " AND listing_films.listing_id = l.listing_id AND listing_films.valid_to IS NULL"
        " AND listing_films.valid_from < l.another_film_since"
    )
    run(
        "DELETE FROM listing_films WHERE valid_to IS NULL"
        " AND listing_id IN (SELECT listing_id FROM temp.leaving)"
    )
    for table in ("film_titles", "film_people", "film_genres"):
        run(
            f"UPDATE {table} SET film_id = NULL"
            " WHERE listing_id IN (SELECT listing_id FROM temp.leaving)"
        )
    return {row[0] for row in left}


def followers(db: Database, film_ids: Iterable[int]) -> list[int]:
    """The listings that identifiers or evidence made these films, but for a film's anchor, whose id
    it bears first. Where a listing leaves its film, they may have come after it."""
    set_aside(db, "followed", "film_id", film_ids)
    found = db.conn.execute(
        "SELECT lf.listing_id FROM temp.followed CROSS JOIN listing_films lf USING (film_id)"
        " JOIN films f USING (film_id) JOIN listings l USING (listing_id)"
        " WHERE lf.valid_to IS NULL AND lf.method IN ('identifier', 'evidence')"
        f" AND l.source || l.source_id IS NOT {ANCHOR}"
    )
    return [row[0] for row in found]


def join(db: Database, survivor: int, other: int) -> None:
    """Two films turned out to be one: the survivor takes the other's listings, past and present.

    The other's number goes on leading to the survivor.
    """
    run = db.conn.execute
    run("UPDATE listing_films SET film_id = ?1 WHERE film_id = ?2", (survivor, other))
    run("UPDATE films SET merged_into = ?1 WHERE ?2 IN (film_id, merged_into)", (survivor, other))
    for column in OWN_ID.values():
        held = run(f"SELECT {column} FROM films WHERE film_id = ?", (other,)).fetchone()[0]
        run(f"UPDATE films SET {column} = NULL WHERE film_id = ?", (other,))
        run(f"UPDATE films SET {column} = ifnull({column}, ?) WHERE film_id = ?", (held, survivor))
    run(
        "INSERT OR IGNORE INTO tracked_films SELECT ?1, given, tracked_at FROM tracked_films"
        " WHERE film_id = ?2",
        (survivor, other),
    )
    for table in ("tracked_films", "lookups", "judgements", "film_keys", "unindexed_films"):
        run(f"DELETE FROM {table} WHERE film_id = ?", (other,))

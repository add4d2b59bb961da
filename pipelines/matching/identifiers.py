"""Match listings to films by identifiers: what a film's ids are, and what listings state.

A listing is a film's where it bears one of the film's ids, states one, or is named by a listing
that is the film's already. Where that points to two films, it is left unmatched and said to be
ambiguous: a wrong match is worse than none. All functions work on the temporary table `unmatched`
(listing_id), in the caller's transaction, and never on a pair in `refused` (listing_id, film_id).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database

from pipelines.database import set_aside
from pipelines.matching.spans import OWN_ID, link_all
from spiders.sources import FILM_KINDS, SOURCES

OWN = "it bears the id of the film"
"""The evidence for the listing that a film has its id from."""

# Each row: a listing, a film that it may be, and why. What is matched by evidence alone points
# nowhere: one wrong match would draw others after it; nor does a ruling on a page draw what names
# that page after it. SQLite keeps the order of a CROSS JOIN: it begins with what is to be matched,
# however many listings there are beside it.
_POINTED = """
SELECT listing_id, film_id, evidence FROM (
  SELECT u.listing_id, f.film_id, '{own}' AS evidence
  FROM temp.{unmatched} u CROSS JOIN listings l USING (listing_id)
  JOIN films f ON f.imdb_id = l.source_id WHERE l.source = 'imdb'
UNION ALL
  SELECT u.listing_id, f.film_id, '{own}'
  FROM temp.{unmatched} u CROSS JOIN listings l USING (listing_id)
  JOIN films f ON f.tmdb_id = CAST(l.source_id AS INTEGER) WHERE l.source = 'tmdb'
UNION ALL
  SELECT u.listing_id, f.film_id, 'it states ' || i.source || ':' || i.source_id
  FROM temp.{unmatched} u CROSS JOIN listing_identifiers i USING (listing_id)
  JOIN films f ON f.imdb_id = i.source_id WHERE i.source = 'imdb'
UNION ALL
  SELECT u.listing_id, f.film_id, 'it states ' || i.source || ':' || i.source_id
  FROM temp.{unmatched} u CROSS JOIN listing_identifiers i USING (listing_id)
  JOIN films f ON f.tmdb_id = CAST(i.source_id AS INTEGER) WHERE i.source = 'tmdb'
UNION ALL
  SELECT u.listing_id, lf.film_id, 'it states ' || i.source || ':' || i.source_id
  FROM temp.{unmatched} u CROSS JOIN listing_identifiers i USING (listing_id)
  JOIN listings m ON m.source = i.source AND m.source_id = i.source_id
  JOIN listing_films lf ON lf.listing_id = m.listing_id AND lf.valid_to IS NULL
    AND lf.method NOT IN ('evidence', 'ruling')
UNION ALL
  SELECT u.listing_id, lf.film_id, m.source || ':' || m.source_id || ' names it'
  FROM temp.{unmatched} u CROSS JOIN listings l USING (listing_id)
  JOIN listing_identifiers i ON i.source = l.source AND i.source_id = l.source_id
  JOIN listings m ON m.listing_id = i.listing_id
  JOIN listing_films lf ON lf.listing_id = m.listing_id AND lf.valid_to IS NULL
    AND lf.method <> 'evidence'
) p
WHERE NOT EXISTS (SELECT 1 FROM temp.refused r
                  WHERE r.listing_id = p.listing_id AND r.film_id = p.film_id)
"""


def pointed(table: str = "unmatched") -> str:
    """A query of what identifiers say of the listings of a temporary table: listing_id, film_id,
    evidence; a pair may occur several times."""
    return _POINTED.format(unmatched=table, own=OWN)


def set_pointed(db: Database) -> None:
    """Put what identifiers say of the listings that are no film into the temporary table `pointed`
    (listing_id, film_id, evidence), each pair once: to find it takes longer than to read it."""
    db.conn.execute("DROP TABLE IF EXISTS temp.pointed")
    db.conn.execute(
        "CREATE TEMP TABLE pointed AS SELECT listing_id, film_id, min(evidence) AS evidence"
        f" FROM ({pointed()}) GROUP BY listing_id, film_id"
    )


def link_pointed(db: Database) -> set[int]:
    """Link the listings of one source that point to exactly one film, as the table `pointed` has
    it without what is refused since; returns those films.

    Sources go in the order of the register: a page is linked only once the crosswalk's rows are,
    so that what a row says of it against the page is heard.
    """
    run = db.conn.execute
    run("DROP TABLE IF EXISTS temp.linkable")
    run(
        "CREATE TEMP TABLE linkable AS SELECT l.source, listing_id, film_id,"
        " 'identifier' AS method, 1.0 AS probability, evidence"
        " FROM temp.pointed p CROSS JOIN listings l USING (listing_id) WHERE NOT EXISTS"
        " (SELECT 1 FROM temp.refused r WHERE r.listing_id = p.listing_id"
        "  AND r.film_id = p.film_id) GROUP BY listing_id HAVING count(*) = 1"
    )
    sources = {row[0] for row in run("SELECT DISTINCT source FROM temp.linkable")}
    first = next((source.key for source in SOURCES if source.key in sources), None)
    run("DELETE FROM temp.linkable WHERE source <> ?", (first,))
    films = link_all(db, "linkable")
    run("DELETE FROM temp.unmatched WHERE listing_id IN (SELECT listing_id FROM temp.linkable)")
    adopt_ids(db, films)
    return films


def ambiguous(db: Database) -> dict[int, dict[int, str]]:
    """The listings that point to several films: those films, each with the evidence for it."""
    found: dict[int, dict[int, str]] = {}
    several = (
        f"SELECT listing_id FROM ({pointed()}) GROUP BY listing_id"
        " HAVING count(DISTINCT film_id) > 1"
    )
    for listing_id, film_id, evidence in db.conn.execute(
        f"SELECT listing_id, film_id, min(evidence) FROM ({pointed()})"
        f" WHERE listing_id IN ({several}) GROUP BY listing_id, film_id ORDER BY 1, 2"
    ):
        found.setdefault(listing_id, {})[film_id] = evidence
    return found


def adopt_ids(db: Database, film_ids: Iterable[int]) -> None:
    """A film takes the ids of its listings where it has none of that source yet."""
    set_aside(db, "adopting", "film_id", film_ids)
    for source, column in OWN_ID.items():
        theirs = (
            "FROM listing_films lf JOIN listings l USING (listing_id)"
            f" WHERE lf.film_id = films.film_id AND lf.valid_to IS NULL AND l.source = '{source}'"
        )
        db.conn.execute(
            f"UPDATE OR IGNORE films SET {column} = (SELECT l.source_id {theirs}"
            " ORDER BY length(l.source_id), l.source_id LIMIT 1)"
            f" WHERE film_id IN (SELECT film_id FROM temp.adopting) AND {column} IS NULL"
            f" AND EXISTS (SELECT 1 {theirs})"
        )


def follow_redirects(db: Database) -> None:
    """A film whose own id the source now leads to another of its listings takes that one's id."""
    for source, column in OWN_ID.items():
        led = db.conn.execute(_LED_ON, (source,)).fetchall()
        db.conn.executemany(
            f"UPDATE OR IGNORE films SET {column} = ?"
            f" WHERE film_id = ? AND CAST({column} AS TEXT) = ?",
            led,
        )


# SQLite keeps the order of a CROSS JOIN: left the choice, it begins with all ids that are stated.
_LED_ON = """
SELECT i.source_id, lf.film_id, l.source_id
FROM temp.examined CROSS JOIN listings l USING (listing_id)
CROSS JOIN listing_identifiers i ON i.listing_id = l.listing_id AND i.source = l.source
CROSS JOIN listing_films lf ON lf.listing_id = l.listing_id AND lf.valid_to IS NULL
CROSS JOIN listings m ON m.source = i.source AND m.source_id = i.source_id
CROSS JOIN listing_films o ON o.listing_id = m.listing_id AND o.valid_to IS NULL
WHERE l.source = ? AND m.listing_id <> l.listing_id AND o.film_id = lf.film_id
ORDER BY l.listing_id
"""


def give_birth(db: Database, source: str) -> bool:
    """Make films of a source's listings that no film has; whether there were any.

    Of TMDB listings that state one IMDb id together, one gives birth and the others join it. A
    listing that an identifier points somewhere, even if that is refused, gives birth to nothing.
    """
    placeholders = ", ".join("?" * len(FILM_KINDS))
    rows = db.conn.execute(
        "SELECT min(printf('%20s', l.source_id)), l.source_id"
        " FROM temp.unmatched u CROSS JOIN listings l USING (listing_id)"
        " WHERE l.source = ? AND l.title IS NOT NULL"
        f" AND ifnull(l.kind, 'movie') IN ({placeholders})"
        f" AND u.listing_id NOT IN (SELECT listing_id FROM ({pointed()}))"
        " AND u.listing_id NOT IN (SELECT listing_id FROM temp.doubted)"
        " GROUP BY ifnull((SELECT 'imdb:' || min(i.source_id) FROM listing_identifiers i"
        " WHERE i.listing_id = u.listing_id AND i.source = 'imdb'), l.source_id)",
        (source, *FILM_KINDS),
    ).fetchall()
    db.conn.executemany(
        f"INSERT INTO films ({OWN_ID[source]}) VALUES (?)",
        ((source_id,) for _, source_id in rows),
    )
    return bool(rows)

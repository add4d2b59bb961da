"""Match listings to films by identifiers alone: what a film's ids are, and what listings state.

A listing is a film's where it bears one of the film's ids, states one, or is named by a listing
that is the film's already. Where that points to two films, it is left unmatched and said to be
ambiguous: a wrong match is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import set_aside, transaction
from spiders.sources import SOURCES

FILM_KINDS = ("movie", "tvMovie", "short", "tvShort", "video", "tvSpecial")
"""IMDb's titleType values that are films; series, episodes and games are not."""


@dataclass
class Matched:
    """Which films gained a listing, and which listings point to more than one film.

    `ambiguous` holds, for each such listing, the films it points to with the evidence for each.
    """

    films: set[int] = field(default_factory=set)
    ambiguous: dict[int, dict[int, str]] = field(default_factory=dict)


def match(db: Database, listing_ids: Iterable[int]) -> Matched:
    """Match these listings, and those they name or are named by; new films are born of IMDb and
    TMDB listings that no film has."""
    matched = Matched()
    with transaction(db):
        run = db.conn.execute
        set_aside(db, "unmatched", "listing_id", listing_ids)
        run(
            "INSERT OR IGNORE INTO unmatched SELECT l.listing_id FROM unmatched u"
            " CROSS JOIN listing_identifiers i USING (listing_id)"
            " JOIN listings l ON l.source = i.source AND l.source_id = i.source_id"
        )
        run(
            "INSERT OR IGNORE INTO unmatched SELECT i.listing_id FROM unmatched u"
            " CROSS JOIN listings l USING (listing_id)"
            " JOIN listing_identifiers i ON i.source = l.source AND i.source_id = l.source_id"
        )
        run(
            "DELETE FROM unmatched WHERE EXISTS (SELECT 1 FROM listing_films lf"
            " WHERE lf.listing_id = unmatched.listing_id AND lf.valid_to IS NULL)"
        )
        while _link(db, matched) or _give_birth(db, matched):
            pass
        several = (
            f"SELECT listing_id FROM ({_CANDIDATES}) GROUP BY listing_id"
            " HAVING count(DISTINCT film_id) > 1"
        )
        for listing_id, film_id, evidence in run(
            f"SELECT listing_id, film_id, min(evidence) FROM ({_CANDIDATES})"
            f" WHERE listing_id IN ({several}) GROUP BY listing_id, film_id ORDER BY 1, 2"
        ):
            matched.ambiguous.setdefault(listing_id, {})[film_id] = evidence
    return matched


# Each row: an unmatched listing, a film that it may be, and why. SQLite keeps the order of a CROSS
# JOIN: it begins with what is to be matched, however many listings there are beside it.
_CANDIDATES = """
  SELECT u.listing_id, f.film_id, 'it bears the film''s own id' AS evidence
  FROM unmatched u CROSS JOIN listings l USING (listing_id)
  JOIN films f ON f.imdb_id = l.source_id WHERE l.source = 'imdb'
UNION ALL
  SELECT u.listing_id, f.film_id, 'it bears the film''s own id'
  FROM unmatched u CROSS JOIN listings l USING (listing_id)
  JOIN films f ON f.tmdb_id = CAST(l.source_id AS INTEGER) WHERE l.source = 'tmdb'
UNION ALL
  SELECT u.listing_id, f.film_id, 'it states ' || i.source || ':' || i.source_id
  FROM unmatched u CROSS JOIN listing_identifiers i USING (listing_id)
  JOIN films f ON f.imdb_id = i.source_id WHERE i.source = 'imdb'
UNION ALL
  SELECT u.listing_id, f.film_id, 'it states ' || i.source || ':' || i.source_id
  FROM unmatched u CROSS JOIN listing_identifiers i USING (listing_id)
  JOIN films f ON f.tmdb_id = CAST(i.source_id AS INTEGER) WHERE i.source = 'tmdb'
UNION ALL
  SELECT u.listing_id, lf.film_id, 'it states ' || i.source || ':' || i.source_id
  FROM unmatched u CROSS JOIN listing_identifiers i USING (listing_id)
  JOIN listings m ON m.source = i.source AND m.source_id = i.source_id
  JOIN listing_films lf ON lf.listing_id = m.listing_id AND lf.valid_to IS NULL
UNION ALL
  SELECT u.listing_id, lf.film_id, m.source || ':' || m.source_id || ' names it'
  FROM unmatched u CROSS JOIN listings l USING (listing_id)
  JOIN listing_identifiers i ON i.source = l.source AND i.source_id = l.source_id
  JOIN listings m ON m.listing_id = i.listing_id
  JOIN listing_films lf ON lf.listing_id = m.listing_id AND lf.valid_to IS NULL
"""


def _link(db: Database, matched: Matched) -> bool:
    """Link the listings of one source that point to exactly one film; whether there were any.

    Sources go in the order of the register: a page is linked only once the crosswalk's rows are,
    so that what a row says of it against the page is heard.
    """
    linkable: dict[str, list[tuple[int, int, str]]] = {}
    for source, *row in db.conn.execute(
        "SELECT l.source, listing_id, min(film_id), min(evidence)"
        f" FROM ({_CANDIDATES}) JOIN listings l USING (listing_id)"
        " GROUP BY listing_id HAVING count(DISTINCT film_id) = 1"
    ):
        linkable.setdefault(source, []).append((row[0], row[1], row[2]))
    found = next((linkable[s.key] for s in SOURCES if s.key in linkable), [])
    at = clock.now()
    db.conn.executemany(
        "INSERT INTO listing_films (listing_id, film_id, valid_from, method, probability, evidence)"
        " VALUES (?, ?, ?, 'identifier', 1.0, ?)",
        ((listing_id, film_id, at, evidence) for listing_id, film_id, evidence in found),
    )
    db.conn.executemany("DELETE FROM unmatched WHERE listing_id = ?", ((row[0],) for row in found))
    films = {row[1] for row in found}
    matched.films |= films
    _adopt_ids(db, films)
    return bool(found)


def _adopt_ids(db: Database, film_ids: set[int]) -> None:
    """A film takes the ids of its listings where it has none of that source yet."""
    for column, source in (("imdb_id", "imdb"), ("tmdb_id", "tmdb"), ("wikidata_id", "wikidata")):
        db.conn.executemany(
            f"UPDATE OR IGNORE films SET {column} = (SELECT l.source_id FROM listing_films lf"
            " JOIN listings l USING (listing_id) WHERE lf.film_id = films.film_id"
            f" AND lf.valid_to IS NULL AND l.source = '{source}'"
            " ORDER BY length(l.source_id), l.source_id LIMIT 1)"
            f" WHERE film_id = ? AND {column} IS NULL",
            ((number,) for number in film_ids),
        )


def _give_birth(db: Database, matched: Matched) -> bool:
    """Make films of IMDb listings that no film has, else of TMDB's; whether there were any.

    IMDb's come first, since a TMDB listing may state the id of a film that is only being born;
    of TMDB listings that state one IMDb id together, one gives birth and the others join it.
    """
    run = db.conn.execute
    placeholders = ", ".join("?" * len(FILM_KINDS))
    newborn = (
        "SELECT min(printf('%20s', l.source_id)), l.source_id"
        " FROM unmatched u CROSS JOIN listings l USING (listing_id)"
        " WHERE l.source = ? AND l.title IS NOT NULL"
        f" AND ifnull(l.kind, 'movie') IN ({placeholders})"
        f" AND u.listing_id NOT IN (SELECT listing_id FROM ({_CANDIDATES}))"
        " GROUP BY ifnull((SELECT 'imdb:' || min(i.source_id) FROM listing_identifiers i"
        " WHERE i.listing_id = u.listing_id AND i.source = 'imdb'), l.source_id)"
    )
    for source, column in (("imdb", "imdb_id"), ("tmdb", "tmdb_id")):
        rows = run(newborn, (source, *FILM_KINDS)).fetchall()
        if rows:
            db.conn.executemany(
                f"INSERT INTO films ({column}) VALUES (?)",
                ((source_id,) for _, source_id in rows),
            )
            return True
    return False

"""A database of as many made-up films as wanted, as some months of nights would have left it.

SQL makes its rows from their numbers alone, so that a million films take a minute or two and come
out the same each time.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database

from pipelines.database import transaction, writing
from pipelines.merge import merge, prepare
from pipelines.tables import TABLES
from spiders.sources import SOURCES, Finds, Source

SHARES = {
    "imdb": 1.0,
    "wikidata": 0.8,
    "tmdb": 0.9,
    "rottentomatoes": 0.6,
    "metacritic": 0.4,
    "whatsafterthemovie": 0.15,
    "aftercredits": 0.1,
    "mediastinger": 0.1,
}
"""Of how many of the films each source has a listing; of a source not named here, of half."""

FIRST, LAST = "2026-01-01T03:00:00Z", "2026-06-01T03:00:00Z"
"""When everything was first asked, and last."""


def catalogue(path: Path, films: int) -> None:
    """Make a database of so many films, merged."""
    with writing(path) as db:
        prepare(db)
        with transaction(db):
            _films(db, films)
            for salt, source in enumerate(SOURCES):
                _listings(db, source, salt)
                _answers(db, source, salt)
        merge(db, range(1, films + 1))


def move_times(db: sqlite3.Connection, by: str) -> None:
    """Move every time in a database, within the caller's transaction: `-160 days`, as SQLite's
    functions of dates have it."""
    for table in TABLES:
        if table.name in ("film_search", "film_words"):
            continue  # words, and no times
        for column in table.columns:
            db.execute(
                f"UPDATE {table.name} SET {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, ?)"
                f" WHERE {column} GLOB '2[0-9][0-9][0-9]-??-??T??:??:??Z'",
                (by,),
            )


def _films(db: Database, films: int) -> None:
    db.conn.execute(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
        " INSERT INTO films (film_id, imdb_id) SELECT n, printf('tt%08d', n) FROM number",
        [films],
    )


def _listings(db: Database, source: Source, salt: int) -> None:
    run = db.conn.execute
    names = {"imdb": "printf('tt%08d', film_id)", "tmdb": "film_id"}
    run(
        "INSERT INTO listings (source, source_id, url, title, year, kind, released_on,"
        f" runtime_minutes, first_seen_at) SELECT ?1, {names.get(source.key, '?1 || film_id')},"
        " 'https://example.org/' || ?1 || film_id, 'Film ' || film_id, 1950 + film_id % 77,"
        " 'movie', printf('%d-05-09', 1950 + film_id % 77), 80 + film_id % 60, ?2 FROM films"
        f" WHERE {_drawn('film_id', salt)} < ?3",
        [source.key, FIRST, SHARES.get(source.key, 0.5) * 1000],
    )
    run(
        "INSERT INTO listing_films (listing_id, film_id, valid_from, method, probability, evidence)"
        " SELECT listing_id, CAST(substr(title, 6) AS INTEGER), '0001-01-01T00:00:00Z',"
        " 'identifier', 1.0, 'made up' FROM listings WHERE source = ?",
        [source.key],
    )
    run(
        "INSERT INTO lookups SELECT film_id, ?1, ?2, 'not_listed', 'made up' FROM films"
        " WHERE film_id NOT IN (SELECT film_id FROM listing_films JOIN listings USING (listing_id)"
        " WHERE source = ?1)",
        [source.key, FIRST],
    )


def _answers(db: Database, source: Source, salt: int) -> None:
    """What the listings said first and last; a few of each kind had no figure by then."""
    run = db.conn.execute
    origin = "dataset" if source.finds is Finds.DATASET else "live"
    if origin == "dataset":
        run("INSERT INTO dataset_confirmations VALUES (?, ?)", [source.key, LAST])
    elif source.listing_ask:
        run(
            "INSERT INTO urls (url, source, listing_id, last_outcome, last_status, last_asked_at)"
            " SELECT url, source, listing_id, 'ok', 200, ?2 FROM listings WHERE source = ?1",
            [source.key, LAST],
        )
        run(
            "INSERT INTO due SELECT listing_id, ?2, 'age of the last answer' FROM listings"
            " WHERE source = ?1",
            [source.key, LAST],
        )
    for place, kind in enumerate(source.score_kinds):
        drawn = _drawn("listing_id", 10 + 8 * place + salt)
        value = f"iif({drawn} < 950, round({kind.scale_max} * {{}}, {kind.decimals}), NULL)"
        state = f"iif({drawn} < 950, 'scored', 'not_rated')"
        said = "0.001 * (150 + 8 * ({} % 100))".format(_drawn("listing_id", place))
        for at, figure in ((FIRST, f"{said} - 0.02"), (LAST, said)):
            run(
                "INSERT INTO score_observations SELECT listing_id, ?2, ?3, 'second',"
                f" {state}, {value.format(figure)}, ?4, 50 + listing_id % 5000, 0, NULL, 0, ?5,"
                " 'made-up', url FROM listings WHERE source = ?1",
                [source.key, kind.key, at, kind.scale_max, origin],
            )
        run(
            "INSERT INTO scores SELECT listing_id, score_kind, state, value, scale_max, votes,"
            " votes_at_least, basis, relayed, origin, layout, url, observed_at, observed_at, state,"
            " observed_at FROM score_observations WHERE score_kind = ? AND observed_at = ?",
            [kind.key, LAST],
        )
        if origin == "live":
            run(
                "INSERT INTO confirmations SELECT listing_id, score_kind, observed_at FROM scores"
                " WHERE score_kind = ?",
                [kind.key],
            )
    if source.says_credits:
        places = "CASE {} % 10 WHEN 0 THEN 'yes' WHEN 1 THEN 'unknown' ELSE 'no' END"
        during, after = (places.format(_drawn("listing_id", salt + n)) for n in (30, 40))
        run(
            "INSERT INTO credits_verdicts SELECT listing_id, ?2, 'second', "
            f"{during}, {after}, NULL, '[]', NULL, NULL, 'live', 'made-up', url FROM listings"
            " WHERE source = ?1",
            [source.key, LAST],
        )
        run(
            "INSERT INTO confirmations SELECT listing_id, 'credits', ?2 FROM listings"
            " WHERE source = ?1",
            [source.key, LAST],
        )


def _drawn(number: str, salt: int) -> str:
    """SQL for a lot from 0 to 999 that a row draws, as its number and the salt have it."""
    return f"((({number} + {salt} * 7919) * 2654435761) % 4294967296 / 65536 % 1000)"

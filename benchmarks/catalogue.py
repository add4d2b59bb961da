"""A database of as many made-up films as wanted, as months or years of nights would have left it.

SQL makes its rows from their numbers alone, so that a million films take a few minutes and come
out the same each time.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from benchmarks import made_up_films
from pipelines.database import indexed_afterwards, set_aside_frame, transaction, writing
from pipelines.derived import prepare
from pipelines.matching.spans import OWN_ID
from pipelines.moves import write_all_moves
from pipelines.tables import TABLES
from spiders.sources import SOURCES, Finds, ScoreKind, Source

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

STATES = {"tmdb": ("imdb",), "wikidata": ("imdb", "tmdb", "rottentomatoes", "metacritic")}
"""Whose ids the listings of a source state, where their film has a listing there."""

LAST = "2026-06-01T03:00:00Z"
"""When everything was last asked, where nothing else is wanted."""

GENRES = (
    "Drama", "Comedy", "Documentary", "Romance", "Action", "Thriller", "Crime", "Horror",
    "Adventure", "Family", "Mystery", "Fantasy", "Sci-Fi", "Biography", "Animation", "Music",
    "History", "War", "Musical", "Western", "Sport", "Film-Noir", "News",
)  # fmt: skip
KINDS = ("tvMovie", "video", "short")
"""What a film in twenty is; the others are movies."""


CACHE_KIB = 500_000
"""Memory for the pages of a database that is being made."""


@dataclass(frozen=True)
class Past:
    """What a database remembers: of each score so many observations (on average: of some the
    oldest is not there), so many days apart at most; `last` is when everything was last asked, UTC.
    Of so many in a hundred listings that are asked one by one the oldest is of a saved page."""

    observations: float = 2
    days_apart: int = 75
    last: str = LAST
    saved: int = 0

    @property
    def rounds(self) -> int:
        """How many observations a score has at most."""
        return math.ceil(self.observations)

    @property
    def days(self) -> int:
        """How long ago everything was first asked."""
        return self.rounds * self.days_apart


def catalogue(
    path: Path, films: int, past: Past | None = None, shares: Mapping[str, float] = SHARES
) -> None:
    """Make a database of so many films, merged."""
    with writing(path) as db:
        run = db.conn.execute
        # Nothing is lost where making it breaks off, and 10 GB need not be written twice.
        run("PRAGMA journal_mode = OFF")
        run(f"PRAGMA cache_size = -{CACHE_KIB}")
        maker = _Maker(db, past or Past(), shares)
        with transaction(db), ExitStack() as stack:
            for table in db.table_names():
                stack.enter_context(indexed_afterwards(db, table))
            maker.films(films)
            for source in SOURCES:
                maker.listings(source)
                maker.answers(source)
        with transaction(db):
            write_all_moves(db)
        prepare(db)
    with writing(path):
        pass  # which leaves it in the mode that every command leaves it in


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


class _Maker:
    def __init__(self, db: Database, past: Past, shares: Mapping[str, float]) -> None:
        self._run = db.conn.execute
        self._db, self._past, self._shares = db, past, shares
        self._first = self._ago(past.days)

    def films(self, films: int) -> None:
        """The films and their people by themselves; what is told of them is in temp.told."""
        told = made_up_films.films(films)
        told.index = (told.index + 1).rename("film_id")
        set_aside_frame(self._db, "told", told)
        self._run(
            "INSERT INTO films (film_id, imdb_id)"
            " SELECT film_id, printf('tt%08d', film_id) FROM temp.told"
        )
        for part in ("director", *(f"cast_{place}" for place in range(made_up_films.CAST))):
            self._run(f"INSERT OR IGNORE INTO people (name) SELECT {part} FROM temp.told")

    def listings(self, source: Source) -> None:
        """The source's listings, which films they are, and where there is none."""
        run = self._run
        site = f"https://example.org/{source.key}"
        other = ", ".join(f"'{kind}'" for kind in KINDS)
        kind = f"iif(film_id % 20, 'movie', json_array({other}) ->> (film_id % {len(KINDS)}))"
        run(
            "INSERT INTO listings (source, source_id, url, title, year, kind, released_on,"
            f" runtime_minutes, first_seen_at) SELECT ?1, {_id(source.key)},"
            f" ?3 || film_id, title, year, {kind},"
            " printf('%d-%02d-%02d', year, 1 + film_id % 12, 1 + film_id % 28), runtime, ?2"
            f" FROM temp.told WHERE {self._is_listed(source.key)}",
            [source.key, self._first, site],
        )
        run("DROP TABLE IF EXISTS temp.of")
        run("CREATE TEMP TABLE of (listing_id INTEGER PRIMARY KEY, film_id INTEGER UNIQUE)")
        run(
            "INSERT INTO temp.of SELECT listing_id,"
            f" CAST(substr(url, {len(site) + 1}) AS INTEGER) FROM listings WHERE source = ?",
            [source.key],
        )
        run(
            "INSERT INTO listing_films (listing_id, film_id, valid_from, method, probability,"
            " evidence) SELECT listing_id, film_id, '0001-01-01T00:00:00Z', 'identifier', 1.0,"
            " 'made up' FROM temp.of"
        )
        run(
            "INSERT INTO lookups SELECT film_id, ?, ?, 'not_listed', 'made up' FROM films"
            " WHERE film_id NOT IN (SELECT film_id FROM temp.of)",
            [source.key, self._first],
        )
        if source.key in OWN_ID:
            run(
                f"UPDATE films SET {OWN_ID[source.key]} = {_id(source.key)}"
                " WHERE film_id IN (SELECT film_id FROM temp.of)"
            )
        for other in STATES.get(source.key, ()):
            run(
                f"INSERT INTO listing_identifiers SELECT listing_id, ?, {_id(other)} FROM temp.of"
                f" WHERE {self._is_listed(other)}",
                [other],
            )
        if source.key == "imdb":
            self._genres()
        elif source.key == "tmdb":
            self._people_and_titles()

    def _genres(self) -> None:
        """One to three of each film; the first ones of the list are common."""
        names = ", ".join(f"'{genre}'" for genre in GENRES)
        for place in range(3):
            lot = _drawn("film_id", 50 + place)
            self._run(
                "INSERT INTO film_genres (listing_id, film_id, genre) SELECT listing_id, film_id,"
                f" json_array({names}) ->> ({lot} * {lot} * {len(GENRES)} / 1000000)"
                f" FROM temp.of WHERE {_drawn('film_id', 60)} >= {300 * place}"
            )

    def _people_and_titles(self) -> None:
        """A director and a cast of each film, and of every third another title."""
        for place in range(-1, made_up_films.CAST):
            part, column = ("director", "director") if place < 0 else ("cast", f"cast_{place}")
            self._run(
                "INSERT INTO film_people SELECT listing_id, film_id, person_id, ?, ?"
                " FROM temp.of JOIN temp.told USING (film_id)"
                f" JOIN people ON people.name = told.{column}",
                [part, max(place, 0)],
            )
        self._run(
            "INSERT INTO film_titles SELECT listing_id, o.film_id, t.title, 'FR', 'fr'"
            " FROM temp.of o JOIN temp.told t ON t.film_id = o.film_id / 3 + 1"
            " WHERE o.film_id % 3 = 0"
        )

    def answers(self, source: Source) -> None:
        """What the listings have said; a few of each kind never had a figure."""
        run, last, salt = self._run, self._past.last, _salt(source.key)
        origin = "dataset" if source.finds is Finds.DATASET else "live"
        if origin == "dataset":
            run("INSERT INTO dataset_confirmations VALUES (?, ?)", [source.key, last])
        elif source.listing_ask:
            run(
                "INSERT INTO urls (url, source, listing_id, last_outcome, last_status,"
                " last_asked_at) SELECT url, source, listing_id, 'ok', 200, ?2 FROM listings"
                " WHERE source = ?1",
                [source.key, last],
            )
            run(
                "INSERT INTO due SELECT listing_id, ?, 'age of the last answer' FROM temp.of",
                [last],
            )
        for place, kind in enumerate(source.score_kinds):
            self._said(source, kind, 10 + 8 * place + salt, origin)
        if source.says_credits:
            places = "CASE {} % 10 WHEN 0 THEN 'yes' WHEN 1 THEN 'unknown' ELSE 'no' END"
            during, after = (places.format(_drawn("listing_id", salt + n)) for n in (30, 40))
            run(
                "INSERT INTO credits_verdicts SELECT listing_id, ?2, 'second', "
                f"{during}, {after}, NULL, '[]', NULL, NULL, 'live', 'made-up', url FROM listings"
                " WHERE source = ?1",
                [source.key, last],
            )
            run("INSERT INTO confirmations SELECT listing_id, 'credits', ? FROM temp.of", [last])

    def _said(self, source: Source, kind: ScoreKind, salt: int, origin: str) -> None:
        """A kind's figures: no two listings said theirs at one time, and each moves by up to three
        points of a hundred from one to the next."""
        is_scored = f"{_drawn('listing_id', salt)} < 950"
        minutes, rounds = self._past.days_apart * 1440, self._past.rounds
        told = " FROM temp.of JOIN temp.told USING (film_id) JOIN listings USING (listing_id)"
        given = {
            "kind": kind.key,
            "scale": kind.scale_max,
            "decimals": kind.decimals,
            "last": self._past.last,
        }
        for back in reversed(range(rounds)):
            moved = f"{_drawn('listing_id', 80 + back)} % 60" if back else "0"
            share = f"0.001 * (150 + 8 * ({_drawn('listing_id', salt)} % 100)) - 0.0005 * ({moved})"
            ago = f"{minutes} * ({back} + 0.001 * {_drawn('listing_id', 90)})"
            at = f"strftime('%Y-%m-%dT%H:%M:%SZ', :last, '-' || ({ago}) || ' minutes')"
            state = f"iif({is_scored}, 'scored', 'not_rated')"
            oldest = back == rounds - 1
            archived = self._past.saved if oldest and origin == "live" else 0
            score = (
                f"{state}, iif({is_scored}, round(:scale * ({share}), :decimals), NULL), :scale,"
                f" iif({is_scored}, votes - {back}, NULL), 0, NULL, 0,"
                f" iif(listing_id % 100 < {archived}, 'archive', '{origin}'), 'made-up', url"
            )
            some = 1000 * (1 - rounds + self._past.observations) if oldest else 1000
            self._run(
                f"INSERT INTO score_observations SELECT listing_id, :kind, {at}, 'second', {score}"
                f"{told} WHERE {_drawn('listing_id', 91)} < {some}",
                given,
            )
        self._run(
            f"INSERT INTO scores SELECT listing_id, :kind, {score}, {at}, {at}, {state}, :last, 0"
            + told,
            given,
        )
        if origin == "live":
            self._run(
                "INSERT INTO confirmations SELECT listing_id, ?, ? FROM temp.of",
                [kind.key, self._past.last],
            )

    def _is_listed(self, source: str) -> str:
        """SQL for whether a film has a listing on a source."""
        return f"{_drawn('film_id', _salt(source))} < {1000 * self._shares.get(source, 0.5)}"

    def _ago(self, days: int) -> str:
        at = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', ?, '-' || ? || ' days')"
        return str(self._run(at, [self._past.last, days]).fetchone()[0])


def _id(source: str) -> str:
    """SQL for the id of a film on a source."""
    of = {"imdb": "printf('tt%08d', film_id)", "tmdb": "film_id"}
    return of.get(source, f"'{source}' || film_id")


def _salt(source: str) -> int:
    return [each.key for each in SOURCES].index(source)


def _drawn(number: str, salt: int) -> str:
    """SQL for a lot from 0 to 999 that a row draws, as its number and the salt have it."""
    return f"((({number} + {salt} * 7919) * 2654435761) % 4294967296 / 65536 % 1000)"

"""Films as people name them: by our id, an IMDb or TMDB id, a listing, a page's URL, or a title;
and the films that listings are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlite_utils import Database

from pipelines.database import set_aside
from pipelines.wording import counted
from spiders.sources import IMDB_ID, SOURCES, by_key, source_of_url


class Listed(NamedTuple):
    """A listing's key: source and source_id."""

    source: str
    source_id: str

    def __str__(self) -> str:
        return f"{self.source}:{self.source_id}"


class UnknownFilm(Exception):
    """No film, or none that is named clearly; the message lists what it may be."""


class UnknownHost(UnknownFilm):
    """A URL of a host that is not in the register."""


@dataclass(frozen=True)
class Candidate:
    """A film that a name may mean."""

    film_id: int
    title: str | None
    year: int | None
    imdb_id: str | None

    def __str__(self) -> str:
        named = self.title or "(title not known yet)"
        year = f" ({self.year})" if self.year else ""
        return f"{named}{year}  {self.imdb_id or f'film {self.film_id}'}"


def listed(name: str) -> Listed | None:
    """The listing that a text names (an id, a key, a URL), or None where it is a title.

    >>> listed("tt1074638"), listed("tmdb:37724")
    (Listed(source='imdb', source_id='tt1074638'), Listed(source='tmdb', source_id='37724'))

    Raises UnknownHost for a URL of a host that is not in the register, UnknownFilm for a URL that
    is not a film's page or an id of the wrong shape.
    """
    name = name.strip()
    if re.fullmatch(IMDB_ID, name):
        return Listed("imdb", name)
    if re.match(r"https?://", name):
        source = source_of_url(name)
        if source is None:
            hosts = ", ".join(s.name for s in SOURCES)
            raise UnknownHost(f"{name} is of no site that afterscore knows ({hosts})")
        source_id = source.source_id(name)
        if source_id is None:
            raise UnknownFilm(f"{name} is not the page of a film on {source.name}")
        return Listed(source.key, source_id)
    key, colon, source_id = name.partition(":")
    if colon and any(key == source.key for source in SOURCES):
        source = by_key(key)
        if source.source_id(source.page_url(source_id)) != source_id:
            raise UnknownFilm(f"{source_id!r} is not an id on {source.name}")
        return Listed(key, source_id)
    return None


_TRACK_IT = (
    "Track it by an id: 'afterscore track tt1074638' or 'afterscore track tmdb:37724', then"
    " 'afterscore refresh'."
)


def find(db: Database, name: str, *, otherwise: str = _TRACK_IT) -> int:
    """The film that a name means. Raises UnknownFilm where there is none, which says what to do
    `otherwise`, or several."""
    if not name.strip():
        raise UnknownFilm("no name is given. Name a film by an id or its title: tt1074638.")
    candidates = find_all(db, name)
    if len(candidates) == 1:
        return candidates[0].film_id
    if not candidates:
        (untitled,) = db.conn.execute(
            "SELECT count(*) FROM tracked_films JOIN films USING (film_id) WHERE title IS NULL"
        ).fetchone()
        by_title = listed(name) is None
        among = (
            f" It may be among {counted(untitled, 'tracked film')} whose titles are not known until"
            " 'afterscore refresh' has asked for them ('afterscore track --list')."
        )
        raise UnknownFilm(
            f"no film {name!r} here." + (among if by_title and untitled else "") + f" {otherwise}"
        )
    several = "\n".join(f"  {candidate}" for candidate in candidates)
    raise UnknownFilm(f"{name!r} may mean any of these; name one by its id:\n{several}")


def find_all(db: Database, name: str) -> list[Candidate]:
    """Every film that a name may mean. Raises UnknownFilm for an id or URL of the wrong shape."""
    name = name.strip()
    select = "SELECT DISTINCT f.film_id, f.title, f.year, f.imdb_id FROM films f "
    if re.fullmatch(r"[0-9]{1,18}", name):
        number = "(SELECT ifnull(merged_into, film_id) FROM films WHERE film_id = ?)"
        return _rows(db, select + f"WHERE f.film_id = {number}", [int(name)])
    listing = listed(name)
    if listing:
        own = {"imdb": "imdb_id", "tmdb": "tmdb_id", "wikidata": "wikidata_id"}.get(listing.source)
        direct = f" OR f.{own} = ?3" if own else ""
        return _rows(
            db,
            select + "WHERE f.film_id IN (SELECT lf.film_id FROM listings l JOIN listing_films lf"
            " USING (listing_id) WHERE l.source = ?1 AND l.source_id = ?2 AND lf.valid_to IS NULL)"
            + direct,
            [*listing, listing.source_id] if own else [*listing],
        )
    title, year = title_and_year(name)
    found = _rows(
        db,
        select + "LEFT JOIN film_titles t ON t.film_id = f.film_id WHERE (f.title = ?1 COLLATE"
        " NOCASE OR f.original_title = ?1 COLLATE NOCASE OR t.title = ?1 COLLATE NOCASE)"
        " AND (?2 IS NULL OR f.year = ?2) AND f.merged_into IS NULL ORDER BY f.year",
        [title, year],
    )
    return found or _rows(
        db,
        select + "WHERE f.title LIKE ?1 ESCAPE '\\' AND (?2 IS NULL OR f.year = ?2)"
        " AND f.merged_into IS NULL ORDER BY f.year LIMIT 20",
        ["%" + re.sub(r"([%_\\])", r"\\\1", title) + "%", year],
    )


def title_and_year(name: str) -> tuple[str, int | None]:
    """`Skyfall (2012)` as its two parts; the year is None where the text has none."""
    found = re.fullmatch(r"(.+?)\s*\((\d{4})\)", name.strip())
    return (found[1], int(found[2])) if found else (name.strip(), None)


def a_listing(db: Database, film_id: int) -> Listed | None:
    """A listing of a film, that of the first source in the register which has one; None where all
    were forgotten."""
    listed = [
        Listed(*row)
        for row in db.conn.execute(
            "SELECT source, source_id FROM listing_films JOIN listings USING (listing_id)"
            " WHERE film_id = ? AND valid_to IS NULL ORDER BY NOT is_primary",
            (film_id,),
        )
    ]
    keys = [source.key for source in SOURCES]
    return min(listed, key=lambda listing: keys.index(listing.source), default=None)


def films_of(db: Database, listing_ids: Iterable[int]) -> set[int]:
    """The films that these listings are now."""
    set_aside(db, "some_listings", "listing_id", listing_ids)
    rows = db.conn.execute(
        "SELECT DISTINCT film_id FROM listing_films JOIN some_listings USING (listing_id)"
        " WHERE valid_to IS NULL"
    )
    return {row[0] for row in rows}


def _rows(db: Database, sql: str, values: Sequence[object]) -> list[Candidate]:
    return [Candidate(*row) for row in db.conn.execute(sql, values)]

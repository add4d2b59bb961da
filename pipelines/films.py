"""Films as people name them: by our id, an IMDb or TMDB id, a listing, a page's URL, or a title;
and the films that listings are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlite_utils import Database

from pipelines import search
from pipelines.database import set_aside
from pipelines.problem import Problem
from pipelines.wording import counted
from spiders.sources import IMDB_ID, SOURCES, by_key, source_of_url


class Listed(NamedTuple):
    """A listing's key: source and source_id."""

    source: str
    source_id: str

    def __str__(self) -> str:
        return f"{self.source}:{self.source_id}"


class UnknownFilm(Problem):
    """No film, or none that is named clearly; the message lists what it may be."""


class UnknownHost(UnknownFilm):
    """A URL of a host that is not in the register."""


@dataclass(frozen=True)
class Candidate:
    """A film that a name may mean."""

    film_id: int
    title: str | None
    year: int | None
    own_id: str | None
    """By which it can be named alone: IMDb's, else a listing (`tmdb:37724`), if it has any."""

    def __str__(self) -> str:
        named = self.title or "(title not known yet)"
        year = f" ({self.year})" if self.year else ""
        return f"{named}{year}  {self.own_id or f'film {self.film_id}'}"


def listed(name: str) -> Listed | None:
    """The listing that a text names (an id, a key, a URL), or None where it is a title.

    >>> listed("tt1074638"), listed("tmdb:37724"), listed("www.imdb.com/title/tt1074638/")[1]
    (Listed(source='imdb', source_id='tt1074638'), Listed(source='tmdb', source_id='37724'), \
'tt1074638')

    Raises UnknownHost for a URL of a host that is not in the register, UnknownFilm for a URL that
    is not a film's page or an id of the wrong shape.
    """
    name = name.strip()
    for key, own_id in _OWN_IDS.items():
        if re.fullmatch(f"(?:{own_id})/?", name, re.I):
            return Listed(key, _as_written(key, name.rstrip("/")))
    if "/" in name and source_of_url(f"https://{name}"):  # as browsers show an address
        name = f"https://{name}"
    if re.match(r"https?://", name, re.I):
        source = source_of_url(name)
        if source is None:
            hosts = ", ".join(s.name for s in SOURCES)
            raise UnknownHost(f"{name} is of no site that afterscore knows ({hosts})")
        source_id = source.source_id(name)
        if source_id is None:
            raise UnknownFilm(f"{name} is not the page of a film on {source.name}")
        return Listed(source.key, source_id)
    key, colon, source_id = name.partition(":")
    key = key.casefold()
    if colon and any(key == source.key for source in SOURCES):
        source = by_key(key)
        source_id = _as_written(key, source_id)
        if source.source_id(source.page_url(source_id)) != source_id:
            raise UnknownFilm(f"{source_id!r} is not an id on {source.name}")
        return Listed(key, source_id)
    return None


_OWN_IDS = {"imdb": IMDB_ID, "wikidata": "Q[1-9][0-9]{0,9}"}
"""Ids that stand alone: their shape says whose they are."""


def _as_written(key: str, source_id: str) -> str:
    """An id as its source writes it, where people write it in other letters."""
    return {"imdb": str.lower, "wikidata": str.upper}.get(key, str)(source_id)


def find(db: Database, name: str, *, whole: bool = False, otherwise: str | None = None) -> int:
    """The film that a name means; a title only where it is `whole`, for what changes something.
    Raises UnknownFilm where there is none, which says what to do `otherwise`, or several."""
    if not name.strip():
        raise UnknownFilm("no name is given. Name a film by an id or its title: tt1074638.")
    candidates = find_all(db, name, whole=whole)
    if len(candidates) == 1:
        return candidates[0].film_id
    if candidates:
        several = "\n".join(f"  {candidate}" for candidate in candidates)
        raise UnknownFilm(f"{name!r} may mean any of these; name one by its id:\n{several}")
    listing = listed(name)
    if listing:
        track = f"'afterscore track {listing}' tracks it, 'afterscore refresh' then asks for it."
        raise UnknownFilm(f"no film {name!r} here. {otherwise or track}")
    (untitled,) = db.conn.execute(
        "SELECT count(*) FROM tracked_films JOIN films USING (film_id) WHERE title IS NULL"
    ).fetchone()
    among = (
        f" It may be among {counted(untitled, 'tracked film')} whose titles are not known until"
        " 'afterscore refresh' has asked for them ('afterscore track --list')."
    )
    near = "\n".join(f"  {candidate}" for candidate in _near(db, name))
    raise UnknownFilm(
        f"no film {name!r} here."
        + (among if untitled else "")
        + f" {otherwise or _TRACK_IT}"
        + (f" Or did you mean:\n{near}" if near else "")
    )


_TRACK_IT = (
    "Track it by its id on IMDb or TMDB ('afterscore track tt…' or 'afterscore track tmdb:…'), then"
    " 'afterscore refresh'."
)


def find_all(db: Database, name: str, *, whole: bool = False) -> list[Candidate]:
    """Every film that a name may mean: bare digits are our number, or a title. A title is sought
    whole, case aside, then without regard to accents, articles and signs; unless it must be
    `whole`, at last by some of its words in a row, the last of them perhaps cut off. Raises
    UnknownFilm for an id or URL of the wrong shape."""
    found = of_id(db, name)
    if found is None:
        return _of_title(db, name, whole=whole)
    if _is_number(name):
        ours = {candidate.film_id for candidate in found}
        found += [one for one in _of_title(db, name, whole=True) if one.film_id not in ours]
    return found


def of_id(db: Database, name: str) -> list[Candidate] | None:
    """The films of our number, or of a listing: several where that is doubtful; None where the
    name is none of these. Raises UnknownFilm for an id or URL of the wrong shape."""
    name = name.strip()
    if _is_number(name):
        number = "(SELECT ifnull(merged_into, film_id) FROM films WHERE film_id = ?)"
        ours = int(name) if len(name) < 19 else -1  # which is none: SQLite counts no further
        return _rows(db, f"WHERE f.film_id = {number}", [ours])
    listing = listed(name)
    if listing is None:
        return None
    own = {"imdb": "imdb_id", "tmdb": "tmdb_id", "wikidata": "wikidata_id"}.get(listing.source)
    direct = f" OR f.{own} = ?3" if own else ""
    return _rows(
        db,
        "WHERE f.film_id IN (SELECT lf.film_id FROM listings l JOIN listing_films lf"
        " USING (listing_id) WHERE l.source = ?1 AND l.source_id = ?2 AND lf.valid_to IS NULL)"
        + direct,
        [*listing, listing.source_id] if own else [*listing],
    )


def as_candidate(db: Database, film_id: int) -> Candidate:
    """A film of ours, as it is shown to people."""
    (film,) = _rows(db, "WHERE f.film_id = ?", [film_id])
    return film


def _is_number(name: str) -> bool:
    return bool(re.fullmatch(r"\s*[0-9]+\s*", name))


def _of_title(db: Database, name: str, *, whole: bool) -> list[Candidate]:
    title, year = title_and_year(name)
    found = _rows(
        db,
        "LEFT JOIN film_titles t ON t.film_id = f.film_id WHERE (f.title = ?1 COLLATE"
        " NOCASE OR f.original_title = ?1 COLLATE NOCASE OR t.title = ?1 COLLATE NOCASE)"
        " AND (?2 IS NULL OR f.year = ?2) AND f.merged_into IS NULL ORDER BY f.year",
        [title, year],
    )
    if found:
        return found
    # Here: its expressions are compiled as it is loaded, and most films are named by an id.
    from pipelines.matching.titles import whole_words, without_article

    words = without_article(search.words_of(title))
    alike = [
        film_id
        for film_id, titles in search.with_words(db, words)
        if any(whole_words(title) & whole_words(each) for each in titles)
    ]
    found = _of_year(db, alike, year)
    if found or whole:
        return found
    begun = (film_id for film_id, _ in search.with_words(db, words, cut_off=True, limit=1_000))
    return _of_year(db, begun, year)[:20]


def _near(db: Database, name: str) -> list[Candidate]:
    """A few films whose titles have the words of a name, or some that come near."""
    title, _ = title_and_year(name)
    return _of_title(db, title, whole=False)[:5] or _of_year(db, search.near(db, title, 5), None)


def _of_year(db: Database, film_ids: Iterable[int], year: int | None) -> list[Candidate]:
    return _rows(
        db,
        "WHERE f.film_id IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR f.year = ?2)"
        " AND f.merged_into IS NULL ORDER BY f.year",
        [json.dumps([*film_ids]), year],
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


def _listing_in_words(db: Database, film_id: int) -> str | None:
    listing = a_listing(db, film_id)
    return str(listing) if listing else None


def films_of(db: Database, listing_ids: Iterable[int]) -> set[int]:
    """The films that these listings are now."""
    set_aside(db, "some_listings", "listing_id", listing_ids)
    rows = db.conn.execute(
        "SELECT DISTINCT film_id FROM listing_films JOIN some_listings USING (listing_id)"
        " WHERE valid_to IS NULL"
    )
    return {row[0] for row in rows}


def _rows(db: Database, sql: str, values: Sequence[object]) -> list[Candidate]:
    select = "SELECT DISTINCT f.film_id, f.title, f.year, f.imdb_id FROM films f "
    found = [Candidate(*row) for row in db.conn.execute(select + sql, values)]
    # One without an id of IMDb is named by a listing: our number may be another's title.
    return [
        film if film.own_id else replace(film, own_id=_listing_in_words(db, film.film_id))
        for film in found
    ]

"""A film, show, game or album as a page or row of Metacritic has it, and the record of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from spiders.items import Outcome, Person, Record, Score
from spiders.pages.addresses import live_url
from spiders.pages.embedded import plain, value_at
from spiders.pages.identifiers import identifiers, only
from spiders.pages.page import Page
from spiders.sources import by_key

FILM = "movie"
"""The kind of a film; kinds are in IMDb's words where it has them."""

KIND_OF_SECTION = {
    "movie": FILM,
    "tv": "tvSeries",
    "game": "videoGame",
    "music": "musicAlbum",
    "person": "person",
}
"""The kind of what a page shows, by the first step of its path."""

_IN_BRACKETS = re.compile(
    r"\s*\((?:(?P<year>(?:18[789]|19\d|20\d)\d)"
    r"|(?P<again>(?:\d{4}\s+)?re-?(?:release|issue)d?\b[^()]*))\)\s*$",
    re.I,
)
_AGAIN_IN_ID = re.compile(r"-re-?(?:release|issue)d?(?:-\d{4})?$")

# Pictures that came from IMDb (provider 5) are named after the film: `5-tt0006864.jpg`.
PICTURE = re.compile(r"(?:^|/)5-(tt[0-9]{7,10})\.")
BELOW = re.compile(r"/(?:(?:critic|user)-reviews|details|trailers|credits)(?:/.*)?$")
"""Where the pages below a film's lie: those of its reviews, its details, its credits."""


@dataclass(frozen=True)
class Product:
    """A film, show, game or album as one page or row has it."""

    url: str | None
    kind: str | None
    title: str | None
    year: int | None = None
    released_on: str | None = None
    runtime_minutes: int | None = None
    genres: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    imdb_ids: frozenset[str] = frozenset()


def record_of(page: Page, product: Product, scores: Mapping[str, Score]) -> Record:
    """The record of what a page or row says of one title, and of the scores that it shows."""
    named = _own_name(product)
    stated = identifiers({"imdb": named.imdb_ids})
    return Record(
        source=page.source,
        source_id=own_id(named.url) or (own_id(page.url) if named.kind == FILM else None),
        url=page.url,
        outcome=Outcome.OK if named.kind in (FILM, None) else Outcome.NOT_A_FILM,
        title=named.title,
        year=named.year,
        kind=named.kind,
        runtime_minutes=named.runtime_minutes,
        released_on=named.released_on,
        genres=named.genres,
        people=named.people,
        imdb_id=only(stated.get("imdb")),
        identifiers=stated,
        scores=dict(scores),
    )


def _own_name(product: Product) -> Product:
    """The film's own title and year, without what the site adds to tell listings apart.

    "Police Story (1985)" came to American cinemas in 2018, and "Lawrence of Arabia (re-release)"
    in 2002: there the site's date is not the film's, and its year only where it is another one.
    """
    title, year, again = product.title, None, False
    while title and (found := _IN_BRACKETS.search(title)) and found.start():
        title = title[: found.start()]
        year = int(found["year"]) if found["year"] else year
        again = again or bool(found["again"])
    again = again or bool(_AGAIN_IN_ID.search(own_id(product.url) or ""))
    shown_in = year_in(product.released_on)
    if year is None:
        year = product.year or shown_in
        if again and year == shown_in:
            year = None
    elif shown_in and abs(shown_in - year) > 1:
        again = True
    released_on = None if again else product.released_on
    return replace(product, title=title, year=year, released_on=released_on)


def own_id(url: str | None) -> str | None:
    """The source_id in an address; of what is no film, its path, so that it is never a film's."""
    if not url or not (kind := kind_of_url(url)):
        return None
    url = live_url(url)
    if kind == FILM:
        return by_key("metacritic").source_id(url)
    path = BELOW.sub("", urlsplit(url).path).strip("/")
    return path if "/" in path else None


def kind_of_url(url: str | None) -> str | None:
    """What the first step of a path says that its page shows."""
    path = urlsplit(live_url(url)).path if url else ""
    return KIND_OF_SECTION.get(path.strip("/").split("/")[0])


def year_in(raw: object) -> int | None:
    """The year that something begins with: a date, a year, a year in words."""
    found = re.match(r"\s*((?:18[789]|19\d|20\d)\d)(?!\d)", str(raw))
    return int(found[1]) if found else None


def names_in(stated: Any) -> Iterator[str]:
    """The names in a value of JSON: one or several, as text or as objects that have a `name`."""
    for one in stated if isinstance(stated, list) else (stated,):
        if name := plain(one if isinstance(one, str) else value_at(one, "name")):
            yield name


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, in their order."""
    return tuple(dict.fromkeys(names))


def people_in(role: str, names: Iterable[str], *, billed: bool = True) -> Iterator[Person]:
    """People of one role, in the order of the billing where they are `billed`."""
    for position, name in enumerate(unique(names)):
        yield Person(name=name, role=role, position=position if billed else None)


def text_at(value: Any, *path: str) -> str | None:
    """The text at a path in JSON, or None where there is none or it is empty."""
    found = value_at(value, *path)
    return found if isinstance(found, str) and found else None

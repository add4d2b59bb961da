"""What a page of Rotten Tomatoes says of its own title, whatever the layout, and its record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from spiders.items import Outcome, Person, Record, Score, ScoreState
from spiders.pages.addresses import live_url
from spiders.pages.embedded import json_ld, object_at, plain, script_json
from spiders.pages.numbers import figure
from spiders.pages.page import Page
from spiders.pages.rottentomatoes_scores import CRITICS, score_of
from spiders.pages.rottentomatoes_values import (
    attribute_of,
    first_of,
    list_of,
    mapping_of,
    opening_of,
    string_of,
    text_of,
)
from spiders.sources import by_key

_YEAR = r"(?P<year>(?:18[789]|19\d|20\d)\d)"
_TITLE_AND_YEAR = re.compile(rf"(?P<title>.*\S)\s*\({_YEAR}\)")
_BARE_YEAR = re.compile(rf"{_YEAR},?")
_HEAD_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title\s*>", re.I)
_SITE_NAME = re.compile(r"(?:\s+-\s+Movie Reviews)?\s+[-|]\s+Rotten Tomatoes$")
_OWN_ADDRESSES = (
    (b'rel="canonical"', "href"),
    (b'property="og:url"', "content"),
)
_KIND_OF_TYPE = {
    "movie": "movie",
    "tvseries": "tvSeries",
    "tvseason": "tvSeries",
    "tvepisode": "tvEpisode",
    "celebrity": "person",
    "critic": "person",
    "critics": "person",
}
_ROLES = (
    ("director", "director"),
    ("author", "writer"),
    ("actor", "cast"),
    ("actors", "cast"),
)


def record_of(
    page: Page,
    scores: dict[str, Score],
    *,
    title: object,
    year: int | None = None,
    runtime: int | None = None,
    linked: Mapping[str, Any] | None = None,
    kinds: Iterable[object] = (),
) -> Record:
    """The record of a page. JSON-LD (`linked`) fills in what its layout does not show."""
    linked = linked or {}
    rating = mapping_of(linked.get("aggregateRating"))
    expected = scores.get(CRITICS)
    # JSON-LD has the critics' figure alone, and says nothing where there is none yet.
    is_its = rating.get("name") == "Tomatometer" and figure(rating.get("bestRating")) in (None, 100)
    if expected and expected.state is ScoreState.MISSING and is_its:
        votes = first_of(rating, "ratingCount", "reviewCount")
        scores = scores | {CRITICS: score_of(CRITICS, rating.get("ratingValue"), votes)}
    name, named_year = split_title(plain(title) or head_title(page))
    path = own_path(page, string_of(linked.get("url")))
    kind = _kind(path, (linked.get("@type"), *kinds))
    return Record(
        source=page.source,
        source_id=by_key(page.source).source_id(path),
        url=page.url,
        outcome=Outcome.OK if kind in (None, "movie") else Outcome.NOT_A_FILM,
        title=name or None,
        year=year
        or named_year
        or split_title(head_title(page))[1]
        or bare_year(targeting(page).get("cag[release]")),
        kind=kind,
        runtime_minutes=runtime,
        genres=tuple(filter(None, map(plain, list_of(linked.get("genre"))))),
        people=people_of(linked),
        scores=scores,
    )


def _kind(path: str, stated: Iterable[object]) -> str | None:
    """What a page is of: IMDb's words for films and series, the site's own for the rest."""
    section = path.split("/")[1] if path.startswith("/") else ""
    words = [str(word).casefold() for word in stated if word]
    kinds = [_KIND_OF_TYPE.get(word, word) for word in words]
    if section == "tv":
        kinds.append("tvEpisode" if re.search(r"/e\d+$", path) else "tvSeries")
    others = [kind for kind in kinds if kind in ("tvSeries", "tvEpisode")]
    if others:
        return others[0]
    if section == "m" or "movie" in kinds:
        return "movie"
    return next(iter(kinds), None)


def people_of(linked: Mapping[str, Any]) -> tuple[Person, ...]:
    """The people that JSON-LD names, by role, in its order."""
    people: dict[tuple[str, str], Person] = {}
    for key, role in _ROLES:
        for position, person in enumerate(list_of(linked.get(key))):
            name = plain(person.get("name") if isinstance(person, dict) else person)
            if name and name != "NA":  # the pages of 2022 name everybody so
                people.setdefault((role, name), Person(name=name, role=role, position=position))
    return tuple(people.values())


def own_json_ld(page: Page) -> Mapping[str, Any]:
    """The JSON-LD of the film or series that the page is of, or an empty mapping.

    Other films' may stand before it; another site's is told by its address. Where the page does
    not say which one it is of, the one that was asked goes before the first.
    """
    found = [
        (stated, _path(string_of(stated.get("url"))))
        for stated in json_ld(page.body)
        if str(stated.get("@type")).startswith(("Movie", "TV"))
    ]
    found = [one for one in found if not one[1] or one[1].startswith(("/m/", "/tv/"))]
    own = own_path(page, stated_only=True)
    if own:
        found = [one for one in found if not one[1] or f"{own}/".startswith(f"{one[1]}/")]
    asked = _path(page.url)
    found.sort(key=lambda one: one[1] != asked)
    return found[0][0] if found else {}


def own_path(page: Page, linked: str | None = None, *, stated_only: bool = False) -> str:
    """The path of what the page says that it shows, else of the URL asked (or "")."""
    stated = [attribute_of(opening_of(page.body, marker), name) for marker, name in _OWN_ADDRESSES]
    stated.append(linked)
    addresses = (*stated, None if stated_only else page.url)
    return next(filter(None, map(_path, addresses)), "")


def _path(address: str | None) -> str:
    return unquote(urlsplit(live_url(address or "")).path).rstrip("/")


def release_year(page: Page) -> int | None:
    """The film's year in the data beside its offers. (Other films' data may stand on the page.)"""
    offers = mapping_of(script_json(page.body, b'id="where-to-watch-json"'))
    return bare_year(offers.get("releaseYear"))


_TARGETING = re.compile(rb"mpscall\s*=\s*(?=\{)")


def targeting(page: Page) -> Mapping[str, Any]:
    """What pages of 2018 to 2024 tell their advertisers of their own film, in the head."""
    found = _TARGETING.search(page.body)
    told = mapping_of(object_at(page.body, found.end())) if found else {}
    slug = told.get("cag[urlid]")
    return told if slug is None or f"/{slug}/" in f"{own_path(page)}/" else {}


def shown_year(props: Iterable[str | None]) -> int | None:
    """The year shown under the title: that of the release in the United States, so a last resort.

    Not read off a page that is cut off: the data that hold the film's own year come after it.
    """
    return next(filter(None, map(bare_year, props)), None)


def bare_year(text: object) -> int | None:
    """The year that a text is, if it is nothing else."""
    found = _BARE_YEAR.fullmatch(str(text or "").strip())
    return int(found["year"]) if found else None


def split_title(text: str | None) -> tuple[str, int | None]:
    """`Dune (2021)` as its title and year."""
    found = _TITLE_AND_YEAR.fullmatch(text or "")
    return (found["title"], int(found["year"])) if found else (text or "", None)


def head_title(page: Page) -> str:
    """The title in the page's head, without the site's name."""
    found = _HEAD_TITLE.search(page.body)
    title = text_of(found[1]) if found else None
    title = title or attribute_of(opening_of(page.body, b'property="og:title"'), "content")
    return _SITE_NAME.sub("", title or "")

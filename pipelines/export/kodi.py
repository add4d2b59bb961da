"""Films as NFO files, which Kodi and Jellyfin read: https://kodi.wiki/view/NFO_files/Movies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pipelines.export.home_cinema import CREDITS, Film
from spiders.sources import ScoreKind, score_kinds

NAMES = {
    "imdb_rating": "imdb",
    "tmdb_score": "themoviedb",
    "tomatometer": "tomatometerallcritics",
    "popcornmeter": "tomatometerallaudience",
    "metascore": "metacritic",
    "metacritic_user_score": "metacriticuser",
}
"""What skins and scrapers call each score kind; others go by our own key."""

# The tags that TMDB's keywords give, for which notifiers of such scenes look.
_TAGS = {CREDITS[0]: "duringcreditsstinger", CREDITS[1]: "aftercreditsstinger"}

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]+')
LONGEST = 180
"""Bytes of a title in a file's name: with the year, the id and the ending it stays below 255."""


def write_nfo_files(folder: Path, films: Iterator[Film]) -> None:
    """Write `Title (Year) [tt…].nfo` for each film."""
    for film in films:
        (folder / _file_name(film)).write_bytes(_nfo(film))


def _nfo(film: Film) -> bytes:
    facts = film.facts
    movie = Element("movie")
    _add(movie, "title", facts["title"])
    _add(movie, "originaltitle", facts["original_title"])
    ratings = SubElement(movie, "ratings")
    for kind in _least_first(film):
        name = NAMES.get(kind.key, kind.key)
        rating = SubElement(ratings, "rating", name=name, max=str(kind.scale_max))
        _add(rating, "value", f"{film.ratings[kind.key].value:g}")
        _add(rating, "votes", film.ratings[kind.key].votes)
    if len(ratings):
        ratings[-1].set("default", "true")
    _add(movie, "plot", facts["overview"])
    _add(movie, "runtime", facts["runtime_minutes"])
    ids = {"imdb": facts["imdb_id"], "tmdb": facts["tmdb_id"], "wikidata": facts["wikidata_id"]}
    known = [(key, number) for key, number in ids.items() if number is not None]
    for place, (key, number) in enumerate(known):
        unique = _add(movie, "uniqueid", number, type=key)
        if unique is not None and place == 0:
            unique.set("default", "true")
    for genre in film.parts.get("genre", ()):
        _add(movie, "genre", genre)
    for said in film.credits:
        _add(movie, "tag", _TAGS.get(said, said))
    for writer in film.parts.get("writer", ()):
        _add(movie, "credits", writer)
    for director in film.parts.get("director", ()):
        _add(movie, "director", director)
    _add(movie, "premiered", facts["released_on"])
    _add(movie, "year", facts["year"])
    for place, name in enumerate(film.parts.get("cast", ())):
        actor = SubElement(movie, "actor")
        _add(actor, "name", name)
        _add(actor, "order", place)
    ElementTree.indent(movie)
    text = ElementTree.tostring(movie, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}\n'.encode()


def _least_first(film: Film) -> list[ScoreKind]:
    """The kinds of a film's scores; the one that should stand for all of them comes last.

    Jellyfin shows as the audience's whatever is not the Tomatometer and comes last, and takes it to
    be of ten; Kodi, what is marked. So kinds of ten come last, and of them the register's first.
    """
    kinds = [kind for kind in score_kinds() if kind.key in film.ratings]
    return sorted(kinds, key=lambda kind: kind.scale_max != 10)[::-1]


def _add(parent: Element, name: str, value: object, **attributes: str) -> Element | None:
    if value is None:
        return None
    child = SubElement(parent, name, attributes)
    child.text = _NOT_IN_XML.sub("", str(value))
    return child


def _file_name(film: Film) -> str:
    facts = film.facts
    number = f"film {facts['film_id']}"
    if facts["tmdb_id"] is not None:
        number = f"tmdbid-{facts['tmdb_id']}"
    if facts["imdb_id"] is not None:
        number = facts["imdb_id"]
    title = " ".join(_NOT_IN_NAMES.sub(" ", film.named).split()).lstrip(". ")
    short = title.encode()[:LONGEST].decode(errors="ignore")
    return f"{short} [{number}].nfo".lstrip()

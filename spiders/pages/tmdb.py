"""TMDB's answers: a film's details or one part of them, `/find`, `/movie/changes`, lists of films,
the daily id export.

All are JSON of API version 3, which has kept its form since 2012, or of version 2.1 before it; what
was appended to the details (`external_ids`, `keywords`, `release_dates`, `credits`,
`alternative_titles`) is read where it stands. Series and people have ids of their own that overlap
those of films, so an id of theirs is never taken for a `source_id`. (The pages that people see are
read by `tmdb_website`.)
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import unquote

from spiders.items import Credits, Outcome, Person, Record, Score, Title, Verdict
from spiders.pages.embedded import plain
from spiders.pages.identifiers import identifiers, only
from spiders.pages.numbers import figure
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.refusals import refused_by_status
from spiders.pages.scores import missing, not_rated, read_score
from spiders.pages.tmdb_exports import FILE, films
from spiders.pages.tmdb_website import website, website_list
from spiders.sources import by_key

CAST = 15
"""How many of the cast are kept, in billing order."""

# https://developer.themoviedb.org/docs/errors: 3, 10 and 14 refuse the key as 7 does; 6 was the
# answer for an unknown film before 34 was. Any other code is read by the HTTP status.
_REFUSALS = {
    3: Outcome.UNAUTHORISED,
    6: Outcome.NOT_FOUND,
    7: Outcome.UNAUTHORISED,
    10: Outcome.UNAUTHORISED,
    14: Outcome.UNAUTHORISED,
    25: Outcome.RATE_LIMITED,
    34: Outcome.NOT_FOUND,
}
_ERROR_KEYS = {"status_code", "status_message", "errors"}

# What can be appended to a film's details can be asked alone; the names of 2013 are the last two.
_PART = re.compile(
    r"/movie/[1-9][0-9]*/(?P<part>external_ids|keywords|release_dates|credits|alternative_titles"
    r"|releases|casts)$"
)

_AFTER_CREDITS, _DURING_CREDITS = 179430, 179431
_WRITING = {"Writer", "Screenplay", "Story", "Original Story", "Screenstory", "Author"}

# What only an object of that kind has. A film has a title; all of these have a name instead.
_OTHER_KINDS = {
    "first_air_date": "tvSeries",
    "number_of_seasons": "tvSeries",
    "episode_number": "tvEpisode",
    "season_number": None,
    "known_for_department": None,
    "biography": None,
    "parts": None,
}
_OF_DETAILS = {
    *("original_title", "release_date", "overview", "popularity", "adult", "imdb_id"),
    *("vote_average", "vote_count", "poster_path", "backdrop_path"),
}
"""What a film's details have, an excerpt one of it at least: other sites' JSON has a title too."""

_FOUND_ELSE = {
    "tv_results": "tvSeries",
    "tv_season_results": None,
    "tv_episode_results": "tvEpisode",
    "person_results": None,
}

_Json = dict[str, Any]


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """What TMDB's own error body says, whatever the HTTP status; `success` may be absent."""
    body = page.json
    if not isinstance(body, dict) or "id" in body or not _ERROR_KEYS & body.keys():
        return None
    code = _whole(body.get("status_code"))
    by_status = refused_by_status(page)
    outcome = by_status[0] if by_status else Outcome.ERROR
    said = body.get("status_message") or body.get("errors")
    words = "; ".join(
        text for word in (said if isinstance(said, list) else [said]) if (text := _text(word))
    )
    detail = words if code is None else f"status_code {code}: {words}"
    return _REFUSALS.get(code or 0, outcome), detail[:300]


def _details(page: Page) -> list[Record] | None:
    film = page.json
    if not isinstance(film, dict) or not _is_film(film) or not _OF_DETAILS & film.keys():
        return None
    stated = _id(film.get("id"))
    source_id = str(stated) if stated else by_key(page.source).source_id(page.url)
    if source_id is None:
        return None
    return [_film(film, source_id, page.url, released_on=_first_release(film))]


def _part_alone(page: Page) -> list[Record] | None:
    """A part of a film's details, asked by itself: it names the film by its id alone."""
    asked, part = _PART.search(page.path), page.json
    source_id = by_key(page.source).source_id(page.url)
    if not asked or not isinstance(part, dict) or str(part.get("id")) != source_id:
        return None
    film = {asked["part"]: part}
    record = _film(film, source_id, page.url, released_on=_first_release(film))
    return [record.model_copy(update={"scores": {}})]


def _find(page: Page) -> list[Record] | None:
    """One record for each film that bears the external id in the path; other kinds where none."""
    body = page.json
    if not isinstance(body, dict) or not isinstance(body.get("movie_results"), list):
        return None
    asked = unquote(page.path.rpartition("/")[2])
    ids = identifiers({"imdb": [asked], "wikidata": [asked]})
    stated = {"identifiers": ids, "imdb_id": only(ids.get("imdb"))}
    found = [record for row in _rows(body["movie_results"]) if (record := _listed(row))]
    if not found:
        others = ((row, kind) for key, kind in _FOUND_ELSE.items() for row in _rows(body.get(key)))
        found = [_other(row, kind, None) for row, kind in others]
    return [record.model_copy(update=stated) for record in found]


def _changes(page: Page) -> list[Record] | None:
    """The ids of films that changed. Changes of series and people have the same form."""
    body = page.json
    if not isinstance(body, dict) or not page.path.endswith("/movie/changes"):
        return None
    if not isinstance(body.get("results"), list):
        return None
    ids = (_id(row.get("id")) for row in _rows(body["results"]))
    return [_named_only(film) for film in ids if film]


def total_pages(page: Page) -> int | None:
    """How many pages a list or feed has, or None where it does not say."""
    body = page.json
    return _whole(body.get("total_pages")) if isinstance(body, dict) else None


_FILMS_OF_A_PERSON = re.compile(r"/person/[1-9][0-9]*/(?:movie|combined)_credits$")


def _list(page: Page) -> list[Record] | None:
    """`/discover/movie`, `/search/movie`, `/search/multi`, `/movie/popular`…: pages of rows; rows
    alone; and whole, somebody's `/list/…` and what a `/person/…` played in and made."""
    body = page.json
    if isinstance(body, list) and any("vote_average" in row for row in _rows(body)):
        body = {"page": None, "results": body}
    if not isinstance(body, dict):
        return None
    rows = body.get("results") if "page" in body else None
    if rows is None and {"item_count", "created_by"} & body.keys():
        rows = body.get("items")
    if rows is None and _FILMS_OF_A_PERSON.search(page.path):
        credited = _rows(body.get("cast")) + _rows(body.get("crew"))
        own = {(row.get("media_type"), row.get("id")): row for row in reversed(credited)}
        rows = list(own.values())[::-1]
    if not isinstance(rows, list):
        return None
    found = [record for row in _rows(rows) if (record := _listed(row))]
    return found if found or not rows else None


def _not_a_film(page: Page) -> list[Record] | None:
    thing = page.json
    if not isinstance(thing, dict) or not _is_other(thing):
        return None
    source_id = by_key(page.source).source_id(page.url)
    return [_other(thing, _other_kind(thing), page.url).model_copy(update={"source_id": source_id})]


def _version_2(page: Page) -> list[Record] | None:
    """Answers of version 2.1, until 2013: films in an array, with names of their own for it all."""
    films = _rows(page.json)
    if not films or not all({"votes", "rating", "released"} <= film.keys() for film in films):
        return None
    known = ((film, _id(film.get("id"))) for film in films)
    return [
        _film(_as_version_3(film), str(own), by_key("tmdb").page_url(str(own)))
        for film, own in known
        if own
    ]


def _as_version_3(film: _Json) -> _Json:
    people = _rows(film.get("cast"))
    return {
        "title": film.get("name"),
        "original_title": film.get("original_name"),
        "release_date": film.get("released"),
        "vote_average": film["rating"],
        "vote_count": film["votes"],
        "credits": {"cast": [p for p in people if p.get("job") == "Actor"], "crew": people},
        **{key: film.get(key) for key in ("imdb_id", "runtime", "overview", "genres")},
    }


def _export(page: Page) -> list[Record] | None:
    if not FILE.search(page.path):
        return None
    return [
        _named_only(film.id, original_title=_text(film.original_title))
        for film in films(io.BytesIO(page.body))
    ]


LAYOUTS: dict[str, Layout] = {
    "details": _details,
    "part": _part_alone,
    "find": _find,
    "changes": _changes,
    "list": _list,
    "not-a-film": _not_a_film,
    "version-2009": _version_2,
    "export": _export,
    "website-2013": website,
    "website-list-2019": website_list,
}


def _is_film(row: _Json) -> bool:
    return ("title" in row or "original_title" in row) and not _is_other(row)


def _is_other(row: _Json) -> bool:
    if row.get("media_type") in ("tv", "person", "collection"):
        return True
    return "name" in row and "title" not in row and bool(_OTHER_KINDS.keys() & row.keys())


def _other_kind(row: _Json) -> str | None:
    if row.get("media_type") == "tv":
        return "tvSeries"
    return next((kind for key, kind in _OTHER_KINDS.items() if key in row and kind), None)


def _listed(row: _Json) -> Record | None:
    """A row of a list: a film with its own id, something else, or None where it is neither.

    A row's `release_date` may be that of one region: it gives the year, but not `released_on`.
    """
    if _is_other(row):
        return _other(row, _other_kind(row), None)
    film = _id(row.get("id"))
    if film is None or not _is_film(row):
        return None
    return _film(row, str(film), by_key("tmdb").page_url(str(film)))


def _film(film: _Json, source_id: str, url: str, released_on: str | None = None) -> Record:
    """A film from its details or from a row of a list, which only holds less."""
    external = _part(film, "external_ids")
    ids = identifiers(
        {
            "imdb": [film.get("imdb_id"), external.get("imdb_id")],
            "wikidata": [external.get("wikidata_id")],
        }
    )
    return Record(
        source="tmdb",
        source_id=source_id,
        url=url,
        kind="movie",
        title=_text(film.get("title")),
        original_title=_text(film.get("original_title")),
        year=_year(_date(film.get("release_date")) or released_on),
        imdb_id=only(ids.get("imdb")),
        tmdb_id=int(source_id),
        runtime_minutes=_whole(film.get("runtime")) or None,
        released_on=released_on,
        original_language=_text(film.get("original_language")),
        overview=_text(film.get("overview")),
        genres=_unique(_text(genre.get("name")) for genre in _rows(film.get("genres"))),
        people=_people(_part(film, "credits") or _part(film, "casts")),
        alternative_titles=_alternative_titles(film),
        identifiers=ids,
        scores={"tmdb_score": _score(film)},
        credits=_credits(film),
    )


def _other(thing: _Json, kind: str | None, url: str | None) -> Record:
    return Record(
        source="tmdb",
        url=url,
        outcome=Outcome.NOT_A_FILM,
        kind=kind,
        title=_text(thing.get("name")),
        original_title=_text(thing.get("original_name")),
        year=_year(_date(thing.get("first_air_date"))),
        scores={"tmdb_score": _score(thing)} if "vote_average" in thing else {},
    )


def _named_only(film: int, original_title: str | None = None) -> Record:
    return Record(source="tmdb", source_id=str(film), tmdb_id=film, original_title=original_title)


def _score(film: _Json) -> Score:
    """The score; the API's averages have three decimals, and the noise of a float32 at times."""
    if "vote_average" not in film:
        return missing("tmdb_score")
    average, votes = film["vote_average"], film.get("vote_count")
    if isinstance(average, float):
        average = round(average, 3)
    if figure(average) == 0:  # the least that one can give is half a point: it may be hidden yet
        return not_rated("tmdb_score", votes=_whole(votes))
    return read_score("tmdb_score", average, votes)


def _credits(film: _Json) -> Credits | None:
    """Scenes that a keyword names. No keyword proves nothing, so there is never a `no`."""
    keywords = _part(film, "keywords")
    if not isinstance(keywords.get("keywords"), list):
        return None
    ids = {_whole(keyword.get("id")) for keyword in _rows(keywords["keywords"])}
    return Credits(
        during=Verdict.YES if _DURING_CREDITS in ids else Verdict.UNKNOWN,
        after=Verdict.YES if _AFTER_CREDITS in ids else Verdict.UNKNOWN,
    )


def _people(credited: _Json) -> tuple[Person, ...]:
    """Directors, writers and the first of the cast; each name once in a role."""
    crew = _rows(credited.get("crew"))
    directors = _unique(_text(c.get("name")) for c in crew if _text(c.get("job")) == "Director")
    writers = _unique(_text(c.get("name")) for c in crew if _text(c.get("job")) in _WRITING)
    cast = sorted(_rows(credited.get("cast")), key=_billing)
    return (
        *(Person(name=name, role="director") for name in directors),
        *(Person(name=name, role="writer") for name in writers),
        *(
            Person(name=name, role="cast", position=position)
            for position, name in enumerate(_unique(_text(c.get("name")) for c in cast)[:CAST])
        ),
    )


def _billing(member: _Json) -> int:
    order = _whole(member.get("order"))
    return 10_000 if order is None else order


def _alternative_titles(film: _Json) -> tuple[Title, ...]:
    titles = (
        Title(title=title, country=_text(row.get("iso_3166_1")))
        for row in _rows(_part(film, "alternative_titles").get("titles"))
        if (title := _text(row.get("title")))
    )
    return tuple(dict.fromkeys(titles))


def _first_release(film: _Json) -> str | None:
    """The first release anywhere, premieres included; before 2016 these stood in `releases`."""
    countries = _rows(_part(film, "release_dates").get("results"))
    stated = [r.get("release_date") for c in countries for r in _rows(c.get("release_dates"))]
    stated += [r.get("release_date") for r in _rows(_part(film, "releases").get("countries"))]
    dates = [found for raw in stated if (found := _date(raw))]
    return min(dates) if dates else _date(film.get("release_date"))


def _date(raw: object) -> str | None:
    """The day in `2012-10-23` or `2012-10-23T00:00:00.000Z`; None where it is empty or no day."""
    try:
        return date.fromisoformat(raw[:10]).isoformat() if isinstance(raw, str) else None
    except ValueError:
        return None


def _year(day: str | None) -> int | None:
    return int(day[:4]) if day else None


def _id(raw: object) -> int | None:
    return _whole(raw) or None


def _whole(raw: object) -> int | None:
    """A whole number that SQLite can hold, as a JSON number or as digits in a text; else None."""
    if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,18}", raw):
        raw = int(raw)
    return raw if type(raw) is int and 0 <= raw < 2**63 else None


def _text(raw: object) -> str | None:
    """A text without lone surrogates (JSON can escape them, UTF-8 can't hold them), or None."""
    return plain(raw.encode("utf-8", "replace").decode()) if isinstance(raw, str) else None


def _part(body: _Json, name: str) -> _Json:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _rows(raw: object) -> list[_Json]:
    return [row for row in raw if isinstance(row, dict)] if isinstance(raw, list) else []


def _unique(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))

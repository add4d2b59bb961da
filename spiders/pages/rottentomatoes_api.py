"""Rotten Tomatoes' JSON: its public API of 2010 to 2017, and what the search and the lists of its
pages asked for since.

None counts reviews or ratings. Before a film was released, the API gave for its audience score
the share of those who wanted to see it; the word beside a score (`Upright`, `Spilled`) stood only
where people had rated, so without that word a figure is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from spiders.items import Outcome, Person, Record, Score, ScoreState
from spiders.pages.embedded import object_at, plain, value_at
from spiders.pages.encodings import beginning
from spiders.pages.identifiers import identifiers, only
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.rottentomatoes_scores import AUDIENCE, CRITICS, is_marked, score_of
from spiders.pages.rottentomatoes_values import first_of
from spiders.pages.scores import missing, not_rated
from spiders.sources import by_key, score_kind

_WORDS = {
    CRITICS: ("certified fresh", "certified", "fresh", "rotten"),
    AUDIENCE: ("upright", "spilled"),
}
_BAD_ICON = re.compile(r"rotten|spilled|negative", re.I)
_GATEWAY = re.compile(
    rb"\s*<h1>(?:403\s+)?"
    rb"(?P<said>Developer\s+Inactive|Not\s+Authorized|(?P<over>Developer\s+Over\s+\w+))</h1\s*>\s*",
    re.I,
)
_NO_SUCH_FILM = re.compile(r"Could not find a movie\b")
_ANSWER_WITHIN = re.compile(rb'\{\s*"actorCount"\s*:')
_HOME = "https://www.rottentomatoes.com/"


def refusal_of_the_api(page: Page) -> tuple[Outcome, str] | None:
    """What the API said, with status 200, of a film it had not; and its gateway, of keys."""
    gateway = _GATEWAY.fullmatch(page.body)
    if gateway:
        words = " ".join(gateway["said"].decode().split())
        return Outcome.RATE_LIMITED if gateway["over"] else Outcome.UNAUTHORISED, words
    said = _answer(page) or {}
    if said.keys() == {"error"} and _NO_SUCH_FILM.match(str(said["error"])):
        return Outcome.NOT_FOUND, str(said["error"])
    return None


def films_of_the_api(page: Page) -> list[Record] | None:
    """One film with its `ratings`, or a list of `movies`."""
    answer = _answer(page)
    listed = answer.get("movies") if answer else None
    films = [film for film in _rows(listed) if isinstance(film.get("ratings"), dict)]
    if answer and isinstance(answer.get("ratings"), dict):
        return [_film(page, answer, page.url)]
    if not films:
        return [] if listed == [] and answer and "total" in answer else None
    return [_film(page, film, None) for film in films]


def found_by_the_api(page: Page) -> list[Record] | None:
    """Rows of `movies`, each with a `name`, its address, and the Tomatometer where there is one.

    Search pages of 2017 to 2020 hold the same answer in a script.
    """
    answer: Any = _answer(page)
    if answer is None and (within := _ANSWER_WITHIN.search(page.body)):
        answer = object_at(page.body, within.start())
    if (
        not isinstance(answer, dict)
        or not isinstance(answer.get("movies"), list)
        or "movieCount" not in answer
    ):
        return None
    found = (
        _row(
            page, row, row.get("name"), row.get("castItems"), (CRITICS, "meterScore", "meterClass")
        )
        for row in _rows(answer["movies"])
    )
    return [record for record in found if record]


def listed_by_the_api(page: Page) -> list[Record] | None:
    """Rows of `results`, each with a `title` and both scores with their icons; some are series."""
    answer = _answer(page)
    rows = _rows(answer.get("results")) if answer and "counts" in answer else []
    if not any("tomatoIcon" in row or "popcornIcon" in row for row in rows):
        return None
    critics = (CRITICS, "tomatoScore", "tomatoIcon")
    audience = (AUDIENCE, "popcornScore", "popcornIcon")
    found = (
        _row(page, row, row.get("title"), row.get("actors"), critics, audience) for row in rows
    )
    return [record for record in found if record]


def browsed_by_the_api(page: Page) -> list[Record] | None:
    """Rows of a `grid`, since 2022, each with a `title` and both scores; some are series. The dates
    are those of the release in the United States."""
    answer = _answer(page) or {}
    grids = [answer.get("grid"), *_list(answer.get("grids"))]
    rows = [row for grid in grids if isinstance(grid, dict) for row in _rows(grid.get("list"))]
    if not any("mediaUrl" in row and "criticsScore" in row for row in rows):
        return None
    found = (_grid_row(page, row) for row in rows)
    return [record for record in found if record]


def _grid_row(page: Page, row: dict[str, Any]) -> Record | None:
    scores = {
        CRITICS: _grid_score(CRITICS, row.get("criticsScore")),
        AUDIENCE: _grid_score(AUDIENCE, row.get("audienceScore")),
    }
    return _linked(page, row.get("mediaUrl"), row.get("title"), scores)


def hits_of_the_search(page: Page) -> list[Record] | None:
    """Hits of the index `content_rt`, which the search box asks since 2021; some are series.

    Where a hit has no figure, it may have been asked for without.
    """
    answer = _answer(page) or {}
    results = [*_rows(answer.get("results")), answer]
    rows = [row for result in results for row in _rows(result.get("hits"))]
    if not any("vanity" in row or "emsId" in row for row in rows):
        return None
    found = (_hit(page, row) for row in rows if row.get("type") == "movie")
    return [record for record in found if record]


def _hit(page: Page, row: dict[str, Any]) -> Record | None:
    stated = value_at(row, "rottenTomatoes")
    signs = {
        CRITICS: ("criticsScore", value_at(stated, "criticsIconUrl")),
        AUDIENCE: ("audienceScore", value_at(stated, "audienceIconUrl")),
    }
    return _linked(
        page,
        f"/m/{row['vanity']}" if isinstance(row.get("vanity"), str) else None,
        row.get("title"),
        {
            kind: _hit_score(kind, value_at(stated, key), icon)
            for kind, (key, icon) in signs.items()
        },
        year=_year(row.get("releaseYear")),
        genres=tuple(filter(None, map(plain, _list(row.get("genres"))))),
    )


def _hit_score(kind: str, raw: object, icon: object) -> Score:
    """The score; a 0 is true beside the icon of a bad one."""
    if raw is None:
        return missing(kind)
    return score_of(kind, raw, rated=isinstance(icon, str) and bool(_BAD_ICON.search(icon)))


def _grid_score(kind: str, part: object) -> Score:
    """`{"score": "93", "sentiment": "positive"}`, or `{"scorePercent": "93%"}` since 2025."""
    if not isinstance(part, dict) or not {"score", "scorePercent"} & part.keys():
        return missing(kind)
    raw = first_of(part, "score", "scorePercent")
    return score_of(kind, raw, rated=raw == "0%" or is_marked(part.get("sentiment")))


def _film(page: Page, film: dict[str, Any], url: str | None) -> Record:
    source = by_key(page.source)
    links = film.get("links")
    address = (links.get("alternate") if isinstance(links, dict) else None) or film.get("url")
    source_id = source.source_id(urljoin(_HOME, address)) if isinstance(address, str) else None
    also = film.get("alternate_ids")
    imdb = also.get("imdb") if isinstance(also, dict) else None
    stated = identifiers({"imdb": [f"tt{imdb:0>7}"] if isinstance(imdb, str) and imdb else []})
    ratings = film["ratings"]
    runtime = figure(film.get("runtime"))
    return Record(
        source=page.source,
        source_id=source_id or source.source_id(page.url),
        url=url or (source.page_url(source_id) if source_id else page.url),
        outcome=Outcome.OK,
        kind="movie",
        title=plain(film.get("title")),
        year=_year(film.get("year")),
        imdb_id=only(stated.get("imdb")),
        identifiers=stated,
        runtime_minutes=int(runtime) if runtime else None,
        genres=tuple(filter(None, map(plain, _list(film.get("genres"))))),
        people=(
            *_people("director", film.get("abridged_directors")),
            *_people("cast", film.get("abridged_cast")),
        ),
        scores={
            CRITICS: _summed_up(film) or _rated(CRITICS, ratings, "critics"),
            AUDIENCE: _rated(AUDIENCE, ratings, "audience"),
        },
    )


def _summed_up(film: dict[str, Any]) -> Score | None:
    """The Tomatometer of a film that the site's own pages asked for until 2020, where there is one.

    The figure beside it of the audience is not read: no word tells it from "want to see".
    """
    value = figure(value_at(film, "ratingSummary", "allCritics", "meterValue"))
    scale = score_kind(CRITICS).scale_max
    return Score(state=ScoreState.SCORED, value=value, scale_max=scale) if value else None


def _rated(kind: str, ratings: dict[str, Any], whose: str) -> Score:
    """A film's score among its `ratings`; the site's own pages asked for films without any."""
    if f"{whose}_score" not in ratings:
        return missing(kind)
    return _score(kind, ratings[f"{whose}_score"], ratings.get(f"{whose}_rating"))


def _row(
    page: Page, row: dict[str, Any], name: object, cast: object, *slots: tuple[str, str, str]
) -> Record | None:
    """The record of a row, whose slots are named by score kind, key of the figure, key of the
    word; None where it leads to no film."""
    return _linked(
        page,
        row.get("url"),
        name,
        {kind: _score(kind, row.get(raw), row.get(word)) for kind, raw, word in slots},
        year=_year(row.get("year")),
        runtime_minutes=runtime_minutes(row.get("runtime")),
        people=tuple(_people("cast", cast)),
    )


def _linked(
    page: Page, url: object, name: object, scores: dict[str, Score], **facts: Any
) -> Record | None:
    """The record of a row with a link and a name; None where it leads to no film."""
    source = by_key(page.source)
    source_id = source.source_id(urljoin(_HOME, url)) if isinstance(url, str) else None
    title = plain(name)
    if not source_id or not title:
        return None
    return Record(
        source=page.source,
        source_id=source_id,
        url=source.page_url(source_id),
        kind="movie",
        title=title,
        scores=scores,
        **facts,
    )


def _score(kind: str, raw: object, word: object) -> Score:
    """The score beside its word; -1 and nothing stand for none, and a 0 of rotten films is true."""
    value = figure(raw)
    if value is None:
        return not_rated(kind) if raw in (None, -1, "") else missing(kind)
    words = word.casefold().replace("_", " ").replace("-", " ") if isinstance(word, str) else ""
    scale = score_kind(kind).scale_max
    if words in _WORDS[kind]:
        return Score(state=ScoreState.SCORED, value=value, scale_max=scale)
    return not_rated(kind) if value == 0 else missing(kind)


def _answer(page: Page) -> dict[str, Any] | None:
    if beginning(page.body)[:1] != b"{":
        return None
    return page.json if isinstance(page.json, dict) else None


def _year(raw: object) -> int | None:
    value = figure(raw)
    return value if isinstance(value, int) and 1870 <= value < 2100 else None


def _people(role: str, named: object) -> Iterator[Person]:
    stated = (one.get("name") if isinstance(one, dict) else one for one in _list(named))
    names = dict.fromkeys(name for one in stated if (name := plain(one)))
    for position, name in enumerate(names):
        yield Person(name=name, role=role, position=position)


def _rows(found: object) -> list[dict[str, Any]]:
    return [row for row in _list(found) if isinstance(row, dict)]


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []

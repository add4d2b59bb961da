"""What IMDb answered to apps: a title, a chart or a search of app.imdb.com and the search
`/xml/find`, 2010 to 2018; and `imdb.api.title`, which stood behind its plugin for other sites, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from spiders.items import Record, Score
from spiders.pages.embedded import plain, value_at
from spiders.pages.encodings import beginning
from spiders.pages.imdb_record import row_of
from spiders.pages.imdb_words import KIND_OF_LABEL, RATING
from spiders.pages.page import Page
from spiders.pages.scores import missing, not_rated, read_score
from spiders.sources import IMDB_ID

_TCONST = re.compile(IMDB_ID)
_KIND_OF_TYPE = {"feature": "movie"} | {
    label.replace(" ", "_"): kind for label, kind in KIND_OF_LABEL.items()
}
_NEARNESS = ("popular", "exact", "substring", "approx")
_ENTITY = re.compile(
    r'<ImdbEntity id="(?P<id>tt\d+)">(?P<title>[^<]+)<Description>(?P<description>[^<]*)<'
)
_DESCRIBED = re.compile(r"((?:18|19|20)\d\d)\b(?:/[IVXLC]+)?\s*([A-Za-z ]*?)\s*(?:,|$)")
"""`2013,     <a>Anders Nilsson</a>`, `2011 TV series, <a>…`"""
_TITLE_ID = re.compile(rf"/title/({IMDB_ID})/")
_RATES = {"rating", "canRate"}
"""What says that an answer was asked for ratings: only a title that has one bears the first."""


def app_titles(page: Page) -> list[Record] | None:
    """The title an answer is about, or those it lists."""
    if b'"tconst"' not in page.body or beginning(page.body)[:1] != b"{":
        return None
    data = value_at(page.json, "data")
    own = _record(page, data)
    return [own] if own is not None else _listed(page, data)


def _listed(page: Page, data: Any) -> list[Record] | None:
    groups = [value_at(data, "list"), value_at(data, "list", "list")]
    results = value_at(data, "results")
    groups += [value_at(group, "list") for group in results] if isinstance(results, list) else []
    rows = [row for group in groups if isinstance(group, list) for row in group]
    titles = [value_at(row, "object") or row for row in rows]  # of a chart, beside its rank
    return [record for title in titles if (record := _record(page, title)) is not None] or None


def _record(page: Page, title: Any) -> Record | None:
    tconst = value_at(title, "tconst")
    name = plain(value_at(title, "title"))
    channel = value_at(title, "news", "channel")  # another title's where this id was given up
    if not isinstance(tconst, str) or not _TCONST.fullmatch(tconst) or name is None:
        return None
    if channel not in (None, tconst):
        return None
    kind = value_at(title, "type")
    rating = value_at(title, "rating")
    votes = value_at(title, "num_votes")
    return row_of(
        page,
        tconst,
        kind=_KIND_OF_TYPE.get(kind) if isinstance(kind, str) else None,
        title=name,
        year=value_at(title, "year"),
        seconds=value_at(title, "runtime", "time"),
        score=missing(RATING) if rating is None else read_score(RATING, rating, votes),
    )


def found_by_name(page: Page) -> list[Record] | None:
    """The titles that `/xml/find` found, in XML or by `?json=1` in JSON; it names no rating."""
    rows: list[Any]
    if b'"title_' in page.body and beginning(page.body)[:1] == b"{":
        groups = [value_at(page.json, f"title_{nearness}") for nearness in _NEARNESS]
        rows = [row for group in groups if isinstance(group, list) for row in group]
    else:
        entities = _ENTITY.finditer(page.text) if b"<ImdbEntity" in page.body else ()
        rows = [entity.groupdict() for entity in entities]
    records = {row["id"]: _found(page, row) for row in rows if _is_found(row)}
    return list(records.values()) or None


def _is_found(row: Any) -> bool:
    tconst = value_at(row, "id")
    return (
        isinstance(tconst, str)
        and _TCONST.fullmatch(tconst) is not None
        and plain(value_at(row, "title")) is not None
    )


def _found(page: Page, row: dict[str, Any]) -> Record:
    described = value_at(row, "title_description") or value_at(row, "description")
    shown = _DESCRIBED.match(described) if isinstance(described, str) else None
    label = shown[2].lower() if shown else None
    return row_of(
        page,
        row["id"],
        kind="movie" if label == "" else KIND_OF_LABEL.get(label or ""),
        title=plain(row["title"]),
        year=shown[1] if shown else None,
    )


def api_titles(page: Page) -> list[Record] | None:
    """The titles in an answer of `imdb.api.title`, at any depth, each once.

    One is `{"id": "/title/tt…/", "title", "titleType", "year"}`; its rating stands in itself, or
    in `ratings` beside it.
    """
    if b'"titleType"' not in page.body or b'"/title/' not in page.body:
        return None
    records: dict[str, Record] = {}
    for tconst, title, ratings in _api_titles_in(page.json, None):
        minutes = title.get("runningTimeInMinutes")
        record = row_of(
            page,
            tconst,
            kind=title["titleType"],
            title=plain(title["title"]),
            year=title.get("year"),
            seconds=minutes * 60 if type(minutes) is int else None,
            score=_api_score(ratings),
        )
        records.setdefault(tconst, record)
    return list(records.values()) or None


def _api_titles_in(data: Any, beside: Any) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Titles with what holds their ratings, without those that a title or a person names."""
    if isinstance(data, dict):
        id_ = str(data.get("id"))
        found = _TITLE_ID.fullmatch(id_)
        if found and isinstance(data.get("titleType"), str) and plain(data.get("title")):
            yield found[1], data, data if data.keys() & _RATES else beside
        elif not id_.startswith("/name/"):
            for part in data.values():
                yield from _api_titles_in(part, data.get("ratings"))
    elif isinstance(data, list):
        for part in data:
            yield from _api_titles_in(part, None)


def _api_score(ratings: Any) -> Score | None:
    """None where an answer was not asked for ratings."""
    if not isinstance(ratings, dict):
        return None
    if "rating" in ratings:
        return read_score(RATING, ratings["rating"], ratings.get("ratingCount"))
    return not_rated(RATING) if ratings.keys() & _RATES else missing(RATING)

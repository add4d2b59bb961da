"""What IMDb's watchlists of 2016 to 2023 were made of: data of titles, by their ids.

A page holds those of its first titles in a script, `IMDbReactInitialState.push({"titles": {…}})`;
it asked `/title/data?ids=…` for the others.
"""

from __future__ import annotations

import re
from typing import Any

from spiders.items import Record
from spiders.pages.embedded import object_at, plain, value_at
from spiders.pages.encodings import beginning
from spiders.pages.imdb_record import row_of
from spiders.pages.imdb_words import KIND_OF_LABEL, RATING
from spiders.pages.page import Page
from spiders.pages.scores import missing, read_score
from spiders.sources import IMDB_ID

_STATE = re.compile(rb"\bIMDbReactInitialState\.push\(\s*(?=\{)")
_TCONST = re.compile(IMDB_ID)
_KIND_OF_TYPE = {kind: kind for kind in KIND_OF_LABEL.values()} | {
    "featureFilm": "movie",
    "series": "tvSeries",
    "episode": "tvEpisode",
}


def title_data(page: Page) -> list[Record] | None:
    """The titles of a watchlist's page, or of an answer."""
    if b'"primary"' not in page.body:
        return None
    titles: Any
    if beginning(page.body)[:1] == b"{":
        answer = page.json if isinstance(page.json, dict) else {}
        titles = {tconst: value_at(part, "title") for tconst, part in answer.items()}
    else:
        found = _STATE.search(page.body)
        titles = value_at(object_at(page.body, found.end()) if found else None, "titles")
    if not isinstance(titles, dict):
        return None
    known = ((tconst, title) for tconst, title in titles.items() if _TCONST.fullmatch(tconst))
    return [_record(page, tconst, title) for tconst, title in known if _name(title)] or None


def _record(page: Page, tconst: str, title: Any) -> Record:
    kind = value_at(title, "type")
    rating = value_at(title, "ratings", "rating")
    votes = value_at(title, "ratings", "votes")
    return row_of(
        page,
        tconst,
        kind=_KIND_OF_TYPE.get(kind) if isinstance(kind, str) else None,
        title=_name(title),
        year=value_at(title, "primary", "year", 0),
        seconds=value_at(title, "metadata", "runtime"),
        score=missing(RATING) if rating is None else read_score(RATING, rating, votes),
    )


def _name(title: Any) -> str | None:
    return plain(value_at(title, "primary", "title"))

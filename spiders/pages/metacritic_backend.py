"""Metacritic's backend: its JSON, and the same JSON in the state that pages embed since 2026."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from spiders.items import Record, Score, ScoreState
from spiders.pages.dates import iso_date
from spiders.pages.embedded import plain, script_json, value_at
from spiders.pages.encodings import beginning
from spiders.pages.metacritic_record import (
    FILM,
    KIND_OF_SECTION,
    PICTURE,
    Product,
    kind_of_url,
    names_in,
    people_in,
    record_of,
    text_at,
    unique,
    year_in,
)
from spiders.pages.metacritic_scores import METASCORE, USERS, first_read, votes_in
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.nuxt import hydrated
from spiders.pages.page import Page
from spiders.pages.scores import read_score
from spiders.sources import score_kind

_KIND_OF_TYPE = {"movie": FILM, "show": "tvSeries", "game-title": "videoGame", "person": "person"}
_SECTION_OF_ASK = {"movies": "movie", "shows": "tv", "games": "game"}
_ASKED_STATS = re.compile(
    rf"/(?P<whose>critic|user)/(?P<what>{'|'.join(_SECTION_OF_ASK)})/(?P<slug>[^/?]+)/"
    r"(?:[^?]*/)?stats\b"
)
_KIND_OF_ASK = {what: KIND_OF_SECTION[section] for what, section in _SECTION_OF_ASK.items()}
_ASKED_PRODUCT = re.compile(rf"/(?P<what>{'|'.join(_KIND_OF_ASK)})/(?P<slug>[^/?]+)")


def nuxt(page: Page) -> list[Record] | None:
    """Pages since 2026: the answers of the backend lie in `__NUXT_DATA__`, also saved by itself."""
    if _starts_with(page.body, b"["):
        values = as_json(page.body.partition(b"</script")[0])
    elif b"__NUXT_DATA__" in page.body:
        values = script_json(page.body, b"__NUXT_DATA__")
    else:
        return None
    for value in hydrated(values) if isinstance(values, list) else ():
        if isinstance(value, dict) and isinstance(value.get("components"), list):
            records = _composed(page, value)
            if records is not None:
                return records
    return None


def backend(page: Page) -> list[Record] | None:
    """The composer's answers (a page's components), and those that hold one component only."""
    if not _starts_with(page.body, b"{"):
        return None
    answer = as_json(page.body)
    if isinstance(value_at(answer, "components"), list):
        return _composed(page, answer)
    item = value_at(answer, "data", "item")
    if not isinstance(item, dict):
        return None
    if "score" in item:
        return _stats(page, item)
    product = _product(page, item)
    return None if product is None else [record_of(page, product, _scores_of_row(item))]


def _composed(page: Page, answer: dict[str, Any]) -> list[Record] | None:
    """A page's own product and its two summaries; other products stand in other components."""
    components = _components(answer["components"])
    item = components.get("product")
    asked = _ASKED_PRODUCT.search(page.url)
    if asked and isinstance(item, dict) and not item.get("slug"):
        item = {**item, "slug": asked["slug"]}
    product = _product(page, item)
    if product is None:
        return None
    scores = {
        METASCORE: first_read(
            METASCORE,
            _summary(METASCORE, components.get("critic-score-summary")),
            _summary(METASCORE, value_at(item, "criticScoreSummary")),
        )
    }
    users = first_read(
        USERS,
        _summary(USERS, components.get("user-score-summary")),
        _summary(USERS, value_at(item, "userScore")),
    )
    page_type = value_at(answer, "meta", "pageType")
    if users.state is not ScoreState.MISSING or page_type != "critic-reviews":
        scores[USERS] = users
    return [record_of(page, product, scores)]


def _components(stated: list[Any]) -> dict[str, Any]:
    """The item of each component by name; with `contentOnly=true` products come without a name."""
    items: dict[str, Any] = {}
    for component in stated:
        name = value_at(component, "meta", "componentName")
        data = value_at(component, "data")
        item = value_at(data if isinstance(data, dict) else component, "item")
        if isinstance(name, str):
            items.setdefault(name, item)
        elif value_at(component, "slug") and value_at(component, "title"):
            items.setdefault("product", component)
    return items


def _stats(page: Page, item: dict[str, Any]) -> list[Record] | None:
    """One summary by itself: what it counts and for whom is in the address that it states, else in
    the one that was asked (`/reviews/metacritic/user/movies/skyfall/stats/web`)."""
    url = value_at(item, "url")
    asked = _ASKED_STATS.search(page.url)
    if not isinstance(url, str):
        if not asked:
            return None
        section = _SECTION_OF_ASK[asked["what"]]
        url = f"/{section}/{asked['slug']}/{asked['whose']}-reviews/"
    kind = USERS if "/user-reviews" in url else METASCORE
    product = Product(url=url, kind=kind_of_url(url), title=None)
    return [record_of(page, product, {kind: first_read(kind, _summary(kind, item))})]


def finder(page: Page) -> list[Record] | None:
    """Rows of the finder and of searches, which may find shows, games and people as well."""
    if not _starts_with(page.body, b"{") or b'"items"' not in page.body:
        return None
    data = value_at(as_json(page.body), "data")
    items = value_at(data, "items")
    if not isinstance(items, list):
        return None
    if not items:
        return [] if "totalResults" in data else None
    rows = [(item, product) for item in items if (product := _product(page, item))]
    if not rows:
        return None
    return [
        record_of(page, product, _scores_of_row(item, with_users=True)) for item, product in rows
    ]


def _scores_of_row(item: dict[str, Any], *, with_users: bool = False) -> dict[str, Score]:
    scores = {METASCORE: first_read(METASCORE, _summary(METASCORE, item.get("criticScoreSummary")))}
    if with_users or "userScore" in item:
        scores[USERS] = first_read(USERS, _summary(USERS, item.get("userScore")))
    return scores


def _summary(kind: str, summary: object) -> Score | None:
    """A summary's score, or None where it is none of this kind's.

    A zero with the sentiment "tbd" is how some answers write that there is no score yet.
    """
    if not isinstance(summary, dict) or "score" not in summary:
        return None
    scale = figure(summary.get("max"))
    if scale is not None and scale != score_kind(kind).scale_max:
        return None
    raw = summary["score"]
    if not raw and summary.get("sentiment") == "tbd":
        raw = None
    return read_score(kind, raw, votes_in(summary.get("reviewCount")))


def _product(page: Page, item: Any) -> Product | None:
    """A product as the backend describes it, or None where this is none."""
    title = plain(value_at(item, "title"))
    if title is None:
        return None
    kind = _KIND_OF_TYPE.get(item["type"], item["type"]) if text_at(item, "type") else None
    reviews = text_at(item, "criticScoreSummary", "url")
    kind = kind or kind_of_url(reviews) or _kind_of_ask(page.url)
    slug = text_at(item, "slug")
    if kind is None or not (slug or reviews):
        return None
    section = next((key for key, word in KIND_OF_SECTION.items() if word == kind), kind)
    production = value_at(item, "production")
    return Product(
        url=f"/{section}/{slug}/" if slug else reviews,
        kind=kind,
        title=title,
        year=year_in(value_at(item, "premiereYear")),
        released_on=iso_date(value_at(item, "releaseDate")),
        runtime_minutes=_minutes(value_at(item, "duration")),
        genres=unique(names_in(value_at(item, "genres"))),
        people=(
            *people_in("director", _crew(production, "Directed By")),
            *people_in("writer", _crew(production, "Written By")),
            *people_in("cast", names_in(value_at(production, "cast"))),
        ),
        imdb_ids=frozenset(_imdb_ids(item)),
    )


def _kind_of_ask(url: str) -> str | None:
    """What the backend was asked for, where its answer does not say: films are its type 2."""
    asked = _ASKED_PRODUCT.search(url)
    if asked:
        return _KIND_OF_ASK[asked["what"]]
    return (
        FILM if re.search(r"/movies\b|/movies-|mcoTypeId=2\b|productType=movies\b", url) else None
    )


def _imdb_ids(item: dict[str, Any]) -> Iterator[str]:
    """The film's IMDb id where the product states it, or its own pictures are named after it."""
    if stated := text_at(item, "imdbId"):
        yield stated
    pictures = item.get("images")
    for picture in (item.get("image"), *(pictures if isinstance(pictures, list) else ())):
        for name in (text_at(picture, "filename"), text_at(picture, "bucketPath")):
            if name and (found := PICTURE.search(name)):
                yield found[1]


def _crew(production: Any, group: str) -> Iterator[str]:
    crew = value_at(production, "crew")
    for member in crew if isinstance(crew, list) else ():
        if value_at(member, "roleTypeGroupName") == group:
            yield from names_in([member])


def _minutes(raw: object) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw if raw > 0 else None
    return runtime_minutes(raw) if isinstance(raw, str) else None


def as_json(body: bytes) -> Any:
    """The body as JSON, or None. Saved answers hold bytes that are no UTF-8: those are replaced."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def _starts_with(body: bytes, mark: bytes) -> bool:
    return beginning(body).startswith(mark)

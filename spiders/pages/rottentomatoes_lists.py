"""Rotten Tomatoes' lists: search results and browse pages of today, read in the bytes, and the
lists of 2011 to 2024 as people see them (best films, guides, searches).

Each row of the older ones shows the Tomatometer in `.tMeterScore`; the tables of best films also
count the reviews. The same tables stand on the pages of people and, beside films, in margins: those
are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from bs4 import Tag

from spiders.items import Person, Record, Score, ScoreState
from spiders.pages.addresses import live_url
from spiders.pages.embedded import json_ld, plain, script_json, value_at
from spiders.pages.listed_titles import listed_title
from spiders.pages.numbers import count
from spiders.pages.page import Page
from spiders.pages.rottentomatoes_record import bare_year, people_of, split_title
from spiders.pages.rottentomatoes_scores import AUDIENCE, CRITICS, is_marked, score_in, score_of
from spiders.pages.rottentomatoes_values import (
    attribute_of,
    list_of,
    mapping_of,
    slot_of,
    string_of,
    text_of,
)
from spiders.pages.scores import missing, read_score
from spiders.sources import by_key

_HOME = "https://www.rottentomatoes.com/"
_ROW = re.compile(
    rb"<search-page-media-row\b(?P<opening>[^<>]*>)(?P<inside>.*?)</search-page-media-row\s*>", re.S
)
_LINK = re.compile(rb"(?P<opening><a\b[^<>]*>)(?P<inside>.*?)</a\s*>", re.S)
_NO_RESULTS = re.compile(rb"\b(?:no|0) (?:\w+ )?results\b", re.I)
_LINK_END = re.compile(rb"</a\s*>")
_TILE_TITLE = b'data-qa="discovery-media-list-item-title"'
_TILE = re.compile(rb"<score-pairs(?:-deprecated)?\b[^<>]*>")


def search_results(page: Page) -> list[Record] | None:
    """Search results: rows of `search-page-media-row`, each with the Tomatometer.

    A page without rows found no film where it says so, or shows results of other kinds.
    """
    found = [record for row in _ROW.finditer(page.body) if (record := _search_row(page, row))]
    if found or b"<search-page-media-row" in page.body or b"<search-page-result" in page.body:
        return found
    title = re.search(rb"<title[^<>]*>\s*Search Results", page.body)
    return found if title and page.complete and _NO_RESULTS.search(page.body) else None


def search_data(page: Page) -> list[Record] | None:
    """Search results of 2020 and 2021, which are data alone: `{"items": [{"name", "url",
    "tomatometerScore": {"score": "93"}}]}` in a script for each kind of result."""
    found = script_json(page.body, b'id="movies-json"')
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        return None
    rows = (row for row in found["items"] if isinstance(row, dict))
    return [record for row in rows if (record := _data_row(page, row))]


def _data_row(page: Page, row: dict[str, Any]) -> Record | None:
    part = row.get("tomatometerScore")
    shown = isinstance(part, dict) and "score" in part
    return _listed(
        page,
        string_of(row.get("url")),
        plain(row.get("name")),
        {CRITICS: score_in(CRITICS, part) if shown else missing(CRITICS)},
        year=bare_year(row.get("releaseYear")),
    )


def _search_row(page: Page, row: re.Match[bytes]) -> Record | None:
    opening = row["opening"]
    links = [
        link
        for link in _LINK.finditer(row["inside"])
        if attribute_of(link["opening"], "slot") == "title"
        or attribute_of(link["opening"], "data-qa") == "info-name"
    ]
    if not links:
        return None
    score = score_of(
        CRITICS,
        attribute_of(opening, "tomatometer-score", "tomatometerscore"),
        rated=is_marked(attribute_of(opening, "tomatometer-sentiment", "tomatometerstate")),
    )
    cast = [name.strip() for name in (attribute_of(opening, "cast") or "").split(",")]
    return _listed(
        page,
        attribute_of(links[0]["opening"], "href"),
        text_of(links[0]["inside"]),
        {CRITICS: score},
        year=bare_year(attribute_of(opening, "release-year", "releaseyear")),
        people=people_of({"actor": cast}),
    )


def browse(page: Page) -> list[Record] | None:
    """Browse pages: tiles, each with both scores; JSON-LD counts the reviews of most."""
    if _TILE_TITLE not in page.body:
        return None
    counted = {record.source_id: record.scores for record in browse_json_ld(page) or ()}
    tiles = (record for tile in _tiles(page.body) if (record := _tile(page, tile)))
    return [_with_votes(record, counted.get(record.source_id, {})) for record in tiles]


def _with_votes(record: Record, counted: Mapping[str, Score]) -> Record:
    """The record with its Tomatometer as JSON-LD has it, where that is the same figure."""
    shown, same = record.scores[CRITICS], counted.get(CRITICS)
    if not same or (shown.state, shown.value) != (ScoreState.SCORED, same.value):
        return record
    return record.model_copy(update={"scores": {**record.scores, CRITICS: same}})


def browse_json_ld(page: Page) -> list[Record] | None:
    """The JSON-LD of browse pages, where a page is cut above its tiles: the Tomatometer alone.

    A row without one says nothing: pages of what is at home leave all of them out at times.
    """
    if b'"ItemList"' not in page.body or by_key(page.source).source_id(live_url(page.url)):
        return None
    found = []
    for listed in json_ld(page.body, "ItemList"):
        rows = listed.get("itemListElement")
        for row in list_of(value_at(rows, "itemListElement") or rows):
            film = mapping_of(value_at(row, "item") or row)
            rating = film.get("aggregateRating")
            is_its = value_at(rating, "name") == "Tomatometer"
            scores = {
                CRITICS: score_of(
                    CRITICS, value_at(rating, "ratingValue"), value_at(rating, "reviewCount")
                )
            }
            name, url = plain(film.get("name")), string_of(film.get("url"))
            if record := _listed(page, url, name, scores if is_its else {}):
                found.append(record)
    return found or None


def _tiles(body: bytes) -> Iterator[bytes]:
    """Each link that holds a tile's title, whole: a tile that is cut off says nothing."""
    at = body.find(_TILE_TITLE)
    while at != -1:
        end = _LINK_END.search(body, at)
        start = max(body.rfind(b"<a ", 0, at), body.rfind(b"<a\n", 0, at))
        if start != -1 and end and not _LINK_END.search(body, start, at):
            yield body[start : end.start()]
        at = body.find(_TILE_TITLE, at + 1)


def _tile(page: Page, tile: bytes) -> Record | None:
    title = re.search(re.escape(_TILE_TITLE) + rb"[^>]*>(.*?)</", tile, re.S)
    pair = _TILE.search(tile)
    scores = {
        kind: _pair_score(kind, tile, pair[0] if pair else b"", *names)
        for kind, names in (
            (CRITICS, ("critics-score", "criticsScore")),
            (AUDIENCE, ("audience-score", "audienceScore")),
        )
    }
    opening = tile[: tile.find(b">") + 1]
    return _listed(page, attribute_of(opening, "href"), text_of(title and title[1]), scores)


def _pair_score(kind: str, tile: bytes, pair: bytes, *names: str) -> Score:
    side = names[0].partition("-")[0]
    stated = attribute_of(pair, f"{side}score")
    if stated is not None:  # until 2023 the pair's attributes, since then its slots
        return score_of(kind, stated, rated=is_marked(attribute_of(pair, f"{side}sentiment")))
    if slot := slot_of(tile, *names):
        return score_of(kind, text_of(slot), rated=True)
    return score_of(kind, None) if pair else missing(kind)


def _listed(
    page: Page,
    href: str | None,
    title: str | None,
    scores: dict[str, Score],
    *,
    year: int | None = None,
    people: tuple[Person, ...] = (),
) -> Record | None:
    """A record of one row of a list; None where it leads to a series, a person or nowhere."""
    url = urljoin(_HOME, live_url(href or ""))
    source_id = by_key(page.source).source_id(url)
    if not source_id or not title:
        return None
    name, named_year = split_title(title)
    return Record(
        source=page.source,
        source_id=source_id,
        url=by_key(page.source).page_url(source_id),
        title=name,
        year=year or named_year,
        kind="movie",
        people=people,
        scores=scores,
    )


# Lists of 2011 to 2024.

_HAVE_THEM_IN_MARGINS = ("/celebrity/", "/critic", "/m/", "/tv/")


class _Rows(NamedTuple):
    """Where a kind of list has its rows, and what in a row names the film and counts reviews."""

    marker: bytes
    row: str
    link: str
    title: str
    reviews: str | None = None


_LISTS = (
    _Rows(b"movie_results_ul", "#movie_results_ul > li", ".nomargin a[href]", ".nomargin"),
    _Rows(b"articleLink", "tr:has(> td.bold)", "a[href]", "a.articleLink", "td.right"),
    _Rows(b"countdown-item", ".countdown-item", "h2 a[href]", "h2"),
    _Rows(
        b"media-list__title",
        ".media-list__movie-info",
        "a[href]:has(.media-list__title)",
        ".media-list__title",
    ),
    _Rows(b"sidebarInTheater", "tr:has(> td.middle_col)", ".middle_col a[href]", ".middle_col a"),
)


def listed_with_meters(page: Page) -> list[Record] | None:
    """Rows of the first list that fits, each with the Tomatometer alone."""
    path = urlsplit(live_url(page.url)).path
    if b"tMeterScore" not in page.body or path.startswith(_HAVE_THEM_IN_MARGINS):
        return None
    for kind in _LISTS:
        if kind.marker in page.body:
            rows = page.tree.select(kind.row)
            whole = rows if page.complete else rows[:-1]
            if found := [record for row in whole if (record := _row(page, kind, row))]:
                return found
    return None


def _row(page: Page, kind: _Rows, row: Tag) -> Record | None:
    """The record of a row, or None where it leads to a series, a person or nowhere."""
    source = by_key(page.source)
    meter = row.select_one(".tMeterScore")
    raw = meter.extract().get_text() if meter else None  # it may stand in the title's heading
    link, title = row.select_one(kind.link), row.select_one(kind.title)
    source_id = source.source_id(urljoin(_HOME, live_url(str(link["href"])))) if link else None
    named = listed_title(title.get_text(" ")) if title else None
    if not source_id or not named:
        return None
    reviews = row.select_one(kind.reviews) if kind.reviews else None
    reviewed = count(reviews.get_text()) if reviews else None
    slot = meter or row.select_one(".tMeterIcon, .media-list__meter-container")
    score = read_score(CRITICS, raw, reviewed) if slot else missing(CRITICS)
    return Record(
        source=page.source,
        source_id=source_id,
        url=source.page_url(source_id),
        kind="movie",
        title=named.title,
        year=named.year,
        scores={CRITICS: score},
    )

"""Rotten Tomatoes' lists of 2011 to 2024 as people see them: best films, guides, searches.

Each row shows the Tomatometer in `.tMeterScore`; the tables of best films also count the reviews.
The same tables stand on the pages of people and, beside films, in margins: those are not read.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from bs4 import Tag

from spiders.items import Record
from spiders.pages.addresses import live_url
from spiders.pages.listed_titles import listed_title
from spiders.pages.numbers import count
from spiders.pages.page import Page
from spiders.pages.scores import missing, read_score
from spiders.sources import by_key

_CRITICS = "tomatometer"
_HAVE_THEM_IN_MARGINS = ("/celebrity/", "/critic", "/m/", "/tv/")
_HOME = "https://www.rottentomatoes.com/"


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
    score = read_score(_CRITICS, raw, reviewed) if slot else missing(_CRITICS)
    return Record(
        source=page.source,
        source_id=source_id,
        url=source.page_url(source_id),
        kind="movie",
        title=named.title,
        year=named.year,
        scores={_CRITICS: score},
    )

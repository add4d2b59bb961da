"""Metacritic's browse and search pages since 2010, as people see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bs4 import Tag

from spiders.items import Record
from spiders.pages.addresses import live_url
from spiders.pages.dates import iso_date
from spiders.pages.embedded import plain
from spiders.pages.metacritic_record import FILM, Product, kind_of_url, own_id, record_of
from spiders.pages.metacritic_scores import METASCORE, USERS, first_read, in_slots, words_of
from spiders.pages.page import Page


def cards(page: Page) -> list[Record] | None:
    """Browse pages since September 2023; since 2026 a card has its test's name alone."""
    if b"c-finderProductCard" not in page.body and b'data-testid="filter-results"' not in page.body:
        return None
    cards = page.tree.select(
        '.c-finderProductCard:has(a[href]), [data-testid="filter-results"]:has(a[href])'
        ":not(:has(.c-finderProductCard))"
    )
    rows = (
        (
            _attribute(card, "a[href]", "href"),
            _attribute(card, "[data-title]", "data-title") or _listed_name(card),
            words_of(card, ".u-text-uppercase"),
            {METASCORE: '.c-siteReviewScore, [data-testid^="global-score-"] span'},
            card,
        )
        for card in cards
    )
    return [record for row in rows if (record := _listed(page, *row))]


def _listed_name(card: Tag) -> str | None:
    """The title in a card's heading, behind its place in the list: a cut page may end with that."""
    name = words_of(card, "h3 span:last-of-type") or words_of(card, "h3")
    name = name or words_of(card, '[data-testid="product-title"]')
    return None if name and re.fullmatch(r"\d+\.", name) else name


_SCORE_FOUND = '.c-siteReviewScore, .c-search-item__score, [title^="Metascore"]'


def found(page: Page) -> list[Record] | None:
    """Search pages since September 2023, each result a link; of late their classes are others."""
    if b"c-pageSiteSearch-results-item" in page.body:
        result, title, date = "a.c-pageSiteSearch-results-item", "p", ".u-text-uppercase"
    elif b"c-search-item__title" in page.body:
        result, title = "a.c-search-item", ".c-search-item__title"
        date = ".c-search-product-meta__release-date"
    else:
        return None
    rows = (
        (
            str(row["href"]),
            words_of(row, title),
            words_of(row, date),
            {METASCORE: _SCORE_FOUND},
            row,
        )
        for row in page.tree.select(f"{result}[href]")
    )
    return [record for row in rows if (record := _listed(page, *row))]


def clamped(page: Page) -> list[Record] | None:
    """Browse pages of 2018 to 2023."""
    if b"clamp-summary-wrap" not in page.body:
        return None
    rows = (
        (
            _attribute(row, "a.title[href]", "href"),
            words_of(row, "a.title h3"),
            words_of(row, ".clamp-details"),
            {
                METASCORE: ".clamp-score-wrap .metascore_w:not(.user)",
                USERS: ".clamp-userscore .metascore_w.user",
            },
            row,
        )
        for row in page.tree.select("td.clamp-summary-wrap")
    )
    return [record for row in rows if (record := _listed(page, *row))]


_OF_LISTS = re.compile(r"/(?:browse|search)/")
_MOST_ROWS = 500
"""Rows of a list that are read: no page has as many, and rows within rows take long."""


def products(page: Page) -> list[Record] | None:
    """Browse and search pages from 2010 on: film pages show such rows of other films."""
    if b"product_title" not in page.body or not _OF_LISTS.match(urlsplit(live_url(page.url)).path):
        return None
    users = ".product_avguserscore .data"
    rows = (
        (
            _attribute(row, ".product_title a[href]", "href"),
            words_of(row, ".product_title a[href]"),
            words_of(row, ".release_date .data"),
            {METASCORE: ".metascore_w:not(.user)"}
            | ({USERS: users} if row.select_one(users) else {}),
            row,
        )
        for row in page.tree.select("li.result, .product_wrap", limit=_MOST_ROWS)
    )
    return [record for row in rows if (record := _listed(page, *row))]


def _listed(
    page: Page,
    href: str | None,
    title: str | None,
    date: str | None,
    slots: Mapping[str, str],
    row: Tag,
) -> Record | None:
    """The record of one film of a list, or None where the row is no film's: searches find trailers
    too, whose addresses are below their films'."""
    path = urlsplit(live_url(href or "")).path.strip("/")
    if title is None or kind_of_url(href) != FILM or own_id(href) != path:
        return None
    product = Product(url=href, kind=FILM, title=title, released_on=iso_date(date))
    scores = {kind: first_read(kind, in_slots(kind, row, place)) for kind, place in slots.items()}
    return record_of(page, product, scores)


def _attribute(part: Tag, selector: str, name: str) -> str | None:
    found = part.select_one(selector)
    return plain(str(found.get(name, ""))) if found else None

"""Metacritic's film pages until August 2023, as people see them."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urljoin

from bs4 import Tag

from spiders.items import Record
from spiders.pages.addresses import live_url
from spiders.pages.dates import iso_date
from spiders.pages.embedded import plain
from spiders.pages.listed_titles import listed_title
from spiders.pages.metacritic_json_ld import (
    REVIEWS_OF,
    described,
    head_of,
    metascore_in,
    own_json_ld,
)
from spiders.pages.metacritic_record import (
    FILM,
    Product,
    kind_of_url,
    people_in,
    record_of,
    text_at,
    unique,
    year_in,
)
from spiders.pages.metacritic_scores import (
    METASCORE,
    USERS,
    first_read,
    in_slots,
    none_yet,
    words_of,
)
from spiders.pages.numbers import runtime_minutes
from spiders.pages.page import Page
from spiders.pages.scores import missing

_SCORE_VALUE = re.compile(rb"class=\"data (?:metascore|avguserscore)\b")


def classic(page: Page) -> list[Record] | None:
    """Film pages and those below them (reviews, details, trailers) from 2017 to August 2023.

    The first scores on such a page belong to the films in the site's menu, and the popup for
    one's own rating repeats the users' score under "Your Score".
    """
    if b"product_page_title" not in page.body or b"metascore_w" not in page.body:
        return None
    tree = page.tree
    ld = own_json_ld(page)
    metascore = in_slots(
        METASCORE,
        tree,
        ".ms_wrapper .metascore_w:not(.user)",
        ".score_wrapper .metascore_w:not(.user)",
        ".score_meta .metascore_w:not(.user)",
        ".primary_baby_item .metascore_w.header_size",
    )
    users = in_slots(
        USERS,
        tree,
        ".us_wrapper .metascore_w.user",
        ".score_wrapper .metascore_w.user",
        ".score_user .metascore_w.user",
        ".avg_score .metascore_w.user",
    )
    in_ld = metascore_in(ld, page) if ld else None
    scores = {
        METASCORE: first_read(
            METASCORE, metascore, in_ld, none_yet(METASCORE, page, ".ms_wrapper")
        ),
        USERS: first_read(USERS, users, none_yet(USERS, page, ".us_wrapper")),
    }
    product = described(page, ld or {})
    shown_on = ".product_info .release_date, .details_section .release_date"
    return [
        record_of(
            page,
            replace(
                product,
                title=words_of(tree, ".product_page_title h1") or product.title,
                year=year_in(words_of(tree, ".product_page_title .release_year")),
                released_on=iso_date(words_of(tree, shown_on)) or product.released_on,
                runtime_minutes=runtime_minutes(text_at(ld, "duration"))
                or runtime_minutes(words_of(tree, ".details .runtime .data, .runtime span + span")),
            ),
            scores,
        )
    ]


def microdata(page: Page) -> list[Record] | None:
    """Film pages of 2013 to 2016; shows, games and albums kept this layout until 2023."""
    return None if _SCORE_VALUE.search(page.body) else _wrapped(page)


def first_classic(page: Page) -> list[Record] | None:
    """Pages of 2010 to 2013. `.score_value` stands for one's own rating too, as 0."""
    return _wrapped(page) if _SCORE_VALUE.search(page.body) else None


def _wrapped(page: Page) -> list[Record] | None:
    if b"metascore_wrap" not in page.body and b"userscore_wrap" not in page.body:
        return None
    tree = page.tree
    scores = {
        kind: first_read(kind, in_slots(kind, tree, f"{wrap} {slot}"), none_yet(kind, page, wrap))
        for kind, wrap, slot in (
            (
                METASCORE,
                ".metascore_wrap",
                ":is(.metascore_w:not(.user), .metascore .score_value)",
            ),
            (USERS, ".userscore_wrap", ":is(.metascore_w.user, .avguserscore .score_value)"),
        )
    }
    head = head_of(page.body)
    product_head = tree.select_one(".product_content_head") or tree.new_tag("div")
    named = product_head.select_one("h1.product_title, .product_title")
    link = product_head.select_one(".product_title a[href], a:has(h1)[href]")
    url = head.get("canonical") or head.get("og:url") or (str(link["href"]) if link else page.url)
    title = words_of(named, "[itemprop=name], a") or words_of(product_head, ".product_title")
    product = Product(
        url=urljoin(live_url(page.url), live_url(url)),
        kind=kind_of_url(url) or kind_of_url(page.url),
        title=title or REVIEWS_OF.sub("", head.get("og:title", "")) or None,
        released_on=iso_date(words_of(product_head, ".release_data .data")),
        runtime_minutes=runtime_minutes(words_of(tree, ".product_runtime .data")),
        genres=_all_words(tree, "[itemprop=genre], .product_genre .data"),
        people=(
            *people_in("director", _all_words(tree, "[itemprop=director] [itemprop=name]")),
            # In the order of the alphabet, not of billing.
            *people_in("cast", _all_words(tree, "[itemprop=actor] [itemprop=name]"), billed=False),
        ),
    )
    return [record_of(page, product, scores)]


_FILM_TITLES = re.compile(r"/(?:film|video)/titles/[^/]+$")
_THEATRICAL = re.compile(r"\bTheatrical:\s*(\w+ \d{1,2}, \d{4})")


def film_titles(page: Page) -> list[Record] | None:
    """The pages until August 2010, whose addresses (`/film/titles/up`) name no film of today."""
    if not _FILM_TITLES.search(page.path) or b"metascore" not in page.body:
        return None
    tree = page.tree
    scores = {
        METASCORE: in_slots(METASCORE, tree, "#metascore") or missing(METASCORE),
        USERS: in_slots(USERS, tree, "span.userscore") or missing(USERS),
    }
    named = listed_title(words_of(tree, "h1"))
    theatrical = _THEATRICAL.search(tree.get_text(" "))
    product = Product(
        url=None,
        kind=FILM,
        title=named.title if named else None,
        released_on=iso_date(theatrical[1]) if theatrical else None,
    )
    return [record_of(page, product, scores)]


def _all_words(part: Tag, selector: str) -> tuple[str, ...]:
    return unique(filter(None, (plain(found.get_text(" ")) for found in part.select(selector))))

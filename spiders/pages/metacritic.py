"""Metacritic's pages since 2010 and the JSON of its backend: Metascore and user score.

The site shows the scores of many other titles on each page (in its menus, in carousels, beside
reviews), and a score for each review: a score counts only where it stands in a slot of the page's
own title. "tbd" means that there is none yet, and "Available after 4 reviews" is no count.

Here are the film pages since September 2023, which are read in the bytes; `metacritic_classic` has
those before, `metacritic_lists` the lists, `metacritic_backend` the JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spiders.items import Outcome, Record, Score, ScoreState
from spiders.pages.metacritic_backend import backend, finder, nuxt
from spiders.pages.metacritic_classic import classic, film_titles, first_classic, microdata
from spiders.pages.metacritic_json_ld import described, head_of, metascore_in, own_json_ld
from spiders.pages.metacritic_lists import cards, clamped, found, products
from spiders.pages.metacritic_record import FILM, Product, kind_of_url, own_id, record_of
from spiders.pages.metacritic_scores import METASCORE, USERS, based_on, first_read, words_of
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.scores import missing, read_score

_NOT_FOUND_PAGE = re.compile(
    rb"<title[^<>]*>\s*(?:404\s*)?(?:error\s*)?[-:|]?\s*page not found\s*"
    rb"(?:[-|]\s*metacritic\s*)?<",
    re.I,
)
_UNAVAILABLE_PAGE = re.compile(rb"<title[^<>]*>\s*service unavailable\b", re.I)


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """Error pages where they come with a status of success."""
    if page.status >= 400:
        return None
    if _NOT_FOUND_PAGE.search(page.body, 0, 20_000):
        return Outcome.NOT_FOUND, "the page says that there is no such page"
    if _UNAVAILABLE_PAGE.search(page.body, 0, 20_000):
        return Outcome.ERROR, "the page says that the service is unavailable"
    return None


_SHOWN = re.compile(
    rb"class=\"[^\"]*\bc-siteReviewScore[\s\"][^<>]*>\s*<span[^<>]*>([^<]*)</span\s*>"
    rb"|data-testid=\"global-score-(?:value|tbd)\"[^>]*>([^<]*)<"
)
_LABEL = re.compile(
    rb"(?:title|aria-label)=\"(metascore|user score)\s+(?:([\d.]+)\s+out of|(tbd))\b[^\"]*\"", re.I
)
_DIV = re.compile(rb"<(/?)div\b")
_KIND_OF_LABEL = {b"metascore": METASCORE, b"user score": USERS}
_WRAPPER = re.compile(rb"<div\b[^<>]*data-testid=\"global-score-value-wrapper\"[^<>]*>")
_HEADER = re.compile(rb"data-testid=\"global-score-header\"[^>]*>\s*([^<]*?)\s*<", re.I)

# What follows the summaries and holds scores of single reviews or of other titles.
_OTHERS = re.compile(
    rb"data-testid=\"(?:global-score-header|review-card|critic-review|user-review|product-card"
    rb"|product-score-card)\""
)
_SCORE_INFO = (b'data-testid="critic-score-info"', b'data-testid="user-score-info"')
_HERO = (b"hero-scores__preview", b'data-testid="product-hero"', b"c-productHero_scoreInfo")
_CARD = b'data-testid="product-card"'
_REVIEWS_PAGE_SCORE = (b"c-ScoreCardLeft_scoreContent_number", b"score-card-left__score-number")


def _global_score(page: Page) -> list[Record] | None:
    """Pages of 2026: each score under a header that names it, the Metascore in JSON-LD too."""
    if any(marker in page.body for marker in (b"metascore_w", *_SCORE_INFO, *_REVIEWS_PAGE_SCORE)):
        return None
    ld, head = own_json_ld(page), head_of(page.body)
    if ld is None and not own_id(head.get("canonical") or page.url):
        return None  # the front pages of films and games show these headers for each title
    if not (ld or head or any(marker in page.body for marker in (b"<title", *_HERO))):
        return None  # an excerpt from the middle of a page may begin within another title's card
    slots: dict[str, Score] = {}
    others = page.body.find(_CARD)
    own = page.body[: others if others != -1 else len(page.body)]
    for header in _HEADER.finditer(own):
        kind = _KIND_OF_LABEL.get(header[1].lower())
        if kind and slots.get(kind, missing(kind)).state is ScoreState.MISSING:
            end = _OTHERS.search(page.body, header.end())
            slot = page.body[header.end() : end.start() if end else header.end() + 6000]
            # Where the page is cut off, what follows the last tag may be half a count.
            slots[kind] = _slot(kind, slot[: slot.rfind(b"<") + 1])
    if not _HEADER.search(page.body):  # an excerpt without them
        slots = {kind: score for kind in (METASCORE, USERS) if (score := _labelled(kind, own))}
    shown = ld or slots or any(_in_hero(page, kind) for kind in (METASCORE, USERS))
    return _shown(page, ld, slots) if shown else None


def _labelled(kind: str, body: bytes) -> Score | None:
    """The first score of a kind whose own tag speaks it out: those of reviews are other tags."""
    for wrapper in _WRAPPER.finditer(body):
        label = _LABEL.search(wrapper[0])
        if label and _KIND_OF_LABEL[label[1].lower()] == kind:
            return _spoken(kind, label)
    return None


def _score_info(page: Page) -> list[Record] | None:
    """Pages from September 2023 to January 2026: `c-siteReviewScore` within a slot for each."""
    found = zip((METASCORE, USERS), (_element(page.body, m) for m in _SCORE_INFO), strict=True)
    slots = {kind: _slot(kind, slot) for kind, slot in found if slot is not None}
    return _shown(page, own_json_ld(page), slots) if slots else None


def _review_card(page: Page) -> list[Record] | None:
    """Pages of reviews since September 2023: one score, which its label or the address names."""
    slot = next((s for s in (_element(page.body, m) for m in _REVIEWS_PAGE_SCORE) if s), None)
    if slot is None:
        return None
    label = _LABEL.search(slot)
    kind = USERS if "/user-reviews" in page.path else METASCORE
    kind = _KIND_OF_LABEL[label[1].lower()] if label else kind
    return _shown(page, own_json_ld(page), {kind: _slot(kind, slot)})


def _slot(kind: str, slot: bytes) -> Score:
    """The score shown in a slot, else the one that its label speaks out."""
    shown = _SHOWN.search(slot)
    raw = (shown[1] or shown[2] or b"").strip() if shown else b""
    if not raw and (label := _LABEL.search(slot)) and _KIND_OF_LABEL[label[1].lower()] == kind:
        raw = label[2] or label[3]
    if not raw:
        return missing(kind)
    votes = based_on(slot.decode("utf-8", "replace"))
    return read_score(kind, raw.decode("utf-8", "replace"), votes)


def _element(body: bytes, marker: bytes) -> bytes | None:
    """The first `<div>` whose opening tag holds a marker, to its end; empty where it is cut off."""
    opening = re.search(rb"<div\b[^<>]*" + re.escape(marker), body) if marker in body else None
    if opening is None:
        return None
    depth = 0
    for tag in _DIV.finditer(body, opening.start()):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return body[opening.start() : tag.end()]
    return b""


def _shown(page: Page, ld: dict[str, Any] | None, slots: Mapping[str, Score]) -> list[Record]:
    """The record of a page whose slots were read; what they lack, its hero or JSON-LD may have."""
    in_ld = metascore_in(ld, page) if ld else None
    metascore = first_read(METASCORE, slots.get(METASCORE), _in_hero(page, METASCORE), in_ld)
    if in_ld and metascore.votes is None and metascore.value == in_ld.value:
        metascore = in_ld
    users = first_read(USERS, slots.get(USERS), _in_hero(page, USERS))
    scores = {METASCORE: metascore, USERS: users}
    # A page of one kind of reviews need not show the other score.
    for kind, reviews in ((METASCORE, "/user-reviews"), (USERS, "/critic-reviews")):
        if reviews in page.path and scores[kind].state is ScoreState.MISSING:
            del scores[kind]
    return [record_of(page, described(page, ld or {}), scores)]


def _in_hero(page: Page, kind: str) -> Score | None:
    """The first label of a kind in the part of the page that shows its title and scores only."""
    for marker in _HERO:
        for label in _LABEL.finditer(_element(page.body, marker) or b""):
            if _KIND_OF_LABEL[label[1].lower()] == kind:
                return _spoken(kind, label)
    return None


def _spoken(kind: str, label: re.Match[bytes]) -> Score:
    return read_score(kind, (label[2] or label[3]).decode("ascii"))


def _something_else(page: Page) -> list[Record] | None:
    """What says that it is a page of a person, a show, a game or an album, and shows no score."""
    head = head_of(page.body)
    kind = kind_of_url(url := head.get("canonical") or head.get("og:url"))
    if kind in (None, FILM) or not own_id(url):
        return None
    product = Product(url=url, kind=kind, title=words_of(page.tree, "h1"))
    return [record_of(page, product, {})]


LAYOUTS: dict[str, Layout] = {
    "nuxt-2026": nuxt,
    "global-score-2026": _global_score,
    "backend-2023": backend,
    "finder-2023": finder,
    "score-info-2023": _score_info,
    "review-card-2023": _review_card,
    "cards-2023": cards,
    "found-2023": found,
    "browse-2018": clamped,
    "products-2010": products,
    "classic-2017": classic,
    "microdata-2014": microdata,
    "classic-2010": first_classic,
    "film-titles-2005": film_titles,
    "something-else": _something_else,
}
"""What Metacritic has looked like, newest first; the years are those in which a layout began."""

"""What a page of Metacritic states of its own title beside what people see: in JSON-LD, in its
head, and in the script of 2023 to 2026.

JSON-LD is on film pages since 2017. It has no user score, and no rating where there is no
Metascore, nor need it have one on the pages of a film's reviews.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spiders.items import Score
from spiders.pages.dates import iso_date
from spiders.pages.embedded import json_ld, plain
from spiders.pages.metacritic_record import (
    BELOW,
    FILM,
    PICTURE,
    Product,
    kind_of_url,
    names_in,
    own_id,
    people_in,
    text_at,
    unique,
    year_in,
)
from spiders.pages.metacritic_scores import METASCORE, votes_in
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.scores import not_rated, read_score

_KIND_OF_SCHEMA = {
    "Movie": FILM,
    "TVSeries": "tvSeries",
    "TVSeason": "tvSeries",
    "TVEpisode": "tvEpisode",
    "VideoGame": "videoGame",
    "MusicAlbum": "musicAlbum",
}


def own_json_ld(page: Page) -> dict[str, Any] | None:
    """What the page states of its own title. Other titles' JSON-LD may stand before it; another
    site's is told by its address.

    Where the page does not say which title it is of, the one that was asked goes before the first.
    """
    head = head_of(page.body)
    own, asked = own_id(head.get("canonical") or head.get("og:url")), own_id(page.url)
    stated = [
        (ld, own_id(url))
        for ld in json_ld(page.body)
        if _ld_kind(ld) and (not (url := text_at(ld, "url")) or kind_of_url(url))
    ]
    if own:
        stated = [one for one in stated if one[1] in (None, own)]
    stated.sort(key=lambda one: one[1] != asked)
    return stated[0][0] if stated else None


def _ld_kind(ld: dict[str, Any]) -> str | None:
    stated = ld.get("@type")
    kinds = stated if isinstance(stated, list) else [stated]
    return next((word for k in kinds if (word := _KIND_OF_SCHEMA.get(str(k)))), None)


def metascore_in(ld: dict[str, Any], page: Page) -> Score | None:
    if _ld_kind(ld) == "videoGame":
        return None  # it counts the reviews on all platforms; the score shown is that of one
    rating = ld.get("aggregateRating")
    if rating is None:
        shows_all = page.complete and not BELOW.search(page.path)
        return not_rated(METASCORE) if shows_all else None
    if not isinstance(rating, dict) or rating.get("name") not in (None, "Metascore"):
        return None
    if figure(rating.get("bestRating")) not in (None, 100):
        return None
    if not isinstance(figure(rating.get("ratingValue")), int | None):
        return None  # a figure of ten: a Metascore has no decimals
    votes = votes_in(rating.get("reviewCount")) or votes_in(rating.get("ratingCount"))
    return read_score(METASCORE, rating.get("ratingValue"), votes)


def described(page: Page, ld: dict[str, Any]) -> Product:
    """The title as JSON-LD and the head of the page have it, and the script of before 2026."""
    head = head_of(page.body)
    url = text_at(ld, "url") or head.get("canonical") or head.get("og:url")
    title = plain(ld.get("name")) or _title(page.body, head)
    script = _product_in_script(page.body)
    premiere = re.search(rb"\bpremiereYear:(\d{4})\b", script)
    pictures = f"{text_at(ld, 'image')} {head.get('og:image')}"
    return Product(
        url=url,
        kind=_ld_kind(ld) or kind_of_url(url) or kind_of_url(page.url),
        title=title,
        year=year_in(premiere[1].decode()) if premiere else None,
        released_on=iso_date(ld.get("datePublished")),
        runtime_minutes=_ld_minutes(ld.get("duration")),
        genres=unique(names_in(ld.get("genre"))),
        people=(
            *people_in("director", names_in(ld.get("director"))),
            *people_in("cast", names_in(ld.get("actor"))),
        ),
        imdb_ids=frozenset(
            [i.decode() for i in _IN_SCRIPT.findall(script)] + PICTURE.findall(pictures)
        ),
    )


def _ld_minutes(raw: object) -> int | None:
    """Minutes; since 2023 `PT2M32S` means 2 h 32 min, until then `PT91M` meant 91 min."""
    shifted = re.fullmatch(r"PT(?:(\d)M)?(?:(\d{1,2})S)?", raw) if isinstance(raw, str) else None
    if shifted:
        return 60 * int(shifted[1] or 0) + int(shifted[2] or 0) or None
    return runtime_minutes(raw) if isinstance(raw, str) else None


_HEAD_TAG = re.compile(rb"<(?:meta|link)\b[^>]{0,2000}>", re.I)
_NAMED = re.compile(rb"\b(?:rel|property)=[\"'](canonical|og:(?:url|title|image))[\"']", re.I)
_STATED = re.compile(rb"\b(?:href|content)=(?:\"([^\"]*)\"|'([^']*)')", re.I)
_HERO_TITLE = re.compile(
    rb"(?:data-testid=\"hero-title\"|class=\"[^\"]*\bhero-title__text\b)"
    rb"[^>]*>(?:\s|<!--(?s:.*?)-->|<(?!!--)[^>]+>)*+([^<]+)<"
)
_HEAD_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title", re.I)
_NAMES_REVIEWS = re.compile(r" (?:(?:critic|user) )?reviews - metacritic$", re.I)
REVIEWS_OF = re.compile(r"(?<!\s)\s+(?:(?:critic|user)\s+)?reviews$", re.I)
_IN_SCRIPT = re.compile(rb"(?:\bimdbId:\"|\"5-)(tt\d{7,10})[\".]")


def head_of(body: bytes) -> dict[str, str]:
    """The address, title and picture that the head of a page states as its own."""
    stated: dict[str, str] = {}
    end = body.find(b"</head")
    for tag in _HEAD_TAG.finditer(body, 0, len(body) if end == -1 else end):
        name, value = _NAMED.search(tag[0]), _STATED.search(tag[0])
        if name and value:
            text = plain((value[1] or value[2] or b"").decode("utf-8", "replace"))
            stated.setdefault(name[1].decode().lower(), text or "")
    return stated


def _title(body: bytes, head: Mapping[str, str]) -> str | None:
    hero = _HERO_TITLE.search(body)
    if hero and (title := plain(hero[1].decode("utf-8", "replace"))):
        return title
    if title := REVIEWS_OF.sub("", head.get("og:title", "")):
        return title
    stated = _HEAD_TITLE.search(body)
    named = plain(stated[1].decode("utf-8", "replace")) if stated else None
    reviews = _NAMES_REVIEWS.search(named) if named else None
    return named[: reviews.start()] if named and reviews else None


def _product_in_script(body: bytes) -> bytes:
    """The page's own product in the script `window.__NUXT__` of 2023 to 2026.

    The script is a function whose arguments stand for repeated values: scores are not read from
    it, since a score may be such an argument.
    """
    at = body.find(b'componentName:"product"')
    end = body.find(b"componentName:", at + 1)
    return b"" if at == -1 else body[at : end if end != -1 else len(body)]

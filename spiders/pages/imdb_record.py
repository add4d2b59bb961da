"""What a page of IMDb says of its own title, whatever the layout, and the record of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from spiders.items import Outcome, Record, Score
from spiders.pages.embedded import plain
from spiders.pages.imdb_words import KIND_OF_LABEL, RATING, YEAR
from spiders.pages.page import Page
from spiders.pages.scores import missing, not_rated
from spiders.sources import FILM_KINDS, by_key

_PAGE_ID = re.compile(
    rb"<link\b(?=[^<>]*+>)(?=[^<>]*\brel=[\"']canonical)[^<>]*/(?:title|name)/((?:tt|nm)\d{7,10})(?!\d)[^<>]*>"
    rb"|<meta\b(?=[^<>]*+>)(?=[^<>]*\bproperty=[\"'](?:imdb:pageConst|pageId))[^<>]*[\"']((?:tt|nm)\d{7,10})[\"'][^<>]*>"
)
_HEAD_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title\s*>", re.I)
_OG_TITLE = re.compile(
    rb"<meta\b(?=[^<>]*\bproperty=[\"']og:title)[^<>]*\bcontent=\"([^\"]*)\"", re.I
)
_NAMED = re.compile(
    r"\s*(?:IMDb\s*[-:]\s*)?(?:User ratings for\s+)?(?P<title>\S.*?)\s*\([^()]*(?:18|19|20)\d\d",
    re.S,
)
_BRACKETS = re.compile(
    r"\((?P<label>[^()\d]*?)\s*(?P<year>(?:18|19|20)\d\d)?(?:/[IVXL]+)?"
    r"(?P<on>\s*[-\u2013]\s*(?:\d{4})?)?\s*\)"
)
_SCHEMA = re.compile(rb"\bid=\"pagecontent\"[^<>]*\bitemtype=\"https?://schema\.org/(\w+)\"")
_STATES_RATING = re.compile(
    rb"\bitemprop=[\"']?rating(?:Count|Value)\b|\bbased on \d[\d.,\s]* user ratings"
    rb"|\"aggregateRating\"\s*:\s*\{|aggregate-rating__score|<b>\s*\d[.,]\d\s*/\s*10\s*</b>"
)
KIND_OF_SCHEMA = {
    "TVSeries": "tvSeries",
    "TVEpisode": "tvEpisode",
    "VideoGame": "videoGame",
    "PodcastSeries": "podcastSeries",
    "PodcastEpisode": "podcastEpisode",
}
"""The kind of what is no film, by its type in microdata and JSON-LD."""

_LABEL = re.compile(
    r"\W*("
    + "|".join(word.replace(" ", r"[ -]") for word in sorted(KIND_OF_LABEL)[::-1] if len(word) > 2)
    + r")\b",
    re.I,
)

# In other languages the label is another word, and only these tell what is no film.
_KIND_OF_WORD = (
    (re.compile(r"[eé]p[ií]s[oó]d|folge\b|एपिसोड"), "tvEpisode"),
    (re.compile(r"s[eé]ri[eé]|сериал|ドラマ|सीरी"), "tvSeries"),
    (re.compile(r"video(?:juego|spiel|gioco|game)|jeu vid|jogo\b|वीडियो गेम"), "videoGame"),
)


def shown_kind(
    page: Page, label: str, genres: tuple[str, ...], facts: Iterable[str] = ()
) -> str | None:
    """The kind by the label in the page's <title>; only films go without one.

    A label in another language says nothing; the page's schema may then tell what is no film, and
    so may the facts below the title, where an excerpt has lost the <title>.
    """
    schema = _SCHEMA.search(page.body)
    by_schema = KIND_OF_SCHEMA.get(schema[1].decode()) if schema else None
    kind = kind_of_label(label) or by_schema
    if kind or label:
        return kind
    if _head_title(page):
        return "short" if "Short" in genres else "movie"
    begun = (found[1] if (found := _LABEL.match(fact)) else fact for fact in facts)
    kinds = (kind_of_label(re.sub(r"\W", " ", word.casefold())) for word in begun)
    return next(filter(None, kinds), None)


def record_of(
    page: Page, *, kind: str | None, source_id: str | None = None, **fields: Any
) -> Record:
    """The record of the title `source_id`, else of the one that the page says it shows."""
    tconst = source_id or own_id(page)
    return Record(
        source=page.source,
        source_id=tconst,
        imdb_id=tconst,
        url=page.url,
        outcome=Outcome.OK if kind is None or kind in FILM_KINDS else Outcome.NOT_A_FILM,
        kind=kind,
        **fields,
    )


def row_of(
    page: Page,
    tconst: str,
    *,
    kind: str | None,
    title: str | None,
    year: Any,
    seconds: Any = None,
    score: Score | None = None,
) -> Record:
    """The record of one of several titles in data, with an address of its own; without a `score`
    where such data have none. Of what is no film, `seconds` may be those of all its episodes."""
    record = record_of(
        page,
        source_id=tconst,
        kind=kind,
        title=title,
        year=int(year) if YEAR.fullmatch(str(year)) else None,
        runtime_minutes=(seconds // 60 or None)
        if type(seconds) is int and kind == "movie"
        else None,
        scores={RATING: score} if score else {},
    )
    return record.model_copy(update={"url": by_key("imdb").page_url(tconst)})


def own_id(page: Page) -> str | None:
    """The title that the page says it shows, else the one in its URL; of a person's page, none."""
    found = _PAGE_ID.search(page.body)
    if found:
        stated = (found[1] or found[2]).decode()
        return stated if stated.startswith("tt") else None
    return by_key(page.source).source_id(page.url)


def _head_title(page: Page) -> str:
    """What the page's <title> says, or where that is empty, what it gives to other sites."""
    stated = (
        found[1].strip()[:1_000]
        for at in (_HEAD_TITLE, _OG_TITLE)
        if (found := at.search(page.body))
    )
    return unescape(next(filter(None, stated), b"").decode("utf-8", "replace"))


def title_in_head(page: Page) -> str | None:
    """The title that stands before the brackets of the page's <title>."""
    found = _NAMED.match(_head_title(page))
    return plain(found["title"]) if found else None


def name_in_head(page: Page) -> str | None:
    """The name before the first dash of the page's <title>: `Daniel Craig - IMDb`."""
    return plain(_head_title(page).partition(" - ")[0])


def label_and_year(page: Page) -> tuple[str, int | None]:
    """From the brackets of the page's <title>: `("tv series", 2008)`, `("", 2012)`."""
    label, year = "", None
    for found in _BRACKETS.finditer(_head_title(page)):
        words = found["label"].replace("-", " ").casefold()
        if found["year"]:
            label, year = words, int(found["year"])
            if found["on"] and not kind_of_label(words):
                label = "tv series"  # whatever the language: a film has one year
        elif words in KIND_OF_LABEL:
            label = words
    return label, year


def kind_of_label(label: str) -> str | None:
    """The kind by what stands in the brackets behind a title, in whatever language."""
    words = (kind for word, kind in _KIND_OF_WORD if word.search(label))
    return KIND_OF_LABEL.get(label) or next(words, None)


def without_slot(page: Page) -> Score:
    """No score yet, where a whole page has no place for one and states none anywhere; else the
    place may be lost, or another one."""
    none_yet = page.complete and not _STATES_RATING.search(page.body)
    return not_rated(RATING) if none_yet else missing(RATING)

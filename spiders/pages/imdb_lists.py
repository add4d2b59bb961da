"""IMDb's charts, searches and lists since 2008, as tables and rows that people see."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from bs4 import Tag
from bs4.element import NavigableString

from spiders.items import Outcome, Record, Score
from spiders.pages.embedded import plain
from spiders.pages.imdb_record import kind_of_label, own_id, record_of
from spiders.pages.imdb_words import (
    BASED_ON,
    KIND_OF_LABEL,
    NONE_YET,
    RATING,
    TITLE_PATH,
    USERS_RATED,
)
from spiders.pages.page import Page
from spiders.pages.scores import missing, not_rated, read_score
from spiders.sources import FILM_KINDS, by_key

_CHART_COLUMNS = (b"Rank", b"Rating", b"Title", b"Votes")
_TAGS = rb"(?:\s{0,100}<[^<>]*>){0,10}\s{0,100}"
_CHART_HEAD = re.compile(rb"<td\b[^<>]*>" + rb"".join(_TAGS + word for word in _CHART_COLUMNS))
_IN_YEAR = re.compile(r"\((?P<year>(?:18|19|20)\d\d)(?P<on>\s*[-\u2013][^()]*)?(?P<label>[^()]*)\)")
_Row = TypeVar("_Row")


def chart(page: Page) -> list[Record] | None:
    """The charts of 2012 to 2023, by `strong[title="9.2 based on 2,345,678 user ratings"]`."""
    if b"titleColumn" not in page.body:
        return None
    kind = "tvSeries" if "tv" in page.path.rpartition("/")[2] else None
    found = []
    rated = page.tree.select_one("td.imdbRating, td.ratingColumn strong[title]")  # not by takings
    for row in _whole(page, page.tree.select("tr:has(td.titleColumn)")):
        year = _text(row, "td.titleColumn .secondaryInfo")
        score = _chart_score(row) if rated else None
        found.append(_in_list(page, row.select_one("td.titleColumn a[href]"), year, score, kind))
    return [record for record in found if record] or None


def _chart_score(row: Tag) -> Score:
    """The rating in a chart's column; who is popular before anybody may rate has it empty."""
    stated = row.select_one(".imdbRating strong[title], .ratingColumn strong[title]")
    if stated:
        figures = BASED_ON.match(str(stated["title"]))
        return read_score(RATING, figures[1], figures[2]) if figures else missing(RATING)
    slot = row.select_one("td.imdbRating")
    return not_rated(RATING) if slot and not slot.get_text(strip=True) else missing(RATING)


def first_chart(page: Page) -> list[Record] | None:
    """The charts until 2012: tables whose rows read `1. | 9.2 | Title (1994) | 530,502`."""
    if not _CHART_HEAD.search(page.body):
        return None
    rows = [cells for row in page.tree.select("tr") if len(cells := row.find_all("td")) == 4]
    found = []
    for rank, rating, name, votes in _whole(page, rows):
        if re.fullmatch(r"\d+\.", rank.get_text().strip()):
            score = read_score(RATING, rating.get_text(), votes.get_text())
            link = name.select_one("a[href]")
            found.append(_in_list(page, link, name.get_text(), score))
    return [record for record in found if record] or None


def lister(page: Page) -> list[Record] | None:
    """Searches and lists of 2016 to 2023: `.lister-item`, with figures in `data-value`; in their
    simple view, in `strong[title="9.3 base on 2,345,678 votes"]`, or "-" where there is none."""
    if b"lister-item-header" not in page.body:
        return None
    found = []
    for row in _whole(page, page.tree.select(".lister-item:has(.lister-item-header)")):
        value = row.select_one(
            ".ratings-imdb-rating[data-value], .col-imdb-rating,"
            " .ipl-rating-star:not(.ipl-rating-star--other-user) .ipl-rating-star__rating"
        )
        votes = row.select_one('span[name="nv"][data-value]')
        raw = (value.get("data-value") or value.get_text()) if value else None
        counted = str(votes["data-value"]) if votes else None
        stated = row.select_one(".col-imdb-rating strong[title]")
        if stated and (figures := BASED_ON.match(str(stated["title"]))):
            raw, counted = figures[1], figures[2]
        score = read_score(RATING, raw, counted) if value else None
        year = _text(row, ".lister-item-header .lister-item-year")
        links = row.select(".lister-item-header a[href]")
        link = links[0] if len(links) == 1 else None  # that of an episode stands beside its series'
        found.append(_in_list(page, link, year, score))
    return [record for record in found if record] or None


def results(page: Page) -> list[Record] | None:
    """Searches and lists until 2015: `Users rated this 9.3/10 (1,234,567 votes)` over the stars."""
    if b"year_type" not in page.body:
        return None
    found = []
    for row in _whole(page, page.tree.select("tr.detailed, .list_item")):
        stars = row.select_one(".rating-list[title]")
        said = str(stars["title"]) if stars else row.get_text(" ")
        if rated := USERS_RATED.search(said):
            score = read_score(RATING, rated[1], rated[2])
        else:
            score = not_rated(RATING) if NONE_YET.search(said) else missing(RATING)
        link = row.select_one("td.title > a[href], .info b a[href]")
        year = _text(row, ".year_type")
        found.append(_in_list(page, link, year, score))
    return [record for record in found if record] or None


_RANK = re.compile(r"\s*\d+\.\s+")
_YEARS = re.compile(r"(?P<year>(?:18|19|20)\d\d)(?:/[IVXL]+)?(?P<on>\s*[-\u2013].*)?")


def list_items(page: Page) -> list[Record] | None:
    """Charts, searches and lists since 2023, where a page was saved without its data.

    Counts are exact in some (`(646,623)`) and rounded in others (`(2.9M)`), which are not kept. A
    row without a rating says nothing about it.
    """
    if b"ipc-title-link-wrapper" not in page.body or own_id(page):
        return None
    listed = "li.ipc-metadata-list-summary-item:has(a.ipc-title-link-wrapper[href])"
    rows = _whole(page, page.tree.select(listed))
    names = [_text(row, "a.ipc-title-link-wrapper") for row in rows]
    ranked = all(_RANK.match(name) for name in names if name)
    found = []
    for row, name in zip(rows, names, strict=True):
        star = row.select_one(".ratingGroup--imdb-rating")
        value = star.select_one(".ipc-rating-star--rating") or star if star else None
        score = read_score(RATING, _own_text(value), _text(row, ".ipc-rating-star--voteCount"))
        years = _text(row, ".dli-title-metadata-item, .cli-title-metadata-item")
        kind = _text(row, ".dli-title-type-data, .cli-title-type-data")
        link = row.select_one("a.ipc-title-link-wrapper[href]")
        title = _RANK.sub("", name, count=1) if ranked else name
        scores = {RATING: score} if value else {}
        found.append(_named(page, link, title, (years, kind), scores))
    return [record for record in found if record] or None


def found_titles(page: Page) -> list[Record] | None:
    """What `/find` shows, without ratings: rows of a list since 2022, of a table until then."""
    if own_id(page):
        return None
    if b"find-title-result" in page.body:
        rows = [
            (
                row.select_one("a.ipc-metadata-list-summary-item__t[href]"),
                [tag.get_text() for tag in row.select(".ipc-metadata-list-summary-item__li")],
            )
            for row in page.tree.select(".find-title-result")
        ]
    elif b"result_text" in page.body or b"/rg/find-title-" in page.body:
        links = page.tree.select(
            'td.result_text > a[href]:first-of-type, a[onclick*="/rg/find-title-"]'
        )
        rows = [(link, re.findall(r"\(([^()]*)\)", _behind(link))) for link in links]
    else:
        return None
    found = (
        _named(page, link, link.get_text(), words, {}) for link, words in _whole(page, rows) if link
    )
    return [record for record in found if record] or None


def _behind(link: Tag) -> str:
    """The words behind a link, as far as they belong to it: `(1966) (TV Series)`."""
    words = []
    for part in link.next_siblings:
        if isinstance(part, Tag) and part.name != "small":
            break
        words.append(part.get_text())
    return " ".join(words)


def _named(
    page: Page, link: Tag | None, name: str, words: Iterable[str], scores: dict[str, Score]
) -> Record | None:
    """The record of a row whose years and kind stand among some words."""
    path = TITLE_PATH.search(str(link["href"])) if link else None
    title = plain(name)
    if not path or not title:
        return None
    year, kind = None, None
    for word in (word.strip() for word in words):
        if years := _YEARS.fullmatch(word):
            year = year or int(years["year"])
            kind = kind or ("tvSeries" if years["on"] else None)
        else:
            kind = kind_of_label(word.replace("-", " ").casefold()) or kind
    if title.startswith('"'):  # until 2012, a series or an episode of one
        title, kind = title.strip('"'), kind or "tvSeries"
    record = record_of(page, source_id=path[1], kind=kind, title=title, year=year, scores=scores)
    return record.model_copy(update={"url": by_key("imdb").page_url(path[1])})


def _own_text(tag: Tag | None) -> str:
    strings = tag.find_all(string=True, recursive=False) if tag else ()
    return "".join(text for text in strings if type(text) is NavigableString)


_BEHIND_A_ROW = re.compile(rb"</(?:li|ul|ol|tr|tbody|table)\s*>\s*\Z")


def _whole(page: Page, rows: list[_Row]) -> list[_Row]:
    """The rows that are whole: where a page was cut off, the last one may lack its figures. (An
    excerpt ends behind a row.)"""
    is_whole = page.complete or _BEHIND_A_ROW.search(page.body[-200:])
    return rows if is_whole else rows[:-1]


def _text(row: Tag, selector: str) -> str:
    found = row.select_one(selector)
    return found.get_text() if found else ""


def _in_list(
    page: Page, link: Tag | None, year: str, score: Score | None, kind: str | None = None
) -> Record | None:
    """The record of a row, whose year may read `(I) (2012)`, `(2008\u2013 )`, `(2011 TV Movie)`."""
    found = TITLE_PATH.search(str(link["href"])) if link else None
    if not found or not link:
        return None
    in_year = _IN_YEAR.search(year)
    label = in_year["label"].strip().casefold() if in_year else ""
    kind = kind or ("tvSeries" if in_year and in_year["on"] else KIND_OF_LABEL.get(label))
    return Record(
        source=page.source,
        source_id=found[1],
        imdb_id=found[1],
        url=by_key("imdb").page_url(found[1]),
        outcome=Outcome.OK if kind is None or kind in FILM_KINDS else Outcome.NOT_A_FILM,
        kind=kind,
        title=plain(link.get_text()),
        year=int(in_year["year"]) if in_year else None,
        scores={RATING: score} if score else {},
    )

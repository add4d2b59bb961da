"""TMDB's own pages, as people save them: the API's answers have the same figures, and counts.

Since 2016 a page shows a percentage in a ring; until then, a figure of ten and its votes. Smaller
rings on it are those of other titles. What the page is of stands in its address.
"""

from __future__ import annotations

import re
from html import unescape

from bs4 import Tag

from spiders.items import Outcome, Record, Score, ScoreState
from spiders.pages.embedded import plain
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.scores import missing, read_score
from spiders.sources import by_key

_SCORE = "tmdb_score"
_RING = ".user_score_chart[data-percent]:not(.card *, .consensus.tight *)"
_OWN_ADDRESS = re.compile(
    rb"<(?:link\b(?=[^<>]*\brel=\"canonical\")|meta\b(?=[^<>]*\bproperty=\"og:url\"))"
    rb"[^<>]*\b(?:href|content)=\"[^\"<>]*?themoviedb\.org(/[^\"<>?#]*)[\"?#]"
)
_KIND = re.compile(r"/(?P<kind>movie|tv|person|collection)/[1-9]\d*(?:-[^/]*)?(?P<below>/.+)?")
_KINDS = {"movie": "movie", "tv": "tvSeries", "person": "person", "collection": None}
_HEAD_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title\s*>", re.I)
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
_NAMED = re.compile(
    r"\s*(?P<title>.+?)(?:\s+\((?:[^()]*?\s)?(?P<year>(?:18|19|20)\d\d)(?:\s*[-\u2013][^()]*)?\)"
    r"(?:\s+[-\u2013]\s.*)?)?\s+[-\u2013\u2014]\s+The Movie Database\b.*",
    re.I | re.S,
)


def website(page: Page) -> list[Record] | None:
    """A page of a film, or of what is none: a series, a person, a collection."""
    stated = _OWN_ADDRESS.search(page.body)
    path = stated[1].decode("utf-8", "replace").rstrip("/") if stated else page.path
    kind, head = _KIND.search(path), _HEAD_TITLE.search(page.body)
    named = _NAMED.fullmatch(unescape(head[1].decode("utf-8", "replace"))) if head else None
    if not kind or not named:
        return None
    score = _in_ring(page) or _of_ten(page)
    if not score and not stated:
        return None
    is_film = kind["kind"] == "movie"
    source_id = by_key(page.source).source_id(path) if is_film else None
    # Pages below a film's (its cast, its images) show no score.
    expected = not kind["below"] and is_film
    runtime = page.tree.select_one(".facts .runtime")
    return [
        Record(
            source=page.source,
            source_id=source_id,
            url=page.url,
            outcome=Outcome.OK if is_film else Outcome.NOT_A_FILM,
            kind=_KINDS[kind["kind"]],
            title=plain(named["title"]),
            year=int(named["year"]) if named["year"] else None,
            tmdb_id=int(source_id) if source_id else None,
            runtime_minutes=runtime_minutes(runtime.get_text()) if runtime and is_film else None,
            scores={_SCORE: score or missing(_SCORE)} if score or expected else {},
        )
    ]


def website_list(page: Page) -> list[Record] | None:
    """The films and series among the cards of a list or a search, which alone shows no rings."""
    if b'class="card' not in page.body or _KIND.search(page.path):
        return None
    records: dict[str, Record] = {}
    for card in page.tree.select(".card:has(h2)"):
        link = card.select_one("a[href]:has(h2), h2 a[href]")
        leads = _KIND.search(str(link["href"])) if link else None
        heading = card.select_one("h2")
        title = plain(next(heading.stripped_strings, None)) if heading else None
        if leads and leads["kind"] in {"movie", "tv"} and title:
            records.setdefault(leads[0], _of_card(page, card, leads[0], title))
    return list(records.values()) or None


def _of_card(page: Page, card: Tag, path: str, title: str) -> Record:
    shown = card.select_one(".release_date, h2 + p")
    year = _YEAR.search(shown.get_text()) if shown else None
    ring = card.select_one(".user_score_chart[data-percent]")
    source_id = by_key(page.source).source_id(path)  # of films alone
    return Record(
        source=page.source,
        source_id=source_id,
        url=by_key(page.source).page_url(source_id) if source_id else None,
        outcome=Outcome.OK if source_id else Outcome.NOT_A_FILM,
        kind="movie" if source_id else "tvSeries",
        title=title,
        year=int(year[0]) if year else None,
        tmdb_id=int(source_id) if source_id else None,
        scores={_SCORE: _of_ring(ring)} if ring else {},
    )


def _in_ring(page: Page) -> Score | None:
    ring = page.tree.select_one(_RING) if b"user_score_chart" in page.body else None
    return _of_ring(ring) if ring else None


def _of_ring(ring: Tag) -> Score:
    """The percentage as the figure of ten that it is; 0 stands in the ring of what nobody rated."""
    percent = figure(str(ring["data-percent"]))
    return read_score(_SCORE, percent and round(percent / 10, 3))


def _of_ten(page: Page) -> Score | None:
    value = page.tree.select_one("#rating_hint[itemprop=ratingValue]")
    votes = page.tree.select_one("[itemprop=ratingCount]")
    if value is None:
        return None
    score = read_score(_SCORE, value.get_text(), votes and votes.get_text())
    lost = not page.complete and score.state is ScoreState.NOT_RATED and not votes
    return missing(_SCORE) if lost else score

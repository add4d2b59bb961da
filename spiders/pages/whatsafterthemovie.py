"""What's After the Movie: film pages, read by their words, and the sitemap that lists them.

Text copies are all that is known of its pages, so nothing here relies on markup: a page, copied or
not, is lines of visible text. Its plot summary and quiz are its authors' text: that they exist is
kept, nothing else. The four sites' scores that it repeats are second-hand (`relayed`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from bs4 import Tag
from bs4.element import CData, NavigableString

from spiders.items import Credits, Outcome, Record, Score, ScoreState, Verdict
from spiders.pages.addresses import linked_url, own_source_id
from spiders.pages.numbers import figure, says_none
from spiders.pages.page import Page
from spiders.pages.scores import missing, read_score
from spiders.pages.statements import read_statement
from spiders.pages.verdicts import PLACES, Claims, places_in
from spiders.sources import by_key

_MARKUP = re.compile(rb"<(?:!doctype|html|head|body|main|div|article|section|p|h1)\b", re.I)
_END_OF_COPY = re.compile(r"©|\ball rights reserved\b", re.I)
_APOSTROPHES = str.maketrans("\u2019\u2018\u00a0", "'' ")

_QUESTION = re.compile(
    r"\bDoes\s+(?P<title>(?:(?!\bDoes\s).){1,200}?)\s+have\s+(?:an?\s+|any\s+)?"
    r"(?P<which>(?:(?:end|mid|post|after)[-\s]*)?credits?\s+scenes?)\s*\?",
    re.I | re.S,
)
_HEADING = re.compile(
    r"^\W*(?:ratings|movie quiz|quiz|plot summary|summary|overview|synopsis|trailers?|cast.*"
    r"|genres?|keywords?|themes?.*|similar movies.*|more movies.*|metacritic|rotten tomatoes"
    r"|©.*)\W*$",
    re.I | re.M,
)
_NOT_FOUND = re.compile(
    rb"<title[^<>]*>[^<]{0,60}(?:\b404\b|not found)|\A\s*(?:404\b|page not found)", re.I
)

_SITES: dict[str, str | None] = {
    "metacritic": "metacritic_user_score",
    "rotten tomatoes": "popcornmeter",
    "imdb": None,
    "tmdb": "tmdb_score",
}
_LABELS = {
    "metascore": ("metascore", "metacritic"),
    "tomatometer": ("tomatometer", "rotten tomatoes"),
    "audience score": ("popcornmeter", "rotten tomatoes"),
    "popcornmeter": ("popcornmeter", "rotten tomatoes"),
    "imdb rating": ("imdb_rating", "imdb"),
}
_KINDS = (
    "metascore",
    "metacritic_user_score",
    "tomatometer",
    "popcornmeter",
    "imdb_rating",
    "tmdb_score",
)
_RATINGS = re.compile(r"^ratings$", re.I | re.M)
_SCALES = {"tmdb_score": 100}
_OUT_OF_TEN = re.compile(r"/\s*10(?!\d)")
_LABEL = re.compile(
    r"(?<!\w)(?P<label>" + "|".join([*_LABELS, "user score", *_SITES]) + r")(?!\w)", re.I
)
_COUNTED = re.compile(
    r"(?P<votes>\d[\d,.]*\s?[KM]?\+?)\s*(?:critic |user |audience )?(?:reviews?|ratings?|votes?)\b",
    re.I,
)
_ICON = re.compile(r"\b(?:reviews?|ratings?|stars?|score|logo|icon)\b", re.I)
_TAIL = re.compile(r"(?:^|\s)(?P<value>[-+]?\d+(?:[.,]\d+)?(?:\s*/\s*10+)?(?:\s*%)?)\s*$")

_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]+)\s*(?:\]\]>)?\s*</loc>", re.I)
_IN_ROBOTS = re.compile(r"^\s*sitemap\s*:\s*(\S+)", re.I | re.M)


@dataclass(frozen=True)
class _Words:
    """The visible text of a page, one line a text; `complete` where its end is there."""

    lines: tuple[str, ...]
    complete: bool

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def _from_markup(page: Page) -> Sequence[Record] | None:
    """A film's page as the site serves it."""
    if not _MARKUP.search(page.body[:4096]) or not _may_be_film(page):
        return None
    return _film(page, _words(_visible(page.tree.body or page.tree), page.complete))


def _from_text(page: Page) -> Sequence[Record] | None:
    """A film's page as a copy of its text."""
    if _MARKUP.search(page.body[:4096]) or not _may_be_film(page):
        return None
    lines = page.text.splitlines()
    ended = any(_END_OF_COPY.search(line) for line in lines[-5:])
    return _film(page, _words(lines, ended))


def _may_be_film(page: Page) -> bool:
    return b"scene" in page.body and b"oes " in page.body


def _visible(tree: Tag) -> Iterator[str]:
    """The texts of a tree in their order, and what stands for its images."""
    for part in tree.descendants:
        if type(part) in (NavigableString, CData):
            yield str(part)
        elif isinstance(part, Tag) and part.name == "img":
            yield str(part.get("alt") or "")


def _words(lines: Sequence[str] | Iterator[str], complete: bool) -> _Words:
    kept = [
        line for line in (" ".join(line.translate(_APOSTROPHES).split()) for line in lines) if line
    ]
    return _Words(tuple(kept if complete else kept[:-1]), complete)  # the last may be cut short


def _film(page: Page, words: _Words) -> Sequence[Record] | None:
    asked = _QUESTION.search(words.text)
    source_id = own_source_id(page) if asked else None
    if not asked or not source_id:
        return None
    title = _folded(asked["title"])
    return [
        Record(
            source=page.source,
            source_id=source_id,
            url=page.url,
            title=title,
            year=_year(words.lines, title),
            offers=tuple(_offers(words.lines, title)),
            scores=_scores(words),
            credits=_credits(words, title),
        )
    ]


def _year(lines: tuple[str, ...], title: str) -> int | None:
    """The year that follows the title, on its line or on the next."""
    wanted = title.casefold()
    for line, following in pairwise((*lines, "")):
        if line.casefold().startswith(wanted):
            rest = line[len(wanted) :] or following
            if found := re.fullmatch(r"\W*((?:18[789]|19\d|20\d)\d)\W*", rest):
                return int(found[1])
    return None


def _offers(lines: tuple[str, ...], title: str) -> Iterator[str]:
    headings = {line.casefold().rstrip(": ") for line in lines}
    for heading, offer in (("plot summary", "plot_summary"), ("movie quiz", "quiz")):
        if heading in headings or f"{title} {heading}".casefold() in headings:
            yield offer


def _credits(words: _Words, title: str) -> Credits:
    """What stands between a question and the page's next part; each place may have its own."""
    text = words.text
    questions = list(_QUESTION.finditer(text))
    claims, counts = Claims(), list[int | None]()
    for question, following in zip_longest(questions, questions[1:]):
        end = following or _HEADING.search(text, question.end())
        if not end and not words.complete:
            return Credits()  # the sentence that tells of another scene may be lost
        if _folded(question["title"]) != title:
            continue  # a question about another film
        answer = text[question.end() : end.start() if end else None]
        said = read_statement(answer, title, places_in(question["which"]) or PLACES)
        counts.append(said.scene_count)
        claims.during |= {said.during} - {Verdict.UNKNOWN}
        claims.after |= {said.after} - {Verdict.UNKNOWN}
    during, after = claims.verdicts()
    none = claims.agree_on(Verdict.NO)
    count = 0 if none else counts[0] if len(counts) == 1 else None
    return Credits(during=during, after=after, scene_count=count)


def _folded(text: str) -> str:
    return " ".join(text.split())


def _scores(words: _Words) -> dict[str, Score]:
    """The relayed scores: each figure stands before its label, so a label closes its slot.

    A site's block is sure once the next one begins, or the page has ended: a figure behind its
    last label would mean that figures follow their labels, an order that is not known.
    """
    found: dict[str, Score] = {}
    block: dict[str, Score] = {}
    site, slot_from = "", 0
    text = words.text
    for label in _LABEL.finditer(text):
        name, slot = label["label"].casefold(), text[slot_from : label.start()]
        slot_from = label.end()
        if name in _SITES:
            if block and figure(_cleared(slot)) is not None:
                return {kind: _missing(kind) for kind in _KINDS}
            found, block, site = block | found, {}, name
            continue
        kind, site = _LABELS.get(name) or (_SITES.get(site), site)
        if kind and (score := _score(kind, slot)).state is not ScoreState.MISSING:
            block.setdefault(kind, score)
    if words.complete:
        if not found and not block and not _RATINGS.search(text):
            return {}
        found = block | found
    return {kind: found.get(kind) or _missing(kind) for kind in _KINDS}


def _score(kind: str, slot: str) -> Score:
    counted, rest = _COUNTED.search(slot), _cleared(slot)
    tail = _TAIL.search(rest)
    value = tail["value"] if tail else rest
    if figure(value) is None and not says_none(value):
        return _missing(kind)
    scale = None if _OUT_OF_TEN.search(value) else _SCALES.get(kind)
    votes = counted["votes"] if counted else None
    return read_score(kind, value, votes, relayed=True, scale_max=scale)


def _cleared(slot: str) -> str:
    """What a slot holds besides its count and the words that stand for icons."""
    return " ".join(_ICON.sub(" ", _COUNTED.sub(" ", slot)).split())


def _missing(kind: str) -> Score:
    return missing(kind, relayed=True, scale_max=_SCALES.get(kind))


def _sitemap(page: Page) -> Sequence[Record] | None:
    """The films of a sitemap: addresses are all that it gives. An index lists none itself."""
    if b"<sitemapindex" in page.body[:2000]:
        return []
    if b"<urlset" not in page.body[:2000]:
        return None
    source = by_key(page.source)
    listed = {
        source_id: url
        for location in _locations(page)
        if (url := linked_url(page, location)) and (source_id := source.source_id(url))
    }
    return [Record(source=page.source, source_id=key, url=url) for key, url in listed.items()]


def _locations(page: Page) -> list[str]:
    return [html.unescape(location) for location in _LOCATION.findall(page.text)]


def sitemaps(page: Page) -> tuple[str, ...]:
    """The sitemaps that a robots.txt or a sitemap index names."""
    if b"<sitemapindex" in page.body[:2000]:
        return tuple(_locations(page))
    return () if b"<urlset" in page.body[:2000] else tuple(_IN_ROBOTS.findall(page.text))


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """A page that says with status 200 that there is none."""
    if page.status == 200 and _NOT_FOUND.search(page.body[:4096]) and not _may_be_film(page):
        return Outcome.NOT_FOUND, "the page says that it was not found"
    return None


LAYOUTS = {"words": _from_markup, "text-copy": _from_text, "sitemap": _sitemap}

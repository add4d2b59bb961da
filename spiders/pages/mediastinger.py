"""MediaStinger: its lists by type of stinger, its lists with votes, and its film pages.

The site tells a scene from an extra (a sound, stills, an animation behind the names). Only a scene
is a yes; an extra is noted as such and leaves the place unknown. The descriptions of the scenes
are the site's own text and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from spiders.items import Credits, Outcome, Record, Verdict
from spiders.pages.addresses import (
    canonical_url,
    linked_url,
    live_url,
    on_same_host,
    own_source_id,
)
from spiders.pages.embedded import plain
from spiders.pages.listed_titles import listed_title
from spiders.pages.numbers import runtime_minutes
from spiders.pages.page import Page
from spiders.pages.verdicts import Claims, Place, in_order, places_in
from spiders.sources import by_key

_EXTRA = "bonus_scene"


class _Type(NamedTuple):
    """What one type of stinger says: of the place it names, never of the other."""

    place: Place
    verdict: Verdict | None
    extras: tuple[str, ...] = ()


_TYPES: dict[str, _Type | None] = {
    "no-post-credits-scene": _Type("after", Verdict.NO),
    "post-credits-scene": _Type("after", Verdict.YES),
    "post-credits-extra": _Type("after", None, (_EXTRA,)),
    "scene-during-credits": _Type("during", Verdict.YES),
    "extras-during-credits": _Type("during", None, (_EXTRA,)),
    "currently-no-after-credits-information": None,
}

_TYPE_PATH = re.compile(r"/type-of-stinger/(?P<type>[^/]+)")
_PAGE_PATH = re.compile(r"/page/(?P<number>\d+)/?$")
_NOT_LISTS = ("nav", "aside", "header", "footer")
_HIGHLIGHTS = "highlights"
_NOTHING_LISTED = re.compile(
    r"\b(?:no (?:posts|results|movies|films|stingers)|nothing)(?: was| were)? (?:found|here|yet)\b",
    re.I,
)
_WHOLE_NUMBER = re.compile(r"[-+\u2212]?\d[\d,]*")
_RUNNING_TIME = re.compile(r"Running Time:?\s*(?P<time>\d[^|\n]{0,20})", re.I)

# Read from the beginning of a summary or an answer: a description may begin with "No" too.
_DENIES = re.compile(
    r"\W*(?:there (?:is|are|was|were) )?(?:no(?=\W*$|\s*[.,!;:\u2013-])|none\b|nothing\b"
    r"|(?:no|zero) (?:\w+ )?"
    r"(?:extras?|scenes?|stingers?|bonus|additional|mid|post|during|after)\b)",
    re.I,
)
_AFFIRMS = re.compile(
    r"\W*(?:yes|(?:there (?:is|are) )?(?:(?:an?|one|two|three|several|\d+) )?"
    r"(?:(?:extra|bonus|brief|short) )*scenes?)\b",
    re.I,
)
_DENIES_TOO = re.compile(r"\b(?:no|not|none|nothing|neither|nor|without)\b|n['\u2019]t\b", re.I)
_DOES_NOT_KNOW = re.compile(r"\binformation\b|\bunknown\b|\bnot (?:known|sure|confirmed)\b", re.I)
_SCENE = re.compile(r"\bscenes?\b", re.I)
_OTHER_THAN_A_SCENE: dict[str, re.Pattern[str]] = {
    "audio": re.compile(r"\b(?:audio|sounds?|voices?)\b", re.I),
    "blooper": re.compile(r"\b(?:bloopers?|outtakes?)\b", re.I),
    "stills": re.compile(r"\b(?:stills?|photos?|pictures|images|art(?:work)?)\b", re.I),
    "dedication": re.compile(r"\b(?:dedicat\w+|memoriam|tribute)\b", re.I),
    _EXTRA: re.compile(r"\b(?:extras|animations?|footage|shots?|symbol|text|message)\b", re.I),
}


def _verdict_list(page: Page) -> Sequence[Record] | None:
    """A list of one type of stinger: its address is the verdict."""
    stinger = _listed_type(page)
    if stinger is None:
        return None
    # Lists of other films, in menus and beside the page, put the title inside the link.
    links = page.tree.select(".title > a[href]")
    rows = [row for row in _rows(page, links) if not row.item.find_parent("ul", class_=_HIGHLIGHTS)]
    if not rows:
        said_empty = page.complete and _NOTHING_LISTED.search(page.tree.get_text(" "))
        return [] if said_empty else None
    claims, extras = Claims(), set[str]()
    _add_type(stinger, claims, extras)
    said = _credits(claims, extras)
    return [row.record(page, said) for row in rows]


def _vote_list(page: Page) -> Sequence[Record] | None:
    """A list that shows the visitors' votes, and in a few words where something waits."""
    if _listed_type(page) or own_source_id(page):
        return None  # such lists stand beside other pages as well
    lists = page.tree.select(f"ul.{_HIGHLIGHTS}")
    main = [ul for ul in lists if "showhidehtml" in ul.get_attribute_list("class")] or lists
    links = [link for ul in main for link in ul.select("a[href]:has(.title), .title > a[href]")]
    return [row.record(page, _said_in_list(row.item)) for row in _rows(page, links)] or None


def _film(page: Page) -> Sequence[Record] | None:
    """The page of one film."""
    sections = page.tree.select_one("div.post_secwrapper")
    heading = page.tree.select_one("h1#posttxt") or (sections and page.tree.select_one("h1"))
    named = listed_title(heading.get_text(" ")) if heading else None
    # Pages of 2014 and before are named for what they tell: …-2014-extra-audio-after-the-credits.
    source_id = own_source_id(page) or _segment(canonical_url(page) or page.url)
    if not heading or not named or not source_id or not (page.complete or sections):
        return None  # cut within the title or the details, which tell a game from a film
    details = page.tree.select_one("div.post_firstwrapper")
    own = [part for part in (details, sections) if part]
    is_game = any(_links_to_games(part) for part in own)
    running = _RUNNING_TIME.search(details.get_text(" ")) if details else None
    return [
        Record(
            source=page.source,
            source_id=source_id,
            url=page.url,
            outcome=Outcome.NOT_A_FILM if is_game else Outcome.OK,
            kind="game" if is_game else None,
            title=named.title,
            year=named.year,
            runtime_minutes=runtime_minutes(running["time"]) if running else None,
            # What contradicts a claim may stand in the part that a cut page has lost.
            credits=_said_on_page(page, own) if page.complete and not is_game else None,
        )
    ]


class _Row(NamedTuple):
    """One film of a list, and the element that holds all that the list says of it."""

    item: Tag
    source_id: str
    title: str
    year: int | None

    def record(self, page: Page, said: Credits) -> Record:
        is_game = _links_to_games(self.item)
        return Record(
            source=page.source,
            source_id=self.source_id,
            url=by_key(page.source).page_url(self.source_id),
            outcome=Outcome.NOT_A_FILM if is_game else Outcome.OK,
            kind="game" if is_game else None,
            title=self.title,
            year=self.year,
            credits=None if is_game else said,
        )


def _rows(page: Page, links: list[Tag]) -> Iterator[_Row]:
    """The films that some links of a list lead to."""
    if not page.complete:
        links = links[:-1]  # the last one may be cut short
    for link in links:
        title = link.select_one(".title") or link
        named = listed_title(title.get_text(" "))
        url = linked_url(page, str(link["href"]))
        source_id = _segment(url) if url else None
        if named and source_id and not link.find_parent(_NOT_LISTS):
            item = link.find_parent(["li", "article"]) or link.parent or link
            yield _Row(item, source_id, named.title, named.year)


def _segment(url: str) -> str | None:
    """The source_id of a film's page: whatever the one segment of its path is."""
    segments = unquote(urlsplit(live_url(url)).path).strip("/").split("/")
    return segments[0] or None if len(segments) == 1 else None


def _listed_type(page: Page) -> str | None:
    """The type of stinger that a list page says it lists, else the one in the URL asked."""
    return _type_in(canonical_url(page) or "") or _type_in(live_url(page.url))


def _links_to_games(part: Tag) -> bool:
    return bool(part.select_one('a[href*="video-games"]'))


def _type_in(url: str) -> str | None:
    found = _TYPE_PATH.search(urlsplit(url).path)
    return found["type"] if found and found["type"] in _TYPES else None


def _add_type(stinger: str, claims: Claims, extras: set[str]) -> None:
    if says := _TYPES[stinger]:
        extras.update(says.extras)
        if says.verdict:
            claims.add(says.verdict, (says.place,))


def _said_in_list(item: Tag) -> Credits:
    claims, extras = Claims(), set[str]()
    if subtitle := item.select_one(".subtitle"):
        _add_phrase(_beginning(subtitle), claims, extras)
    votes = (_number(e) for e in item.select("span > div") if not e.find_parent("a"))
    return _credits(claims, extras, next((v for v in votes if v is not None), None))


def _said_on_page(page: Page, own: list[Tag]) -> Credits:
    claims, extras = Claims(), set[str]()
    for summary in page.tree.select(".groupingforseo"):
        _add_phrase(_beginning(summary), claims, extras)
    for part in own:
        for link in part.select('a[href*="/type-of-stinger/"]'):
            if stinger := _type_in(linked_url(page, str(link["href"])) or ""):
                _add_type(stinger, claims, extras)
        for heading in part.select("h2, h3, h4"):
            _add_section(heading, claims)
    votes = page.tree.select_one("#ratingfirstdiv_id")
    return _credits(claims, extras, _number(votes) if votes else None)


def _add_phrase(text: str, claims: Claims, extras: set[str]) -> None:
    """Add what a summary says: `Extra Scenes During and After the Credits`, `Extra Audio …`."""
    if _DOES_NOT_KNOW.search(text):
        return
    places = places_in(text)
    other = {word for word, named in _OTHER_THAN_A_SCENE.items() if named.search(text)}
    if _DENIES.match(text):
        if not re.search(r"\b(?:but|except|only)\b", text, re.I):
            claims.add(Verdict.NO, places)
    elif not other and _SCENE.search(text):
        if not _DENIES_TOO.search(text):  # or it denies one of the places, which is not told here
            claims.add(Verdict.YES, places)
    elif places:
        # Scenes and other things in one phrase: which of them waits where, it does not say.
        extras.update(other or ({_EXTRA} if re.search(r"\bextra\b", text, re.I) else ()))


def _add_section(heading: Tag, claims: Claims) -> None:
    """Add the answer below a heading that names one place: only how it begins is read."""
    places = places_in(_beginning(heading))
    below = heading.find_next_sibling()
    answer = _beginning(below) if below and below.name not in ("h2", "h3", "h4") else ""
    if len(places) != 1 or _DOES_NOT_KNOW.search(answer):
        return
    if _DENIES.match(answer):
        claims.add(Verdict.NO, places)
    elif _AFFIRMS.match(answer):
        claims.add(Verdict.YES, places)


def _beginning(element: Tag) -> str:
    return element.get_text(" ")[:200]


def _credits(claims: Claims, extras: set[str], votes: int | None = None) -> Credits:
    during, after = claims.verdicts()
    return Credits(
        during=during,
        after=after,
        scene_count=0 if claims.agree_on(Verdict.NO) else None,
        extras=in_order(extras),
        worth_staying=votes,
    )


def _number(element: Tag) -> int | None:
    text = (plain(element.get_text()) or "").replace("\u2212", "-")
    return int(text.replace(",", "")) if _WHOLE_NUMBER.fullmatch(text) else None


def next_page(page: Page) -> str | None:
    """The address of the next page of a list, or None on its last page."""
    stated = page.tree.select_one(
        'link[rel~="next"][href], a[rel~="next"][href], a[title="Next page"][href], a.next[href]'
    )
    if stated:
        return on_same_host(page, str(stated["href"]))
    path = urlsplit(live_url(page.url)).path
    here, number = _list_path(path), _PAGE_PATH.search(path)
    following = int(number["number"]) + 1 if number else 2
    for link in page.tree.select('a[href*="/page/"]'):
        address = on_same_host(page, str(link["href"]))
        found = _PAGE_PATH.search(urlsplit(address).path) if address else None
        if found and int(found["number"]) == following and _list_path(found.string) == here:
            return address
    return None


def _list_path(path: str) -> str:
    """The path of a list without the number of its page."""
    return _PAGE_PATH.sub("", path).strip("/")


LAYOUTS = {"film": _film, "verdict-list": _verdict_list, "vote-list": _vote_list}

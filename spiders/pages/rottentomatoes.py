"""Rotten Tomatoes: film pages from 2008 to 2026, search results and lists of films.

Layouts of 2021 and later are read from the bytes: the one script or element that holds the scores,
and nothing that stands outside it, since carousels of other films use the same slots and the page's
own scripts carry what the server last showed to somebody else. Older layouts are visible markup.

What an old page calls "want to see" is no score, an unpublished score may have ratings already
(they are its `votes`), and release dates are left out: the site shows those of the United States,
and of re-releases.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from spiders.items import Outcome, Person, Record, Score, ScoreState
from spiders.pages.addresses import live_url
from spiders.pages.embedded import json_ld, object_at, plain, script_json
from spiders.pages.numbers import count, figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.rottentomatoes_api import (
    films_of_the_api,
    found_by_the_api,
    listed_by_the_api,
)
from spiders.pages.rottentomatoes_lists import listed_with_meters
from spiders.pages.scores import missing, read_score
from spiders.sources import by_key, score_kind

_CRITICS = "tomatometer"
_AUDIENCE = "popcornmeter"

_YEAR = r"(?P<year>(?:18[789]|19\d|20\d)\d)"
_TITLE_AND_YEAR = re.compile(rf"(?P<title>.*\S)\s*\({_YEAR}\)")
_BARE_YEAR = re.compile(rf"{_YEAR},?")
_RELEASE_YEAR = re.compile(rb'"releaseYear"\s*:\s*"?((?:18[789]|19\d|20\d)\d)\b')
_RUNTIME = re.compile(r"(?:\d+h)?\s*(?:\d+m)?")
_RUNTIME_ITEM = re.compile(
    rb">Runtime</rt-text>.{0,400}?data-qa=\"item-value\"[^>]*>\s*([^<]+?)\s*<", re.S
)
_TAG = re.compile(r"<[^>]*>")
_HEAD_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title>", re.I)
_SITE_NAME = re.compile(r"(?:\s+-\s+Movie Reviews)?\s+[-|]\s+Rotten Tomatoes$")
_NOT_FOUND = re.compile(
    rb"<(?:title|h1)\b[^<>]*>\s*(?:Rotten Tomatoes\s*[-:|]\s*)?"
    rb"(?:(?P<code>404)\W+(?:Page\s+)?Not Found|Page Not Found)\b",
    re.I,
)
_OWN_ADDRESSES = (
    (b'rel="canonical"', "href"),
    (b'property="og:url"', "content"),
)
_KIND_OF_TYPE = {
    "movie": "movie",
    "tvseries": "tvSeries",
    "tvseason": "tvSeries",
    "tvepisode": "tvEpisode",
    "celebrity": "person",
    "critic": "person",
    "critics": "person",
}
_MARKS = frozenset(
    {"positive", "negative", "fresh", "rotten", "certified-fresh", "certified_fresh"}
    | {"upright", "spilled"}
)
_ROLES = (
    ("director", "director"),
    ("author", "writer"),
    ("actor", "cast"),
    ("actors", "cast"),
)


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """A page that says "404 - Not Found" though its status is 200."""
    said = _NOT_FOUND.search(page.body)
    if said and (said["code"] or not _own_path(page, stated_only=True).startswith("/m/")):
        return Outcome.NOT_FOUND, "the page says that it was not found"
    return None


# Scorecard: since March 2024.


def _scorecard(page: Page) -> list[Record] | None:
    card = script_json(page.body, b'id="media-scorecard-json"')
    shown = _element(page.body, b"<media-scorecard")
    if isinstance(card, dict):
        scores = _card_scores(card)
    elif shown is not None:  # the script is cut off or not there; what people see may be
        scores = _slot_scores(page, shown)
    elif b'id="media-scorecard-json"' in page.body:
        scores = {_CRITICS: missing(_CRITICS), _AUDIENCE: missing(_AUDIENCE)}
    else:
        return None
    hero = _element(page.body, b"<media-hero") or b""
    vanity = _mapping(script_json(page.body, b'data-json="vanity"'))
    overlay = _mapping(_mapping(card).get("overlay"))
    linked = _linked(page)
    props = [_text(prop) for prop in _slots(hero, "metadata-prop", "metadataProp")]
    runtimes = [prop for prop in props if prop and _RUNTIME.fullmatch(prop.rstrip(","))]
    item = _RUNTIME_ITEM.search(page.body) if not runtimes else None
    return [
        _record(
            page,
            scores,
            title=vanity.get("title") or linked.get("name") or _text(_slot(hero, "title")),
            year=_release_year(page) or (_shown_year(props) if page.complete else None),
            runtime=runtime_minutes(runtimes[0] if runtimes else item and _text(item[1])),
            linked=linked,
            kinds=(overlay.get("mediaType"), vanity.get("mediaType"), vanity.get("type")),
        )
    ]


def _card_scores(card: Mapping[str, Any]) -> dict[str, Score]:
    overlay = _mapping(card.get("overlay"))
    critics = _first_mapping(card.get("criticsScore"), overlay.get("criticsAll"))
    # The card shows one of the two audience scores: the other, in the overlay, is not its figure.
    verified = "audienceVerified" if overlay.get("hasAudienceVerified") is True else "audienceAll"
    audience = _first_mapping(card.get("audienceScore"), overlay.get(verified))
    if str(card.get("hideAudienceScore")).casefold() == "true":
        audience = {}
    return {
        _CRITICS: _part_score(_CRITICS, critics),
        _AUDIENCE: _part_score(_AUDIENCE, audience),
    }


def _part_score(kind: str, part: Mapping[str, Any] | None) -> Score:
    """The score of one JSON object: `score` in most, `value` early in 2024."""
    if part is None:
        return missing(kind)
    raw = _first(part, "score", "value", "scorePercent")
    votes, basis = _first(part, "ratingCount", "numberOfReviews", "reviewCount"), None
    if kind == _AUDIENCE:  # people who rated, of whom those who wrote a review are a few
        band = _string(part.get("bandedRatingCount"))
        votes = band or part.get("ratingCount")
        shown = str(part.get("scoreType")).upper()
        basis = {"ALL": "all", "VERIFIED": "verified"}.get(shown) or _basis(band)
    mark = _first(part, "sentiment", "scoreSentiment", "tomatometerState", "audienceClass")
    return _score(kind, raw, votes, basis=basis, rated=_marked(mark))


def _slot_scores(page: Page, shown: bytes) -> dict[str, Score]:
    audience = _slot_score(
        page, _AUDIENCE, shown, ("audience-score", "audienceScore"), "audience-reviews"
    )
    if _attribute(shown, "hide-audience-score") == "true":
        audience = _score(_AUDIENCE, None)
    return {
        _CRITICS: _slot_score(
            page, _CRITICS, shown, ("critics-score", "criticsScore"), "critics-reviews"
        ),
        _AUDIENCE: audience,
    }


def _slot_score(page: Page, kind: str, shown: bytes, names: tuple[str, ...], reviews: str) -> Score:
    value = _slot(shown, *names)
    if value is None:
        return missing(kind)
    camel = reviews.replace("-reviews", "Reviews")
    votes = _text(_slot(shown, reviews, camel))
    basis = _basis(votes) if kind == _AUDIENCE else None
    return _shown(page, kind, _text(value), votes, basis)


# Score board: 2021 to early 2024.


def _score_board(page: Page) -> list[Record] | None:
    board = _board(page.body)
    if board is None:
        return None
    critics, audience = _slot(board, "critics-count"), _slot(board, "audience-count")
    want_to_see = "want to see" in (_text(audience) or "").casefold()
    scores = {
        _CRITICS: _score(
            _CRITICS,
            _attribute(board, "tomatometerscore"),
            _text(critics),
            rated=_marked(_attribute(board, "tomatometerstate")),
        ),
        _AUDIENCE: _score(
            _AUDIENCE,
            None if want_to_see else _attribute(board, "audiencescore"),
            _text(audience),
            basis=_basis(_text(audience)),
            rated=_marked(_attribute(board, "audiencestate")),
        ),
    }
    return [_described(page, scores, _text(_slot(board, "title")), _text(_slot(board, "info")))]


def _board(body: bytes) -> bytes | None:
    """The first score board whose opening tag is whole and holds the scores."""
    at = body.find(b"<score-board")
    while at != -1:
        opening = body[at : body.find(b">", at) + 1]
        if b"tomatometerscore=" in opening and b"audiencescore=" in opening:
            end = body.find(b"</score-board", at)
            return body[at : end if end != -1 else at + 8192]
        at = body.find(b"<score-board", at + 1)
    return None


def _score_details(page: Page) -> list[Record] | None:
    details = script_json(page.body, b'id="scoreDetails"')
    if not isinstance(details, dict):
        details = script_json(page.body, b'id="score-details-json"')
    if not isinstance(details, dict) or not {"modal", "scoreboard"} & details.keys():
        return None
    modal, board = _mapping(details.get("modal")), _mapping(details.get("scoreboard"))
    flags = modal.get("hasAudienceScoreVerified"), board.get("hasVerifiedAudienceScore")
    chosen = modal.get("audienceScoreVerified" if True in flags else "audienceScoreAll")
    critics = _first_mapping(modal.get("tomatometerScoreAll"), board.get("tomatometerScore"))
    audience = _first_mapping(board.get("audienceScore"), chosen)
    if critics is None and "tomatometerCount" in board:  # the bare figures, where the modal is not
        critics = {"score": board.get("tomatometerScore"), "ratingCount": board["tomatometerCount"]}
    if audience is None and "audienceScore" in board:  # their count may be of reviews
        audience = {"score": board["audienceScore"]}
    scores = {
        _CRITICS: _part_score(_CRITICS, critics),
        _AUDIENCE: _part_score(_AUDIENCE, audience),
    }
    return [_described(page, scores, board.get("title"), board.get("info"))]


def _described(page: Page, scores: dict[str, Score], title: object, info: object) -> Record:
    """A record of a score board, whose `info` reads `1996, Comedy, 1h 32m` or lacks parts."""
    parts = [part.strip() for part in (plain(info) or "").split(",")]
    linked = _linked(page)
    return _record(
        page,
        scores,
        title=title or linked.get("name"),
        year=_bare_year(parts[0]),
        runtime=runtime_minutes(parts[-1]) if _RUNTIME.fullmatch(parts[-1]) else None,
        linked=linked,
    )


# Ratings wrap: 2019 and 2020.


def _ratings_wrap(page: Page) -> list[Record] | None:
    # The style sheet of 2021 still names these classes: only an element of the class counts.
    if b'class="mop-ratings-wrap' not in page.body:
        return None
    tree = page.tree
    scores = {_CRITICS: missing(_CRITICS), _AUDIENCE: missing(_AUDIENCE)}
    for position, half in enumerate(tree.select(".mop-ratings-wrap__half")[:2]):
        words = _words(half)
        classes = half.get_attribute_list("class")
        kind = _AUDIENCE if position or "audience-score" in classes else _CRITICS
        value = half.select_one(".mop-ratings-wrap__percentage")
        votes = _counted(words, "(?:Total Count|(?:User|Verified) Ratings)")
        basis = _basis(words) if kind == _AUDIENCE else None
        scores[kind] = _shown(page, kind, _words(value), votes, basis)
    linked = _linked(page)
    heading = _words(tree.select_one("h1.mop-ratings-wrap__title--top, h1.title"))
    return [
        _record(
            page,
            scores,
            title=linked.get("name") or heading,
            year=_bare_year(_words(tree.select_one(".h3.year"))),
            runtime=runtime_minutes(_labelled(tree, "Runtime")),
            linked=linked,
        )
    ]


_SCORE_INFO = re.compile(rb"\bscoreInfo\s*=\s*(?=\{)")


def _score_info(page: Page) -> list[Record] | None:
    """The same scores as data, 2019 to 2021: `context.scoreInfo = {…}` in a script."""
    found = _SCORE_INFO.search(page.body)
    info = object_at(page.body, found.end()) if found else None
    if not isinstance(info, dict) or "tomatometerAllCritics" not in info:
        return None
    verified, everybody = info.get("audienceVerified"), info.get("audienceAll")
    audience = verified if figure(_mapping(verified).get("score")) is not None else everybody
    scores = {
        _CRITICS: _part_score(_CRITICS, _first_mapping(info["tomatometerAllCritics"])),
        _AUDIENCE: _part_score(_AUDIENCE, _first_mapping(audience)),
    }
    linked = _linked(page)
    return [_record(page, scores, title=linked.get("name"), linked=linked)]


# Meters: 2011 to 2018.


def _meter(page: Page) -> list[Record] | None:
    if b'id="all-critics-numbers"' not in page.body and b'class="tomato_numbers' not in page.body:
        return None
    tree = page.tree
    # Of the two tabs, "All Critics" is the site's figure; "Top Critics" is another one.
    critics = tree.select_one("#all-critics-numbers, .tomato_numbers")
    audience = tree.select_one(".audience-panel, .audiencepanel, .fan_side")
    scores = {
        _CRITICS: _meter_score(page, _CRITICS, critics, "Reviews Counted"),
        _AUDIENCE: _meter_score(page, _AUDIENCE, audience, "User Ratings"),
    }
    return [_headed(page, tree, scores, _linked(page))]


def _meter_score(page: Page, kind: str, panel: Tag | None, counted: str) -> Score:
    if panel is None:
        return missing(kind)
    words = _words(panel)
    value = panel.select_one(".meter-value, .meter.numeric")
    if kind == _AUDIENCE:
        if "want to see" in words or panel.select_one(".wts"):
            return _score(kind, None)  # no score, and the number of those who say so no votes
        if value and not page.complete and "liked it" not in words:
            return missing(kind)  # cut before the words that tell a score from "want to see"
    return _shown(page, kind, _words(value), _counted(words, counted))


# Dialog: 2008 to 2010, the critics' figure alone.


def _dialog(page: Page) -> list[Record] | None:
    if not re.search(rb"id=\"(?:critics_)?tomatometer_score(?:_txt)?\"", page.body):
        return None
    tree = page.tree
    selected = tree.select_one("#tomatometer_nav .ui-tabs-selected")
    slot = tree.select_one("#tomatometer_score, #critics_tomatometer_score")
    slot = slot or tree.select_one("#critics_tomatometer_score_txt")
    score = missing(_CRITICS)
    if selected and "T-Meter" not in _words(selected):
        pass  # the figure below is the Top Critics' or the community's
    elif slot:
        value = slot.select_one(".percent")
        data = tree.select_one("#tomatometer_data, #critics_tomatometer_numbers_txt")
        votes = _counted(_words(data), "Reviews Counted")
        score = _shown(page, _CRITICS, _words(value or slot).rstrip("% "), votes)
    return [_headed(page, tree, {_CRITICS: score}, {})]


def _headed(
    page: Page, tree: BeautifulSoup, scores: dict[str, Score], linked: Mapping[str, Any]
) -> Record:
    """A record of a page whose heading reads `Skyfall (2012)`."""
    # An archive's own heading may stand before the page's.
    own = tree.select_one("h1.movie_title, h1#movie-title, h1.title")
    heading = own or tree.select_one("h1")
    title, year = _split_title(_words(heading))
    directors = (_labelled(tree, "Directed By") or _labelled(tree, "Director") or "").split(",")
    genres = [_words(genre) for genre in tree.select('[itemprop="genre"], [property="v:genre"]')]
    return _record(
        page,
        scores,
        title=title or linked.get("name"),
        year=year,
        runtime=runtime_minutes(_labelled(tree, "Runtime")),
        linked={"genre": genres, "director": directors, **linked},
    )


# Lists: search results and browsing.

_ROW = re.compile(
    rb"<search-page-media-row\b(?P<opening>[^<>]*>)(?P<inside>.*?)</search-page-media-row>", re.S
)
_LINK = re.compile(rb"(?P<opening><a\b[^<>]*>)(?P<inside>.*?)</a>", re.S)
_TILE_TITLE = b'data-qa="discovery-media-list-item-title"'
_TILE = re.compile(rb"<score-pairs(?:-deprecated)?\b[^<>]*>")


def _search(page: Page) -> list[Record] | None:
    if b"<search-page-media-row" not in page.body and not re.search(
        rb"<search-page-result\b|<title[^<>]*>\s*Search Results", page.body
    ):
        return None
    return [record for row in _ROW.finditer(page.body) if (record := _search_row(page, row))]


def _search_row(page: Page, row: re.Match[bytes]) -> Record | None:
    opening = row["opening"]
    links = [
        link
        for link in _LINK.finditer(row["inside"])
        if _attribute(link["opening"], "slot") == "title"
        or _attribute(link["opening"], "data-qa") == "info-name"
    ]
    if not links:
        return None
    score = _score(
        _CRITICS,
        _attribute(opening, "tomatometer-score", "tomatometerscore"),
        rated=_marked(_attribute(opening, "tomatometer-sentiment", "tomatometerstate")),
    )
    cast = [name.strip() for name in (_attribute(opening, "cast") or "").split(",")]
    return _listed(
        page,
        links[0]["opening"],
        _text(links[0]["inside"]),
        {_CRITICS: score},
        year=_bare_year(_attribute(opening, "release-year", "releaseyear")),
        people=_people({"actor": cast}),
    )


def _browse(page: Page) -> list[Record] | None:
    if _TILE_TITLE not in page.body:
        return None
    return [record for tile in _tiles(page.body) if (record := _tile(page, tile))]


def _tiles(body: bytes) -> Iterator[bytes]:
    """Each link that holds a tile's title, whole: a tile that is cut off says nothing."""
    at = body.find(_TILE_TITLE)
    while at != -1:
        start, end = body.rfind(b"<a ", 0, at), body.find(b"</a>", at)
        if start != -1 and end != -1 and b"</a>" not in body[start:at]:
            yield body[start:end]
        at = body.find(_TILE_TITLE, at + 1)


def _tile(page: Page, tile: bytes) -> Record | None:
    title = re.search(re.escape(_TILE_TITLE) + rb"[^>]*>(.*?)</", tile, re.S)
    pair = _TILE.search(tile)
    scores = {
        kind: _pair_score(kind, tile, pair[0] if pair else b"", *names)
        for kind, names in (
            (_CRITICS, ("critics-score", "criticsScore")),
            (_AUDIENCE, ("audience-score", "audienceScore")),
        )
    }
    opening = tile[: tile.find(b">") + 1]
    return _listed(page, opening, _text(title and title[1]), scores)


def _pair_score(kind: str, tile: bytes, pair: bytes, *names: str) -> Score:
    side = names[0].partition("-")[0]
    stated = _attribute(pair, f"{side}score")
    if stated is not None:  # until 2023 the pair's attributes, since then its slots
        return _score(kind, stated, rated=_marked(_attribute(pair, f"{side}sentiment")))
    if slot := _slot(tile, *names):
        return _score(kind, _text(slot), rated=True)
    return _score(kind, None) if pair else missing(kind)


def _listed(
    page: Page,
    link: bytes,
    title: str | None,
    scores: dict[str, Score],
    *,
    year: int | None = None,
    people: tuple[Person, ...] = (),
) -> Record | None:
    """A record of one row of a list; None where it leads to a series, a person or nowhere."""
    url = urljoin("https://www.rottentomatoes.com/", live_url(_attribute(link, "href") or ""))
    source_id = by_key(page.source).source_id(url)
    if not source_id or not title:
        return None
    name, named_year = _split_title(title)
    return Record(
        source=page.source,
        source_id=source_id,
        url=by_key(page.source).page_url(source_id),
        title=name,
        year=year or named_year,
        kind="movie",
        people=people,
        scores=scores,
    )


# What is left: pages that hold no score of a known layout.


def _linked_only(page: Page) -> list[Record] | None:
    linked = _linked(page)
    if not linked:
        return None
    scores = {_CRITICS: missing(_CRITICS)}
    if _own_path(page).count("/") <= 2:  # a page of reviews or cast need not show it
        scores[_AUDIENCE] = missing(_AUDIENCE)
    item = _RUNTIME_ITEM.search(page.body)
    return [
        _record(
            page,
            scores,
            title=linked.get("name"),
            year=_release_year(page),
            runtime=runtime_minutes(item and _text(item[1])),
            linked=linked,
        )
    ]


def _something_else(page: Page) -> list[Record] | None:
    path = _own_path(page, stated_only=True)
    if not path.startswith(("/tv/", "/celebrity/", "/critic/", "/critics/")):
        return None
    return [_record(page, {}, title=_head_title(page), kinds=(path.split("/")[1],))]


# Records: what all layouts share.


def _record(
    page: Page,
    scores: dict[str, Score],
    *,
    title: object,
    year: int | None = None,
    runtime: int | None = None,
    linked: Mapping[str, Any] | None = None,
    kinds: Iterable[object] = (),
) -> Record:
    linked = linked or {}
    rating = _mapping(linked.get("aggregateRating"))
    expected = scores.get(_CRITICS)
    # JSON-LD has the critics' figure alone, and says nothing where there is none yet.
    is_its = rating.get("name") == "Tomatometer" and figure(rating.get("bestRating")) in (None, 100)
    if expected and expected.state is ScoreState.MISSING and is_its:
        votes = _first(rating, "ratingCount", "reviewCount")
        scores = scores | {_CRITICS: _score(_CRITICS, rating.get("ratingValue"), votes)}
    name, named_year = _split_title(plain(title) or _head_title(page))
    path = _own_path(page, _string(linked.get("url")))
    kind = _kind(path, (linked.get("@type"), *kinds))
    return Record(
        source=page.source,
        source_id=by_key(page.source).source_id(path),
        url=page.url,
        outcome=Outcome.OK if kind in (None, "movie") else Outcome.NOT_A_FILM,
        title=name or None,
        year=year or named_year or _split_title(_head_title(page))[1],
        kind=kind,
        runtime_minutes=runtime,
        genres=tuple(filter(None, map(plain, _list(linked.get("genre"))))),
        people=_people(linked),
        scores=scores,
    )


def _kind(path: str, stated: Iterable[object]) -> str | None:
    """What a page is of: IMDb's words for films and series, the site's own for the rest."""
    section = path.split("/")[1] if path.startswith("/") else ""
    words = [str(word).casefold() for word in stated if word]
    kinds = [_KIND_OF_TYPE.get(word, word) for word in words]
    if section == "tv":
        kinds.append("tvEpisode" if re.search(r"/e\d+$", path) else "tvSeries")
    others = [kind for kind in kinds if kind in ("tvSeries", "tvEpisode")]
    if others:
        return others[0]
    if section == "m" or "movie" in kinds:
        return "movie"
    return next(iter(kinds), None)


def _people(linked: Mapping[str, Any]) -> tuple[Person, ...]:
    people: dict[tuple[str, str], Person] = {}
    for key, role in _ROLES:
        for position, person in enumerate(_list(linked.get(key))):
            name = plain(person.get("name") if isinstance(person, dict) else person)
            if name and name != "NA":  # the pages of 2022 name everybody so
                people.setdefault((role, name), Person(name=name, role=role, position=position))
    return tuple(people.values())


def _linked(page: Page) -> Mapping[str, Any]:
    """The JSON-LD of the film or series that the page is of, or an empty mapping.

    Other films' may stand before it. Where the page does not say which one it is of, the one that
    was asked goes before the first.
    """
    found = [
        (stated, _path(_string(stated.get("url"))))
        for stated in json_ld(page.body)
        if str(stated.get("@type")).startswith(("Movie", "TV"))
    ]
    own = _own_path(page, stated_only=True)
    if own:
        found = [one for one in found if not one[1] or f"{own}/".startswith(f"{one[1]}/")]
    asked = _path(page.url)
    found.sort(key=lambda one: one[1] != asked)
    return found[0][0] if found else {}


def _own_path(page: Page, linked: str | None = None, *, stated_only: bool = False) -> str:
    """The path of what the page says that it shows, else of the URL asked (or "")."""
    stated = [_attribute(_opening(page.body, marker), name) for marker, name in _OWN_ADDRESSES]
    stated.append(linked)
    addresses = (*stated, None if stated_only else page.url)
    return next(filter(None, map(_path, addresses)), "")


def _path(address: str | None) -> str:
    return unquote(urlsplit(live_url(address or "")).path).rstrip("/")


def _release_year(page: Page) -> int | None:
    """The film's year in the page's data: beside its offers, or one that all data agree on."""
    offers = _mapping(script_json(page.body, b'id="where-to-watch-json"'))
    if year := _bare_year(offers.get("releaseYear")):
        return year
    years = set(_RELEASE_YEAR.findall(page.body))
    return int(years.pop()) if len(years) == 1 else None


def _shown_year(props: Iterable[str | None]) -> int | None:
    """The year shown under the title: that of the release in the United States, so a last resort.

    Not read off a page that is cut off: the data that hold the film's own year come after it.
    """
    return next(filter(None, map(_bare_year, props)), None)


def _bare_year(text: object) -> int | None:
    found = _BARE_YEAR.fullmatch(str(text or "").strip())
    return int(found["year"]) if found else None


def _split_title(text: str | None) -> tuple[str, int | None]:
    """`Dune (2021)` as its title and year."""
    found = _TITLE_AND_YEAR.fullmatch(text or "")
    return (found["title"], int(found["year"])) if found else (text or "", None)


def _head_title(page: Page) -> str:
    found = _HEAD_TITLE.search(page.body)
    title = _text(found[1]) if found else None
    title = title or _attribute(_opening(page.body, b'property="og:title"'), "content")
    return _SITE_NAME.sub("", title or "")


def _basis(words: str | None) -> str | None:
    """Whose ratings a count is of, since May 2019: `all`, or those with a `verified` ticket."""
    words = (words or "").casefold()
    return "verified" if "verified" in words else "all" if "rating" in words else None


# Slots: from what stands there to a score.


def _score(
    kind: str,
    raw: object,
    votes: object = None,
    *,
    basis: str | None = None,
    rated: bool = False,
) -> Score:
    """`read_score`; a 0 that the page shows as rotten (`rated`) is true without a count too."""
    if isinstance(raw, list | dict):
        return missing(kind)
    counted = count(votes) if isinstance(votes, str | int | float) else None
    if rated and counted is None and figure(raw) == 0:
        scale = score_kind(kind).scale_max
        return Score(state=ScoreState.SCORED, value=0, scale_max=scale, basis=basis)
    return read_score(kind, raw, counted, basis=basis)


def _shown(
    page: Page, kind: str, raw: str | None, votes: str | None, basis: str | None = None
) -> Score:
    """A score of visible markup: where the page is cut off, none there may be one not yet there."""
    score = _score(kind, raw, votes, basis=basis, rated=True)
    cut = score.state is ScoreState.NOT_RATED and not page.complete
    return missing(kind) if cut else score


def _marked(mark: object) -> bool:
    """Whether the page marks a score as good or bad: it does so only where there is one."""
    return isinstance(mark, str) and mark.casefold() in _MARKS


def _counted(words: str, label: str) -> str | None:
    found = re.search(rf"{label}\s*:\s*(\d[\d.,]*\s?[KM]?\b\+?)", words, re.I)
    return found[1] if found else None


# Markup: in the bytes, or in a tree of old pages.


def _element(body: bytes, opening: bytes) -> bytes | None:
    """The first element of a name (`<media-hero`), to its end or that of a page cut off."""
    found = re.search(re.escape(opening) + rb"[\s>]", body)
    if not found:
        return None
    end = body.find(b"</" + opening[1:] + b">", found.start())
    return body[found.start() : end if end != -1 else None]


def _slots(element: bytes, *names: str) -> Iterator[bytes]:
    """What stands in each whole child with `slot="…"`, its own markup included."""
    wanted = "|".join(map(re.escape, names)).encode()
    for found in re.finditer(
        rb"<(?P<tag>[a-z][\w-]*)\b[^<>]*?(?<![\w-])slot=\"(?:" + wanted + rb")\"[^<>]*>"
        rb"(?P<inside>.*?)</(?P=tag)>",
        element,
        re.S,
    ):
        yield found["inside"]


def _slot(element: bytes, *names: str) -> bytes | None:
    return next(_slots(element, *names), None)


def _opening(body: bytes, marker: bytes) -> bytes:
    """The whole opening tag that holds a marker, or nothing."""
    at = body.find(marker)
    return body[body.rfind(b"<", 0, at) : body.find(b">", at) + 1] if at != -1 else b""


def _attribute(opening: bytes, *names: str) -> str | None:
    """The first attribute of these names in the first tag of some bytes."""
    tag = opening[: opening.find(b">") + 1]
    for name in names:
        found = re.search(rb"(?<![\w-])" + name.encode() + rb"=(?:\"([^\"]*)\"|'([^']*)')", tag)
        if found:
            value = found[1] if found[1] is not None else found[2]
            return html.unescape(value.decode("utf-8", "replace")).strip()
    return None


def _text(markup: bytes | None) -> str | None:
    return None if markup is None else plain(_TAG.sub(" ", markup.decode("utf-8", "replace"))) or ""


def _words(tag: Tag | None) -> str:
    return " ".join(tag.get_text(" ").split()) if tag else ""


def _labelled(tree: BeautifulSoup, label: str) -> str | None:
    """What stands beside a label of the film's facts (`Runtime: 1 hr. 57 min.`)."""
    for tag in tree.select(".label, dt, .meta-label"):
        if _words(tag).rstrip(": ") == label:
            return _words(tag.find_next_sibling())
    return None


# JSON: of whatever shape, nothing but what was asked for.


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _first_mapping(*found: object) -> Mapping[str, Any] | None:
    return next((part for part in found if isinstance(part, dict)), None)


def _first(part: Mapping[str, Any], *keys: str) -> object:
    return next((part[key] for key in keys if part.get(key) is not None), None)


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else [found] if found else []


def _string(found: object) -> str | None:
    return found if isinstance(found, str) else None


LAYOUTS: dict[str, Layout] = {
    "api-2010": films_of_the_api,
    "search-api-2017": found_by_the_api,
    "browse-api-2017": listed_by_the_api,
    "scorecard-2024": _scorecard,
    "score-board-2021": _score_board,
    "score-details-2021": _score_details,
    "ratings-wrap-2019": _ratings_wrap,
    "score-info-2019": _score_info,
    "meter-2014": _meter,
    "dialog-2008": _dialog,
    "search": _search,
    "browse": _browse,
    "meters-2011": listed_with_meters,
    "json-ld": _linked_only,
    "something-else": _something_else,
}

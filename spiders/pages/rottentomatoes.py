"""Rotten Tomatoes: film pages from 2008 to 2026, search results and lists of films.

Layouts of 2021 and later are read from the bytes: the one script or element that holds the scores,
and nothing that stands outside it, since carousels of other films use the same slots and the page's
own scripts carry what the server last showed to somebody else. They are here;
`rottentomatoes_classic` has the older ones, which are visible markup, `rottentomatoes_lists` the
lists, `rottentomatoes_api` the JSON.

What an old page calls "want to see" is no score, an unpublished score may have ratings already
(they are its `votes`), and release dates are left out: the site shows those of the United States,
and of re-releases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spiders.items import Outcome, Record, Score
from spiders.pages.embedded import plain, script_json
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.rottentomatoes_api import (
    browsed_by_the_api,
    films_of_the_api,
    found_by_the_api,
    hits_of_the_search,
    listed_by_the_api,
    refusal_of_the_api,
)
from spiders.pages.rottentomatoes_classic import dialog, meter, ratings_wrap, score_info
from spiders.pages.rottentomatoes_lists import (
    browse,
    browse_json_ld,
    listed_with_meters,
    search_data,
    search_results,
)
from spiders.pages.rottentomatoes_record import (
    bare_year,
    head_title,
    own_json_ld,
    own_path,
    record_of,
    release_year,
    shown_year,
    targeting,
)
from spiders.pages.rottentomatoes_scores import (
    AUDIENCE,
    CRITICS,
    basis_of,
    is_marked,
    score_in,
    score_of,
    shown_score,
)
from spiders.pages.rottentomatoes_values import (
    attribute_of,
    element_of,
    first_mapping,
    mapping_of,
    slot_of,
    slots_of,
    text_of,
)
from spiders.pages.scores import missing

_RUNTIME = re.compile(r"(?:\d+h)?\s*(?:\d+m)?")
_RUNTIME_ITEM = re.compile(
    rb">Runtime</rt-text\s*>.{0,400}?data-qa=\"item-value\"[^>]*>\s*([^<]+?)\s*<", re.S
)
_NOT_FOUND = re.compile(
    rb"<(?:title|h1)\b[^<>]*>\s*(?:Rotten Tomatoes\s*[-:|]\s*)?"
    rb"(?:(?P<code>404)\W+(?:Page\s+)?Not Found|Page Not Found)\b",
    re.I,
)


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """A page that says "404 - Not Found" though its status is 200."""
    said = _NOT_FOUND.search(page.body)
    if said and (said["code"] or not own_path(page, stated_only=True).startswith("/m/")):
        return Outcome.NOT_FOUND, "the page says that it was not found"
    return refusal_of_the_api(page)


# Scorecard: since March 2024.


def _scorecard(page: Page) -> list[Record] | None:
    card = script_json(page.body, b'id="media-scorecard-json"')
    shown = element_of(page.body, b"<media-scorecard")
    if isinstance(card, dict):
        scores = _card_scores(card)
    elif shown is not None:  # the script is cut off or not there; what people see may be
        scores = _slot_scores(page, shown)
    elif b'id="media-scorecard-json"' in page.body:
        scores = {CRITICS: missing(CRITICS), AUDIENCE: missing(AUDIENCE)}
    else:
        return None
    hero = element_of(page.body, b"<media-hero") or b""
    vanity = mapping_of(script_json(page.body, b'data-json="vanity"'))
    overlay = mapping_of(mapping_of(card).get("overlay"))
    linked = own_json_ld(page)
    props = [text_of(prop) for prop in slots_of(hero, "metadata-prop", "metadataProp")]
    runtimes = [prop for prop in props if prop and _RUNTIME.fullmatch(prop.rstrip(","))]
    item = _RUNTIME_ITEM.search(page.body) if not runtimes else None
    return [
        record_of(
            page,
            scores,
            title=vanity.get("title") or linked.get("name") or text_of(slot_of(hero, "title")),
            year=release_year(page) or (shown_year(props) if page.complete else None),
            runtime=runtime_minutes(runtimes[0] if runtimes else item and text_of(item[1])),
            linked=linked,
            kinds=(overlay.get("mediaType"), vanity.get("mediaType"), vanity.get("type")),
        )
    ]


def _reviews(page: Page) -> list[Record] | None:
    """Pages of a film's reviews since 2024, which hold the same two scores and no card."""
    data = script_json(page.body, b'data-json="reviewsData"')
    if not isinstance(data, dict) or not {"criticsScore", "audienceScore"} <= data.keys():
        return None
    media = mapping_of(data.get("media"))
    linked = own_json_ld(page)
    scores = {
        kind: score_in(kind, part) if "score" in (part := mapping_of(data[name])) else missing(kind)
        for kind, name in ((CRITICS, "criticsScore"), (AUDIENCE, "audienceScore"))
    }
    title = linked.get("name") or media.get("title")
    return [record_of(page, scores, title=title, linked=linked, kinds=(media.get("mediaType"),))]


def _card_scores(card: Mapping[str, Any]) -> dict[str, Score]:
    overlay = mapping_of(card.get("overlay"))
    critics = first_mapping(card.get("criticsScore"), overlay.get("criticsAll"))
    # The card shows one of the two audience scores: the other, in the overlay, is not its figure.
    verified = "audienceVerified" if overlay.get("hasAudienceVerified") is True else "audienceAll"
    audience = first_mapping(card.get("audienceScore"), overlay.get(verified))
    if str(card.get("hideAudienceScore")).casefold() == "true":
        audience = {}
    return {
        CRITICS: score_in(CRITICS, critics),
        AUDIENCE: score_in(AUDIENCE, audience),
    }


def _slot_scores(page: Page, shown: bytes) -> dict[str, Score]:
    audience = _slot_score(
        page, AUDIENCE, shown, ("audience-score", "audienceScore"), "audience-reviews"
    )
    if attribute_of(shown, "hide-audience-score") == "true":
        audience = score_of(AUDIENCE, None)
    return {
        CRITICS: _slot_score(
            page, CRITICS, shown, ("critics-score", "criticsScore"), "critics-reviews"
        ),
        AUDIENCE: audience,
    }


def _slot_score(page: Page, kind: str, shown: bytes, names: tuple[str, ...], reviews: str) -> Score:
    value = slot_of(shown, *names)
    if value is None:
        return missing(kind)
    camel = reviews.replace("-reviews", "Reviews")
    votes = text_of(slot_of(shown, reviews, camel))
    basis = basis_of(votes) if kind == AUDIENCE else None
    return shown_score(page, kind, text_of(value), votes, basis)


# Score board: 2021 to early 2024.


def _score_board(page: Page) -> list[Record] | None:
    board = _board(page.body)
    if board is None:
        return None
    critics = text_of(slot_of(board, "critics-count"))
    audience = text_of(slot_of(board, "audience-count"))
    want_to_see = "want to see" in (audience or "").casefold()
    scores = {
        CRITICS: _board_score(CRITICS, board, "tomatometer", critics),
        AUDIENCE: _board_score(AUDIENCE, board, "audience", audience, none=want_to_see),
    }
    return [
        _described(page, scores, text_of(slot_of(board, "title")), text_of(slot_of(board, "info")))
    ]


def _board_score(
    kind: str, board: bytes, side: str, votes: str | None, *, none: bool = False
) -> Score:
    raw = attribute_of(board, f"{side}score")
    if raw is None:  # it stands there, but not as markup has it
        return missing(kind)
    rated = is_marked(attribute_of(board, f"{side}state"))
    basis = basis_of(votes) if kind == AUDIENCE else None
    return score_of(kind, None if none else raw, votes, basis=basis, rated=rated)


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
    modal, board = mapping_of(details.get("modal")), mapping_of(details.get("scoreboard"))
    flags = modal.get("hasAudienceScoreVerified"), board.get("hasVerifiedAudienceScore")
    chosen = modal.get("audienceScoreVerified" if True in flags else "audienceScoreAll")
    critics = first_mapping(modal.get("tomatometerScoreAll"), board.get("tomatometerScore"))
    audience = first_mapping(board.get("audienceScore"), chosen)
    if critics is None and "tomatometerCount" in board:  # the bare figures, where the modal is not
        critics = {"score": board.get("tomatometerScore"), "ratingCount": board["tomatometerCount"]}
    if audience is None and "audienceScore" in board:  # their count may be of reviews
        audience = {"score": board["audienceScore"]}
    scores = {
        CRITICS: score_in(CRITICS, critics),
        AUDIENCE: score_in(AUDIENCE, audience),
    }
    return [_described(page, scores, board.get("title"), board.get("info"))]


def _described(page: Page, scores: dict[str, Score], title: object, info: object) -> Record:
    """A record of a score board, whose `info` reads `1996, Comedy, 1h 32m` or lacks parts."""
    parts = [part.strip() for part in (plain(info) or "").split(",")]
    linked = own_json_ld(page)
    return record_of(
        page,
        scores,
        title=title or linked.get("name"),
        year=bare_year(parts[0]),
        runtime=runtime_minutes(parts[-1]) if _RUNTIME.fullmatch(parts[-1]) else None,
        linked=linked,
    )


# What is left: pages that hold no score of a known layout.


def _linked_only(page: Page) -> list[Record] | None:
    linked = own_json_ld(page)
    if not linked:
        return None
    scores = {CRITICS: missing(CRITICS)}
    if own_path(page).count("/") <= 2:  # a page of reviews or cast need not show it
        scores[AUDIENCE] = missing(AUDIENCE)
    item = _RUNTIME_ITEM.search(page.body)
    return [
        record_of(
            page,
            scores,
            title=linked.get("name"),
            year=release_year(page),
            runtime=runtime_minutes(item and text_of(item[1])),
            linked=linked,
        )
    ]


def _targeting_only(page: Page) -> list[Record] | None:
    """A page that is cut within its head, and pages of reviews: the Tomatometer without a count.

    No figure and a 0 may stand there for none.
    """
    told = targeting(page)
    raw = told.get("cag[score]")
    if not own_path(page).startswith("/m/") or not figure(raw):
        return None
    scores = {CRITICS: score_of(CRITICS, raw)}
    if own_path(page).count("/") <= 2:
        scores[AUDIENCE] = missing(AUDIENCE)
    return [record_of(page, scores, title=told.get("cag[movieshow]"))]


def _something_else(page: Page) -> list[Record] | None:
    path = own_path(page, stated_only=True)
    if not path.startswith(("/tv/", "/celebrity/", "/critic/", "/critics/")):
        return None
    return [record_of(page, {}, title=head_title(page), kinds=(path.split("/")[1],))]


LAYOUTS: dict[str, Layout] = {
    "api-2010": films_of_the_api,
    "search-api-2017": found_by_the_api,
    "browse-api-2017": listed_by_the_api,
    "browse-api-2022": browsed_by_the_api,
    "search-hits-2021": hits_of_the_search,
    "scorecard-2024": _scorecard,
    "score-board-2021": _score_board,
    "score-details-2021": _score_details,
    "ratings-wrap-2019": ratings_wrap,
    "score-info-2019": score_info,
    "reviews-2024": _reviews,
    "meter-2014": meter,
    "dialog-2008": dialog,
    "search-data-2020": search_data,
    "search": search_results,
    "browse": browse,
    "meters-2011": listed_with_meters,
    "browse-json-ld": browse_json_ld,
    "json-ld": _linked_only,
    "targeting-2018": _targeting_only,
    "something-else": _something_else,
}

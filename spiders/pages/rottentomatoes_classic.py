"""Rotten Tomatoes' film pages of 2008 to 2020 as people see them, and the data within the last of
them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bs4 import BeautifulSoup, Tag

from spiders.items import Record, Score
from spiders.pages.embedded import object_at
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.rottentomatoes_record import bare_year, own_json_ld, record_of, split_title
from spiders.pages.rottentomatoes_scores import (
    AUDIENCE,
    CRITICS,
    basis_of,
    counted_in,
    score_in,
    score_of,
    shown_score,
)
from spiders.pages.rottentomatoes_values import first_mapping, mapping_of, words_of
from spiders.pages.scores import missing

_AUDIENCE_IN_WORDS = "mop-ratings-wrap__percentage--audience"
"""Until May 2019: `72% liked it` or `99% want to see`."""


def ratings_wrap(page: Page) -> list[Record] | None:
    """Film pages of 2019 and 2020."""
    # The style sheet of 2021 still names these classes: only an element of the class counts.
    if b'class="mop-ratings-wrap' not in page.body:
        return None
    tree = page.tree
    scores = {CRITICS: missing(CRITICS), AUDIENCE: missing(AUDIENCE)}
    for position, half in enumerate(tree.select(".mop-ratings-wrap__half")[:2]):
        words = words_of(half)
        classes = half.get_attribute_list("class")
        kind = AUDIENCE if position or "audience-score" in classes else CRITICS
        if not words:  # what shows that there is none yet says how many reviews
            continue
        if kind == AUDIENCE and "want to see" in words.casefold():
            scores[kind] = score_of(kind, None)
            continue
        value = half.select_one(".mop-ratings-wrap__percentage")
        votes = counted_in(words, "(?:Total Count|(?:User|Verified) Ratings)")
        basis = basis_of(words) if kind == AUDIENCE else None
        shown = words_of(value)
        in_words = value is not None and _AUDIENCE_IN_WORDS in value.get_attribute_list("class")
        if in_words and "liked it" not in shown and not page.complete:
            continue  # cut before the words that tell a score from "want to see"
        scores[kind] = shown_score(page, kind, shown.removesuffix(" liked it"), votes, basis)
    linked = own_json_ld(page)
    heading = words_of(tree.select_one("h1.mop-ratings-wrap__title--top, h1.title"))
    return [
        record_of(
            page,
            scores,
            title=linked.get("name") or heading,
            year=bare_year(words_of(tree.select_one(".h3.year"))),
            runtime=runtime_minutes(_labelled(tree, "Runtime")),
            linked=linked,
        )
    ]


_SCORE_INFO = re.compile(rb"\bscoreInfo\s*=\s*(?=\{)")


def score_info(page: Page) -> list[Record] | None:
    """The same scores as data, 2019 to 2021: `context.scoreInfo = {…}` in a script."""
    found = _SCORE_INFO.search(page.body)
    info = object_at(page.body, found.end()) if found else None
    if not isinstance(info, dict) or "tomatometerAllCritics" not in info:
        return None
    verified, everybody = info.get("audienceVerified"), info.get("audienceAll")
    audience = verified if figure(mapping_of(verified).get("score")) is not None else everybody
    scores = {
        CRITICS: score_in(CRITICS, first_mapping(info["tomatometerAllCritics"])),
        AUDIENCE: score_in(AUDIENCE, first_mapping(audience)),
    }
    linked = own_json_ld(page)
    return [record_of(page, scores, title=linked.get("name"), linked=linked)]


def meter(page: Page) -> list[Record] | None:
    """Film pages of 2011 to 2018."""
    if b'id="all-critics-numbers"' not in page.body and b'class="tomato_numbers' not in page.body:
        return None
    tree = page.tree
    # Of the two tabs, "All Critics" is the site's figure; "Top Critics" is another one.
    critics = tree.select_one("#all-critics-numbers, .tomato_numbers")
    audience = tree.select_one(".audience-panel, .audiencepanel, .fan_side")
    scores = {
        CRITICS: _meter_score(page, CRITICS, critics, "Reviews Counted"),
        AUDIENCE: _meter_score(page, AUDIENCE, audience, "User Ratings"),
    }
    return [_headed(page, tree, scores, own_json_ld(page))]


def _meter_score(page: Page, kind: str, panel: Tag | None, counted: str) -> Score:
    words = words_of(panel)
    if panel is None or not words:  # what shows that there is none yet says how many reviews
        return missing(kind)
    value = panel.select_one(".meter-value, .meter.numeric")
    if kind == AUDIENCE:
        if "want to see" in words.casefold() or panel.select_one(".wts"):
            return score_of(kind, None)  # no score, and the number of those who say so no votes
        if value and not page.complete and "liked it" not in words:
            return missing(kind)  # cut before the words that tell a score from "want to see"
    return shown_score(page, kind, words_of(value), counted_in(words, counted))


def dialog(page: Page) -> list[Record] | None:
    """Film pages of 2008 to 2010, which show the critics' figure alone."""
    if not re.search(rb"id=\"(?:critics_)?tomatometer_score(?:_txt)?\"", page.body):
        return None
    tree = page.tree
    selected = tree.select_one("#tomatometer_nav .ui-tabs-selected")
    slot = tree.select_one("#tomatometer_score, #critics_tomatometer_score")
    slot = slot or tree.select_one("#critics_tomatometer_score_txt")
    score = missing(CRITICS)
    if selected and "T-Meter" not in words_of(selected):
        pass  # the figure below is the Top Critics' or the community's
    elif slot:
        value = slot.select_one(".percent")
        data = tree.select_one("#tomatometer_data, #critics_tomatometer_numbers_txt")
        votes = counted_in(words_of(data), "Reviews Counted")
        score = shown_score(page, CRITICS, words_of(value or slot).rstrip("% "), votes)
    return [_headed(page, tree, {CRITICS: score}, {})]


def _headed(
    page: Page, tree: BeautifulSoup, scores: dict[str, Score], linked: Mapping[str, Any]
) -> Record:
    """A record of a page whose heading reads `Skyfall (2012)`."""
    # An archive's own heading may stand before the page's.
    own = tree.select_one("h1.movie_title, h1#movie-title, h1.title")
    heading = own or tree.select_one("h1")
    title, year = split_title(words_of(heading))
    directors = (_labelled(tree, "Directed By") or _labelled(tree, "Director") or "").split(",")
    genres = [words_of(genre) for genre in tree.select('[itemprop="genre"], [property="v:genre"]')]
    return record_of(
        page,
        scores,
        title=title or linked.get("name"),
        year=year,
        runtime=runtime_minutes(_labelled(tree, "Runtime")),
        linked={"genre": genres, "director": directors, **linked},
    )


def _labelled(tree: BeautifulSoup, label: str) -> str | None:
    """What stands beside a label of the film's facts (`Runtime: 1 hr. 57 min.`)."""
    for tag in tree.select(".label, dt, .meta-label"):
        if words_of(tag).rstrip(": ") == label:
            return words_of(tag.find_next_sibling())
    return None

"""From the slots of Metacritic's pages to its two scores."""

from __future__ import annotations

import re

from bs4 import Tag

from spiders.items import Score, ScoreState
from spiders.pages.embedded import plain
from spiders.pages.numbers import COUNTED, Count, count
from spiders.pages.page import Page
from spiders.pages.scores import missing, not_rated, read_score

METASCORE = "metascore"
USERS = "metacritic_user_score"
_BASED_ON = re.compile(rf"based\s+on\s+({COUNTED})", re.I)


def first_read(kind: str, *read: Score | None) -> Score:
    """The first of several slots for one score that holds it or says that there is none."""
    found = (score for score in read if score and score.state is not ScoreState.MISSING)
    return next(found, missing(kind))


def based_on(markup: str) -> Count | None:
    """The count in "based on 46 Critics"; other numbers beside a score count something else."""
    found = _BASED_ON.search(re.sub(r"<[^>]*>", " ", markup))
    return count(found[1]) if found else None


_BOXES = [  # within one of these, the count beside a score is the score's
    "ms_wrapper",
    "us_wrapper",
    "score_wrapper",
    "avg_score",
    "score_meta",
    "score_user",
    "metascore_wrap",
    "userscore_wrap",
]


def in_slots(kind: str, part: Tag, *places: str) -> Score | None:
    """The first score in the places where a layout has it; empty slots hold nothing."""
    for slot in (slot for place in places for slot in part.select(place)):
        if text := plain(slot.get_text(" ")):
            box = slot.find_parent(class_=_BOXES)
            return read_score(kind, text, based_on(box.get_text(" ")) if box else None)
    return None


def none_yet(kind: str, page: Page, wrap: str) -> Score | None:
    """No score yet, where the part that would show it is there without a slot or a figure.

    On a page that was cut off, the score may have stood in what is lost.
    """
    part = page.tree.select_one(wrap) if page.complete else None
    if part is None or part.select_one(".metascore_w, .score_value"):
        return None
    if re.search(r"\d", _BASED_ON.sub("", part.get_text(" "))):
        return None
    return not_rated(kind)


def words_of(part: Tag | None, selector: str) -> str | None:
    """What the first element that a selector finds says, or None."""
    found = part.select_one(selector) if part else None
    return plain(found.get_text(" ")) if found else None


def votes_in(raw: object) -> Count | None:
    """A count of votes, from JSON of any shape."""
    return count(raw) if isinstance(raw, int | float | str) else None

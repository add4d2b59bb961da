"""From the slots of Rotten Tomatoes' pages to its two scores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spiders.items import Score, ScoreState
from spiders.pages.numbers import COUNTED, count, figure
from spiders.pages.page import Page
from spiders.pages.rottentomatoes_values import first_of, string_of
from spiders.pages.scores import missing, read_score
from spiders.sources import score_kind

CRITICS = "tomatometer"
AUDIENCE = "popcornmeter"
_MOST_UNSCORED = {CRITICS: 40, AUDIENCE: 200}
"""Reviews and ratings of a film that has no score yet: the site publishes one for far fewer."""

_MARKS = frozenset(
    {"positive", "negative", "fresh", "rotten", "certified-fresh", "certified_fresh"}
    | {"upright", "spilled"}
)


def score_in(kind: str, part: Mapping[str, Any] | None) -> Score:
    """The score of one JSON object: `score` in most, `value` early in 2024."""
    if part is None:
        return missing(kind)
    raw = first_of(part, "score", "value", "scorePercent")
    votes, basis = first_of(part, "ratingCount", "numberOfReviews", "reviewCount"), None
    if kind == AUDIENCE:  # people who rated, of whom those who wrote a review are a few
        band = string_of(part.get("bandedRatingCount"))
        votes = band or part.get("ratingCount")
        shown = str(part.get("scoreType")).upper()
        basis = {"ALL": "all", "VERIFIED": "verified"}.get(shown) or basis_of(band)
    mark = first_of(part, "sentiment", "scoreSentiment", "tomatometerState", "audienceClass")
    return score_of(kind, raw, votes, basis=basis, rated=is_marked(mark))


def basis_of(words: str | None) -> str | None:
    """Whose ratings a count is of, since May 2019: `all`, or those with a `verified` ticket."""
    words = (words or "").casefold()
    return "verified" if "verified" in words else "all" if "rating" in words else None


def score_of(
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


def shown_score(
    page: Page, kind: str, raw: str | None, votes: str | None, basis: str | None = None
) -> Score:
    """A score of visible markup: where the page is cut off, none there may be one not yet there.

    So may one beside so many reviews or ratings that every film has a score with them.
    """
    score = score_of(kind, raw, votes, basis=basis, rated=True)
    lost = not page.complete or (not raw and (score.votes or 0) >= _MOST_UNSCORED[kind])
    return missing(kind) if lost and score.state is ScoreState.NOT_RATED else score


def is_marked(mark: object) -> bool:
    """Whether the page marks a score as good or bad: it does so only where there is one."""
    return isinstance(mark, str) and mark.casefold() in _MARKS


def counted_in(words: str, label: str) -> str | None:
    """The count behind a label in some words (`Reviews Counted: 118`), or None."""
    found = re.search(rf"{label}\s*:\s*({COUNTED})", words, re.I)
    return found[1] if found else None

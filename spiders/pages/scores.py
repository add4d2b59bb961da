"""From what stands in a score's slot to a `Score`. Missing is never zero, and none not missing."""

from __future__ import annotations

from spiders.items import Score, ScoreState
from spiders.pages.numbers import Count, count, figure, says_none, stated_scale
from spiders.sources import score_kind


def read_score(
    kind: str,
    raw: object,
    votes: object = None,
    *,
    basis: str | None = None,
    relayed: bool = False,
    scale_max: float | None = None,
) -> Score:
    """The score of one slot: `raw` is what stands for the value, `votes` for the count.

    `scored` where there is a figure, and no other scale is named beside it (`3.5/5`); a figure of
    0 only where a count above 0 stands beside it, since sites write 0 for "none" too; `not_rated`
    where the slot says so or is empty, or the count is 0; `missing` where it holds something that
    no known layout writes. A rounded count (`1.2M`) shows that people voted, and is kept nowhere.
    A caller that finds no slot at all says `missing(kind)` itself.
    """
    scale = score_kind(kind).scale_max if scale_max is None else scale_max
    counted = votes if isinstance(votes, Count) else count(votes)
    value = figure(raw)
    state = ScoreState.SCORED
    if value is None:
        state = ScoreState.NOT_RATED if says_none(raw) else ScoreState.MISSING
    elif (counted is not None and counted.votes == 0) or (value == 0 and counted is None):
        state = ScoreState.NOT_RATED
    elif value and stated_scale(raw) not in (None, scale):
        state = ScoreState.MISSING
    if state is not ScoreState.SCORED:
        value = None
    if state is ScoreState.MISSING or (counted and counted.rounded):
        counted = None
    return Score(
        state=state,
        value=value,
        scale_max=scale,
        votes=counted.votes if counted else None,
        votes_at_least=bool(counted and counted.at_least),
        basis=basis,
        relayed=relayed,
    )


def not_rated(kind: str, *, relayed: bool = False, votes: int | None = None) -> Score:
    """The page says or shows that there is no score of this kind yet."""
    scale = score_kind(kind).scale_max
    return Score(state=ScoreState.NOT_RATED, scale_max=scale, relayed=relayed, votes=votes)


def missing(kind: str, *, relayed: bool = False, scale_max: float | None = None) -> Score:
    """The page should show a score of this kind, and no known layout held it."""
    scale = score_kind(kind).scale_max if scale_max is None else scale_max
    return Score(state=ScoreState.MISSING, scale_max=scale, relayed=relayed)

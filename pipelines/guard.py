"""Between reading and storing: what is too unlikely to be stored unseen, and why.

What is held goes to `quarantine`; the last good value stands with its true age.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.utils import default_process

from spiders.items import Record, Score, ScoreState

YEARS_APART = 2
"""Festival, home and foreign release years of one film differ by as much as this."""

TITLES_ALIKE = 60.0
"""token_set_ratio (0–100) below which two titles are taken to have nothing in common."""


@dataclass(frozen=True)
class Standing:
    """What stands of one listing and score kind."""

    state: str
    value: float | None
    scale_max: float
    votes: int | None
    votes_at_least: bool


def doubt(new: Score, standing: Standing | None) -> str | None:
    """Why a score should not replace what stands, or None where nothing speaks against it."""
    if new.value is not None and not 0 <= new.value <= new.scale_max:
        return f"out of scale: {new.value:g} on a scale of 0–{new.scale_max:g}"
    if standing is None or standing.state != "scored" or standing.value is None:
        return None
    if new.state is ScoreState.NOT_RATED:
        return f"was scored {standing.value:g} and now says not rated"
    if (
        new.votes is not None
        and standing.votes
        and not new.votes_at_least
        and new.votes * 2 < standing.votes
    ):
        return f"votes fell from {standing.votes:,} to {new.votes:,}"
    return None


def doubt_verdict(new: Record, standing_says: tuple[str, str] | None) -> str | None:
    """Why a credits verdict should not replace what stands (`during`, `after`), or None."""
    if new.credits is None or standing_says is None:
        return None
    for place, before in zip(("during", "after"), standing_says, strict=True):
        after = getattr(new.credits, place).value
        if {before, after} == {"yes", "no"}:
            return f"said {before} of a scene {place} the credits and now says {after}"
    return None


def another_film(record: Record, titles: list[str], year: int | None) -> str | None:
    """Why a page seems to show another film than the one asked for, or None.

    Only a page that differs in title and in year is doubted: translated titles and festival
    years are common, both together on the wrong page are not.
    """
    if not record.title or not titles or record.year is None or year is None:
        return None
    if abs(record.year - year) <= YEARS_APART or _alike(record, titles):
        return None
    return f"the page shows {record.title} ({record.year}), asked for {titles[0]} ({year})"


def turned_into_another(record: Record, titles: list[str], year: int | None) -> bool:
    """Whether a page that showed a film of these titles and that year now shows another: the year
    moved too far (a remake keeps its title), or nothing of the title is left and no year helps."""
    if record.year is not None and year is not None:
        return abs(record.year - year) > YEARS_APART
    return bool(record.title and titles) and not _alike(record, titles)


def _alike(record: Record, titles: list[str]) -> bool:
    shown = [title for title in (record.title, record.original_title) if title]
    return any(
        fuzz.token_set_ratio(a, b, processor=default_process) >= TITLES_ALIKE
        for a in shown
        for b in titles
    )

"""The chart of a film's scores over time: lines as SVG paths, so that no script is needed.

Times are placed from 0 to `WIDTH`, figures by their share of their scale from 0 (on top) to
`HEIGHT`; the template stretches that to the room there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.clock import moment
from spiders.sources import score_kind, score_kinds

Across = Callable[[datetime], float]
Down = Callable[[float], float]

WIDTH, HEIGHT = 1000.0, 100.0
MOST_TICKS = 6
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
"""Months between two marks of the time axis; the first that gives few enough is taken."""


@dataclass(frozen=True)
class Line:
    """One kind's history: its place in the register (for its colour), and two paths."""

    key: str
    label: str
    number: int
    line: str
    points: str


@dataclass(frozen=True)
class Tick:
    """A mark of an axis, at a share of its length in percent."""

    percent: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Lines, the marks of both axes, and the span of time that they cover."""

    lines: Sequence[Line]
    ticks: Sequence[Tick]
    levels: Sequence[Tick]
    first: datetime
    last: datetime


def chart(spans: Iterable[Mapping[str, Any]], now: datetime | None = None) -> Chart | None:
    """A chart of spans, each with score_kind, state, value, valid_from and valid_to as in the view
    `score_history`.

    A figure holds from when it was said until the next: lines have steps, and gaps where there was
    no figure. None where there is less than a day to draw.
    """
    last = now or datetime.now(UTC)
    scored = [span for span in spans if span["state"] == "scored"]
    first = min((moment(span["valid_from"]) for span in scored), default=last)
    if last - first < timedelta(days=1):
        return None
    length = (last - first).total_seconds()

    def across(time: datetime) -> float:
        return round(WIDTH * (time - first).total_seconds() / length, 1)

    shares: list[float] = [
        100 * span["value"] / score_kind(span["score_kind"]).scale_max for span in scored
    ]
    low: int = max(0, 10 * math.floor((min(shares) - 5) / 10))
    high: int = min(100, 10 * math.ceil((max(shares) + 5) / 10))

    def down(share: float) -> float:
        return round(HEIGHT * (high - share) / (high - low), 1)

    lines = []
    for number, kind in enumerate(score_kinds(), 1):
        own = sorted(
            (span for span in scored if span["score_kind"] == kind.key),
            key=lambda span: str(span["valid_from"]),
        )
        if own:
            lines.append(_line(kind.key, number, own, across, down, last))
    step = 10 if high - low <= 60 else 20
    levels = [Tick(down(level), str(level)) for level in range(low, high + 1, step)]
    return Chart(lines, _ticks(first, last, across), levels, first, last)


def _line(
    key: str, number: int, spans: Sequence[Any], across: Across, down: Down, last: datetime
) -> Line:
    kind = score_kind(key)
    path, points, end = "", "", None
    for span in spans:
        start, stop = moment(span["valid_from"]), moment(span["valid_to"] or last.isoformat())
        x, y = across(start), down(100 * span["value"] / kind.scale_max)
        path += f"{'L' if start == end else 'M'}{x} {y}H{across(max(start, stop))}"
        points += f"M{x} {y}h0"
        end = stop
    return Line(key, kind.label, number, path, points)


def _ticks(first: datetime, last: datetime, across: Across) -> list[Tick]:
    """Marks at the beginnings of months, a whole number of months apart."""
    months = [
        datetime(year, month, 1, tzinfo=UTC)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13)
        if first <= datetime(year, month, 1, tzinfo=UTC) <= last
    ]
    for step in _MONTHS:
        chosen = [m for m in months if (12 * m.year + m.month - 1) % step == 0]
        if len(chosen) <= MOST_TICKS:
            break
    pattern = "%Y" if step >= 12 else "%b %Y"
    if not chosen:  # younger than a month: its two ends
        return [Tick(0, f"{first.day} {first:%b}"), Tick(100, f"{last.day} {last:%b}")]
    return [Tick(round(100 * across(m) / WIDTH, 2), f"{m:{pattern}}") for m in chosen]

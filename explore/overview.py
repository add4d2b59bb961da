"""What the database holds as a whole, and how fresh it is: counted over everything, so remembered.

Over 200,000 films that takes a second or more, and changes with a night's run alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from datasette.app import Datasette
from sqlite_utils import Database

from explore.pages import read
from pipelines.clock import now
from spiders.sources import SOURCES, Source

REMEMBERED = 300
"""An overview is good for so many times the seconds that counting took: on a small database it is
as good as live, on a large one it takes a three-hundredth of the machine."""

LIMIT_MS = 30_000


@dataclass(frozen=True)
class Overview:
    """Rows of `coverage` and `freshness_by_source`, how many films there are, and as of when."""

    films: int
    coverage: list[dict[str, Any]]
    freshness: list[dict[str, Any]]
    counted_at: str

    @property
    def sources(self) -> list[tuple[Source, list[dict[str, Any]], dict[str, Any] | None]]:
        """Each source with its kinds' coverage, and its freshness if it has any score."""
        fresh = {row["source"]: row for row in self.freshness}
        return [
            (each, [row for row in self.coverage if row["source"] == each.key], fresh.get(each.key))
            for each in SOURCES
        ]


_remembered: dict[int, tuple[float, Overview]] = {}


async def overview(datasette: Datasette) -> Overview:
    """What the site's database holds, counted now or a while ago."""
    until, known = _remembered.get(id(datasette), (0.0, None))
    started = time.monotonic()
    if known and started < until:
        return known
    counted = await read(datasette, _count, limit_ms=LIMIT_MS)
    ended = time.monotonic()
    _remembered[id(datasette)] = (ended + REMEMBERED * (ended - started), counted)
    return counted


def _count(db: Database) -> Overview:
    (films,) = next(db.conn.execute("SELECT count(*) FROM film_scores"))
    return Overview(
        films=films,
        coverage=list(db.query("SELECT * FROM coverage")),
        freshness=list(db.query("SELECT * FROM freshness_by_source")),
        counted_at=now(),
    )

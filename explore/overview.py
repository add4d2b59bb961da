"""What the database holds as a whole, and how fresh it is, source by source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datasette.app import Datasette
from sqlite_utils import Database

from explore.remembered import Remembered
from spiders.sources import SOURCES, Source

PATIENCE = 0.4
"""Seconds for which a page waits for the age of every figure, or for what moved most; without them
it says so."""

_freshness = Remembered(lambda db: list(db.query("SELECT * FROM freshness_by_source")))


@dataclass(frozen=True)
class Overview:
    """Rows of `coverage`; and of `freshness_by_source` as of `counted_at`, both None where they are
    still being counted."""

    coverage: list[dict[str, Any]]
    freshness: list[dict[str, Any]] | None
    counted_at: str | None

    @property
    def films(self) -> int:
        """How many films there are."""
        return max((row["films"] for row in self.coverage), default=0)

    @property
    def scored(self) -> int:
        """How many figures they have, of all kinds together."""
        return sum(row["scored"] for row in self.coverage)

    @property
    def sources(self) -> list[tuple[Source, list[dict[str, Any]], dict[str, Any] | None]]:
        """Each source with its kinds' coverage, and its freshness if it has any score."""
        fresh = {row["source"]: row for row in self.freshness or ()}
        return [
            (each, [row for row in self.coverage if row["source"] == each.key], fresh.get(each.key))
            for each in SOURCES
        ]


def coverage(db: Database) -> list[dict[str, Any]]:
    """Of how many films each score kind is known, and why not of the others."""
    return list(db.query("SELECT * FROM coverage"))


async def overview(datasette: Datasette, covered: list[dict[str, Any]]) -> Overview:
    """Coverage as it was read, with freshness, which is counted now or was a while ago."""
    kept = await _freshness.within(datasette, PATIENCE)
    return Overview(covered, kept.found if kept else None, kept.at if kept else None)

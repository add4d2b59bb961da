"""What the database holds as a whole, and how fresh it is, source by source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from spiders.sources import SOURCES, Source


@dataclass(frozen=True)
class Overview:
    """Rows of `coverage` and of `freshness_by_source`."""

    coverage: list[dict[str, Any]]
    freshness: list[dict[str, Any]]

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
        fresh = {row["source"]: row for row in self.freshness}
        return [
            (each, [row for row in self.coverage if row["source"] == each.key], fresh.get(each.key))
            for each in SOURCES
        ]


def overview(db: Database) -> Overview:
    """Of how many films each score kind is known, and why not of the others; how old they are."""
    return Overview(
        list(db.query("SELECT * FROM coverage")),
        list(db.query("SELECT * FROM freshness_by_source")),
    )

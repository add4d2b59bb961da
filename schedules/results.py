"""What a run is to do, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.crawl_profile import Counts
from pipelines.statements import Change, Tally

NO_FAULT = ("ok", "skipped")
"""Outcomes of crawls that make a run no less than `ok`."""


@dataclass(frozen=True)
class Selection:
    """What a run is to do: which sources (none: all that are on), which films (None: all)."""

    sources: tuple[str, ...] = ()
    film_ids: frozenset[int] | None = None
    limit: int | None = None
    again: bool = False

    @property
    def all_films(self) -> bool:
        """Whether it is about all films, and not chosen ones."""
        return self.film_ids is None


@dataclass
class Crawled:
    """One source in this run."""

    source: str
    started_at: str
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    outcome: str = "ok"
    detail: str | None = None
    exception: str | None = None
    profile: dict[str, Counts] = field(default_factory=dict)


@dataclass
class Result:
    """What a run came to: `ok`, `partly` (something failed, the rest stands) or `interrupted`.

    `changes` are the first of those `changed`. `gave_way`: it ended for another command to go
    first, and another run goes on with its work.
    """

    run_id: int
    started_at: str
    outcome: str
    crawls: list[Crawled]
    changes: list[Change]
    skipped: dict[str, str]
    gave_way: bool = False

    @property
    def exit_status(self) -> int:
        """0 where all went well, 1 where something failed and the rest stands."""
        return 0 if self.outcome == "ok" else 1

    @property
    def changed(self) -> int:
        """How many figures and verdicts changed."""
        return sum(crawled.tally.counts["changed"] for crawled in self.crawls)


def together(parts: Sequence[Result]) -> Result:
    """The parts of a run that gave way, as one result."""
    first, last = parts[0], parts[-1]
    crawls: dict[str, Crawled] = {}
    for crawled in (crawled for part in parts for crawled in part.crawls):
        of = crawls.setdefault(crawled.source, Crawled(crawled.source, crawled.started_at))
        of.tally.counts.update(crawled.tally.counts)
        of.seconds += crawled.seconds
        if crawled.outcome not in NO_FAULT:
            of.outcome, of.detail = crawled.outcome, crawled.detail
    failed = any(crawled.outcome not in NO_FAULT for crawled in crawls.values())
    return Result(
        last.run_id,
        first.started_at,
        "partly" if failed and last.outcome == "ok" else last.outcome,
        list(crawls.values()),
        [change for part in parts for change in part.changes],
        first.skipped,
    )

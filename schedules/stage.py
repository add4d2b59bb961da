"""The crawls of one stage, wherever they run: what a run asks of them, and how each ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from time import monotonic
from typing import Protocol

from schedules.nursery import Nursery
from spiders.items import Answer
from spiders.plan import Plan

QUEUED = 2_000
"""Answers that may wait for the writer before the crawls have to wait for it."""

PARTS_QUEUED = 4
"""Parts of datasets among them: each has thousands of titles."""

GATHER_SECONDS = 2.0
"""How long answers are gathered into one batch, which is one transaction, unless a crawl ends or
a part of a dataset has come. Taken as they come, they make a batch of one or two: committing costs
half as much again as storing, and each commit writes the pages that it touched anew, whole. A run
that is killed has those of so many seconds to ask again, and whoever goes first waits as long."""

GATHERED = 1_000
"""No more answers than that make one batch."""


@dataclass(frozen=True)
class Ended:
    """How a crawl ended: Scrapy's reason, or what broke it; and for how long from then the source
    wants to be left alone (robots.txt, Retry-After)."""

    source: str
    reason: str
    exception: str | None = None
    away_seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether it came to its end by itself."""
        return self.exception is None and self.reason == "finished"


@dataclass(frozen=True)
class SentAway:
    """A source wants to be left alone for so many seconds from now; its crawl waits, and goes on
    then. Should the run be killed meanwhile, whoever asks next has to know."""

    source: str
    seconds: float


Heard = Answer | SentAway | Ended
"""What comes of the crawls."""


class Crawls(Protocol):
    """The crawls of one stage: processes beside the database, or on the workers of a cluster."""

    def answers(self) -> Iterator[list[Heard]]:
        """Batches of what has come, until every crawl has ended; a batch may be empty."""

    def stop(self) -> None:
        """Ask every crawl to end; what it has read still comes. A signal handler may call it."""

    def kill(self) -> None:
        """End every crawl now."""


Start = Callable[[Sequence[Plan], Nursery], Crawls]
"""Makes the crawls of a stage from its plans; they start when their answers are asked for. Those
that run here come from the nursery."""


def gathered(queue: Queue[Heard]) -> list[Heard]:
    """What comes within the time; no more once a crawl has ended or was sent away, or a part of a
    dataset has come, which is as much by itself."""
    batch: list[Heard] = []
    until = monotonic() + GATHER_SECONDS
    while len(batch) < GATHERED:
        try:
            batch.append(queue.get(timeout=max(0.0, until - monotonic())))
        except Empty:
            break
        if not isinstance(batch[-1], Answer) or is_part(batch[-1]):
            break
    return batch


def is_part(item: Heard) -> bool:
    """Whether it is a part of something large, such as a dataset."""
    return isinstance(item, Answer) and item.is_part

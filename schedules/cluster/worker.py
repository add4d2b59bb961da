"""What is on a worker of a cluster: a batch of due listings, which dask.distributed keeps there as
an actor, and what is installed.

The run process takes what the crawl has answered, turn after turn, and each turn renews the crawl's
lease. The lease counts from when the turn before was answered, on the worker's own clock: so it is
over here before it is over for the run process, however long a message was under way."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import NamedTuple

from schedules import __version__
from schedules.nursery import Nursery
from schedules.processes import Processes
from schedules.stage import QUEUED, Ended, Heard, SentAway
from spiders.items import Answer
from spiders.pages.reading import reader_versions
from spiders.plan import Plan
from spiders.sources import SOURCES

LEASE_SECONDS = 10.0
"""A crawl asks nothing more once so long has passed since the run process last heard of it."""

TURN_SECONDS = 0.5
"""How long a turn waits for something to come."""

LOOK_SECONDS = 0.05
"""Between two looks whether anything has."""

MOST_AT_ONCE = 200
"""Answers in one turn."""


class Taken(NamedTuple):
    """What came in a turn: answers as JSON, for how long from now the source is left alone, for how
    long it just told the crawl to leave it alone, and how the crawl ended, once it has."""

    turn: int
    answers: tuple[str, ...] = ()
    away_seconds: float = 0.0
    sent_away_seconds: float = 0.0
    ended: Ended | None = None


@dataclass(frozen=True)
class Installed:
    """What a machine runs: the version of afterscore, that of each reader, and for which sources
    it has the key."""

    version: str
    readers: Mapping[str, str]
    keys: frozenset[str]

    def differs_from(self, other: Installed) -> str | None:
        """Why the two cannot work together, or None."""
        if self.version != other.version:
            return f"it has afterscore {self.version}, and this is {other.version}"
        readers = [key for key in self.readers if self.readers[key] != other.readers.get(key)]
        if readers:
            return f"its readers are not the same as here: {', '.join(readers)}"
        return None


def installed() -> Installed:
    """What is installed here."""
    keys = frozenset(s.key for s in SOURCES if s.key_variable and os.environ.get(s.key_variable))
    return Installed(__version__, reader_versions(), keys)


class Batch:
    """One crawl process. It starts with the first turn: dask may make an actor twice where the
    first worker dies, and only one is ever asked."""

    def __init__(self, plan: str) -> None:
        self._answered_at = time.monotonic()
        leased_until = self._answered_at + LEASE_SECONDS
        self._plan = Plan.model_validate_json(plan)
        self._nursery = Nursery()
        self._crawl = Processes([self._plan], self._nursery, leased_until)
        self._come: Queue[Heard] = Queue(QUEUED)
        self._stopped = False
        self._taken = Taken(0)
        self._taking = asyncio.Lock()

    async def take(self, turn: int, room: int, stop: bool) -> Taken:
        """What has come since that turn, which is the last one that arrived; no more than there is
        `room` for. `stop` asks the crawl to end."""
        async with self._taking:
            if turn < self._taken.turn:  # it did not arrive
                return self._taken
            if turn == 0:
                threading.Thread(target=self._pump, daemon=True).start()
            else:
                self._crawl.renew(self._answered_at + LEASE_SECONDS)
            if stop and not self._stopped:  # told twice, Scrapy lets go of the request in hand
                self._stopped = True
                self._crawl.stop()
            await self._wait(room)
            answers, sent_away, ended = self._drain(min(room, MOST_AT_ONCE))
            self._answered_at = time.monotonic()
            away = self._crawl.away_seconds
            self._taken = Taken(turn + 1, answers, away, sent_away, ended)
            return self._taken

    async def kill(self) -> None:
        """End the crawl now."""
        self._crawl.kill()

    async def _wait(self, room: int) -> None:
        until = time.monotonic() + TURN_SECONDS
        while (self._come.empty() or not room) and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)

    def _drain(self, most: int) -> tuple[tuple[str, ...], float, Ended | None]:
        answers: list[str] = []
        sent_away = 0.0
        ended: Ended | None = None
        with suppress(Empty):
            while len(answers) < most and ended is None:
                match self._come.get_nowait():
                    case Answer() as answer:
                        answers.append(answer.model_dump_json(exclude_defaults=True))
                    case SentAway(seconds=seconds):
                        sent_away = seconds
                    case Ended() as end:
                        ended = end
        return tuple(answers), sent_away, ended

    def _pump(self) -> None:
        try:
            with closing(self._nursery):
                for batch in self._crawl.answers():
                    for item in batch:
                        self._come.put(item)
        except OSError as fault:  # no process can be had
            self._come.put(Ended(self._plan.source, "died", f"{fault}"))

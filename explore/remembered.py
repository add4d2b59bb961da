"""What takes a second or more to read of a large database is read once for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from datasette.app import Datasette
from sqlite_utils import Database

from explore.pages import read
from pipelines.clock import now

T = TypeVar("T")

KEPT = 60
"""What was read is good for so many times the seconds that reading it took: of a small database it
is as good as live, and of a large one reading takes a sixtieth of one core."""

LIMIT_MS = 60_000


@dataclass(frozen=True)
class Kept(Generic[T]):
    """What was found, when (UTC), and until when it is good, by the machine's own clock."""

    found: T
    at: str
    until: float


class Remembered(Generic[T]):
    """A reader whose answer is kept for a while, `times` the seconds that it took; a database is
    read by one at a time."""

    def __init__(self, reader: Callable[[Database], T], times: int = KEPT) -> None:
        self._reader, self._times = reader, times
        self._kept: WeakKeyDictionary[Datasette, Kept[T]] = WeakKeyDictionary()
        self._reading: WeakKeyDictionary[Datasette, asyncio.Task[Kept[T]]] = WeakKeyDictionary()

    async def within(self, datasette: Datasette, seconds: float | None = None) -> Kept[T] | None:
        """What the reader finds, or has found; it is waited for so long (None: until it is there).

        After that, what was found before, good or not, or None: reading goes on meanwhile.
        """
        kept = self._kept.get(datasette)
        if kept and time.monotonic() < kept.until:
            return kept
        reading = self._reading.get(datasette)
        if reading is None or reading.done():
            reading = asyncio.create_task(self._read(datasette))
            self._reading[datasette] = reading
        done, _ = await asyncio.wait({reading}, timeout=seconds)
        return reading.result() if done else kept

    async def _read(self, datasette: Datasette) -> Kept[T]:
        started, at = time.monotonic(), now()
        found = await read(datasette, self._reader, limit_ms=LIMIT_MS)
        ended = time.monotonic()
        kept = Kept(found, at, ended + self._times * (ended - started))
        self._kept[datasette] = kept
        return kept

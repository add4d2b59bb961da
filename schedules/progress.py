"""Progress of long work: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from pipelines.wording import shortened
from schedules import log

LINE_EVERY = 30.0
"""Seconds between two plain lines on one crawl."""

STEP_EVERY = 5.0
"""Seconds between two plain lines on work of minutes."""

Step: TypeAlias = Callable[[str, int, int | None], None]
"""Hears what is being done, how far it has come, and of how many in all where that is known."""


class Shown:
    """Shows how far each crawl has come. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Progress | None = None
        if console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description:<20}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}"),
                console=console,
                transient=True,
            )
        self._tasks: dict[str, TaskID] = {}
        self._done: dict[str, int] = {}
        self._totals: dict[str, int | None] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars:
            self._bars.stop()

    def start(self, key: str, name: str, total: int | None) -> None:
        """A crawl begins; `total` is how many URLs it will ask, where that is known."""
        self._done[key], self._totals[key], self._said[key] = 0, total, time.monotonic()
        if self._bars:
            self._tasks[key] = self._bars.add_task(name, total=total, note="")

    def advance(self, key: str, note: str = "") -> None:
        """One request is done with, whether or not it was answered."""
        self._done[key] += 1
        if self._bars:
            self._bars.update(self._tasks[key], advance=1, note=note)
        elif time.monotonic() - self._said[key] > LINE_EVERY:
            self._said[key] = time.monotonic()
            total = f" of {self._totals[key]}" if self._totals[key] else ""
            self.say(f"{key}: {self._done[key]}{total} asked")

    def say(self, line: str) -> None:
        """A line that stays: whole in the log, with its addresses shortened on the screen."""
        log.said(line)
        self._console.print(shortened(line), markup=False, highlight=False, soft_wrap=True)

    def end(self, key: str) -> None:
        """A crawl has ended."""
        if self._bars:
            self._bars.remove_task(self._tasks.pop(key))


@contextmanager
def steps(console: Console) -> Iterator[Step]:
    """Says what is being done: in one changing line on a terminal, now and then elsewhere."""
    said = time.monotonic()

    def in_words(what: str, done: int, total: int | None) -> str:
        if total is None:
            return f"{what}: {done:,}"
        return f"{what}: {done:,} of {total:,}" if total > 1 else what

    if console.is_terminal:
        with console.status("") as status:
            yield lambda what, done, total: status.update(in_words(what, done, total))
        return

    def line(what: str, done: int, total: int | None) -> None:
        nonlocal said
        if time.monotonic() - said >= STEP_EVERY:
            said = time.monotonic()
            console.print(in_words(what, done, total), markup=False, soft_wrap=True)

    yield line

"""Whether the scheduler grows: its memory after many nights, which here follow at once."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from apscheduler.triggers.interval import IntervalTrigger

from benchmarks.tables import out
from schedules.nightly import Nights

WARM = 5
"""Nights after which what is made once has been made."""

APART_SECONDS = 0.1


def run(nights: int = 100) -> None:
    """The memory of the scheduler, before and after so many nights."""
    before, after = memory(nights)
    out.print(f"{before:.1f} MB, and {nights} nights later {after:.1f} MB")


def memory(nights: int) -> tuple[float, float]:
    """Resident memory of the scheduler, in MB, after WARM nights and after as many more."""
    after: list[float] = []

    def say(line: str) -> None:
        if "the night ended" in line:
            after.append(_resident_mb())
            if len(after) == WARM + nights:
                scheduler.stop()

    nothing = [sys.executable, "-c", ""]
    with tempfile.TemporaryDirectory() as folder:
        scheduler = Nights(
            Path(folder) / "ratings.db",
            nothing,
            nothing,
            IntervalTrigger(seconds=APART_SECONDS),
            say,
        )
        scheduler.run(at_once=True)
    return after[WARM - 1], after[-1]


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

"""What an export costs: seconds and memory of each format, of databases of two sizes."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.catalogue import LAST, catalogue, move_times
from benchmarks.processes import measured
from benchmarks.tables import print_machine, print_table
from pipelines import clock
from pipelines.database import transaction, writing

FILMS = 100_000
"""Films in the larger database, where nothing else is asked for; the smaller has a tenth."""

FORMATS = ("parquet", "csv", "json", "kodi-nfo", "kometa")


@dataclass(frozen=True)
class Cost:
    """Of one export, as a command; `peak` is its largest resident memory, in bytes, and `written`
    what its files come to."""

    films: int
    kind: str
    seconds: float
    processor_seconds: float
    peak: int
    written: int


def run(films: int = FILMS) -> None:
    """What exporting so many films, and a tenth of them, costs."""
    print_machine()
    print_table(
        "Exports",
        (
            {
                "format": row.kind,
                "films": f"{row.films:,}",
                "seconds": f"{row.seconds:,.1f}",
                "CPU seconds": f"{row.processor_seconds:,.1f}",
                "MB in memory": f"{row.peak / 1e6:,.0f}",
                "MB written": f"{row.written / 1e6:,.0f}",
            }
            for row in costs(films)
        ),
    )


def costs(films: int) -> Iterator[Cost]:
    """Make databases of a tenth of so many films and of all; export each in every format."""
    for number in (films // 10, films):
        with tempfile.TemporaryDirectory(prefix="afterscore-bench-") as folder:
            path = Path(folder) / "ratings.db"
            catalogue(path, number)
            _bring_up_to_date(path)
            for kind in FORMATS:
                target = Path(folder) / kind
                words = ["--format", kind, "--out", str(target), "--db", str(path)]
                command = [sys.executable, "-m", "schedules.cli", "export", *words]
                cost = measured([command], os.environ)
                written = sum(file.stat().st_size for file in target.iterdir())
                yield Cost(
                    number, kind, cost.seconds, cost.processor_seconds, cost.peaks[0], written
                )


def _bring_up_to_date(path: Path) -> None:
    """Let the last answers be of today: what may not be kept any longer would be deleted first."""
    days = (datetime.now(UTC) - clock.moment(LAST)).days
    with writing(path) as db, transaction(db):
        move_times(db.conn, f"+{days} days")

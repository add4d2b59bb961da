"""What merging costs: seconds and memory after changes to a few of a database's films, or to all.

`python -m benchmarks.merge FILE FILMS` is one such merge, in a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from benchmarks.catalogue import catalogue
from benchmarks.processes import peak
from pipelines.database import set_aside, transaction, writing
from pipelines.merge import merge

FILMS = 100_000
"""Films in the database, where nothing else is asked for."""

CHANGED = (1, 100, 1_000, 10_000, 100_000)
TIMES = 3
"""Merges of each size, of other films each time; the median counts."""


@dataclass(frozen=True)
class Cost:
    """Of a merge of so many films; `peak` is the process's largest resident memory, in bytes."""

    changed: int
    seconds: float
    processor_seconds: float
    peak: int


def costs(films: int) -> Iterator[Cost]:
    """Make a database of so many films; then change some of them and merge, more each time."""
    with tempfile.TemporaryDirectory(prefix="afterscore-bench-") as folder:
        path = Path(folder) / "ratings.db"
        catalogue(path, films)
        for changed in sorted({min(number, films) for number in (*CHANGED, films)}):
            times = 1 if changed == films else TIMES
            each = [_in_a_process(path, changed) for _ in range(times)]
            seconds, processor, peaks = zip(*each, strict=True)
            yield Cost(
                changed, statistics.median(seconds), statistics.median(processor), max(peaks)
            )


def _in_a_process(path: Path, changed: int) -> tuple[float, float, int]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.merge", str(path), str(changed)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, processor, memory = json.loads(done.stdout)
    return seconds, processor, memory


def _merge_some(path: Path, number: int) -> tuple[float, float, int]:
    """Change the scores of so many films, and merge those."""
    with writing(path) as db:
        (films,) = next(db.conn.execute("SELECT max(film_id) FROM films"))
        chosen = random.sample(range(1, films + 1), number)
        _change(db, chosen)
        started, used = time.perf_counter(), time.process_time()
        merge(db, chosen)
        seconds, processor = time.perf_counter() - started, time.process_time() - used
    return seconds, processor, peak(os.getpid()) or 0


def _change(db: Database, film_ids: list[int]) -> None:
    with transaction(db):
        set_aside(db, "chosen", "film_id", film_ids)
        db.conn.execute(
            "UPDATE scores SET value = 0.99 * value, votes = votes + 9"
            " WHERE state = 'scored' AND listing_id IN (SELECT listing_id"
            " FROM temp.chosen CROSS JOIN listing_films USING (film_id) WHERE valid_to IS NULL)"
        )


if __name__ == "__main__":
    print(json.dumps(_merge_some(Path(sys.argv[1]), int(sys.argv[2]))))

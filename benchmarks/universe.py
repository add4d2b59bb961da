"""TMDB's export of a million films: what a night takes to read it, and what it costs to know of so
many films that were never asked, beside what they would cost as listings."""

from __future__ import annotations

import gzip
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.datasets import served
from benchmarks.processes import Measured, measured
from benchmarks.tables import print_machine, print_table
from spiders.sources import by_key

FILMS = 1_100_000
NEW = 500
"""Films that a day brings."""

_SETTINGS = """refresh_after_hours = 0
[universe]
tmdb_popularity_at_least = 0
[sources.tmdb]
delay_seconds = 0
"""

_AS_LISTINGS = """
INSERT INTO listings (source, source_id, url, first_seen_at)
SELECT source, source_id, 'https://www.themoviedb.org/movie/' || source_id, '2026-01-01T00:00:00Z'
FROM exported_ids
"""


@dataclass(frozen=True)
class Step:
    """One command: what it does, what it costs, and how large the database is then, bytes."""

    name: str
    cost: Measured
    database: int


def run(films: int = FILMS) -> None:
    """What TMDB's export of so many films costs; the memory of each process, the oldest first."""
    print_machine()
    print_table(
        f"An export of {films:,} films",
        (
            {
                "command": step.name,
                "seconds": f"{step.cost.seconds:,.1f}",
                "CPU s": f"{step.cost.processor_seconds:,.1f}",
                "MB": step.cost.megabytes,
                "written, MB": f"{step.cost.written / 1e6:,.0f}",
                "database, MB": f"{step.database / 1e6:,.0f}",
            }
            for step in steps(films)
        ),
    )


def steps(films: int) -> Iterator[Step]:
    """The first night, the next one, and a plan; the last with all films as listings."""
    with tempfile.TemporaryDirectory(prefix="afterscore-universe-") as name:
        folder = Path(name)
        made_up = _Export(folder, films)
        with served(folder) as address:
            night = _Command(folder, address)
            yield night("first night", "refresh", "--source", "tmdb")
            made_up.next_day()
            with closing(sqlite3.connect(night.database)) as db, db:
                db.execute("UPDATE exports SET exported_on = '2026-01-01'")
            yield night("next night", "refresh", "--source", "tmdb", "--limit", "1")
            yield night("plan", "plan", "--source", "tmdb", "--json")
            with closing(sqlite3.connect(night.database)) as db, db:
                db.execute("DELETE FROM urls")
                db.execute("DELETE FROM listings WHERE source = 'tmdb'")
                db.execute(_AS_LISTINGS)
            yield night("plan, were they listings", "plan", "--source", "tmdb", "--json")


class _Export:
    """A made-up export of today, where the sources' would lie."""

    def __init__(self, folder: Path, films: int) -> None:
        self._random = random.Random(films)
        self._ids = sorted(self._random.sample(range(1, films * 3 // 2), films))
        ready = datetime.now(UTC) - timedelta(hours=by_key("tmdb").export_hour or 0)
        self._path = folder / f"p/exports/movie_ids_{ready:%m_%d_%Y}.json.gz"
        self._path.parent.mkdir(parents=True)
        self._popularity = {film: self._random.paretovariate(1.2) / 10 for film in self._ids}
        self._write()

    def next_day(self) -> None:
        """The same, with some films more; every popularity has moved by a tenth or so."""
        for film in range(self._ids[-1] + 1, self._ids[-1] + 1 + NEW):
            self._popularity[film] = 1.0
        for film in self._popularity:
            self._popularity[film] *= self._random.lognormvariate(0, 0.1)
        self._write()

    def _write(self) -> None:
        with gzip.open(self._path, "wt", compresslevel=6, encoding="utf-8") as file:
            for film, popularity in self._popularity.items():
                told = {"adult": False, "id": film, "original_title": f"A Film of {film}"}
                told |= {"popularity": round(popularity, 4), "video": False}
                file.write(json.dumps(told, separators=(",", ":")) + "\n")


class _Command:
    """`afterscore`, from the start of the command to its end."""

    def __init__(self, folder: Path, address: str) -> None:
        self.database = folder / "ratings.db"
        settings = folder / "afterscore.toml"
        settings.write_text(_SETTINGS, "utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AFTERSCORE_")}
        hosts = {host.variable: address for host in by_key("tmdb").hosts}
        told = {"AFTERSCORE_CONFIG": str(settings), "TMDB_API_TOKEN": "a-token"}
        self._environment: Mapping[str, str] = {**kept, **hosts, **told}

    def __call__(self, name: str, *words: str) -> Step:
        command = [sys.executable, "-m", "schedules.cli", *words, "--db", str(self.database)]
        cost = measured([command], self._environment)
        return Step(name, cost, self.database.stat().st_size)

"""What a whole catalogue costs as it grows: to rebuild it, to match new listings into it, to merge
what changed, to browse it, and on disk.

Each step is a process of its own: `python -m benchmarks.catalogue_costs STEP FILE NUMBER`.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from sqlite_utils import Database

from benchmarks import browse
from benchmarks.catalogue import LAST, Past, catalogue
from benchmarks.processes import measured, peak
from benchmarks.tables import print_machine, print_table
from pipelines.database import read_only, set_aside, transaction, writing
from pipelines.matching.matcher import match
from pipelines.merge import merge

SIZES = (10_000, 30_000, 100_000)
"""Films, where nothing else is asked for; a database of a million takes 14 GB."""

SHARES = {
    "imdb": 1.0,
    "wikidata": 0.28,
    "tmdb": 1.0,
    "rottentomatoes": 1.0,
    "metacritic": 1.0,
    "whatsafterthemovie": 0.05,
    "aftercredits": 0.05,
    "mediastinger": 0.05,
}
"""Of how many of the films each source has a listing: 4.4 for a film, and 6 scores. As many as here
have a row in Wikidata's crosswalk of identifiers; the rest is matched by evidence."""

OBSERVATIONS = 10 / 3
"""Of each score: 20 for a film."""

NEW = 10_000
"""Listings that are matched into what is there, or half as many as there are films."""

AGAIN = 1_000
"""Films that are matched again, as when figures of theirs changed and nothing that is compared."""

CHANGED = (1, 100, 10_000)
"""Films that changed, and are merged."""

VISITS = 10
"""Of the page of a film, and of each query."""


@dataclass(frozen=True)
class Cost:
    """Of one step with a database of so many films; `peak` is the largest resident memory of its
    process, in bytes."""

    films: int
    step: str
    seconds: float
    processor_seconds: float
    peak: int


@dataclass(frozen=True)
class Catalogue:
    """What one database cost, and what it is: rows of its largest tables, bytes, and its pages."""

    films: int
    costs: Sequence[Cost]
    rows: dict[str, int]
    size: int
    pages: Sequence[browse.Page]


def run(
    films: Annotated[list[int] | None, typer.Option(help="A size; may be repeated")] = None,
    kept: Annotated[
        Path | None, typer.Option("--db", help="Of one size: keep the database there, and use it")
    ] = None,
) -> None:
    """What each step costs with each size of a catalogue, and by which power of the size that
    grows."""
    sizes = films or SIZES
    if kept and len(sizes) > 1:
        raise SystemExit("--db is of one size: give one number of films")
    print_machine()
    by_step: dict[str, list[Cost]] = {}
    for made in catalogues(sizes, kept):
        _print_catalogue(made)
        for cost in made.costs:
            by_step.setdefault(cost.step, []).append(cost)
    if len(sizes) < 2:
        return
    print_table(
        "CPU seconds by films, and the exponent between two sizes",
        (
            {"step": step, **_seconds(costs), **_growth(costs)}
            for step, costs in by_step.items()
            if len(costs) == len(sizes)
        ),
    )


def _seconds(costs: Sequence[Cost]) -> dict[str, str]:
    return {f"{cost.films:,}": f"{cost.processor_seconds:,.2f}" for cost in costs}


def _growth(costs: Sequence[Cost]) -> dict[str, str]:
    grown = {}
    for (less, more), exponent in zip(pairwise(costs), exponents(costs), strict=True):
        ratio = math.log(more.films) / math.log(less.films)
        n_log_n = 1 + math.log(ratio) / math.log(more.films / less.films)
        between = f"{less.films:,} to {more.films:,}\n(n log n: {n_log_n:.2f})"
        grown[between] = f"{exponent:.2f}"
    return grown


def _print_catalogue(made: Catalogue) -> None:
    rows = ", ".join(f"{number:,} {table}" for table, number in made.rows.items())
    print_table(
        f"{rows}: {made.size / 1e9:,.2f} GB, {made.size / made.films:,.0f} a film",
        (
            {
                "step": cost.step,
                "seconds": f"{cost.seconds:,.2f}",
                "CPU seconds": f"{cost.processor_seconds:,.2f}",
                "CPU µs a film": f"{1e6 * cost.processor_seconds / made.films:,.1f}",
                "peak MB": f"{cost.peak / 1e6:,.0f}",
            }
            for cost in made.costs
        ),
    )
    print_table("Pages", ({"page": page.name} | page.milliseconds for page in made.pages))


def catalogues(sizes: Sequence[int], kept: Path | None = None) -> Iterator[Catalogue]:
    """Measure a database of each size; `kept` is that of one size, made where it is not there."""
    for films in sizes:
        with tempfile.TemporaryDirectory(prefix="afterscore-bench-") as folder:
            yield _catalogue(kept or Path(folder) / "ratings.db", films)


def exponents(costs: Sequence[Cost]) -> list[float]:
    """By which power of the films the processor's time of a step grew from size to size."""
    return [
        math.log(more.processor_seconds / less.processor_seconds)
        / math.log(more.films / less.films)
        for less, more in pairwise(costs)
    ]


def _catalogue(path: Path, films: int) -> Catalogue:
    costs = []
    if not path.exists():
        costs.append(_alone(path, films, "make", films, "make it"))
    costs.append(_rebuilt(path, films))
    new = min(NEW, films // 2)
    costs.append(_alone(path, films, "match", new, f"match {new:,} new listings"))
    again = min(AGAIN, films)
    costs.append(_alone(path, films, "again", again, f"match {again:,} films again"))
    for number in (number for number in CHANGED if number <= films):
        costs.append(_alone(path, films, "merge", number, f"merge {number:,} films"))
    with read_only(path).conn as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("films", "listings", "scores", "score_observations")
        }
    pages = browse.browsed(
        path, VISITS, lambda page: page.name == "a film" or page.group == "queries"
    )
    return Catalogue(films, costs, rows, path.stat().st_size, pages)


def _rebuilt(path: Path, films: int) -> Cost:
    command = [sys.executable, "-m", "schedules.cli", "rebuild", "--db", str(path)]
    cost = measured([command], os.environ)
    return Cost(films, "rebuild", cost.seconds, cost.processor_seconds, max(cost.peaks))


def _alone(path: Path, films: int, step: str, number: int, name: str) -> Cost:
    command = [sys.executable, "-m", "benchmarks.catalogue_costs", step, str(path), str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Cost(films, name, *json.loads(done.stdout))


# --- in a step's process --------------------------------------------------------------------------


@contextmanager
def _timed() -> Iterator[None]:
    """Print seconds, the processor's seconds and the process's largest memory, in bytes."""
    started, used = time.perf_counter(), time.process_time()
    yield
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    print(json.dumps([seconds, processor, peak(os.getpid()) or 0]))


def _make(path: Path, films: int) -> None:
    with _timed():
        catalogue(path, films, Past(OBSERVATIONS), SHARES)


def _match_new(path: Path, number: int) -> None:
    """Listings of AfterCredits.com, of films that have none there, with a title and a year."""
    with writing(path) as db:
        with transaction(db):
            db.conn.execute(
                "INSERT INTO listings (source, source_id, url, title, year, kind, first_seen_at)"
                " SELECT 'aftercredits', 'new' || film_id, url || '/new', title, year, kind, ?"
                " FROM (SELECT film_id, l.* FROM films f JOIN listing_films lf USING (film_id)"
                "  JOIN listings l USING (listing_id) WHERE l.source = 'imdb'"
                "  AND lf.valid_to IS NULL AND NOT EXISTS (SELECT 1 FROM listing_films o"
                "   JOIN listings a USING (listing_id) WHERE o.film_id = f.film_id"
                "   AND a.source = 'aftercredits') AND NOT EXISTS (SELECT 1 FROM listings n"
                "   WHERE n.source = 'aftercredits' AND n.source_id = 'new' || f.film_id))"
                " ORDER BY film_id * 2654435761 % 4294967296 LIMIT ?",
                (LAST, number),
            )
        new = [
            row[0]
            for row in db.conn.execute(
                "SELECT listing_id FROM listings ORDER BY listing_id DESC LIMIT ?", (number,)
            )
        ]
        with _timed():
            match(db, new)


def _match_again(path: Path, number: int) -> None:
    """Listings of IMDb, drawn by lot over all of them."""
    with writing(path) as db:
        of_imdb = "SELECT listing_id FROM listings WHERE source = 'imdb'"
        listings = [row[0] for row in db.conn.execute(of_imdb)]
        chosen = random.Random(number).sample(listings, number)
        with _timed():
            match(db, chosen)


def _merge_some(path: Path, number: int) -> None:
    """Change the scores of so many films, drawn by lot over all of them, and merge those."""
    with writing(path) as db:
        (films,) = next(db.conn.execute("SELECT max(film_id) FROM films"))
        chosen = random.Random(number).sample(range(1, films + 1), number)
        _change(db, chosen)
        with _timed():
            merge(db, chosen)


def _change(db: Database, film_ids: Sequence[int]) -> None:
    with transaction(db):
        set_aside(db, "chosen", "film_id", film_ids)
        db.conn.execute(
            "UPDATE scores SET value = 0.99 * value, votes = votes + 9"
            " WHERE state = 'scored' AND listing_id IN (SELECT listing_id"
            " FROM temp.chosen CROSS JOIN listing_films USING (film_id) WHERE valid_to IS NULL)"
        )


_STEPS: dict[str, Callable[[Path, int], None]] = {
    "make": _make,
    "match": _match_new,
    "again": _match_again,
    "merge": _merge_some,
}

if __name__ == "__main__":
    _STEPS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))

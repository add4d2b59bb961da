"""A backfill on four workers that are killed at random, beside the same one on a single machine.

Counted at the served sites: how often each page was asked, and how long after the request before.
Afterwards the two databases must be the same, times and numbers of runs apart.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.machines import Machines
from benchmarks.pages import EMBEDDED, SMALL, films
from benchmarks.soak import differences, rows, sites
from benchmarks.tables import out, print_machine, print_table
from schedules.replica import Asked, Replica
from spiders.sources import SOURCES

PARTS = [*EMBEDDED, *(pages for pages in SMALL if pages.source == "tmdb")]
"""The pages of four sources, one for each worker."""

WORKERS = 4
FILMS = 120
KILLS = 6
DELAY = 0.5
"""Seconds between two requests to a host."""

BETWEEN = (6.0, 14.0)
"""Seconds between two kills: the least and the most."""


@dataclass(frozen=True)
class Host:
    """What a host was asked: requests in all, and those for pages that it had been asked before.

    The least seconds before the first request of a batch, which are the run's to keep; between any
    two; and between two when it was asked from one machine, which is what noting them is good for.
    """

    role: str
    requests: int
    again: int
    before_a_batch: float
    between_two: float
    alone: float


@dataclass(frozen=True)
class Spread:
    """What it came to: seconds alone and on the workers, and whatever is wrong."""

    alone: float
    spread: float
    kills: int
    listings: int
    hosts: Sequence[Host] = ()
    wrong: list[str] = field(default_factory=list)


def run(kills: int = KILLS, films: int = FILMS, seed: int = 1) -> None:
    """A backfill on workers that are killed: what each host was asked. Exit status 1 where anything
    was wrong."""
    print_machine()
    found = spread(kills, seed, films)
    print_table(
        f"{found.listings:,} listings, {DELAY:g} s between requests, on {WORKERS} workers",
        (
            {
                "host": host.role,
                "requests": host.requests,
                "asked again": host.again,
                "s before a batch": f"{host.before_a_batch:.2f}",
                "s between two": f"{host.between_two:.2f}",
                "alone": f"{host.alone:.2f}",
            }
            for host in found.hosts
        ),
    )
    out.print(
        f"  {found.spread:.0f} s, in which {found.kills} times a worker, or once the scheduler"
        f" with all of them, was killed; on one machine, undisturbed, {found.alone:.0f} s"
    )
    for line in found.wrong:
        out.print(line, markup=False)
    sys.exit(bool(found.wrong))


def spread(kills: int = KILLS, seed: int = 1, made_up: int = FILMS) -> Spread:
    """Backfill so many films of four sources twice. The scheduler is restarted once, too."""
    with (
        tempfile.TemporaryDirectory(prefix="afterscore-cluster-") as name,
        sites(made_up, PARTS) as replica,
    ):
        folder = Path(name)
        environment = _environment(replica)
        alone, on_workers = folder / "alone", folder / "on-workers"
        _prepare(alone, made_up, environment)
        shutil.copytree(alone, on_workers)
        begun = time.monotonic()
        words = ["backfill", "--films", "films.csv"]
        subprocess.run(
            _command(*words), cwd=alone, env=environment, capture_output=True, check=True
        )
        seconds = time.monotonic() - begun
        undisturbed = list(replica.asked)
        replica.asked.clear()
        with Machines(folder, environment) as machines:
            machines.start_workers(WORKERS)
            begun = time.monotonic()
            words += ["--cluster", machines.address]
            run = subprocess.Popen(
                _command(*words), cwd=on_workers, env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            done = _disturb(run, machines, kills, random.Random(seed))
            _, said = run.communicate()
            taken = time.monotonic() - begun
        wrong = [] if run.returncode == 0 else [f"it ended with {run.returncode}: {said.decode()}"]
        stored, wanted = _stored(on_workers), _stored(alone)
        if stored != wanted:
            wrong.append(f"{stored} answers were stored, {wanted} alone")
        wrong += differences(rows(alone / "ratings.db"), rows(on_workers / "ratings.db"))
        hosts = [_host(part.host.role, replica.asked, undisturbed) for part in PARTS]
        wrong += [
            f"{host.role}: a batch began {host.before_a_batch:.2f} s after the one before it"
            for host in hosts
            if host.before_a_batch < DELAY
        ]
        return Spread(seconds, taken, done, wanted, hosts, wrong)


def _disturb(
    run: subprocess.Popen[bytes], machines: Machines, kills: int, chance: random.Random
) -> int:
    """Kill workers while the command runs, and start others; once the scheduler, which takes its
    workers with it. Returns how many were killed."""
    for number in range(kills):
        try:
            run.wait(chance.uniform(*BETWEEN))
        except subprocess.TimeoutExpired:
            if number == kills // 2:
                machines.kill_scheduler()
                machines.start_scheduler()
                machines.start_workers(WORKERS)
            else:
                machines.kill_worker(chance.randrange(WORKERS))
                machines.start_workers(1)
        else:
            return number
    return kills


def _host(role: str, asked: Sequence[Asked], undisturbed: Sequence[Asked]) -> Host:
    own = [request for request in asked if request.host == role]
    pages = Counter(request.path for request in own if request.path != "/robots.txt")
    others = [request for request in undisturbed if request.host == role]
    return Host(
        role=role,
        requests=len(own),
        again=pages.total() - len(pages),
        before_a_batch=_least_gap(own, "/robots.txt"),
        between_two=_least_gap(own),
        alone=_least_gap(others),
    )


def _least_gap(asked: Sequence[Asked], path: str = "") -> float:
    """The least seconds between a request for the path, or any, and the one before it."""
    return min(
        after.at - before.at for before, after in pairwise(asked) if after.path.startswith(path)
    )


def _stored(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "ratings.db")) as db:
        return int(db.execute("SELECT sum(asked) FROM crawls").fetchone()[0])


def _prepare(folder: Path, made_up: int, environment: dict[str, str]) -> None:
    """A folder with settings, a list of films, and a database that tracks them."""
    folder.mkdir()
    ours = {part.source for part in PARTS}
    lines = []
    for source in SOURCES:
        lines += [f"[sources.{source.key}]", f"enabled = {str(source.key in ours).lower()}"]
        lines += [f"delay_seconds = {DELAY}"]
        lines += [f"{name} = true" for name in source.opt_in]
    (folder / "afterscore.toml").write_text("\n".join(lines), "utf-8")
    listed = [",".join(part.source for part in PARTS)]
    listed += [",".join(part.source_id(film) for part in PARTS) for film in films(made_up)]
    (folder / "films.csv").write_text("\n".join(listed), "utf-8")
    command = _command("track", "--films", "films.csv")
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)


def _environment(replica: Replica) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AFTERSCORE_")}
    keys = {source.key_variable: "a-token" for source in SOURCES if source.key_variable}
    return {**kept, **keys, **replica.environment}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "schedules.cli", *words]

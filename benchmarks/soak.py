"""kill -9 at random moments of every command that writes, and what is left then.

After each kill the file must open and be sound, hold every score that it held before, and none
twice in a row; the same command once more must end well without asking for a page that was stored,
and leave the very database that it leaves when nobody disturbs it, times and numbers of runs apart.
"""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from sqlite_utils import Database

from benchmarks.catalogue import catalogue, move_times
from benchmarks.pages import EMBEDDED, Pages, films
from benchmarks.processes import family
from benchmarks.tables import out, print_machine, print_table
from pipelines.migrations import migrations
from pipelines.tables import TABLES, derived_tables
from schedules.replica import Replica, Sample
from spiders.sources import SOURCES, by_key

KILLS = 200
"""Kills, where no other number is asked for."""

SHARES = {"refresh": 60, "backfill": 30, "rebuild": 40, "backup": 30, "migration": 40}
"""How many of 200 kills fall upon each command."""

MADE_UP = 45
"""Films that are served beside the samples, so that storing takes long enough to be killed in."""

CATALOGUE = 1_000
"""Films in the database that is rebuilt, copied and migrated."""

DAYS_AGO = 160
"""When the database was last refreshed: longer ago than any listing waits (150 days), and not so
long that TMDB's figures have to be purged (180)."""

OLDER = "m002_matching"
"""The first migration that the older database lacks."""

_SECOND_NIGHT = (
    (b'"score":"92","ratingCount":289,"reviewCount":289',
     b'"score":"90","ratingCount":389,"reviewCount":389'),
    (b'"aggregateRating": 7.8, "voteCount": 768360',
     b'"aggregateRating": 7.9, "voteCount": 968360'),
    (b'"vote_average": 6.9,\n "vote_count": 7604', b'"vote_average": 7.0,\n "vote_count": 8604'),
)  # fmt: skip
"""What pages say on the second night in place of what they said on the first."""

_DIFFERS = re.compile(r"_at$|^valid_(from|to)$|^another_film_since$|^(run|quarantine)_id$|^why$")
"""Columns in which one run may differ from another: times, and reasons for being due, which follow
from times; numbers of runs."""

_NAMED = {
    "listing_id": "(SELECT source || ':' || source_id FROM listings n"
    " WHERE n.listing_id = t.listing_id)",
    "film_id": "(SELECT ifnull(imdb_id, title) FROM films n WHERE n.film_id = t.film_id)",
    "merged_into": "(SELECT ifnull(imdb_id, title) FROM films n WHERE n.film_id = t.merged_into)",
    "person_id": "(SELECT name FROM people n WHERE n.person_id = t.person_id)",
}
"""Our own numbers follow the order in which answers came; in their place stands what they name."""

_TOLD_ELSEWHERE = {
    "lookups": "NOT EXISTS (SELECT 1 FROM listing_films lf JOIN listings l USING (listing_id)"
    " WHERE lf.film_id = t.film_id AND lf.valid_to IS NULL AND l.source = t.source)",
    "urls": "url NOT LIKE '%#%'",
}
"""What a killed run may leave otherwise: whether a film was found that has a listing, which tells
that it is, where the lookup may be of before its page was read; and what was known of a dataset
when fewer films were wanted, whose names its URL's fragment has."""

Rows = Mapping[str, Sequence[tuple[Any, ...]]]


@dataclass
class Killed:
    """One kill: of which command, after which share of its time, and what was wrong then."""

    job: str
    share: float
    alone: bool
    stored: int = 0
    asked: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """A command over a database of its own; `seconds` is what it takes from its first sign of work
    (`sign`, a file) to its end, and `left` the rows that it leaves, when nobody disturbs it."""

    name: str
    words: tuple[str, ...]
    base: Path
    sign: str = "ratings.db.lock"
    seconds: float = 0.0
    left: Rows = field(default_factory=dict)


def run(kills: Annotated[int, typer.Argument()] = KILLS, seed: int = 1) -> None:
    """kill -9 at random moments, and what is left then. Exit status 1 where anything was wrong."""
    print_machine()
    done = []
    for killed in soak(kills, seed):
        done.append(killed)
        for line in killed.wrong[:5]:
            out.print(f"{killed.job} at {killed.share:.3f}: {line}", markup=False)
        if len(done) % 10 == 0:
            print(f"{len(done)} of {kills}, last {killed.job}", file=sys.stderr)
    by_job = {job: [killed for killed in done if killed.job == job] for job in SHARES}
    print_table(
        f"{len(done)} kills (seed {seed})",
        (
            {
                "command": job,
                "kills": len(of_it),
                "all at once": sum(not killed.alone for killed in of_it),
                "pages stored before": f"{sum(killed.stored for killed in of_it):,}",
                "asked after": f"{sum(killed.asked for killed in of_it):,}",
                "wrong": sum(bool(killed.wrong) for killed in of_it),
            }
            for job, of_it in by_job.items()
        ),
    )
    sys.exit(any(killed.wrong for killed in done))


def soak(
    kills: int = KILLS, seed: int = 1, made_up: int = MADE_UP, catalogued: int = CATALOGUE
) -> Iterator[Killed]:
    """Kill so many times, and look after each."""
    with tempfile.TemporaryDirectory(prefix="afterscore-soak-") as name, sites(made_up) as replica:
        bench = _Bench(Path(name), replica, made_up, catalogued)
        chance = random.Random(seed)
        jobs = [bench.undisturbed(job) for job in bench.jobs()]
        for job in jobs:
            for _ in range(max(1, round(kills * SHARES[job.name] / sum(SHARES.values())))):
                yield bench.kill(job, chance.random(), alone=chance.random() < 0.3)


@contextmanager
def sites(made_up: int, parts: Sequence[Pages] = EMBEDDED) -> Iterator[Replica]:
    """The replica, with so many made-up films beside its own."""
    with Replica() as replica:
        for pages in parts:
            site = replica.pages.setdefault(pages.host.url, {})
            for film in films(made_up):
                path = pages.url(film).removeprefix(pages.host.url)
                site[path] = Sample(pages.body(film), "text/html; charset=utf-8")
        yield replica


class _Bench:
    """Databases to begin with, and a folder in which the commands run."""

    def __init__(self, folder: Path, replica: Replica, made_up: int, catalogued: int) -> None:
        self._folder, self._replica = folder, replica
        self._made_up, self._catalogued = made_up, catalogued
        self._place = folder / "place"
        self._place.mkdir()
        lines = []
        for source in SOURCES:
            lines += [f"[sources.{source.key}]", "enabled = true", "delay_seconds = 0"]
            lines += [f"{name} = true" for name in source.opt_in]
        (self._place / "afterscore.toml").write_text("\n".join(["[universe]", *lines]), "utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AFTERSCORE_")}
        keys = {source.key_variable: "a-token" for source in SOURCES if source.key_variable}
        self._environment = {**kept, **keys, **replica.environment}

    def jobs(self) -> list[Job]:
        """Every command that writes, each over the database that it is killed in."""
        tracked, refreshed = self._folder / "tracked.db", self._folder / "refreshed.db"
        many, older = self._folder / "many.db", self._folder / "older.db"
        self._track(self._made_up)
        self._keep(tracked)
        self._must_end_well("refresh")
        self._long_ago()
        self._keep(refreshed)
        for site in self._replica.pages.values():
            for path, sample in site.items():
                site[path] = replace(sample, body=_second_night(sample.body))
        catalogue(many, self._catalogued)
        # As matching leaves it: what was made up tells films other facts than their listings do.
        self._must_end_well("rebuild", "--db", str(many))
        _as_of(OLDER, many, older)
        return [
            Job("refresh", ("refresh",), refreshed),
            Job("backfill", ("backfill",), tracked),
            Job("rebuild", ("rebuild",), many),
            Job("backup", ("backup", "copy.db", "--force"), many, "copy.db.partial"),
            Job("migration", ("prune",), older),
        ]

    def undisturbed(self, job: Job) -> Job:
        """The job with the time that it takes, and the rows that it leaves."""
        self._begin(job)
        process = self._start(job)
        started = self._first_sign(job, process)
        _, said = process.communicate()
        assert process.returncode == 0, f"{job.name} fails undisturbed: {said.decode()}"
        seconds = time.monotonic() - started
        return replace(job, seconds=seconds, left=rows(self._result(job)))

    def kill(self, job: Job, share: float, *, alone: bool) -> Killed:
        """Kill it after a share of its time: the run process `alone`, or with all its crawls."""
        killed = Killed(job.name, share, alone)
        self._begin(job)
        before = Before.of(self._place / "ratings.db")
        while not self._killed_at(job, share * job.seconds, alone=alone):
            share = killed.share = share * 0.9  # it was quicker this time
            self._begin(job)
        path = self._place / "ratings.db"
        killed.wrong += wrong_with(path, before)
        stored = self._stored(path)
        killed.stored, sent = len(stored), len(self._replica.asked)
        again = subprocess.run(
            self._command(job), cwd=self._place, env=self._environment, capture_output=True,
            check=False,
        )  # fmt: skip
        if again.returncode:
            killed.wrong.append(f"the next one fails: {again.stderr.decode()[-500:]}")
        asked = {(one.host, one.path) for one in self._replica.asked[sent:]}
        killed.asked = len(self._replica.asked) - sent
        killed.wrong += [f"asked again: {path}" for path in stored if path in asked]
        killed.wrong += wrong_with(path, before)
        killed.wrong += differences(job.left, rows(self._result(job)))
        litter = sorted(file.name for file in self._place.glob("*.partial*"))
        killed.wrong += [f"left behind: {name}" for name in litter]
        return killed

    # --- one command --------------------------------------------------------------------------

    def _begin(self, job: Job) -> None:
        for file in self._place.glob("*.db*"):
            file.unlink()
        shutil.copy(job.base, self._place / "ratings.db")
        self._replica.asked.clear()

    def _start(self, job: Job) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(job), cwd=self._place, env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _first_sign(self, job: Job, process: subprocess.Popen[bytes]) -> float:
        """When the command began with its work, after its imports."""
        sign = self._place / job.sign
        while not sign.exists() and process.poll() is None:
            time.sleep(0.002)
        return time.monotonic()

    def _killed_at(self, job: Job, seconds: float, *, alone: bool) -> bool:
        """Kill it so long after its first sign; False where it had ended before."""
        process = self._start(job)
        assert process.stderr
        started = self._first_sign(job, process)
        try:
            process.wait(max(0.0, started + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            below = list(_handles(pid for pid in family(process.pid) if pid != process.pid))
            process.kill()
            for handle in [] if alone else below:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            for handle in below:  # a crawl whose run is gone ends itself
                select.select([handle], [], [])
                os.close(handle)
        process.wait()
        process.stderr.close()
        return process.returncode == -signal.SIGKILL

    def _result(self, job: Job) -> Path:
        return self._place / ("copy.db" if job.name == "backup" else "ratings.db")

    def _stored(self, path: Path) -> list[tuple[str, str]]:
        """What the killed run had stored, as the server is asked for it: pages, and lists where all
        of a source's had come. Of others nobody knows the rest, so they are begun anew."""
        with closing(sqlite3.connect(path)) as db:
            if migrations.pending(Database(db)):
                return []  # killed before it was up to date: it had not begun to ask
            urls = db.execute(
                "SELECT source, url FROM urls WHERE last_asked_at > strftime('%Y-%m-%dT%H:%M:%SZ',"
                " 'now', '-1 day') AND last_status = 200 AND (listing_id IS NOT NULL OR source IN"
                " (SELECT source FROM crawls JOIN runs USING (run_id) WHERE ended_at IS NULL"
                " AND profile LIKE '%\"whole%'))"
            ).fetchall()
        return [
            (host.role, url.removeprefix(host.url))
            for source, url in urls
            for host in by_key(source).hosts
            if url.startswith(host.url)
        ]

    # --- databases to begin with --------------------------------------------------------------

    def _track(self, number: int) -> None:
        rows = [",".join(pages.source for pages in EMBEDDED)]
        rows += [",".join(pages.source_id(film) for pages in EMBEDDED) for film in films(number)]
        (self._place / "films.csv").write_text("\n".join(rows), "utf-8")
        self._must_end_well("track", "--films", "films.csv")

    def _keep(self, base: Path) -> None:
        with (
            closing(sqlite3.connect(self._place / "ratings.db")) as db,
            closing(sqlite3.connect(base)) as copy,
        ):
            db.backup(copy)

    def _long_ago(self) -> None:
        """As if all that is known had been asked for long ago."""
        with closing(sqlite3.connect(self._place / "ratings.db")) as db, db:
            move_times(db, f"-{DAYS_AGO} days")

    def _must_end_well(self, *words: str) -> None:
        command = [sys.executable, "-m", "schedules.cli", *words]
        subprocess.run(
            command, cwd=self._place, env=self._environment, capture_output=True, check=True
        )

    @staticmethod
    def _command(job: Job) -> list[str]:
        return [sys.executable, "-m", "schedules.cli", *job.words]


def _handles(pids: Iterable[int]) -> Iterator[int]:
    """Handles of processes, which stand for them although others may get their numbers; of those
    that have not ended by themselves."""
    for pid in pids:
        with suppress(ProcessLookupError):
            yield os.pidfd_open(pid)


# --- what is wrong with a database ----------------------------------------------------------------


@dataclass(frozen=True)
class Before:
    """What a database had before a kill: its scores (listing, kind, state, value), and where an
    observation says what the one before it said."""

    standing: Collection[tuple[Any, ...]]
    twice: Collection[tuple[Any, ...]]

    @classmethod
    def of(cls, path: Path) -> Self:
        """What a database has now."""
        with closing(sqlite3.connect(path)) as db:
            return cls(set(db.execute(_STANDING)), set(db.execute(_TWICE)))


def wrong_with(path: Path, before: Before) -> list[str]:
    """What is wrong with a database that had this before."""
    wrong = []
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("PRAGMA integrity_check").fetchall()
        wrong += [f"integrity_check: {row[0]}" for row in found if row[0] != "ok"]
        wrong += [f"points nowhere: {row}" for row in db.execute("PRAGMA foreign_key_check")]
    now = Before.of(path)
    wrong += [f"lost: {score}" for score in set(before.standing) - set(now.standing)]
    wrong += [f"counted twice: {row}" for row in set(now.twice) - set(before.twice)]
    return wrong


# What stands, and what stood before something newer came.
_STANDING = """
SELECT source || ':' || source_id, score_kind, state, value
FROM scores JOIN listings USING (listing_id)
UNION
SELECT source || ':' || source_id, score_kind, state, value
FROM score_observations o JOIN listings USING (listing_id)
WHERE EXISTS (SELECT 1 FROM scores s WHERE s.listing_id = o.listing_id
              AND s.score_kind = o.score_kind AND s.observed_at > o.observed_at)
"""

_TWICE = """
SELECT listing_id, score_kind, observed_at FROM (
  SELECT listing_id, score_kind, observed_at, state, value, votes, basis,
    lag(state) OVER of_one AS state_before, lag(value) OVER of_one AS value_before,
    lag(votes) OVER of_one AS votes_before, lag(basis) OVER of_one AS basis_before
  FROM score_observations WHERE origin <> 'archive'
  WINDOW of_one AS (PARTITION BY listing_id, score_kind ORDER BY observed_at, rowid)
)
WHERE state = state_before AND value IS value_before AND votes IS votes_before
  AND basis IS basis_before
"""


_OF_RUNS = ("runs", "crawls", "run_coverage", "figure_hours")
"""Tables that tell of runs: of one that ended before it was killed, and of the next, there are two;
and of how many figures were seen in which hour, which is a time.
"""


def rows(path: Path) -> Rows:
    """What every table holds, without times, and with names in the place of our numbers."""
    found = {}
    with closing(sqlite3.connect(path)) as db:
        there = set(Database(db).table_names())
        for table in (*TABLES, *derived_tables()):
            if table.name in _OF_RUNS or table.name not in there:
                continue
            columns = [
                _NAMED.get(name, f"t.{name}") for name in table.columns if not _DIFFERS.search(name)
            ]
            found[table.name] = sorted(
                db.execute(
                    f"SELECT {', '.join(columns)} FROM {table.name} t"
                    f" WHERE {_TOLD_ELSEWHERE.get(table.name, 1)}"
                ),
                key=repr,
            )
    return found


def differences(wanted: Rows, found: Rows) -> list[str]:
    """Where a database differs from what is wanted: a line for each table that does."""
    told = []
    for table in wanted:
        lacks = Counter(wanted[table]) - Counter(found.get(table, ()))
        extra = Counter(found.get(table, ())) - Counter(wanted[table])
        if lacks or extra:
            told.append(
                f"{table}: {lacks.total()} rows are not there, {extra.total()} should not be:"
                f" {next(iter(lacks), None)} / {next(iter(extra), None)}"
            )
    return told


def _second_night(body: bytes) -> bytes:
    for first, second in _SECOND_NIGHT:
        body = body.replace(first, second)
    return body


def _as_of(migration: str, newer: Path, older: Path) -> None:
    """The same database as a version wrote it that lacked a migration and all after it."""
    with closing(sqlite3.connect(older, isolation_level=None)) as db:
        migrations.apply(Database(db), stop_before=migration)
        db.execute("ATTACH ? AS newer", (str(newer),))
        db.execute("BEGIN")
        for table in Database(db).tables:
            if not table.name.startswith(("sqlite_", "_sqlite_")):
                columns = ", ".join(table.columns_dict)
                db.execute(
                    f"INSERT INTO main.{table.name} ({columns})"
                    f" SELECT {columns} FROM newer.{table.name}"
                )
        db.execute("COMMIT")

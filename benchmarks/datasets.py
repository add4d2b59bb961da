"""IMDb's datasets, beside imdb-sqlite and the sqlite3 shell on the same made-up files, in turn."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.made_up_titles import (
    AKAS,
    BASICS,
    CREW,
    KINDS,
    RATINGS,
    change_ratings,
    make,
    make_more,
)
from benchmarks.peers import installed
from benchmarks.processes import Measured, measured
from benchmarks.tables import out, print_machine, titled
from spiders.plan import Universe
from spiders.sources import by_key

PEER = "imdb-sqlite==2.1"
PEER_NAME = PEER.replace("==", " ")
TITLES = (1_000_000, 4_000_000, 12_000_000)

_FILMS = Universe().kinds
_REAL, _ALL = Universe().votes_at_least, 0

# The tables and indexes that imdb-sqlite makes: what any import of these files comes to.
_SHELL = """
CREATE TABLE titles (title_id TEXT PRIMARY KEY, type, primary_title, original_title, is_adult,
  premiered INTEGER, ended INTEGER, runtime_minutes INTEGER, genres);
CREATE TABLE ratings (title_id TEXT PRIMARY KEY, rating REAL, votes INTEGER);
.mode tabs
.import --skip 1 '|gzip -dc {basics}' titles
.import --skip 1 '|gzip -dc {ratings}' ratings
CREATE INDEX titles_type ON titles (type);
CREATE INDEX titles_primary_title ON titles (primary_title);
CREATE INDEX titles_original_title ON titles (original_title);
"""


@dataclass(frozen=True)
class Import:
    """One import of the files: by what, and how many titles it then has.

    Ours are named by the universe that is kept.
    """

    name: str
    titles: int
    cost: Measured


def run(
    sizes: Annotated[list[int] | None, typer.Option("--titles", help="May be repeated")] = None,
) -> None:
    """What each import of IMDb's datasets takes, and how many times as fast as imdb-sqlite, the
    peer, it is. The memory is that of each process, the oldest first."""
    print_machine()
    for titles in sizes or TITLES:
        table = titled(
            f"Importing {titles:,} titles",
            ["import"],
            ["titles", "seconds", "times peer's", "CPU s", "times peer's", "MB"],
        )
        peer: Measured | None = None
        for found in imports(titles):
            if isinstance(found, str):
                out.print(found)
                continue
            cost = found.cost
            peer = cost if found.name == PEER_NAME else peer
            table.add_row(
                found.name,
                f"{found.titles:,}",
                f"{cost.seconds:,.1f}",
                f"{peer.seconds / cost.seconds:,.2f}" if peer else "",
                f"{cost.processor_seconds:,.1f}",
                f"{peer.processor_seconds / cost.processor_seconds:,.2f}" if peer else "",
                cost.megabytes,
            )
        out.print(table)


def imports(titles: int) -> Iterator[Import | str]:
    """Each import, in turn; a text in place of one that could not be measured."""
    with tempfile.TemporaryDirectory(prefix="afterscore-datasets-") as name:
        folder = Path(name)
        made = make(folder, titles)
        yield f"{made.titles:,} titles, {made.films:,} of them films, {made.rated:,} with a rating"
        yield from _peers(folder)
        with served(folder) as address:
            ours = _Ours(folder, address)
            yield from ours.nights("default universe", _FILMS, _REAL)
            make_more(folder, titles)
            yield from ours.nights("the same, akas and crew", _FILMS, _REAL, more=True)
            yield from ours.nights("all films", _FILMS, _ALL)
            yield from ours.nights("all kinds", tuple(KINDS), _ALL)


def _peers(folder: Path) -> Iterator[Import | str]:
    database = folder / "peer.db"
    shell = shutil.which("sqlite3")
    if shell:
        script = folder / "script.sql"
        script.write_text(_SHELL.format(basics=folder / BASICS, ratings=folder / RATINGS), "utf-8")
        cost = measured([[shell, str(database), f".read {script}"]], os.environ)
        yield _counted("sqlite3 .import", database, cost)
    else:
        yield "sqlite3: not installed (apt-get install sqlite3)"
    python = installed(folder, PEER)
    if python is None:
        yield f"{PEER}: could not be installed"
        return
    command = [
        str(python.with_name("imdb-sqlite")),
        "--db",
        str(database),
        "--cache-dir",
        str(folder),
    ]
    cost = measured([[*command, "--only", "titles,ratings"]], os.environ)
    yield _counted(PEER_NAME, database, cost)


def _counted(name: str, database: Path, cost: Measured) -> Import:
    """An import, by its rows; the database makes room for the next one."""
    with closing(sqlite3.connect(database)) as db:
        (titles,) = db.execute("SELECT count(*) FROM titles").fetchone()
    database.unlink()
    return Import(name, titles, cost)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of the folder's files, in a process of its own."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        [*command, "--directory", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout
        try:
            port = server.stdout.readline().partition(" port ")[2].split()[0]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


class _Ours:
    """`afterscore refresh --source imdb`, from the start of the command to its end."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._database = folder / "ratings.db"
        self._settings = folder / "afterscore.toml"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AFTERSCORE_")}
        self._environment = {
            **kept,
            **{host.variable: address for host in by_key("imdb").hosts},
            "AFTERSCORE_CONFIG": str(self._settings),
        }

    def nights(
        self, name: str, kinds: Sequence[str], votes: int, *, more: bool = False
    ) -> Iterator[Import]:
        """The first night of a universe, and the next, on which some ratings have moved. `more`:
        with other titles, directors and writers."""
        self._settings.write_text(
            f"refresh_after_hours = 0\n[universe]\nvotes_at_least = {votes}\n"
            f"kinds = {list(kinds)!r}\n[sources.imdb]\ndelay_seconds = 0\n"
            + ("akas = true\ncrew = true\n" if more else ""),
            "utf-8",
        )
        yield self._night(name)
        before = self._folder / "before"
        shutil.copy(self._folder / RATINGS, before)
        change_ratings(self._folder)
        if more:  # sent anew every night, too
            (self._folder / AKAS).touch()
            (self._folder / CREW).touch()
        yield self._night(f"{name}, next night")
        shutil.move(before, self._folder / RATINGS)
        for file in self._folder.glob("ratings.db*"):
            file.unlink()

    def _night(self, name: str) -> Import:
        """One night. Raises AssertionError where something was held, or not stored."""
        command = [sys.executable, "-m", "schedules.cli", "refresh", "--source", "imdb"]
        cost = measured([[*command, "--db", str(self._database)]], self._environment)
        with closing(sqlite3.connect(self._database)) as db:
            outcome, stored = db.execute(
                "SELECT outcome, stored FROM crawls WHERE source = 'imdb' ORDER BY run_id DESC"
            ).fetchone()
            (titles,) = db.execute("SELECT count(*) FROM listings").fetchone()
        # With akas and crew a film is stored of each of the three.
        assert outcome == "ok", outcome
        assert stored >= titles, f"{stored} of {titles} stored"
        return Import(name, titles, cost)

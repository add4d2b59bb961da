"""What tests share: the command line as people use it, and a replica of every source."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

import explore
import pipelines
import schedules
import spiders
from pipelines import clock
from pipelines.database import read_only
from schedules.demo import TRACKED
from schedules.replica import Replica
from spiders.sources import SOURCES
from tests.answers import Kept, keeping
from tests.channel import Channel
from tests.forking import commands

COMMANDS = commands()
SECONDS = 600.0
"""After which a command is killed, and its test fails."""


@dataclass(frozen=True)
class Ended:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


class Afterscore:
    """Runs `afterscore` in a folder of its own, with a settings file and an environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = dict(environment or {})

    def __call__(self, *words: str | Path, stdin: str = "") -> Ended:
        if any(name.startswith("PYTHON") for name in self.environment):
            return self.really(*words, stdin=stdin)  # Python heeds these when it starts
        environment = self.whole_environment()
        done = COMMANDS.run([*map(str, words)], self.folder, environment, stdin, SECONDS)
        return Ended(done.returncode, done.stdout, done.stderr)

    def really(
        self, *words: str | Path, stdin: str = "", before: Callable[[], None] | None = None
    ) -> Ended:
        """Run it from the start of Python on, which takes a second longer; what is to happen in its
        process `before` that, first."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.whole_environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            preexec_fn=before,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def command(*words: str | Path) -> list[str]:
        """The words that run it, as a child process wants them."""
        return [sys.executable, "-W", "error", "-m", "schedules.cli", *map(str, words)]

    def whole_environment(self) -> dict[str, str]:
        """The environment of the command: ours without its own settings, then the test's."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERSCORE_", "TMDB_"))}
        return {**kept, "COLUMNS": "120", **self.environment}

    def settings(self, text: str) -> None:
        """Write afterscore.toml."""
        (self.folder / "afterscore.toml").write_text(text, "utf-8")

    def database(self, name: str = "ratings.db") -> Database:
        """The database that the commands made."""
        return read_only(self.folder / name)


def with_files_of_at_most(size: int, ready: Afterscore, *words: str) -> Ended:
    """Run a command that cannot write beyond so many bytes of any file: to it the disk is full."""
    limits = (size, size)
    return ready.really(*words, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))


def copy_packages(folder: Path) -> None:
    """Copies of the packages in a folder, for a test that changes them. Others may be compiling
    modules meanwhile, and the files they write into are gone a moment later."""
    for package in (spiders, pipelines, schedules, explore):
        inside = Path(str(package.__file__)).parent
        shutil.copytree(inside, folder / inside.name, ignore=shutil.ignore_patterns("*.pyc.*"))


ALL_ON = "\n".join(
    ["[universe]", *(f"[sources.{s.key}]\nenabled = true\ndelay_seconds = 0" for s in SOURCES)]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins its stretch with the long tests in it: beside one that began last, the
    others would have nothing to do."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

    def place(numbered: tuple[int, pytest.Item]) -> tuple[int, bool]:
        number, item = numbered
        return number * workers // len(items), item.get_closest_marker("long") is None

    items[:] = [item for _, item in sorted(enumerate(items), key=place)]


@pytest.fixture(scope="session", autouse=True)
def _end_of_commands() -> Iterator[None]:
    yield
    COMMANDS.end()


@pytest.fixture
def afterscore(tmp_path: Path) -> Afterscore:
    """The command line in an empty folder, with nothing set."""
    return Afterscore(tmp_path)


@pytest.fixture(scope="session")
def replica() -> Iterator[Replica]:
    """The sample pages over HTTP, for reading; tests that count requests start their own."""
    with Replica() as running:
        yield running


def beside(replica: Replica, folder: Path, settings: str = ALL_ON) -> Afterscore:
    """The command line with a replica in the place of every host, and every source on."""
    environment = {
        **replica.environment,
        **{source.key_variable: "a-token" for source in SOURCES if source.key_variable},
    }
    ready = Afterscore(folder, environment)
    ready.settings(settings)
    return ready


@pytest.fixture(scope="session")
def refreshed(
    replica: Replica, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Afterscore, Ended]:
    """A folder after one refresh against the replica, with what it printed. Only for reading."""
    ready = beside(replica, tmp_path_factory.mktemp("refreshed"))
    rows = [[str(listing) for listing in row.listings] for row in TRACKED]
    lines = "\n".join(["url,url,url", *(",".join(row) for row in rows)])
    (ready.folder / "films.csv").write_text(lines, "utf-8")
    assert ready("track", "--films", "films.csv").status == 0
    return ready, ready("refresh")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A database to store answers in."""
    with keeping(tmp_path / "ratings.db") as kept:
        yield kept


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One database for the examples of property tests: each has listings of its own."""
    with keeping(tmp_path_factory.mktemp("shared") / "ratings.db") as kept:
        yield kept


@pytest.fixture
def within_a_day() -> None:
    """For a test that counts days from today: none begins while it runs."""
    if clock.later(clock.now(), minutes=3)[:10] != clock.now()[:10]:
        pytest.skip("a day is about to begin")


@pytest.fixture
def within_an_hour() -> None:
    """The same for hours."""
    if clock.later(clock.now(), minutes=1)[:13] != clock.now()[:13]:
        pytest.skip("an hour is about to begin")


@pytest.fixture
def channel() -> Iterator[Channel]:
    """Somewhere to send alerts to."""
    ready = Channel()
    yield ready
    ready.close()

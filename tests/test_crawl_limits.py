"""A crawl that hangs, leaks or takes too long is ended alone: what it read stands, the others go
on, and the run says which it was."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Afterscore, Ended, copy_packages
from tests.fault_server import PATIENCE, FaultServer, Gate, Reply, asking, printed, started

HANGS = '''
import threading

from spiders.base import SourceSpider


class RottentomatoesSpider(SourceSpider):
    """Its reader never comes back from one page."""

    name = "rottentomatoes"

    def records(self, page, target):
        if target.source_id == "m/1":
            threading.Event().wait()
        return super().records(page, target)
'''

LEAKS = '''
from spiders.base import SourceSpider


class MetacriticSpider(SourceSpider):
    """Keeps half a gigabyte of its first page."""

    name = "metacritic"
    kept = []

    def records(self, page, target):
        self.kept.append(b"x" * 500_000_000 if not self.kept else b"")
        return super().records(page, target)
'''

GULPS = '''
import os

from spiders.base import SourceSpider


class TmdbSpider(SourceSpider):
    """Wants a hundred gigabytes for one page."""

    name = "tmdb"

    def headers(self, target):
        return {"Authorization": "Bearer " + os.environ["TMDB_API_TOKEN"]}

    def records(self, page, target):
        if target.source_id == "2":
            bytearray(100_000_000_000)
        return super().records(page, target)
'''

IDS = {"rottentomatoes": "m/{}", "metacritic": "movie/{}", "tmdb": "{}"}
"""What listings are called."""


@dataclass(frozen=True)
class Run:
    """A refresh: how it ended, its crawls by source, and which listings each source was asked."""

    ended: Ended
    crawls: Mapping[str, dict[str, Any]]
    asked: Mapping[str, list[str]]
    scored: set[str]

    def line(self, source: str) -> str:
        """What is printed of a source."""
        (line,) = (line for line in self.ended.err.splitlines() if line.startswith(f"{source}: "))
        return line


def listings(source: str, number: int) -> list[str]:
    """The source_ids of so many listings, in the order in which they are asked."""
    return [IDS[source].format(place) for place in range(1, number + 1)]


def refreshed(ready: Afterscore, servers: Mapping[str, FaultServer]) -> Run:
    """Refresh, and see what came of it."""
    before = {source: len(server.pages_asked) for source, server in servers.items()}
    ended = ready("refresh")
    database = ready.database()
    crawls = database["crawls"].rows_where(
        "run_id = (SELECT max(run_id) FROM runs) AND outcome <> 'skipped'"
    )
    rows = database.query(
        "SELECT DISTINCT source || ':' || source_id AS listing FROM scores"
        " JOIN listings USING (listing_id) WHERE value IS NOT NULL"
    )
    return Run(
        ended,
        {row["source"]: row for row in crawls},
        {source: server.pages_asked[before[source] :] for source, server in servers.items()},
        {row["listing"] for row in rows},
    )


@contextmanager
def serving(*sources: str) -> Iterator[dict[str, FaultServer]]:
    """A server in the place of each source."""
    with ExitStack() as stack:
        yield {source: stack.enter_context(FaultServer(source)) for source in sources}


# --- crawls that hang or leak ---------------------------------------------------------------------

SOME = 8
"""Listings of each source."""


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One source's reader hangs at its first page, one's keeps too much, one's wants far too much
    for its second page. They may be silent for fifteen seconds, and need 300 MB."""
    folder = tmp_path_factory.mktemp("sick")
    copy_packages(folder)
    for source, spider in (("rottentomatoes", HANGS), ("metacritic", LEAKS), ("tmdb", GULPS)):
        (folder / "spiders" / f"{source}.py").write_text(spider, "utf-8")
    with serving(*IDS) as servers:
        limits = "[limits]\nsilent_minutes = 0.25\nmegabytes = 300\n"
        ready = asking(folder, *servers.values(), delay=1, more=limits)
        ready.environment["PYTHONPATH"] = str(folder)
        names = [f"{source}:{name}" for source in IDS for name in listings(source, SOME)]
        assert ready("track", *names).status == 0
        return refreshed(ready, servers)


def test_a_crawl_that_hangs_is_killed_and_the_run_says_where_it_hung(sick: Run) -> None:
    crawl = sick.crawls["rottentomatoes"]
    assert crawl["outcome"] == "failed"
    assert crawl["detail"] == "killed: it gave no sign of life for 0.25 minutes"
    assert "rottentomatoes.py" in crawl["exception"]
    assert sick.line("rottentomatoes").endswith(
        "failed (killed: it gave no sign of life for 0.25 minutes). What was stored stands."
    )
    assert sick.asked["rottentomatoes"] == ["m/1"]


def test_a_crawl_that_leaks_ends_in_order(sick: Run) -> None:
    crawl = sick.crawls["metacritic"]
    assert crawl["outcome"] == "failed"
    assert "it needed more than 300 MB of memory" in crawl["detail"]
    assert "it needed more than 300 MB of memory" in sick.line("metacritic")
    assert 1 <= len(sick.asked["metacritic"]) < SOME
    stored = {listing for listing in sick.scored if listing.startswith("metacritic:")}
    assert stored == {f"metacritic:{name}" for name in sick.asked["metacritic"]}


def test_a_crawl_that_wants_far_too_much_at_once_does_not_get_it(sick: Run) -> None:
    crawl = sick.crawls["tmdb"]
    assert crawl["outcome"] == "failed"
    assert "it needed more memory than it may have" in crawl["detail"]
    assert sick.asked["tmdb"] == ["1", "2"]
    assert "tmdb:1" in sick.scored


def test_the_run_ends_and_says_that_something_failed(sick: Run) -> None:
    assert sick.ended.status == 1
    assert "Traceback" not in sick.ended.err


# --- crawls that take too long --------------------------------------------------------------------

MANY = 30
"""Listings of the source that is too slow for its time: at half a second each, twice as many as
can be asked in it."""

SLOW = "[limits]\ncrawl_hours = 0.002\nsilent_minutes = 0.15\n"
"""7.2 seconds for a crawl, and 9 more until it is killed."""


@dataclass(frozen=True)
class Nights:
    """A night in which there was too little time, and the one after it."""

    short: Run
    next: Run


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Rotten Tomatoes has too many listings for its time, Metacritic holds an answer back for
    longer, and TMDB has time enough."""
    folder = tmp_path_factory.mktemp("nights")
    held = Gate()
    with serving(*IDS) as servers:
        servers["metacritic"].tell("movie/2", Reply(gate=held))
        ready = asking(folder, *servers.values(), delay=0.5, more=SLOW)
        tracked = {"rottentomatoes": MANY, "metacritic": 3, "tmdb": 2}
        names = [f"{key}:{name}" for key, many in tracked.items() for name in listings(key, many)]
        assert ready("track", *names).status == 0
        short = refreshed(ready, servers)
        held.open()
        ready = asking(folder, *servers.values())
        return Nights(short, refreshed(ready, servers))


def test_a_crawl_ends_when_its_time_is_over_and_says_so(nights: Nights) -> None:
    crawl = nights.short.crawls["rottentomatoes"]
    detail = "ended after its 0.002 hours; the rest is due next time"
    assert (crawl["outcome"], crawl["detail"], crawl["exception"]) == ("partly", detail, None)
    assert detail in nights.short.line("rottentomatoes")
    asked = nights.short.asked["rottentomatoes"]
    assert asked == listings("rottentomatoes", MANY)[: len(asked)]
    assert 0 < len(asked) < MANY


def test_what_there_was_no_time_for_is_asked_the_next_night_and_nothing_twice(
    nights: Nights,
) -> None:
    for source, many in (("rottentomatoes", MANY), ("tmdb", 2)):
        asked = nights.short.asked[source] + nights.next.asked[source]
        assert asked == listings(source, many)
    assert nights.next.ended.status == 0, nights.next.ended.err


def test_a_crawl_that_does_not_end_in_time_is_killed(nights: Nights) -> None:
    crawl = nights.short.crawls["metacritic"]
    assert crawl["outcome"] == "failed"
    assert crawl["detail"] == "killed: it did not end by itself after its 0.002 hours"
    assert nights.short.asked["metacritic"] == ["movie/1", "movie/2"]
    assert "metacritic:movie/1" in nights.short.scored
    assert nights.next.asked["metacritic"] == ["movie/2", "movie/3"]


def test_the_others_have_their_time(nights: Nights) -> None:
    assert nights.short.crawls["tmdb"]["outcome"] == "ok"
    assert nights.short.ended.status == 1


def test_a_source_that_answers_nothing_does_not_keep_a_run_from_ending(tmp_path: Path) -> None:
    held = Gate()
    with FaultServer("rottentomatoes") as server:
        server.tell("m/2", Reply(gate=held))
        ready = asking(tmp_path, server, more="[limits]\nsilent_minutes = 0.1\n")
        ready("track", *(f"rottentomatoes:{name}" for name in listings("rottentomatoes", 3)))
        with started(ready, "refresh") as process:
            held.wait()
            process.send_signal(signal.SIGTERM)
            printed(process, "ending after the requests in hand")
            assert process.wait(PATIENCE) == 1
        held.open()
    database = ready.database()
    assert server.pages_asked == ["m/1", "m/2"]
    for table in ("runs", "crawls"):
        outcomes = [row["outcome"] for row in database[table].rows_where("outcome <> 'skipped'")]
        assert outcomes == ["interrupted"]

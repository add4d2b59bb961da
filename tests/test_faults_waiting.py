"""How long we wait: between requests, before a retry, when told to come back later, and for an
answer that takes its time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from itertools import repeat
from pathlib import Path

import pytest

from pipelines import clock
from pipelines.wording import shortened
from schedules.replica import ALLOW_ALL
from spiders.sources import by_key
from tests.answers import keeping
from tests.fault_server import (
    PATIENCE,
    Asked,
    FaultServer,
    Gate,
    Reply,
    asking,
    printed,
    started,
)
from tests.nights import LATE, gaps, three_sites

DELAY = 0.6
CRAWL_DELAY = 1.5
LONGER_THAN_STARTING = 2.5
"""A delay, in seconds, that outlasts the start of another command."""


@dataclass(frozen=True)
class Waited:
    """A refresh with a delay between requests: what each source was asked, and when."""

    asked: Mapping[str, list[Asked]]
    most_at_once: Mapping[str, int]


def in_two_seconds() -> Iterator[Reply]:
    yield Reply(429, headers={"Retry-After": "2"})


def at_a_date() -> Iterator[Reply]:
    yield Reply(429, headers={"Retry-After": formatdate(time.time() + 3, usegmt=True)})


@pytest.fixture(scope="module")
def waited(tmp_path_factory: pytest.TempPathFactory) -> Waited:
    """Rotten Tomatoes fails twice on one page, Metacritic's robots.txt asks for a longer delay,
    and TMDB asks us to come back later, once in seconds and once at a date."""
    with three_sites() as sites:
        rotten, meta, tmdb = sites.servers.values()
        rotten.tell("m/8", Reply(500), Reply(500))
        meta.robots = Reply(body=f"User-agent: *\nCrawl-delay: {CRAWL_DELAY}\n".encode())
        tmdb.tell_always("1", in_two_seconds())
        tmdb.tell_always("2", at_a_date())
        ready = asking(tmp_path_factory.mktemp("waited"), rotten, meta, tmdb, delay=DELAY)
        ready(
            "track",
            *(f"rottentomatoes:m/{number}" for number in range(9)),
            *(f"metacritic:movie/{number}" for number in range(3)),
            *("tmdb:1", "tmdb:2"),
        )
        ended = ready("refresh")
        assert ended.status == 0, ended.err
        return Waited(
            {source: list(server.asked) for source, server in sites.servers.items()},
            {source: server.most_at_once for source, server in sites.servers.items()},
        )


def test_a_site_is_asked_one_thing_at_a_time(waited: Waited) -> None:
    assert set(waited.most_at_once.values()) == {1}


def test_the_delay_is_never_shorter_than_what_is_set(waited: Waited) -> None:
    for source, asked in waited.asked.items():
        assert len(asked) > 3
        assert min(gaps(asked)) > DELAY - LATE, source


def test_the_delay_varies(waited: Waited) -> None:
    usual = gaps(waited.asked["rottentomatoes"][:9])
    assert max(usual) - min(usual) > DELAY / 10  # chance gives less once in ten thousand times


def test_each_retry_waits_longer(waited: Waited) -> None:
    tries = waited.asked["rottentomatoes"][-3:]
    assert [(one.path, one.reply.status) for one in tries] == [
        ("/m/8", 500),
        ("/m/8", 500),
        ("/m/8", 200),
    ]
    assert gaps(tries)[1] > 2 * DELAY - LATE


def test_a_longer_crawl_delay_of_robots_txt_is_kept(waited: Waited) -> None:
    asked = waited.asked["metacritic"]
    assert [one.path for one in asked] == ["/robots.txt", "/movie/0/", "/movie/1/", "/movie/2/"]
    assert min(gaps(asked)) > CRAWL_DELAY - LATE


def test_retry_after_is_honoured_in_seconds_and_as_a_date(waited: Waited) -> None:
    _, refused, then, refused_until, at_last = waited.asked["tmdb"]
    assert [one.reply.status for one in (refused, then, refused_until, at_last)] == [
        429,
        200,
        429,
        200,
    ]
    assert (refused.path, refused_until.path) == (then.path, at_last.path)
    assert then.at - refused.at > 2 - LATE
    date = parsedate_to_datetime(refused_until.reply.headers["Retry-After"])
    assert at_last.at > date.timestamp() - LATE


def test_two_runs_over_two_databases_keep_the_delay_together(tmp_path: Path) -> None:
    """TMDB's ceiling holds for all that asks it from here, and so does every other delay."""
    gates = [Gate(), Gate()]
    films = [f"tmdb:{number}" for number in range(1, 7)]
    with FaultServer("tmdb") as server, ExitStack() as running:
        server.script["/robots.txt"] = iter([Reply(body=ALLOW_ALL, gate=gate) for gate in gates])
        commands = []
        for name in ("one", "another"):
            (tmp_path / name).mkdir()
            ready = asking(tmp_path / name, server, delay=DELAY / 2)
            ready("track", *films)
            commands.append(running.enter_context(started(ready, "refresh")))
        for gate in gates:
            gate.wait()
        for gate in gates:
            gate.open()
        for command in commands:
            assert command.wait(PATIENCE) == 0
        asked = server.asked[len(gates) :]
    assert len(asked) == len(commands) * len(films)
    taken = max(one.at for one in asked) - min(one.at for one in asked)
    assert taken > (len(asked) - 1) * DELAY / 2 - LATE


def test_two_commands_in_a_row_keep_the_delay_between_them(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server, delay=LONGER_THAN_STARTING)
        ready("track", "rottentomatoes:m/one")
        for words in (("refresh",), ("film", "rottentomatoes:m/one", "--ask")):
            ended = ready(*words)
            assert ended.status == 0, ended.err
        asked = list(server.asked)
    assert [one.path for one in asked] == ["/robots.txt", "/m/one"] * 2
    assert min(gaps(asked)) > LONGER_THAN_STARTING - 2 * LATE


def test_a_run_that_was_killed_keeps_the_delay_to_the_next(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server, delay=LONGER_THAN_STARTING)
        ready("track", "rottentomatoes:m/one", "rottentomatoes:m/two")
        server.tell("m/two", Reply(body=server.page("m/two"), gate=gate))
        with started(ready, "refresh") as night:
            gate.wait()
            night.kill()
            night.wait()
            gate.open()
        assert ready("refresh").status == 0
        asked = list(server.asked)
    ours, next_ones = ["/robots.txt", "/m/one", "/m/two"], ["/robots.txt"]
    assert [one.path for one in asked[:4]] == [*ours, *next_ones]
    assert "/m/two" in [one.path for one in asked[4:]]  # and the other, where it was not stored yet
    assert min(gaps(asked)) > LONGER_THAN_STARTING - 2 * LATE


def test_a_longer_crawl_delay_is_kept_from_one_command_to_the_next(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        rules = f"User-agent: *\nCrawl-delay: {LONGER_THAN_STARTING}\n"
        server.robots = Reply(body=rules.encode())
        ready = asking(tmp_path, server)
        ready("track", "rottentomatoes:m/one")
        for words in (("refresh",), ("film", "rottentomatoes:m/one", "--ask")):
            assert ready(*words).status == 0
        asked = list(server.asked)
    assert len(asked) == 4
    assert min(gaps(asked)) > LONGER_THAN_STARTING - 2 * LATE


def test_a_site_that_wants_a_request_a_day_is_not_asked_and_holds_nobody_up(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        rotten.robots = Reply(body=b"User-agent: *\nCrawl-delay: 86400\n")
        ready = asking(tmp_path, rotten, meta)
        ready("track", "rottentomatoes:m/one", "metacritic:movie/one")
        ended = ready("refresh")
        assert ended.status == 1
        assert "asks for 86400 seconds between two requests" in ended.err
        assert (rotten.pages_asked, meta.pages_asked) == ([], ["movie/one"])


# --- sent away ------------------------------------------------------------------------------------

AWAY = "it asked us to come back after "


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_sent_away_for_long_stays_away_and_says_until_when(
    tmp_path: Path, status: int
) -> None:
    with FaultServer("tmdb") as tmdb, FaultServer("rottentomatoes") as rotten:
        ready = asking(tmp_path, tmdb, rotten)
        ready("track", "tmdb:1", "rottentomatoes:m/one")
        tmdb.tell("1", Reply(status, headers={"Retry-After": "3600"}))
        before = clock.now()
        assert ready("refresh").status == 1
        assert tmdb.pages_asked == ["1"]

        again = ready("refresh", "--again")
        (line,) = (line for line in again.err.splitlines() if line.startswith("tmdb: "))
        until = line.removeprefix(f"tmdb: skipped: {AWAY}")
        assert clock.later(before, hours=1) <= until <= clock.later(clock.now(), hours=1, seconds=2)
        assert tmdb.pages_asked == ["1"]
        assert rotten.pages_asked == ["m/one", "m/one"]
        assert ready("plan", "--json").json["skipped"]["tmdb"] == AWAY + until
        assert AWAY in ready("sources").out

        with keeping(tmp_path / "ratings.db") as kept:
            kept.db.conn.execute("UPDATE last_requests SET not_before = ?", [clock.now()])
        assert ready("refresh", "--again").status == 0
        assert tmdb.pages_asked == ["1", "1"]


def test_a_person_who_asks_is_told_of_it_and_sees_what_stands(tmp_path: Path) -> None:
    with FaultServer("tmdb") as server:
        ready = asking(tmp_path, server)
        ready("track", "tmdb:1")
        assert ready("refresh").status == 0
        server.tell("1", Reply(429, headers={"Retry-After": "86400"}))
        assert ready("film", "tmdb:1", "--ask").status == 1
        told = ready("film", "tmdb:1", "--ask")
        assert server.pages_asked == ["1", "1"]
    assert told.status == 1
    assert f"tmdb: skipped: {AWAY}" in told.err
    assert "Skyfall (2012)" in told.out


def test_a_site_that_wanted_to_be_left_alone_is_even_where_its_crawl_was_killed(
    tmp_path: Path,
) -> None:
    limits = "[limits]\ncrawl_hours = 0.001\nsilent_minutes = 0.1\n"
    with FaultServer("tmdb") as server:
        ready = asking(tmp_path, server, more=limits)
        ready("track", "tmdb:1")
        server.tell("1", Reply(429, headers={"Retry-After": "100"}))
        assert "tmdb: failed (killed: it " in ready("refresh").err
    (row,) = ready.database().query("SELECT not_before FROM last_requests WHERE source = 'tmdb'")
    assert row["not_before"] > clock.later(clock.now(), seconds=30)


def test_a_site_that_wanted_to_be_left_alone_is_even_where_the_whole_run_was_killed(
    tmp_path: Path,
) -> None:
    with FaultServer("tmdb") as server, FaultServer("rottentomatoes") as rotten:
        ready = asking(tmp_path, server, rotten)
        ready("track", "tmdb:1", "tmdb:2", "rottentomatoes:m/one")
        server.tell("2", Reply(429, headers={"Retry-After": "100"}))
        with started(ready, "refresh") as run:
            printed(run, "tmdb: waits for 100 s, as it was told to")
            run.kill()
        assert server.pages_asked == ["1", "2"]
        # The next run, which takes up what the killed one left, does not shorten it.
        assert ready("refresh", "--source", "rottentomatoes").status == 0
    (row,) = ready.database().query("SELECT not_before FROM last_requests WHERE source = 'tmdb'")
    assert row["not_before"] > clock.later(clock.now(), seconds=30)


def test_who_is_sent_away_for_ever_asks_again_after_a_week(tmp_path: Path) -> None:
    with FaultServer("tmdb") as server:
        ready = asking(tmp_path, server)
        ready("track", "tmdb:1")
        server.tell("1", Reply(429, headers={"Retry-After": "9" * 400}))
        assert ready("refresh").status == 1
    (row,) = ready.database().query("SELECT not_before FROM last_requests WHERE source = 'tmdb'")
    week = clock.later(clock.now(), days=7, seconds=2)
    assert clock.later(week, minutes=-5) < row["not_before"] <= week


@pytest.mark.parametrize("until", ["later", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_who_is_sent_away_until_a_time_that_nobody_understands_leaves_the_site_alone(
    tmp_path: Path, until: str
) -> None:
    with FaultServer("tmdb") as server:
        ready = asking(tmp_path, server)
        ready("track", "tmdb:1", "tmdb:2")
        server.tell_always("1", repeat(Reply(429, headers={"Retry-After": until})))
        ended = ready("refresh")
        assert server.pages_asked == ["1"] * 3
    assert "tmdb: blocked (rate_limited: status 429" in ended.err


# --- answers that take their time -----------------------------------------------------------------

ANSWER_SECONDS = 3.0
TRICKLES, SILENT, HEADS_ONLY = (
    "rottentomatoes:m/trickles",
    "metacritic:movie/silent",
    "tmdb:1",
)
FINE = {"rottentomatoes:m/fine", "metacritic:movie/fine", "tmdb:2"}


@dataclass(frozen=True)
class Slow:
    """A refresh of pages that do not come: what each listing was asked, and each source, and what
    came of it."""

    listings: Mapping[str, list[Asked]]
    sources: Mapping[str, list[Asked]]
    printed: str
    scored: Set[str]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Slow:
    """The first page of each of three sources never comes whole: one comes byte by byte, one does
    not begin, one has headers without an end."""
    with three_sites() as sites:
        sites.tell(TRICKLES, repeat(Reply(body=repeat(b"x"), pause=0.1)))
        sites.tell(SILENT, (Reply(gate=Gate()) for _ in range(9)))
        header = b"X-More: " + b"x" * 1_000
        sites.tell(HEADS_ONLY, repeat(Reply(heads=repeat(header), pause=0.01)))
        limits = f"[limits]\nanswer_seconds = {ANSWER_SECONDS}\n"
        folder = tmp_path_factory.mktemp("slow")
        ready = asking(folder, *sites.servers.values(), delay=DELAY, more=limits)
        ready("track", TRICKLES, SILENT, HEADS_ONLY, *sorted(FINE))
        ended = ready("refresh")
        assert ended.status == 1
        rows = ready.database().query(
            "SELECT DISTINCT source || ':' || source_id AS listing"
            " FROM scores JOIN listings USING (listing_id)"
        )
        return Slow(
            sites.asked(),
            {source: list(server.asked) for source, server in sites.servers.items()},
            ended.err,
            {row["listing"] for row in rows},
        )


@pytest.mark.parametrize("listing", [TRICKLES, SILENT, HEADS_ONLY])
def test_an_answer_that_does_not_come_whole_in_its_time_is_given_up(
    slow: Slow, listing: str
) -> None:
    source, source_id = listing.split(":")
    url = shortened(str(by_key(source).ask_url(source_id)))
    assert f"{source}: error: {url} (no answer in time)" in slow.printed
    tries = slow.listings[listing]
    assert len(tries) == 3
    assert min(gaps(tries)) > ANSWER_SECONDS / 2  # and not after the delay alone


def test_after_slow_answers_the_next_page_is_asked_and_stored(slow: Slow) -> None:
    assert {listing: len(slow.listings[listing]) for listing in FINE} == dict.fromkeys(FINE, 1)
    assert slow.scored == FINE
    for source, asked in slow.sources.items():
        assert min(gaps(asked)) > DELAY - LATE, source

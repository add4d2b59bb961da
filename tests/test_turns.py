"""One command writes at a time, and those that matter more go first."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Afterscore
from tests.fault_server import PATIENCE, FaultServer, Gate, Reply, asking, printed, started
from tests.nights import gaps, is_sound

GIVES_WAY = "another command goes first; this one goes on after it"
FILMS = [f"m/{number}" for number in range(4)]
ASKED = "rottentomatoes:m/8"


@dataclass(frozen=True)
class Passed:
    """How a run that another command passed ended, its process id, and what the other one said."""

    status: int
    pid: int
    waits: str


def pass_by(
    ready: Afterscore,
    server: FaultServer,
    run: Sequence[str],
    other: Sequence[str],
    held: str = "m/1",
    once: Callable[[subprocess.Popen[str]], object] = lambda process: None,
) -> Passed:
    """Start a run, and while it waits for a listing that is `held` another command, which it lets
    go first; both to their ends. `once` is what must happen before the other one is started."""
    gate = Gate()
    server.tell(held, Reply(body=server.page(held), gate=gate))
    with started(ready, *run) as running:
        gate.wait()
        once(running)
        with started(ready, *other) as passing:
            waits = printed(passing, "waiting for")
            printed(running, GIVES_WAY)
            gate.open()
            assert passing.wait(PATIENCE) == 0
        return Passed(running.wait(PATIENCE), running.pid, waits)


def tracking(folder: Path, films: Iterable[str], *servers: FaultServer) -> Afterscore:
    ready = asking(folder, *servers)
    assert ready("track", *(f"rottentomatoes:{film}" for film in films)).status == 0
    return ready


def test_a_backfill_gives_way_to_the_nightly_run_and_goes_on(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracking(tmp_path, FILMS, server)
        assert ready("refresh").status == 0
        passed = pass_by(ready, server, ["backfill", "--again"], ["refresh"])
        assert server.pages_asked == FILMS + FILMS
    assert passed.status == 0
    assert f"'afterscore backfill' (process {passed.pid}" in passed.waits
    assert passed.waits.endswith("which gives way\n")
    database = ready.database()
    assert is_sound(database)
    runs = list(database.query("SELECT command, outcome, continues FROM runs ORDER BY run_id"))
    assert [(run["command"], run["outcome"]) for run in runs] == [
        ("refresh", "ok"),
        ("backfill", "interrupted"),
        ("refresh", "ok"),
        ("backfill", "ok"),
    ]
    assert [run["continues"] for run in runs] == [None, None, None, 2]
    assert "run 4: goes on with what run 2 began, which gave way" in ready("runs").out
    assert "  goes on with what run 2 began, which gave way" in ready("runs", "4").out
    (night,) = database.query("SELECT * FROM last_night WHERE source = 'rottentomatoes'")
    assert (night["run_outcome"], night["outcome"], night["asked"]) == ("ok", "ok", 4)


def test_a_film_that_a_person_asks_for_goes_before_the_rest_of_the_night(tmp_path: Path) -> None:
    films = [f"m/{number}" for number in range(9)]
    with FaultServer("rottentomatoes") as server:
        ready = tracking(tmp_path, films, server)
        assert pass_by(ready, server, ["refresh"], ["film", ASKED, "--ask"]).status == 0
        # Before the crawl hears of it, it may have asked for one or two more.
        assert server.pages_asked.index("m/8") < 5
        assert sorted(server.pages_asked) == films


def test_a_night_that_gave_way_keeps_to_its_budget(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracking(tmp_path, FILMS, server)
        assert pass_by(ready, server, ["refresh", "--limit", "3"], ["track", ASKED]).status == 0
        assert len(server.pages_asked) == 3


def test_a_source_that_blocked_us_before_a_run_gave_way_is_left_alone_after_it(
    tmp_path: Path,
) -> None:
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = tracking(tmp_path, FILMS, rotten, meta)
        ready("track", "metacritic:movie/0", "metacritic:movie/1")
        meta.tell("movie/0", Reply(403))
        passed = pass_by(
            ready,
            rotten,
            ["refresh"],
            ["untrack", "rottentomatoes:m/3"],
            once=lambda night: printed(night, "metacritic: blocked ("),
        )
        assert passed.status == 1
        assert meta.pages_asked == ["movie/0"]
        assert rotten.pages_asked == FILMS


def test_a_run_that_is_told_to_end_while_it_gives_way_does_not_go_on(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = tracking(tmp_path, FILMS, server)
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "refresh") as night:
            gate.wait()
            with started(ready, "track", ASKED) as track:
                printed(night, GIVES_WAY)
                night.send_signal(signal.SIGTERM)
                printed(night, "ending after the requests in hand")
                gate.open()
                assert night.wait(PATIENCE) == 1
                assert track.wait(PATIENCE) == 0
        assert "m/3" not in server.pages_asked
    assert [run["outcome"] for run in ready.database()["runs"].rows] == ["interrupted"]


def test_the_next_command_waits_as_long_as_the_same_one_would(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server, delay=2)
        for film in FILMS[:2]:
            assert ready("film", f"rottentomatoes:{film}", "--ask").status == 0
        first, second = (one for one in server.asked if one.path != "/robots.txt")
        assert gaps([first, second])[0] >= 2

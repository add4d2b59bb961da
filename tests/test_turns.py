"""One command writes at a time, and those that matter more go first."""

from __future__ import annotations

from pathlib import Path

from tests.fault_server import PATIENCE, FaultServer, Gate, Reply, asking, printed, started
from tests.nights import gaps, is_sound

GIVES_WAY = "another command goes first; this one goes on after it"
FILMS = [f"m/{number}" for number in range(4)]


def test_a_backfill_gives_way_to_the_nightly_run_and_goes_on(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:{film}" for film in FILMS))
        assert ready("refresh").status == 0
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "backfill", "--again") as backfill:
            gate.wait()
            with started(ready, "refresh") as refresh:
                waits = printed(refresh, "waiting for")
                printed(backfill, GIVES_WAY)
                gate.open()
                assert refresh.wait(PATIENCE) == 0
            assert backfill.wait(PATIENCE) == 0

        assert f"'afterscore backfill' (process {backfill.pid}" in waits
        assert waits.endswith("which gives way\n")
        assert server.pages_asked == FILMS + FILMS
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
    (night,) = database.query("SELECT * FROM last_night WHERE source = 'rottentomatoes'")
    assert (night["run_outcome"], night["outcome"], night["asked"]) == ("ok", "ok", 4)


def test_a_film_that_a_person_asks_for_goes_before_the_rest_of_the_night(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in range(9)))
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "refresh") as night:
            gate.wait()
            with started(ready, "film", "rottentomatoes:m/8", "--ask") as film:
                printed(film, "waiting for 'afterscore refresh'")
                printed(night, GIVES_WAY)
                gate.open()
                assert film.wait(PATIENCE) == 0
            assert night.wait(PATIENCE) == 0
        # Before the crawl hears of it, it may have asked for one or two more.
        assert server.pages_asked.index("m/8") < 5
        assert sorted(server.pages_asked) == [f"m/{number}" for number in range(9)]


def test_a_night_that_gave_way_keeps_to_its_budget(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:{film}" for film in FILMS))
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "refresh", "--limit", "3") as night:
            gate.wait()
            with started(ready, "track", "rottentomatoes:m/9") as track:
                printed(track, "waiting for")
                printed(night, GIVES_WAY)
                gate.open()
                assert track.wait(PATIENCE) == 0
            assert night.wait(PATIENCE) == 0
        assert len(server.pages_asked) == 3


def test_a_source_that_blocked_us_before_a_run_gave_way_is_left_alone_after_it(
    tmp_path: Path,
) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = asking(tmp_path, rotten, meta)
        ready("track", *(f"rottentomatoes:{film}" for film in FILMS), "metacritic:movie/0")
        ready("track", "metacritic:movie/1")
        meta.tell("movie/0", Reply(403))
        rotten.tell("m/1", Reply(body=rotten.page("m/1"), gate=gate))
        with started(ready, "refresh") as night:
            printed(night, "metacritic: blocked (")
            gate.wait()
            with started(ready, "untrack", "rottentomatoes:m/3") as untrack:
                printed(untrack, "waiting for")
                printed(night, GIVES_WAY)
                gate.open()
                assert untrack.wait(PATIENCE) == 0
            assert night.wait(PATIENCE) == 1
        assert meta.pages_asked == ["movie/0"]
        assert rotten.pages_asked == FILMS


def test_the_next_command_waits_as_long_as_the_same_one_would(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server, delay=2)
        for film in FILMS[:2]:
            assert ready("film", f"rottentomatoes:{film}", "--ask").status == 0
        first, second = (one for one in server.asked if one.path != "/robots.txt")
        assert gaps([first, second])[0] >= 2

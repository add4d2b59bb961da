"""Runs that are cut off: what was stored stands, and the next one goes on."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlite_utils import Database

from tests.fault_server import PATIENCE, FaultServer, Gate, Reply, asking, printed, started
from tests.nights import is_sound, outcomes_of


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def crawls_of(run: int) -> list[int]:
    """The crawl processes of a run, which are forked from a process that it started."""
    return [crawl for nursery in children_of(run) for crawl in children_of(nursery)]


def first_to_end(pids: Sequence[int], once: Callable[[], None]) -> int:
    """The first of these processes to end, once something is done."""
    handles = {os.pidfd_open(pid): pid for pid in pids}
    try:
        once()
        ended, _, _ = select.select(list(handles), [], [], PATIENCE)
        return handles[ended[0]]
    finally:
        for handle in handles:
            os.close(handle)


def scored(database: Database) -> set[str]:
    """The source_ids of the listings whose film has a critics' score."""
    return {
        row["source_id"]
        for row in database.query(
            "SELECT source_id FROM film_scores JOIN listing_films USING (film_id)"
            " JOIN listings USING (listing_id)"
            " WHERE tomatometer IS NOT NULL OR metascore IS NOT NULL"
        )
    }


def test_ctrl_c_ends_a_run_in_order_and_the_next_one_goes_on(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in range(4)))
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "refresh") as process:
            gate.wait()
            beside = ready("refresh")
            process.send_signal(signal.SIGINT)
            printed(process, "ending after the requests in hand")
            gate.open()
            status = process.wait(PATIENCE)

        assert beside.status == 2
        assert f"ratings.db is in use by 'afterscore refresh' (process {process.pid} " in beside.err

        assert status == 1
        assert server.pages_asked == ["m/0", "m/1"]
        database = ready.database()
        assert is_sound(database)
        assert scored(database) == {"m/0", "m/1"}
        assert outcomes_of(database, "runs") == outcomes_of(database, "crawls") == ["interrupted"]

        assert ready("refresh").status == 0
        assert server.pages_asked == ["m/0", "m/1", "m/2", "m/3"]


def test_a_run_that_is_killed_keeps_what_was_stored_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    witness, in_hand = Gate(), Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in range(5)))
        # The line about a bad page is printed while its batch is being stored. A line about a page
        # that was let go after that one says that the earlier batch is stored for good; whether
        # its own is, when the run is killed, is open.
        server.tell("m/1", Reply())
        server.tell("m/2", Reply(gate=witness))
        server.tell("m/3", Reply(body=server.page("m/3"), gate=in_hand))
        with started(ready, "refresh") as process:
            printed(process, "m/1")
            witness.open()
            printed(process, "m/2")
            in_hand.wait()
            first_to_end(crawls_of(process.pid), once=process.kill)
            process.wait(PATIENCE)
        in_hand.open()
        assert server.pages_asked == ["m/0", "m/1", "m/2", "m/3"]

        again = ready("refresh")
        assert again.status == 0, again.err
        assert set(server.pages_asked[4:]) - {"m/2"} == {"m/3", "m/4"}
        database = ready.database()
        assert is_sound(database)
        assert scored(database) - {"m/2"} == {"m/0", "m/3", "m/4"}
        assert outcomes_of(database, "runs") == ["interrupted", "ok"]


def test_a_crawl_that_is_killed_fails_alone(tmp_path: Path) -> None:
    rotten_gate, meta_gate = Gate(), Gate()
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = asking(tmp_path, rotten, meta)
        ready("track", "rottentomatoes:m/0", "rottentomatoes:m/1", "metacritic:movie/0")
        rotten.tell("m/1", Reply(gate=rotten_gate))
        meta.tell("movie/0", Reply(body=meta.page("movie/0"), gate=meta_gate))
        with started(ready, "refresh") as process:
            rotten_gate.wait()
            meta_gate.wait()
            crawls = crawls_of(process.pid)
            crawls.remove(first_to_end(crawls, once=meta_gate.open))
            (rotten_crawl,) = crawls
            os.kill(rotten_crawl, signal.SIGKILL)
            line = printed(process, "rottentomatoes: failed")
            status = process.wait(PATIENCE)
        rotten_gate.open()

    assert "What was stored stands." in line
    assert status == 1
    database = ready.database()
    assert is_sound(database)
    assert scored(database) == {"m/0", "movie/0"}
    crawled = {row["source"]: row["outcome"] for row in database["crawls"].rows if row["asked"]}
    assert crawled == {"rottentomatoes": "failed", "metacritic": "ok"}


def test_crawls_outlive_the_process_that_they_are_forked_from_and_others_follow(
    tmp_path: Path,
) -> None:
    rotten_gate, meta_gate = Gate(), Gate()
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = asking(tmp_path, rotten, meta)
        ready("track", "rottentomatoes:m/0", "metacritic:movie/0")
        rotten.tell("m/0", Reply(body=rotten.page("m/0"), gate=rotten_gate))
        meta.tell("movie/0", Reply(body=meta.page("movie/0"), gate=meta_gate))
        with started(ready, "refresh") as process:
            rotten_gate.wait()
            meta_gate.wait()
            (nursery,) = children_of(process.pid)
            crawls = crawls_of(process.pid)
            first_to_end([nursery], once=lambda: os.kill(nursery, signal.SIGKILL))
            first_to_end(crawls, once=meta_gate.open)
            rotten_gate.open()
            assert process.wait(PATIENCE) == 0
        assert scored(ready.database()) == {"m/0", "movie/0"}


def test_crawls_are_told_to_end_though_the_process_they_are_forked_from_is_dead(
    tmp_path: Path,
) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", "rottentomatoes:m/0", "rottentomatoes:m/1")
        server.tell("m/0", Reply(body=server.page("m/0"), gate=gate))
        with started(ready, "refresh") as process:
            gate.wait()
            (nursery,) = children_of(process.pid)
            crawls = crawls_of(process.pid)
            first_to_end([nursery], once=lambda: os.kill(nursery, signal.SIGKILL))
            process.send_signal(signal.SIGTERM)
            printed(process, "ending after the requests in hand")
            first_to_end(crawls, once=gate.open)
            assert process.wait(PATIENCE) == 1
        assert server.pages_asked == ["m/0"]


def test_a_run_that_stood_still_blames_no_crawl_for_having_said_nothing(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server, FaultServer("metacritic") as meanwhile:
        (tmp_path / "elsewhere").mkdir()
        elsewhere = asking(tmp_path / "elsewhere", meanwhile, delay=1)
        elsewhere("track", *(f"metacritic:movie/{number}" for number in range(9)))
        ready = asking(tmp_path, server, more="[limits]\nsilent_minutes = 0.1\n")
        ready("track", "rottentomatoes:m/0", "rottentomatoes:m/1")
        server.tell("m/0", Reply(body=server.page("m/0"), gate=gate))
        with started(ready, "refresh") as process:
            gate.wait()
            still = [process.pid, *children_of(process.pid), *crawls_of(process.pid)]
            for pid in still:
                os.kill(pid, signal.SIGSTOP)
            gate.open()
            assert elsewhere("refresh").status == 0  # longer than a crawl may be silent here
            for pid in still:
                os.kill(pid, signal.SIGCONT)
            assert process.wait(PATIENCE) == 0
    assert server.pages_asked == ["m/0", "m/1"]


def test_what_came_of_asking_is_told_the_same_night(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", "rottentomatoes:m/0")
        for reply in (Reply(403), Reply(body=b"<html><p>Down for repairs.</p></html>"), Reply(404)):
            server.tell("m/0", reply)
            ready("refresh", "--again")
            told = list(ready.database()["film_scores"].rows)
            ready("rebuild")
            assert list(ready.database()["film_scores"].rows) == told

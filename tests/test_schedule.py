"""`afterscore schedule`: a refresh every night, without being watched."""

from __future__ import annotations

import signal
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from apscheduler.triggers.base import BaseTrigger
from sqlite_utils import Database

from pipelines import clock
from pipelines.migrations import migrations
from schedules import nightly
from tests.channel import Channel
from tests.conftest import Afterscore
from tests.fault_server import PATIENCE, FaultServer, Gate, Reply, asking, printed, started
from tests.nights import is_sound, outcomes_of
from tests.test_migrations import NAMES

FILMS = ["m/0", "m/1", "m/2"]


def tracked(folder: Path, server: FaultServer) -> Afterscore:
    """Some films, and a night that does not begin before half a day is over."""
    at = datetime.now(UTC) + timedelta(hours=12)
    ready = asking(folder, server, more=f'nightly_at = "{at:%H:%M}"\n')
    ready("track", *(f"rottentomatoes:{film}" for film in FILMS))
    return ready


def some_days_later(ready: Afterscore, days: int = 3) -> None:
    """What happened so far becomes as much older."""
    back = f"-{days} days"
    with sqlite3.connect(ready.folder / "ratings.db") as db:
        for table, columns in {
            "runs": ("started_at", "ended_at"),
            "urls": ("last_asked_at", "first_answered_at", "last_answered_at"),
        }.items():
            for column in columns:
                db.execute(
                    f"UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, ?)",
                    [back],
                )
    db.close()


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-03-01T02:59:59Z", "2026-03-01T03:00:00+00:00"),
        ("2026-03-01T03:00:00Z", "2026-03-02T03:00:00+00:00"),
        ("2026-12-31T23:00:00-05:00", "2027-01-02T03:00:00+00:00"),
    ],
)
def test_the_next_night_is_the_next_time_of_that_name(now: str, then: str) -> None:
    assert clock.next_time("03:00", datetime.fromisoformat(now)).isoformat() == then


def test_next_prints_when_and_runs_nothing(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracked(tmp_path, server)
        before = datetime.now(UTC)
        ended = ready("schedule", "--at", "04:30", "--next")
        assert server.asked == []
    at = datetime.fromisoformat(ended.out.strip())
    assert (at.hour, at.minute) == (4, 30)
    assert before < at <= datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("at", ["25:00", "3", "noon"])
def test_a_time_that_is_none_is_refused(afterscore: Afterscore, at: str) -> None:
    ended = afterscore("schedule", "--at", at)
    assert ended.status == 2
    assert f"a time of day such as 03:00, not '{at}'" in ended.err


def test_the_time_of_the_night_is_a_setting(afterscore: Afterscore) -> None:
    afterscore.settings('nightly_at = "23:15"\n')
    assert "T23:15:00Z" in afterscore("schedule", "--next").out
    afterscore.settings('nightly_at = "later"\n')
    ended = afterscore("schedule", "--next")
    assert ended.status == 2
    assert "nightly_at" in ended.err


def test_a_new_database_has_missed_no_night(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracked(tmp_path, server)
        with started(ready, "schedule") as process:
            printed(process, "next night: ")
            process.terminate()
            assert process.wait(PATIENCE) == 0
        assert server.asked == []
    mode = stat.S_IMODE((tmp_path / "ratings.db.schedule").stat().st_mode)
    assert mode == 0o600


def test_a_schedule_in_a_folder_without_anything_to_refresh_says_so_at_once(
    afterscore: Afterscore,
) -> None:
    with started(afterscore, "schedule") as process:
        printed(process, f"{afterscore.folder / 'afterscore.toml'}, which is not there")
        printed(process, "next night: ")
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_missed_night_is_caught_up_once(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracked(tmp_path, server)
        assert ready("refresh").status == 0
        some_days_later(ready)
        assert "caught up" in ready("schedule", "--next").err
        for says in ("the night ended: all went well", "next night: "):
            with started(ready, "schedule") as process:
                printed(process, says)
                process.terminate()
                assert process.wait(PATIENCE) == 0
        assert "caught up" not in ready("schedule", "--next").err
        assert outcomes_of(ready.database(), "runs") == ["ok", "ok"]


def test_a_database_of_an_older_version_is_brought_up_to_date_by_the_night(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ratings.db", isolation_level=None)) as db:
        migrations.apply(Database(db), stop_before=NAMES[-1])
        db.execute("INSERT INTO films (film_id) VALUES (7)")
        db.execute(
            "INSERT INTO runs (command, plan, pid, started_at, ended_at, outcome) VALUES"
            " ('refresh', '{}', 1, '2026-01-01T03:00:00Z', '2026-01-01T03:09:00Z', 'ok')"
        )
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        assert "caught up" in ready("schedule", "--next").err
        with started(ready, "schedule") as process:
            printed(process, "the night ended: all went well")
            process.terminate()
            assert process.wait(PATIENCE) == 0
    assert outcomes_of(ready.database(), "runs") == ["ok", "ok"]


@pytest.mark.parametrize("command", [("film", "rottentomatoes:m/0", "--ask"), ("backfill",)])
def test_another_command_is_no_night(tmp_path: Path, command: tuple[str, ...]) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracked(tmp_path, server)
        assert ready("refresh").status == 0
        some_days_later(ready)
        assert ready(*command).status == 0
        assert "caught up" in ready("schedule", "--next").err


def test_a_night_that_is_told_to_end_leaves_all_in_order_and_is_caught_up(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = tracked(tmp_path, server)
        assert ready("refresh").status == 0
        some_days_later(ready, 300)
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "schedule") as process:
            gate.wait()
            process.send_signal(signal.SIGTERM)
            printed(process, "ending after the requests in hand")
            gate.open()
            assert process.wait(PATIENCE) == 0
        assert len(server.pages_asked) in (4, 5)
        assert outcomes_of(ready.database(), "runs") == ["ok", "interrupted"]
        assert is_sound(ready.database())
        with started(ready, "schedule") as process:
            printed(process, "the night ended: all went well")
            process.terminate()
            assert process.wait(PATIENCE) == 0
        assert sorted(server.pages_asked) == sorted(FILMS + FILMS)


def test_a_job_store_that_is_none_is_named(afterscore: Afterscore) -> None:
    store = afterscore.folder / "ratings.db.schedule"
    store.write_text("what is this?" * 100)
    for why in ("ratings.db.schedule is not a job store. Remove it",) * 2:
        ended = afterscore("schedule")
        assert ended.status == 2
        assert why in ended.err
        assert "Traceback" not in ended.err
        store.unlink()
        with closing(sqlite3.connect(store)) as other:
            other.execute("CREATE TABLE apscheduler_jobs (id, other)")
    store.unlink()
    store.mkdir()
    ended = afterscore("schedule")
    assert ended.status == 2
    assert "ratings.db.schedule: Is a directory. Put that right" in ended.err


class OfAnotherYear(BaseTrigger):  # type: ignore[misc]
    """A night that is far off as the scheduler starts, and has come once the clock is set right."""

    begun = False

    def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime:
        far = before or not OfAnotherYear.begun
        OfAnotherYear.begun = True
        return now + timedelta(days=365 if far else 0)


def test_a_clock_that_was_a_year_ahead_costs_no_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line.partition(":")[0])
        if "the night ended" in line:
            nights.stop()

    year = count(0.0, -365 * 86_400.0)
    monkeypatch.setattr(nightly, "_ahead", lambda: next(year))
    monkeypatch.setattr(nightly, "LOOK_EVERY", 0.01)
    nothing = [sys.executable, "-c", ""]
    nights = nightly.Nights(tmp_path / "ratings.db", nothing, nothing, OfAnotherYear(), say)
    patience = threading.Timer(PATIENCE, nights.stop)
    patience.start()
    nights.run(at_once=False)
    patience.cancel()
    assert "the clock was set back; next night" in said


def test_a_night_that_ends_as_we_are_told_to_still_learns_when_the_next_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its way out the scheduler would wait for the night, and the night for its answer."""
    said: list[str] = []
    leaves = threading.Event()
    nothing = [sys.executable, "-c", ""]
    nights = nightly.Nights(
        tmp_path / "ratings.db", nothing, nothing, nightly.every_night_at("03:00"), said.append
    )
    next_time, shutdown = nights._next_time, nights._scheduler.shutdown

    def told_to_end() -> str:
        nights.stop()
        assert not leaves.wait(0.5)
        return next_time()

    def leave() -> None:
        leaves.set()
        shutdown()

    monkeypatch.setattr(nights, "_next_time", told_to_end)
    monkeypatch.setattr(nights._scheduler, "shutdown", leave)
    nights.run(at_once=True)
    assert said[-1].startswith("next night: 2")


def test_a_night_that_could_not_begin_is_told_of(tmp_path: Path, channel: Channel) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = tracked(tmp_path, server)
        assert ready("refresh").status == 0
        some_days_later(ready)
        ready.settings("")  # now no source is on that the replica stands in for
        ready.environment["AFTERSCORE_ALERT_URLS"] = f"json://{channel.host}/"
        with started(ready, "schedule") as process:
            printed(process, "the night ended: exit status 2")
            printed(process, "next night: ")
            process.terminate()
            assert process.wait(PATIENCE) == 0
    (message,) = channel.taken()
    assert "NEW late" in message["message"]

"""Every night at a set time: `afterscore refresh` in a process of its own, for years.

The scheduler asks nothing and opens the database only to read what ran. A night that fails, leaks
or is killed leaves it as it was, and what happens in a night is the same under plain cron.
"""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import DatabaseError

from pipelines import clock
from pipelines.database import is_there, read_only
from pipelines.problem import Problem
from schedules.history import WHOLE_REFRESH

JOB = "nightly"

LOOK_EVERY = 60.0
"""Seconds between two looks at the clock."""

LONGEST_WAIT = timedelta(hours=25)
"""Until a night that comes every day; an hour more, since a clock is set back by minutes right
after a night began, and that one need not be done twice."""


_OF_THE_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
}

# A night that came to its end, whatever came of it. One that was interrupted or killed has not done
# its work, and the run that goes on with it counts as its end.
_DONE = f"""
SELECT 1 FROM runs
WHERE {WHOLE_REFRESH} AND outcome IN ('ok', 'partly', 'failed') AND started_at >= ?
"""


def is_missed(database: Path, nightly_at: str, now: datetime) -> bool:
    """Whether the last night has not been done, as the table `runs` tells.

    Where nothing ever ran, nothing was missed. A database of an older version has that table too,
    and is brought up to date by the night itself. Raises DatabaseProblem.
    """
    if not is_there(database):
        return False
    reading = read_only(database, older=True)
    if not reading["runs"].exists():  # its making was cut off
        return False
    last = clock.stamp(clock.next_time(nightly_at, now) - timedelta(days=1))
    run = reading.conn.execute
    ran = run("SELECT 1 FROM runs WHERE started_at < ? LIMIT 1", (last,)).fetchone()
    return ran is not None and run(_DONE, (last,)).fetchone() is None


class Nights:
    """Runs `command` at the times of a trigger, one at a time, until `stop`.

    Where its exit status is neither 0 (all went well) nor 1 (something failed), it did not come to
    tell anybody, and `tell_command` is run after it.
    `say` is told one line for each thing that happens. The job store, which holds when the next
    night is, is a file of its own beside the database that only its owner can read. Raises
    Problem where that cannot be used.
    """

    _running: Nights | None = None

    def __init__(
        self,
        database: Path,
        command: Sequence[str],
        tell_command: Sequence[str],
        trigger: BaseTrigger,
        say: Callable[[str], None],
    ) -> None:
        store = database.with_name(f"{database.name}.schedule").resolve()
        self._store = store
        try:
            os.close(os.open(store, os.O_CREAT | os.O_RDWR, 0o600))
            store.chmod(0o600)
        except OSError as fault:
            raise self._unwritable(fault.strerror) from fault
        self._command, self._tell_command = list(command), list(tell_command)
        self._say = say
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._at_night = threading.Lock()
        # A signal handler may not set an Event: it would wait for ever for the lock of the very
        # wait that it broke into. And a signal that comes just before a read begins does not end
        # it, unless Python writes the signal to what is read.
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._scheduler = BackgroundScheduler(
            jobstores={"default": SQLAlchemyJobStore(url=f"sqlite:///{store}")}, timezone=UTC
        )
        self._trigger = trigger
        self._scheduler.add_listener(
            lambda event: say("the last night still runs, so this one is left out"),
            EVENT_JOB_MAX_INSTANCES,
        )

    def run(self, *, at_once: bool) -> None:
        """Until `stop`; `at_once` begins with a night that was missed."""
        Nights._running = self
        signal.set_wakeup_fd(self._wake)
        # With what is stored it would wait for a time that has passed, or leave it out in silence.
        first = {"next_run_time": datetime.now(UTC)} if at_once else {}
        try:
            self._scheduler.start(paused=True)
            self._scheduler.add_job(
                run_night,
                self._trigger,
                id=JOB,
                replace_existing=True,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                **first,
            )
        except DatabaseError as fault:
            if getattr(fault.orig, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK:
                raise self._unwritable(str(fault.orig)) from fault
            raise Problem(
                f"{self._store} is not a job store. Remove it: it holds nothing that is not made"
                " anew."
            ) from fault
        self._say(f"next night: {'now' if at_once else self._next_time()}")
        self._scheduler.resume()
        ahead = _ahead()
        while not self._ends():
            if select.select([self._woken], [], [], LOOK_EVERY)[0]:
                os.read(self._woken, 1)
                continue
            now_ahead = _ahead()
            if abs(now_ahead - ahead) > LOOK_EVERY and self._minds_the_clock():
                ahead = now_ahead
        # On its way out the scheduler waits for the night, and answers nobody: a night that asked
        # it then when the next one is would wait for it.
        with self._at_night:
            pass
        self._scheduler.shutdown()

    def stop(self) -> None:
        """End after the requests in hand, if a night is running; what was stored stands. May be
        called from a signal handler."""
        self._stopped = True
        os.write(self._wake, b".")
        child = self._child  # the night's thread may let go of it meanwhile
        if child:
            child.terminate()

    def night(self) -> None:
        """One night, to its end."""
        with self._at_night:
            if self._ends():
                return
            self._say(f"{clock.now()} the night begins")
            status = self._wait_for(self._command)
            ended = {0: "all went well", 1: "something failed, and the rest stands"}
            how = ended.get(status, f"exit status {status}")
            self._say(f"{clock.now()} the night ended: {how}")
            if status not in ended and not self._ends():
                self._wait_for(self._tell_command)
            if not self._ends():
                self._say(f"next night: {self._next_time()}")

    def _wait_for(self, command: Sequence[str]) -> int:
        # In a session of its own: a Ctrl-C at the terminal comes to us, and we end it in order.
        self._child = subprocess.Popen(command, start_new_session=True)  # noqa: S603  ours
        if self._ends():
            self._child.terminate()
        status = self._child.wait()
        self._child = None
        return status

    def _minds_the_clock(self) -> bool:
        """The clock was set, or the machine slept, and the scheduler would sleep on for as long as
        it meant to: until hours after the night, or until the year that the clock was in. False
        where the job store cannot be read now: then the next look tries again."""
        try:
            job = self._scheduler.get_job(JOB)
            if job and job.next_run_time - datetime.now(UTC) > LONGEST_WAIT:
                self._scheduler.reschedule_job(JOB, trigger=self._trigger)
                self._say(f"the clock was set back; next night: {self._next_time()}")
        except DatabaseError as fault:
            self._say(f"cannot read {self._store} after the clock was set: {fault.orig}")
            return False
        self._scheduler.wakeup()
        return True

    def _unwritable(self, why: str | None) -> Problem:
        return Problem(
            f"cannot write {self._store}: {why}. Put that right, or choose another folder with"
            " --db FILE."
        )

    def _ends(self) -> bool:
        return self._stopped

    def _next_time(self) -> str:
        return clock.stamp(self._scheduler.get_job(JOB).next_run_time)


def _ahead() -> float:
    """By how much the clock is ahead of one that nobody sets, and that stands still while the
    machine sleeps. In seconds."""
    return time.time() - time.monotonic()


def run_night() -> None:
    """The job: a job store keeps its name, and cannot keep an object."""
    if Nights._running:
        Nights._running.night()


def every_night_at(nightly_at: str) -> CronTrigger:
    """The trigger of a night at HH:MM, UTC."""
    hour, minute = nightly_at.split(":")
    return CronTrigger(hour=int(hour), minute=int(minute), timezone=UTC)


def command_line(database: Path, *words: str) -> list[str]:
    """A command of this very program."""
    return [sys.executable, "-m", "schedules.cli", *words, "--db", str(database)]

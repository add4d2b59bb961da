"""The lock of a database: one process writes at a time, and the lesser gives way to the greater.

It is an flock on FILE.lock, which the kernel frees after a crash. Who waits for it shows by a
lock on a file of its rank, which a holder that can give way looks at now and then. Lock files are
never removed: whoever has one open would go on to lock a file that nobody else can see.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import Any

from pipelines import clock
from pipelines.problem import Problem

LOOK_EVERY = 0.1
"""Seconds between two tries to take the lock: a wait must end at once when a person breaks it off,
and a blocking flock does not."""


class DatabaseProblem(Problem):
    """The database cannot be used; the message says why and what to do."""


class DatabaseBusy(DatabaseProblem):
    """Another process writes to this database."""


class DatabaseOlder(DatabaseProblem):
    """The database is as an older version made it, and the command only reads."""


class Rank(IntEnum):
    """Who goes first: of those who wait, and before a holder of lower rank that gives way."""

    BACKFILL = 1
    NIGHT = 2
    PERSON = 3
    """Somebody waits for the answer of a command that is short."""


class Lock:
    """The lock of one database file. `say` is told what it waits for, in one line."""

    def __init__(self, path: Path, holder: str, rank: Rank, say: Callable[[str], None]) -> None:
        self._path = path
        self._holder = holder
        self._rank = rank
        self._say = say
        self._main = self._open("")
        self._held = False

    def take(self) -> None:
        """Take the lock, waiting for those who hold it. Raises DatabaseBusy where that is another
        run of the same rank: to do the same again afterwards would be in vain."""
        if not self._try():
            entry = _entry(self._main)
            named = _named(entry)
            if entry.get("rank") == self._rank and self._rank is not Rank.PERSON:
                raise DatabaseBusy(f"{self._path} is in use by {named}. Try again later.")
            gives_way = entry.get("rank", Rank.PERSON) < self._rank
            self._say(f"waiting for {named}" + (", which gives way" if gives_way else ""))
            self._wait()
        self._held = True
        entry = {"holder": self._holder, "rank": self._rank, "pid": os.getpid()}
        entry |= {"host": socket.gethostname(), "since": clock.now()}
        os.ftruncate(self._main, 0)
        with suppress(OSError):  # the disk is full: SQLite says so better, and who waits can do
            os.pwrite(self._main, json.dumps(entry).encode(), 0)

    def wanted(self) -> bool:
        """Whether somebody of a higher rank waits."""
        return any(self._waits(rank) for rank in Rank if rank > self._rank)

    def give_way(self) -> None:
        """Let all of a higher rank go first, then take the lock again."""
        self._release()
        self._wait()
        self.take()

    def close(self) -> None:
        """Free the lock."""
        if self._held:
            self._release()
        os.close(self._main)

    def _release(self) -> None:
        os.ftruncate(self._main, 0)
        fcntl.flock(self._main, fcntl.LOCK_UN)
        self._held = False

    def _wait(self) -> None:
        """Until the lock is taken; those of a higher rank who wait too go first."""
        with self._seen_waiting():
            while self.wanted() or not self._try():
                time.sleep(LOOK_EVERY)

    def _try(self, handle: int | None = None) -> bool:
        for pause in (0, LOOK_EVERY / 10):  # another process that only looks has it for a moment
            time.sleep(pause)
            with suppress(BlockingIOError):
                fcntl.flock(self._main if handle is None else handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        return False

    def _open(self, suffix: str) -> int:
        beside = self._path.with_name(f"{self._path.name}.lock{suffix}").absolute()
        try:
            return os.open(beside, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as fault:
            why = fault.strerror
            if os.path.lexists(beside):  # somebody else's, in a folder that may be written to
                told = f"{beside}: {why}. Put that right, or choose another folder"
            else:
                told = f"in {beside.parent}: {why}. Choose a folder that you may write to"
            raise DatabaseProblem(f"cannot write {told} with --db FILE.") from fault

    @contextmanager
    def _seen_waiting(self) -> Iterator[None]:
        handle = self._open(f".{self._rank.name.lower()}")
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    def _waits(self, rank: Rank) -> bool:
        beside = self._path.with_name(f"{self._path.name}.lock.{rank.name.lower()}")
        if not beside.exists():
            return False
        handle = self._open(f".{rank.name.lower()}")
        try:
            return not self._try(handle)
        finally:
            os.close(handle)


@contextmanager
def locked(
    path: Path,
    holder: str,
    rank: Rank = Rank.PERSON,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Lock]:
    """Hold the lock of a database; `holder` is the command, told to whoever waits for it.

    Raises DatabaseBusy, or DatabaseProblem where the folder cannot be written to.
    """
    lock = Lock(path, holder, rank, say)
    try:
        lock.take()
        yield lock
    finally:
        lock.close()


def held_since(path: Path) -> str | None:
    """Since when one process has held the lock of a database ("": nobody may know); None: it is
    free. Makes no file, and writes to none."""
    try:
        handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return str(_entry(handle).get("since", ""))
        finally:
            os.close(handle)
    except FileNotFoundError:
        return None
    except OSError:  # not ours to open, or a file system that knows no locks
        return ""
    return None


def _entry(handle: int) -> dict[str, Any]:
    """What the holder wrote; nothing where it has not come to write, or has just left."""
    try:
        entry: dict[str, Any] = json.loads(os.pread(handle, 4_096, 0))
    except ValueError:
        return {}
    return entry


def _named(entry: dict[str, Any]) -> str:
    try:
        process = f"process {entry['pid']} on {entry['host']}, since {entry['since']}"
        return f"'{entry['holder']}' ({process})"
    except KeyError:
        return "another afterscore process"

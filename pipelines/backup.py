"""A copy of the database that can be relied on: taken while others read and write, checked, and
only then given its name."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pipelines.partial import alone
from pipelines.problem import Problem

STEP_PAGES = 2_500
"""Pages that are copied at a time, 10 MB of the usual 4 KB: between two steps progress is told."""

Advance = Callable[[int, int], None]
"""Hears how many bytes are copied, and of how many."""


class CannotBackUp(Problem):
    """No copy was made, and nothing was changed; the message says why and what to do."""


def back_up(
    db: sqlite3.Connection, target: Path, *, force: bool = False, advance: Advance | None = None
) -> None:
    """Copy the database of a connection into one file, which needs no WAL beside it.

    The copy is of one moment, whoever writes meanwhile: a read transaction holds that moment, or
    SQLite would begin anew with every commit. It grows in TARGET.partial and gets its name once it
    is on the disk and `integrity_check` and `foreign_key_check` find nothing. `force` replaces a
    file of that name. Raises CannotBackUp.
    """
    _refuse_target(db, target, force=force)
    partial = target.with_name(target.name + ".partial")
    taken = CannotBackUp(f"another backup is writing {partial}. Try again later.")
    try:
        with alone(partial, os.O_RDWR | os.O_CREAT, taken) as file:
            os.ftruncate(file, 0)
            try:
                _copy(db, partial, advance)
                os.fsync(file)
                partial.replace(target)
                _sync(target.resolve().parent)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as fault:
        raise CannotBackUp(
            f"cannot write {partial}: {fault.strerror}. Name another file."
        ) from fault
    except sqlite3.OperationalError as fault:
        raise CannotBackUp(
            f"no copy was made at {target}: {fault}. Make room there, or name a file elsewhere."
        ) from fault
    except sqlite3.DatabaseError as fault:
        raise _damaged(str(fault)) from fault


def _copy(db: sqlite3.Connection, partial: Path, advance: Advance | None) -> None:
    def progress(status: int, remaining: int, pages: int) -> None:
        if advance:
            advance((pages - remaining) * page_size, pages * page_size)

    (page_size,) = db.execute("PRAGMA page_size").fetchone()
    db.execute("BEGIN")
    try:
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        _refuse_small_disk(db, partial.parent)
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            # Until it has its name, nobody needs a copy that was begun: it is synced once, whole.
            copy.execute("PRAGMA synchronous = OFF")
            copy.execute("PRAGMA journal_mode = OFF")
            db.backup(copy, pages=STEP_PAGES, progress=progress)
            copy.execute("PRAGMA journal_mode = DELETE")
            _refuse_damage(copy)
    finally:
        db.execute("ROLLBACK")


def _refuse_target(db: sqlite3.Connection, target: Path, *, force: bool) -> None:
    source = Path(db.execute("PRAGMA database_list").fetchone()[2])
    if target.exists() and target.samefile(source):
        raise CannotBackUp(f"{target} is the database itself. Name another file.")
    if target.is_dir():
        raise CannotBackUp(f"{target} is a folder. Name a file in it.")
    if target.exists() and not force:
        raise CannotBackUp(f"{target} is there already (--force writes over it).")
    for journal in ("-wal", "-journal"):
        beside = target.with_name(target.name + journal)
        if beside.exists() and not _taken_in(target):
            raise CannotBackUp(
                f"{beside} lies there, and SQLite would play it into the copy. End what has"
                f" {target.name} open (Datasette, a run), or name another file."
            )


def _taken_in(target: Path) -> bool:
    """Whether the journal beside a database that nobody has open is now within it: a command that
    was killed leaves one."""
    if not target.exists():
        return False
    try:
        with closing(sqlite3.connect(target, timeout=0)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError:
        return False
    return True


def _refuse_small_disk(db: sqlite3.Connection, folder: Path) -> None:
    (size,) = db.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise CannotBackUp(
            f"the copy takes {size / 1e6:,.0f} MB, and {folder.resolve()} has {free / 1e6:,.0f} MB"
            " free. Make room there, or name a file elsewhere."
        )


def _refuse_damage(copy: sqlite3.Connection) -> None:
    found = copy.execute("PRAGMA integrity_check(3)").fetchall()
    if found != [("ok",)]:
        raise _damaged(found[0][0])
    broken = copy.execute("PRAGMA foreign_key_check").fetchone()
    if broken:
        raise _damaged(
            f"row {broken[1]} of {broken[0]} points to a row of {broken[2]} that is not there"
        )


def _damaged(what: str) -> CannotBackUp:
    return CannotBackUp(
        f"the database is damaged, so no copy of it was kept: {what}. Go back to the last good one."
    )


def _sync(folder: Path) -> None:
    """The new name is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Read the database for an export: of one moment, batch by batch; and a condition that somebody
gives in SQL only reads, and for a limited time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipelines.export.folder import CannotExport

BATCH = 10_000
"""Rows that are in memory at a time: of the widest table some 30 MB."""

STEPS = 100_000
"""Steps of SQLite's machine between two looks at the clock: some milliseconds."""

Row: TypeAlias = tuple[Any, ...]

Advance: TypeAlias = Callable[[str, int], None]
"""Hears what is being exported, and how many rows or films of it are."""

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,  # no part of an expression: the end of what is being read
}


@dataclass(frozen=True)
class Narrowed:
    """What narrows an export: a condition in SQL, which may take `seconds` until its next rows
    come, and a time (UTC, as the database writes it) since when rows must have been said."""

    where: str | None = None
    since: str | None = None
    seconds: float = 120.0


@contextmanager
def one_moment(db: sqlite3.Connection) -> Iterator[None]:
    """One read transaction: whoever writes meanwhile, all that is read is of its beginning."""
    db.execute("BEGIN")
    try:
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        yield
    finally:
        db.execute("ROLLBACK")


def batches(
    db: sqlite3.Connection, name: str, sql: str, values: Sequence[Any], narrowed: Narrowed
) -> Iterator[list[Row]]:
    """The rows of a SELECT, which holds the condition on the table of that name if there is one.

    Raises CannotExport where that breaks, or brings no further row for too long. What is done with
    a batch, and read meanwhile, takes nothing of that time.
    """
    with _only_reading(db) if narrowed.where else nullcontext():
        try:
            with _patient(db, narrowed):
                cursor = db.execute(sql, values)
                rows = cursor.fetchmany(BATCH)
            while rows:
                yield rows
                with _patient(db, narrowed):
                    rows = cursor.fetchmany(BATCH)
        except sqlite3.Error as fault:
            if getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise CannotExport(
                    f"--where on {name} has found nothing more for {narrowed.seconds:g} seconds."
                    " Write it so that an index serves it, or give it more with --time-limit."
                ) from fault
            if narrowed.where:
                raise _wrong(name, fault) from fault
            raise CannotExport(f"{name} cannot be read: {fault}") from fault


def refuse_wrong(db: sqlite3.Connection, table: str, condition: str) -> None:
    """Raise CannotExport unless this is one expression that is true or false of a row of a table.

    Bare, a text such as `1) UNION SELECT (1` is no SQL; in brackets, `1 UNION SELECT 1` is none.
    """
    try:
        with _only_reading(db):
            for text in (condition, f"({condition}\n)"):
                db.execute(f"EXPLAIN SELECT 1 FROM {table} WHERE {text}\n").close()
    except (sqlite3.Error, sqlite3.Warning) as fault:
        raise _wrong(table, fault) from fault


def _wrong(table: str, fault: Exception) -> CannotExport:
    reason = str(fault)
    if reason in ("not authorized", "You can only execute one statement at a time."):
        reason = "it takes one condition, which reads the database and does nothing else"
    return CannotExport(f"--where on {table}: {reason}. docs/tables.md has its columns.")


@contextmanager
def _only_reading(db: sqlite3.Connection) -> Iterator[None]:
    """Statements that are begun within may read tables, and neither write, attach nor set."""

    def may(action: int, name: str | None, *_: str | None) -> int:
        # The full-text index asks by itself whether anybody has written.
        harmless = action == sqlite3.SQLITE_PRAGMA and name == "data_version"
        return sqlite3.SQLITE_OK if action in _READING or harmless else sqlite3.SQLITE_DENY

    # To open these takes more than reading, and is done once.
    db.execute("SELECT 1 FROM film_search, json_each('[]') LIMIT 0").close()
    db.set_authorizer(may)
    try:
        yield
    finally:
        db.set_authorizer(None)


@contextmanager
def _patient(db: sqlite3.Connection, narrowed: Narrowed) -> Iterator[None]:
    """What is read within is interrupted once a condition has taken its time."""
    if not narrowed.where:
        yield
        return
    until = time.monotonic() + narrowed.seconds
    db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        yield
    finally:
        db.set_progress_handler(None, 0)

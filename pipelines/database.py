"""Open the database: to write (made and migrated) or to read (never made)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import without_pandas  # noqa: F401  sqlite-utils, that is

# isort: split
from sqlite_utils import Database

from pipelines.backup import CannotBackUp, back_up
from pipelines.lock import DatabaseBusy, DatabaseOlder, DatabaseProblem
from pipelines.migrations import migrations

if TYPE_CHECKING:
    from pandas import DataFrame

BUSY_SECONDS = 60.0
"""How long a write waits for another connection: Datasette may be reading through a checkpoint."""

CACHE_KIB = 64_000
"""Memory for pages, and for sorting before it takes to temporary files: with SQLite's own 2 MB a
quiet night on 200,000 listings wrote 94 MB of those; with this, 37."""

WHOLE_CACHE_KIB = 1_000_000
"""The same while every film is matched and merged anew, which reads and writes half of the file in
another order than it lies in; a small database takes as much as it has."""

NUMBERS_AT_ONCE = 100_000
"""Numbers that are set aside by one statement, which has them all as a text."""

_LEAST_BYTES = 512
"""Of a database: SQLite's smallest page."""


def is_there(path: Path) -> bool:
    """Whether a database has been made. A file of no bytes is none yet: SQLite makes one of it."""
    return path.exists() and path.stat().st_size > 0


def read_only(path: Path, *, older: bool = False) -> Database:
    """The database for reading. Raises DatabaseProblem where there is none, or a newer one.

    `older`: even one that another version made, whose tables and views may be others.
    """
    if not path.exists():
        raise DatabaseProblem(
            f"no database at {path}. Name one with --db, or make one:"
            " 'afterscore track tt1074638' and then 'afterscore refresh'."
        )
    _refuse_other_files(path)
    uri = path.resolve().as_uri() + "?mode=ro"
    try:
        db = Database(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS))
        _refuse_other_databases(db, path)
        if not is_there(path):
            raise DatabaseProblem(
                f"{path} is empty so far. What is in it comes by 'afterscore track tt1074638' and"
                " then 'afterscore refresh'."
            )
        if not older:
            _refuse_older(db, path)
            _refuse_unprepared(db, path)
    except sqlite3.DatabaseError as fault:
        if _code(fault) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise _not_to_be_read(path) from fault
        raise _unusable(path, fault) from fault
    return db


@contextmanager
def writing(path: Path, say: Callable[[str], None] = lambda line: None) -> Iterator[Database]:
    """The one writer's connection, in WAL mode, migrated to this version; the caller holds the lock
    (pipelines/lock.py). `say` hears of the copy that is made before a migration. Raises
    DatabaseProblem where the file or folder cannot be used.
    """
    _refuse_other_files(path)
    try:
        db = Database(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None))
    except sqlite3.DatabaseError as fault:
        raise _unusable(path, fault) from fault
    try:
        try:
            _refuse_other_databases(db, path)
            db.conn.execute("PRAGMA journal_mode = WAL")
            db.conn.execute("PRAGMA synchronous = NORMAL")
            for schema in ("main", "temp"):
                db.conn.execute(f"PRAGMA {schema}.cache_size = -{CACHE_KIB}")
            _back_up_before_migrating(db, path, say)
            migrations.apply(db)
            db.conn.execute("PRAGMA foreign_keys = ON")
        except sqlite3.DatabaseError as fault:
            raise _unusable(path, fault) from fault
        yield db
        # A copy of the file alone has everything, even while Datasette has it open.
        db.conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.DatabaseError as fault:
        if not of_the_file(fault):
            raise  # a fault of ours
        raise _unusable(path, fault) from fault
    finally:
        db.conn.close()


def keep_pages(db: Database, kib: int) -> None:
    """Keep so many KiB of the file's pages in memory, from here on."""
    db.conn.execute(f"PRAGMA main.cache_size = -{kib}")


@contextmanager
def noting(path: Path) -> Iterator[Database]:
    """One short transaction beside a run: a person's note (a pause, an acknowledgement) or what was
    told of, never a figure. It does not take the writer's lock: a night may hold that for hours.

    Raises DatabaseProblem where there is no database, or not of this version.
    """
    read_only(path, older=True).conn.close()
    db = Database(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None))
    try:
        _refuse_older(db, path)
        with transaction(db):
            yield db
    except sqlite3.DatabaseError as fault:
        raise _unusable(path, fault) from fault
    finally:
        db.conn.close()


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """One transaction that holds the write lock from its start.

    A transaction that reads first and writes later fails at once beside another writer, whatever
    the time-out; BEGIN IMMEDIATE waits instead.
    """
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.conn.rollback()
        raise
    db.conn.execute("COMMIT")


@contextmanager
def checked_at_its_end(db: Database, tables: Iterable[str]) -> Iterator[None]:
    """One transaction in which rows may name what is not there; that all rows of these tables name
    what is there is checked before it commits. Raises DatabaseProblem where one does not.

    To be used where most rows of the tables are written: row by row, in another order than what
    they name lies in, that takes longer than to write them. SQLite switches its own checks between
    transactions alone, and for this connection alone: whatever ends the process, they are on next.
    """
    db.conn.execute("PRAGMA foreign_keys = OFF")
    try:
        with transaction(db):
            yield
            for table in tables:
                _check_references(db, table)
    finally:
        db.conn.execute("PRAGMA foreign_keys = ON")


def _check_references(db: Database, table: str) -> None:
    """`PRAGMA foreign_key_check` seeks what each row names; this, each number that is named once,
    in their order, as far as an index has it."""
    for key in db.table(table).foreign_keys:
        (missing,) = db.conn.execute(
            f"SELECT EXISTS (SELECT 1 FROM (SELECT DISTINCT {key.column} AS named FROM {table})"
            f" WHERE named IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {key.other_table} o"
            f" WHERE o.{key.other_column} = named))"
        ).fetchone()
        if missing:
            raise DatabaseProblem(
                f"a row of {table} names a row of {key.other_table} that is not there, so nothing"
                " was changed. 'PRAGMA foreign_key_check' names the rows; a backup may be whole."
            )


def folder_of(db: Database) -> Path:
    """The folder in which a database lies."""
    return Path(db.conn.execute("PRAGMA database_list").fetchone()[2]).parent


def first_row(db: Database, sql: str, *values: Any) -> Sequence[Any] | None:
    """The first row of a query, or None."""
    row: Sequence[Any] | None = db.conn.execute(sql, values).fetchone()
    return row


def set_aside(db: Database, table: str, column: str, numbers: Iterable[int]) -> None:
    """Put numbers into a temporary table of one column, in place of those of the last time: SQL
    joins what it would not take as a list of a million values."""
    db.conn.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} ({column} INTEGER PRIMARY KEY)")
    db.conn.execute(f"DELETE FROM temp.{table}")
    # A statement for many takes half as long as one for each, and a tenth outside of a transaction.
    left = iter(numbers)
    while some := list(islice(left, NUMBERS_AT_ONCE)):
        db.conn.execute(
            f"INSERT OR IGNORE INTO temp.{table} SELECT value FROM json_each(?)",
            (json.dumps(some),),
        )


def set_aside_frame(db: Database, table: str, frame: DataFrame) -> None:
    """Put a frame into a temporary table, in place of that of the last time: pandas worked it out,
    and SQL joins it. The levels of its index are the table's key; what is not known is NULL."""
    rows = frame.reset_index()
    # Without its type, a key is compared as another type than its like, and not looked up.
    types = {"i": "INTEGER", "b": "INTEGER", "f": "REAL"}
    columns = [f"{name} {types.get(dtype.kind, 'TEXT')}" for name, dtype in rows.dtypes.items()]
    key = ", ".join(map(str, frame.index.names))
    db.conn.execute(f"DROP TABLE IF EXISTS temp.{table}")
    db.conn.execute(
        f"CREATE TEMP TABLE {table} ({', '.join(columns)}, PRIMARY KEY ({key})) WITHOUT ROWID"
    )
    values = rows.astype(object)
    db.conn.executemany(
        f"INSERT INTO temp.{table} VALUES ({', '.join('?' * len(columns))})",
        values.where(values.notna(), None).itertuples(index=False, name=None),
    )


def write_over(
    db: Database,
    table: str,
    select: str,
    columns: Sequence[str] = (),
    *,
    apart: Sequence[str] = (),
) -> None:
    """Write the rows of a SELECT, which has a WHERE, over those of the same key in a table, where
    they are others: what is as it was is not written.

    The SELECT gives these columns, or all of the table's in their order; the first is the key. To
    delete and insert instead would write every index anew, for columns that hardly ever change.
    An update writes each index that has a column which it names, even where that is as it was:
    `apart` are columns with indexes that change for other reasons than the rest, and have an update
    of their own. The SELECT is run once for each.
    """
    named = list(columns or db[table].columns_dict)
    key, *others = named
    rest = [name for name in others if name not in apart]
    for updated in filter(None, (apart, rest)):
        assign = ", ".join(f"{name} = excluded.{name}" for name in updated)
        was, becomes = (", ".join(f"{of}.{name}" for name in updated) for of in (table, "excluded"))
        db.conn.execute(
            f"INSERT INTO {table} ({', '.join(named)}) {select} ON CONFLICT ({key})"
            f" DO UPDATE SET {assign} WHERE ({was}) IS NOT ({becomes})"
        )


@contextmanager
def indexed_afterwards(db: Database, table: str) -> Iterator[None]:
    """Make a table's indexes anew once its rows are written, each by one sort, within the caller's
    transaction: a million rows that come in another order each seek their place in each index."""
    made = db.conn.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql <> ''",
        (table,),
    )
    indexes = made.fetchall()
    for name, _ in indexes:
        db.conn.execute(f"DROP INDEX {name}")
    yield
    for _, sql in indexes:
        db.conn.execute(sql)


def _back_up_before_migrating(db: Database, path: Path, say: Callable[[str], None]) -> None:
    pending = migrations.pending(db)
    if not pending or not migrations.applied(db):
        return  # nothing is to be done, or the database is new
    copy = path.with_name(f"{path.name}.before-{pending[0].name}.db")
    try:
        back_up(db.conn, copy, force=True)
    except CannotBackUp as fault:
        raise DatabaseProblem(
            f"{path} was made by an older afterscore, and is changed only once it is backed up,"
            f" which failed: {fault}"
        ) from fault
    say(f"Copied {path} to {copy} before it is brought up to date.")


def _refuse_other_files(path: Path) -> None:
    """SQLite would take a file that is too short for a database for an empty one, and write over
    it; a longer one it looks at itself.

    We must not: to close a file frees all locks that this process has on it, SQLite's too, and then
    another process may take away the WAL (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    if path.is_dir():
        raise DatabaseProblem(f"{path} is a folder. Name the database in it with --db FILE.")
    try:
        size = path.stat().st_size
    except OSError:
        return  # none yet, or SQLite says better why it cannot be opened
    if 0 < size < _LEAST_BYTES:
        raise _not_a_database(path)


def _refuse_older(db: Database, path: Path) -> None:
    if migrations.pending(db):
        raise DatabaseOlder(
            f"{path} was made by an older afterscore. Any command that writes brings it up to date:"
            " 'afterscore refresh'."
        )


def _refuse_unprepared(db: Database, path: Path) -> None:
    from pipelines.derived import is_prepared  # here: it is built upon this module

    if not is_prepared(db):
        raise DatabaseOlder(
            f"{path} has not all tables and views of this afterscore: another version made them, or"
            " its first command was cut off. Any command that writes makes them:"
            " 'afterscore refresh'."
        )


def _refuse_other_databases(db: Database, path: Path) -> None:
    applied = [done.name for done in migrations.applied(db)]
    ours = {"_sqlite_migrations", "sqlite_sequence"}
    if not applied and set(db.table_names()) - ours:
        raise DatabaseProblem(
            f"{path} is a database of another program. Name another file with --db."
        )
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    unknown = [name for name in applied if name not in known]
    if unknown:
        raise DatabaseProblem(
            f"{path} was made by a newer afterscore (it has had {unknown[-1]}). Update afterscore,"
            " or name another database with --db."
        )


_OF_THE_FILE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
}
"""What SQLite says of a file, a disk or another program; all else it says of our statements."""


def of_the_file(fault: sqlite3.DatabaseError) -> bool:
    """Whether a fault of SQLite is one of the file or its disk, and not of a statement."""
    return _code(fault) in _OF_THE_FILE


def _code(fault: sqlite3.DatabaseError) -> int:
    """SQLite's primary result code; 0 where Python's own module complains."""
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF


def _unusable(path: Path, fault: sqlite3.DatabaseError) -> DatabaseProblem:
    match _code(fault):
        case sqlite3.SQLITE_NOTADB:
            return _not_a_database(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return DatabaseProblem(
                f"cannot write {path} or its folder: {fault}. Choose another with --db FILE."
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            free = shutil.disk_usage(path.resolve().parent).free / 1e6
            return DatabaseProblem(
                f"cannot write {path}: {fault}, {free:,.0f} MB are free there. What was stored"
                " stands; make room, and the next run goes on."
            )
        case sqlite3.SQLITE_CORRUPT:
            return DatabaseProblem(
                f"{path} is damaged: {fault}. Go back to the last good copy: 'afterscore backup"
                f" {path} --force --db COPY'."
            )
        case sqlite3.SQLITE_BUSY:
            return DatabaseBusy(
                f"another program has written to {path} for {BUSY_SECONDS:.0f} seconds without an"
                " end. End it, or try again later."
            )
    return DatabaseProblem(f"{path} cannot be used: {fault}")


def _not_to_be_read(path: Path) -> DatabaseProblem:
    """SQLite reads a file with a WAL through another beside it, which it makes where there is none.
    To do without (`immutable`) would be to read wrongly while somebody else writes."""
    if not os.access(path, os.R_OK):
        return DatabaseProblem(f"you may not read {path}. Its owner can let you, or make a copy.")
    return DatabaseProblem(
        f"cannot read {path}: {path.name}-wal and {path.name}-shm must lie beside it, and cannot be"
        " made there. Read it where its folder can be written to, or read a copy: one that"
        " 'afterscore backup' made is read anywhere."
    )


def _not_a_database(path: Path) -> DatabaseProblem:
    return DatabaseProblem(f"{path} is not an SQLite database. Name another file with --db.")

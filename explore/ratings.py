"""The database as Datasette reads it: as pages of memory, and counted only as far as is quick."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from datasette.database import Database as DatasettesDatabase
from datasette.database import Results, connections
from sqlite_utils import Database

from explore.remembered import KEPT, Remembered
from pipelines.tables import all_tables

MAPPED = 2 * 2**30
"""Bytes of the file, from its beginning, that are read as the system's own memory: as many as
SQLite allows. Of the others it copies each page that it looks at, and what looks up a row here and
one there takes twice as long."""

COUNT_MS = 50
"""For so long a page counts the rows of a table or view. Above a view of all that was ever said it
would count until Datasette stops it, two seconds later, and then show the rows without a number."""


LARGEST = 1_000_000
"""Bytes of the largest value that a query may make. Ours have some kilobytes; of a gigabyte, which
anybody's SQL can ask for in a few letters, there would be a copy at each step to the page."""


def prepare(connection: sqlite3.Connection) -> None:
    """Let a connection read the file as memory, and make no value that fills the machine's."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
    connection.execute(f"PRAGMA mmap_size = {MAPPED}")


def _counted(db: Database) -> dict[str, int | None]:
    shown = {table.name for table in all_tables() if table.readers == "analysts"}
    return {
        name: next(db.conn.execute(f"SELECT count(*) FROM [{name}]"))[0] if name in shown else None
        for name in db.table_names()
    }


_counts = Remembered(_counted, 10 * KEPT)


class _Replaced(Exception):
    """Another file has the name of the one that a thread has open."""


class Ratings(DatasettesDatabase):  # type: ignore[misc]
    """Datasette's database, but for what it counts, and that it follows its file's name: a backup
    that takes the file's place is seen at once, and by all threads."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._opened = threading.local()

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A connection of this thread, for reading whatever is asked. Datasette itself takes `?`,
        `#` and `%` in a path for parts of an address, and opens (or makes) another file."""
        self._opened.file = self._file()
        uri = f"file:{quote(str(Path(self.path).absolute()))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._all_file_connections.append(connection)
        return connection

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        """Run a function over a connection to the file that has the name now."""

        def checked(connection: sqlite3.Connection) -> Any:
            if self._file() not in (self._opened.file, None):
                delattr(connections, self.name)
                self._all_file_connections.remove(connection)
                connection.close()
                raise _Replaced
            return fn(connection)

        while True:
            try:
                return await super().execute_fn(checked)
            except _Replaced:
                continue  # each thread finds that out once, and opens it anew

    def _file(self) -> tuple[int, int] | None:
        """Which file has the name; None while none has."""
        try:
            found = Path(self.path).stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    async def table_counts(self, limit: int = 10) -> Mapping[str, int | None]:
        """The rows of each table as of a while ago, None for the program's own. To count a table is
        one step for SQLite, which no limit of time ends, and of a large one it takes longer than
        all else of the page."""
        kept = await _counts.within(self.ds)
        assert kept  # it was waited for
        return kept.found

    async def execute(
        self,
        sql: str,
        params: Any = None,
        truncate: bool = False,
        custom_time_limit: int | None = None,
        **others: Any,
    ) -> Results:
        """Run a query. That by which the page of a table counts its rows (a person's own is cut
        short, not this) has less time."""
        if sql.startswith("select count(*) from ") and not truncate:
            custom_time_limit = min(custom_time_limit or COUNT_MS, COUNT_MS)
        return await super().execute(sql, params, truncate, custom_time_limit, **others)

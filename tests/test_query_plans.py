"""What the site's pages ask of the database is found by indexes, however many films there are.

Plans are read of a database without statistics, as a run leaves it (nothing runs ANALYZE): they
hang on the tables, the indexes and the SQL, and are the same for ten films and a million.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from datasette import hookimpl
from datasette.plugins import pm
from sqlite_utils import Database

from benchmarks import browse
from explore.site import NAME, site
from pipelines.database import read_only

FILMS = 150
BY_NIGHT = {"runs", "crawls", "run_coverage", "figure_hours"}
"""Tables with a row or a few for each night or hour, and not for each film."""

IN_ORDER = {
    "film_scores_consensus_100",
    "film_scores_gap",
    "film_scores_imdb_rating_votes",
    "stay_for_the_credits_newest",
}
"""Indexes that are gone through in their order until there are rows enough."""

COUNTED = {"film_scores_fives"}
"""Indexes of expressions: SQLite looks up one row for each group that it counts, and none for each
entry, which its plan does not tell."""

_BY_INDEX = re.compile(r"SCAN \S+ USING INDEX (\w+)")


class Listener:
    """A plugin that hears which statements are run."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl  # type: ignore[untyped-decorator]
    def prepare_connection(self, conn: sqlite3.Connection, database: str) -> None:
        if database == NAME:
            conn.set_trace_callback(self.heard.append)


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    pm.register(listener)
    try:
        yield listener
    finally:
        pm.unregister(listener)


async def statements(path: Path) -> dict[str, str]:
    """Every SELECT of the site's pages, and a page that runs it; but for those of tables without
    facets, of which Datasette shows the first rows."""
    datasette, found = site(path), dict[str, str]()
    await datasette.invoke_startup()
    with closing(read_only(path).conn) as connection, listening() as listener:
        for page in browse.pages(Database(connection)):
            if page.group == "tables":
                continue
            listener.heard.clear()
            answer = await datasette.client.get(page.paths[0], follow_redirects=True)
            assert answer.status_code == 200, page
            for sql in listener.heard:
                # Those with -- are the full-text index's own.
                if sql.lstrip().lower().startswith(("select", "with")):
                    found.setdefault(sql, f"{page.group}: {page.name}")
    return found


class Plans:
    """What SQLite does for a statement, over the tables that have a row for each film or more."""

    def __init__(self, db: Database) -> None:
        self._run = db.conn.execute
        self._tables, self._indexes = dict[int, str](), set[str]()
        for kind, name, table, root, sql in self._run(
            "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE rootpage > 0"
        ).fetchall():
            part = f" WHERE {sql.partition(' WHERE ')[2]}" if " WHERE " in (sql or "") else ""
            (rows,) = self._run(f"SELECT count(*) FROM {table}{part}").fetchone()
            if table not in BY_NIGHT and rows >= FILMS / 2:
                if kind == "table":
                    self._tables[root] = name
                else:
                    self._indexes.add(name)

    def read_whole(self, sql: str) -> set[str]:
        """The large tables that are gone through to the end: themselves, or their rows one by one
        as an index has them."""
        cursors: dict[int, int] = {}
        whole = set()
        for _, opcode, cursor, root, *_ in self._run(f"EXPLAIN {sql}"):
            if opcode == "OpenRead":
                cursors[cursor] = root
            elif opcode in ("Rewind", "Last") and cursors.get(cursor) in self._tables:
                whole.add(self._tables[cursors[cursor]])
        plan = self._run(f"EXPLAIN QUERY PLAN {sql}").fetchall()
        words = " ".join(sql.lower().split())
        if len(plan) == 1 and " limit " in words and " where " not in words:
            return set()  # the first rows of one table, as they come
        sorted_parts = {part for _, part, _, step in plan if "TEMP B-TREE" in step}
        for _, part, _, step in plan:
            index = found[1] if (found := _BY_INDEX.fullmatch(step)) else ""
            in_order = index in IN_ORDER and part not in sorted_parts and " limit " in words
            if index in self._indexes - COUNTED and not in_order:
                whole.add(index)
        return whole


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("browsed") / "ratings.db"
    browse.make(made, FILMS)
    return made


def test_no_page_reads_a_whole_table(path: Path) -> None:
    asked = asyncio.run(statements(path))
    with closing(read_only(path).conn) as connection:
        plans = Plans(Database(connection))
        whole = {
            (page, sql): tables for sql, page in asked.items() if (tables := plans.read_whole(sql))
        }
    assert len(asked) > 100
    assert not whole, whole

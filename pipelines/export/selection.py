"""Which rows of which tables leave: those for analysts, with the type of each column, narrowed by
a condition and by a date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlite_utils import Database

from pipelines.export.folder import CannotExport
from pipelines.export.reading import Narrowed, Row, batches, refuse_wrong
from pipelines.tables import Table, all_tables, derived_tables
from pipelines.views import VIEWS

Kind: TypeAlias = Literal["integer", "number", "string"]

_STORED: dict[str, Kind] = {"INTEGER": "integer", "REAL": "number", "TEXT": "string"}

# What views work out: SQLite does not know its type.
_NUMBERS = ("_100", "_days", "_share", "seconds")
_TEXTS = {
    "after", "cause", "changed_at", "command", "confirmed_at", "detail", "during", "last_asked_at",
    "listing", "no_sources", "no_urls", "observed_to", "outcome", "place", "score_kind", "seen",
    "seen_in", "source", "started_at", "state", "valid_from", "why", "yes_sources", "yes_urls",
}  # fmt: skip

# By which of its columns a row tells when what it holds was said. Tables that lead from row to row
# have none: a listing's match counts since ever, and without it nobody can tell whose a score is.
_SAID = {
    "judgements": "judged_at",
    "score_observations": "observed_at",
    "scores": "observed_at",
    "credits_verdicts": "observed_at",
    "runs": "ifnull(ended_at, started_at)",
    "crawls": "started_at",
    "quarantine": "max(last_held_at, ifnull(decided_at, ''))",
    "score_changes": "changed_at",
    "score_moves": "changed_at",
    "score_history": "max(valid_from, ifnull(valid_to, ''))",
    "freshness": "observed_at",
    "freshness_by_age": "observed_at",
    "last_night": "started_at",
    "standing_verdicts": "observed_at",
}


@dataclass(frozen=True)
class Column:
    """A column, its type in the words of Table Schema, and what it means."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Selected:
    """The rows of one table that leave."""

    table: Table
    columns: Sequence[Column]
    narrowed: Narrowed

    @property
    def said(self) -> str | None:
        """The SQL that says when a row was said to be so; None where nothing tells."""
        return _SAID.get(self.table.name)

    def rows(self, db: sqlite3.Connection) -> Iterator[list[Row]]:
        """The rows, in batches; raises CannotExport where the condition breaks or takes too long.

        The caller's transaction says as of when.
        """
        conditions: list[str] = []
        values: list[str] = []
        if self.narrowed.where:
            conditions.append(f"({self.narrowed.where}\n)")
        if self.narrowed.since and self.said:
            conditions.append(f"{self.said} >= ?")
            values.append(self.narrowed.since)
        sql = f"SELECT {', '.join(column.name for column in self.columns)} FROM {self.table.name}"
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        return batches(db, self.table.name, sql, values, self.narrowed)


def analysts() -> dict[str, Table]:
    """The tables for analysts by name, then the views: where most questions go stands first."""
    every = (*derived_tables(), *all_tables(), *VIEWS)
    return {table.name: table for table in every if table.readers == "analysts"}


def selected(db: Database, names: Sequence[str], narrowed: Narrowed) -> list[Selected]:
    """What leaves: the tables and views of these names, or every table where none is named.

    Raises CannotExport for a name that is none, and for a condition that is wrong of any of them.
    """
    known = analysts()
    views = {view.name for view in VIEWS}
    for name in names:
        if name not in known:
            raise CannotExport(
                f"no table {name!r} for analysts. The tables are"
                f" {', '.join(name for name in known if name not in views)}; the views,"
                f" {', '.join(name for name in known if name in views)}."
            )
    if narrowed.where and not names:
        raise CannotExport("name the table that --where is about: --table film_scores")
    chosen = dict.fromkeys(names) or [name for name in known if name not in views]
    if narrowed.where:
        for name in chosen:
            refuse_wrong(db.conn, name, narrowed.where)
    return [Selected(known[name], _columns(db, known[name]), narrowed) for name in chosen]


def _columns(db: Database, table: Table) -> tuple[Column, ...]:
    stored = {column.name: _STORED.get(column.type) for column in db[table.name].columns}
    return tuple(
        Column(name, stored[name] or _computed(name), meaning)
        for name, meaning in table.columns.items()
    )


def _computed(name: str) -> Kind:
    if name in _TEXTS:
        return "string"
    return "number" if name.endswith(_NUMBERS) else "integer"

"""How many films have what of each score kind, counted as films are merged: whoever asks it of all
films, as the home page, `health` and the charts do, looks at some thousand rows and not at each."""

from __future__ import annotations

from collections import Counter
from itertools import repeat

from sqlite_utils import Database

from spiders.sources import score_kinds

Counts = Counter[tuple[str, str, int | None, int | None]]
"""Films by score kind, state, year and points."""

_AT_ONCE = 10_000
"""Films whose rows are in memory."""


def counted(db: Database, table: str) -> Counts:
    """The films of a table as wide as `film_scores`, or of a SELECT of such rows in brackets.

    Counted here: SQLite sorts all rows by their texts, which takes several times as long.
    """
    of_kinds = (f"{kind.key}_state, CAST({kind.key}_100 AS INTEGER)" for kind in score_kinds())
    rows = db.conn.execute(f"SELECT year, {', '.join(of_kinds)} FROM {table}")
    counts: Counts = Counter()
    while some := rows.fetchmany(_AT_ONCE):
        years, *columns = zip(*some, strict=True)
        for kind, states, points in zip(score_kinds(), columns[::2], columns[1::2], strict=True):
            counts.update(zip(repeat(kind.key), states, years, points, strict=False))
    return counts


def write_counts(db: Database, before: Counts, now: Counts) -> None:
    """Count films as they are `now`, and no longer as they were `before` their rows were written,
    in the caller's transaction."""
    if count_all(db):
        return
    now.subtract(before)
    _add(db, now)
    db.conn.execute("DELETE FROM score_counts WHERE films = 0")


def count_all(db: Database) -> bool:
    """Count all films where none are counted yet; returns whether that was so."""
    if db.conn.execute("SELECT EXISTS (SELECT 1 FROM score_counts)").fetchone()[0]:
        return False
    _add(db, counted(db, "film_scores"))
    return True


def _add(db: Database, counts: Counts) -> None:
    db.conn.executemany(
        "INSERT INTO score_counts (score_kind, state, year, points, films) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET films = films + excluded.films",
        ((*of, films) for of, films in counts.items() if films),
    )

"""Listings of which something new is stored, and which are not matched and merged yet; and films
of which matching changed something, and which are not merged yet.

They are written with what is new, and struck off once films tell of it: whatever ends a process in
between, the next run takes them up. A film that lost a listing is found by no listing any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database

from pipelines.statements import Tally


def write_touched(db: Database, tally: Tally) -> None:
    """Write down what an answer touched, in the caller's transaction."""
    db.conn.executemany(
        "INSERT OR IGNORE INTO unmerged_listings VALUES (?)", ((n,) for n in tally.unwritten)
    )
    tally.unwritten.clear()


def unmerged(db: Database) -> set[int]:
    """The listings that are to be taken up."""
    return {row[0] for row in db.conn.execute("SELECT listing_id FROM unmerged_listings")}


def write_matched(db: Database, film_ids: Iterable[int]) -> None:
    """Write down films of which matching changed something, in its transaction."""
    db.conn.executemany("INSERT OR IGNORE INTO unmerged_films VALUES (?)", ((n,) for n in film_ids))


def unmerged_films(db: Database) -> set[int]:
    """The films that are to be merged."""
    return {row[0] for row in db.conn.execute("SELECT film_id FROM unmerged_films")}


def merged(db: Database, listing_ids: Iterable[int]) -> None:
    """These listings are matched, and their films merged; in the caller's transaction."""
    db.conn.executemany(
        "DELETE FROM unmerged_listings WHERE listing_id = ?", ((n,) for n in listing_ids)
    )


def all_merged(db: Database) -> None:
    """Every listing that was written down is matched, and its films merged."""
    db.conn.execute("DELETE FROM unmerged_listings")

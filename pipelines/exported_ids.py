"""The films that a source's export lists: a million ids, of which each day brings some hundreds.

They are kept in a narrow table of their own, and become listings once they are asked: a listing is
four times as large, and what is due would be worked out of a million of them every night.
"""

from __future__ import annotations

from sqlite_utils import Database

from spiders.items import Ids

# A popularity is other every day; it only orders what was never asked, so that it is written where
# it is another one altogether.
_LISTED = """
INSERT INTO exported_ids (source, source_id, popularity) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET popularity = excluded.popularity, absent_since = NULL
  WHERE absent_since IS NOT NULL
    OR excluded.popularity NOT BETWEEN popularity / 2 AND popularity * 2
"""

_UNASKED = """
FROM exported_ids e
WHERE e.source = ?1 AND e.absent_since IS NULL
  AND NOT EXISTS (SELECT 1 FROM listings l WHERE l.source = ?1 AND l.source_id = e.source_id)
"""


def begin_export(db: Database) -> None:
    """No part of an export has come yet."""
    db.conn.execute(
        "CREATE TEMP TABLE IF NOT EXISTS in_export (source_id TEXT PRIMARY KEY) WITHOUT ROWID"
    )
    db.conn.execute("DELETE FROM temp.in_export")


def store_ids(db: Database, source: str, ids: Ids) -> None:
    """Store a part of an export, in the caller's transaction."""
    columns = zip(ids.source_ids, ids.popularities, strict=True)
    db.conn.executemany(_LISTED, ((source, *film) for film in columns))
    db.conn.executemany(
        "INSERT OR IGNORE INTO temp.in_export VALUES (?)", ((number,) for number in ids.source_ids)
    )


def end_export(db: Database, source: str, day: str, at: str, run_id: int | None) -> None:
    """All parts of the export of a day are stored. What was in none of them is absent from then on,
    which is no deletion: it may be back tomorrow."""
    run = db.conn.execute
    run(
        "UPDATE exported_ids SET absent_since = ?2 WHERE source = ?1 AND absent_since IS NULL"
        " AND source_id NOT IN (SELECT source_id FROM temp.in_export)",
        (source, day),
    )
    run(
        "INSERT INTO exports VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " exported_on = excluded.exported_on, read_at = excluded.read_at",
        (source, day, at, run_id),
    )
    begin_export(db)


def count_unasked(db: Database, source: str) -> int:
    """How many films of the source's last export have no listing here yet."""
    (number,) = db.conn.execute(f"SELECT count(*) {_UNASKED}", (source,)).fetchone()
    return int(number)


def most_popular_unasked(db: Database, source: str, most: int) -> list[str]:
    """So many of them, the most popular first."""
    rows = db.conn.execute(
        f"SELECT source_id {_UNASKED} ORDER BY popularity DESC, source_id LIMIT ?2", (source, most)
    )
    return [row[0] for row in rows]


def forget_exports(db: Database, source: str, since: str) -> None:
    """Delete what the source's exports have not said again since, in the caller's transaction."""
    run = db.conn.execute
    run(
        "DELETE FROM exported_ids WHERE source = ?1 AND (absent_since < substr(?2, 1, 10)"
        " OR EXISTS (SELECT 1 FROM exports WHERE source = ?1 AND read_at < ?2))",
        (source, since),
    )
    run("DELETE FROM exports WHERE source = ? AND read_at < ?", (source, since))

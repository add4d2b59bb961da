"""What runs came to: the last ones, and one with its crawls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pipelines import clock
from pipelines.lock import held_since

WHOLE_REFRESH = (
    "command = 'refresh' AND json_extract(plan, '$.film_ids') IS NULL"
    " AND json_extract(plan, '$.limit') IS NULL"
    " AND ifnull(json_array_length(plan, '$.sources'), 0) = 0"
)
"""A row of `runs` that is a night's work: all sources, all films that are due, by whoever started
it."""

_RUNS = """
SELECT r.run_id, r.command, r.plan, r.pid, r.started_at, r.ended_at, r.outcome, r.exception,
  r.continues,
  ifnull(sum(c.asked), 0) AS asked, ifnull(sum(c.changed), 0) AS changed,
  ifnull(sum(c.held), 0) AS held,
  json_group_array(json_object('source', c.source, 'outcome', c.outcome, 'detail', c.detail))
    FILTER (WHERE c.outcome NOT IN ('ok', 'skipped')) AS failed
FROM runs r LEFT JOIN crawls c USING (run_id)
WHERE ?1 IS NULL OR r.run_id = ?1
GROUP BY r.run_id ORDER BY r.run_id DESC LIMIT ?2
"""

_CRAWLS = """
SELECT source, started_at, seconds, asked, fetched, unchanged, not_found, blocked, unreadable,
  failed, stored, changed, held, outcome, detail, exception
FROM crawls WHERE run_id = ? ORDER BY source
"""


def last_runs(db: Database, limit: int, number: int | None = None) -> list[dict[str, Any]]:
    """The last runs, newest first, or only the one of that number.

    `seconds` is how long it took, or has taken so far. `outcome` is that of the table, or `running`
    or `killed` where it has no end yet. `failed` are its crawls that came to less than `ok`.
    """
    (file,) = db.conn.execute("SELECT file FROM pragma_database_list").fetchone()
    held = held_since(Path(file))
    rows = list(db.query(_RUNS, [number, limit]))
    for row in rows:
        row["plan"], row["failed"] = json.loads(row["plan"]), json.loads(row["failed"])
        row["seconds"] = _seconds(row["started_at"], row["ended_at"] or clock.now())
        # Process numbers come again, in a container at once: whoever holds the lock began it.
        goes_on = held is not None and held <= row["started_at"]
        row["outcome"] = row["outcome"] or ("running" if goes_on else "killed")
        if row["outcome"] == "killed":
            row["seconds"] = None
    return rows


def one_run(db: Database, number: int) -> dict[str, Any] | None:
    """A run with its `crawls`, or None where there is none of that number."""
    for row in last_runs(db, 1, number):
        return {**row, "crawls": list(db.query(_CRAWLS, [number]))}
    return None


def _seconds(since: str, until: str) -> int:
    return int((clock.moment(until) - clock.moment(since)).total_seconds())

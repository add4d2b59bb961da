"""Let go of what nobody needs any more: old runs with their crawls, settled cases, rotated logs.

What a source said of a film is not among it: the history of scores and verdicts is what this
database is for, and stays.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from pipelines import clock
from pipelines.crawl_profile import FEWEST, LAST_CRAWLS
from pipelines.database import set_aside, transaction
from pipelines.lock import DatabaseProblem
from pipelines.quarantine import CRAWL

LAST_RUNS = 30
"""The last month of nights is kept, however long ago it was: whoever comes back to a database that
lay still sees how it ended."""

# A person's last no to a page stands, or the same answer would be listed anew; and what a released
# crawl said is told apart in score_changes, and begins the past that the guard judges by.
_SETTLED = f"""
SELECT quarantine_id FROM quarantine q
WHERE max(q.last_held_at, ifnull(q.decided_at, '')) < ? AND q.decision IS NOT NULL
  AND NOT (q.topic = '{CRAWL}' AND q.decision = 'released')
  AND NOT (q.decision = 'rejected' AND NOT EXISTS (
    SELECT 1 FROM quarantine n WHERE n.listing_id IS q.listing_id AND n.topic = q.topic
      AND (n.origin = 'archive') = (q.origin = 'archive') AND n.decision = 'rejected'
      AND n.quarantine_id > q.quarantine_id))
"""

# Of each source the guard reads the last good crawls, for each kind of answer
# (crawl_profile.past_of).
_PAST = f"""
SELECT run_id FROM (
  SELECT c.run_id, row_number() OVER (PARTITION BY c.source, t.key ORDER BY c.run_id DESC) AS place
  FROM crawls c, json_each(c.profile) t
  WHERE json_extract(t.value, '$.records') >= {FEWEST}
) WHERE place <= {LAST_CRAWLS}
"""

_OLD_RUNS = f"""
SELECT run_id FROM runs
WHERE started_at < ? AND ended_at IS NOT NULL
  AND run_id NOT IN (SELECT run_id FROM runs ORDER BY run_id DESC LIMIT {LAST_RUNS})
  AND run_id NOT IN ({_PAST})
  AND run_id NOT IN (SELECT run_id FROM quarantine WHERE run_id IS NOT NULL
                     AND quarantine_id NOT IN (SELECT quarantine_id FROM temp.old_cases))
"""


@dataclass(frozen=True)
class Outdated:
    """What may go: numbers of runs, of their crawls, and of cases of the quarantine; log files."""

    run_ids: tuple[int, ...]
    crawls: int
    quarantine_ids: tuple[int, ...]
    logs: tuple[Path, ...]


def outdated(
    db: Database, path: Path, at: str, *, crawls_days: int, quarantine_days: int, logs_days: int
) -> Outdated:
    """What is older than so many days, and needed by nobody. `path` is the database's, beside which
    its rotated logs lie. Nothing is changed."""
    run = db.conn.execute
    settled = run(_SETTLED, (clock.later(at, days=-quarantine_days),)).fetchall()
    set_aside(db, "old_cases", "quarantine_id", (number for (number,) in settled))
    runs = run(_OLD_RUNS, (clock.later(at, days=-crawls_days),)).fetchall()
    set_aside(db, "old_runs", "run_id", (number for (number,) in runs))
    (crawls,) = run("SELECT count(*) FROM crawls JOIN temp.old_runs USING (run_id)").fetchone()
    return Outdated(
        run_ids=tuple(number for (number,) in runs),
        crawls=crawls,
        quarantine_ids=tuple(number for (number,) in settled),
        logs=tuple(_old_logs(path, clock.later(at, days=-logs_days))),
    )


def prune(db: Database, old: Outdated) -> None:
    """Remove what `outdated` found, rows in one transaction."""
    with transaction(db):
        set_aside(db, "old_cases", "quarantine_id", old.quarantine_ids)
        set_aside(db, "old_runs", "run_id", old.run_ids)
        for table in ("held_answers", "released_listings", "quarantine"):
            db.conn.execute(
                f"DELETE FROM {table} WHERE quarantine_id IN"
                " (SELECT quarantine_id FROM temp.old_cases)"
            )
        for table in ("crawls", "runs"):
            db.conn.execute(
                f"DELETE FROM {table} WHERE run_id IN (SELECT run_id FROM temp.old_runs)"
            )
    for log in old.logs:
        log.unlink(missing_ok=True)


def empty_wal(db: Database) -> bool:
    """Bring all that the WAL holds into the file, and cut it to nothing; False where a reader
    (Datasette) holds on to it, and it is cut another time."""
    (busy, _, _) = db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def vacuum(db: Database, path: Path) -> None:
    """Write the file anew without its gaps. Raises DatabaseProblem where there is too little room:
    it takes the file's size twice, once for the new one and once in the WAL."""
    needed, free = 2 * path.stat().st_size, shutil.disk_usage(path.resolve().parent).free
    if free < needed:
        raise DatabaseProblem(
            f"writing {path} anew takes {needed / 1e6:,.0f} MB for a while, and its folder has"
            f" {free / 1e6:,.0f} MB free. What was old is removed all the same."
        )
    db.conn.execute("VACUUM")


def _old_logs(path: Path, since: str) -> list[Path]:
    """Rotated logs (ratings.db.log.1 …) last written before then; the one in use stays."""
    return sorted(
        log
        for log in path.parent.glob(f"{path.name}.log.*")
        if clock.stamp(datetime.fromtimestamp(log.stat().st_mtime, UTC)) < since
    )

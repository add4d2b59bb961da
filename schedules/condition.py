"""What health looks at: runs, crawls, what is held, coverage, age, disk. Measured, not judged."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any, Self

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction
from pipelines.pauses import Pause, paused
from pipelines.quarantine import CRAWL
from schedules.config import CEILING_DAYS, Config
from schedules.history import WHOLE_REFRESH, last_runs
from spiders.sources import SOURCES, score_kinds

NIGHTS = 14
"""So many usual nights are the past that tonight's coverage is held against. What has fallen is not
usual, however long ago it fell, but where somebody acknowledged it: what fell for good becomes
usual within a fortnight of such nights."""

NIGHTS_AT_LEAST = 3
"""Fewer nights are no past."""

USUAL_SHARE = 0.95
"""Coverage fell that is below this share of what is usual …"""

FEWER_FILMS = 3
"""… by at least so many films."""

_CRAWLS_LOOKED_AT = 1_000
"""The last crawls that are looked at: four months of eight sources."""

_WEEK_AT_MOST = 10
"""Days that still pass for a week, where there were nights without a run."""

_MANY = 5
"""Answers that must have gone wrong before half of them is more than a few odd pages."""


@dataclass(frozen=True)
class Trouble:
    """A source whose last crawls, as far as they were asked at all, all went wrong alike.

    `how` is `blocked`, `failing` or `unreadable`; on so many `nights` (clock.night).
    """

    source: str
    how: str
    nights: int
    since: str
    detail: str


@dataclass(frozen=True)
class Held:
    """Open cases of one source: a held crawl (`crawl`), or records under several rules, of which
    `rule` is the most frequent; `reason` is that of the last case."""

    source: str
    crawl: bool
    rule: str
    cases: int
    since: str
    reason: str


@dataclass(frozen=True)
class Coverage:
    """Of how many of all films a score kind is known, and of how many it usually was (None: there
    are not nights enough to tell)."""

    scored: int
    films: int
    usual: float | None

    @property
    def fell(self) -> bool:
        """Whether it is known of fewer films than usual, beyond a few."""
        usual = self.usual or 0
        return usual - self.scored >= FEWER_FILMS and self.scored < USUAL_SHARE * usual


@dataclass(frozen=True)
class Condition:
    """All that is measured. Times are as the database writes them, sizes in bytes.

    `made_at` is when the database was made. `demo`: nothing but the demo ever ran here, and no
    night is expected of it. `unasked` are the sources that are not asked now: switched off, paused,
    without their key. `whole_ended` is when the last whole refresh ended well; `whole_running` when
    the one began that runs now. `succeeded` says by source when a crawl last ended well. `stale`
    has for each source that is asked: figures that nothing confirmed within the ceiling, and all.
    `grown` is what file and WAL gained within a week or so; what it lost is negative (None: not
    known).
    """

    at: str
    made_at: str
    last_run: Mapping[str, Any] | None
    demo: bool
    unasked: frozenset[str]
    whole_ended: str | None
    whole_running: str | None
    troubles: tuple[Trouble, ...]
    succeeded: Mapping[str, str]
    held: tuple[Held, ...]
    coverage: Mapping[str, Coverage]
    stale: Mapping[str, tuple[int, int]]
    pauses: Mapping[str, Pause]
    keyless: Mapping[str, str]
    file: Path
    db_bytes: int
    wal_bytes: int
    free_bytes: int
    grown: int | None

    @classmethod
    def of(cls, db: Database, path: Path, settings: Config) -> Self:
        """The condition of a database and of the disk that it lies on."""
        at = clock.now()
        pauses = paused(db, at)
        asked = {s.key for s in SOURCES if not settings.skipped(s)} - set(pauses)
        db_bytes, wal_bytes = sizes(path)
        return cls(
            at=at,
            made_at=_one(
                db, "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(applied_at)) FROM _sqlite_migrations"
            ),
            last_run=next(iter(last_runs(db, 1)), None),
            demo=_one(db, "SELECT max(command) = 'demo' AND min(command) = 'demo' FROM runs") == 1,
            unasked=frozenset(s.key for s in SOURCES if s.key not in asked),
            whole_ended=_one(
                db,
                f"SELECT max(ended_at) FROM runs WHERE {WHOLE_REFRESH}"
                " AND outcome IN ('ok', 'partly')",
            ),
            whole_running=_running(db),
            troubles=tuple(t for t in _troubles(db) if t.source in asked),
            succeeded=_succeeded(db),
            held=tuple(_held(db)),
            coverage=_coverage(db),
            stale={key: figures for key, figures in _stale(db, at).items() if key in asked},
            pauses=pauses,
            keyless={s.key: s.key_variable or "" for s in SOURCES if settings.lacks_key(s)},
            file=path,
            db_bytes=db_bytes,
            wal_bytes=wal_bytes,
            free_bytes=shutil.disk_usage(path.resolve().parent).free,
            grown=_grown(db, at, db_bytes + wal_bytes),
        )


def acknowledged(db: Database, at: str) -> dict[str, str]:
    """Until when nobody is told, by key."""
    return dict(
        db.conn.execute("SELECT finding, acked_until FROM alerts WHERE acked_until > ?", (at,))
    )


def note_night(db: Database, path: Path) -> None:
    """Keep with the run that has just ended what later nights are held against: how many films each
    score kind is known of, and the sizes of file and WAL."""
    _write_back(db)
    db_bytes, wal_bytes = sizes(path)
    with transaction(db):
        (run_id,) = db.conn.execute("SELECT max(run_id) FROM runs").fetchone()
        db.conn.execute(
            "UPDATE runs SET db_bytes = ?, wal_bytes = ? WHERE run_id = ?",
            (db_bytes, wal_bytes, run_id),
        )
        acked = acknowledged(db, clock.now())
        db.conn.executemany(
            "INSERT OR REPLACE INTO run_coverage VALUES (?, ?, ?, ?, ?)",
            [
                (
                    run_id,
                    kind,
                    known.scored,
                    known.films,
                    not known.fell or f"coverage:{kind}" in acked,
                )
                for kind, known in _coverage(db).items()
            ],
        )


def _write_back(db: Database) -> None:
    """Empty the WAL, unless somebody reads on: a file as long as the largest transaction of the
    night is no sign of anything."""
    (waits,) = db.conn.execute("PRAGMA busy_timeout").fetchone()
    db.conn.execute("PRAGMA busy_timeout = 0")
    try:
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.conn.execute(f"PRAGMA busy_timeout = {waits}")


def sizes(path: Path) -> tuple[int, int]:
    """Bytes of a database and of the WAL beside it."""
    wal = path.with_name(path.name + "-wal")
    return path.stat().st_size, wal.stat().st_size if wal.exists() else 0


def _one(db: Database, sql: str, *values: Any) -> Any:
    row = db.conn.execute(sql, values).fetchone()
    return row[0] if row else None


def _running(db: Database) -> str | None:
    whole = _one(db, f"SELECT max(run_id) FROM runs WHERE {WHOLE_REFRESH} AND ended_at IS NULL")
    rows = last_runs(db, 1, whole) if whole is not None else []
    return next((row["started_at"] for row in rows if row["outcome"] == "running"), None)


def _troubles(db: Database) -> Iterable[Trouble]:
    crawls: dict[str, list[dict[str, Any]]] = {}
    for row in db.query(
        "SELECT * FROM crawls WHERE outcome NOT IN ('skipped', 'interrupted')"
        " ORDER BY run_id DESC LIMIT ?",
        [_CRAWLS_LOOKED_AT],
    ):
        crawls.setdefault(row["source"], []).append(row)
    for source, rows in crawls.items():
        (how, group) = next(groupby(rows, _wrong))
        alike = list(group)
        if how:
            yield Trouble(
                source,
                how,
                len({clock.night(row["started_at"]) for row in alike}),
                alike[-1]["started_at"],
                rows[0]["detail"] or "",
            )


def _wrong(crawl: Mapping[str, Any]) -> str | None:
    """How a crawl went wrong as a whole, if it did; what the guard held of it is told apart."""
    if crawl["outcome"] == "blocked":
        return "blocked"
    most = max(_MANY, crawl["asked"] / 2)
    if crawl["outcome"] == "failed" or crawl["failed"] >= most:
        return "failing"
    return "unreadable" if crawl["unreadable"] >= most else None


def _succeeded(db: Database) -> dict[str, str]:
    rows = db.conn.execute(
        "SELECT c.source, max(r.ended_at) FROM crawls c JOIN runs r USING (run_id)"
        " WHERE c.outcome IN ('ok', 'partly') GROUP BY c.source"
    )
    return {source: at for source, at in rows if at}


def _held(db: Database) -> Iterable[Held]:
    open_cases = "SELECT * FROM quarantine WHERE decision IS NULL AND source IS NOT NULL"
    rows = db.query(
        f"SELECT source, topic = ?1 AS crawl, iif(topic = ?1, rule, '') AS apart,"
        " count(*) AS cases, min(held_at) AS since, reason, max(last_held_at),"
        " (SELECT q.rule FROM quarantine q WHERE q.decision IS NULL AND q.source = o.source"
        "  AND (q.topic = ?1) = (o.topic = ?1) GROUP BY q.rule ORDER BY count(*) DESC LIMIT 1)"
        f" AS most FROM ({open_cases}) o GROUP BY 1, 2, 3 ORDER BY 1, 2",
        [CRAWL],
    )
    for row in rows:
        rule = row["apart"] or row["most"] or ""
        yield Held(
            row["source"], bool(row["crawl"]), rule, row["cases"], row["since"], row["reason"]
        )


def _scored(db: Database) -> dict[str, tuple[int, int]]:
    """For each score kind: of how many films it is known, and how many films there are."""
    rows = db.conn.execute("SELECT score_kind, scored, films FROM coverage")
    none = {kind.key: (0, 0) for kind in score_kinds()}
    return none | {kind: (scored, films) for kind, scored, films in rows}


def _coverage(db: Database) -> dict[str, Coverage]:
    past: dict[str, list[int]] = {}
    for kind, scored in db.conn.execute(
        "SELECT score_kind, scored FROM (SELECT score_kind, scored,"
        " row_number() OVER (PARTITION BY score_kind ORDER BY run_id DESC) AS place"
        " FROM run_coverage WHERE is_usual = 1) WHERE place <= ?",
        (NIGHTS,),
    ):
        past.setdefault(kind, []).append(scored)
    coverage = {}
    for kind, (scored, films) in _scored(db).items():
        nights = past.get(kind, [])
        coverage[kind] = Coverage(
            scored, films, median(nights) if len(nights) >= NIGHTS_AT_LEAST else None
        )
    return coverage


def _stale(db: Database, at: str) -> dict[str, tuple[int, int]]:
    """By whole hours, as figures are counted. Not told of is what nobody is to confirm: what is
    gone, no film of ours, or known of a saved page alone."""
    rows = db.conn.execute(
        "WITH unasked AS (SELECT listing_id, score_kind FROM listings CROSS JOIN scores"
        "   USING (listing_id) WHERE gone_at IS NOT NULL"
        "  UNION SELECT listing_id, score_kind FROM filmless_listings CROSS JOIN scores"
        "   USING (listing_id)"
        "  UNION SELECT listing_id, score_kind FROM scores WHERE origin = 'archive')"
        " SELECT source, sum(figures) FILTER (WHERE seen_in < :before), sum(figures) FROM ("
        " SELECT source, seen_in, figures FROM figures_by_age WHERE state = 'scored'"
        " UNION ALL SELECT source, substr(confirmed_at, 1, 13), -1 FROM unasked"
        " CROSS JOIN standing_scores USING (listing_id, score_kind) WHERE state = 'scored')"
        " GROUP BY source",
        {"before": clock.later(at, days=-CEILING_DAYS)[:13]},
    )
    return {source: (old or 0, figures) for source, old, figures in rows if figures}


def _grown(db: Database, at: str, size: int) -> int | None:
    before = _one(
        db,
        "SELECT db_bytes + wal_bytes FROM runs WHERE db_bytes IS NOT NULL"
        " AND ended_at BETWEEN ? AND ? ORDER BY run_id DESC LIMIT 1",
        clock.later(at, days=-_WEEK_AT_MOST),
        clock.later(at, days=-7),
    )
    return None if before is None else size - int(before)

"""What is written down of a run while it runs and when it ends: `runs`, `crawls`, and the log.
Secrets are left out."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction
from schedules import log
from schedules.redaction import redacted
from schedules.results import Crawled, Result, Selection

_COUNTS = (
    "asked",
    "fetched",
    "unchanged",
    "not_found",
    "blocked",
    "unreadable",
    "failed",
    "stored",
    "changed",
    "held",
)


class Journal:
    """Of one run. `run_id` is its number, once it has begun."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.run_id = 0

    def begin(
        self, command: str, selection: Selection, started: str, before: Sequence[Result]
    ) -> None:
        """A run has begun, which goes on with those `before` it."""
        plan = asdict(selection)
        if selection.film_ids is not None:
            plan["film_ids"] = sorted(selection.film_ids)
        continues = before[0].run_id if before else None
        with transaction(self._db):
            row = self._db.conn.execute(
                "INSERT INTO runs (command, plan, pid, started_at, continues)"
                " VALUES (?, ?, ?, ?, ?) RETURNING run_id",
                (command, json.dumps(plan), os.getpid(), started, continues),
            ).fetchone()
        self.run_id = int(row[0])
        log.of_run(self.run_id)
        log.write("run", command=command)

    def write_crawl(self, crawled: Crawled) -> None:
        """What a crawl came to so far, within the caller's transaction."""
        counts = [crawled.tally.counts[name] for name in _COUNTS]
        self._db.conn.execute(
            "INSERT OR REPLACE INTO crawls (run_id, source, started_at, seconds,"
            f" {', '.join(_COUNTS)}, outcome, detail, exception, profile)"
            f" VALUES ({', '.join('?' * (len(_COUNTS) + 8))})",
            (
                self.run_id,
                crawled.source,
                crawled.started_at,
                round(crawled.seconds, 2),
                *counts,
                crawled.outcome,
                crawled.detail and redacted(crawled.detail),
                crawled.exception and redacted(crawled.exception),
                json.dumps(crawled.profile) if crawled.profile else None,
            ),
        )

    def log_crawl(self, crawled: Crawled) -> None:
        """A crawl of this stage has ended."""
        log.write(
            "crawled",
            logging.INFO if crawled.outcome == "ok" else logging.WARNING,
            source=crawled.source,
            outcome=crawled.outcome,
            detail=crawled.detail,
            exception=crawled.exception,
            seconds=round(crawled.seconds, 2),
            **{name: crawled.tally.counts[name] for name in _COUNTS},
        )

    def end(
        self,
        crawls: Iterable[Crawled],
        skipped: Mapping[str, str],
        outcome: str,
        exception: str | None,
    ) -> None:
        """The run has ended; `skipped` are the sources that were not asked, with the reason."""
        with transaction(self._db):
            for crawled in crawls:
                self.write_crawl(crawled)
            self._db.conn.executemany(
                "INSERT OR IGNORE INTO crawls (run_id, source, started_at, outcome, detail)"
                " VALUES (?, ?, ?, 'skipped', ?)",
                ((self.run_id, key, clock.now(), why) for key, why in skipped.items()),
            )
            self._db.conn.execute(
                "UPDATE runs SET ended_at = ?, outcome = ?, exception = ? WHERE run_id = ?",
                (clock.now(), outcome, exception and redacted(exception), self.run_id),
            )
        log.write(
            "ran",
            logging.ERROR if exception else logging.INFO,
            outcome=outcome,
            exception=exception,
        )
        log.of_run(None)

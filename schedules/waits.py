"""For how long each source is left alone: its delay since any process last asked it, and for as
long as it asked for itself (Retry-After, a crawl-delay)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction
from schedules.config import Config
from spiders.sources import SOURCES, Source


class Waits:
    """The waits that stand, over all processes that use this database."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self._config = config
        self._free_at: dict[str, float] = {}  # on this process's monotonic clock
        now, tick = datetime.now(UTC), time.monotonic()
        for source in SOURCES:
            for times in db.conn.execute(
                "SELECT asked_at, not_before FROM last_requests WHERE source = ?", (source.key,)
            ):
                asked, back = (
                    (clock.moment(at) - now).total_seconds() if at else 0.0 for at in times
                )
                wait = max(config.delay(source) + min(asked, 0.0), back)
                self._free_at[source.key] = tick + wait

    def seconds(self, source: Source) -> float:
        """Until the source may be asked, 0 or more."""
        return max(0.0, self._free_at.get(source.key, 0.0) - time.monotonic())

    def keep_away(self, source: Source, seconds: float = 0.0) -> None:
        """A source was asked until now, and wants to be left alone for so many seconds more. The
        next process waits as long before it asks it as this one would have. A longer wait that it
        asked for before stands."""
        free_at = time.monotonic() + max(self._config.delay(source), seconds)
        self._free_at[source.key] = max(free_at, self._free_at.get(source.key, free_at))
        at = datetime.now(UTC) + timedelta(seconds=1)  # stamps drop what is left of the second
        back = clock.stamp(at + timedelta(seconds=seconds)) if seconds else None
        with transaction(self._db):
            self._db.conn.execute(
                "INSERT INTO last_requests (source, asked_at, not_before) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at,"
                " not_before = nullif("
                "max(ifnull(not_before, ''), ifnull(excluded.not_before, '')), '')",
                (source.key, clock.stamp(at), back),
            )

"""What a run takes up of one that was killed: only one process holds the lock, so a run without an
end has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from pipelines import clock
from pipelines.crawl_profile import CAME_WHOLE
from pipelines.database import transaction
from schedules.due_listings import write_due
from schedules.lookups import Lookups
from schedules.waits import Waits
from spiders.sources import SOURCES, Source

_KILLED = "FROM runs WHERE ended_at IS NULL AND run_id <> :run_id"


@dataclass(frozen=True)
class Killed:
    """The runs beside `run_id` that have no end, the first of which began at `since`."""

    db: Database
    run_id: int
    since: str

    def films(self, lookups: Lookups, asked_now: Iterable[Source], started: str) -> set[int]:
        """The films of which they wrote down what came of seeking them. Of a list or dataset that
        came whole, that is written down now, as of `started`, and its films are among them."""
        films = lookups.films_sought(self.since)
        whole = self.db.conn.execute(
            "SELECT source FROM crawls WHERE profile LIKE :whole"
            f" AND run_id IN (SELECT run_id {_KILLED})",
            {"whole": CAME_WHOLE, "run_id": self.run_id},
        ).fetchall()
        for source in asked_now:
            if (source.key,) in whole:
                films |= lookups.write(source, started)
        return films

    def write_due(self, rest_hours: float) -> None:
        """Remember when what they asked is due next."""
        asked = [source.key for source in SOURCES if source.listing_ask]
        write_due(self.db, asked, self.since, rest_hours, {}, chosen=False)

    def keep_away(self, waits: Waits, asked_now: Iterable[Source]) -> None:
        """Wait before any source that they may have asked: they did not come to say whom they asked
        when, and their crawls may have asked on for a moment."""
        read = self.db.conn.execute(
            "SELECT DISTINCT source FROM urls WHERE last_asked_at >= ?", (self.since,)
        )
        asked = {row[0] for row in read} | {source.key for source in asked_now}
        for source in SOURCES:
            if source.key in asked:
                waits.keep_away(source)

    def end(self) -> None:
        """Write down that they were killed."""
        with transaction(self.db):
            self.db.conn.execute(
                "UPDATE runs SET ended_at = :at, outcome = 'interrupted',"
                " exception = 'the process was killed'"
                " WHERE ended_at IS NULL AND run_id <> :run_id",
                {"at": clock.now(), "run_id": self.run_id},
            )


def killed(db: Database, run_id: int) -> Killed | None:
    """The runs that were killed before this one, if there are any."""
    since = db.conn.execute(f"SELECT min(started_at) {_KILLED}", {"run_id": run_id}).fetchone()[0]
    return Killed(db, run_id, since) if since else None

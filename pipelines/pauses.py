"""Sources that are not asked for a while: a person has paused them, or they asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from pipelines import clock


@dataclass(frozen=True)
class Pause:
    """Since when, until when (None: until it is resumed), and why, in a person's words."""

    source: str
    paused_at: str
    paused_until: str | None
    why: str | None

    def __str__(self) -> str:
        """The reason for which the source is skipped, and what ends that."""
        end = f"until {self.paused_until}" if self.paused_until else f"since {self.paused_at}"
        why = f" ({self.why})" if self.why else ""
        return f"paused {end}{why}; 'afterscore sources resume {self.source}' ends that"


def pause(db: Database, source: str, at: str, until: str | None, why: str | None) -> None:
    """Pause a source; what was said of an earlier pause is forgotten."""
    db.conn.execute(
        "INSERT OR REPLACE INTO paused_sources VALUES (?, ?, ?, ?)", (source, at, until, why)
    )


def resume(db: Database, source: str) -> bool:
    """End a pause. False where there was none."""
    return bool(db.conn.execute("DELETE FROM paused_sources WHERE source = ?", (source,)).rowcount)


def paused(db: Database, at: str) -> dict[str, Pause]:
    """The pauses that hold at a time, by source."""
    rows = db.conn.execute(
        "SELECT source, paused_at, paused_until, why FROM paused_sources"
        " WHERE paused_until IS NULL OR paused_until > ?",
        (at,),
    )
    return {row[0]: Pause(*row) for row in rows}


def left_alone(db: Database, at: str, patience: float) -> dict[str, str]:
    """The sources that are not to be asked at a time, each with the reason: those paused, and those
    that want to be left alone for more than `patience` seconds from then."""
    away = db.conn.execute(
        "SELECT source, not_before FROM last_requests WHERE not_before > ?",
        (clock.later(at, seconds=patience),),
    )
    waits = {source: f"it asked us to come back after {until}" for source, until in away}
    return waits | {source: str(pause) for source, pause in paused(db, at).items()}

"""What the guard holds back: kept with its reason, while the last good value stands."""

from __future__ import annotations

import json

from sqlite_utils import Database

from pipelines.statements import Row, Statement, Tally, one


def hold(
    db: Database,
    run_id: int | None,
    said: Statement,
    topic: str,
    reason: str,
    standing: Row | None,
    tally: Tally,
) -> None:
    """Hold back what a record says of a topic (a score kind, credits or listing).

    An answer that says the same as one that is held already is counted there.
    """
    record = said.record
    tally.counts["held"] += 1
    tally.notes.append(f"held: {record.source}:{record.source_id} {topic}: {reason}")
    kept = record.model_dump_json(exclude_defaults=True)
    found = one(
        db,
        "SELECT quarantine_id FROM quarantine WHERE listing_id = ? AND topic = ?"
        " AND decision IS NULL AND reason = ?",
        said.listing_id,
        topic,
        reason,
    )
    if found:
        db.conn.execute(
            "UPDATE quarantine SET times_held = times_held + 1, last_held_at = ?, record = ?"
            " WHERE quarantine_id = ?",
            (said.at, kept, found[0]),
        )
        return
    db.conn.execute(
        "INSERT INTO quarantine (run_id, listing_id, topic, reason, record, standing, held_at,"
        " last_held_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        (
            run_id,
            said.listing_id,
            topic,
            reason,
            kept,
            json.dumps(list(standing)) if standing else None,
            said.at,
        ),
    )


def supersede(db: Database, listing_id: int, topic: str, at: str) -> None:
    """An answer that passes settles what was held of the same topic before."""
    db.conn.execute(
        "UPDATE quarantine SET decision = 'superseded', decided_by = 'a later answer',"
        " decided_at = ? WHERE listing_id = ? AND topic = ? AND decision IS NULL",
        (at, listing_id, topic),
    )

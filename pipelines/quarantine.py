"""What the guard holds back: kept with its reason, while the last good value stands.

There is one open row for each listing and topic, and one for each source whose crawl is held.
`release` decides on them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence

from sqlite_utils import Database

from pipelines import clock
from pipelines.guard import RELEASES_ITSELF, Doubt
from pipelines.statements import Row, Statement, Tally, one
from spiders.items import Answer, Record

CRAWL = "crawl"
"""The topic of a row that holds answers of a whole crawl."""

NIGHTS = 3
"""On so many nights a change must be seen before it releases itself: a fault that a site mends
within a weekend never does."""

AT_ONCE = 10
"""Where one rule began to hold so many listings of a source in one night, it is the source that
changed, and none of them releases itself."""

_THE_GUARD = f"the guard: seen on {NIGHTS} nights"


def hold(
    db: Database,
    run_id: int | None,
    said: Statement,
    topic: str,
    doubt: Doubt,
    standing: Row | None,
    tally: Tally,
    same: Callable[[Record], bool],
) -> bool:
    """Hold back what a record says of a topic (a score kind, credits or listing).

    `same` tells whether a record that is held says the same: the answer is then counted there, and
    a person's no to it stands. Otherwise it is a case of its own. False where it is held no longer:
    it was seen on enough nights, and its rule lets it release itself.
    """
    record = said.record
    named = f"{record.source}:{record.source_id} {topic}"
    case = _case(db, said, topic)
    rejected = released = False
    if case is None or not _bears_out(case, doubt, same):
        if case and case[1] is None:
            decide(db, case[0], "superseded", "a later answer", said.at)
        _open(db, run_id, said, topic, doubt, standing)
    else:
        quarantine_id, decision, nights, last_held_at = case[:4]
        nights += clock.night(said.at) != clock.night(last_held_at)
        db.conn.execute(
            "UPDATE quarantine SET times_held = times_held + 1, last_held_at = ?, nights = ?,"
            " reason = ?, record = ? WHERE quarantine_id = ?",
            (said.at, nights, doubt.reason, _kept(record), quarantine_id),
        )
        rejected = decision == "rejected"
        released = not rejected and nights >= NIGHTS and _may_go(db, quarantine_id, doubt)
        if released:
            decide(db, quarantine_id, "released", _THE_GUARD, said.at)
            tally.notes.append(f"released: {named}: {doubt.reason} (seen on {nights} nights)")
    if released:
        return False
    tally.counts["held"] += 1
    if not rejected:
        tally.notes.append(f"held: {named}: {doubt.reason}")
    return True


def supersede(db: Database, listing_id: int, topic: str, at: str) -> None:
    """An answer that passes settles what was held of the same topic before."""
    db.conn.execute(
        "UPDATE quarantine SET decision = 'superseded', decided_by = 'a later answer',"
        " decided_at = ? WHERE listing_id = ? AND topic = ? AND decision IS NULL",
        (at, listing_id, topic),
    )


def decide(db: Database, quarantine_id: int, decision: str, by: str, at: str) -> None:
    """Write a decision down; answers of a crawl that were kept for it are no longer needed."""
    db.conn.execute(
        "UPDATE quarantine SET decision = ?, decided_by = ?, decided_at = ?"
        " WHERE quarantine_id = ?",
        (decision, by, at, quarantine_id),
    )
    db.conn.execute("DELETE FROM held_answers WHERE quarantine_id = ?", (quarantine_id,))


# --- whole crawls ---------------------------------------------------------------------------------


def hold_answers(
    db: Database, run_id: int | None, doubt: Doubt, answers: Sequence[Answer], tally: Tally
) -> None:
    """Keep answers of one source's crawl unstored, in the row of this run or a new one.

    The answers of an earlier night give way: this night's tell the same and more.
    """
    source, at = answers[0].source, answers[-1].asked_at
    records = sum(answer.number_of_records for answer in answers)
    row = one(
        db,
        "SELECT quarantine_id, record FROM quarantine WHERE source = ? AND topic = ?"
        " AND run_id IS ? AND decision IS NULL",
        source,
        CRAWL,
        run_id,
    )
    told = {"answers": len(answers), "records": records}
    if row:
        quarantine_id, before = row[0], json.loads(row[1])
        told = {name: number + before[name] for name, number in told.items()}
        db.conn.execute(
            "UPDATE quarantine SET record = ?, last_held_at = max(last_held_at, ?),"
            " times_held = ? WHERE quarantine_id = ?",
            (json.dumps(told), at, told["answers"], quarantine_id),
        )
    else:
        supersede_crawl(db, source, at)
        quarantine_id = db.conn.execute(
            "INSERT INTO quarantine (run_id, source, topic, rule, reason, record, held_at,"
            " last_held_at, times_held) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " RETURNING quarantine_id",
            (
                run_id,
                source,
                CRAWL,
                doubt.rule.value,
                doubt.reason,
                json.dumps(told),
                min(answer.asked_at for answer in answers),
                at,
                len(answers),
            ),
        ).fetchone()[0]
        tally.notes.append(f"held: {source}: {doubt.reason}")
    db.conn.executemany(
        "INSERT INTO held_answers VALUES (?, ?)",
        (
            (quarantine_id, zlib.compress(answer.model_dump_json(exclude_defaults=True).encode()))
            for answer in answers
        ),
    )


def held_answers(db: Database, quarantine_id: int) -> Iterator[Answer]:
    """The answers of a held crawl, in the order in which they came."""
    rows = db.conn.execute(
        "SELECT answer FROM held_answers WHERE quarantine_id = ? ORDER BY rowid", (quarantine_id,)
    )
    for (packed,) in rows.fetchall():
        yield Answer.model_validate_json(zlib.decompress(packed))


def supersede_crawl(db: Database, source: str, at: str) -> None:
    """A later crawl settles what was held of an earlier one."""
    rows = db.conn.execute(
        "SELECT quarantine_id FROM quarantine WHERE source = ? AND topic = ? AND decision IS NULL",
        (source, CRAWL),
    )
    for (quarantine_id,) in rows.fetchall():
        decide(db, quarantine_id, "superseded", "a later crawl", at)


# --- cases ----------------------------------------------------------------------------------------


def _case(db: Database, said: Statement, topic: str) -> Row | None:
    """The case that an answer may belong to: the open one, else the last that was rejected.

    Saved pages have cases of their own.
    """
    return one(
        db,
        "SELECT quarantine_id, decision, nights, last_held_at, rule, record FROM quarantine"
        " WHERE listing_id = ? AND topic = ? AND (decision IS NULL OR decision = 'rejected')"
        " AND (origin = 'archive') = ? ORDER BY decision IS NOT NULL, quarantine_id DESC LIMIT 1",
        said.listing_id,
        topic,
        said.origin == "archive",
    )


def _bears_out(case: Row, doubt: Doubt, same: Callable[[Record], bool]) -> bool:
    rule, record = case[4:6]
    return rule in (None, doubt.rule.value) and same(Record.model_validate_json(record))


def _open(
    db: Database,
    run_id: int | None,
    said: Statement,
    topic: str,
    doubt: Doubt,
    standing: Row | None,
) -> None:
    db.conn.execute(
        "INSERT INTO quarantine (run_id, listing_id, source, topic, rule, reason, record, standing,"
        " held_at, last_held_at, origin, observed_to, from_list)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12)",
        (
            run_id,
            said.listing_id,
            said.record.source,
            topic,
            doubt.rule.value,
            doubt.reason,
            _kept(said.record),
            json.dumps(list(standing)) if standing else None,
            said.at,
            said.origin,
            said.exact,
            said.from_list,
        ),
    )


def _may_go(db: Database, quarantine_id: int, doubt: Doubt) -> bool:
    """Whether it is safe to release a case unseen: its rule allows it, and it is no mass case."""
    if doubt.rule not in RELEASES_ITSELF:
        return False
    row = one(
        db,
        # Those that are decided meanwhile, too: a person who rejects a few has not said that the
        # others are right.
        "SELECT count(DISTINCT o.listing_id) FROM quarantine q JOIN quarantine o"
        " ON o.source = q.source AND o.rule = q.rule"
        " AND abs(julianday(o.held_at) - julianday(q.held_at)) < 0.5"
        " WHERE q.quarantine_id = ?",
        quarantine_id,
    )
    assert row
    return bool(row[0] < AT_ONCE)


def _kept(record: Record) -> str:
    return record.model_dump_json(exclude_defaults=True)

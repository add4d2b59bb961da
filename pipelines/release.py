"""A person's decision on what the guard holds: let it pass after all, or not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from pipelines.crawl_profile import as_profile, counts_of_answers, with_released
from pipelines.guard import Rule
from pipelines.problem import Problem
from pipelines.quarantine import CRAWL, decide, held_answers
from pipelines.statements import Statement, Tally
from pipelines.store import Store
from spiders.items import Answer, Record


@dataclass(frozen=True)
class Case:
    """One open row of `quarantine`. `named` is the listing, or the source of a crawl."""

    quarantine_id: int
    topic: str
    rule: str | None
    named: str
    reason: str


class NotHeld(Problem):
    """There is no such open case; the message names it."""


class CannotRelease(Exception):
    """A case that no decision makes right; the message says why."""


_OPEN = """
SELECT q.quarantine_id, q.topic, q.rule, q.source || ifnull(':' || l.source_id, ''), q.reason
FROM quarantine q LEFT JOIN listings l USING (listing_id)
WHERE q.decision IS NULL AND {}
ORDER BY q.quarantine_id
"""


def cases(
    db: Database,
    numbers: Iterable[int] = (),
    source: str | None = None,
    run_id: int | None = None,
) -> list[Case]:
    """The open cases of these numbers; or of a source, a run, or both. Raises NotHeld."""
    if numbers:
        return [_case(db, number) for number in dict.fromkeys(numbers)]
    rows = db.conn.execute(
        _OPEN.format("(?1 IS NULL OR q.source = ?1) AND (?2 IS NULL OR q.run_id = ?2)"),
        (source, run_id),
    )
    return [Case(*row) for row in rows]


def reject(db: Database, case: Case, by: str, at: str) -> None:
    """What stands goes on standing, and the same answer of one film is not held up to a person
    again; a crawl is judged anew each night."""
    decide(db, case.quarantine_id, "rejected", by, at)


def release(db: Database, store: Store, case: Case, by: str, at: str) -> Tally:
    """Store what was held, as of when it was said; tells what it changed. Raises CannotRelease.

    All that a released crawl said is stored unguarded, but for pages that have been asked again
    since; and the source's past begins with it.
    """
    if case.rule == Rule.OUT_OF_SCALE:
        raise CannotRelease("no decision puts it in scale; reject it, or wait for a better answer")
    tally = Tally()
    if case.topic == CRAWL:
        _release_crawl(db, store, case.quarantine_id, tally)
    else:
        store.release_record(_statement(db, case.quarantine_id), case.topic, tally)
    decide(db, case.quarantine_id, "released", by, at)
    return tally


def _case(db: Database, number: int) -> Case:
    row = db.conn.execute(_OPEN.format("q.quarantine_id = ?"), (number,)).fetchone()
    if row is None:
        raise NotHeld(f"nothing is held under the number {number} ('afterscore quarantine list')")
    return Case(*row)


def _statement(db: Database, number: int) -> Statement:
    row = db.conn.execute(
        "SELECT listing_id, record, origin, last_held_at, observed_to, from_list FROM quarantine"
        " WHERE quarantine_id = ?",
        (number,),
    ).fetchone()
    listing_id, record, origin, at, exact, from_list = row
    held = Record.model_validate_json(record)
    return Statement(listing_id, held, origin, at, exact, bool(from_list))


def _release_crawl(db: Database, store: Store, number: int, tally: Tally) -> None:
    answers = [answer for answer in held_answers(db, number) if not _asked_since(db, answer)]
    for answer in answers:
        store.release(answer, tally)
    db.conn.executemany(
        "INSERT OR IGNORE INTO released_listings VALUES (?, ?)",
        ((listing_id, number) for listing_id in sorted(tally.touched)),
    )
    _write_profile(db, number, answers)


def _asked_since(db: Database, answer: Answer) -> bool:
    row = db.conn.execute(
        "SELECT 1 FROM urls WHERE url = ? AND last_asked_at > ? AND last_outcome = 'ok'",
        (answer.asked_url, answer.asked_at),
    ).fetchone()
    return row is not None


def _write_profile(db: Database, number: int, answers: Sequence[Answer]) -> None:
    """What was held of a crawl is part of its profile from now on."""
    crawl = "(run_id, source) = (SELECT run_id, source FROM quarantine WHERE quarantine_id = ?)"
    profiles = db.conn.execute(f"SELECT profile FROM crawls WHERE {crawl}", (number,)).fetchall()
    stands = {
        target: Counter(counts)
        for (text,) in profiles
        for target, counts in json.loads(text or "{}").items()
    }
    targets = dict.fromkeys(answer.target for answer in answers)
    released = {
        target: as_profile(counts_of_answers([a for a in answers if a.target == target]))
        for target in targets
    }
    profile = stands | {
        target: with_released(stands.get(target, Counter()), counts)
        for target, counts in released.items()
    }
    db.conn.execute(f"UPDATE crawls SET profile = ? WHERE {crawl}", (json.dumps(profile), number))

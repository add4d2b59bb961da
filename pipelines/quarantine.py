"""What the guard holds back: kept with its reason, while the last good value stands.

There is one open row for each listing and topic, and one for each source whose crawl is held.
`release` decides on them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import takewhile
from typing import Any, NamedTuple

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import first_row
from pipelines.guard import RELEASES_ITSELF, Doubt, Rule
from pipelines.statements import Statement, Tally
from spiders.items import Answer, Record

CRAWL = "crawl"
"""The topic of a row that holds answers of a whole crawl."""

NIGHTS = 3
"""On so many nights a change must be seen before it releases itself: a fault that a site mends
within a weekend never does."""

AT_ONCE = 10
"""Where one rule began to hold so many listings of a source in one night, it is the source that
changed, and none of them releases itself."""

_SAME_NIGHT = 12
"""Hours within which cases began in the same night."""

_THE_GUARD = f"the guard: seen on {NIGHTS} nights"
_ANOTHER_RULE = "the same answer, by another rule"


class Doubted(NamedTuple):
    """What the guard doubts: what a record says of a topic (a score kind, credits or listing), why,
    and what stands of it, by the names of its columns.

    `same` tells whether another record says the same of the topic.
    """

    said: Statement
    topic: str
    doubt: Doubt
    standing: Mapping[str, Any] | None
    same: Callable[[Record], bool]


def hold(db: Database, run_id: int | None, doubted: Doubted, tally: Tally) -> bool:
    """Hold back what is doubted.

    Where the same is held, the answer is counted there, and a person's no to it stands. Otherwise
    it is a case of its own. False where it is held no longer: it was seen on enough nights, every
    rule that held it lets it release itself, and nobody has ever said no to it.
    """
    said, doubt, record = doubted.said, doubted.doubt, doubted.said.record
    named = f"{record.source}:{record.source_id} {doubted.topic}"
    case = _case(db, doubted)
    if case is None or not _bears_out(case, doubted):
        quarantine_id, decision, nights = _open_next(db, run_id, doubted, case)
    else:
        quarantine_id, decision, nights = case.quarantine_id, case.decision, case.nights_with(said)
        db.conn.execute(
            "UPDATE quarantine SET times_held = times_held + 1, last_held_at = ?, nights = ?,"
            " reason = ?, record = ? WHERE quarantine_id = ?",
            (said.at, nights, doubt.reason, _kept(record), quarantine_id),
        )
    rejected = decision == "rejected"
    if (
        not rejected
        and nights >= NIGHTS
        and _may_go(db, quarantine_id, doubt, said.at)
        and not _was_rejected(db, doubted)
    ):
        decide(db, quarantine_id, "released", _THE_GUARD, said.at)
        tally.notes.append(f"released: {named}: {doubt.reason} (seen on {nights} nights)")
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
    row = first_row(
        db,
        "SELECT quarantine_id, record FROM quarantine WHERE source = ? AND topic = ?"
        " AND run_id IS ? AND decision IS NULL",
        source,
        CRAWL,
        run_id,
    )
    numbers = {"answers": len(answers), "records": records}
    if row:
        quarantine_id, before = row[0], json.loads(row[1])
        numbers = {name: number + before[name] for name, number in numbers.items()}
        db.conn.execute(
            "UPDATE quarantine SET record = ?, last_held_at = max(last_held_at, ?),"
            " times_held = ? WHERE quarantine_id = ?",
            (json.dumps(numbers), at, numbers["answers"], quarantine_id),
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
                json.dumps(numbers),
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


class _Case(NamedTuple):
    """A case that an answer may belong to, as `quarantine` has it."""

    quarantine_id: int
    decision: str | None
    nights: int
    last_held_at: str
    rule: str | None
    record: str
    decided_by: str | None
    held_at: str

    def nights_with(self, said: Statement) -> int:
        """On how many nights it was seen, with this answer."""
        return self.nights + (clock.night(said.at) != clock.night(self.last_held_at))


def _case(db: Database, doubted: Doubted) -> _Case | None:
    """The case that an answer may belong to: the open one, else the last that was rejected.

    Saved pages have cases of their own.
    """
    row = first_row(
        db,
        f"SELECT {', '.join(_Case._fields)} FROM quarantine"
        " WHERE listing_id = ? AND topic = ? AND (decision IS NULL OR decision = 'rejected')"
        " AND (origin = 'archive') = ? ORDER BY decision IS NOT NULL, quarantine_id DESC LIMIT 1",
        *_of_whom(doubted),
    )
    return _Case(*row) if row else None


def _of_whom(doubted: Doubted) -> tuple[int, str, bool]:
    """The listing and topic of which something is doubted, and whether a saved page says it."""
    said = doubted.said
    return said.listing_id, doubted.topic, said.origin == "archive"


def _bears_out(case: _Case, doubted: Doubted) -> bool:
    of_the_rule = case.rule in (None, doubted.doubt.rule.value)
    return of_the_rule and doubted.same(Record.model_validate_json(case.record))


def _open_next(
    db: Database, run_id: int | None, doubted: Doubted, case: _Case | None
) -> tuple[int, str | None, int]:
    """Open a case after another one of its topic, if there is one; gives its number, what is
    decided of it, and its nights.

    What another rule held may be the same: both rules must let it release itself. Then a person's
    no to it stands, and its nights count, unless so many began with it that it was the source that
    changed, or nobody can tell yet. It is a case of its own all the same: how many one rule began
    to hold in one night must be known.
    """
    if case is None:
        return _open(db, run_id, doubted, 1), None, 1
    said = doubted.said
    held = Record.model_validate_json(case.record)
    alike = {case.rule, doubted.doubt.rule} <= RELEASES_ITSELF and doubted.same(held)
    if case.decision is not None:
        number = _open(db, run_id, doubted, 1)
        if not alike:
            return number, None, 1
        decide(db, number, case.decision, str(case.decided_by), said.at)
        return number, case.decision, 1
    goes_on = (
        alike
        and clock.later(case.held_at, hours=_SAME_NIGHT) < said.at
        and _began_with(db, case.quarantine_id, RELEASES_ITSELF) < AT_ONCE
    )
    why = _ANOTHER_RULE if goes_on else "a later answer"
    decide(db, case.quarantine_id, "superseded", why, said.at)
    nights = case.nights_with(said) if goes_on else 1
    return _open(db, run_id, doubted, nights), None, nights


def _open(db: Database, run_id: int | None, doubted: Doubted, nights: int) -> int:
    said, topic, doubt, standing, _ = doubted
    row = first_row(
        db,
        "INSERT INTO quarantine (run_id, listing_id, source, topic, rule, reason, record, standing,"
        " held_at, last_held_at, origin, observed_to, from_list, nights)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13)"
        " RETURNING quarantine_id",
        run_id,
        said.listing_id,
        said.record.source,
        topic,
        doubt.rule.value,
        doubt.reason,
        _kept(said.record),
        json.dumps(standing) if standing else None,
        said.at,
        said.origin,
        said.exact,
        said.from_list,
        nights,
    )
    assert row
    return int(row[0])


def _may_go(db: Database, quarantine_id: int, doubt: Doubt, at: str) -> bool:
    """Whether it is safe to release a case unseen: its rule allows it, and it is no mass case.

    Of a rule that is new to the case nobody can tell yet. Where rules held the same in turn, cases
    of all that release themselves are counted together.
    """
    if doubt.rule not in RELEASES_ITSELF:
        return False
    in_turn = _in_turn(db, quarantine_id)
    began = min(held_at for rule, held_at in in_turn if rule in (None, doubt.rule.value))
    if at <= clock.later(began, hours=_SAME_NIGHT):
        return False
    rules = RELEASES_ITSELF if len(in_turn) > 1 else {doubt.rule}
    return _began_with(db, quarantine_id, rules) < AT_ONCE


def _was_rejected(db: Database, doubted: Doubted) -> bool:
    """Whether a person said no to the same before: something else was held in between, and by
    itself it is not let go."""
    records = db.conn.execute(
        "SELECT record FROM quarantine WHERE listing_id = ? AND topic = ?"
        " AND decision = 'rejected' AND (origin = 'archive') = ?",
        _of_whom(doubted),
    )
    return any(doubted.same(Record.model_validate_json(record)) for (record,) in records)


def _in_turn(db: Database, quarantine_id: int) -> list[tuple[str | None, str]]:
    """Of a case and of those before it that held the same, by another rule each: the rule, and
    since when."""
    rows = db.conn.execute(
        "SELECT o.rule, o.held_at, o.decided_by FROM quarantine q"
        " JOIN quarantine o USING (listing_id, topic) WHERE q.quarantine_id = ?1"
        " AND o.quarantine_id <= ?1 AND (o.origin = 'archive') = (q.origin = 'archive')"
        " ORDER BY o.quarantine_id DESC",
        (quarantine_id,),
    ).fetchall()
    before = takewhile(lambda row: row[2] == _ANOTHER_RULE, rows[1:])
    return [(rule, held_at) for rule, held_at, _ in (rows[0], *before)]


def _began_with(db: Database, quarantine_id: int, rules: Set[Rule]) -> int:
    """Listings of a case's source that these rules began to hold in the same night, its own
    included; counted up to `AT_ONCE`."""
    began = first_row(
        db, "SELECT source, held_at FROM quarantine WHERE quarantine_id = ?", quarantine_id
    )
    assert began
    source, held_at = began
    row = first_row(
        db,
        # Those that are decided meanwhile, too: a person who rejects a few has not said that the
        # others are right.
        "SELECT count(*) FROM (SELECT DISTINCT listing_id FROM quarantine WHERE source = ?"
        " AND rule IN (SELECT value FROM json_each(?)) AND held_at > ? AND held_at < ? LIMIT ?)",
        source,
        json.dumps(sorted(rules)),
        clock.later(held_at, hours=-_SAME_NIGHT),
        clock.later(held_at, hours=_SAME_NIGHT),
        AT_ONCE,
    )
    assert row
    return int(row[0])


def _kept(record: Record) -> str:
    return record.model_dump_json(exclude_defaults=True)

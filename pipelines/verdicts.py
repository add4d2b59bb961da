"""Credits verdicts: what each listing says of scenes in the credits, append-only as scores are.

What is said again is written only where a saved page said otherwise in between: of both places, for
that is what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlite_utils import Database

from pipelines import guard
from pipelines.confirmations import confirm
from pipelines.database import first_row
from pipelines.quarantine import Doubted, hold, supersede
from pipelines.statements import Change, Statement, Tally
from spiders.items import Credits, Record, Verdict


class Said(NamedTuple):
    """What a listing says of the credits, as the table has it; `extras` are JSON."""

    during: str
    after: str
    scene_count: int | None
    extras: str
    worth_staying: int | None
    worth_staying_votes: int | None

    @classmethod
    def of(cls, verdict: Credits) -> Said:
        """What an item says."""
        return cls(
            verdict.during.value,
            verdict.after.value,
            verdict.scene_count,
            json.dumps(sorted(verdict.extras)),
            verdict.worth_staying,
            verdict.worth_staying_votes,
        )

    @property
    def places(self) -> tuple[str, str]:
        """During and after the credits."""
        return self.during, self.after

    def verdict(self) -> Credits:
        """The same as an item."""
        return Credits(**{**self._asdict(), "extras": json.loads(self.extras)})


@dataclass(frozen=True)
class Answered:
    """What was answered, when, and where it stood: origin, layout, URL."""

    said: Said
    at: str
    where: tuple[str, str | None, str | None]


_SAID = ", ".join(Said._fields)


def store_verdict(db: Database, run_id: int | None, said: Statement, tally: Tally) -> None:
    """Store what a record says of the credits, or hold it back where something speaks against
    it."""
    verdict = said.record.credits
    assert verdict is not None
    before = _answered(db, said.listing_id)
    if said.from_list and before:
        verdict = _fill(verdict, before.said.verdict())
    now = Said.of(verdict)
    if said.released and before:
        seen_at = _seen_at(db, said.listing_id, before)
        if said.at < seen_at:
            _late(db, said, now, before, seen_at)
            return
    live = said.origin != "archive"
    if live:
        unchanged = before is not None and before.said == now
        why = None
        if not (said.released or unchanged or said.another_film):
            why = guard.doubt_verdict(verdict, before.said.verdict() if before else None)
        if why:
            standing = before.said._asdict() if before else None
            doubted = Doubted(said, "credits", why, standing, _says(said.record))
            if hold(db, run_id, doubted, tally):
                return
        if before:
            _written_again(db, said.listing_id, before, said.at if unchanged else None)
        supersede(db, said.listing_id, "credits", said.at)
        confirm(db, said, "credits", tally)
        if unchanged:
            return
    _write(db, said, now)
    # To hear for the first time that a listing does not know is no change.
    if live and now.places != (before.said.places if before else ("unknown", "unknown")):
        was = _in_words(before.said) if before else None
        tally.change(Change(said.listing_id, "credits", was, _in_words(now)))


def say_again(db: Database, listing_id: int, at: str) -> None:
    """A 304 says again what the last full answer said."""
    before = _answered(db, listing_id)
    if before:
        _written_again(db, listing_id, before, at)


def _answered(db: Database, listing_id: int) -> Answered | None:
    """What was last answered."""
    row = first_row(
        db,
        f"SELECT {_SAID}, observed_at, origin, layout, url FROM credits_verdicts"
        " WHERE listing_id = ? AND origin <> 'archive'"
        " ORDER BY observed_at DESC, rowid DESC LIMIT 1",
        listing_id,
    )
    if row is None:
        return None
    *told, at, origin, layout, url = row
    return Answered(Said(*told), at, (origin, layout, url))


def _written_again(db: Database, listing_id: int, before: Answered, at: str | None) -> None:
    """Write what was answered before as of when it was last seen again, and as of now (`at`) where
    it is said again now: each time only where a saved page said otherwise since it was written."""
    since = before.at
    saved = "FROM credits_verdicts WHERE listing_id = ? AND origin = 'archive' AND observed_at >= ?"
    if first_row(db, f"SELECT 1 {saved}", listing_id, since) is None:  # as of nearly all
        return
    for again in (_seen_at(db, listing_id, before), at):
        page = again and first_row(
            db,
            f"SELECT during, after {saved} AND observed_at < ?"
            " ORDER BY observed_at DESC, during DESC, after DESC LIMIT 1",
            listing_id,
            since,
            again,
        )
        if again and page and tuple(page) != before.said.places:
            _insert(db, listing_id, again, "second", *before.said, *before.where)
            since = again


def _late(db: Database, said: Statement, now: Said, before: Answered, seen_at: str) -> None:
    """A person let pass what was said before the site last said what stands: that goes on standing,
    and this is history."""
    within = before.at < said.at
    if within and before.said == now:
        return
    _write(db, said, now)
    if within:  # what stands was said before and after, and written once
        _insert(db, said.listing_id, seen_at, "second", *before.said, *before.where)


def _seen_at(db: Database, listing_id: int, before: Answered) -> str:
    """When the last answer was last seen to be so."""
    confirmed = first_row(
        db,
        "SELECT confirmed_at FROM confirmations WHERE listing_id = ? AND topic = 'credits'",
        listing_id,
    )
    return max(before.at, str(confirmed[0]) if confirmed else "")


def _write(db: Database, said: Statement, now: Said) -> None:
    """Write what a statement says."""
    where = (said.origin, said.record.layout, said.record.url)
    _insert(db, said.listing_id, said.at, said.exact, *now, *where)


def _insert(db: Database, *row: Any) -> None:
    """Write a verdict, once. Of two pages that say the same at one time, the one with the lesser
    URL is named."""
    db.conn.execute(
        f"INSERT INTO credits_verdicts (listing_id, observed_at, observed_to, {_SAID},"
        " origin, layout, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET observed_to = excluded.observed_to, worth_staying_votes ="
        " excluded.worth_staying_votes, layout = excluded.layout, url = excluded.url"
        " WHERE (ifnull(excluded.url, ''), ifnull(excluded.layout, ''), excluded.observed_to,"
        " ifnull(excluded.worth_staying_votes, -1)) < (ifnull(url, ''), ifnull(layout, ''),"
        " observed_to, ifnull(worth_staying_votes, -1))",
        row,
    )


def _says(record: Record) -> Callable[[Record], bool]:
    """Whether another record says the same of both places."""

    def places(said: Record) -> tuple[Verdict, Verdict] | None:
        return (said.credits.during, said.credits.after) if said.credits else None

    return lambda other: places(other) == places(record)


def _in_words(said: Said) -> str:
    return f"during {said.during}, after {said.after}"


def _fill(said: Credits, before: Credits) -> Credits:
    """A list shows one place only: what it leaves unknown of the other goes on standing."""
    votes = said if said.worth_staying is not None else before
    return Credits(
        during=said.during if said.during is not Verdict.UNKNOWN else before.during,
        after=said.after if said.after is not Verdict.UNKNOWN else before.after,
        scene_count=said.scene_count if said.scene_count is not None else before.scene_count,
        extras=tuple(sorted({*said.extras, *before.extras})),
        worth_staying=votes.worth_staying,
        worth_staying_votes=votes.worth_staying_votes,
    )

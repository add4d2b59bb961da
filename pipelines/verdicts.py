"""Credits verdicts: what each listing says of scenes in the credits, append-only as scores are.

What is said again is written only where a saved page said otherwise in between: of both places, for
that is what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlite_utils import Database

from pipelines import guard
from pipelines.confirmations import confirm
from pipelines.quarantine import Doubted, hold, supersede
from pipelines.statements import Change, Row, Statement, Tally, one
from spiders.items import Credits, Record, Verdict

_SAID = "during, after, scene_count, extras, worth_staying, worth_staying_votes"


def store_verdict(db: Database, run_id: int | None, said: Statement, tally: Tally) -> None:
    """Store what a record says of the credits, or hold it back where something speaks against
    it."""
    verdict = said.record.credits
    assert verdict is not None
    before = _answered(db, said.listing_id)
    if said.from_list and before:
        verdict = _fill(verdict, before)
    now = (
        verdict.during.value,
        verdict.after.value,
        verdict.scene_count,
        json.dumps(sorted(verdict.extras)),
        verdict.worth_staying,
        verdict.worth_staying_votes,
    )
    if said.released and before:
        seen_at = _seen_at(db, said.listing_id, before)
        if said.at < seen_at:
            _late(db, said, now, before, seen_at)
            return
    live = said.origin != "archive"
    if live:
        unchanged = before is not None and tuple(before[:6]) == now
        why = None
        if not (said.released or unchanged or said.another_film):
            why = guard.doubt_verdict(verdict, _verdict(before))
        if why:
            standing = dict(zip(_SAID.split(", "), before, strict=False)) if before else None
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
    places_before = tuple(before[:2]) if before else ("unknown", "unknown")
    if live and places_before != now[:2]:
        was = f"during {before[0]}, after {before[1]}" if before else None
        tally.change(Change(said.listing_id, "credits", was, f"during {now[0]}, after {now[1]}"))


def say_again(db: Database, listing_id: int, at: str) -> None:
    """A 304 says again what the last full answer said."""
    before = _answered(db, listing_id)
    if before:
        _written_again(db, listing_id, before, at)


def _answered(db: Database, listing_id: int) -> Row | None:
    """What was last answered: what it says, when, and where it stood."""
    return one(
        db,
        f"SELECT {_SAID}, observed_at, origin, layout, url FROM credits_verdicts"
        " WHERE listing_id = ? AND origin <> 'archive'"
        " ORDER BY observed_at DESC, rowid DESC LIMIT 1",
        listing_id,
    )


def _written_again(db: Database, listing_id: int, before: Row, at: str | None) -> None:
    """Write what was answered before as of when it was last seen again, and as of now (`at`) where
    it is said again now: each time only where a saved page said otherwise since it was written."""
    since = str(before[6])
    saved = "FROM credits_verdicts WHERE listing_id = ? AND origin = 'archive' AND observed_at >= ?"
    if one(db, f"SELECT 1 {saved}", listing_id, since) is None:  # as of nearly all
        return
    for again in (_seen_at(db, listing_id, before), at):
        page = again and one(
            db,
            f"SELECT during, after {saved} AND observed_at < ?"
            " ORDER BY observed_at DESC, during DESC, after DESC LIMIT 1",
            listing_id,
            since,
            again,
        )
        if again and page and tuple(page) != tuple(before[:2]):
            _insert(db, listing_id, again, "second", *before[:6], *before[7:])
            since = again


def _late(db: Database, said: Statement, now: Row, before: Row, seen_at: str) -> None:
    """A person let pass what was said before the site last said what stands: that goes on standing,
    and this is history."""
    within = before[6] < said.at
    if within and tuple(before[:6]) == now:
        return
    _write(db, said, now)
    if within:  # what stands was said before and after, and written once
        _insert(db, said.listing_id, seen_at, "second", *before[:6], *before[7:])


def _seen_at(db: Database, listing_id: int, before: Row) -> str:
    """When the last answer was last seen to be so."""
    confirmed = one(
        db,
        "SELECT confirmed_at FROM confirmations WHERE listing_id = ? AND topic = 'credits'",
        listing_id,
    )
    return max(str(before[6]), str(confirmed[0]) if confirmed else "")


def _write(db: Database, said: Statement, row: Row) -> None:
    """Write what a statement says."""
    where = (said.origin, said.record.layout, said.record.url)
    _insert(db, said.listing_id, said.at, said.exact, *row, *where)


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


def _verdict(row: Row | None) -> Credits | None:
    if row is None:
        return None
    return Credits(
        during=row[0],
        after=row[1],
        scene_count=row[2],
        extras=tuple(json.loads(row[3])),
        worth_staying=row[4],
        worth_staying_votes=row[5],
    )


def _fill(said: Credits, before: Row) -> Credits:
    """A list shows one place only: what it leaves unknown of the other goes on standing."""
    votes = said.worth_staying is not None
    return Credits(
        during=said.during if said.during.value != "unknown" else before[0],
        after=said.after if said.after.value != "unknown" else before[1],
        scene_count=said.scene_count if said.scene_count is not None else before[2],
        extras=tuple(sorted({*said.extras, *json.loads(before[3])})),
        worth_staying=said.worth_staying if votes else before[4],
        worth_staying_votes=said.worth_staying_votes if votes else before[5],
    )

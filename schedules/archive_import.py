"""Saved pages, into the history of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction
from pipelines.statements import Tally
from pipelines.store import Store
from pipelines.up_to_date import bring_up_to_date
from schedules.archive import Saved
from spiders.items import Answer, Outcome, Record
from spiders.pages.reading import reader_versions
from spiders.sources import by_key

_AT_ONCE = 200
"""Pages that are stored in one transaction."""


def store_saved(db: Database, pages: Iterable[Saved]) -> Tally:
    """Read saved pages into the history, with their capture dates; in batches, safe to repeat.

    A page without a capture date is not stored: nobody could say how old its figures are. Those
    that are older than their source lets us keep what it says are counted as `lapsed`.
    """
    tally = Tally()
    store = Store(db, None, reader_versions())
    batch: list[tuple[Answer, str]] = []

    def flush() -> None:
        with transaction(db):
            for answer, exact in batch:
                store.answer(answer, tally, "archive", exact)
        batch.clear()

    for page in pages:
        place = page.place or f"{page.file}: {page.url}"
        if not page.captured_on:
            tally.notes.append(f"{place}: captured_on is not there, so it is not stored")
            continue
        try:
            at, exact = clock.captured(page.captured_on)
        except ValueError as fault:
            tally.notes.append(f"{place}: captured_on: {fault}")
            continue
        days = by_key(page.source).keep_days
        tally.counts["lapsed"] += days is not None and at < clock.later(clock.now(), days=-days)
        records = page.records()
        batch.append((_answer(page, at, records), exact))
        if records and records[0].outcome not in (Outcome.OK, Outcome.NOT_A_FILM):
            failure = f"{records[0].outcome.value} ({records[0].detail})"
            tally.notes.append(f"{place}: {failure}")
        if len(batch) >= _AT_ONCE:
            flush()
    flush()
    bring_up_to_date(db, tally.touched)
    return tally


def _answer(page: Saved, at: str, records: Sequence[Record]) -> Answer:
    return Answer(
        source=page.source,
        target="archive",
        asked_url=page.url,
        url=page.url,
        asked_at=at,
        outcome=records[0].outcome if records else Outcome.OK,
        http_status=page.status,
        records=tuple(records),
    )

"""Store one answer: what it said and what we know of its URL, in the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlite_utils import Database

from pipelines.confirmations import confirm_dataset, confirm_unchanged
from pipelines.listings import (
    doubt_identity,
    listing_number,
    store_facts,
    store_identifiers,
    store_parts,
)
from pipelines.quarantine import hold, supersede
from pipelines.scores import stand_on_answers, store_score
from pipelines.statements import Origin, Statement, Tally, one
from pipelines.verdicts import store_verdict
from spiders.items import Answer, Outcome, Record

GONE_AFTER_RUNS = 3

_COUNTED_AS = {
    Outcome.OK: "fetched",
    Outcome.NOT_A_FILM: "fetched",
    Outcome.BLOCKED: "blocked",
    Outcome.RATE_LIMITED: "blocked",
    Outcome.UNAUTHORISED: "blocked",
    Outcome.NOT_FOUND: "not_found",
    Outcome.UNREADABLE: "unreadable",
    Outcome.ERROR: "failed",
}


class Store:
    """The writer's hand: stores answers within the transaction that the caller holds.

    `reader_versions` are the digests of the readers in force, by source.
    """

    def __init__(
        self, db: Database, run_id: int | None, reader_versions: Mapping[str, str]
    ) -> None:
        self._db = db
        self._run = run_id
        self._versions = reader_versions
        self._in_dataset: dict[str, set[int]] = {}

    def answer(
        self, answer: Answer, tally: Tally, origin: Origin = "live", exact: str = "second"
    ) -> None:
        """Store an answer. `exact` says how exact the time of an archived page is."""
        if answer.target == "dataset":
            origin = "dataset"
        if answer.complete:
            tally.counts["asked"] += 1
            tally.counts["unchanged" if answer.unchanged else _COUNTED_AS[answer.outcome]] += 1
        held_before = tally.counts["held"]
        if answer.unchanged:
            self._unchanged(answer)
        else:
            same = origin != "archive" and self._seen(answer)
            for record in answer.records:
                self._record(record, answer, origin, exact, tally, same)
        if origin == "archive":
            return
        listing_id = self._asked_listing(answer)
        if listing_id is not None:
            self._attempted(listing_id, answer)
            tally.touched.add(listing_id)
        if answer.target in ("listing", "list", "dataset"):
            self._url(answer, listing_id, in_full=tally.counts["held"] == held_before)
        if origin == "dataset" and answer.complete and answer.outcome is Outcome.OK:
            seen = None if answer.unchanged else self._in_dataset.pop(answer.source, set())
            confirm_dataset(self._db, answer.source, answer.asked_at, seen)

    def _record(
        self,
        record: Record,
        answer: Answer,
        origin: Origin,
        exact: str,
        tally: Tally,
        same: bool,
    ) -> None:
        if record.outcome not in (Outcome.OK, Outcome.NOT_A_FILM) or record.source_id is None:
            return
        at, asked = answer.asked_at, answer.asked_source_id
        elsewhere = asked is not None and asked != record.source_id
        # Another film's page under the very URL that we asked, where no redirect explains it.
        foreign = elsewhere and record.outcome is Outcome.OK and answer.url == answer.asked_url
        about = str(asked) if foreign else record.source_id
        number = listing_number(self._db, record.source, about, at)
        said = Statement(number, record, origin, at, exact, answer.target == "list")
        tally.touched.add(number)
        if origin == "dataset":
            self._in_dataset.setdefault(answer.source, set()).add(number)
        if record.outcome is Outcome.NOT_A_FILM:
            store_facts(self._db, said)
            return
        why: str | None
        if foreign:
            why = f"asked for {asked}, the page is of {record.source_id}"
        else:
            why = doubt_identity(self._db, said)
        if why:
            self._hold_page(said, answer, why, tally)
            return
        if origin != "archive":
            supersede(self._db, number, "listing", at)
        if not same:
            store_facts(self._db, said)
            store_parts(self._db, said)
            store_identifiers(self._db, said, asked if elsewhere else None)
        for kind, score in record.scores.items():
            store_score(self._db, self._run, said, kind, score, tally)
        if record.credits is not None:
            store_verdict(self._db, self._run, said, tally)
        tally.counts["stored"] += 1

    def _hold_page(self, said: Statement, answer: Answer, why: str, tally: Tally) -> None:
        """Hold back a page that seems to show another film, as an answer of the listing asked."""
        asked = self._asked_listing(answer) or said.listing_id
        hold(self._db, self._run, replace(said, listing_id=asked), "listing", why, None, tally)
        if said.origin != "archive":
            self._db.conn.execute(
                "UPDATE scores SET last_attempt_state = 'held', last_attempt_at = ?"
                " WHERE listing_id = ?",
                (said.at, asked),
            )

    def _unchanged(self, answer: Answer) -> None:
        """A 304 says again what the last full answer of this URL said of its listing."""
        row = one(self._db, "SELECT listing_id FROM urls WHERE url = ?", answer.asked_url)
        if row and row[0] is not None:
            stand_on_answers(self._db, row[0])
            confirm_unchanged(self._db, row[0], answer.asked_at)

    def _asked_listing(self, answer: Answer) -> int | None:
        if answer.target != "listing" or answer.asked_source_id is None:
            return None
        return listing_number(self._db, answer.source, answer.asked_source_id, answer.asked_at)

    def _attempted(self, listing_id: int, answer: Answer) -> None:
        """What an answer means for its listing, beyond what its records say."""
        run, at = self._db.conn.execute, answer.asked_at
        if answer.outcome is Outcome.NOT_FOUND:
            run(
                "UPDATE listings SET not_found_runs = not_found_runs + 1, gone_at ="
                " CASE WHEN not_found_runs + 1 >= ? THEN ifnull(gone_at, ?) END"
                " WHERE listing_id = ?",
                (GONE_AFTER_RUNS, at, listing_id),
            )
        elif answer.outcome is Outcome.OK:
            run(
                "UPDATE listings SET not_found_runs = 0, gone_at = NULL"
                " WHERE listing_id = ? AND not_found_runs > 0",
                (listing_id,),
            )
        if answer.outcome is not Outcome.OK:
            run(
                "UPDATE scores SET last_attempt_state = ?, last_attempt_at = ?"
                " WHERE listing_id = ?",
                (answer.outcome.value, at, listing_id),
            )

    def _seen(self, answer: Answer) -> bool:
        """Whether today's reader has read this very content of this URL before."""
        row = one(
            self._db,
            "SELECT records_hash, reader_version FROM urls WHERE url = ?",
            answer.asked_url,
        )
        return row is not None and tuple(row) == (
            _digest(answer.records),
            self._versions.get(answer.source),
        )

    def _url(self, answer: Answer, listing_id: int | None, *, in_full: bool) -> None:
        """Validators are kept only for answers stored in full: a 304 must not confirm a failure."""
        if answer.unchanged:
            self._db.conn.execute(
                "UPDATE urls SET last_outcome = 'ok', last_status = 304, last_asked_at = ?,"
                " failures = 0, etag = ifnull(?, etag), last_modified = ifnull(?, last_modified)"
                " WHERE url = ?",
                (answer.asked_at, answer.etag, answer.last_modified, answer.asked_url),
            )
            return
        kept = answer.outcome is Outcome.OK and in_full and answer.complete
        failed = answer.outcome not in (Outcome.OK, Outcome.NOT_A_FILM)
        self._db.conn.execute(
            "INSERT INTO urls (url, source, listing_id, etag, last_modified, records_hash,"
            " reader_version, last_outcome, last_status, last_asked_at, failures)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " listing_id = excluded.listing_id, etag = excluded.etag,"
            " last_modified = excluded.last_modified, records_hash = excluded.records_hash,"
            " reader_version = excluded.reader_version, last_outcome = excluded.last_outcome,"
            " last_status = excluded.last_status, last_asked_at = excluded.last_asked_at,"
            " failures = iif(excluded.failures, failures + 1, 0)",
            (
                answer.asked_url,
                answer.source,
                listing_id,
                answer.etag if kept else None,
                answer.last_modified if kept else None,
                _digest(answer.records) if kept else None,
                self._versions.get(answer.source),
                answer.outcome.value,
                answer.http_status,
                answer.asked_at,
                int(failed),
            ),
        )


def _digest(records: Sequence[Record]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.model_dump_json(exclude_defaults=True).encode())
    return digest.hexdigest()[:16]

"""Store one answer: what it said and what we know of its URL, in the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from pipelines.confirmations import (
    begin_dataset,
    confirm_dataset,
    confirm_unchanged,
    note_in_dataset,
    write_confirmed,
)
from pipelines.database import first_row
from pipelines.dataset_parts import store_crew, store_other_titles
from pipelines.dataset_records import forget_told, is_decoded, remember, store_titles
from pipelines.exported_ids import begin_export, end_export, store_ids
from pipelines.guard import Doubt, Rule
from pipelines.listings import (
    doubt_identity,
    listing_number,
    store_facts,
    store_identifiers,
    store_parts,
)
from pipelines.quarantine import Doubted, hold, hold_answers, supersede
from pipelines.scores import stand_on_answers, store_score, write_again_of_dataset
from pipelines.statements import Origin, Statement, Tally
from pipelines.unmerged import write_touched
from pipelines.verdicts import say_again, store_verdict
from spiders.items import Answer, Outcome, Record, Titles

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


@dataclass(frozen=True)
class _Way:
    """How the records of an answer came to us.

    `exact`: how exact the time of the answer is; `same`: today's reader has stored the very same
    before; `released`: a person let them pass.
    """

    origin: Origin
    exact: str = "second"
    same: bool = False
    released: bool = False


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
        begin_dataset(db)
        begin_export(db)
        self._held_of_dataset: set[str] = set()

    def answer(
        self, answer: Answer, tally: Tally, origin: Origin = "live", exact: str = "second"
    ) -> None:
        """Store an answer. `exact` says how exact the time of an archived page is."""
        self._count(answer, tally)
        if answer.target == "changes":
            self._changed_upstream(answer)
        elif answer.target == "export":
            self._export(answer, tally)
        elif answer.target in ("akas", "crew"):
            self._parts(answer, tally)
            self._url(answer, None, in_full=not self._held_in_dataset(answer, held=False))
        elif answer.target == "dataset":
            self._dataset(answer, tally)
        elif origin == "archive":
            self._records(answer, tally, _Way(origin, exact))
        else:
            self._asked(answer, tally, _Way(origin, exact))
        self._write(tally)

    def _asked(self, answer: Answer, tally: Tally, way: _Way) -> None:
        """What a page, list or lookup said that was asked for, and what came of asking."""
        held_before, changed_before = tally.counts["held"], tally.counts["changed"]
        written_before = self._db.conn.total_changes
        said_again = self._said_again(answer) if answer.unchanged else None
        if said_again is not None:
            stand_on_answers(self._db, said_again, answer.asked_at)
            say_again(self._db, said_again, answer.asked_at)
        else:
            self._records(answer, tally, replace(way, same=self._seen(answer)))
        listing_id = self._asked_listing(answer)
        if listing_id is not None:
            self._attempted(listing_id, answer)
            written = self._db.conn.total_changes > written_before
            # What came of asking tells why a score is not known.
            if written or self._last_outcome(answer) != answer.outcome.value:
                tally.touch([listing_id])
        if said_again is not None:
            confirm_unchanged(self._db, said_again, answer.asked_at, tally)
        held = tally.counts["held"] > held_before
        if answer.target in ("listing", "list", "whole_crosswalk"):
            self._url(answer, listing_id, in_full=not held)
        if listing_id is not None and not held:
            self._answered(answer, changed=tally.counts["changed"] > changed_before)

    def hold(self, answers: Sequence[Answer], doubt: Doubt, tally: Tally) -> None:
        """Hold back answers of one source's crawl as a whole: nothing of them is stored, and what
        they speak of is known to have been held."""
        hold_answers(self._db, self._run, doubt, answers, tally)
        for answer in answers:
            self._count(answer, tally)
            tally.counts["held"] += answer.number_of_records
            self._db.conn.executemany(
                "UPDATE scores SET last_attempt_state = 'held', last_attempt_at = ?"
                " WHERE listing_id ="
                " (SELECT listing_id FROM listings WHERE source = ? AND source_id = ?)",
                ((answer.asked_at, answer.source, r.source_id) for r in answer.every_record()),
            )
            listing_id = self._asked_listing(answer)
            self._held_in_dataset(answer, held=True)
            self._url(answer, listing_id, in_full=False)

    def release(self, answer: Answer, tally: Tally) -> None:
        """Store what an answer of a held crawl said, as if nothing spoke against its figures.

        What is known of its URL stays: it was asked then, and may have been asked again since. That
        its page was not found counts, as it would have that night.
        """
        if answer.target == "export":
            self._export(answer, tally)
            return
        self._parts(answer, tally)
        way = _Way("dataset" if answer.target == "dataset" else "live", released=True)
        for record in answer.every_record():
            number = self._record(record, answer, tally, way)
            if number is not None:
                forget_told(self._db, number)
        listing_id = self._asked_listing(answer)
        if listing_id is not None:
            self._attempted(listing_id, answer)
            tally.touch([listing_id])
        self._write(tally)

    def release_record(self, said: Statement, topic: str, tally: Tally) -> None:
        """Store what a record says of a topic, as if nothing spoke against it."""
        said = replace(said, released=True)
        tally.touch([said.listing_id])
        forget_told(self._db, said.listing_id)
        if topic == "listing":
            self._take_in(said, tally, None, same=False)
        elif topic == "credits":
            store_verdict(self._db, self._run, said, tally)
        else:
            store_score(self._db, self._run, said, topic, tally)
        self._write(tally)

    def _write(self, tally: Tally) -> None:
        """Write what was gathered of one answer: of which listings it told something new, and what
        it said again."""
        write_touched(self._db, tally)
        write_confirmed(self._db, tally)

    def _changed_upstream(self, answer: Answer) -> None:
        """Note of the listings that we have that the source's feed of changes names them: nothing
        else comes of it. What was read whole is not asked for again."""
        if answer.outcome is not Outcome.OK:
            return
        named = json.dumps([record.source_id for record in answer.records])
        self._db.conn.execute(
            "UPDATE listings SET changed_upstream_at = ?"
            " WHERE source = ? AND source_id IN (SELECT value FROM json_each(?))",
            (answer.changed_before, answer.source, named),
        )
        if answer.complete:
            # Of what changed between the last day read and the first one that could be asked for,
            # it tells no more: whatever answered before may have changed since.
            self._db.conn.execute(
                "INSERT INTO feeds (source, read_to, missed_before) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET read_to = excluded.read_to, missed_before ="
                " iif(read_to < excluded.missed_before, excluded.missed_before, missed_before)",
                (answer.source, answer.changed_before, answer.changed_since),
            )

    def _export(self, answer: Answer, tally: Tally) -> None:
        """The ids of a part of an export; with its last part it has been read whole."""
        if answer.ids is None or answer.exported_on is None:
            return
        store_ids(self._db, answer.source, answer.ids)
        tally.counts["stored"] += len(answer.ids)
        if answer.complete:
            end_export(self._db, answer.source, answer.exported_on, answer.asked_at, self._run)

    def _parts(self, answer: Answer, tally: Tally) -> None:
        """What a dataset says of titles and people: each film's takes the place of what stands."""
        if answer.other_titles is not None:
            store_other_titles(self._db, answer.other_titles, tally)
        if answer.crew is not None:
            store_crew(self._db, answer.crew, tally)

    def _count(self, answer: Answer, tally: Tally) -> None:
        # The parts of something large come of one request; each page of a feed is one by itself.
        if answer.complete or answer.target == "changes":
            tally.counts["asked"] += 1
            tally.counts["unchanged" if answer.unchanged else _COUNTED_AS[answer.outcome]] += 1

    def _held_in_dataset(self, answer: Answer, *, held: bool) -> bool:
        """Whether any part of a dataset was held so far; its last part is told, and it is over."""
        if held:
            self._held_of_dataset.add(answer.source)
        found = answer.source in self._held_of_dataset
        if answer.complete:
            self._held_of_dataset.discard(answer.source)
        return found

    def _dataset(self, answer: Answer, tally: Tally) -> None:
        """A part of a dataset; its last part confirms what all of it says."""
        held_before = tally.counts["held"]
        self._records(answer, tally, _Way("dataset"))
        if answer.titles is not None:
            self._titles(answer, answer.titles, tally)
        held = self._held_in_dataset(answer, held=tally.counts["held"] > held_before)
        self._url(answer, None, in_full=not held)
        if answer.complete and answer.outcome is Outcome.OK:
            tally.touch(write_again_of_dataset(self._db, answer.source))
            confirm_dataset(self._db, answer.source, answer.asked_at, unchanged=answer.unchanged)

    def _titles(self, answer: Answer, titles: Titles, tally: Tally) -> None:
        """Titles of a dataset: those that are new or say the same as the last time together."""
        version = self._versions.get(answer.source)
        compared = store_titles(self._db, titles, answer.asked_at, tally, version)
        note_in_dataset(self._db, (*compared.as_before, *compared.new))
        stored = []
        for row in compared.left:
            held_before = tally.counts["held"]
            number = self._record(titles.record(row), answer, tally, _Way("dataset"))
            if number is None:
                continue
            if tally.counts["held"] == held_before and is_decoded(row):
                stored.append((number, row.digest))
            else:  # what was told before is no longer all that stands
                forget_told(self._db, number)
        remember(self._db, stored, version)

    def _records(self, answer: Answer, tally: Tally, way: _Way) -> None:
        for record in answer.records:
            self._record(record, answer, tally, way)

    def _record(self, record: Record, answer: Answer, tally: Tally, way: _Way) -> int | None:
        """Store a record; gives the number of its listing, or None where it is of none."""
        if record.outcome not in (Outcome.OK, Outcome.NOT_A_FILM) or record.source_id is None:
            return None
        at, asked = answer.asked_at, answer.asked_source_id
        elsewhere = asked is not None and asked != record.source_id
        # Another film's page under the very URL that we asked, where no redirect explains it.
        foreign = elsewhere and record.outcome is Outcome.OK and answer.url == answer.asked_url
        about = str(asked) if foreign else record.source_id
        changes_before = self._db.conn.total_changes
        number = listing_number(self._db, record.source, about, at)
        said = Statement(
            listing_id=number,
            record=record,
            origin=way.origin,
            at=at,
            exact=way.exact,
            from_list=answer.target == "list",
            released=way.released,
        )
        held_before = tally.counts["held"]
        if record.outcome is Outcome.NOT_A_FILM:
            store_facts(self._db, said)
            if self._db.conn.total_changes > changes_before:
                tally.touch([number])
            return number
        why: str | None
        if foreign:
            why = f"asked for {asked}, the page is of {record.source_id}"
        else:
            why = doubt_identity(self._db, said)
        if why:
            self._hold_page(said, answer, why, tally)
            tally.touch([number])
            return number
        self._take_in(said, tally, asked if elsewhere else None, same=way.same)
        if self._db.conn.total_changes > changes_before:
            tally.touch([number])
        if way.origin == "dataset" and tally.counts["held"] == held_before:
            note_in_dataset(self._db, [number])  # where something is held, not as it stands
        return number

    def _take_in(self, said: Statement, tally: Tally, asked: str | None, *, same: bool) -> None:
        """Store a record. `asked` is the source_id that was asked, where the site led from there;
        `same` tells that today's reader has stored the very same before."""
        record = said.record
        if said.origin != "archive":
            supersede(self._db, said.listing_id, "listing", said.at)
        if not same:
            said = replace(said, another_film=store_facts(self._db, said))
            store_parts(self._db, said)
            store_identifiers(self._db, said, asked)
        for kind in record.scores:
            store_score(self._db, self._run, said, kind, tally)
        if record.credits is not None:
            store_verdict(self._db, self._run, said, tally)
        tally.counts["stored"] += 1

    def _hold_page(self, said: Statement, answer: Answer, why: str, tally: Tally) -> None:
        """Hold back a page that seems to show another film, as an answer of the listing asked."""
        asked = self._asked_listing(answer) or said.listing_id
        page = replace(said, listing_id=asked)
        doubt = Doubt(Rule.ANOTHER_FILM, why)
        doubted = Doubted(page, "listing", doubt, None, _shows_film_of(said.record))
        hold(self._db, self._run, doubted, tally)
        if said.origin != "archive":
            self._db.conn.execute(
                "UPDATE scores SET last_attempt_state = 'held', last_attempt_at = ?"
                " WHERE listing_id = ?",
                (said.at, asked),
            )

    def _said_again(self, answer: Answer) -> int | None:
        """The listing of which a 304 says again what the last full answer of this URL said."""
        row = first_row(self._db, "SELECT listing_id FROM urls WHERE url = ?", answer.asked_url)
        return row[0] if row else None

    def _last_outcome(self, answer: Answer) -> str | None:
        """What came of asking this URL the last time; None for the first time."""
        row = first_row(self._db, "SELECT last_outcome FROM urls WHERE url = ?", answer.asked_url)
        return row[0] if row else None

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
                "UPDATE scores SET last_attempt_state = ?1, last_attempt_at = ?2"
                " WHERE listing_id = ?3 AND last_attempt_at <= ?2",  # what is released may be older
                (answer.outcome.value, at, listing_id),
            )

    def _seen(self, answer: Answer) -> bool:
        """Whether today's reader has read this very content of this URL before."""
        row = first_row(
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
        # By itself, as hardly ever: with the others it would write the index anew each time.
        self._db.conn.execute(
            "UPDATE urls SET listing_id = ?1 WHERE url = ?2 AND listing_id IS NOT ?1",
            (listing_id, answer.asked_url),
        )
        self._db.conn.execute(
            "INSERT INTO urls (url, source, listing_id, etag, last_modified, records_hash,"
            " reader_version, last_outcome, last_status, last_asked_at, failures)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " etag = excluded.etag,"
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

    def _answered(self, answer: Answer, *, changed: bool) -> None:
        """Count an answer that told what the listing says now: from these counts its rate is
        learned. The first one has nothing that it could have changed."""
        if answer.outcome in (Outcome.OK, Outcome.NOT_A_FILM):
            self._db.conn.execute(
                "UPDATE urls SET answers = answers + 1, changes = changes + (answers > 0 AND ?1),"
                " first_answered_at = ifnull(first_answered_at, ?2), last_answered_at = ?2"
                " WHERE url = ?3",
                (changed, answer.asked_at, answer.asked_url),
            )


def _shows_film_of(record: Record) -> Callable[[Record], bool]:
    """Whether another record is of the same film, as its page names it."""
    return lambda other: (
        (other.source_id, other.title, other.year) == (record.source_id, record.title, record.year)
    )


def _digest(records: Sequence[Record]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.model_dump_json(exclude_defaults=True).encode())
    return digest.hexdigest()[:16]

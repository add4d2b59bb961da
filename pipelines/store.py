"""Store one answer: what it said and what we know of its URL, in the caller's transaction.

Observations are append-only. A live answer is written only where it differs from what stands; an
archived page always, once. Whatever the order in which saved pages are imported, and however
often, the tables come out the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlite_utils import Database

from pipelines import guard
from spiders.items import Answer, Credits, Outcome, Record, Score, ScoreState
from spiders.sources import SOURCES, by_key

Origin = Literal["live", "dataset", "archive"]

GONE_AFTER_RUNS = 3
VOTES_MOVED = 0.01
"""Share of the votes that must come or go before a live answer is written for that alone."""

_FACTS = (
    "title",
    "original_title",
    "year",
    "kind",
    "runtime_minutes",
    "released_on",
    "original_language",
    "overview",
)


@dataclass(frozen=True)
class Change:
    """A figure or verdict that an answer changed."""

    listing_id: int
    topic: str
    before: str | None
    after: str


@dataclass
class Tally:
    """What came of the answers of one source."""

    counts: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


class Store:
    """The writer's hand: stores answers within the transaction that the caller holds."""

    def __init__(self, db: Database, run_id: int | None, reader_versions: dict[str, str]) -> None:
        self._db = db
        self._run = run_id
        self._versions = reader_versions
        self._keys = {source.key for source in SOURCES}
        self._in_dataset: dict[str, set[int]] = {}

    def answer(
        self, answer: Answer, tally: Tally, origin: Origin = "live", exact: str = "second"
    ) -> None:
        """Store an answer. `exact` says how exact the time of an archived page is."""
        counts = tally.counts
        counts["asked"] += 1
        if origin != "archive" and answer.target == "dataset":
            origin = "dataset"
        self._count(answer, counts)
        listing_id = self._asked_listing(answer)
        held_before = counts["held"]
        same = False
        if answer.unchanged:
            self._confirm_url(answer)
        elif answer.records:
            digest = _digest(answer.records)
            same = origin != "archive" and self._seen(answer.url, digest, answer.source)
            for record in answer.records:
                self._record(record, answer, origin, exact, tally, same)
        if origin == "archive":
            return
        if origin == "dataset":
            seen = self._in_dataset.setdefault(answer.source, set())
            seen.update(
                self._listing(r.source, str(r.source_id), answer.asked_at) for r in answer.records
            )
        if listing_id is not None:
            self._attempt(listing_id, answer)
            tally.touched.add(listing_id)
        if answer.target in ("listing", "list", "dataset"):
            self._url(answer, listing_id, in_full=counts["held"] == held_before)
        if answer.target == "dataset" and answer.complete and answer.outcome is Outcome.OK:
            self._confirm_dataset(answer)

    # --- what an answer is of ---------------------------------------------------------------

    @staticmethod
    def _count(answer: Answer, counts: Counter[str]) -> None:
        outcome = answer.outcome
        if answer.unchanged:
            counts["unchanged"] += 1
        elif outcome in (Outcome.OK, Outcome.NOT_A_FILM):
            counts["fetched"] += 1
        elif outcome in (Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.UNAUTHORISED):
            counts["blocked"] += 1
        elif outcome is Outcome.NOT_FOUND:
            counts["not_found"] += 1
        elif outcome is Outcome.UNREADABLE:
            counts["unreadable"] += 1
        else:
            counts["failed"] += 1

    def _asked_listing(self, answer: Answer) -> int | None:
        if answer.target != "listing" or answer.asked_source_id is None:
            return None
        return self._listing(answer.source, answer.asked_source_id, answer.asked_at)

    def _listing(self, source: str, source_id: str, at: str) -> int:
        """The listing's number; the listing is made where it is new."""
        row = self._one(
            "SELECT listing_id FROM listings WHERE source = ? AND source_id = ?", source, source_id
        )
        if row:
            return int(row[0])
        added = self._one(
            "INSERT INTO listings (source, source_id, url, first_seen_at) VALUES (?, ?, ?, ?)"
            " RETURNING listing_id",
            source,
            source_id,
            by_key(source).page_url(source_id),
            at,
        )
        assert added
        return int(added[0])

    # --- records ------------------------------------------------------------------------------

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
        at = answer.asked_at
        listing_id = self._listing(record.source, record.source_id, at)
        tally.touched.add(listing_id)
        if record.outcome is Outcome.NOT_A_FILM:
            self._facts(listing_id, record, origin)
            return
        moved = answer.asked_source_id not in (None, record.source_id)
        if moved and answer.url == answer.asked_url:
            why = f"asked for {answer.asked_source_id}, the page is of {record.source_id}"
            asked = self._asked_listing(answer)
            self._hold(asked or listing_id, "listing", why, record, None, at, tally)
            return
        why_not = self._doubt_identity(listing_id, record)
        if why_not:
            self._hold(listing_id, "listing", why_not, record, None, at, tally)
            return
        if not same:
            self._facts(listing_id, record, origin)
            self._parts(listing_id, record, origin)
            self._identifiers(listing_id, record, answer if moved else None, at)
        for kind, score in record.scores.items():
            self._score(listing_id, kind, score, record, origin, exact, at, tally)
        if record.credits is not None:
            self._verdict(listing_id, record, answer, origin, exact, at, tally)
        tally.counts["stored"] += 1

    def _doubt_identity(self, listing_id: int, record: Record) -> str | None:
        row = self._one(
            "SELECT f.title, f.original_title, f.year FROM films f JOIN listing_films lf"
            " USING (film_id) WHERE lf.listing_id = ? AND lf.valid_to IS NULL",
            listing_id,
        )
        if not row:
            return None
        return guard.another_film(record, [title for title in row[:2] if title], row[2])

    def _facts(self, listing_id: int, record: Record, origin: Origin) -> None:
        """A field that the page does not carry never overwrites; a saved page only fills gaps."""
        said = {name: value for name in _FACTS if (value := getattr(record, name)) is not None}
        if record.offers:
            said["offers"] = json.dumps(sorted(record.offers))
        if not said:
            return
        pattern = "{0} = ifnull({0}, ?)" if origin == "archive" else "{0} = ?"
        assign = ", ".join(pattern.format(name) for name in said)
        differ = " OR ".join(f"{name} IS NOT ?" for name in said)
        self._db.conn.execute(
            f"UPDATE listings SET {assign} WHERE listing_id = ? AND ({differ})",
            (*said.values(), listing_id, *said.values()),
        )

    def _parts(self, listing_id: int, record: Record, origin: Origin) -> None:
        """Alternative titles, people and genres: the page's whole list replaces the last one."""
        run = self._db.conn.execute
        film = self._one(
            "SELECT film_id FROM listing_films WHERE listing_id = ? AND valid_to IS NULL",
            listing_id,
        )
        film_id = film[0] if film else None

        def replaces(table: str, said: Sequence[Any]) -> bool:
            stands = self._one(f"SELECT 1 FROM {table} WHERE listing_id = ?", listing_id)
            if not said or (origin == "archive" and stands):
                return False
            if stands:
                run(f"DELETE FROM {table} WHERE listing_id = ?", (listing_id,))
            return True

        if replaces("film_titles", record.alternative_titles):
            for title in dict.fromkeys(record.alternative_titles):
                run(
                    "INSERT INTO film_titles VALUES (?, ?, ?, ?, ?)",
                    (listing_id, film_id, title.title, title.country, title.language),
                )
        if replaces("film_genres", record.genres):
            for genre in dict.fromkeys(record.genres):
                run("INSERT INTO film_genres VALUES (?, ?, ?)", (listing_id, film_id, genre))
        if replaces("film_people", record.people):
            for person in dict.fromkeys(record.people):
                run("INSERT OR IGNORE INTO people (name) VALUES (?)", (person.name,))
                run(
                    "INSERT INTO film_people SELECT ?, ?, person_id, ?, ? FROM people"
                    " WHERE name = ?",
                    (listing_id, film_id, person.role, person.position, person.name),
                )

    def _identifiers(
        self, listing_id: int, record: Record, redirected: Answer | None, at: str
    ) -> None:
        """What the page states of the film's ids elsewhere; each named listing is made known."""
        stated = {(key, value) for key, values in record.identifiers.items() for value in values}
        if record.imdb_id and record.source != "imdb":
            stated.add(("imdb", record.imdb_id))
        if record.tmdb_id and record.source != "tmdb":
            stated.add(("tmdb", str(record.tmdb_id)))
        for source, source_id in sorted(stated):
            self._state(listing_id, source, source_id)
            if source in self._keys:
                self._listing(source, source_id, at)
        if redirected is not None and redirected.asked_source_id is not None:
            # The site itself says that the old address now leads here.
            asked = self._listing(redirected.source, redirected.asked_source_id, at)
            self._state(asked, record.source, str(record.source_id))

    def _state(self, listing_id: int, source: str, source_id: str) -> None:
        self._db.conn.execute(
            "INSERT OR IGNORE INTO listing_identifiers VALUES (?, ?, ?)",
            (listing_id, source, source_id),
        )

    # --- scores -------------------------------------------------------------------------------

    def _score(
        self,
        listing_id: int,
        kind: str,
        score: Score,
        record: Record,
        origin: Origin,
        exact: str,
        at: str,
        tally: Tally,
    ) -> None:
        row = self._one(
            "SELECT state, value, scale_max, votes, votes_at_least, basis, observed_at, origin"
            " FROM scores WHERE listing_id = ? AND score_kind = ?",
            listing_id,
            kind,
        )
        stands = guard.Standing(row[0], row[1], row[2], row[3], bool(row[4])) if row else None
        if origin == "archive":
            self._archived(listing_id, kind, score, record, row, exact, at, tally)
            return
        if score.state is ScoreState.MISSING:
            self._missing(listing_id, kind, score, record, origin, at, known=row is not None)
            return
        why = guard.doubt(score, stands)
        if why:
            self._hold(listing_id, kind, why, record, row, at, tally)
            self._attempted(listing_id, kind, "held", at)
            return
        self._supersede(listing_id, kind, at)
        values = _values(score, record, origin)
        # A page without a count says nothing of the count: the one that stands goes on standing.
        if row and _as_before(row, score):
            self._confirm(listing_id, kind, at, dataset=origin == "dataset")
            if row[7] != origin:
                self._db.conn.execute(
                    "UPDATE scores SET origin = ? WHERE listing_id = ? AND score_kind = ?",
                    (origin, listing_id, kind),
                )
            self._attempted(listing_id, kind, score.state.value, at, quietly=True)
            return
        self._observe(listing_id, kind, values, at, "second")
        self._stand(listing_id, kind, values, at, score.state.value, at)
        self._confirm(listing_id, kind, at, dataset=origin == "dataset")
        before = f"{row[0]}" if row and row[1] is None else f"{row[1]:g}" if row else None
        after = f"{score.value:g}" if score.value is not None else score.state.value
        if before != after and not score.relayed:
            tally.counts["changed"] += 1
            tally.changes.append(Change(listing_id, kind, before, after))

    def _missing(
        self,
        listing_id: int,
        kind: str,
        score: Score,
        record: Record,
        origin: Origin,
        at: str,
        *,
        known: bool,
    ) -> None:
        """`missing` is no statement of the source: it stands only where nothing else does."""
        if known:
            self._attempted(listing_id, kind, "missing", at)
        else:
            values = _values(score, record, origin)
            self._stand(listing_id, kind, values, at, "missing", at)

    def _archived(
        self,
        listing_id: int,
        kind: str,
        score: Score,
        record: Record,
        row: Sequence[Any] | None,
        exact: str,
        at: str,
        tally: Tally,
    ) -> None:
        """A saved page is history: always written, once, and it stands only where it is newest."""
        if score.state is ScoreState.MISSING:
            return
        why = guard.doubt(score, None)
        if why:
            self._hold(listing_id, kind, why, record, row, at, tally)
            return
        values = _values(score, record, "archive")
        self._observe(listing_id, kind, values, at, exact)
        if row is None or row[0] == "missing":
            self._stand_newest(listing_id, kind, at)
            return
        confirmed = self._confirmed_at(listing_id, kind, row)
        if at > confirmed or row[7] == "archive":
            self._stand_newest(listing_id, kind, at)
        elif at > row[6] and (row[0], row[1]) != (score.state.value, score.value):
            # What stands was seen again after this page was saved: the history must say so, or it
            # would show the saved figure as lasting until today.
            self._db.conn.execute(
                "INSERT OR IGNORE INTO score_observations SELECT listing_id, score_kind, ?,"
                " 'second', state, value, scale_max, votes, votes_at_least, basis, relayed, origin,"
                " layout, url FROM scores WHERE listing_id = ? AND score_kind = ?",
                (confirmed, listing_id, kind),
            )
            self._db.conn.execute(
                "UPDATE scores SET observed_at = ?, changed_at = ?"
                " WHERE listing_id = ? AND score_kind = ?",
                (confirmed, confirmed, listing_id, kind),
            )

    def _observe(
        self, listing_id: int, kind: str, values: tuple[Any, ...], at: str, exact: str
    ) -> None:
        self._db.conn.execute(
            "INSERT OR IGNORE INTO score_observations (listing_id, score_kind, observed_at,"
            " observed_to, state, value, scale_max, votes, votes_at_least, basis, relayed, origin,"
            " layout, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (listing_id, kind, at, exact, *values),
        )

    def _stand(
        self,
        listing_id: int,
        kind: str,
        values: tuple[Any, ...],
        observed_at: str,
        attempt: str,
        attempt_at: str,
    ) -> None:
        changed_at = self._changed_at(listing_id, kind, values[0], values[1]) or observed_at
        self._db.conn.execute(
            "INSERT OR REPLACE INTO scores (listing_id, score_kind, state, value, scale_max, votes,"
            " votes_at_least, basis, relayed, origin, layout, url, observed_at, changed_at,"
            " last_attempt_state, last_attempt_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (listing_id, kind, *values, observed_at, changed_at, attempt, attempt_at),
        )

    def _stand_newest(self, listing_id: int, kind: str, at: str) -> None:
        """Let the newest observation stand; of two at one time, the greater in (state, value)."""
        row = self._one(
            "SELECT state, value, scale_max, votes, votes_at_least, basis, relayed, origin, layout,"
            " url, observed_at FROM score_observations WHERE listing_id = ? AND score_kind = ?"
            " ORDER BY observed_at DESC, state DESC, value DESC, votes DESC LIMIT 1",
            listing_id,
            kind,
        )
        assert row, f"no observation of {kind} for listing {listing_id} at {at}"
        self._stand(listing_id, kind, tuple(row[:10]), row[10], row[0], row[10])

    def _changed_at(self, listing_id: int, kind: str, state: str, value: Any) -> str | None:
        row = self._one(
            "SELECT min(observed_at) FROM score_observations WHERE listing_id = ?1 AND"
            " score_kind = ?2 AND observed_at > ifnull((SELECT max(observed_at) FROM"
            " score_observations WHERE listing_id = ?1 AND score_kind = ?2"
            " AND (state IS NOT ?3 OR value IS NOT ?4)), '')",
            listing_id,
            kind,
            state,
            value,
        )
        return row[0] if row else None

    def _attempted(
        self, listing_id: int, kind: str, state: str, at: str, *, quietly: bool = False
    ) -> None:
        """Record what the last answer held. `quietly`: only where that differs from before.

        A standing score that was seen again has its time in `confirmations`, one narrow row; to
        rewrite its wide row for that would make a quiet night expensive.
        """
        differs = " AND last_attempt_state <> ?" if quietly else ""
        self._db.conn.execute(
            "UPDATE scores SET last_attempt_state = ?, last_attempt_at = ?"
            f" WHERE listing_id = ? AND score_kind = ?{differs}",
            (state, at, listing_id, kind, *([state] if quietly else [])),
        )

    # --- confirmations ------------------------------------------------------------------------

    def _confirm(self, listing_id: int, topic: str, at: str, *, dataset: bool = False) -> None:
        if dataset:  # the whole dataset confirms in one row when its last part has come
            self._db.conn.execute(
                "DELETE FROM confirmations WHERE listing_id = ? AND topic = ?", (listing_id, topic)
            )
            return
        self._db.conn.execute(
            "INSERT INTO confirmations VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            " SET confirmed_at = max(confirmed_at, excluded.confirmed_at)",
            (listing_id, topic, at),
        )

    def _confirmed_at(self, listing_id: int, kind: str, row: Sequence[Any]) -> str:
        found = self._one(
            "SELECT confirmed_at FROM confirmed WHERE listing_id = ? AND topic = ?",
            listing_id,
            kind,
        )
        return max(str(row[6]), str(found[0]) if found else "")

    def _confirm_url(self, answer: Answer) -> None:
        """A 304: what this URL's last full answer said still stands."""
        row = self._one("SELECT listing_id FROM urls WHERE url = ?", answer.asked_url)
        if row and row[0] is not None:
            for (topic,) in self._db.conn.execute(
                "SELECT score_kind FROM scores WHERE listing_id = ?1 AND state <> 'missing'"
                " UNION SELECT 'credits' FROM credits_verdicts WHERE listing_id = ?1",
                (row[0],),
            ).fetchall():
                self._confirm(row[0], topic, answer.asked_at)

    def _confirm_dataset(self, answer: Answer) -> None:
        """One row confirms every score that stands on the dataset and was in it this time.

        Titles are absent on some days, which is no deletion: theirs keep the time when the
        dataset last held them.
        """
        if not answer.unchanged:
            run = self._db.conn.execute
            run("CREATE TEMP TABLE IF NOT EXISTS in_dataset (listing_id INTEGER PRIMARY KEY)")
            run("DELETE FROM in_dataset")
            seen = self._in_dataset.pop(answer.source, set())
            self._db.conn.executemany(
                "INSERT INTO in_dataset VALUES (?)", ((number,) for number in seen)
            )
            run(
                "INSERT OR IGNORE INTO confirmations SELECT s.listing_id, s.score_kind,"
                " d.confirmed_at FROM scores s JOIN listings l USING (listing_id)"
                " JOIN dataset_confirmations d ON d.source = l.source WHERE l.source = ?"
                " AND s.origin = 'dataset'"
                " AND s.listing_id NOT IN (SELECT listing_id FROM in_dataset)",
                (answer.source,),
            )
        self._db.conn.execute(
            "INSERT INTO dataset_confirmations VALUES (?, ?) ON CONFLICT DO UPDATE"
            " SET confirmed_at = excluded.confirmed_at",
            (answer.source, answer.asked_at),
        )

    # --- credits ------------------------------------------------------------------------------

    def _verdict(
        self,
        listing_id: int,
        record: Record,
        answer: Answer,
        origin: Origin,
        exact: str,
        at: str,
        tally: Tally,
    ) -> None:
        said = record.credits
        assert said is not None
        before = self._one(
            "SELECT during, after, scene_count, extras, worth_staying, worth_staying_votes"
            " FROM credits_verdicts WHERE listing_id = ? ORDER BY observed_at DESC LIMIT 1",
            listing_id,
        )
        if answer.target == "list" and before:
            said = _fill(said, before)
        now = (
            said.during.value,
            said.after.value,
            said.scene_count,
            json.dumps(sorted(said.extras)),
            said.worth_staying,
            said.worth_staying_votes,
        )
        if origin != "archive":
            why = guard.doubt_verdict(record, tuple(before[:2]) if before else None)
            if why:
                self._hold(listing_id, "credits", why, record, before, at, tally)
                return
            self._supersede(listing_id, "credits", at)
            self._confirm(listing_id, "credits", at)
            if before and tuple(before) == now:
                return
        self._db.conn.execute(
            "INSERT OR IGNORE INTO credits_verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (listing_id, at, exact, *now, origin, record.layout, record.url),
        )
        if origin != "archive" and (not before or tuple(before[:2]) != now[:2]):
            tally.counts["changed"] += 1
            said_before = f"during {before[0]}, after {before[1]}" if before else None
            now_says = f"during {now[0]}, after {now[1]}"
            tally.changes.append(Change(listing_id, "credits", said_before, now_says))

    # --- what is held -------------------------------------------------------------------------

    def _hold(
        self,
        listing_id: int,
        topic: str,
        reason: str,
        record: Record,
        standing: Sequence[Any] | None,
        at: str,
        tally: Tally,
    ) -> None:
        tally.counts["held"] += 1
        tally.notes.append(f"held: {record.source}:{record.source_id} {topic}: {reason}")
        kept = record.model_dump_json(exclude_defaults=True)
        found = self._one(
            "SELECT quarantine_id FROM quarantine WHERE listing_id = ? AND topic = ?"
            " AND decision IS NULL AND reason = ?",
            listing_id,
            topic,
            reason,
        )
        if found:
            self._db.conn.execute(
                "UPDATE quarantine SET times_held = times_held + 1, last_held_at = ?, record = ?"
                " WHERE quarantine_id = ?",
                (at, kept, found[0]),
            )
            return
        self._db.conn.execute(
            "INSERT INTO quarantine (run_id, listing_id, topic, reason, record, standing, held_at,"
            " last_held_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._run,
                listing_id,
                topic,
                reason,
                kept,
                json.dumps(list(standing)) if standing else None,
                at,
                at,
            ),
        )

    def _supersede(self, listing_id: int, topic: str, at: str) -> None:
        """An answer that passes settles what was held of the same topic before."""
        self._db.conn.execute(
            "UPDATE quarantine SET decision = 'superseded', decided_by = 'a later answer',"
            " decided_at = ? WHERE listing_id = ? AND topic = ? AND decision IS NULL",
            (at, listing_id, topic),
        )

    # --- URLs ---------------------------------------------------------------------------------

    def _attempt(self, listing_id: int, answer: Answer) -> None:
        """What an answer without records means for its listing."""
        at = answer.asked_at
        if answer.outcome is Outcome.NOT_FOUND:
            self._db.conn.execute(
                "UPDATE listings SET not_found_runs = not_found_runs + 1, gone_at ="
                " CASE WHEN not_found_runs + 1 >= ? THEN ifnull(gone_at, ?) END"
                " WHERE listing_id = ?",
                (GONE_AFTER_RUNS, at, listing_id),
            )
        elif answer.outcome is Outcome.OK:
            self._db.conn.execute(
                "UPDATE listings SET not_found_runs = 0, gone_at = NULL"
                " WHERE listing_id = ? AND not_found_runs > 0",
                (listing_id,),
            )
        if answer.outcome is not Outcome.OK:
            self._db.conn.execute(
                "UPDATE scores SET last_attempt_state = ?, last_attempt_at = ?"
                " WHERE listing_id = ?",
                (answer.outcome.value, at, listing_id),
            )

    def _seen(self, url: str, digest: str, source: str) -> bool:
        row = self._one("SELECT records_hash, reader_version FROM urls WHERE url = ?", url)
        return bool(row) and tuple(row or ()) == (digest, self._versions.get(source))

    def _url(self, answer: Answer, listing_id: int | None, *, in_full: bool) -> None:
        """Validators are kept only for answers stored in full: a 304 must not confirm a failure."""
        good = answer.outcome is Outcome.OK and in_full
        if answer.unchanged:
            self._db.conn.execute(
                "UPDATE urls SET last_outcome = 'ok', last_status = 304, last_asked_at = ?,"
                " failures = 0, etag = ifnull(?, etag), last_modified = ifnull(?, last_modified)"
                " WHERE url = ?",
                (answer.asked_at, answer.etag, answer.last_modified, answer.asked_url),
            )
            return
        failed = answer.outcome not in (Outcome.OK, Outcome.NOT_A_FILM)
        self._db.conn.execute(
            "INSERT INTO urls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " listing_id = excluded.listing_id, etag = excluded.etag,"
            " last_modified = excluded.last_modified, records_hash = excluded.records_hash,"
            " reader_version = excluded.reader_version, last_outcome = excluded.last_outcome,"
            " last_status = excluded.last_status, last_asked_at = excluded.last_asked_at,"
            " failures = iif(excluded.failures, failures + 1, 0)",
            (
                answer.asked_url,
                answer.source,
                listing_id,
                answer.etag if good and answer.complete else None,
                answer.last_modified if good and answer.complete else None,
                _digest(answer.records) if good else None,
                self._versions.get(answer.source),
                answer.outcome.value,
                answer.http_status,
                answer.asked_at,
                int(failed),
            ),
        )

    def _one(self, sql: str, *values: Any) -> Sequence[Any] | None:
        row: Sequence[Any] | None = self._db.conn.execute(sql, values).fetchone()
        return row


def _values(score: Score, record: Record, origin: Origin) -> tuple[Any, ...]:
    return (
        score.state.value,
        score.value,
        score.scale_max,
        score.votes,
        int(score.votes_at_least),
        score.basis,
        int(score.relayed),
        origin,
        record.layout,
        record.url,
    )


def _as_before(row: Sequence[Any], score: Score) -> bool:
    """Whether a live score says what stands: same state, value and basis, votes within 1 %."""
    state, value, scale_max, votes, at_least, basis = row[:6]
    if (state, value, scale_max) != (score.state.value, score.value, score.scale_max):
        return False
    if score.basis is not None and basis != score.basis:
        return False
    if score.votes is None:
        return True
    if votes is None or bool(at_least) != score.votes_at_least:
        return False
    return bool(abs(score.votes - votes) < VOTES_MOVED * max(votes, 1))


def _fill(said: Credits, before: Sequence[Any]) -> Credits:
    """A list shows one place only: what it leaves unknown of the other goes on standing."""
    return Credits(
        during=said.during if said.during.value != "unknown" else before[0],
        after=said.after if said.after.value != "unknown" else before[1],
        scene_count=said.scene_count if said.scene_count is not None else before[2],
        extras=tuple(sorted({*said.extras, *json.loads(before[3])})),
        worth_staying=said.worth_staying if said.worth_staying is not None else before[4],
        worth_staying_votes=said.worth_staying_votes
        if said.worth_staying_votes is not None
        else before[5],
    )


def _digest(records: Sequence[Record]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.model_dump_json(exclude_defaults=True).encode())
    return digest.hexdigest()[:16]

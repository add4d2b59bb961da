"""Many films over several sources in one command: the estimate before, the report after."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from sqlite_utils import Database

from pipelines import clock, tracking
from pipelines.database import transaction
from pipelines.films import UnknownFilm, films_of
from pipelines.matching.matcher import match
from pipelines.merge import merge
from pipelines.statements import Tally
from pipelines.store import Store
from schedules.archive import Saved
from schedules.film_lists import Row, safe_cell
from schedules.intent import Intent
from spiders.items import Answer, Outcome, Record
from spiders.pages.reading import reader_versions
from spiders.sources import FILM_KINDS


@dataclass(frozen=True)
class Estimate:
    """What reading the due listings of one source costs at the polite rate."""

    source: str
    requests: int
    hours: float


def estimate(intent: Intent, film_count: int) -> list[Estimate]:
    """Requests and hours for each source that listings would be read from.

    Listings that are still to be found are counted as one for each film: an upper bound, since
    not every film is listed everywhere. Hosts are asked side by side, so the hours do not add up.
    """
    estimates = []
    for source in intent.read_sources:
        night = intent.night(source)
        known = night.requests
        requests = max(known, film_count) if source.wikidata_property else known
        estimates.append(Estimate(source.key, requests, night.hours(requests)))
    return estimates


def track_rows(db: Database, rows: Iterable[Row]) -> tuple[dict[str, int], int]:
    """Track the film of each row; the film by the row's place, and how many were new."""
    tracked: dict[str, int] = {}
    new = 0
    with transaction(db):
        for row in rows:
            if row.listings:
                try:
                    tracked[row.place], is_new = tracking.track(db, row.listings, row.given)
                except UnknownFilm:
                    continue
                new += is_new
    merge(db, tracked.values())
    return tracked, new


def check_report(path: Path) -> None:
    """Raises OSError where the report could not be written. It is written after all has been
    asked, which may be hours later."""
    if path.exists():
        path.open("ab").close()
    else:
        TemporaryFile(dir=path.parent).close()


def report(
    db: Database, path: Path, rows: Sequence[Row], tracked: dict[str, int], sources: Sequence[str]
) -> None:
    """Write FILE.report.csv: for each row the film and, for each source, what came of it."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        out = csv.writer(handle)
        out.writerow(["place", "given", "film_id", "imdb_id", "title", "year", *sources, "problem"])
        for row in rows:
            film_id = tracked.get(row.place)
            film = next(
                db.query("SELECT imdb_id, title, year FROM films WHERE film_id = ?", [film_id]), {}
            )
            states = [status(db, film_id, key) if film_id else "" for key in sources]
            cells = [row.place, row.given, film_id, *film.values()]
            cells += [None] * (6 - len(cells))
            out.writerow([safe_cell(cell) for cell in [*cells, *states, row.problem]])


def status(db: Database, film_id: int, source: str) -> str:
    """What a source has of a film: stored, not_rated, not_listed, ambiguous, not_a_film, blocked,
    missing or not_asked."""
    row = db.conn.execute(
        "SELECT l.listing_id, l.kind, (SELECT u.last_outcome FROM urls u WHERE u.listing_id ="
        " l.listing_id ORDER BY u.last_asked_at DESC LIMIT 1) FROM listing_films lf"
        " JOIN listings l USING (listing_id) WHERE lf.film_id = ? AND lf.valid_to IS NULL"
        " AND l.source = ? AND lf.is_primary",
        (film_id, source),
    ).fetchone()
    if row is None:
        lookup = db.conn.execute(
            "SELECT found FROM lookups WHERE film_id = ? AND source = ?", (film_id, source)
        ).fetchone()
        return lookup[0] if lookup and lookup[0] != "listed" else "not_asked"
    listing_id, kind, outcome = row
    if outcome == "not_a_film" or (kind is not None and kind not in FILM_KINDS):
        return "not_a_film"
    states = {
        state
        for (state,) in db.conn.execute(
            "SELECT state FROM scores WHERE listing_id = ?1 UNION ALL"
            " SELECT 'scored' FROM credits_verdicts WHERE listing_id = ?1",
            (listing_id,),
        )
    }
    if "scored" in states:
        return "stored"
    for state in ("not_rated", "missing"):
        if state in states:
            return state
    refusals = {"blocked": "blocked", "rate_limited": "blocked", "unauthorised": "blocked"}
    return {**refusals, "not_found": "not_listed", "ok": "stored"}.get(outcome, "not_asked")


def store_saved(db: Database, pages: Iterable[Saved]) -> Tally:
    """Read saved pages into the history, with their capture dates; in batches, safe to repeat.

    A page without a capture date is not stored: nobody could say how old its figures are.
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
        records = page.records()
        batch.append((_answer(page, at, records), exact))
        if records and records[0].outcome not in (Outcome.OK, Outcome.NOT_A_FILM):
            failure = f"{records[0].outcome.value} ({records[0].detail})"
            tally.notes.append(f"{place}: {failure}")
        if len(batch) >= 200:
            flush()
    flush()
    matched = match(db, tally.touched)
    merge(db, matched.films | films_of(db, tally.touched))
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

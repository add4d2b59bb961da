"""What may be kept only for a time: figures and facts of sources whose terms say how long."""

from __future__ import annotations

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction
from pipelines.exported_ids import forget_exports
from pipelines.listings import FACTS
from pipelines.moves import forget_moves_before
from spiders.sources import SOURCES

# Listings of the source ?1 that have said nothing since ?2, neither a page nor a 304. A night on
# which the source failed, or blocked us, says nothing and takes nothing away.
_STALE = """listing_id IN (
  SELECT l.listing_id FROM listings l WHERE l.source = ?1 AND l.first_seen_at < ?2
    AND NOT EXISTS (SELECT 1 FROM urls u WHERE u.listing_id = l.listing_id
                    AND u.last_outcome = 'ok' AND u.last_asked_at >= ?2)
    AND NOT EXISTS (SELECT 1 FROM confirmations c WHERE c.listing_id = l.listing_id
                    AND c.confirmed_at >= ?2)
    AND NOT EXISTS (SELECT 1 FROM scores s WHERE s.listing_id = l.listing_id
                    AND s.observed_at >= ?2))"""

_NO_FACTS = ", ".join(f"{name} = NULL" for name in FACTS)


ABSENT_DAYS = 30.0
"""Where no source has answered for as many days, the clock's word alone deletes nothing."""


def has_been_answered(db: Database, at: str) -> bool:
    """Whether some source answered within `ABSENT_DAYS` before a time.

    If none did, this machine was off for long or its clock is ahead, and `purge` would delete in
    one go what nobody can bring back. An answer shows at least that what is deleted can be asked
    for anew.
    """
    last = _last_answered(db)
    return last is not None and last >= clock.later(at, days=-ABSENT_DAYS)


def silent_since(db: Database, at: str) -> str | None:
    """When a source answered for the last time, where that is longer ago than `ABSENT_DAYS` before
    a time. None where some did since, or none ever: all there is may be saved pages."""
    return None if has_been_answered(db, at) else _last_answered(db)


def _last_answered(db: Database) -> str | None:
    """When the last crawl began that was answered."""
    (last,) = db.conn.execute(
        "SELECT max(started_at) FROM crawls WHERE fetched + unchanged > 0"
    ).fetchone()
    return None if last is None else str(last)


def has_lapsed(db: Database, at: str) -> bool:
    """Whether there is anything that `purge` would delete."""
    return any(
        db.conn.execute(
            f"SELECT EXISTS (SELECT 1 FROM listings WHERE {_STALE} AND (title IS NOT NULL OR EXISTS"
            " (SELECT 1 FROM scores s WHERE s.listing_id = listings.listing_id)))"
            " OR EXISTS (SELECT 1 FROM listings l CROSS JOIN score_observations o"
            " USING (listing_id) WHERE l.source = ?1 AND o.observed_at < ?2)"
            " OR EXISTS (SELECT 1 FROM quarantine WHERE source = ?1 AND last_held_at < ?2)",
            (source.key, clock.later(at, days=-source.keep_days)),
        ).fetchone()[0]
        for source in SOURCES
        if source.keep_days is not None
    )


def purge(db: Database, at: str) -> set[int]:
    """Delete what each source's `keep_days` no longer allows; returns the films that it touched.

    History older than that goes; a standing score or fact goes once the source has not said it
    again for so long. The listing and its address stay, so that it can be asked anew.
    """
    films: set[int] = set()
    with transaction(db):
        for source in SOURCES:
            if source.keep_days is not None:
                films |= _purge(db, source.key, clock.later(at, days=-source.keep_days))
    return films


def _purge(db: Database, source: str, since: str) -> set[int]:
    """Delete what a source said before a time, and has not said again since."""
    params = (source, since)
    run = db.conn.execute
    own = "listing_id IN (SELECT listing_id FROM listings WHERE source = ?1)"
    of_stale = f"FROM listing_films WHERE valid_to IS NULL AND {_STALE}"
    films = {row[0] for row in run(f"SELECT film_id {of_stale}", params)}
    run(f"INSERT OR IGNORE INTO unmerged_listings SELECT listing_id {of_stale}", params)
    forget_moves_before(db, *params)
    run(f"DELETE FROM score_observations WHERE {own} AND observed_at < ?2", params)
    # The last verdict that was answered is what stands; it goes with its listing.
    run(
        f"DELETE FROM credits_verdicts WHERE {own} AND observed_at < ?2 AND ({_STALE}"
        " OR rowid NOT IN (SELECT max(rowid) FROM credits_verdicts"
        " WHERE origin <> 'archive' GROUP BY listing_id))",
        params,
    )
    for table in ("film_titles", "film_people", "film_genres", "dataset_records"):
        run(f"DELETE FROM {table} WHERE {_STALE}", params)
    run("DELETE FROM people WHERE person_id NOT IN (SELECT person_id FROM film_people)")
    run(f"UPDATE listings SET {_NO_FACTS} WHERE {_STALE}", params)
    # Without its validators the page is asked in full again.
    run(
        f"UPDATE urls SET etag = NULL, last_modified = NULL, records_hash = NULL WHERE {_STALE}",
        params,
    )
    old = "source = ?1 AND last_held_at < ?2"
    for table in ("held_answers", "released_listings"):
        run(
            f"DELETE FROM {table} WHERE quarantine_id IN"
            f" (SELECT quarantine_id FROM quarantine WHERE {old})",
            params,
        )
    run(f"DELETE FROM quarantine WHERE {old}", params)
    forget_exports(db, *params)
    # These say when the listing was last heard of, so they go last.
    for table in ("confirmations", "scores"):
        run(f"DELETE FROM {table} WHERE {_STALE}", params)
    return films

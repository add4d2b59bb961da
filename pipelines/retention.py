"""What may be kept only for a time: figures and facts of sources whose terms say how long."""

from __future__ import annotations

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction
from pipelines.listings import FACTS
from spiders.sources import SOURCES

_NO_FACTS = ", ".join(f"{name} = NULL" for name in FACTS)


def purge(db: Database, at: str) -> set[int]:
    """Delete what each source's `keep_days` no longer allows; returns the films that it touched.

    History older than that goes; a standing score or fact goes once the source has not said it
    again for so long. The listing and its address stay, so that it can be asked anew.
    """
    films: set[int] = set()
    with transaction(db):
        run = db.conn.execute
        for source in SOURCES:
            if source.keep_days is None:
                continue
            since = clock.later(at, days=-source.keep_days)
            own = "listing_id IN (SELECT listing_id FROM listings WHERE source = ?1)"
            stale = (
                "listing_id IN (SELECT l.listing_id FROM listings l LEFT JOIN urls u"
                " ON u.listing_id = l.listing_id AND u.last_outcome = 'ok' WHERE l.source = ?1"
                " AND ifnull(u.last_asked_at, l.first_seen_at) < ?2)"
            )
            films |= {
                row[0]
                for row in run(
                    f"SELECT film_id FROM listing_films WHERE valid_to IS NULL AND {stale}",
                    (source.key, since),
                )
            }
            for table in ("score_observations", "credits_verdicts"):
                # The newest verdict is what stands; it goes only when its listing is stale.
                kept = (
                    f" AND (rowid NOT IN (SELECT max(rowid) FROM {table} GROUP BY listing_id)"
                    f" OR {stale})"
                    if table == "credits_verdicts"
                    else ""
                )
                run(
                    f"DELETE FROM {table} WHERE {own} AND observed_at < ?2{kept}",
                    (source.key, since),
                )
            for table in ("scores", "film_titles", "film_people", "film_genres", "confirmations"):
                run(f"DELETE FROM {table} WHERE {stale}", (source.key, since))
            run(f"UPDATE listings SET {_NO_FACTS} WHERE {stale}", (source.key, since))
            run(
                f"DELETE FROM quarantine WHERE {own} AND last_held_at < ?2",
                (source.key, since),
            )
            # Without its validators the page is asked in full again.
            run(
                f"UPDATE urls SET etag = NULL, last_modified = NULL, records_hash = NULL"
                f" WHERE {stale}",
                (source.key, since),
            )
    return films

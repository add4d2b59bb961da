"""Forget a listing: it and all that hangs on it."""

from __future__ import annotations

from sqlite_utils import Database

from pipelines.matching.spans import leave

_HANGING = (
    "listing_identifiers",
    "listing_keys",
    "listing_films",
    "judgements",
    "film_titles",
    "film_people",
    "film_genres",
    "moves",
    "score_observations",
    "scores",
    "confirmations",
    "dataset_records",
    "unmerged_listings",
    "credits_verdicts",
    "due",
    "urls",
    "released_listings",
    "quarantine",
)


def forget(db: Database, listing_id: int) -> set[int]:
    """Delete a listing with what it said, in the caller's transaction; returns the films that it
    was.

    Rulings stay: they name listings by their keys. A film that has no other listing, now or in the
    past, and that nobody tracks, goes too; its number is never used again.
    """
    run = db.conn.execute
    films = leave(db, [listing_id])
    films |= {
        row[0]
        for row in run("SELECT film_id FROM listing_films WHERE listing_id = ?", (listing_id,))
    }
    for table in _HANGING:
        run(f"DELETE FROM {table} WHERE listing_id = ?", (listing_id,))
    run("DELETE FROM listings WHERE listing_id = ?", (listing_id,))
    for film_id in films:
        _forget_empty(db, film_id)
    return films


def _forget_empty(db: Database, film_id: int) -> None:
    run = db.conn.execute
    (needed,) = run(
        "SELECT EXISTS (SELECT 1 FROM listing_films WHERE film_id = ?1)"
        " OR EXISTS (SELECT 1 FROM tracked_films WHERE film_id = ?1)"
        " OR EXISTS (SELECT 1 FROM films WHERE merged_into = ?1)",
        (film_id,),
    ).fetchone()
    if not needed:
        for table in ("lookups", "judgements", "film_keys", "unindexed_films", "films"):
            run(f"DELETE FROM {table} WHERE film_id = ?", (film_id,))

"""Films that a person tracks: they are kept whatever the universe says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from pipelines import clock
from pipelines.films import Listed, UnknownFilm, of_id
from pipelines.listings import listing_number
from pipelines.matching.spans import OWN_ID
from spiders.sources import FILM_KINDS


def track(db: Database, listings: Sequence[Listed], given: str) -> tuple[int, bool]:
    """Track the film that these listings are, in the caller's transaction.

    All listings of one call are taken to be one film, as rows of a CSV say it. Returns the film
    and whether it was not tracked before. Raises UnknownFilm where they belong to several films.
    """
    run = db.conn.execute
    at = clock.now()
    films = {one.film_id for listing in listings for one in of_id(db, str(listing)) or ()}
    if len(films) > 1:
        raise UnknownFilm(f"{given}: these ids are of different films here: {sorted(films)}")
    numbers = [listing_number(db, *listing, at) for listing in listings]
    film_id = films.pop() if films else int(run("INSERT INTO films DEFAULT VALUES").lastrowid or 0)
    for number, listing in zip(numbers, listings, strict=True):
        run(
            "INSERT INTO listing_films (listing_id, film_id, valid_from, method, probability,"
            " evidence) SELECT ?1, ?2, ?3, 'tracked', 1.0, ?4 WHERE NOT EXISTS"
            " (SELECT 1 FROM listing_films WHERE listing_id = ?1 AND valid_to IS NULL)",
            (number, film_id, clock.BEGINNING, f"tracked as {given}"),
        )
        column = OWN_ID.get(listing.source)
        if column:
            run(
                f"UPDATE films SET {column} = ? WHERE film_id = ? AND {column} IS NULL",
                (listing.source_id, film_id),
            )
    new = run("INSERT OR IGNORE INTO tracked_films VALUES (?, ?, ?)", (film_id, given, at)).rowcount
    return film_id, bool(new)


def tracked(db: Database) -> list[dict[str, Any]]:
    """The films that are tracked, in the order in which they came to be: film_id, title, year,
    imdb_id, tmdb_id (each None where it is not known yet), `given` and `tracked_at`."""
    return list(
        db.query(
            "SELECT film_id, title, year, imdb_id, tmdb_id, given, tracked_at FROM tracked_films"
            " JOIN films USING (film_id) ORDER BY tracked_at, film_id"
        )
    )


def untrack(db: Database, film_id: int) -> bool:
    """Stop tracking a film; its rows stay. Returns whether it was tracked."""
    gone = db.conn.execute("DELETE FROM tracked_films WHERE film_id = ?", (film_id,)).rowcount
    return bool(gone)


def not_films(db: Database) -> list[tuple[str, str]]:
    """Tracked titles that IMDb lists as something else than a film, with their kind."""
    placeholders = ", ".join("?" * len(FILM_KINDS))
    rows = db.conn.execute(
        "SELECT f.imdb_id, f.kind FROM films f JOIN tracked_films USING (film_id)"
        f" WHERE f.kind IS NOT NULL AND f.kind NOT IN ({placeholders})",
        FILM_KINDS,
    )
    return [(row[0], row[1]) for row in rows]

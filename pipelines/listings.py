"""Listings: their facts, titles, people and genres, and the ids that their pages state."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from pipelines import guard
from pipelines.database import first_row
from pipelines.statements import Statement
from pipelines.tables import FILM_COLUMNS
from spiders.sources import SOURCES, by_key

FACTS = tuple(FILM_COLUMNS)
"""Columns that listings and films have in common."""

_KEYS = frozenset(source.key for source in SOURCES)

UNDECODABLE = "\ufffd"
"""Stands in a text for bytes of another encoding: what the site says there is not known."""


def listing_number(db: Database, source: str, source_id: str, at: str) -> int:
    """The number of a listing, which is made where it is new."""
    row = first_row(
        db,
        "SELECT listing_id FROM listings WHERE source = ? AND source_id = ?",
        source,
        source_id,
    ) or first_row(
        db,
        "INSERT INTO listings (source, source_id, url, first_seen_at) VALUES (?, ?, ?, ?)"
        " RETURNING listing_id",
        source,
        source_id,
        by_key(source).page_url(source_id),
        at,
    )
    assert row
    return int(row[0])


def doubt_identity(db: Database, said: Statement) -> str | None:
    """Why a page seems to show another film than its listing was at that time, or None.

    A saved page's address may have been another film's then. What a site shows today is doubted
    only where its address is all that is known of a film that somebody tracks; elsewhere matching
    holds it against the film's other listings before it is merged.
    """
    lone = (
        "lf.method = 'tracked' AND NOT EXISTS (SELECT 1 FROM listing_films o JOIN listings m"
        " USING (listing_id) WHERE o.film_id = lf.film_id AND o.listing_id <> lf.listing_id"
        " AND o.valid_to IS NULL AND m.title IS NOT NULL)"
    )
    row = first_row(
        db,
        "SELECT f.title, f.original_title, f.year FROM films f JOIN listing_films lf"
        " USING (film_id) WHERE lf.listing_id = ?1 AND lf.valid_from <= ?2"
        f" AND (lf.valid_to IS NULL OR lf.valid_to > ?2) AND (?3 OR {lone})",
        said.listing_id,
        said.at,
        said.origin == "archive",
    )
    if row is None:
        return None
    return guard.another_film(said.record, [title for title in row[:2] if title], row[2])


def store_facts(db: Database, said: Statement) -> bool:
    """A field that the page does not carry never overwrites; a saved page only fills gaps.

    Returns whether the page came to show another film than it did.
    """
    record = said.record
    facts = {
        name: value
        for name in FACTS
        if (value := getattr(record, name)) is not None and UNDECODABLE not in str(value)
    }
    if record.offers:
        facts["offers"] = json.dumps(sorted(record.offers))
    if not facts:
        return False
    turned = said.origin != "archive" and _note_another_film(db, said)
    pattern = "{0} = ifnull({0}, ?)" if said.origin == "archive" else "{0} = ?"
    assign = ", ".join(pattern.format(name) for name in facts)
    differ = " OR ".join(f"{name} IS NOT ?" for name in facts)
    db.conn.execute(
        f"UPDATE listings SET {assign} WHERE listing_id = ? AND ({differ})",
        (*facts.values(), said.listing_id, *facts.values()),
    )
    return turned


def _note_another_film(db: Database, said: Statement) -> bool:
    """Note since when a listing's page shows another film than it did: its address was reused.
    Returns whether it is so since now."""
    before = first_row(
        db, "SELECT title, original_title, year FROM listings WHERE listing_id = ?", said.listing_id
    )
    turned = before is not None and guard.turned_into_another(
        said.record, [title for title in before[:2] if title], before[2]
    )
    if turned:
        db.conn.execute(
            "UPDATE listings SET another_film_since = ? WHERE listing_id = ?",
            (said.at, said.listing_id),
        )
    return turned


def store_parts(db: Database, said: Statement) -> None:
    """Alternative titles, people and genres: the page's whole list replaces the last one."""
    record, number = said.record, said.listing_id
    film = first_row(
        db, "SELECT film_id FROM listing_films WHERE listing_id = ? AND valid_to IS NULL", number
    )
    film_id = film[0] if film else None
    titles = [
        (title.title, title.country, title.language)
        for title in dict.fromkeys(record.alternative_titles)
    ]
    if _replaces(db, said, "film_titles", "SELECT title, country, language FROM {}", titles):
        db.conn.executemany(
            "INSERT INTO film_titles (listing_id, film_id, title, country, language)"
            " VALUES (?, ?, ?, ?, ?)",
            ((number, film_id, *title) for title in titles),
        )
    genres = [(genre,) for genre in dict.fromkeys(record.genres)]
    if _replaces(db, said, "film_genres", "SELECT genre FROM {}", genres):
        db.conn.executemany(
            "INSERT INTO film_genres (listing_id, film_id, genre) VALUES (?, ?, ?)",
            ((number, film_id, *genre) for genre in genres),
        )
    people = [(who.role, who.position, who.name) for who in dict.fromkeys(record.people)]
    named = "SELECT part, billing, name FROM {} JOIN people USING (person_id)"
    if _replaces(db, said, "film_people", named, people):
        db.conn.executemany(
            "INSERT OR IGNORE INTO people (name) VALUES (?)", ((name,) for _, _, name in people)
        )
        db.conn.executemany(
            "INSERT INTO film_people (listing_id, film_id, person_id, part, billing)"
            " SELECT ?, ?, person_id, ?, ? FROM people WHERE name = ?",
            ((number, film_id, *who) for who in people),
        )


def store_identifiers(db: Database, said: Statement, redirected_from: str | None) -> None:
    """What the page states of the film's ids elsewhere; each listing so named is made known.

    `redirected_from` is the source_id that was asked, where the site led from there to here: it
    says itself that the two are one.
    """
    record = said.record
    stated = {(key, value) for key, values in record.identifiers.items() for value in values}
    if record.imdb_id and record.source != "imdb":
        stated.add(("imdb", record.imdb_id))
    if record.tmdb_id and record.source != "tmdb":
        stated.add(("tmdb", str(record.tmdb_id)))
    for source, source_id in sorted(stated):
        _state(db, said.listing_id, source, source_id)
        if source in _KEYS:
            listing_number(db, source, source_id, said.at)
    if redirected_from is not None:
        asked = listing_number(db, record.source, redirected_from, said.at)
        _state(db, asked, record.source, str(record.source_id))


def _state(db: Database, listing_id: int, source: str, source_id: str) -> None:
    db.conn.execute(
        "INSERT OR IGNORE INTO listing_identifiers VALUES (?, ?, ?)",
        (listing_id, source, source_id),
    )


def _replaces(
    db: Database, said: Statement, table: str, select: str, parts: Sequence[Sequence[Any]]
) -> bool:
    """Make room for a page's parts; False where it has none or the same ones, or where a saved page
    finds others there. `select` reads those that stand, as `parts` has them."""
    if not parts or UNDECODABLE in repr(parts):
        return False
    rows = db.conn.execute(f"{select.format(table)} WHERE listing_id = ?", (said.listing_id,))
    stand = rows.fetchall()
    if stand and (said.origin == "archive" or Counter(stand) == Counter(map(tuple, parts))):
        return False
    db.conn.execute(f"DELETE FROM {table} WHERE listing_id = ?", (said.listing_id,))
    return True

"""What a dataset says of titles and people of many films at once.

What stands is read for all films of a part together and held against it: of most films it is the
same every night, and nothing is written. A film that the dataset does not name keeps what stands,
since films are absent from it on some days.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from pipelines.statements import Tally
from spiders.items import Crew, OtherTitles

_Rows = Mapping[int, Sequence[tuple[Any, ...]]]

_LISTED = """
SELECT l.source_id, l.listing_id
FROM json_each(?2) asked CROSS JOIN listings l ON l.source = ?1 AND l.source_id = asked.value
"""

_TITLES = """
SELECT t.listing_id, t.title, t.country, t.language
FROM json_each(?) asked CROSS JOIN film_titles t ON t.listing_id = asked.value
"""

# A page may have told of the cast too, of which a crew says nothing.
_PEOPLE = """
SELECT p.listing_id, who.name, p.part, p.billing
FROM json_each(?) asked CROSS JOIN film_people p ON p.listing_id = asked.value
JOIN people who USING (person_id) WHERE p.part IN ('director', 'writer')
"""

_FILM = "(SELECT film_id FROM listing_films WHERE listing_id = ?1 AND valid_to IS NULL)"


def store_other_titles(db: Database, part: OtherTitles, tally: Tally) -> None:
    """Store the titles of films that have others than before, in the caller's transaction."""
    differ = _differing(db, part, _TITLES, tally)
    db.conn.executemany("DELETE FROM film_titles WHERE listing_id = ?", _numbers(differ))
    db.conn.executemany(
        "INSERT INTO film_titles (listing_id, film_id, title, country, language)"
        f" VALUES (?1, {_FILM}, ?2, ?3, ?4)",
        ((number, *row) for number, rows in differ.items() for row in rows),
    )


def store_crew(db: Database, part: Crew, tally: Tally) -> None:
    """Store the directors and writers of films that have others than before, in the caller's
    transaction."""
    differ = _differing(db, part, _PEOPLE, tally)
    db.conn.executemany(
        "DELETE FROM film_people WHERE listing_id = ? AND part IN ('director', 'writer')",
        _numbers(differ),
    )
    parts = [(number, *row) for number, rows in differ.items() for row in rows]
    db.conn.executemany(
        "INSERT OR IGNORE INTO people (name) VALUES (?)",
        ((name,) for name in dict.fromkeys(row[1] for row in parts)),
    )
    db.conn.executemany(
        "INSERT INTO film_people (listing_id, film_id, person_id, part, billing)"
        f" SELECT ?1, {_FILM}, person_id, ?3, ?4 FROM people WHERE name = ?2",
        parts,
    )


def _differing(db: Database, part: OtherTitles | Crew, standing: str, tally: Tally) -> _Rows:
    """The films of which something else stands than is told, with what is told, by their listings'
    numbers. What is told of a listing that is not here is left out."""
    by_film = part.by_film
    listed = db.conn.execute(_LISTED, (part.source, json.dumps(list(by_film))))
    told_of = {number: by_film[source_id] for source_id, number in listed}
    stands: dict[int, set[tuple[Any, ...]]] = {}
    for number, *row in db.conn.execute(standing, (json.dumps(list(told_of)),)):
        stands.setdefault(number, set()).add(tuple(row))
    differ = {n: rows for n, rows in told_of.items() if stands.get(n) != set(rows)}
    tally.counts["stored"] += len(told_of)
    tally.touch(differ)
    return differ


def _numbers(rows: _Rows) -> Iterable[tuple[int]]:
    return ((number,) for number in rows)

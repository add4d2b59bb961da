"""Films for a home cinema: what Kodi, Jellyfin and Kometa are told of each, read film by film."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pipelines.export.notice import sources_of, write_notice
from pipelines.export.reading import Advance, Narrowed, batches, one_moment
from spiders.sources import score_kinds

_FACTS = (
    "film_id", "title", "original_title", "year", "runtime_minutes", "released_on", "overview",
    "imdb_id", "tmdb_id", "wikidata_id",
)  # fmt: skip
_CREDITS = ("stay", "during", "after")

# Several listings of a film may name the same person, or genre.
_PEOPLE = """
SELECT fp.film_id, fp.part, p.name FROM film_people fp JOIN people p USING (person_id)
WHERE fp.film_id IN (SELECT value FROM json_each(?))
GROUP BY fp.film_id, fp.part, p.name ORDER BY min(ifnull(fp.billing, 999)), min(fp.listing_id)
"""
_GENRES = """
SELECT film_id, 'genre', genre FROM film_genres
WHERE film_id IN (SELECT value FROM json_each(?))
GROUP BY film_id, genre ORDER BY min(listing_id), genre
"""


@dataclass(frozen=True)
class Rating:
    """A score as it stands: its value in its own scale, and the votes where they are known."""

    value: float
    votes: int | None


@dataclass(frozen=True)
class Film:
    """What is known of one film: its facts, its scores by kind, its people and genres by part."""

    facts: Mapping[str, Any]
    ratings: Mapping[str, Rating]
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def named(self) -> str:
        """Title and year for a file's name or a comment, without characters that nobody sees."""
        seen = "".join(c for c in self.facts["title"] if unicodedata.category(c)[0] != "C")
        year = self.facts["year"]
        return " ".join(seen.split()) + (f" ({year})" if year else "")

    @property
    def credits(self) -> list[str]:
        """What is known of scenes in the credits, in words of CREDITS."""
        places = (self.facts["during"], self.facts["after"])
        known = [word for word, says in zip(CREDITS, places, strict=False) if says == "yes"]
        if self.facts["stay"] == "no":
            known.append(CREDITS[2])
        if "disputed" in places:
            known.append(CREDITS[3])
        return known


CREDITS = (
    "Scene during the credits",
    "Scene after the credits",
    "No scene in the credits",
    "Credits disputed",
)

Render = Callable[[Path, Iterator[Film]], None]
"""Writes films into a folder, as one program wants them."""


def export_films(
    db: Database, render: Render, folder: Path, at: str, narrowed: Narrowed, advance: Advance
) -> int:
    """Write every film that has a title into a folder, with NOTICE; returns how many there were.

    `narrowed.where` is a condition on `film_scores`. Raises CannotExport.
    """
    number = 0

    def counted() -> Iterator[Film]:
        nonlocal number
        for film in _films(db, narrowed):
            number += 1
            advance("films", number)
            yield film

    with one_moment(db.conn):
        render(folder, counted())
        sources = sources_of(db)
    write_notice(folder, sources, at)
    return number


def _films(db: Database, narrowed: Narrowed) -> Iterator[Film]:
    keys = [kind.key for kind in score_kinds()]
    columns = [
        *(f"f.{name}" for name in _FACTS),
        *(f"c.{name}" for name in _CREDITS),
        *(f"s.{key}, s.{key}_votes" for key in keys),
    ]
    sql = (
        f"SELECT {', '.join(columns)} FROM film_scores s JOIN films f USING (film_id)"
        " LEFT JOIN stay_for_the_credits c USING (film_id) WHERE f.title IS NOT NULL"
    )
    if narrowed.where:
        sql += f" AND s.film_id IN (SELECT film_id FROM film_scores WHERE ({narrowed.where}\n))"
    for rows in batches(db.conn, "film_scores", sql, (), narrowed):
        parts = _parts(db, [row[0] for row in rows])
        for row in rows:
            facts = dict(zip((*_FACTS, *_CREDITS), row, strict=False))
            scores = iter(row[len(facts) :])
            ratings = {
                key: Rating(value, votes)
                for key, value, votes in zip(keys, scores, scores, strict=True)
                if value is not None
            }
            yield Film(facts, ratings, parts[facts["film_id"]])


def _parts(db: Database, film_ids: Sequence[int]) -> Mapping[int, Mapping[str, list[str]]]:
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    numbers = json.dumps(film_ids)
    for sql in (_PEOPLE, _GENRES):
        for film_id, part, name in db.execute(sql, [numbers]):
            found[film_id][part].append(name)
    return found

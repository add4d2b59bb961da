"""Which films are sought on which source, and what is remembered of it: a film that a source does
not have is not looked for every night."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from sqlite_utils import Database

from pipelines import clock
from pipelines.crawl_profile import CAME_WHOLE
from pipelines.database import transaction
from spiders.items import Answer, Outcome
from spiders.sources import IMDB_ID, SOURCES, Finds, Source, by_key

LOOKUP_DAYS = 30
"""A film that a source did not have is sought there again after as many days."""

_TELLS = (Outcome.OK, Outcome.NOT_FOUND, Outcome.NOT_A_FILM)
_IMDB_ID = re.compile(IMDB_ID)

WHOLE_FROM = 10_000
"""From so many films on all of a crosswalk is asked for at once: it takes its service half a
minute, and so many films in batches take a minute and three of waiting in between."""

# A film that is listed there has a listing; in a dataset, one with a title, since one without was
# only tracked. What this very run found ambiguous stays so. A dataset or list speaks of every film
# each night: only what is new of it is written (`anew` 0), or a quiet night would write them all.
_REMEMBER = """
INSERT INTO lookups
SELECT f.film_id, :source, :at, CASE WHEN EXISTS (
    SELECT 1 FROM listing_films lf JOIN listings l USING (listing_id)
    WHERE lf.film_id = f.film_id AND lf.valid_to IS NULL AND l.source = :source
      AND (NOT :titled OR l.title IS NOT NULL)
  ) THEN 'listed' ELSE 'not_listed' END, :detail
FROM films f
WHERE f.imdb_id {which} AND NOT EXISTS (
    SELECT 1 FROM lookups k WHERE k.film_id = f.film_id AND k.source = :source
      AND k.found = 'ambiguous' AND k.sought_at >= :since
  )
ON CONFLICT (film_id, source) DO UPDATE SET
  sought_at = excluded.sought_at, found = excluded.found, detail = excluded.detail
  WHERE :anew OR found <> excluded.found
RETURNING film_id
"""

# A dataset or list speaks for every film, the newborn too.
_EVERY_FILM = """IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM lookups k WHERE k.film_id = f.film_id AND k.source = :source
      AND k.found = 'listed'
  )"""

_RESTED = f"""
SELECT 1 FROM (
  SELECT max(last_asked_at) AS at FROM urls
  WHERE source = ?1 AND listing_id IS NULL AND last_outcome = 'ok' AND last_asked_at > ?2
) asked
JOIN crawls c ON c.source = ?1 AND c.started_at <= asked.at
JOIN runs r USING (run_id)
WHERE r.ended_at >= asked.at AND (c.outcome <> 'interrupted' OR c.profile LIKE '{CAME_WHOLE}')
"""


class Lookups:
    """The find stage's memory. What finders and crosswalks are asked, and answer, is told to
    `answered` as it comes, and what they do not have is written down with their answer: whatever
    ends a run, it is not asked again. `write` writes down what they have, once that is matched."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._answered: defaultdict[str, set[str]] = defaultdict(set)

    def wanted(self, source: Source, *, chosen: bool, since: str | None) -> tuple[str, ...]:
        """The IMDb ids that a source is asked for.

        The datasets, for every film there is here, whatever its votes are by now; the universe's
        come by themselves. Lists, for none: they have what they have. The crosswalk and finders,
        for films not sought there `since` a time (None: whenever that was); `chosen`: for those of
        the table temp.chosen_films alone.
        """
        if source.finds is Finds.LISTS:
            return ()
        if source.finds is Finds.DATASET:
            return self._imdb_ids("1")
        where = "(?1 IS NULL OR NOT EXISTS (SELECT 1 FROM lookups k WHERE"
        where += " k.film_id = films.film_id AND k.source = ?2 AND k.sought_at >= ?1))"
        if source.finds is Finds.FINDER:
            where += " AND NOT EXISTS (SELECT 1 FROM listing_films lf JOIN listings l"
            where += " USING (listing_id) WHERE lf.film_id = films.film_id"
            where += " AND lf.valid_to IS NULL AND l.source = ?2)"
        if chosen:
            where += " AND film_id IN (SELECT film_id FROM temp.chosen_films)"
        # Those never sought come first: who has a budget comes to all of them in turn.
        first = "(SELECT sought_at FROM lookups k WHERE k.film_id = films.film_id AND source = ?2)"
        return self._imdb_ids(where, since, source.key, first=first)

    def sought(self, source: Source, since: str) -> int:
        """How many films were sought on a source since then."""
        (films,) = self._db.conn.execute(
            "SELECT count(*) FROM lookups WHERE source = ? AND sought_at >= ?", (source.key, since)
        ).fetchone()
        return int(films)

    def films_sought(self, since: str) -> set[int]:
        """The films of which it was written down since then what came of seeking them."""
        rows = self._db.conn.execute("SELECT film_id FROM lookups WHERE sought_at >= ?", (since,))
        return {row[0] for row in rows}

    def rested(self, source: Source, since: str) -> bool:
        """Whether the source's lists or datasets answered since then, and came whole: of a list
        that was cut off nobody knows the rest, so it is begun anew."""
        return self._db.conn.execute(_RESTED, (source.key, since)).fetchone() is not None

    def news_for(self, source: Source) -> bool:
        """Whether a film is tracked of which a dataset has not been asked yet."""
        row = self._db.conn.execute(
            "SELECT 1 FROM films f JOIN tracked_films USING (film_id) LEFT JOIN lookups k"
            " ON k.film_id = f.film_id AND k.source = ?"
            " WHERE f.imdb_id IS NOT NULL AND k.film_id IS NULL",
            (source.key,),
        ).fetchone()
        return row is not None

    def asks_whole(self, source: Source, imdb_ids: Sequence[str]) -> bool:
        """Whether so many films are sought in a crosswalk that all of it is asked for; where that
        was in vain, not again for as long as a film that was not found."""
        if source.finds is not Finds.CROSSWALK or len(imdb_ids) < WHOLE_FROM:
            return False
        in_vain = self._db.conn.execute(
            "SELECT 1 FROM urls WHERE source = ? AND listing_id IS NULL AND failures > 0"
            " AND last_asked_at > ?",
            (source.key, clock.later(clock.now(), days=-LOOKUP_DAYS)),
        )
        return in_vain.fetchone() is None

    def answered(self, answer: Answer, since: str) -> set[int]:
        """A source has told whether it has the films that it was asked for, which its URL names;
        all of a crosswalk tells of the films that it has. Those that it has not are remembered with
        the answer, in the caller's transaction, and given. `since` is when the run began."""
        if answer.outcome not in _TELLS:
            return set()
        has = {imdb_id for r in answer.records for imdb_id in r.identifiers.get("imdb", ())}
        if answer.target in ("crosswalk", "find"):
            asked = set(_IMDB_ID.findall(unquote(answer.asked_url)))
            if has & asked:
                self._answered[answer.source] |= has & asked
            return self._remember(by_key(answer.source), sorted(asked - has), since)
        if answer.target == "whole_crosswalk":
            self._answered[answer.source] |= has
        return set()

    def write(self, source: Source, since: str) -> set[int]:
        """Remember which films a source has, once what it told is matched, and give them. `since`
        is when the run began."""
        of_every_film = source.finds in (Finds.DATASET, Finds.LISTS)
        films = [None] if of_every_film else sorted(self._answered.pop(source.key, ()))
        with transaction(self._db):
            return self._remember(source, films, since)

    def _remember(self, source: Source, imdb_ids: Sequence[str | None], since: str) -> set[int]:
        """Write down what came of seeking films (None: every film) on a source, and give those of
        which that is news."""
        if not imdb_ids:
            return set()
        about = [source.key]
        if source.finds is Finds.CROSSWALK:
            # It speaks for every source whose ids it holds, except where the source itself can
            # still be asked.
            about += [s.key for s in SOURCES if s.wikidata_property and not s.finds]
        of_every_film = imdb_ids[0] is None
        values = {
            "at": clock.now(),
            "detail": f"asked {source.key}",
            "titled": source.finds is Finds.DATASET,
            "anew": not of_every_film,
            "since": since,
        }
        remember = _REMEMBER.format(which=_EVERY_FILM if of_every_film else "= :imdb_id")
        films: set[int] = set()
        for key in about:
            for imdb_id in imdb_ids:
                rows = self._db.conn.execute(
                    remember, {**values, "source": key, "imdb_id": imdb_id}
                )
                films.update(row[0] for row in rows)
        return films

    def write_doubtful(self, doubtful: Mapping[int, Mapping[int, str]]) -> set[int]:
        """A film that a doubtful listing may be is neither listed nor not listed there. Takes the
        films that each listing may be, with the evidence; gives the films."""
        pairs = [
            (film_id, listing_id) for listing_id, films in doubtful.items() for film_id in films
        ]
        with transaction(self._db):
            self._db.conn.executemany(
                "INSERT OR REPLACE INTO lookups SELECT ?, source, ?, 'ambiguous',"
                " source || ':' || source_id FROM listings WHERE listing_id = ?",
                ((film_id, clock.now(), listing_id) for film_id, listing_id in pairs),
            )
        return {film_id for film_id, _ in pairs}

    def _imdb_ids(self, where: str, *values: Any, first: str = "1") -> tuple[str, ...]:
        order = f"ORDER BY {first}, imdb_id"
        rows = self._db.conn.execute(
            f"SELECT imdb_id FROM films WHERE imdb_id IS NOT NULL AND {where} {order}", values
        )
        return tuple(row[0] for row in rows)

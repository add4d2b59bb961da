"""Answers of our own making, and a database to store them in: what the tests of storing share."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import transaction, writing
from pipelines.derived import prepare
from pipelines.matching.matcher import Matched, match
from pipelines.merge import merge
from pipelines.statements import Origin, Tally
from pipelines.store import Store
from spiders.items import Answer, Outcome, Record, Score, ScoreState
from spiders.sources import SOURCES, by_key

READER = "reader-1"
"""The reader's version that the store is told."""

LISTED = {
    "imdb": "tt1074638",
    "wikidata": "Q4941",
    "tmdb": "37724",
    "rottentomatoes": "m/skyfall",
    "metacritic": "movie/skyfall",
    "whatsafterthemovie": "movies/skyfall",
    "aftercredits": "2012/11/skyfall",
    "mediastinger": "skyfall-2012-after-the-credits",
}
"""One film as each source lists it."""


def day(number: float) -> str:
    """The time of one night's answers: nights are counted from 1 January 2026."""
    return clock.later("2025-12-31T03:00:00Z", days=number)


def scored(value: float, votes: int | None = 100, scale_max: float = 100, **more: Any) -> Score:
    """A figure."""
    return Score(state=ScoreState.SCORED, value=value, votes=votes, scale_max=scale_max, **more)


def not_rated(scale_max: float = 100, votes: int | None = None) -> Score:
    """The site says that there is none yet."""
    return Score(state=ScoreState.NOT_RATED, scale_max=scale_max, votes=votes)


def missing(scale_max: float = 100) -> Score:
    """A page on which a score was expected and not found."""
    return Score(state=ScoreState.MISSING, scale_max=scale_max)


def record(source: str = "rottentomatoes", source_id: str | None = None, **said: Any) -> Record:
    """What a page of a source says of one listing; of `LISTED`'s where none is named."""
    named = source_id or LISTED[source]
    return Record(
        **{"source": source, "source_id": named, "url": by_key(source).page_url(named), **said}
    )


def answer(*records: Record, at: str, **more: Any) -> Answer:
    """The answer of a listing's page, or (target=…) of a list or dataset with many records."""
    first = records[0]
    url = by_key(first.source).ask_url(str(first.source_id)) or str(first.url)
    told: dict[str, Any] = {
        "source": first.source,
        "target": "listing",
        "asked_url": url,
        "asked_at": at,
        "outcome": first.outcome,
        "records": records,
    }
    told |= more
    told.setdefault("url", told["asked_url"])
    if told["target"] == "listing":
        told.setdefault("asked_source_id", first.source_id)
    return Answer(**told)


def tomatometer(score: Score, at: str, source_id: str = "m/skyfall", **more: Any) -> Answer:
    """The answer of a Rotten Tomatoes page that shows one Tomatometer."""
    return answer(record(source_id=source_id, scores={"tomatometer": score}), at=at, **more)


def refused(outcome: Outcome, at: str, source: str = "rottentomatoes", **more: Any) -> Answer:
    """The answer of a listing's page from which nothing could be read."""
    return answer(record(source, more.pop("source_id", None), outcome=outcome), at=at, **more)


class Kept:
    """A database, and the writer's hand on it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._store = Store(db, None, dict.fromkeys((s.key for s in SOURCES), READER))

    def tell(self, *answers: Answer, origin: Origin = "live", exact: str = "second") -> Tally:
        """Store answers, each in a transaction of its own, as a run does."""
        tally = Tally()
        for one in answers:
            with transaction(self.db):
                self._store.answer(one, tally, origin, exact)
        return tally

    def match(self) -> Matched:
        """Match every listing that there is, and merge every film."""
        matched = match(self.db, self.column("SELECT listing_id FROM listings"))
        self.merge()
        return matched

    def merge(self) -> None:
        """Merge every film."""
        merge(self.db, self.column("SELECT film_id FROM films"))

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row) for row in self.db.conn.execute(sql, values)]

    def row(self, sql: str, *values: Any) -> tuple[Any, ...]:
        """The one row of a query."""
        (found,) = self.rows(sql, *values)
        return found

    def column(self, sql: str, *values: Any) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.rows(sql, *values)]

    def score(self, kind: str = "tomatometer", source_id: str = "m/skyfall") -> dict[str, Any]:
        """What stands of one listing and kind."""
        return next(
            self.db.query(
                "SELECT s.* FROM scores s JOIN listings USING (listing_id)"
                " WHERE score_kind = ? AND source_id = ?",
                [kind, source_id],
            )
        )

    def observed(self, kind: str = "tomatometer") -> list[tuple[Any, ...]]:
        """The history of a kind, oldest first: when, state, value, votes."""
        return self.rows(
            "SELECT observed_at, state, value, votes FROM score_observations"
            " WHERE score_kind = ? ORDER BY observed_at, rowid",
            kind,
        )

    def confirmed(self, topic: str = "tomatometer") -> list[str]:
        """When what stands of a topic was last seen to be so, listing by listing."""
        return self.column(
            "SELECT confirmed_at FROM confirmed WHERE topic = ? ORDER BY listing_id", topic
        )

    def held(self) -> list[tuple[str, str, str | None]]:
        """What the guard held: topic, reason, decision."""
        return [
            (topic, reason, decision)
            for topic, reason, decision in self.rows(
                "SELECT topic, reason, decision FROM quarantine ORDER BY quarantine_id"
            )
        ]


@contextmanager
def keeping(path: Path) -> Iterator[Kept]:
    """A database at a path for as long as the test needs it."""
    with writing(path) as db:
        prepare(db)
        yield Kept(db)


@contextmanager
def holding(path: Path, since: str) -> Iterator[None]:
    """The lock of a database, held as by a command that took it at that time."""
    with path.with_name(f"{path.name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        json.dump({"since": since}, lock)
        lock.flush()
        yield

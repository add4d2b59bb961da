"""Nights over sites that fail: a refresh each, what it asked, and what is stored after it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pipelines.database import read_only
from tests.conftest import Ended
from tests.fault_server import Asked, FaultServer, Reply, asking

LATE = 0.3
"""Seconds by which a busy machine may send a request later than it was due, or note it later than
it came; the next one is then sent in time, and seems to have come too soon."""


class Sites:
    """A server in the place of each of three sources; listings go by their keys."""

    def __init__(self, servers: Iterable[FaultServer]) -> None:
        self.servers = {server.source.key: server for server in servers}

    def tell(self, listing: str, replies: Iterable[Reply]) -> None:
        """Give these replies, one after another, to the next requests for a listing."""
        source, source_id = listing.split(":")
        self.servers[source].tell_always(source_id, replies)

    def page(self, listing: str) -> bytes:
        """A listing's usual page."""
        source, source_id = listing.split(":")
        return self.servers[source].page(source_id)

    def asked(self) -> dict[str, list[Asked]]:
        """The requests of every listing, in order."""
        return {
            f"{source}:{source_id}": server.requests(source_id)
            for source, server in self.servers.items()
            for source_id in server.pages_asked
        }


@contextmanager
def three_sites() -> Iterator[Sites]:
    """Rotten Tomatoes, Metacritic and TMDB."""
    with ExitStack() as stack:
        keys = ("rottentomatoes", "metacritic", "tmdb")
        yield Sites([stack.enter_context(FaultServer(key)) for key in keys])


@dataclass(frozen=True)
class Night:
    """One refresh: how it ended, the database after it, and what was asked, by listing; by source,
    the seconds between each request and the next."""

    ended: Ended
    file: Path
    asked: Mapping[str, list[Asked]]
    gaps: Mapping[str, list[float]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The database as the refresh left it."""
        return read_only(self.file)

    def outcomes(self) -> dict[str, str]:
        """The outcome of the last request for each listing."""
        return {
            row["listing"]: row["last_outcome"]
            for row in self.database.query(
                "SELECT source || ':' || source_id AS listing, last_outcome"
                " FROM urls JOIN listings USING (source, listing_id)"
            )
        }

    def crawls(self) -> dict[str, str]:
        """The outcome of each source in this run."""
        return {
            row["source"]: row["outcome"]
            for row in self.database.query(
                "SELECT source, outcome FROM crawls WHERE run_id = (SELECT max(run_id) FROM runs)"
                " AND outcome <> 'skipped'"
            )
        }

    def line(self, beginning: str) -> str:
        """The one line that was printed and begins so."""
        lines = [line for line in self.ended.err.splitlines() if line.startswith(beginning)]
        assert len(lines) == 1, self.ended.err
        return lines[0]


def first_night(folder: Path, listings: Iterable[str]) -> Night:
    """A first refresh, in which all goes well."""
    with three_sites() as sites:
        ready = asking(folder, *sites.servers.values())
        ready("track", *listings)
        night = Night(ready("refresh"), folder / "ratings.db", sites.asked())
    assert night.ended.status == 0, night.ended.err
    return night


def next_night(
    before: Night,
    folder: Path,
    script: Callable[[Sites], None],
    *,
    delay: float = 0,
    more: str = "",
) -> Night:
    """Refresh a copy of the database as it stood, with every listing asked again."""
    shutil.copy(before.file, folder)
    with three_sites() as sites:
        script(sites)
        ready = asking(folder, *sites.servers.values(), delay=delay, more=more)
        ended = ready("refresh", "--again")
        gone = {source: gaps(server.asked) for source, server in sites.servers.items()}
        return Night(ended, folder / before.file.name, sites.asked(), gone)


def gaps(asked: Sequence[Asked]) -> list[float]:
    """Seconds between each request and the next."""
    return [after.at - before.at for before, after in pairwise(asked)]


OF_A_LISTING = (
    "listings",
    "listing_films",
    "listing_identifiers",
    "film_titles",
    "film_people",
    "film_genres",
    "score_observations",
    "scores",
    "confirmations",
    "credits_verdicts",
)


def rows_of(database: Database, listing: str) -> dict[str, list[dict[str, Any]]]:
    """All that is stored of a listing and its film, but for when it was last attempted in vain."""
    rows = {
        table: list(
            database.query(
                f"SELECT t.* FROM {table} AS t JOIN listings AS l USING (listing_id)"
                " WHERE l.source || ':' || l.source_id = ?",
                [listing],
            )
        )
        for table in OF_A_LISTING
    }
    films = [row["film_id"] for row in rows["listing_films"]]
    rows["film_scores"] = list(database["film_scores"].rows_where("film_id = ?", films))
    for score in rows["scores"]:
        del score["last_attempt_state"], score["last_attempt_at"]
    return rows


def standing(database: Database, listing: str) -> dict[str, Any]:
    """The scores that stand of a listing, by kind."""
    return {row["score_kind"]: row["value"] for row in rows_of(database, listing)["scores"]}


def is_sound(database: Database) -> bool:
    """Whether SQLite finds nothing wrong, and every reference leads somewhere."""
    (found,) = database.execute("PRAGMA integrity_check").fetchone()
    return found == "ok" and not database.execute("PRAGMA foreign_key_check").fetchall()


def outcomes_of(database: Database, table: str) -> list[str]:
    """The outcomes of all runs, or of all crawls that asked something, in order."""
    rows = database[table].rows_where("outcome <> 'skipped'", order_by="run_id")
    return [row["outcome"] for row in rows]

"""What a night costs: one on which 5,000 listings of six sources are read for the first time, and
one on which nothing has changed since."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.catalogue import LAST, catalogue, move_times
from benchmarks.crawl import AT_ONCE, bare, sites
from benchmarks.pages import NIGHT, films
from benchmarks.processes import Measured, measured
from benchmarks.tables import out, print_machine, print_table
from spiders.sources import SOURCES

FILMS = 834
"""Films that are due on each of six sources: 4,170 pages of five sources, and 834 films more in
nine pages of AfterCredits.com's list."""

CATALOGUED = 48_000
"""Films that the database has beside them, of about four listings each; IMDb's dataset has them."""

DAYS_LATER = 160
"""After so many days every listing is due again: none waits longer than 150."""


@dataclass(frozen=True)
class Night:
    """One night: of which kind, what it asked, and what it cost."""

    name: str
    pages: int
    changed: int
    cost: Measured


@dataclass(frozen=True)
class Nights:
    """A bare crawl of the same pages, and the nights in their order, for one kind of site."""

    etags: bool
    listings: int
    bare: Measured
    nights: tuple[Night, ...]


def run(films: int = FILMS, others: int = CATALOGUED) -> None:
    """What a first night costs beside a bare crawl of its pages, and the quiet one after it."""
    print_machine()
    for etags in (True, False):
        found = nights(etags, others, films)
        how = "with ETags" if etags else "without ETags"
        print_table(
            f"Nights of {found.listings:,} listings, sites {how}",
            (
                {
                    "night": night.name,
                    "answers": f"{night.pages:,}",
                    "changed": f"{night.changed:,}",
                    "seconds": f"{night.cost.seconds:,.1f}",
                    "CPU seconds": f"{night.cost.processor_seconds:,.1f}",
                    "MB written": f"{night.cost.written / 1e6:,.1f}",
                }
                for night in found.nights
            ),
        )
        first, quiet = (night.cost for night in found.nights)
        out.print(
            f"  Bare Scrapy over the same pages: {found.bare.seconds:,.1f} s,"
            f" {found.bare.processor_seconds:,.1f} CPU seconds. The quiet night took"
            f" {quiet.processor_seconds / first.processor_seconds:.2f} of the first's processor"
            " time.\n"
        )


def nights(etags: bool, catalogued: int = CATALOGUED, number: int = FILMS) -> Nights:
    """The first night, and the quiet one after it, on sites with validators or without."""
    with (
        tempfile.TemporaryDirectory(prefix="afterscore-nights-") as name,
        sites("night", number, catalogued, etags) as hosts,
    ):
        return _Nights(Path(name), hosts, catalogued, number).measured(etags=etags)


class _Nights:
    def __init__(self, folder: Path, hosts: dict[str, str], catalogued: int, number: int) -> None:
        self._folder, self._hosts = folder, hosts
        self._catalogued, self._wanted = catalogued, films(number)
        self._path = folder / "ratings.db"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AFTERSCORE_")}
        self._environment = {
            **kept,
            **{host.variable: hosts[host.role] for source in SOURCES for host in source.hosts},
            **{source.key_variable: "a-token" for source in SOURCES if source.key_variable},
            "AFTERSCORE_CONFIG": str(folder / "afterscore.toml"),
        }

    def measured(self, *, etags: bool) -> Nights:
        """All of it."""
        self._settle()
        self._prepare()
        urls = [
            part.url(film).replace(part.host.url, self._hosts[part.host.role])
            for film in self._wanted
            for part in NIGHT
        ]
        alone = bare(self._folder, [urls], AT_ONCE)
        first = self._night("first")
        self._later()
        quiet = self._night("quiet")
        with closing(sqlite3.connect(self._path)) as db:
            (listings,) = db.execute("SELECT count(*) FROM listings").fetchone()
        return Nights(etags, listings, alone, (first, quiet))

    def _night(self, name: str) -> Night:
        """One night. Raises AssertionError where it did not ask what was due."""
        cost = self._afterscore("refresh")
        with closing(sqlite3.connect(self._path)) as db:
            asked, changed, held = db.execute(
                "SELECT sum(fetched + unchanged), sum(changed), sum(held) FROM crawls"
                " WHERE run_id = (SELECT max(run_id) FROM runs)"
            ).fetchone()
        assert held == 0, f"{held} records were held"
        assert asked >= len(NIGHT) * len(self._wanted), f"only {asked} answers came"
        return Night(name, asked, changed, cost)

    def _prepare(self) -> None:
        """The catalogue as if asked yesterday, and the films that are due as if just tracked."""
        catalogue(self._path, self._catalogued)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        days = (yesterday - datetime.fromisoformat(LAST)).days
        with closing(sqlite3.connect(self._path)) as db, db:
            move_times(db, f"+{days} days")
            db.execute("UPDATE lookups SET sought_at = (SELECT max(last_asked_at) FROM urls)")
            db.execute(
                "INSERT INTO urls (url, source, listing_id, last_outcome, last_status,"
                " last_asked_at) SELECT url, source, listing_id, 'ok', 200,"
                " (SELECT max(last_asked_at) FROM urls) FROM listings WHERE source = 'imdb'"
            )
        rows = [[part.source for part in NIGHT]]
        rows += [[part.source_id(film) for part in NIGHT] for film in self._wanted]
        listed = self._folder / "films.csv"
        listed.write_text("\n".join(",".join(row) for row in rows), "utf-8")
        self._afterscore("track", "--films", str(listed))

    def _later(self) -> None:
        """As if the first night had been long ago, for what was due then; and two days ago for the
        dataset, so that it is asked again."""
        with closing(sqlite3.connect(self._path)) as db, db:
            for column in ("last_asked_at", "first_answered_at", "last_answered_at"):
                db.execute(
                    f"UPDATE urls SET {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column},"
                    " iif(listing_id IS NULL, '-2 days', ?)) WHERE listing_id IS NULL OR"
                    " listing_id IN (SELECT listing_id FROM listings WHERE source_id LIKE ?)",
                    (f"-{DAYS_LATER} days", f"%{self._wanted[0].number // 10_000}%"),
                )
            db.execute("PRAGMA optimize")

    def _afterscore(self, *words: str) -> Measured:
        command = [sys.executable, "-m", "schedules.cli", *words, "--db", str(self._path)]
        return measured([command], self._environment)

    def _settle(self) -> None:
        asked = {part.source for part in NIGHT} | {"aftercredits"}
        lines = ["[universe]", "votes_at_least = 25000"]
        for source in SOURCES:
            lines += [f"[sources.{source.key}]", f"enabled = {str(source.key in asked).lower()}"]
            lines += ["delay_seconds = 0", f"requests_a_night = {len(self._wanted)}"]
            lines += ["pages = true"] if "pages" in source.opt_in else []
        (self._folder / "afterscore.toml").write_text("\n".join(lines) + "\n", "utf-8")

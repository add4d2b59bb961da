"""A full crawl (fetch, read, store) and bare ones of the same pages, measured in turn."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.pages import KINDS, Film, Pages, films
from benchmarks.processes import Measured, measured
from benchmarks.tables import out, print_table
from spiders.sources import by_key

AT_ONCE = 16
"""How many requests Scrapy has out at once by default."""


@dataclass(frozen=True)
class Round:
    """One turn of each crawl over the same pages.

    `bare` is one Scrapy process with its default number of requests at once. `three_bare` is what
    our crawls would be if they did nothing with what they fetch: one process for each host, with
    one request at a time. `full` is a run, from the start of the command to its end.
    """

    pages: int
    bare: Measured
    three_bare: Measured
    full: Measured


def run(what: str, rounds_run: Iterable[Round]) -> None:
    """Print medians of each crawl, and what share the full one reaches of the bare one of its
    round."""
    all_rounds = list(rounds_run)
    pages = all_rounds[0].pages
    crawls = {
        f"bare Scrapy, {AT_ONCE} requests at once": [each.bare for each in all_rounds],
        "three bare Scrapys, a request at a time": [each.three_bare for each in all_rounds],
        "afterscore: fetch, read, store": [each.full for each in all_rounds],
    }
    print_table(
        f"Crawls of {pages:,} pages of 260 KB {what}, in turn",
        (
            {
                "medians": name,
                "pages a second": f"{pages / median(t.seconds for t in turns):,.0f}",
                "CPU ms a page": f"{1e3 * median(t.processor_seconds for t in turns) / pages:,.1f}",
            }
            for name, turns in crawls.items()
        ),
    )
    shares = [each.bare.seconds / each.full.seconds for each in all_rounds]
    out.print(
        f"  Share of the bare crawl's speed: {median(shares):.2f}"
        f" ({', '.join(f'{share:.2f}' for share in shares)})"
    )
    peak, *others = (peak / 1_000_000 for peak in all_rounds[-1].full.peaks)
    out.print(
        f"  Peak memory: run process {peak:.0f} MB, largest crawl process {max(others):.0f} MB\n"
    )


def rounds(kind: str, pages: int, number: int) -> Iterator[Round]:
    """So many rounds over so many pages of a kind, in equal parts of each source."""
    parts = KINDS[kind]
    wanted = films(pages // len(parts))
    with (
        tempfile.TemporaryDirectory(prefix="afterscore-bench-") as name,
        sites(kind, len(wanted)) as hosts,
    ):
        folder = Path(name)
        urls = [
            [part.url(film).replace(part.host.url, hosts[part.host.role]) for film in wanted]
            for part in parts
        ]
        mixed = [url for one_each in zip(*urls, strict=True) for url in one_each]
        full = _FullCrawl(folder, parts, hosts, wanted)
        for _ in range(number):
            yield Round(
                pages=len(mixed),
                bare=bare(folder, [mixed], AT_ONCE),
                full=full.run(),
                three_bare=bare(folder, urls, 1),
            )


@contextmanager
def sites(kind: str, *numbers: int) -> Iterator[dict[str, str]]:
    """The addresses of the sites' hosts, by role, while the sites are up."""
    command = [sys.executable, "-m", "benchmarks.site", kind, *(str(int(n)) for n in numbers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        try:
            yield json.loads(running.stdout.readline())
        finally:
            running.stdin.close()


def bare(folder: Path, parts: Sequence[Sequence[str]], at_once: int) -> Measured:
    """A bare spider for each part of the URLs, side by side."""
    commands = []
    for place, urls in enumerate(parts):
        listed = folder / f"urls-{place}"
        listed.write_text("\n".join(urls), "utf-8")
        commands.append([sys.executable, "-m", "benchmarks.bare", str(listed), str(at_once)])
    return measured(commands, os.environ)


class _FullCrawl:
    """`afterscore refresh`, each time on a database that has the films and none of their pages.

    The films are tracked with their listings and the datasets have given their titles; what is
    timed is asking for the pages, reading and storing them.
    """

    def __init__(
        self,
        folder: Path,
        parts: Sequence[Pages],
        hosts: Mapping[str, str],
        wanted: Sequence[Film],
    ) -> None:
        self._parts = parts
        self._pages = len(wanted) * len(parts)
        self._settings = folder / "afterscore.toml"
        self._prepared, self._database = folder / "prepared.db", folder / "ratings.db"
        self._environment = {
            **{name: v for name, v in os.environ.items() if not name.startswith("AFTERSCORE_")},
            **{
                host.variable: hosts[host.role]
                for part in parts
                for host in by_key(part.source).hosts
            },
            "AFTERSCORE_CONFIG": str(self._settings),
        }
        rows = [[part.source for part in parts]]
        rows += [[part.source_id(film) for part in parts] for film in wanted]
        listed = folder / "films.csv"
        listed.write_text("\n".join(",".join(row) for row in rows), "utf-8")
        self._settle(title_pages=False)
        self._afterscore(self._prepared, "track", "--films", str(listed))
        self._afterscore(self._prepared, "refresh", "--source", "imdb")
        self._settle(title_pages=True)

    def run(self) -> Measured:
        """One crawl. Raises AssertionError where a page's figures are not in the database."""
        shutil.copy(self._prepared, self._database)
        crawl = self._afterscore(self._database, "refresh")
        with closing(sqlite3.connect(self._database)) as db:
            stored = db.execute(
                "SELECT count(DISTINCT listing_id) FROM score_observations WHERE origin = 'live'"
            ).fetchone()[0]
        assert stored == self._pages, f"only {stored} of {self._pages} pages gave a figure"
        return crawl

    def _afterscore(self, database: Path, *words: str) -> Measured:
        command = [sys.executable, "-m", "schedules.cli", *words, "--db", str(database)]
        return measured([command], self._environment)

    def _settle(self, *, title_pages: bool) -> None:
        """The settings: these sources, without waiting; everything else is off."""
        lines = ["[sources.wikidata]", "enabled = false"]
        for part in self._parts:
            lines += [f"[sources.{part.source}]", "enabled = true", "delay_seconds = 0"]
            lines.append(f"requests_a_night = {self._pages}")
            if part.source == "imdb":
                lines.append(f"pages = {str(title_pages).lower()}")
        self._settings.write_text("\n".join(lines) + "\n", "utf-8")

"""What browsing a large database costs: requests over HTTP for each kind of page, list, query,
chart and facet of the site, as `afterscore serve` gives them."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import numpy as np
import typer
from datasette.utils import parse_metadata
from sqlite_utils import Database

from benchmarks.catalogue import Past, catalogue
from benchmarks.processes import processor_seconds
from benchmarks.tables import out, print_machine, print_table
from explore.facets import SEEN_FACET, bounds
from explore.lists import LISTS, MOST_PAGES
from explore.site import NAME, metadata_file
from pipelines.ages import LONGER_AGO, NEVER, SEEN
from pipelines.clock import stamp
from pipelines.database import read_only, transaction, writing
from spiders.sources import SOURCES

FILMS = 200_000
OBSERVATIONS = 4
"""Of each of about 780,000 scores: three million."""

DAYS_APART = 200
"""Between two of them, at most: a score in thirty moved within the last week."""

SAVED = 10
"""Of a hundred listings so many have an oldest observation from a saved page."""

TIMES = 20
"""Visits of a page after the first, each with other words, films or values where it takes any."""

MIDDLE, SLOW = 0.2, 0.5
"""What is wanted of each page in the middle and at the 95th percentile, seconds."""

_PATIENCE = 120
"""Seconds after which a visitor gives up."""


@dataclass
class Page:
    """A page, the addresses that its visits take in turn, and what came of them.

    `first` is the first visit after the site was started, in seconds, as the others are;
    `processor_seconds` are those that the site took for all others together. `wrong` says what came
    in place of a whole page.
    """

    group: str
    name: str
    paths: Sequence[str]
    first: float = 0.0
    others: list[float] = field(default_factory=list)
    processor_seconds: float = 0.0
    wrong: str = ""

    @property
    def middle(self) -> float:
        """The median of the visits after the first, seconds."""
        return float(np.median(self.others))

    @property
    def slow(self) -> float:
        """Their 95th percentile, seconds."""
        return float(np.percentile(self.others, 95))

    @property
    def milliseconds(self) -> dict[str, str]:
        """Those of the visits after the first, as a table has them."""
        cpu = self.processor_seconds / len(self.others)
        figures = {"median ms": self.middle, "95 % ms": self.slow, "CPU ms": cpu}
        return {heading: f"{1000 * seconds:,.0f}" for heading, seconds in figures.items()}


def run(
    films: int = FILMS,
    kept: Annotated[
        Path | None, typer.Option("--db", help="Keep the database there; use it if it is there")
    ] = None,
    visits: int = TIMES,
) -> None:
    """How long the site's pages take: the first visit, and all that follow it."""
    print_machine()
    with tempfile.TemporaryDirectory(prefix="afterscore-browse-") as folder:
        path = kept or Path(folder) / "ratings.db"
        if not path.exists():
            make(path, films)
        pages = browsed(path, visits)
    for group in dict.fromkeys(page.group for page in pages):
        print_table(
            group,
            (
                {"page": page.name, "first ms": f"{1000 * page.first:,.0f}", **page.milliseconds}
                for page in pages
                if page.group == group
            ),
        )
    over = [page for page in pages if page.middle > MIDDLE or page.slow > SLOW]
    out.print(
        f"  {len(over)} of {len(pages)} over {1000 * MIDDLE:.0f} ms in the middle or"
        f" {1000 * SLOW:.0f} ms at the 95th percentile"
    )
    for page in pages:
        if page.wrong:
            out.print(f"  {page.group}, {page.name}: {page.wrong}", markup=False)


def make(path: Path, films: int) -> None:
    """Make a database of so many films and two years of nights, the last of them just over."""
    last = stamp(datetime.now(UTC) - timedelta(hours=7))
    catalogue(path, films, Past(OBSERVATIONS, DAYS_APART, last, SAVED))
    with writing(path) as db, transaction(db):
        _nights_and_doubts(db, last)


def browsed(
    path: Path, times: int = TIMES, chosen: Callable[[Page], bool] = lambda page: True
) -> list[Page]:
    """Every page of the site, or those that are chosen, visited so often; one visitor, who waits
    for each answer."""
    with read_only(path).conn as connection:
        all_pages = [page for page in pages(Database(connection)) if chosen(page)]
    with _served(path) as (client, pid):
        for visit in range(times + 1):
            for page in all_pages:
                _visit(client, pid, page, visit)
    return all_pages


def _visit(client: httpx.Client, pid: int, page: Page, number: int) -> None:
    used, started = processor_seconds(pid), time.perf_counter()
    answer = client.get(page.paths[number % len(page.paths)])
    seconds = time.perf_counter() - started
    if answer.status_code != 200:
        page.wrong = f"{answer.status_code} {answer.request.url.path}"
    elif "facets-timed-out" in answer.text:
        page.wrong = "a facet was stopped"
    if number:
        page.others.append(seconds)
        page.processor_seconds += processor_seconds(pid) - used
    else:
        page.first = seconds


@contextmanager
def _served(path: Path) -> Iterator[tuple[httpx.Client, int]]:
    """A client of the site, and the site's process."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "schedules.cli", "serve", "--port", "0", "--db", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        found = re.search(r"http://\S+/", process.stdout.readline())
        assert found, "the site did not start"
        with httpx.Client(base_url=found[0], timeout=_PATIENCE) as client:
            yield client, process.pid
    finally:
        process.terminate()
        process.communicate()


def pages(db: Database) -> Iterator[Page]:
    """The pages that there are, found where the site has them declared."""
    chance = random.Random(1)

    def column(sql: str) -> list[Any]:
        return [row[0] for row in db.conn.execute(sql)]

    (films,) = column("SELECT max(film_id) FROM films")
    some = ", ".join(str(chance.randint(1, films)) for _ in range(TIMES + 1))
    ids = column(f"SELECT imdb_id FROM films WHERE film_id IN ({some})")
    directors = column(
        "SELECT DISTINCT name FROM film_people JOIN people USING (person_id)"
        f" WHERE part = 'director' AND film_id IN ({some})"
    )
    years = range(2005, 2026)
    genres = column("SELECT DISTINCT genre FROM film_genres WHERE film_id < 1000")
    yield Page("pages", "home", ["/"])
    yield Page("pages", "a film", [f"/film/{name}" for name in ids])
    yield Page("pages", "a film, as JSON", [f"/film/{name}.json" for name in ids])
    yield Page("pages", "sources", ["/sources"])
    yield Page("pages", "last night", ["/last-night"])
    yield Page("pages", "tables and SQL", [f"/{NAME}"])
    for kind, words in _words(db, chance).items():
        yield Page("search", kind, [f"/search?{urlencode({'q': word})}" for word in words])
    yield Page("search", "a person", [f"/search?{urlencode({'q': name})}" for name in directors])
    for each in LISTS:
        yield Page("lists", each.path, [f"/{each.path}"])
        yield Page("lists", f"{each.path}, the last page", [f"/{each.path}?page={MOST_PAGES}"])
        for narrowing in each.narrowings:
            values = years if narrowing.whole else list(narrowing.choices or genres)
            yield Page(
                "lists",
                f"{each.path} by {narrowing.name}",
                [f"/{each.path}?{urlencode({narrowing.name: value})}" for value in values],
            )
    metadata = parse_metadata(metadata_file().read_text("utf-8"))
    described = metadata["databases"][NAME]
    given: dict[str, Sequence[Any]] = {"film": ids, "director": directors}
    for name, query in described["queries"].items():
        # The defaults are films and people that made-up ones are not among.
        filled = {param: given[param] for param in query.get("params", ()) if param in given}
        asked = [
            urlencode({param: each[visit % len(each)] for param, each in filled.items()})
            for visit in range(TIMES if filled else 1)
        ]
        paths = [f"/{NAME}/{name}?{words}" for words in asked]
        yield Page("queries", name, paths)
    for name, dashboard in metadata.get("plugins", {}).get("datasette-dashboards", {}).items():
        yield Page("charts", f"the page {name}", [f"/-/dashboards/{name}"])
        for chart in dashboard["charts"]:
            yield Page("charts", chart, [f"/{NAME}/{chart}.json?_shape=objects"])
    for name, table in described["tables"].items():
        if table.get("hidden"):
            continue
        facets = table.get("facets", ())
        yield Page("facets" if facets else "tables", name, [f"/{NAME}/{name}"])
        for each in facets:
            facet = each["ages"] if isinstance(each, dict) else each
            values = column(
                f"SELECT DISTINCT {facet} FROM (SELECT {facet} FROM {name} LIMIT 1000)"
                f" WHERE {facet} IS NOT NULL LIMIT {TIMES}"
            )
            narrowings: list[dict[str, Any]] = [{facet: value} for value in values]
            if facet == SEEN_FACET:
                narrowings = [dict(bounds(word)) for word in (*SEEN, LONGER_AGO, NEVER)]
            chosen = [
                f"/{NAME}/{name}?{urlencode({k: v for k, v in one.items() if v is not None})}"
                for one in narrowings
            ]
            yield Page("facets", f"{name}, one {facet}", chosen or [f"/{NAME}/{name}"])


def _words(db: Database, chance: random.Random) -> dict[str, list[str]]:
    """Words to search for: rare and common ones, and those with two letters in each other's place
    that are no words then."""
    known = dict(db.conn.execute("SELECT term, doc FROM film_words"))
    by_number = sorted(known, key=lambda term: -known[term])
    long = [term for term in by_number[:2_000] if len(term) >= 6]
    slips = [term[:3] + term[4] + term[3] + term[5:] for term in long if term[3] != term[4]]
    wrong = [term for term in slips if term not in known]
    return {
        "a rare word": by_number[-TIMES:],
        "the commonest word": by_number[:1],
        "a common word": by_number[1 : TIMES + 1],
        "two common words": [" ".join(chance.sample(by_number[:40], 2)) for _ in range(TIMES)],
        "a misspelt word": chance.sample(wrong, min(TIMES, len(wrong))),
        "what no film has": ["xyzzyx", "qqqqqqq"],
    }


def _nights_and_doubts(db: Database, last: str) -> None:
    """A year of nights, what the last ones held back, listings of which nobody knows the film, and
    those that may be one of two."""
    run = db.conn.execute
    run(
        "WITH RECURSIVE ago (days) AS (SELECT 364 UNION ALL SELECT days - 1 FROM ago WHERE days)"
        " INSERT INTO runs (command, plan, pid, started_at, ended_at, outcome)"
        " SELECT 'refresh', '{}', 1, strftime('%Y-%m-%dT%H:%M:%SZ', ?1, '-' || days || ' days'),"
        " strftime('%Y-%m-%dT%H:%M:%SZ', ?1, '-' || days || ' days', '+2 hours'), 'ok' FROM ago",
        [last],
    )
    for source in SOURCES:
        run(
            "INSERT INTO crawls (run_id, source, started_at, seconds, asked, fetched, stored,"
            " changed, outcome) SELECT run_id, ?, started_at, 7000, 2000, 2000, 2000, 60, 'ok'"
            " FROM runs",
            [source.key],
        )
    run(
        "INSERT INTO quarantine (run_id, listing_id, topic, reason, record, held_at, last_held_at,"
        " source, rule) SELECT 365, listing_id, score_kind, 'votes fell by half', '{}', ?1, ?1,"
        " 'tmdb', 'votes' FROM scores WHERE score_kind = 'tmdb_score' AND listing_id % 600 = 0",
        [last],
    )
    run(
        "INSERT INTO listings (source, source_id, url, title, year, first_seen_at)"
        " SELECT source, source_id || '-again', url || '-again', title, year, ?1 FROM listings"
        " WHERE source = 'mediastinger' AND listing_id % 4 = 0",
        [last],
    )
    run(
        "INSERT INTO judgements SELECT l.listing_id, lf.film_id, 'ask', 'evidence', 0.7,"
        " 'title, year', ?1 FROM listings l JOIN listings o ON o.source = l.source"
        " AND o.source_id = substr(l.source_id, 1, length(l.source_id) - 6)"
        " JOIN listing_films lf ON lf.listing_id = o.listing_id"
        " WHERE l.source = 'mediastinger' AND l.source_id LIKE '%-again'",
        [last],
    )

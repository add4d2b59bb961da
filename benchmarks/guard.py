"""What the guard would have held of real days of a public scrape of AfterCredits.com.

Each line of the table has a day's date, rows, rows with votes, and a digest. A day is judged as a
crawl of that list is, by the days before it that passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import out
from pipelines.crawl_guard import doubt_length, vanished
from pipelines.crawl_profile import LAST_CRAWLS, Counts, Past, as_whole

ROWS = Path("../shared/credits/aftercredits_daily_rows.tsv")

CUT = 1_000
"""A day with fewer rows was cut short, as whoever published the table counts them."""


@dataclass(frozen=True)
class Day:
    """One day's list, and why it is held (None: it passes)."""

    date: str
    rows: int
    with_votes: int
    reason: str | None

    @property
    def cut(self) -> bool:
        """Whether it was cut short by the publisher's count."""
        return self.rows < CUT


def run(rows: Path = ROWS) -> None:
    """Which days of a real scrape the guard would have held, and what it comes to."""
    judged = list(days(rows))
    held = [day for day in judged if day.reason]
    for day in held:
        out.print(f"{day.date}  {day.reason}", markup=False)
    cut = [day for day in judged if day.cut]
    out.print(
        f"\n{len(held)} of {len(judged)} days held; of {len(cut)} days with fewer than"
        f" {CUT:,} rows, {sum(day.reason is None for day in cut)} passed"
    )


def days(table: Path = ROWS) -> Iterator[Day]:
    """The days of a table, each judged by those before it."""
    good: list[Counts] = []
    for line in table.read_text("utf-8").splitlines():
        date, rows, with_votes = line.split()[:3]
        counts = Counter(
            {"records": int(rows), "credits": int(rows), "credits votes": int(with_votes)}
        )
        past = Past(good[-LAST_CRAWLS:])
        doubt = doubt_length(counts["records"], past, "") or next(
            iter(vanished(counts, counts, past.pooled)), None
        )
        if doubt is None:
            good.append(as_whole(counts, ""))
        yield Day(date, int(rows), int(with_votes), doubt.reason if doubt else None)

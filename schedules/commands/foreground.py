"""A run in the foreground: how far it is, Ctrl-C that ends it in order, and what came of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from pipelines import clock
from pipelines.lock import Lock
from pipelines.problem import Problem
from pipelines.tracking import not_films
from schedules import columns, config, log, show
from schedules.commands.options import err, note, out
from schedules.nursery import Nursery
from schedules.progress import Shown
from schedules.results import Result, Selection, together

if TYPE_CHECKING:
    from schedules.run import Run
    from schedules.stage import Crawls, Start
    from spiders.plan import Plan


class NothingToAsk(Problem):
    """No source is on, or all are left alone for now."""


@dataclass(frozen=True)
class Order:
    """What a command has a run do.

    `command` names it in the journal. `ends_at` is a moment at which it ends in order, whatever it
    waited for before. `start` makes the crawls of each stage: processes on this machine, if nobody
    says otherwise.
    """

    command: str
    chosen: Selection
    ends_at: datetime | None = None
    start: Start | None = None


def run_shown(
    database: Database,
    settings: config.Config,
    order: Order,
    *,
    lock: Lock | None = None,
    quiet: bool = False,
) -> Result:
    """Run with a progress display. Raises NothingToAsk where no source is on.

    With a `lock` it gives way at its checkpoints to whoever goes first, and goes on afterwards.
    `quiet`: sources that are skipped go unmentioned.
    """
    wanted = lock.wanted if lock else lambda: False
    parts: list[Result] = []
    with Shown(err) as shown, closing(Nursery()) as nursery:
        if order.start is None:
            nursery.prepare()  # it imports Scrapy, as long as we import pandas
        from schedules.intent import Intent
        from schedules.processes import Processes
        from schedules.run import Run

        def crawls(plans: Sequence[Plan]) -> Crawls:
            return (order.start or Processes)(plans, nursery)

        while not parts or parts[-1].gave_way:
            if parts and lock:
                lock.give_way()
                shown.say("going on")
            intent = Intent(database, settings, order.chosen, tuple(parts))
            settings.require_contact(intent.asked_sources)
            if not parts and not (quiet and intent.asked_sources):
                print_skipped(intent.skipped)
            if not parts and not intent.asked_sources:
                raise NothingToAsk(
                    "no source is on, so there is nothing to ask ('afterscore sources')"
                )
            run = Run(database, settings, intent, order.command, shown, crawls, wanted)
            with _stopped_by(run, order.ends_at, shown.say):
                parts.append(run.execute())
    result = together(parts)
    log.ends_with(result.exit_status)
    return result


@contextmanager
def _stopped_by(run: Run, until: datetime | None, say: Callable[[str], None]) -> Iterator[None]:
    """Let SIGINT, SIGTERM and a moment (`until`) end a run in order."""

    def stop(number: int, frame: object) -> None:
        run.interrupt()
        say("ending after the requests in hand; what was stored stands")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = threading.Timer(clock.seconds_until(until), run.interrupt) if until else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def print_skipped(skipped: Mapping[str, str]) -> None:
    """The sources that are not asked, with the reason of each: one line for each reason."""
    for why, keys in show.by_reason(skipped).items():
        note(f"{', '.join(keys)}: skipped: {why}")


def print_result(database: Database, result: Result) -> None:
    """What each source's crawl came to, as a table."""
    names = ("asked", "fetched", "unchanged", "stored", "changed", "held")
    table = columns.table(("source", "outcome"), ("asked", "read", *names[2:]))
    for crawled in result.crawls:
        counts = crawled.tally.counts
        numbers = (f"{counts[name]:,}" for name in names)
        table.add_row(crawled.source, crawled.outcome, *numbers)
    if result.crawls:
        columns.print_table(out, table)
    else:
        out.print("Nothing was due; --again asks all the same.")
    for imdb_id, kind in not_films(database):
        err.print(f"{imdb_id} is a {kind}, not a film: 'afterscore untrack {imdb_id}'")


def result_rows(result: Result) -> dict[str, Any]:
    """What a run came to, as `--json` prints it."""
    return {
        "run_id": result.run_id,
        "outcome": result.outcome,
        "skipped": result.skipped,
        "crawls": [
            {"source": c.source, "outcome": c.outcome, "detail": c.detail, **c.tally.counts}
            for c in result.crawls
        ],
        "changes": [change.__dict__ for change in result.changes],
        "changes_cut_short": result.changed > len(result.changes),
    }

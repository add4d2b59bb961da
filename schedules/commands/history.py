"""runs: what the last runs came to, or one of them with its crawls."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipelines import clock
from pipelines.database import read_only
from pipelines.problem import Problem
from schedules import columns, config, show
from schedules.commands.options import BIGGEST, DbOption, JsonOption, out, print_json, say
from schedules.history import last_runs, one_run

_COUNTS = ("asked", "unchanged", "stored", "changed", "held")


def runs(
    number: Annotated[
        int | None,
        typer.Argument(max=BIGGEST, metavar="[NUMBER]", help="One run, with its crawls"),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=BIGGEST, metavar="N", help="So many runs")
    ] = 20,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print the last runs: when, how long, what they came to. With a number, that run's crawls.

    \b
    Example:  afterscore runs
              afterscore runs 12
    """
    reading = read_only(config.database_path(db))
    found: Any
    if number is None:
        found = last_runs(reading, limit)
    else:
        found = one_run(reading, number)
        if found is None:
            raise Problem(f"there is no run {number} ('afterscore runs')")
    if as_json:
        print_json(found)
    elif number is not None:
        _print_run(found)
    elif found:
        _print_runs(found)
    else:
        out.print("No run yet: 'afterscore refresh'.")


def _print_runs(rows: list[dict[str, Any]]) -> None:
    words = ("run", "command", "started", "took", "outcome")
    table = columns.table(words, ("asked", "changed", "held"))
    for row in rows:
        table.add_row(
            str(row["run_id"]),
            row["command"],
            f"{clock.moment(row['started_at']):%Y-%m-%d %H:%M}",
            _took(row["seconds"]),
            row["outcome"],
            *(f"{row[name]:,}" for name in ("asked", "changed", "held")),
        )
    columns.print_table(out, table)
    for row in rows:
        failures = [
            f"{c['source']} {c['outcome']}" + (f": {c['detail']}" if c["detail"] else "")
            for c in row["failed"]
        ]
        for line in [*_goes_on(row), *failures, *(row["exception"] or "").splitlines()[:1]]:
            say(show.printable(f"run {row['run_id']}: {line}"))


def _goes_on(run: dict[str, Any]) -> list[str]:
    """Whose work a run goes on with, as a line, if it does."""
    before = run["continues"]
    return [f"goes on with what run {before} began, which gave way"] if before else []


def _print_run(run: dict[str, Any]) -> None:
    out.print(
        f"Run {run['run_id']}, {run['command']}: {run['outcome']}, started {run['started_at']},"
        f" took {_took(run['seconds']) or 'nobody knows how long'}",
        soft_wrap=True,
    )
    for line in _goes_on(run):
        say(f"  {line}")
    if run["exception"]:
        say(f"  {show.printable(run['exception'])}")
    asked = [crawl for crawl in run["crawls"] if crawl["outcome"] != "skipped"]
    if asked:
        table = columns.table(("source", "took", "outcome"), _COUNTS)
        for crawl in asked:
            took = _took(int(crawl["seconds"]))
            counts = (f"{crawl[name]:,}" for name in _COUNTS)
            table.add_row(crawl["source"], took, crawl["outcome"], *counts)
        columns.print_table(out, table)
    for crawl in run["crawls"]:
        # The detail is the first line of the exception, where there is one.
        lines = [show.printable(line) for line in (crawl["detail"] or "").splitlines()]
        lines += [show.printable(line) for line in (crawl["exception"] or "").splitlines()[1:]]
        if lines:
            lines[0] = f"{crawl['source']}: {crawl['outcome']}: {lines[0]}"
            say("\n  ".join(lines))


def _took(seconds: int | None) -> str:
    if seconds is None:
        return ""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"

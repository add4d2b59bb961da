"""health: what is wrong, one line each, for people, programs and Prometheus; and whom to tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import clock
from pipelines.database import noting, read_only
from pipelines.lock import DatabaseProblem
from pipelines.partial import write_whole
from pipelines.problem import Problem
from schedules import alerts, config, metrics, show
from schedules.commands.options import DbOption, JsonOption, out, print_json, say, warn
from schedules.commands.pausing import time_to_come
from schedules.condition import Condition, acknowledged
from schedules.health import Finding, findings, gained, megabytes


def health(
    prometheus: Annotated[
        Path | None,
        typer.Option("--prometheus", metavar="FILE", help="Write it as a Prometheus text file too"),
    ] = None,
    ack: Annotated[
        str | None,
        typer.Option("--ack", metavar="KEY", help="Send no alert of this finding (with --until)"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="… until this day")
    ] = None,
    tell: Annotated[
        bool, typer.Option("--tell", help="Send alerts of what has changed, as a refresh does")
    ] = False,
    test_alert: Annotated[
        bool, typer.Option("--test-alert", help="Send a test message, and say where it failed")
    ] = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print what is wrong, one line each. Exit status 1 where anything is, notes apart.

    \b
    Example:  afterscore health
              afterscore health --prometheus /var/lib/node_exporter/afterscore.prom
              afterscore health --ack blocked:metacritic --until 2027-01-15
    """
    if test_alert:
        _test()
        return
    path = config.database_path(db)
    if ack or until:
        _acknowledge(path, ack, until)
        return
    settings = config.load()
    try:
        with closing((reading := read_only(path)).conn):
            found = Condition.of(reading, path, settings)
            acked = acknowledged(reading, found.at)
    except (DatabaseProblem, sqlite3.Error) as fault:
        if tell:
            _print_problems(alerts.tell_of_the_file(fault, ()))
        if prometheus:
            _write(prometheus, metrics.text_of_no_database(clock.now()))
        raise
    wrong = findings(found)
    if prometheus:
        _write(prometheus, metrics.text(found, wrong))
    if as_json:
        print_json(_rows(found, wrong, acked))
    else:
        _print(found, wrong, acked)
    unsent = tell and _tell(path, wrong, found)
    if unsent or any(finding.level == "fault" for finding in wrong):
        raise typer.Exit(1)


def _write(prometheus: Path, text: str) -> None:
    try:
        write_whole(prometheus, text)
    except OSError as fault:
        raise Problem(f"cannot write {prometheus}: {fault.strerror}") from fault


def _acknowledge(path: Path, key: str | None, until: str | None) -> None:
    if not key or not until:
        raise Problem("--ack KEY and --until DATE go together")
    end = time_to_come(until)
    with noting(path) as database:
        alerts.acknowledge(database, key, end)
    say(f"{key}: no alert until {end}; it is still printed.")


def _test() -> None:
    sent = alerts.send(
        "afterscore: a test", "This is a test: alerts reach you here. There is nothing to do."
    )
    _print_problems(sent)
    if not sent.told and not sent.problems:
        raise Problem(f"nobody is to be told: {alerts.VARIABLE} is not in the environment")
    out.print(f"Sent to {sent.told} of {sent.told + len(sent.problems)}.")
    if sent.problems:
        raise typer.Exit(1)


def _tell(path: Path, wrong: list[Finding], found: Condition) -> bool:
    try:
        sent = alerts.tell(path, wrong, found.unasked)
    except DatabaseProblem as fault:
        _print_problems(alerts.tell_of_the_file(fault, wrong))
        raise
    _print_problems(sent)
    return bool(sent.problems)


def _print_problems(sent: alerts.Sent) -> None:
    for problem in sent.problems:
        warn(f"not sent: {problem}")


def _print(found: Condition, wrong: list[Finding], acked: dict[str, str]) -> None:
    for finding in wrong:
        mark = f" [no alert until {acked[finding.key]}]" if finding.key in acked else ""
        line = f"{finding.level.upper():5} {finding.key}: {finding.what}{mark}"
        say(show.printable(f"{line}  → {finding.do}  ({finding.page})"))
    ended = "no whole refresh yet"
    if found.demo:
        ended = "made by the demo, so no night is expected of it"
    elif found.whole_ended:
        ended = f"last whole refresh {clock.ago(found.whole_ended)}"
    grown = "" if found.grown is None else f" ({gained(found)})"
    say(
        f"{'' if wrong else 'All is well: '}{ended}; {found.file.name} {megabytes(found.db_bytes)},"
        f" WAL {megabytes(found.wal_bytes)}{grown}; {megabytes(found.free_bytes)} free"
    )


def _rows(found: Condition, wrong: list[Finding], acked: dict[str, str]) -> dict[str, Any]:
    """What `--json` prints: sizes in bytes, times UTC, what is not known null."""
    return {
        "healthy": not any(finding.level == "fault" for finding in wrong),
        "findings": [
            {**asdict(finding), "page": finding.page, "acked_until": acked.get(finding.key)}
            for finding in wrong
        ],
        "last_whole_refresh": found.whole_ended,
        "last_success": dict(found.succeeded),
        "coverage": {kind: asdict(coverage) for kind, coverage in found.coverage.items()},
        "db_bytes": found.db_bytes,
        "wal_bytes": found.wal_bytes,
        "free_bytes": found.free_bytes,
        "grown_in_a_week_bytes": found.grown,
    }

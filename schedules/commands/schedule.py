"""schedule: a refresh every night, in the foreground."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines import clock
from pipelines.problem import Problem
from schedules import config
from schedules.commands.opening import must_have_something
from schedules.commands.options import DbOption, note, out


def schedule(
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="HH:MM", help="Time of day, UTC [default: nightly_at, 03:00]"),
    ] = None,
    next_only: Annotated[bool, typer.Option("--next", help="Print when, and end")] = False,
    db: DbOption = None,
) -> None:
    """Run a refresh every night, in the foreground, until it is told to end.

    A night that was missed, or cut off, is caught up once at the start. Ctrl-C or SIGTERM ends a
    night in order, after the requests in hand. docs/nightly.md has a systemd unit and a container.

    \b
    Example:  afterscore schedule
              afterscore schedule --next
    """
    from schedules import nightly  # with SQLAlchemy, which no other command should wait for

    settings = config.load()
    nightly_at = at or settings.nightly_at
    path = config.database_path(db)
    try:
        upcoming = clock.next_time(nightly_at, datetime.now(UTC))
    except ValueError:
        raise Problem(f"--at takes a time of day such as 03:00, not {at!r}") from None
    missed = nightly.is_missed(path, nightly_at, datetime.now(UTC))
    if next_only:
        out.print(clock.stamp(upcoming))
        if missed:
            note("The last night was missed: it is caught up at the start.")
        return
    if not path.parent.is_dir():
        raise Problem(f"no folder {path.parent.resolve()}. Choose another with --db FILE.")
    nights = nightly.Nights(
        path,
        nightly.command_line(path, "refresh"),
        nightly.command_line(path, "health", "--tell"),
        nightly.every_night_at(nightly_at),
        note,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: nights.stop())
    try:
        must_have_something(path, settings)
    except Problem as nothing:  # films may be tracked, and settings written, before the first night
        note(str(nothing))
    if missed:
        note("the last night was missed: it is caught up now")
    nights.run(at_once=missed)

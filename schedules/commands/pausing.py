"""sources pause, sources resume: leave a source alone for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import clock
from pipelines.database import noting
from pipelines.pauses import left_alone, pause, paused, resume
from pipelines.problem import Problem
from schedules import config
from schedules.commands.opening import source_named
from schedules.commands.options import DbOption, say
from spiders.plan import LONGEST_WAIT

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Key of the source")]


def sources_pause(
    key: KeyArgument,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Ask it again from this day on")
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", metavar="TEXT", help="Why, for whoever looks later")
    ] = None,
    db: DbOption = None,
) -> None:
    """Ask a source nothing until a date, or until it is resumed. What is known of it stays.

    \b
    Example:  afterscore sources pause metacritic --until 2027-01-15 --why "new layout"
    """
    source = source_named(key)
    end = time_to_come(until) if until else None
    with noting(config.database_path(db)) as database:
        pause(database, source.key, clock.now(), end, why)
        in_words = paused(database, clock.now())[source.key]
    say(f"{key}: {in_words}. A run that has begun is not stopped.")


def sources_resume(key: KeyArgument, db: DbOption = None) -> None:
    """End the pause of a source.

    \b
    Example:  afterscore sources resume metacritic
    """
    source = source_named(key)
    settings = config.load()
    with noting(config.database_path(db)) as database:
        held = resume(database, source.key)
        alone = left_alone(database, clock.now(), LONGEST_WAIT)
    why = settings.skipped(source) or alone.get(source.key)
    if not held:
        say(f"{key}: was not paused.")
    elif why:
        say(f"{key}: no longer paused, and still not asked: {why}.")
    else:
        say(f"{key}: asked again from the next run on.")


def time_to_come(text: str) -> str:
    """A time to come, from 2027-01-15 (its beginning, UTC) or a whole time. Raises Problem."""
    try:
        end = clock.given(text)
    except ValueError:
        raise Problem(f"--until takes a date such as 2027-01-15, not {text!r}") from None
    if end <= clock.now():
        raise Problem(f"--until {text} is over already")
    return end

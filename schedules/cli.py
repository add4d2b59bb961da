"""The command line. Exit status 0: done; 1: something failed and the rest stands; 2: nothing
could be done, and the message says what to do."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, cast

import typer
import typer.core
from pydantic import ValidationError

from pipelines.database import of_the_file
from pipelines.problem import Problem
from schedules import __version__, config
from schedules.commands import (
    asking,
    demo,
    explain,
    exporting,
    films,
    health,
    held,
    history,
    keeping,
    link,
    matching,
    pausing,
    plan,
    saved_pages,
    schedule,
    serving,
    setting_up,
)
from schedules.commands.options import err, out
from schedules.redaction import CannotPrint, Redacting


class _Commands(typer.core.TyperGroup):
    """The commands; of an option that is not what it must be they say so in our words."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was given."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as fault:
            if isinstance(fault.__cause__, ValidationError):
                fault.message = config.in_words(fault.__cause__)
            raise


app = typer.Typer(
    name="afterscore",
    cls=_Commands,
    help="What the ratings sites make of a film, how sure that is, and whether a scene waits"
    " after the credits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; every expected problem ends in one clear line and status 2."""
    _open_what_is_closed()
    # Whatever is printed, tracebacks included, is printed without secrets.
    sys.stdout = cast("TextIO", Redacting(sys.stdout))
    sys.stderr = cast("TextIO", Redacting(sys.stderr))
    try:
        try:
            _run()
        finally:
            with suppress(SystemExit):  # a reader may be gone by now: the status is the command's
                sys.stdout.flush()
    except CannotPrint as fault:
        _end(f"cannot print: {fault.strerror}", 1)


def _open_what_is_closed() -> None:
    """Standard streams that were closed (`>&-`) lead nowhere: else the next file to be opened, the
    database's lock perhaps, would be in their place, and be printed to."""
    while (handle := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(handle)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _run() -> None:
    try:
        _refuse_what_nothing_can_name()
        app()
    except Problem as problem:
        _end(str(problem), 2)
    except sqlite3.DatabaseError as fault:  # of a command that reads: those that write told it
        if not of_the_file(fault):
            raise
        _end(
            f"the database cannot be read: {fault}. If it is damaged, go back to the last good"
            " copy: 'afterscore backup ratings.db --force --db COPY'.",
            2,
        )
    except KeyboardInterrupt:
        sys.exit(130)  # before the run began: there was nothing to end in order


def _end(why: str, status: int) -> NoReturn:
    err.print(f"afterscore: {why}", style="red", markup=False, soft_wrap=True)
    sys.exit(status)


def _refuse_what_nothing_can_name() -> None:
    """SQLite takes texts and paths in UTF-8 alone, and no relative path leads out of a folder that
    is gone: a command would come half of its way. Raises Problem."""
    for word in sys.argv[1:]:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            shown = os.fsencode(word).decode("utf-8", "backslashreplace")
            raise Problem(
                f"'{shown}' is not in UTF-8. If it names a file or folder, rename that, or make a"
                " link to it with another name."
            ) from None
    try:
        Path.cwd()
    except FileNotFoundError:
        raise Problem("the folder that you are in is gone. Change to another one.") from None


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version")] = False,
) -> None:
    """What the ratings sites make of a film, and whether a scene waits after the credits."""
    if show_version:
        out.print(__version__)
        raise typer.Exit


app.command()(setting_up.init)
sources_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
sources_app.callback()(setting_up.sources)
sources_app.command("check")(setting_up.sources_check)
sources_app.command("pause")(pausing.sources_pause)
sources_app.command("resume")(pausing.sources_resume)
app.add_typer(sources_app, name="sources")
app.command()(films.track)
app.command()(films.untrack)
app.command()(films.film)
app.command()(explain.explain)
app.command()(plan.plan)
app.command()(asking.refresh)
app.command()(schedule.schedule)
app.command("backfill")(asking.backfill_command)
app.command()(saved_pages.read)
app.command()(history.runs)
app.command()(health.health)
match_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
match_app.command("list")(matching.match_list)
match_app.command("same")(matching.match_same)
match_app.command("different")(matching.match_different)
match_app.command("undo")(matching.match_undo)
app.add_typer(match_app, name="match", help="Which listings are one film: a person's ruling.")
app.command("link")(link.link_command)
app.command("forget")(matching.forget_command)
app.command("rebuild")(matching.rebuild_command)
quarantine_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
quarantine_app.command("list")(held.quarantine_list)
quarantine_app.command("show")(held.quarantine_show)
quarantine_app.command("release")(held.quarantine_release)
quarantine_app.command("reject")(held.quarantine_reject)
app.add_typer(quarantine_app, name="quarantine", help="What the guard holds back.")
app.command()(keeping.backup)
app.command()(keeping.prune)
app.command()(serving.serve)
app.command()(exporting.export)
app.command("demo")(demo.demo_command)


if __name__ == "__main__":
    main()

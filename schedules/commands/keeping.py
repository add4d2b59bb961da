"""backup, prune: keep what there is, and let go of what nobody needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines import clock, pruning
from pipelines.backup import Advance, back_up
from pipelines.database import read_only
from pipelines.pruning import Outdated, outdated
from pipelines.wording import counted
from schedules import config
from schedules.commands.opening import must_be_there, writing_to
from schedules.commands.options import DbOption, err, out, say

EVER = 100 * 366
"""Days: nothing here is as old."""


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy is to lie")],
    force: Annotated[bool, typer.Option("--force", help="Write over FILE")] = False,
    db: DbOption = None,
) -> None:
    """Copy the database into one file, at any time: whoever reads or writes goes on. The copy is
    checked before it gets its name. The same way leads back to it.

    \b
    Example:  afterscore backup /mnt/backups/ratings.db
              afterscore backup ratings.db --force --db /mnt/backups/ratings.db
    """
    path = config.database_path(db)
    with closing(read_only(path, older=True).conn) as reading, _progress() as advance:
        back_up(reading, file, force=force, advance=advance)
    size = file.stat().st_size
    say(f"{file}: {size / 1e6:,.1f} MB, one whole and sound copy of {path}.")


def prune(
    crawls_days: Annotated[
        int,
        typer.Option(
            "--crawls-days", min=1, max=EVER, metavar="DAYS", help="Runs and their crawls"
        ),
    ] = 400,
    quarantine_days: Annotated[
        int,
        typer.Option("--quarantine-days", min=1, max=EVER, metavar="DAYS", help="Settled cases"),
    ] = 90,
    logs_days: Annotated[
        int, typer.Option("--logs-days", min=1, max=EVER, metavar="DAYS", help="Rotated logs")
    ] = 90,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Write the file anew, without gaps, afterwards")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would go; remove nothing")
    ] = False,
    db: DbOption = None,
) -> None:
    """Remove old runs with their crawls, settled cases of the quarantine and rotated logs.

    The history of scores and verdicts is never pruned. The last 30 runs stay too, and whatever the
    guard judges by.

    \b
    Example:  afterscore prune --dry-run
              afterscore prune --crawls-days 800 --vacuum
    """
    path = config.database_path(db)
    days = {
        "crawls_days": crawls_days,
        "quarantine_days": quarantine_days,
        "logs_days": logs_days,
    }
    if dry_run:
        _print_outdated("Would remove", outdated(read_only(path), path, clock.now(), **days))
        return
    must_be_there(db)
    with writing_to(db, "prune") as database:
        found = outdated(database, path, clock.now(), **days)
        pruning.prune(database, found)
        _print_outdated("Removed", found)
        before = path.stat().st_size
        if vacuum:
            pruning.vacuum(database, path)
        if not pruning.empty_wal(database):
            err.print("The WAL is still being read (by Datasette?), and is cut another time.")
    if vacuum:
        now = path.stat().st_size
        out.print(f"{path}: {before / 1e6:,.1f} MB, now {now / 1e6:,.1f} MB.", soft_wrap=True)


def _print_outdated(done: str, old: Outdated) -> None:
    out.print(
        f"{done} {counted(len(old.run_ids), 'run')} with {counted(old.crawls, 'crawl')},"
        f" {counted(len(old.quarantine_ids), 'settled case')} of the quarantine,"
        f" {counted(len(old.logs), 'rotated log')}.",
        soft_wrap=True,
    )


@contextmanager
def _progress() -> Iterator[Advance | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not err.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bars:
        task = bars.add_task("copying", total=None)

        def advance(copied: int, total: int) -> None:
            bars.update(task, completed=copied, total=total)
            if copied == total:
                bars.update(task, description="checking")

        yield advance

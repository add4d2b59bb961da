"""backup, prune: keep what there is, and let go of what nobody needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.backup import Told, back_up
from pipelines.database import read_only
from schedules import config
from schedules.commands.options import DbOption, err, out


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
    with closing(read_only(path, older=True).conn) as reading, _progress() as told:
        back_up(reading, file, force=force, told=told)
    size = file.stat().st_size
    out.print(
        f"{file}: {size / 1e6:,.1f} MB, one whole and sound copy of {path}.",
        markup=False,
        soft_wrap=True,
    )


@contextmanager
def _progress() -> Iterator[Told | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not err.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bars:
        task = bars.add_task("copying", total=None)

        def told(copied: int, total: int) -> None:
            bars.update(task, completed=copied, total=total)
            if copied == total:
                bars.update(task, description="checking")

        yield told

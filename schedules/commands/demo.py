"""demo: the main job on bundled samples."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.problem import Problem
from pipelines.wording import counted
from schedules import config, demo, film_lists, show
from schedules.commands.foreground import Order, run_shown
from schedules.commands.opening import writing_to
from schedules.commands.options import out, say
from schedules.results import Selection


def demo_command(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where the demo's database goes")
    ] = Path("demo"),
) -> None:
    """Run the main job on bundled sample pages, over real HTTP on this machine; no network, no key.

    \b
    Example:  afterscore demo
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as fault:
        raise Problem(
            f"cannot make {folder.resolve()}: {fault.strerror}. Choose another with --folder DIR."
        ) from fault
    path = folder / "ratings.db"
    if not demo.is_free(folder, path):
        raise Problem(
            f"{folder.resolve()} has settings or a database that no demo made, and they are left as"
            " they are. Choose another folder with --folder DIR."
        )
    out.print("A replica of all sources runs on this machine; the main job asks it over HTTP.")
    with demo.replica_environment(folder / config.FILE) as replica:
        settings = config.load()
        with writing_to(path, "demo") as database:
            film_lists.track(database, demo.TRACKED)
            result = run_shown(database, settings, Order("demo", Selection(again=True)))
            show.print_changes(out, database, result, limit=8)
            out.print()
            show.print_films(out, database)
            out.print(
                f"\n{counted(len(replica.asked), 'request')},"
                f" {counted(database['films'].count, 'film')},"
                f" {counted(database['score_observations'].count, 'score observation')} in {path}."
            )
    say(
        f'\nOne film:    {_script("afterscore")} film "Skyfall (2012)" --db {path}\n'
        f"Browse all:  {_script('afterscore')} serve --open --db {path}\n"
        f"SQL:         {_script('sqlite-utils')} {path}"
        " 'SELECT title, tomatometer FROM film_scores' --table"
    )
    raise typer.Exit(result.exit_status)


def _script(name: str) -> str:
    """How a program that was installed with this one is called from here: by its name where that
    is on the path, else by the shortest way to it."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name)
    if not beside.exists() or (found and Path(found).resolve() == beside.resolve()):
        return name
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)

"""export: tables for analysts, and films for a home cinema, into a folder of their own."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import read_only
from pipelines.export.folder import whole_folder
from pipelines.export.home_cinema import Render, export_films
from pipelines.export.kodi import write_nfo_files
from pipelines.export.kometa import write_kometa_file
from pipelines.export.reading import Advance, Narrowed
from pipelines.export.selection import selected
from pipelines.problem import Problem
from pipelines.retention import has_lapsed, purge, silent_since
from pipelines.wording import counted
from schedules import config
from schedules.commands.opening import writing_to
from schedules.commands.options import DbOption, err, say
from schedules.progress import steps


class Format(StrEnum):
    """What an export is made of."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"
    KODI = "kodi-nfo"
    KOMETA = "kometa"


_OF_FILMS: dict[str, Render] = {Format.KODI: write_nfo_files, Format.KOMETA: write_kometa_file}


def export(
    kind: Annotated[Format, typer.Option("--format", help="What to write")],
    folder: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A folder to be made")],
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="TABLE", help="Only this table or view; may be repeated"),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Only rows of which this is true")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only rows said to be so since")
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=1, metavar="SECONDS", help="Longest wait for --where"),
    ] = 120.0,
    force: Annotated[
        bool, typer.Option("--force", help="Write beside files that are not an export's")
    ] = False,
    db: DbOption = None,
) -> None:
    """Write tables for analysts as parquet, csv or json, or films as kodi-nfo or kometa, all of one
    moment.

    Every table of docs/tables.md for analysts is written, or those that --table names, views too;
    beside them README.md and datapackage.json say what each column means, and NOTICE what the
    sources ask for. --where is a condition on the tables named, as SQL has it. --since goes by
    when a source said so, and not by when it was stored: a saved page imported today counts by its
    own date. Tables that tell no such time are written whole, listing_films among them, and it says
    which. kodi-nfo and kometa are about films only, and --where is then about film_scores:
    docs/home-cinema.md. A folder appears whole, and one that holds files of other people's is
    refused.

    \b
    Example:  afterscore export --format parquet --out ratings
              afterscore export --format csv --out changes --table score_changes --since 2026-11-01
              afterscore export --format json --out best --table film_scores --where "year = 2012"
              afterscore export --format kodi-nfo --out nfo --where "metascore >= 75"
    """
    if kind in _OF_FILMS and (tables or since):
        raise Problem(f"{kind} is about films: name them with --where, not --table or --since")
    if where is not None and not where.strip():
        raise Problem("--where is empty: give a condition such as 'year = 2012', or leave it out")
    narrowed = Narrowed(where, _time(since), time_limit)
    path = config.database_path(db)
    _let_go_of_what_lapsed(path)
    reading = read_only(path)
    with closing(reading.conn), steps(err) as step:

        def advance(what: str, number: int) -> None:
            step(what, number, None)

        if kind in _OF_FILMS:
            _export_films(reading, kind, folder, narrowed, advance, force=force)
        else:
            _export_tables(reading, kind, folder, tables or [], narrowed, advance, force=force)


def _export_tables(
    db: Database,
    kind: Format,
    folder: Path,
    names: list[str],
    narrowed: Narrowed,
    advance: Advance,
    *,
    force: bool,
) -> None:
    from pipelines.export.tables import export_tables

    at = clock.now()
    chosen = selected(db, names, narrowed)
    with whole_folder(folder, force=force) as partial:
        written = export_tables(db, chosen, kind, partial, at, advance)
    number, rows = len(written), sum(file.rows for file in written)
    tables, of_them = counted(number, "table"), counted(rows, "row")
    say(f"{folder}: {tables}, {of_them}, as of {at}.")
    untold = [file.selected.table.name for file in written if not file.selected.said]
    if narrowed.since and untold:
        whole = ", ".join(untold)
        say(f"Nothing tells when a row was said to be so in {whole}: all rows are there.")


def _export_films(
    db: Database, kind: Format, folder: Path, narrowed: Narrowed, advance: Advance, *, force: bool
) -> None:
    at = clock.now()
    if narrowed.where:
        selected(db, ["film_scores"], narrowed)
    with whole_folder(folder, force=force) as partial:
        number = export_films(db, _OF_FILMS[kind], partial, at, narrowed, advance)
    say(f"{folder}: {number:,} films, as of {at}. Series, music and the like are not in it.")


def _let_go_of_what_lapsed(path: Path) -> None:
    """Delete what a source no longer lets us keep, where no night has for a day. Raises Problem
    where only the clock says so, as a run does not take its word either."""
    at = clock.now()
    with closing((reading := read_only(path)).conn):
        lapsed = has_lapsed(reading, clock.later(at, days=-1))
        silent = silent_since(reading, at)
    if lapsed and silent:
        raise Problem(
            f"the clock says {at}, and no source has answered since {silent}. If that is so,"
            " 'afterscore refresh' comes first: it lets go of what a source no longer lets anybody"
            " keep. If it is not, set the clock right: nothing was deleted."
        )
    if lapsed:
        from pipelines.merge import merge

        err.print("What a source no longer lets anybody keep is deleted first.")
        with writing_to(path, "export") as database:
            merge(database, purge(database, clock.now()))


def _time(text: str | None) -> str | None:
    """A date or time as the database writes it. Raises Problem for anything else."""
    if text is None:
        return None
    try:
        return clock.given(text)
    except ValueError:
        raise Problem(f"--since takes a date such as 2026-11-01, not {text!r}") from None

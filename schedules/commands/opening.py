"""Open the database that a command names, and find in it what the command names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from pipelines.database import is_there, read_only, transaction, writing
from pipelines.lock import Lock, Rank, locked
from pipelines.problem import Problem
from schedules import config, film_lists, log
from schedules.commands.options import err, note
from spiders.sources import Source, by_key

NAMELESS = 20
"""Rows of a list without a film that are named; the rest is counted."""


@contextmanager
def writing_in_turn(
    given: Path | None, command: str, rank: Rank
) -> Iterator[tuple[Database, Lock]]:
    """The database for writing, with its derived tables, and the lock that lets others go first.
    Says where a new database was made, and what it waits for."""
    from pipelines.derived import prepare

    path = config.database_path(given)
    new = not is_there(path)
    file = log.file_of(path, config.load().log)
    with (
        locked(path, f"afterscore {command}", rank, note) as lock,
        writing(path, note) as database,
        log.kept(file, command),
    ):
        if new:
            note(f"Made a new database: {path.resolve()}")
        prepare(database)
        _bring_in_rulings(database, path)
        yield database, lock


@contextmanager
def writing_to(given: Path | None, command: str) -> Iterator[Database]:
    """The database for writing, for a command that somebody waits for."""
    with writing_in_turn(given, command, Rank.PERSON) as (database, _):
        yield database


def _bring_in_rulings(database: Database, path: Path) -> None:
    """What a rulings file says holds for whatever this command matches."""
    from pipelines.matching import rulings

    file = config.rulings_path(path)
    with transaction(database):
        problems = rulings.bring_in(database, file)
    for problem in problems[:40]:
        note(problem)


def source_named(key: str) -> Source:
    """The source of that key. Raises Problem with the known keys."""
    try:
        return by_key(key)
    except KeyError as fault:
        raise Problem(fault.args[0]) from None


def sources_named(keys: list[str] | None) -> tuple[str, ...]:
    """The keys of the sources that a command names, if any. Raises Problem for another one."""
    return tuple(source_named(key).key for key in keys or ())


def must_be_there(given: Path | None) -> Path:
    """The database of a command that writes to one, and makes none. Raises DatabaseProblem."""
    path = config.database_path(given)
    read_only(path, older=True).conn.close()
    return path


def must_have_something(path: Path, settings: config.Config) -> None:
    """Raises Problem where no film is known and no universe would find any. It names the files: a
    cron job often looks for them in another folder than is meant."""
    if settings.universe is not None or _has_films(path):
        return
    database, file = (
        f"{at.resolve()}{'' if at.exists() else ', which is not there'}"
        for at in (path, config.settings_path())
    )
    raise Problem(
        "There is nothing to refresh yet: no film is tracked, and no universe is set.\n"
        f"Database:        {database}\n"
        f"Settings:        {file}\n"
        "Track films:     afterscore track tt1074638 tmdb:24428\n"
        "                 afterscore track --films FILE.csv      (IMDb's exports and the like)\n"
        "                 afterscore track --folder DIR          (ids in the names of a media"
        " folder)\n"
        "Or let the universe find them: 'afterscore init' writes an afterscore.toml that has one."
    )


def _has_films(path: Path) -> bool:
    """Whether there is a database, an older one too, and it knows any film. One whose making was
    cut off may not even have the table."""
    if not is_there(path):
        return False
    films_known = read_only(path, older=True)["films"]
    return films_known.exists() and films_known.count > 0


def rows_of(films_file: Path | None) -> list[film_lists.Row]:
    """The rows of a file of films, if one is named. Raises Problem where none names a film."""
    if not films_file:
        return []
    rows = film_lists.from_csv(films_file)
    if not any(row.listings for row in rows):
        raise Problem(f"no row of {films_file} names a film: {rows[0].problem}")
    return rows


def print_nameless(rows: Sequence[film_lists.Row]) -> None:
    """Why rows of a list name no film that can be tracked."""
    for row in rows[:NAMELESS]:
        note(f"{row.place}: {row.problem}")
    if len(rows) > NAMELESS:
        err.print(f"… and {len(rows) - NAMELESS:,} more without a film")

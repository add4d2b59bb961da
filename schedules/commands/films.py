"""track, untrack, film: which films are kept, and what is known of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pipelines import films, tracking
from pipelines.database import read_only, transaction
from pipelines.film_facts import film_facts
from pipelines.problem import Problem
from pipelines.wording import counted
from schedules import columns, config, film_lists, show
from schedules.commands.foreground import NothingToAsk, Order, run_shown
from schedules.commands.opening import must_be_there, print_nameless, writing_to
from schedules.commands.options import (
    DbOption,
    JsonOption,
    note,
    out,
    print_json,
    say,
)
from schedules.results import Selection

_NAMES = (
    "a name, of the file or of a folder around it, must hold an id such as [tt1074638],"
    " {imdb-tt1074638} or {tmdb-37724}; an .nfo file beside the film may hold it too"
)


def track(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILM", help="tt1074638, tmdb:37724, a URL, a known film's title"),
    ] = None,
    films_file: Annotated[
        Path | None,
        typer.Option("--films", metavar="FILE.csv", help="The films of a CSV file"),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="A media folder with ids in names"),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Print the films that are tracked")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON (with --list)")] = False,
    db: DbOption = None,
) -> None:
    """Track films, whatever the universe says: by id or URL, by the title of one that is known
    here, from a CSV file, or by the ids in the names of a media folder.

    \b
    Example:  afterscore track tt1074638 https://www.themoviedb.org/movie/24428
              afterscore track --films ~/Downloads/WATCHLIST.csv
              afterscore track --list
    """
    if (as_json and not listing) or (listing and (names or films_file or folder)):
        raise Problem("--list stands alone, or with --json: 'afterscore track --list'")
    if listing:
        _print_tracked(tracking.tracked(read_only(config.database_path(db))), as_json=as_json)
        return
    rows = _given(names or [], films_file, folder, config.database_path(db))
    tracked = film_lists.Tracked({}, 0, rows)
    taken: dict[str, films.Candidate] = {}
    if any(row.listings for row in rows):
        with writing_to(db, "track") as database:
            tracked = film_lists.track(database, rows)
            taken = {
                name: films.as_candidate(database, tracked.films[name])
                for name in names or ()
                if name in tracked.films
            }
    distinct = len(set(tracked.films.values()))
    skipped = tracked.nameless
    out.print(
        f"{tracked.new:,} newly tracked, {distinct - tracked.new:,} tracked already,"
        f" of {len(rows):,} given"
        + (f"; {len(skipped):,} skipped." if skipped else ".")
        + (" 'afterscore refresh' asks for them." if tracked.films else ""),
        soft_wrap=True,
    )
    for name, one in taken.items():
        if one.title:
            say(show.printable(f"{name}: {one}"))
    print_nameless(skipped)
    if skipped and folder:
        note(f"{folder}: {_NAMES}")
    if skipped:
        raise typer.Exit(1 if tracked.films else 2)


def _given(
    names: list[str], films_file: Path | None, folder: Path | None, database: Path
) -> list[film_lists.Row]:
    """The films that a command gives, one or more. Raises Problem where it gives none."""
    rows = film_lists.from_names(names, database)
    if films_file:
        rows += film_lists.from_csv(films_file)
    if folder:
        found = film_lists.from_folder(folder)
        if not found:
            raise Problem(f"no films in {folder}: {_NAMES}")
        rows += found
    if not rows:
        raise Problem(
            "name a film to track, or a file with --films, or a folder with --folder:"
            " 'afterscore track tt1074638'"
        )
    return rows


def _print_tracked(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print("No film is tracked: 'afterscore track tt1074638'.")
        return
    table = columns.table(("Id", "Since"), wraps=("Film",))
    for row in rows:
        own = row["imdb_id"] or (f"tmdb:{row['tmdb_id']}" if row["tmdb_id"] else row["given"])
        named = show.named(row["title"] or "(title not known yet)", row["year"])
        table.add_row(Text(show.printable(own)), row["tracked_at"][:10], Text(named))
    columns.print_table(out, table)
    out.print(f"{counted(len(rows), 'film')}.")


def untrack(
    names: Annotated[list[str], typer.Argument(metavar="FILM")], db: DbOption = None
) -> None:
    """Stop tracking films. What is known of them stays.

    \b
    Example:  afterscore untrack tt1074638
    """
    must_be_there(db)
    with writing_to(db, "untrack") as database:
        for name in names:
            by_id = "Name it by an id that 'afterscore track --list' shows."
            film_id = films.find(database, name, whole=True, otherwise=by_id)
            done = "no longer tracked" if tracking.untrack(database, film_id) else "was not tracked"
            say(show.printable(f"{films.as_candidate(database, film_id)}: {done}"))


def film(
    name: Annotated[
        str, typer.Argument(metavar="FILM", help="tt1074638, 'Skyfall (2012)', a URL …")
    ],
    ask: Annotated[
        bool,
        typer.Option("--ask", help="Ask the sources first; a film new here is tracked"),
    ] = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print one film: whether to stay for the credits, then each score with its age and link.

    \b
    Example:  afterscore film "Skyfall (2012)"
              afterscore film tt1074638 --ask
    """
    status = _ask(name, db) if ask else 0
    reading = read_only(config.database_path(db))
    facts = film_facts(reading, films.find(reading, name))
    if as_json:
        print_json(facts)
    else:
        show.film_card(out, facts)
    raise typer.Exit(status)


def _ask(name: str, db: Path | None) -> int:
    """Ask the sources for one film, which is tracked where it is new; gives the exit status."""
    from pipelines.merge import merge

    settings = config.load()
    with writing_to(db, f"film {name} --ask") as database:
        try:
            film_id = films.find(database, name)
        except films.UnknownFilm:
            listing = films.listed(name)
            if listing is None:
                raise
            with transaction(database):
                film_id, _ = tracking.track(database, [listing], name)
            merge(database, [film_id])
            note(f"{listing} is tracked from now on ('afterscore untrack {listing}' ends that).")
        chosen = Selection(film_ids=frozenset({film_id}), again=True)
        order = Order(f"film {name} --ask", chosen)
        try:
            return run_shown(database, settings, order).exit_status
        except NothingToAsk as problem:  # what stands can be shown all the same
            note(str(problem))
            return 1

"""track, untrack, film: which films are kept, and what is known of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import films
from pipelines.database import read_only
from pipelines.film_facts import film_facts
from schedules import config, film_lists, show
from schedules.commands.opening import must_be_there, writing_to
from schedules.commands.options import DbOption, FilmsOption, JsonOption, Problem, err, out
from schedules.commands.running import NothingToAsk, exit_status, run_shown
from schedules.results import Selection


def track(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="FILM", help="tt1074638, tmdb:37724, a URL …")
    ] = None,
    films_file: FilmsOption = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="A media folder with ids in names"),
    ] = None,
    db: DbOption = None,
) -> None:
    """Track films, whatever the universe says: by id, from a CSV file, or from a media folder.

    \b
    Example:  afterscore track tt1074638 https://www.themoviedb.org/movie/24428
              afterscore track --films ~/Downloads/WATCHLIST.csv
    """
    from schedules import backfill

    rows = film_lists.from_names(names or [])
    if films_file:
        rows += film_lists.from_csv(films_file)
    if folder:
        found = film_lists.from_folder(folder)
        if not found:
            raise Problem(
                f"no ids in the names in {folder}: expected such as [tt1074638] or {{tmdb-37724}}"
            )
        rows += found
    if not rows:
        raise Problem(
            "name a film to track, or a file with --films, or a folder with --folder:"
            " 'afterscore track tt1074638'"
        )
    with writing_to(db, "track") as database:
        tracked, new = backfill.track_rows(database, rows)
    distinct = len(set(tracked.values()))
    out.print(
        f"{new} newly tracked, {distinct - new} tracked already, of {len(rows)} given."
        " 'afterscore refresh' asks for them.",
        soft_wrap=True,
    )
    failed = [row for row in rows if row.place not in tracked]
    for row in failed[:20]:
        err.print(
            f"{row.place}: {row.problem or 'its ids are of different films here'}", markup=False
        )
    if len(failed) > 20:
        err.print(f"… and {len(failed) - 20} more rows without a film")
    if failed:
        raise typer.Exit(1 if tracked else 2)


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
            film_id = films.find(database, name)
            done = films.untrack(database, film_id)
            out.print(
                f"{name}: " + ("no longer tracked" if done else "was not tracked"), markup=False
            )


def film(
    name: Annotated[
        str, typer.Argument(metavar="FILM", help="tt1074638, 'Skyfall (2012)', a URL …")
    ],
    ask: Annotated[bool, typer.Option("--ask", help="Ask the sources first")] = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print one film: whether to stay for the credits, then each score with its age and link.

    \b
    Example:  afterscore film "Skyfall (2012)"
              afterscore film tt1074638 --ask
    """
    status = 0
    if ask:
        from pipelines.merge import merge

        settings = config.load()
        with writing_to(db, f"film {name} --ask") as database:
            try:
                film_id = films.find(database, name)
            except films.UnknownFilm:
                listing = films.listed(name)
                if listing is None:
                    raise
                database.conn.execute("BEGIN IMMEDIATE")
                film_id, _ = films.track(database, [listing], name)
                database.conn.execute("COMMIT")
                merge(database, [film_id])
            chosen = Selection(film_ids=frozenset({film_id}), again=True)
            try:
                status = exit_status(run_shown(database, settings, chosen, f"film {name} --ask"))
            except NothingToAsk as problem:  # what stands can be shown all the same
                err.print(str(problem), markup=False, soft_wrap=True)
                status = 1
    reading = read_only(config.database_path(db))
    facts = film_facts(reading, films.find(reading, name))
    if as_json:
        out.print(show.as_json(facts), markup=False, soft_wrap=True)
    else:
        show.film_card(out, facts)
    raise typer.Exit(status)

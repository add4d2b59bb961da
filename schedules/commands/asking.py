"""refresh, backfill: ask the sources."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlite_utils import Database

from pipelines import films
from pipelines.database import read_only
from pipelines.lock import Rank
from schedules import config, film_lists, show
from schedules.commands.opening import film_ids_of, has_films, source_named, writing_in_turn
from schedules.commands.options import (
    AgainOption,
    DbOption,
    FilmOption,
    FilmsOption,
    JsonOption,
    LimitOption,
    Problem,
    SourceOption,
    err,
    out,
    warn,
)
from schedules.commands.plan import print_plan
from schedules.commands.running import exit_status, print_result, result_rows, run_shown
from schedules.commands.saved_pages import store_saved_pages
from schedules.progress import Shown
from schedules.results import Selection
from schedules.telling import night
from spiders.sources import SOURCES

if TYPE_CHECKING:
    from schedules.crawls import Start
    from schedules.run import Run

NEXT_STEPS = """There is nothing to refresh yet: no film is tracked, and no universe is set.
Track films:     afterscore track tt1074638 tmdb:24428
                 afterscore track --films FILE.csv      (IMDb's exports and the like)
                 afterscore track --folder DIR          (ids in the names of a media folder)
Or let the universe find them: 'afterscore init' writes an afterscore.toml that has one."""


def refresh(
    source: SourceOption = None,
    film_names: FilmOption = None,
    films_file: FilmsOption = None,
    limit: LimitOption = None,
    again: AgainOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what is due; ask nothing")
    ] = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Find films, match their listings, ask every listing that is due, and print what changed.

    \b
    Example:  afterscore refresh
              afterscore refresh --source rottentomatoes --limit 50
    """
    from schedules.run import Run

    settings = config.load()
    for key in source or ():
        source_named(key)
    path = config.database_path(db)
    empty = not path.exists() or not has_films(path)
    if empty and settings.universe is None:
        raise Problem(NEXT_STEPS)
    if dry_run:
        if not path.exists():
            out.print("No database yet: the find stage would come first, with the IMDb datasets.")
            return
        reading = read_only(path)
        chosen_films = None
        if film_names or films_file:
            rows = film_lists.from_csv(films_file) if films_file else []
            named = [*(film_names or ()), *(str(one) for row in rows for one in row.listings)]
            known = (one for name in named for one in films.find_all(reading, name))
            chosen_films = frozenset(one.film_id for one in known)
        chosen = Selection(tuple(source or ()), chosen_films, limit, again)
        print_plan(Run(reading, settings, chosen, "refresh --dry-run", Shown(err)))
        return
    with writing_in_turn(db, "refresh", Rank.NIGHT) as (database, lock):
        chosen = Selection(
            sources=tuple(source or ()),
            film_ids=film_ids_of(database, film_names, films_file),
            limit=limit,
            again=again,
        )
        whole = chosen == Selection(again=again)
        with night(database, path, settings, warn) if whole else nullcontext():
            result = run_shown(database, settings, chosen, "refresh", lock=lock, quiet=as_json)
        if as_json:
            out.print(show.as_json(result_rows(result)), markup=False, soft_wrap=True)
        else:
            show.print_changes(out, database, result)
            print_result(database, result)
    raise typer.Exit(exit_status(result))


def backfill_command(
    source: SourceOption = None,
    film_names: FilmOption = None,
    films_file: FilmsOption = None,
    limit: LimitOption = None,
    again: AgainOption = False,
    years: Annotated[
        str | None, typer.Option(metavar="2010-2020", help="Films released in these years")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="End in order at this time of day")
    ] = None,
    saved: Annotated[
        Path | None,
        typer.Option("--from", metavar="INDEX.jsonl|FILE.warc.gz", help="Read saved pages instead"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT", help="Crawl on the workers of this dask.distributed cluster"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the estimate only")] = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Go through many films over several sources; safe to interrupt, goes on where it stopped.

    \b
    Example:  afterscore backfill --films films.csv --until 06:00
              afterscore backfill --years 2010-2020 --source metacritic
              afterscore backfill --from saved-pages/index.jsonl
              afterscore backfill --cluster tcp://scheduler:8786
    """
    from schedules import backfill
    from schedules.run import Run

    if saved:
        store_saved_pages(saved, db)
        return
    settings = config.load()
    for key in source or ():
        source_named(key)
    try:
        ends_in = backfill.seconds_until(until) if until else None
    except ValueError:
        raise Problem(f"--until takes a time of day such as 06:00, not {until!r}") from None
    rows = film_lists.from_csv(films_file) if films_file else []
    if films_file and not any(row.listings for row in rows):
        raise Problem(
            f"no row of {films_file} names a film: {rows[0].problem if rows else 'empty'}"
        )
    path = config.database_path(db)
    if not films_file and not film_names and (not path.exists() or not has_films(path)):
        raise Problem(NEXT_STEPS)
    start = _crawling_on(cluster) if cluster and not dry_run else None
    with writing_in_turn(db, "backfill", Rank.BACKFILL) as (database, lock):
        tracked, _ = backfill.track_rows(database, rows)
        ids = film_ids_of(database, film_names, None) or frozenset()
        if years:
            ids |= _films_of_years(database, years)
        ids |= frozenset(tracked.values())
        whole = not (films_file or film_names or years)
        chosen = Selection(
            sources=tuple(source or ()), film_ids=None if whole else ids, limit=limit, again=again
        )
        count = len(ids) if not whole else database["films"].count
        _print_estimate(Run(database, settings, chosen, "backfill", Shown(err)), count)
        if dry_run:
            return
        result = run_shown(
            database,
            settings,
            chosen,
            "backfill",
            lock=lock,
            seconds=ends_in,
            quiet=as_json,
            start=start,
        )
        if films_file:
            written = films_file.with_name(films_file.name + ".report.csv")
            keys = list(source or [s.key for s in SOURCES])
            backfill.report(database, written, rows, tracked, keys)
            err.print(f"Wrote {written}: one row for each row of {films_file.name}.")
        if as_json:
            out.print(show.as_json(result_rows(result)), markup=False, soft_wrap=True)
        else:
            show.print_changes(out, database, result)
            print_result(database, result)
    raise typer.Exit(exit_status(result))


def _crawling_on(address: str) -> Start:
    """Crawls on the workers of a cluster. Raises Problem where it cannot be used."""
    try:
        from schedules.cluster import Cluster, ClusterProblem  # nobody else waits for dask's import
    except ModuleNotFoundError as fault:
        raise Problem(
            f"--cluster needs dask.distributed ({fault}). From the checkout that afterscore was"
            " installed from: pip install '.[cluster]'"
        ) from None
    cluster = Cluster(address, warn)
    try:
        cluster.check()
    except ClusterProblem as fault:
        raise Problem(str(fault)) from None
    return cluster.crawls


def _films_of_years(database: Database, years: str) -> frozenset[int]:
    first, dash, last = years.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise Problem(f"--years takes 2010-2020 or 2015, not {years!r}")
    if last and int(last) < int(first):
        raise Problem(f"--years takes the earlier year first: {last}-{first}")
    rows = database.conn.execute(
        "SELECT film_id FROM films WHERE year BETWEEN ? AND ?", (int(first), int(last or first))
    )
    found = frozenset(row[0] for row in rows)
    if not found:
        raise Problem(f"no film of {years} is here yet: 'afterscore refresh' finds the universe")
    return found


def _print_estimate(run: Run, film_count: int) -> None:
    from schedules import backfill

    estimates = backfill.estimate(run, film_count)
    for told in estimates:
        costs = f"up to {told.requests:,} requests, {told.hours:.1f} h at the polite rate"
        err.print(f"{told.source}: {costs}")
    longest = max((told.hours for told in estimates), default=0.0)
    err.print(f"Hosts are asked side by side: about {longest:.1f} h in all.")

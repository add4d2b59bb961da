"""refresh, backfill: ask the sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console
from sqlite_utils import Database

from pipelines import clock, films
from pipelines.database import is_there, read_only, writing
from pipelines.lock import Rank
from pipelines.problem import Problem
from pipelines.wording import counted
from schedules import config, film_lists, log, show
from schedules.commands.foreground import Order, print_result, result_rows, run_shown
from schedules.commands.opening import (
    must_have_something,
    print_nameless,
    rows_of,
    sources_named,
    writing_in_turn,
)
from schedules.commands.options import (
    AgainOption,
    DbOption,
    FilmOption,
    FilmsOption,
    JsonOption,
    LimitOption,
    SourceOption,
    err,
    out,
    print_json,
    warn,
)
from schedules.commands.plan import SHOWN, plan_rows, print_plan, time_taken
from schedules.commands.saved_pages import store_saved_pages
from schedules.results import Result, Selection
from schedules.telling import announced
from spiders.sources import SOURCES

if TYPE_CHECKING:
    from schedules.intent import Intent
    from schedules.stage import Start

SHOWN_OF_MANY = 5
"""Listings of each source that a backfill's plan prints."""


class _Known(NamedTuple):
    """What is here of the films that a command names: which (None: all), how many of its file's are
    not, and the rows of the file that name none."""

    ids: frozenset[int] | None
    unknown: int
    nameless: list[film_lists.Row]


@dataclass(frozen=True)
class _Named:
    """The films that a command names: by themselves, in the rows of a file, by their years. Where
    it names none, it is about all."""

    names: Sequence[str] = ()
    rows: Sequence[film_lists.Row] = ()
    years: str | None = None

    @property
    def all_films(self) -> bool:
        """Whether none is named."""
        return not (self.names or self.rows or self.years)

    def tracked(self, database: Database) -> tuple[frozenset[int] | None, film_lists.Tracked]:
        """The films (None: all), those of the rows tracked, and what came of these. Raises
        UnknownFilm, and Problem where no film of the years is here."""
        found = self._found(database)
        tracked = film_lists.track(database, self.rows)
        return self._ids(database, found, tracked.films.values()), tracked

    def known(self, reading: Database) -> _Known:
        """What is here of the films. Raises as `tracked` does: those of a file alone are tracked,
        where they are not here."""
        nameless: list[film_lists.Row] = []
        unknown: set[tuple[films.Listed, ...]] = set()
        here: set[int] = set()
        for row in self.rows:
            found = {
                one.film_id
                for listing in row.listings
                for one in films.find_all(reading, str(listing))
            }
            if len(found) > 1:
                nameless.append(film_lists.of_different_films(row))
            elif not row.listings:
                nameless.append(row)
            elif found:
                here |= found
            else:
                unknown.add(row.listings)
        return _Known(self._ids(reading, self._found(reading), here), len(unknown), nameless)

    def _found(self, database: Database) -> frozenset[int]:
        return frozenset(films.find(database, name) for name in self.names)

    def _ids(
        self, database: Database, found: frozenset[int], of_rows: Iterable[int]
    ) -> frozenset[int] | None:
        if self.all_films:
            return None
        return found.union(_films_of_years(database, self.years) if self.years else (), of_rows)


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
    settings = config.load()
    chosen = Selection(sources=sources_named(source), limit=limit, again=again)
    path = config.database_path(db)
    named = _Named(film_names or [], rows_of(films_file))
    if not named.rows:
        must_have_something(path, settings)
    if dry_run:
        from schedules.intent import Intent

        with _looked_at(path) as reading:
            known = named.known(reading)
            intent = Intent(reading, settings, replace(chosen, film_ids=known.ids))
            _print_dry_run(intent, known.unknown, as_json=as_json)
        print_nameless(known.nameless)
        raise typer.Exit(_status(0, known.nameless))
    with writing_in_turn(db, "refresh", Rank.NIGHT) as (database, lock):
        ids, tracked = named.tracked(database)
        chosen = replace(chosen, film_ids=ids)
        whole = chosen == Selection(again=again)
        with announced(database, path, settings, warn) if whole else nullcontext():
            order = Order("refresh", chosen)
            result = run_shown(database, settings, order, lock=lock, quiet=as_json)
        _print_outcome(database, result, as_json=as_json)
        print_nameless(tracked.nameless)
        log.ends_with(status := _status(result.exit_status, tracked.nameless))
    raise typer.Exit(status)


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
        str | None, typer.Option(metavar="HH:MM", help="End in order at this time of day, UTC")
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
    from schedules.intent import Intent

    if saved:
        store_saved_pages(saved, db)
        return
    settings = config.load()
    chosen = Selection(sources=sources_named(source), limit=limit, again=again)
    ends_at = _next_time(until) if until else None
    named = _Named(film_names or [], rows_of(films_file), years)
    path = config.database_path(db)
    if named.all_films:
        must_have_something(path, settings)
    if dry_run:
        with _looked_at(path) as reading:
            known = named.known(reading)
            _print_backfill(reading, settings, chosen, known, as_json=as_json)
        print_nameless(known.nameless)
        raise typer.Exit(_status(0, known.nameless))
    report = _report_beside(films_file) if films_file else None
    start = _crawling_on(cluster) if cluster else None
    with writing_in_turn(db, "backfill", Rank.BACKFILL) as (database, lock):
        ids, tracked = named.tracked(database)
        chosen = replace(chosen, film_ids=ids)
        count = _number_of_films(database, chosen)
        _print_estimate(Intent(database, settings, chosen), count, err)
        if ends_at:
            time_left = time_taken(clock.seconds_until(ends_at) / 3_600)
            err.print(f"It ends at {until} UTC at the latest, in {time_left}.", markup=False)
        order = Order("backfill", chosen, ends_at, start)
        result = run_shown(database, settings, order, lock=lock, quiet=as_json)
        if films_file and report:
            keys = chosen.sources or [source.key for source in SOURCES]
            backfill.report(database, report, tracked, keys)
            err.print(f"Wrote {report}: one row for each row of {films_file.name}.")
            if tracked.nameless:
                err.print(
                    f"{counted(len(tracked.nameless), 'row')} of it named no film: its last column"
                    " says why.",
                    soft_wrap=True,
                )
        _print_outcome(database, result, as_json=as_json)
        log.ends_with(status := _status(result.exit_status, tracked.nameless))
    raise typer.Exit(status)


def _status(of_run: int, nameless: Sequence[film_lists.Row]) -> int:
    """A command's exit status: a row of its file that names no film is something that failed."""
    return of_run or (1 if nameless else 0)


def _next_time(until: str) -> datetime:
    """When it is that time of day next, UTC. Raises Problem where it is none."""
    try:
        return clock.next_time(until, datetime.now(UTC))
    except ValueError:
        raise Problem(f"--until takes a time of day such as 06:00, UTC, not {until!r}") from None


def _report_beside(films_file: Path) -> Path:
    """Where a backfill's report goes. Raises Problem where it could not be written."""
    from schedules import backfill

    path = films_file.with_name(films_file.name + ".report.csv")
    try:
        backfill.check_report(path)
    except OSError as fault:
        raise Problem(
            f"cannot write {path}, the report: {fault.strerror}. Put a copy of the file where you"
            " may write."
        ) from fault
    return path


def _print_outcome(database: Database, result: Result, *, as_json: bool) -> None:
    """What a run came to."""
    if as_json:
        print_json(result_rows(result))
    else:
        show.print_changes(out, database, result)
        print_result(database, result)


def _crawling_on(address: str) -> Start:
    """Crawls on the workers of a cluster. Raises Problem where it cannot be used."""
    try:
        from schedules.cluster import Cluster  # nobody else waits for dask's import
    except ModuleNotFoundError as fault:
        raise Problem(
            f"--cluster needs dask.distributed ({fault}). From the checkout that afterscore was"
            " installed from: pip install '.[cluster]'"
        ) from None
    cluster = Cluster(address, warn)
    cluster.check()
    return cluster.crawls


def _films_of_years(database: Database, years: str) -> frozenset[int]:
    first, _, last = years.partition("-")
    if not re.fullmatch(r"[0-9]{1,4}(-[0-9]{1,4})?", years):
        raise Problem(f"--years takes 2010-2020 or 2015, not {years!r}")
    if last and int(last) < int(first):
        raise Problem(f"--years takes the earlier year first: {last}-{first}")
    rows = database.conn.execute(
        "SELECT film_id FROM films WHERE year BETWEEN ? AND ?", (int(first), int(last or first))
    )
    found = frozenset(row[0] for row in rows)
    if not found:
        raise Problem(
            f"no film of {years} is here yet: 'afterscore refresh --source imdb' reads which films"
            " there are"
        )
    return found


@contextmanager
def _looked_at(path: Path) -> Iterator[Database]:
    """The database for reading; where there is none, an empty one that is gone afterwards."""
    from pipelines.derived import prepare

    if is_there(path):
        yield read_only(path)
        return
    with (
        TemporaryDirectory() as folder,
        writing(Path(folder) / path.name) as database,
    ):
        prepare(database)
        yield database


def _print_backfill(
    reading: Database, settings: config.Config, chosen: Selection, known: _Known, *, as_json: bool
) -> None:
    """A backfill's plan, and what it costs at most."""
    from schedules.intent import Intent

    chosen = replace(chosen, film_ids=known.ids)
    intent = Intent(reading, settings, chosen)
    _print_dry_run(intent, known.unknown, SHOWN_OF_MANY, as_json=as_json)
    count = _number_of_films(reading, chosen) + known.unknown
    if count and not as_json:
        out.print("\nAt most, with what is still to be found:")
        _print_estimate(intent, count, out)


def _print_dry_run(intent: Intent, unknown: int, most: int = SHOWN, *, as_json: bool) -> None:
    """A command's plan; `unknown` films are not here yet, and are sought first."""
    if as_json:
        print_json({**plan_rows(intent), "unknown": unknown})
        return
    print_plan(intent, most)
    if unknown:
        out.print(
            f"\n{counted(unknown, 'film')} not here yet: tracked and sought first, then asked for"
            " like the others.",
            soft_wrap=True,
        )


def _number_of_films(database: Database, chosen: Selection) -> int:
    return database["films"].count if chosen.film_ids is None else len(chosen.film_ids)


def _print_estimate(intent: Intent, film_count: int, console: Console) -> None:
    """What it costs at most: each source's listings, and of those to be found one for each film."""
    from schedules import backfill

    if not film_count:
        console.print("Which films there are is read first; what they cost is known then.")
        return
    estimates = backfill.estimate(intent, film_count)
    for estimate in estimates:
        console.print(
            f"{estimate.source}: up to {counted(estimate.requests, 'request')},"
            f" {time_taken(estimate.hours)} at the polite rate"
        )
    if estimates:
        longest = max(estimate.hours for estimate in estimates)
        console.print(f"Hosts are asked side by side: about {time_taken(longest)} in all.")
    else:
        console.print("No source that is on is asked film by film ('afterscore sources').")

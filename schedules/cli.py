"""The command line. Exit status 0: done; 1: something failed and the rest stands; 2: nothing
could be done, and the message says what to do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlite_utils import Database

from pipelines import films
from pipelines.database import DatabaseProblem, read_only, writing
from pipelines.merge import merge, prepare
from schedules import __version__, archive, backfill, config, demo, film_lists, show
from schedules.progress import Shown
from schedules.replica import samples_folder
from schedules.run import Result, Run, Selection, not_films, stopped_by
from spiders.sources import SOURCES, by_key

app = typer.Typer(
    name="afterscore",
    help="What the ratings sites make of a film, how sure that is, and whether a scene waits"
    " after the credits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

NEXT_STEPS = """There is nothing to refresh yet: no film is tracked, and no universe is set.
Track films:     afterscore track tt1074638 tmdb:24428
                 afterscore track --films FILE.csv      (IMDb's exports and the like)
                 afterscore track --folder DIR          (ids in the names of a media folder)
Or let the universe find them: 'afterscore init' writes an afterscore.toml that has one."""


class Problem(Exception):
    """Nothing could be done; the message says what to do."""


DbOption = Annotated[
    Path | None,
    typer.Option("--db", metavar="FILE", help="Database [default: AFTERSCORE_DB or ratings.db]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON")]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="KEY", help="Only this source; may be repeated"),
]
FilmOption = Annotated[
    list[str] | None, typer.Option("--film", metavar="FILM", help="Only this film; may be repeated")
]
FilmsOption = Annotated[
    Path | None, typer.Option("--films", metavar="FILE.csv", help="Only the films of a CSV file")
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="At most N listings a source")
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Ask even what answered within the hours of rest")
]


def main() -> None:
    """Run the command line; every expected problem ends in one clear line and status 2."""
    try:
        app()
    except (
        Problem,
        DatabaseProblem,
        config.SettingsProblem,
        films.UnknownFilm,
        film_lists.UnreadableList,
        archive.UnreadableArchive,
        archive.OtherHost,
    ) as problem:
        err.print(f"afterscore: {problem}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)  # before the run began: there was nothing to end in order
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        sys.stderr.close()
        sys.exit(0)


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version")] = False,
) -> None:
    """What the ratings sites make of a film, and whether a scene waits after the credits."""
    if show_version:
        out.print(__version__)
        raise typer.Exit


# --- setting up -------------------------------------------------------------------------------


@app.command()
def init(
    db: DbOption = None,
    contact: Annotated[str, typer.Option(help="How sites can reach you: an address or a URL")] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over an afterscore.toml")] = False,
) -> None:
    """Write a commented afterscore.toml, show each source's terms, check keys, contact and disk.

    \b
    Example:  afterscore init --contact you@example.org
    """
    file = Path(config.FILE)
    if file.exists() and not force:
        out.print(f"{file} is there already and is left as it is (--force writes it anew).")
    else:
        try:
            file.write_text(config.template(contact), "utf-8")
        except OSError as fault:
            raise Problem(
                f"cannot write {file.resolve()}: {fault.strerror}. Choose a folder that"
                " you may write to."
            ) from fault
        out.print(f"Wrote {file.resolve()}: read it, it is commented.")
    settings = config.load()
    out.print("\nTerms of the sources, as the register has them:")
    for source in SOURCES:
        show.print_terms(out, source, settings.skipped(source))
    path = config.database_path(db)
    free = shutil.disk_usage(path.resolve().parent).free / 1e9
    out.print("\nChecks:")
    out.print(f"  contact   {settings.contact or 'NOT SET: nothing beyond this machine is asked'}")
    out.print(f"  database  {path.resolve()} ({'there' if path.exists() else 'will be made'})")
    out.print(
        f"  disk      {free:,.1f} GB free" + ("" if free > 1 else ": too little, 1 GB is wanted")
    )
    out.print(
        "\nNext: 'afterscore track tt1074638', or nothing where the universe suits you; then"
        " 'afterscore refresh'."
    )


sources_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(sources_app, name="sources")


@sources_app.callback()
def sources(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Print the register: each source's scores, terms, and whether it is asked.

    \b
    Example:  afterscore sources
              afterscore sources check rottentomatoes
    """
    if ctx.invoked_subcommand:
        return
    settings = config.load()
    if as_json:
        rows = show.register_rows()
        for row in rows:
            row["skipped"] = settings.skipped(by_key(row["key"]))
        out.print(show.as_json(rows), markup=False, soft_wrap=True)
        return
    show.print_register(out, {source.key: settings.skipped(source) for source in SOURCES})


@sources_app.command("check")
def sources_check(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the source")],
    as_json: JsonOption = False,
) -> None:
    """Ask a source's robots.txt, and read the bundled samples with today's reader.

    \b
    Example:  afterscore sources check metacritic
    """
    source = _source(key)
    settings = config.load()
    settings.require_contact([source])
    from schedules.check import check

    findings = check(source, settings, samples_folder())
    if as_json:
        out.print(
            show.as_json([finding._asdict() for finding in findings]), soft_wrap=True, markup=False
        )
    else:
        for finding in findings:
            mark = "ok  " if finding.good else "BAD "
            out.print(f"{mark}{finding.what}: {finding.detail}", markup=False, soft_wrap=True)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


# --- films --------------------------------------------------------------------------------------


@app.command()
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
    with _writing(db, "track") as database:
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


@app.command()
def untrack(
    names: Annotated[list[str], typer.Argument(metavar="FILM")], db: DbOption = None
) -> None:
    """Stop tracking films. What is known of them stays.

    \b
    Example:  afterscore untrack tt1074638
    """
    path = config.database_path(db)
    read_only(path)
    with _writing(db, "untrack") as database:
        for name in names:
            film_id = films.find(database, name)
            done = films.untrack(database, film_id)
            out.print(
                f"{name}: " + ("no longer tracked" if done else "was not tracked"), markup=False
            )


@app.command()
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
        settings = config.load()
        with _writing(db, f"film {name} --ask") as database:
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
            result = _run(database, settings, chosen, f"film {name} --ask")
            status = _status(result)
    reading = read_only(config.database_path(db))
    facts = show.film_facts(reading, films.find(reading, name))
    if as_json:
        out.print(show.as_json(facts), markup=False, soft_wrap=True)
    else:
        show.film_card(out, facts)
    raise typer.Exit(status)


# --- asking -------------------------------------------------------------------------------------


@app.command()
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
    for key in source or ():
        _source(key)
    path = config.database_path(db)
    empty = not path.exists() or not _has_films(path)
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
        _dry_run(reading, settings, chosen)
        return
    with _writing(db, "refresh") as database:
        chosen = Selection(
            sources=tuple(source or ()),
            film_ids=_film_ids(database, film_names, films_file),
            limit=limit,
            again=again,
        )
        result = _run(database, settings, chosen, "refresh", quiet=as_json)
        if as_json:
            out.print(show.as_json(_result_rows(result)), markup=False, soft_wrap=True)
        else:
            show.print_changes(out, database, result.changes)
            _print_result(database, result)
    raise typer.Exit(_status(result))


@app.command("backfill")
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the estimate only")] = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Go through many films over several sources; safe to interrupt, goes on where it stopped.

    \b
    Example:  afterscore backfill --films films.csv --until 06:00
              afterscore backfill --years 2010-2020 --source metacritic
              afterscore backfill --from saved-pages/index.jsonl
    """
    if saved:
        _backfill_saved(saved, db)
        return
    settings = config.load()
    for key in source or ():
        _source(key)
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
    if not films_file and not film_names and (not path.exists() or not _has_films(path)):
        raise Problem(NEXT_STEPS)
    with _writing(db, "backfill") as database:
        tracked, _ = backfill.track_rows(database, rows)
        ids = _film_ids(database, film_names, None) or frozenset()
        if years:
            ids |= _films_of_years(database, years)
        ids |= frozenset(tracked.values())
        whole = not (films_file or film_names or years)
        chosen = Selection(
            sources=tuple(source or ()), film_ids=None if whole else ids, limit=limit, again=again
        )
        with Shown(err) as shown:
            run = Run(database, settings, chosen, "backfill", shown)
            settings.require_contact(run.asked_sources)
            _print_skipped(run)
            count = len(ids) if not whole else database["films"].count
            estimates = backfill.estimate(run, settings, count)
            for told in estimates:
                err.print(
                    f"{told.source}: up to {told.requests:,} requests, {told.hours:.1f} h at the"
                    " polite rate"
                )
            longest = max((told.hours for told in estimates), default=0.0)
            err.print(f"Hosts are asked side by side: about {longest:.1f} h in all.")
            if dry_run:
                return
            with stopped_by(run, ends_in, shown.say):
                result = run.execute()
        if films_file:
            written = films_file.with_name(films_file.name + ".report.csv")
            keys = list(source or [s.key for s in SOURCES])
            backfill.report(database, written, rows, tracked, keys)
            err.print(f"Wrote {written}: one row for each row of {films_file.name}.")
        if as_json:
            out.print(show.as_json(_result_rows(result)), markup=False, soft_wrap=True)
        else:
            show.print_changes(out, database, result.changes)
            _print_result(database, result)
    raise typer.Exit(_status(result))


@app.command()
def read(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A saved page")] = None,
    source: Annotated[str | None, typer.Option(metavar="KEY", help="Its source")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Its URL")] = None,
    http_status: Annotated[int, typer.Option(help="Its HTTP status")] = 200,
    index: Annotated[
        Path | None, typer.Option(metavar="INDEX.jsonl", help="Many saved pages, one a line")
    ] = None,
) -> None:
    """Read saved pages and print one JSON object a line for each record; needs no database.

    \b
    Example:  afterscore read --source metacritic --url https://www.metacritic.com/movie/up up.html
              afterscore read --index pages/index.jsonl
    """
    if index:
        failures = 0
        for entry in archive.from_index(index):
            if isinstance(entry, archive.Saved):
                _print_records(entry)
            else:
                told, why = entry
                failures += 1
                print(json.dumps(archive.failed(told, why), ensure_ascii=False))  # noqa: T201
                err.print(f"{told.get('file') or index}: {why}", markup=False, soft_wrap=True)
        raise typer.Exit(1 if failures else 0)
    if not (file and source and url):
        raise Problem("give --source, --url and a FILE, or --index INDEX.jsonl (see --help)")
    _print_records(archive.saved_file(file, source, url, http_status))


# --- what was held ------------------------------------------------------------------------------

quarantine_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(quarantine_app, name="quarantine", help="What the guard holds back.")


@quarantine_app.command("list")
def quarantine_list(as_json: JsonOption = False, db: DbOption = None) -> None:
    """Print what is held back, why, and since when; the last good value stands meanwhile.

    \b
    Example:  afterscore quarantine list
    """
    reading = read_only(config.database_path(db))
    rows = list(
        reading.query(
            "SELECT q.quarantine_id, l.source, l.source_id, l.title, q.topic, q.reason, q.held_at,"
            " q.times_held FROM quarantine q LEFT JOIN listings l USING (listing_id)"
            " WHERE q.decision IS NULL ORDER BY q.held_at DESC"
        )
    )
    if as_json:
        out.print(show.as_json(rows), markup=False, soft_wrap=True)
    elif not rows:
        out.print("Nothing is held back.")
    for row in [] if as_json else rows:
        named = row["title"] or row["source_id"]
        out.print(
            f"{row['quarantine_id']}  {row['source']}  {show.printable(named)}  {row['topic']}:"
            f" {show.printable(row['reason'])}  (since {row['held_at']},"
            f" {row['times_held']} times)",
            markup=False,
            soft_wrap=True,
        )


# --- demo ---------------------------------------------------------------------------------------


@app.command("demo")
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
    out.print("A replica of all sources runs on this machine; the main job asks it over HTTP.")
    with demo.replica_environment(folder / config.FILE) as replica:
        settings = config.load()
        with _writing(path, "demo") as database:
            backfill.track_rows(database, demo.TRACKED)
            result = _run(database, settings, Selection(again=True), "demo")
            show.print_changes(out, database, result.changes, limit=8)
            out.print()
            show.print_films(out, database)
            out.print(
                f"\n{len(replica.asked)} requests, {database['films'].count} films,"
                f" {database['score_observations'].count} score observations in {path}."
            )
    out.print(
        f'\nOne film:    {show.script("afterscore")} film "Skyfall (2012)" --db {path}\n'
        f"Browse all:  {show.script('datasette')} {path} --metadata {show.metadata_file()}\n"
        f"SQL:         {show.script('sqlite-utils')} {path}"
        " 'SELECT title, tomatometer FROM film_scores' --table",
        markup=False,
        soft_wrap=True,
    )
    raise typer.Exit(_status(result))


# --- helpers of the commands ----------------------------------------------------------------------


@contextmanager
def _writing(given: Path | None, command: str) -> Iterator[Database]:
    path = config.database_path(given)
    new = not path.exists()
    with writing(path, f"afterscore {command}") as database:
        if new:
            err.print(f"Made a new database: {path.resolve()}", markup=False, soft_wrap=True)
        prepare(database)
        yield database


def _run(
    database: Database,
    settings: config.Config,
    chosen: Selection,
    command: str,
    *,
    quiet: bool = False,
) -> Result:
    with Shown(err) as shown:
        run = Run(database, settings, chosen, command, shown)
        settings.require_contact(run.asked_sources)
        if not run.asked_sources:
            _print_skipped(run)
            raise Problem("no source is on, so there is nothing to ask ('afterscore sources')")
        if not quiet:
            _print_skipped(run)
        with stopped_by(run, None, shown.say):
            return run.execute()


def _print_skipped(run: Run) -> None:
    for key, why in run.skipped.items():
        err.print(f"{key}: skipped: {why}", markup=False, soft_wrap=True)


def _print_result(database: Database, result: Result) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "asked", "read", "unchanged", "stored", "changed", "held", "outcome"):
        table.add_column(heading, justify="left" if heading in ("source", "outcome") else "right")
    for crawled in result.crawls:
        counts = crawled.tally.counts
        numbers = [
            counts[n] for n in ("asked", "fetched", "unchanged", "stored", "changed", "held")
        ]
        table.add_row(crawled.source, *map(str, numbers), crawled.outcome)
    if result.crawls:
        out.print(table)
    else:
        out.print("Nothing was due; --again asks all the same.")
    for imdb_id, kind in not_films(database):
        err.print(f"{imdb_id} is a {kind}, not a film: 'afterscore untrack {imdb_id}'")


def _result_rows(result: Result) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "outcome": result.outcome,
        "skipped": result.skipped,
        "crawls": [
            {"source": c.source, "outcome": c.outcome, "detail": c.detail, **c.tally.counts}
            for c in result.crawls
        ],
        "changes": [change.__dict__ for change in result.changes],
    }


def _status(result: Result) -> int:
    return 0 if result.outcome == "ok" else 1


def _source(key: str) -> Any:
    try:
        return by_key(key)
    except KeyError as fault:
        raise Problem(fault.args[0]) from None


def _has_films(path: Path) -> bool:
    return bool(read_only(path)["films"].count)


def _film_ids(
    database: Database, names: list[str] | None, films_file: Path | None
) -> frozenset[int] | None:
    if not names and not films_file:
        return None
    found = {films.find(database, name) for name in names or ()}
    if films_file:
        tracked, _ = backfill.track_rows(database, film_lists.from_csv(films_file))
        found |= set(tracked.values())
    return frozenset(found)


def _films_of_years(database: Database, years: str) -> frozenset[int]:
    first, dash, last = years.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise Problem(f"--years takes 2010-2020 or 2015, not {years!r}")
    rows = database.conn.execute(
        "SELECT film_id FROM films WHERE year BETWEEN ? AND ?", (int(first), int(last or first))
    )
    found = frozenset(row[0] for row in rows)
    if not found:
        raise Problem(f"no film of {years} is here yet: 'afterscore refresh' finds the universe")
    return found


def _dry_run(database: Database, settings: config.Config, chosen: Selection) -> None:
    run = Run(database, settings, chosen, "refresh --dry-run", Shown(err))
    _print_skipped(run)
    finds = [source.key for source in run.asked_sources if source.finds]
    out.print(f"The find stage comes first, and may add listings: {', '.join(finds) or 'none'}")
    for source in run.read_sources():
        rows = run.due_listings(source)
        minutes = len(rows) * 1.25 * settings.delay(source) / 60
        out.print(
            f"{source.key}: {len(rows):,} listings due, {minutes:,.1f} min at the polite rate"
        )
        for row in rows.head(10).itertuples():
            out.print(f"  {row.source_id}  {row.why}", markup=False)


def _backfill_saved(saved: Path, db: Path | None) -> None:
    if saved.name.endswith((".warc", ".warc.gz")):
        pages: Iterator[Any] = iter(archive.from_warc(saved))
    else:
        pages = archive.from_index(saved)
    problems: list[str] = []

    def usable() -> Iterator[archive.Saved]:
        for page in pages:
            if isinstance(page, archive.Saved):
                yield page
            else:
                problems.append(page[1])

    if not saved.exists():
        raise Problem(f"no file {saved}")
    with _writing(db, f"backfill --from {saved}") as database:
        tally = backfill.store_saved(database, usable())
    for note in [*problems, *tally.notes][:40]:
        err.print(note, markup=False, soft_wrap=True)
    counts = tally.counts
    out.print(
        f"{counts['asked']:,} saved pages: {counts['fetched']:,} read, {counts['stored']:,}"
        f" records stored, {len(problems) + len(tally.notes)} problems."
    )
    if not counts["asked"]:
        raise Problem(f"no page of a known source in {saved}")
    if problems or tally.notes:
        raise typer.Exit(1)


def _print_records(saved: archive.Saved) -> None:
    for record in saved.records():
        print(json.dumps({"file": saved.file, **record.as_read()}, ensure_ascii=False))  # noqa: T201
        if record.detail:
            err.print(
                f"{saved.file}: {record.outcome.value}: {record.detail}",
                markup=False,
                soft_wrap=True,
            )


if __name__ == "__main__":
    main()

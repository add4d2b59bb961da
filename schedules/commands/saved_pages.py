"""read, and backfill --from: pages that somebody saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.problem import Problem
from pipelines.statements import Tally
from pipelines.wording import counted
from schedules import archive
from schedules.commands.opening import writing_to
from schedules.commands.options import err, note, out
from spiders.items import Outcome

SHOWN = 40
"""Problems of an index that are printed; the rest is counted."""

_TOLD = (Outcome.OK, Outcome.NOT_FOUND, Outcome.NOT_A_FILM)
"""Outcomes of a page that said something."""


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

    Exit status 1 where the page could not be read (unreadable, or a block). With an index such a
    page is a record like others, and only a line that names no page makes it 1.

    \b
    Example:  afterscore read --source metacritic --url https://www.metacritic.com/movie/up up.html
              afterscore read --index pages/index.jsonl
    """
    if index:
        pages = failures = 0
        for entry in archive.from_index(index):
            pages += 1
            if isinstance(entry, archive.Saved):
                _print_records(entry)
            else:
                stated, why = entry
                failures += 1
                print(json.dumps(archive.failed(stated, why), ensure_ascii=False))  # noqa: T201
                note(why)
        if not pages:
            raise Problem(f"{index} names no page")
        raise typer.Exit(1 if failures else 0)
    if not (file and source and url):
        raise Problem("give --source, --url and a FILE, or --index INDEX.jsonl (see --help)")
    outcome = _print_records(archive.saved_file(file, source, url, http_status))
    raise typer.Exit(0 if outcome in _TOLD else 1)


def store_saved_pages(saved: Path, db: Path | None) -> None:
    """`backfill --from`: store what saved pages say, and print how many there were."""
    from schedules.archive_import import store_saved

    if saved.name.endswith((".warc", ".warc.gz")):
        from schedules.warc import from_warc

        pages: Iterator[Any] = from_warc(saved)
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
    kept = usable()
    first = next(kept, None)
    tally = Tally()
    if first:  # nothing to store makes no database
        with writing_to(db, f"backfill --from {saved}") as database:
            tally = store_saved(database, chain([first], kept))
    all_problems = [*problems, *tally.notes]
    for problem in all_problems[:SHOWN]:
        note(problem)
    if len(all_problems) > SHOWN:
        err.print(f"… and {counted(len(all_problems) - SHOWN, 'problem')} more")
    counts = tally.counts
    out.print(
        f"{counted(counts['asked'], 'saved page')}: {counts['fetched']:,} read,"
        f" {counted(counts['stored'], 'record')} stored, {counted(len(all_problems), 'problem')}."
    )
    if counts["lapsed"]:
        too_old = counted(counts["lapsed"], "page is", "pages are")
        note(f"{too_old} older than the source lets us keep: the next refresh deletes that again")
    if not counts["asked"]:
        if all_problems:
            raise Problem(f"no page of {saved} could be stored")
        raise Problem(f"{saved} holds no page of a known source")
    if all_problems:
        raise typer.Exit(1)


def _print_records(saved: archive.Saved) -> Outcome:
    """Print what a page says, and return what came of it."""
    records = saved.records() or [archive.nothing_listed(saved)]
    for record in records:
        print(json.dumps({"file": saved.file, **record.as_read()}, ensure_ascii=False))  # noqa: T201
        if record.detail:
            note(f"{saved.file}: {record.outcome.value}: {record.detail}")
    return records[0].outcome

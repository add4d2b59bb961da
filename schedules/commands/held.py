"""quarantine: what the guard holds back, and a person's decision on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import read_only, transaction
from pipelines.film_facts import STATES
from pipelines.problem import Problem
from pipelines.quarantine import CRAWL, held_answers
from pipelines.statements import Tally
from pipelines.wording import counted
from schedules import config, show
from schedules.commands.opening import must_be_there, source_named, writing_to
from schedules.commands.options import (
    BIGGEST,
    DbOption,
    JsonOption,
    note,
    out,
    print_json,
    say,
    user_name,
)

if TYPE_CHECKING:
    from pipelines.release import Case

NumbersArgument = Annotated[
    list[int] | None,
    typer.Argument(max=BIGGEST, metavar="NUMBER...", help="Numbers of 'quarantine list'"),
]
OneSourceOption = Annotated[
    str | None, typer.Option("--source", metavar="KEY", help="All that is held of this source")
]
RunOption = Annotated[
    int | None,
    typer.Option("--run", max=BIGGEST, metavar="NUMBER", help="All that this run held"),
]
AllOption = Annotated[bool, typer.Option("--all", help="What was decided too")]

_LIST = """
SELECT q.quarantine_id, q.run_id, q.source, l.source_id, l.title, q.topic, q.rule, q.reason,
  q.held_at, q.last_held_at, q.times_held, q.nights, q.decision, q.decided_by, q.decided_at
FROM quarantine q LEFT JOIN listings l USING (listing_id)
WHERE (?1 OR q.decision IS NULL) AND (?2 IS NULL OR q.source = ?2) AND (?3 IS NULL OR q.run_id = ?3)
ORDER BY q.held_at DESC, q.quarantine_id DESC
"""

SHOWN_RECORDS = 5
"""Records of a held crawl that `show` prints."""


class Decision(NamedTuple):
    """A decision: the command, what is said once it was done, and how it is written down."""

    command: str
    done: str
    write: Callable[[Database, Case], Tally]


def quarantine_list(
    source: OneSourceOption = None,
    run: RunOption = None,
    everything: AllOption = False,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print what is held back, why, and since when; the last good value stands meanwhile.

    \b
    Example:  afterscore quarantine list
    """
    reading = read_only(config.database_path(db))
    if source:
        source_named(source)
    rows = list(reading.query(_LIST, [everything, source, run]))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        say(_line(row))
    if not rows:
        out.print("Nothing is held back.")


def quarantine_show(
    number: Annotated[int, typer.Argument(max=BIGGEST, metavar="NUMBER")],
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print one case: what was said, what stands, why it is held, and what to type.

    \b
    Example:  afterscore quarantine show 5
    """
    reading = read_only(config.database_path(db))
    row = next(
        reading.query(
            "SELECT q.*, l.source_id, l.title, l.url FROM quarantine q"
            " LEFT JOIN listings l USING (listing_id) WHERE q.quarantine_id = ?",
            [number],
        ),
        None,
    )
    if row is None:
        raise Problem(f"there is no case {number} ('afterscore quarantine list --all')")
    row["record"] = json.loads(row["record"])
    row["standing"] = json.loads(row["standing"] or "null")
    if row["topic"] == CRAWL:
        row["first_records"] = _first_records(reading, number)
    if as_json:
        print_json(row)
        return
    _print_case(row)


def quarantine_release(
    numbers: NumbersArgument = None,
    source: OneSourceOption = None,
    run: RunOption = None,
    db: DbOption = None,
) -> None:
    """Store what was held after all, as of when it was said: one case, a run's or a source's.

    \b
    Example:  afterscore quarantine release 5
              afterscore quarantine release --source rottentomatoes
    """
    _decide(numbers, source, run, db, Decision("release", "released", _release))


def quarantine_reject(
    numbers: NumbersArgument = None,
    source: OneSourceOption = None,
    run: RunOption = None,
    db: DbOption = None,
) -> None:
    """Drop what was held: what stands goes on standing. The same answer of one film is not listed
    again; a crawl is judged anew each night.

    \b
    Example:  afterscore quarantine reject 5
              afterscore quarantine reject --run 12
    """
    _decide(numbers, source, run, db, Decision("reject", "rejected", _reject))


def _decide(
    numbers: list[int] | None,
    source: str | None,
    run: int | None,
    db: Path | None,
    decision: Decision,
) -> None:
    """Decide on each chosen case in a transaction of its own, match and merge what it touched."""
    from pipelines.release import CannotRelease, cases
    from pipelines.up_to_date import bring_up_to_date

    if bool(numbers) == (source is not None or run is not None):
        raise Problem(
            f"name what to {decision.command}: numbers of 'afterscore quarantine list', or --source"
            " KEY, or --run NUMBER"
        )
    if source:
        source_named(source)
    must_be_there(db)
    failed = False
    touched: set[int] = set()
    with writing_to(db, f"quarantine {decision.command}") as database:
        chosen = cases(database, numbers or (), source, run)
        if not chosen:
            raise Problem("nothing of that is held ('afterscore quarantine list')")
        for case in chosen:
            in_words = show.printable(f"{case.named} {case.topic}: {case.reason}")
            try:
                with transaction(database):
                    touched |= decision.write(database, case).touched
            except CannotRelease as fault:
                failed = True
                note(f"not released: {case.quarantine_id}  {in_words}: {fault}")
            else:
                say(f"{decision.done}: {case.quarantine_id}  {in_words}")
        bring_up_to_date(database, touched)
    if failed:
        raise typer.Exit(1)


def _release(database: Database, case: Case) -> Tally:
    from pipelines.release import release
    from pipelines.store import Store
    from spiders.pages.reading import reader_versions

    store = Store(database, None, reader_versions())
    return release(database, store, case, user_name(), clock.now())


def _reject(database: Database, case: Case) -> Tally:
    from pipelines.release import reject

    reject(database, case, user_name(), clock.now())
    return Tally()


def _line(row: dict[str, Any]) -> str:
    named = show.printable(row["title"] or row["source_id"] or "")
    several = row["nights"] > 1
    nights = counted(row["nights"], "night") if several else counted(row["times_held"], "time")
    end = f"; {row['decision']} by {row['decided_by']}" if row["decision"] else ""
    return (
        f"{row['quarantine_id']}  {row['source']}  {named}  {row['topic']}:"
        f" {show.printable(row['reason'])}  (since {row['held_at']}, {nights}{end})"
    ).replace("    ", "  ")


def _first_records(reading: Database, number: int) -> list[dict[str, Any]]:
    records = (
        record for answer in held_answers(reading, number) for record in answer.every_record()
    )
    return [record.as_read() for _, record in zip(range(SHOWN_RECORDS), records, strict=False)]


def _in_words(topic: str, said: Any) -> str:
    """A figure, a state or a verdict in words; all else as JSON: what another film's page said, and
    the lists in which older versions kept what stands."""
    if not said:
        return "nothing"
    if topic == "credits" and isinstance(said, Mapping):
        during, after = (said.get(place, "unknown") for place in ("during", "after"))
        return f"during the credits: {during}, after: {after}"
    if not isinstance(said, Mapping) or "state" not in said:
        return json.dumps(said, ensure_ascii=False)
    parts = [STATES.get(said["state"], "")]
    if said["state"] == "scored":
        parts = [f"{said['value']:g} of {said['scale_max']:g}"]
    if said.get("votes") is not None:
        parts += [f"{said['votes']:,} {'or more ' if said.get('votes_at_least') else ''}votes"]
    if said.get("seen_at"):
        parts += [f"last seen {said['seen_at']}"]
    return ", ".join(parts)


def _print_case(row: dict[str, Any]) -> None:
    def line(text: str) -> None:
        say(show.printable(text))

    about = (
        f"{row['source']}:{row['source_id']}" if row["source_id"] else f"{row['source']}, a crawl"
    )
    line(f"{row['quarantine_id']}  {about}  {row['title'] or ''}".rstrip())
    line(f"  {row['topic']}: {row['reason']}")
    line(
        f"  held since {row['held_at']}, last {row['last_held_at']},"
        f" {counted(row['times_held'], 'time')} on {counted(row['nights'], 'night')}"
    )
    if row["topic"] == CRAWL:
        numbers = row["record"]
        records = counted(numbers["records"], "record")
        line(f"  {records} in {counted(numbers['answers'], 'answer')} are kept, such as:")
        for record in row["first_records"]:
            line(f"    {json.dumps(record, ensure_ascii=False)}")
    else:
        said = row["record"]
        shown = said.get("scores", {}).get(row["topic"]) or said.get("credits") or said
        line(f"  it says   {_in_words(row['topic'], shown)}")
        line(f"  standing  {_in_words(row['topic'], row['standing'])}")
    if row["url"]:
        line(f"  {row['url']}")
    if row["decision"]:
        line(f"  {row['decision']} by {row['decided_by']} at {row['decided_at']}")
    else:
        line(f"  afterscore quarantine release {row['quarantine_id']}   (or reject)")

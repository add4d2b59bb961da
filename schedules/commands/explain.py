"""explain: why a film is what it is said to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from pipelines import films
from pipelines.clock import ago
from pipelines.database import read_only
from pipelines.explanation import explanation, shown
from pipelines.film_facts import film_facts
from schedules import columns, config
from schedules.commands.options import DbOption, JsonOption, out, print_json
from schedules.show import headline, named, printable, votes
from spiders.sources import score_kind


def explain(
    name: Annotated[str, typer.Argument(metavar="FILM", help="tt1074638, 'Skyfall (2012)' …")],
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print why a film is what it is said to be: its listings and the evidence for each, what was
    rejected, each score with its source, age and layout, and where sources disagree.

    \b
    Example:  afterscore explain "Skyfall (2012)"
    """
    reading = read_only(config.database_path(db))
    explained = explanation(reading, film_facts(reading, films.find(reading, name)))
    if as_json:
        print_json(explained)
    else:
        _print(explained)


def _print(explained: Mapping[str, Any]) -> None:
    out.print(headline(explained))
    _heading("Listings, and why each is believed to be this film")
    for row in explained["listings"]:
        _listing(row, _why(row))
    if not explained["listings"]:
        out.print("  none")
    for row in explained["formerly"]:
        _listing(row, f"was this film until {row['valid_to'][:10]}; {_why(row)}")
    if explained["rejected"]:
        _heading("Rejected, or doubtful")
    for row in explained["rejected"]:
        word = {"ask": "doubtful", "different": "another film"}[row["answer"]]
        why = f"{word}{_sure(row)}: {row['evidence']}"
        if row["matched_to"]:
            why += f". It is matched to {row['matched_to']}"
        _listing(row, why)
    _heading("Scores")
    own = [row for row in explained["scores"] if not row["relayed"]]
    relayed = [row for row in explained["scores"] if row["relayed"]]
    if not explained["scores"]:
        out.print("  none yet")
    _print_scores(own, "Said by (layout)")
    if relayed:
        out.print()
    _print_scores(relayed, "Repeated by (layout)")
    if explained["disagreements"]:
        _heading("Where sources disagree")
        for line in explained["disagreements"]:
            columns.indented(out, printable(line))


def _heading(text: str) -> None:
    out.print(Text(f"\n{text}", style="bold"))


def _listing(row: Mapping[str, Any], why: str) -> None:
    film = f"  {named(row['title'], row['year'])}" if row["title"] else ""
    gone = f"  gone since {row['gone_at'][:10]}" if row.get("gone_at") else ""
    out.print(Text(f"  {row['source']}:{row['source_id']}{film}{gone}"), soft_wrap=True)
    columns.indented(out, Text(printable(why), style="dim"), 6)


def _why(row: Mapping[str, Any]) -> str:
    since = f"since {row['valid_from'][:10]}; " if row["valid_from"] else ""
    beside = "" if row["is_primary"] or row["valid_to"] else " (another listing stands for it)"
    return f"{since}{row['method']}{_sure(row)}: {row['evidence']}{beside}"


def _sure(row: Mapping[str, Any]) -> str:
    return f", probability {row['probability']:.2f}" if row["method"] == "evidence" else ""


def _print_scores(rows: Sequence[Mapping[str, Any]], said: str) -> None:
    """A table of scores; the last column, who `said` each, has the layout as well."""
    if not rows:
        return
    table = columns.table(("  Score", "Value", "Votes", "Seen"), wraps=(said,))
    table.columns[2].justify = "right"
    for row in rows:
        kind = score_kind(row["score_kind"])
        value = row["state"].replace("_", " ")
        if row["state"] == "scored":
            value = shown(kind, row)
        saved = "a saved page" if row["origin"] == "archive" else None
        layout = ", ".join(filter(None, (row["layout"], saved)))
        table.add_row(
            f"  {kind.label}",
            value,
            votes(row),
            ago(row["confirmed_at"]) if row["confirmed_at"] else "",
            row["source"] + (f" ({layout})" if layout else ""),
        )
        if row["last_attempt_state"] != row["state"]:
            last = Text(f"last answer: {row['last_attempt_state']}", style="dim")
            table.add_row("", "", "", Text(ago(row["last_attempt_at"]), style="dim"), last)
    columns.print_table(out, table)

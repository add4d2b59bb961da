"""What commands share: the options, what is printed and where, and who gives one."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipelines.wording import shortened
from schedules import log

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """A line on standard output, as it is: what looks like markup is text of a site's."""
    out.print(line, markup=False, soft_wrap=True)


def note(line: str) -> None:
    """A line on standard error, as it is."""
    err.print(line, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """What a command prints with `--json`: indented, UTF-8 as it is."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def user_name() -> str:
    """Whose command it is: decisions bear the name. `uid 1000` where the system has none for that
    number, as in containers that run as any user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def warn(line: str) -> None:
    """A line on standard error, with its addresses shortened, and whole in the log."""
    log.said(line)
    note(shortened(line))


BIGGEST = 2**63 - 1
"""The largest whole number that SQLite knows: no run, case or count of rows is beyond it."""


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
    int | None,
    typer.Option("--limit", min=1, max=BIGGEST, metavar="N", help="At most N listings a source"),
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Ask even what answered within the hours of rest")
]

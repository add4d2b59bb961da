"""link: match two files of listings in bulk."""

from __future__ import annotations

import os
import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.problem import Problem
from pipelines.wording import counted
from schedules.commands.options import err, note, out
from schedules.progress import steps

if TYPE_CHECKING:
    from pandas import DataFrame

_WRITTEN = ["a", "b", "probability", "evidence"]


def link_command(
    a: Annotated[Path, typer.Argument(metavar="A.csv", help="Listings, one a row")],
    b: Annotated[Path, typer.Argument(metavar="B.csv", help="Other listings")],
    pairs: Annotated[
        Path,
        typer.Option("--out", metavar="PAIRS.csv", help="The pairs that are one film; - prints"),
    ],
    ask: Annotated[
        Path | None, typer.Option("--ask", metavar="FILE.csv", help="The doubtful pairs go there")
    ] = None,
) -> None:
    """Match two CSV files of listings: which pairs are of one film, how likely, and why.

    Columns: id (the only one that must be there), kind, title, original_title, other_titles, year,
    release_date, runtime, directors, cast, season, episode, parent_title; names parted by | or a
    comma. PAIRS.csv holds a, b, probability and evidence of the pairs that are the same film; those
    that a person should look at go to the file of --ask. No database and no network is used.

    \b
    Example:  afterscore link imdb.csv tmdb.csv --out pairs.csv --ask doubtful.csv
    """
    from pipelines.matching import link as matching

    _refuse_one_file_for_two({"--out": pairs, "--ask": ask, "A.csv": a, "B.csv": b})
    with steps(err) as step:
        left, right = (matching.read_listings(path, note) for path in (a, b))
        linked = matching.link(left, right, step)
    same = linked[linked["answer"] == "same"]
    doubtful = linked[linked["answer"] == "ask"]
    _write(same, pairs)
    if ask is not None:
        _write(doubtful, ask)
    said = (
        f"{counted(len(left), 'listing')} of {a.name}, {len(right):,} of {b.name}:"
        f" {counted(len(same), 'pair is', 'pairs are')} one film"
    )
    if len(doubtful):
        said += f"; {counted(len(doubtful), 'is', 'are')} doubtful"
        said += "" if ask else " (--ask FILE.csv lists them)"
    (err if str(pairs) == "-" else out).print(f"{said}.", markup=False, soft_wrap=True)


def _refuse_one_file_for_two(files: dict[str, Path | None]) -> None:
    """Raises Problem where a file that is written is one of the others, by another name too."""
    given = [(name, path) for name, path in files.items() if path and str(path) != "-"]
    for (one, written), (other, path) in combinations(given, 2):
        if one.startswith("--") and _one_file(written, path):
            raise Problem(
                f"{written} is given twice, for {one} and for {other}: one would be lost. Name"
                f" another file for {one}."
            )


def _one_file(a: Path, b: Path) -> bool:
    """Whether two names are of one file, which may be still to be made; a device or a pipe takes
    whatever is written to it."""
    if a.exists() and b.exists():
        return a.is_file() and a.samefile(b)
    return a.resolve() == b.resolve()


def _write(linked: DataFrame, path: Path) -> None:
    """Write a file whole or not at all; `-` is the standard output."""
    text = linked[_WRITTEN].to_csv(index=False, lineterminator="\n")
    if str(path) == "-":
        sys.stdout.write(text)
        return
    # A pipe or a device is written to, not replaced.
    beside = (
        path.with_name(f".{path.name}.{os.getpid()}")
        if path.is_file() or not path.exists()
        else path
    )
    try:
        with beside.open("w", encoding="utf-8", newline="") as handle:
            handle.write(text)
        if beside != path:
            beside.replace(path)
    except OSError as fault:
        raise Problem(f"cannot write {path}: {fault.strerror}") from None

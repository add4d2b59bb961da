"""What lies beside exported tables: README.md for people, datapackage.json for programs.

The latter is a Data Package (https://datapackage.org): each file with its columns, their types and
meanings, and the sources with their terms.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.export.selection import Selected
from pipelines.wording import counted
from spiders.sources import Source


@dataclass(frozen=True)
class Written:
    """A file of an export: its name, what was selected, and how many rows it holds."""

    name: str
    selected: Selected
    rows: int


_HOW = {
    "parquet": "Each column bears its type and its description: `field.metadata` in pyarrow.",
    "csv": "UTF-8, commas, names in the first line. An empty field is NULL. Titles are as their"
    " sources write them: for a spreadsheet, import columns as text, since a title may look like a"
    " formula.",
    "json": "Each file is one array, with an object a line for each row.",
}


def write_description(
    folder: Path, kind: str, written: Sequence[Written], sources: Sequence[Source], at: str
) -> None:
    """Write both for an export of that format and time."""
    (folder / "README.md").write_text("\n".join(_readme(kind, written, at)), "utf-8")
    package = _package(kind, written, sources, at)
    text = json.dumps(package, indent=2, ensure_ascii=False)
    (folder / "datapackage.json").write_text(f"{text}\n", "utf-8")


def _readme(kind: str, written: Sequence[Written], at: str) -> Iterable[str]:
    narrowed = written[0].selected.narrowed
    yield "# Exported by afterscore\n"
    yield f"All of these are of one moment, {at}. {_HOW[kind]}\n"
    yield (
        "NULL means not known, or not there, and never 0. Yes-or-no columns hold 1 or 0. Times are"
        " text, UTC, such as `2026-11-22T18:33:01Z`. `NOTICE` has what the sources ask for,"
        " `datapackage.json` what follows for programs.\n"
    )
    if narrowed.where:
        yield f"Only rows of which this is true: `{' '.join(narrowed.where.split())}`\n"
    if narrowed.since:
        yield (
            f"Only rows said to be so since {narrowed.since}, where a table tells: when a source"
            " said so, or a run took place, and not when it was stored. What was said before and"
            " stored since, such as the figures of a saved page or one released from quarantine, is"
            " left out.\n"
        )
    for file in written:
        yield f"## {file.name}\n"
        yield f"{counted(file.rows, 'row')}. A row is {file.selected.table.row}.\n"
        if narrowed.since:
            condition = file.selected.said
            yield (
                f"When a row was said to be so: `{condition}`.\n"
                if condition
                else "Every row: nothing tells when one was said to be so.\n"
            )
        yield "| Column | Type | |\n| --- | --- | --- |"
        for column in file.selected.columns:
            yield f"| `{column.name}` | {column.kind} | {column.meaning} |"
        yield ""


def _package(
    kind: str, written: Sequence[Written], sources: Sequence[Source], at: str
) -> dict[str, object]:
    terms = [
        {"name": source.key, "title": f"Terms of {source.name}", "path": source.terms.url}
        for source in sources
    ]
    given = [
        {"title": source.attribution or source.name, "path": source.hosts[0].url}
        for source in sources
    ]
    return {
        "name": "afterscore",
        "title": "What the ratings sites make of films",
        "created": at,
        "licenses": terms,
        "sources": given,
        "resources": [
            {
                "name": file.selected.table.name,
                "path": file.name,
                "format": kind,
                "description": f"A row is {file.selected.table.row}.",
                "rows": file.rows,
                "schema": {
                    "fields": [
                        {"name": column.name, "type": column.kind, "description": column.meaning}
                        for column in file.selected.columns
                    ],
                    "missingValues": [""],
                },
            }
            for file in written
        ],
    }

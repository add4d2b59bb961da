"""What the benchmarks print: tables, and the machine that all is measured on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDTH_OF_A_FILE = 160

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)


def titled(title: str, words: Iterable[str], numbers: Iterable[str]) -> Table:
    """A table under a title. Columns of `words` stand left, those of `numbers` right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def print_table(title: str, rows: Iterable[Mapping[str, object]], words: int = 1) -> None:
    """Print a table under a title, if it has any rows: in each its cells by their headings. The
    first columns, so many as `words`, stand left, all others right. A cell that a row lacks stays
    blank."""
    all_rows = list(rows)
    headings = list(dict.fromkeys(heading for row in all_rows for heading in row))
    if headings:
        table = titled(title, headings[:words], headings[words:])
        for row in all_rows:
            table.add_row(*(str(row.get(heading, "")) for heading in headings))
        out.print(table)


def print_machine() -> None:
    """What everything is measured on, and how busy that is."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    out.print(
        f"{os.cpu_count()} cores, {processor}; {platform.system()}, Python"
        f" {platform.python_version()}; load before: {os.getloadavg()[0]:.1f}\n"
    )

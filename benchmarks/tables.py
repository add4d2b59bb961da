"""What the benchmarks print to, and their tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable

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

"""Tables and indented text at a terminal, as narrow as it may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text


class Trimmed:
    """What is printed, without blanks at the ends of its lines."""

    def __init__(self, what: RenderableType) -> None:
        self._what = what

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in console.render_lines(self._what, options, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                last = line.pop()
                line.append(Segment(last.text.rstrip(), last.style))
            yield from line
            yield Segment.line()


def table(
    words: Iterable[str] = (), numbers: Iterable[str] = (), wraps: Iterable[str] = ()
) -> Table:
    """A table without lines. Columns of `words` stand left and those of `numbers` right, and keep
    to one line; those of `wraps` stand left, last, and take as many as they need."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in words:
        made.add_column(heading, no_wrap=True)
    for heading in numbers:
        made.add_column(heading, justify="right", no_wrap=True)
    for heading in wraps:
        made.add_column(heading, overflow="fold")
    return made


def print_table(console: Console, made: Table) -> None:
    """Print a table, with two blanks between its columns; with one, and its headings in lines of
    one word each, where it would else be too wide: where its last column wraps, that is where it
    would cut words."""
    needed = console.measure(made, options=console.options.update(width=10_000)).maximum
    last = made.columns[-1]
    if not last.no_wrap:
        texts = [str(last.header), *map(str, last.cells)]
        words = [word for text in texts for word in text.split()]
        needed += max(map(cell_len, words)) - max(map(cell_len, texts))
    if needed > console.width:
        made.padding = (0, 1, 0, 0)
        for column in (one for one in made.columns if one.no_wrap):
            column.header = re.sub(r"(?<=\S) ", "\n", str(column.header))
    console.print(Trimmed(made))


def indented(console: Console, text: str | Text, by: int = 2) -> None:
    """Print a paragraph that keeps its distance from the edge."""
    console.print(Trimmed(Padding(text if isinstance(text, Text) else Text(text), (0, 0, 0, by))))

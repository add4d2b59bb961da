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
    """What is printed, without blanks at the ends of its lines; `width` cells wide, if need be
    wider than the terminal."""

    def __init__(self, what: RenderableType, width: int | None = None) -> None:
        self._what = what
        self._width = width

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        if self._width:
            options = options.update(width=self._width)
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
    """Print a table, with two blanks between its columns; with one where it would else be too wide:
    where its last column wraps, that is where it would cut words. Where that does not do, with its
    headings in lines of one word each, and at last all columns of words wrap between them. Figures
    are never cut: what is left of one is another."""
    if _needed(console, made) > console.width:
        made.padding = (0, 1, 0, 0)
    if _needed(console, made) > console.width:
        for column in (one for one in made.columns if one.no_wrap):
            column.header = re.sub(r"(?<=\S) ", "\n", str(column.header))
    if _needed(console, made) > console.width:
        wide = _wrapped(made, console.width)
        console.print(Trimmed(made, wide), crop=False)
    else:
        console.print(Trimmed(made))


def _wrapped(made: Table, width: int) -> int:
    """Let columns of words wrap, each at least as wide as its longest word; what room is left is
    for those that lack least. Returns how wide the table is then: it may be more than the room."""
    gaps = len(made.columns) - 1
    texts = [[str(column.header), *map(str, column.cells)] for column in made.columns]
    most = [_longest(r".+", column) for column in texts]
    least = [
        whole if column.justify == "right" else _longest(r"^\s*\S+|\S+", words)
        for column, whole, words in zip(made.columns, most, texts, strict=True)
    ]
    spare = max(0, width - gaps - sum(least))
    for at in sorted(range(len(most)), key=lambda at: most[at] - least[at]):
        column = made.columns[at]
        column.width = min(most[at], least[at] + spare)
        column.no_wrap = column.justify == "right"
        spare -= column.width - least[at]
    return max(width, gaps + sum(least))


def _longest(pattern: str, texts: Iterable[str]) -> int:
    """The width of the longest part of texts that a pattern finds, in cells."""
    return max((cell_len(part) for text in texts for part in re.findall(pattern, text)), default=0)


def _needed(console: Console, made: Table) -> int:
    """How wide a table is in which nothing is cut, and no word of a last column that wraps."""
    needed = console.measure(made, options=console.options.update(width=10_000)).maximum
    last = made.columns[-1]
    if not last.no_wrap:
        texts = [str(last.header), *map(str, last.cells)]
        words = [word for text in texts for word in text.split()]
        needed += max(map(cell_len, words)) - max(map(cell_len, texts))
    return needed


def indented(console: Console, text: str | Text, by: int = 2) -> None:
    """Print a paragraph that keeps its distance from the edge."""
    console.print(Trimmed(Padding(text if isinstance(text, Text) else Text(text), (0, 0, 0, by))))

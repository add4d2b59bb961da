"""Milliseconds a page, for each reader and layout."""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bs4 import BeautifulSoup

from benchmarks.pages import KINDS, films
from benchmarks.tables import print_table
from schedules.archive import Saved, from_index
from schedules.replica import samples_folder

CAPTURES = "AFTERSCORE_CAPTURES"
"""The variable that names a folder of captured pages with an expected.jsonl."""

SPENT = 0.05
"""Seconds spent on each page; the best of its readings counts, since others use the machine too."""


@dataclass(frozen=True)
class Figures:
    """Some pages that one reader read in one layout.

    `builds_tree` says that figures are looked for in visible markup, in a tree of the page or of
    a part of it. Milliseconds are of processor time: the median page's, and the slowest one's.
    """

    source: str
    layout: str
    builds_tree: bool
    pages: int
    kilobytes: float
    milliseconds: float
    slowest: float


def run(title: str, pages: Iterable[Saved]) -> None:
    """Print a table of the layouts that are read from the bytes, one of those that need a tree."""
    found = figures(pages)
    for builds_tree, how in ((False, "read from the bytes"), (True, "visible: read in a tree")):
        print_table(
            f"{title}, {how}",
            (
                {
                    "source": row.source,
                    "layout": row.layout,
                    "pages": row.pages,
                    "KB": f"{row.kilobytes:,.1f}",
                    "ms": f"{row.milliseconds:,.2f}",
                    "ms of the slowest": f"{row.slowest:,.2f}",
                }
                for row in found
                if row.builds_tree is builds_tree
            ),
            words=2,
        )


def samples() -> Iterator[Saved]:
    """The bundled sample pages."""
    folder = samples_folder()
    for beside in sorted(folder.rglob("*.expected.json")):
        page = beside.with_name(beside.name.removesuffix(".expected.json"))
        told = json.loads(beside.read_text("utf-8"))
        yield Saved(
            file=page.name,
            source=page.parent.name,
            url=told["url"],
            body=page.read_bytes(),
            status=told.get("http_status", 200),
            headers=told.get("headers"),
            captured_on=told.get("captured_on"),
        )


def captures(folder: Path) -> Iterator[Saved]:
    """The captured pages that `expected.jsonl` in a folder lists."""
    return (page for page in from_index(folder / "expected.jsonl") if isinstance(page, Saved))


def padded() -> Iterator[Saved]:
    """A page of each kind that the crawls fetch."""
    film = films(1)[0]
    for part in (part for parts in KINDS.values() for part in parts):
        yield Saved("", part.source, part.url(film), part.body(film))


def figures(pages: Iterable[Saved]) -> list[Figures]:
    """The figures by source and layout of all pages that a layout fits."""
    readings: defaultdict[tuple[bool, str, str], list[tuple[float, float]]] = defaultdict(list)
    for page in pages:
        layout, builds_tree = _recognised(page)
        if layout:
            reading = (len(page.body) / 1000, milliseconds(page))
            readings[builds_tree, page.source, layout].append(reading)
    return [
        Figures(
            source,
            layout,
            builds_tree,
            len(read),
            statistics.median(size for size, _ in read),
            statistics.median(taken for _, taken in read),
            max(taken for _, taken in read),
        )
        for (builds_tree, source, layout), read in sorted(readings.items())
    ]


def _recognised(page: Saved) -> tuple[str | None, bool]:
    """The layout that fits a page, and whether reading it builds a tree."""
    build = BeautifulSoup.__init__
    built = []

    def noted(*values: Any, **named: Any) -> None:
        built.append(values)
        build(*values, **named)

    with patch.object(BeautifulSoup, "__init__", noted):
        records = page.records()
    return (records[0].layout if records else None), bool(built)


def milliseconds(page: Saved) -> float:
    """Processor time that reading a page takes: the best of several readings."""
    best, until = float("inf"), time.process_time() + SPENT
    while time.process_time() < until or best == float("inf"):
        started = time.process_time()
        page.records()
        best = min(best, time.process_time() - started)
    return 1000 * best

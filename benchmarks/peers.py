"""Other people's libraries beside afterscore, on the same pages and catalogues, in turn.

Each is installed from the package index into an environment of its own that is thrown away, and
runs in a process of its own. imdb-sqlite stands beside us in `benchmarks.datasets`.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import unicodedata
import venv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.linkage import DATA
from benchmarks.made_up_films import catalogues
from benchmarks.processes import Measured, measured
from benchmarks.readers import CAPTURES, captures, milliseconds
from benchmarks.tables import out, print_machine, print_table
from schedules.archive import Saved

LISTINGS = 10_000
"""Listings in each of the two catalogues of made-up films."""

OURS = "afterscore"


@dataclass(frozen=True)
class Reader:
    """A peer that reads pages of some sources; `name` is what `peer_readers` calls it."""

    name: str
    requirement: str
    sources: tuple[str, ...]


READERS = (
    Reader("extruct", "extruct==0.18.0", ("imdb", "metacritic", "rottentomatoes")),
    Reader("extruct, microdata too", "extruct==0.18.0", ("imdb", "metacritic", "rottentomatoes")),
    Reader("imdbinfo", "imdbinfo==0.11.0", ("imdb",)),
    Reader("rottentomatoes-python", "rottentomatoes-python==1.2.0", ("rottentomatoes",)),
)
SPLINK = ("splink==5.0.0", "duckdb==2.0.1")


@dataclass
class Fields:
    """How many of the fields that pages show were told right, and how many figures were wrong."""

    right: int = 0
    wrong: int = 0

    def add(self, shown: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        """Count what was said of a page. A figure where the page shows none is wrong too."""
        for expected, told, same in _compared(shown, said):
            self.right += bool(expected is not None and told is not None and same)
            self.wrong += bool(told is not None and not same)


@dataclass
class Reading:
    """What a peer and we made of a source's pages.

    `expected` counts the fields that the pages show. Milliseconds are of processor time a page, the
    best of several readings each, of those pages of which the peer said anything right.
    """

    pages: int = 0
    expected: int = 0
    peer: Fields = field(default_factory=Fields)
    ours: Fields = field(default_factory=Fields)
    peer_milliseconds: list[float] = field(default_factory=list)
    our_milliseconds: list[float] = field(default_factory=list)

    @property
    def medians(self) -> tuple[float, float]:
        """Milliseconds of the median page: the peer's, ours."""
        return statistics.median(self.peer_milliseconds), statistics.median(self.our_milliseconds)

    @property
    def times_ours(self) -> float:
        """How many times as long as we the peer takes for all these pages."""
        return sum(self.peer_milliseconds) / sum(self.our_milliseconds)


@dataclass(frozen=True)
class Linked:
    """How well two catalogues were linked, by whom, and what that took.

    Pairs that nobody judged count neither way.
    """

    catalogue: str
    by: str
    precision: float
    recall: float
    cost: Measured

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def run(data: Path = DATA, listings: int = LISTINGS) -> None:
    """What other people's libraries read right, and link, beside what we do."""
    print_machine()
    if captured := os.environ.get(CAPTURES):
        print_table("Captured pages, in turn", _reading_rows(Path(captured)), words=2)
    else:
        out.print(f"No pages are read: {CAPTURES} names no folder of captured ones.\n")
    print_table("Linkage, in turn", _link_rows(data, listings), words=2)


def _reading_rows(folder: Path) -> Iterator[Mapping[str, object]]:
    """Fields right of those that the pages show, wrong ones, and ms of the median page that the
    peer reads; `x ours` is its time for all of these pages, in ours."""
    for found in readings(folder):
        if isinstance(found, str):
            out.print(found)
            continue
        name, source, reading = found
        row = {
            "peer": name,
            "source": source,
            "pages": f"{reading.pages:,}",
            "fields": f"{reading.expected:,}",
            "right": f"{reading.peer.right:,}",
            "wrong": f"{reading.peer.wrong:,}",
            "ours right": f"{reading.ours.right:,}",
            "ours wrong": f"{reading.ours.wrong:,}",
            "pages read": f"{len(reading.peer_milliseconds):,}",
        }
        if reading.peer_milliseconds:
            peer, ours = reading.medians
            row |= {"ms": f"{peer:,.2f}", "our ms": f"{ours:,.2f}"}
            row["x ours"] = f"{reading.times_ours:,.2f}"
        yield row


def _link_rows(data: Path, listings: int) -> Iterator[Mapping[str, object]]:
    ours = 0.0
    for found in links(data, listings):
        if isinstance(found, str):
            out.print(found)
            continue
        taken = found.cost.processor_seconds
        ours = taken if found.by == OURS else ours
        yield {
            "catalogue": found.catalogue,
            "by": found.by,
            "precision": f"{found.precision:.4f}",
            "recall": f"{found.recall:.4f}",
            "F1": f"{found.f1:.4f}",
            "seconds": f"{found.cost.seconds:,.1f}",
            "CPU seconds": f"{taken:,.1f}",
            "x ours": f"{taken / ours:,.1f}",
            "peak MB": f"{max(found.cost.peaks) / 1e6:,.0f}",
        }


def readings(folder: Path) -> Iterator[tuple[str, str, Reading] | str]:
    """Each peer that reads pages, a source at a time; a text in place of one that cannot.

    `folder` holds captured pages, and an expected.jsonl with what each of them shows.
    """
    lines = (folder / "expected.jsonl").read_text("utf-8").splitlines()
    told = {line["file"]: line.get("expect", {}) for line in map(json.loads, lines)}
    pages = [
        (page, told[page.file])
        for page in captures(folder)
        if told[page.file].get("outcome") == "ok" and page.body.lstrip().startswith(b"<")
    ]
    with tempfile.TemporaryDirectory(prefix="afterscore-peers-") as name:
        for peer in READERS:
            python = installed(Path(name), peer.requirement)
            if python is None:
                yield f"{peer.name}: skipped, {peer.requirement} could not be installed"
                continue
            try:
                found = _read(python, peer, folder, pages)
            except RuntimeError as fault:
                yield f"{peer.name}: skipped, {fault}"
                continue
            for source, reading in found.items():
                yield peer.name, source, reading


def links(data: Path, listings: int = LISTINGS) -> Iterator[Linked | str]:
    """Ours and Splink, in turn, on each catalogue in a folder and on two of made-up films.

    Each folder in `data` holds a.csv, b.csv and gold.csv (a, b and, where only a sample was judged,
    label).
    """
    with tempfile.TemporaryDirectory(prefix="afterscore-peers-") as name:
        scratch = Path(name)
        commands = {OURS: [sys.executable, "-m", "schedules.cli", "link"]}
        python = installed(scratch, *SPLINK)
        if python is None:
            yield f"Splink: skipped, {' '.join(SPLINK)} could not be installed"
        else:
            commands["Splink"] = [str(python), "-I", str(_beside("peer_linkage.py"))]
        made_up = scratch / f"made-up films, {listings:,}"
        made_up.mkdir()
        for part, frame in zip(("a", "b", "gold"), catalogues(listings), strict=True):
            frame.to_csv(made_up / f"{part}.csv", index=False)
        for folder in (*sorted(found.parent for found in data.glob("*/gold.csv")), made_up):
            for by, command in commands.items():
                yield _linked(folder, by, command, scratch / "pairs.csv")


def installed(folder: Path, *requirements: str) -> Path | None:
    """The Python of an environment that has them; None where the index does not give them."""
    environment = folder / re.sub(r"[^\w.]+", "-", "-".join(requirements))
    python = environment / "bin" / "python"
    if python.exists():
        return python
    venv.create(environment, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    return None if subprocess.run(pip, capture_output=True, check=False).returncode else python


def _beside(name: str) -> Path:
    return Path(__file__).with_name(name)


# --- reading ----------------------------------------------------------------------------------


def _read(
    python: Path, peer: Reader, folder: Path, pages: Sequence[tuple[Saved, dict[str, Any]]]
) -> dict[str, Reading]:
    """A peer's pages by source, each read by it and then by us. RuntimeError where it ends early.

    It begins in a folder of its own, since a library may keep something where it stands.
    """
    found: defaultdict[str, Reading] = defaultdict(Reading)
    with subprocess.Popen(
        [str(python), "-I", str(_beside("peer_readers.py")), peer.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=python.parent,
    ) as process:
        assert process.stdin
        assert process.stdout
        for page, shown in pages:
            if page.source not in peer.sources:
                continue
            asked = {"file": str((folder / page.file).resolve()), "url": page.url}
            try:
                print(json.dumps(asked), file=process.stdin, flush=True)
                answer = json.loads(process.stdout.readline())
            except (BrokenPipeError, ValueError) as fault:
                raise RuntimeError(f"it ended at {page.file}") from fault
            _count(found[page.source], shown, answer, page)
    return found


def _count(reading: Reading, shown: Mapping[str, Any], answer: Any, page: Saved) -> None:
    (record, *_) = page.records()
    reading.pages += 1
    reading.expected += sum(expected is not None for expected, _, _ in _compared(shown, {}))
    right_before = reading.peer.right
    reading.peer.add(shown, answer["said"])
    reading.ours.add(shown, record.as_read())
    if reading.peer.right > right_before:
        reading.peer_milliseconds.append(answer["milliseconds"])
        reading.our_milliseconds.append(milliseconds(page))


def _compared(
    shown: Mapping[str, Any], said: Mapping[str, Any]
) -> Iterator[tuple[object, object, bool]]:
    """Each field that a page shows: as it shows it, as it was told, and whether they agree.

    The state of a score and what is said of the credits are left out: no peer has words for them.
    """
    if "title" in shown:
        titles = [_plain(said.get(name)) for name in ("title", "original_title")]
        wanted = _plain(shown["title"])
        alike = any(title and (title in wanted or wanted in title) for title in titles)
        yield shown["title"], said.get("title"), alike
    for name in ("year", "imdb_id"):
        if name in shown:
            yield shown[name], said.get(name), str(said.get(name)) == str(shown[name])
    scores = said.get("scores") or {}
    for kind, score in shown.get("scores", {}).items():
        told = scores.get(kind) or {}
        value, votes = told.get("value"), told.get("votes")
        expected = score.get("value") if score["state"] == "scored" else None
        agrees = expected is not None and value is not None and abs(expected - value) < 0.005
        yield expected, value, agrees
        if expected is not None and "votes" in score:
            least = score.get("votes_at_least") and votes is not None and votes >= score["votes"]
            yield score["votes"], votes, bool(least) or votes == score["votes"]


def _plain(title: object) -> str:
    """A title without case, accents and punctuation."""
    letters = unicodedata.normalize("NFKD", str(title or "")).casefold()
    return " ".join(re.findall(r"\w+", re.sub(r"[\u0300-\u036f]", "", letters)))


# --- linkage ----------------------------------------------------------------------------------


def _linked(folder: Path, by: str, command: Sequence[str], pairs: Path) -> Linked:
    files = [str(folder / "a.csv"), str(folder / "b.csv")]
    # Our command names the file with an option; Splink's script takes it third.
    out = ["--out", str(pairs)] if by == OURS else [str(pairs)]
    cost = measured([[*command, *files, *out]], os.environ)
    linked = pd.read_csv(pairs, dtype=str)[["a", "b"]].drop_duplicates()
    pairs.unlink()
    gold = pd.read_csv(folder / "gold.csv", dtype=str)
    judged = "label" in gold
    true = gold[gold["label"] == "1"] if judged else gold
    hits = len(linked.merge(true[["a", "b"]].drop_duplicates()))
    if judged:
        linked = linked.merge(gold[["a", "b"]].drop_duplicates())
    return Linked(folder.name, by, hits / max(len(linked), 1), hits / len(true), cost)

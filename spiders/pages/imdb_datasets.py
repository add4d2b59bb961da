"""IMDb's titles and their ratings: `title.basics.tsv.gz` and `title.ratings.tsv.gz`.

Both are read to their end, which finds every fault and the lines that are kept, before anything is
handed on. Where these are few they are held; else the basics are read again for them, a part at a
time: unpacking twice takes a few seconds, and millions of lines would take a gigabyte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spiders.items import Outcome, Record, TitleRow, Titles
from spiders.pages.imdb_blocks import (
    BASICS,
    NULL,
    RATINGS,
    Block,
    DatasetFault,
    Flags,
    Ints,
    blocks,
    numbers_of,
    places_in,
    unchecked,
)
from spiders.plan import Universe
from spiders.sources import FILM_KINDS, score_kind

__all__ = ["BASICS", "RATINGS", "DatasetFault", "Part", "Selected", "read_datasets"]

LAYOUT, KIND = "dataset", "imdb_rating"

_HELD = 100_000
"""Lines that are held at most: 15 MB."""


class Part(NamedTuple):
    """Some of the titles that are kept: films (and whatever else the universe has), and records of
    those that were wanted and are none."""

    titles: Titles
    others: tuple[Record, ...]


class _Sifted(NamedTuple):
    """Of each line below the header, whether it is kept; and these lines with their ids, where
    they are few."""

    kept: Flags
    lines: Sequence[tuple[Ints, list[bytes]]] | None


@dataclass(frozen=True)
class _Ratings:
    """All ratings, by id in ascending order."""

    ids: Ints
    averages: NDArray[np.float64]
    votes: Ints

    def votes_of(self, ids: Ints) -> Ints:
        """The votes of some ids, 0 where there are none."""
        at = places_in(self.ids, ids)
        votes: Ints = np.where(at >= 0, self.votes[at], 0)
        return votes

    def of(self, ids: Ints) -> list[tuple[float | None, int | None]]:
        """The average and votes of some ids. A figure without a vote is none."""
        at = places_in(self.ids, ids)
        averages, votes = self.averages[at].tolist(), self.votes[at].tolist()
        return [
            (None, None) if place < 0 else (average if number else None, number)
            for place, average, number in zip(at.tolist(), averages, votes, strict=True)
        ]


class Selected:
    """The titles of a universe, and the wanted ones whatever their kind and votes."""

    def __init__(
        self, basics: IO[bytes], ratings: _Ratings, sifted: _Sifted, kinds: Collection[str]
    ) -> None:
        self._basics = basics
        self._ratings = ratings
        self._sifted = sifted
        self._kinds = kinds
        self.in_all = int(np.count_nonzero(sifted.kept))

    def parts(self, size: int) -> Iterator[Part]:
        """All of them, in the order of `basics`, so many at a time; there is a part even where
        nothing is kept."""
        rows: list[TitleRow] = []
        left = self.in_all
        for ids, lines in self._lines():
            for line, rating in zip(lines, self._ratings.of(ids), strict=True):
                rows.append(_row(line, *rating))
                if len(rows) == size and len(rows) < left:
                    yield self._part(rows)
                    left -= len(rows)
                    rows = []
        yield self._part(rows)

    def _lines(self) -> Iterator[tuple[Ints, list[bytes]]]:
        """The ids and lines that are kept, some at a time."""
        if self._sifted.lines is not None:
            yield from self._sifted.lines
            return
        self._basics.seek(0)
        for block in unchecked(BASICS, self._basics):
            which = np.flatnonzero(self._sifted.kept[block.first - 2 :][: len(block)])
            yield block.ids[which], block.lines(which)

    def _part(self, rows: Sequence[TitleRow]) -> Part:
        films = [row for row in rows if row.kind in self._kinds]
        others = [row for row in rows if row.kind not in self._kinds]
        return Part(_titles(films), tuple(map(_not_a_film, others)))


def read_datasets(
    basics: IO[bytes], ratings: IO[bytes], universe: Universe | None, wanted: Collection[str]
) -> Selected:
    """Select the titles of the universe, and those of the wanted ids.

    Both streams are gzip, and `basics` can be rewound. An id without a line is not selected, which
    says nothing: IMDb leaves some titles out on some days. Raises DatasetFault where either file
    is not whole or not in shape.
    """
    rated = _read_ratings(ratings)
    kinds = frozenset({*FILM_KINDS, *(universe.kinds if universe else ())})
    sifted = _sift(basics, rated, universe, numbers_of(list(wanted)))
    return Selected(basics, rated, sifted, kinds)


def _read_ratings(packed: IO[bytes]) -> _Ratings:
    read = [(block.ids, *block.rating()) for block in blocks(RATINGS, packed)]
    ids, averages, votes = (np.concatenate(column) for column in zip(*read, strict=True))
    del read  # of two million ratings each copy is 60 MB
    order = np.argsort(ids)
    ids = ids[order]
    averages = averages[order]
    votes = votes[order]
    return _Ratings(ids, averages, votes)


def _sift(basics: IO[bytes], rated: _Ratings, universe: Universe | None, asked: Ints) -> _Sifted:
    """Read the basics to their end. Raises DatasetFault."""
    kept: list[Flags] = []
    chosen: list[Ints] = []
    votes: list[Ints] = []
    lines: list[tuple[Ints, list[bytes]]] | None = []
    held = 0
    at_most = universe.at_most if universe else None
    for block in blocks(BASICS, basics):
        nameless = block.is_text("titleType", NULL, np.arange(len(block)))
        if nameless.any():
            raise block.fault(int(np.argmax(nameless)), "titleType", "titleType is {}")
        wanted = places_in(asked, block.ids) >= 0
        candidates = wanted.copy()
        if universe:
            of_block = _of_universe(block, rated, universe)
            candidates[of_block] = True
            chosen.append(of_block + (block.first - 2))
            votes.append(rated.votes_of(block.ids[of_block]))
        which = np.flatnonzero(candidates)
        for column in ("startYear", "runtimeMinutes"):
            block.whole(column, which)
        kept.append(candidates if at_most is None else wanted)
        held += len(which)
        if held > _HELD or at_most is not None:
            lines = None
        elif lines is not None and len(which):
            lines.append((block.ids[which], block.lines(which)))
    every = np.concatenate(kept)
    if at_most is not None:
        most = np.argsort(-np.concatenate(votes), kind="stable")[:at_most]
        every[np.concatenate(chosen)[most]] = True
    return _Sifted(every, lines)


def _of_universe(block: Block, rated: _Ratings, universe: Universe) -> Ints:
    """The places of the block's lines that are in the universe, but for its limit."""
    which = np.arange(len(block))
    if universe.votes_at_least > 0:
        which = np.flatnonzero(rated.votes_of(block.ids) >= universe.votes_at_least)
    of_kind = np.zeros(len(which), np.bool_)
    for kind in universe.kinds:
        of_kind |= block.is_text("titleType", kind, which)
    which = which[of_kind]
    first, last = universe.first_year, universe.last_year
    if first is not None or last is not None:
        years = block.whole("startYear", which)
        within = years >= (0 if first is None else first)
        if last is not None:
            within &= years <= last
        which = which[within & (years >= 0)]
    return which


def _row(line: bytes, value: float | None, votes: int | None) -> TitleRow:
    tconst, kind, title, original, _, year, _, runtime, genres = line.decode().split("\t")
    said = hashlib.blake2b(b"%b\t%b" % (line, repr((value, votes)).encode()), digest_size=8)
    return TitleRow(
        tconst,
        None if kind == NULL else kind,
        None if title == NULL else title,
        None if original == NULL else original,
        None if year == NULL else int(year),
        None if runtime == NULL else int(runtime),
        None if genres == NULL else genres,
        value,
        votes,
        int.from_bytes(said.digest(), signed=True),
    )


def _titles(rows: Sequence[TitleRow]) -> Titles:
    return Titles.of(
        rows,
        source="imdb",
        layout=LAYOUT,
        score_kind=KIND,
        scale_max=score_kind(KIND).scale_max,
    )


def _not_a_film(row: TitleRow) -> Record:
    return _titles([row]).record(row).model_copy(update={"outcome": Outcome.NOT_A_FILM})

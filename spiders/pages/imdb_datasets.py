"""IMDb's titles and their ratings: `title.basics.tsv.gz` and `title.ratings.tsv.gz`.

Both are read to their end, which finds every fault and the lines that are kept, before anything is
handed on. Where these are few they are held; else the basics are read again for them, a part at a
time: unpacking twice takes a few seconds, and millions of lines would take a gigabyte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spiders.items import Outcome, Record, TitleRow, Titles
from spiders.pages.imdb_blocks import (
    BASICS,
    COLUMNS,
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

    def of(self, ids: Ints) -> tuple[NDArray[np.float64], Ints]:
        """The averages and votes of some ids; -1 votes where there is no rating."""
        at = places_in(self.ids, ids)
        return self.averages[at], np.where(at >= 0, self.votes[at], -1)


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
        for ids, lines in _regrouped(self._lines(), size):
            said = _Said.of(lines, *self._ratings.of(ids))
            is_film = np.array([kind in self._kinds for kind in said.kinds], np.bool_)
            others = said.titles(np.flatnonzero(~is_film))
            yield Part(
                said.titles(np.flatnonzero(is_film)),
                tuple(map(_not_a_film, repeat(others), others.rows())),
            )

    def _lines(self) -> Iterator[tuple[Ints, list[bytes]]]:
        """The ids and lines that are kept, some at a time."""
        if self._sifted.lines is not None:
            yield from self._sifted.lines
            return
        self._basics.seek(0)
        for block in unchecked(BASICS, self._basics):
            which = np.flatnonzero(self._sifted.kept[block.first - 2 :][: len(block)])
            yield block.ids[which], block.lines(which)


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


def _regrouped(
    blocks: Iterator[tuple[Ints, list[bytes]]], size: int
) -> Iterator[tuple[Ints, list[bytes]]]:
    """The same ids and lines, so many at a time, and the rest of them at last."""
    ids, lines = np.empty(0, np.int64), list[bytes]()
    for more_ids, more_lines in blocks:
        ids, lines = np.concatenate((ids, more_ids)), lines + more_lines
        while len(lines) > size:
            yield ids[:size], lines[:size]
            ids, lines = ids[size:], lines[size:]
    yield ids, lines


@dataclass(frozen=True)
class _Said:
    """What is said of some titles: the columns of their lines, the digests of these, and their
    ratings."""

    columns: Sequence[Sequence[str]]
    digests: Ints
    averages: NDArray[np.float64]
    votes: Ints

    @classmethod
    def of(cls, lines: Sequence[bytes], averages: NDArray[np.float64], votes: Ints) -> _Said:
        digests = [hashlib.blake2b(line, digest_size=8).digest() for line in lines]
        # All at once: a list for each line would keep the collector of garbage busy.
        fields = b"\t".join(lines).decode().split("\t") if lines else []
        return cls(
            [fields[column :: len(COLUMNS[BASICS])] for column in range(len(COLUMNS[BASICS]))],
            np.frombuffer(b"".join(digests), ">i8").astype(np.int64),
            averages,
            votes,
        )

    @property
    def kinds(self) -> Sequence[str]:
        return self.columns[COLUMNS[BASICS].index("titleType")]

    def _fields(self, which: Ints) -> Iterable[Sequence[str]]:
        places = which.tolist()
        if len(places) == len(self.votes):  # as nearly always
            return self.columns
        return ([column[place] for place in places] for column in self.columns)

    def titles(self, which: Ints) -> Titles:
        """The titles at some places. A figure without a vote is none."""
        tconsts, kinds, titles, originals, _, years, _, runtimes, genres = self._fields(which)
        averages, votes = self.averages[which], self.votes[which]
        # A digest of 64 random bits, moved by all that a rating can say.
        rating = ((votes + 1) << 24) ^ np.rint(averages * 1e5).astype(np.int64)
        digests = self.digests[which] ^ np.where(votes < 0, 0, rating)
        numbers = votes.tolist()
        figures = zip(averages.tolist(), numbers, strict=True)
        return Titles(
            source="imdb",
            layout=LAYOUT,
            score_kind=KIND,
            scale_max=score_kind(KIND).scale_max,
            source_ids=tuple(tconsts),
            kinds=_known(kinds),
            titles=_known(titles),
            original_titles=_known(originals),
            years=_numbers(years),
            runtimes_minutes=_numbers(runtimes),
            genres=_known(genres),
            values=tuple([average if number > 0 else None for average, number in figures]),
            votes=tuple([number if number >= 0 else None for number in numbers]),
            digests=tuple(digests.tolist()),
        )


def _known(texts: Sequence[str]) -> tuple[str | None, ...]:
    return tuple([None if text == NULL else text for text in texts])


def _numbers(texts: Sequence[str]) -> tuple[int | None, ...]:
    return tuple([None if text == NULL else int(text) for text in texts])


def _not_a_film(titles: Titles, row: TitleRow) -> Record:
    return titles.record(row).model_copy(update={"outcome": Outcome.NOT_A_FILM})

"""IMDb's non-commercial datasets: `title.basics.tsv.gz` and `title.ratings.tsv.gz`.

Twelve million lines a night, of which some ten thousand are kept. The files are unpacked as they
are read, a block of lines at a time; numpy checks a block's shape and finds the ids in it, and only
the lines that are asked for are split and decoded. Line by line in Python takes six times as long.
"""

from __future__ import annotations

import gzip
import heapq
import re
import zlib
from collections.abc import Collection, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spiders.items import Outcome, Record
from spiders.pages.imdb import FILM_KINDS
from spiders.pages.scores import not_rated, read_score
from spiders.plan import Universe

BASICS = "title.basics.tsv.gz"
RATINGS = "title.ratings.tsv.gz"

_HEADERS = {
    BASICS: b"tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
    b"\truntimeMinutes\tgenres\n",
    RATINGS: b"tconst\taverageRating\tnumVotes\n",
}
_NULL = b"\\N"
_TCONST = re.compile(rb"tt\d{7,10}")
_AVERAGE = re.compile(rb"\d{1,2}(?:\.\d+)?")
_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 1 << 20
"""Bytes that a line is read to: a small file may unpack to gigabytes without a line break."""

_Bytes = NDArray[np.uint8]
_Ints = NDArray[np.int64]


class DatasetFault(Exception):
    """A dataset that is not as IMDb publishes it. Nothing of it may be used.

    `line` is the line at fault, or the last one that could be read; the header is line 1.
    """

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class _Line(NamedTuple):
    number: int
    tconst: bytes
    text: bytes


class _Rating(NamedTuple):
    average: float
    votes: int


def read_datasets(
    basics: BinaryIO, ratings: BinaryIO, universe: Universe | None, wanted: Collection[str]
) -> list[Record]:
    """A record of each film in the universe, and of each wanted id whatever its kind and votes.

    Both streams are gzip; records come in the order of `basics`. An id without a line has no
    record, which says nothing: IMDb leaves some titles out on some days. Raises DatasetFault where
    either file is not whole or not in shape.
    """
    asked = frozenset(tconst.encode() for tconst in wanted)
    rated = _read_ratings(ratings, universe.votes_at_least if universe else None, asked)
    unrated_too = universe is not None and universe.votes_at_least == 0
    films: list[tuple[int, _Line]] = []
    kept: dict[bytes, _Line] = {}
    for line in _lines(BASICS, basics, None if unrated_too else asked.union(rated)):
        if line.tconst in asked:
            kept[line.tconst] = line
        votes = rated[line.tconst].votes if line.tconst in rated else 0
        if universe and votes >= universe.votes_at_least and _belongs(line, universe):
            films.append((votes, line))
    if universe and universe.at_most is not None:
        films = heapq.nlargest(universe.at_most, films, key=lambda film: film[0])
    kept.update((line.tconst, line) for _, line in films)
    kinds = FILM_KINDS.union(universe.kinds if universe else ())
    return [_record(line, rated.get(line.tconst), kinds) for line in sorted(kept.values())]


def _read_ratings(
    ratings: BinaryIO, least: int | None, asked: Collection[bytes]
) -> dict[bytes, _Rating]:
    """The ratings of the ids that are asked for, and of all with at least so many votes."""
    rated = {}
    for line in _lines(RATINGS, ratings, asked if least is None else None):
        _, average, votes = line.text.split(b"\t")
        if not votes.isdigit() or not _AVERAGE.fullmatch(average):
            what = f"averageRating {_shown(average)}, numVotes {_shown(votes)}"
            raise DatasetFault(RATINGS, line.number, f"no rating: {what}")
        if line.tconst in asked or (least is not None and int(votes) >= least):
            rated[line.tconst] = _Rating(float(average), int(votes))
    return rated


def _belongs(line: _Line, universe: Universe) -> bool:
    fields = line.text.split(b"\t")
    if _text(line, fields[1]) not in universe.kinds:
        return False
    first, last = universe.first_year, universe.last_year
    if first is None and last is None:
        return True
    year = _whole(line, "startYear", fields[5])
    return year is not None and (first is None or first <= year) and (last is None or year <= last)


def _record(line: _Line, rating: _Rating | None, kinds: Collection[str]) -> Record:
    fields = line.text.split(b"\t")
    kind, title, original_title, genres = (_text(line, fields[i]) for i in (1, 2, 3, 8))
    score = not_rated("imdb_rating")
    if rating:
        score = read_score("imdb_rating", rating.average, rating.votes)
    tconst = line.tconst.decode()
    return Record(
        source="imdb",
        source_id=tconst,
        imdb_id=tconst,
        outcome=Outcome.OK if kind in kinds else Outcome.NOT_A_FILM,
        layout="dataset",
        kind=kind,
        title=title,
        original_title=original_title,
        year=_whole(line, "startYear", fields[5]),
        runtime_minutes=_whole(line, "runtimeMinutes", fields[7]),
        genres=tuple(genres.split(",")) if genres else (),
        scores={"imdb_rating": score},
    )


def _text(line: _Line, field: bytes) -> str | None:
    try:
        return None if field == _NULL else field.decode()
    except UnicodeDecodeError:
        raise DatasetFault(BASICS, line.number, f"not UTF-8: {_shown(field)}") from None


def _whole(line: _Line, column: str, field: bytes) -> int | None:
    if field == _NULL:
        return None
    if not field.isdigit():
        raise DatasetFault(BASICS, line.number, f"{column} is {_shown(field)}")
    return int(field)


def _lines(file: str, packed: BinaryIO, needed: Collection[bytes] | None) -> Iterator[_Line]:
    """The lines of the needed ids, or all, once they and all before them are found in shape."""
    numbers = None if needed is None else _numbers(needed)
    seen = _Seen()
    for block in _blocks(file, packed):
        if (again := seen.again(block.ids)) is not None:
            [line] = block.lines(again)
            raise DatasetFault(file, line.number, f"{_shown(line.tconst)} for the second time")
        yield from block.lines(None if numbers is None else _found(block.ids, numbers))


def _blocks(file: str, packed: BinaryIO) -> Iterator[_Block]:
    """The file below its header, in blocks of whole lines."""
    last = 0
    try:
        with gzip.GzipFile(fileobj=packed) as unpacked:
            _check_header(file, unpacked.readline(_LONGEST_LINE))
            last = 1
            while text := unpacked.read(_BLOCK_BYTES):
                block = _Block(file, last + 1, text + unpacked.readline(_LONGEST_LINE))
                last += len(block.ids)
                yield block
    except EOFError:
        raise DatasetFault(file, last, "the file is cut short") from None
    except (gzip.BadGzipFile, zlib.error) as fault:
        raise DatasetFault(file, last, f"not a whole gzip file: {fault}") from fault
    if last == 1:
        raise DatasetFault(file, last, "no line below the header")


def _check_header(file: str, header: bytes) -> None:
    if header == _HEADERS[file]:
        return
    reason = f"the header is {_shown(header)}"
    if header.startswith(_GZIP_MAGIC):
        reason = "gzip within gzip"
    elif not header:
        reason = "the file is empty"
    raise DatasetFault(file, 1, reason)


class _Block:
    """Whole lines, all in shape: each has the header's number of fields, the first a title's id."""

    def __init__(self, file: str, first: int, text: bytes) -> None:
        self._text = text
        self._first = first
        marks = np.frombuffer(text, np.uint8)
        tabs = _HEADERS[file].count(b"\t")
        tabs_at = np.flatnonzero(marks == ord("\t"))
        self._ends = np.flatnonzero(marks == ord("\n"))
        self._starts = np.concatenate(([0], self._ends[:-1] + 1))
        ids = None
        if text.endswith(b"\n") and len(tabs_at) == tabs * len(self._ends):
            self._id_ends = tabs_at[::tabs]
            # As many tabs as there should be, and of each line's the first and last are in it.
            if ((self._starts < self._id_ends) & (tabs_at[tabs - 1 :: tabs] < self._ends)).all():
                ids = _parse_ids(marks, self._starts, self._id_ends)
        if ids is None:
            raise _fault(file, first, text, tabs)
        self.ids = ids

    def lines(self, which: _Ints | None) -> Iterator[_Line]:
        """The lines at some indexes, or all, without their line breaks."""
        which = np.arange(len(self.ids)) if which is None else which
        places = (array[which].tolist() for array in (self._starts, self._id_ends, self._ends))
        for index, start, id_end, end in zip(which.tolist(), *places, strict=True):
            text = self._text[start:end]
            yield _Line(self._first + index, text[: id_end - start], text)


def _parse_ids(marks: _Bytes, starts: _Ints, ends: _Ints) -> _Ints | None:
    """The ids as numbers: their digits with a 1 before them, so that no two ids are one number.

    None where one of them is not `tt` and 7 to 10 digits.
    """
    widths = ends - starts
    if widths.min() < len("tt") + 7 or widths.max() > len("tt") + 10:
        return None
    right = (marks[starts] == ord("t")) & (marks[starts + 1] == ord("t"))
    numbers = np.ones(len(starts), np.int64)
    for place in range(len("tt"), int(widths.max())):
        inside = place < widths
        digits = marks[np.where(inside, starts + place, 0)] - np.uint8(ord("0"))
        right &= ~inside | (digits <= 9)
        numbers = np.where(inside, numbers * 10 + digits, numbers)
    return numbers if right.all() else None


def _numbers(tconsts: Collection[bytes]) -> _Ints:
    """The same numbers of some ids, in ascending order; what is not an id has none."""
    return np.array(
        sorted(int(b"1" + tconst[2:]) for tconst in tconsts if _TCONST.fullmatch(tconst)), np.int64
    )


def _found(ids: _Ints, numbers: _Ints) -> _Ints:
    """Where in `ids` one of `numbers` stands, which are in ascending order."""
    if not len(numbers):
        return np.zeros(0, np.int64)
    nearest = np.minimum(np.searchsorted(numbers, ids), len(numbers) - 1)
    return np.flatnonzero(numbers[nearest] == ids)


class _Seen:
    """The ids met so far. A set of twelve million takes a gigabyte, hence the table.

    It has a byte for each id of up to eight digits; of its 200 MB the system gives us only the
    pages that are written to. Longer ids, of which there are none yet, go in a set.
    """

    def __init__(self) -> None:
        self._table = np.zeros(2 * 10**8, np.bool_)
        self._longer: set[int] = set()

    def again(self, ids: _Ints) -> _Ints | None:
        """The index of the first id that was met before, or None; then all are remembered."""
        ordered = np.sort(ids)
        in_table = ordered[-1] < len(self._table)
        if in_table and (ordered[1:] > ordered[:-1]).all() and not self._table[ids].any():
            self._table[ids] = True
            return None
        for index, number in enumerate(ids.tolist()):
            if number < len(self._table):
                met, self._table[number] = bool(self._table[number]), True
            else:
                met = number in self._longer
                self._longer.add(number)
            if met:
                return np.array([index])
        return None


def _fault(file: str, first: int, text: bytes, tabs: int) -> DatasetFault:
    """What is wrong with a block that is out of shape, by its first line that is."""
    *lines, rest = text.split(b"\n")
    for number, line in enumerate(lines, first):
        fields = line.split(b"\t")
        if len(fields) != tabs + 1:
            return DatasetFault(file, number, f"{len(fields)} fields, not {tabs + 1}")
        if not _TCONST.fullmatch(fields[0]):
            return DatasetFault(file, number, f"{_shown(fields[0])} is not a title's id")
    return DatasetFault(file, first + len(lines), f"the last line is cut short: {_shown(rest)}")


def _shown(field: bytes) -> str:
    """Bytes for a message, cut to a length that a log line bears."""
    return repr(field[:80].decode("utf-8", "replace"))

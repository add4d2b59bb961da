"""IMDb's datasets as they are unpacked: blocks of whole lines, each found in shape.

Twelve million lines a night, of which some ten thousand are kept. numpy checks a block's shape and
reads the fields that are looked at in all of its lines together: line by line in Python takes ten
times as long.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

BASICS = "title.basics.tsv.gz"
RATINGS = "title.ratings.tsv.gz"

_HEADERS = {
    BASICS: b"tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
    b"\truntimeMinutes\tgenres\n",
    RATINGS: b"tconst\taverageRating\tnumVotes\n",
}
COLUMNS = {file: header.decode().split() for file, header in _HEADERS.items()}
NULL = "\\N"
_TCONST = re.compile(rb"tt\d{7,10}")
_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 1 << 20
"""Bytes that a line is read to: a small file may unpack to gigabytes without a line break."""

_MOST_DIGITS = 18

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


class DatasetFault(Exception):
    """A dataset that is not as IMDb publishes it. Nothing of it may be used.

    `line` is the line at fault, or the last one that could be read; the header is line 1.
    """

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


def blocks(file: str, packed: BinaryIO) -> Iterator[Block]:
    """The file below its header, every line in shape and no id twice. Raises DatasetFault."""
    seen = _Seen()
    for block in unchecked(file, packed):
        if (again := seen.again(block.ids)) is not None:
            raise block.fault(again, "tconst", "{} for the second time")
        yield block


def unchecked(file: str, packed: BinaryIO) -> Iterator[Block]:
    """The same, without looking for ids that come twice."""
    last = 0
    try:
        with gzip.GzipFile(fileobj=packed) as unpacked:
            _check_header(file, unpacked.readline(_LONGEST_LINE))
            last = 1
            while text := unpacked.read(_BLOCK_BYTES):
                block = Block(file, last + 1, text + unpacked.readline(_LONGEST_LINE))
                last += len(block)
                yield block
    except EOFError:
        raise DatasetFault(file, last, "the file is cut short") from None
    except (gzip.BadGzipFile, zlib.error) as fault:
        raise DatasetFault(file, last, f"not a whole gzip file: {fault}") from fault
    if last == 1:
        raise DatasetFault(file, last, "no line below the header")


class Block:
    """Whole lines, all in shape: UTF-8, each with the header's number of fields, the first of them
    a title's id. Raises DatasetFault for others.

    `first` is the number of its first line, where the header has 1; `ids` are the titles' ids as
    whole numbers (see `numbers_of`).
    """

    def __init__(self, file: str, first: int, text: bytes) -> None:
        self._file = file
        self._text = text
        self._marks = np.frombuffer(text, np.uint8)
        self.first = first
        tabs = len(COLUMNS[file]) - 1
        tabs_at = np.flatnonzero(self._marks == ord("\t"))
        ends = np.flatnonzero(self._marks == ord("\n"))
        starts = np.concatenate(([0], ends[:-1] + 1))
        ids = None
        if text.endswith(b"\n") and len(tabs_at) == tabs * len(ends):
            within = tabs_at.reshape(-1, tabs)
            # As many tabs as there should be, and of each line's the first and last are in it.
            if ((starts < within[:, 0]) & (within[:, -1] < ends)).all():
                self._bounds = np.column_stack((starts - 1, within, ends))
                ids = self._ids()
        if ids is None:
            raise _out_of_shape(file, first, text, tabs)
        self.ids = ids
        self._check_encoding()

    def __len__(self) -> int:
        return len(self.ids)

    def lines(self, which: Ints) -> list[bytes]:
        """The lines at some places, without their line breaks."""
        starts = (self._bounds[which, 0] + 1).tolist()
        ends = self._bounds[which, -1].tolist()
        return [self._text[start:end] for start, end in zip(starts, ends, strict=True)]

    def is_text(self, column: str, text: str, which: Ints) -> Flags:
        """Whether the lines at some places have this text in a column."""
        starts, ends = self._field(column, which)
        found: Flags = ends - starts == len(text)
        for place, letter in enumerate(text.encode()):
            found &= self._marks[np.where(found, starts + place, 0)] == letter
        return found

    def whole(self, column: str, which: Ints) -> Ints:
        """A column's whole numbers at some places; -1 where it is not known. Raises DatasetFault
        where it is something else."""
        numbers, right = self._digits(*self._field(column, which), 0)
        unknown = self.is_text(column, NULL, which)
        if not (right | unknown).all():
            at = int(which[np.argmin(right | unknown)])
            raise self.fault(at, column, f"{column} is {{}}")
        numbers[unknown] = -1
        return numbers

    def rating(self) -> tuple[NDArray[np.float64], Ints]:
        """The averages and votes of all lines. Raises DatasetFault where one is no number."""
        every = np.arange(len(self))
        starts, ends = self._field("averageRating", every)
        widths = ends - starts
        letters = self._letters(starts, widths, 8)
        is_digit = (letters - np.uint8(ord("0"))) <= 9
        is_point = letters == ord(".")
        # One or two digits, and perhaps a point with digits behind it.
        whole = np.where(is_point.any(axis=1), is_point.argmax(axis=1), widths)
        right = (widths <= 8) & (whole >= 1) & (whole <= 2) & (widths != whole + 1)
        right &= (is_digit | is_point).sum(axis=1) == widths
        right &= is_point.sum(axis=1) <= 1
        votes, counted = self._digits(*self._field("numVotes", every), 0)
        right &= counted
        if not right.all():
            at = int(np.argmin(right))
            _, average, number = self.lines(every[at : at + 1])[0].split(b"\t")
            what = f"averageRating {shown(average)}, numVotes {shown(number)}"
            raise DatasetFault(self._file, self.first + at, f"no rating: {what}")
        return letters.view("S8")[:, 0].astype(np.float64), votes

    def fault(self, at: int, column: str, reason: str) -> DatasetFault:
        """What is wrong with a column of the line at a place; `reason` has {} for what it holds."""
        field = self.lines(np.array([at]))[0].split(b"\t")[COLUMNS[self._file].index(column)]
        return DatasetFault(self._file, self.first + at, reason.replace("{}", shown(field)))

    def _field(self, column: str, which: Ints) -> tuple[Ints, Ints]:
        at = COLUMNS[self._file].index(column)
        return self._bounds[which, at] + 1, self._bounds[which, at + 1]

    def _letters(self, starts: Ints, widths: Ints, most: int) -> Bytes:
        """The first letters of some fields, a row each; what is beyond a field is 0."""
        places = np.arange(most)
        inside = places < widths[:, None]
        letters = self._marks[np.where(inside, starts[:, None] + places, 0)]
        return np.where(inside, letters, np.uint8(0))

    def _digits(self, starts: Ints, ends: Ints, before: int) -> tuple[Ints, Flags]:
        """Fields as whole numbers, with a digit put before theirs; and whether they are that."""
        widths = ends - starts
        right = (widths > 0) & (widths <= _MOST_DIGITS)
        numbers = np.full(len(starts), before, np.int64)
        for place in range(min(int(widths.max(initial=0)), _MOST_DIGITS)):
            inside = place < widths
            digits = self._marks[np.where(inside, starts + place, 0)] - np.uint8(ord("0"))
            right &= ~inside | (digits <= 9)
            numbers = np.where(inside, numbers * 10 + digits, numbers)
        return numbers, right

    def _ids(self) -> Ints | None:
        starts, ends = self._bounds[:, 0] + 1, self._bounds[:, 1]
        widths = ends - starts
        if widths.min() < len("tt") + 7 or widths.max() > len("tt") + 10:
            return None
        prefixed = (self._marks[starts] == ord("t")) & (self._marks[starts + 1] == ord("t"))
        numbers, right = self._digits(starts + 2, ends, 1)
        return numbers if (right & prefixed).all() else None

    def _check_encoding(self) -> None:
        try:
            self._text.decode()
        except UnicodeDecodeError as fault:
            at = int(np.searchsorted(self._bounds[:, -1], fault.start))
            [line] = self.lines(np.array([at]))
            raise DatasetFault(self._file, self.first + at, f"not UTF-8: {shown(line)}") from None


def numbers_of(tconsts: Sequence[str]) -> Ints:
    """Ids as whole numbers, in ascending order: their digits with a 1 before them, so that no two
    are one number. What is not an id has none."""
    known = (text for text in map(str.encode, tconsts) if _TCONST.fullmatch(text))
    return np.unique(np.fromiter((int(b"1" + text[2:]) for text in known), np.int64))


def places_in(numbers: Ints, ids: Ints) -> Ints:
    """Where each id stands in `numbers`, which are in ascending order; -1 where it does not."""
    if not len(numbers):
        return np.full(len(ids), -1, np.int64)
    nearest = np.minimum(np.searchsorted(numbers, ids), len(numbers) - 1)
    return np.where(numbers[nearest] == ids, nearest, -1)


class _Seen:
    """The ids met so far. A set of twelve million takes a gigabyte, hence the table.

    It has a byte for each id of up to eight digits; of its 200 MB the system gives us only the
    pages that are written to. Longer ids, of which there are none yet, go in a set.
    """

    def __init__(self) -> None:
        self._table = np.zeros(2 * 10**8, np.bool_)
        self._longer: set[int] = set()

    def again(self, ids: Ints) -> int | None:
        """The place of the first id that was met before, or None; then all are remembered."""
        ordered = np.sort(ids)
        in_table = ordered[-1] < len(self._table)
        if in_table and (ordered[1:] > ordered[:-1]).all() and not self._table[ids].any():
            self._table[ids] = True
            return None
        for place, number in enumerate(ids.tolist()):
            if number < len(self._table):
                met, self._table[number] = bool(self._table[number]), True
            else:
                met = number in self._longer
                self._longer.add(number)
            if met:
                return place
        return None


def _check_header(file: str, header: bytes) -> None:
    if header == _HEADERS[file]:
        return
    reason = f"the header is {shown(header)}"
    if header.startswith(_GZIP_MAGIC):
        reason = "gzip within gzip"
    elif not header:
        reason = "the file is empty"
    raise DatasetFault(file, 1, reason)


def _out_of_shape(file: str, first: int, text: bytes, tabs: int) -> DatasetFault:
    """What is wrong with a block that is out of shape, by its first line that is."""
    *lines, rest = text.split(b"\n")
    for number, line in enumerate(lines, first):
        fields = line.split(b"\t")
        if len(fields) != tabs + 1:
            return DatasetFault(file, number, f"{len(fields)} fields, not {tabs + 1}")
        if not _TCONST.fullmatch(fields[0]):
            return DatasetFault(file, number, f"{shown(fields[0])} is not a title's id")
    return DatasetFault(file, first + len(lines), f"the last line is cut short: {shown(rest)}")


def shown(field: bytes) -> str:
    """Bytes for a message, cut to a length that a log line bears."""
    return repr(field[:80].decode("utf-8", "replace"))

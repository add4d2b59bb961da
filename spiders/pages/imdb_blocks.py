"""IMDb's datasets as they are unpacked: blocks of whole lines, each found in shape.

Twelve million lines a night, of which some ten thousand are kept. numpy checks a block's shape and
reads the fields that are looked at in all of its lines together: line by line in Python takes ten
times as long.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from typing import IO, Literal, cast

import numpy as np
from isal import igzip
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

BASICS = "title.basics.tsv.gz"
RATINGS = "title.ratings.tsv.gz"
AKAS = "title.akas.tsv.gz"
CREW = "title.crew.tsv.gz"
NAMES = "name.basics.tsv.gz"

_HEADERS = {
    BASICS: b"tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
    b"\truntimeMinutes\tgenres\n",
    RATINGS: b"tconst\taverageRating\tnumVotes\n",
    AKAS: b"titleId\tordering\ttitle\tregion\tlanguage\ttypes\tattributes\tisOriginalTitle\n",
    CREW: b"tconst\tdirectors\twriters\n",
    NAMES: b"nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles\n",
}
COLUMNS = {file: header.decode().split() for file, header in _HEADERS.items()}
NULL = "\\N"
TITLE, PERSON = b"tt", b"nm"
"""What the ids of titles and of people begin with."""

_ID_DIGITS = range(7, 11)
_TAB, _BREAK, _POINT, _ZERO = ord("\t"), ord("\n"), ord("."), np.uint8(ord("0"))
_GZIP_MAGIC = b"\x1f\x8b"
_NOT_GZIP: tuple[type[Exception], ...] = (gzip.BadGzipFile, cast("type[Exception]", IsalError))
_BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 1 << 20
"""Bytes that a line is read to: a small file may unpack to gigabytes without a line break."""

_MOST_DIGITS, _MOST_LETTERS = 18, 8
"""Of a whole number, and of one with a point."""

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


def blocks(file: str, packed: IO[bytes]) -> Iterator[Block]:
    """The file below its header, every line in shape and no id twice. Raises DatasetFault."""
    seen = _Seen()
    for block in unchecked(file, packed):
        if (again := seen.again(block.ids)) is not None:
            raise block.fault(again, COLUMNS[file][0], "{} for the second time")
        yield block


def gathered_blocks(file: str, packed: IO[bytes]) -> Iterator[Block]:
    """The same of a file with several lines for an id: they stand together, and each has an
    `ordering` of its own. Raises DatasetFault."""
    seen = _Seen()
    last, met = -1, set[int]()  # the id of the last line so far, and the orderings of its lines
    for block in unchecked(file, packed):
        ids, orderings = block.ids, block.whole("ordering", np.arange(len(block)))
        begins = np.flatnonzero(np.concatenate(([ids[0] != last], ids[1:] != ids[:-1])))
        if len(begins) and (again := seen.again(ids[begins])) is not None:
            raise block.fault(int(begins[again]), COLUMNS[file][0], "{} again, behind others")
        going_on = orderings[: begins[0] if len(begins) else len(block)].tolist()
        twice = next((at for at, number in enumerate(going_on) if number in met), None)
        if twice is None:
            twice = _first_twice(ids, orderings)
        if twice is not None:
            raise block.fault(twice, "ordering", "ordering {} for the second time")
        met = set() if len(begins) else met
        met.update(orderings[begins[-1] if len(begins) else 0 :].tolist())
        last = int(ids[-1])
        yield block


def unchecked(file: str, packed: IO[bytes]) -> Iterator[Block]:
    """The same, without looking for ids that come twice."""
    last = 1
    try:
        with igzip.IGzipFile(fileobj=packed) as unpacked:
            _check_header(file, unpacked.readline(_LONGEST_LINE))
            while text := unpacked.read(_BLOCK_BYTES):
                block = Block(file, last + 1, text + unpacked.readline(_LONGEST_LINE))
                last += len(block)
                yield block
    except EOFError:
        raise DatasetFault(file, last, "the file is cut short") from None
    except _NOT_GZIP as fault:
        raise DatasetFault(file, last, f"not a whole gzip file: {fault}") from fault
    if last == 1:
        raise DatasetFault(file, last, "no line below the header")


class Block:
    """Whole lines, all in shape: UTF-8, each with the header's number of fields, the first of them
    an id. Raises DatasetFault for others.

    `first` is the number of its first line, where the header has 1; `ids` are the ids as whole
    numbers (see `numbers_of`).
    """

    def __init__(self, file: str, first: int, text: bytes) -> None:
        self._file = file
        self._text = text
        self._marks = np.frombuffer(text, np.uint8)
        self.first = first
        ids = None
        columns = len(COLUMNS[file])
        is_mark = (self._marks == _TAB) | (self._marks == _BREAK)
        marks_at = np.flatnonzero(is_mark)
        if text.endswith(b"\n") and len(marks_at) % columns == 0:
            self._ends = marks_at.reshape(-1, columns)
            # As many marks as there should be, and of all line breaks each is the last of a line.
            lines = np.count_nonzero(self._marks == _BREAK)
            if lines == len(self._ends) and (self._marks[self._ends[:, -1]] == _BREAK).all():
                self._starts = np.concatenate(([0], self._ends[:-1, -1] + 1))
                ids = self._ids()
        if ids is None:
            raise _out_of_shape(file, first, text)
        self.ids = ids
        self._check_encoding()

    def __len__(self) -> int:
        return len(self.ids)

    def lines(self, which: Ints) -> list[bytes]:
        """The lines at some places, without their line breaks."""
        starts = self._starts[which].tolist()
        ends = self._ends[which, -1].tolist()
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
        averages, right = self._decimals(*self._field("averageRating", every))
        votes, counted = self._digits(*self._field("numVotes", every), 0)
        right &= counted
        if not right.all():
            at = int(np.argmin(right))
            _, average, number = self.lines(every[at : at + 1])[0].split(b"\t")
            what = f"averageRating {shown(average)}, numVotes {shown(number)}"
            raise DatasetFault(self._file, self.first + at, f"no rating: {what}")
        return averages, votes

    def fault(self, at: int, column: str, reason: str) -> DatasetFault:
        """What is wrong with a column of the line at a place; `reason` has {} for what it holds."""
        field = self.lines(np.array([at]))[0].split(b"\t")[COLUMNS[self._file].index(column)]
        return DatasetFault(self._file, self.first + at, reason.replace("{}", shown(field)))

    def _field(self, column: str, which: Ints) -> tuple[Ints, Ints]:
        """Where a column begins and ends in the lines at some places."""
        at = COLUMNS[self._file].index(column)
        starts = self._ends[which, at - 1] + 1 if at else self._starts[which]
        return starts, self._ends[which, at]

    def _letters(
        self, starts: Ints, widths: Ints, place: int, narrowest: int
    ) -> tuple[Bytes, Flags | Literal[True]]:
        """The letters at a place of some fields, and which fields have one there (True: all)."""
        if place < narrowest:
            return self._marks[starts + place], True
        inside = place < widths
        return self._marks[np.where(inside, starts + place, 0)], inside

    def _digits(self, starts: Ints, ends: Ints, before: int) -> tuple[Ints, Flags]:
        """Fields as whole numbers, with a digit put before theirs; and whether they are that."""
        widths = ends - starts
        narrowest, widest = int(widths.min(initial=_MOST_DIGITS)), int(widths.max(initial=0))
        right = (widths > 0) & (widths <= _MOST_DIGITS)
        numbers = np.full(len(starts), before, np.int64)
        for place in range(min(widest, _MOST_DIGITS)):
            letters, inside = self._letters(starts, widths, place, narrowest)
            digits = letters - _ZERO
            right &= (digits <= 9) if inside is True else ~inside | (digits <= 9)
            np.multiply(numbers, 10, out=numbers, where=inside)
            np.add(numbers, digits, out=numbers, where=inside)
        return numbers, right

    def _decimals(self, starts: Ints, ends: Ints) -> tuple[NDArray[np.float64], Flags]:
        """Fields of one or two digits, and perhaps a point with digits behind it, as numbers; and
        whether they are that. Each is the very number that Python reads."""
        widths = ends - starts
        narrowest = int(widths.min(initial=0))
        right = (widths > 0) & (widths <= _MOST_LETTERS)
        numbers = np.zeros(len(starts), np.int64)
        points, whole, behind = np.zeros((3, len(starts)), np.int64)
        for place in range(min(int(widths.max(initial=0)), _MOST_LETTERS)):
            letters, inside = self._letters(starts, widths, place, narrowest)
            digits = letters - _ZERO
            is_digit = (digits <= 9) & inside
            is_point = (letters == _POINT) & inside
            right &= is_digit | is_point | np.logical_not(inside)
            points += is_point
            whole += is_digit & (points == 0)
            behind += is_digit & (points > 0)
            np.multiply(numbers, 10, out=numbers, where=is_digit)
            np.add(numbers, digits, out=numbers, where=is_digit)
        right &= (whole >= 1) & (whole <= 2) & (points <= 1) & ((points == 0) | (behind > 0))
        return numbers / 10.0**behind, right

    def _ids(self) -> Ints | None:
        starts, ends = self._starts, self._ends[:, 0]
        first, second = _prefix(self._file)
        widths = ends - starts - 2
        if widths.min() not in _ID_DIGITS or widths.max() not in _ID_DIGITS:
            return None
        prefixed = (self._marks[starts] == first) & (self._marks[starts + 1] == second)
        numbers, right = self._digits(starts + 2, ends, 1)
        return numbers if (right & prefixed).all() else None

    def _check_encoding(self) -> None:
        try:
            self._text.decode()
        except UnicodeDecodeError as fault:
            at = int(np.searchsorted(self._ends[:, -1], fault.start))
            [line] = self.lines(np.array([at]))
            raise DatasetFault(self._file, self.first + at, f"not UTF-8: {shown(line)}") from None


def numbers_of(ids: Sequence[str]) -> Ints:
    """Titles' ids as whole numbers, in ascending order: their digits with a 1 before them, so that
    no two are one number. What is not an id has none."""
    known = (text for text in map(str.encode, ids) if _is_id(text, TITLE))
    return np.unique(np.fromiter((int(b"1" + text[2:]) for text in known), np.int64))


def _is_id(text: bytes, prefix: bytes) -> bool:
    """Whether it is an id of a title (`TITLE`) or a person (`PERSON`)."""
    digits = text[2:]
    return text.startswith(prefix) and len(digits) in _ID_DIGITS and digits.isdigit()


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
        ordered = ids if (ids[1:] > ids[:-1]).all() else np.sort(ids)
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


def _first_twice(ids: Ints, orderings: Ints) -> int | None:
    """The place of the first line that has id and ordering of one before it, or None."""
    if ((ids[1:] != ids[:-1]) | (orderings[1:] > orderings[:-1])).all():
        return None
    order = np.lexsort((orderings, ids))
    ids, orderings = ids[order], orderings[order]
    same = (ids[1:] == ids[:-1]) & (orderings[1:] == orderings[:-1])
    return int(order[1:][same].min()) if same.any() else None


def _prefix(file: str) -> bytes:
    """What the ids begin with by which a file is ordered."""
    return PERSON if file == NAMES else TITLE


def _check_header(file: str, header: bytes) -> None:
    if header == _HEADERS[file]:
        return
    reason = f"the header is {shown(header)}"
    if header.startswith(_GZIP_MAGIC):
        reason = "gzip within gzip"
    elif not header:
        reason = "the file is empty"
    raise DatasetFault(file, 1, reason)


def _out_of_shape(file: str, first: int, text: bytes) -> DatasetFault:
    """What is wrong with a block that is out of shape, by its first line that is."""
    columns, whose = len(COLUMNS[file]), "person" if file == NAMES else "title"
    *lines, rest = text.split(b"\n")
    for number, line in enumerate(lines, first):
        fields = line.split(b"\t")
        if len(fields) != columns:
            return DatasetFault(file, number, f"{len(fields)} fields, not {columns}")
        if not _is_id(fields[0], _prefix(file)):
            return DatasetFault(file, number, f"{shown(fields[0])} is not a {whose}'s id")
    return DatasetFault(file, first + len(lines), f"the last line is cut short: {shown(rest)}")


def shown(field: bytes) -> str:
    """Bytes for a message, cut to a length that a log line bears."""
    return repr(field[:80].decode("utf-8", "replace"))

"""CSV files of listings, as `afterscore link` reads them."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.matching.described import objects
from pipelines.matching.names import names_in
from pipelines.matching.years import Released, released, year_in
from pipelines.problem import Problem

_ROWS_AT_ONCE = 50_000

_NUMBER = re.compile(r"(?<![-−\d.])\d+(?:\.\d+)?")
_HOURS = re.compile(r"(?<![-−\d.])(\d+(?:\.\d+)?)\s*h\D*(\d*)", re.I)
_CLOCK = re.compile(r"0?(\d):([0-5]\d)(?::[0-5]\d)?")
_MINUTES = re.compile(r"[mм分\W\d]|$", re.I)
"""What may follow a number of minutes: `90`, `90 min`, `90'`; not `1 Season`."""

_SECONDS = 3_000
"""A number from here on counts no minutes of a film: it may be its seconds, or those since 1970."""

_MISSING = frozenset(
    {"-1", "nan", "NaN", "None", "null", "NULL", "\\N", "N/A", "n/a", "NA", "#N/A", "<NA>", "NaT"}
    | {"-", "--", "—"}
)
"""How programs write that there is nothing."""

_FIRST_DAY = Released(1900, 19000101, 19000101)
"""The first day that spreadsheets know stands where a program had none to write."""

_NUMBERS = ("year", "runtime", "season", "episode")

_OTHERWISE = {
    "id": "movieid filmid showid tconst const imdbtitleid imdbid tmdbid titleid movieno"
    " letterboxduri url link rottentomatoeslink",
    "kind": "type titletype",
    "title": "name movie film movietitle filmtitle primarytitle moviename filmname seriestitle",
    "year": "releaseyear releasedyear yearofrelease startyear movieyear yearrange",
    "release_date": "released datepublished",
    "runtime": "duration length runtimeminutes runtimemins runtimemin runningtime time",
    "directors": "director directedby directorname moviedirector",
    "cast": "actors stars starring star actor moviestar moviestars moviecast",
}  # fmt: skip
"""What other catalogues call these columns, in letters alone."""

_COUNTED = {
    "directors": re.compile(r"director\d+(?:name)?"),
    "cast": re.compile(r"(?:star|actor|cast)\d+(?:name)?"),
}
"""Columns of which each holds one name: `Star1`, `actor_2_name`."""

_MARKS = ",;\t|"
"""What may part the fields of a row."""

_LONGEST = 10_000_000
"""Letters of a field: some catalogues hold whole plots and reviews."""

_NEAR = 0.75
"""How like a column's name must be to the one that may be meant, of 1."""

Note = Callable[[str], None]
"""Hears, in one line, of what a file says and is not read."""


def _unheard(_line: str) -> None:
    """Tell nobody."""


class UnreadableListings(Problem):
    """A file that does not hold listings; the message says where, and what was expected."""


def read_listings(path: Path, note: Note = _unheard) -> pd.DataFrame:
    """The listings of a CSV file, one a row, with those of `COLUMNS` that it has.

    Names are parted by `|`, `;` or `,`, other titles by `|`. A year or a runtime that is no number
    counts as unknown. `note` hears of that, and of columns that are passed over or bear another
    name. The file is read once, from its beginning to its end: it may be a pipe.
    Raises UnreadableListings.
    """
    try:
        with path.open("rb") as handle, _as_text(handle) as lines:
            listings = _read(path, _reader(_legible(path, lines)), note)
    except OSError as fault:
        raise UnreadableListings(f"{path}: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise UnreadableListings(f"{path}: not UTF-16 ({fault.reason})") from None
    ids = listings["id"]
    told = listings.columns.difference(["id", "line"])
    listings[told] = listings[told].mask(listings[told].isin(_MISSING), "")
    for wrong, why in ((ids == "", "has no id"), (ids.duplicated(), "repeats the id of line {}")):
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            first = int(np.flatnonzero(ids == ids[at])[0])
            raise UnreadableListings(
                f"{path}, line {listings['line'][at]} {why.format(listings['line'][first])}"
            )
    typed = {name: _typed(listings[name], read) for name, read in _kept(listings)}
    for name in (name for name in _NUMBERS if name in typed):
        _note_what_is_no_number(path, listings[typed[name].isna()], name, note)
    return pd.DataFrame(typed)


def _note_what_is_no_number(path: Path, unknown: pd.DataFrame, name: str, note: Note) -> None:
    odd = unknown[unknown[name].str.strip() != ""]
    if odd.empty:
        return
    more = f"; {len(odd) - 1:,} more like it" if len(odd) > 1 else ""
    note(
        f"{path}, line {odd['line'].iloc[0]}: {name} {odd[name].iloc[0]!r} is no number, and counts"
        f" as not known{more}"
    )


def _read(path: Path, reader: Any, note: Note) -> pd.DataFrame:
    """The columns that are known, as texts, and the line on which each row ends."""
    try:
        header: list[str] = next((row for row in reader if any(map(str.strip, row))), [])
        places = _places(header)
        if "id" not in places:
            raise UnreadableListings(
                f"{path}, line 1 names no column id. It should name the columns, of which these are"
                f" read: {', '.join(COLUMNS)}"
            )
        _note_columns(path, header, places, note)
        parts = [pd.DataFrame({"line": [], **{name: [] for name in places}}, dtype=object)]
        rows = _rows(path, reader, len(header))
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            columns = list(zip(*some, strict=True))
            # The number of the line was put behind the fields.
            told = {name: _joined(columns, at) for name, at in {"line": [-1], **places}.items()}
            parts.append(pd.DataFrame(told, dtype=object))
    except csv.Error as fault:
        raise UnreadableListings(
            f"{path}, line {reader.line_num}: {fault}: fields are parted by one mark, and quotation"
            " marks within one that stands in quotation marks are doubled"
        ) from None
    return pd.concat(parts, ignore_index=True)


def _joined(columns: list[tuple[Any, ...]], places: list[int]) -> Sequence[Any]:
    """A column, or several that hold a name each as one that holds them all."""
    if len(places) == 1:
        return columns[places[0]]
    cells = zip(*(columns[at] for at in places), strict=True)
    return ["|".join(cell for cell in row if cell not in _MISSING) for row in cells]


def _reader(lines: Iterator[str]) -> Any:
    """The rows of a file, whichever mark parts their fields: the one that makes a column `id`."""
    begin: list[str] = []
    for line in lines:
        begin.append(line)
        if line.strip():
            break
    csv.field_size_limit(_LONGEST)
    first = "".join(begin[-1:])[:_LONGEST]
    named = (
        mark
        for mark in _MARKS
        for row in csv.reader([first], delimiter=mark)
        if "id" in _places(row)
    )
    mark = next(named, _MARKS[0])
    # Where tabs part them, a quotation mark is a letter: IMDb's `"Slow" Motion`.
    bare = mark == "\t" and '"' not in first
    return csv.reader(
        chain(begin, lines),
        delimiter=mark,
        quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL,
        strict=True,
    )


def _places(header: list[str]) -> dict[str, list[int]]:
    """Where the known columns stand, each under its own name, or else under another, or others."""
    names = [_letters(name) for name in header]
    places: dict[str, list[int]] = {}
    for column in COLUMNS:
        for name in (_letters(column), *_OTHERWISE.get(column, "").split()):
            if name in names:
                places.setdefault(column, [names.index(name)])
    for column, counted in _COUNTED.items():
        if several := [at for at, name in enumerate(names) if counted.fullmatch(name)]:
            places.setdefault(column, several)
    return places


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _note_columns(path: Path, header: list[str], places: dict[str, list[int]], note: Note) -> None:
    """Tell which columns are not read, and which are read under another name."""
    columns = {at: column for column, several in places.items() for at in several}
    renamed = []
    for at, name in enumerate(name.strip().lower() for name in header):
        if at in columns and _letters(name) != _letters(columns[at]):
            renamed.append(f"{name!r} is read as {columns[at]}")
        elif at not in columns and name and name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1, _NEAR)
            meant = f" Is {near[0]} meant?" if near and near[0] not in places else ""
            note(f"{path}, line 1: the column {name!r} is not known, and passed over.{meant}")
    if renamed:
        note(f"{path}, line 1: {', '.join(renamed)}.")


def _as_text(handle: BufferedReader) -> TextIOWrapper:
    """A file in UTF-8, or in UTF-16 where it begins with the mark of that, whatever ends its lines;
    bytes that are neither are escaped."""
    marked = handle.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    encoding = "utf-16" if marked else "utf-8-sig"
    return TextIOWrapper(handle, encoding, "surrogateescape", newline="")


def _legible(path: Path, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            line.encode()  # fails where a byte was escaped
        except UnicodeEncodeError as fault:
            raise UnreadableListings(
                f"{path}, line {number}, character {fault.start + 1}: not UTF-8;"
                " the file should be saved in that encoding"
            ) from None
        yield line


def _rows(path: Path, reader: Any, width: int) -> Iterator[list[Any]]:
    for row in reader:
        if len(row) == width:
            row.append(reader.line_num)
            yield row
        elif row:
            raise UnreadableListings(
                f"{path}, line {reader.line_num} has {len(row)} fields, and line 1 names {width}"
                " columns: is a comma or a quotation mark missing?"
            )


def _kept(listings: pd.DataFrame) -> list[tuple[str, Callable[[str], Any]]]:
    return [(name, read) for name, read in COLUMNS.items() if name in listings]


def _typed(texts: pd.Series[str], read: Callable[[str], Any]) -> pd.Series[Any]:
    """A column as what its texts say; each text is read once."""
    codes, uniques = pd.factorize(texts)
    values = pd.Series(objects([read(text) for text in uniques])[codes], index=texts.index)
    return (
        values.astype("Int64")
        if read in (_whole, _year)
        else values.astype(float)
        if read is _minutes
        else values
    )


def _text(written: str) -> str:
    return written.strip()


def _date(written: str) -> str:
    """A date as it is written; "" for the first one that spreadsheets know, which is none."""
    return "" if released(written) == _FIRST_DAY else written.strip()


def _whole(written: str) -> int | None:
    found = _NUMBER.search(written)
    return int(float(found[0])) if found and len(found[0]) < 10 else None


def _year(written: str) -> int | None:
    """The year of `1995`, `(1995)`, `1995-12-15` or `Dec 15, 1995`; another number as it is."""
    return year_in(_date(written)) or _whole(_date(written))


def _minutes(written: str) -> float | None:
    """Minutes, from `143`, `143 min`, `2h 23m`, `2.5 hours`, `2:23` or `PT2H23M`; None from what
    counts something else, such as `2 Seasons` or seconds, or is a date."""
    if year_in(written):
        return None
    if clock := _CLOCK.fullmatch(written.strip()):
        return 60 * float(clock[1]) + float(clock[2])
    if hours := _HOURS.search(written):
        return 60 * float(hours[1]) + float(hours[2] or 0)
    found = _NUMBER.search(written)
    if not found or not _MINUTES.match(written[found.end() :].lstrip()):
        return None
    return minutes if (minutes := float(found[0])) < _SECONDS else None


def _titles(written: str) -> tuple[str, ...]:
    return tuple(title.strip() for title in written.split("|") if title.strip())


COLUMNS: dict[str, Callable[[str], Any]] = {
    "id": _text,
    "kind": _text,
    "title": _text,
    "original_title": _text,
    "other_titles": _titles,
    "year": _year,
    "release_date": _date,
    "runtime": _minutes,
    "directors": names_in,
    "cast": names_in,
    "season": _whole,
    "episode": _whole,
    "parent_title": _text,
}
"""What a file may tell of a listing, and how each is read. Only `id` must be there; other columns
are passed over."""

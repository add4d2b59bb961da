"""Years and days as listings give them, for comparison: `6/9/15`, `17 June 2011 (USA)`, `1994`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

FIRST_YEAR, LAST_YEAR = 1870, 2100
"""No film has a year before the first or after the last; `0` and `9999` mean that none is known."""

_TURN = 35
"""A year in two figures is of the twentieth century from here on, where no other year helps."""

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_MONTH = re.compile(r"\b([A-Za-z]{3})[a-z]*\b")
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_ISO = re.compile(
    r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)|(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)"
)
_SHORT = re.compile(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
_SPREADSHEET = re.compile(r"(?<!\d)(\d{1,2})[- ]([A-Za-z]{3})[- ](\d{2})(?!\d)")
_DAY = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?(?!\d)")


class Released(NamedTuple):
    """A release date: its year, and its day as yyyymmdd in both readings where the order of day
    and month is open (6/9/15 is the 9th of June to some); 0 where it is not known."""

    year: int
    day: int
    other_day: int


NOT_KNOWN = Released(0, 0, 0)


def known_year(number: float) -> int:
    """The year, or 0 where no film can be of it."""
    return int(number) if FIRST_YEAR <= number <= LAST_YEAR else 0


def year_in(text: str) -> int:
    """The first number in a text that may be the year of a film, or 0.

    >>> year_in("Dec 15, 1995"), year_in("1995.0"), year_in("15")
    (1995, 1995, 0)
    """
    found = _YEAR.search(text)
    return known_year(int(found[1])) if found else 0


@lru_cache(100_000)
def released(text: str) -> Released:
    """What a release date says, in any of the ways in which sites write one.

    >>> released("6/9/15")
    Released(year=2015, day=20150609, other_day=20150906)
    >>> released("17 June 2011 (USA)").day
    20110617
    >>> released("Mar 3, 1915").day, released("2015-06-09").day
    (19150303, 20150609)
    >>> released("1994"), released("soon")
    (Released(year=1994, day=0, other_day=0), Released(year=0, day=0, other_day=0))
    """
    if found := _ISO.search(text):
        return _dated(*(int(part) for part in found.groups() if part))
    if (found := _SPREADSHEET.search(text)) and (month := _MONTHS.get(found[2].lower())):
        return _dated(_in_full(found[3]), month, int(found[1]))
    if found := _SHORT.search(text):
        first, second, last = found.groups()
        year = _in_full(last)
        one, other = _dated(year, int(first), int(second)), _dated(year, int(second), int(first))
        return Released(one.year or other.year, one.day or other.day, other.day or one.day)
    if not (found := _YEAR.search(text)):
        return NOT_KNOWN
    rest = text[: found.start()] + " " + text[found.end() :]
    months = [_MONTHS[word] for word in map(str.lower, _MONTH.findall(rest)) if word in _MONTHS]
    day = _DAY.search(rest)
    return _dated(int(found[1]), months[0] if months else 0, int(day[1]) if day else 0)


def _in_full(year: str) -> int:
    """A year in two figures or four."""
    return int(year) if len(year) == 4 else int(year) + (2000 if int(year) < _TURN else 1900)


def _dated(year: int, month: int, day: int) -> Released:
    if not known_year(year):
        return NOT_KNOWN
    whole = year * 10_000 + month * 100 + day
    if not (1 <= month <= 12 and 1 <= day <= 31):
        whole = 0
    return Released(year, whole, whole)

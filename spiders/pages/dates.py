"""Dates as sites write them, as ISO dates: `October 10, 2014`, `Oct 10, 2014`, `2014-10-10`."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WRITTEN = re.compile(r"\b([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),\s*(\d{4})\b")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)")


def iso_date(raw: object) -> str | None:
    """The first whole date in a text, or None where it holds none (`2014`, `TBA`, `0000-00-00`).

    >>> iso_date("Release Date: Oct 10, 2014"), iso_date("2014-10-10T00:00:00Z"), iso_date("TBA")
    ('2014-10-10', '2014-10-10', None)
    """
    if not isinstance(raw, str):
        return None
    if found := _ISO.search(raw):
        year, month, day = (int(part) for part in found.groups())
    elif found := _WRITTEN.search(raw):
        name = found[1].casefold()
        if name not in _MONTHS:
            return None
        year, month, day = int(found[3]), _MONTHS.index(name) + 1, int(found[2])
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None

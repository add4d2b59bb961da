"""Figures and counts as sites write them: `1,425,107`, `1.2M`, `250,000+ Ratings`, `93%`, `tbd`."""

from __future__ import annotations

import re
from typing import NamedTuple

_SCALE = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_MOST = 10**12
"""No site counts as far: a larger number is an id or rubbish, and no row of a database holds it."""
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007"), " ")

_COUNT = re.compile(
    r"(?P<digits>\d{1,3}(?:(?P<mark>[,. '’])\d{3})(?:(?P=mark)\d{3})*(?!\d)|\d+(?:[.,]\d+)?)"
    r"\s*(?P<scale>[KMBkmb](?![A-Za-z]))?\s*(?P<plus>\+)?"
)
_UPPER_BOUND = re.compile(r"fewer than|less than|under\b|<", re.I)
_FIGURE = re.compile(r"\s*(?P<number>[-+]?\d+(?:[.,]\d+)?)\s*(?:%|/\s*(?:5|10|100))?\s*")
_NO_FIGURE = re.compile(
    r"\s*(?:tbd|tba|n/?a|nr|none|null|%|[-–—]+%?|\?+|"
    r"(?:no|not)\s+(?:score|rating|reviews?|yet|rated|enough|available)\b.*)?\s*",
    re.I | re.S,
)


class Count(NamedTuple):
    """How many ratings or reviews; `at_least` where the site shows a band such as `250,000+`."""

    votes: int
    at_least: bool = False


def count(raw: object) -> Count | None:
    """The number of votes that a text or a JSON value states, or None where it states none.

    >>> count("250,000+ Ratings"), count("1.2M"), count("46 Critics"), count("be the first")
    (Count(votes=250000, at_least=True), Count(votes=1200000, at_least=False), \
Count(votes=46, at_least=False), None)

    `Fewer than 50 Ratings` is no count: it says only what there is not. Negative numbers, which
    old APIs wrote for "none", are none.
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return Count(int(raw)) if 0 <= raw <= _MOST else None
    if not isinstance(raw, str):
        return None
    text = raw.translate(_SPACES)
    found = _COUNT.search(text)
    if not found or _UPPER_BOUND.search(text, 0, found.start()):
        return None
    if text[: found.start()].rstrip().endswith(("-", "\u2212")):
        return None
    digits, scale = found["digits"], (found["scale"] or "").lower()
    if found["mark"]:
        number = float(re.sub(r"\D", "", digits))
        if scale and found["mark"] in ",." and digits.count(found["mark"]) == 1:
            number = float(digits.replace(",", "."))  # "1.234M": a decimal mark, not thousands
    else:
        number = float(digits.replace(",", "."))
    votes = round(number * _SCALE[scale], 3)  # 8.2 times a billion is 8199999999.999999
    if votes > _MOST or votes != int(votes):
        return None
    return Count(int(votes), bool(found["plus"]))


def figure(raw: object) -> int | float | None:
    """The figure that a score's slot holds, or None where it holds none (`tbd`, `--`, `%`, -1).

    >>> figure("93%"), figure("7.3 /10"), figure("tbd"), figure(-1), figure(0)
    (93, 7.3, None, None, 0)
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return raw if 0 <= raw <= _MOST else None
    found = _FIGURE.fullmatch(raw.translate(_SPACES)) if isinstance(raw, str) else None
    if not found:
        return None
    number = float(found["number"].replace(",", "."))
    if not 0 <= number <= _MOST:
        return None
    return int(number) if number.is_integer() and not re.search("[.,]", found["number"]) else number


def says_none(raw: object) -> bool:
    """Whether a score's slot says that there is no score yet, as against holding rubbish."""
    if raw is None:
        return True
    if isinstance(raw, bool):
        return False
    if isinstance(raw, int | float):
        return raw == -1
    if not isinstance(raw, str):
        return False
    return bool(_NO_FIGURE.fullmatch(raw.translate(_SPACES))) or raw.strip() == "-1"


def runtime_minutes(raw: object) -> int | None:
    """Minutes from `2h 23m`, `2 hrs. 23 min.`, `143 min`, `PT2H23M`, or None.

    >>> runtime_minutes("2h 23m"), runtime_minutes("PT2H23M"), runtime_minutes("143 min")
    (143, 143, 143)
    """
    text = str(raw or "")
    found = re.search(
        r"(?:(\d+)\s*h(?:ou)?r?s?\.?[\s,]*)?(?:(\d+)\s*m(?:in\w*)?\b)?", _start(text), re.I
    )
    if not found or not any(found.groups()):
        return None
    minutes = 60 * int(found[1] or 0) + int(found[2] or 0)
    return minutes or None


def _start(text: str) -> str:
    """The text from its first digit on: `PT2H` and `Runtime: 2h` begin with words."""
    first = re.search(r"\d", text)
    return text[first.start() :] if first else ""

"""Figures and counts as sites write them: `1,425,107`, `1.2M`, `250,000+ Ratings`, `93%`, `tbd`."""

from __future__ import annotations

import re
from typing import NamedTuple

_SCALE = {
    "": 1, "k": 10**3, "m": 10**6, "b": 10**9,
    "thousand": 10**3, "million": 10**6, "billion": 10**9, "lakh": 10**5, "crore": 10**7,
    "mio": 10**6, "mrd": 10**9, "tys": 10**3, "mln": 10**6, "тыс": 10**3, "млн": 10**6,
    "万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "천": 10**3, "만": 10**4, "억": 10**8,
}  # fmt: skip
_MOST = 10**12
"""No site counts as far: a larger number is an id or rubbish, and no row of a database holds it."""
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007"), " ")

_COUNT = re.compile(
    r"(?<!\d)(?<!\d[.,])(?P<digits>\d{1,3}(?:(?P<mark>[,. '’])\d{3})(?:(?P=mark)\d{3})*(?!\d)"
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)|\d+(?:[.,]\d+)?)(?![.,]?\d)"
    r"\s*(?P<scale>[KMBkmb](?![A-Za-z])|"
    + "|".join(word for word in _SCALE if len(word) > 1)
    + r"|[万萬億亿천만억])?s?\s*(?P<plus>\+)?",
    re.I,
)
COUNTED = r"\d[\d.,]*+(?!\s\d{3}(?![\d%]))\s?[KM]?\b\+?"
"""A count within a sentence, to be read by `count`. Where digits follow behind a space (a browser
may write `1 117 362` for its language), the first of them are no count."""

_NUMBER_WORD = re.compile(r"\s*(?:hundred|mil|mille|lac|cr|mn|bn|dozen)s?\b", re.I)
"""Words for a number that are not read: `mil` is a thousand in Spanish, and short for a million."""

_UPPER_BOUND = re.compile(r"fewer than|less than|under\b|<", re.I)
_FIGURE = re.compile(
    r"\s*(?P<number>[-+]?\d+(?:[.,]\d+)?)\s*(?P<scale>%|/\s*(?P<best>5|10|100))?\s*"
)
_NO_FIGURE = re.compile(
    r"\s*(?:tbd|tba|n/?a|nr|none|null|%|[-–—](?:\s?[-–—])*%?|\?+|"
    r"(?:no|not)\s+(?:score|rating|reviews?|yet|rated|enough|available)\b.*)?\s*",
    re.I | re.S,
)


class Count(NamedTuple):
    """How many ratings or reviews; `at_least` where the site shows a band such as `250,000+`,
    `rounded` where it shows a short form such as `1.2M`, which no count is."""

    votes: int
    at_least: bool = False
    rounded: bool = False


def count(raw: object) -> Count | None:
    """The number of votes that a text or a JSON value states, or None where it states none.

    >>> count("250,000+ Ratings")
    Count(votes=250000, at_least=True, rounded=False)
    >>> count("1.2M").rounded, count("46 Critics").votes, count("be the first")
    (True, 46, None)

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
    if not found["scale"] and _NUMBER_WORD.match(text, found.end("digits")):
        return None
    digits, scale = found["digits"], (found["scale"] or "").lower()
    if found["mark"]:
        number = float(re.sub(r"\D", "", digits))
        if scale and found["mark"] in ",." and digits.count(found["mark"]) == 1:
            number = float(digits.replace(",", "."))  # "1.234M": a decimal mark, not thousands
    elif digits.count(",") > 1:
        number = float(digits.replace(",", ""))  # "12,34,567": lakhs and crores
    else:
        number = float(digits.replace(",", "."))
    votes = round(number * _SCALE[scale], 3)  # 8.2 times a billion is 8199999999.999999
    if votes > _MOST or votes != int(votes):
        return None
    at_least = bool(found["plus"])
    return Count(int(votes), at_least, rounded=bool(scale) and not at_least)


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


def stated_scale(raw: object) -> int | None:
    """The scale that a slot names beside its figure, or None where it names none.

    >>> stated_scale("7.3 / 10"), stated_scale("93%"), stated_scale("7.3")
    (10, 100, None)
    """
    found = _FIGURE.fullmatch(raw.translate(_SPACES)) if isinstance(raw, str) else None
    if not found:
        return None
    return 100 if found["scale"] == "%" else int(found["best"] or 0) or None


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

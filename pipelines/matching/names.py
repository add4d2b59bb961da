"""Names of people brought to a form that can be compared, and read from a cell of a file."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pipelines.matching.letters import plain

_MORE = re.compile(
    r"^\s*(?:(?:and\s+)?\d+\s+more(?:\s+credits?)?|et\s+al\.?|others|n/?a|none|-+)\s*$", re.I
)
_NOBODY = frozenset(
    f"{word}{who}"
    for word in ("various", "multiple", "several", "unknown")
    for who in ("", " director", " directors", " artists")
)
"""What stands where nobody is named: two films of `Various` have nobody in common."""

_AND = re.compile(r"\s+(?:&|and)\s+", re.I)
_AND_FIRST = re.compile(r"^\s*(?:&|and)\s+", re.I)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)", re.I)
_IN_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_ROUGH = 5
"""Letters of a last word that a rough name keeps."""

_NOT_WORDS = re.compile(r"[\W_]+")


def names_in(cell: str) -> tuple[str, ...]:
    """The names in a cell, parted by `|`, or else by `;` or `,`, each once, in their order.

    >>> names_in("Rupert Julian, Lon Chaney, Jr., 2 more credits")
    ('Rupert Julian', 'Lon Chaney, Jr.')
    >>> names_in("Coen, Joel; Coen, Ethan"), names_in("Mendes, Sam"), names_in("J. Doe|J. Doe")
    (('Coen, Joel', 'Coen, Ethan'), ('Mendes, Sam',), ('J. Doe',))
    >>> names_in("Ethan and Joel Coen"), names_in("A. Boe, J. Doe, and R. Roe")
    (('Ethan Coen', 'Joel Coen'), ('A. Boe', 'J. Doe', 'R. Roe'))
    """
    for mark in "|;":
        if mark in cell:
            return _kept(cell.split(mark))
    pieces: list[str] = []
    for piece in cell.split(","):
        if pieces and _SUFFIX.fullmatch(piece.strip(" .")):
            pieces[-1] += f",{piece}"
        else:
            pieces.append(piece)
    if len(pieces) == 2 and all(len(piece.split()) == 1 for piece in pieces):
        pieces = [cell]  # one name, the family's first
    return _kept(pieces)


def _kept(pieces: list[str]) -> tuple[str, ...]:
    told = (name for piece in pieces for name in _apart(piece.strip()))
    return tuple(dict.fromkeys(name for name in told if name and not _MORE.fullmatch(name)))


def _apart(piece: str) -> list[str]:
    """Names that `and` joins, of which all may share the last one's family name; `Penn & Teller`,
    who have one word each, stay together."""
    joined = _AND.split(_AND_FIRST.sub("", piece))
    if len(joined) == 1:
        return joined
    last = _IN_BRACKETS.sub("", joined[-1]).split()
    family = [word for word in last[1:] if not _SUFFIX.fullmatch(word.strip(".,"))][-1:]
    if not family or last[0].casefold() == "the":
        return [piece]
    return [name if " " in name else f"{name} {family[0]}" for name in joined if name]


class Name(NamedTuple):
    """A name in plain letters. `words` are sorted, since sites order them differently; `ends` are
    its first and last word, sorted; `short` is an initial and the last word, and `rough` an initial
    and the beginning of the last word, since sites transliterate endings differently."""

    words: str
    ends: str
    short: str
    rough: str


@lru_cache(100_000)
def name(written: str) -> Name:
    """A name brought to a form that can be compared.

    >>> name("Yun-Fat Chow").words == name("Chow Yun-Fat").words
    True
    >>> name("Lon Chaney, Jr."), name("Alejandro G. Iñárritu").ends
    (Name(words='chaney lon', ends='chaney lon', short='l chaney', rough='l chane'), \
'alejandro inarritu')
    """
    text = _IN_BRACKETS.sub("", plain(written)).replace("'", "")
    surname, comma, given = text.partition(",")
    if comma and not _SUFFIX.fullmatch(given.strip(" .")):
        text = f"{given} {surname}"
    words = _NOT_WORDS.sub(" ", text).split()
    words = [word for word in words if not _SUFFIX.fullmatch(word)] or words
    if not words or " ".join(words) in _NOBODY:
        return Name("", "", "", "")
    ends = " ".join(sorted({words[0], words[-1]}))
    short = f"{words[0][0]} {words[-1]}"
    return Name(" ".join(sorted(words)), ends, short, short[: 2 + _ROUGH])

"""Names of people brought to a form that can be compared, and read from a cell of a file."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import NamedTuple

from pipelines.matching.letters import BARELY, plain

_MORE = re.compile(
    r"^\s*(?:(?:and\s+)?\d+\s+more(?:\s+credits?)?|et\s+al\.?|others|n/?a|none|-+|see\s+full\s.*)\s*$",
    re.I,
)
_LABEL = re.compile(
    r"\s*(?:(?:directors?|stars?|starring|cast|actors?)\s*:|dir[.:]+\s|directed\s+by\b:?)\s*", re.I
)
"""What may stand before the first name of a cell."""

_NOBODY = frozenset(
    f"{word}{who}"
    for word in ("various", "multiple", "several", "unknown", "anonymous", "uncredited", "no")
    for who in ("", " director", " directors", " artists")
) | {"nan", "null", "undefined", "tba", "tbd", "not available", "not specified", "not listed"}
"""What stands where nobody is named: two films of `Various` have nobody in common."""

_FAMILY = frozenset({"brothers", "bros", "sisters"})
_AND = re.compile(r"\s+(?:&|\+|and|et|und)\s+", re.I)
_AND_FIRST = re.compile(r"^\s*(?:&|and|et|und)\s+", re.I)
_SLASH = re.compile(r"(?<=\w\w)\s*/\s*(?=\w\w)|\s+[·•]\s+")
"""Marks that part names; not that of `N/A`."""

_ROLE = re.compile(r"\s+(?:as|\.{2,}|…)\s.*", re.S)
"""Whom an actor plays: `Tom Hanks as Forrest Gump`, `Tom Hanks ... Forrest Gump`."""

_LIST = re.compile(r"[\[({]\s*(['\"].*['\"])\s*,?\s*[\])}]", re.S)
_QUOTED_END = re.compile(r"['\"]\s*,\s*['\"]")
"""How programs write a list: `['Joel Coen', 'Ethan Coen']`."""

_OBJECTS = re.compile(r"\[\s*\{.*\}\s*\]", re.S)
_NAMED = re.compile(r"""(['"])name\1\s*:\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")""")
"""How they write a list of objects with names: `[{"id": 7, "name": "Joel Coen"}]`."""

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
"""How JSON writes a letter with an accent: `Zo\\u00eb`."""

_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)", re.I)
_IN_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_ROUGH = 5
"""Letters of a last word that a rough name keeps."""

_NOT_WORDS = re.compile(r"[\W_]+")
_LOST = re.compile("[_?\ufffd]")
"""What may stand for a letter that got lost."""


def names_in(cell: str) -> tuple[str, ...]:
    """The names in a cell, parted by `|` or lines, or else by `;`, `/` or `,`, each once, in their
    order.

    Where a comma may as well stand behind a family's name, both readings are given.

    >>> names_in("Rupert Julian, Lon Chaney, Jr., 2 more credits")
    ('Rupert Julian', 'Lon Chaney, Jr.')
    >>> names_in("Coen, Joel; Coen, Ethan"), names_in("Mendes, Sam"), names_in("J. Doe|J. Doe")
    (('Coen, Joel', 'Coen, Ethan'), ('Mendes, Sam',), ('J. Doe',))
    >>> names_in("Ethan and Joel Coen"), names_in("A. Boe, J. Doe, and R. Roe")
    (('Ethan Coen', 'Joel Coen'), ('A. Boe', 'J. Doe', 'R. Roe'))
    >>> names_in("del Toro, Guillermo"), names_in("Powell, Michael & Emeric Pressburger")
    (('del Toro', 'Guillermo', 'del Toro, Guillermo'), ('Powell, Michael', 'Emeric Pressburger'))
    """
    # First of all: `P&eacute;ter` has a mark in it that parts names.
    cell = html.unescape(cell).strip()
    if label := _LABEL.match(cell):
        cell = cell[label.end() :]
    cell = _ESCAPED.sub(lambda letter: chr(int(letter[1], 16)), cell)
    if _OBJECTS.fullmatch(cell):
        return _kept([one or other for _, one, other in _NAMED.findall(cell)])
    if listed := _LIST.fullmatch(cell):
        return _kept(_QUOTED_END.split(listed[1].strip()[1:-1]))
    for mark in "|\n\t;":
        if mark in cell:
            return _kept(cell.split(mark))
    if _SLASH.search(cell):
        return _kept(_SLASH.split(cell))
    pieces: list[str] = []
    for piece in cell.split(","):
        if pieces and _SUFFIX.fullmatch(piece.strip(" .")):
            pieces[-1] += f",{piece}"
        else:
            pieces.append(piece)
    if len(pieces) == 2:
        pieces = _family_first(*pieces)
    return _kept(pieces)


def _family_first(family: str, others: str) -> list[str]:
    """Names of two pieces that a comma parts: `Mendes, Sam` is one, its family's first. Where only
    one of them is a single word, that may be so (`Hill, George Roy`) or be a name of its own
    (`Cher, Sam Mendes`)."""
    given, *more = _AND.split(others)
    if _MORE.fullmatch(given):
        return [family, others]
    words = {len(family.split()), len(given.split())}
    whole = f"{family},{given}"
    if words == {1}:
        return [whole, *more]
    return [family, others, whole] if 1 in words else [family, others]


def _kept(pieces: list[str]) -> tuple[str, ...]:
    pieces = [_ROLE.sub("", piece.strip(" ,\r\n\t")) for piece in pieces]
    told = (name for piece in pieces if not _MORE.fullmatch(piece) for name in _apart(piece))
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
    its first and last word, sorted, and `bare` the same without the letters that get lost where a
    file knows English ones alone (`Irritu`, `I__rritu`); `short` is an initial and the last word,
    and `rough` an initial and the beginning of the last word, since sites transliterate endings
    differently."""

    words: str
    ends: str
    bare: str
    family: str
    short: str
    rough: str


@lru_cache(100_000)
def name(written: str) -> Name:
    """A name brought to a form that can be compared.

    >>> name("Yun-Fat Chow").words == name("Chow Yun-Fat").words
    True
    >>> name("Alejandro G. Iñárritu").ends
    'alejandro inarritu'
    >>> {name(text).bare for text in ("Alejandro G. Iñárritu", "Alejandro Irritu")}
    {'alejandro irritu'}
    >>> tuple(name("Lon Chaney, Jr."))
    ('chaney lon', 'chaney lon', 'chaney lon', 'chaney', 'l chaney', 'l chane')
    """
    if " " in written:
        written = _LOST.sub("", written)
    words = _words(written)
    said = " ".join(words)
    if said in _NOBODY or not any(map(str.isalpha, said)):
        return Name("", "", "", "", "", "")
    ends = _ends(words)
    bare = ends if written.isascii() else _ends(_words(written.encode("ascii", "ignore").decode()))
    if len(bare) < BARELY * len(ends):
        bare = ends
    short = f"{words[0][0]} {words[-1]}"
    return Name(" ".join(sorted(words)), ends, bare, words[-1], short, short[: 2 + _ROUGH])


def _words(written: str) -> list[str]:
    """The words of a name, the family's last."""
    text = _IN_BRACKETS.sub("", plain(written)).replace("'", "")
    surname, comma, given = text.partition(",")
    if comma and not _SUFFIX.fullmatch(given.strip(" .")):
        text = f"{given} {surname}"
    words = _NOT_WORDS.sub(" ", text).split()
    words = [word for word in words if not _SUFFIX.fullmatch(word)] or words
    if len(words) > 1 and words[0] == "the":
        words = [word for word in words[1:] if word not in _FAMILY] or words[1:]
        # `The Wachowskis`, of whom each has a name of her own.
        words[-1] = words[-1].removesuffix("s") or words[-1]
    return words


def _ends(words: list[str]) -> str:
    return " ".join(sorted({words[0], words[-1]})) if words else ""

"""IMDb's `title.akas.tsv.gz`: what films are called elsewhere.

Fifty million lines, of which those of the films that are kept are handed on. All are read first;
what is kept of them meanwhile lies in a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import IO, NamedTuple

import numpy as np

from spiders.items import OtherTitles
from spiders.pages.imdb_blocks import AKAS, NULL, Ints, gathered_blocks, places_in

_UNDECODABLE = "\ufffd"
_PARTED = "\x02"
"""Between the values of a field that has several."""

_UNSEEN_TYPES = frozenset({"working"})
_UNSEEN_ATTRIBUTES = frozenset({"literal title", "literal English title", "informal title"})


class _Aka(NamedTuple):
    tconst: str
    title: str
    country: str
    language: str


class SelectedAkas:
    """The titles of films that were asked for. `in_all` is how many films have any."""

    def __init__(self, kept: IO[bytes], in_all: int) -> None:
        self._kept = kept
        self.in_all = in_all

    def parts(self, size: int) -> Iterator[OtherTitles]:
        """All of them, at least so many titles at a time but for the last part, which there is even
        where there are none. Those of one film are together."""
        self._kept.seek(0)
        lines = (line.decode()[:-1].split("\t") for line in self._kept)
        rows: list[_Aka] = []
        for _, of_film in groupby(map(_Aka._make, lines), key=lambda row: row.tconst):
            if len(rows) >= size:
                yield _other_titles(rows)
                rows = []
            rows += dict.fromkeys(of_film)
        yield _other_titles(rows)


def read_akas(packed: IO[bytes], films: Ints, kept: IO[bytes]) -> SelectedAkas:
    """Select the titles of some films, whose numbers are in ascending order (see `numbers_of`).

    `kept` is an empty file, for what is selected. Kept are the titles under which a film was shown
    or sold, of every region and of none, for a listing elsewhere may bear any of them. Not kept are

    - the original title, which the basics have (`isOriginalTitle`);
    - working titles: what a film was called before it was one, and often another film's name;
    - what somebody says that a title means, or what a film is called among friends (`literal
      title`, `informal title`): nobody lists it so.

    Raises DatasetFault where the file is not whole or not in shape.
    """
    in_all, last = 0, None
    for block in gathered_blocks(AKAS, packed):
        asked = np.flatnonzero(places_in(films, block.ids) >= 0)
        original, other, unknown = (
            block.is_text("isOriginalTitle", text, asked) for text in ("1", "0", NULL)
        )
        if not (original | other | unknown).all():
            at = int(asked[np.argmin(original | other | unknown)])
            raise block.fault(at, "isOriginalTitle", "isOriginalTitle is {}")
        for line in block.lines(asked[~original]):
            aka = _aka(line.decode())
            if aka is not None:
                in_all += aka.tconst != last
                last = aka.tconst
                kept.write(("\t".join(aka) + "\n").encode())
    return SelectedAkas(kept, in_all)


def _aka(line: str) -> _Aka | None:
    """What a line says, or None where its title is not kept."""
    tconst, _, title, region, language, types, attributes, _ = line.split("\t")
    if title in ("", NULL) or _UNDECODABLE in title:
        return None
    if not _UNSEEN_TYPES.isdisjoint(types.split(_PARTED)):
        return None
    if not _UNSEEN_ATTRIBUTES.isdisjoint(attributes.split(_PARTED)):
        return None
    return _Aka(tconst, title, _of_two_letters(region), _of_two_letters(language))


def _of_two_letters(code: str) -> str:
    """A code of ISO 3166-1 or ISO 639-1; "" for IMDb's own: the whole world (XWW), a country that
    is no more (SUHH), a language without one of these (yue)."""
    return code if len(code) == 2 and code.isalpha() else ""


def _other_titles(rows: list[_Aka]) -> OtherTitles:
    return OtherTitles(
        source="imdb",
        source_ids=tuple(row.tconst for row in rows),
        titles=tuple(row.title for row in rows),
        countries=tuple(row.country or None for row in rows),
        languages=tuple(row.language or None for row in rows),
    )

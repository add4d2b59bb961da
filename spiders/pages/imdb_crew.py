"""IMDb's `title.crew.tsv.gz`: who directed and wrote each title, by ids, whose names stand in
`name.basics.tsv.gz`. Both are read to their end before anything is handed on; the lines that are
kept meanwhile lie in a file."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import IO, NamedTuple

import numpy as np

from spiders.items import Crew
from spiders.pages.imdb_blocks import (
    CREW,
    NAMES,
    NULL,
    PERSON,
    Ints,
    blocks,
    places_in,
)

_PARTS = (("director", "directors"), ("writer", "writers"))
"""A person's part, and the column that has it."""

_NOBODY = NULL.encode()
_PEOPLE = re.compile(rb"\\N|nm\d{7,10}(?:,nm\d{7,10})*")


class _Credit(NamedTuple):
    tconst: str
    name: str
    part: str
    billing: int


class SelectedCrew:
    """Who directed and wrote the films that were asked for. `in_all` is of how many films anybody
    is known by name."""

    def __init__(self, kept: IO[bytes], names: Mapping[int, str]) -> None:
        self._kept = kept
        self._names = names
        self.in_all = sum(1 for _ in self._films())

    def parts(self, size: int) -> Iterator[Crew]:
        """All of them, so many films at a time; there is a part even where there are none."""
        if not self.in_all:
            yield _crew(())
        films = self._films()
        while some := tuple(islice(films, size)):
            yield _crew(tuple(chain.from_iterable(some)))

    def _films(self) -> Iterator[Sequence[_Credit]]:
        """The credits of each film that has any."""
        self._kept.seek(0)
        for line in self._kept:
            if of_film := tuple(self._credits(line[:-1])):
                yield of_film

    def _credits(self, line: bytes) -> Iterator[_Credit]:
        tconst, *fields = line.split(b"\t")
        for (part, _), field in zip(_PARTS, fields, strict=True):
            # Two people may bear one name: of a part it is told once, as every source tells it.
            names = dict.fromkeys(map(self._names.get, _numbers(field)))
            for billing, name in enumerate(filter(None, names)):
                yield _Credit(tconst.decode(), name, part, billing)


def read_crew(crew: IO[bytes], names: IO[bytes], films: Ints, kept: IO[bytes]) -> SelectedCrew:
    """Select the directors and writers of some films, whose numbers are in ascending order (see
    `numbers_of`).

    `kept` is an empty file, for lines that are selected. Somebody whose id has no line in `names`,
    or no name there, is left out. Raises DatasetFault where either file is not whole or not in
    shape.
    """
    people = array("q")
    for block in blocks(CREW, crew):
        asked = np.flatnonzero(places_in(films, block.ids) >= 0)
        for place, line in zip(asked.tolist(), block.lines(asked), strict=True):
            for (_, column), field in zip(_PARTS, line.split(b"\t")[1:], strict=True):
                if not _PEOPLE.fullmatch(field):
                    raise block.fault(place, column, f"{column} is {{}}")
                people.extend(_numbers(field))
            kept.write(line + b"\n")
    return SelectedCrew(kept, _read_names(names, np.unique(np.frombuffer(people, np.int64))))


def _read_names(packed: IO[bytes], people: Ints) -> dict[int, str]:
    names: dict[int, str] = {}
    for block in blocks(NAMES, packed):
        asked = np.flatnonzero(places_in(people, block.ids) >= 0)
        for number, line in zip(block.ids[asked].tolist(), block.lines(asked), strict=True):
            name = line.split(b"\t", 2)[1].decode()
            if name not in ("", NULL):
                names[number] = name
    return names


def _numbers(field: bytes) -> Iterable[int]:
    """The ids of a field as whole numbers, as blocks have them."""
    return () if field == _NOBODY else map(int, field.replace(PERSON, b"1").split(b","))


def _crew(rows: Sequence[_Credit]) -> Crew:
    return Crew(
        source="imdb",
        source_ids=tuple(row.tconst for row in rows),
        names=tuple(row.name for row in rows),
        parts=tuple(row.part for row in rows),
        billings=tuple(row.billing for row in rows),
    )

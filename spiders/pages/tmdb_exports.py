"""TMDB's daily id exports: `movie_ids_MM_DD_YYYY.json.gz`, one JSON object a line for each film.

A million lines, unpacked and read one after another. An export is read to its end, which finds
every fault, before anything of it is handed on.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from math import inf
from typing import BinaryIO, NamedTuple

FILE = re.compile(r"/movie_ids_\d\d_\d\d_\d{4}\.json(?:\.gz)?$")
"""The path of an export."""

_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_LINE = 1 << 16
"""Bytes that a line is read to: a small file may unpack to gigabytes without a line break."""


class ExportFault(Exception):
    """An export that is not as TMDB publishes it. Nothing of it may be used.

    `line` is the line at fault, or the last one that could be read.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Exported(NamedTuple):
    """A line: a film's id, its title where the line has one, and how popular it is at TMDB.

    `adult` films and `video` (what is no film of the cinema: concerts, workouts) are marked.
    """

    id: int
    original_title: object
    popularity: float
    adult: bool
    video: bool


def read_export(stream: BinaryIO, popularity_at_least: float = 0.0) -> dict[int, float]:
    """The films that are so popular at least, adult films and videos left out: each id with its
    popularity, in the order of the file. Raises ExportFault, see `films`."""
    return {
        film.id: film.popularity
        for film in films(stream)
        if film.popularity >= popularity_at_least and not (film.adult or film.video)
    }


def films(stream: BinaryIO) -> Iterator[Exported]:
    """Every line of an export, which is gzip or unpacked; `stream` can be rewound.

    Raises ExportFault where it is cut short, empty, or has a line that is no film or a film twice.
    It may do so after it has given films: nothing of an export stands before its end is reached.
    """
    gzipped = stream.read(2) == _GZIP_MAGIC
    stream.seek(0)
    lines = gzip.GzipFile(fileobj=stream) if gzipped else stream
    seen: set[int] = set()
    last = 0
    try:
        while line := lines.readline(_LONGEST_LINE):
            film = _film(last + 1, line)
            if film.id in seen:
                raise ExportFault(last + 1, f"{film.id} for the second time")
            seen.add(film.id)
            last += 1
            yield film
    except EOFError:
        raise ExportFault(last, "the file is cut short") from None
    except (OSError, zlib.error) as fault:
        raise ExportFault(last, f"not a whole gzip file: {fault}") from fault
    if not last:
        raise ExportFault(0, "the file is empty")


def _film(number: int, line: bytes) -> Exported:
    try:
        row = json.loads(line)
        film = Exported(
            row["id"],
            row.get("original_title"),
            row["popularity"],
            row["adult"],
            row["video"],
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ExportFault(number, f"no film: {_shown(line)}") from None
    known = type(film.id) is int and 0 < film.id < 10**10
    known = known and type(film.popularity) in (int, float) and 0 <= film.popularity < inf
    if not (known and isinstance(film.adult, bool) and isinstance(film.video, bool)):
        raise ExportFault(number, f"no film: {_shown(line)}")
    return film


def _shown(line: bytes) -> str:
    return repr(line[:120].decode("utf-8", "replace"))

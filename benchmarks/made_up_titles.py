"""IMDb's datasets, made up: as many titles as wanted, of the real ones' shape and parts."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.made_up_films import SYLLABLES
from benchmarks.made_up_votes import votes

BASICS, RATINGS = "title.basics.tsv.gz", "title.ratings.tsv.gz"
AKAS, CREW, NAMES = "title.akas.tsv.gz", "title.crew.tsv.gz", "name.basics.tsv.gz"

KINDS = {
    "tvEpisode": 0.72,
    "movie": 0.105,
    "short": 0.085,
    "video": 0.025,
    "tvSeries": 0.025,
    "tvMovie": 0.02,
    "tvMiniSeries": 0.01,
    "videoGame": 0.005,
    "tvSpecial": 0.004,
    "tvShort": 0.001,
}
"""The part of all titles that are of each kind. Films (`movie`, `tvMovie`) are one in eight."""

FILMS = ("movie", "tvMovie")

_RATED = {"movie": 0.5, "tvMovie": 0.5}
_OTHERS_RATED = 0.157
"""Half of the films, and of the rest as many as make it one title in five."""

_GENRES = (
    "Drama Comedy Short Documentary Talk-Show Romance Family News Animation Reality-TV Music Crime"
    " Action Adventure Thriller Horror History Mystery Sci-Fi Fantasy"
)
_REGIONS = (
    "DE",
    "FR",
    "ES",
    "IT",
    "IN",
    "JP",
    "PT",
    "BR",
    "MX",
    "US",
    "GB",
    "GR",
    "PL",
    "RU",
    "XWW",
)
_AKAS_A_TITLE = 9
"""At most; four and a half in the middle, as of the real ones."""

_PEOPLE_A_TITLE = 1.2
"""Of whom each title's directors and writers are drawn."""

_BLOCK = 250_000
_CHANGED = 0.01


class Made(NamedTuple):
    """What a pair of files holds: so many titles, of which are films, of which have a rating."""

    titles: int
    films: int
    rated: int


def make(folder: Path, titles: int, *, seed: int = 0) -> Made:
    """Write both files."""
    rng = np.random.default_rng(seed)
    syllables = SYLLABLES.split()
    words = np.array(
        ["".join(rng.choice(syllables, rng.integers(2, 5))).capitalize() for _ in range(40_000)],
        dtype=object,
    )
    films = rated = 0
    with (
        gzip.open(folder / BASICS, "wb", compresslevel=5) as basics,
        gzip.open(folder / RATINGS, "wb", compresslevel=5) as ratings,
    ):
        basics.write(
            b"tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
            b"\truntimeMinutes\tgenres\n"
        )
        ratings.write(b"tconst\taverageRating\tnumVotes\n")
        for first in range(0, titles, _BLOCK):
            # Of the ids that IMDb has given, a third is in use.
            tconsts = [f"tt{3 * n + 1:07d}" for n in range(first, min(first + _BLOCK, titles))]
            kinds = rng.choice(list(KINDS), len(tconsts), p=list(KINDS.values()))
            basics.write("".join(_basics(rng, tconsts, kinds, words)).encode())
            chances = np.array([_RATED.get(kind, _OTHERS_RATED) for kind in kinds])
            with_rating = rng.random(len(tconsts)) < chances
            ratings.write("".join(_ratings(rng, tconsts, with_rating)).encode())
            films += int(np.isin(kinds, FILMS).sum())
            rated += int(with_rating.sum())
    return Made(titles, films, rated)


def make_more(folder: Path, titles: int, *, seed: int = 2) -> None:
    """Write the other titles, crews and names of so many titles."""
    rng = np.random.default_rng(seed)
    people = int(titles * _PEOPLE_A_TITLE)
    with (
        gzip.open(folder / AKAS, "wb", compresslevel=5) as akas,
        gzip.open(folder / CREW, "wb", compresslevel=5) as crew,
    ):
        akas.write(
            b"titleId\tordering\ttitle\tregion\tlanguage\ttypes\tattributes\tisOriginalTitle\n"
        )
        crew.write(b"tconst\tdirectors\twriters\n")
        for first in range(0, titles, _BLOCK):
            tconsts = [f"tt{3 * n + 1:07d}" for n in range(first, min(first + _BLOCK, titles))]
            akas.write("".join(_akas(rng, tconsts)).encode())
            who = rng.integers(0, people, (3, len(tconsts)))
            crew.write("".join(map(_crew, tconsts, *who.tolist())).encode())
    with gzip.open(folder / NAMES, "wb", compresslevel=5) as names:
        names.write(
            b"nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles\n"
        )
        for first in range(0, people, _BLOCK):
            numbers = range(first, min(first + _BLOCK, people))
            lines = (
                f"nm{n + 1:07d}\t{n % 7919:x} Person {n:x}\t\\N\t\\N\tactor,writer\ttt{n:07d}\n"
                for n in numbers
            )
            names.write("".join(lines).encode())


def change_ratings(folder: Path, *, seed: int = 1) -> int:
    """Write the ratings anew as the next night has them: one in a hundred has votes more, and moved
    by as little as those explain. Returns how many changed."""
    rng = np.random.default_rng(seed)
    header, *lines = gzip.decompress((folder / RATINGS).read_bytes()).splitlines(keepends=True)
    changed = np.flatnonzero(rng.random(len(lines)) < _CHANGED)
    for place in changed.tolist():
        tconst, average, votes = lines[place].split(b"\t")
        moved = float(average) + (0.1 if float(average) < 9.9 else -0.1)
        lines[place] = b"%s\t%.1f\t%d\n" % (tconst, moved, int(votes) + 1 + int(votes) // 50)
    (folder / RATINGS).write_bytes(gzip.compress(header + b"".join(lines), compresslevel=5))
    return len(changed)


def _basics(
    rng: np.random.Generator, tconsts: list[str], kinds: NDArray[Any], words: NDArray[Any]
) -> list[str]:
    count = len(tconsts)
    # A few words are in many titles, most in few.
    places = (len(words) * rng.random((4, count)) ** 3).astype(np.int64)
    lengths = rng.integers(1, 5, count)
    titles = words[places[0]]
    for extra in range(1, 4):
        titles = titles + np.where(lengths > extra, " " + words[places[extra]], "")
    originals = np.where(rng.random(count) < 0.1, words[places[3]] + " " + titles, titles)
    years = 2026 - np.minimum(rng.exponential(18, count), 130).astype(np.int64)
    with_year = rng.random(count) < 0.88
    runtimes = np.minimum(rng.exponential(45, count), 300).astype(np.int64) + 1
    with_runtime = rng.random(count) < 0.32
    genres = rng.choice(_GENRES.split(), (3, count))
    number = rng.choice(4, count, p=[0.04, 0.5, 0.26, 0.2])
    lines = []
    for n, tconst in enumerate(tconsts):
        told = sorted({genres[place, n] for place in range(number[n])})
        lines.append(
            f"{tconst}\t{kinds[n]}\t{titles[n]}\t{originals[n]}\t0"
            f"\t{years[n] if with_year[n] else chr(92) + 'N'}\t\\N"
            f"\t{runtimes[n] if with_runtime[n] else chr(92) + 'N'}"
            f"\t{','.join(told) or chr(92) + 'N'}\n"
        )
    return lines


def _ratings(rng: np.random.Generator, tconsts: list[str], rated: NDArray[np.bool_]) -> list[str]:
    which = np.flatnonzero(rated)
    averages = np.clip(rng.normal(6.9, 1.4, len(which)), 1, 10).round(1)
    return [
        f"{tconsts[place]}\t{average:.1f}\t{number}\n"
        for place, average, number in zip(
            which.tolist(), averages, votes(rng, len(which)).tolist(), strict=True
        )
    ]


def _akas(rng: np.random.Generator, tconsts: list[str]) -> list[str]:
    counts = rng.integers(0, _AKAS_A_TITLE + 1, len(tconsts)).tolist()
    numbers = rng.integers(0, 1 << 30, len(tconsts)).tolist()
    lines = []
    for tconst, count, number in zip(tconsts, counts, numbers, strict=True):
        lines.append(f"{tconst}\t1\tTitle {number:x}\t\\N\t\\N\toriginal\t\\N\t1\n")
        for n in range(1, count):
            region = _REGIONS[(number + n) % len(_REGIONS)]
            title = f"{number * n:x} of {number:x}"
            lines.append(f"{tconst}\t{n + 1}\t{title}\t{region}\t\\N\timdbDisplay\t\\N\t0\n")
    return lines


def _crew(tconst: str, director: int, writer: int, other: int) -> str:
    return f"{tconst}\tnm{director + 1:07d}\tnm{writer + 1:07d},nm{other + 1:07d}\n"

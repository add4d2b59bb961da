"""Listings brought to a form in which many can be compared at once.

What a listing has several of (forms of its titles, names) stands in long arrays, ordered by
listing, with the place where each listing's begin: so that pairs of listings are laid out as pairs
of titles or names by arithmetic, without a join.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.matching import names, titles, years

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Texts = NDArray[np.object_]

PRIMARY_TITLES = ("title", "original_title")
"""The titles that are compared letter by letter; `other_titles` count only where they are equal
to one, since a film may have fifty of them."""

DIRECTORS_COUNTED, CAST_COUNTED = 8, 12
"""Names that count, in the order of the billing: below that, sites name anybody. Lists in the order
of the alphabet have the actors that others name somewhere among the first dozen."""

_KINDS = {
    "film": "movie film feature featurefilm tvmovie video tvspecial documentary special tvfilm"
    " standup concert",
    "short": "short tvshort shortfilm",
    "miniseries": "tvminiseries miniseries limitedseries",
    "series": "tvseries series show tvshow season tvseason webseries anime",
    "episode": "tvepisode episode tvpilot",
    "game": "videogame game",
    "recording": "musicvideo music album song soundtrack trailer clip featurette podcast"
    " podcastseries podcastepisode",
    "book": "book novel comic",
}
KIND_NAMES = ("", *_KINDS)
"""What kinds are called, by their codes; 0 is an unknown kind."""
EPISODE = KIND_NAMES.index("episode")
BORDERING = [
    (KIND_NAMES.index(one), KIND_NAMES.index(other))
    for one, other in (("film", "short"), ("film", "miniseries"), ("miniseries", "series"))
]
"""Kinds between which sites draw the line differently."""

_KIND_CODES = {word: code for code, kind in enumerate(_KINDS, 1) for word in _KINDS[kind].split()}


@dataclass(frozen=True)
class Spread:
    """Where each listing's rows begin in a long array: `starts` has one more entry than there
    are listings."""

    starts: Ints

    @classmethod
    def of(cls, counts: Ints) -> Spread:
        return cls(np.concatenate(([0], np.cumsum(counts))).astype(np.int64))

    def counts(self) -> Ints:
        return np.diff(self.starts)

    def owners(self) -> Ints:
        """The listing of each row."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts())

    def combined(self, other: Spread, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
        """All combinations of the rows of each pair of listings: pair, row here, row there."""
        here, there = self.counts()[left], other.counts()[right]
        size = here * there
        pair = np.repeat(np.arange(len(left)), size)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
        width = there[pair]
        return (
            pair,
            self.starts[left][pair] + within // np.maximum(width, 1),
            other.starts[right][pair] + within % np.maximum(width, 1),
        )


@dataclass(frozen=True)
class Forms:
    """The forms of all titles, those of one listing together."""

    spread: Spread
    words: Texts
    solid: Hashes
    """Of the words without spaces."""
    spelt: Hashes
    length: Ints
    """Letters and figures."""
    part: NDArray[np.int8]
    numbers: Ints
    script: NDArray[np.int8]
    primary: NDArray[np.bool_]


@dataclass(frozen=True)
class People:
    """The names of all listings, those of one listing together, each once."""

    spread: Spread
    written: Texts
    words: Texts
    whole: Hashes
    ends: Hashes
    bare: Hashes
    family: Hashes
    short: Hashes
    rough: Hashes
    script: NDArray[np.int8]


@dataclass(frozen=True)
class Described:
    """Listings, ready to be compared. Arrays have one entry a listing, in the frame's order;
    unknown numbers are 0, unknown runtimes and days NaN."""

    index: pd.Index[Any]
    titles: Forms
    parents: Forms
    directors: People
    cast: People
    year: Ints
    released: Ints
    day: NDArray[np.float64]
    """Of the release, in days since 1970; NaN where unknown."""
    other_day: NDArray[np.float64]
    """The same, where the date can be read in two ways."""
    runtime: NDArray[np.float64]
    kind: NDArray[np.int8]
    season: Ints
    episode: Ints
    about: NDArray[np.bool_]
    """Whether the title says that it is about a film: a making-of, a trailer."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shown_year(self) -> Ints:
        """The year, or the release date's where there is none."""
        return np.where(self.year > 0, self.year, self.released)

    @property
    def names_people(self) -> bool:
        """Whether any of them names somebody."""
        return bool(len(self.directors.words) or len(self.cast.words))


def describe(listings: pd.DataFrame | Described) -> Described:
    """Bring listings to the form in which they are compared.

    Columns that are absent count as empty. Takes about 0.1 ms a listing, most of it for titles:
    describe once what is compared often.
    """
    if isinstance(listings, Described):
        return listings
    title = _texts(listings, "title")
    dates = _looked_up(_texts(listings, "release_date"), years.released, np.int64)
    year = _numbers(listings, "year")
    stated = _looked_up(title, titles.stated_year, np.int64)
    known = np.where((year >= years.FIRST_YEAR) & (year <= years.LAST_YEAR), year, stated).astype(
        np.int64
    )
    released, day, other_day = _of_century(dates, known)
    runtime = _numbers(listings, "runtime")
    return Described(
        index=listings.index,
        titles=_forms(listings, (*PRIMARY_TITLES, "other_titles")),
        parents=_forms(listings, ("parent_title",)),
        directors=_people(listings, "directors", DIRECTORS_COUNTED),
        cast=_people(listings, "cast", CAST_COUNTED),
        year=known,
        released=released,
        day=_day_number(day),
        other_day=_day_number(other_day),
        runtime=np.where(runtime > 0, runtime, np.nan),
        kind=_looked_up(_texts(listings, "kind"), _kind, np.int8),
        season=_whole(_numbers(listings, "season")),
        episode=_whole(_numbers(listings, "episode")),
        about=_looked_up(title, titles.about_another, np.bool_),
    )


def together(parts: Sequence[Described]) -> Described:
    """Listings that were described in parts, as one."""
    if len(parts) == 1:
        return parts[0]
    joined: Described = _joined(Described, parts or [describe(pd.DataFrame())])
    return joined


def _joined(kind: type[Any], parts: Sequence[Any]) -> Any:
    """Parts of one kind laid end to end: arrays, or what holds them."""
    if kind is Spread:
        return Spread.of(np.concatenate([part.counts() for part in parts]))
    if kind is not Described and kind not in (Forms, People):
        first, *others = parts
        return first.append(others) if isinstance(first, pd.Index) else np.concatenate(parts)
    return kind(
        **{
            field.name: _joined(type(values[0]), values)
            for field in fields(kind)
            if (values := [getattr(part, field.name) for part in parts])
        }
    )


def hashes(texts: Texts) -> Hashes:
    """Hashes that stay the same in all processes and versions (SipHash with a fixed key)."""
    return pd.util.hash_array(texts, categorize=False)


def _kind(written: str) -> int:
    word = "".join(filter(str.isalpha, written.lower()))
    return _KIND_CODES.get(word, _KIND_CODES.get(word.removesuffix("s"), 0))


def _texts(listings: pd.DataFrame, column: str) -> Texts:
    """A column of texts; empty where absent or unknown."""
    if column not in listings:
        return np.full(len(listings), "", dtype=object)
    values = listings[column].astype(object)
    return np.where(values.isna(), "", values).astype(object)


def _numbers(listings: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in listings:
        return np.zeros(len(listings))
    numbers = pd.to_numeric(listings[column], errors="coerce")
    known: NDArray[np.float64] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(known), known, 0)


def _whole(numbers: NDArray[np.float64]) -> Ints:
    return np.where(np.abs(numbers) < 1e9, numbers, 0).astype(np.int64)


def _looked_up(texts: Texts, read: Callable[[str], Any], kind: type[np.generic]) -> NDArray[Any]:
    """What a function makes of each text; it is called once for each that differs."""
    codes, uniques = pd.factorize(texts)
    return np.array([read(text) for text in uniques], dtype=kind)[codes]


def _of_century(dates: Ints, year: Ints) -> Ints:
    """Release dates (year, day and other day of each) as rows of years, days and other days, with a
    year in two figures moved by a century where the listing's own year says so."""
    rows = dates.reshape(-1, 3).T
    off = np.where((rows[0] > 0) & (year > 0), rows[0] - year, 0)
    shift = np.where(np.abs(np.abs(off) - 100) <= 2, -100 * np.sign(off), 0)
    scale = np.array([[1], [10_000], [10_000]])
    return np.where(rows > 0, rows + shift * scale, 0)


def _day_number(day: Ints) -> NDArray[np.float64]:
    """Days since 1970 of a day that is written as yyyymmdd; NaN where it is not known."""
    months = (day // 10_000 - 1970) * 12 + day // 100 % 100 - 1
    number = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + day % 100 - 1
    # The first of January stands for the year where the day is not known.
    return np.where(np.isin(day % 10_000, (0, 101)), np.nan, number)


def _lists(listings: pd.DataFrame, column: str) -> tuple[Ints, Texts]:
    """A column of texts, or of tuples of texts: the listing of each text, and the texts."""
    if column not in listings:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    several = [
        told if isinstance(told, tuple | list) else (told,)
        for told in listings[column].to_numpy(dtype=object)
    ]
    counts = np.fromiter(map(len, several), dtype=np.int64, count=len(several))
    owner, texts = np.repeat(np.arange(len(several)), counts), objects(list(chain(*several)))
    known = np.flatnonzero(pd.notna(texts))
    known = known[texts[known].astype(bool)]
    return owner[known], texts[known]


def _forms(listings: pd.DataFrame, columns: tuple[str, ...]) -> Forms:
    told = [_lists(listings, column) for column in columns]
    owner = np.concatenate([rows for rows, _ in told])
    primary = np.repeat([column in PRIMARY_TITLES for column in columns], [len(r) for r, _ in told])
    codes, uniques = pd.factorize(np.concatenate([texts for _, texts in told]))
    by_title = [titles.forms(title) for title in uniques]
    every = [form for forms in by_title for form in forms]
    # Lay the forms of each title out for each listing that has the title.
    of_title = Spread.of(np.array([len(forms) for forms in by_title], dtype=np.int64))
    count = of_title.counts()[codes]
    place = np.repeat(of_title.starts[codes] - (np.cumsum(count) - count), count) + np.arange(
        count.sum()
    )
    owner, primary = np.repeat(owner, count), np.repeat(primary, count)

    words = objects([form.words for form in every])
    solid = hashes(objects([form.words.replace(" ", "") for form in every]))
    spelt = hashes(objects([form.spelt for form in every]))
    part = np.array([form.part for form in every], dtype=np.int8)
    # A form that several titles of a listing share counts once, as the most that it stands for.
    order = np.lexsort((part[place], ~primary, solid[place], owner))
    place, owner, primary = place[order], owner[order], primary[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(owner) != 0) | (np.diff(solid[place]) != 0)
    place, owner, primary = place[first], owner[first], primary[first]
    length = np.array([len(form.words) - form.words.count(" ") for form in every], dtype=np.int64)
    numbers = np.array([form.numbers for form in every], dtype=np.int64)
    script = np.array([titles.script(form.words) for form in every], dtype=np.int8)
    return Forms(
        Spread.of(np.bincount(owner, minlength=len(listings))),
        words[place],
        solid[place],
        spelt[place],
        length[place],
        part[place],
        numbers[place],
        script[place],
        primary,
    )


def _people(listings: pd.DataFrame, column: str, most: int) -> People:
    owner, written = _lists(listings, column)
    codes, uniques = pd.factorize(written)
    known = [names.name(text) for text in uniques]
    words = objects([one.words for one in known])[codes]
    whole = hashes(objects([one.words for one in known]))[codes]
    ends = hashes(objects([one.ends for one in known]))[codes]
    bare = hashes(objects([one.bare for one in known]))[codes]
    family = hashes(objects([one.family for one in known]))[codes]
    short = hashes(objects([one.short for one in known]))[codes]
    rough = hashes(objects([one.rough for one in known]))[codes]
    script = np.array([titles.script(one.words) for one in known], dtype=np.int8)[codes]
    place = pd.Series(owner).groupby(owner).cumcount().to_numpy()
    kept = (place < most) & (words != "")
    kept &= ~pd.DataFrame({"owner": owner, "whole": whole}).duplicated().to_numpy()
    counts = np.bincount(owner[kept], minlength=len(listings))
    return People(
        Spread.of(counts),
        written[kept],
        words[kept],
        whole[kept],
        ends[kept],
        bare[kept],
        family[kept],
        short[kept],
        rough[kept],
        script[kept],
    )


def objects(texts: Sequence[Any]) -> Texts:
    """An array of Python texts."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array

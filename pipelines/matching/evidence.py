"""What speaks for and against two listings being of one film: levels, from against to for.

Each kind of evidence has its own levels, and UNKNOWN where one side does not tell: what is not
known speaks neither way. All of it is symmetric.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

from pipelines.matching.described import (
    BORDERING,
    Described,
    Forms,
    Ints,
    People,
    describe,
)
from pipelines.matching.titles import FIRST, Part

Levels = NDArray[np.int8]

AT_ONCE = 50_000
"""Pairs compared at once, which bounds the memory: a pair has a few titles and a score of names."""


class Title(IntEnum):
    """How alike the titles are, at their most alike.

    What is the same of a short title tells less: a word such as "Home" names dozens of films.
    """

    UNKNOWN = 0
    """One has no title."""
    OTHER_LETTERS = 1
    """One is in Latin letters and one is not, and neither is transliterated."""
    UNLIKE = 2
    OTHER_PART = 3
    """Alike, with other numbers: `Kill Bill: Vol. 1` and `Vol. 2`."""
    ALIKE = 4
    """Some words or letters in common."""
    NUMBERED = 5
    """One is the other with a number: `Alien` and `Alien 3`."""
    WITHIN_SHORT = 6
    """One holds the other, which has few letters."""
    WITHIN_WORDS = 7
    """One has all the words of the other, and more: at its beginning, or many letters of them."""
    WITHIN = 8
    """One is the other with a subtitle, or with its owner's name."""
    NEARLY = 9
    """The same but for a few letters, and not for a whole word."""
    RESPELT = 10
    """The same words in another order, or a long title with a word in another spelling."""
    SAME_SHORT = 11
    SAME = 12
    SAME_LONG = 13


class Spelling(IntEnum):
    """Whether titles that are the same are so letter for letter: `9` and `Nine`, `Zodiac` and
    `The Zodiac` are the same, and may be two films of one year."""

    UNKNOWN = 0
    """The titles are not the same."""
    OTHER = 1
    SAME = 2


class Year(IntEnum):
    """How far apart the years are, or the years of the release dates."""

    UNKNOWN = 0
    FAR = 1
    """Six years or more."""
    APART = 2
    """Three to five years."""
    TWO = 3
    ONE = 4
    """A festival's year and the release's often differ by one."""
    SAME = 5
    SAME_DAY = 6


class Directors(IntEnum):
    """The two directors that are most alike."""

    UNKNOWN = 0
    OTHERS = 1
    ALIKE = 2
    """Initials for a name, nearly the same letters, or a name with more words than the other
    (`Tom Doe`, `Tom Doe Roe`). One word alone of a name tells nothing: `Doe` may be any; nor do two
    of one family name, of whom each site may name one (`Joel Coen`, `Ethan Coen`), where title and
    year are the same and nothing else speaks against."""
    SAME = 3


class Cast(IntEnum):
    """How many names the two lists of the cast share."""

    UNKNOWN = 0
    OTHERS = 1
    ONE = 2
    SEVERAL = 3


class Runtime(IntEnum):
    """How far apart the runtimes are."""

    UNKNOWN = 0
    SHORT = 1
    """One is a short or an episode, and the other at least twice as long."""
    HALF = 2
    """One is at most half as long as the other."""
    FAR = 3
    """By a quarter or more."""
    APART = 4
    CUT = 5
    """By as much as cuts and frame rates make: 8 %."""
    NEAR = 6
    """By up to three minutes."""
    SAME = 7
    """By up to one minute."""


class Renamed(IntEnum):
    """What speaks against one film under two names, and for a sequel or another film of the same
    people: those share their makers and a part of their titles, but hardly the year and length."""

    UNKNOWN = 0
    """The titles are the same, or nothing speaks against."""
    OTHER_YEAR = 1
    """The titles differ, and the years."""
    OTHER_LENGTH = 2
    """The titles differ, and the runtimes by more than three minutes."""
    SIBLING = 3
    """The titles have something in common, and years or runtimes differ: parts that are named and
    not numbered (`The Matrix Reloaded`, `The Matrix Revolutions`)."""
    SEQUEL = 4
    """One title holds the other, and the years differ by two or more, or by one with a number."""
    LONGER_NEXT_YEAR = 5
    """One title holds the other, and the years differ by one."""


class Kind(IntEnum):
    """Whether both are films, or series, games, episodes."""

    UNKNOWN = 0
    OTHER = 1
    BORDERING = 2
    """A film and a short, or a series in few parts: sites draw those lines differently."""
    SAME = 3


class Place(IntEnum):
    """The place of two episodes: their series, season and number."""

    UNKNOWN = 0
    OTHER_SERIES = 1
    OTHER_EPISODE = 2
    SAME_SERIES = 3
    SAME_EPISODE = 4


class About(IntEnum):
    """Whether one of the titles says that it is about a film: a making-of, a trailer."""

    UNKNOWN = 0
    ONE_IS = 1


LEVELS: dict[str, type[IntEnum]] = {
    "title": Title,
    "spelling": Spelling,
    "year": Year,
    "directors": Directors,
    "cast": Cast,
    "runtime": Runtime,
    "renamed": Renamed,
    "kind": Kind,
    "place": Place,
    "about": About,
}

# Letters of a title that is the same or is held by the other. Cut so that the titles of films fall
# into thirds or so; the weights of the levels are fitted.
_SHORT, _LONG = 6, 11
_HELD, _PHRASE, _SENTENCE = 9, 12, 16
"""Words that the other title begins with (`Funny Games U.S.`) are it with fewer letters than words
that stand elsewhere in it: `Wonderland` is not `Alice in Wonderland`."""

# Of 100, from rapidfuzz; below, two titles or names have as much in common as any two.
_NEARLY, _ALIKE = 88, 62
_SAME_NAME = 85
_SAME_WORD = 70
"""Two spellings of a word in a title (`Lilja`, `Lilya`), and not `Living Bread`, `Living Dead`."""

_TO_NUMBER = re.compile(r"(?:^| )\d")

_LETTERS_OF_WORD = 3
"""Shorter words are `of`, `in`, `at`: sites exchange them."""

SHORTEST_FILM = 45
"""Minutes; below, a film is a short by the rules of festivals and awards (40 to 45)."""


def compare(
    a: pd.DataFrame | Described, b: pd.DataFrame | Described, pairs: pd.DataFrame
) -> pd.DataFrame:
    """The evidence for each pair (`a` and `b`: index labels), one row a pair, indexed as `pairs`.

    Columns: a level for each kind of evidence (see `LEVELS`), and what the sentence of evidence
    needs: year_a, year_b, runtime_a, runtime_b (0 and NaN where unknown), kind_a, kind_b, director
    and actor (names that both have, or empty), actors (how many names both casts have); and `days`,
    how many lie between the releases (NaN where unknown).
    """
    left, right = describe(a), describe(b)
    compared = compare_at(
        left,
        right,
        left.index.get_indexer(pd.Index(pairs["a"])).astype(np.int64),
        right.index.get_indexer(pd.Index(pairs["b"])).astype(np.int64),
    )
    return compared.set_index(pairs.index)


def compare_at(left: Described, right: Described, one: Ints, other: Ints) -> pd.DataFrame:
    """The evidence for pairs given as positions in the two frames."""
    parts = [
        _compare(left, right, one[at : at + AT_ONCE], other[at : at + AT_ONCE])
        for at in range(0, max(len(one), 1), AT_ONCE)
    ]
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]


def contradicts(compared: pd.DataFrame) -> pd.Series[bool]:
    """Whether title, year and people, as far as they are known, all speak against a pair.

    For pairs that an identifier links. A translated title alone never contradicts, nor does a
    festival's year; a pair of which the titles alone are known does not either. A remake has the
    title of the film that it remakes: other years with another director are enough.
    """
    title = compared["title"].between(Title.UNLIKE, Title.ALIKE)
    year, people = compared["year"], compared[["directors", "cast"]].max(axis=1)
    known = (year > Year.UNKNOWN) | (people > Directors.UNKNOWN)
    strangers = people <= Directors.OTHERS
    remake = year.between(Year.FAR, Year.APART) & (compared["directors"] == Directors.OTHERS)
    return strangers & ((title & known & (year <= Year.APART)) | remake)


def _compare(left: Described, right: Described, one: Ints, other: Ints) -> pd.DataFrame:
    title, spelling = _titles(left.titles, right.titles, one, other)
    year, days = _years(left, right, one, other)
    runtime = _runtimes(left.runtime[one], right.runtime[other])
    directors, director, related = _directors(left.directors, right.directors, one, other)
    cast, actors, actor = _cast(left.cast, right.cast, one, other)
    excused = related & (directors == Directors.OTHERS) & (cast != Cast.OTHERS)
    excused &= (title >= Title.SAME_SHORT) & (year >= Year.SAME)
    excused &= (runtime == Runtime.UNKNOWN) | (runtime >= Runtime.CUT)
    directors[excused] = Directors.UNKNOWN
    return pd.DataFrame(
        {
            "title": title,
            "spelling": spelling,
            "year": year,
            "directors": directors,
            "cast": cast,
            "runtime": runtime,
            "renamed": renamed(title, year, runtime),
            "kind": _kinds(left.kind[one], right.kind[other]),
            "place": _places(left, right, one, other),
            "about": (left.about[one] != right.about[other]).astype(np.int8),
            "year_a": left.shown_year[one],
            "year_b": right.shown_year[other],
            "days": days,
            "runtime_a": left.runtime[one],
            "runtime_b": right.runtime[other],
            "kind_a": left.kind[one],
            "kind_b": right.kind[other],
            "director": director,
            "actor": actor,
            "actors": actors,
        }
    )


def _titles(left: Forms, right: Forms, one: Ints, other: Ints) -> tuple[Levels, Levels]:
    """How alike the titles are, and the spelling of those that are the same."""
    pair, here, there = left.spread.combined(right.spread, one, other)
    part_a, part_b = left.part[here], right.part[there]
    named_a, named_b = part_a <= Part.ALSO, part_b <= Part.ALSO
    equal = left.solid[here] == right.solid[there]
    length = np.minimum(left.length[here], right.length[there])
    # What both have in brackets may be a language or a country, unless it is long.
    whole = named_a & named_b & ((part_a < Part.ALSO) | (part_b < Part.ALSO) | (length >= _PHRASE))

    comparable = (left.script[here] & right.script[there]) > 0
    level = np.where(comparable, Title.UNLIKE, Title.OTHER_LETTERS).astype(np.int8)
    same = equal & whole
    level[same] = np.select(
        [length[same] < _SHORT, length[same] < _LONG],
        [Title.SAME_SHORT, Title.SAME],
        Title.SAME_LONG,
    )
    # One is what stands before the other's subtitle, or is the subtitle.
    held = equal & (named_a != named_b)
    short = (length < _SHORT) & (part_a != Part.OWNED) & (part_b != Part.OWNED)
    level[held] = np.where(short[held], Title.WITHIN_SHORT, Title.WITHIN)
    extra = held & _differ(left.numbers[here], right.numbers[there])
    level[extra & (part_a < Part.TAIL) & (part_b < Part.TAIL)] = Title.NUMBERED

    # Only pairs that are not settled are compared letter by letter: that takes most of the time.
    settled = _highest(level, pair, len(one)) >= Title.WITHIN
    open_ = whole & (level == Title.UNLIKE) & left.primary[here] & right.primary[there]
    open_ &= ~settled[pair]
    at_a, at_b = here[open_], there[open_]
    level[open_] = _alike(left, right, at_a, at_b, length[open_])
    # `Ice Age 4: Continental Drift` and `Ice Age: Continental Drift`: the subtitle tells the part.
    tails = equal & (part_a >= Part.TAIL) & (part_b >= Part.TAIL) & (length >= _SHORT)
    told = (_highest(tails.astype(np.int8), pair, len(one)) > 0)[pair]
    level[told & (level == Title.NUMBERED)] = Title.WITHIN
    spelling = same * np.int8(Spelling.OTHER)
    spelling[same & (left.spelt[here] == right.spelt[there])] = Spelling.SAME
    return _highest(level, pair, len(one)), _highest(spelling, pair, len(one))


def _alike(left: Forms, right: Forms, here: Ints, there: Ints, shorter: Ints) -> Levels:
    """The level of whole titles that are not equal."""
    words_a, words_b = left.words[here], right.words[there]
    ratio = _similar(words_a, words_b, fuzz.ratio)
    ratio = np.maximum(ratio, _similar(words_a, words_b, fuzz.token_sort_ratio))
    holds = _similar(words_a, words_b, fuzz.token_set_ratio) >= 100
    level = np.where(ratio >= _ALIKE, Title.ALIKE, Title.UNLIKE).astype(np.int8)
    level[holds & (shorter >= _SHORT // 2)] = Title.WITHIN_SHORT
    held = np.flatnonzero(holds & (shorter >= _HELD))
    begins = [_begins(words_a[at], words_b[at]) for at in held]
    level[held[np.array(begins, dtype=bool) | (shorter[held] >= _PHRASE)]] = Title.WITHIN_WORDS
    level[holds & (shorter >= _SENTENCE)] = Title.WITHIN
    nearly = np.flatnonzero((ratio >= _NEARLY) & ~_longer_by_a_word(holds, words_a, words_b))
    level[nearly] = Title.NEARLY
    swapped = [_has_another_word(words_a[at], words_b[at]) for at in nearly]
    level[nearly[np.array(swapped, dtype=bool)]] = Title.ALIKE
    respelt = [_is_respelt(words_a[at], words_b[at], shorter[at]) for at in nearly]
    level[nearly[np.array(respelt, dtype=bool)]] = Title.RESPELT
    numbers_a, numbers_b = left.numbers[here], right.numbers[there]
    common = numbers_a & numbers_b
    level[(level > Title.NUMBERED) & _differ(numbers_a, numbers_b)] = Title.NUMBERED
    other = (common != numbers_a) & (common != numbers_b)
    level[(level >= Title.ALIKE) & other] = Title.OTHER_PART
    # With subtitles, two parts may have little else in common.
    for at in np.flatnonzero((level == Title.UNLIKE) & other):
        if _before_number(words_a[at]) == _before_number(words_b[at]) != "":
            level[at] = Title.OTHER_PART
    return level


def _before_number(words: str) -> str:
    """What stands before the first number of a title."""
    return _TO_NUMBER.split(words, maxsplit=1)[0]


def _begins(words_a: str, words_b: str) -> bool:
    """Whether one of two titles begins with all words of the other."""
    shorter, longer = sorted((words_a, words_b), key=len)
    return longer.startswith(f"{shorter} ")


def _longer_by_a_word(
    holds: NDArray[np.bool_], words_a: NDArray[np.object_], words_b: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Whether one of two titles holds the other and a word more, as a sequel's does: `I Know What
    You Did Last Summer`, `I Still Know …`. Little words do not count."""
    longer = np.zeros(len(holds), dtype=bool)
    for at in np.flatnonzero(holds):
        more = set(words_a[at].split()) ^ set(words_b[at].split())
        longer[at] = any(len(word) >= _LETTERS_OF_WORD for word in more)
    return longer


def _has_another_word(words_a: str, words_b: str) -> bool:
    """Whether each of two titles has a word in place of the other's: `… Rigby: Him`, `… Rigby:
    Her`. Little words do not count, and neither do those that are alike."""
    set_a, set_b = set(words_a.split()), set(words_b.split())
    only_a, only_b = (" ".join(sorted(only)) for only in (set_a - set_b, set_b - set_a))
    little = min(len(only_a), len(only_b)) < _LETTERS_OF_WORD
    return not little and fuzz.ratio(only_a, only_b) < _SAME_WORD


def _is_respelt(words_a: str, words_b: str, letters: int) -> bool:
    """Whether two titles have the same words, three or more, or are long and the same but for the
    spelling of one: `Judgment Day`, `Judgement Day`. Two words in another order are a jest."""
    one, other = words_a.split(), words_b.split()
    if sorted(one) == sorted(other):
        return len(one) > 2
    if len(one) != len(other) or letters < _SENTENCE:
        return False
    differ = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    return len(differ) == 1 and fuzz.ratio(*differ[0]) >= _NEARLY


def _differ(numbers_a: Ints, numbers_b: Ints) -> NDArray[np.bool_]:
    """Whether titles have other numbers; that one is called the first part tells nothing."""
    return np.asarray(((numbers_a ^ numbers_b) & ~np.int64(FIRST)) != 0)


def _years(
    left: Described, right: Described, one: Ints, other: Ints
) -> tuple[Levels, NDArray[np.float64]]:
    """The level of each pair, and how many days lie between the releases."""
    gap = np.full(len(one), np.inf)
    for year_a in (left.year[one], left.released[one]):
        for year_b in (right.year[other], right.released[other]):
            known = (year_a > 0) & (year_b > 0)
            gap = np.where(known, np.minimum(gap, np.abs(year_a - year_b)), gap)
    level = np.select(
        [gap == np.inf, gap == 0, gap == 1, gap == 2, gap <= 5],
        [Year.UNKNOWN, Year.SAME, Year.ONE, Year.TWO, Year.APART],
        Year.FAR,
    )
    days = _days_apart(left, right, one, other)
    return np.where(days == 0, Year.SAME_DAY, level).astype(np.int8), days


def _days_apart(left: Described, right: Described, one: Ints, other: Ints) -> NDArray[np.float64]:
    """Days between the releases, in the reading that brings them closest; NaN where unknown."""
    apart = np.full(len(one), np.nan)
    for day_a in (left.day[one], left.other_day[one]):
        for day_b in (right.day[other], right.other_day[other]):
            apart = np.fmin(apart, np.abs(day_a - day_b))
    return apart


def _directors(
    left: People, right: People, one: Ints, other: Ints
) -> tuple[Levels, NDArray[np.object_], NDArray[np.bool_]]:
    """The level of each pair, a director that both have, and whether two are of one family name."""
    pair, here, there = left.spread.combined(right.spread, one, other)
    comparable = _are_comparable(left, right, here, there)
    level = np.where(comparable, Directors.OTHERS, Directors.UNKNOWN).astype(np.int8)
    related = left.family[here] == right.family[there]
    level[left.short[here] == right.short[there]] = Directors.ALIKE
    level[_same_name(left, right, here, there)] = Directors.SAME
    unsettled = np.flatnonzero((_highest(level, pair, len(one)) < Directors.ALIKE)[pair])
    names_a, names_b = left.words[here[unsettled]], right.words[there[unsettled]]
    held = np.flatnonzero(_similar(names_a, names_b, fuzz.token_set_ratio) >= 100)
    alone = np.array([" " not in min(names_a[at], names_b[at], key=len) for at in held], dtype=bool)
    level[unsettled[held]] = np.where(alone, Directors.UNKNOWN, Directors.ALIKE)
    level[unsettled[_similar(names_a, names_b, fuzz.ratio) >= _SAME_NAME]] = Directors.ALIKE
    best = _highest(level, pair, len(one))
    shared = level >= Directors.ALIKE
    of_family = _highest(related.astype(np.int8), pair, len(one)) > 0
    return best, _first_name(left, pair[shared], here[shared], len(one)), of_family


def _cast(
    left: People, right: People, one: Ints, other: Ints
) -> tuple[Levels, Ints, NDArray[np.object_]]:
    pair, here, there = left.spread.combined(right.spread, one, other)
    shared = _same_name(left, right, here, there)
    count = np.bincount(pair[shared], minlength=len(one))
    comparable = _are_comparable(left, right, here, there)
    known = np.bincount(pair[comparable], minlength=len(one)) > 0
    level = np.where(known, np.minimum(count, 2) + 1, Cast.UNKNOWN).astype(np.int8)
    return level, count, _first_name(left, pair[shared], here[shared], len(one))


def _are_comparable(left: People, right: People, here: Ints, there: Ints) -> NDArray[np.bool_]:
    """Whether names are in the same letters: those in others tell nothing of one another."""
    return np.asarray((left.script[here] & right.script[there]) > 0)


def _same_name(left: People, right: People, here: Ints, there: Ints) -> NDArray[np.bool_]:
    """Whether names have the same words in any order, or the same but for what is in the middle, or
    for letters that one of them lost."""
    same = (left.whole[here] == right.whole[there]) | (left.ends[here] == right.ends[there])
    return np.asarray(same | (left.bare[here] == right.bare[there]))


def _first_name(people: People, pair: Ints, at: Ints, size: int) -> NDArray[np.object_]:
    """The first of the names found for each pair, as written; empty where there is none."""
    names = np.full(size, "", dtype=object)
    names[pair[::-1]] = people.written[at[::-1]]
    return names


def _runtimes(minutes_a: NDArray[np.float64], minutes_b: NDArray[np.float64]) -> Levels:
    gap, longer = np.abs(minutes_a - minutes_b), np.fmax(minutes_a, minutes_b)
    return np.select(
        [
            np.isnan(gap),
            gap <= 1,
            gap <= 3,
            gap <= 0.08 * longer,
            gap < 0.25 * longer,
            gap < 0.5 * longer,
            longer - gap >= SHORTEST_FILM,
        ],
        [
            Runtime.UNKNOWN,
            Runtime.SAME,
            Runtime.NEAR,
            Runtime.CUT,
            Runtime.APART,
            Runtime.FAR,
            Runtime.HALF,
        ],
        Runtime.SHORT,
    ).astype(np.int8)


def renamed(title: Levels, year: Levels, runtime: Levels) -> Levels:
    """The level of `Renamed` that follows from three others."""
    other_year = (year > Year.UNKNOWN) & (year < Year.SAME)
    other_length = (runtime > Runtime.UNKNOWN) & (runtime < Runtime.NEAR)
    longer = (title > Title.ALIKE) & (title <= Title.WITHIN)
    differ = (title > Title.UNKNOWN) & (title <= Title.ALIKE)
    next_year = (year == Year.ONE) & (title > Title.NUMBERED)
    return np.select(
        [
            (title == Title.ALIKE) & (other_year | other_length),
            differ & other_year,
            differ & other_length,
            longer & other_year & next_year,
            longer & other_year,
        ],
        [
            Renamed.SIBLING,
            Renamed.OTHER_YEAR,
            Renamed.OTHER_LENGTH,
            Renamed.LONGER_NEXT_YEAR,
            Renamed.SEQUEL,
        ],
        Renamed.UNKNOWN,
    ).astype(np.int8)


def _kinds(kind_a: Levels, kind_b: Levels) -> Levels:
    bordering = np.zeros(len(kind_a), dtype=bool)
    for one, other in BORDERING:
        bordering |= ((kind_a == one) & (kind_b == other)) | ((kind_a == other) & (kind_b == one))
    return np.select(
        [(kind_a == 0) | (kind_b == 0), kind_a == kind_b, bordering],
        [Kind.UNKNOWN, Kind.SAME, Kind.BORDERING],
        Kind.OTHER,
    ).astype(np.int8)


def _places(left: Described, right: Described, one: Ints, other: Ints) -> Levels:
    series, _ = _titles(left.parents, right.parents, one, other)
    season_a, season_b = left.season[one], right.season[other]
    episode_a, episode_b = left.episode[one], right.episode[other]
    numbered = (episode_a > 0) & (episode_b > 0)
    seasons = (season_a > 0) & (season_b > 0)
    differ = (numbered & (episode_a != episode_b)) | (seasons & (season_a != season_b))
    alike = series >= Title.WITHIN
    return np.select(
        [
            (series > 0) & ~alike & (series != Title.NUMBERED),
            differ,
            numbered & (series > 0),
            alike,
        ],
        [Place.OTHER_SERIES, Place.OTHER_EPISODE, Place.SAME_EPISODE, Place.SAME_SERIES],
        Place.UNKNOWN,
    ).astype(np.int8)


def _similar(
    words_a: NDArray[np.object_], words_b: NDArray[np.object_], scorer: Any
) -> NDArray[np.float32]:
    return np.asarray(cpdist(words_a, words_b, scorer=scorer, dtype=np.float32))


def _highest(level: Levels, pair: Ints, size: int) -> Levels:
    """The highest level of each pair; 0 where it has none."""
    highest = np.zeros(size, dtype=np.int8)
    np.maximum.at(highest, pair, level)
    return highest

"""From evidence to a probability and an answer: same, different, or ask a person.

Each level of evidence weighs what `weights.py` says; the sum is the log-odds that two listings are
of one film, were there no others. Then the pairs compete: a listing is one film's, so where two
others fit it equally well, neither is likelier than even. Listings that are evidently of the same
film themselves (the theatrical and the extended cut, duplicates) do not compete.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.matching.described import EPISODE, KIND_NAMES, Ints
from pipelines.matching.evidence import (
    LEVELS,
    SHORTEST_FILM,
    Cast,
    Directors,
    Kind,
    Place,
    Renamed,
    Runtime,
    Spelling,
    Title,
    Year,
)
from pipelines.matching.weights import BASE, WEIGHTS

Floats = NDArray[np.float64]

SAME_FROM = 2 / 3
"""A pair is the same from this probability on. With calibrated probabilities that is
right where a wrong match is twice as bad as a missed one: a wrong score is worse than none."""

ASK_FROM = 0.1
"""A pair is worth asking a person about from this probability on."""

_SAME_WEEK = 3
"""Days by which the same episode may come out later elsewhere; the next one takes a week."""

_ROUNDS = 20
"""Rounds of competition; by then, probabilities on public data stand to five places."""

_SUREST = 0.9999
"""Nothing is certain; a probability has four places."""

_STRONGEST = 20.0
"""Log-odds beyond which a pair is as certain as it gets, so that sums keep their precision."""


def log_odds(
    compared: pd.DataFrame,
    base: float = BASE,
    weights: Mapping[str, Mapping[IntEnum, float]] = WEIGHTS,
) -> Floats:
    """The sum of what the evidence of each pair weighs, in natural logarithms of odds."""
    total = np.full(len(compared), base)
    for name, levels in weights.items():
        table = np.zeros(len(LEVELS[name]))
        table[list(levels)] = list(levels.values())
        total += table[compared[name].to_numpy()]
    return np.asarray(np.clip(total, -_STRONGEST, _STRONGEST))


def thin(compared: pd.DataFrame, undated: bool = False) -> NDArray[np.bool_]:
    """Whether a pair's evidence is too thin to be called the same without a person, however well
    it agrees: where too little is known, where the names or the people are not quite those of one
    film, and where it looks like two films of the same people, or like a remake.

    `undated` is whether a side tells no years of any listing: that it tells none of this one makes
    it no stranger than the others."""
    film = compared["place"] < Place.SAME_EPISODE
    of_films = _other_name(compared) | _other_makers(compared) | _part(compared)
    of_films |= _sibling(compared) | (compared["title"] == Title.UNKNOWN)
    of_films |= _long_after(compared)
    little = _little_known(compared, undated) | _other_episode(compared)
    return np.asarray(little | (film & of_films) | _remake(compared))


def _nobody_known(compared: pd.DataFrame) -> pd.Series[bool]:
    """Whether neither people nor a series can be compared."""
    return ~compared[["directors", "cast", "place"]].gt(0).any(axis=1)


def _to_the_minute(compared: pd.DataFrame) -> pd.Series[bool]:
    return compared["runtime_a"] == compared["runtime_b"]


def _little_known(compared: pd.DataFrame, undated: bool) -> pd.Series[bool]:
    """Titles, even with a runtime, without years and people; a title and one actor. Where a side
    tells no years at all, one actor is enough beside a title that is the same and not short; and so
    are equal runtimes."""
    title, year, runtime = compared["title"], compared["year"], compared["runtime"]
    one_actor = (compared["directors"] < Directors.ALIKE) & (compared["cast"] == Cast.ONE)
    one_actor &= compared["place"] < Place.SAME_SERIES
    one_actor &= (year == Year.UNKNOWN) & (runtime < Runtime.NEAR)
    alone = _nobody_known(compared) & ((year == Year.UNKNOWN) | (title < Title.NUMBERED))
    if undated:
        one_actor &= title < Title.SAME
        alone &= (title < Title.SAME) | (runtime < Runtime.SAME)
    return alone | one_actor


def _other_episode(compared: pd.DataFrame) -> pd.Series[bool]:
    """Episodes that came out on other days, and are of another number, or of one number under
    other names, or of a series that is not known and have nobody in common: `Part 1` is a title of
    each season, and sites number seasons differently."""
    title, place, days = compared["title"], compared["place"], compared["days"]
    elsewhen = (days > _SAME_WEEK) | (compared["year"] < Year.SAME)
    renamed = (place == Place.SAME_EPISODE) & title.between(Title.OTHER_LETTERS, Title.ALIKE)
    episodes = (compared[["kind_a", "kind_b"]] == EPISODE).any(axis=1)
    nobody = (compared["directors"] < Directors.ALIKE) & (compared["cast"] < Cast.ONE)
    unplaced = episodes & (place == Place.UNKNOWN) & nobody
    no_day = days.isna() & (title < Title.SAME_LONG)
    return (((place == Place.OTHER_EPISODE) | renamed | unplaced) & elsewhen) | (unplaced & no_day)


def _other_name(compared: pd.DataFrame) -> pd.Series[bool]:
    """Another name, unless several actors are in both casts, or an actor with a length that agrees,
    or a director with the same length to the minute: many make two films in a year."""
    seconded = (compared["cast"] == Cast.ONE) | (compared["year"] == Year.SAME_DAY)
    seconded &= compared["runtime"] >= Runtime.NEAR
    witness = _to_the_minute(compared) | seconded | (compared["cast"] == Cast.SEVERAL)
    return compared["title"].between(Title.OTHER_LETTERS, Title.UNLIKE) & ~witness


def _other_makers(compared: pd.DataFrame) -> pd.Series[bool]:
    """Other directors and nobody in both casts, or in another year nobody in both casts and no
    directors known, unless years and lengths agree, or one title comes out on one day."""
    strangers = (compared["directors"] == Directors.OTHERS) & (compared["cast"] <= Cast.OTHERS)
    no_actor = (compared["directors"] < Directors.OTHERS) & (compared["cast"] == Cast.OTHERS)
    strangers |= no_actor & (compared["year"] == Year.ONE)
    same_day = (compared["title"] >= Title.SAME) & (compared["year"] == Year.SAME_DAY)
    same_day &= compared["runtime"].isin([Runtime.UNKNOWN, Runtime.CUT])
    same_year = (compared["year"] >= Year.SAME) & (compared["runtime"] >= Runtime.NEAR)
    next_year = (compared["year"] == Year.ONE) & _to_the_minute(compared)
    return strangers & ~(same_year | next_year | same_day)


def _part(compared: pd.DataFrame) -> pd.Series[bool]:
    """A part of a title (`Love`, `Dirty Love`), or nearly a title, where nobody is known or the
    years are not, unless the lengths agree; and where nobody is known, in another year."""
    title, year, runtime = compared["title"], compared["year"], compared["runtime"]
    agrees, nobody = runtime >= Runtime.NEAR, _nobody_known(compared)
    partly = title.between(Title.NUMBERED, Title.NEARLY)
    told_little = ~agrees & ((runtime > Runtime.UNKNOWN) | (title != Title.WITHIN))
    return (
        (partly & nobody & ((title == Title.WITHIN_SHORT) | told_little))
        | (partly & (year == Year.UNKNOWN) & ~agrees)
        | (nobody & (title < Title.SAME_SHORT) & (year < Year.SAME))
    )


def _sibling(compared: pd.DataFrame) -> pd.Series[bool]:
    """Two films of the same people: titles that number different parts; a number more, or less in
    common, and another length, without several actors in common; a longer title in the next year,
    and no length that agrees."""
    title, runtime = compared["title"], compared["runtime"]
    other_length = runtime.between(Runtime.SHORT, Runtime.APART)
    next_year = compared["renamed"] == Renamed.LONGER_NEXT_YEAR
    return (
        (title == Title.OTHER_PART)
        | ((title <= Title.NUMBERED) & other_length & (compared["cast"] < Cast.SEVERAL))
        | (next_year & (runtime < Runtime.CUT))
    )


def _long_after(compared: pd.DataFrame) -> pd.Series[bool]:
    """Years three or more apart, without a director in common."""
    apart = compared["year"].between(Year.FAR, Year.APART)
    return apart & (compared["directors"] < Directors.ALIKE)


def _remake(compared: pd.DataFrame) -> pd.Series[bool]:
    """Years three or more apart, without an actor or much the same length beside the director; two
    or more with nobody in both casts. And where nobody is known: half the length; or in the next
    year a length that no cut explains, or a short beside a film of unknown length."""
    year, runtime = compared["year"], compared["runtime"]
    no_actor = compared["cast"] <= Cast.OTHERS
    shorter = compared[["runtime_a", "runtime_b"]].min(axis=1)
    other_length = runtime.between(Runtime.FAR, Runtime.APART) | (
        (runtime == Runtime.UNKNOWN) & (shorter < SHORTEST_FILM)
    )
    alone = (runtime == Runtime.HALF) | ((year == Year.ONE) & other_length)
    return (
        (year.between(Year.FAR, Year.APART) & (runtime < Runtime.CUT) & no_actor)
        | ((year == Year.FAR) & (runtime < Runtime.NEAR) & no_actor)
        | (year.between(Year.FAR, Year.TWO) & (compared["cast"] == Cast.OTHERS))
        | (_nobody_known(compared) & alone)
    )


def decide(
    compared: pd.DataFrame,
    pairs: pd.DataFrame,
    works: tuple[Ints, Ints] | None = None,
    undated: bool = False,
) -> pd.DataFrame:
    """The probability that each pair is one film, the answer, and the evidence in a sentence.

    `compared` is what `evidence.compare` says of `pairs` (columns a and b), row by row. `works`
    are numbers for the a and the b of each pair: listings with the same number are of one film and
    do not compete; without them, every listing stands for itself. `undated`: see `thin`. Answers
    are `same`, `different` or `ask`. Indexed as `pairs`; the order of the rows makes no difference.
    """
    answers = compete(log_odds(compared), thin(compared, undated), pairs, works)
    return answers.assign(evidence=sentences(compared))


def compete(
    strength: Floats,
    is_thin: NDArray[np.bool_],
    pairs: pd.DataFrame,
    works: tuple[Ints, Ints] | None = None,
) -> pd.DataFrame:
    """Probability and answer of pairs, as `decide` has them, from what each comes to by itself: its
    log-odds, and whether its evidence is thin."""
    if works is None:
        works = pd.factorize(pairs["a"])[0], pd.factorize(pairs["b"])[0]
    probability = competing(strength, *works)
    answer = np.select(
        [(probability >= SAME_FROM) & ~is_thin, probability >= ASK_FROM],
        ["same", "ask"],
        "different",
    )
    return pd.DataFrame(
        {"probability": np.minimum(probability.round(4), _SUREST), "answer": answer},
        index=pairs.index,
    )


def competing(strength: Floats, work_a: Ints, work_b: Ints) -> Floats:
    """The probability of each pair where a work of one side is at most one work of the other.

    The sum over all one-to-one matchings is approximated by messages between the two sides
    (Bethe's approximation; belief propagation for matchings, Bayati, Shah and Sharma 2005): each
    pair's odds are divided by one plus the odds of its rivals, each discounted by how far the
    rival is claimed elsewhere.
    """
    odds = np.exp(strength)
    width = work_b.max(initial=0) + 1
    edge, edges = pd.factorize(work_a * width + work_b)
    at_a, at_b = edges // width, edges % width
    # Several listings of one work: the best of them stands for it.
    best = np.zeros(len(edges))
    np.maximum.at(best, edge, odds)
    free_a, free_b = np.ones(len(edges)), np.ones(len(edges))
    for _ in range(_ROUNDS):
        # The geometric mean of old and new: where two equal claims meet two, the messages would
        # swing between all and nothing for ever.
        free_a, free_b = (
            np.sqrt(free_a * _free(best * free_b, at_a)),
            np.sqrt(free_b * _free(best * free_a, at_b)),
        )
    won = odds * (free_a * free_b)[edge]
    return won / (1 + won)


def _free(claims: Floats, at: Ints) -> Floats:
    """For each edge, how free its end is of the claims of the other edges there."""
    total = np.bincount(at, weights=claims)[at] if len(at) else claims
    return 1 / (1 + np.maximum(total - claims, 0))


_TITLE_SAYS: dict[int, str] = {
    Title.UNKNOWN: "a title is not known",
    Title.OTHER_LETTERS: "titles in other letters",
    Title.OTHER_PART: "titles number different parts",
    Title.UNLIKE: "titles differ",
    Title.ALIKE: "titles have something in common",
    Title.NUMBERED: "titles the same but for a number",
    Title.WITHIN_SHORT: "one title within the other",
    Title.WITHIN_WORDS: "one title within the other",
    Title.WITHIN: "one title within the other",
    Title.NEARLY: "titles nearly the same",
    Title.RESPELT: "titles nearly the same",
    Title.SAME_SHORT: "title the same",
    Title.SAME: "title the same",
    Title.SAME_LONG: "title the same",
}
_PLACE_SAYS: dict[int, str] = {
    Place.UNKNOWN: "",
    Place.OTHER_SERIES: "; of different series",
    Place.OTHER_EPISODE: "; different episodes",
    Place.SAME_SERIES: "; of the same series",
    Place.SAME_EPISODE: "; the same episode",
}


def sentences(compared: pd.DataFrame) -> NDArray[np.object_]:
    """The evidence of each pair in plain words: `title the same; years 2012 and 2013; director
    Sam Mendes; 143 and 142 min`."""
    says = _looked_up(compared["title"], _TITLE_SAYS)
    says = says + np.where(compared["spelling"] == Spelling.OTHER, " but for its spelling", "")
    says = says + _both(compared["year_a"], compared["year_b"], "; year ", "; years ", "")
    says = says + np.where(compared["year"] == Year.SAME_DAY, ", released on the same day", "")
    says = says + np.select(
        [compared["directors"] == Directors.OTHERS, compared["directors"] >= Directors.ALIKE],
        ["; different directors", "; director " + _objects(compared["director"])],
        "",
    )
    more = _objects(compared["actors"] - 1)
    says = says + np.select(
        [
            compared["cast"] == Cast.OTHERS,
            compared["cast"] == Cast.ONE,
            compared["cast"] == Cast.SEVERAL,
        ],
        [
            "; nobody in both casts",
            "; " + _objects(compared["actor"]) + " in both casts",
            "; " + _objects(compared["actor"]) + " and " + more + " more in both casts",
        ],
        "",
    )
    known = compared["runtime"] > Runtime.UNKNOWN
    says = says + _both(
        compared["runtime_a"].where(known, 0),
        compared["runtime_b"].where(known, 0),
        "; ",
        "; ",
        " min",
    )
    kinds = _objects(pd.Series(KIND_NAMES, dtype=object))
    kind_a, kind_b = (compared[f"kind_{side}"].to_numpy() for side in "ab")
    says = says + np.where(
        compared["kind"].between(Kind.OTHER, Kind.BORDERING),
        "; a " + kinds[kind_a] + " and a " + kinds[kind_b],
        "",
    )
    says = says + _looked_up(compared["place"], _PLACE_SAYS)
    return np.asarray(says + np.where(compared["about"] > 0, "; one is about a film", ""))


def _both(
    left: pd.Series[float], right: pd.Series[float], one: str, two: str, unit: str
) -> NDArray[np.object_]:
    """Two numbers where both are known, said once where they are the same."""
    known = ((left > 0) & (right > 0)).to_numpy()
    first, second = (_objects(side.fillna(0).astype(np.int64)) for side in (left, right))
    said = np.where(left == right, one + first, two + first + " and " + second)
    return np.where(known, said + unit, "").astype(object)


def _objects(values: pd.Series[Any]) -> NDArray[np.object_]:
    """Texts as an array that adds as texts do; each number is written once."""
    codes, uniques = pd.factorize(values)
    texts = np.empty(len(uniques), dtype=object)
    texts[:] = [str(value) for value in uniques]
    return texts[codes]


def _looked_up(levels: pd.Series[int], says: dict[int, str]) -> NDArray[np.object_]:
    table = np.empty(max(says) + 1, dtype=object)
    for level, text in says.items():
        table[level] = text
    return np.asarray(table[levels.to_numpy()])

"""The consensus: what all score kinds together say of a film, and how sure that is.

Each kind is put on common ground by its own distribution: a rising curve turns a score into a
*standing*, how many standard deviations the film lies above the middle one. The standings of a
film's kinds are taken to be jointly normal, each blurred where its votes are few. The consensus is
the middle of what is then believed of the mean standing over all kinds, known or not, critics and
audience in equal parts. docs/consensus.md has the formulas, where the constants come from, and how
well kinds that were hidden are predicted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from spiders.sources import score_kinds

Floats = NDArray[np.floating[Any]]
Known = NDArray[np.bool_]

EVEN_VOTES: Mapping[str, float] = {
    "imdb_rating": 100,
    "tmdb_score": 10,
    "tomatometer": 3,
    "popcornmeter": 5,
    "metascore": 1,
    "metacritic_user_score": 5,
}
"""With how many votes a score is as much chance as film: the variance of one vote over that of
films. 0.24 / 0.28² for a fresh-or-rotten review, 16² / 18² for a critic's Metascore, 0.23 / 0.2²
for an audience's yes or no, 3² / 1.4² for a Metacritic user (anything from 3 to 10 serves fandango
equally well), 2² / 0.9² for TMDB, doubled for want of data. An IMDb rating by few is worse than
chance: on vega_movies.json those by under 500 say next to nothing of the Tomatometer. 100 serves
these, and does fandango no harm as 300 does."""

USUAL_VOTES: Mapping[str, float] = {
    "imdb_rating": 15_000,
    "tmdb_score": 235,
    "tomatometer": 130,
    "popcornmeter": 10_000,
    "metascore": 35,
    "metacritic_user_score": 72,
}
"""Votes behind the scores that the constants were fitted on; fewer blur a score, and where none are
shown these are assumed. Medians: vega_movies.json (IMDb), fandango (Metacritic users), the summary
of TMDB 5000 (TMDB). The tables have no counts for the others: those of a wide release."""

SHARES: Mapping[str, float] = {"tmdb_score": 0.5}
"""A kind's part in the mean of its side, where it is not 1. TMDB's constants are not fitted."""

NINETY = 1.6449
"""Standard deviations either side of the middle that hold 90 % of a normal distribution."""

POINTS: Floats = np.array([-2.0, -1.3, -0.5, 0.0, 0.5, 1.3, 2.0])
"""Standings at which a curve is fitted, and the share of films that lies below each."""
BELOW: Floats = np.array([0.0228, 0.0968, 0.3085, 0.5, 0.6915, 0.9032, 0.9772])

STRAIGHT_FILMS = 200
"""How many films a straight line is worth: with so many, a curve lies halfway between their
quantiles and the line by their mean and deviation. With 50, hidden kinds of fandango are predicted
worse than by a line for some subsets of the others; with 400, worse than need be for most."""

ENOUGH_FILMS = 20
"""Films that a curve takes at least: the outermost points are the quantiles of one in 44."""


@dataclass(frozen=True)
class Curve:
    """A kind's distribution: rising `values` (0 to 100, and beyond) at rising `standings`.

    `films` is how many it was fitted on; `origin` says where they are from.
    """

    values: Floats
    standings: Floats
    films: int
    origin: str = ""

    @classmethod
    def fit(cls, values: Floats, origin: str = "") -> Curve:
        """The curve through the quantiles of values, the straighter the fewer there are."""
        deviation = values.std()
        straight = STRAIGHT_FILMS / (STRAIGHT_FILMS + len(values))
        quantiles = np.quantile(values, BELOW, method="hazen")
        drawn = quantiles + straight * (values.mean() + deviation * POINTS - quantiles)
        drawn += 0.001 * POINTS  # so that it rises where many films have one value
        # Beyond its outermost points it goes on straight.
        return cls(
            np.concatenate([[drawn[0] - 4 * deviation], drawn, [drawn[-1] + 4 * deviation]]),
            np.concatenate([[POINTS[0] - 4], POINTS, [POINTS[-1] + 4]]),
            len(values),
            origin,
        )

    def standing(self, values: Floats) -> Floats:
        """The standings of values from 0 to 100; NaN where a value is."""
        return np.interp(values, self.values, self.standings)

    def value(self, standings: Floats) -> Floats:
        """The values, from 0 to 100, at standings."""
        return np.clip(np.interp(standings, self.standings, self.values), 0, 100)


@dataclass(frozen=True)
class Model:
    """What is believed of score kinds before a film is looked at.

    `curves` are by kind, in the order of the register; `correlations`, in the same order, are
    those of the standings that kinds have with their usual votes.
    """

    curves: Mapping[str, Curve]
    correlations: Floats

    @classmethod
    def default(cls) -> Model:
        """The model that was fitted once and written down, of those of its kinds that are in the
        register."""
        return _written_down()

    @classmethod
    def fit(cls, scores: DataFrame, weights: Series[float] | None = None) -> Model:
        """The model under which films' scores are likeliest; any of them may lack any kind.

        `scores` are as `consensus` takes them. `weights`, by film_id, say how much a film counts
        in how kinds hang together (default 1; each counts fully in its kinds' curves). Raises
        ValueError where fewer than `ENOUGH_FILMS` have a kind.
        """
        said = _Said.by(scores, _ordered(scores["score_kind"].unique()))
        kinds = dict(zip(said.kinds, said.values.T, strict=True))
        few = [key for key, values in kinds.items() if np.isfinite(values).sum() < ENOUGH_FILMS]
        if few:
            raise ValueError(f"fewer than {ENOUGH_FILMS} films have {', '.join(few)}")
        curves = {key: Curve.fit(values[np.isfinite(values)]) for key, values in kinds.items()}
        counts = Series(1.0, said.films) if weights is None else weights.reindex(said.films)
        means, covariances = _likeliest(said.standings(curves), said.noise(), np.array(counts))
        deviations = np.sqrt(np.diag(covariances))
        for key, mean, deviation in zip(curves, means, deviations, strict=True):
            standings = (curves[key].standings - mean) / deviation
            curves[key] = replace(curves[key], standings=standings)
        return cls(curves, covariances / np.outer(deviations, deviations))

    def consensus(self, scores: DataFrame) -> DataFrame:
        """The consensus of films: see the function of the same name."""
        said = _Said.by(scores, list(self.curves))
        standings, noise = said.standings(self.curves), said.noise()
        middle, left, weights = self._believed(standings, noise, self._shares())
        # Even where every kind is known, another crowd of voters would have said something else.
        deviation = np.sqrt(left + (weights**2 * said.chance()).sum(axis=1))
        found = DataFrame(
            {
                "consensus_100": self._points(middle),
                "consensus_low": self._points(middle - NINETY * deviation),
                "consensus_high": self._points(middle + NINETY * deviation),
            },
            index=said.films,
        )
        known = np.isfinite(standings)
        for side in ("critics", "audience"):
            found[f"{side}_100"] = np.nan
            theirs = self._sides() == side
            heard = known[:, theirs].any(axis=1)
            if not heard.any():
                continue
            middle, *_ = self._believed(
                np.where(theirs, standings, np.nan)[heard],
                noise[heard],
                np.where(theirs, self._shares(), 0),
            )
            found.loc[heard, f"{side}_100"] = self._points(middle)
        highest = np.where(known, standings, -np.inf).max(axis=1)
        lowest = np.where(known, standings, np.inf).min(axis=1)
        apart = self._points(highest) - self._points(lowest)
        found["spread_100"] = np.where(known.sum(axis=1) > 1, apart, np.nan)
        found = found.round(2)
        found["kinds_used"] = _named(known, said.kinds)
        return found

    def predict(self, scores: DataFrame, kind: str) -> DataFrame:
        """What a kind is by the others: value, low and high (a 90 % interval), from 0 to 100, of
        each film that has any of them. Scores of the kind itself are not looked at.

        `scores` are as `consensus` takes them. Raises KeyError where the model lacks the kind.
        """
        curve = self.curves[kind]
        said = _Said.by(scores[scores["score_kind"] != kind], list(self.curves))
        alone = np.array([float(key == kind) for key in self.curves])
        middle, left, _ = self._believed(said.standings(self.curves), said.noise(), alone)
        deviation = np.sqrt(left)
        return DataFrame(
            {
                "value": curve.value(middle),
                "low": curve.value(middle - NINETY * deviation),
                "high": curve.value(middle + NINETY * deviation),
            },
            index=said.films,
        )

    def _believed(
        self, standings: Floats, noise: Floats, shares: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Mean and variance of what is believed, film by film, of the mean standing by `shares`
        (kinds), in units of its own deviation; and the weights that the standings have in it.
        `standings` (NaN where unknown), `noise` and weights are films × kinds."""
        known = np.isfinite(standings)
        shares = shares / np.sqrt(shares @ self.correlations @ shares)
        among = _among_known(self.correlations, known, 1 + noise)
        with_mean = known * (self.correlations @ shares)
        weights = np.linalg.solve(among, with_mean[:, :, None])[:, :, 0]
        middle = (weights * np.where(known, standings, 0)).sum(axis=1)
        left = 1 - (weights * with_mean).sum(axis=1)
        return middle, np.maximum(left, 0), weights

    def _points(self, standings: Floats) -> Floats:
        """Standings as points of 100: the mean, by shares, of what the kinds show there."""
        return sum(
            (
                share * curve.value(standings)
                for share, curve in zip(self._shares(), self.curves.values(), strict=True)
            ),
            start=np.zeros(len(standings)),
        )

    def _shares(self) -> Floats:
        """Each kind's part in the mean: one in all, half for each side that has any."""
        shares = Series([SHARES.get(key, 1.0) for key in self.curves])
        of_side = shares / shares.groupby(self._sides()).transform("sum")
        return (of_side / of_side.sum()).to_numpy()

    def _sides(self) -> NDArray[np.str_]:
        sides = {kind.key: kind.side for kind in score_kinds()}
        return np.array([sides[key] for key in self.curves])


def consensus(scores: DataFrame) -> DataFrame:
    """The consensus of films, by the constants that were fitted once.

    `scores` are long, one row for each film and kind that is `scored`, in any order: film_id (int),
    score_kind (key), value_100 (0 to 100, linear in the kind's scale), votes (Int64, NA where
    unknown), votes_at_least (bool; a band's lower bound is taken as the votes). Gives a frame
    indexed by film_id, of the films that have a kind with constants, in points of 100 to two
    decimals: consensus_100; consensus_low and consensus_high, which hold it with 90 %; critics_100
    and audience_100, NaN where no kind of that side is known; spread_100, the highest standing less
    the lowest, NaN with one kind; and kinds_used, their keys in the order of the register.
    """
    return Model.default().consensus(scores)


@cache
def _written_down() -> Model:
    file = resources.files("pipelines").joinpath("consensus.json")
    told: Any = json.loads(file.read_text("utf-8"))
    keys = [kind.key for kind in score_kinds() if kind.key in told["curves"]]
    places = [list(told["curves"]).index(key) for key in keys]
    curves = {}
    for key in keys:
        curve = told["curves"][key]
        curves[key] = Curve(
            np.array(curve["values"]), np.array(curve["standings"]), curve["films"], curve["origin"]
        )
    return Model(curves, np.array(told["correlations"])[np.ix_(places, places)])


@dataclass(frozen=True)
class _Said:
    """What was said of some films: `values` and `votes` are films × kinds, NaN where unknown."""

    films: Index[int]
    kinds: list[str]
    values: Floats
    votes: Floats

    @classmethod
    def by(cls, scores: DataFrame, kinds: list[str]) -> _Said:
        """Scores of some kinds, of the films that have any. Raises ValueError where a film has two
        scores of a kind."""
        keys, uniques = pd.factorize(scores["score_kind"])
        kind = Index(kinds).get_indexer(uniques)[keys]
        used = (kind >= 0) & scores["value_100"].notna().to_numpy()
        column, told = kind[used], scores[used]
        films, row = np.unique(told["film_id"].to_numpy(np.int64), return_inverse=True)
        values, votes = np.full((2, len(films), len(kinds)), np.nan)
        values[row, column] = told["value_100"].to_numpy(np.float64)
        votes[row, column] = told["votes"].to_numpy(np.float64, na_value=np.nan)
        if np.isfinite(values).sum() < len(told):
            raise ValueError("a film has two scores of one kind")
        return cls(Index(films, name="film_id"), kinds, values, votes)

    def standings(self, curves: Mapping[str, Curve]) -> Floats:
        """The standings of the values."""
        columns = zip(self.kinds, self.values.T, strict=True)
        return np.column_stack([curves[key].standing(values) for key, values in columns])

    def noise(self) -> Floats:
        """The variance that votes short of the usual add to standings."""
        return np.maximum(self._sampling() - self._usually(), 0)

    def chance(self) -> Floats:
        """The variance by chance that standings have even with the usual votes, or less with
        more."""
        return np.minimum(self._sampling(), self._usually())

    def _sampling(self) -> Floats:
        even, usual = self._constants()
        votes = np.where(np.isnan(self.votes), usual, self.votes)
        return even / np.maximum(votes, 1)

    def _usually(self) -> Floats:
        even, usual = self._constants()
        return even / usual

    def _constants(self) -> tuple[Floats, Floats]:
        # A kind that they lack is taken to be free of chance.
        return (
            np.array([EVEN_VOTES.get(key, 0.0) for key in self.kinds]),
            np.array([USUAL_VOTES.get(key, 1.0) for key in self.kinds]),
        )


def _among_known(covariances: Floats, known: Known, variances: Floats) -> Floats:
    """Film by film, covariances between kinds, with variances (films × kinds) on the diagonal. An
    unknown kind goes with no other, and so gets no weight."""
    among = covariances * (known[:, :, None] & known[:, None, :])
    kinds = np.arange(known.shape[1])
    among[:, kinds, kinds] = np.where(known, variances, 1)
    return among


def _likeliest(standings: Floats, noise: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Means and covariances of standings without their noise, by expectation and maximisation.

    Films × kinds (NaN where unknown), films × kinds, films.
    """
    known = ~np.isnan(standings)
    kinds = standings.shape[1]
    means, covariances = np.zeros(kinds), 0.7 + 0.3 * np.eye(kinds)
    for _ in range(2000):
        among = _among_known(covariances, known, np.diag(covariances) * (1 + noise))
        towards = known[:, :, None] * covariances
        gains = np.linalg.solve(among, towards).transpose(0, 2, 1)
        away = np.where(known, standings - means, 0)
        expected = (gains @ away[:, :, None])[:, :, 0]
        left = covariances - gains @ towards
        step = np.average(expected, axis=0, weights=counts)
        expected -= step
        spread = expected[:, :, None] * expected[:, None, :] + left
        updated = np.average(spread, axis=0, weights=counts)
        moved = max(np.abs(step).max(), np.abs(updated - covariances).max())
        means, covariances = means + step, updated
        if moved < 1e-6:
            break
    return means, covariances


def _ordered(keys: Any) -> list[str]:
    """Those keys that are in the register, in its order."""
    return [kind.key for kind in score_kinds() if kind.key in set(keys)]


def _named(known: Known, kinds: Sequence[str]) -> list[str]:
    """The kinds that each film has, joined by commas."""
    patterns = known @ (1 << np.arange(len(kinds)))
    names = {
        pattern: ", ".join(key for place, key in enumerate(kinds) if pattern >> place & 1)
        for pattern in np.unique(patterns).tolist()
    }
    return [names[pattern] for pattern in patterns.tolist()]

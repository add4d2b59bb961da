"""How often listings change: learned from what asking them showed, without being told.

Asking shows only whether something changed since the last answer, not how often. A listing is
taken to change at random (a Poisson process) at a rate of its own:

    rate = usual rate of its age and votes  x  its own share,    the share ~ Gamma(a, a)

The usual rate is a log-linear function of age and votes, fitted to all listings together (of n
intervals of d days, each shows a change with the chance 1 - exp(-rate d): a binomial regression
with complementary log-log link), drawn towards a stated prior where they are few. How far shares
scatter (a) is fitted too. Together they give each listing a Gamma posterior: one never asked is
as usual, one asked often is as it was found to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

SETTLING_DAYS = 7.0
"""A film's first days are much alike: ages count from a week before release."""

USUAL_AGE, USUAL_VOTES = 5 * 365.25, 10_000.0
"""The film that the constant of the usual rate is about: five years old, 10,000 votes."""

_BENDS = (90.0, 1_000.0)
"""Ages, days, at which the decay of the usual rate may become steeper or gentler."""

_PRIOR = np.array([np.log(1 / 300), -0.8, 0.5, 0.0, 0.0])
"""The usual rate before anything is seen: a change in 300 days at that film, falling with age to
the power 0.8, rising with the root of the votes. A film just out then changes every few days."""

_PRIOR_WEIGHT = np.array([4.0, 20.0, 20.0, 20.0, 20.0])
"""Precision (1 / variance) of each: the constant may well be off by half a unit, e ** 0.5 = 1.6."""

FITTED = 20_000
"""The usual rate is fitted to about as many listings: more would not make it any surer."""

_SHAPES = (0.1, 2.0)
"""Bounds of the shape `a`: at 0.1 most listings never change, at 2 most are much as is usual."""


@dataclass(frozen=True)
class Watched:
    """What is known of listings, an array each, all of one length.

    `age` and `age_then` are days since release, now and at the last answer (negative: before
    it). `intervals` of `days` in all lie between the answers; `changes` of them brought something
    new.
    """

    age: Numbers
    age_then: Numbers
    votes: Numbers
    intervals: Numbers
    changes: Numbers
    days: Numbers

    def then(self) -> Numbers:
        """What the usual rate depended on while they were watched."""
        return _known(_typical_age(self.age_then, self.days), np.log1p(self.votes))

    def seen(self) -> tuple[npt.NDArray[np.bool_], Numbers, Numbers, Numbers]:
        """Which of them were watched at all; and of all the intervals (1 where there is none), the
        days and the changes (0 then)."""
        seen = (self.intervals > 0) & (self.days > 0)
        intervals = np.where(seen, self.intervals, 1.0)
        changes = np.where(seen, np.clip(self.changes, 0, intervals), 0.0)
        return seen, intervals, np.where(seen, self.days, 0.0), changes


@dataclass(frozen=True)
class UsualRates:
    """What listings have in common: the `coefficients` of the usual rate, shape (5,), and the
    `shape` of the Gamma distribution of their shares."""

    coefficients: Numbers
    shape: float

    @classmethod
    def learned(cls, watched: Watched) -> Self:
        """Fitted to all of them, and to the prior where they are few."""
        then = watched.then()
        seen, intervals, days, changes = watched.seen()
        usual = _fit(then[seen], intervals[seen], changes[seen], days[seen])
        expected = _rate(then, usual) * days
        shape = 1.0
        for _ in range(3):
            shape = _shape(_uncensored(changes, intervals, expected, shape), expected)
        return cls(usual, shape)


@dataclass(frozen=True)
class Rates:
    """Changes a day of each listing as far as is known: Gamma(`shape`), with mean shape / days."""

    shape: Numbers
    days: Numbers

    @classmethod
    def of(cls, watched: Watched, usual: UsualRates) -> Self:
        """The posterior of each listing. Finite and positive whatever the counts."""
        _, intervals, days, changes = watched.seen()
        expected = _rate(watched.then(), usual.coefficients) * days
        happened = _uncensored(changes, intervals, expected, usual.shape)
        now = _rate(_known(watched.age, np.log1p(watched.votes)), usual.coefficients)
        return cls(usual.shape + happened, (usual.shape + expected) / now)

    def mean(self) -> Numbers:
        """Changes a day."""
        return self.shape / self.days

    def unchanged(self, days: Numbers) -> Numbers:
        """The chance that nothing changes in so many days."""
        return np.exp(-self.shape * np.log1p(days / self.days))

    def days_unchanged(self, days: Numbers) -> Numbers:
        """For how many of the next so many days what is known stays true, on average."""
        log = np.log1p(days / self.days)
        power = (1.0 - self.shape) * log
        power = np.where(np.abs(power) < 1e-9, 1e-9, power)  # the limit, at shape 1
        return self.days * log * np.expm1(power) / power

    def days_until(self, changed: Numbers) -> Numbers:
        """After how many days something has changed with a chance of 1 - exp(-`changed`)."""
        return self.days * np.expm1(np.minimum(changed / self.shape, 50.0))


def _settled(age: Numbers) -> Numbers:
    """Age as rates feel it: a film that comes out in a month is as quiet as one a month old."""
    return np.abs(age) + SETTLING_DAYS


def _typical_age(age: Numbers, days: Numbers) -> Numbers:
    """The age that stands for the `days` up to `age`: their logarithmic mean.

    It is exact for a rate that falls with 1 / age, and near for others.
    """
    last = _settled(np.maximum(age, 0.0))
    first = np.maximum(last - days, SETTLING_DAYS)
    ratio = np.maximum(last / first, 1.0 + 1e-9)
    mean = last * (1.0 - 1.0 / ratio) / np.log(ratio)
    return np.where(age < 0, age, mean - SETTLING_DAYS)


def _known(age: Numbers, log_votes: Numbers) -> Numbers:
    """What the usual rate depends on, a row a listing: shape (listings, 5)."""
    log_age = np.log(_settled(age))
    bends = [np.maximum(log_age - np.log(bend), 0.0) for bend in _BENDS]
    return np.stack(
        [
            np.ones_like(log_age),
            log_age - np.log(USUAL_AGE),
            log_votes - np.log(USUAL_VOTES),
            *bends,
        ],
        axis=1,
    )


def _rate(known: Numbers, usual: Numbers) -> Numbers:
    """Changes a day, between one in ten thousand years and seven a day."""
    return np.exp(np.clip(known @ usual, -15.0, 2.0))


def _fit(known: Numbers, intervals: Numbers, changes: Numbers, days: Numbers) -> Numbers:
    """The likeliest usual rate, prior included, by Fisher scoring; a sample of many will do."""
    some = slice(None, None, 1 + len(days) // FITTED)
    known, intervals, changes, days = known[some], intervals[some], changes[some], days[some]
    usual = _PRIOR.copy()
    for _ in range(25):
        mean = np.clip(_rate(known, usual) * days / intervals, 1e-9, 20.0)
        chance = -np.expm1(-mean)
        slope = (changes - intervals * chance) * mean / chance
        weight = intervals * mean**2 * (1.0 - chance) / chance
        gradient = known.T @ slope - _PRIOR_WEIGHT * (usual - _PRIOR)
        step = np.linalg.solve((known.T * weight) @ known + np.diag(_PRIOR_WEIGHT), gradient)
        longest = float(np.abs(step).max())
        usual = usual + step / max(longest, 1.0)
        if longest < 1e-2:
            break
    return usual


def _uncensored(changes: Numbers, intervals: Numbers, expected: Numbers, shape: float) -> Numbers:
    """How many changes happened, where one asking may have missed some: a fixed point of few steps.

    In an interval that showed a change, x / (1 - exp(-x)) happened on average, with x the changes
    that it should have seen.
    """
    happened = changes
    for _ in range(4):
        share = (shape + happened) / (shape + expected)
        each = np.clip(share * expected / intervals, 1e-9, 50.0)
        happened = changes * each / -np.expm1(-each)
    return happened


def _shape(happened: Numbers, expected: Numbers) -> float:
    """The shape `a` by moments: shares scatter by 1 / a beyond what chance alone explains.

    The prior is a = 1, worth a listing or two of which two changes were expected.
    """
    beyond = float(((happened - expected) ** 2 - happened).sum())
    shape = (float((expected**2).sum()) + 2.0) / max(beyond + 2.0, 1e-9)
    return float(np.clip(shape, *_SHAPES))

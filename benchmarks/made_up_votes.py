"""Votes, made up as they are spread over IMDb's films."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_FEWEST, _MOST = 5, 3_000_000

_PARTS = (0.25, 0.5, 0.75, 1 - 4_634 / 210_371, 1 - 1 / 210_371)
_AT_MOST = (11, 26, 118, 10_000, 971_041)
"""Of 210,371 films with votes in May 2013 such a part had so many or fewer
(http://turingmachine.org/bl/2013-05-24-what-does-an-imdb-rating-of-a-movie-mean.html)."""


def votes(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """The votes of so many films. Between the parts that are known, and beyond them, the logarithm
    of the votes lies on straight lines over the normal distribution: one film in a hundred and
    sixty has 25,000."""
    places = np.array([NormalDist().inv_cdf(part) for part in _PARTS])
    logs = np.log(_AT_MOST)
    drawn = rng.standard_normal(count)
    slope = np.diff(logs) / np.diff(places)
    line = np.clip(np.searchsorted(places, drawn) - 1, 0, len(slope) - 1)
    told = np.exp(logs[line] + slope[line] * (drawn - places[line]))
    made: NDArray[np.int64] = np.clip(told, _FEWEST, _MOST).astype(np.int64)
    return made

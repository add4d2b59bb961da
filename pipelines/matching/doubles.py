"""Listings of one side that are of one film: the theatrical and the extended cut, duplicates.

They do not compete for a listing of the other side; several listings of a film on one source are
allowed. Only listings that share a candidate are compared, so the work stays small.
"""

from __future__ import annotations

import numpy as np

from pipelines.matching.decision import Floats, log_odds
from pipelines.matching.described import Described, Ints, Spread
from pipelines.matching.evidence import Cast, Directors, Place, Runtime, Title, Year, compare_at

_SURE = 4.0
"""Log-odds from which two listings that share a candidate are taken to be of one film."""

_LIKELY = 0.0
"""Log-odds from which a pair is worth it that its rivals are compared with each other."""

_MOST_RIVALS = 20
"""A listing that more than so many others fit is a matter for a person in any case."""


def works(of: Described, mine: Ints, theirs: Ints, strength: Floats) -> Ints:
    """A number for the listing `mine` of each pair: the same for listings of one film.

    `mine` and `theirs` are positions of the two listings of each pair, `strength` its log-odds.
    """
    work = np.arange(len(of))
    one, other = _rivals(mine, theirs, strength)
    if len(one):
        compared = compare_at(of, of, one, other)
        title, year, runtime = compared["title"], compared["year"], compared["runtime"]
        # Titles and years alone do not tell: two films of one name and year are not rare. But where
        # the name is long, they are hardly of one length, or came out on one day.
        named = (of.directors.spread.counts() + of.cast.spread.counts()) > 0
        unnamed = ~(named[one] & named[other])
        alone = unnamed & (title >= Title.SAME) & (year >= Year.SAME)
        witness = (
            (compared["directors"] >= Directors.ALIKE)
            | (compared["cast"] >= Cast.ONE)
            | (compared["place"] == Place.SAME_EPISODE)
            | (alone & (runtime == Runtime.SAME))
            | (
                alone
                & (title == Title.SAME_LONG)
                & (year == Year.SAME_DAY)
                & (runtime == Runtime.UNKNOWN)
            )
        )
        # A longer title is a sequel's or a making-of's.
        elsewhere = compared["place"].isin([Place.OTHER_SERIES, Place.OTHER_EPISODE])
        # Where no year tells a remake from its film, the length does.
        undated = (year == Year.UNKNOWN) & (runtime >= Runtime.NEAR)
        alike = (title >= Title.SAME_SHORT) & ((year >= Year.ONE) | undated) & ~elsewhere
        sure = (witness & alike).to_numpy() & (log_odds(compared) >= _SURE)
        work = _joined(work, one[sure], other[sure])
    return work[mine]


def _rivals(mine: Ints, theirs: Ints, strength: Floats) -> tuple[Ints, Ints]:
    """Pairs of listings of this side that fit one of the other side, each once."""
    likely = strength >= _LIKELY
    mine, theirs = mine[likely], theirs[likely]
    order = np.lexsort((mine, theirs))
    mine = mine[order]
    if not len(mine):
        return mine, mine
    spread = Spread.of(np.bincount(theirs))
    contested = np.flatnonzero((spread.counts() > 1) & (spread.counts() <= _MOST_RIVALS))
    _, at_one, at_other = spread.combined(spread, contested, contested)
    one, other = mine[at_one], mine[at_other]
    both = np.unique(np.stack([one, other])[:, one < other], axis=1)
    return both[0], both[1]


def _joined(work: Ints, one: Ints, other: Ints) -> Ints:
    """The lowest number of all that are joined, directly or through others."""
    while len(one) and (work[one] != work[other]).any():
        lowest = np.minimum(work[one], work[other])
        np.minimum.at(work, one, lowest)
        np.minimum.at(work, other, lowest)
    return work

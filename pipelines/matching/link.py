"""Match the listings of two sides in bulk: what `afterscore link` does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipelines.matching import candidates, decision
from pipelines.matching.described import Described, Ints, describe
from pipelines.matching.doubles import works
from pipelines.matching.evidence import compare_at
from pipelines.matching.listing_files import UnreadableListings, read_listings

__all__ = ["UnreadableListings", "judge", "link", "read_listings"]

PAIRS_AT_ONCE = 500_000
"""Pairs compared before what is hopeless among them is dropped: this bounds the memory."""

_HOPELESS = -4.0
"""Log-odds below which a pair is dropped, and no longer competes: it would take one in fifty from
the odds of a rival."""

_MANY = 20
"""Listings of which one would have a year if those of its catalogue had."""

Step = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def _quiet(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def link(a: pd.DataFrame, b: pd.DataFrame, step: Step = _quiet) -> pd.DataFrame:
    """The pairs of listings of two sides that are of one film, or may be.

    Both frames have one listing a row, with a column `id` and any of those that
    `listing_files.COLUMNS` names. Returns a, b (ids), probability, answer (`same` or `ask`) and
    evidence (a sentence), ordered by probability and ids. Which side is which and the order of the
    rows make no difference.
    """
    step("reading titles and names", 0, 2)
    left = describe(a)
    step("reading titles and names", 1, 2)
    right = describe(b)
    step("looking for candidates", 0, 1)
    one, other = candidates.positions(left, right)
    likely = []
    for at in range(0, len(one), PAIRS_AT_ONCE):
        step("comparing candidates", at, len(one))
        some, others = one[at : at + PAIRS_AT_ONCE], other[at : at + PAIRS_AT_ONCE]
        compared = compare_at(left, right, some, others).assign(a=some, b=others)
        likely.append(compared[decision.log_odds(compared) >= _HOPELESS])
    if not likely:
        return pd.DataFrame(columns=["a", "b", "probability", "answer", "evidence"])
    step("deciding", 0, 1)
    compared = pd.concat(likely, ignore_index=True)
    pairs = compared[["a", "b"]]
    works = _works(left, right, compared, pairs)
    found = decision.decide(compared, pairs, works, _undated(left, right))
    linked = found[found["answer"] != "different"]
    linked.insert(0, "a", a["id"].to_numpy()[pairs["a"].loc[linked.index]])
    linked.insert(1, "b", b["id"].to_numpy()[pairs["b"].loc[linked.index]])
    return linked.sort_values(
        ["probability", "a", "b"], ascending=[False, True, True], ignore_index=True
    )


def judge(
    a: pd.DataFrame | Described, b: pd.DataFrame | Described, pairs: pd.DataFrame
) -> pd.DataFrame:
    """Probability, answer and evidence of given pairs of index labels, indexed as `pairs`.

    As `decision.decide`, with one difference: listings of one side that are of one film do not
    compete.
    """
    left, right = describe(a), describe(b)
    places = pd.DataFrame(
        {
            "a": left.index.get_indexer(pd.Index(pairs["a"])).astype(np.int64),
            "b": right.index.get_indexer(pd.Index(pairs["b"])).astype(np.int64),
        },
        index=pairs.index,
    )
    compared = compare_at(left, right, places["a"].to_numpy(), places["b"].to_numpy())
    compared = compared.set_index(pairs.index)
    works = _works(left, right, compared, places)
    return decision.decide(compared, places, works, _undated(left, right))


def _undated(left: Described, right: Described) -> bool:
    """Whether a side tells no years, of enough listings to see that it never does."""
    return any(len(side) >= _MANY and not side.shown_year.any() for side in (left, right))


def _works(
    left: Described, right: Described, compared: pd.DataFrame, places: pd.DataFrame
) -> tuple[Ints, Ints]:
    strength = decision.log_odds(compared)
    one, other = places["a"].to_numpy(), places["b"].to_numpy()
    return works(left, one, other, strength), works(right, other, one, strength)

"""Fit the matcher's weights on catalogues of which the matches are known; predict held-out ones.

A logistic regression on levels of evidence, with three things that keep it from learning the
catalogues by heart:

- The weights are drawn towards `BY_HAND`, and levels keep their order: agreeing more never counts
  less. What no catalogue shows stays as it was set by hand.
- Pairs compete while weights are fitted, as they do afterwards. What competition settles (a sequel,
  beside the film itself) need not be settled by weights, and probabilities come out calibrated.
- Each catalogue counts as it is, with columns hidden (no director, no year …), and with half of its
  second side gone, since elsewhere films are missing and listings tell less.

Gold lists err now and then: each label is taken to be wrong with probability `WRONG_LABELS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.matching import candidates, decision
from pipelines.matching.described import Ints, describe
from pipelines.matching.evidence import (
    LEVELS,
    Directors,
    Renamed,
    Runtime,
    Title,
    compare_at,
    renamed,
)
from pipelines.matching.link import read_listings

Floats = NDArray[np.float64]
Weights = Mapping[str, Mapping[IntEnum, float]]

# In the order of each scale, from its first known level on.
BY_HAND: dict[str, tuple[float, ...]] = {
    "title": (-2.5, -4, -8, -2, -1, 0, 1, 1.5, 2.5, 2.4, 3.5, 4.5, 5.5),
    "spelling": (0, 0.5),
    "year": (-5, -3, -1.5, 2, 5, 5.5),
    "directors": (-3.5, 2.5, 4),
    "cast": (-1.5, 2.5, 4),
    "runtime": (-14, -4, -2, -1, 0, 0.7, 1.5),
    "renamed": (-4, -2, -7.5, -6.5, -2),
    "kind": (-16, -1.5, 0),
    "place": (-8, -5, 2, 6),
    "about": (-6,),
}
BASE_BY_HAND = -5.0

FIXED = frozenset({"kind", "place", "about"})
FIXED_LEVELS: frozenset[tuple[str, int]] = frozenset(
    {
        ("title", Title.RESPELT),
        ("renamed", Renamed.OTHER_YEAR),
        ("renamed", Renamed.SIBLING),
        ("renamed", Renamed.SEQUEL),
        ("runtime", Runtime.SHORT),
    }
)
"""What the catalogues cannot teach: they hold hardly anything but films, and mostly a sequel beside
the film itself, where it is easy to tell which is which."""

UNORDERED: Mapping[str, frozenset[int]] = {
    "title": frozenset({Title.OTHER_LETTERS, Title.OTHER_PART}),
    "renamed": frozenset(Renamed),
}
"""Levels that are not more or less than their neighbours."""

RIDGE = 2.0
"""How strongly weights are drawn to those set by hand, in pairs: 2 leaves a level that has fifty
pairs to the data."""

WRONG_LABELS = 0.005

CATALOGUE_COUNTS: Mapping[str, float] = {"rt_imdb_cs839": 4.0}
"""How much a pair of a catalogue counts where it is not 1: this one has but 182 judged candidates,
and the only release dates."""

HIDDEN_COUNTS, HALVED_COUNTS = 0.05, 0.2
"""How much a pair counts where columns are hidden, and where half of the second side is gone."""

ROUNDS, STEPS = 5, 1_500
FOLDS = 5


@dataclass(frozen=True)
class Learnt:
    """A base and weights, as `pipelines.matching.weights` has them."""

    base: float
    weights: Weights

    def probabilities(self, pairs: pd.DataFrame) -> Floats:
        """The probability of each pair after competition, catalogue by catalogue."""
        strength = decision.log_odds(pairs, self.base, self.weights)
        return decision.competing(strength, *_ends(pairs))


def candidate_pairs(folder: Path) -> pd.DataFrame:
    """The candidates of one catalogue with their evidence, and `catalogue`, `a`, `b`, `label` (1,
    0, or -1 where nobody judged the pair) and `fold`; films of like titles are in one fold."""
    left, right = (read_listings(folder / name) for name in ("a.csv", "b.csv"))
    gold = pd.read_csv(folder / "gold.csv", dtype=str)
    first, second = describe(left), describe(right)
    one, other = candidates.positions(first, second)
    pairs = compare_at(first, second, one, other).assign(
        catalogue=folder.name, a=left["id"].to_numpy()[one], b=right["id"].to_numpy()[other]
    )
    judged = gold.assign(label=gold["label"].astype(int) if "label" in gold else 1)
    pairs = pairs.merge(judged[["a", "b", "label"]].drop_duplicates(["a", "b"]), how="left")
    pairs["label"] = pairs["label"].fillna(-1 if "label" in gold else 0).astype(int)
    # A series of films begins alike; the letters of its beginning are a fold's.
    begins = left["title"].str.lower().str.replace(r"^(?:the|an?) |[^a-z0-9]", "", regex=True)
    fold = pd.util.hash_array(begins.str[:6].to_numpy(dtype=object)) % FOLDS
    return pairs.assign(fold=fold[one].astype(int))


def missed(folder: Path, pairs: pd.DataFrame) -> int:
    """How many true pairs of a catalogue are not among its candidates."""
    gold = pd.read_csv(folder / "gold.csv", dtype=str)
    true = (gold["label"] == "1").sum() if "label" in gold else len(gold)
    return int(true - (pairs["label"] == 1).sum())


def fit(pairs: pd.DataFrame, told: NDArray[np.bool_]) -> Learnt:
    """Weights that make the labels of the pairs in `told` likeliest; the others only compete."""
    pairs = pairs.assign(told=told & (pairs["label"] >= 0).to_numpy())
    views = list(_views(pairs))
    levels, target = _levels(), _by_hand()
    ordered, at_least_0, fixed = _order()
    start: Floats = np.linalg.solve(ordered, target).astype(np.float64)
    theta = start.copy()
    for _ in range(ROUNDS):
        learnt = _learnt(ordered @ theta)
        seen = [_counted(view, counts, learnt) for view, counts in views]
        cells = pd.concat(seen).groupby([*LEVELS, "label", "rivals"])["counts"].sum().reset_index()
        shown = np.column_stack(
            [np.ones(len(cells)), *(cells[name] == level for name, level in levels)]
        )
        theta = _ascend(shown @ ordered, cells, ordered, target, theta, start, at_least_0, fixed)
    return _learnt(ordered @ theta)


def cross_validated(pairs: pd.DataFrame) -> Floats:
    """The probability of each pair by weights fitted without the films of its fold."""
    found = np.zeros(len(pairs))
    for fold in range(FOLDS):
        held_out = (pairs["fold"] == fold).to_numpy()
        found[held_out] = fit(pairs, ~held_out).probabilities(pairs)[held_out]
    return found


def from_the_others(pairs: pd.DataFrame) -> Floats:
    """The probability of each pair by weights fitted without the whole catalogue it is of."""
    found = np.zeros(len(pairs))
    for name in pairs["catalogue"].unique():
        held_out = (pairs["catalogue"] == name).to_numpy()
        learnt = fit(pairs[~held_out], np.ones((~held_out).sum(), dtype=bool))
        found[held_out] = learnt.probabilities(pairs[held_out])
    return found


def _ends(pairs: pd.DataFrame) -> tuple[Ints, Ints]:
    """A number for each listing, by side."""
    first, second = (pairs.groupby(["catalogue", side], sort=False).ngroup() for side in "ab")
    return first.to_numpy().astype(np.int64), second.to_numpy().astype(np.int64)


def _views(pairs: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, float]]:
    """The pairs as they are, with columns hidden, and with half of the second side gone, and how
    much they count."""
    half = pd.util.hash_array(pairs["b"].to_numpy(dtype=object)) % 2 == 0
    for shown, counts in (
        (pairs, 1.0),
        (pairs[half], HALVED_COUNTS),
        (pairs[~half], HALVED_COUNTS),
    ):
        yield shown, counts
        for hidden in _hidden(shown):
            yield hidden, counts * HIDDEN_COUNTS


def _hidden(pairs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The pairs with columns hidden, as far as they would be candidates without them."""
    people = pairs[["directors", "cast"]].gt(0).any(axis=1)
    timed = pairs["runtime"] > 0
    alike = pairs["title"] >= Title.ALIKE
    titled = pairs["title"] >= Title.WITHIN_WORDS
    for kept, names in (
        (people & (alike | (pairs["directors"] < Directors.ALIKE)), ["directors"]),
        (pairs["cast"] > 0, ["cast"]),
        (people & alike, ["directors", "cast"]),
        (timed, ["runtime"]),
        (timed & alike, ["runtime", "directors", "cast"]),
        (titled & people, ["year"]),
        (titled & people, ["year", "runtime"]),
    ):
        view = pairs[kept].assign(**dict.fromkeys(names, np.int8(0)))
        title, year, runtime = (view[name].to_numpy() for name in ("title", "year", "runtime"))
        yield view.assign(renamed=renamed(title, year, runtime))


def _counted(view: pd.DataFrame, counts: float, learnt: Learnt) -> pd.DataFrame:
    """How much each combination of levels, label and rivals counts. `rivals` is by how much
    competition lowers the log-odds of a pair under the weights so far, in steps of a quarter."""
    alone = decision.log_odds(view, learnt.base, learnt.weights)
    won = np.clip(learnt.probabilities(view), 1e-12, 1 - 1e-12)
    rivals = np.maximum(np.round(4 * (np.log(won / (1 - won)) - alone)) / 4, -20)
    worth = counts * view["catalogue"].map(CATALOGUE_COUNTS).astype(float).fillna(1.0)
    told = view.assign(rivals=rivals, counts=worth)[view["told"]]
    return told.groupby([*LEVELS, "label", "rivals"])["counts"].sum().reset_index()


def _ascend(
    shown: Floats,
    cells: pd.DataFrame,
    ordered: Floats,
    target: Floats,
    theta: Floats,
    start: Floats,
    at_least_0: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
) -> Floats:
    """Accelerated projected gradient steps (FISTA with restarts) on the penalised likelihood."""
    label, counts, rivals = (
        cells[name].to_numpy(dtype=float) for name in ("label", "counts", "rivals")
    )
    steepest = 0.3 * np.linalg.norm(shown * np.sqrt(counts)[:, None], 2) ** 2
    steepest += RIDGE * np.linalg.norm(ordered, 2) ** 2
    ahead, pace = theta.copy(), 1.0
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(shown @ ahead + rivals, -30, 30)))
        seen = WRONG_LABELS + (1 - 2 * WRONG_LABELS) * chance
        slope = (seen - label) * (1 - 2 * WRONG_LABELS) * chance * (1 - chance)
        slope = shown.T @ (counts * slope / (seen * (1 - seen)))
        slope += RIDGE * ordered.T @ (ordered @ ahead - target)
        stepped = ahead - slope / steepest
        stepped[at_least_0] = np.maximum(stepped[at_least_0], 0)
        stepped[fixed] = start[fixed]
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        if (ahead - stepped) @ (stepped - theta) > 0:
            faster = 1.0
        ahead = stepped + (pace - 1) / faster * (stepped - theta)
        theta, pace = stepped, faster
    return theta


def _levels() -> list[tuple[str, IntEnum]]:
    """All levels that weigh, in the order of the weights behind the base."""
    return [(name, level) for name, scale in LEVELS.items() for level in scale if level]


def _by_hand() -> Floats:
    return np.array([BASE_BY_HAND, *(weight for name in LEVELS for weight in BY_HAND[name])])


def _order() -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """How weights follow from what is fitted (each ordered level is the one before and a step that
    is not negative), which parts must not be negative, and which stay as they were set."""
    levels = _levels()
    size = 1 + len(levels)
    ordered = np.eye(size)
    at_least_0, fixed = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    before: dict[str, int] = {}
    for at, (name, level) in enumerate(levels, 1):
        fixed[at] = name in FIXED or (name, level) in FIXED_LEVELS
        if level in UNORDERED.get(name, ()):
            continue
        if name in before:
            ordered[at] += ordered[before[name]]
            at_least_0[at] = True
        before[name] = at
    return ordered, at_least_0 & ~fixed, fixed


def _learnt(weights: Floats) -> Learnt:
    by_name: dict[str, dict[IntEnum, float]] = {name: {} for name in LEVELS}
    for (name, level), weight in zip(_levels(), weights[1:], strict=True):
        by_name[name][level] = float(weight)
    return Learnt(float(weights[0]), by_name)

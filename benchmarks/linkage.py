"""How well the matcher links catalogues of which the matches are known, and what it costs."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.linkage_fit import (
    Floats,
    Learnt,
    candidate_pairs,
    cross_validated,
    fit,
    from_the_others,
    missed,
)
from benchmarks.made_up_films import catalogues
from benchmarks.tables import out, titled
from pipelines.matching.decision import ASK_FROM, SAME_FROM, thin
from pipelines.matching.weights import BASE, WEIGHTS

DATA = Path("../shared/linkage")
SIZES = (10_000, 100_000, 1_000_000)
BINS = 10


@dataclass(frozen=True)
class Cost:
    """What linking two catalogues of `listings` each took, from the start of the command to its
    end; `precision` and `recall` are those of the pairs answered `same`. Seconds of processor time
    tell more where other work uses the machine too."""

    listings: int
    seconds: float
    processor_seconds: float
    peak_bytes: int
    precision: float
    recall: float


def run(
    data: Path = DATA,
    fit_anew: Annotated[bool, typer.Option("--fit", help="Fit and print the weights")] = False,
) -> None:
    """How well the catalogues in a folder are linked, and the cost at some sizes; or fit the
    weights anew and print them as `pipelines/matching/weights.py` has them.

    Each folder in `data` holds a.csv, b.csv and gold.csv (a, b and, where only a sample was judged,
    label).
    """
    folders = sorted(found.parent for found in data.glob("*/gold.csv"))
    if not folders:
        out.print(f"No catalogues in {data}: --data FOLDER names their folder.")
    else:
        found = {folder: candidate_pairs(folder) for folder in folders}
        pairs = pd.concat(found.values(), ignore_index=True)
        if fit_anew:
            _print_weights(fit(pairs, np.ones(len(pairs), dtype=bool)))
            return
        _report(pairs, {folder.name: missed(folder, of) for folder, of in found.items()})
    _print_costs([cost(size) for size in SIZES])


def cost(listings: int) -> Cost:
    """Link two catalogues of made-up films with the command, in a process of its own."""
    made = catalogues(listings)
    with tempfile.TemporaryDirectory() as folder:
        a, b, pairs = (Path(folder) / name for name in ("a.csv", "b.csv", "pairs.csv"))
        made.a.to_csv(a, index=False)
        made.b.to_csv(b, index=False)
        words = [sys.executable, "-m", "schedules.cli", "link", str(a), str(b), "--out", str(pairs)]
        started = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"afterscore link ended with status {process.returncode}")
        linked = pd.read_csv(pairs, dtype={"a": str, "b": str})
    hits = len(linked.merge(made.gold, on=["a", "b"]))
    return Cost(
        listings=listings,
        seconds=seconds,
        processor_seconds=used.ru_utime + used.ru_stime,
        peak_bytes=used.ru_maxrss * 1024,
        precision=hits / len(linked),
        recall=hits / len(made.gold),
    )


def _report(pairs: pd.DataFrame, not_found: dict[str, int]) -> None:
    ways = {
        "as shipped": Learnt(BASE, WEIGHTS).probabilities(pairs),
        "films held out": cross_validated(pairs),
        "catalogue held out": from_the_others(pairs),
    }
    table = titled(
        "Pairs answered `same`", ["catalogue", "weights"], ["precision", "recall", "F1", "asked"]
    )
    for name, lost in not_found.items():
        of = (pairs["catalogue"] == name).to_numpy()
        for way, probability in ways.items():
            table.add_row(name, way, *_scores(pairs[of], probability[of], lost))
    out.print(table)
    for way, probability in ways.items():
        _print_reliability(way, pairs, probability)


def _scores(pairs: pd.DataFrame, probability: Floats, lost: int) -> list[str]:
    """Precision, recall, F1 and pairs asked; pairs that nobody judged count neither way."""
    same = (probability >= SAME_FROM) & ~thin(pairs)
    label = pairs["label"].to_numpy()
    hits, wrong = int((same & (label == 1)).sum()), int((same & (label == 0)).sum())
    precision, recall = hits / (hits + wrong), hits / (int((label == 1).sum()) + lost)
    asked = int(((probability >= ASK_FROM) & ~same).sum())
    f1 = 2 * precision * recall / (precision + recall)
    return [f"{precision:.4f}", f"{recall:.4f}", f"{f1:.4f}", f"{asked:,}"]


def _print_reliability(way: str, pairs: pd.DataFrame, probability: Floats) -> None:
    judged = (pairs["label"] >= 0).to_numpy()
    told = pd.DataFrame(
        {
            "catalogue": pairs["catalogue"][judged],
            "bin": np.minimum((probability[judged] * BINS).astype(int), BINS - 1),
            "predicted": probability[judged],
            "observed": pairs["label"][judged],
        }
    )
    table = titled(f"Reliability, {way}", ["probability"], ["pairs", "predicted", "observed"])
    means = told.groupby("bin").agg(
        pairs=("bin", "size"), predicted=("predicted", "mean"), observed=("observed", "mean")
    )
    for row in means.reset_index().itertuples():
        low = float(str(row.bin)) / BINS
        table.add_row(
            f"{low:.1f}–{low + 1 / BINS:.1f}",
            f"{row.pairs:,}",
            f"{row.predicted:.3f}",
            f"{row.observed:.3f}",
        )
    out.print(table)
    errors = {"all": _calibration_error(told)}
    errors |= {str(name): _calibration_error(rows) for name, rows in told.groupby("catalogue")}
    said = ", ".join(f"{name} {error:.4f}" for name, error in errors.items())
    out.print(f"  Expected calibration error: {said}\n")


def _calibration_error(told: pd.DataFrame) -> float:
    """How far predicted and observed lie apart, by bins, weighted by their pairs."""
    off = (told["predicted"] - told["observed"]).groupby(told["bin"]).sum().abs()
    return float(off.sum() / len(told))


def _print_weights(learnt: Learnt) -> None:
    out.print(f"BASE = {learnt.base:.1f}")
    for name, weights in learnt.weights.items():
        levels = ", ".join(
            f"{type(level).__name__}.{level.name}: {round(weight, 1) + 0.0:.1f}"
            for level, weight in weights.items()
        )
        out.print(f'"{name}": {{{levels}}},', markup=False, soft_wrap=True)


def _print_costs(costs: Sequence[Cost]) -> None:
    table = titled(
        "afterscore link, two catalogues of made-up films",
        ["listings each"],
        ["seconds", "CPU seconds", "CPU µs a listing", "peak MB", "precision", "recall"],
    )
    for one in costs:
        table.add_row(
            f"{one.listings:,}",
            f"{one.seconds:,.1f}",
            f"{one.processor_seconds:,.1f}",
            f"{1e6 * one.processor_seconds / (2 * one.listings):,.0f}",
            f"{one.peak_bytes / 1e6:,.0f}",
            f"{one.precision:.4f}",
            f"{one.recall:.4f}",
        )
    out.print(table)
    if len(costs) > 1:
        first, last = costs[0], costs[-1]
        slope = math.log(last.processor_seconds / first.processor_seconds)
        slope /= math.log(last.listings / first.listings)
        out.print(f"  Slope of CPU seconds, on logarithmic scales: {slope:.2f}")

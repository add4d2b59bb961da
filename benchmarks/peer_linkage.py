"""Splink, in a plain configuration. Run by the Python of an environment that it is installed in.

`python peer_linkage.py A.csv B.csv PAIRS.csv` writes the columns a and b, and needs nothing of
afterscore.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

FROM = 0.5
"""Pairs of at least this probability are matches."""

MEMORY = "1GB"
"""DuckDB takes what there is, unless told: 6 GB on 10,000 listings each, for a sixth less time."""

FEW = 0.5
"""A column that more listings than this leave out cannot be learned from."""

# Titles without case, accents and punctuation: what anybody would do first.
_LISTINGS = """
SELECT id AS unique_id,
  trim(regexp_replace(strip_accents(lower(title)), '[^[:alnum:]]+', ' ', 'g')) AS title,
  TRY_CAST(year AS INTEGER) AS year, TRY_CAST(runtime AS DOUBLE) AS runtime,
  string_split(lower(nullif(directors, '')), '|') AS directors,
  string_split(lower(nullif("cast", '')), '|') AS actors
FROM read_csv(?, all_varchar = true, header = true)
"""

_COMPARISONS = {
    "title": lambda: cl.JaroWinklerAtThresholds("title", [0.95, 0.88]).configure(
        term_frequency_adjustments=True
    ),
    "year": lambda: cl.DistanceFunctionAtThresholds(
        "year", "apart", [1, 3], higher_is_more_similar=False
    ),
    "runtime": lambda: cl.DistanceFunctionAtThresholds(
        "runtime", "apart", [1, 5, 15], higher_is_more_similar=False
    ),
    "directors": lambda: cl.ArrayIntersectAtSizes("directors", [1]),
    "actors": lambda: cl.ArrayIntersectAtSizes("actors", [2, 1]),
}


def main(a: Path, b: Path, pairs: Path) -> None:
    """Learn from both files, without labels; link them; keep each listing's best match."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    db = duckdb.connect()
    db.execute(f"SET memory_limit = '{MEMORY}'").fetchall()
    db.execute("CREATE MACRO apart(x, y) AS abs(x - y)").fetchall()
    for name, file in (("a", a), ("b", b)):
        db.execute(f"CREATE TABLE {name} AS {_LISTINGS}", [str(file)]).fetchall()
    api = DuckDBAPI(db)
    told = [name for name in _COMPARISONS if all(_share(db, side, name) > FEW for side in "ab")]
    blocking: list[Any] = [block_on("title"), block_on("year", "substr(title, 1, 3)")]
    if "directors" in told:
        blocking.append(block_on("directors", arrays_to_explode=["directors"]))
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[_COMPARISONS[name]() for name in told],
        blocking_rules_to_generate_predictions=blocking,
    )
    linker = Linker([api.register(side, dataset_display_name=side) for side in "ab"], settings)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("title", "year")], recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    # What a rule blocks on is learned in the other one's pairs.
    for columns in (["title"], ["year", "runtime"] if "runtime" in told else ["year"]):
        training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    found = linker.inference.predict(threshold_match_probability=FROM)
    linked = linker.clustering.cluster_using_single_best_links(
        found, ["a", "b"], threshold_match_probability=FROM, ties_method="drop"
    )
    db.execute(
        f"COPY (SELECT x.unique_id AS a, y.unique_id AS b FROM {linked.physical_name} AS x"
        f" JOIN {linked.physical_name} AS y USING (cluster_id)"
        f" WHERE x.source_dataset = 'a' AND y.source_dataset = 'b') TO '{pairs}' (HEADER)"
    ).fetchall()


def _share(db: duckdb.DuckDBPyConnection, side: str, column: str) -> float:
    """The part of a side's listings that tell something in a column."""
    ((share,),) = db.execute(f"SELECT count({column}) / count(*) FROM {side}").fetchall()
    return float(share)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))

"""How well the consensus' model predicts score kinds that are hidden from it, and its constants.

The tables are other people's: fandango_score_comparison.csv (FiveThirtyEight; 146 films of 2014 and
2015, five kinds) and vega_movies.json (Vega; about 3,000 films up to 2010, two kinds). Nothing of
them is kept but curves and correlations.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from pandas import DataFrame, Series

from pipelines.consensus import Curve, Model

TABLES = Path("../shared/tables")

CONSTANTS = Path("pipelines/consensus.json")

FOLDS = 10
PARTITIONS = 3
"""How often the films are dealt into folds anew: one deal moves an error by about 1 %."""

VEGA_COUNTS = 0.02
"""How much a film of vega counts in how kinds hang together. Its 3,000 then count for 60 beside
fandango's 146: they hold the middle and width of the two kinds that they have to a broad set of
films, without overruling how the five kinds go together where all are known."""

TMDB_ORIGIN = (
    "assumed: IMDb's curve, moved and narrowed to the quartiles 5.6, 6.2, 6.8 that published"
    " summaries of TMDB 5000 (4,803 films, 2017) give"
)
TMDB_MEDIAN, IMDB_MEDIAN, TMDB_WIDTH = 62.0, 64.0, 0.75
"""TMDB's median beside that of vega's IMDb ratings, whose quartiles are 5.6, 6.4, 7.2, and the
distance between TMDB's quartiles over that between IMDb's."""

TMDB_WITH_IMDB = 0.85
"""Correlation of TMDB with IMDb: 0.82 is published for about 2,000 films with any number of votes;
a little more is assumed with the usual number. It goes with other kinds only as far as IMDb does.
"""

KINDS = {
    "imdb_rating": "IMDb",
    "tomatometer": "Tomatometer",
    "popcornmeter": "Popcornmeter",
    "metascore": "Metascore",
    "metacritic_user_score": "Metacritic users",
}
"""Kinds of the tables, in the order of the register, as the report names them."""

Fit = Callable[[DataFrame], Model]


def fandango(folder: Path) -> DataFrame:
    """Fandango's films as `consensus` takes scores."""
    table = pd.read_csv(folder / "fandango_score_comparison.csv")
    return pd.concat(
        [
            _scores("imdb_rating", 10 * table["IMDB"], table["IMDB_user_vote_count"]),
            _scores("tomatometer", table["RottenTomatoes"]),
            _scores("popcornmeter", table["RottenTomatoes_User"]),
            _scores("metascore", table["Metacritic"]),
            _scores(
                "metacritic_user_score",
                10 * table["Metacritic_User"],
                table["Metacritic_user_vote_count"],
            ),
        ]
    )


def vega(folder: Path) -> DataFrame:
    """Vega's films as `consensus` takes scores, with ids beyond fandango's."""
    table = pd.read_json(folder / "vega_movies.json")
    table.index += 1_000
    return pd.concat(
        [
            _scores("imdb_rating", 10 * table["IMDB Rating"], table["IMDB Votes"]),
            _scores("tomatometer", table["Rotten Tomatoes Rating"]),
        ]
    )


def fit_both(few: DataFrame, many: DataFrame) -> Model:
    """The model of fandango's and vega's films together: how the constants were fitted."""
    both = pd.concat([few, many])
    weights = pd.concat(
        [
            Series(1.0, few["film_id"].unique()),
            Series(VEGA_COUNTS, many["film_id"].unique()),
        ]
    )
    return Model.fit(both, weights)


def with_tmdb(model: Model) -> Model:
    """A model with the assumed constants of the TMDB score."""
    curves = dict(model.curves)
    imdb = list(curves).index("imdb_rating")
    shape = curves["imdb_rating"]
    values = TMDB_MEDIAN + TMDB_WIDTH * (shape.values - IMDB_MEDIAN)
    curves["tmdb_score"] = Curve(values, shape.standings, 0, TMDB_ORIGIN)
    column = TMDB_WITH_IMDB * model.correlations[:, [imdb]]
    return Model(curves, np.block([[model.correlations, column], [column.T, np.ones((1, 1))]]))


def write(model: Model, file: Path) -> None:
    """Write a model down as the constants of the product."""
    told = {
        "curves": {
            key: {
                "films": curve.films,
                "origin": curve.origin,
                "values": curve.values.round(2).tolist(),
                "standings": curve.standings.round(4).tolist(),
            }
            for key, curve in model.curves.items()
        },
        "correlations": model.correlations.round(4).tolist(),
    }
    # A curve's points, like a row of correlations, stand on one line.
    text = json.dumps(told, indent=2)
    lines = []
    for part in text.split("["):
        inner, closing, rest = part.partition("]")
        lines.append(" ".join(inner.split()) + closing + rest if closing else part)
    file.write_text("[".join(lines) + "\n", "utf-8")


def hidden_kinds(
    scores: DataFrame, fit: Fit, kinds: list[str], partitions: int = PARTITIONS
) -> DataFrame:
    """Every kind predicted from every non-empty subset of the others, on folds that the model was
    not fitted on: a row for each partition, kind, subset and film, with hidden, known, truth,
    plain, line, value, low, high."""
    wide = scores.pivot_table("value_100", "film_id", "score_kind")[kinds].dropna()
    scores = scores[scores["film_id"].isin(wide.index)]
    rows = []
    for partition in range(partitions):
        fold = np.random.default_rng(partition).permutation(len(wide)) % FOLDS
        for held in range(FOLDS):
            train, test = wide[fold != held], wide[fold == held]
            model = fit(scores[scores["film_id"].isin(train.index)])
            told = scores[scores["film_id"].isin(test.index)]
            for hidden, known in _tasks(kinds):
                predicted = model.predict(told[told["score_kind"].isin(known)], hidden)
                rows.append(
                    predicted.assign(
                        hidden=hidden,
                        known=", ".join(KINDS[key] for key in known),
                        others=len(known),
                        truth=test[hidden],
                        plain=test[known].mean(axis=1),
                        line=_line(train, test, hidden, known),
                    )
                )
    return pd.concat(rows).reset_index()


def errors(found: DataFrame, by: list[str]) -> DataFrame:
    """Mean absolute errors, points of 100, of the plain mean, the line and the model; the ratio of
    the model's to the line's, with its standard error over films; and the share of films that the
    90 % interval covers."""
    off = found[["plain", "line", "value"]].sub(found["truth"], axis=0).abs()
    covered = found["truth"].between(found["low"], found["high"])
    films = found[[*by, "film_id"]].assign(**off, covered=covered)
    # One film's errors in several partitions are one film's.
    films = films.groupby([*by, "film_id"], sort=False, as_index=False).mean()
    films["better"] = films["value"] - films["line"]
    groups = films.groupby(by, sort=False)
    means = groups[["plain", "line", "value", "covered"]].mean()
    means["ratio"] = means["value"] / means["line"]
    means["noise"] = groups["better"].sem() / means["line"]
    return means.reset_index()


def parts_of_the_whole(scores: DataFrame, fit: Fit) -> DataFrame:
    """How often the consensus of some kinds holds, in its interval, that of all five: by how many
    kinds it had, on folds that the model was not fitted on; with its mean width."""
    films = scores["film_id"].unique()
    fold = dict(zip(films, np.random.default_rng(0).permutation(len(films)) % FOLDS, strict=True))
    held = scores["film_id"].map(fold)
    rows = []
    for number in range(FOLDS):
        model, told = fit(scores[held != number]), scores[held == number]
        whole = model.consensus(told)["consensus_100"]
        for count in range(1, len(KINDS)):
            for known in itertools.combinations(KINDS, count):
                part = model.consensus(told[told["score_kind"].isin(known)])
                rows.append(
                    DataFrame(
                        {
                            "kinds": count,
                            "error": (part["consensus_100"] - whole).abs(),
                            "covered": whole.between(part["consensus_low"], part["consensus_high"]),
                            "width": part["consensus_high"] - part["consensus_low"],
                        }
                    )
                )
    return pd.concat(rows).groupby("kinds").mean()


def seconds(scores: DataFrame, films: int = 100_000) -> float:
    """Processor time that the consensus of so many films takes: those given, again and again."""
    times = -(-films // scores["film_id"].nunique())
    many = pd.concat(
        [scores.assign(film_id=scores["film_id"] + 10_000 * again) for again in range(times)],
        ignore_index=True,
    )
    many = many[many["film_id"].isin(many["film_id"].unique()[:films])]
    taken = []
    for _ in range(3):
        started = process_time()
        Model.default().consensus(many)
        taken.append(process_time() - started)
    return min(taken)


def run(
    folder: Annotated[Path, typer.Option("--tables")] = TABLES,
    fit: Annotated[bool, typer.Option("--fit", help="Write the constants down anew")] = False,
) -> None:
    """How well hidden score kinds are predicted, in Markdown; or fit the constants anew."""
    for name in ("fandango_score_comparison.csv", "vega_movies.json"):
        if not (folder / name).is_file():
            raise SystemExit(f"{folder / name} is not there: name the tables' folder with --tables")
    few, many = fandango(folder), vega(folder)
    if fit:
        write(_with_origins(with_tmdb(fit_both(few, many))), CONSTANTS)
        print(f"{CONSTANTS} written")
        return
    kinds = list(KINDS)
    alone = hidden_kinds(few, Model.fit, kinds)
    both = hidden_kinds(few, lambda train: fit_both(train, many), kinds)
    print("\n".join(_report(few, many, alone, both)))


def _report(few: DataFrame, many: DataFrame, alone: DataFrame, both: DataFrame) -> Iterator[str]:
    yield "### Each kind from the other four\n"
    yield "| hidden | plain mean | line | model | with vega |"
    yield "|---|---|---|---|---|"
    for row in _beside(*(errors(each[each["others"] == 4], ["hidden"]) for each in (alone, both))):
        yield (
            f"| {KINDS[row['hidden']]} | {row['plain']:.1f} | {row['line']:.2f}"
            f" | {row['value']:.2f} | {row['value_too']:.2f} |"
        )
    yield "\n### What the 90 % interval covers, from every subset of the others\n"
    yield "| hidden | model | with vega |"
    yield "|---|---|---|"
    for row in _beside(*(errors(each, ["hidden"]) for each in (alone, both))):
        yield f"| {KINDS[row['hidden']]} | {row['covered']:.1%} | {row['covered_too']:.1%} |"
    together = (each["truth"].between(each["low"], each["high"]).mean() for each in (alone, both))
    yield f"| all together | {' | '.join(f'{covered:.1%}' for covered in together)} |"
    yield "\n### Every subset\n"
    yield "| hidden | known | plain mean | line | model | ratio | with vega | ratio |"
    yield "|---|---|---|---|---|---|---|---|"
    tables = [errors(each, ["hidden", "known"]) for each in (alone, both)]
    for row in _beside(*tables):
        yield (
            f"| {KINDS[row['hidden']]} | {row['known']} | {row['plain']:.1f} | {row['line']:.2f}"
            f" | {row['value']:.2f} | {row['ratio']:.3f} ± {row['noise']:.3f}"
            f" | {row['value_too']:.2f} | {row['ratio_too']:.3f} ± {row['noise_too']:.3f} |"
        )
    for name, ratio in zip(("Model", "With vega"), (each["ratio"] for each in tables), strict=True):
        yield (
            f"\n{name}: {ratio.mean():.3f} of the line's error on average; above it for"
            f" {(ratio > 1).sum()} of {len(ratio)} subsets, at most {ratio.max():.3f}."
        )
    yield "\n### Across the tables\n"
    yield "| films | hidden | known | fitted on | plain | line | model | ratio | covered |"
    yield "|---|---|---|---|---|---|---|---|---|"
    pair = ["imdb_rating", "tomatometer"]
    crossed: list[tuple[str, DataFrame, str, Fit]] = [
        ("vega", many, "vega, ten-fold", Model.fit),
        ("vega", many, "fandango", lambda _: Model.fit(few)),
        ("vega", many, "both, ten-fold", lambda train: fit_both(few, train)),
        ("fandango", few, "fandango, ten-fold", lambda train: Model.fit(_of(train, pair))),
        ("fandango", few, "vega", lambda _: Model.fit(many)),
    ]
    for films, scores, fitted_on, fit in crossed:
        table = errors(hidden_kinds(_of(scores, pair), fit, pair, 1), ["hidden", "known"])
        for row in table.to_dict("records"):
            yield (
                f"| {films} | {KINDS[row['hidden']]} | {row['known']} | {fitted_on}"
                f" | {row['plain']:.1f} | {row['line']:.2f} | {row['value']:.2f}"
                f" | {row['ratio']:.3f} ± {row['noise']:.3f} | {row['covered']:.1%} |"
            )
    yield "\n### The consensus of some kinds, held against that of all five\n"
    yield "| kinds | mean error | mean width | covered |"
    yield "|---|---|---|---|"
    for row in parts_of_the_whole(few, Model.fit).reset_index().to_dict("records"):
        yield (
            f"| {row['kinds']:.0f} | {row['error']:.1f} | {row['width']:.1f}"
            f" | {row['covered']:.1%} |"
        )
    yield f"\nThe consensus of 100,000 films takes {seconds(few):.2f} s of processor time."


def _beside(one: DataFrame, other: DataFrame) -> list[dict[Any, Any]]:
    """Rows of two tables of errors as one, the other's figures with `_too` behind their names."""
    by = [name for name in ("hidden", "known") if name in one]
    return one.merge(other, on=by, suffixes=("", "_too")).to_dict("records")


def _of(scores: DataFrame, kinds: list[str]) -> DataFrame:
    return scores[scores["score_kind"].isin(kinds)]


def _tasks(kinds: list[str]) -> Iterator[tuple[str, list[str]]]:
    for hidden in kinds:
        others = [key for key in kinds if key != hidden]
        for count in range(1, len(kinds)):
            for known in itertools.combinations(others, count):
                yield hidden, list(known)


def _line(train: DataFrame, test: DataFrame, hidden: str, known: list[str]) -> Series[float]:
    """The least-squares line on the known kinds."""
    one, other = (np.column_stack([np.ones(len(rows)), rows[known]]) for rows in (train, test))
    return Series(other @ np.linalg.lstsq(one, train[hidden], rcond=None)[0], test.index)


def _scores(kind: str, values: Series[float], votes: Series[float] | None = None) -> DataFrame:
    counted = Series(np.nan, values.index) if votes is None else votes
    return DataFrame(
        {
            "film_id": values.index,
            "score_kind": kind,
            "value_100": values.astype("float64"),
            "votes": counted.astype("Int64"),
            "votes_at_least": False,
        }
    ).dropna(subset="value_100")


def _with_origins(model: Model) -> Model:
    broad = {"imdb_rating", "tomatometer"}
    fitted = {
        key: curve
        if curve.origin
        else replace(
            curve,
            origin="fandango_score_comparison.csv" + " and vega_movies.json" * (key in broad),
        )
        for key, curve in model.curves.items()
    }
    return Model(fitted, model.correlations)

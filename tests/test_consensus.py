"""What the consensus makes of scores: the rules that it keeps, whatever films are given to it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame
from pandas.testing import assert_frame_equal

from pipelines.consensus import ENOUGH_FILMS, Model, consensus
from spiders.sources import score_kinds

KINDS = [kind.key for kind in score_kinds()]
CRITICS = {kind.key for kind in score_kinds() if kind.side == "critics"}
POINTS = ["consensus_100", "consensus_low", "consensus_high", "critics_100", "audience_100"]

Film = Mapping[str, tuple[float, int | None]]
"""Value from 0 to 100, and votes (None: unknown), by kind."""

SCORES = st.tuples(
    st.integers(0, 100).map(float), st.none() | st.integers(0, 20) | st.integers(0, 3_000_000)
)
FILMS = st.dictionaries(st.sampled_from(KINDS), SCORES, min_size=1)
CATALOGUES = st.dictionaries(st.integers(1, 10**9), FILMS, min_size=1, max_size=6)


def scores(films: Mapping[int, Film]) -> DataFrame:
    """Films as the merge hands them over."""
    rows = [
        (film_id, kind, value, votes, votes is not None and votes % 250 == 0)
        for film_id, film in films.items()
        for kind, (value, votes) in film.items()
    ]
    frame = DataFrame(
        rows, columns=["film_id", "score_kind", "value_100", "votes", "votes_at_least"]
    )
    return frame.astype({"film_id": "int64", "value_100": "float64", "votes": "Int64"})


def by_film(found: DataFrame) -> dict[Any, dict[Any, Any]]:
    """Rows of a consensus by film."""
    return found.to_dict("index")


def of(film: Film) -> dict[Any, Any]:
    """The consensus of one film."""
    return by_film(consensus(scores({1: film})))[1]


@settings(deadline=None, max_examples=50)  # a busy machine is no fault of the consensus
@given(CATALOGUES, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_of_no_consequence(films: dict[int, Film], random: Random) -> None:
    rows = scores(films)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert_frame_equal(consensus(rows.iloc[order]), consensus(rows))


@settings(deadline=None, max_examples=50)
@given(CATALOGUES, FILMS)
def test_another_film_changes_no_film(films: dict[int, Film], other: Film) -> None:
    alone = consensus(scores(films))
    beside = consensus(scores({**films, 0: other}))
    assert_frame_equal(beside.drop(index=0), alone)


@settings(deadline=None)
@given(FILMS, st.data())
def test_a_higher_score_never_lowers_anything(film: Film, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(film)))
    value, votes = film[kind]
    higher = {**film, kind: (data.draw(st.floats(value, 100)), votes)}
    before, after = of(film), of(higher)
    for name in POINTS:
        assert after[name] >= before[name] or pd.isna([after[name], before[name]]).all()


@settings(deadline=None)
@given(CATALOGUES)
def test_the_interval_holds_the_consensus_within_the_scale(films: dict[int, Film]) -> None:
    found = consensus(scores(films))
    assert (found["consensus_low"] >= 0).all()
    assert (found["consensus_low"] <= found["consensus_100"]).all()
    assert (found["consensus_100"] <= found["consensus_high"]).all()
    assert (found["consensus_high"] <= 100).all()
    spread = found["spread_100"].dropna()
    assert spread.between(0, 100).all()


@settings(deadline=None)
@given(CATALOGUES)
def test_only_sides_that_spoke_are_given(films: dict[int, Film]) -> None:
    found = consensus(scores(films))
    assert set(found.index) == set(films)
    for film_id, row in by_film(found).items():
        film = films[film_id]
        assert row["kinds_used"] == ", ".join(kind for kind in KINDS if kind in film)
        assert pd.notna(row["consensus_100"])
        assert pd.isna(row["critics_100"]) == (not CRITICS & film.keys())
        assert pd.isna(row["audience_100"]) == (not film.keys() - CRITICS)
        assert pd.isna(row["spread_100"]) == (len(film) == 1)


@pytest.mark.parametrize("kind", KINDS)
def test_few_votes_move_it_less_and_leave_it_less_sure(kind: str) -> None:
    loved, hated = (
        consensus(
            scores({votes: {kind: (value, votes)} for votes in (0, 1, 3, 10, 100, 10_000, 10**6)})
        )
        for value in (92, 20)
    )
    assert loved["consensus_100"].is_monotonic_increasing
    assert hated["consensus_100"].is_monotonic_decreasing
    widths = loved["consensus_high"] - loved["consensus_low"]
    assert widths.is_monotonic_decreasing
    assert loved["consensus_100"].max() - loved["consensus_100"].min() > 5
    assert hated["consensus_100"].max() - hated["consensus_100"].min() > 5


@settings(deadline=None)
@given(FILMS, st.data())
def test_a_score_by_fewer_weighs_no_more(film: Film, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(film)))
    few, many = sorted(data.draw(st.lists(st.integers(0, 10**6), min_size=2, max_size=2)))
    cases = itertools.product((few, many), (0.0, 100.0))
    found = consensus(
        scores(
            {place: {**film, kind: (value, votes)} for place, (votes, value) in enumerate(cases)}
        )
    )["consensus_100"].to_numpy()
    moved_by_few, moved_by_many = found[1] - found[0], found[3] - found[2]
    assert moved_by_few <= moved_by_many + 0.02  # each of the four is rounded


def test_unknown_votes_are_neither_few_nor_many() -> None:
    few, unknown, many = (of({"tomatometer": (95, votes)}) for votes in (4, None, 500))
    assert few["consensus_100"] < unknown["consensus_100"] <= many["consensus_100"]


def test_what_is_missing_is_no_zero() -> None:
    some = {"imdb_rating": (81.0, 90_000), "metascore": (77.0, 40)}
    rows = scores({1: some, 2: {"tomatometer": (0.0, 80)}, 3: {"imdb_rating": (70.0, None)}})
    rows.loc[rows["film_id"] == 3, "value_100"] = np.nan
    found = consensus(rows)
    assert found.index.to_list() == [1, 2]
    assert by_film(found)[2]["consensus_100"] < 30
    assert consensus(rows.iloc[:0]).empty
    assert list(consensus(rows.iloc[:0])) == list(found)


def test_a_kind_without_constants_is_left_out_and_not_named() -> None:
    known: Film = {"imdb_rating": (64.0, 30_000), "tomatometer": (41.0, 150)}
    found = of({**known, "letterboxd_rating": (90.0, 10_000)})
    assert found == of(known)
    assert found["kinds_used"] == "imdb_rating, tomatometer"
    assert consensus(scores({1: {"letterboxd_rating": (90.0, 10_000)}})).empty


def test_two_scores_of_one_kind_are_refused() -> None:
    twice = scores({1: {"imdb_rating": (64.0, 30_000)}})
    with pytest.raises(ValueError, match="two scores of one kind"):
        consensus(pd.concat([twice, twice]))


def test_the_same_figure_means_different_things_on_different_scales() -> None:
    good_for_critics = of({"metascore": (73.0, 40)})["consensus_100"]
    fair_on_imdb = of({"imdb_rating": (73.0, 100_000)})["consensus_100"]
    all_but_praised = of({"tomatometer": (73.0, 200)})["consensus_100"]
    assert good_for_critics > fair_on_imdb > all_but_praised


FAMOUS: dict[str, Film] = {
    "The Godfather": {
        "imdb_rating": (92, 2_000_000),
        "tomatometer": (97, 150),
        "popcornmeter": (98, 250_000),
        "metascore": (100, 16),
        "metacritic_user_score": (92, 4_000),
        "tmdb_score": (87, 21_000),
    },
    "Skyfall": {
        "imdb_rating": (78, 730_000),
        "tomatometer": (92, 390),
        "popcornmeter": (86, 250_000),
        "metascore": (81, 43),
    },
    "Star Wars: The Last Jedi": {
        "imdb_rating": (69, 680_000),
        "tomatometer": (91, 480),
        "popcornmeter": (41, 100_000),
        "metascore": (84, 56),
        "metacritic_user_score": (43, 9_000),
    },
    "Pixels": {
        "imdb_rating": (56, 150_000),
        "tomatometer": (17, 190),
        "popcornmeter": (46, 50_000),
        "metascore": (27, 37),
    },
    "Battlefield Earth": {
        "imdb_rating": (25, 83_000),
        "tomatometer": (3, 150),
        "popcornmeter": (12, 50_000),
        "metascore": (9, 33),
    },
}


def test_loved_films_stand_above_fair_ones_and_these_above_hated_ones() -> None:
    found = consensus(scores(dict(enumerate(FAMOUS.values()))))
    assert found["consensus_100"].is_monotonic_decreasing
    films = dict(zip(FAMOUS, by_film(found).values(), strict=True))
    # Surely so: each one's interval lies above the next one's.
    for better, worse in itertools.pairwise(films.values()):
        assert better["consensus_low"] > worse["consensus_high"]
    assert films["The Godfather"]["consensus_low"] > 85
    assert films["Battlefield Earth"]["consensus_high"] < 20
    divided = films["Star Wars: The Last Jedi"]
    assert divided["critics_100"] > divided["audience_100"] + 25
    assert divided["spread_100"] == found["spread_100"].max()


def made_up(films: int, seed: int) -> DataFrame:
    """Films of one quality each, which critics and audience see differently, on bent scales."""
    random = np.random.default_rng(seed)
    quality = random.normal(size=films)
    seen = 0.9 * quality + 0.44 * random.normal(size=(3, films))
    columns = {
        "tomatometer": 100 / (1 + np.exp(-1.2 * seen[0])),
        "metascore": 58 + 17 * seen[1],
        "imdb_rating": 66 - 40 * np.expm1(-0.25 * seen[2]),
    }
    wide = DataFrame(columns).clip(0, 100).rename_axis("film_id").reset_index()
    long = wide.melt("film_id", var_name="score_kind", value_name="value_100")
    return long.assign(votes=pd.array([None] * len(long), dtype="Int64"), votes_at_least=False)


@pytest.mark.parametrize("hidden", ["tomatometer", "metascore", "imdb_rating"])
def test_a_fitted_model_predicts_hidden_kinds_and_knows_how_well(hidden: str) -> None:
    seen, unseen = made_up(400, seed=1), made_up(1_000, seed=2)
    predicted = Model.fit(seen).predict(unseen, hidden)
    wide = unseen.pivot_table("value_100", "film_id", "score_kind")
    truth, others = wide[hidden], wide.drop(columns=hidden)
    off = (predicted["value"] - truth).abs().mean()
    assert off < (others.mean(axis=1) - truth).abs().mean()
    assert truth.between(predicted["low"], predicted["high"]).mean() == pytest.approx(0.9, abs=0.04)


def test_what_is_predicted_is_not_looked_at() -> None:
    rows = scores(dict(enumerate(FAMOUS.values())))
    hidden = rows[rows["score_kind"] != "tomatometer"]
    assert_frame_equal(
        Model.default().predict(rows, "tomatometer"), Model.default().predict(hidden, "tomatometer")
    )
    with pytest.raises(KeyError, match="letterboxd_rating"):
        Model.default().predict(rows, "letterboxd_rating")


def test_a_model_learns_from_films_that_lack_kinds() -> None:
    whole = made_up(600, seed=3)
    # Half of the films have no IMDb rating; which, does not hang on their other scores.
    some = whole[(whole["score_kind"] != "imdb_rating") | (whole["film_id"] % 2 == 0)]
    unseen = made_up(200, seed=4)
    by_whole, by_some = (Model.fit(rows).predict(unseen, "imdb_rating") for rows in (whole, some))
    assert (by_whole["value"] - by_some["value"]).abs().mean() < 1


def test_too_few_films_make_no_model() -> None:
    with pytest.raises(ValueError, match="imdb_rating"):
        Model.fit(made_up(ENOUGH_FILMS - 1, seed=5))
    Model.fit(made_up(ENOUGH_FILMS, seed=5))

"""What is due: never asked first, what moves and what many look at before the rest, none too often
and none too seldom; and rates that are learned from what asking showed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from benchmarks.due import POLICIES, World, simulate
from schedules.config import CEILING_DAYS
from schedules.due import FLOOR_HOURS, most_pressing, schedule, usual_of

AT = pd.Timestamp("2026-11-22T03:00:00Z")
DAY = pd.Timedelta(days=1)


def ago(days: float) -> str:
    """A time as the database writes it, so many days before tonight."""
    return (AT - days * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


def listing(number: int, **known: Any) -> dict[str, Any]:
    """A film of 2015 with some votes, asked every ten days for a year, which never changed."""
    return {
        "listing_id": number,
        "released_on": "2015-05-15",
        "votes": 20_000,
        "first_answered_at": ago(370),
        "last_answered_at": ago(10),
        "last_asked_at": ago(10),
        "answers": 37,
        "changes": 0,
        "failures": 0,
        "gone_at": None,
    } | known


def never(number: int, **known: Any) -> dict[str, Any]:
    """A film that has not been asked."""
    nothing = dict.fromkeys(("first_answered_at", "last_answered_at", "last_asked_at"))
    return listing(number, **nothing, answers=0) | known


def plan(*rows: dict[str, Any], rest_hours: float = FLOOR_HOURS) -> dict[int, Any]:
    """The schedule of some listings, by their numbers."""
    planned = schedule(pd.DataFrame(list(rows)), AT, rest_hours)
    return {row["listing_id"]: row for row in planned.to_dict("records")}


def order(*rows: dict[str, Any]) -> list[int]:
    """In which order these are asked."""
    return most_pressing(schedule(pd.DataFrame(list(rows)), AT))["listing_id"].tolist()


# --- what comes first -----------------------------------------------------------------------------


def test_what_was_never_asked_comes_first_and_there_what_many_look_at() -> None:
    long_unseen = listing(3, last_answered_at=ago(149), last_asked_at=ago(149))
    assert order(long_unseen, never(1, votes=50), never(2, votes=50_000)) == [2, 1, 3]
    rows = plan(long_unseen, never(1))
    assert rows[1]["why"] == "never asked"
    assert rows[1]["due_at"] <= AT


def test_what_has_not_been_asked_for_almost_150_days_comes_before_all_that_moves() -> None:
    busy = listing(1, changes=36, votes=2_000_000)
    forgotten = listing(2, last_answered_at=ago(150), last_asked_at=ago(150), votes=5)
    assert order(busy, forgotten) == [2, 1]
    assert "not asked for almost 150 days" in plan(busy, forgotten)[2]["why"]


@pytest.mark.parametrize(
    "more",
    [
        {"changes": 12},
        {"votes": 400_000},
        {"last_answered_at": ago(20), "last_asked_at": ago(20)},
        {"released_on": "2026-11-01", "first_answered_at": ago(20), "answers": 2},
        {"votes": 22_000, "votes_then": 20_000},
        {"changed_upstream": True},
        {"tracked": True},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_listing_is_more_pressing_that(more: dict[str, Any]) -> None:
    """… changed more often, has more votes, was asked longer ago, is new, of which news came, which
    its source says has changed, or that a person tracks; the other is the same but for that."""
    rows = [listing(number) for number in range(3, 30)]
    assert order(listing(1), listing(2, **more), *rows)[0] == 2


def test_a_reason_is_given_for_each() -> None:
    rows = plan(
        listing(1, changes=36),
        listing(2, failures=3),
        listing(3, gone_at=ago(9)),
        listing(4, votes=25_000, votes_then=20_000),
        listing(5, changed_upstream=True),
        listing(6, released_on="2026-11-10", first_answered_at=ago(11), answers=2),
    )
    assert rows[1]["why"] == f"changes about every {rows[1]['every_days']:.0f} days"
    assert rows[2]["why"] == "failed 3 times in a row"
    assert rows[3]["why"] == "gone; looked at again now and then"
    assert rows[4]["why"] == "its IMDb votes grew by 25 % since"
    assert rows[5]["why"] == "the source itself says that it changed since"
    assert rows[6]["why"].startswith("new; changes about every")


# --- when it is due -------------------------------------------------------------------------------


def test_what_answered_rests_for_half_a_day_whatever_happens() -> None:
    lately = {"last_answered_at": ago(0.4), "last_asked_at": ago(0.4)}
    rows = plan(listing(1, **lately, changes=37, changed_upstream=True, votes=3_000_000))
    assert rows[1]["due_at"] == AT + 0.1 * DAY
    assert plan(listing(1, **lately), rest_hours=48)[1]["rested_at"] == AT + 1.6 * DAY


def test_each_failure_in_a_row_doubles_the_wait_up_to_a_month() -> None:
    asked = {"last_asked_at": ago(0)}
    rows = plan(*(listing(number, **asked, failures=number) for number in (1, 2, 3, 40)))
    waits = [(row["due_at"] - AT) / DAY for row in rows.values()]
    assert waits == [1, 2, 4, 30]


def test_what_is_gone_is_looked_at_again_after_a_month() -> None:
    rows = plan(listing(1, gone_at=ago(3), last_asked_at=ago(3)))
    assert rows[1]["due_at"] == AT + 27 * DAY


def test_a_listing_that_was_asked_and_never_answered_is_tried_again_after_its_rest() -> None:
    refused = {"first_answered_at": None, "last_answered_at": None, "answers": 0, "failures": 1}
    rows = plan(listing(1, **refused, last_asked_at=ago(0.5)))
    assert rows[1]["due_at"] == AT + 0.5 * DAY
    assert rows[1]["why"] == "failed the last time"


def test_films_that_were_first_asked_in_one_night_come_back_over_many() -> None:
    dead = {"first_answered_at": ago(3_000), "last_answered_at": ago(0), "last_asked_at": ago(0)}
    rows = plan(*(listing(number, **dead, votes=40, answers=30) for number in range(1, 601)))
    nights = pd.Series([row["due_at"].date() for row in rows.values()]).value_counts()
    assert len(nights) > 20
    assert nights.max() < 3 * len(rows) / len(nights)


# --- learning -------------------------------------------------------------------------------------


def unlike(*numbers: int) -> list[dict[str, Any]]:
    """Films of one age and popularity of which some change often, and most hardly ever."""
    return [listing(number, changes=(0, 0, 0, 2, 24)[number % 5]) for number in numbers]


def test_a_rate_is_learned_from_what_asking_showed() -> None:
    changes = [0, 3, 9, 18]
    rows = plan(*(listing(n, changes=c) for n, c in enumerate(changes)), *unlike(*range(10, 200)))
    every = [rows[number]["every_days"] for number in range(4)]
    assert every == sorted(every, reverse=True)
    assert every[3] == pytest.approx(360 / (36 * np.log(2)), rel=0.25), "half of 36 had changed"


def test_changes_between_two_answers_are_not_counted_as_one() -> None:
    """All of twelve answers, 30 days apart, differed: it changes oftener than once in 30 days."""
    rows = plan(listing(1, answers=13, changes=12), *unlike(*range(10, 200)))
    assert rows[1]["every_days"] < 20


def test_a_film_never_seen_to_change_is_taken_to_be_as_its_like_are() -> None:
    """Thousands of films show how age and votes tell; a new one has only those."""
    draw = np.random.default_rng(5)
    years = draw.integers(1960, 2025, 3_000)
    votes = 10 ** draw.uniform(2, 6, 3_000)
    rate = 0.02 * (votes / 1e5) ** 0.5 * (2026 - years) ** -0.8
    seen = draw.binomial(12, 1 - np.exp(-30 * rate))
    known = [
        listing(n, released_on=f"{y}-07-01", votes=v, answers=13, changes=c)
        for n, (y, v, c) in enumerate(zip(years, votes, seen, strict=True))
    ]
    rows = plan(*known, never(9_000, released_on="2016-07-01", votes=1e5))
    assert rows[9_000]["every_days"] == pytest.approx(1 / (0.02 * 10**-0.8), rel=0.3)


def test_rates_decay_between_answers_and_tonight() -> None:
    """A film that moved in its first month is not taken to move as fast years later."""
    first_month = {
        "released_on": "2023-01-01",
        "first_answered_at": "2023-01-02T03:00:00Z",
        "last_answered_at": "2023-02-01T03:00:00Z",
        "last_asked_at": "2023-02-01T03:00:00Z",
        "answers": 31,
        "changes": 20,
    }
    assert plan(listing(1, **first_month))[1]["every_days"] > 4


@pytest.mark.parametrize("votes", [-5.0, np.inf])
def test_votes_that_are_no_count_are_not_known_and_spoil_no_other_film(votes: float) -> None:
    films = [listing(number, changes=number) for number in range(2, 30)]
    odd, unknown = plan(listing(1, votes=votes), *films), plan(listing(1, votes=None), *films)
    for number, row in odd.items():
        assert row["priority"] == unknown[number]["priority"]
        assert row["due_at"] == unknown[number]["due_at"]


# --- whatever is known ----------------------------------------------------------------------------

times = st.none() | st.floats(0, 4_000).map(ago)
counts = st.none() | st.integers(0, 10**7)
anything = st.fixed_dictionaries(
    {},
    optional={
        "released_on": st.none() | st.sampled_from(["1895", "1972-03", "2026-11-21", "2031-01-01"]),
        "year": st.none() | st.integers(1880, 2040),
        "votes": counts,
        "votes_then": counts,
        "first_answered_at": times,
        "last_answered_at": times,
        "last_asked_at": times,
        "answers": counts,
        "changes": counts,
        "failures": st.none() | st.integers(0, 1_000),
        "gone_at": times,
        "changed_upstream": st.none() | st.booleans(),
        "tracked": st.booleans(),
    },
)


@settings(deadline=None)
@given(st.lists(anything, max_size=8))
def test_every_listing_gets_a_priority_a_time_and_a_reason_whatever_is_known(
    known: list[dict[str, Any]],
) -> None:
    listings = pd.DataFrame([{"listing_id": n, **row} for n, row in enumerate(known)])
    listings = listings.reindex(
        columns=["listing_id", *listings.columns.difference(["listing_id"])]
    )
    rows = schedule(listings, AT)
    assert rows["listing_id"].tolist() == list(range(len(known)))
    assert np.isfinite(rows["priority"].astype(float)).all()
    assert (rows["priority"] >= 0).all()
    assert rows["chance"].between(0, 1).all()
    assert (rows["every_days"] > 0).all()
    assert rows["wait_days"].between(FLOOR_HOURS / 24, CEILING_DAYS).all()
    assert rows[["due_at", "rested_at", "why"]].notna().all(axis=None)
    assert (rows["due_at"] >= rows["rested_at"]).all()
    if "last_asked_at" in listings:
        asked = pd.to_datetime(rows["last_asked_at"], format="ISO8601", utc=True)
        assert not (rows["due_at"] < asked + 0.5 * DAY).any()


@settings(deadline=None)
@given(st.permutations(range(12)), st.integers(0, 10**6))
def test_neither_the_order_of_rows_nor_that_of_numbers_tells(
    order_of_rows: list[int], offset: int
) -> None:
    rows = pd.DataFrame(
        [listing(offset + n, votes=10 * 3**n, changes=n, last_asked_at=ago(n)) for n in range(12)]
    )
    shuffled = rows.iloc[order_of_rows].reset_index(drop=True)
    first, second = schedule(rows, AT), schedule(shuffled, AT)
    assert (
        most_pressing(first)["listing_id"].tolist() == most_pressing(second)["listing_id"].tolist()
    )


@settings(deadline=None)
@given(st.lists(anything, min_size=1, max_size=8), st.data())
def test_what_is_usual_of_all_stands_for_the_others(
    known: list[dict[str, Any]], data: st.DataObject
) -> None:
    listings = pd.DataFrame([{"listing_id": n, **row} for n, row in enumerate(known)])
    some = data.draw(st.lists(st.sampled_from(range(len(known))), min_size=1, unique=True))
    alone = schedule(listings.iloc[some], AT, usual=usual_of(listings, AT)).reset_index(drop=True)
    among = schedule(listings, AT).iloc[some].reset_index(drop=True)
    times = ["due_at", "rested_at"]  # rounding moves them by nanoseconds
    assert ((alone[times] - among[times]).abs() < pd.Timedelta("1s")).all(axis=None)
    rest = alone.columns.difference(times)
    assert_frame_equal(alone[rest], among[rest], check_dtype=False)


# --- in the simulation ----------------------------------------------------------------------------

SMALL = {"number": 2_000, "requests": 100, "nights": 120}


WORLDS = (
    World("usual"),
    World("log-normal", tail=None),
    World("quiet: all could be kept up with", tail=None, changes=1 / 1_600),
)


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_small_year_is_far_fresher_than_oldest_first_and_near_the_policy_that_is_told(
    world: World,
) -> None:
    """Looser than the targets: 2,000 films and 120 nights leave less to learn from."""
    stale = {name: simulate(world, policy, 3, **SMALL) for name, policy in POLICIES.items()}
    ours, oldest = stale["ours"].morning, stale["oldest first"].morning
    assert ours.views < 0.25 * oldest.views
    assert ours.plain < 1.25 * oldest.plain
    assert ours.views < 1.6 * stale["told the rates"].morning.views
    assert stale["ours"].requests <= SMALL["requests"]

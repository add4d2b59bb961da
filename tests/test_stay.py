"""Whether to stay for the credits: one row a film, and a disagreement is shown, never averaged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count as counting
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import clock
from pipelines.database import transaction
from pipelines.films import Listed
from pipelines.merge import merge
from pipelines.tracking import track
from spiders.items import Credits, Outcome, Verdict
from tests.answers import LISTED, Kept, answer, day, keeping, record, refused
from tests.conftest import Afterscore
from tests.serving import served

Says = tuple[Verdict, Verdict]
YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A database that tracks one film, listed everywhere."""
    with keeping(tmp_path / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(*key) for key in LISTED.items()], "a test")
        yield kept


def say(
    kept: Kept, source: str, during: Verdict, after: Verdict, at: str = day(1), **more: Any
) -> None:
    """A source's page says this of the credits."""
    page = record(source, credits=Credits(during=during, after=after, **more))
    kept.tell(answer(page, at=at))


def told(kept: Kept) -> dict[str, Any]:
    """The film's row, or nothing where it has none."""
    kept.merge()
    rows = list(kept.db.query("SELECT * FROM stay_for_the_credits"))
    assert len(rows) <= 1
    return rows[0] if rows else {}


# --- what verdicts come to ----------------------------------------------------------------------

A, B, C, T = "aftercredits", "mediastinger", "whatsafterthemovie", "tmdb"
CASES: dict[str, tuple[Mapping[str, Says], tuple[str, str, str], list[str], list[str]]] = {
    "one says after": ({A: (NO, YES)}, ("yes", "no", "yes"), [A], []),
    "all say none": ({A: (NO, NO), B: (NO, NO)}, ("no", "no", "no"), [], [A, B]),
    "one place each": ({A: (NO, UNKNOWN), B: (UNKNOWN, NO)}, ("no", "no", "no"), [], [A, B]),
    "during only": ({A: (YES, NO)}, ("until_mid", "yes", "no"), [A], []),
    "during, after not known": ({A: (YES, UNKNOWN)}, ("until_mid", "yes", "unknown"), [A], []),
    "half an answer": ({A: (NO, UNKNOWN)}, ("unknown", "no", "unknown"), [], [A]),
    "nobody knows": ({A: (UNKNOWN, UNKNOWN)}, ("unknown", "unknown", "unknown"), [], []),
    "after is disputed": ({A: (NO, YES), B: (NO, NO)}, ("disputed", "no", "disputed"), [A], [B]),
    "two against one": (
        {A: (NO, YES), B: (NO, NO), C: (NO, YES)},
        ("disputed", "no", "disputed"),
        [A, C],
        [B],
    ),
    "during is disputed": ({A: (YES, NO), B: (NO, NO)}, ("disputed", "disputed", "no"), [A], [B]),
    "during is disputed, after is not": (
        {A: (YES, YES), B: (NO, UNKNOWN)},
        ("yes", "disputed", "yes"),
        [A],
        [B],
    ),
    "TMDB says yes": ({T: (UNKNOWN, YES)}, ("yes", "unknown", "yes"), [T], []),
    "TMDB cannot say no": ({T: (NO, NO)}, ("unknown", "unknown", "unknown"), [], []),
    "nor dispute a yes": ({T: (NO, NO), A: (NO, YES)}, ("yes", "no", "yes"), [A], []),
    "but it can be disputed": (
        {T: (UNKNOWN, YES), A: (NO, NO)},
        ("disputed", "no", "disputed"),
        [T],
        [A],
    ),
}


@pytest.mark.parametrize(("said", "comes_to", "yes", "no"), CASES.values(), ids=CASES)
def test_the_verdicts_of_all_listings_come_to_one(
    kept: Kept,
    said: Mapping[str, Says],
    comes_to: tuple[str, str, str],
    yes: Sequence[str],
    no: Sequence[str],
) -> None:
    for source, (during, after) in said.items():
        say(kept, source, during, after)
    row = told(kept)
    assert (row["stay"], row["during"], row["after"]) == comes_to
    assert json.loads(row["yes_sources"]) == sorted(yes)
    assert json.loads(row["no_sources"]) == sorted(no)


def test_a_film_of_which_nobody_says_anything_has_no_row(kept: Kept) -> None:
    assert told(kept) == {}


def test_scenes_are_those_of_who_counts_most_and_votes_add_up(kept: Kept) -> None:
    say(kept, A, YES, YES, scene_count=2)
    say(kept, B, NO, YES, scene_count=1)
    say(kept, C, UNKNOWN, YES, worth_staying=-40)
    row = told(kept)
    assert (row["scene_count"], row["worth_staying"]) == (2, -40)


def test_what_nobody_counts_is_not_nought(kept: Kept) -> None:
    say(kept, A, NO, YES)
    row = told(kept)
    assert (row["scene_count"], row["worth_staying"]) == (None, None)


def test_a_verdict_is_as_fresh_as_who_says_it(kept: Kept) -> None:
    say(kept, A, NO, YES, day(1))
    say(kept, A, NO, YES, day(4))
    say(kept, B, UNKNOWN, UNKNOWN, day(9))
    assert told(kept)["confirmed_at"] == day(4)


def test_a_listing_that_is_gone_says_no_more(kept: Kept) -> None:
    say(kept, T, UNKNOWN, YES)
    say(kept, A, NO, NO)
    for night in (2, 3, 4):
        kept.tell(refused(Outcome.NOT_FOUND, day(night), T))
    row = told(kept)
    assert (row["stay"], row["yes_sources"]) == ("no", "[]")
    for night in (2, 3, 4):
        kept.tell(refused(Outcome.NOT_FOUND, day(night), A))
    assert told(kept) == {}


def test_what_a_listing_said_of_another_film_is_not_said_of_this_one(kept: Kept) -> None:
    """Its page came to show another film on the fifth day, and has said nothing of that yet."""
    say(kept, A, NO, YES, day(1))
    run = kept.db.conn.execute
    (listing,) = kept.column("SELECT listing_id FROM listings WHERE source = ?", A)
    run("INSERT INTO films (title) VALUES ('Another')")
    run("UPDATE listing_films SET valid_to = ?, is_primary = 0 WHERE listing_id = ?",
        [day(5), listing])  # fmt: skip
    run("INSERT INTO listing_films (listing_id, film_id, valid_from, method)"
        " VALUES (?, 2, ?, 'evidence')", [listing, day(5)])  # fmt: skip
    assert told(kept) == {}


# --- whatever they say --------------------------------------------------------------------------

_numbers = counting(1)
ID_AT = {
    A: "2012/11/film-{}",
    B: "film-{}-after-the-credits",
    C: "movies/film-{}",
    T: "{}",
}
verdicts = st.dictionaries(
    st.sampled_from(sorted(ID_AT)), st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict))
)


def place(said: Sequence[str]) -> str:
    """One place, film by film: what the table must come to by other means."""
    if {"yes", "no"} <= set(said):
        return "disputed"
    return next((word for word in ("yes", "no") if word in said), "unknown")


@given(films=st.lists(verdicts, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_each_film_comes_to_what_its_own_verdicts_say(
    shared: Kept, films: Sequence[Mapping[str, Says]]
) -> None:
    numbers = []
    for said in films:
        number = next(_numbers)
        ids = {source: ID_AT[source].format(number) for source in said}
        listings = [Listed("imdb", f"tt{number:07}"), *(Listed(*key) for key in ids.items())]
        with transaction(shared.db):
            film_id, _ = track(shared.db, listings, "a test")
        numbers.append(film_id)
        for source, (during, after) in said.items():
            verdict = Credits(during=during, after=after)
            shared.tell(answer(record(source, ids[source], credits=verdict), at=day(1)))
    merge(shared.db, numbers)
    for film_id, said in zip(numbers, films, strict=True):
        rows = shared.rows(
            "SELECT stay, during, after, yes_sources, no_sources FROM stay_for_the_credits"
            " WHERE film_id = ?",
            film_id,
        )
        assert len(rows) == bool(said)
        for stay, *places, yes_sources, no_sources in rows:
            heard = {
                source: ["unknown" if source == T and word == "no" else str(word) for word in both]
                for source, both in said.items()
            }
            assert places == [place([both[n] for both in heard.values()]) for n in (0, 1)]
            says_yes = {source for source, both in heard.items() if "yes" in both}
            says_no = {source for source, both in heard.items() if "no" in both} - says_yes
            assert json.loads(yes_sources) == sorted(says_yes)
            assert json.loads(no_sources) == sorted(says_no)
            assert (stay == "no") == (places == ["no", "no"])
            assert (stay == "yes") == (places[1] == "yes")
            assert (stay == "until_mid") <= (places[0] == "yes")


# --- as people see it ---------------------------------------------------------------------------


def test_the_card_says_that_sources_disagree_and_who_says_what(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(*key) for key in LISTED.items()], "a test")
        say(kept, A, NO, YES)
        say(kept, B, NO, NO)
        kept.merge()
    card = afterscore("film", LISTED["imdb"]).out
    assert "Sources disagree" in card
    assert "yes: AfterCredits.com\n" in card
    assert "no: MediaStinger\n" in card
    printed = afterscore("film", LISTED["imdb"], "--json").json["credits"]
    assert (printed["stay"], printed["yes_sources"]) == ("disputed", [A])


def test_it_is_told_when_it_was_last_seen_as_of_now(afterscore: Afterscore) -> None:
    """By the card, the JSON and the site's list; a quiet night is no reason to merge a film."""
    longer_ago, yesterday = (clock.later(clock.now(), days=-days, hours=-1) for days in (30, 1))
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(*key) for key in LISTED.items()], "a test")
        say(kept, A, NO, YES, longer_ago)
        say(kept, B, UNKNOWN, UNKNOWN, longer_ago)
        kept.merge()
        say(kept, A, NO, YES, yesterday)
        say(kept, B, UNKNOWN, UNKNOWN, clock.now())
        assert kept.column("SELECT confirmed_at FROM stay_for_the_credits") == [longer_ago]
    assert "after the credits, seen 1 day ago\n" in afterscore("film", LISTED["imdb"]).out
    printed = afterscore("film", LISTED["imdb"], "--json").json["credits"]
    assert printed["confirmed_at"] == yesterday
    with served(afterscore) as client:
        (row,) = client.get("/credits.json").json()["rows"]
        assert row["confirmed_at"] == yesterday


def test_sources_that_each_know_of_another_scene_disagree_on_both(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(*key) for key in LISTED.items()], "a test")
        say(kept, A, YES, NO)
        say(kept, B, NO, YES)
        kept.merge()
    assert afterscore("explain", LISTED["imdb"], "--json").json["disagreements"] == [
        "a scene during the credits: AfterCredits.com says there is one,"
        " MediaStinger says there is none",
        "a scene after the credits: MediaStinger says there is one,"
        " AfterCredits.com says there is none",
    ]

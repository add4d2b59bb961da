"""What is stored of an answer: only what is new, never over what is good, and all of it once."""

from __future__ import annotations

from itertools import count as counting
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from pipelines.database import transaction
from pipelines.films import Listed
from pipelines.tracking import track
from spiders.items import Answer, Credits, Outcome, Record, Score, Verdict
from tests.answers import (
    LISTED,
    READER,
    Kept,
    answer,
    day,
    keeping,
    missing,
    not_rated,
    record,
    refused,
    scored,
    tomatometer,
)
from tests.conftest import Afterscore

quick = settings(deadline=None, max_examples=50)


_numbers = counting(1)


def new_listing() -> str:
    return f"m/film_{next(_numbers)}"


# --- live answers: written only where they differ -----------------------------------------------


def test_the_same_answer_again_writes_no_observation(kept: Kept) -> None:
    first = kept.tell(tomatometer(scored(93, 300), day(1)))
    second = kept.tell(tomatometer(scored(93, 300), day(2)))
    assert kept.observed() == [(day(1), "scored", 93, 300)]
    assert (first.counts["changed"], second.counts["changed"]) == (1, 0)
    assert kept.confirmed() == [day(2)]
    assert kept.score()["observed_at"] == day(1)


def test_another_value_or_state_is_written(kept: Kept) -> None:
    said = [not_rated(), scored(100, 5), scored(93, 5)]
    kept.tell(*(tomatometer(score, day(n)) for n, score in enumerate(said, 1)))
    assert [row[1:3] for row in kept.observed()] == [
        ("not_rated", None),
        ("scored", 100),
        ("scored", 93),
    ]
    assert kept.score()["changed_at"] == day(3)


def test_what_changed_is_told_with_what_it_was_before(kept: Kept) -> None:
    tally = kept.tell(tomatometer(scored(92), day(1)), tomatometer(scored(93), day(2)))
    assert [(change.before, change.after) for change in tally.changes] == [
        (None, "92"),
        ("92", "93"),
    ]


@given(votes=st.lists(st.one_of(st.integers(1_000, 1_100), st.integers(1_000, 1_025)), min_size=2))
@quick
def test_votes_alone_are_written_once_they_moved_by_one_per_cent(
    shared: Kept, votes: list[int]
) -> None:
    """Measured from the last recorded count, so that a slow drift is written too."""
    listing = new_listing()
    shared.tell(*(tomatometer(scored(93, n), day(i), listing) for i, n in enumerate(votes)))
    expected = [votes[0]]
    for number in votes:
        if abs(number - expected[-1]) * 100 >= expected[-1]:
            expected.append(number)
    written = shared.column(
        "SELECT votes FROM score_observations JOIN listings USING (listing_id)"
        " WHERE source_id = ? ORDER BY observed_at",
        listing,
    )
    assert written == expected
    assert shared.score(source_id=listing)["votes"] == expected[-1]


def test_a_page_without_a_count_leaves_the_count_standing(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(93, None), day(2)))
    assert len(kept.observed()) == 1
    assert kept.score()["votes"] == 300


answers = st.lists(
    st.one_of(
        st.builds(scored, st.sampled_from([0, 50, 93, 101]), st.sampled_from([40, 100, 300])),
        st.just(not_rated()),
        st.just(missing()),
        st.sampled_from([Outcome.BLOCKED, Outcome.NOT_FOUND, Outcome.UNREADABLE]),
    ),
    min_size=1,
    max_size=8,
)


@given(said=answers)
@quick
def test_observations_are_only_ever_added_to(shared: Kept, said: list[Score | Outcome]) -> None:
    listing = new_listing()
    before: list[tuple[object, ...]] = []
    for night, what in enumerate(said):
        shared.tell(
            refused(what, day(night), source_id=listing)
            if isinstance(what, Outcome)
            else tomatometer(what, day(night), listing)
        )
        now = shared.rows(
            "SELECT o.* FROM score_observations o JOIN listings USING (listing_id)"
            " WHERE source_id = ? ORDER BY o.rowid",
            listing,
        )
        assert now[: len(before)] == before
        before = now


# --- confirmations ------------------------------------------------------------------------------


def test_a_304_confirms_what_the_last_full_answer_said(kept: Kept) -> None:
    said = record(scores={"tomatometer": scored(93)}, credits=Credits(after=Verdict.NO))
    kept.tell(answer(said, at=day(1), etag='"1"'))
    kept.tell(answer(said, at=day(2), records=(), unchanged=True, http_status=304))
    assert kept.confirmed() == [day(2)]
    assert kept.confirmed("credits") == [day(2)]
    assert len(kept.observed()) == 1
    assert kept.rows("SELECT etag, last_status FROM urls") == [('"1"', 304)]


def test_a_304_does_not_confirm_what_the_last_answer_lacked(kept: Kept) -> None:
    kept.tell(
        tomatometer(scored(93), day(1), etag='"1"'),
        tomatometer(missing(), day(2), etag='"2"'),
        tomatometer(missing(), day(3), records=(), unchanged=True, http_status=304),
    )
    assert kept.confirmed() == [day(1)]
    assert kept.score()["last_attempt_state"] == "missing"


def test_what_is_missing_again_is_no_news_but_its_time_is_kept(kept: Kept) -> None:
    first = kept.tell(tomatometer(missing(), day(1)))
    second = kept.tell(tomatometer(missing(), day(2)))
    assert (len(first.touched), len(second.touched)) == (1, 0)
    assert kept.score()["last_attempt_at"] == day(2)
    assert kept.row("SELECT confirmed_at FROM standing_scores") == (day(2),)
    assert kept.confirmed() == []


def dataset(at: str, *titles: str, complete: bool = True, unchanged: bool = False) -> Answer:
    """IMDb's dataset with the same figures for each title."""
    records = tuple(
        record("imdb", title, scores={"imdb_rating": scored(7.8, 700_000, 10)}) for title in titles
    )
    return answer(
        record("imdb"),
        at=at,
        target="dataset",
        asked_url="https://datasets.imdbws.com/title.ratings.tsv.gz",
        records=records,
        complete=complete,
        unchanged=unchanged,
    )


FOO, BAR = "tt0000001", "tt0000002"


def test_a_304_does_not_confirm_what_a_dataset_said_since(kept: Kept) -> None:
    page = record("imdb", FOO, scores={"imdb_rating": scored(8.1, 1_000, 10)})
    kept.tell(answer(page, at=day(1), etag='"1"'), dataset(day(2), FOO))
    kept.tell(answer(page, at=day(3), records=(), unchanged=True, http_status=304))
    assert kept.score("imdb_rating", FOO)["value"] == 7.8
    assert kept.confirmed("imdb_rating") == [day(2)]


def test_a_dataset_confirms_all_its_scores_in_one_row(kept: Kept) -> None:
    kept.tell(dataset(day(1), FOO, BAR), dataset(day(2), FOO, BAR))
    assert kept.confirmed("imdb_rating") == [day(2), day(2)]
    assert kept.rows("SELECT * FROM dataset_confirmations") == [("imdb", day(2))]
    assert kept.rows("SELECT * FROM confirmations") == []
    assert kept.column("SELECT DISTINCT origin FROM score_observations") == ["dataset"]


def test_a_title_absent_from_the_dataset_keeps_its_time(kept: Kept) -> None:
    kept.tell(dataset(day(1), FOO, BAR), dataset(day(2), FOO, BAR), dataset(day(3), FOO))
    assert kept.confirmed("imdb_rating") == [day(3), day(2)]
    kept.tell(dataset(day(4), FOO))
    assert kept.confirmed("imdb_rating") == [day(4), day(2)]
    kept.tell(dataset(day(5), FOO, BAR))
    assert kept.confirmed("imdb_rating") == [day(5), day(5)]
    assert len(kept.observed("imdb_rating")) == 2


def test_a_dataset_in_parts_confirms_with_the_last_of_them(kept: Kept) -> None:
    kept.tell(dataset(day(1), FOO, BAR))
    kept.tell(dataset(day(2), FOO, complete=False))
    assert kept.confirmed("imdb_rating") == [day(1), day(1)]
    kept.tell(dataset(day(2), BAR))
    assert kept.confirmed("imdb_rating") == [day(2), day(2)]


def test_of_a_first_dataset_that_broke_off_each_title_has_its_own_time(tmp_path: Path) -> None:
    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(dataset(day(1), FOO, BAR, complete=False))
    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(dataset(day(2), FOO))
        assert kept.confirmed("imdb_rating") == [day(2), day(1)]


def test_an_unchanged_dataset_confirms_what_it_held(kept: Kept) -> None:
    kept.tell(dataset(day(1), FOO, BAR), dataset(day(2), FOO), dataset(day(3), unchanged=True))
    assert kept.confirmed("imdb_rating") == [day(3), day(1)]


# --- listings that are gone ---------------------------------------------------------------------


def gone_at(kept: Kept) -> str | None:
    found: str | None = kept.row("SELECT gone_at FROM listings")[0]
    return found


def test_a_listing_is_gone_after_404_on_three_runs(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93), day(1)))
    kept.tell(*(refused(Outcome.NOT_FOUND, day(n)) for n in (2, 3)))
    assert gone_at(kept) is None
    kept.tell(refused(Outcome.NOT_FOUND, day(4)))
    assert gone_at(kept) == day(4)
    kept.tell(refused(Outcome.NOT_FOUND, day(5)))
    assert gone_at(kept) == day(4)
    assert (kept.score()["value"], kept.score()["last_attempt_state"]) == (93, "not_found")


def test_a_listing_that_answers_again_is_not_gone(kept: Kept) -> None:
    kept.tell(*(refused(Outcome.NOT_FOUND, day(n)) for n in (1, 2, 3)))
    kept.tell(tomatometer(scored(93), day(4)))
    assert gone_at(kept) is None
    kept.tell(*(refused(Outcome.NOT_FOUND, day(n)) for n in (5, 6)))
    assert gone_at(kept) is None


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.ERROR, Outcome.UNREADABLE])
def test_only_a_404_says_that_a_listing_is_gone(kept: Kept, outcome: Outcome) -> None:
    kept.tell(*(refused(outcome, day(n)) for n in range(1, 6)))
    assert gone_at(kept) is None


# --- credits: lists show one place only ---------------------------------------------------------

DURING = Credits(during=Verdict.YES)
NOT_AFTER = Credits(after=Verdict.NO)
BONUS = Credits(extras=("bonus_scene",))
NOTHING = Credits()


def listed(said: Credits, at: str, listing: str = LISTED["mediastinger"]) -> Answer:
    """A page of a list of films, which says one thing of each."""
    url = f"https://mediastinger.com/type-of-stinger/{said.during}-{said.after}/page/1/"
    return answer(
        record("mediastinger", listing, url=url, credits=said), at=at, target="list", asked_url=url
    )


def verdicts(kept: Kept, listing: str = LISTED["mediastinger"]) -> list[tuple[object, ...]]:
    return kept.rows(
        "SELECT during, after, extras FROM credits_verdicts JOIN listings USING (listing_id)"
        " WHERE source_id = ? ORDER BY observed_at, credits_verdicts.rowid",
        listing,
    )


def test_lists_fill_in_what_other_lists_leave_open(kept: Kept) -> None:
    kept.tell(listed(DURING, day(1)), listed(NOT_AFTER, day(1)), listed(BONUS, day(1)))
    assert kept.rows("SELECT during, after, extras FROM standing_verdicts") == [
        ("yes", "no", '["bonus_scene"]')
    ]


@pytest.mark.parametrize("order", list(permutations([DURING, NOT_AFTER, BONUS, NOTHING])))
def test_a_list_never_makes_unknown_what_is_known(shared: Kept, order: tuple[Credits, ...]) -> None:
    listing = f"{next(_numbers)}-after-the-credits"
    shared.tell(*(listed(said, day(1), listing) for said in order))
    known = verdicts(shared, listing)
    for place in (0, 1):
        said = [row[place] for row in known]
        assert said == sorted(said, key=lambda verdict: verdict != "unknown")
    assert known[-1] == ("yes", "no", '["bonus_scene"]')
    tally = shared.tell(*(listed(said, day(2), listing) for said in order))
    assert verdicts(shared, listing) == known
    assert tally.counts["changed"] == 0


def test_a_verdict_that_turns_round_is_held(kept: Kept) -> None:
    page = record("mediastinger", credits=NOT_AFTER)
    turned = record("mediastinger", credits=Credits(after=Verdict.YES))
    kept.tell(answer(page, at=day(1)), answer(turned, at=day(2)))
    assert [row[1] for row in verdicts(kept)] == ["no"]
    assert [topic for topic, _, _ in kept.held()] == ["credits"]
    kept.tell(answer(page, at=day(3)))
    assert [decision for _, _, decision in kept.held()] == ["superseded"]


# --- what is held back --------------------------------------------------------------------------

HELD = {
    "out of scale": scored(101, 300),
    "not rated any more": not_rated(),
    "votes fell by half": scored(93, 149),
}


@pytest.mark.parametrize("score", HELD.values(), ids=HELD)
def test_what_is_unlikely_is_held_and_the_last_good_value_stands(kept: Kept, score: Score) -> None:
    kept.tell(tomatometer(scored(93, 300), day(1)))
    tally = kept.tell(tomatometer(score, day(2)), tomatometer(score, day(3)))
    stands = kept.score()
    assert (stands["value"], stands["votes"], stands["observed_at"]) == (93, 300, day(1))
    assert (stands["last_attempt_state"], stands["last_attempt_at"]) == ("held", day(3))
    assert kept.confirmed() == [day(1)]
    assert len(kept.observed()) == 1
    assert tally.counts["held"] == 2
    assert kept.rows("SELECT held_at, last_held_at, times_held FROM quarantine") == [
        (day(2), day(3), 2)
    ]


@pytest.mark.parametrize("score", HELD.values(), ids=HELD)
def test_a_later_good_answer_settles_what_was_held(kept: Kept, score: Score) -> None:
    kept.tell(*(tomatometer(what, day(n)) for n, what in enumerate([scored(93, 300), score], 1)))
    kept.tell(tomatometer(scored(92, 310), day(3)))
    assert [decision for _, _, decision in kept.held()] == ["superseded"]
    assert kept.score()["value"] == 92


def test_a_count_shown_as_a_band_has_not_fallen(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93, 82_000), day(1)))
    kept.tell(tomatometer(scored(93, 25_000, votes_at_least=True), day(2)))
    assert kept.held() == []
    assert kept.score()["votes_at_least"] == 1


def another_film(at: str, source_id: str = "m/skyfall") -> Answer:
    """The page of a film with nothing in common, under the address of Skyfall."""
    said = record(
        source_id=source_id, title="Up", year=2009, scores={"tomatometer": scored(98, 300)}
    )
    asked = "https://www.rottentomatoes.com/m/skyfall"
    return answer(said, at=at, asked_url=asked, asked_source_id="m/skyfall", etag='"up"')


@pytest.mark.parametrize("source_id", ["m/skyfall", "m/up"])
def test_the_page_of_another_film_is_held(kept: Kept, source_id: str) -> None:
    with transaction(kept.db):
        film_id, _ = track(kept.db, [Listed("rottentomatoes", "m/skyfall")], "m/skyfall")
    good = record(title="Skyfall", year=2012, scores={"tomatometer": scored(93, 300)})
    kept.tell(answer(good, at=day(1)))
    kept.merge()
    kept.tell(another_film(day(2), source_id))
    kept.merge()
    assert kept.row("SELECT title, tomatometer FROM film_scores") == ("Skyfall", 93)
    assert kept.score()["last_attempt_state"] == "held"
    assert kept.row("SELECT etag FROM urls") == (None,)
    held = kept.row(
        "SELECT film_id, decision FROM quarantine JOIN listing_films USING (listing_id)"
    )
    assert held == (film_id, None)
    kept.tell(answer(good, at=day(3)))
    assert [decision for _, _, decision in kept.held()] == ["superseded"]


def test_a_redirect_says_that_two_addresses_are_one_listing(kept: Kept) -> None:
    """The site itself leads from the one to the other: no page of another film."""
    said = record(source_id="m/skyfall_2012", scores={"tomatometer": scored(93)})
    kept.tell(
        answer(
            said,
            at=day(1),
            asked_source_id="m/skyfall",
            asked_url="https://www.rottentomatoes.com/m/skyfall",
            url="https://www.rottentomatoes.com/m/skyfall_2012",
        )
    )
    assert kept.score(source_id="m/skyfall_2012")["value"] == 93
    assert kept.held() == []
    stated = kept.rows(
        "SELECT l.source_id, i.source_id FROM listing_identifiers i JOIN listings l"
        " USING (listing_id)"
    )
    assert stated == [("m/skyfall", "m/skyfall_2012")]


def test_a_person_sees_what_is_held(tmp_path: Path) -> None:
    with keeping(tmp_path / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed("rottentomatoes", "m/skyfall")], "m/skyfall")
        kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(101, 300), day(2)))
        kept.merge()
    afterscore = Afterscore(tmp_path)
    (held,) = afterscore("quarantine", "list", "--json").json
    assert (held["topic"], held["reason"]) == (
        "tomatometer",
        "out of scale: 101 on a scale of 0–100",
    )
    card = afterscore("film", "rottentomatoes:m/skyfall").out
    assert "93 %" in card
    assert "out of scale" in card


# --- validators ---------------------------------------------------------------------------------


def etag(kept: Kept) -> str | None:
    found: str | None = kept.row("SELECT etag FROM urls")[0]
    return found


BAD_ANSWERS = {
    **{o.value: refused(o, day(2), etag='"2"') for o in Outcome if o is not Outcome.OK},
    "held": tomatometer(scored(101), day(2), etag='"2"'),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_validators_are_kept_only_of_answers_stored_in_full(kept: Kept, bad: Answer) -> None:
    """A 304 to the validator of a failure would confirm the failure."""
    kept.tell(tomatometer(scored(93), day(1), etag='"1"', last_modified="Thu, 01 Jan 2026"))
    assert kept.row("SELECT etag, last_modified, reader_version, failures FROM urls") == (
        '"1"',
        "Thu, 01 Jan 2026",
        READER,
        0,
    )
    kept.tell(bad)
    assert kept.row("SELECT etag, last_modified FROM urls") == (None, None)
    kept.tell(tomatometer(scored(93), day(3), etag='"3"'))
    assert kept.row("SELECT etag, failures FROM urls") == ('"3"', 0)


def test_failures_are_counted_in_a_row(kept: Kept) -> None:
    kept.tell(*(refused(Outcome.ERROR, day(n)) for n in (1, 2, 3)))
    assert kept.row("SELECT failures, last_outcome FROM urls") == (3, "error")
    kept.tell(tomatometer(scored(93), day(4)))
    assert kept.row("SELECT failures, last_outcome FROM urls") == (0, "ok")


def test_part_of_a_dataset_is_no_answer_in_full(kept: Kept) -> None:
    part = dataset(day(1), FOO, complete=False).model_copy(update={"etag": '"1"'})
    kept.tell(part)
    assert etag(kept) is None


# --- relayed scores, and what is no film --------------------------------------------------------


def relaying(at: str) -> Record:
    relayed = {
        "tomatometer": scored(91, 5, relayed=True),
        "imdb_rating": scored(7.7, 5, 10, relayed=True),
    }
    return record("whatsafterthemovie", scores=relayed, imdb_id=LISTED["imdb"])


def test_a_relayed_score_is_kept_but_never_the_score(kept: Kept) -> None:
    with transaction(kept.db):
        track(kept.db, [Listed("imdb", LISTED["imdb"])], LISTED["imdb"])
    tally = kept.tell(answer(relaying(day(1)), at=day(1)))
    kept.match()
    assert kept.rows("SELECT score_kind, value FROM scores WHERE relayed ORDER BY 1") == [
        ("imdb_rating", 7.7),
        ("tomatometer", 91),
    ]
    assert kept.row("SELECT tomatometer, imdb_rating FROM film_scores") == (None, None)
    assert tally.changes == []


def test_a_relayed_score_stands_beside_the_sites_own(kept: Kept) -> None:
    with transaction(kept.db):
        track(kept.db, [Listed("rottentomatoes", "m/skyfall"), Listed("imdb", LISTED["imdb"])], "")
    kept.tell(tomatometer(scored(93), day(1)), answer(relaying(day(2)), at=day(2)))
    kept.match()
    assert kept.row("SELECT tomatometer, tomatometer_confirmed_at FROM film_scores") == (93, day(1))


def test_a_game_or_a_series_gives_no_score(kept: Kept) -> None:
    game = record("metacritic", "movie/doom", outcome=Outcome.NOT_A_FILM, kind="game",
                  scores={"metascore": scored(88)})  # fmt: skip
    kept.tell(answer(game, at=day(1)))
    assert kept.rows("SELECT kind FROM listings") == [("game",)]
    assert kept.rows("SELECT * FROM scores") == []


# --- what we rely on, and must not --------------------------------------------------------------


def test_a_mixed_upsert_of_sqlite_utils_writes_null_where_a_record_says_nothing() -> None:
    """Its issue 873: no partial records in one batch. If this fails, it has been mended there."""
    db = Database(memory=True)
    films = db.table("films")
    films.upsert_all([{"id": 1, "title": "Up", "year": 2009}], pk="id")
    films.upsert_all([{"id": 1, "title": "Up!"}, {"id": 2, "title": "Dune", "year": 2021}], pk="id")
    assert list(films.rows) == [
        {"id": 1, "title": "Up!", "year": None},
        {"id": 2, "title": "Dune", "year": 2021},
    ]

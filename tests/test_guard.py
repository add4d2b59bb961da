"""The guard on one record: what others' worst nights stored is held, what films do passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.guard import as_standing, doubt, follows
from pipelines.quarantine import decide
from spiders.items import Credits, Score, Verdict
from tests.answers import Kept, answer, day, not_rated, record, scored, tomatometer

quick = settings(deadline=None, max_examples=60)
listings = iter(range(1_000_000))


def page(at: float, scores: dict[str, Score], source_id: str = "m/skyfall") -> Any:
    """The answer of a Rotten Tomatoes page with these scores."""
    return answer(record(source_id=source_id, scores=scores), at=day(at))


def verdict(at: float, **said: Any) -> Any:
    """The answer of an AfterCredits page."""
    return answer(record("aftercredits", credits=Credits(**said)), at=day(at))


# --- what is held -------------------------------------------------------------------------------

BAND = {"votes_at_least": True}
CRITICS, AUDIENCE = scored(93, 349), scored(88, 25_000, **BAND)

HELD: dict[str, tuple[dict[str, Score], dict[str, Score], str, str]] = {
    "below the scale": ({}, {"tomatometer": scored(-1, 5)}, "tomatometer", "out of scale: -1"),
    "a perfect score from one vote": (
        {"popcornmeter": not_rated()},
        {"popcornmeter": scored(100, 1)},
        "popcornmeter",
        "a perfect score (100) from one vote",
    ),
    "unrated": (
        {"tomatometer": CRITICS},
        {"tomatometer": not_rated(votes=0)},
        "tomatometer",
        "was scored 93 and now says not rated",
    ),
    "votes fall": (
        {"tomatometer": scored(93, 349)},
        {"tomatometer": scored(93, 300)},
        "tomatometer",
        "votes fell from 349 to 300",
    ),
    "a band falls": (
        {"popcornmeter": AUDIENCE},
        {"popcornmeter": scored(88, 250, **BAND)},
        "popcornmeter",
        "votes fell from 25,000 to 250",
    ),
    "a jump without votes": (
        {"tomatometer": CRITICS},
        {"tomatometer": scored(39, 351)},
        "tomatometer",
        "moved from 93 (349 votes) to 39 (351 votes); the votes explain 87.7 to 96.2",
    ),
    "a jump within a band": (
        {"popcornmeter": AUDIENCE},
        {"popcornmeter": scored(8, 25_000, **BAND)},
        "popcornmeter",
        "moved from 88 (25,000+ votes) to 8 (25,000+ votes)",
    ),
    "a jump without a count": (
        {"tomatometer": CRITICS},
        {"tomatometer": scored(9, None)},
        "tomatometer",
        "moved from 93 (349 votes) to 9 (votes not shown)",
    ),
    "the audience's figure in the critics' place": (
        {"tomatometer": CRITICS, "popcornmeter": AUDIENCE},
        {"tomatometer": AUDIENCE},
        "tomatometer",
        "349 critics have become 25,000",
    ),
    "the audience's figure in the critics' place, a small film": (
        {"tomatometer": scored(60, 35), "popcornmeter": scored(78, 812)},
        {"tomatometer": scored(78, 815), "popcornmeter": scored(78, 815)},
        "tomatometer",
        "78 (815 votes) is what the other side's figure was",
    ),
    "one figure in both places": (
        {"tomatometer": scored(60, 35)},
        {"tomatometer": scored(78, 815), "popcornmeter": scored(78, 815)},
        "tomatometer",
        "78 (815 votes) is the other side's figure on the same page",
    ),
    "both change places": (
        {"tomatometer": scored(60, 30), "popcornmeter": scored(78, 500, **BAND)},
        {"tomatometer": scored(78, 530), "popcornmeter": scored(60, 1_000, **BAND)},
        "tomatometer",
        "78 (530 votes) and the other side's figure changed places",
    ),
    "another basis": (
        {"popcornmeter": scored(45, 80_000, basis="all")},
        {"popcornmeter": scored(78, 5_000, basis="verified", **BAND)},
        "popcornmeter",
        "45 was of all votes, 78 is of verified",
    ),
}


@pytest.mark.parametrize(("before", "after", "kind", "reason"), HELD.values(), ids=HELD)
def test_a_false_figure_is_held_and_the_last_good_one_stands(
    kept: Kept, before: dict[str, Score], after: dict[str, Score], kind: str, reason: str
) -> None:
    kept.tell(page(1, before))
    stood = kept.rows("SELECT state, value, votes FROM scores WHERE score_kind = ?", kind)
    kept.tell(page(2, after))
    assert kept.rows("SELECT state, value, votes FROM scores WHERE score_kind = ?", kind) == stood
    held = {topic: why for topic, why, _ in kept.held()}
    assert held[kind].startswith(reason)
    attempts = kept.column("SELECT last_attempt_state FROM scores WHERE score_kind = ?", kind)
    assert attempts == ["held"] * len(stood)


def test_what_is_held_stands_with_its_true_age(kept: Kept) -> None:
    kept.tell(tomatometer(CRITICS, day(1)), tomatometer(CRITICS, day(2)))
    kept.tell(tomatometer(scored(39, 351), day(3)))
    assert kept.confirmed() == [day(2)]
    assert kept.rows("SELECT last_attempt_state, last_attempt_at FROM freshness") == [
        ("held", day(3))
    ]


def test_a_film_held_in_a_dataset_is_not_confirmed_by_it(kept: Kept) -> None:
    """Nor by a 304 of the next night: the validator of a dataset that was held in part is gone."""
    good = record("imdb", "tt1", scores={"imdb_rating": scored(7.8, 760_000, 10)})
    other = record("imdb", "tt2", scores={"imdb_rating": scored(6.1, 41_000, 10)})
    bad = record("imdb", "tt1", scores={"imdb_rating": scored(2.8, 760_100, 10)})
    told = {"target": "dataset", "asked_url": "https://datasets.imdbws.com/title.ratings.tsv.gz"}
    kept.tell(answer(good, other, at=day(1), etag='"1"', **told))
    kept.tell(
        answer(bad, at=day(2), complete=False, **told),
        answer(other, at=day(2), etag='"2"', **told),
    )
    assert kept.confirmed("imdb_rating") == [day(1), day(2)]
    assert kept.row("SELECT etag FROM urls") == (None,)


def test_one_case_is_open_for_one_figure(kept: Kept) -> None:
    kept.tell(tomatometer(CRITICS, day(1)))
    kept.tell(*(tomatometer(scored(value, 351), day(2)) for value in (20, 20, 50)))
    assert kept.rows("SELECT decision, times_held FROM quarantine ORDER BY quarantine_id") == [
        ("superseded", 2),
        (None, 1),
    ]


# --- what passes --------------------------------------------------------------------------------

FINE: dict[str, tuple[Score, Score]] = {
    "the same again": (CRITICS, CRITICS),
    "a review more": (CRITICS, scored(92, 350)),
    "reviews taken back": (CRITICS, scored(94, 345)),
    "few reviews, one of them changed": (scored(50, 6), scored(33, 6)),
    "the first reviews": (scored(100, 2), scored(40, 5)),
    "a review-bombing weekend": (scored(88, 1_200), scored(31, 9_000)),
    "a review-bombing weekend, in bands": (
        scored(88, 1_000, **BAND),
        scored(31, 5_000, **BAND),
    ),
    "from a count to a band": (scored(88, 82_000), scored(88, 25_000, **BAND)),
    "from a band to a count": (scored(88, 25_000, **BAND), scored(87, 31_406)),
    "another basis that says the same": (
        scored(88, 80_000, basis="all"),
        scored(89, 5_000, basis="verified", **BAND),
    ),
    "a count that is no longer shown": (CRITICS, scored(92, None)),
    "years between two looks": (scored(90, 20), scored(55, 300)),
    "a true 0 becomes a low figure": (scored(0, 12), scored(3, 31)),
    "a perfect score from a few": (not_rated(), scored(100, 5)),
}


@pytest.mark.parametrize(("before", "after"), FINE.values(), ids=FINE)
def test_what_films_do_passes(kept: Kept, before: Score, after: Score) -> None:
    kept.tell(page(1, {"popcornmeter": before}), page(2, {"popcornmeter": after}))
    assert kept.held() == []
    assert kept.score("popcornmeter")["value"] == after.value


@st.composite
def evolutions(draw: st.DrawFn) -> list[tuple[float, int]]:
    """Night by night the mean of all votes so far (0–1), weighted, and their number.

    Each night brings any number of votes, at any mean, each of which weighs from one to three of
    the first: a release, a quiet year, a review bombing, a site that trusts newcomers less.
    """
    number = draw(st.integers(2, 3_000))
    total = weight = float(number)
    total *= draw(st.floats(0, 1))
    nights = [(total / weight, number)]
    for _ in range(draw(st.integers(1, 6))):
        added = draw(st.one_of(st.integers(0, 20), st.integers(0, 20_000)))
        heavy = added * draw(st.floats(1, 3)) * weight / number
        total += heavy * draw(st.floats(0, 1))
        weight += heavy
        number += added
        nights.append((total / weight, number))
    return nights


@given(nights=evolutions(), of_ten=st.booleans())
@quick
def test_no_honest_evolution_of_a_figure_is_ever_held(
    shared: Kept, nights: Sequence[tuple[float, int]], of_ten: bool
) -> None:
    """Whatever votes come, a figure that is their rounded mean passes every night."""
    number = next(listings)
    source, kind, source_id = "rottentomatoes", "popcornmeter", f"m/{number}"
    scale, decimals = 100, 0
    if of_ten:
        source, kind, source_id = "imdb", "imdb_rating", f"tt{number:07}"
        scale, decimals = 10, 1
    tally = shared.tell(
        *(
            answer(
                record(
                    source,
                    source_id,
                    scores={kind: scored(round(mean * scale, decimals), votes, scale)},
                ),
                at=day(night),
            )
            for night, (mean, votes) in enumerate(nights)
        )
    )
    assert tally.counts["held"] == 0


@given(
    votes=st.integers(100, 1_000_000),
    added=st.floats(0, 0.01),
    was=st.integers(0, 100),
    now=st.integers(0, 100),
)
@quick
def test_a_figure_that_moves_far_on_a_hundredth_more_votes_is_held(
    shared: Kept, votes: int, added: float, was: int, now: int
) -> None:
    if abs(now - was) < 12:
        now = was + 12 if was < 50 else was - 12
    source_id = f"m/{next(listings)}"
    then, later = scored(was, votes), scored(now, votes + int(votes * added))
    shared.tell(page(1, {"popcornmeter": then}, source_id))
    tally = shared.tell(page(2, {"popcornmeter": later}, source_id))
    assert tally.counts["held"] == 1
    assert shared.score("popcornmeter", source_id)["value"] == was


# --- verdicts -----------------------------------------------------------------------------------


def test_a_verdict_whose_votes_fall_to_nothing_is_held(kept: Kept) -> None:
    kept.tell(verdict(1, after=Verdict.YES, worth_staying=25, worth_staying_votes=27))
    kept.tell(verdict(2, after=Verdict.YES, worth_staying=0, worth_staying_votes=0))
    assert [(topic, why) for topic, why, _ in kept.held()] == [
        ("credits", "votes on staying fell from 27 to 0")
    ]
    assert kept.rows("SELECT worth_staying_votes FROM standing_verdicts") == [(27,)]


def test_more_net_votes_than_votes_are_held(kept: Kept) -> None:
    kept.tell(verdict(1, after=Verdict.YES, worth_staying=40, worth_staying_votes=12))
    assert [why for _, why, _ in kept.held()] == ["a net vote of 40 from 12 votes"]
    assert kept.rows("SELECT * FROM credits_verdicts") == []


# --- what releases itself -------------------------------------------------------------------------

MOVED = scored(60, 351)


def decisions(kept: Kept) -> list[str | None]:
    return [decision for _, _, decision in kept.held()]


def test_a_change_that_is_seen_on_three_nights_releases_itself_and_says_so(kept: Kept) -> None:
    kept.tell(tomatometer(CRITICS, day(1)))
    tally = kept.tell(*(tomatometer(MOVED, day(night)) for night in (2, 3)))
    assert (decisions(kept), kept.score()["value"]) == ([None], 93)
    tally = kept.tell(tomatometer(scored(61, 352), day(4)))
    assert decisions(kept) == ["released"]
    assert kept.row("SELECT decided_by FROM quarantine") == ("the guard: seen on 3 nights",)
    stands = kept.score()
    assert (stands["value"], stands["observed_at"], stands["last_attempt_state"]) == (
        61,
        day(4),
        "scored",
    )
    assert (tally.counts["held"], tally.counts["changed"]) == (0, 1)
    assert any("released: rottentomatoes:m/skyfall" in note for note in tally.notes)
    changes = "SELECT cause, new_value FROM score_changes ORDER BY changed_at"
    assert kept.rows(changes) == [("first_seen", 93), ("released", 61)]


def test_many_answers_of_one_night_are_one_night(kept: Kept) -> None:
    kept.tell(tomatometer(CRITICS, day(1)))
    kept.tell(*(tomatometer(MOVED, day(2 + hour / 24)) for hour in range(6)))
    assert kept.row("SELECT nights, times_held, decision FROM quarantine") == (1, 6, None)


def test_a_figure_that_two_rules_hold_in_turn_releases_itself_as_well(kept: Kept) -> None:
    """20 of 300 is too low, 20 of 100 has too few votes; both say 20, on three nights."""
    kept.tell(tomatometer(CRITICS, day(1)))
    kept.tell(*(tomatometer(scored(20, (n % 2 and 100) or 340), day(n)) for n in (2, 3)))
    assert kept.score()["value"] == 93
    kept.tell(tomatometer(scored(20, 340), day(4)))
    assert kept.rows("SELECT rule, nights, decision FROM quarantine ORDER BY quarantine_id") == [
        ("unexplained", 1, "superseded"),
        ("votes_fell", 2, "superseded"),
        ("unexplained", 3, "released"),
    ]
    assert kept.rows("SELECT cause, new_value FROM score_changes ORDER BY changed_at") == [
        ("first_seen", 93),
        ("released", 20),
    ]


def test_a_no_to_a_figure_stands_whichever_rule_holds_it(kept: Kept) -> None:
    kept.tell(tomatometer(CRITICS, day(1)), tomatometer(scored(20, 340), day(2)))
    quarantine_id = kept.row("SELECT quarantine_id FROM quarantine")[0]
    decide(kept.db, quarantine_id, "rejected", "somebody", day(2))
    for night in range(3, 12):
        tally = kept.tell(tomatometer(scored(20, (night % 2 and 100) or 340), day(night)))
        assert (tally.counts["held"], tally.notes) == (1, [])
    assert set(kept.rows("SELECT decision, decided_by FROM quarantine")) == {
        ("rejected", "somebody")
    }


def test_a_figure_to_which_a_person_said_no_never_releases_itself(kept: Kept) -> None:
    """Nor where another one was held in between, and it is a case of its own again."""
    kept.tell(tomatometer(CRITICS, day(1)), tomatometer(scored(20, 340), day(2)))
    quarantine_id = kept.row("SELECT quarantine_id FROM quarantine")[0]
    decide(kept.db, quarantine_id, "rejected", "somebody", day(2))
    kept.tell(tomatometer(scored(55, 340), day(3)))
    for night in range(4, 12):
        tally = kept.tell(tomatometer(scored(20, 340), day(night)))
        assert tally.counts["held"] == 1
    assert kept.score()["value"] == 93
    assert decisions(kept) == ["rejected", "superseded", None]


def test_where_two_rules_hold_many_films_in_turn_none_releases_itself(kept: Kept) -> None:
    """Six by each rule are twelve that the site changed at once, whichever rule it is tonight."""
    films = [f"m/{number}" for number in range(12)]
    kept.tell(*(tomatometer(CRITICS, day(1), film) for film in films))
    for night in range(2, 9):
        for number, film in enumerate(films):
            votes = 340 if (number + night) % 2 else 100
            kept.tell(tomatometer(scored(20, votes), day(night), film))
    assert set(decisions(kept)) == {None, "superseded"}
    assert {kept.score(source_id=film)["value"] for film in films} == {93}


def test_a_night_on_which_many_films_fail_releases_none_that_was_held_before(kept: Kept) -> None:
    """Its figure is as it was; its votes are what the fault says."""
    films = [f"m/{number}" for number in range(10)]
    kept.tell(*(tomatometer(CRITICS, day(1), film) for film in films))
    kept.tell(*(tomatometer(scored(20, 340), day(night), films[0]) for night in (2, 3)))
    for night in range(4, 8):
        kept.tell(*(tomatometer(scored(20, 5), day(night), film) for film in films))
    assert set(decisions(kept)) == {None, "superseded"}
    assert {kept.score(source_id=film)["votes"] for film in films} == {349}


@given(
    nights=st.lists(
        st.sampled_from(
            [CRITICS, *(scored(value, votes) for value in (20, 60) for votes in (100, 340))]
        ),
        max_size=9,
    )
)
@quick
def test_a_figure_releases_itself_once_it_was_held_on_three_nights_running_and_no_sooner(
    shared: Kept, nights: Sequence[Score]
) -> None:
    """On the fourth at the latest, where another rule held it on the third."""
    source_id, first = f"m/{next(listings)}", 100 * next(listings)  # no other film's cases are near
    shared.tell(tomatometer(CRITICS, day(first), source_id))
    stands, running, before = CRITICS, 0, CRITICS
    for number, said in enumerate(nights, first + 1):
        shared.tell(tomatometer(said, day(number), source_id))
        stored = shared.score(source_id=source_id)["last_attempt_state"] == "scored"
        if doubt(said, as_standing(stands), "critics") is None:
            running = 0
        else:
            running = running + 1 if running and follows(said, before) else 1
            assert stored == (running >= 3) or running == 3
        stands, before = (said if stored else stands), said
        running *= not stored
        assert shared.score(source_id=source_id)["value"] == stands.value


def test_figures_that_contradict_each_other_release_nothing(kept: Kept) -> None:
    kept.tell(tomatometer(CRITICS, day(1)))
    kept.tell(*(tomatometer(scored(20 + 30 * (n % 2), 351), day(n)) for n in range(2, 8)))
    assert "released" not in decisions(kept)
    assert kept.score()["value"] == 93


NEVER = {
    "unrated": not_rated(votes=0),
    "out of scale": scored(101, 349),
    "the audience's figure": scored(88, 25_000),
}


@pytest.mark.parametrize("score", NEVER.values(), ids=NEVER)
def test_what_looks_like_a_fault_never_releases_itself(kept: Kept, score: Score) -> None:
    """A block was once read as "no ratings" for weeks."""
    kept.tell(tomatometer(CRITICS, day(1)))
    kept.tell(*(tomatometer(score, day(night)) for night in range(2, 32)))
    assert decisions(kept) == [None]
    assert (kept.score()["value"], kept.score()["last_attempt_at"]) == (93, day(31))


def test_where_many_films_change_at_once_none_releases_itself(kept: Kept) -> None:
    """Each by itself might be so; all in one night, it is the site."""
    films = [f"m/{number}" for number in range(10)]
    kept.tell(*(tomatometer(CRITICS, day(1), film) for film in films))
    for night in range(2, 8):
        kept.tell(*(tomatometer(scored(93, 200), day(night), film) for film in films))
    assert set(decisions(kept)) == {None}
    assert {kept.score(source_id=film)["votes"] for film in films} == {349}


def test_to_decide_some_of_what_fails_at_once_releases_none_of_the_rest(kept: Kept) -> None:
    films = [f"m/{number}" for number in range(10)]
    kept.tell(*(tomatometer(CRITICS, day(1), film) for film in films))
    kept.tell(*(tomatometer(scored(93, 200), day(2), film) for film in films))
    kept.tell(*(tomatometer(CRITICS, day(3), film) for film in films[:3]))  # these recover
    for night in range(3, 8):
        kept.tell(*(tomatometer(scored(93, 200), day(night), film) for film in films[3:]))
    assert decisions(kept) == ["superseded"] * 3 + [None] * 7


def test_two_figures_of_a_film_are_one_film_of_those_that_change_at_once(kept: Kept) -> None:
    def both(votes: int, night: int, film: str) -> Any:
        figures = {"tomatometer": scored(93, votes), "popcornmeter": scored(88, 10 * votes)}
        return page(night, figures, film)

    films = [f"m/{number}" for number in range(5)]
    kept.tell(*(both(300, 1, film) for film in films))
    for night in (2, 3, 4):
        kept.tell(*(both(60, night, film) for film in films))
    assert decisions(kept) == ["released"] * 10


def test_a_verdict_that_a_site_stands_by_is_released(kept: Kept) -> None:
    kept.tell(verdict(1, after=Verdict.NO))
    kept.tell(*(verdict(night, after=Verdict.YES) for night in (2, 3, 4)))
    assert decisions(kept) == ["released"]
    assert kept.column("SELECT after FROM standing_verdicts") == ["yes"]

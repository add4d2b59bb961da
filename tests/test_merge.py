"""One row a film: what each column says in every case, and that merging again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.database import transaction
from pipelines.films import Listed, track
from pipelines.merge import merge, prepare
from spiders.items import Outcome, ScoreState
from spiders.sources import ScoreKind, score_kinds, source_of_kind
from tests.answers import (
    LISTED,
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

KINDS = pytest.mark.parametrize("kind", score_kinds(), ids=lambda kind: kind.key)
Told = Callable[[Kept, ScoreKind], None]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A database that tracks one film, listed everywhere, which nobody was asked for yet."""
    with keeping(tmp_path / "ratings.db") as kept:
        follow(kept, *reversed(LISTED))
        kept.merge()
        yield kept


def follow(kept: Kept, *sources: str) -> int:
    """Track the film that these sources list."""
    with transaction(kept.db):
        film_id, _ = track(kept.db, [Listed(key, LISTED[key]) for key in sources], "a test")
    return film_id


def columns(kept: Kept, kind: ScoreKind) -> tuple[object, ...]:
    """What the one film's row says of a kind: state, value, votes, when it was seen to be so."""
    key = kind.key
    return kept.row(f"SELECT {key}_state, {key}, {key}_votes, {key}_confirmed_at FROM film_scores")


# --- the state of each kind ---------------------------------------------------------------------


def says(*states: ScoreState) -> Told:
    """The site's pages held these, night by night."""

    def tell(kept: Kept, kind: ScoreKind) -> None:
        scale = kind.scale_max
        for night, state in enumerate(states, 1):
            score = {
                ScoreState.SCORED: scored(scale / 2, 300, scale),
                ScoreState.NOT_RATED: not_rated(scale),
                ScoreState.MISSING: missing(scale),
            }[state]
            page = record(source_of_kind(kind.key).key, scores={kind.key: score})
            kept.tell(answer(page, at=day(night)))

    return tell


def refuses(outcome: Outcome, *, night: int = 1) -> Told:
    """The site answered without a page."""

    def tell(kept: Kept, kind: ScoreKind) -> None:
        kept.tell(refused(outcome, day(night), source_of_kind(kind.key).key))

    return tell


def sought(found: str) -> Told:
    """The film was sought at the source, which is not known to list it."""

    def tell(kept: Kept, kind: ScoreKind) -> None:
        source = source_of_kind(kind.key).key
        run = kept.db.conn.execute
        run("DELETE FROM listing_films WHERE listing_id IN"
            " (SELECT listing_id FROM listings WHERE source = ?)", [source])  # fmt: skip
        run("INSERT OR REPLACE INTO lookups VALUES (1, ?, ?, ?, NULL)", [source, day(1), found])

    return tell


SCORED, NOT_RATED, MISSING = ScoreState.SCORED, ScoreState.NOT_RATED, ScoreState.MISSING
STATES: dict[str, tuple[list[Told], str]] = {
    "never asked": ([], "not_asked"),
    "a figure": ([says(SCORED)], "scored"),
    "none yet": ([says(NOT_RATED)], "not_rated"),
    "a page that should show one": ([says(MISSING)], "missing"),
    "a figure, then a page without": ([says(SCORED, MISSING)], "scored"),
    "none yet, then a page without": ([says(NOT_RATED, MISSING)], "not_rated"),
    "none yet, then a figure": ([says(NOT_RATED, SCORED)], "scored"),
    "blocked": ([refuses(Outcome.BLOCKED)], "blocked"),
    "rate limited": ([refuses(Outcome.RATE_LIMITED)], "blocked"),
    "a key refused": ([refuses(Outcome.UNAUTHORISED)], "blocked"),
    "no such page": ([refuses(Outcome.NOT_FOUND)], "not_listed"),
    "a game": ([refuses(Outcome.NOT_A_FILM)], "not_listed"),
    "a page that no layout fits": ([refuses(Outcome.UNREADABLE)], "missing"),
    "no answer in time": ([refuses(Outcome.ERROR)], "not_asked"),
    "a figure, then blocked": ([says(SCORED), refuses(Outcome.BLOCKED, night=2)], "scored"),
    "a figure, then gone": ([says(SCORED), refuses(Outcome.NOT_FOUND, night=2)], "scored"),
    "sought and not there": ([sought("not_listed")], "not_listed"),
}


@KINDS
@pytest.mark.parametrize(("told", "state"), STATES.values(), ids=STATES)
def test_the_state_says_what_is_known(
    kept: Kept, told: list[Told], state: str, kind: ScoreKind
) -> None:
    for tell in told:
        tell(kept, kind)
    kept.merge()
    now, value, votes, confirmed_at = columns(kept, kind)
    assert now == state
    assert (value, votes) == ((kind.scale_max / 2, 300) if state == "scored" else (None, None))
    assert (confirmed_at is not None) == (state in ("scored", "not_rated"))
    others = [columns(kept, other)[0] for other in score_kinds() if
              source_of_kind(other.key) is not source_of_kind(kind.key)]  # fmt: skip
    assert set(others) == {"not_asked"}


# --- the other columns --------------------------------------------------------------------------


def test_hundredths_follow_the_scale_of_the_page(kept: Kept) -> None:
    page = record("tmdb", scores={"tmdb_score": scored(7.25, 300, 10)})
    kept.tell(answer(page, at=day(1)), tomatometer(scored(93, 300), day(1)))
    kept.merge()
    assert kept.row("SELECT tmdb_score, tmdb_score_100, tomatometer, tomatometer_100"
                    " FROM film_scores") == (7.25, 72.5, 93, 93)  # fmt: skip


def test_a_band_is_said_to_be_one(kept: Kept) -> None:
    kept.tell(tomatometer(scored(86, 250_000, votes_at_least=True), day(1)))
    kept.merge()
    assert kept.row("SELECT tomatometer_votes, tomatometer_votes_at_least FROM film_scores") == (
        250_000,
        1,
    )


def test_a_score_is_as_fresh_as_it_was_last_seen(kept: Kept) -> None:
    kept.tell(*(tomatometer(scored(93, 300), day(night)) for night in (1, 5, 9)))
    kept.merge()
    assert kept.row("SELECT tomatometer_confirmed_at FROM film_scores") == (day(9),)


def test_a_film_says_what_the_first_source_of_the_register_says_of_it(kept: Kept) -> None:
    tmdb = record("tmdb", title="Skyfall: 007", year=2013, runtime_minutes=144, overview="A film.")
    imdb = record("imdb", title="Skyfall", year=2012)
    kept.tell(answer(tmdb, at=day(1)), answer(imdb, at=day(1)))
    kept.merge()
    assert kept.row("SELECT title, year, runtime_minutes, overview FROM films") == (
        "Skyfall",
        2012,
        144,
        "A film.",
    )
    assert kept.row("SELECT title, year FROM film_scores") == ("Skyfall", 2012)


def test_a_film_that_turned_out_to_be_another_has_no_row(kept: Kept) -> None:
    kept.db.conn.execute("INSERT INTO films (merged_into) VALUES (1)")
    kept.merge()
    assert kept.column("SELECT film_id FROM film_scores") == [1]


# --- merging is repeatable ----------------------------------------------------------------------


def everything(kept: Kept) -> dict[str, list[tuple[object, ...]]]:
    tables = [name for name in kept.db.table_names() if not name.startswith("sqlite_")]
    return {name: sorted(kept.rows(f"SELECT * FROM {name}"), key=repr) for name in sorted(tables)}


tellings = st.lists(
    st.tuples(
        st.sampled_from(score_kinds()),
        st.sampled_from([told for told, _ in STATES.values() if len(told) == 1]),
    ),
    max_size=5,
)


@given(told=tellings)
@settings(deadline=None, max_examples=25)
def test_merging_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[ScoreKind, list[Told]]]
) -> None:
    with keeping(tmp_path_factory.mktemp("merged") / "ratings.db") as kept:
        follow(kept, *LISTED)
        for kind, (tell,) in dict(told).items():
            tell(kept, kind)
        kept.merge()
        once = everything(kept)
        kept.merge()
        assert everything(kept) == once
        kept.db["film_scores"].drop()
        prepare(kept.db)
        assert everything(kept) == once


def test_only_the_films_that_are_named_are_merged(kept: Kept) -> None:
    with transaction(kept.db):
        other, _ = track(kept.db, [Listed("rottentomatoes", "m/up")], "m/up")
    kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(98, 300), day(1), "m/up"))
    merge(kept.db, [other])
    assert kept.column("SELECT tomatometer FROM film_scores ORDER BY film_id") == [None, 98]

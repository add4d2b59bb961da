"""One row a film: what each column says in every case, and that merging again changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import clock
from pipelines.database import transaction
from pipelines.derived import prepare
from pipelines.films import Listed
from pipelines.merge import merge
from pipelines.tracking import track
from spiders.items import Answer, Credits, Outcome, Person, ScoreState, Title, Verdict
from spiders.sources import ScoreKind, by_key, score_kind, score_kinds, source_of_kind
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
from tests.conftest import Afterscore

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


# --- the consensus ------------------------------------------------------------------------------

CONSENSUS = (
    "consensus_100, consensus_low, consensus_high, critics_100, audience_100, spread_100,"
    " kinds_used"
)


def page(source: str, *, values: Sequence[tuple[str, float]], relayed: bool = False) -> Answer:
    """A page with figures of these kinds."""
    told = {}
    for key, value in values:
        told[key] = scored(value, 5_000, score_kind(key).scale_max, relayed=relayed)
    return answer(record(source, scores=told), at=day(1))


def test_several_kinds_come_to_one_figure_inside_its_interval(kept: Kept) -> None:
    kept.tell(
        page("imdb", values=[("imdb_rating", 7.8)]),
        page("rottentomatoes", values=[("tomatometer", 92), ("popcornmeter", 86)]),
    )
    kept.merge()
    middle, low, high, critics, audience, spread, kinds = kept.row(
        f"SELECT {CONSENSUS} FROM film_scores"
    )
    assert 0 <= low < middle < high <= 100
    assert min(critics, audience) <= middle <= max(critics, audience)
    assert spread > 0
    assert kinds == "imdb_rating, tomatometer, popcornmeter"


def test_one_kind_says_so(kept: Kept) -> None:
    kept.tell(page("metacritic", values=[("metascore", 81)]))
    kept.merge()
    assert kept.row("SELECT critics_100 > 50, audience_100, spread_100, kinds_used"
                    " FROM film_scores") == (1, None, None, "metascore")  # fmt: skip


def test_no_score_is_no_consensus_and_not_nought(kept: Kept) -> None:
    kept.tell(answer(record("metacritic", scores={"metascore": not_rated()}), at=day(1)))
    kept.merge()
    assert kept.row(f"SELECT {CONSENSUS} FROM film_scores") == (None,) * 7


def test_a_listing_that_is_gone_keeps_its_scores_and_leaves_the_consensus(kept: Kept) -> None:
    kept.tell(
        page("imdb", values=[("imdb_rating", 7.8)]),
        page("metacritic", values=[("metascore", 20)]),
        *(refused(Outcome.NOT_FOUND, day(night), "metacritic") for night in (2, 3, 4)),
    )
    kept.merge()
    assert kept.row(
        "SELECT metascore, metascore_state, metascore_confirmed_at, kinds_used FROM film_scores"
    ) == (20, "scored", day(1), "imdb_rating")


OLDEST = "SELECT oldest_confirmed_at FROM film_scores"


def test_its_oldest_figure_is_told_and_no_figure_but_those_that_it_is_made_of(kept: Kept) -> None:
    """A saved page counts like last night's answer; what is gone, or has no value, does not."""
    kept.tell(
        answer(
            record("metacritic", scores={"metascore": scored(70, 30)}), at="2013-01-01T00:00:00Z"
        ),
        answer(record("tmdb", scores={"tmdb_score": not_rated(10)}), at="2014-01-01T00:00:00Z"),
        tomatometer(scored(91, 300), at="2015-04-01T00:00:00Z"),
        origin="archive",
    )
    kept.tell(page("imdb", values=[("imdb_rating", 7.8)]))
    kept.merge()
    assert kept.column(OLDEST) == ["2013-01-01T00:00:00Z"]
    kept.tell(*(refused(Outcome.NOT_FOUND, day(night), "metacritic") for night in (2, 3, 4)))
    kept.merge()
    assert kept.row("SELECT kinds_used, oldest_confirmed_at FROM film_scores") == (
        "imdb_rating, tomatometer",
        "2015-04-01T00:00:00Z",
    )
    assert kept.column("SELECT oldest_confirmed_at FROM critics_vs_audience") == kept.column(OLDEST)
    kept.tell(tomatometer(scored(92, 310), at=day(5)))
    kept.merge()
    assert kept.column(OLDEST) == [day(1)]


def test_without_a_consensus_nothing_is_its_oldest_figure(kept: Kept) -> None:
    kept.tell(answer(record("metacritic", scores={"metascore": not_rated()}), at=day(1)))
    kept.merge()
    assert kept.column(OLDEST) == [None]


def test_a_relayed_figure_is_no_part_of_it(kept: Kept) -> None:
    kept.tell(
        page("imdb", values=[("imdb_rating", 7.8)]),
        page("whatsafterthemovie", values=[("metascore", 20)], relayed=True),
    )
    kept.merge()
    assert kept.row("SELECT metascore, kinds_used FROM film_scores") == (None, "imdb_rating")


def test_a_relayed_figure_is_told_with_its_age_and_how_many_voted(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        follow(kept, *LISTED)
        relayed = {"popcornmeter": scored(86, 250_000, votes_at_least=True, relayed=True)}
        for night in (1, 2):
            kept.tell(answer(record("whatsafterthemovie", scores=relayed), at=day(night)))
        kept.merge()
    (told,) = afterscore("film", LISTED["imdb"], "--json").json["relayed"]
    assert (told["votes"], told["votes_at_least"], told["confirmed_at"]) == (250_000, True, day(2))


def test_a_figure_that_no_layout_held_was_never_seen(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        follow(kept, *LISTED)
        kept.tell(tomatometer(missing(), at=day(1)))
        kept.merge()
    (told,) = afterscore("explain", LISTED["imdb"], "--json").json["scores"]
    assert (told["state"], told["confirmed_at"]) == ("missing", None)
    assert told["last_attempt_at"] == day(1)
    lines = afterscore("explain", LISTED["imdb"]).out.splitlines()
    (line,) = (line for line in lines if "Tomatometer" in line)
    assert line.split() == ["Tomatometer", "missing", "rottentomatoes"]


def test_the_card_says_what_it_is_made_of(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        follow(kept, *LISTED)
        kept.tell(page("imdb", values=[("imdb_rating", 7.8)]))
        kept.merge()
    assert "from the IMDb rating alone" in afterscore("film", LISTED["imdb"]).out
    with keeping(afterscore.folder / "ratings.db") as kept:
        kept.tell(page("metacritic", values=[("metascore", 81), ("metacritic_user_score", 7.5)]))
        kept.merge()
    card = afterscore("film", LISTED["imdb"]).out
    assert "from 3 kinds of score" in card
    told = afterscore("film", LISTED["imdb"], "--json").json["consensus"]
    assert told["low"] < told["value"] < told["high"]
    assert f"critics: {told['critics']:.0f}, audience: {told['audience']:.0f}" in card
    assert told["kinds"] == ["imdb_rating", "metascore", "metacritic_user_score"]


def test_the_card_says_how_old_the_oldest_figure_is_as_of_now(afterscore: Afterscore) -> None:
    """What a quiet night has seen again counts, of which the film's row knows nothing yet."""
    years_ago = clock.later(clock.now(), days=-11 * 365.25 - 1)
    with keeping(afterscore.folder / "ratings.db") as kept:
        follow(kept, *LISTED)
        kept.tell(tomatometer(scored(91, 300), at=years_ago), origin="archive")
        kept.tell(page("imdb", values=[("imdb_rating", 7.8)]))
        kept.merge()
    told = afterscore("film", LISTED["imdb"], "--json").json["consensus"]
    assert told["oldest_confirmed_at"] == years_ago
    assert "; oldest figure: 11 years ago\n" in afterscore("film", LISTED["imdb"]).out
    yesterday, today = clock.later(clock.now(), days=-1), clock.now()
    with keeping(afterscore.folder / "ratings.db") as kept:
        kept.tell(
            tomatometer(scored(91, 300), at=yesterday),
            answer(record("imdb", scores={"imdb_rating": scored(7.8, 5_000, 10)}), at=yesterday),
        )
        kept.merge()
        kept.tell(tomatometer(scored(91, 300), at=today))
        kept.tell(answer(record("imdb", scores={"imdb_rating": scored(7.8, 5_000, 10)}), at=today))
        assert kept.column(OLDEST) == [yesterday]
    assert "; oldest figure: just now\n" in afterscore("film", LISTED["imdb"]).out


# --- a listing that comes to mean another film --------------------------------------------------


def means_another(kept: Kept, source: str, since: str) -> int:
    """A source's listing has been another film since then."""
    run = kept.db.conn.execute
    (listing,) = kept.column("SELECT listing_id FROM listings WHERE source = ?", source)
    other = int(run("INSERT INTO films (title) VALUES ('Another')").lastrowid or 0)
    run("UPDATE listing_films SET valid_to = ?, is_primary = 0 WHERE listing_id = ?",
        [since, listing])  # fmt: skip
    run("INSERT INTO listing_films (listing_id, film_id, valid_from, method)"
        " VALUES (?, ?, ?, 'evidence')", [listing, other, since])  # fmt: skip
    return other


def test_the_old_films_score_is_not_the_new_ones(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93, 300), day(1)))
    means_another(kept, "rottentomatoes", day(5))
    kept.merge()
    columns = "SELECT tomatometer, tomatometer_state FROM film_scores ORDER BY film_id"
    assert kept.rows(columns) == [(None, "not_asked"), (None, "not_asked")]
    kept.tell(tomatometer(scored(94, 320), day(6)))
    kept.merge()
    assert kept.rows(columns) == [(None, "not_asked"), (94, "scored")]


def test_titles_and_people_go_with_the_listing(kept: Kept) -> None:
    said = record("tmdb", genres=("Action",), people=(Person(name="Sam Mendes", role="director"),),
                  alternative_titles=(Title(title="007"),))  # fmt: skip
    kept.tell(answer(said, at=day(1)))
    other = means_another(kept, "tmdb", day(5))
    kept.merge()
    for table in ("film_titles", "film_people", "film_genres"):
        assert kept.column(f"SELECT film_id FROM {table}") == [other]
    kept.db.conn.execute("DELETE FROM listing_films WHERE film_id = ?", [other])
    kept.merge()
    for table in ("film_titles", "film_people", "film_genres"):
        assert kept.column(f"SELECT film_id FROM {table}") == [None]


def test_a_film_that_turned_out_to_be_another_has_no_row(kept: Kept) -> None:
    kept.db.conn.execute("INSERT INTO films (merged_into) VALUES (1)")
    kept.merge()
    assert kept.column("SELECT film_id FROM film_scores") == [1]


# --- merging is repeatable ----------------------------------------------------------------------


def everything(kept: Kept) -> dict[str, list[tuple[object, ...]]]:
    # How a search index lays out its words follows the order in which they came.
    own = ("sqlite_", "film_search_")
    tables = [name for name in kept.db.table_names() if not name.startswith(own)]
    return {name: sorted(kept.rows(f"SELECT * FROM {name}"), key=repr) for name in sorted(tables)}


def says_of_credits(source: str, during: Verdict, after: Verdict) -> Told:
    """A source's page says this of the credits."""

    def tell(kept: Kept, kind: ScoreKind) -> None:
        verdict = Credits(during=during, after=after, scene_count=1)
        kept.tell(answer(record(source, credits=verdict), at=day(1)))

    return tell


CREDITS = [key for key in LISTED if by_key(key).says_credits]
tellings = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(score_kinds()),
            st.sampled_from([told[0] for told, _ in STATES.values() if len(told) == 1]),
        ),
        st.tuples(
            st.just(score_kinds()[0]),
            st.builds(
                says_of_credits,
                st.sampled_from(CREDITS),
                st.sampled_from(Verdict),
                st.sampled_from(Verdict),
            ),
        ),
    ),
    max_size=6,
)


@given(told=tellings)
@settings(deadline=None, max_examples=25)
def test_merging_again_or_anew_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[ScoreKind, Told]]
) -> None:
    with keeping(tmp_path_factory.mktemp("merged") / "ratings.db") as kept:
        follow(kept, *LISTED)
        for kind, tell in told:
            tell(kept, kind)
        kept.merge()
        once = everything(kept)
        kept.merge()
        assert everything(kept) == once
        for table in ("film_scores", "stay_for_the_credits"):
            kept.db.table(table).drop()
        prepare(kept.db)
        assert everything(kept) == once


PAGES: dict[str, list[tuple[str, float]]] = {
    "imdb": [("imdb_rating", 7.8)],
    "tmdb": [("tmdb_score", 7.2)],
    "rottentomatoes": [("tomatometer", 92), ("popcornmeter", 86)],
    "metacritic": [("metascore", 81), ("metacritic_user_score", 7.5)],
}


@given(
    order=st.permutations(sorted(LISTED)),
    silent=st.sets(st.sampled_from(sorted(LISTED)), max_size=4),
    each=st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_it_does_not_matter_which_source_comes_first(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], silent: set[str], each: bool
) -> None:
    """Merged after each answer or once at the end."""
    made = []
    for sources, after_each in ((sorted(LISTED), False), (order, each)):
        with keeping(tmp_path_factory.mktemp("ordered") / "ratings.db") as kept:
            follow(kept, *LISTED)
            for source in sources:
                if source in silent:
                    continue
                figures = {key: scored(value, 5_000, score_kind(key).scale_max)
                           for key, value in PAGES.get(source, [])}  # fmt: skip
                verdict = Credits(after=Verdict.YES) if source in CREDITS else None
                title = f"As {source} has it"
                said = record(source, title=title, scores=figures, credits=verdict)
                kept.tell(answer(said, at=day(1)))
                if after_each:
                    kept.merge()
            kept.merge()
            made.append(
                [kept.rows(f"SELECT * FROM {name}") for name in ("films", "film_scores",
                                                                 "stay_for_the_credits")]
            )  # fmt: skip
    assert made[0] == made[1]


def test_after_a_first_night_every_index_is_there(tmp_path: Path) -> None:
    indexes = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY 1"
    with keeping(tmp_path / "ratings.db") as kept:
        before = kept.rows(indexes)
        follow(kept, *LISTED)
        kept.merge()
        assert kept.rows(indexes) == before
        assert kept.column("SELECT year FROM film_scores INDEXED BY film_scores_year") == [None]


def test_tables_of_an_older_version_are_made_anew(kept: Kept) -> None:
    kept.tell(page("imdb", values=[("imdb_rating", 7.8)]))
    say = says_of_credits("aftercredits", Verdict.NO, Verdict.YES)
    say(kept, score_kinds()[0])
    run = kept.db.conn.execute
    run("DROP VIEW critics_vs_audience")
    run("DROP INDEX film_scores_consensus_100")
    run("ALTER TABLE film_scores DROP COLUMN consensus_100")
    run("DROP TABLE stay_for_the_credits")
    prepare(kept.db)
    assert kept.row("SELECT imdb_rating, consensus_100 IS NOT NULL FROM film_scores") == (7.8, 1)
    assert kept.column("SELECT stay FROM stay_for_the_credits") == ["yes"]


def test_tables_that_could_not_be_filled_are_not_left_empty(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.db.conn.execute("ALTER TABLE film_scores ADD COLUMN of_another_version TEXT")
    before = everything(kept)
    monkeypatch.setattr("pipelines.merge.write_stay", lambda db: db.conn.execute("killed"))
    with pytest.raises(sqlite3.OperationalError):
        prepare(kept.db)
    assert everything(kept) == before


def test_only_the_films_that_are_named_are_merged(kept: Kept) -> None:
    with transaction(kept.db):
        other, _ = track(kept.db, [Listed("rottentomatoes", "m/up")], "m/up")
    kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(98, 300), day(1), "m/up"))
    merge(kept.db, [other])
    assert kept.column("SELECT tomatometer FROM film_scores ORDER BY film_id") == [None, 98]


def test_what_is_as_it_was_is_not_written_again(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93, 300), day(1)))
    kept.merge()
    kept.db.conn.execute(
        "CREATE TEMP TRIGGER written BEFORE UPDATE ON film_scores"
        " BEGIN SELECT raise(ABORT, 'written'); END"
    )
    kept.merge()
    kept.tell(tomatometer(scored(94, 300), day(2)))
    with pytest.raises(sqlite3.IntegrityError, match="written"):
        kept.merge()

"""What each view shows, of films made for it; and that one film is found without reading all."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from benchmarks.catalogue import catalogue
from pipelines import clock
from pipelines.database import read_only, transaction
from pipelines.films import Listed
from pipelines.tables import Table
from pipelines.tracking import track
from pipelines.views import VIEWS
from schedules.backfill import report
from schedules.film_lists import Row, Tracked
from spiders.items import Credits, Outcome, Score, Verdict
from spiders.sources import SOURCES, score_kinds
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

ROOT = Path(__file__).parent.parent


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A database that tracks one film, listed everywhere, which nobody was asked for yet."""
    with keeping(tmp_path / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(*key) for key in LISTED.items()], "a test")
        kept.merge()
        yield kept


def shown(kept: Kept, view: str, where: str = "1", *values: Any) -> list[dict[str, Any]]:
    """The rows of a view."""
    return list(kept.db.query(f"SELECT * FROM {view} WHERE {where}", values))


def backfill(kept: Kept, value: float, at: str, exact: str = "day") -> None:
    """A saved page of the film on Rotten Tomatoes is read."""
    said = tomatometer(scored(value, 200), at, target="archive", asked_url="https://saved.example/")
    kept.tell(said, origin="archive", exact=exact)


# --- descriptions and plans ---------------------------------------------------------------------


def test_every_view_and_every_column_is_described_and_no_other(kept: Kept) -> None:
    described = {view.name: list(view.columns) for view in VIEWS}
    assert described == {
        view.name: [column.name for column in view.columns] for view in kept.db.views
    }
    assert set(described) == {path.stem for path in ROOT.glob("pipelines/views/*.sql")}
    for view in VIEWS:
        assert all([view.row, *view.columns.values()]), view.name


@pytest.fixture(scope="module")
def few_and_many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Database, Database]:
    """A database of 50 made-up films and one of 1,000."""
    folder = tmp_path_factory.mktemp("catalogues")
    for films in (50, 1_000):
        catalogue(folder / f"{films}.db", films)
    return read_only(folder / "50.db"), read_only(folder / "1000.db")


def steps(db: Database, sql: str) -> int:
    """How many instructions SQLite's machine takes for a query."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    db.conn.set_progress_handler(step, 1)
    rows = db.conn.execute(sql).fetchall()
    db.conn.set_progress_handler(None, 0)
    return taken + len(rows)


OF_ONE_FILM = [view for view in VIEWS if "film_id" in view.columns]
LONG = [
    view
    for view in VIEWS
    if {"film_id", "listing_id"} & set(view.columns)
    and view.name not in ("seen_again", "unmatched_listings")  # empty of these films
]


@pytest.mark.parametrize("view", OF_ONE_FILM, ids=lambda view: view.name)
def test_one_film_is_found_without_reading_the_others(
    view: Table, few_and_many: tuple[Database, Database]
) -> None:
    few, many = (
        max(
            steps(db, f"SELECT * FROM {view.name} WHERE film_id = {number}") for number in range(50)
        )
        for db in few_and_many
    )
    assert many < 1.5 * few


@pytest.mark.parametrize("view", LONG, ids=lambda view: view.name)
def test_the_first_rows_come_without_reading_the_others(
    view: Table, few_and_many: tuple[Database, Database]
) -> None:
    few, many = (steps(db, f"SELECT * FROM {view.name} LIMIT 3") for db in few_and_many)
    assert many < 3 * few


def test_a_night_is_found_without_reading_the_others(
    few_and_many: tuple[Database, Database],
) -> None:
    for since, fewer in (("2027-01-01", True), ("2025-01-01", False)):
        sql = f"SELECT * FROM score_changes WHERE changed_at >= '{since}'"
        few, many = (steps(db, sql) for db in few_and_many)
        assert (many < 1.5 * few) == fewer


# --- critics and audience -----------------------------------------------------------------------


def tell_scores(kept: Kept, source: str, at: str = day(1), **scores: Score) -> None:
    """A source's page shows these scores."""
    kept.tell(answer(record(source, scores=scores), at=at))


def test_critics_beside_audience_with_the_votes_behind(kept: Kept) -> None:
    tell_scores(kept, "rottentomatoes", tomatometer=scored(95, 300), popcornmeter=scored(40, 9_000))
    tell_scores(kept, "imdb", imdb_rating=scored(5.1, 80_000, 10))
    tell_scores(kept, "metacritic", metascore=not_rated(votes=3))
    kept.merge()
    (row,) = shown(kept, "critics_vs_audience")
    assert row["gap_100"] == pytest.approx(row["critics_100"] - row["audience_100"], abs=0.011)
    assert row["gap_100"] > 20
    assert (row["critics_votes"], row["audience_votes"]) == (300, 89_000)


def test_votes_that_no_page_counts_are_not_nought(kept: Kept) -> None:
    tell_scores(kept, "rottentomatoes", tomatometer=scored(95, None), popcornmeter=scored(40, 900))
    kept.merge()
    (row,) = shown(kept, "critics_vs_audience")
    assert (row["critics_votes"], row["audience_votes"]) == (None, 900)


def test_a_film_of_which_one_side_is_known_is_not_compared(kept: Kept) -> None:
    tell_scores(kept, "imdb", imdb_rating=scored(5.1, 80_000, 10))
    kept.merge()
    assert shown(kept, "critics_vs_audience") == []


# --- disputes -----------------------------------------------------------------------------------


def test_a_dispute_names_the_place_the_sources_and_their_pages(kept: Kept) -> None:
    for source, during, after in (
        ("aftercredits", Verdict.NO, Verdict.YES),
        ("mediastinger", Verdict.NO, Verdict.NO),
        ("tmdb", Verdict.NO, Verdict.YES),
    ):
        verdict = Credits(during=during, after=after)
        kept.tell(answer(record(source, credits=verdict), at=day(1)))
    kept.merge()
    (row,) = shown(kept, "credits_disputes")
    assert row["place"] == "after"
    assert json.loads(row["yes_sources"]) == ["aftercredits", "tmdb"]
    assert json.loads(row["no_sources"]) == ["mediastinger"]
    assert json.loads(row["no_urls"]) == kept.column(
        "SELECT url FROM listings WHERE source = 'mediastinger'"
    )
    assert len(json.loads(row["yes_urls"])) == 2


# --- history ------------------------------------------------------------------------------------


def test_each_change_says_what_caused_it(kept: Kept) -> None:
    kept.tell(answer(record("imdb", title="Skyfall", released_on="2025-12-31"), at=day(1)))
    kept.tell(tomatometer(scored(90, 300), day(11)), tomatometer(scored(93, 330), day(12)))
    backfill(kept, 88, day(5))
    kept.merge()
    rows = shown(kept, "score_changes", "film_id = 1 ORDER BY changed_at")
    assert [
        (row["cause"], row["old_value"], row["new_value"], row["delta_100"], row["new_votes"])
        for row in rows
    ] == [
        ("backfilled", None, 88, None, 200),
        ("moved", 88, 90, 2, 300),
        ("moved", 90, 93, 3, 330),
    ]
    assert [row["days_since_release"] for row in rows] == [5, 11, 12]
    backfill(kept, 70, day(2), exact="month")
    kept.merge()
    assert shown(kept, "score_changes", "new_value = 70")[0]["days_since_release"] is None
    assert {(row["title"], row["listing"]) for row in rows} == {
        ("Skyfall", "rottentomatoes:m/skyfall")
    }


def test_the_first_figure_that_a_site_answers_is_first_seen(kept: Kept) -> None:
    kept.tell(tomatometer(not_rated(), day(1)), tomatometer(scored(0, 20), day(2)))
    kept.merge()
    assert [
        (row["cause"], row["old_state"], row["new_state"], row["new_value"], row["delta_100"])
        for row in shown(kept, "score_changes")
    ] == [
        ("first_seen", None, "not_rated", None, None),
        ("moved", "not_rated", "scored", 0, None),
    ]


def test_a_figure_that_a_person_let_pass_is_released(kept: Kept) -> None:
    """It was held on the second day, and let pass as what its page said then."""
    kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(40, 100), day(2)))
    assert [topic for topic, _, _ in kept.held()] == ["tomatometer"]
    run = kept.db.conn.execute
    run("INSERT INTO score_observations SELECT listing_id, score_kind, ?, observed_to, state, 40,"
        " scale_max, 100, votes_at_least, basis, relayed, origin, layout, url"
        " FROM score_observations", [day(2)])  # fmt: skip
    run("UPDATE quarantine SET decision = 'released', decided_at = ?", [day(4)])
    causes = "SELECT cause FROM score_changes ORDER BY changed_at"
    assert kept.column(causes) == ["first_seen", "released"]
    run("UPDATE quarantine SET decision = 'rejected'")
    assert kept.column(causes) == ["first_seen", "moved"]


def test_votes_that_move_alone_are_no_change(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(93, 400), day(2)))
    kept.merge()
    assert len(shown(kept, "score_changes")) == 1
    assert [row["votes"] for row in shown(kept, "score_history")] == [300, 400]


def test_each_figure_is_of_the_film_that_its_listing_was_then(kept: Kept) -> None:
    """A slug that came to mean another film: the old one keeps its past, the new begins anew."""
    kept.tell(tomatometer(scored(93, 300), day(1)), tomatometer(scored(94, 330), day(9)))
    backfill(kept, 90, "2013-01-01T00:00:00Z")
    run = kept.db.conn.execute
    run("INSERT INTO films (title) VALUES ('Another')")
    (listing,) = kept.column("SELECT listing_id FROM listings WHERE source = 'rottentomatoes'")
    run("UPDATE listing_films SET valid_to = ? WHERE listing_id = ?", [day(5), listing])
    run("INSERT INTO listing_films (listing_id, film_id, valid_from, method)"
        " VALUES (?, 2, ?, 'evidence')", [listing, day(5)])  # fmt: skip
    kept.merge()
    spans = "SELECT film_id, value, valid_from, valid_to FROM score_history ORDER BY valid_from"
    assert kept.rows(spans) == [
        (1, 90, "2013-01-01T00:00:00Z", day(1)),
        (1, 93, day(1), day(5)),
        (2, 94, day(9), None),
    ]
    assert kept.rows("SELECT film_id FROM score_moves") == [(1,)]
    changes = "SELECT film_id, old_value, new_value, cause FROM score_changes ORDER BY changed_at"
    assert kept.rows(changes) == [
        (1, None, 90, "backfilled"),
        (1, 90, 93, "moved"),
        (2, None, 94, "first_seen"),
    ]


# --- where a film is listed ---------------------------------------------------------------------


def state_at(kept: Kept, source: str) -> str:
    """The film's state at a source; one row for each of all sources."""
    kept.merge()
    rows = shown(kept, "film_sources", "film_id = 1")
    assert sorted(row["source"] for row in rows) == sorted(of.key for of in SOURCES)
    (found,) = (str(row["state"]) for row in rows if row["source"] == source)
    return found


OUTCOMES = {
    Outcome.BLOCKED: "blocked",
    Outcome.RATE_LIMITED: "blocked",
    Outcome.UNAUTHORISED: "blocked",
    Outcome.NOT_FOUND: "not_listed",
    Outcome.NOT_A_FILM: "not_listed",
    Outcome.UNREADABLE: "missing",
    Outcome.ERROR: "error",
}


@pytest.mark.parametrize(("outcome", "state"), OUTCOMES.items(), ids=OUTCOMES)
def test_a_request_that_failed_says_how(kept: Kept, outcome: Outcome, state: str) -> None:
    assert state_at(kept, "metacritic") == "not_asked"
    kept.tell(refused(outcome, day(1), "metacritic"))
    assert state_at(kept, "metacritic") == state
    (row,) = shown(kept, "film_sources", "source = 'metacritic'")
    assert (row["last_asked_at"], row["listing"]) == (day(1), "metacritic:movie/skyfall")


@pytest.mark.parametrize(("outcome", "state"), OUTCOMES.items(), ids=OUTCOMES)
def test_the_report_of_a_backfill_says_it_too(
    kept: Kept, outcome: Outcome, state: str, tmp_path: Path
) -> None:
    tell_scores(kept, "rottentomatoes", tomatometer=not_rated(), popcornmeter=missing())
    kept.tell(refused(outcome, day(1), "metacritic"))
    kept.merge()
    rows = [Row("line 2", "Skyfall"), Row("line 3", "=1+1", problem="no film")]
    sources = ["metacritic", "rottentomatoes", "tmdb"]
    report(kept.db, tmp_path / "report.csv", Tracked({"line 2": 1}, 0, rows), sources)
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8") as handle:
        skyfall, unknown = csv.DictReader(handle)
    assert [skyfall[key] for key in sources] == [state, "not_rated", "not_asked"]
    assert list(unknown.values()) == ["line 3", "'=1+1", *[""] * 7, "no film"]


def test_what_answered_is_ok_and_what_is_gone_is_gone(kept: Kept) -> None:
    tell_scores(kept, "metacritic", metascore=scored(81, 43))
    assert state_at(kept, "metacritic") == "ok"
    kept.tell(*(refused(Outcome.NOT_FOUND, day(night), "metacritic") for night in (2, 3, 4)))
    assert state_at(kept, "metacritic") == "gone"
    assert shown(kept, "film_sources", "gone_at IS NOT NULL")[0]["source"] == "metacritic"


def test_a_listing_that_a_list_tells_of_was_read_when_the_list_was(kept: Kept) -> None:
    said = record("aftercredits", title="Skyfall", credits=Credits(after=Verdict.NO))
    listed = "https://aftercredits.com/wp-json/wp/v2/posts?page=1"
    kept.tell(answer(said, at=day(3), target="list", asked_url=listed))
    assert state_at(kept, "aftercredits") == "ok"
    (row,) = shown(kept, "film_sources", "source = 'aftercredits'")
    assert row["last_asked_at"] == day(3)


@pytest.mark.parametrize("found", ["not_listed", "ambiguous"])
def test_a_film_that_was_sought_in_vain_says_so(kept: Kept, found: str) -> None:
    run = kept.db.conn.execute
    run("DELETE FROM listing_films WHERE listing_id IN"
        " (SELECT listing_id FROM listings WHERE source = 'metacritic')")  # fmt: skip
    assert state_at(kept, "metacritic") == "not_asked"
    run("INSERT INTO lookups VALUES (1, 'metacritic', ?, ?, 'asked wikidata')", [day(2), found])
    assert state_at(kept, "metacritic") == found
    (row,) = shown(kept, "film_sources", "source = 'metacritic'")
    assert (row["last_asked_at"], row["why"], row["listing"]) == (day(2), "asked wikidata", None)


# --- how old, how much --------------------------------------------------------------------------


def test_each_score_says_how_old_it_is(kept: Kept) -> None:
    ages = [(2, scored(7.8, 300, 10)), (9, scored(93, 300)), (9, missing())]
    times = [clock.later(clock.now(), days=-age) for age, _ in ages]
    tell_scores(kept, "imdb", times[0], imdb_rating=ages[0][1])
    tell_scores(kept, "rottentomatoes", times[1], tomatometer=ages[1][1], popcornmeter=ages[2][1])
    kept.merge()
    assert {
        row["score_kind"]: (row["film_id"], row["state"], row["age_days"], row["listing"])
        for row in shown(kept, "freshness")
    } == {
        "imdb_rating": (1, "scored", 2.0, "imdb:tt1074638"),
        "tomatometer": (1, "scored", 9.0, "rottentomatoes:m/skyfall"),
        "popcornmeter": (1, "missing", None, "rottentomatoes:m/skyfall"),
    }
    kept.tell(refused(Outcome.BLOCKED, clock.now()))
    assert {
        row["source"]: (row["scores"], row["oldest_days"], row["older_than_a_week"],
                        row["last_attempt_differs"])
        for row in shown(kept, "freshness_by_source")
    } == {"imdb": (1, 2.0, 0, 0), "rottentomatoes": (1, 9.0, 1, 1)}  # fmt: skip


def test_coverage_counts_every_film_in_one_state(kept: Kept) -> None:
    with transaction(kept.db):
        track(kept.db, [Listed("rottentomatoes", "m/up")], "a test")
    kept.tell(
        tomatometer(scored(0, 118), day(1)), refused(Outcome.BLOCKED, day(1), source_id="m/up")
    )
    kept.merge()
    rows = {row["score_kind"]: row for row in shown(kept, "coverage")}
    assert set(rows) == {kind.key for kind in score_kinds()}
    for row in rows.values():
        states = ("scored", "not_rated", "missing", "blocked", "not_listed", "not_asked")
        assert sum(row[state] for state in states) == row["films"] == 2
    tomatoes = rows["tomatometer"]
    assert (tomatoes["scored"], tomatoes["blocked"], tomatoes["scored_share"]) == (1, 1, 0.5)


def test_last_night_is_the_run_that_ended_last(kept: Kept) -> None:
    run = kept.db.conn.execute
    begun = "INSERT INTO runs (run_id, command, plan, pid, started_at, ended_at) VALUES"
    crawled = "INSERT INTO crawls (run_id, source, started_at, asked, outcome) VALUES"
    for number, ended_at in ((1, day(1)), (2, day(2)), (3, None)):
        run(f"{begun} (?, 'refresh', '{{}}', 1, ?, ?)", [number, day(number), ended_at])
    run(f"{crawled} (1, 'imdb', ?, 5, 'ok')", [day(1)])
    told = "SELECT run_id, source, asked FROM last_night"
    assert kept.rows(told) == [(2, None, None)]
    run(f"{crawled} (2, 'tmdb', ?, 7, 'ok')", [day(2)])
    assert kept.rows(told) == [(2, "tmdb", 7)]

"""`afterscore plan`: what a refresh would ask now, why, and what it costs; it asks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import clock
from schedules.replica import Replica
from spiders.items import Outcome
from tests.answers import Kept, answer, keeping, record, refused, scored, tomatometer
from tests.conftest import Afterscore, beside

SKYFALL, UP, ALIEN = "m/skyfall", "m/up", "m/alien"
SETTINGS = "[sources.rottentomatoes]\nenabled = true\nrequests_a_night = 2\n"


def ago(days: float) -> str:
    return clock.later(clock.now(), days=-days)


def says(kept: Kept, source_id: str, days: float, value: float) -> None:
    """A page of Rotten Tomatoes said so, so many days ago."""
    kept.tell(tomatometer(scored(value), ago(days), source_id))


@pytest.fixture
def known(afterscore: Afterscore) -> Afterscore:
    """Skyfall's figure moved at each of five answers, that of Up never; Alien was never asked."""
    afterscore.settings(SETTINGS)
    for source_id in (SKYFALL, UP, ALIEN):
        assert afterscore("track", f"rottentomatoes:{source_id}").status == 0
    with keeping(afterscore.folder / "ratings.db") as kept:
        for night, days in enumerate((43, 33, 23, 13, 3)):
            says(kept, SKYFALL, days, 90 + night)
            says(kept, UP, days, 98)
    return afterscore


def planned(afterscore: Afterscore, *words: str) -> Any:
    """The plan for Rotten Tomatoes."""
    ended = afterscore("plan", "--source", "rottentomatoes", *words, "--json")
    assert ended.status == 0, ended.err
    (source,) = ended.json["sources"]
    return source


def test_the_plan_is_never_asked_first_then_what_moves_within_the_budget(known: Afterscore) -> None:
    plan = planned(known)
    assert [row["source_id"] for row in plan["asked"]] == [ALIEN, SKYFALL]
    assert (plan["due"], plan["requests"], plan["requests_a_night"]) == (3, 2, 2)
    never, moving = plan["asked"]
    assert never["why"] == "never asked"
    assert never["last_answered_at"] is None
    assert moving["why"].startswith("changes about every ")
    assert 0.05 < moving["chance"] < 0.9


def test_the_plan_says_what_it_costs(known: Afterscore) -> None:
    plan = planned(known)
    assert plan["listings"] == 3
    assert plan["never_asked"] == 1
    assert plan["nights_for_all"] == 2
    assert 0 < plan["upkeep_a_night"] <= 3
    assert plan["hours"] == pytest.approx(2 * 1.25 * 5 / 3_600, abs=0.001), "one request in 5 s"


def test_the_plan_for_people_has_each_listing_with_its_reason(known: Afterscore) -> None:
    ended = known("plan", "--source", "rottentomatoes")
    assert ended.status == 0
    (line,) = [line for line in ended.out.splitlines() if line.startswith("rottentomatoes:")]
    assert "2 of 3 listings" in line
    assert "1 more" in line
    assert any(ALIEN in line and "never asked" in line for line in ended.out.splitlines())
    assert any(SKYFALL in line and "changes about" in line for line in ended.out.splitlines())


def test_a_limit_holds_for_the_plan(known: Afterscore) -> None:
    assert [row["source_id"] for row in planned(known, "--limit", "1")["asked"]] == [ALIEN]


def test_a_budget_too_small_to_keep_up_is_told(known: Afterscore) -> None:
    known.settings(SETTINGS.replace("= 2", "= 1"))
    with keeping(known.folder / "ratings.db") as kept:
        for night, days in enumerate((2.5, 2, 1.5, 1)):
            says(kept, SKYFALL, days, 70 + night)
            says(kept, UP, days, 70 + night)
    assert "requests_a_night = 1 allows" in known("plan", "--source", "rottentomatoes").out


def test_votes_that_grew_at_imdb_are_news_of_the_film_elsewhere(known: Afterscore) -> None:
    """The datasets cost no request of their own, and say which films people talk about."""
    with keeping(known.folder / "ratings.db") as kept:
        page = record(source_id=UP, imdb_id="tt1049413", scores={"tomatometer": scored(98)})
        kept.tell(answer(page, at=ago(2)))
        for days, votes in ((9, 1_000), (0.2, 1_300)):
            score = scored(8.3, votes=votes, scale_max=10)
            figure = record("imdb", "tt1049413", title="Up", scores={"imdb_rating": score})
            kept.tell(answer(figure, at=ago(days), target="dataset"))
        kept.match()
    (news,) = [row for row in planned(known)["asked"] if row["source_id"] == UP]
    assert news["why"] == "its IMDb votes grew by 30 % since"
    assert news["chance"] > 0.9


def test_a_rating_that_moved_at_imdb_is_news_of_the_film_elsewhere(known: Afterscore) -> None:
    with keeping(known.folder / "ratings.db") as kept:
        page = record(source_id=UP, imdb_id="tt1049413", scores={"tomatometer": scored(98)})
        kept.tell(answer(page, at=ago(2)))
        for days, rating in ((9, 8.3), (0.2, 8.0)):
            score = scored(rating, votes=1_000_000, scale_max=10)
            figure = record("imdb", "tt1049413", title="Up", scores={"imdb_rating": score})
            kept.tell(answer(figure, at=ago(days), target="dataset"))
        kept.match()
    (news,) = [row for row in planned(known)["asked"] if row["source_id"] == UP]
    assert news["why"] == "its IMDb rating moved since"
    assert 0.4 < news["chance"] < 0.6


def test_what_failed_waits_and_a_page_that_was_refused_has_not_answered(known: Afterscore) -> None:
    with keeping(known.folder / "ratings.db") as kept:
        for days in (0.9, 0.5):
            kept.tell(refused(Outcome.UNREADABLE, ago(days), source_id=SKYFALL))
        answers = kept.row("SELECT answers, changes FROM urls WHERE url LIKE '%skyfall'")
    assert answers == (5, 4)
    assert [row["source_id"] for row in planned(known)["asked"]] == [ALIEN, UP]


def test_an_unchanged_page_counts_as_an_answer_that_brought_nothing(known: Afterscore) -> None:
    with keeping(known.folder / "ratings.db") as kept:
        (moved,) = kept.column("SELECT changes FROM urls WHERE url LIKE '%skyfall'")
        page = tomatometer(scored(94), ago(0.1), unchanged=True, http_status=304, records=())
        kept.tell(page)
        answered = kept.row(
            "SELECT answers, changes, last_answered_at FROM urls WHERE url LIKE '%skyfall'"
        )
    assert answered == (6, moved, page.asked_at)
    assert [row["source_id"] for row in planned(known)["asked"]] == [ALIEN, UP]


def test_the_plan_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall")
        before = (tmp_path / "ratings.db").read_bytes()
        ended = ready("plan")
        assert replica.asked == []
    assert ended.status == 0
    assert "m/skyfall" in ended.out
    assert (tmp_path / "ratings.db").read_bytes() == before


def test_a_refresh_asks_what_the_plan_names_and_then_says_when_it_is_due_again(
    tmp_path: Path,
) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall", "rottentomatoes:m/up")
        named = {row["source_id"] for row in planned(ready)["asked"]}
        ready("refresh", "--source", "rottentomatoes")
        asked = {one.path.lstrip("/") for one in replica.asked} - {"robots.txt"}
        assert asked == named == {"m/skyfall", "m/up"}
        assert planned(ready)["asked"] == []
    due = list(ready.database().query("SELECT due_at, why FROM due"))
    assert len(due) == 2
    assert all(row["due_at"] > clock.later(clock.now(), hours=11) for row in due)


def test_without_a_database_the_plan_says_how_to_make_one(afterscore: Afterscore) -> None:
    ended = afterscore("plan")
    assert ended.status == 2
    assert "afterscore track" in ended.err


UNIVERSE = "\n[universe]\nvotes_at_least = 25000\n"


def test_before_the_datasets_are_read_the_plan_says_how_to_know_what_a_universe_costs(
    known: Afterscore,
) -> None:
    assert known("plan", "--json").json["universe_unread"] is False, "there is none"
    known.settings(SETTINGS + UNIVERSE)
    assert known("plan", "--json").json["universe_unread"] is True
    assert "afterscore refresh --source imdb" in known("plan").out


def test_once_the_datasets_are_read_the_plan_bounds_what_the_universe_costs(
    tmp_path: Path,
) -> None:
    """Nothing is known yet of where its films are listed: each may be on every source, once."""
    with Replica() as replica:
        ready = beside(replica, tmp_path, SETTINGS + UNIVERSE)
        assert ready("refresh", "--source", "imdb").status == 0
        asked = len(replica.asked)
        plan = planned(ready)
        told = ready("plan", "--source", "rottentomatoes")
        assert len(replica.asked) == asked
    films = next(ready.database().query("SELECT count(*) AS films FROM films"))["films"]
    nights = -(-films // 2)
    assert films > 2
    assert (plan["listings"], plan["unfound"]) == (0, films)
    assert plan["at_most"] == {
        "requests": films,
        "nights": nights,
        "hours_a_night": pytest.approx(2 * 1.25 * 5 / 3_600, abs=0.001),
    }
    assert f"at most {films:,} requests: {nights} nights" in told.out
    assert "not known yet" not in told.out


def test_films_that_a_source_does_not_have_cost_nothing_there(known: Afterscore) -> None:
    with keeping(known.folder / "ratings.db") as kept:
        kept.tell(answer(record("imdb", "tt0078748", title="Alien"), at=ago(1), target="dataset"))
        kept.match()
        (film,) = kept.column("SELECT film_id FROM films WHERE imdb_id = 'tt0078748'")
    assert planned(known)["unfound"] == 1
    with keeping(known.folder / "ratings.db") as kept:
        row = (film, "rottentomatoes", ago(1), "not_listed", "asked wikidata")
        kept.db.conn.execute("INSERT INTO lookups VALUES (?, ?, ?, ?, ?)", row)
        kept.db.conn.commit()
    assert (planned(known)["unfound"], planned(known)["at_most"]["requests"]) == (0, 3)

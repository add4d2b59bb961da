"""quarantine list, show, release and reject, as people type them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.crawl_profile import as_ended, as_profile, as_whole, counts_of, with_released
from pipelines.database import transaction
from pipelines.films import Listed
from pipelines.guard import Doubt, Rule
from pipelines.statements import Tally
from pipelines.store import Store
from pipelines.tracking import track
from spiders.items import Answer, Credits, Outcome, Score, Verdict
from tests.answers import answer, day, keeping, record, refused, scored, tomatometer
from tests.conftest import Afterscore

SKYFALL, UP = "m/skyfall", "m/up"


@pytest.fixture
def holding(tmp_path: Path) -> Afterscore:
    """A folder whose database holds back five things of three kinds.

    1, 2: figures of Rotten Tomatoes that jump; 3: one out of scale; 4: a verdict of AfterCredits
    that turned round; 5: a page of another film.
    """
    with keeping(tmp_path / "ratings.db") as kept:
        with transaction(kept.db):
            for listing in (Listed("rottentomatoes", SKYFALL), Listed("rottentomatoes", UP)):
                track(kept.db, [listing], str(listing))
            kept.db.conn.execute(
                "INSERT INTO runs (run_id, command, plan, pid, started_at) VALUES"
                " (7, 'refresh', '{}', 1, '2026-01-01T00:00:00Z')"
            )
        kept.tell(tomatometer(scored(93, 349), day(1)))
        kept.tell(tomatometer(scored(98, 300), day(1), UP))
        kept.tell(tomatometer(scored(60, 351), day(2)))
        kept.tell(tomatometer(scored(50, 301), day(2), UP))
        both = {"popcornmeter": scored(101, 300)}
        kept.tell(answer(record(source_id=UP, scores=both), at=day(2)))
        for night, verdict in ((1, Verdict.NO), (2, Verdict.YES)):
            kept.tell(answer(record("aftercredits", credits=Credits(after=verdict)), at=day(night)))
        page = record("rottentomatoes", "m/dune", title="Dune", year=2021)
        kept.tell(
            answer(
                page,
                at=day(3),
                asked_source_id="m/asked",
                asked_url="https://www.rottentomatoes.com/m/asked",
            )
        )
        kept.db.conn.execute("UPDATE quarantine SET run_id = 7 WHERE quarantine_id = 2")
        kept.merge()
    return Afterscore(tmp_path)


def rows(ready: Afterscore, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in ready.database().execute(sql, values)]


def decided(ready: Afterscore) -> dict[int, str | None]:
    return dict(rows(ready, "SELECT quarantine_id, decision FROM quarantine"))


def value(ready: Afterscore, source_id: str) -> float:
    found = rows(
        ready,
        "SELECT value FROM scores JOIN listings USING (listing_id)"
        " WHERE source_id = ? AND score_kind = 'tomatometer'",
        source_id,
    )
    return float(found[0][0])


# --- looking --------------------------------------------------------------------------------------


def test_the_list_says_what_is_held_why_and_since_when(holding: Afterscore) -> None:
    lines = holding("quarantine", "list").out.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith(f"1  rottentomatoes  {SKYFALL}  tomatometer: moved from 93")
    assert day(2) in lines[-1]


def test_the_list_can_be_of_one_source_or_one_run(holding: Afterscore) -> None:
    def numbers(*words: str) -> list[int]:
        found = holding("quarantine", "list", "--json", *words).json
        return sorted(row["quarantine_id"] for row in found)

    assert numbers("--source", "rottentomatoes") == [1, 2, 3, 5]
    assert numbers("--run", "7") == [2]
    assert numbers("--run", "7", "--source", "aftercredits") == []


def test_a_case_is_shown_with_what_it_says_and_what_stands(holding: Afterscore) -> None:
    shown = holding("quarantine", "show", "1").out
    assert "\n  it says   60 of 100, 351 votes\n" in shown
    assert f"\n  standing  93 of 100, 349 votes, last seen {day(1)}\n" in shown
    verdict = holding("quarantine", "show", "4").out
    assert "\n  it says   during the credits: unknown, after: yes\n" in verdict
    assert "\n  standing  during the credits: unknown, after: no\n" in verdict
    assert holding("quarantine", "show", "1", "--json").json["standing"]["votes"] == 349
    assert "https://www.rottentomatoes.com/m/skyfall" in shown
    assert "afterscore quarantine release 1" in shown
    told = holding("quarantine", "show", "4", "--json").json
    assert (told["rule"], told["record"]["credits"]["after"]) == ("turned_round", "yes")


def test_a_case_that_is_not_there_is_said_so(holding: Afterscore) -> None:
    for words in (("show", "99"), ("release", "99"), ("reject", "99")):
        ended = holding("quarantine", *words)
        assert ended.status == 2
        assert "99" in ended.err


# --- deciding -------------------------------------------------------------------------------------


def test_what_is_released_stands_as_of_when_it_was_said(holding: Afterscore) -> None:
    ended = holding("quarantine", "release", "1")
    assert (ended.status, ended.out.split(":")[0]) == (0, "released")
    assert value(holding, SKYFALL) == 60
    assert rows(
        holding,
        "SELECT cause, new_value, changed_at FROM score_changes WHERE listing LIKE '%skyfall'"
        " ORDER BY changed_at",
    ) == [("first_seen", 93, day(1)), ("released", 60, day(2))]
    merged = (
        "SELECT tomatometer FROM film_scores JOIN listing_films USING (film_id)"
        " JOIN listings USING (listing_id) WHERE source_id = ?"
    )
    assert rows(holding, merged, SKYFALL) == [(60,)]
    left = "SELECT source_id FROM unmerged_listings JOIN listings USING (listing_id)"
    assert (SKYFALL,) not in rows(holding, left), "the next run does not match it again"
    assert decided(holding) == {1: "released", 2: None, 3: None, 4: None, 5: None}
    assert "Nothing is held" not in holding("quarantine", "list").out


def test_what_is_rejected_changes_nothing_and_is_not_listed_again(holding: Afterscore) -> None:
    before = rows(holding, "SELECT * FROM scores")
    assert holding("quarantine", "reject", "1").status == 0
    assert rows(holding, "SELECT * FROM scores") == before
    with keeping(holding.folder / "ratings.db") as kept:
        tally = kept.tell(*(tomatometer(scored(60, 352), day(night)) for night in range(3, 9)))
        assert tally.notes == []
        assert kept.score()["value"] == 93
        kept.tell(tomatometer(scored(20, 352), day(9)))
    assert decided(holding) == {1: "rejected", 2: None, 3: None, 4: None, 5: None, 6: None}


def test_a_run_is_released_as_one(holding: Afterscore) -> None:
    assert holding("quarantine", "release", "--run", "7").status == 0
    assert decided(holding) == {1: None, 2: "released", 3: None, 4: None, 5: None}


def test_a_source_is_released_but_for_what_cannot_be_true(holding: Afterscore) -> None:
    ended = holding("quarantine", "release", "--source", "rottentomatoes")
    assert ended.status == 1
    assert "not released: 3" in ended.err
    assert decided(holding) == {
        1: "released",
        2: "released",
        3: None,
        4: None,
        5: "released",
    }
    assert value(holding, UP) == 50
    assert rows(holding, "SELECT title FROM listings WHERE source_id = 'm/asked'") == [("Dune",)]


def test_a_verdict_is_released(holding: Afterscore) -> None:
    assert holding("quarantine", "release", "4").status == 0
    assert rows(holding, "SELECT after FROM standing_verdicts") == [("yes",)]


@pytest.mark.parametrize(
    "words", [(), ("1", "--source", "imdb"), ("--source", "nowhere"), ("--source", "imdb")]
)
def test_what_names_nothing_decides_nothing(holding: Afterscore, words: Sequence[str]) -> None:
    for command in ("release", "reject"):
        ended = holding("quarantine", command, *words)
        assert ended.status == 2
        assert len(ended.err.strip().splitlines()) == 1
    assert set(decided(holding).values()) == {None}


def test_all_that_was_decided_can_be_listed(holding: Afterscore) -> None:
    holding("quarantine", "reject", "--source", "rottentomatoes")
    assert len(holding("quarantine", "list", "--json").json) == 1
    everything = holding("quarantine", "list", "--all").out
    assert everything.count("; rejected by ") == 4


# --- a whole crawl --------------------------------------------------------------------------------


def of_list(at: float, figure: Score) -> Answer:
    """Fifty films of one list, all with one figure."""
    films = (record(source_id=f"m/{n}", scores={"tomatometer": figure}) for n in range(50))
    url = "https://www.rottentomatoes.com/browse"
    return answer(*films, at=day(at), target="list", asked_url=url)


@pytest.fixture
def held_crawl(tmp_path: Path) -> Afterscore:
    """A folder whose database holds a whole list of fifty films."""
    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(of_list(1, scored(93, 349)))
        doubt = Doubt(Rule.CUT_SHORT, "50 films, where the last whole ones had 900")
        with transaction(kept.db):
            Store(kept.db, None, {}).hold([of_list(2, scored(40, 351))], doubt, Tally())
    return Afterscore(tmp_path)


def test_a_held_crawl_is_one_case_whose_records_can_be_seen(held_crawl: Afterscore) -> None:
    assert held_crawl("quarantine", "list").out.startswith("1  rottentomatoes  crawl: 50 films")
    shown = held_crawl("quarantine", "show", "1").out
    assert "50 records in 1 answer are kept" in shown
    assert '"value": 40' in shown
    assert rows(held_crawl, "SELECT DISTINCT value, last_attempt_state FROM scores") == [
        (93, "held")
    ]


def test_a_released_crawl_is_stored_and_every_change_says_so(held_crawl: Afterscore) -> None:
    assert held_crawl("quarantine", "release", "1").status == 0
    assert rows(held_crawl, "SELECT DISTINCT value FROM scores") == [(40,)]
    causes = rows(held_crawl, "SELECT cause, count(*) FROM score_changes GROUP BY 1 ORDER BY 1")
    assert causes == [("first_seen", 50), ("released", 50)]
    assert rows(held_crawl, "SELECT count(*) FROM held_answers") == [(0,)]


def test_a_rejected_crawl_leaves_nothing_behind(held_crawl: Afterscore) -> None:
    assert held_crawl("quarantine", "reject", "--source", "rottentomatoes").status == 0
    assert rows(held_crawl, "SELECT DISTINCT value FROM scores") == [(93,)]
    assert rows(held_crawl, "SELECT count(*) FROM held_answers") == [(0,)]
    assert held_crawl("quarantine", "list").out.strip() == "Nothing is held back."


def test_a_released_page_does_not_undo_what_was_said_since(held_crawl: Afterscore) -> None:
    with keeping(held_crawl.folder / "ratings.db") as kept:
        url = "https://www.rottentomatoes.com/browse"
        later = record(source_id="m/0", scores={"tomatometer": scored(92, 360)})
        kept.tell(answer(later, at=day(3), target="list", asked_url=url))
    assert held_crawl("quarantine", "release", "1").status == 0
    assert rows(held_crawl, "SELECT DISTINCT value FROM scores ORDER BY 1") == [(92,), (93,)]


@pytest.mark.parametrize(("said", "stays"), [(93, 93), (92, 92)])
def test_a_list_that_is_released_late_is_history_where_a_page_said_more_since(
    held_crawl: Afterscore, said: float, stays: float
) -> None:
    with keeping(held_crawl.folder / "ratings.db") as kept:
        kept.tell(tomatometer(scored(said, 360), day(4), "m/0"))
        kept.tell(refused(Outcome.BLOCKED, day(5), source_id="m/1"))
    assert held_crawl("quarantine", "release", "1").status == 0
    assert rows(
        held_crawl,
        "SELECT source_id, value, confirmed_at, last_attempt_state FROM standing_scores"
        " JOIN listings USING (listing_id) WHERE source_id IN ('m/0', 'm/1', 'm/2') ORDER BY 1",
    ) == [
        ("m/0", stays, day(4), "scored"),
        ("m/1", 40, day(2), "blocked"),
        ("m/2", 40, day(2), "scored"),
    ]
    assert rows(
        held_crawl,
        "SELECT value, observed_at FROM score_observations JOIN listings USING (listing_id)"
        " WHERE source_id = 'm/0' ORDER BY 2",
    ) == [(93, day(1)), (40, day(2)), (said, day(4))]


@pytest.mark.parametrize("said", [Verdict.NO, Verdict.UNKNOWN])
def test_a_verdict_that_is_released_late_is_history_too(tmp_path: Path, said: Verdict) -> None:
    def told(at: float, after: Verdict, **more: Any) -> Answer:
        return answer(record("aftercredits", credits=Credits(after=after)), at=day(at), **more)

    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(told(1, Verdict.NO))
        doubt = Doubt(Rule.CUT_SHORT, "1 film, where the last whole ones had 900")
        with transaction(kept.db):
            listed = told(2, Verdict.YES, target="list", asked_url="https://aftercredits.com/list")
            Store(kept.db, None, {}).hold([listed], doubt, Tally())
        kept.tell(told(4, said))
    ready = Afterscore(tmp_path)
    assert ready("quarantine", "release", "1").status == 0
    assert rows(ready, "SELECT after, confirmed_at FROM standing_verdicts") == [(said, day(4))]
    told_then = rows(ready, "SELECT after, observed_at FROM credits_verdicts ORDER BY 2")
    assert told_then == [("no", day(1)), ("yes", day(2)), (said, day(4))]


def test_a_profile_counts_what_records_carry() -> None:
    told = as_profile(counts_of(of_list(1, scored(93, 349)).records))
    assert (told["records"], told["tomatometer scored"], told["tomatometer same"]) == (50, 50, 50)
    assert told["title"] == 0


def test_what_a_person_let_pass_counts_in_the_length_of_its_crawl() -> None:
    passed = as_ended(Counter(records=900_000), "a universe")
    together = with_released(passed, Counter(records=100_000))
    assert together == as_whole(Counter(records=1_000_000), "a universe")
    assert with_released(Counter(records=90), Counter(records=10)) == Counter(records=100)
    lost = Counter({"records": 90, "lost pages": 40, "found again": 2})
    assert with_released(lost, Counter(records=10)) == Counter(records=100)

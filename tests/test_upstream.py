"""TMDB's feed of changes: what it names is asked although it would rest, and nothing else comes of
it, whatever becomes of the feed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from pipelines import clock
from tests.answers import Kept, answer, keeping, record, scored
from tests.conftest import Afterscore
from tests.fault_server import FEED, FaultServer, Reply, asking

pytestmark = pytest.mark.usefixtures("within_a_day")

FILMS = ("1", "2", "3")
UNWATCHED = "its source's feed was not read for a time since"
NAMED = "the source itself says that it changed since"


def midnight(days_ago: int) -> str:
    """The day that began so many days ago, UTC: `2026-11-22`."""
    return clock.later(clock.now(), days=-days_ago)[:10]


def page(*ids: int, number: int = 1, of: int = 1, cut: int = 0) -> Reply:
    """A page of the feed, with so many of its last bytes `cut` off."""
    rows = [{"id": film, "adult": False} for film in ids]
    told = {"results": rows, "page": number, "total_pages": of, "total_results": len(ids)}
    body = json.dumps(told).encode()
    return Reply(body=body[: len(body) - cut])


def question(days_ago: int, number: int = 1) -> str:
    """How the feed is asked for the changes of a day."""
    span = f"start_date={midnight(days_ago)}&end_date={midnight(days_ago - 1)}"
    return f"{span}&page={number}"


def questions(server: FaultServer) -> list[str]:
    """What the feed was asked, in order."""
    return [one.query for one in server.asked if one.path == FEED]


def planned(ready: Afterscore) -> dict[str, str]:
    """What a refresh would ask TMDB now, and why."""
    (source,) = ready("plan", "--source", "tmdb", "--json").json["sources"]
    return {row["source_id"]: row["why"] for row in source["asked"]}


def read_to(kept: Kept, days_ago: int) -> None:
    """Let the feed have been read until then."""
    kept.db.conn.execute(
        "INSERT INTO feeds VALUES ('tmdb', ?, NULL)", (f"{midnight(days_ago)}T00:00:00Z",)
    )


def numbers(ready: Afterscore) -> list[Any]:
    """How many listings and films there are."""
    return [ready.database()[table].count for table in ("listings", "films")]


@pytest.fixture
def tmdb() -> Iterator[FaultServer]:
    """TMDB, whose feed has one empty page a day unless a test says otherwise."""
    with FaultServer("tmdb") as server:
        server.script[FEED] = repeat(page())
        yield server


@pytest.fixture
def resting(tmp_path: Path, tmdb: FaultServer) -> Afterscore:
    """Three films of TMDB that hardly ever change, last asked yesterday morning."""
    ready = asking(tmp_path, tmdb)
    assert ready("track", *(f"tmdb:{film}" for film in FILMS)).status == 0
    with keeping(tmp_path / "ratings.db") as kept:
        for days in (3_000, 1_500, 1):
            for film in FILMS:
                score = {"tmdb_score": scored(7.2, 13_000, 10)}
                said = record("tmdb", film, title="Skyfall", year=2012, scores=score)
                kept.tell(answer(said, at=f"{midnight(days)}T02:00:00Z"))
    return ready


def test_what_the_feed_names_is_asked_although_it_would_rest(
    tmdb: FaultServer, resting: Afterscore
) -> None:
    assert planned(resting) == {}
    tmdb.script[FEED] = iter([page(2, 77, of=2), page(3, number=2, of=2)])
    ended = resting("refresh", "--limit", "1")
    assert ended.status == 0, ended.err
    (asked,) = tmdb.pages_asked
    (left,) = {"2", "3"} - {asked}
    assert planned(resting) == {left: NAMED}
    assert resting("refresh").status == 0
    assert tmdb.pages_asked == [asked, left]
    assert planned(resting) == {}
    assert questions(tmdb) == [question(1, 1), question(1, 2)], "no day is asked for twice"
    crawls = resting.database().query("SELECT asked FROM crawls WHERE source = 'tmdb'")
    assert [crawl["asked"] for crawl in crawls] == [3, 1]


def test_ids_that_we_do_not_have_make_no_listing_and_no_film(
    tmdb: FaultServer, resting: Afterscore
) -> None:
    before = numbers(resting)
    tmdb.script[FEED] = iter([page(*range(1_000, 1_100))])
    assert resting("refresh").status == 0
    assert questions(tmdb) == [question(1)]
    assert tmdb.pages_asked == []
    assert numbers(resting) == before


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        pytest.param(Reply(500), "error", id="an error"),
        pytest.param(page(3, cut=30), "unreadable", id="a page cut short"),
    ],
)
def test_a_feed_that_breaks_off_is_told_costs_nothing_else_and_is_asked_again(
    tmdb: FaultServer, resting: Afterscore, broken: Reply, told: str
) -> None:
    """What was named before stands; of the rest of that day, nothing is known."""
    tmdb.script[FEED] = iter([page(2, of=3), *repeat(broken, 3)])
    ended = resting("refresh")
    assert ended.status == 1
    assert f"tmdb: {told}: https://api.themoviedb.org{FEED}?{question(1, 2)}" in ended.err
    (crawl,) = resting.database().query("SELECT outcome, detail FROM crawls WHERE source = 'tmdb'")
    assert crawl == {"outcome": "partly", "detail": "1 answer could not be used"}
    assert tmdb.pages_asked == ["2"]
    last = len(tmdb.asked)
    tmdb.script[FEED] = iter([page(1)])
    assert resting("refresh").status == 0
    assert [one.query for one in tmdb.asked[last:] if one.path == FEED] == [question(1)]
    assert tmdb.pages_asked == ["2", "1"]


def test_a_feed_that_does_not_say_how_long_it_is_has_not_been_read_whole(
    tmdb: FaultServer, resting: Afterscore
) -> None:
    tmdb.script[FEED] = repeat(Reply(body=b'{"results": [{"id": 3}], "page": 1}'))
    for _ in range(2):
        assert resting("refresh").status == 0
    assert questions(tmdb) == [question(1)] * 2
    assert tmdb.pages_asked == ["3"]


def test_after_a_long_time_the_feed_is_asked_for_its_fortnight_a_day_at_a_time(
    tmdb: FaultServer, resting: Afterscore
) -> None:
    with keeping(resting.folder / "ratings.db") as kept:
        read_to(kept, 400)
    assert resting("refresh").status == 0
    assert questions(tmdb) == [question(days) for days in range(14, 0, -1)]
    assert tmdb.pages_asked == [], "all answered within the fortnight"


@pytest.mark.parametrize(
    ("last_read", "due"),
    [
        pytest.param(30, {"1", "2"}, id="longer ago than it reaches back"),
        pytest.param(14, set(), id="just as long ago"),
        pytest.param(None, {"1", "2"}, id="never"),
    ],
)
def test_what_the_feed_cannot_tell_of_any_more_is_asked_once_by_age(
    tmdb: FaultServer, resting: Afterscore, last_read: int | None, due: set[str]
) -> None:
    """Two films answered before the fortnight, and one within."""
    with keeping(resting.folder / "ratings.db") as kept:
        for film, days in zip(FILMS, (20, 20, 10), strict=True):
            at = f"{midnight(days)}T02:00:00Z"
            kept.db.conn.execute(
                "UPDATE urls SET last_asked_at = ?1, last_answered_at = ?1 WHERE url LIKE ?2",
                (at, f"%/movie/{film}?%"),
            )
        if last_read is not None:
            read_to(kept, last_read)
    assert planned(resting) == {}
    assert resting("refresh", "--limit", "1").status == 0
    left = due - set(tmdb.pages_asked)
    assert planned(resting) == dict.fromkeys(left, UNWATCHED)
    assert resting("refresh").status == 0
    assert set(tmdb.pages_asked) == due
    assert planned(resting) == {}


def test_a_run_for_some_films_leaves_the_feed_alone(tmdb: FaultServer, resting: Afterscore) -> None:
    tmdb.script[FEED] = repeat(page(3))
    assert resting("refresh", "--film", "tmdb:1").status == 0
    assert questions(tmdb) == []
    assert tmdb.pages_asked == ["1"]


def test_on_the_first_night_there_is_nothing_that_could_have_changed(
    tmdb: FaultServer, tmp_path: Path
) -> None:
    ready = asking(tmp_path, tmdb)
    ready("track", "tmdb:1")
    assert ready("refresh").status == 0
    assert tmdb.pages_asked == ["1"]
    assert questions(tmdb) == []

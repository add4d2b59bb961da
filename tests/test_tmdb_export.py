"""TMDB's daily export of ids as a universe: read once a day and whole or not at all, what it costs
told before it is asked, and asked with what the budget leaves."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from pipelines import clock
from schedules.replica import Replica
from spiders.sources import by_key
from tests.answers import keeping
from tests.conftest import ALL_ON, Afterscore, beside
from tests.fault_server import FaultServer, Reply, asking, tmdb_without_changes

FILMS = 60
"""Enough for an export to be the past of the next one."""

SETTINGS = "[universe]\ntmdb_popularity_at_least = {}\n"


def line(film: int, popularity: float = 1.0, **told: Any) -> str:
    row = {"adult": False, "id": film, "original_title": f"Film {film}", "popularity": popularity}
    return json.dumps({**row, "video": False, **told}) + "\n"


def popularity(film: int) -> float:
    """The lower its number, the more popular a film is."""
    return round(1_000 / film, 3)


LINES = [line(film, popularity(film)) for film in range(1, FILMS + 1)]


def packed(lines: Iterable[str]) -> bytes:
    return gzip.compress("".join(lines).encode())


def path(days_ago: float = 0) -> str:
    """Where the export is that should be there by now, or an older one."""
    day = datetime.now(UTC) - timedelta(hours=by_key("tmdb").export_hour or 0, days=days_ago)
    return f"/p/exports/movie_ids_{day:%m_%d_%Y}.json.gz"


def serve(server: FaultServer, lines: Iterable[str], days_ago: int = 0) -> None:
    server.script[path(days_ago)] = repeat(Reply(body=packed(lines)))


def exports_asked(server: FaultServer) -> list[str]:
    return [one.path for one in server.asked if one.path.startswith("/p/")]


def rows(ready: Afterscore) -> list[tuple[str, float, str | None]]:
    """What is known of the films of exports."""
    told = "source_id, popularity, absent_since FROM exported_ids"
    with closing(ready.database()) as database:
        return database.execute(f"SELECT {told} ORDER BY CAST(source_id AS INTEGER)").fetchall()


def another_day(ready: Afterscore) -> None:
    """Let the last export that was read be of a day long past."""
    with keeping(ready.folder / "ratings.db") as kept:
        kept.db.conn.execute("UPDATE exports SET exported_on = '2026-01-01'")


@pytest.fixture(autouse=True)
def _within_a_day() -> None:
    """The next export is not there before the test ends."""
    if path(-3 / (24 * 60)) != path():
        pytest.skip("the next export is about to be there")


@pytest.fixture
def tmdb() -> Iterator[FaultServer]:
    """TMDB, whose feed of changes is empty."""
    with tmdb_without_changes() as server:
        yield server


@pytest.fixture
def ready(tmp_path: Path, tmdb: FaultServer) -> Afterscore:
    """A universe of the films that are as popular as the thirtieth, and three requests a night."""
    told = SETTINGS.format(popularity(30))
    ready = asking(tmp_path, tmdb, more="refresh_after_hours = 0\n" + told)
    text = (tmp_path / "afterscore.toml").read_text("utf-8")
    ready.settings(text.replace("[sources.tmdb]", "[sources.tmdb]\nrequests_a_night = 3"))
    return ready


@pytest.fixture
def read(ready: Afterscore, tmdb: FaultServer) -> Afterscore:
    """The same, after its first night."""
    serve(tmdb, LINES)
    ended = ready("refresh")
    assert ended.status == 0, ended.err
    return ready


def test_what_the_universe_costs_is_told_before_any_film_of_it_is_asked(
    tmdb: FaultServer, ready: Afterscore
) -> None:
    ready("track", "tmdb:7")
    assert "'afterscore refresh --source tmdb' reads it" in ready("plan").out
    assert ready("plan", "--json").json["exports_unread"] is True
    serve(tmdb, [*LINES, line(901, 99, adult=True), line(902, 99, video=True)])
    assert ready("refresh", "--source", "tmdb").status == 0
    assert tmdb.pages_asked == ["7"]
    ready("track", "tmdb:8")
    plan = ready("plan", "--json").json
    assert plan["exports_unread"] is False
    (night,) = plan["sources"]
    assert (night["unlisted"], night["requests"], night["exported"]) == (28, 3, ["1", "2"])
    assert night["at_most"] == {"requests": 30, "nights": 10, "hours_a_night": 0.0}
    told = ready("plan").out
    assert "tmdb: 1 of 2 listings and 2 films of its export" in told
    assert "28 films of its export never asked: 10 nights at least" in told


def test_its_films_are_asked_most_popular_first_with_what_the_budget_leaves(
    tmdb: FaultServer, read: Afterscore
) -> None:
    assert tmdb.pages_asked == []
    for _ in range(2):
        assert read("refresh").status == 0
    assert tmdb.pages_asked[:3] == ["1", "2", "3"]
    assert len(tmdb.pages_asked) == 6
    assert exports_asked(tmdb) == [path()], "once a day"
    listed = read.database().execute("SELECT count(*) FROM listings WHERE source = 'tmdb'")
    assert listed.fetchone() == (6,), "what was not asked is no listing"


def test_a_run_for_one_film_neither_reads_the_export_nor_asks_its_films(
    tmdb: FaultServer, read: Afterscore
) -> None:
    another_day(read)
    assert read("track", "tmdb:7").status == 0
    assert read("refresh", "--film", "tmdb:7").status == 0
    assert tmdb.pages_asked == ["7"]
    assert exports_asked(tmdb) == [path()]


def test_the_next_export_brings_what_is_new_and_deletes_nothing(
    tmdb: FaultServer, read: Afterscore
) -> None:
    before = rows(read)
    assert [row[0] for row in before] == [str(film) for film in range(1, 31)]
    another_day(read)
    moved = line(3, popularity(3) * 1.9)
    serve(tmdb, [*LINES[:1], moved, line(4, popularity(4) * 2.1), *LINES[4:], line(99, 700)])
    assert read("refresh", "--limit", "1").status == 0
    day = path()[-18:-8]
    today = f"{day[6:]}-{day[:2]}-{day[3:5]}"
    after = {row[0]: row for row in rows(read)}
    assert after["2"] == ("2", popularity(2), today)
    assert after["3"] == ("3", popularity(3), None), "it only orders what is asked"
    assert after["4"] == ("4", popularity(4) * 2.1, None)
    assert after["99"] == ("99", 700.0, None)
    assert tmdb.pages_asked == ["1"]
    another_day(read)
    serve(tmdb, LINES)
    assert read("refresh", "--limit", "1").status == 0
    assert tmdb.pages_asked == ["1", "2"], "it is back"


BAD = {
    "cut short": (packed(LINES)[:-100], "the file is cut short"),
    "a line that is none": (packed([*LINES[:29], "{]\n", *LINES[30:]]), "line 30: no film: '{]"),
    "a column less": (packed([*LINES[:4], '{"id": 5}\n']), 'line 5: no film: \'{"id": 5}'),
    "an id that is none": (packed([*LINES[:9], line(0)]), "line 10: no film"),
    "a popularity that is none": (packed([line(1, float("nan"))]), "line 1: no film"),
    "a film twice": (packed([*LINES, LINES[0]]), "line 61: 1 for the second time"),
    "gzip of gzip": (gzip.compress(packed(LINES)), "line 1: no film"),
    "no line": (packed([]), "line 0: the file is empty"),
    "half of it": (packed(LINES[:15]), "held: tmdb: 15 films, where the last whole ones had 30"),
    "films that nobody looks at": (
        packed([line(film, 0) for film in range(1, FILMS + 1)]),
        "held: tmdb: 0 films, where the last whole ones had 30",
    ),
}


@pytest.fixture(scope="module")
def two_nights(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[FaultServer, Afterscore]]:
    """TMDB, and a database that has read two exports; the bad ones leave it as it is."""
    with FaultServer("tmdb") as server:
        folder = tmp_path_factory.mktemp("exports")
        ready = asking(folder, server, more=SETTINGS.format(popularity(30)))
        serve(server, LINES)
        for _ in range(2):
            assert ready("refresh", "--limit", "1").status == 0
            another_day(ready)
        yield server, ready


@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
def test_nothing_is_stored_of_a_bad_export_and_films_are_asked_all_the_same(
    two_nights: tuple[FaultServer, Afterscore], body: bytes, said: str
) -> None:
    server, ready = two_nights
    before, asked = rows(ready), len(server.pages_asked)
    server.script[path()] = repeat(Reply(body=body))
    ended = ready("refresh", "--limit", "1")
    assert ended.status == 1
    assert said in ended.err
    assert rows(ready) == before
    assert len(server.pages_asked) == asked + 1


def test_a_held_export_stays_for_a_person_to_release(tmdb: FaultServer, read: Afterscore) -> None:
    another_day(read)
    read("refresh", "--limit", "1")
    another_day(read)
    serve(tmdb, LINES[:15])
    assert "held: tmdb" in read("refresh").err
    (case,) = read("quarantine", "list", "--json").json
    assert read("quarantine", "release", str(case["quarantine_id"])).status == 0
    assert [row[0] for row in rows(read) if row[2] is None] == [str(n) for n in range(1, 16)]


@pytest.mark.parametrize("status", [403, 404])
def test_where_the_export_is_late_the_one_of_the_day_before_will_do(
    tmdb: FaultServer, ready: Afterscore, status: int
) -> None:
    tmdb.script[path()] = repeat(Reply(status))
    serve(tmdb, LINES, days_ago=1)
    for _ in range(2):
        assert ready("refresh").status == 0
    assert exports_asked(tmdb) == [path(), path(1), path()], "once it is read, today's alone"
    serve(tmdb, LINES)
    assert ready("refresh").status == 0
    assert ready("refresh").status == 0
    assert exports_asked(tmdb)[3:] == [path()]


def test_where_neither_is_there_it_is_told_and_asked_again(
    tmdb: FaultServer, ready: Afterscore
) -> None:
    ready("track", "tmdb:7")
    ended = ready("refresh")
    assert ended.status == 1
    assert f"tmdb: error: https://files.tmdb.org{path(1)}" in ended.err
    assert tmdb.pages_asked == ["7"]
    serve(tmdb, LINES)
    assert ready("refresh").status == 0


def test_no_more_films_are_sought_in_a_night_than_the_budget_has(
    tmdb: FaultServer, ready: Afterscore
) -> None:
    """Those that a finder was asked for in vain come last."""
    with keeping(ready.folder / "ratings.db") as kept:
        for film in range(1, 6):
            kept.db.conn.execute("INSERT INTO films (imdb_id) VALUES (?)", (f"tt000000{film}",))
    serve(tmdb, LINES)
    for _ in range(2):
        assert ready("refresh", "--source", "tmdb").status == 0
    sought = [one.path for one in tmdb.asked if one.path.startswith("/3/find/")]
    assert sought == [f"/3/find/tt000000{film}" for film in range(1, 6)]


def test_the_key_is_not_shown_to_the_store_of_files(tmdb: FaultServer, read: Afterscore) -> None:
    del read
    (export,) = [one for one in tmdb.asked if one.path == path()]
    assert "Authorization" not in export.headers


def test_the_replica_has_an_export_of_every_day(replica: Replica, tmp_path: Path) -> None:
    universe = "[universe]\ntmdb_popularity_at_least = 0"
    ready = beside(replica, tmp_path, ALL_ON.replace("[universe]", universe))
    for _ in range(2):
        assert ready("refresh", "--source", "tmdb").status == 0
    films = {film for (film,) in ready.database().execute("SELECT title FROM films")}
    assert films == {"Skyfall", "The Dark Knight", "The Avengers", "Iron Man"}


def test_without_a_key_nothing_of_it_is_asked_and_it_says_so(
    tmdb: FaultServer, ready: Afterscore
) -> None:
    del ready.environment["TMDB_API_TOKEN"]
    serve(tmdb, LINES)
    ended = ready("refresh")
    assert ended.status == 2
    assert "tmdb: skipped: it needs a key" in ended.err
    assert tmdb.asked == []


def test_what_exports_have_not_said_for_as_long_as_it_may_be_kept_goes(
    tmdb: FaultServer, read: Afterscore
) -> None:
    serve(tmdb, LINES[:1])
    with keeping(read.folder / "ratings.db") as kept:
        old = clock.later(clock.now(), days=-200)
        kept.db.conn.execute("UPDATE exports SET read_at = ?", (old,))
    read.settings((read.folder / "afterscore.toml").read_text("utf-8").split("\n", 3)[3])
    assert read("track", "tmdb:7").status == 0
    assert read("refresh").status == 0
    assert rows(read) == []


def test_after_a_short_export_that_a_person_released_the_next_one_is_held_against_it(
    tmdb: FaultServer, read: Afterscore
) -> None:
    for films, here in ((200, 200), (60, 200), (1, 60)):
        another_day(read)
        serve(tmdb, [line(film, popularity(1)) for film in range(1, films + 1)])
        read("refresh")
        assert sum(absent is None for _, _, absent in rows(read)) == here
        if films == 60:
            assert read("quarantine", "release", "--source", "tmdb").status == 0
            assert sum(absent is None for _, _, absent in rows(read)) == 60

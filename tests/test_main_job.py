"""The main job over real HTTP on localhost: find, match, read, merge; and again, quietly."""

from __future__ import annotations

import re
import shutil
from itertools import groupby
from pathlib import Path

import pytest

from pipelines import statements
from pipelines.statements import Change
from schedules.commands.foreground import result_rows
from schedules.replica import Replica
from schedules.results import Crawled, Result
from spiders.sources import SOURCES, by_key
from tests.answers import day
from tests.conftest import Afterscore, Ended, beside

Twice = tuple[Afterscore, Replica, Ended, Ended, int]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    """Two refreshes in a row of an unchanged replica, and how many requests the first one sent."""
    with Replica() as replica:
        ready = beside(replica, tmp_path_factory.mktemp("twice"))
        first = ready("refresh")
        sent = len(replica.asked)
        second = ready("refresh", "--again")
        return ready, replica, first, second, sent


def test_every_source_was_asked_and_ended_well(refreshed: tuple[Afterscore, Ended]) -> None:
    ready, ended = refreshed
    assert ended.status == 0, ended.err
    crawls = {row["source"]: row["outcome"] for row in ready.database()["crawls"].rows}
    assert crawls == {source.key: "ok" for source in SOURCES}


def test_a_change_names_its_film_without_a_year_that_is_not_known(
    replica: Replica, tmp_path: Path
) -> None:
    ready = beside(replica, tmp_path)
    assert ready("track", "tt7462422").status == 0
    changes = ready("refresh", "--source", "imdb").out
    assert "  Quality of Life  IMDb rating: new: not_rated\n" in changes


def test_changes_stand_film_by_film_and_those_with_most_votes_first(
    refreshed: tuple[Afterscore, Ended],
) -> None:
    lines = [line for line in refreshed[1].out.splitlines() if ": new: " in line]
    films = [line.strip().partition("  ")[0] for line in lines]
    assert list(dict.fromkeys(films)) == [film for film, _ in groupby(films)]
    assert films[:6] == ["The Dark Knight (2008)"] * 6
    assert films[6] == "The Matrix (1999)"


def test_a_film_has_its_figures_from_every_site(refreshed: tuple[Afterscore, Ended]) -> None:
    ready, _ = refreshed
    film = ready("film", "tt0468569", "--json").json
    for source in ("imdb", "rottentomatoes", "metacritic", "tmdb"):
        for kind in by_key(source).score_kinds:
            assert film["scores"][kind.key]["state"] == "scored", kind.key
    assert film["scores"]["tomatometer"]["value"] == 94
    assert film["scores"]["popcornmeter"]["votes_at_least"] is True
    assert film["tmdb_id"] == 155
    assert film["wikidata_id"] == "Q163872"


def test_what_changed_is_one_line_each(refreshed: tuple[Afterscore, Ended]) -> None:
    _, ended = refreshed
    told = ended.out.partition("changes:\n")[2].partition("\n  … and ")[0].splitlines()
    assert all(line.startswith("  ") and ": " in line for line in told)
    assert max(map(len, told)) > 80, "a terminal would have wrapped it there"


def test_a_true_zero_is_a_score(refreshed: tuple[Afterscore, Ended]) -> None:
    ready, _ = refreshed
    row = next(ready.database().query("SELECT * FROM film_scores WHERE imdb_id = 'tt0308208'"))
    assert (row["tomatometer"], row["tomatometer_state"]) == (0, "scored")


def test_one_row_a_film_with_a_state_for_every_kind(refreshed: tuple[Afterscore, Ended]) -> None:
    database = refreshed[0].database()
    assert database["film_scores"].count == database["films"].count
    for row in database["film_scores"].rows:
        for name, value in row.items():
            if name.endswith("_state"):
                assert (value == "scored") == (row[name.removesuffix("_state")] is not None)


def test_relayed_scores_never_stand_as_the_score(refreshed: tuple[Afterscore, Ended]) -> None:
    database = refreshed[0].database()
    relayed = list(database.query("SELECT DISTINCT l.source FROM scores s JOIN listings l"
                                  " USING (listing_id) WHERE s.relayed = 1"))  # fmt: skip
    assert relayed == [{"source": "whatsafterthemovie"}]
    stands = {row["tmdb_score"] for row in database["film_scores"].rows if row["tmdb_score"]}
    assert max(stands) <= 10  # What's After the Movie repeats it in percent


def test_the_second_refresh_asks_conditionally(
    twice: Twice,
) -> None:
    _, replica, first, second, sent = twice
    assert (first.status, second.status) == (0, 0), second.err
    listings = [
        asked
        for asked in replica.asked[sent:]
        if asked.host in ("rottentomatoes", "metacritic", "tmdb_api") and "/find/" not in asked.path
    ]
    pages = [asked for asked in listings if asked.path != "/robots.txt"]
    assert pages
    assert {asked.status for asked in pages if "If-None-Match" in asked.headers} == {304}
    unconditional = [asked.path for asked in pages if asked.status == 200]
    assert unconditional == []


def test_the_second_refresh_writes_no_observation(
    twice: Twice,
) -> None:
    ready, _, _, second, _ = twice
    database = ready.database()
    assert "Nothing changed." in second.out
    repeated = list(
        database.query(
            "SELECT listing_id, score_kind, count(*) AS times FROM score_observations"
            " GROUP BY 1, 2 HAVING times > 1"
        )
    )
    assert repeated == []
    verdicts = list(
        database.query(
            "SELECT source, source_id, count(DISTINCT observed_at) AS times FROM credits_verdicts"
            " JOIN listings USING (listing_id) GROUP BY listing_id HAVING times > 2"
        )
    )
    assert verdicts == []


def test_a_quiet_night_confirms_what_stands(
    twice: Twice,
) -> None:
    database = twice[0].database()
    started = list(database.query("SELECT started_at FROM runs ORDER BY run_id"))[1]["started_at"]
    for row in database["film_scores"].rows:
        for name, value in row.items():
            if name.endswith("_confirmed_at") and value is not None:
                assert value >= started, (row["title"], name)


def test_another_refresh_leaves_what_answered_lately_alone(
    replica: Replica, refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    shutil.copy(refreshed[0].folder / "ratings.db", tmp_path)
    ready = beside(replica, tmp_path)
    assert ready("refresh").status == 0  # where midnight has passed, it asks what TMDB changed
    sent = len(replica.asked)
    made = list(ready.database().query("PRAGMA schema_version"))
    ended = ready("refresh")
    assert ended.status == 0
    assert len(replica.asked) == sent
    assert list(ready.database().query("PRAGMA schema_version")) == made  # nor is a view made anew
    assert "Nothing was due" in ended.out


def test_requests_name_us_honestly(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready.environment["AFTERSCORE_CONTACT"] = "ops@example.org"
        ready("refresh", "--source", "imdb")
        agents = {asked.headers["User-Agent"] for asked in replica.asked}
    assert agents
    assert all(agent.startswith("afterscore/") and "ops@example.org" in agent for agent in agents)


def test_the_token_is_sent_and_stored_nowhere(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready.environment["TMDB_API_TOKEN"] = "s3cret-t0ken"
        ready("track", "tmdb:37724")
        ended = ready("refresh", "--source", "tmdb")
        sent = {asked.headers.get("Authorization") for asked in replica.asked
                if asked.path != "/robots.txt"}  # fmt: skip
    assert sent == {"Bearer s3cret-t0ken"}
    assert "s3cret-t0ken" not in ended.out + ended.err
    for path in tmp_path.rglob("*"):
        assert b"s3cret-t0ken" not in path.read_bytes(), path


def test_a_source_without_its_key_is_skipped_and_the_rest_go_on(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        del ready.environment["TMDB_API_TOKEN"]
        ended = ready("refresh", "--source", "tmdb", "--source", "imdb")
    assert ended.status == 0
    assert [line for line in ended.err.splitlines() if "TMDB_API_TOKEN" in line] == [
        "tmdb: skipped: it needs a key: put it into the environment as TMDB_API_TOKEN"
    ]
    outcomes = {row["source"]: row["outcome"] for row in ready.database()["crawls"].rows}
    assert outcomes == {"imdb": "ok", "tmdb": "skipped"}


def test_a_dry_run_prints_what_is_due_and_asks_nothing(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall")
        ended = ready("refresh", "--dry-run")
        assert replica.asked == []
    assert ended.status == 0
    assert "rottentomatoes: 1 of 1 listing," in ended.out
    assert re.search(r"m/skyfall .*never asked", ended.out)
    assert ready.database()["runs"].count == 0


def test_asking_for_one_film_asks_only_for_it(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ended = ready("film", "tt1074638", "--ask", "--json")
        paths = {asked.path for asked in replica.asked if asked.host == "rottentomatoes"}
    assert ended.status == 0, ended.err
    assert ended.json["scores"]["tomatometer"]["state"] == "scored"
    assert paths == {"/robots.txt", "/m/skyfall"}
    assert "imdb:tt1074638 is tracked from now on ('afterscore untrack imdb:tt1074638'" in ended.err


def test_a_limit_holds_for_each_source(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall", "rottentomatoes:m/up", "tmdb:155", "tmdb:862")
        ready("refresh", "--limit", "1", "--source", "rottentomatoes")
        pages = [asked.path for asked in replica.asked if asked.path != "/robots.txt"]
    assert len(pages) == 1


def test_changes_that_are_too_many_to_tell_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "CHANGES_KEPT", 2)
    crawled = Crawled("imdb", day(1))
    for number, cut_short in ((1, False), (2, False), (3, True)):
        crawled.tally.change(Change(number, "imdb_rating", None, "7.8"))
        told = result_rows(Result(1, day(1), "ok", [crawled], crawled.tally.changes, {}))
        assert told["changes_cut_short"] is cut_short
        assert len(told["changes"]) == min(number, 2)

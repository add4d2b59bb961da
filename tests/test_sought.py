"""A film that was sought is not sought again, whatever became of the run that sought it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answers import keeping
from tests.conftest import Afterscore
from tests.fault_server import FaultServer, asking, tmdb_without_changes
from tests.killed_at import kill_at
from tests.test_turns import pass_by

SOUGHT = [f"tt000000{film}" for film in range(1, 8)]
BUDGET = 3


@pytest.fixture
def tmdb() -> Iterator[FaultServer]:
    """TMDB, whose feed of changes is empty, and which has none of the films that are sought."""
    with tmdb_without_changes() as server:
        yield server


@pytest.fixture
def ready(tmp_path: Path, tmdb: FaultServer) -> Afterscore:
    """Films to seek, more of them than a night's budget, and two listings to ask."""
    ready = asking(tmp_path, tmdb, more="refresh_after_hours = 0\n")
    text = (tmp_path / "afterscore.toml").read_text("utf-8")
    budget = f"[sources.tmdb]\nrequests_a_night = {BUDGET}"
    ready.settings(text.replace("[sources.tmdb]", budget))
    assert ready("track", "tmdb:1", "tmdb:2").status == 0
    with keeping(tmp_path / "ratings.db") as kept:
        kept.db.conn.executemany("INSERT INTO films (imdb_id) VALUES (?)", zip(SOUGHT))
    return ready


def sought(server: FaultServer) -> list[str]:
    """The films that were sought, in order and as often."""
    return [one.path.rpartition("/")[2] for one in server.asked if "/find/" in one.path]


def test_a_run_that_is_killed_has_sought_what_it_sought(
    tmdb: FaultServer, ready: Afterscore
) -> None:
    kill_at("INSERT OR REPLACE INTO crawls", ready, "refresh")
    assert sought(tmdb) == SOUGHT[:BUDGET]
    assert ready("refresh").status == 0
    assert sought(tmdb) == SOUGHT[: 2 * BUDGET]
    states = ready.database().query("SELECT imdb_id, tmdb_score_state FROM film_scores")
    told = {row["imdb_id"]: row["tmdb_score_state"] for row in states}
    assert [told[film] for film in SOUGHT[: 2 * BUDGET]] == ["not_listed"] * 2 * BUDGET


@pytest.mark.parametrize("words", [("refresh",), ("refresh", "--again")])
def test_a_run_that_gave_way_seeks_no_more_films_than_it_may(
    tmdb: FaultServer, ready: Afterscore, words: tuple[str, ...]
) -> None:
    assert pass_by(ready, tmdb, words, ["track", "tmdb:8"], held="1").status == 0
    assert sought(tmdb) == SOUGHT[:BUDGET]

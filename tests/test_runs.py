"""`afterscore runs`: what the last runs came to, and one of them with its crawls."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from spiders.sources import SOURCES
from tests.answers import holding, keeping
from tests.conftest import Afterscore

RUNS = """
INSERT INTO runs (run_id, command, plan, pid, started_at, ended_at, outcome, exception) VALUES
  (11, 'refresh', '{"sources": []}', 1, '2026-01-01T03:00:00Z', '2026-01-01T04:10:05Z', 'ok', NULL),
  (12, 'refresh', '{"sources": []}', 1, '2026-01-02T03:00:00Z', '2026-01-02T03:00:09Z', 'partly',
   NULL),
  (13, 'backfill', '{"sources": ["tmdb"]}', 1, '2026-01-03T03:00:00Z', '2026-01-03T03:00:09Z',
   'failed', 'OSError: no space'),
  (14, 'refresh', '{"sources": []}', 1, '2026-01-04T03:00:00Z', NULL, NULL, NULL),
  (15, 'refresh', '{"sources": []}', 1, '2026-01-05T03:00:00Z', NULL, NULL, NULL);
INSERT INTO crawls
  (run_id, source, started_at, seconds, asked, changed, held, outcome, detail, exception) VALUES
  (11, 'imdb', '2026-01-01T03:00:00Z', 61.5, 7, 3, 1, 'ok', NULL, NULL),
  (11, 'tmdb', '2026-01-01T03:00:00Z', 61.5, 1000, 2, 0, 'ok', NULL, NULL),
  (12, 'imdb', '2026-01-02T03:00:00Z', 1, 1, 0, 0, 'ok', NULL, NULL),
  (12, 'tmdb', '2026-01-02T03:00:00Z', 0, 0, 0, 0, 'skipped', 'it needs a key', NULL),
  (12, 'metacritic', '2026-01-02T03:00:00Z', 2, 4, 0, 0, 'failed', 'KeyError: [x]',
   'KeyError: [x]
Traceback of it'),
  (14, 'imdb', '2026-01-04T03:00:00Z', 9, 4, 0, 0, 'interrupted', NULL, NULL)
"""


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Afterscore]:
    """A folder whose database knows a good run, one that came to less, one that failed, one that
    was killed and one that is running."""
    with keeping(tmp_path / "ratings.db") as kept:
        for statement in RUNS.split(";\n"):
            kept.db.conn.execute(statement)
    with holding(tmp_path / "ratings.db", "2026-01-05T02:59:59Z"):
        yield Afterscore(tmp_path)


def test_the_last_runs_are_listed_newest_first_with_what_failed(told: Afterscore) -> None:
    lines = told("runs").out.splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["run", "15", "14", "13", "12", "11"]
    good = next(line for line in lines if line.startswith("11"))
    assert "1 h 10 min" in good
    assert good.split()[-3:] == ["1,007", "5", "1"]
    assert lines[6:] == [
        "run 14: imdb interrupted",
        "run 13: OSError: no space",
        "run 12: metacritic failed: KeyError: [x]",
    ]


def test_a_run_without_an_end_is_running_or_was_killed(told: Afterscore) -> None:
    outcomes = {row["run_id"]: row["outcome"] for row in told("runs", "--json").json}
    assert outcomes == {15: "running", 14: "killed", 13: "failed", 12: "partly", 11: "ok"}


def test_in_a_copy_no_run_goes_on(told: Afterscore) -> None:
    shutil.copy(told.folder / "ratings.db", told.folder / "copy.db")
    (last,) = told("runs", "--limit", "1", "--json", "--db", "copy.db").json
    assert (last["run_id"], last["outcome"]) == (15, "killed")
    assert not (told.folder / "copy.db.lock").exists()


def test_a_limit_holds(told: Afterscore) -> None:
    assert [row["run_id"] for row in told("runs", "--limit", "2", "--json").json] == [15, 14]


def test_one_run_has_its_crawls_with_counts_and_what_broke_them(told: Afterscore) -> None:
    shown = told("runs", "12").out
    assert "tmdb: skipped: it needs a key" in shown
    assert "metacritic: failed: KeyError: [x]" in shown
    assert "\n  Traceback of it" in shown
    assert shown.count("KeyError") == 1
    run = told("runs", "12", "--json").json
    assert run["seconds"] == 9
    assert run["plan"] == {"sources": []}
    assert [(crawl["source"], crawl["outcome"], crawl["asked"]) for crawl in run["crawls"]] == [
        ("imdb", "ok", 1),
        ("metacritic", "failed", 4),
        ("tmdb", "skipped", 0),
    ]


def test_a_run_that_is_not_there_is_said_not_to_be(told: Afterscore) -> None:
    ended = told("runs", "99")
    assert (ended.status, ended.out) == (2, "")
    assert "no run 99" in ended.err


def test_a_refresh_shows_among_the_runs(refreshed: tuple[Afterscore, object]) -> None:
    (run,) = refreshed[0]("runs", "--json").json
    assert run["command"] == "refresh"
    assert run["asked"] > 20
    shown = refreshed[0]("runs", str(run["run_id"])).out
    assert all(f"\n{source.key} " in shown for source in SOURCES)

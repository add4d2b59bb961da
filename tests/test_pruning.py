"""`prune`: what nobody needs goes, what somebody needs stays, and the history of scores always."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.crawl_profile import past_of
from pipelines.pruning import LAST_RUNS
from tests.conftest import Afterscore

NIGHTS = 500
"""One run a night, the oldest first; the newest was last night."""


def ago(days: float) -> str:
    """The time so many days ago, as the database writes it."""
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


Old = tuple[Afterscore, sqlite3.Connection]


@pytest.fixture
def old(afterscore: Afterscore) -> Iterator[Old]:
    """A database of many nights; Metacritic was read on the first fifty of them only."""
    assert afterscore("track", "tt1074638").status == 0
    with closing(sqlite3.connect(afterscore.folder / "ratings.db", isolation_level=None)) as db:
        db.execute("BEGIN")
        for night in range(1, NIGHTS + 1):
            at = ago(NIGHTS + 0.5 - night)
            db.execute(
                "INSERT INTO runs (run_id, command, plan, pid, started_at, ended_at, outcome)"
                " VALUES (?1, 'refresh', '{}', 1, ?2, ?2, 'ok')",
                (night, at),
            )
            sources = ("imdb", "metacritic") if night <= 50 else ("imdb",)
            profile = json.dumps({"listing": {"records": 1_000 + night}})
            db.executemany(
                "INSERT INTO crawls (run_id, source, started_at, outcome, profile)"
                " VALUES (?, ?, ?, 'ok', ?)",
                ((night, source, at, profile) for source in sources),
            )
        db.execute("COMMIT")
        yield afterscore, db


def case(db: sqlite3.Connection, days: float, decision: str | None, run_id: int = 2) -> int:
    """A case of the quarantine, last seen (and decided) so many days ago."""
    row = db.execute(
        "INSERT INTO quarantine (run_id, listing_id, source, topic, rule, reason, record,"
        " held_at, last_held_at, decision, decided_at) VALUES"
        " (?1, 1, 'imdb', 'imdb_rating', 'votes_fell', 'why', '{}', ?2, ?2, ?3,"
        " iif(?3 IS NULL, NULL, ?2)) RETURNING quarantine_id",
        (run_id, ago(days), decision),
    ).fetchone()
    return int(row[0])


def crawl_case(db: sqlite3.Connection, days: float, decision: str) -> int:
    """A held crawl of Metacritic that was decided on."""
    number = case(db, days, decision, run_id=20)
    db.execute(
        "UPDATE quarantine SET topic = 'crawl', listing_id = NULL, source = 'metacritic'"
        " WHERE quarantine_id = ?",
        (number,),
    )
    return number


def numbers(db: sqlite3.Connection, table: str, column: str) -> set[Any]:
    return {row[0] for row in db.execute(f"SELECT {column} FROM {table}")}


def test_runs_of_long_ago_go_with_their_crawls(old: Old) -> None:
    afterscore, db = old
    ended = afterscore("prune")
    assert ended.status == 0, ended.err
    gone = set(range(1, NIGHTS + 1)) - numbers(db, "runs", "run_id")
    assert gone
    assert max(gone) == NIGHTS - 400  # of 400.5 days ago; that of 399.5 days ago stays
    assert numbers(db, "crawls", "run_id") == numbers(db, "runs", "run_id")
    assert f"Removed {len(gone)} runs" in ended.out
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_the_guard_judges_by_stays(old: Old) -> None:
    afterscore, _ = old
    database = afterscore.database()
    before = {source: past_of(database, source, "listing") for source in ("imdb", "metacritic")}
    assert before["metacritic"].crawls
    assert afterscore("prune", "--crawls-days", "1").status == 0
    after = {source: past_of(database, source, "listing") for source in before}
    assert after == before


def test_the_last_runs_stay_however_long_ago_they_were(old: Old) -> None:
    afterscore, db = old
    db.execute("UPDATE runs SET started_at = ?1, ended_at = ?1", (ago(2_000),))
    assert afterscore("prune").status == 0
    assert numbers(db, "runs", "run_id") >= set(range(NIGHTS + 1 - LAST_RUNS, NIGHTS + 1))


def test_settled_cases_go_and_open_ones_keep_their_run(old: Old) -> None:
    afterscore, db = old
    settled = case(db, 91, "superseded", run_id=3)
    recent = case(db, 89, "superseded", run_id=4)
    still_open = case(db, 300, None, run_id=5)
    assert "1 settled case" in afterscore("prune").out.replace("cases", "case")
    assert numbers(db, "quarantine", "quarantine_id") == {recent, still_open}
    assert settled not in numbers(db, "quarantine", "quarantine_id")
    assert {3, 4, 5} & numbers(db, "runs", "run_id") == {4, 5}


def test_the_last_no_of_a_person_stands(old: Old) -> None:
    afterscore, db = old
    earlier, last = case(db, 500, "rejected"), case(db, 400, "rejected")
    assert afterscore("prune").status == 0
    assert numbers(db, "quarantine", "quarantine_id") == {last}
    assert earlier < last


def test_a_released_crawl_still_begins_the_past_that_the_guard_judges_by(old: Old) -> None:
    afterscore, db = old
    released, rejected = crawl_case(db, 480, "released"), crawl_case(db, 480, "superseded")
    before = past_of(afterscore.database(), "metacritic", "listing")
    assert afterscore("prune").status == 0
    assert numbers(db, "quarantine", "quarantine_id") == {released}
    assert rejected != released
    assert past_of(afterscore.database(), "metacritic", "listing") == before


def test_only_rotated_logs_that_are_old_go(old: Old) -> None:
    afterscore, _ = old
    long_ago = (datetime.now(UTC) - timedelta(days=91)).timestamp()
    for name in ("ratings.db.log", "ratings.db.log.1", "ratings.db.log.2", "other.db.log.1"):
        (afterscore.folder / name).write_text("{}\n", "utf-8")
        if name != "ratings.db.log.1":
            os.utime(afterscore.folder / name, (long_ago, long_ago))
    assert "1 rotated log" in afterscore("prune").out
    logs = {file.name for file in afterscore.folder.glob("*.log*")}
    assert logs == {"ratings.db.log", "ratings.db.log.1", "other.db.log.1"}


def test_a_dry_run_says_the_same_and_removes_nothing(old: Old) -> None:
    afterscore, db = old
    case(db, 91, "superseded")
    would = afterscore("prune", "--dry-run").out
    assert len(numbers(db, "runs", "run_id")) == NIGHTS
    assert len(numbers(db, "quarantine", "quarantine_id")) == 1
    assert afterscore("prune").out == would.replace("Would remove", "Removed")


@pytest.mark.parametrize("option", ["--crawls-days", "--quarantine-days", "--logs-days"])
def test_nothing_is_older_than_time_itself(option: str, afterscore: Afterscore) -> None:
    afterscore("track", "tt1074638")
    ended = afterscore("prune", "--dry-run", option, "99999999")
    assert ended.status == 2
    assert option in ended.err
    assert "Traceback" not in ended.err


def test_no_score_is_ever_pruned(old: Old) -> None:
    afterscore, db = old
    db.execute(
        "INSERT INTO score_observations (listing_id, score_kind, observed_at, observed_to, state,"
        " value, scale_max, votes_at_least, relayed, origin) VALUES"
        " (1, 'imdb_rating', '2009-01-01', 'day', 'scored', 7.7, 10, 0, 0, 'archive')"
    )
    assert afterscore("prune", "--crawls-days", "1", "--quarantine-days", "1").status == 0
    assert numbers(db, "score_observations", "observed_at") == {"2009-01-01"}


def test_vacuum_makes_the_file_smaller_and_says_so(old: Old) -> None:
    afterscore, db = old
    db.execute("UPDATE runs SET plan = hex(randomblob(20000)) WHERE run_id < 90")
    db.execute("UPDATE runs SET plan = '{}'")
    db.close()
    path = afterscore.folder / "ratings.db"
    ended = afterscore("prune", "--vacuum")
    assert ended.status == 0, ended.err
    told = re.search(r"ratings.db: ([\d.]+) MB, now ([\d.]+) MB", ended.out)
    assert told
    before, after = map(float, told.groups())
    assert path.stat().st_size / 1e6 == pytest.approx(after, abs=0.1)
    assert after < before / 2


def test_a_database_that_is_not_there_is_not_made(afterscore: Afterscore) -> None:
    ended = afterscore("prune")
    assert ended.status == 2
    assert "no database" in ended.err
    assert not (afterscore.folder / "ratings.db").exists()

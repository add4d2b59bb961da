"""What may befall the machine in the middle of a night: the disk full, the file locked or damaged,
the clock set back, the power gone. Nothing is lost, one line says what to do, the next run goes on.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from benchmarks.catalogue import move_times
from pipelines import database
from pipelines.database import read_only
from pipelines.matching.matcher import match
from pipelines.migrations import migrations
from pipelines.unmerged import all_merged
from schedules import cli
from schedules.replica import samples_folder
from tests.answers import answer, day, keeping, record, scored
from tests.conftest import Afterscore, Ended, with_files_of_at_most
from tests.fault_server import FaultServer, Reply, asking
from tests.killed_at import kill_at
from tests.test_migrations import NAMES, ROWS

LISTINGS = 40


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Rotten Tomatoes."""
    with FaultServer("rottentomatoes") as server:
        yield server


@pytest.fixture
def ready(server: FaultServer, tmp_path: Path) -> Afterscore:
    """The command line with listings to ask for."""
    ready = asking(tmp_path, server)
    listings = (f"rottentomatoes:m/film-{number}" for number in range(LISTINGS))
    assert ready("track", *listings).status == 0
    return ready


def path_of(ready: Afterscore) -> Path:
    return ready.folder / "ratings.db"


def told(ended: Ended) -> str:
    """The one line by which a command that could not go on says why, after what it was doing."""
    assert ended.status == 2, ended.err
    assert "Traceback" not in ended.err
    line = ended.err.splitlines()[-1]
    assert line.startswith("afterscore: ")
    return line


def assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def scores(path: Path) -> set[tuple[str, str, float]]:
    with closing(sqlite3.connect(path)) as db:
        return set(
            db.execute(
                "SELECT source_id, score_kind, value FROM scores JOIN listings USING (listing_id)"
            )
        )


# --- the disk -------------------------------------------------------------------------------------


def test_a_full_disk_loses_nothing_and_the_next_run_goes_on(
    ready: Afterscore, server: FaultServer
) -> None:
    path = path_of(ready)
    assert "make room" in told(with_files_of_at_most(0, ready, "refresh"))
    assert ready("refresh", "--limit", "10").status == 0
    before = scores(path)
    assert before
    room = path.stat().st_size + 20_000
    line = told(with_files_of_at_most(room, ready, "refresh"))
    assert "make room" in line
    assert_sound(path)
    assert scores(path) >= before
    stored = {source_id for source_id, _, _ in scores(path)}
    sent = len(server.pages_asked)
    ended = ready("refresh")
    assert ended.status == 0, ended.err
    assert not stored & set(server.pages_asked[sent:])
    assert len({source_id for source_id, _, _ in scores(path)}) == LISTINGS
    outcomes = [row["outcome"] for row in ready.database()["runs"].rows]
    # Whether there was room for the run's own end, and for all that comes before the WAL is written
    # back, depends on where the last byte fell.
    assert outcomes in [["ok", second, "ok"] for second in ("failed", "interrupted", "ok")]


def test_a_backup_onto_a_full_disk_leaves_no_file(ready: Afterscore) -> None:
    line = told(with_files_of_at_most(100_000, ready, "backup", "copy.db"))
    assert "Make room" in line
    assert list(ready.folder.glob("copy.db*")) == []


# --- locks ----------------------------------------------------------------------------------------


def test_a_reader_that_holds_its_moment_for_a_whole_refresh_hinders_nobody(
    ready: Afterscore,
) -> None:
    with closing(sqlite3.connect(path_of(ready), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM scores").fetchone() == (0,)
        ended = ready("refresh")
        assert ended.status == 0, ended.err
        assert reader.execute("SELECT count(*) FROM scores").fetchone() == (0,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) > 0 FROM scores").fetchone() == (1,)


def test_another_program_that_does_not_end_its_writing_is_told_of(
    ready: Afterscore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(sys, "argv", ["afterscore", "track", "tt1074638"])
    monkeypatch.chdir(ready.folder)
    for name, value in ready.environment.items():
        monkeypatch.setenv(name, value)
    with closing(sqlite3.connect(path_of(ready), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SystemExit) as ended:
            cli.main()
        other.execute("ROLLBACK")
    assert ended.value.code == 2
    assert "another program has written" in capsys.readouterr().err
    assert ready("track", "tt1074638").status == 0


# --- the clock ------------------------------------------------------------------------------------


def set_clock_back(path: Path, ahead: str) -> None:
    """As if the clock had been ahead by so much when all that is known was stored."""
    with closing(sqlite3.connect(path)) as db, db:
        move_times(db, ahead)


def test_a_clock_set_back_a_little_puts_nothing_out_of_order(
    ready: Afterscore, server: FaultServer
) -> None:
    path = path_of(ready)
    assert ready("refresh", "--limit", "1").status == 0
    (listing,) = {source_id for source_id, _, _ in scores(path)}
    set_clock_back(path, "+40 minutes")
    page = server.page(listing).replace(b'"score":"92"', b'"score":"91"')
    server.tell(listing, Reply(body=page))
    ended = ready("refresh", "--film", f"rottentomatoes:{listing}", "--again")
    assert ended.status == 0, ended.err
    with closing(sqlite3.connect(path)) as db:
        seen = db.execute(
            "SELECT value, observed_at FROM score_observations WHERE score_kind = 'tomatometer'"
            " ORDER BY rowid"
        ).fetchall()
        assert [value for value, _ in seen] == [92, 91]
        assert seen[0][1] <= seen[1][1]
        starts = [row[0] for row in db.execute("SELECT started_at FROM runs ORDER BY run_id")]
        assert starts == sorted(starts)
    assert (
        ready("film", f"rottentomatoes:{listing}", "--json").json["scores"]["tomatometer"]["value"]
        == 91
    )


def test_a_clock_far_behind_the_last_run_ends_a_run_before_it_asks(
    ready: Afterscore, server: FaultServer
) -> None:
    assert ready("refresh", "--limit", "1").status == 0
    set_clock_back(path_of(ready), "+3 days")
    sent = len(server.asked)
    line = told(ready("refresh", "--again"))
    assert "Set the clock right" in line
    assert len(server.asked) == sent


# --- the file -------------------------------------------------------------------------------------


def test_a_damaged_page_ends_a_refresh_with_the_way_back(
    ready: Afterscore, server: FaultServer
) -> None:
    path = path_of(ready)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'urls'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x5a" * 4096)
    line = told(ready("refresh"))
    assert "damaged" in line
    assert "afterscore backup ratings.db --force --db" in line


@pytest.mark.parametrize("words", [("refresh",), ("backfill",), ("prune",), ("rebuild",)])
def test_garbage_in_the_databases_place_is_left_alone(
    words: tuple[str, ...], ready: Afterscore
) -> None:
    path = path_of(ready)
    path.write_bytes(b"no database at all" * 500)
    assert "not an SQLite database" in told(ready(*words))
    assert path.read_bytes() == b"no database at all" * 500


def test_what_is_written_stays_though_the_same_process_looks_at_the_file(
    afterscore: Afterscore,
) -> None:
    """Whoever closes a file frees all locks that its process has on it, SQLite's too."""
    assert afterscore("track", "tt1074638").status == 0
    path = path_of(afterscore)
    with database.writing(path) as db:
        read_only(path).conn.close()
        # The last one to close a database takes its WAL away; another process is not the last.
        assert afterscore.really("track", "tt0120737").status == 0
        db.conn.execute("INSERT INTO films (imdb_id) VALUES ('tt0133093')")
        assert afterscore.really("film", "tt0133093").status == 0


# --- the power ------------------------------------------------------------------------------------


def dump(path: Path) -> dict[str, list[str]]:
    """All rows of the tables that matter."""
    with closing(read_only(path).conn) as db:
        return {
            table: sorted(map(repr, db.execute(f"SELECT * FROM {table}")))
            for table in ("films", "listings", "scores", "film_scores", "listing_films", "urls")
        }


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM listing_keys",
        "UPDATE films",
        "SELECT EXISTS (SELECT 1 FROM (SELECT DISTINCT",  # what is named is checked, at the end
        "INSERT INTO film_scores",
        "COMMIT",
    ],
)
def test_a_rebuild_that_is_killed_has_not_begun(statement: str, ready: Afterscore) -> None:
    path = path_of(ready)
    assert ready("refresh").status == 0
    before = dump(path)
    kill_at(statement, ready, "rebuild")
    assert_sound(path)
    assert dump(path) == before
    assert ready("rebuild").status == 0
    assert dump(path) == before


@pytest.mark.parametrize(
    "statement", ["INSERT INTO score_observations", "INSERT INTO film_scores", "UPDATE runs"]
)
def test_a_refresh_that_is_killed_is_taken_up(
    statement: str, ready: Afterscore, server: FaultServer
) -> None:
    path = path_of(ready)
    kill_at(statement, ready, "refresh")
    assert_sound(path)
    stored = {source_id for source_id, _, _ in scores(path)}
    sent = len(server.pages_asked)
    ended = ready("refresh")
    assert ended.status == 0, ended.err
    assert not stored & set(server.pages_asked[sent:])
    films = list(ready.database()["film_scores"].rows)
    assert {film["tomatometer"] for film in films} == {92}
    assert len(films) == LISTINGS


def test_a_film_that_had_lost_its_listing_when_a_run_was_killed_is_merged_by_the_next(
    ready: Afterscore,
) -> None:
    film: dict[str, Any] = {"kind": "movie", "runtime_minutes": 143}
    page: dict[str, Any] = {"scores": {"tomatometer": scored(92)}, "runtime_minutes": 143}
    with keeping(path_of(ready)) as kept:
        kept.tell(answer(record("imdb", title="Skyfall", year=2012, **film), at=day(1)))
        kept.tell(answer(record(title="Skyfall", year=2012, **page), at=day(1)))
        kept.match()
        all_merged(kept.db)  # as a run that is over leaves it
        assert kept.column("SELECT tomatometer FROM film_scores WHERE title = 'Skyfall'") == [92]
        tally = kept.tell(answer(record(title="Quite Another", year=1931, **page), at=day(2)))
        match(kept.db, tally.touched)  # and its process is gone before it merges
    assert ready("film", "rottentomatoes:m/film-2", "--ask").status == 0
    skyfall = ready("film", "tt1074638", "--json").json
    assert skyfall["scores"]["tomatometer"]["state"] == "not_asked"


@pytest.mark.parametrize("statement", ["INSERT INTO film_scores", "DELETE FROM unmerged_listings"])
def test_saved_pages_whose_import_is_killed_are_taken_up(statement: str, ready: Afterscore) -> None:
    skyfall = "rottentomatoes:m/skyfall"
    assert ready("track", skyfall).status == 0
    page = samples_folder() / "rottentomatoes" / "meter-2013.html"
    line = {"file": str(page), "source": "rottentomatoes", "captured_on": "2013-02-28"}
    line["url"] = "https://www.rottentomatoes.com/m/skyfall"
    (ready.folder / "index.jsonl").write_text(json.dumps(line), "utf-8")
    kill_at(statement, ready, "backfill", "--from", "index.jsonl")
    assert_sound(path_of(ready))
    assert ready("film", skyfall, "--json").json["scores"]["tomatometer"]["value"] is None
    assert ready("film", "rottentomatoes:m/film-2", "--ask").status == 0
    assert ready("film", skyfall, "--json").json["scores"]["tomatometer"]["value"] == 92
    assert ready.database()["unmerged_listings"].count == 0


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA integrity_check",  # of the copy that is made before it
        "ALTER TABLE urls ADD COLUMN last_answered_at",
        "CREATE TABLE held_answers",
        "CREATE VIEW",
    ],
)
def test_a_migration_that_is_killed_goes_on_where_it_stopped(
    statement: str, afterscore: Afterscore
) -> None:
    path = path_of(afterscore)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrations.apply(Database(db), stop_before=NAMES[1])
        for rows in ROWS[NAMES[0]].split(";\n"):
            db.execute(rows)
    kill_at(statement, afterscore, "track", "tt0133093")
    assert_sound(path)
    assert afterscore("track", "tt0133093").status == 0
    assert_sound(path)
    migrated = afterscore.database()
    assert [done.name for done in migrations.applied(migrated)] == NAMES
    assert {row["imdb_id"] for row in migrated["films"].rows} == {"tt1074638", "tt0133093", None}
    assert migrated["score_observations"].count == 2
    copies = sorted(afterscore.folder.glob("ratings.db.before-*"))
    assert copies
    for copy in copies:
        assert_sound(copy)


@pytest.mark.parametrize("statement", ["CREATE TABLE films", "CREATE VIEW"])
def test_a_new_database_whose_making_is_killed_is_made_by_the_next_command(
    statement: str, afterscore: Afterscore
) -> None:
    kill_at(statement, afterscore, "track", "tt0133093")
    for words in (
        ("health",),
        ("export", "--format", "csv", "--out", "out"),
        ("refresh", "--dry-run"),
    ):
        afterscore.settings("[universe]\n")
        assert "'afterscore refresh'" in told(afterscore(*words))
    assert afterscore("schedule", "--next").status == 0
    afterscore.settings("")
    assert "no film is tracked, and no universe is set" in afterscore("refresh").err
    assert afterscore("track", "tt0133093").status == 0
    assert afterscore("health").status == 0


def test_a_backup_that_is_killed_leaves_the_last_good_one(ready: Afterscore) -> None:
    assert ready("backup", "copy.db").status == 0
    before = (ready.folder / "copy.db").read_bytes()
    kill_at("PRAGMA integrity_check", ready, "backup", "copy.db", "--force")
    assert (ready.folder / "copy.db").read_bytes() == before
    assert ready("backup", "copy.db", "--force").status == 0
    assert sorted(file.name for file in ready.folder.glob("copy.db*")) == ["copy.db"]

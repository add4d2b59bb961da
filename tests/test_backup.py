"""`backup`: one file that is whole and sound, made beside whoever reads and writes, or no file."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.backup import CannotBackUp, back_up
from pipelines.database import writing
from tests.conftest import Afterscore, Ended


@pytest.fixture
def tracking(afterscore: Afterscore) -> Afterscore:
    """A folder with a database in which two films are tracked."""
    assert afterscore("track", "tt1074638", "tt0848228").status == 0
    return afterscore


def refused(ended: Ended) -> str:
    """The one line of a command that could do nothing."""
    assert (ended.status, ended.out) == (2, ""), ended.err
    (line,) = ended.err.splitlines()
    return line


def tracked(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [given for (given,) in db.execute("SELECT given FROM tracked_films ORDER BY given")]


def left_over(folder: Path) -> list[str]:
    """What lies there beside the database, its settings and its lock."""
    return sorted(
        file.name for file in folder.iterdir() if not file.name.startswith(("ratings.db", "."))
    )


def test_a_copy_is_made_beside_a_writer_and_a_reader(tracking: Afterscore) -> None:
    path = tracking.folder / "ratings.db"
    with (
        writing(path) as writer,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM films").fetchall()
        writer.conn.execute("INSERT INTO films (film_id, title) VALUES (70, 'Committed')")
        writer.conn.execute("BEGIN IMMEDIATE")
        writer.conn.execute("INSERT INTO films (film_id, title) VALUES (71, 'Under way')")
        ended = tracking("backup", "copy.db")
        writer.conn.execute("COMMIT")
    assert ended.status == 0, ended.err
    assert "copy.db" in ended.out
    assert left_over(tracking.folder) == ["copy.db"]
    with closing(sqlite3.connect(tracking.folder / "copy.db")) as copy:
        titles = copy.execute("SELECT title FROM films WHERE film_id >= 70").fetchall()
        assert titles == [("Committed",)]
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_is_there_is_written_over_only_with_force(tracking: Afterscore) -> None:
    (tracking.folder / "copy.db").write_text("mine", "utf-8")
    assert "--force" in refused(tracking("backup", "copy.db"))
    assert (tracking.folder / "copy.db").read_text("utf-8") == "mine"
    assert tracking("backup", "copy.db", "--force").status == 0
    assert tracked(tracking.folder / "copy.db") == ["tt0848228", "tt1074638"]


def test_a_copy_is_never_written_over_the_database_that_it_is_of(tracking: Afterscore) -> None:
    assert "the database itself" in refused(tracking("backup", "ratings.db", "--force"))
    assert tracked(tracking.folder / "ratings.db") == ["tt0848228", "tt1074638"]


def test_a_copy_is_never_written_over_a_database_in_use(tracking: Afterscore) -> None:
    with writing(tracking.folder / "other.db"):
        line = refused(tracking("backup", "other.db", "--force"))
    assert "other.db-wal" in line


def test_a_copy_is_read_where_nothing_can_be_made_beside_it(tracking: Afterscore) -> None:
    """As on a disk that is read-only. The database itself is not, and says so."""
    assert tracking("backup", "copy.db").status == 0
    for name in ("ratings.db", "copy.db"):
        for beside in ("wal", "shm"):
            (tracking.folder / f"{name}-{beside}").unlink(missing_ok=True)
        (tracking.folder / f"{name}-shm").symlink_to("nowhere")
    assert tracking("track", "--list", "--db", "copy.db").status == 0
    line = refused(tracking("track", "--list"))
    assert line.startswith("afterscore: cannot read ratings.db: ratings.db-wal and ratings.db-shm")


def test_a_copy_put_back_is_the_database_again(tracking: Afterscore) -> None:
    assert tracking("backup", "copy.db").status == 0
    assert tracking("untrack", "tt0848228").status == 0
    assert tracking("backup", "ratings.db", "--force", "--db", "copy.db").status == 0
    assert tracked(tracking.folder / "ratings.db") == ["tt0848228", "tt1074638"]
    assert tracking("track", "tt0133093").status == 0


def test_what_a_killed_backup_left_is_no_hindrance(tracking: Afterscore) -> None:
    (tracking.folder / "copy.db.partial").write_bytes(b"SQLite format 3\0 and half a page")
    assert tracking("backup", "copy.db").status == 0
    assert left_over(tracking.folder) == ["copy.db"]


def test_what_a_link_under_the_name_of_a_growing_copy_leads_to_is_left_alone(
    tracking: Afterscore, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", "utf-8")
    (tracking.folder / "copy.db.partial").symlink_to(mine)
    assert "cannot write copy.db.partial" in refused(tracking("backup", "copy.db"))
    assert mine.read_text("utf-8") == "mine"


def test_a_damaged_database_gives_no_copy_and_says_so(tracking: Afterscore) -> None:
    path = tracking.folder / "ratings.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'listing_films_film'"
        ).fetchone()
        db.execute("PRAGMA journal_mode = DELETE")
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x5a" * 4096)
    assert "damaged" in refused(tracking("backup", "copy.db"))
    assert left_over(tracking.folder) == []


def test_a_row_that_points_nowhere_gives_no_copy_and_says_so(tracking: Afterscore) -> None:
    with closing(sqlite3.connect(tracking.folder / "ratings.db")) as db, db:
        db.execute("INSERT INTO due VALUES (999, '2026-01-01', 'nobody')")
    assert "of due points to a row of listings" in refused(tracking("backup", "copy.db"))
    assert left_over(tracking.folder) == []


def test_a_folder_without_room_is_refused_before_anything_is_written(
    tracking: Afterscore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(9_000_000, 8_990_000, 10_000))
    with (
        closing(sqlite3.connect(tracking.folder / "ratings.db")) as db,
        pytest.raises(CannotBackUp, match=r"takes \d+ MB, and .* has 0 MB free"),
    ):
        back_up(db, tracking.folder / "copy.db")
    assert left_over(tracking.folder) == []


def test_without_a_database_there_is_nothing_to_copy(afterscore: Afterscore) -> None:
    assert "no database" in refused(afterscore("backup", "copy.db"))
    assert left_over(afterscore.folder) == []


def test_a_folder_that_is_not_there_is_named(tracking: Afterscore) -> None:
    assert "nowhere/copy.db.partial" in refused(tracking("backup", "nowhere/copy.db"))

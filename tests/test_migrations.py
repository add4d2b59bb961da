"""The database through its versions: rows survive each step, and what cannot be used is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from pipelines.clock import BEGINNING
from pipelines.database import transaction, writing
from pipelines.derived import prepare
from pipelines.films import Listed
from pipelines.migrations import migrations
from pipelines.tables import all_tables
from pipelines.tracking import track
from tests.answers import answer, day, keeping, not_rated, record, scored, tomatometer
from tests.conftest import Afterscore

NAMES = [migration.name for migration in migrations.pending(Database(memory=True))]

# What the tables of each migration are filled with before the next one runs: in each at least one
# row, and columns that may be empty both empty and filled. A new migration brings its own.
ROWS = {
    "m001_foundation": """
INSERT INTO films (film_id, title, year, imdb_id, tmdb_id)
  VALUES (7, 'Skyfall', 2012, 'tt1074638', 37724), (9, NULL, NULL, NULL, NULL);
UPDATE films SET merged_into = 7 WHERE film_id = 9;
INSERT INTO tracked_films VALUES (7, 'tt1074638', '2026-01-01');
INSERT INTO listings (listing_id, source, source_id, url, title, first_seen_at, gone_at) VALUES
  (1, 'rottentomatoes', 'm/skyfall', 'https://www.rottentomatoes.com/m/skyfall', 'Skyfall',
   '2026-01-01', '2026-02-01'),
  (2, 'imdb', 'tt1074638', 'https://www.imdb.com/title/tt1074638/', NULL, '2026-01-01', NULL);
INSERT INTO listing_identifiers VALUES (1, 'imdb', 'tt1074638');
INSERT INTO listing_films VALUES
  (1, 9, '0001-01-01T00:00:00Z', '2026-01-02', 'identifier', 1.0, 'it was', 0),
  (1, 7, '2026-01-02', NULL, 'identifier', 1.0, 'it states imdb:tt1074638', 1);
INSERT INTO film_titles VALUES (1, 7, '007: Skyfall', 'JP', 'ja'), (1, NULL, 'Skyfall', NULL, NULL);
INSERT INTO people VALUES (3, 'Sam Mendes');
INSERT INTO film_people VALUES (1, 7, 3, 'director', NULL);
INSERT INTO film_genres VALUES (1, 7, 'Action');
INSERT INTO score_observations VALUES
  (1, 'tomatometer', '2013-01-01', 'year', 'scored', 0, 100, 20, 0, NULL, 0, 'archive', 'l', 'u'),
  (1, 'tomatometer', '2026-01-01', 'second', 'not_rated', NULL, 100, NULL, 0, 'all', 1, 'live',
   NULL, NULL);
INSERT INTO scores VALUES
  (1, 'tomatometer', 'scored', 0, 100, 20, 1, 'all', 0, 'live', 'l', 'u', '2026-01-01',
   '2026-01-01', 'blocked', '2026-01-02'),
  (1, 'popcornmeter', 'missing', NULL, 100, NULL, 0, NULL, 0, 'live', NULL, NULL, '2026-01-01',
   '2026-01-01', 'missing', '2026-01-03');
INSERT INTO confirmations VALUES (1, 'tomatometer', '2026-01-03');
INSERT INTO dataset_confirmations VALUES ('imdb', '2026-01-03');
INSERT INTO credits_verdicts VALUES
  (1, '2026-01-01', 'second', 'yes', 'no', 1, '["stills"]', -3, 11, 'live', 'page', 'u'),
  (1, '2026-01-02', 'day', 'unknown', 'unknown', NULL, '[]', NULL, NULL, 'archive', NULL, NULL);
INSERT INTO urls VALUES
  ('u', 'rottentomatoes', 1, '"1"', NULL, 'abc', 'def', 'ok', 200, '2026-01-01', 0),
  ('v', 'imdb', NULL, NULL, NULL, NULL, NULL, 'error', NULL, '2026-01-01', 3);
INSERT INTO due VALUES (1, '2026-01-04', 'age of the last answer');
INSERT INTO lookups VALUES (7, 'metacritic', '2026-01-01', 'not_listed', NULL);
INSERT INTO runs VALUES (4, 'refresh', '{}', 123, '2026-01-01', NULL, NULL, NULL);
INSERT INTO crawls (run_id, source, started_at, outcome) VALUES (4, 'imdb', '2026-01-01', 'ok');
INSERT INTO quarantine
  (quarantine_id, run_id, listing_id, topic, reason, record, held_at, last_held_at)
  VALUES (5, 4, 1, 'tomatometer', 'out of scale', '{}', '2026-01-01', '2026-01-02');
INSERT INTO rulings VALUES
  (6, 'imdb:tt1074638', 'tmdb:37724', 'same', NULL, '2026-01-01', NULL);
""",
    "m002_matching": """
UPDATE listings SET another_film_since = '2026-01-02' WHERE listing_id = 1;
INSERT INTO judgements VALUES (2, 7, 'ask', 'evidence', 0.5, 'title the same', '2026-01-02');
INSERT INTO film_keys VALUES (-5, 7);
INSERT INTO listing_keys VALUES (-5, 2);
""",
    "m003_due": """
UPDATE urls SET first_answered_at = '2025-12-01', last_answered_at = '2026-01-01', answers = 12,
  changes = 3 WHERE url = 'u';
""",
    "m004_guard": """
UPDATE crawls SET profile = '{"listing": {"records": 1}}' WHERE run_id = 4;
INSERT INTO quarantine
  (quarantine_id, run_id, source, topic, rule, reason, record, held_at, last_held_at)
  VALUES (8, 4, 'imdb', 'crawl', 'cut_short', '10 films', '{}', '2026-01-01', '2026-01-02');
INSERT INTO held_answers VALUES (8, x'00');
INSERT INTO released_listings VALUES (1, 8);
""",
    "m005_taking_turns": """
INSERT INTO runs VALUES (9, 'refresh', '{}', 124, '2026-01-02', NULL, NULL, NULL, 4);
INSERT INTO last_requests VALUES ('imdb', '2026-01-02');
""",
    "m006_telling": """
UPDATE runs SET db_bytes = 4096, wal_bytes = 0 WHERE run_id = 4;
INSERT INTO run_coverage VALUES (4, 'tomatometer', 1, 2);
INSERT INTO paused_sources VALUES ('tmdb', '2026-01-01', NULL, NULL),
  ('imdb', '2026-01-01', '2026-02-01', 'a new layout');
INSERT INTO alerts VALUES ('late', 'none for 3 days', '2026-01-01', '2026-01-02', NULL),
  ('disk', NULL, NULL, NULL, '2026-03-01');
""",
    "m007_quiet_nights": """
INSERT INTO dataset_records VALUES (2, -7);
""",
    "m008_search": """
INSERT INTO film_search (rowid, title, other_titles, people) VALUES (8, 'Up', '', 'Pete Docter');
""",
    "m009_upstream": """
UPDATE listings SET changed_upstream_at = '2026-01-02' WHERE listing_id = 1;
INSERT INTO last_requests VALUES ('tmdb', '2026-01-02', '2026-01-03');
INSERT INTO feeds VALUES ('tmdb', '2026-01-02');
""",
    "m010_listings_in_order": "",
    "m011_whole_catalogues": """
INSERT INTO unindexed_films VALUES (7);
""",
    "m012_unmerged_listings": """
INSERT OR IGNORE INTO unmerged_listings VALUES (1);
""",
    "m013_moves": """
INSERT INTO moves VALUES
  ('2026-01-02', 1, 'tomatometer', 'live', 5, NULL, '2026-01-01', 0, 20, 5);
""",
    "m014_marks": """
UPDATE scores SET said_otherwise = 1 WHERE score_kind = 'tomatometer';
""",
    "m015_figure_hours": "",
    "m016_doubts": "",
    "m017_exports": """
INSERT INTO feeds VALUES ('imdb', '2026-01-02', '2026-01-01');
INSERT INTO exports VALUES ('tmdb', '2026-01-02', '2026-01-02', NULL), ('imdb', '', '', 4);
INSERT INTO exported_ids VALUES ('tmdb', '37724', 12.5, NULL), ('tmdb', '155', 0, '2026-01-02');
""",
    "m018_usual_coverage": "UPDATE run_coverage SET is_usual = 0",
    "m019_cases_that_began_together": "",
    "m020_score_counts": """
INSERT INTO score_counts VALUES ('imdb_rating', 'scored', 2012, 78, 1),
  ('imdb_rating', 'not_asked', NULL, NULL, 2);
""",
    "m021_how_listings_of_films_were_matched": "",
    "m022_which_version_wrote_the_keys": """
INSERT INTO key_versions VALUES ('another');
""",
    "m023_films_that_are_to_be_merged": "INSERT INTO unmerged_films VALUES (7)",
    "m024_moves_from_saved_pages": """
UPDATE moves SET saved_at = NULL;
INSERT INTO moves VALUES
  ('2026-01-03', 1, 'tomatometer', 'live', 6, 30, '2026-01-02', 5, NULL, 1, '2026-01-02');
""",
    "m025_oldest_figures": "",
}


def database(path: Path) -> Database:
    return Database(sqlite3.connect(path, isolation_level=None))


def tables(db: Database) -> dict[str, list[str]]:
    """The columns of every table that is ours, by its name."""
    return {
        table.name: [column.name for column in table.columns]
        for table in db.tables
        if not table.name.startswith(("sqlite_", "_sqlite_", "film_search_"))
    }


def contents(db: Database, of: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the given tables and columns."""
    return {
        name: sorted(db.conn.execute(f"SELECT {', '.join(columns)} FROM {name}"), key=repr)
        for name, columns in of.items()
    }


# --- from each version to the newest ------------------------------------------------------------


@pytest.mark.parametrize("before", [None, *NAMES[1:]])
def test_rows_survive_every_migration_that_is_still_to_come(
    before: str | None, tmp_path: Path
) -> None:
    """`before` is the migration that an old database lacks first; None: it lacks none."""
    path = tmp_path / "ratings.db"
    db = database(path)
    for name in NAMES[: NAMES.index(before) if before else None]:
        following = [*NAMES, None][NAMES.index(name) + 1]
        migrations.apply(db, stop_before=following)
        db.conn.execute("PRAGMA foreign_keys = ON")
        for statement in ROWS[name].split(";\n"):
            db.conn.execute(statement)
    old = tables(db)
    then = contents(db, old)
    assert {name for name, rows in then.items() if not rows} == set(), "fill every table"
    db.conn.close()
    with writing(path) as migrated:
        assert contents(migrated, old) == then
        assert migrated.conn.execute("PRAGMA foreign_key_check").fetchall() == []
        assert migrated.conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        prepare(migrated)
        assert list(
            migrated.query(
                "SELECT tomatometer, popcornmeter_state FROM film_scores WHERE film_id = 7"
            )
        ) == [{"tomatometer": 0, "popcornmeter_state": "missing"}]


def test_the_first_match_of_an_old_database_holds_for_all_that_the_listing_said(
    tmp_path: Path,
) -> None:
    db = database(tmp_path / "ratings.db")
    migrations.apply(db, stop_before="m002_matching")
    for statement in ROWS["m001_foundation"].split(";\n"):
        db.conn.execute(statement)
    db.conn.execute("UPDATE listing_films SET valid_from = '2026-01-01' WHERE film_id = 9")
    migrations.apply(db)
    spans = db.conn.execute("SELECT film_id, valid_from FROM listing_films ORDER BY valid_from")
    assert spans.fetchall() == [(9, BEGINNING), (7, "2026-01-02")]


def test_what_moved_before_is_told_by_what_was_observed(tmp_path: Path) -> None:
    db = database(tmp_path / "ratings.db")
    migrations.apply(db, stop_before="m002_matching")
    for statement in ROWS["m001_foundation"].split(";\n"):
        db.conn.execute(statement)
    db.conn.execute(
        "INSERT INTO score_observations SELECT listing_id, score_kind, '2026-01-03', 'second',"
        " state, 3, scale_max, 25, 0, NULL, 0, 'live', layout, url FROM score_observations"
        " WHERE state = 'scored'"
    )
    db.conn.execute(
        "INSERT INTO score_observations SELECT listing_id, score_kind, '2026-01-04', 'second',"
        " state, 5, scale_max, 25, 0, NULL, 0, 'live', layout, url FROM score_observations"
        " WHERE value = 3"
    )
    migrations.apply(db)
    moved = (
        "SELECT old_said_at, old_value, old_votes, said_at, value, votes, delta_100, saved_at"
        " FROM moves ORDER BY said_at"
    )
    assert db.conn.execute(moved).fetchall() == [
        ("2013-01-01", 0, 20, "2026-01-03", 3, 25, 3, "2013-01-01"),
        ("2026-01-03", 3, 25, "2026-01-04", 5, 25, 2, None),
    ]


def test_what_is_kept_from_now_on_is_told_by_what_was_there(tmp_path: Path) -> None:
    """A figure that nothing confirmed, and after which a saved page said otherwise."""
    db = database(tmp_path / "ratings.db")
    migrations.apply(db, stop_before="m002_matching")
    for statement in ROWS["m001_foundation"].split(";\n"):
        db.conn.execute(statement)
    db.conn.execute("DELETE FROM confirmations")
    db.conn.execute(
        "INSERT INTO score_observations VALUES (1, 'tomatometer', '2026-01-02', 'day', 'scored',"
        " 50, 100, 20, 0, NULL, 0, 'archive', 'l', 'u')"
    )
    migrations.apply(db)

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return sorted(db.conn.execute(sql))

    assert rows("SELECT score_kind, said_otherwise FROM scores") == [
        ("popcornmeter", 0),
        ("tomatometer", 1),
    ]
    assert rows("SELECT listing_id FROM filmless_listings") == [(2,)]
    assert rows("SELECT * FROM confirmations") == [(1, "tomatometer", "2026-01-01")]
    assert rows("SELECT * FROM figure_hours") == [
        ("rottentomatoes", "popcornmeter", "missing", 0, "", 1),
        ("rottentomatoes", "tomatometer", "scored", 0, "2026-01-01", 1),
    ]


def test_films_learn_of_their_oldest_figures_without_being_merged_anew(tmp_path: Path) -> None:
    path = tmp_path / "ratings.db"
    with keeping(path) as kept:
        for number, said in enumerate((scored(7.8, 900, 10), not_rated(10), None), 1):
            imdb, rt = f"tt000000{number}", f"m/{number}"
            with transaction(kept.db):
                track(kept.db, [Listed("imdb", imdb), Listed("rottentomatoes", rt)], "a test")
            if said:
                kept.tell(answer(record("imdb", imdb, scores={"imdb_rating": said}), at=day(2)))
        kept.tell(tomatometer(scored(91), "2015-04-01T00:00:00Z", "m/1"), origin="archive")
        kept.merge()
        oldest = kept.rows("SELECT film_id, oldest_confirmed_at FROM film_scores")
    assert [at for _, at in oldest] == ["2015-04-01T00:00:00Z", None, None]
    db = database(path)
    db.conn.execute("DROP VIEW critics_vs_audience")
    db.conn.execute("ALTER TABLE film_scores DROP COLUMN oldest_confirmed_at")
    db.conn.execute("UPDATE film_scores SET title = 'as it was'")
    db.conn.execute("DELETE FROM _sqlite_migrations WHERE name >= 'm025'")
    db.conn.close()
    with writing(path) as migrated:
        prepare(migrated)
        sql = "SELECT film_id, oldest_confirmed_at, title FROM film_scores"
        assert migrated.execute(sql).fetchall() == [(*row, "as it was") for row in oldest]


def test_every_migration_has_rows_to_try_it_on() -> None:
    assert list(ROWS) == NAMES


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(tmp_path / "ratings.db"):
        pass

    newer = Migrations("afterscore")
    for migration in migrations.pending(Database(memory=True)):
        newer(name=migration.name)(migration.fn)

    @newer()
    def m999_fails(db: Database) -> None:
        db.conn.execute("CREATE TABLE half_done (x)")
        db.conn.execute("SELECT no_such_column")

    monkeypatch.setattr("pipelines.database.migrations", newer)
    with pytest.raises(Exception, match="no_such_column"), writing(tmp_path / "ratings.db"):
        pass
    db = database(tmp_path / "ratings.db")
    assert "half_done" not in tables(db)
    assert [done.name for done in migrations.applied(db)] == NAMES


# --- the description ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    with writing(tmp_path_factory.mktemp("newest") / "ratings.db") as db:
        prepare(db)
        return tables(db)


def test_the_description_names_every_table_and_column_and_no_other(
    newest: dict[str, list[str]],
) -> None:
    described = {table.name: list(table.columns) for table in all_tables()}
    assert {name: sorted(columns) for name, columns in described.items()} == {
        name: sorted(columns) for name, columns in newest.items()
    }
    for table in all_tables():
        assert all(table.columns.values()), f"{table.name} has a column without a meaning"


def test_no_column_needs_quotes(newest: dict[str, list[str]]) -> None:
    db = Database(memory=True)
    for name, columns in newest.items():
        named = ", ".join(columns)
        db.conn.execute(f"CREATE TABLE {name} ({named})")
        db.conn.execute(f"SELECT {named} FROM {name} GROUP BY {named} ORDER BY {named}")
        db.conn.execute(f"CREATE INDEX {name}_all ON {name} ({named})")


# --- what cannot be used ------------------------------------------------------------------------

READING, WRITING = ("film", "tt1074638"), ("track", "tt1074638")
either = pytest.mark.parametrize("words", [READING, WRITING], ids=["reading", "writing"])


def refused(afterscore: Afterscore, *words: str, db: str | Path = "ratings.db") -> str:
    """What a command says that can do nothing with the database: one line, status 2."""
    ended = afterscore(*words, "--db", db)
    assert (ended.status, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    (line,) = ended.err.splitlines()
    return line


@either
def test_a_database_from_a_newer_version_is_refused(
    words: tuple[str, ...], afterscore: Afterscore
) -> None:
    path = afterscore.folder / "ratings.db"
    db = database(path)
    migrations.apply(db)
    db.table("_sqlite_migrations").insert(
        {"migration_set": "afterscore", "name": "m999_from_the_future", "applied_at": "2030-01-01"}
    )
    db.conn.close()
    before = path.read_bytes()
    line = refused(afterscore, *words)
    assert "newer afterscore" in line
    assert "m999_from_the_future" in line
    assert "Update afterscore" in line
    kept = database(path)
    assert kept.table("films").count == 0
    assert kept.table("_sqlite_migrations").count == len(NAMES) + 1
    assert len(path.read_bytes()) == len(before)


def test_an_older_database_is_read_once_a_command_has_written(afterscore: Afterscore) -> None:
    db = database(afterscore.folder / "ratings.db")
    migrations.apply(db, stop_before=NAMES[-1])
    db.conn.close()
    line = refused(afterscore, *READING)
    assert "older afterscore" in line
    assert "afterscore refresh" in line
    assert afterscore(*WRITING).status == 0
    assert afterscore(*READING).status == 0


@pytest.mark.parametrize(
    "other",
    [
        "DROP VIEW coverage",
        "DROP VIEW coverage; CREATE VIEW coverage AS SELECT 1 AS films",
        "ALTER TABLE film_scores ADD COLUMN of_another_register REAL",
        "DROP TABLE stay_for_the_credits",
    ],
)
def test_what_another_version_derived_is_read_once_a_command_has_written(
    other: str, afterscore: Afterscore
) -> None:
    assert afterscore(*WRITING).status == 0
    with closing(sqlite3.connect(afterscore.folder / "ratings.db")) as db:
        db.executescript(other)
    reading = (READING, ("health",), ("export", "--format", "csv", "--out", "out"))
    for words in reading:
        line = refused(afterscore, *words)
        assert "has not all tables and views of this afterscore" in line
        assert "'afterscore refresh'" in line
    assert afterscore("sources", "pause", "imdb").status == 0  # a note needs none of it
    assert afterscore(*WRITING).status == 0
    assert [afterscore(*words).status for words in reading] == [0, 0, 0]


def test_a_database_is_copied_before_it_is_migrated(afterscore: Afterscore) -> None:
    path = afterscore.folder / "ratings.db"
    db = database(path)
    migrations.apply(db, stop_before=NAMES[-2])
    db.conn.execute("INSERT INTO films (film_id, title) VALUES (7, 'Skyfall')")
    db.conn.close()
    ended = afterscore(*WRITING)
    assert ended.status == 0
    copy = afterscore.folder / f"ratings.db.before-{NAMES[-2]}.db"
    assert f"Copied ratings.db to {copy.name}" in ended.err
    old = database(copy)
    assert [done.name for done in migrations.applied(old)] == NAMES[:-2]
    assert [row["title"] for row in old.table("films").rows] == ["Skyfall"]
    assert "Copied" not in afterscore(*WRITING).err
    assert len(list(afterscore.folder.glob("*.before-*"))) == 1


def test_a_new_database_needs_no_copy(afterscore: Afterscore) -> None:
    assert afterscore(*WRITING).status == 0
    assert list(afterscore.folder.glob("*.before-*")) == []


def test_a_database_that_cannot_be_copied_is_not_migrated(afterscore: Afterscore) -> None:
    db = database(afterscore.folder / "ratings.db")
    migrations.apply(db, stop_before=NAMES[-1])
    db.conn.close()
    (afterscore.folder / f"ratings.db.before-{NAMES[-1]}.db").mkdir()
    line = refused(afterscore, *WRITING)
    assert "changed only once it is backed up" in line
    db = database(afterscore.folder / "ratings.db")
    assert [done.name for done in migrations.applied(db)] == NAMES[:-1]


@either
@pytest.mark.parametrize("rows", [1, 99], ids=["short", "long"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    rows: int, words: tuple[str, ...], afterscore: Afterscore
) -> None:
    """SQLite itself takes a file of less than 512 bytes for an empty database."""
    path = afterscore.folder / "films.csv"
    content = "imdb_id,title\n" + "tt1074638,Skyfall\n" * rows
    path.write_text(content, "utf-8")
    line = refused(afterscore, *words, db=path)
    assert str(path) in line
    assert "not an SQLite database" in line
    assert path.read_text("utf-8") == content


@either
def test_a_database_of_another_program_is_refused_and_left_alone(
    words: tuple[str, ...], afterscore: Afterscore
) -> None:
    path = afterscore.folder / "places.sqlite"
    database(path).table("bookmarks").insert({"url": "https://example.org/"})
    before = path.read_bytes()
    assert "another program" in refused(afterscore, *words, db=path)
    assert path.read_bytes() == before


@either
def test_a_database_cut_short_is_refused(words: tuple[str, ...], afterscore: Afterscore) -> None:
    path = afterscore.folder / "ratings.db"
    with writing(path) as db:
        prepare(db)
    path.write_bytes(path.read_bytes()[: 3 * 4096])
    assert "ratings.db" in refused(afterscore, *words)


@pytest.mark.parametrize("where", ["below a file", "in /proc", "a folder"])
def test_where_nothing_can_be_written_says_what_to_do(where: str, afterscore: Afterscore) -> None:
    """Root may write into any folder that is read-only, so these stand for it."""
    file = afterscore.folder / "a-file"
    file.touch()
    path = {
        "below a file": file / "ratings.db",
        "in /proc": Path("/proc/ratings.db"),
        "a folder": afterscore.folder,
    }[where]
    line = refused(afterscore, *WRITING, db=path)
    assert "--db" in line
    assert not path.is_file()

"""`export`: tables for analysts in files that say what they hold, whole and of one moment."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import read_only, transaction
from pipelines.export.folder import CannotExport, whole_folder
from pipelines.export.reading import Narrowed
from pipelines.export.selection import analysts, selected
from pipelines.export.tables import export_tables
from pipelines.views import VIEWS
from pipelines.wording import counted
from spiders.sources import SOURCES
from tests.answers import LISTED, Kept, answer, day, keeping, record, scored, tomatometer
from tests.conftest import Afterscore, Ended

TABLES = [name for name in analysts() if name not in {view.name for view in VIEWS}]


def quiet(what: str, rows: int) -> None:
    """Progress that nobody watches."""


def rows_of(ready: Afterscore, name: str) -> list[dict[str, Any]]:
    """A table as the database has it."""
    with closing((db := ready.database()).conn):
        return list(db.query(f"SELECT * FROM {name}"))


@pytest.fixture(scope="module")
def written(
    refreshed: tuple[Afterscore, Ended], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An export of everything in each format; of Parquet, views too."""
    folders = {}
    for kind in ("parquet", "csv", "json"):
        folders[kind] = tmp_path_factory.mktemp("exports") / kind
        names = analysts() if kind == "parquet" else ()
        named = [word for name in names for word in ("--table", name)]
        ended = refreshed[0]("export", "--format", kind, "--out", folders[kind], *named)
        assert ended.status == 0, ended.err
        number = len(names or TABLES)
        assert f"{number} tables, " in ended.out
    return folders


# --- what is in the files -------------------------------------------------------------------------


def test_parquet_has_every_table_and_view_with_types_and_descriptions(
    written: dict[str, Path], refreshed: tuple[Afterscore, Ended]
) -> None:
    for name, table in analysts().items():
        found = pq.read_table(written["parquet"] / f"{name}.parquet")
        assert found.schema.metadata[b"description"].decode() == f"A row is {table.row}."
        told = {field.name: field.metadata[b"description"].decode() for field in found.schema}
        assert told == table.columns
        ages = [column for column in table.columns if column.endswith("_days")]  # they grow
        expected = [
            {key: value for key, value in row.items() if key not in ages}
            for row in rows_of(refreshed[0], name)
        ]
        assert found.drop_columns(ages).to_pylist() == expected, name


def test_integers_stay_integers_where_some_are_not_known(written: dict[str, Path]) -> None:
    found = pq.read_table(written["parquet"] / "film_scores.parquet")
    votes = found["popcornmeter_votes"]
    assert votes.type == pa.int64()
    assert votes.null_count > 0
    assert 0 not in votes.to_pylist()
    zero = found.filter(pa.compute.equal(found["title"], "Ballistic: Ecks vs. Sever")).to_pylist()
    assert (zero[0]["tomatometer"], zero[0]["popcornmeter"]) == (0.0, None)


def test_csv_leaves_out_what_is_not_known(
    written: dict[str, Path], refreshed: tuple[Afterscore, Ended]
) -> None:
    for name in TABLES:
        with (written["csv"] / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        expected = [
            {key: "" if value is None else str(value) for key, value in row.items()}
            for row in rows_of(refreshed[0], name)
        ]
        assert found == expected, name


def test_json_has_an_object_a_line(
    written: dict[str, Path], refreshed: tuple[Afterscore, Ended]
) -> None:
    for name in TABLES:
        text = (written["json"] / f"{name}.json").read_text("utf-8")
        expected = rows_of(refreshed[0], name)
        assert json.loads(text) == expected, name
        assert len(text.splitlines()) == (len(expected) + 2 if expected else 1)


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_beside_them_lies_what_they_mean_and_on_whose_terms(
    kind: str, written: dict[str, Path]
) -> None:
    folder = written[kind]
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    readme = (folder / "README.md").read_text("utf-8")
    for resource in package["resources"]:
        table = analysts()[resource["name"]]
        assert (folder / resource["path"]).exists()
        fields = resource["schema"]["fields"]
        assert {field["name"]: field["description"] for field in fields} == table.columns
        assert {field["type"] for field in fields} <= {"integer", "number", "string"}
        assert f"{counted(resource['rows'], 'row')}. A row is {table.row}." in readme
    notice = (folder / "NOTICE").read_text("utf-8")
    for source in SOURCES:
        assert source.terms.url in notice
        assert source.attribution in notice
    assert "May be kept for 180 days" in notice


# --- narrowed -------------------------------------------------------------------------------------


def test_a_condition_and_a_date_narrow_it(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    ended = refreshed[0](
        *("export", "--format", "json", "--out", tmp_path / "new", "--since", "2026-01-01"),
        *("--table", "film_scores", "--table", "score_changes"),
        *("--where", "film_id IN (SELECT rowid FROM film_search WHERE film_search MATCH 'bond')"),
    )
    assert ended.status == 0, ended.err
    assert "when a row was said to be so in film_scores: all rows are there." in ended.out
    films = json.loads((tmp_path / "new/film_scores.json").read_text("utf-8"))
    changes = json.loads((tmp_path / "new/score_changes.json").read_text("utf-8"))
    assert {film["title"] for film in films} == {change["title"] for change in changes}
    readme = (tmp_path / "new/README.md").read_text("utf-8")
    assert "Only rows said to be so since 2026-01-01T00:00:00Z" in readme


def test_what_is_new_comes_with_the_film_that_it_is_of(kept: Kept, tmp_path: Path) -> None:
    for night, rating in ((1, 7.7), (6, 7.8)):
        said = record("imdb", title="Skyfall", scores={"imdb_rating": scored(rating, 900, 10)})
        kept.tell(answer(said, at=day(night)))
    kept.tell(tomatometer(scored(92), at=day(1)))  # without a title: of no film
    kept.match()
    names = ["score_observations", "listing_films", "unmatched_listings"]
    chosen = selected(kept.db, names, Narrowed(since=day(5)))
    written = export_tables(kept.db, chosen, "json", tmp_path, clock.now(), quiet)
    seen, matched, unmatched = (
        json.loads((tmp_path / file.name).read_text("utf-8")) for file in written
    )
    assert [row["value"] for row in seen] == [7.8]
    assert [row["listing_id"] for row in matched] == [seen[0]["listing_id"]]
    assert [row["source"] for row in unmatched] == ["rottentomatoes"]
    readme = (tmp_path / "README.md").read_text("utf-8")
    assert readme.count("Every row: nothing tells") == 2
    assert "not when it was stored" in readme


def test_nothing_was_said_since_a_day_to_come(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    with closing((db := refreshed[0].database()).conn):
        chosen = selected(db, list(analysts()), Narrowed(since="9999-01-01T00:00:00Z"))
        written = export_tables(db, chosen, "csv", tmp_path, clock.now(), quiet)
    told = {file.selected.table.name: file.rows for file in written if file.selected.said}
    assert set(told) >= {"scores", "score_observations", "credits_verdicts", "score_changes"}
    assert set(told.values()) == {0}


def first_row(db: Database, narrowed: Narrowed) -> Any:
    """The first film that a condition lets through."""
    (chosen,) = selected(db, ["film_scores"], narrowed)
    return next(chosen.rows(db.conn))[0]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("imdb_ratng > 8", "no such column: imdb_ratng"),
        ("year > 2012 AND", "incomplete input"),
        ("1) UNION SELECT (1", "syntax error"),
        ("1 UNION SELECT 1", "syntax error"),
        ("1; DROP TABLE films", "one condition"),
        ("year = :year", "binding"),
        ("(SELECT name FROM pragma_database_list) = 'main'", "does nothing else"),
        ("load_extension('evil')", "one condition"),
    ],
)
def test_a_condition_is_one_expression_that_reads(
    condition: str, told: str, refreshed: tuple[Afterscore, Ended]
) -> None:
    with closing((db := refreshed[0].database()).conn), pytest.raises(CannotExport) as raised:
        first_row(db, Narrowed(where=condition))
    assert told in str(raised.value)
    assert str(raised.value).startswith("--where on film_scores")


def test_the_time_of_a_condition_is_its_own(refreshed: tuple[Afterscore, Ended]) -> None:
    long = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)"
    with closing((db := refreshed[0].database()).conn):
        (chosen,) = selected(db, ["film_scores"], Narrowed(where="year > 0", seconds=0))
        for _ in chosen.rows(db.conn):  # what is read of these rows takes as long as it takes
            assert next(db.conn.execute(f"{long} SELECT count(*) FROM n")) == (100_000,)


ENDLESS = "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--table", "film_scores", "--where", "titel = 'Up'"], "no such column: titel"),
        (["--table", "film_scores", "--where", ENDLESS, "--time-limit", "1"], "--time-limit"),
        (["--table", "urls"], "no table 'urls' for analysts. The tables are film_scores"),
        (["--where", "year = 2012"], "--table film_scores"),
        (["--since", "last week"], "--since takes a date"),
        (["--since", "0001-01-01T00:00+05:00"], "--since takes a date"),
        (["--where", ""], "--where is empty"),
        (["--table", "film_scores", "--where", "  "], "--where is empty"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else None,
)
def test_what_cannot_be_exported_says_so_and_leaves_nothing(
    words: list[str], told: str, refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    ended = refreshed[0]("export", "--format", "csv", "--out", tmp_path / "out", *words)
    assert (ended.status, ended.out) == (2, "")
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_whatever_the_condition(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    def full(what: str, rows: int) -> None:
        raise OSError(28, "No space left on device", "film_scores.csv")

    with closing((db := refreshed[0].database()).conn):
        chosen = selected(db, ["film_scores"], Narrowed(where="year > 0"))
        with pytest.raises(OSError, match="No space left"):
            export_tables(db, chosen, "csv", tmp_path, clock.now(), full)


# --- one moment -----------------------------------------------------------------------------------


def test_all_tables_are_of_one_moment(kept: Kept, tmp_path: Path) -> None:
    kept.tell(answer(record(title="Skyfall", scores={"tomatometer": scored(92)}), at=clock.now()))
    kept.match()

    def somebody_writes(what: str, rows: int) -> None:
        with transaction(kept.db):
            kept.db.conn.execute("DELETE FROM scores")

    path = Path(kept.column("SELECT file FROM pragma_database_list")[0])
    with closing((db := read_only(path)).conn):
        chosen = selected(db, ["listings", "scores"], Narrowed())
        first, second = export_tables(db, chosen, "csv", tmp_path, clock.now(), somebody_writes)
    assert (first.rows, second.rows) == (1, 1)
    assert kept.column("SELECT count(*) FROM scores") == [0]


def test_what_may_not_be_kept_any_longer_is_not_exported(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        long_ago = clock.later(clock.now(), days=-182)
        for source, kind in (("tmdb", "tmdb_score"), ("imdb", "imdb_rating")):
            said = record(
                source,
                title="Skyfall",
                year=2012,
                imdb_id=LISTED["imdb"],
                overview="Bond goes home." if source == "tmdb" else None,
                scores={kind: scored(7.5, 900, 10)},
            )
            kept.tell(answer(said, at=long_ago))
        kept.match()
    ended = afterscore("export", "--format", "csv", "--out", "out")
    assert ended.status == 0, ended.err
    assert "no longer lets anybody keep" in ended.err
    with (afterscore.folder / "out/film_scores.csv").open(encoding="utf-8", newline="") as file:
        (film,) = csv.DictReader(file)
    assert (film["imdb_rating"], film["tmdb_score"]) == ("7.5", "")
    assert "goes home" not in (afterscore.folder / "out/films.csv").read_text("utf-8")
    assert "tmdb_score" not in (afterscore.folder / "out/scores.csv").read_text("utf-8")


# --- the folder -----------------------------------------------------------------------------------


def export(folder: Path, *names: str, force: bool = False) -> list[str]:
    """Make an export of empty files; returns what lies in the folder then."""
    with whole_folder(folder, force=force) as partial:
        for name in names:
            (partial / name).write_text("exported", "utf-8")
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def test_an_export_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    assert export(tmp_path / "out", "a.csv", "b.csv") == ["a.csv", "b.csv"]
    assert export(tmp_path / "out", "b.csv", "c.csv") == ["b.csv", "c.csv"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    export(tmp_path / "out", "a.csv")
    (tmp_path / "out" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(CannotExport, match=r"notes\.txt.*--force"):
        export(tmp_path / "out", "b.csv")
    assert export(tmp_path / "out", "b.csv", force=True) == ["b.csv", "notes.txt"]
    assert (tmp_path / "out" / "notes.txt").read_text("utf-8") == "mine"


def test_no_file_of_other_people_is_written_over(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    (tmp_path / "films.csv").write_text("mine", "utf-8")
    words = ("export", "--format", "csv", "--out", tmp_path, "--table", "films", "--force")
    ended = refreshed[0](*words)
    assert (ended.status, ended.out) == (2, "")
    assert "under names that this one needs (films.csv)" in ended.err
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [
        ("films.csv", "mine")
    ]
    (tmp_path / "films.csv").rename(tmp_path / "mine.csv")
    assert refreshed[0](*words).status == 0
    assert refreshed[0](*words).status == 0, "what an export made, the next may replace"
    assert (tmp_path / "mine.csv").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["../mine.txt", "{}/mine.txt", "sub/mine.txt", "..", "", "\0"])
def test_no_list_makes_files_elsewhere_an_exports_own(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    export(out, "a.csv")
    (out / "sub").mkdir()
    mine = [tmp_path / "mine.txt", out / "sub" / "mine.txt"]
    for file in mine:
        file.write_text("mine", "utf-8")
    (out / ".afterscore-export").write_text(f"a.csv\n{name.format(tmp_path)}\n", "utf-8")
    assert export(out, "b.csv", force=True) == ["b.csv", "sub"]
    assert [file.read_text("utf-8") for file in mine] == ["mine", "mine"]


def test_an_empty_folder_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export(tmp_path / "out", "a.csv") == ["a.csv"]


@pytest.mark.parametrize("linked", [False, True])
def test_what_bears_the_name_that_an_export_grows_under_is_left_alone(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path, *, linked: bool
) -> None:
    partial = tmp_path / ".out.partial"
    folder = tmp_path / "mine" if linked else partial
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", "utf-8")
    if linked:
        partial.symlink_to(folder)
    ended = refreshed[0]("export", "--format", "csv", "--out", tmp_path / "out")
    assert (ended.status, ended.out) == (2, "")
    assert f"{partial} is not an export's" in ended.err
    assert not (tmp_path / "out").exists()
    assert [(file.name, file.read_text("utf-8")) for file in partial.iterdir()] == [
        ("notes.txt", "mine")
    ]


def test_one_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    export(tmp_path / "out", "a.csv")
    with pytest.raises(CannotExport, match="Put that right"):
        export(tmp_path / "out", "b.csv", "no/such/folder.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert [file.name for file in (tmp_path / "out").glob("*.csv")] == ["a.csv"]


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out", force=False) as partial:
        (partial / "a.csv").write_text("exported", "utf-8")
        with pytest.raises(CannotExport, match="another export"):
            export(tmp_path / "out", "b.csv")
    assert (tmp_path / "out" / "a.csv").exists()


def test_one_that_is_killed_leaves_nothing_that_looks_whole(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    words = ["export", "--format", "csv", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "tests.killed_at", "SELECT listing_id, score_kind", *words],
        cwd=refreshed[0].folder,
        env={**refreshed[0].whole_environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "out").exists()
    (left,) = tmp_path.iterdir()
    assert left.name == ".out.partial"
    assert (left / "film_scores.csv").exists()
    assert export(tmp_path / "out", "a.csv") == ["a.csv"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]

"""A made-up ninth source with a score kind of its own appears everywhere. It is one spider, one
reader, one folder of samples and one entry in the register."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from explore.site import metadata_file
from pipelines.database import read_only
from pipelines.films import Listed
from pipelines.tracking import track
from tests.answers import keeping
from tests.conftest import copy_packages

ENTRY = """
    Source(
        key="gazette",
        name="The Gazette",
        terms=Terms(
            Permission.UNCLEAR, "Asked by letter.", "https://gazette.example/terms", "2026-11-22"
        ),
        hosts=(Host("gazette_api", "https://api.gazette.example"),),
        listing_page="https://gazette.example/films/{id}",
        listing_ask=None,
        id_pattern=r"^/films/(?P<id>[1-9][0-9]*)$",
        score_kinds=(ScoreKind("gazette_grade", "Gazette grade", "Gazette", 20, "critics", 1),),
        says_credits=True,
        key_variable="GAZETTE_KEY",
        finds=Finds.LISTS,
        domains=("gazette.example",),
        attribution="Grades by The Gazette.",
        opt_in={"early": "tomorrow's grades too"},
    ),
"""

SPIDER = '''
"""The Gazette: all its grades in one list."""

import os

from spiders.base import SourceSpider
from spiders.plan import Target


class GazetteSpider(SourceSpider):
    """Asks the list, with the key."""

    name = "gazette"

    def headers(self, target):
        """The key."""
        return {"X-Key": os.environ["GAZETTE_KEY"]}

    def find_targets(self):
        """The list."""
        yield Target(kind="list", url="https://api.gazette.example/grades.json")
'''

READER = '''
"""The Gazette's list of grades."""

from spiders.items import Credits, Record
from spiders.pages.scores import read_score
from spiders.sources import by_key


def _grades(page):
    if not isinstance(page.json, list):
        return None
    return [
        Record(
            source="gazette",
            source_id=row["id"],
            url=by_key("gazette").page_url(row["id"]),
            title=row["title"],
            imdb_id=row["imdb"],
            scores={"gazette_grade": read_score("gazette_grade", row["grade"], row["of"])},
            credits=Credits(after=row["after"]),
        )
        for row in page.json
    ]


LAYOUTS = {"grades-2026": _grades}
'''

GRADES = """[
  {"id": "7", "title": "Skyfall", "imdb": "tt1074638", "grade": "17.5", "of": 41, "after": "no"},
  {"id": "9", "title": "Up", "imdb": "tt1049413", "grade": "--", "of": 0, "after": "unknown"}
]"""


@dataclass(frozen=True)
class Newsroom:
    """A copy of afterscore that knows The Gazette, and its demo's database."""

    folder: Path
    demo: str

    def __call__(self, *words: str | Path, db: str = "demo/ratings.db", key: str = "k") -> str:
        """What a command prints that does what it should."""
        return run(self.folder, *words, key=key, AFTERSCORE_DB=db)

    def rows(self, sql: str, db: str = "demo/ratings.db") -> list[dict[str, Any]]:
        """Rows of its database."""
        return list(read_only(self.folder / db, older=True).query(sql))  # of another register


def run(folder: Path, *words: str | Path, key: str = "k", **environment: str) -> str:
    """Run the copy of afterscore in a folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERSCORE_", "TMDB_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "schedules.cli", *map(str, words)],
        cwd=folder,
        env={
            **kept,
            **environment,
            "GAZETTE_KEY": key,
            "PYTHONPATH": str(folder),
            "COLUMNS": "160",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    """The packages with the four things that a source is, after the demo."""
    folder = tmp_path_factory.mktemp("newsroom")
    copy_packages(folder)
    shutil.copy(metadata_file(), folder)
    register = folder / "spiders" / "sources.py"
    before, end, after = register.read_text("utf-8").partition("\n)\n\n\ndef by_key")
    assert end, "the register ends otherwise than it did"
    register.write_text(before + ENTRY.rstrip() + end + after, "utf-8")
    (folder / "spiders" / "gazette.py").write_text(SPIDER, "utf-8")
    (folder / "spiders" / "pages" / "gazette.py").write_text(READER, "utf-8")
    samples = folder / "spiders" / "samples" / "gazette"
    samples.mkdir()
    (samples / "grades.json").write_text(GRADES, "utf-8")
    expected = {"url": "https://api.gazette.example/grades.json", "served": True, "records": []}
    (samples / "grades.json.expected.json").write_text(json.dumps(expected), "utf-8")
    return Newsroom(folder, run(folder, "demo"))


def test_the_main_job_asks_it_and_ends_well(newsroom: Newsroom) -> None:
    assert newsroom.rows("SELECT outcome, stored FROM crawls WHERE source = 'gazette'") == [
        {"outcome": "ok", "stored": 2}
    ]
    assert newsroom.rows("SELECT last_outcome FROM urls WHERE source = 'gazette'") == [
        {"last_outcome": "ok"}
    ]


def test_what_is_asked_of_it_by_choice_alone_is_a_setting_of_its_own(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    settings = tmp_path / "own.toml"
    settings.write_text("[sources.gazette]\nenabled = true\nearly = true\n", "utf-8")
    told = run(newsroom.folder, "sources", AFTERSCORE_CONFIG=str(settings))
    assert re.search(r"(?m)^gazette +yes ", told)


def test_its_figures_have_columns(newsroom: Newsroom) -> None:
    rows = newsroom.rows(
        "SELECT title, gazette_grade, gazette_grade_100, gazette_grade_votes, gazette_grade_state,"
        " gazette_grade_votes_at_least, gazette_grade_confirmed_at IS NOT NULL AS is_dated"
        " FROM film_scores WHERE title IN ('Skyfall', 'Up', 'Frozen') ORDER BY title"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Frozen", None, None, None, "not_listed", None, 0),
        ("Skyfall", 17.5, 87.5, 41, "scored", 0, 1),
        ("Up", None, None, 0, "not_rated", 0, 1),
    ]


def test_the_table_of_films_has_its_column(newsroom: Newsroom) -> None:
    lines = newsroom.demo.splitlines()
    heading = next(line for line in lines if line.startswith("Film "))
    end = heading.index("Gazette") + len("Gazette")
    for title, figure in (("Skyfall", "17.5"), ("Up", "n/r"), ("Frozen", "n/l")):
        (line,) = (line for line in lines if line.startswith(f"{title} ("))
        assert line[:end].split()[-1] == figure


def test_the_card_of_a_film_shows_it(newsroom: Newsroom) -> None:
    card = newsroom("film", "tt1074638")
    (line,) = (line for line in card.splitlines() if "Gazette grade" in line)
    assert "17.5 / 20" in line
    assert "41" in line
    assert "https://gazette.example/films/7" in card
    assert any(line.startswith("  no:") and "The Gazette" in line for line in card.splitlines())
    unrated = newsroom("film", "tt1049413")
    (line,) = (line for line in unrated.splitlines() if "Gazette grade" in line)
    assert "not rated yet" in line


def test_so_do_programs(newsroom: Newsroom) -> None:
    film = json.loads(newsroom("film", "gazette:7", "--json"))
    assert film["imdb_id"] == "tt1074638"
    grade = film["scores"]["gazette_grade"]
    assert (grade["value"], grade["scale_max"], grade["votes"]) == (17.5, 20, 41)
    assert "gazette" in film["credits"]["no_sources"]


def test_the_register_tells_its_terms_and_what_it_needs(newsroom: Newsroom) -> None:
    (told,) = (row for row in json.loads(newsroom("sources", "--json")) if row["key"] == "gazette")
    assert (told["permission"], told["key_variable"]) == ("unclear", "GAZETTE_KEY")
    assert told["hosts"] == {"AFTERSCORE_GAZETTE_API_URL": "https://api.gazette.example"}
    assert "enabled = true under [sources.gazette]" in told["skipped"]
    assert "[sources.gazette]" in (newsroom.folder / "demo" / "afterscore.toml").read_text("utf-8")


def test_a_database_from_before_gains_its_columns(newsroom: Newsroom) -> None:
    with keeping(newsroom.folder / "older.db") as kept:
        kept.db.conn.execute("BEGIN")
        track(kept.db, [Listed("imdb", "tt1074638")], "a test")
        kept.db.conn.execute("COMMIT")
        kept.merge()
    newsroom("track", "tt1049413", db="older.db")
    assert newsroom.rows("SELECT imdb_id, gazette_grade_state FROM film_scores", "older.db") == [
        {"imdb_id": "tt1074638", "gazette_grade_state": "not_asked"},
        {"imdb_id": "tt1049413", "gazette_grade_state": "not_asked"},
    ]

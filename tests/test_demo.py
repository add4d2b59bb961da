"""`afterscore demo`, and what can be done in the folder that it leaves behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Afterscore, Ended, with_files_of_at_most


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Afterscore, Ended]:
    """The folder that a demo left on a terminal of 80 columns, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    ended = Afterscore(folder, {"COLUMNS": "80"})("demo", "--folder", folder)
    assert ended.status == 0, ended.err
    return Afterscore(folder, {"COLUMNS": "80"}), ended


@pytest.mark.parametrize(
    "words",
    [
        ["film", "Skyfall (2012)"],
        ["explain", "Skyfall (2012)"],
        ["health"],
        ["runs"],
        ["sources"],
        ["plan"],
        ["export", "--format", "csv", "--out", "exported", "--table", "film_scores"],
    ],
    ids=lambda words: words[0],
)
def test_what_it_made_can_be_read_with_its_settings(
    words: list[str], demo: tuple[Afterscore, Ended]
) -> None:
    ended = demo[0](*words)
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert lines
    assert [line for line in lines if line != line.rstrip()] == []


def test_changes_have_as_many_decimals_as_their_site_shows(demo: tuple[Afterscore, Ended]) -> None:
    assert "The Dark Knight (2008)  IMDb rating: new: 9.0\n" in demo[1].out
    assert "The Dark Knight (2008)  Tomatometer: new: 94\n" in demo[1].out


def test_its_sites_are_gone_and_what_asks_them_says_what_to_do(
    demo: tuple[Afterscore, Ended],
) -> None:
    for words in (["refresh"], ["film", "tt1074638", "--ask"]):
        ended = demo[0](*words)
        assert ended.status != 0
        [line] = [line for line in ended.err.splitlines() if "skipped" in line]
        assert line.startswith("imdb, wikidata, tmdb")
        assert "'afterscore init' in another folder" in line


def test_no_night_is_expected_of_it(demo: tuple[Afterscore, Ended], tmp_path: Path) -> None:
    # Without the demo's settings, as from the folder above.
    ended = Afterscore(tmp_path)("health", "--db", demo[0].folder / "ratings.db", "--json")
    assert ended.status == 0
    assert {finding["key"] for finding in ended.json["findings"]} == {"key-missing:tmdb"}
    assert "made by the demo" in demo[0]("health").out


def test_its_table_fits_a_narrow_terminal(demo: tuple[Afterscore, Ended]) -> None:
    lines = demo[1].out.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("Film "))
    table = lines[first : lines.index("", first)]
    assert max(map(len, table)) <= 80
    assert [line for line in table if line != line.rstrip()] == []
    assert any(line.startswith("Ballistic: Ecks vs. Sever (2002)  17 ") for line in table)


def test_no_table_cuts_words(demo: tuple[Afterscore, Ended]) -> None:
    lines = [line.split() for line in demo[0]("explain", "Skyfall (2012)").out.splitlines()]
    assert ["Metacritic", "user", "score", "missing"] in [words[:4] for words in lines]
    assert sum("whatsafterthemovie" in words for words in lines) >= 6
    card = demo[0]("film", "Skyfall (2012)").out
    assert "Metacritic user score  missing: in no known layout\n" in card


def test_the_card_of_a_film_fits_80_columns_whatever_its_age(
    demo: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    copy = tmp_path / "ratings.db"
    demo[0]("backup", copy)
    with closing(sqlite3.connect(copy)) as db, db:
        earlier = "strftime('%Y-%m-%dT%H:%M:%SZ', observed_at, '-11 minutes')"
        db.execute("DELETE FROM confirmations")
        db.execute(f"UPDATE scores SET observed_at = {earlier}")
        db.execute("UPDATE listing_films SET valid_from = ''")
    lines = demo[0]("film", "The Avengers (2012)", "--db", copy).out.splitlines()
    [heading] = [line for line in lines if line.startswith("Score")]
    assert heading.split() == ["Score", "Value", "Votes", "As", "of"]
    [tomatometer] = [line for line in lines if line.startswith("Tomatometer  ")]
    assert tomatometer.endswith("  309  11 minutes ago")


@pytest.mark.parametrize("made", [["init"], ["track", "tt1074638"]], ids=lambda words: words[0])
def test_what_no_demo_made_is_left_as_it_is(made: list[str], afterscore: Afterscore) -> None:
    assert afterscore(*made).status == 0
    before = {path: path.read_bytes() for path in afterscore.folder.iterdir()}
    ended = afterscore("demo", "--folder", ".")
    assert ended.status == 2
    assert "no demo made" in ended.err
    assert {path: path.read_bytes() for path in afterscore.folder.iterdir()} == before


def test_where_there_is_no_room_it_says_so(afterscore: Afterscore) -> None:
    ended = with_files_of_at_most(0, afterscore, "demo")
    assert ended.status == 2
    [line] = ended.err.splitlines()
    assert line.startswith(f"afterscore: cannot write {afterscore.folder}/demo/afterscore.toml: ")
    assert list((afterscore.folder / "demo").iterdir()) == []

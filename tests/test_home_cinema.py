"""`export --format kodi-nfo` and `kometa`: films as home cinemas read them, with all escaped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from datasette.utils import parse_metadata

from pipelines import clock
from pipelines.database import read_only
from pipelines.export.home_cinema import Render, export_films
from pipelines.export.kodi import write_nfo_files
from pipelines.export.kometa import write_kometa_file
from pipelines.export.reading import Narrowed
from spiders.items import Credits, Verdict
from tests.answers import LISTED, Kept, answer, record, scored
from tests.conftest import Afterscore, Ended


@pytest.fixture(scope="module")
def nfo(
    refreshed: tuple[Afterscore, Ended], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Element]:
    """The NFO files of films of two years, by name."""
    folder = tmp_path_factory.mktemp("home") / "nfo"
    condition = "year IN (2002, 2012)"
    ended = refreshed[0]("export", "--format", "kodi-nfo", "--out", folder, "--where", condition)
    assert ended.status == 0, ended.err
    assert "3 films" in ended.out
    assert "TMDB API" in (folder / "NOTICE").read_text("utf-8")
    return {path.name: ElementTree.parse(path).getroot() for path in folder.glob("*.nfo")}


def ratings(movie: Element) -> dict[str, tuple[str, str, str | None]]:
    """Name, and then max, value and votes of each rating."""
    return {
        rating.attrib["name"]: (
            rating.attrib["max"],
            rating.findtext("value") or "",
            rating.findtext("votes"),
        )
        for rating in movie.iterfind("ratings/rating")
    }


def test_kodi_has_ratings_ids_and_tags(nfo: dict[str, Element]) -> None:
    movie = nfo["The Avengers (2012) [tt0848228].nfo"]
    assert movie.tag == "movie"
    assert movie.findtext("title") == "The Avengers"
    assert movie.findtext("runtime") == "143"
    assert ratings(movie) == {
        "metacritic": ("100", "69", "43"),
        "tomatometerallaudience": ("100", "91", "250000"),
        "tomatometerallcritics": ("100", "92", "309"),
        "themoviedb": ("10", "7.4", "11776"),
        "imdb": ("10", "8", "1434660"),
    }
    ids = {each.attrib["type"]: each.text for each in movie.iterfind("uniqueid")}
    assert ids == {"imdb": "tt0848228", "tmdb": "24428", "wikidata": "Q182218"}
    tags = [tag.text for tag in movie.iterfind("tag")]
    assert tags == ["duringcreditsstinger", "aftercreditsstinger"]
    assert "Joss Whedon" in [each.text for each in movie.iterfind("director")]
    assert movie.findtext("actor/name") == "Robert Downey Jr."


def test_one_rating_stands_for_all_and_comes_last(nfo: dict[str, Element]) -> None:
    for movie in nfo.values():
        every = movie.findall("ratings/rating")
        assert [each.get("default") for each in every] == [None] * (len(every) - 1) + ["true"]
        assert every[-1].attrib["name"] == "imdb"


def test_what_is_not_known_is_left_out_and_zero_is_not(nfo: dict[str, Element]) -> None:
    movie = nfo["Ballistic Ecks vs. Sever (2002) [tt0308208].nfo"]
    assert ratings(movie)["tomatometerallcritics"] == ("100", "0", "118")
    assert "tomatometerallaudience" not in ratings(movie)
    assert movie.find("tag") is None


def test_no_scene_in_the_credits_is_a_tag_too(nfo: dict[str, Element]) -> None:
    movie = nfo["Skyfall (2012) [tt1074638].nfo"]
    assert [tag.text for tag in movie.iterfind("tag")] == ["No scene in the credits"]


def test_kometa_has_ratings_of_ten_and_labels(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    ended = refreshed[0]("export", "--format", "kometa", "--out", tmp_path / "kometa")
    assert ended.status == 0, ended.err
    films = kometa(tmp_path / "kometa")
    assert films["tt0848228"] == {
        "critic_rating": 9.2,
        "audience_rating": 8.0,
        "label": ["Scene during the credits", "Scene after the credits"],
        "label.remove": ["No scene in the credits", "Credits disputed"],
    }
    assert "critic_rating" not in films["tt0308208"]  # 0 %, which Kometa takes for a blank


def kometa(folder: Path) -> dict[Any, Any]:
    """What Kometa finds in an export, by the ids of films."""
    found = parse_metadata((folder / "kometa.yml").read_text("utf-8"))["metadata"]
    assert isinstance(found, dict)
    return found


def test_tables_and_dates_are_not_about_films(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = refreshed[0]("export", "--format", "kometa", "--out", out, "--since", "2026-01-01")
    assert ended.status == 2
    assert "--where" in ended.err


# --- what sites write -----------------------------------------------------------------------------

EVIL = "../</title><script>alert('&')</script>\x07\u202e\u2028label: \"x\": [*a"


@pytest.fixture
def hostile(kept: Kept) -> Kept:
    """A film of which sources say the worst, and disagree on its credits."""
    kept.tell(
        answer(
            record(
                "tmdb",
                title=EVIL,
                year=2012,
                overview=EVIL,
                imdb_id=LISTED["imdb"],
                genres=(EVIL,),
                credits=Credits(after=Verdict.YES),
            ),
            at=clock.now(),
        ),
        answer(
            record(
                "mediastinger",
                imdb_id=LISTED["imdb"],
                credits=Credits(during=Verdict.NO, after=Verdict.NO),
            ),
            at=clock.now(),
            target="list",
            asked_url="https://mediastinger.com/",
        ),
        answer(
            record("imdb", title="Skyfall", scores={"imdb_rating": scored(7.8, None, 10)}),
            at=clock.now(),
        ),
    )
    kept.match()
    with kept.db.conn:
        kept.db.conn.execute("UPDATE films SET title = ?, overview = ?", (EVIL, EVIL))
    return kept


def exported(kept: Kept, render: Render, folder: Path) -> None:
    """Export its films."""
    path = Path(kept.column("SELECT file FROM pragma_database_list")[0])
    with closing((db := read_only(path)).conn):
        export_films(db, render, folder, clock.now(), Narrowed(), lambda what, number: None)


def test_nothing_that_sites_write_breaks_out_of_an_nfo(hostile: Kept, tmp_path: Path) -> None:
    exported(hostile, write_nfo_files, tmp_path)
    (path,) = tmp_path.glob("*.nfo")
    assert path.name == "title script alert('&') script label x [ a (2012) [tt1074638].nfo"
    movie = ElementTree.parse(path).getroot()
    assert movie.findtext("title") == EVIL.replace("\x07", "")
    assert movie.findtext("plot") == EVIL.replace("\x07", "")
    assert movie.findtext("genre") == EVIL.replace("\x07", "")
    assert ratings(movie) == {"imdb": ("10", "7.8", None)}
    assert "Credits disputed" in [tag.text for tag in movie.iterfind("tag")]


def test_nor_out_of_kometas_file(hostile: Kept, tmp_path: Path) -> None:
    exported(hostile, write_kometa_file, tmp_path)
    films = kometa(tmp_path)
    assert set(films) == {"tt1074638"}
    assert set(films["tt1074638"]) == {"audience_rating", "label", "label.remove"}
    assert films["tt1074638"]["label"] == ["Credits disputed"]


# --- docs/home-cinema.md --------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs/home-cinema.md").read_text("utf-8")


def block(language: str) -> str:
    """The first block of a language on the page."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.S)
    assert found
    return found[1]


def test_the_page_shows_what_film_prints(refreshed: tuple[Afterscore, Ended]) -> None:
    film = refreshed[0]("film", "tt0848228", "--json").json
    shown = json.loads(block("json"))
    assert set(shown) <= set(film)
    assert set(shown["scores"]["tomatometer"]) == set(film["scores"]["tomatometer"])
    for key in ("credits", "consensus"):
        assert set(shown[key]) == set(film[key])
    assert shown["credits"]["yes_sources"] == film["credits"]["yes_sources"]


def test_the_script_says_whether_to_stay(refreshed: tuple[Afterscore, Ended]) -> None:
    media = "/media/films/The Avengers (2012) [tt0848228]/film.mkv"
    binaries = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, "-c", block("python"), media],
        cwd=refreshed[0].folder,
        env={**refreshed[0].whole_environment(), "PATH": f"{binaries}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Stay: there is a scene after the credits.\n"


def test_nfo_files_are_laid_beside_the_films(tmp_path: Path) -> None:
    for name in ("The Avengers (2012) [tt0848228]", "Up [2009]", "Skyfall [tt1074638]"):
        (tmp_path / "media" / name).mkdir(parents=True)
    (tmp_path / "nfo").mkdir()
    text = '<movie>\n  <uniqueid type="tmdb">24428</uniqueid>\n</movie>\n'
    (tmp_path / "nfo" / "The Avengers (2012) [tt0848228].nfo").write_text(text, "utf-8")
    script = block("sh").replace("/media/films", "media")
    subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, check=True)
    (laid,) = tmp_path.glob("media/*/*")
    assert laid.relative_to(tmp_path / "media").as_posix() == (
        "The Avengers (2012) [tt0848228]/movie.nfo"
    )
    assert laid.read_text("utf-8") == f"{text}https://www.themoviedb.org/movie/24428\n"

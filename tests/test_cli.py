"""The command line as people meet it: help, exit statuses, clear errors, files of theirs."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import brotli
import pytest
from typer.main import get_command

from pipelines.database import transaction
from pipelines.films import Listed
from pipelines.tracking import track, untrack
from schedules.cli import app
from schedules.replica import Replica, samples_folder
from spiders.sources import SOURCES
from tests.answers import answer, day, keeping, record
from tests.conftest import Afterscore, Ended, beside, with_files_of_at_most
from tests.test_log import lines

SKYFALL_PAGE = samples_folder() / "tmdb" / "skyfall.json"
TMDB_SKYFALL = "https://api.themoviedb.org/3/movie/37724"
READ_KEYS = [
    "file", "source", "source_id", "url", "outcome", "layout", "title", "original_title", "year",
    "imdb_id", "tmdb_id", "scores", "credits",
]  # fmt: skip


def commands() -> list[tuple[str, ...]]:
    """Every command and subcommand there is."""
    found: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        found.append((name,))
        found += [(name, inner) for inner in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(
    words: tuple[str, ...], afterscore: Afterscore
) -> None:
    ended = afterscore(*words, "--help")
    assert ended.status == 0
    if words not in [("quarantine",), ("match",)]:
        assert f"afterscore {' '.join(words)}" in " ".join(ended.out.split("Example:")[1].split())


def test_a_command_of_a_fresh_python_does_what_a_forked_one_does(afterscore: Afterscore) -> None:
    # The other tests of this file, and of most others, fork theirs (tests/forking.py).
    for words in (["sources"], ["film", "tt1074638"]):
        assert afterscore.really(*words) == afterscore(*words)


@pytest.mark.parametrize("words", ["sources", "film tt1074638", "health", "sources pause imdb"])
def test_what_takes_long_to_import_is_left_to_the_commands_that_need_it(
    words: str, afterscore: Afterscore
) -> None:
    assert afterscore("track", "tt1074638").status == 0
    afterscore.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    lines = afterscore(*words.split()).err.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert "pipelines.films" in imported
    slow = {"apprise", "bs4", "datasette", "numpy", "pandas", "pyarrow", "scrapy", "sqlalchemy"}
    slow |= {"pipelines.matching.matcher", "schedules.run", "warcio"}
    assert imported & slow == set()


# --- nothing could be done: status 2, and what to do --------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["refresh"], "afterscore track tt1074638"),
        (["backfill"], "afterscore track tt1074638"),
        (["refresh", "--source", "imbd"], "the sources are imdb, wikidata"),
        (["sources", "check", "letterboxd"], "the sources are imdb, wikidata"),
        (["film", "tt1074638"], "no database at ratings.db"),
        (["quarantine", "list"], "no database at ratings.db"),
        (["untrack", "tt1074638"], "no database at ratings.db"),
        (["track"], "name a film to track"),
        (["forget", "zzz"], "'zzz' is no listing: name it as source:id"),
        (["init", "--contact", "notanaddress"], "--contact takes an address or a URL"),
        (["plan", "--limit", "x"], "'--limit': must be a whole number"),
        (["plan", "--limit", "0"], "'--limit': must be greater than or equal to 1"),
        (["quarantine", "show", "x"], "'NUMBER': must be a whole number"),
        (["quarantine", "show", "9" * 20], "'NUMBER': must be less than or equal to"),
        (["quarantine", "release", "9" * 20], "'NUMBER...': must be less than or equal to"),
        (["quarantine", "list", "--run", "9" * 20], "'--run': must be less than or equal to"),
        (["match", "list", "--limit", "9" * 20], "'--limit': must be less than or equal to"),
        (["runs", "--limit", "9" * 20], "'--limit': must be less than or equal to"),
        (["runs", "9" * 20], "'[NUMBER]': must be less than or equal to"),
        (["track", "Skyfall (2012)"], "A film is tracked by an id"),
        (["track", "https://letterboxd.com/film/skyfall/"], "no site that afterscore knows"),
        (["track", "https://www.imdb.com/chart/top/"], "not the page of a film on IMDb"),
        (["track", "tmdb:skyfall"], "not an id on TMDB"),
        (["track", "--films", "nowhere.csv"], "cannot read nowhere.csv"),
        (["film", "tt1074638", "--db", "."], ". is a folder"),
        (["track", "--folder", "nowhere"], "not a folder"),
        (["track", "tt1074638", "--db", "/proc/none/ratings.db"], "Choose a folder"),
        (["backfill", "--from", "nowhere.jsonl"], "nowhere.jsonl"),
        (["read", "page.html"], "give --source, --url"),
        (["read", "--source", "imbd", "--url", "https://www.imdb.com/", "p"], "unknown source"),
        (["read", "--index", "nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (["read", "--index", "/dev/null"], "/dev/null names no page"),
        (["backfill", "--from", "/dev/null"], "/dev/null holds no page of a known source"),
        (["track", "http://["], "no site that afterscore knows"),
        (["match", "same", "http://[", "tmdb:1"], "no site that afterscore knows"),
        (["read", "--source", "tmdb", "--url", "http://[", "p"], "http://[ is not of TMDB"),
        (["track", "tt١٠٧٤٦٣٨"], "A film is tracked by an id"),
        (["track", "tmdb:٣٧٧٢٤"], "not an id on TMDB"),
        (["track", "tt0000000"], "A film is tracked by an id"),
        (["track", "https://www.imdb.com/title/tt0000000/"], "not the page of a film on IMDb"),
        (["track", "Am\udce9lie"], "'Am\\xe9lie' is not in UTF-8"),
        (["read", "--index", "nowhere.jsonl"], "nowhere.jsonl: No such file or directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_says_what_to_do(
    words: list[str], told: str, afterscore: Afterscore
) -> None:
    ended = afterscore(*words)
    assert ended.status == 2
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert list(afterscore.folder.glob("*.db")) == []


def test_in_a_folder_that_is_gone_it_says_so(afterscore: Afterscore) -> None:
    gone = afterscore.folder / "gone"
    gone.mkdir()
    ended = subprocess.run(
        ["sh", "-c", 'rmdir ../gone && exec "$@"', "sh", *afterscore.command("track", "tt1074638")],
        cwd=gone,
        env={**afterscore.whole_environment(), "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("afterscore: the folder that you are in is gone.")


def test_a_lock_that_cannot_be_opened_is_named_and_not_its_folder(afterscore: Afterscore) -> None:
    """Another user's, say. A folder in its place is refused to root, too."""
    (afterscore.folder / "ratings.db.lock").mkdir()
    ended = afterscore("track", "tt1074638")
    assert ended.status == 2
    assert f"cannot write {afterscore.folder / 'ratings.db.lock'}: Is a directory" in ended.err


def test_a_page_of_a_host_outside_the_register_is_not_read(afterscore: Afterscore) -> None:
    ended = afterscore("read", "--source", "tmdb", "--url", "https://example.org/1", SKYFALL_PAGE)
    assert ended.status == 2
    assert "themoviedb.org" in ended.err


def test_without_a_contact_nothing_is_asked(afterscore: Afterscore) -> None:
    assert afterscore("track", "tt1074638").status == 0
    ended = afterscore("refresh")
    assert ended.status == 2
    assert 'contact = "you@example.org"' in ended.err
    assert afterscore.database()["runs"].count == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("contcat = 'x'", "contcat: no such setting"),
        ("contact = ", "not TOML"),
        ("[sources.imbd]\nenabled = true", "no such source; they are imdb, wikidata"),
        ("[sources.imdb]\nenabeld = true", "no such setting"),
        ("[universe]\nvotes_at_least = -5", "votes_at_least"),
        ("[sources.rottentomatoes]\ndelay_seconds = 0", "at least 5 s"),
        ("[sources.tmdb]\ndelay_seconds = 0.02", "at least 0.025 s"),
        ("[hosts]\nimdb_pages = 'ftp://x'", "hosts.imdb_pages: not an http(s) URL"),
        ("[hosts]\nimdb_pages = 'http://['", "hosts.imdb_pages: not an http(s) URL"),
        ("heartbeat_url = 'http://['", "heartbeat_url: not an http(s) URL"),
        ("[universe]\nfirst_year = 2010\nlast_year = 2000", "no year is from 2010 on"),
        ("[universe]\nkinds = ['nosuch']", "IMDb has no kind 'nosuch'; it has movie"),
        ("[sources.imdb]\ndelay_seconds = inf", "finite number"),
        ("[limits]\ncrawl_hours = 1e300", "less than or equal to"),
        ("refresh_after_hours = 'abc'", "afterscore.toml: refresh_after_hours: must be a number"),
        ("demo = 'perhaps'", "demo: must be true or false"),
        ("universe = 5", "universe: must be a table"),
        ("nightly_at = 3", "nightly_at: must be a text in quotes"),
        ("[universe]\nvotes_at_least = 2.5", "universe.votes_at_least: must be a whole number"),
        ("contact = 'somebody'", "contact: a mail address such as you@example.org, or"),
    ],
)
def test_settings_are_checked(settings: str, told: str, afterscore: Afterscore) -> None:
    afterscore.settings(settings)
    ended = afterscore("sources")
    assert ended.status == 2
    assert told in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("HEARTBEAT_URL", "foo", "AFTERSCORE_HEARTBEAT_URL: not an http(s) URL"),
        ("TMDB_API_URL", "foo", "AFTERSCORE_TMDB_API_URL: not an http(s) URL"),
        ("LIMITS", '{"crawl_hours": 0}', "AFTERSCORE_LIMITS: crawl_hours: must be greater"),
        ("LIMITS", '{"megabytes": 500}', "afterscore.toml: limits.silent_minutes: must be"),
        ("RULINGS", "gone.csv", "AFTERSCORE_RULINGS: no file gone.csv"),
    ],
)
def test_a_wrong_value_is_told_of_where_it_stands(
    variable: str, value: str, told: str, afterscore: Afterscore
) -> None:
    if "toml" in told:
        afterscore.settings("[limits]\nsilent_minutes = 0\n")
    afterscore.environment[f"AFTERSCORE_{variable}"] = value
    ended = afterscore("track", "tt1074638")
    assert (ended.status, ended.out) == (2, "")
    assert f"afterscore: {told}" in ended.err


@pytest.mark.parametrize("name", ["SOURCES", "HOSTS", "LIMITS"])
def test_a_variable_that_is_no_table_is_named(name: str, afterscore: Afterscore) -> None:
    afterscore.environment[f"AFTERSCORE_{name}"] = "abc"
    ended = afterscore("sources")
    assert ended.status == 2
    assert f'"{name.casefold()}"' in ended.err
    assert "Traceback" not in ended.err


def test_a_folder_is_no_settings_file(afterscore: Afterscore) -> None:
    (afterscore.folder / "afterscore.toml").mkdir()
    ended = afterscore("sources")
    assert (ended.status, "afterscore.toml is a folder" in ended.err) == (2, True)


def test_a_settings_file_that_is_named_must_be_there_and_be_text(afterscore: Afterscore) -> None:
    (afterscore.folder / "latin.toml").write_bytes(b'contact = "Andr\xe9"')
    for named, told in (
        ("afterscore.tolm", "AFTERSCORE_CONFIG names no file: afterscore.tolm"),
        (".", "AFTERSCORE_CONFIG names no file: ."),
        ("latin.toml", "latin.toml is not TOML: 'utf-8'"),
    ):
        afterscore.environment["AFTERSCORE_CONFIG"] = named
        ended = afterscore("sources")
        assert (ended.status, ended.out) == (2, "")
        assert told in ended.err


@pytest.mark.parametrize("url", ["http://me:s3cretword@127.0.0.1:9", "ftp://s3cretword@127.0.0.1"])
@pytest.mark.parametrize("in_file", [True, False])
def test_no_secret_may_stand_in_a_host_s_address_and_none_is_quoted(
    url: str, in_file: bool, afterscore: Afterscore
) -> None:
    if in_file:
        afterscore.settings(f"[hosts]\ntmdb_api = '{url}'")
    else:
        afterscore.environment["AFTERSCORE_TMDB_API_URL"] = url
    ended = afterscore("track", "tmdb:37724")
    ended = afterscore("refresh")
    assert ended.status == 2
    assert ("hosts.tmdb_api" if in_file else "AFTERSCORE_TMDB_API_URL") in ended.err
    kept = b"".join(path.read_bytes() for path in afterscore.folder.glob("ratings.db*"))
    assert "s3cretword" not in ended.out + ended.err
    assert b"s3cretword" not in kept


def test_the_first_line_of_a_command_that_makes_a_database_says_where(
    afterscore: Afterscore,
) -> None:
    first = afterscore("track", "tt1074638", "--db", "films.db")
    assert first.err.splitlines()[0] == f"Made a new database: {afterscore.folder / 'films.db'}"
    assert "new database" not in afterscore("track", "tt0468569", "--db", "films.db").err


def test_the_database_may_be_named_in_the_environment(afterscore: Afterscore) -> None:
    afterscore.environment["AFTERSCORE_DB"] = "other.db"
    afterscore("track", "tt1074638")
    assert (afterscore.folder / "other.db").exists()


# --- setting up ---------------------------------------------------------------------------------


def test_two_names_of_one_database_share_what_lies_beside_it(afterscore: Afterscore) -> None:
    (afterscore.folder / "mine").mkdir()
    (afterscore.folder / "link.db").symlink_to("mine/films.db")
    assert afterscore("track", "tt1074638", "--db", "link.db").status == 0
    assert [path.name for path in afterscore.folder.iterdir() if path.is_file()] == ["link.db"]
    beside_it = {path.name for path in (afterscore.folder / "mine").iterdir()}
    assert {"films.db", "films.db.lock", "films.db.log"} <= beside_it
    assert "1 tracked already" in afterscore("track", "tt1074638", "--db", "mine/films.db").out


def printing_to(where: IO[Any] | int, afterscore: Afterscore, words: str) -> tuple[int, str]:
    """The exit status of a command that prints there, and what it says."""
    done = subprocess.run(
        afterscore.command(*words.split()),
        cwd=afterscore.folder,
        env=afterscore.whole_environment(),
        stdout=where,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_reader_that_has_seen_enough_is_no_fault(afterscore: Afterscore) -> None:
    afterscore("track", "tt1074638")
    page = {
        "file": str(SKYFALL_PAGE),
        "source": "tmdb",
        "url": "https://www.themoviedb.org/movie/1",
    }
    (afterscore.folder / "index.jsonl").write_text(json.dumps(page), "utf-8")
    for words in ("read --index index.jsonl", "track --list", "sources", "sources --json", "runs"):
        reader, writer = os.pipe()
        os.close(reader)
        assert printing_to(writer, afterscore, words) == (0, ""), words
        os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_where_nothing_can_be_printed_it_says_so(afterscore: Afterscore) -> None:
    afterscore("track", "tt1074638")
    for words in ("track --list", "sources --json", "runs"):
        with Path("/dev/full").open("w") as full:
            told = "afterscore: cannot print: No space left on device\n"
            assert printing_to(full, afterscore, words) == (1, told), words


@pytest.mark.parametrize("words", ["film tt1074638", "track tt0468569"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_nowhere(
    words: str, closed: str, afterscore: Afterscore
) -> None:
    afterscore("track", "tt1074638")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *afterscore.command(*words.split())],
        cwd=afterscore.folder,
        env=afterscore.whole_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == afterscore(*words.split()).status
    assert "Traceback" not in done.stderr
    (lock,) = afterscore.folder.glob("*.lock")
    assert lock.read_text("utf-8") == ""


def test_ctrl_c_ends_quietly_what_is_still_being_imported(afterscore: Afterscore) -> None:
    (afterscore.folder / "typer.py").write_text("raise KeyboardInterrupt", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "schedules", "film", "tt1074638"],
        cwd=afterscore.folder,
        env={**afterscore.whole_environment(), "PYTHONPATH": str(afterscore.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_init_writes_settings_that_load_and_shows_the_terms(afterscore: Afterscore) -> None:
    ended = afterscore("init", "--contact", "you@example.org")
    assert ended.status == 0
    for source in SOURCES:
        assert source.terms.url in ended.out
    assert afterscore("sources").status == 0
    settings = (afterscore.folder / "afterscore.toml").read_text("utf-8")
    assert 'contact = "you@example.org"' in settings
    again = afterscore("init", "--contact", "me@example.org").out
    assert "left as it is" in again
    assert 'Put contact = "me@example.org" into it by hand' in again
    assert "Asked: imdb, wikidata." in again
    assert [source.terms.url for source in SOURCES if source.terms.url in again] == []


def test_init_without_room_leaves_no_file_to_be_taken_for_settings(afterscore: Afterscore) -> None:
    ended = with_files_of_at_most(0, afterscore, "init")
    assert ended.status == 2
    assert "Make room there" in ended.err
    assert list(afterscore.folder.iterdir()) == []


def test_only_sources_whose_terms_allow_it_are_on_by_default(afterscore: Afterscore) -> None:
    afterscore.environment["TMDB_API_TOKEN"] = "x"
    rows = afterscore("sources", "--json").json
    on = {row["key"] for row in rows if row["skipped"] is None}
    assert on == {row["key"] for row in rows if row["permission"] == "allowed"}
    assert on >= {"imdb", "tmdb", "wikidata"}


def test_sources_check_reads_robots_txt_and_the_samples(replica: Replica, tmp_path: Path) -> None:
    ended = beside(replica, tmp_path)("sources", "check", "tmdb", "--json")
    assert ended.status == 0, ended.out
    findings = {finding["what"]: finding["good"] for finding in ended.json}
    assert findings["skyfall.json"] is True
    assert any(what.endswith("/robots.txt") for what in findings)


# --- lists of films as people have them ---------------------------------------------------------

IMDB_EXPORT = "Const,Your Rating,Title,URL,Year\ntt1074638,8,Skyfall,https://www.imdb.com/title/tt1074638/,2012\n"


@pytest.mark.parametrize(
    ("content", "imdb_ids", "tmdb_ids"),
    [
        (IMDB_EXPORT, ["tt1074638"], []),
        ("tt1074638\ntt0468569\n", ["tt0468569", "tt1074638"], []),
        ("imdb_id\n1074638\n", ["tt1074638"], []),
        ("imdbId\n468569\n", ["tt0468569"], []),
        ("\ufeffConst;Title\r\ntt1074638;Skyfall\r\n", ["tt1074638"], []),
        ("tmdb_id\n37724\n155\n", [], [155, 37724]),
        ("title,url\nSkyfall,https://www.themoviedb.org/movie/37724-skyfall\n", [], [37724]),
        ("const\ntt1074638\ntt1074638\n", ["tt1074638"], []),
        ("imdb,tmdb\ntt1074638,37724\n", ["tt1074638"], [37724]),
    ],
)
def test_films_come_from_csv_files_of_many_shapes(
    content: str, imdb_ids: list[str], tmdb_ids: list[int], afterscore: Afterscore
) -> None:
    (afterscore.folder / "films.csv").write_text(content, "utf-8")
    ended = afterscore("track", "--films", "films.csv")
    assert ended.status == 0, ended.err
    films = list(afterscore.database()["films"].rows)
    assert sorted(f["imdb_id"] for f in films if f["imdb_id"]) == imdb_ids
    assert sorted(f["tmdb_id"] for f in films if f["tmdb_id"]) == tmdb_ids


def test_a_row_of_two_films_is_refused(afterscore: Afterscore) -> None:
    url = "https://www.imdb.com/title/tt1074638/"
    (afterscore.folder / "films.csv").write_text(f"Const,URL\ntt0848228,{url}\n", "utf-8")
    ended = afterscore("track", "--films", "films.csv")
    assert ended.status == 2
    assert "line 2: its ids are of several films on IMDb: tt0848228, tt1074638" in ended.err


def test_a_row_that_gives_a_film_the_page_of_another_is_not_believed(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        (tmp_path / "films.csv").write_text("imdb_id,tmdb_id\ntt0848228,37724\n", "utf-8")
        assert ready("track", "--films", "films.csv").status == 0
        ended = ready("refresh")
    assert "tmdb:37724 was tracked as film 1, and is another one" in ended.err
    film = "SELECT title, tmdb_score, metascore FROM film_scores WHERE imdb_id = ?"
    for imdb_id, wanted in (
        ("tt0848228", ("The Avengers", 7.4, 69)),
        ("tt1074638", ("Skyfall", 6.9, 81)),
    ):
        assert [*ready.database().conn.execute(film, (imdb_id,))] == [wanted]


def test_lines_of_a_csv_may_end_as_on_an_old_mac(afterscore: Afterscore) -> None:
    (afterscore.folder / "films.csv").write_bytes(b"Const,Title\rtt1074638,Skyfall\rtt1049413,Up\r")
    ended = afterscore("track", "--films", "films.csv")
    assert (ended.status, ended.err.count("skipped")) == (0, 0), ended.err
    assert afterscore.database()["films"].count == 2


@pytest.mark.parametrize("command", ["track", "backfill", "refresh"])
def test_a_cell_without_an_end_is_told_with_its_line(command: str, afterscore: Afterscore) -> None:
    afterscore.settings("[universe]")
    text = 'Const,Title\ntt1074638,Skyfall\ntt1049413,"Up\n' + "tt1049413,Up\n" * 12_000
    (afterscore.folder / "films.csv").write_text(text, "utf-8")
    ended = afterscore(command, "--films", "films.csv")
    assert ended.status == 2
    assert "films.csv, line " in ended.err
    assert "field larger than field limit" in ended.err


@pytest.mark.parametrize("command", ["track", "backfill", "refresh"])
def test_a_csv_without_rows_is_refused(command: str, afterscore: Afterscore) -> None:
    afterscore.settings("[universe]")
    (afterscore.folder / "films.csv").write_text("Const,Title\n", "utf-8")
    ended = afterscore(command, "--films", "films.csv")
    assert ended.status == 2
    assert "films.csv names its columns, and no film" in ended.err


def test_what_is_no_csv_at_all_is_quoted_briefly_and_without_control_characters(
    afterscore: Afterscore,
) -> None:
    (afterscore.folder / "films.csv").write_bytes(b"SQLite format 3\0\x1b[31m" + b"x\0" * 4096)
    ended = afterscore("track", "--films", "films.csv")
    assert ended.status == 2
    assert "its first line is: SQLite format 3" in ended.err
    assert len(ended.err) < 300
    assert not set("\0\x1b") & set(ended.err)


def test_a_csv_without_a_column_of_ids_is_refused(afterscore: Afterscore) -> None:
    (afterscore.folder / "films.csv").write_text("Name,Watched\nSkyfall,yes\n", "utf-8")
    ended = afterscore("track", "--films", "films.csv")
    assert ended.status == 2
    assert "Const, imdb_id" in ended.err
    assert "Name, Watched" in ended.err


def test_rows_without_a_film_are_named_and_the_rest_are_tracked(afterscore: Afterscore) -> None:
    (afterscore.folder / "films.csv").write_text(
        "Const\ntt1074638\nskyfall\n²\n12345678901\nhttp://[\n0\n", "utf-8"
    )
    ended = afterscore("track", "--films", "films.csv")
    assert ended.status == 1
    assert "line 3" in ended.err
    assert "line 4: '²' is no imdb id" in ended.err
    assert "line 5: 'tt12345678901' is not an id on IMDb" in ended.err
    assert "line 6: http://[ is of no site" in ended.err
    assert "http://[ is of no site" in afterscore("film", "http://[").err
    assert "line 7: 'tt0000000' is not an id on IMDb" in ended.err
    assert afterscore.database()["films"].count == 1


def test_films_come_from_the_names_in_a_media_folder(afterscore: Afterscore) -> None:
    for name in (
        "Skyfall (2012) [tt1074638]/Skyfall.mkv",
        "The Dark Knight (2008) {tmdb-155}/film.mkv",
        "Up (2009)/Up.nfo",
        ".hidden [tt0000001]/x.mkv",
    ):
        path = afterscore.folder / "films" / name
        path.parent.mkdir(parents=True)
        path.write_text("<uniqueid type='imdb'>tt1049413</uniqueid>", "utf-8")
    assert afterscore("track", "--folder", "films").status == 0
    films = list(afterscore.database()["films"].rows)
    assert {f["imdb_id"] or f["tmdb_id"] for f in films} == {"tt1074638", 155, "tt1049413"}


def test_a_name_in_a_media_folder_that_is_no_utf_8_costs_no_film(afterscore: Afterscore) -> None:
    films = afterscore.folder / "films"
    films.mkdir()
    for name in (b"Am\xe9lie [tt0211915].mkv", b"Caf\xe9.mkv", b"Up [tt1049413].mkv"):
        (films / os.fsdecode(name)).touch()
    ended = afterscore("track", "--folder", "films")
    assert ended.status == 1
    assert ended.out.startswith("2 newly tracked, 0 tracked already, of 3 given; 1 skipped.")
    assert "Caf\\xe9.mkv: no id in its name" in ended.err
    given = {row["imdb_id"]: row["given"] for row in afterscore("track", "--list", "--json").json}
    assert given == {
        "tt0211915": "Am\\xe9lie [tt0211915].mkv", "tt1049413": "Up [tt1049413].mkv"
    }  # fmt: skip


def test_a_file_of_a_media_folder_that_cannot_be_read_costs_no_film(
    afterscore: Afterscore,
) -> None:
    films = afterscore.folder / "films"
    (films / "Heat.nfo").mkdir(parents=True)
    (films / "Alien.nfo").symlink_to("gone.nfo")
    (films / "Up [tt1049413].mkv").touch()
    ended = afterscore("track", "--folder", "films")
    assert ended.status == 1
    assert ended.out.startswith("1 newly tracked, 0 tracked already, of 2 given; 1 skipped.")
    assert "Alien.nfo: cannot be read: No such file or directory" in ended.err


def test_films_of_a_media_folder_without_an_id_are_named(afterscore: Afterscore) -> None:
    films = afterscore.folder / "films"
    for name in (
        "Skyfall (2012) [tt1074638]/Skyfall.mkv",
        "Up/Up.mkv", "Up/movie.nfo",
        "Heat.mp4", "Heat.nfo",
        "Emma (1996)/Emma.mkv", "Home.AVI", "cover.jpg",
    ):  # fmt: skip
        (films / name).parent.mkdir(parents=True, exist_ok=True)
        (films / name).write_text("tt1049413" if "Up" in name else "tt0113277", "utf-8")
    ended = afterscore("track", "--folder", "films")
    assert (ended.status, ended.out.splitlines()[0]) == (
        1,
        "3 newly tracked, 0 tracked already, of 5 given; 2 skipped."
        " 'afterscore refresh' asks for them.",
    )
    *_, emma, home, told = ended.err.splitlines()
    assert emma == "Emma (1996)/Emma.mkv: no id in its name"
    assert home == "Home.AVI: no id in its name"
    assert "must hold an id such as [tt1074638]" in told
    for number in range(40):
        (films / f"{number}.mkv").touch()
    ended = afterscore("track", "--folder", "films", "--db", "other.db")
    assert "… and 22 more without a film" in ended.err


def test_a_folder_that_names_no_film_makes_no_database(afterscore: Afterscore) -> None:
    (afterscore.folder / "Skyfall.mkv").touch()
    ended = afterscore("track", "--folder", ".")
    assert (ended.status, list(afterscore.folder.glob("*.db"))) == (2, [])
    assert "Skyfall.mkv: no id in its name" in ended.err


def test_a_film_that_was_not_asked_yet_says_so_and_what_to_type(afterscore: Afterscore) -> None:
    afterscore("track", "tt1074638", "rottentomatoes:m/up")
    lines = afterscore("film", "tt1074638").out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Tracked since 20")
    assert "not asked yet: 'afterscore film tt1074638 --ask'" in lines[1]
    assert "'afterscore film rottentomatoes:m/up --ask'" in afterscore("film", "2").out
    by_title = afterscore("film", "Skyfall")
    assert by_title.status == 2
    assert "among 2 tracked films whose titles are not known" in by_title.err


def test_tracked_films_are_listed(refreshed: tuple[Afterscore, Ended]) -> None:
    ready, _ = refreshed
    rows = ready("track", "--list", "--json").json
    assert [row["imdb_id"] for row in rows] == ["tt0308208", "tt7462422"]
    lines = ready("track", "--list").out.splitlines()
    assert lines[1].split()[0] == "tt0308208"
    assert lines[1].endswith("Ballistic: Ecks vs. Sever (2002)")
    assert lines[-1] == "2 films."
    for words in (["--json"], ["--list", "tt1074638"]):
        ended = ready("track", *words)
        assert (ended.status, "--list stands alone" in ended.err) == (2, True)


def test_a_film_that_is_known_can_be_tracked_by_its_title(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    ready, _ = refreshed
    ready("backup", tmp_path / "copy.db")
    ended = ready("track", "Skyfall (2012)", "--db", tmp_path / "copy.db")
    assert ended.out.startswith("1 newly tracked"), ended.err
    [*_, last] = ready("track", "--list", "--json", "--db", tmp_path / "copy.db").json
    assert (last["imdb_id"], last["given"]) == ("tt1074638", "Skyfall (2012)")
    several = ready("track", "The", "--db", tmp_path / "copy.db")
    assert (several.status, "tt0468569" in several.err) == (2, True)


def test_tracking_twice_changes_nothing_and_untracking_keeps_the_film(
    afterscore: Afterscore,
) -> None:
    afterscore("track", "tt1074638")
    assert afterscore("track", "tt1074638").out.startswith("0 newly tracked, 1 tracked already")
    unknown = afterscore("untrack", "Skyfal")
    assert unknown.status == 2
    assert "It may be among 1 tracked film" in unknown.err
    assert unknown.err.endswith(" Name it by an id that 'afterscore track --list' shows.\n")
    assert "no longer tracked" in afterscore("untrack", "tt1074638").out
    assert afterscore.database()["films"].count == 1
    assert afterscore.database()["tracked_films"].count == 0


# --- one film -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "tt1074638",
        "tmdb:37724",
        "rottentomatoes:m/skyfall",
        "https://www.metacritic.com/movie/skyfall/",
        "Skyfall (2012)",
        "skyfall",
        "TT1074638",
        "tt1074638/",
        "IMDB:TT1074638",
        "www.imdb.com/title/tt1074638/",
        "Q4941",
        "wikidata:q4941",
        "007: operacao skyfall",
        "operacao sky",
    ],
)
def test_a_film_may_be_named_in_many_ways(name: str, refreshed: tuple[Afterscore, Ended]) -> None:
    ended = refreshed[0]("film", name, "--json")
    assert ended.status == 0, ended.err
    assert ended.json["imdb_id"] == "tt1074638"


def test_a_name_that_fits_several_films_lists_them(refreshed: tuple[Afterscore, Ended]) -> None:
    ended = refreshed[0]("film", "The")
    assert ended.status == 2
    assert "tt0468569" in ended.err
    assert "tt0848228" in ended.err


def test_what_fits_no_film_says_which_come_near(refreshed: tuple[Afterscore, Ended]) -> None:
    for name, near in (("frozn", "Frozen (2013)  tt2294629"), ("Up (1990)", "Up (2009)")):
        told = refreshed[0]("film", name).err
        assert "did you mean:" in told
        assert near in told
        assert "track tt1" not in told
    assert "'afterscore track imdb:tt0000009' tracks it" in refreshed[0]("film", "tt0000009").err


@pytest.fixture
def numbered(tmp_path: Path) -> Afterscore:
    """Three films: 1 is called 3, 2 is called 300, and 3 is called Mad Love."""
    with keeping(tmp_path / "ratings.db") as kept:
        for tmdb_id, title in (("10", "3"), ("20", "300"), ("30", "Mad Love")):
            with transaction(kept.db):
                film_id, _ = track(kept.db, [Listed("tmdb", tmdb_id)], tmdb_id)
            kept.tell(answer(record("tmdb", tmdb_id, title=title, year=2006), at=day(1)))
            untrack(kept.db, film_id)
        kept.merge()
    return Afterscore(tmp_path)


def test_bare_digits_are_our_number_or_a_title(numbered: Afterscore) -> None:
    assert numbered("film", "1").out.startswith("3 (2006)")
    assert numbered("film", "300").out.startswith("300 (2006)")
    both = numbered("film", "3")
    assert both.status == 2
    assert both.err.splitlines()[1:] == ["  Mad Love (2006)  tmdb:30", "  3 (2006)  tmdb:10"]
    assert "no film '30' here" in numbered("film", "30").err


def test_a_film_is_tracked_by_its_whole_title_alone_and_is_named(numbered: Afterscore) -> None:
    assert numbered("film", "Mad").out.startswith("Mad Love (2006)")
    for command in ("track", "untrack"):
        ended = numbered(command, "Mad")
        assert ended.status == 2
        assert "did you mean:\n  Mad Love (2006)  tmdb:30" in ended.err
    assert numbered.database()["tracked_films"].count == 0
    ended = numbered("track", "the mád love")
    assert (ended.status, ended.out.splitlines()[1]) == (
        0,
        "the mád love: Mad Love (2006)  tmdb:30",
    )
    assert numbered("untrack", "MAD LOVE").out == "Mad Love (2006)  tmdb:30: no longer tracked\n"


def test_the_card_begins_with_the_credits(refreshed: tuple[Afterscore, Ended]) -> None:
    lines = refreshed[0]("film", "tt0848228").out.splitlines()
    assert lines[0].startswith("The Avengers (2012)")
    assert lines[1].startswith("Stay: there are scenes during and after the credits")


@pytest.mark.parametrize("width", [80, 60, 40, 20])
def test_a_narrow_terminal_cuts_no_figure(width: int, refreshed: tuple[Afterscore, Ended]) -> None:
    narrow = Afterscore(refreshed[0].folder, {**refreshed[0].environment, "COLUMNS": str(width)})
    for words in (["film", "tt0848228"], ["explain", "tt0848228"], ["runs"], ["runs", "1"]):
        told = narrow(*words).out
        assert "…" not in told, words
        if words[0] != "runs":
            shown = told.split()
            assert {"1,434,660", "250,000+", "11,776", "309", "43"} <= set(shown), words
            assert "Popcornmeter" in shown, words


def test_no_name_is_no_film_and_an_id_is_not_sought_among_titles(afterscore: Afterscore) -> None:
    afterscore("track", "tt1074638")
    empty = afterscore("film", " ")
    assert (empty.status, "no name is given" in empty.err) == (2, True)
    assert "may be among" not in afterscore("film", "tt0000009").err
    assert "may be among 1 tracked film" in afterscore("film", "Skyfall").err


@pytest.mark.parametrize("words", ["runs", "untrack tt1074638", "forget tmdb:1", "backup copy.db"])
def test_a_database_of_no_bytes_is_told_to_be_empty(words: str, afterscore: Afterscore) -> None:
    (afterscore.folder / "ratings.db").touch()
    ended = afterscore(*words.split())
    assert (ended.status, "ratings.db is empty so far" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("refresh", "There is nothing to refresh yet"),
        ("track Skyfall", "no film 'Skyfall' here"),
        ("sources", "imdb"),
        ("track tt1074638", "Made a new database"),
    ],
)
def test_where_none_is_needed_a_database_of_no_bytes_is_none(
    words: str, told: str, afterscore: Afterscore
) -> None:
    (afterscore.folder / "ratings.db").touch()
    ended = afterscore(*words.split())
    assert told in ended.out + ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["refresh", "backfill"])
def test_where_there_is_nothing_to_refresh_it_is_told_where_it_was_looked_for(
    command: str, afterscore: Afterscore
) -> None:
    ended = afterscore(command)
    assert ended.status == 2
    for name in ("ratings.db", "afterscore.toml"):
        assert f" {afterscore.folder / name}, which is not there\n" in ended.err
    afterscore.settings("")
    assert f" {afterscore.folder / 'afterscore.toml'}\n" in afterscore(command).err


# --- reading saved pages ------------------------------------------------------------------------


def test_read_prints_one_record_a_line(afterscore: Afterscore) -> None:
    url = "https://api.themoviedb.org/3/movie/37724"
    ended = afterscore("read", "--source", "tmdb", "--url", url, SKYFALL_PAGE)
    assert ended.status == 0
    record = json.loads(ended.out)
    assert list(record) == READ_KEYS
    assert record["scores"]["tmdb_score"]["scale_max"] == 10
    assert list(record["scores"]["tmdb_score"]) == [
        "state", "value", "scale_max", "votes", "votes_at_least",
    ]  # fmt: skip
    assert list(afterscore.folder.glob("*.db")) == []


def test_a_file_of_headers_is_a_page_without_a_body(afterscore: Afterscore) -> None:
    page = afterscore.folder / "challenge.http"
    page.write_text("HTTP/1.1 202 Accepted\nx-amzn-waf-action: challenge\n\n", "utf-8")
    url = "https://www.imdb.com/title/tt1074638/"
    ended = afterscore("read", "--source", "imdb", "--url", url, "--http-status", "202", page)
    assert (ended.status, json.loads(ended.out)["outcome"]) == (1, "blocked")
    page.write_bytes(b"HTTP/1.1 200 OK\nx-city: \xc3\x85x-amzn-waf-action: challenge\n\n")
    ended = afterscore("read", "--source", "imdb", "--url", url, page)
    assert json.loads(ended.out)["outcome"] == "unreadable"


def test_a_line_of_an_index_ends_where_its_line_does(afterscore: Afterscore) -> None:
    line = {"file": str(SKYFALL_PAGE), "source": "tmdb", "url": TMDB_SKYFALL, "n": "a\u2028b\x85c"}
    index = afterscore.folder / "index.jsonl"
    index.write_bytes(b"%s\r\n\r\n{}\r\n" % json.dumps(line, ensure_ascii=False).encode())
    ended = afterscore("read", "--index", index)
    assert [json.loads(one)["outcome"] for one in ended.out.splitlines()] == ["ok", "error"]
    assert "index.jsonl, line 3: file is not there" in ended.err


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", "ok"),
        ("HTTP/2 301\nLocation: /3/movie/37724\n\nHTTP/2 200\n\n", "ok"),
        ("HTTP/1.1 403 Forbidden\r\nServer: a firewall\r\n\r\n", "blocked"),
    ],
)
def test_a_page_saved_with_the_head_of_its_response(
    afterscore: Afterscore, head: str, outcome: str
) -> None:
    page = afterscore.folder / "with-head.json"
    page.write_bytes(head.encode() + SKYFALL_PAGE.read_bytes())
    url = "https://api.themoviedb.org/3/movie/37724"
    ended = afterscore("read", "--source", "tmdb", "--url", url, page)
    assert json.loads(ended.out)["outcome"] == outcome


def test_an_index_reads_every_line_it_can(afterscore: Afterscore) -> None:
    (afterscore.folder / "odd.html").write_text("<html>", "utf-8")
    odd = {"file": "odd.html", "source": "imdb", "url": "https://www.imdb.com/title/tt1074638/"}
    lines = [
        {"file": str(SKYFALL_PAGE), "source": "tmdb", "url": "https://api.themoviedb.org/3/movie/37724"},
        odd,
        {"file": "gone.html", "source": "imdb", "url": "https://www.imdb.com/title/tt1074638/"},
    ]  # fmt: skip
    index = afterscore.folder / "index.jsonl"
    index.write_text("\n".join([*map(json.dumps, lines), "{cut"]), "utf-8")
    ended = afterscore("read", "--index", index)
    records = [json.loads(line) for line in ended.out.splitlines()]
    assert [record["outcome"] for record in records] == ["ok", "unreadable", "error", "error"]
    assert [record["source"] for record in records] == ["tmdb", "imdb", "imdb", None]
    assert ended.status == 1
    assert "gone.html" in ended.err
    assert f"{index}, line 4: " in ended.err
    index.write_text(json.dumps(odd), "utf-8")  # a page that no layout fits is a record, too
    assert afterscore("read", "--index", index).status == 0


def test_a_list_of_nothing_is_a_page_like_others(afterscore: Afterscore) -> None:
    search = "https://api.themoviedb.org/3/search/movie?query=asdfgh"
    nothing = samples_folder() / "tmdb" / "search-none.json"
    ended = afterscore("read", "--source", "tmdb", "--url", search, nothing)
    record = json.loads(ended.out)
    assert list(record) == READ_KEYS
    assert (ended.status, record["outcome"], record["title"]) == (0, "ok", None)
    assert record["scores"] == {}
    assert ended.err == f"{nothing}: ok: a list of nothing\n"
    film = "https://api.themoviedb.org/3/movie/37724"
    saved = [
        {"file": str(file), "source": "tmdb", "url": url, "captured_on": "2015-01-01"}
        for file, url in ((nothing, search), (SKYFALL_PAGE, film))
    ]
    (afterscore.folder / "index.jsonl").write_text("\n".join(map(json.dumps, saved)), "utf-8")
    ended = afterscore("read", "--index", "index.jsonl")
    assert (ended.status, len(ended.out.splitlines())) == (0, 2)
    ended = afterscore("backfill", "--from", "index.jsonl")
    assert ended.status == 0
    assert ended.out == "2 saved pages: 2 read, 1 record stored, 0 problems.\n"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "unreadable"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "unreadable"),
        (b"<html><body>caf\xe9 \xff\xfe", "unreadable"),
        (b"<html>" + b"<p>x</p>" * 4_000_000, "unreadable"),
        (b"<title>Just a moment...</title><div class='cf_chl_opt'>", "blocked"),
    ],
    ids=["empty", "image", "invalid UTF-8", "30 MB", "challenge"],
)
@pytest.mark.parametrize("source", ["imdb", "rottentomatoes", "metacritic", "aftercredits"])
def test_bad_pages_have_a_typed_outcome_and_no_scores(
    source: str, body: bytes, outcome: str, afterscore: Afterscore
) -> None:
    page = afterscore.folder / "page.html"
    page.write_bytes(body)
    address = next(s for s in SOURCES if s.key == source)
    ids = {"imdb": "tt1074638", "rottentomatoes": "m/up", "metacritic": "movie/up"}
    url = address.page_url(ids.get(source, "2009/05/up-2009"))
    ended = afterscore("read", "--source", source, "--url", url, page)
    record = json.loads(ended.out)
    assert (record["outcome"], record["scores"]) == (outcome, {})
    assert ended.status == 1
    assert len(ended.err.strip().splitlines()) == 1


# --- backfill -----------------------------------------------------------------------------------


def test_a_dry_run_of_a_backfill_says_what_it_would_ask_and_writes_nothing(
    refreshed: tuple[Afterscore, Ended], afterscore: Afterscore
) -> None:
    ready, _ = refreshed
    films = afterscore.folder / "films.csv"
    films.write_text("Const\ntt1074638\ntt0468569\ntt9999999\n", "utf-8")
    before = ready.database()["films"].count
    ended = ready("backfill", "--films", films, "--again", "--dry-run")
    assert ended.status == 0
    lines = ended.out.splitlines()
    assert any(line.startswith("rottentomatoes: 2 of 2 listings, ") for line in lines)
    assert any(line.split()[:3] == ["m/skyfall", "Skyfall", "changes"] for line in lines)
    assert "1 film not here yet" in ended.out
    assert any(line.startswith("rottentomatoes: up to 3 requests, ") for line in lines)
    told = ready("backfill", "--films", films, "--again", "--dry-run", "--json").json
    asked = {row["source"]: row["requests"] for row in told["sources"]}
    assert (asked["metacritic"], told["unknown"]) == (2, 1)
    assert ready.database()["films"].count == before
    assert afterscore("backfill", "--films", films, "--dry-run").status == 0
    assert list(afterscore.folder.glob("*.db*")) == []


def test_a_dry_run_is_told_of_films_as_the_command_is_and_in_json_where_that_is_wanted(
    refreshed: tuple[Afterscore, Ended], afterscore: Afterscore
) -> None:
    ready, _ = refreshed
    for command in ("refresh", "backfill"):
        ended = ready(command, "--film", "Nope", "--dry-run")
        assert (ended.status, ended.out) == (2, "")
        assert "no film 'Nope' here" in ended.err
        told = ready(command, "--film", "tt1074638", "--again", "--dry-run", "--json").json
        asked = {row["source"]: row["requests"] for row in told["sources"]}
        assert (asked["metacritic"], told["unknown"]) == (1, 0)
    films = afterscore.folder / "films.csv"
    films.write_text("Const\ntt1074638\ntt9999999\n", "utf-8")
    assert ready("refresh", "--films", films, "--dry-run", "--json").json["unknown"] == 1
    afterscore.settings("[universe]\n")
    assert afterscore("refresh", "--dry-run", "--json").json["universe_unread"] is True
    assert list(afterscore.folder.glob("*.db*")) == []


def test_a_backfill_may_be_the_first_that_a_new_database_sees(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        early = ready("backfill", "--years", "2012", "--dry-run")
        assert early.status == 2
        assert "'afterscore refresh --source imdb' reads which films there are" in early.err
        ended = ready("backfill", "--source", "imdb", "--source", "wikidata", "--source", "tmdb")
    assert ended.status == 0, ended.err
    assert "Which films there are is read first" in ended.err
    assert ready("film", "Skyfall (2012)", "--json").json["scores"]["tmdb_score"]["value"] == 6.9


def test_the_index_that_the_readme_shows_is_one(afterscore: Afterscore) -> None:
    readme = Path(__file__).parents[1] / "README.md"
    (line,) = re.findall(r"```json\n(.+)\n```", readme.read_text("utf-8"))
    page = samples_folder() / "metacritic" / "skyfall.html"
    (afterscore.folder / json.loads(line)["file"]).write_bytes(page.read_bytes())
    (afterscore.folder / "index.jsonl").write_text(line, "utf-8")
    ended = afterscore("backfill", "--from", "index.jsonl")
    assert ended.status == 0, ended.err
    [when] = {row["observed_at"] for row in afterscore.database()["score_observations"].rows}
    assert when == "2014-05-01T00:00:00Z"


def test_what_is_wrong_with_an_index_is_named_by_line_and_field(afterscore: Afterscore) -> None:
    page = {"file": str(SKYFALL_PAGE), "source": "tmdb",
            "url": "https://api.themoviedb.org/3/movie/37724"}  # fmt: skip
    index = afterscore.folder / "index.jsonl"
    index.write_text(json.dumps({**page, "captured_on": "2015-13-45"}), "utf-8")
    ended = afterscore("backfill", "--from", "index.jsonl")
    assert (ended.status, ended.out) == (
        2,
        "0 saved pages: 0 read, 0 records stored, 1 problem.\n",
    )
    assert "index.jsonl, line 1: captured_on: '2015-13-45' is no date" in ended.err
    assert "no page of index.jsonl could be stored" in ended.err
    lines = [
        {**page, "captured_on": "2015"},
        page,
        {**page, "http_status": "OK"},
        {**page, "file": 12},
        {"file": "x.html"},
        [1],
        {**page, "captured_on": "0215"},
        {**page, "captured_on": "0001-01-01T00:00:00+05:00"},
        {**page, "captured_on": 20140501},
        {**page, "captured_on": "2014-W18"},
        {**page, "captured_on": "2014-05-01T12"},
        {**page, "captured_on": "20140501T1230Z"},
    ]
    index.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    ended = afterscore("backfill", "--from", "index.jsonl")
    told = "2 saved pages: 2 read, 2 records stored, 10 problems.\n"
    assert (ended.status, ended.out) == (1, told)
    for line, told in (
        (2, "captured_on is not there"),
        (3, "http_status is 'OK'"),
        (4, "file is 12"),
        (5, "source is not there"),
        (6, "a JSON object with file, source and url is expected"),
        (7, "captured_on: there was no page to save yet in 0215"),
        (8, "captured_on: there was no page to save yet in 0001-01-01T00:00:00+05:00"),
        (9, "captured_on: '20140501' is no date: 2014, 2017-07, 2019-12-17 or a time"),
        (10, "captured_on: '2014-W18' is no date"),
        (11, "captured_on: '2014-05-01T12' is no date"),
    ):
        assert f"index.jsonl, line {line}: {told}" in ended.err


def test_backfill_reports_every_row(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        (tmp_path / "films.csv").write_text(
            "Const,Title\ntt1074638,Skyfall\n=1+1,Formula\ntt7462422,Quality of Life\n", "utf-8"
        )
        ready.environment["TZ"] = "Asia/Kolkata"  # where no time of day is that of UTC
        until = datetime.now(UTC) + timedelta(hours=2.5)
        ended = ready("backfill", "--films", "films.csv", "--until", f"{until:%H:%M}")
        asked = len([one for one in replica.asked if one.path != "/robots.txt"])
        again = ready("backfill", "--films", "films.csv", "--json")
        asked_again = len([one for one in replica.asked if one.path != "/robots.txt"]) - asked
    assert ended.status == 1, ended.err
    assert "at the polite rate" in ended.err
    assert f"It ends at {until:%H:%M} UTC at the latest, in 2.5 h." in ended.err
    assert "1 row of it named no film: its last column says why." in ended.err
    with (tmp_path / "films.csv.report.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["place"] for row in rows] == ["line 2", "line 3", "line 4"]
    skyfall, formula, unrated = rows
    for key in ("imdb", "rottentomatoes", "metacritic", "tmdb"):
        assert skyfall[key] == "stored", key
    assert formula["given"].startswith("'=")
    assert formula["problem"]
    assert unrated["imdb"] == "not_rated"
    assert unrated["metacritic"] == "not_listed"
    assert again.status == 1
    assert (again.json["changes"], again.json["changes_cut_short"]) == ([], False)
    assert asked_again == 0


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["", "dry"])
@pytest.mark.parametrize("command", ["refresh", "backfill"])
def test_rows_without_a_film_are_told_by_what_asks_for_the_others(
    command: str, dry: tuple[str, ...], tmp_path: Path
) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path, "[sources.imdb]\nenabled = false\n[sources.tmdb]")
        (tmp_path / "none.csv").write_text("Const\nskyfall\n", "utf-8")
        (tmp_path / "films.csv").write_text("Const\ntt1074638\nskyfall\n", "utf-8")
        none = ready(command, "--films", "none.csv", *dry)
        assert replica.asked == []
        ended = ready(command, "--films", "films.csv", *dry)
    assert (none.status, none.out) == (2, "")
    assert "no row of none.csv names a film: 'skyfall' is no imdb id" in none.err
    assert ended.status == 1, ended.err
    if command == "refresh" or dry:
        assert "line 3: 'skyfall' is no imdb id" in ended.err
    if not dry:
        assert lines(tmp_path)[-1]["status"] == 1


def test_a_row_whose_ids_came_to_be_of_two_films_is_told(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path, "[sources.tmdb]")
        assert ready("track", "tt1074638", "tmdb:24428").status == 0
        (tmp_path / "films.csv").write_text(
            "imdb_id,tmdb_id\ntt1074638,24428\ntt0468569,\n", "utf-8"
        )
        words = ("--films", "films.csv", "--source", "tmdb")
        for command in ("refresh", "backfill"):
            dry = ready(command, *words, "--dry-run")
            assert "line 2: its ids are of different films here" in dry.err
            assert dry.status == 1
        ended = ready("backfill", *words)
    assert ended.status == 1, ended.err
    assert "1 row of it named no film: its last column says why." in ended.err
    with (tmp_path / "films.csv.report.csv").open(newline="", encoding="utf-8") as handle:
        both, _ = csv.DictReader(handle)
    assert both["problem"] == "its ids are of different films here"


def test_a_report_that_could_not_be_written_is_told_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        (tmp_path / "films.csv").write_text("Const\ntt1074638\n", "utf-8")
        (tmp_path / "films.csv.report.csv").mkdir()
        ended = ready("backfill", "--films", "films.csv")
        assert replica.asked == []
    assert ended.status == 2
    assert "cannot write films.csv.report.csv, the report: Is a directory" in ended.err


def test_saved_pages_become_history_with_their_dates(afterscore: Afterscore) -> None:
    page = {"file": str(SKYFALL_PAGE), "source": "tmdb", "captured_on": "2017-09-28",
            "url": "https://api.themoviedb.org/3/movie/37724"}  # fmt: skip
    (afterscore.folder / "index.jsonl").write_text(json.dumps(page), "utf-8")
    ended = afterscore("backfill", "--from", "index.jsonl")
    assert ended.status == 0
    assert "1 page is older than the source lets us keep" in ended.err
    assert afterscore("backfill", "--from", "index.jsonl").status == 0
    [row] = afterscore.database()["score_observations"].rows
    assert (row["observed_at"], row["observed_to"]) == ("2017-09-28T00:00:00Z", "day")
    assert row["origin"] == "archive"
    film = afterscore("film", "tmdb:37724", "--json").json
    assert film["scores"]["tmdb_score"]["confirmed_at"] == "2017-09-28T00:00:00Z"


def warc_record(answer: bytes, url: str = TMDB_SKYFALL) -> bytes:
    """A record of a web archive: what a site answered, from its status on."""
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\n"
        "WARC-Date: 2017-09-28T10:00:00Z\r\nContent-Type: application/http;msgtype=response\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n"
    )
    return head.encode() + answer + b"\r\n\r\n"


def warc(path: Path) -> Path:
    """A web archive of one page of a source, and one of a site that is none."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    skyfall = warc_record(ok + SKYFALL_PAGE.read_bytes())
    other = warc_record(ok + b"<html></html>", "https://example.org/")
    path.write_bytes(gzip.compress(skyfall) + gzip.compress(other))
    return path


def test_a_web_archive_is_read_with_its_dates(afterscore: Afterscore) -> None:
    ended = afterscore("backfill", "--from", warc(afterscore.folder / "saved.warc.gz"))
    assert ended.status == 0, ended.err
    [row] = afterscore.database()["score_observations"].rows
    assert (row["observed_at"], row["origin"]) == ("2017-09-28T10:00:00Z", "archive")


def test_a_page_of_a_web_archive_is_read_however_it_was_sent(afterscore: Afterscore) -> None:
    page = SKYFALL_PAGE.read_bytes()
    for name, body in (("br", brotli.compress(page)), ("gzip", gzip.compress(page)), ("br", page)):
        sent = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n" % name.encode()
        (afterscore.folder / "saved.warc").write_bytes(warc_record(sent + body))
        ended = afterscore("backfill", "--from", "saved.warc", "--db", f"{len(body)}.db")
        assert ended.out == "1 saved page: 1 read, 1 record stored, 0 problems.\n"


def test_a_record_of_a_web_archive_that_holds_no_page_costs_no_other(
    afterscore: Afterscore,
) -> None:
    page = b"HTTP/1.1 200 OK\r\n\r\n" + SKYFALL_PAGE.read_bytes()
    others = b"", b"HTTP/1.1 abc OK\r\n\r\nhello", b"HTTP/1.1\r\n\r\nhello", b"no answer\n"
    records = b"".join(map(warc_record, [*others, page]))
    (afterscore.folder / "saved.warc").write_bytes(records)
    ended = afterscore("backfill", "--from", "saved.warc")
    assert (ended.status, ended.out) == (1, "1 saved page: 1 read, 1 record stored, 4 problems.\n")
    assert f"saved.warc: {TMDB_SKYFALL}: the record is empty" in ended.err
    assert f"saved.warc: {TMDB_SKYFALL}: its status is 'abc'" in ended.err


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["compressed", "plain"])
@pytest.mark.parametrize("kept", [5, 40, 250, -50], ids=str)
def test_of_a_web_archive_that_is_cut_short_what_is_whole_is_stored(
    kept: int, pack: Callable[[bytes], bytes], afterscore: Afterscore
) -> None:
    record = pack(warc_record(b"HTTP/1.1 200 OK\r\n\r\n" + SKYFALL_PAGE.read_bytes()))
    (afterscore.folder / "cut.warc").write_bytes(record + record[:kept])
    ended = afterscore("backfill", "--from", "cut.warc")
    assert (ended.status, ended.out) == (1, "1 saved page: 1 read, 1 record stored, 1 problem.\n")
    assert "cut.warc is not a whole WARC file" in ended.err
    assert afterscore.database()["film_scores"].count == 1


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "text", "cut"])
def test_what_is_no_whole_web_archive_is_named(
    content: bytes | None, afterscore: Afterscore
) -> None:
    path = warc(afterscore.folder / "saved.warc.gz")
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    ended = afterscore("backfill", "--from", path)
    assert ended.status == 2
    assert "saved.warc.gz" in ended.err
    assert "Traceback" not in ended.err

"""The log beside the database: what it tells, who may read it, and what is in it never."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import schedules
from schedules.replica import Replica
from tests.conftest import ALL_ON, Afterscore, beside, copy_packages

TOKEN = "t0ken-that-nobody-may-see"
URL_TOKEN = "0123456789abcdef-of-a-channel"


def lines(folder: Path, name: str = "ratings.db.log") -> list[dict[str, Any]]:
    """The log's lines."""
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


@pytest.fixture
def refreshing(tmp_path: Path) -> Afterscore:
    """A folder after one refresh of one source."""
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall", "rottentomatoes:m/nothing-there")
        ready("refresh", "--source", "rottentomatoes")
    return ready


def test_a_run_is_told_from_its_start_to_its_end(refreshing: Afterscore) -> None:
    told = lines(refreshing.folder)
    assert [line["event"] for line in told if line["event"] != "said"] == [
        *("started", "ended"),  # track
        *("started", "run", "crawled", "ran", "ended"),
    ]
    crawled = next(line for line in told if line["event"] == "crawled")
    (run,) = refreshing("runs", "--json").json
    assert crawled["run"] == run["run_id"]
    assert (crawled["source"], crawled["level"]) == ("rottentomatoes", "info")
    assert (crawled["asked"], crawled["not_found"]) == (2, 1)
    assert all(line["at"].endswith("Z") for line in told)


def test_a_long_address_is_short_on_the_screen_and_whole_in_the_log(tmp_path: Path) -> None:
    nowhere = {"AFTERSCORE_WIKIDATA_SPARQL_URL": "http://127.0.0.1:9"}
    ready = Afterscore(tmp_path, {**nowhere, "AFTERSCORE_WIKIDATA_API_URL": "http://127.0.0.1:9"})
    ready.settings("[sources.wikidata]\ndelay_seconds = 0")
    ready("track", "tt1074638")
    printed = ready("refresh", "--source", "wikidata").err
    assert "wikidata: error: https://query.wikidata.org/sparql?… (" in printed
    (whole,) = (line["text"] for line in lines(tmp_path) if "sparql?" in line.get("text", ""))
    assert "tt1074638" in whole
    assert "answered" not in printed


def test_what_goes_wrong_is_told_with_its_source_as_it_was_printed(refreshing: Afterscore) -> None:
    refreshing.environment["AFTERSCORE_ROTTENTOMATOES_URL"] = "http://127.0.0.1:9"
    ended = refreshing("refresh", "--source", "rottentomatoes", "--again")
    printed = ended.err
    told = lines(refreshing.folder)
    (crawled,) = [line for line in told if line["event"] == "crawled" and line["level"] != "info"]
    assert (crawled["level"], crawled["outcome"]) == ("warning", "failed")
    said = [line for line in told if line["event"] == "said"]
    assert {line["source"] for line in said} == {"rottentomatoes"}
    assert all(line["text"] in printed for line in said)
    assert (told[-1]["event"], told[-1]["status"]) == ("ended", ended.status) == ("ended", 1)


def test_only_its_owner_may_read_the_log(refreshing: Afterscore) -> None:
    assert (refreshing.folder / "ratings.db.log").stat().st_mode & 0o777 == 0o600


def test_the_log_can_be_elsewhere_or_nowhere(refreshing: Afterscore) -> None:
    before = len(lines(refreshing.folder))
    refreshing.settings(f'log = "other.log"\n{ALL_ON}')
    refreshing("track", "imdb:tt1074638")
    refreshing.settings(f'log = ""\n{ALL_ON}')
    refreshing("track", "imdb:tt1049413")
    assert [line["event"] for line in lines(refreshing.folder, "other.log")] == ["started", "ended"]
    assert len(lines(refreshing.folder)) == before


def test_a_log_that_cannot_be_written_ends_nothing(afterscore: Afterscore) -> None:
    afterscore.settings('log = "nowhere/afterscore.log"')
    assert afterscore("track", "imdb:tt1074638").status == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_log_for_which_there_is_no_room_ends_nothing(afterscore: Afterscore) -> None:
    afterscore.settings('log = "/dev/full"')
    ended = afterscore("track", "imdb:tt1074638")
    assert (ended.status, "Traceback" in ended.err) == (0, False)


def test_a_large_log_is_put_aside_and_only_the_last_are_kept(afterscore: Afterscore) -> None:
    log = afterscore.folder / "ratings.db.log"
    for number in range(7):
        with log.open("w", encoding="utf-8") as file:
            file.write(f"{number}")
            file.truncate(10_000_000)
        afterscore("track", f"imdb:tt107463{number}")
    kept = sorted(path.name for path in afterscore.folder.glob("ratings.db.log*"))
    assert kept == ["ratings.db.log", *(f"ratings.db.log.{number}" for number in range(1, 6))]
    assert log.stat().st_size < 10_000
    assert (afterscore.folder / "ratings.db.log.1").read_bytes()[:1] == b"6"


# --- secrets --------------------------------------------------------------------------------------

# As a spider that somebody wrote in a hurry: everything secret goes into the exception.
LEAK = """
    def records(self, page, target):
        import os
        raise RuntimeError(
            "answered 401 to " + os.environ["TMDB_API_TOKEN"] + " by " + os.environ["HTTPS_PROXY"]
            + " and " + os.environ["AFTERSCORE_ALERT_URLS"]
        )
"""


def test_no_secret_is_stored_logged_or_printed(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    copy_packages(folder)
    shutil.copy(Path(str(schedules.__file__)).parent.parent / "scrapy.cfg", folder)
    spider = folder / "spiders/tmdb.py"
    source, marker, rest = spider.read_text("utf-8").partition('    name = "tmdb"\n')
    assert marker
    spider.write_text(source + marker + LEAK + rest, "utf-8")
    (folder / "afterscore.toml").write_text(ALL_ON, "utf-8")
    with Replica() as replica:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERSCORE_", "TMDB_"))}
        environment = {
            **clean,
            **replica.environment,
            "PYTHONPATH": str(folder),
            "TMDB_API_TOKEN": TOKEN,
            "HTTPS_PROXY": "http://somebody:pass-w0rd@proxy.example",
            "AFTERSCORE_ALERT_URLS": f"json://127.0.0.1:9/{URL_TOKEN}?key=qu3ry-pass",
            "AFTERSCORE_HEARTBEAT_URL": f"http://127.0.0.1:9/{URL_TOKEN}",
        }
        printed = ""
        for words in ("track tmdb:37724", "refresh", "runs 1", "health --tell", "health --json"):
            done = subprocess.run(
                [sys.executable, "-m", "schedules.cli", *words.split()],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            printed += done.stdout + done.stderr
    ready = Afterscore(folder)
    (crawl,) = ready.database().query("SELECT * FROM crawls WHERE source = 'tmdb'")
    assert crawl["outcome"] == "failed"
    assert "RuntimeError: answered 401 to *** by http://***@proxy.example" in crawl["exception"]
    assert "answered 401 to ***" in printed
    assert "heartbeat /start not sent" in printed
    kept = "\n".join(
        [printed, *ready.database().conn.iterdump()]
        + [path.read_text("utf-8") for path in folder.glob("*.log*")]
    )
    for secret in (TOKEN, URL_TOKEN, "pass-w0rd", "qu3ry-pass"):
        assert secret not in kept


def test_a_traceback_hides_secrets_too(afterscore: Afterscore) -> None:
    """An exception that nobody expected is printed by Python itself."""
    afterscore.environment["TMDB_API_TOKEN"] = TOKEN
    code = (
        "import sys, schedules.cli as cli\n"
        f"def app(): raise RuntimeError('{TOKEN}')\n"
        "cli.app = app\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=afterscore.folder,
        env=afterscore.whole_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "RuntimeError: ***"
    assert TOKEN not in done.stdout

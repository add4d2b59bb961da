"""The site that `serve` gives: its pages as anything that speaks HTTP gets them."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import Afterscore, Ended


@contextmanager
def served(afterscore: Afterscore, *words: str | Path) -> Iterator[httpx.Client]:
    """`serve` on a free port, and a client of it that follows no redirect."""
    process = subprocess.Popen(
        afterscore.command("serve", "--port", "0", *words),
        cwd=afterscore.folder,
        env={**afterscore.whole_environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://\S+/", said)
        assert found, said
        with httpx.Client(base_url=found[0], timeout=60) as client:
            yield client
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def site(refreshed: tuple[Afterscore, Ended]) -> Iterator[httpx.Client]:
    """The site over a database after one refresh."""
    with served(refreshed[0]) as client:
        yield client


# --- serve ----------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_named_and_so_is_the_way_out(
    refreshed: tuple[Afterscore, Ended],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = refreshed[0]("serve", "--port", str(port))
    assert ended.status == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.err
    assert "--port 0" in ended.err


def test_without_a_database_it_says_how_to_make_one(afterscore: Afterscore) -> None:
    ended = afterscore("serve", "--port", "0")
    assert ended.status == 2
    assert "no database at ratings.db" in ended.err


def test_a_file_of_another_name_has_the_same_addresses_and_descriptions(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    copy = tmp_path / "my films.db"
    copy.write_bytes((refreshed[0].folder / "ratings.db").read_bytes())
    with served(refreshed[0], "--db", copy) as client:
        page = client.get("/ratings/film_scores").text
    assert "a film with its scores side by side" in page


def test_robots_are_asked_to_stay_away(site: httpx.Client) -> None:
    assert "Disallow: /" in site.get("/robots.txt").text
    for path in ("/", "/ratings/films.json", "/ratings/films.csv"):
        assert site.get(path).headers["x-robots-tag"] == "noindex, nofollow"


def test_the_file_cannot_be_downloaded_nor_written_nor_another_attached(site: httpx.Client) -> None:
    assert site.get("/ratings.db").status_code == 403
    for sql in ("DELETE FROM films", "ATTACH 'other.db' AS other", "PRAGMA journal_mode = DELETE"):
        answer = site.get("/ratings.json", params={"sql": sql})
        assert answer.status_code == 400, sql
    assert site.get("/ratings/films.json").json()["filtered_table_rows_count"] == 15

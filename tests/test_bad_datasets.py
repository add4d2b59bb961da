"""Nights on which IMDb's datasets are not as they should be: the line is named, nothing of them is
stored, and yesterday's figures stand."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import repeat

import pytest

from tests.conftest import Afterscore, Ended
from tests.fault_server import FaultServer, Reply, asking
from tests.test_imdb_datasets import BASICS_HEADER, RATINGS_HEADER, basics_line

FILMS = 60
"""Enough for a night to be the past of the next one."""

TITLES = {
    "tt0000003": 'The "Half',
    "tt12345678": "It's, a; comma",
    "tt123456789": '"Quoted"',
    "tt1234567890": "\\ \u2019 \U0001f600",
}
"""Some films beside the others: ids of 7 to 10 digits, and titles to be taken as they stand."""

TCONSTS = [*TITLES, *(f"tt{number:07d}" for number in range(100, 100 + FILMS - len(TITLES)))]

BASICS = [basics_line(tconst, title=TITLES.get(tconst, f"Film {tconst}")) for tconst in TCONSTS]
RATINGS = [f"{tconst}\t{4 + n / 12:.1f}\t{1_000 + n}\n" for n, tconst in enumerate(TCONSTS)]
MOVED = [f"{tconst}\t9.9\t{90_000 + n}\n" for n, tconst in enumerate(TCONSTS)]
"""What the bad nights would have told, if anything of them were stored."""


def packed(header: str, lines: list[str]) -> bytes:
    return gzip.compress((header + "".join(lines)).encode())


GOOD = packed(BASICS_HEADER, BASICS)
RATED = packed(RATINGS_HEADER, MOVED)


def spoilt(line: str, *, at: int = 30) -> bytes:
    """The basics with another line in the place of one; the header is line 1."""
    lines = [*BASICS]
    lines[at - 2] = line
    return packed(BASICS_HEADER, lines)


BAD_NIGHTS = {
    "a column more": (
        packed(BASICS_HEADER.replace("\n", "\tx\n"), [f"{line[:-1]}\tx\n" for line in BASICS]),
        RATED,
        "title.basics.tsv.gz, line 1: the header is",
    ),
    "an id twice": (
        spoilt(BASICS[0]),
        RATED,
        "title.basics.tsv.gz, line 30: 'tt0000003' for the second time",
    ),
    "a tab in a title": (
        spoilt(BASICS[28].replace("Film", "Fi\tlm", 1)),
        RATED,
        "title.basics.tsv.gz, line 30: 10 fields, not 9",
    ),
    "a line of nothing but \\N": (
        spoilt("tt0000999" + "\t\\N" * 8 + "\n"),
        RATED,
        "title.basics.tsv.gz, line 30: titleType is '\\\\N'",
    ),
    "gzip of gzip": (gzip.compress(GOOD), RATED, "line 1: gzip within gzip"),
    "a file that grew while it was sent": (
        GOOD + GOOD[: len(GOOD) // 2],
        RATED,
        "title.basics.tsv.gz, line 1: the file is cut short",
    ),
    "a file much smaller than the last": (
        packed(BASICS_HEADER, BASICS[: FILMS // 2]),
        RATED,
        "held: imdb: 30 films, where the last whole ones had 60",
    ),
    "a file of none of these films": (
        packed(BASICS_HEADER, [basics_line("tt0000999", kind="tvEpisode")]),
        RATED,
        "held: imdb: 0 films, where the last whole ones had 60",
    ),
}

STORED = (
    "listings",
    "films",
    "film_genres",
    "score_observations",
    "dataset_records",
    "film_scores",
    "dataset_confirmations",
)


@pytest.fixture(scope="module")
def imdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultServer, Afterscore]]:
    """IMDb, and a database that knows one good night of it; the bad ones leave it as it is."""
    with FaultServer("imdb") as server:
        ready = asking(
            tmp_path_factory.mktemp("imdb"),
            server,
            more="refresh_after_hours = 0\n[universe]\nvotes_at_least = 0\n",
        )
        ended = night(server, ready, GOOD, packed(RATINGS_HEADER, RATINGS))
        assert ended.status == 0, ended.err
        yield server, ready


def night(server: FaultServer, ready: Afterscore, basics: bytes, ratings: bytes) -> Ended:
    server.script["/title.basics.tsv.gz"] = repeat(Reply(body=basics))
    server.script["/title.ratings.tsv.gz"] = repeat(Reply(body=ratings))
    return ready("refresh", "--source", "imdb")


def stored(ready: Afterscore) -> dict[str, list[object]]:
    """All that datasets have said so far."""
    database = ready.database()
    figures = "SELECT listing_id, state, value, votes, observed_at, changed_at FROM scores"
    return {
        "scores": database.execute(figures).fetchall(),
        **{table: list(database[table].rows) for table in STORED},
    }


def test_ids_of_every_length_and_titles_are_taken_as_they_stand(
    imdb: tuple[FaultServer, Afterscore],
) -> None:
    _, ready = imdb
    films = dict(ready.database().execute("SELECT imdb_id, title FROM films"))
    assert films == {tconst: TITLES.get(tconst, f"Film {tconst}") for tconst in TCONSTS}
    (rated,) = ready.database().execute("SELECT count(*) FROM film_scores WHERE imdb_rating >= 4")
    assert rated == (FILMS,)


@pytest.mark.parametrize(("basics", "ratings", "said"), BAD_NIGHTS.values(), ids=BAD_NIGHTS)
def test_nothing_is_stored_of_a_bad_file(
    imdb: tuple[FaultServer, Afterscore], basics: bytes, ratings: bytes, said: str
) -> None:
    server, ready = imdb
    before = stored(ready)
    ended = night(server, ready, basics, ratings)
    assert ended.status == 1
    assert said in ended.err
    assert stored(ready) == before


def test_a_dataset_that_is_not_there_is_said_and_asked_for_again(
    imdb: tuple[FaultServer, Afterscore],
) -> None:
    server, ready = imdb
    before = stored(ready)
    server.script["/title.basics.tsv.gz"] = repeat(Reply(404))
    for _ in range(2):
        ended = ready("refresh", "--source", "imdb")
        assert ended.status == 1
        assert "imdb: failed: https://datasets.imdbws.com/title.basics.tsv.gz is not" in ended.err
        assert stored(ready) == before

"""Wikidata's crosswalk, asked for as a whole where many films are sought in it: read row by row to
its end before anything is stored, and in batches for what it lacks, or where it fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from urllib.parse import unquote

import pytest

from schedules.lookups import WHOLE_FROM
from tests.answers import keeping
from tests.conftest import Afterscore
from tests.fault_server import FaultServer, Reply, asking

SPARQL = "/sparql"
BATCHES = WHOLE_FROM // 200


def imdb_id(film: int) -> str:
    return f"tt{film:07d}"


def row(item: str, **ids: str) -> dict[str, dict[str, str]]:
    entity = {"type": "uri", "value": f"http://www.wikidata.org/entity/{item}"}
    return {"item": entity} | {k: {"type": "literal", "value": v} for k, v in ids.items()}


def answered(*rows: object) -> bytes:
    names = ["item", "tmdb", "imdb", "rottentomatoes", "metacritic"]
    told = {"head": {"vars": names}, "results": {"bindings": rows}}
    return json.dumps(told, indent=2).encode()


NONE = Reply(body=answered())
WHOLE = answered(
    row("Q1", imdb=imdb_id(1), tmdb="11", rottentomatoes="m/one"),
    row("Q2", imdb=imdb_id(2), tmdb="12"),
    row("Q8", imdb="tt9999999", tmdb="88", rottentomatoes="m/not_sought"),
    row("Q1", imdb=imdb_id(1), tmdb="11", rottentomatoes="m/uno"),
    row("Q3", imdb=imdb_id(3), tmdb="13", metacritic="movie/three"),
)
DEADLINE = b"""java.util.concurrent.TimeoutException
\tat java.util.concurrent.FutureTask.get(FutureTask.java:205)
"""

BAD = {
    "a query that met its deadline": (
        WHOLE[: len(WHOLE) // 2] + DEADLINE,
        "its rows end in a Java stack trace",
    ),
    "cut in a row": (WHOLE[: len(WHOLE) // 2], "is cut or is no row"),
    "cut behind a row": (WHOLE[: WHOLE.rindex(b",\n      {")], "is cut after row 4"),
    "a row without its item": (
        WHOLE.replace(b'"item": {', b'"itme": {', 3).replace(b'"itme": {', b'"item": {', 2),
        "row 3 is no row: it has no item",
    ),
    "a row that is none": (answered(row("Q1", imdb=imdb_id(1)), 7), "row 2 is no row"),
    "something behind its end": (WHOLE + b"{}", "does not end after row 5"),
    "no answer to a query": (b"<html></html>", "no rows with a variable named item"),
}


def queries(server: FaultServer) -> list[str]:
    """What was asked, in order."""
    return [unquote(one.query) for one in server.asked if one.path == SPARQL]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of as many films as all is asked for at once."""
    path = tmp_path_factory.mktemp("many") / "ratings.db"
    with keeping(path) as kept:
        kept.db.conn.executemany(
            "INSERT INTO films (imdb_id) VALUES (?)",
            ((imdb_id(film),) for film in range(1, WHOLE_FROM + 1)),
        )
    return path


@pytest.fixture
def wikidata() -> Iterator[FaultServer]:
    with FaultServer("wikidata") as server:
        yield server


@pytest.fixture
def ready(many: Path, tmp_path: Path, wikidata: FaultServer) -> Afterscore:
    """The command line with that database, for one test."""
    shutil.copy(many, tmp_path)
    return asking(tmp_path, wikidata)


def test_all_is_asked_for_at_once_and_then_what_was_not_among_it(
    wikidata: FaultServer, ready: Afterscore
) -> None:
    wikidata.script[SPARQL] = chain([Reply(body=WHOLE)], repeat(NONE))
    ended = ready("refresh")
    assert ended.status == 0, ended.err
    first, *others = queries(wikidata)
    assert 'hint:optimizer "None"' in first
    assert first.index("P4947") < first.index("P345")
    assert len(others) == BATCHES
    assert all("VALUES" in query for query in others)
    assert imdb_id(3) not in "".join(others)
    assert imdb_id(4) in others[0]
    listed = ready.database().execute(
        "SELECT source || ':' || source_id FROM listings WHERE source <> 'imdb' ORDER BY 1"
    )
    assert [listing for (listing,) in listed] == [
        *("metacritic:movie/three", "rottentomatoes:m/one", "rottentomatoes:m/uno"),
        *("tmdb:11", "tmdb:12", "tmdb:13", "wikidata:Q1", "wikidata:Q2", "wikidata:Q3"),
    ]
    assert ready("refresh").status == 0
    assert len(queries(wikidata)) == 1 + BATCHES, "none is sought again every night"


def test_what_failed_of_batches_is_all_that_is_sought_again(
    wikidata: FaultServer, ready: Afterscore
) -> None:
    with keeping(ready.folder / "ratings.db") as kept:
        kept.db.conn.execute("DELETE FROM films WHERE imdb_id = ?", (imdb_id(1),))
    wikidata.script[SPARQL] = chain(repeat(NONE, 7), repeat(Reply(500), 3), repeat(NONE))
    assert ready("refresh").status == 1
    asked = queries(wikidata)
    assert len(asked) == BATCHES + 2
    assert all("VALUES" in query for query in asked)
    assert ready("refresh").status == 0
    assert queries(wikidata)[len(asked) :] == [asked[7]], "the rest goes on from there"


@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
def test_nothing_is_stored_of_one_that_is_not_whole(
    wikidata: FaultServer, ready: Afterscore, body: bytes, said: str
) -> None:
    wikidata.script[SPARQL] = repeat(Reply(body=body))
    ended = ready("refresh")
    assert ended.status == 1
    assert f"{said}; the next runs ask in batches" in ended.err.replace("\n", " ")
    assert ready.database()["listings"].count == 0
    assert len(queries(wikidata)) == 1


def test_after_one_that_failed_the_next_runs_ask_in_batches(
    wikidata: FaultServer, ready: Afterscore
) -> None:
    wikidata.script[SPARQL] = chain([Reply(body=BAD["cut in a row"][0])], repeat(NONE))
    assert ready("refresh").status == 1
    assert ready("refresh").status == 0
    _, *others = queries(wikidata)
    assert len(others) == BATCHES
    assert all("VALUES" in query for query in others)


def test_a_query_that_meets_its_deadline_is_not_asked_at_once_again(
    wikidata: FaultServer, ready: Afterscore
) -> None:
    wikidata.script[SPARQL] = chain([Reply(500, body=DEADLINE)], repeat(NONE))
    assert ready("refresh").status == 1
    assert len(queries(wikidata)) == 1
    assert ready("refresh").status == 0
    assert all("VALUES" in query for query in queries(wikidata)[1:])


def test_an_id_that_no_film_can_have_costs_no_night(wikidata: FaultServer, tmp_path: Path) -> None:
    ready = asking(tmp_path, wikidata)
    absurd = row("Q1", imdb=imdb_id(1), tmdb="9" * 20, rottentomatoes="m/one")
    wikidata.script[SPARQL] = iter([Reply(body=answered(absurd))])
    ready("track", imdb_id(1))
    ended = ready("refresh")
    assert ended.status == 0, ended.err
    listed = ready.database().execute("SELECT source FROM listings ORDER BY 1").fetchall()
    assert listed == [("imdb",), ("rottentomatoes",), ("wikidata",)]

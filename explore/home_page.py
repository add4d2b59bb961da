"""The home page, the page of sources, and that of the last night: what there is and how fresh."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from sqlite_utils import Database

from explore.lists import APART, CREDITS, FILMS, MOVERS, movers, rows_of
from explore.overview import overview
from explore.pages import page, read
from explore.remembered import Remembered
from pipelines.matching.doubtful import how_many_doubtful

_SHOWN = (FILMS, APART, MOVERS, CREDITS)
_AT_ONCE = (FILMS, APART, CREDITS)
FIRST_ROWS = 5
PATIENCE = 0.4
"""Seconds for which the page waits for what moved most; without it, it says so."""
RUNS = 20

_LAST_RUN = """
SELECT command, started_at, ended_at, run_outcome AS outcome, sum(asked) AS asked,
  sum(changed) AS changed, sum(held) AS held, sum(blocked) AS blocked
FROM last_night GROUP BY run_id
"""
_NOT_WHOLE = "SELECT source, outcome FROM last_night WHERE outcome NOT IN ('ok', 'skipped')"
_HELD = "SELECT count(*) FROM quarantine WHERE decision IS NULL"
_RUNS = """
SELECT r.command, r.started_at, r.ended_at, r.outcome, r.exception, sum(c.asked) AS asked,
  sum(c.changed) AS changed, sum(c.held) AS held
FROM runs r LEFT JOIN crawls c USING (run_id)
WHERE r.run_id IN (SELECT run_id FROM runs ORDER BY run_id DESC LIMIT ?)
GROUP BY r.run_id ORDER BY r.run_id DESC
"""


def _at_home(db: Database) -> dict[str, Any]:
    return {
        "rows": {each.path: rows_of(db, each, {}, FIRST_ROWS) for each in _AT_ONCE},
        "overview": overview(db),
        "last_run": next(iter(db.query(_LAST_RUN)), None),
        "not_whole": list(db.query(_NOT_WHOLE)),
        "held": next(db.conn.execute(_HELD))[0],
        "doubtful": how_many_doubtful(db),
    }


_home = Remembered(_at_home)


async def home_page(datasette: Datasette, request: Request) -> Response:
    """`/`: what the database holds, how fresh it is, and where to go."""
    kept, moved = await asyncio.gather(_home.within(datasette), movers.within(datasette, PATIENCE))
    assert kept  # it was waited for
    rows = {**kept.found["rows"], MOVERS.path: moved.found[:FIRST_ROWS] if moved else None}
    context = {
        **kept.found,
        "lists": [(each, rows[each.path]) for each in _SHOWN],
    }
    return await page(datasette, request, "home.html", context)


async def sources_page(datasette: Datasette, request: Request) -> Response:
    """`/sources`: of how many films each source gives a figure, and how fresh its figures are."""
    known = await read(datasette, overview)
    return await page(datasette, request, "sources.html", {"overview": known})


async def night_page(datasette: Datasette, request: Request) -> Response:
    """`/last-night`: what the last run asked of each source, and the runs before it."""

    def find(db: Database) -> dict[str, Any]:
        return {
            "crawls": list(db.query("SELECT * FROM last_night")),
            "not_whole": list(db.query(_NOT_WHOLE)),
            "runs": list(db.query(_RUNS, [RUNS])),
        }

    return await page(datasette, request, "night.html", await read(datasette, find))

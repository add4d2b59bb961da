"""What our pages share: they are read in one transaction, and answered with one policy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import Request, Response
from sqlite_utils import Database

from explore.safety import OWN_PAGES
from explore.site import NAME

T = TypeVar("T")


async def read(
    datasette: Datasette, reader: Callable[[Database], T], limit_ms: int | None = None
) -> T:
    """What a reader finds in the database, all of it as of one moment.

    A refresh may write meanwhile: in one transaction a page shows all of a merge or nothing of it.
    Raises QueryInterrupted where it takes longer than `limit_ms`, or than Datasette lets a query
    take.
    """
    limit = limit_ms or datasette.setting("sql_time_limit_ms")

    def in_transaction(connection: sqlite3.Connection) -> T:
        connection.execute("BEGIN")
        try:
            with sqlite_timelimit(connection, limit):
                return reader(Database(connection))
        except sqlite3.OperationalError as fault:
            if str(fault) == "interrupted":
                raise QueryInterrupted(fault, "a page", {}) from fault
            raise
        finally:
            connection.rollback()

    found: T = await datasette.get_database(NAME).execute_fn(in_transaction)
    return found


async def page(
    datasette: Datasette,
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
) -> Response:
    """A page of ours: one style sheet, and no script may run on it."""
    html = await datasette.render_template(template, dict(context), request=request)
    headers = {"content-security-policy": OWN_PAGES, "cache-control": "no-cache"}
    return Response.html(html, status=status, headers=headers)

"""What the site answers where something is wrong: what it is, in words, and a search box.

Datasette's own handler prints every fault to the terminal with all that its functions held, those
of a mistyped address too. Here only what nobody expected is logged.
"""

from __future__ import annotations

import logging

from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError

from explore.pages import page

_log = logging.getLogger("uvicorn.error")

_UNEXPECTED = "Something went wrong here; the terminal in which the site was started says what."
_TOO_LONG = "That took too long, and was stopped. Ask for fewer rows, or more narrowly."
_NOTHING = "There is nothing at this address."


async def answer(datasette: Datasette, request: Request, fault: Exception) -> Response:
    """The page, or for an address that ends in .json the object, that tells of a fault."""
    status, title, message = shown_as(fault)
    if status == 500:
        _log.error("%s failed", request.path, exc_info=fault)
    if request.path.endswith(".json"):
        known = {"ok": False, "error": message, "status": status, "title": title}
        return Response.json(known, status=status)
    context = {"title": title, "error": message, "status": status, "sql": request.args.get("sql")}
    return await page(datasette, request, "error.html", context, status=status)


def shown_as(fault: Exception) -> tuple[int, str, str]:
    """The status of a fault, its title and what it says."""
    if isinstance(fault, Base400):
        words = str(fault.args[0]) if fault.args else ""
        if fault.status == 404:
            return 404, "Not found", _NOTHING if words in ("", "404") else words
        return fault.status, "That does not work", words
    if isinstance(fault, DatasetteError):
        words = _TOO_LONG if fault.message_is_html else str(fault.message)
        # 500 is Datasette's status for a column that is not there, too.
        status = 400 if fault.status == 500 else fault.status
        return status, fault.title or "That does not work", words
    if isinstance(fault, QueryInterrupted):
        return 400, "Too slow", _TOO_LONG
    return 500, "Something went wrong", _UNEXPECTED

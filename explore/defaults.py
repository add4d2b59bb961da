"""Canned queries have defaults, as datasette.yml declares them: Datasette itself knows none, and
would ask with an empty text where an address does not give a parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from explore.safety import Application, Message, Receive, Send, Wrapper
from explore.site import NAME

_QUERY = re.compile(rf"/{NAME}/(\w+)(?:\.\w+)?$")


def with_defaults(queries: Mapping[str, Mapping[str, Any]]) -> Wrapper:
    """A wrapper that gives these queries the defaults of what an address leaves out or empty.

    The form on a query's page then shows what was asked for, and its CSV and JSON are of the same.
    """

    def wrapper(application: Application) -> Application:
        async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
            named = _QUERY.search(scope["path"]) if scope["type"] == "http" else None
            defaults = queries.get(named[1], {}).get("defaults", {}) if named else {}
            if defaults:
                asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                given = [(name, value) for name, value in asked if value or name not in defaults]
                lacking = [each for each in defaults.items() if each[0] not in dict(given)]
                words = urlencode([*lacking, *given])
                scope = {**scope, "query_string": words.encode("latin-1")}
            await application(scope, receive, send)

        return wrapped

    return wrapper

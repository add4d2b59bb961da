"""The rows of a page of ours as CSV or JSON: its address with `.csv` or `.json` behind."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from datasette.utils.asgi import Request, Response

ENDING = r"(?:\.(?P<format>csv|json))?"
"""What the route of such a page ends with."""


def wanted(request: Request) -> str | None:
    """`csv` or `json` where the address ends so; None for the page itself."""
    ending: str | None = request.url_vars.get("format")
    return ending


def exported(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], wanted: str, *, cut_short: bool
) -> Response:
    """The rows in the format that is wanted; JSON says whether there are more, CSV has no room to.

    A CSV names its columns where it has no row too; lists within a row are JSON in it as well.
    """
    if wanted == "json":
        return Response.json({"ok": True, "rows": list(rows), "truncated": cut_short})
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _flat(value) for name, value in row.items()} for row in rows)
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8")


def _flat(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value

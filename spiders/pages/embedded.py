"""JSON that a page carries in its scripts, found in the bytes without building a tree."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from spiders.pages.encodings import beginning

_DECODER = json.JSONDecoder(strict=False)
_JSON_LD = re.compile(rb"<script\b[^<>]*application/ld\+json[^<>]*>", re.I)


def script_json(body: bytes, marker: bytes) -> Any:
    """The JSON in the first `<script …>` whose opening tag holds `marker`, or None.

    None too where the script is empty, cut short or not JSON. `marker` is matched as bytes, for
    example `b'id="media-scorecard-json"'`.
    """
    at = body.find(marker)
    while at != -1:
        opened = body.rfind(b"<", 0, at)
        closed = body.find(b">", at)
        if closed == -1:
            return None
        if body[opened : opened + 7].lower() == b"<script" and b">" not in body[opened:at]:
            return _loads(_until_end(body, closed + 1))
        at = body.find(marker, at + 1)
    return None


def object_at(body: bytes, start: int) -> Any:
    """The JSON value that begins at a place in a script, whatever follows it; None if cut short."""
    end = body.find(b"</script", start)
    text = body[start : end if end != -1 else len(body)].decode("utf-8", "replace")
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None


def value_at(value: Any, *path: str | int) -> Any:
    """What lies at a path in JSON, or None where the path breaks off."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def json_ld(body: bytes, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """Each JSON-LD object on the page, lists and `@graph` opened; of one `@type` if asked.

    A page may be nothing else: as where somebody saved what a script took from it.
    """
    if beginning(body)[:1] in (b"{", b"[") and b'"@type"' in body[:1024]:
        yield from _objects(_loads(body), kind)
    for opening in _JSON_LD.finditer(body):
        yield from _objects(_loads(_until_end(body, opening.end())), kind)


def _until_end(body: bytes, start: int) -> bytes | None:
    end = body.find(b"</script", start)
    return None if end == -1 else body[start:end]


def _loads(raw: bytes | None) -> Any:
    if raw is None:
        return None
    try:
        # Pages of 2017 to 2019 hold raw line breaks inside JSON strings: strict=False reads them.
        return json.loads(raw.decode("utf-8-sig", "replace").strip(), strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(found: Any, kind: str | None) -> Iterator[dict[str, Any]]:
    if isinstance(found, list):
        for part in found:
            yield from _objects(part, kind)
    elif isinstance(found, dict):
        kinds = found.get("@type")
        if kind is None or kind == kinds or (isinstance(kinds, list) and kind in kinds):
            yield found
        if "@graph" in found:
            yield from _objects(found["@graph"], kind)


def plain(text: object) -> str | None:
    """A title or name from JSON or markup: entities resolved, spaces folded, or None if empty.

    Half a surrogate pair, as JSON may hold, becomes `?`: it could not be written as UTF-8.
    """
    if not isinstance(text, str):
        return None
    whole = html.unescape(text).encode("utf-8", "replace").decode()
    return " ".join(whole.split()) or None

"""Values of Rotten Tomatoes' pages: markup in the bytes, and JSON of whatever shape."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bs4 import Tag

from spiders.pages.embedded import plain

_TAG = re.compile(r"<[^>]*>")


def element_of(body: bytes, opening: bytes) -> bytes | None:
    """The first element of a name (`<media-hero`), to its end or that of a page cut off."""
    found = re.search(re.escape(opening) + rb"[\s>]", body)
    if not found:
        return None
    closing = re.compile(b"</" + re.escape(opening[1:]) + rb"\s*>")
    end = closing.search(body, found.start())
    return body[found.start() : end.start() if end else None]


def slots_of(element: bytes, *names: str) -> Iterator[bytes]:
    """What stands in each whole child with `slot="…"`, its own markup included."""
    wanted = "|".join(map(re.escape, names)).encode()
    for found in re.finditer(
        rb"<(?P<tag>[a-z][\w-]*)\b[^<>]*?(?<![\w-])slot=\"(?:" + wanted + rb")\"[^<>]*>"
        rb"(?P<inside>.*?)</(?P=tag)\s*>",
        element,
        re.S,
    ):
        yield found["inside"]


def slot_of(element: bytes, *names: str) -> bytes | None:
    """What stands in the first such child, or None."""
    return next(slots_of(element, *names), None)


def opening_of(body: bytes, marker: bytes) -> bytes:
    """The whole opening tag that holds a marker, or nothing."""
    at = body.find(marker)
    return body[body.rfind(b"<", 0, at) : body.find(b">", at) + 1] if at != -1 else b""


def attribute_of(opening: bytes, *names: str) -> str | None:
    """The first attribute of these names in the first tag of some bytes."""
    tag = opening[: opening.find(b">") + 1]
    for name in names:
        found = re.search(rb"(?<![\w-])" + name.encode() + rb"=(?:\"([^\"]*)\"|'([^']*)')", tag)
        if found:
            value = found[1] if found[1] is not None else found[2]
            return html.unescape(value.decode("utf-8", "replace")).strip()
    return None


def text_of(markup: bytes | None) -> str | None:
    """The words of some markup: None without markup, empty without words."""
    return None if markup is None else plain(_TAG.sub(" ", markup.decode("utf-8", "replace"))) or ""


def words_of(tag: Tag | None) -> str:
    """The words of an element of a tree; empty where there is none."""
    return " ".join(tag.get_text(" ").split()) if tag else ""


def mapping_of(found: object) -> Mapping[str, Any]:
    """What was found where it is an object, else an empty one."""
    return found if isinstance(found, dict) else {}


def first_mapping(*found: object) -> Mapping[str, Any] | None:
    """The first of these that is an object, or None."""
    return next((part for part in found if isinstance(part, dict)), None)


def first_of(part: Mapping[str, Any], *keys: str) -> object:
    """The first value of these keys that is there, or None."""
    return next((part[key] for key in keys if part.get(key) is not None), None)


def list_of(found: object) -> list[Any]:
    """What was found as a list: of one, where it is no list, and empty where it is nothing."""
    return found if isinstance(found, list) else [found] if found else []


def string_of(found: object) -> str | None:
    """What was found where it is a text, or None."""
    return found if isinstance(found, str) else None

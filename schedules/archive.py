"""Saved pages, into records with their capture dates: single files, or an index of files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.problem import Problem
from spiders.items import Outcome, Record
from spiders.pages.page import Page
from spiders.pages.reading import MAX_BYTES, read
from spiders.sources import SOURCES, source_of_url

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (?P<code>\d{3})\b")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_WAYBACK = re.compile(r"https?://web\.archive\.org/web/(\d{4,14})[a-z_]*/(https?:/.*)", re.I)


@dataclass(frozen=True)
class Saved:
    """A saved page: where it lies, which source and URL it is of, when it was captured.

    `place` is where its index names it, for messages.
    """

    file: str
    source: str
    url: str
    body: bytes
    status: int = 200
    headers: dict[str, str] | None = None
    captured_on: str | None = None
    place: str | None = None

    def records(self) -> list[Record]:
        """What the page says; none where it is a list of nothing."""
        return read(
            Page(
                source=self.source,
                url=self.url,
                body=self.body,
                status=self.status,
                headers=self.headers or {},
                captured_on=self.captured_on,
            )
        )


def saved_file(path: Path, source: str, url: str, status: int = 200) -> Saved:
    """One saved page. Raises Problem where the file cannot be read, or the URL is of another
    site than the source's."""
    known = {s.key: s for s in SOURCES}
    if source not in known:
        raise Problem(f"unknown source {source!r}; the sources are {', '.join(known)}")
    url = _original(url)
    if source_of_url(url) is not known[source]:
        raise Problem(
            f"{url} is not of {known[source].name}, whose hosts in the register are"
            f" {', '.join(known[source].domains)}"
        )
    try:
        with path.open("rb") as handle:
            body = handle.read(MAX_BYTES + 1)
    except OSError as fault:
        raise Problem(f"cannot read {path}: {fault.strerror}") from fault
    saved = Saved(str(path), source, url, body, status)
    if path.suffix == ".http" and not _STATUS_LINE.match(body):
        return replace(saved, headers=_headers(body), body=b"")
    return _without_head(saved)


def from_index(index: Path) -> Iterator[Saved | tuple[dict[str, Any], str]]:
    """The pages of an index: each line a JSON object with file, source, url, captured_on and
    http_status. A line that cannot be used comes as the line and why. Raises Problem."""
    try:
        # A JSON text may hold what splitlines takes for the end of a line, such as U+2028.
        lines = index.read_text("utf-8-sig").split("\n")
    except OSError as fault:
        raise Problem(f"cannot read {index}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise Problem(f"cannot read {index}: {fault}") from fault
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{index}, line {number}"
        stated: Any = None
        try:
            stated = json.loads(line)
            saved = _indexed(stated, index.parent)
        except json.JSONDecodeError as fault:
            yield {"line": number}, f"{place}: no JSON: {fault.msg}, character {fault.colno}"
            continue
        except (Problem, ValueError) as fault:
            yield stated if isinstance(stated, dict) else {"line": number}, f"{place}: {fault}"
            continue
        yield replace(saved, place=place)


def _indexed(stated: Any, folder: Path) -> Saved:
    """The page that a line of an index names. Raises Problem."""
    if not isinstance(stated, dict):
        raise Problem("a JSON object with file, source and url is expected")
    for name in ("file", "source", "url"):
        if not isinstance(stated.get(name), str):
            found = f"is {stated[name]!r}" if name in stated else "is not there"
            raise Problem(f"{name} {found}: file, source and url are needed, each a text")
    status = str(stated.get("http_status") or 200)
    if not status.isdecimal():
        raise Problem(f"http_status is {status!r}: a number such as 200 is expected")
    saved = saved_file(folder / stated["file"], stated["source"], stated["url"], int(status))
    captured = stated.get("captured_on")
    return replace(saved, file=stated["file"], captured_on=str(captured) if captured else None)


def nothing_listed(saved: Saved) -> Record:
    """What `afterscore read` prints of a list of nothing, such as a search that found nothing."""
    why = "a list of nothing"
    return Record(source=saved.source, url=saved.url, outcome=Outcome.OK, detail=why)


def failed(stated: dict[str, Any], why: str) -> dict[str, Any]:
    """What `afterscore read` prints for a line of an index that could not be used."""
    record = Record(source="", url=stated.get("url"), outcome=Outcome.ERROR, detail=why)
    return {"file": stated.get("file"), **record.as_read(), "source": stated.get("source")}


def _original(url: str) -> str:
    """The URL that a page saved by the Wayback Machine was saved from."""
    found = _WAYBACK.match(url)
    return re.sub(r"^(https?):/+", r"\1://", found[2]) if found else url


def _without_head(saved: Saved) -> Saved:
    """The page behind the head of its response, where a program saved both (`curl -i`).

    Redirections stand before it with heads of their own. A status that was given goes before the
    one that stands there.
    """
    given = saved.status
    while line := _STATUS_LINE.match(saved.body):
        head, *rest = _END_OF_HEAD.split(saved.body, maxsplit=1)
        status = int(line["code"]) if given == 200 else given
        saved = replace(saved, headers=_headers(head), body=b"".join(rest), status=status)
    return saved


def _headers(raw: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in raw.decode("latin-1").split("\n"))
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}

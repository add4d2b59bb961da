"""Read a page with the layouts of its source: newest first, the first that answers names itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

from spiders.items import Outcome, Record
from spiders.pages.addresses import live_url, other_source
from spiders.pages.encodings import beginning, in_utf8
from spiders.pages.markup import as_sites_write
from spiders.pages.page import Page
from spiders.pages.refusals import refused_by_status, said_instead
from spiders.sources import SOURCES, by_key

Layout = Callable[[Page], Sequence[Record] | None]
"""A layout returns the records of a page that it recognises (a list may be empty), else None."""

MAX_BYTES = 16 * 1024 * 1024
"""A larger page is not parsed: no page of a film comes near it, and a tree takes ten times that."""

_END_OF_FEED = re.compile(rb"</(?:urlset|sitemapindex|rss|feed)\s*>", re.I)


def read(page: Page) -> list[Record]:
    """Every record of a page; one that carries the outcome where nothing could be read, and none
    of a list that is read and holds nothing.

    Never raises for what a page holds: a body that no layout fits is `unreadable`, and a layout
    that fails on a page is `unreadable` too, with the exception's name in `detail`.
    """
    page = _with(page, in_utf8(page.body, page.header("content-type")))
    refusal = refused_by_status(page)
    module = import_module(f"spiders.pages.{page.source}")
    peculiar: Callable[[Page], tuple[Outcome, str] | None] | None = getattr(module, "refusal", None)
    if peculiar:
        refusal = peculiar(page) or refusal
    if refusal:
        return [_failed(page, *refusal)]
    if len(page.body) > MAX_BYTES:
        size = len(page.body) // 1_000_000
        return [_failed(page, Outcome.UNREADABLE, f"the page is larger than any known: {size} MB")]
    layouts: Mapping[str, Layout] = module.LAYOUTS
    others = None
    page = _with(page, as_sites_write(page.body))
    if other := other_source(page):
        return [_failed(page, Outcome.UNREADABLE, f"the page says that it is one of {other.name}")]
    for name, layout in layouts.items():
        try:
            records = layout(page)
        except Exception as fault:  # noqa: BLE001  a fault must cost this page, not the crawl
            why = f"layout {name} failed: {type(fault).__name__}: {fault}"[:300]
            return [_failed(page, Outcome.UNREADABLE, why)]
        if records is not None and _are_all_others(page, records):
            others = f"a page of one title, of which layout {name} shows {len(records)} others"
        elif records is not None and not records and _is_cut(page):
            others = f"a page that is cut short before the first entry of layout {name}"
        elif records is not None:
            return [record.model_copy(update={"layout": name}) for record in records]
    if said := said_instead(page):
        return [_failed(page, *said)]
    what = others or ("no known layout fits" if page.body.strip() else "the body is empty")
    return [_failed(page, Outcome.UNREADABLE, what)]


def _is_cut(page: Page) -> bool:
    is_whole = page.complete or _END_OF_FEED.search(page.body[-4096:])
    return beginning(page.body).startswith(b"<") and not is_whole


def _with(page: Page, body: bytes) -> Page:
    return page if body is page.body else replace(page, body=body)


@cache
def reader_version(source: str) -> str:
    """A digest of the source's reader and of what readers share.

    What an older reader stored is not confirmed by a 304: once any of this code changes, pages
    are asked in full again, without anybody having to remember a version number.
    """
    folder = Path(__file__).parent
    others = {s.key for s in SOURCES} - {source}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        if not any(path.stem == key or path.stem.startswith(f"{key}_") for key in others):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def reader_versions() -> dict[str, str]:
    """`reader_version` of each source, by its key."""
    return {source.key: reader_version(source.key) for source in SOURCES}


def _are_all_others(page: Page, records: Sequence[Record]) -> bool:
    """Whether a page of one title shows several others, which stand in its margins, or is a list of
    nothing. (One title in place of another is for whoever asked to judge: a site may have moved it.
    What lies below a title's address may well list others.)"""
    own = by_key(page.source).source_id(live_url(page.url))
    if own is None or not page.path.endswith(own):
        return False
    if len(records) == 1:
        return False
    return all(record.source_id not in (None, own) for record in records)


def _failed(page: Page, outcome: Outcome, detail: str) -> Record:
    return Record(
        source=page.source,
        source_id=by_key(page.source).source_id(live_url(page.url)),
        url=page.url,
        outcome=outcome,
        detail=detail,
    )

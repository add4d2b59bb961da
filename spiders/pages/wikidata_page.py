"""An item's page at www.wikidata.org as people see it, in the form of the REST API's items."""

from __future__ import annotations

import re
from typing import Any

from bs4 import Tag

from spiders.pages.embedded import plain
from spiders.pages.page import Page

_ITEM = re.compile(rb"\bid=[\"']?wb-item-(Q[1-9]\d*)\b")
_ENTITY = re.compile(r"/wiki/(Q[1-9]\d*)$")


def item_shown(page: Page) -> dict[str, Any] | None:
    """The item, or None where this is no page of one.

    Of a page that is cut short, the last claim is left out: it may have had more values.
    """
    found = _ITEM.search(page.body)
    if not found:
        return None
    qid = found[1].decode()
    groups = list(page.tree.select(".wikibase-statementgroupview[id]"))
    if not page.complete:
        groups = groups[:-1]
        if not groups:
            return None
    title = plain(page.tree.title.get_text()) if page.tree.title else None
    label = re.sub(r"\s+[-\u2013]\s+Wikidata$", "", title) if title else qid
    return {
        "id": qid,
        "labels": {} if label == qid else {"en": label},
        "statements": {str(group["id"]): _statements(group) for group in groups},
    }


def _statements(group: Tag) -> list[dict[str, Any]]:
    return [_statement(view) for view in group.select(".wikibase-statementview")]


def _statement(view: Tag) -> dict[str, Any]:
    ranks = (name.removeprefix("wb-") for name in view.get_attribute_list("class") if name)
    # Qualifiers and references are written in the same way, beside it.
    value = view.select_one(
        ".wikibase-statementview-mainsnak .wikibase-snakview-variation-valuesnak"
    )
    return {
        "rank": next((rank for rank in ranks if rank in {"preferred", "normal"}), None),
        "value": {"type": "value", "content": _content(value)} if value else {},
    }


def _content(value: Tag) -> str:
    """What the API has for other items and for ids; of a time, the text."""
    link = value.select_one("a[href]")
    item = _ENTITY.search(str(link["href"])) if link else None
    return item[1] if item else next(value.stripped_strings, "")

"""The addresses that a page states: its own, and those it links to."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from spiders.pages.page import Page
from spiders.sources import Source, by_key, source_of_url

# Pages saved by the Wayback Machine link through it: /web/20140101000000im_/http://site/path
_ARCHIVED = re.compile(r"(?:https?://[^/]+)?/web/\d{4,14}(?:[a-z]{2}_)?/(?=https?:)", re.I)


def live_url(url: str) -> str:
    """An address without the prefix that a web archive puts before it.

    >>> live_url("/web/20140101000000/http://mediastinger.com/in-theaters/")
    'http://mediastinger.com/in-theaters/'
    """
    return _ARCHIVED.sub("", url.strip(), count=1)


def linked_url(page: Page, href: str) -> str | None:
    """Where a link of the page leads, or None where it is no address at all."""
    try:
        url = urljoin(live_url(page.url), live_url(href))
        urlsplit(url)
    except ValueError:  # "http://[", for one
        return None
    return url


def canonical_url(page: Page) -> str | None:
    """The address that the page's tree states as its own, or None where it states none."""
    for selector, attribute in (
        ('link[rel~="canonical"][href]', "href"),
        ('meta[property="og:url"][content]', "content"),
    ):
        stated = page.tree.select_one(selector)
        if stated and (url := str(stated[attribute]).strip()):
            return linked_url(page, url)
    return None


_OWN_ADDRESS = re.compile(
    rb"<(?:link\b(?=[^<>]*\brel=\"?canonical\b)|meta\b(?=[^<>]*\bproperty=\"?og:url\b))"
    rb"[^<>]*\b(?:href|content)=\"?([^\"\s<>]+)",
    re.I,
)
_HEAD_WITHIN = 131_072
"""Bytes of a page in which its head states whose it is."""


def other_source(page: Page) -> Source | None:
    """The source of which the page's head says that it is, where that is not the one asked."""
    stated = _OWN_ADDRESS.search(page.body, 0, _HEAD_WITHIN)
    said = source_of_url(live_url(stated[1].decode("utf-8", "replace"))) if stated else None
    return said if said and said.key != page.source else None


def own_source_id(page: Page) -> str | None:
    """The source_id of what the page says that it shows, else the one in the URL asked."""
    source = by_key(page.source)
    stated = canonical_url(page)
    return (source.source_id(stated) if stated else None) or source.source_id(live_url(page.url))


def on_same_host(page: Page, href: str) -> str | None:
    """A link of the page, on the host that the page was asked from.

    A list goes on where it was begun, whether the site links to `http://www.…` or a replica
    stands in for it.
    """
    url = linked_url(page, href)
    if url is None:
        return None
    asked, linked = urlsplit(live_url(page.url)), urlsplit(url)
    return urlunsplit((asked.scheme, asked.netloc, linked.path, linked.query, ""))

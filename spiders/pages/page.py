"""One fetched or saved page, parsed at most once and only as far as a layout needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from w3lib.encoding import html_to_unicode

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

_XML = re.compile(r"\A\ufeff?\s*<\?xml\b[^<>]*>")
_END = re.compile(rb"</html\s*>", re.I)

# Readers look at embedded data first. A BeautifulSoup tree of a 260 KB page takes about twenty
# times as long as finding one script by its id in the bytes, so `tree` is built on demand only.


@dataclass(frozen=True)
class Page:
    """A response as a reader sees it: its source, where it came from, status, headers, bytes."""

    source: str
    url: str
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    captured_on: str | None = None

    def header(self, name: str) -> str | None:
        """The value of a response header, whatever the case of its name."""
        wanted = name.casefold()
        return next((v for k, v in self.headers.items() if k.casefold() == wanted), None)

    @cached_property
    def path(self) -> str:
        """The path of the URL without its trailing slash."""
        return urlsplit(self.url).path.rstrip("/")

    @cached_property
    def complete(self) -> bool:
        """Whether the end of the HTML is there.

        A saved page may be cut short: only on a complete page may the absence of a score mean
        that there is none yet; on a cut one it is `missing`.
        """
        return bool(_END.search(self.body[-4096:]))

    @cached_property
    def text(self) -> str:
        """The body as text; bytes that fit no encoding become U+FFFD, never an exception."""
        return html_to_unicode(self.header("content-type"), self.body, default_encoding="utf8")[1]

    @cached_property
    def tree(self) -> BeautifulSoup:
        """The whole page as a BeautifulSoup tree on lxml. Slow: for visible layouts only.

        What stands after the last tag is left out: on a page that is cut short it may be half a
        figure. So is an XML declaration, which pages of HTML bear too.
        """
        from bs4 import BeautifulSoup  # not for readers of JSON, nor to know a reader's version

        whole_tags = self.text[: self.text.rfind(">") + 1]
        return BeautifulSoup(_XML.sub("", whole_tags, count=1), "lxml")

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None where it is not (or is cut short).

        Bytes that are no UTF-8 become U+FFFD: captured answers of Metacritic's backend hold some.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            return None

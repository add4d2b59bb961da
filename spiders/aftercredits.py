"""AfterCredits.com: every film's verdict from the lists of its WordPress API."""

from __future__ import annotations

from collections.abc import Iterable

from spiders.base import SourceSpider
from spiders.items import Record
from spiders.pages.aftercredits import next_page
from spiders.pages.page import Page
from spiders.plan import Target

MOVIES = 5
"""The category that every film's post is in."""


class AftercreditsSpider(SourceSpider):
    """Asks the list of film posts, page by page."""

    name = "aftercredits"

    def find_targets(self) -> Iterable[Target]:
        """The first page of a hundred."""
        posts = "https://aftercredits.com/wp-json/wp/v2/posts"
        yield Target(kind="list", url=f"{posts}?categories={MOVIES}&per_page=100&page=1")

    def follow(self, page: Page, target: Target, records: list[Record]) -> Iterable[Target]:
        """The next page, until the last."""
        url = next_page(page)
        if url:
            yield Target(kind="list", url=url)

"""What's After the Movie: pages named by the sitemap that its robots.txt names."""

from __future__ import annotations

from collections.abc import Iterable

from scrapy.exceptions import CloseSpider

from spiders.base import SourceSpider
from spiders.items import Record
from spiders.pages.page import Page
from spiders.pages.whatsafterthemovie import sitemaps
from spiders.plan import Target

ROBOTS = "https://www.whatsafterthemovie.com/robots.txt"


class WhatsafterthemovieSpider(SourceSpider):
    """Asks the sitemap in the find stage, then each listing's page.

    No other route to its pages is known: no list, no search, no form of URL to rely on.
    """

    name = "whatsafterthemovie"

    def find_targets(self) -> Iterable[Target]:
        """robots.txt, for the sitemaps that it names."""
        yield Target(kind="find", url=ROBOTS)

    def records(self, page: Page, target: Target) -> list[Record]:
        """robots.txt itself holds no records."""
        if target.url == ROBOTS and page.status == 200:
            return []
        return super().records(page, target)

    def follow(self, page: Page, target: Target, records: list[Record]) -> Iterable[Target]:
        """The sitemaps that robots.txt or an index of sitemaps names."""
        named = sitemaps(page)
        if target.url == ROBOTS and not named:
            raise CloseSpider(
                "skipped: its robots.txt names no sitemap; track its pages by URL, or read saved"
                " ones"
            )
        for url in named:
            yield Target(kind="list", url=url)

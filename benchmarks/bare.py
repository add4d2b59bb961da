"""The measure of a crawl: a bare Scrapy spider that throws away what it fetches.

`python -m benchmarks.bare FILE AT_ONCE`: the file has a URL a line. The settings are Scrapy's own,
apart from how many requests are out at once.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response


class BareSpider(scrapy.Spider):
    """Counts the pages that come."""

    name = "bare"
    urls: list[str]
    pages = 0

    async def start(self) -> AsyncIterator[Any]:
        """Every URL."""
        for url in self.urls:
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response: Response) -> None:
        """The page is there, and that is all."""
        self.pages += 1


def main(listed: Path, at_once: int) -> str | None:
    """Fetch what is listed; a complaint where not all of it came."""
    urls = listed.read_text("utf-8").split()
    process = AsyncCrawlerProcess(
        {
            "CONCURRENT_REQUESTS": at_once,
            "CONCURRENT_REQUESTS_PER_DOMAIN": at_once,
            "LOG_ENABLED": False,
        }
    )
    crawler = process.create_crawler(BareSpider)
    process.crawl(crawler, urls=urls)
    process.start()
    assert isinstance(crawler.spider, BareSpider)
    came = crawler.spider.pages
    return None if came == len(urls) else f"{came} of {len(urls)} pages came"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))

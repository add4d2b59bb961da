"""One crawl in a process of its own: a plan comes in on standard input, answers go out on standard
output as JSON lines, and the last line says how it ended. It never opens the database."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.project import get_project_settings
from twisted.web.client import HTTPConnectionPool

from spiders.base import SourceSpider
from spiders.items import Answer
from spiders.plan import Plan


class HandOverPipeline:
    """Writes each answer as one line for the run process, which stores it."""

    def process_item(self, item: Answer) -> Answer:
        """One line, flushed at once: a crawl that is killed has handed over all it read."""
        try:
            sys.stdout.write(item.model_dump_json(exclude_defaults=True) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(1)  # the run is gone, and nobody would store what is asked from here on
        return item


def spider_of(source: str) -> type[SourceSpider]:
    """The spider class in `spiders/<source>.py`."""
    module = import_module(f"spiders.{source}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, SourceSpider)
        and value.__module__ == module.__name__
    )


def crawl_settings(plan: Plan) -> Settings:
    """The project's settings with the manners of this plan."""
    settings: Settings = get_project_settings()
    settings.setmodule("spiders.settings", priority="project")
    settings.setdict(
        {
            "USER_AGENT": plan.user_agent,
            "DOWNLOAD_DELAY": 1.25 * plan.delay_seconds,
            # The class is given by us: to know it by name, Scrapy would import every source's
            # spider and reader, and each crawl would start later and 14 MB larger.
            "SPIDER_MODULES": [],
        },
        priority="cmdline",
    )
    return settings


def main() -> int:
    """Run the crawl that standard input describes."""
    plan = Plan.model_validate_json(sys.stdin.buffer.read())
    HTTPConnectionPool.retryAutomatically = False  # at once, that is; Patience waits before it does
    process = AsyncCrawlerProcess(crawl_settings(plan))
    crawler = process.create_crawler(spider_of(plan.source))
    process.crawl(crawler, plan=plan)
    process.start()
    stats: dict[str, Any] = crawler.stats.get_stats()
    end = {
        "reason": stats.get("finish_reason"),
        "dropped": stats.get("item_dropped_count", 0),
        "faults": sum(n for name, n in stats.items() if name.startswith("spider_exceptions/")),
    }
    sys.stdout.write(json.dumps({"end": end}) + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One crawl in a process of its own: a plan comes in on standard input, answers go out on standard
output as JSON lines, signs of life between them, and the last line says how it ended. It never
opens the database."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.extensions.memusage import MemoryUsage
from scrapy.settings import Settings
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.misc import load_object
from twisted.web.client import HTTPConnectionPool

from pipelines.validate import ValidatePipeline
from schedules.leash import keep_to
from spiders.base import SENT_AWAY, SourceSpider
from spiders.items import Answer
from spiders.plan import Plan

SIGN_SECONDS = 10.0
"""Between two signs of life, and two looks at the memory; less where the plan bears less silence.
"""

BYTES_A_MEGABYTE = 1 << 20


class HandOverPipeline:
    """Writes each answer as one line for the run process, which stores it."""

    def process_item(self, item: Answer) -> Answer:
        """A crawl that is killed has handed over all it read."""
        hand_over(item.model_dump_json(exclude_defaults=True))
        return item


class SignsOfLife:
    """Says now and then that the crawl is alive, for as long as its event loop turns; and at once
    when a site wants to be left alone, since whoever asks it next has to know."""

    def __init__(self, crawler: Crawler) -> None:
        self._seconds = crawler.settings.getfloat("SIGN_SECONDS")
        self._crawler = crawler
        self._telling = create_looping_call(self.tell)
        crawler.signals.connect(self.start, signal=signals.engine_started)
        crawler.signals.connect(self.stop, signal=signals.engine_stopped)
        crawler.signals.connect(self.tell, signal=SENT_AWAY)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SignsOfLife:
        """Made by Scrapy."""
        return cls(crawler)

    def start(self) -> None:
        """The first sign at once: all is imported."""
        self._telling.start(self._seconds, now=True)

    def tell(self) -> None:
        """One sign, with the seconds for which the source should not be asked, and those of them
        for which it said so."""
        spider = cast("SourceSpider", self._crawler.spider)
        seconds = (round(spider.away_seconds, 1), round(spider.sent_away_seconds, 1))
        hand_over(json.dumps({"alive": seconds}))

    def stop(self) -> None:
        """No more of them."""
        self._telling.stop()


class Memory(MemoryUsage):
    """Scrapy's extension, which ends a crawl in order once it has needed too much memory."""

    def get_virtual_size(self) -> int:
        """The most bytes that this process has held at once.

        Linux starts `ru_maxrss`, which Scrapy looks at, from the most that its parent has held.
        """
        status = Path("/proc/self/status")
        if not status.exists():
            return int(super().get_virtual_size())
        return _kilobytes(status, "VmHWM") * 1_024


def hand_over(line: str) -> None:
    """One line for the run process, flushed at once."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)  # the run is gone, and nobody would store what is asked from here on


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
    settings = _settings()
    seconds = min(SIGN_SECONDS, 60 * plan.limits.silent_minutes / 5)
    settings.setdict(
        {
            "USER_AGENT": plan.user_agent,
            "DOWNLOAD_TIMEOUT": plan.limits.answer_seconds,
            "CLOSESPIDER_TIMEOUT": max(plan.seconds_left, 0.001),  # 0 would be: no limit
            "MEMUSAGE_LIMIT_MB": plan.limits.megabytes,
            "MEMUSAGE_CHECK_INTERVAL_SECONDS": seconds,
            "SIGN_SECONDS": seconds,
            # The class is given by us: to know it by name, Scrapy would import every source's
            # spider and reader, and each crawl would start later and be larger.
            "SPIDER_MODULES": [],
        },
        priority="cmdline",
    )
    return settings


def _settings() -> Settings:
    """Those of every crawl: how it asks, and what becomes of its answers."""
    settings = Settings()
    settings.setmodule("spiders.settings", priority="project")
    settings.setdict(
        {
            "ITEM_PIPELINES": {ValidatePipeline: 100, HandOverPipeline: 900},
            "EXTENSIONS": {Memory: 0, SignsOfLife: 0},
        },
        priority="project",
    )
    return settings


def bound_memory(megabytes: int) -> None:
    """Let the process have twice as much memory, and no more, beside what it has by now.

    For what happens between two looks of `Memory`: who asks for more is given a MemoryError.
    """
    status = Path("/proc/self/status")
    if status.exists():
        bound = _kilobytes(status, "VmData") * 1_024 + 2 * megabytes * BYTES_A_MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def ended_for(reason: str, plan: Plan) -> str:
    """Scrapy's reason for an end, in our words where it is one of ours."""
    limits = plan.limits
    return {
        "closespider_timeout": limits.out_of_time,
        "memusage_exceeded": f"error: it needed more than {limits.megabytes} MB of memory",
    }.get(reason, reason)


def prepare() -> None:
    """Load what Scrapy loads by name as a crawl begins: whoever is forked from here has it."""
    settings = _settings()
    for kind in ("DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "EXTENSIONS", "ITEM_PIPELINES"):
        for path in settings.getwithbase(kind):
            load_object(path)
    for handler in settings.getwithbase("DOWNLOAD_HANDLERS").values():
        if handler is not None:
            load_object(handler)
    for kind in (
        "DOWNLOADER",
        "SCHEDULER",
        "ITEM_PROCESSOR",
        "DUPEFILTER_CLASS",
        "ROBOTSTXT_PARSER",
    ):
        load_object(settings[kind])


def main(leash: int) -> int:
    """Run the crawl that standard input describes, for as long as the `leash` (a pipe) allows."""
    plan = Plan.model_validate_json(sys.stdin.buffer.read())
    faulthandler.enable(all_threads=False)  # one that is aborted writes down where it hung
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    keep_to(leash)
    HTTPConnectionPool.retryAutomatically = False  # at once, that is; Patience waits before it does
    process = AsyncCrawlerProcess(crawl_settings(plan))
    crawler = process.create_crawler(spider_of(plan.source))
    bound_memory(plan.limits.megabytes)
    process.crawl(crawler, plan=plan)
    process.start()
    stats: dict[str, Any] = crawler.stats.get_stats()
    spider = cast("SourceSpider | None", crawler.spider)
    end = {
        "away_seconds": round(spider.away_seconds, 1) if spider else 0.0,
        "reason": ended_for(str(stats.get("finish_reason")), plan),
        "dropped": stats.get("item_dropped_count", 0),
        "faults": sum(n for name, n in stats.items() if name.startswith("spider_exceptions/")),
    }
    hand_over(json.dumps({"end": end}))
    return 0


def _kilobytes(status: Path, name: str) -> int:
    """A figure of the kernel's on this process, such as `VmHWM:  11228 kB`."""
    lines = status.read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

"""How a guest behaves: only known hosts, only what robots.txt allows, one wait after another."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from email.utils import parsedate_to_datetime
from random import uniform
from typing import Self, cast
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser

from spiders.base import TIMES_A_PAGE, SourceSpider
from spiders.failures import ForbiddenByRobots, OutsideRegister, RobotsUnreadable, no_answer
from spiders.plan import LONGEST_WAIT
from spiders.spacing import Spacing

RETRIES = 2
MOST_JITTER = 1.5
"""How many times as long as the delay a wait may be, by chance."""

_RETRIED = frozenset({408, 429, 500, 502, 503, 504, 522, 524})
_SENT_AWAY = frozenset({429, 503})
"""A Retry-After with one of these is meant for all of the site, and is kept after the crawl too."""

_LARGE = frozenset(kind for kind, times in TIMES_A_PAGE.items() if times >= 10)
"""Targets whose answers are given many minutes."""


class _Manner:
    """One of Scrapy's middlewares, which knows its crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy."""
        return cls(crawler)

    @property
    def _guest(self) -> SourceSpider:
        """The spider whose manners these are."""
        return cast("SourceSpider", self._crawler.spider)


class RegisterHosts(_Manner):
    """Lets through only requests to the source's hosts; redirects pass here too."""

    def process_request(self, request: Request) -> None:
        """Raises OutsideRegister for a request that leads elsewhere."""
        parts = urlsplit(request.url)
        if (parts.scheme, parts.netloc) not in self._guest.reachable:
            raise OutsideRegister(f"{parts.scheme}://{parts.netloc} is not a host of the register")


class RobotsTxt(_Manner):
    """Obeys robots.txt as RFC 9309 has it: where it cannot be read for a server's error, nothing
    of that host is asked; Scrapy's own middleware would ask everything."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._rules: dict[str, ProtegoRobotParser | str] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def process_request(self, request: Request) -> None:
        """Raises ForbiddenByRobots or RobotsUnreadable.

        A crawl-delay longer than ours is kept from here on.
        """
        if request.meta.get("robots"):
            return
        parts = urlsplit(request.url)
        site = f"{parts.scheme}://{parts.netloc}"
        async with self._reading[site]:
            if site not in self._rules:
                self._rules[site] = await self._read(site)
        rules = self._rules[site]
        if isinstance(rules, str):
            raise RobotsUnreadable(rules)
        agent = self._guest.plan.user_agent
        if not rules.allowed(request.url, agent):
            raise ForbiddenByRobots(f"robots.txt of {parts.netloc} forbids {parts.path}")

    async def _read(self, site: str) -> ProtegoRobotParser | str:
        """The rules of a site, or why nothing may be asked of it."""
        request = Request(f"{site}/robots.txt", meta={"robots": True}, callback=NO_CALLBACK)
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception as fault:  # noqa: BLE001  any failure to read it means: do not ask
            return f"robots.txt of {site} could not be read: {no_answer(fault)}"
        if response.status >= 500 or response.status == 429:
            return f"robots.txt of {site} answered {response.status}"
        body = response.body if response.status < 300 else b""
        rules = ProtegoRobotParser.from_crawler(self._crawler, body)
        delay = rules.crawl_delay(self._guest.plan.user_agent)
        if delay and delay > LONGEST_WAIT:
            return f"robots.txt of {site} asks for {delay:g} seconds between two requests"
        if delay:
            host = urlsplit(site).netloc
            self._guest.spacing[host] = float(delay)
            self._guest.hold(host, float(delay))
        return rules


class Patience(_Manner):
    """Waits: between requests, with all processes on this machine; before a retry with back-off;
    and for as long as Retry-After says."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._spacing = Spacing()

    async def process_request(self, request: Request) -> None:
        """Holds the request until its host may be asked again.

        The wait is never shorter than what the register or robots.txt asks for, and up to half as
        long again at random.
        """
        guest, host = self._guest, urlsplit(request.url).netloc
        await asyncio.sleep(max(0.0, guest.not_before.get(host, 0.0) - time.monotonic()))
        delay = max(guest.plan.delay_seconds, guest.spacing.get(host, 0.0))
        if delay:
            some_more = uniform(1.0, MOST_JITTER)  # noqa: S311  no secret
            await asyncio.sleep(self._spacing.turn(host, delay * some_more))
            self._spacing.went(host, delay)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Retries what may pass: 5xx, 408 and 429, at most twice."""
        self._space(request)
        if response.status not in _RETRIED or self._would_be_in_vain(request, response):
            return response
        asked_for = _retry_after(response.headers.get("Retry-After"))
        if asked_for is not None and response.status in _SENT_AWAY:
            self._guest.stay_away(asked_for)
        return self._again(request, asked_for or 0.0, f"status {response.status}") or response

    def _would_be_in_vain(self, request: Request, response: Response) -> bool:
        """Whether an answer to the heaviest of questions says that it met the service's deadline,
        which it would again: Wikidata's does so with a 500."""
        return _kind(request) == "whole_crosswalk" and response.status == 500

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Retries time-outs, lost connections and cut bodies, at most twice."""
        if isinstance(exception, IgnoreRequest):
            return None
        self._space(request)
        if isinstance(exception, DownloadCancelledError):  # too large, and would be so again
            return None
        if isinstance(exception, DownloadTimeoutError) and _kind(request) in _LARGE:
            return None  # it had many minutes, and the other sources wait for it
        return self._again(request, 0.0, type(exception).__name__)

    def _space(self, request: Request) -> None:
        """The host's next request waits from now on, where robots.txt asks for it."""
        host = urlsplit(request.url).netloc
        self._guest.hold(host, self._guest.spacing.get(host, 0.0))

    def _again(self, request: Request, asked_for: float, reason: str) -> Request | None:
        tried = int(request.meta.get("retry_times", 0))
        wait = max(self._guest.plan.backoff_seconds * 2**tried, asked_for)
        if wait > LONGEST_WAIT:
            return None
        again = get_retry_request(
            request,
            spider=self._guest,
            reason=reason,
            max_retry_times=RETRIES,
            give_up_log_level="DEBUG",
        )
        if again is not None:
            self._guest.hold(urlsplit(request.url).netloc, wait)
        return again


def _kind(request: Request) -> str | None:
    """The kind of its target; robots.txt is none."""
    target = request.cb_kwargs.get("target")
    return target.kind if target else None


def _retry_after(header: bytes | None) -> float | None:
    """Seconds to wait from a Retry-After header, given in seconds or as a date; None: none, or none
    that can be understood."""
    if not header:
        return None
    text = header.decode("latin-1").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):  # no date; one of a year that no clock knows
        return None

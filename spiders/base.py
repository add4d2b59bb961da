"""What all spiders share: from a plan's targets to answers, with conditional requests, typed
outcomes, and an end to the crawl where the site blocks it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import scrapy
from scrapy.exceptions import CloseSpider, DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from spiders.failures import ForbiddenByRobots, RobotsUnreadable, no_answer
from spiders.items import Answer, Outcome, Record
from spiders.pages.page import Page
from spiders.pages.reading import read
from spiders.plan import LONGEST_ABSENCE, Plan, Target
from spiders.sources import by_key

STOPPING = (Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.UNAUTHORISED)
"""Outcomes that end the source's crawl for this run: to go on asking would be rude, and futile."""

TIMES_A_PAGE = {
    "dataset": 30,
    "akas": 60,
    "crew": 60,
    "export": 10,
    "whole_crosswalk": 10,
    "crosswalk": 2,
}
"""How many times as long as a page an answer may take that is none: half an hour for 230 MB, which
a line of 1 Mbit/s brings."""

SENT_AWAY = object()
"""The signal that a site wants to be left alone for longer than the plan says: see `away_seconds`.
"""

FAILURES_IN_A_ROW = 20
"""After so many answers in a row that could not be used, the site is down, or has changed: whatever
else is due would be asked in vain."""


class SourceSpider(scrapy.Spider):
    """Asks the targets of a plan, one after another, and yields one `Answer` for each response.

    A source's spider is a name, and where it differs one of the hooks: `find_targets` (what to ask
    in the find stage), `headers` (a key), `records` (how to read), `answer_fields` (what else
    an answer says), `follow` (further pages).
    """

    def __init__(self, plan: Plan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.source = by_key(self.name)
        self.stand_ins = {
            host.url: plan.hosts.get(host.role, host.url) for host in self.source.hosts
        }
        self.reachable = {urlsplit(url)[:2] for url in self.stand_ins.values()}
        self.spacing: dict[str, float] = {}
        self.not_before: dict[str, float] = {}
        self._away_until = 0.0
        self.waiting: deque[Target] = deque(plan.targets)
        self._led_from: dict[str, str] = {}
        self._circle = ""
        self.failures = 0
        self._dealt_with = asyncio.Event()

    # --- hooks --------------------------------------------------------------------------------

    def find_targets(self) -> Iterable[Target]:
        """What to ask in the find stage, beside the plan's own targets."""
        return ()

    def headers(self, target: Target) -> dict[str, str]:
        """Headers that this source needs beside the usual ones."""
        return {}

    def records(self, page: Page, target: Target) -> list[Record]:
        """The records of a page."""
        return read(page)

    def answer_fields(self, page: Page, target: Target) -> Mapping[str, Any]:
        """What else an answer says, as fields of `Answer`."""
        return {}

    def follow(self, page: Page, target: Target, records: list[Record]) -> Iterable[Target]:
        """Further targets that a page leads to, such as the next page of a list."""
        return ()

    # --- asking -------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Any]:
        """Every target of the plan, in its order, then those that pages led to.

        Each is asked when the last answer has been dealt with: Scrapy by itself would have sent
        one more request by the time that a page turns out to be a block.
        """
        await asyncio.sleep(self.plan.first_wait_seconds)
        if self.plan.stage == "find":
            self.waiting.extend(self.find_targets())
        while self.waiting:
            self._dealt_with.clear()
            yield self.ask(self.waiting.popleft())
            await self._dealt_with.wait()

    def ask(self, target: Target) -> scrapy.Request:
        """The request for a target, conditional where the target has validators."""
        headers = self.headers(target)
        if target.etag:
            headers["If-None-Match"] = target.etag
        if target.last_modified:
            headers["If-Modified-Since"] = target.last_modified
        return scrapy.Request(
            self.reach(target.url.partition("#")[0]),
            headers=headers,
            callback=self._deal_with_answer,
            errback=self._deal_with_failure,
            cb_kwargs={"target": target, "asked": time.monotonic()},
            meta={
                "download_maxsize": self.source.max_megabytes * 1_000_000,
                "download_timeout": self.plan.limits.answer_seconds
                * TIMES_A_PAGE.get(target.kind, 1),
            },
            dont_filter=True,
        )

    def reach(self, url: str) -> str:
        """The URL with a stand-in for its host, where the settings name one."""
        for public, stand_in in self.stand_ins.items():
            if url.startswith(public):
                return stand_in.rstrip("/") + url[len(public) :]
        return url

    def published(self, url: str) -> str:
        """The opposite of `reach`: a stand-in's URL as the source publishes it."""
        for public, stand_in in self.stand_ins.items():
            if url.startswith(stand_in):
                return public + url[len(stand_in.rstrip("/")) :]
        return url

    # --- waiting ------------------------------------------------------------------------------

    def hold(self, host: str, seconds: float) -> None:
        """Ask a host nothing for as long, from now on."""
        self.not_before[host] = max(self.not_before.get(host, 0.0), time.monotonic() + seconds)
        if seconds > self.plan.delay_seconds:
            self.crawler.signals.send_catch_log(SENT_AWAY)

    def stay_away(self, seconds: float) -> None:
        """The site wants to be left alone for as long: this crawl may end over it, and whoever
        asks next has to know."""
        self._away_until = max(self._away_until, time.monotonic() + min(seconds, LONGEST_ABSENCE))
        self.crawler.signals.send_catch_log(SENT_AWAY)

    @property
    def sent_away_seconds(self) -> float:
        """For how long from now the site wants to be left alone, by a Retry-After."""
        return max(0.0, self._away_until - time.monotonic())

    @property
    def away_seconds(self) -> float:
        """For how long from now the source should not be asked, by its own word or by ours."""
        until = max(self.not_before.values(), default=0.0) - time.monotonic()
        return min(max(until, self.sent_away_seconds), LONGEST_ABSENCE)

    # --- answers ------------------------------------------------------------------------------

    def _deal_with_answer(
        self, response: Response, target: Target, asked: float
    ) -> Iterator[Answer]:
        try:
            yield from self.answered(response, target, asked)
        except MemoryError:
            self._end("error: it needed more memory than it may have")
        finally:
            self._dealt_with.set()

    def _deal_with_failure(self, failure: Failure) -> Iterator[Answer]:
        try:
            yield from self.failed(failure)
        finally:
            self._dealt_with.set()

    def answered(self, response: Response, target: Target, asked: float) -> Iterator[Answer]:
        """A response came: one answer; whatever the page leads to waits for its turn."""
        redirected = "redirect_urls" in response.meta
        page = Page(
            source=self.name,
            url=self.published(response.url) if redirected else target.url.partition("#")[0],
            body=response.body,
            status=response.status,
            headers={
                name.decode("latin-1"): b", ".join(values).decode("latin-1")
                for name, values in response.headers.items()
            },
        )
        unchanged = response.status == 304 and bool(target.etag or target.last_modified)
        records = [] if unchanged else self.records(page, target)
        outcome = records[0].outcome if records else Outcome.OK
        detail = records[0].detail if records else None
        yield Answer(
            **self.about(target, page.url if redirected else target.url),
            outcome=outcome,
            http_status=response.status,
            unchanged=unchanged,
            etag=page.header("etag"),
            last_modified=page.header("last-modified"),
            records=tuple(records),
            seconds=round(time.monotonic() - asked, 3),
            detail=detail,
            **self.answer_fields(page, target),
        )
        if not unchanged and outcome is Outcome.OK:
            self._go_on(target, self.follow(page, target, records))
        self._mind(outcome, detail)

    def _go_on(self, target: Target, further: Iterable[Target]) -> None:
        """Let what a page leads to wait for its turn, each URL once. Where it leads back to itself,
        or to a page that led to it, nobody knows whether all of the list has come."""
        for one in further:
            if one.url in self._way_to(target.url):
                self._circle = f"partly: {target.url} leads back to {one.url}"
            elif one.url not in self._led_from:
                self._led_from[one.url] = target.url
                self.waiting.append(one)

    def _way_to(self, url: str | None) -> Iterator[str]:
        """A page's URL, and those of the pages that led to it."""
        while url:
            yield url
            url = self._led_from.get(url)

    def failed(self, failure: Failure) -> Iterator[Answer]:
        """No response came, or none that we may have."""
        target: Target = failure.request.cb_kwargs["target"]  # type: ignore[attr-defined]  # by Scrapy
        outcome, detail = _reason(failure, self.source.max_megabytes)
        yield Answer(**self.about(target), outcome=outcome, detail=detail)
        if isinstance(failure.value, RobotsUnreadable):
            self._end(f"error: {detail}")
        self._mind(outcome, detail, this_page=isinstance(failure.value, ForbiddenByRobots))

    def about(self, target: Target, url: str | None = None) -> dict[str, Any]:
        """What every answer to a target says, as fields of `Answer`: what was asked, when (now),
        and which URL answered (None: the one that was asked)."""
        return {
            "source": self.name,
            "target": target.kind,
            "asked_url": target.url,
            "url": url or target.url,
            "asked_source_id": target.source_id,
            "asked_at": _now(),
        }

    def _mind(self, outcome: Outcome, detail: str | None, *, this_page: bool = False) -> None:
        """End the crawl where the site blocks us (and not `this_page` alone), or has said nothing
        of use for long. Where pages led in a circle, the end is not that of a whole list."""
        if outcome in STOPPING and not this_page:
            self._end(f"{outcome.value}: {detail}")
        useless = this_page or outcome in (Outcome.ERROR, Outcome.UNREADABLE)
        self.failures = self.failures + 1 if useless else 0
        if self.failures >= FAILURES_IN_A_ROW:
            self._end(f"{outcome.value}: {self.failures} failures in a row, the last: {detail}")
        if self._circle and not self.waiting:
            self._end(self._circle)

    def _end(self, reason: str) -> NoReturn:
        self.waiting.clear()
        raise CloseSpider(reason)


def _reason(failure: Failure, max_megabytes: int) -> tuple[Outcome, str]:
    fault = failure.value
    if isinstance(fault, ForbiddenByRobots):
        return Outcome.BLOCKED, str(fault)
    if isinstance(fault, DownloadCancelledError) or "DOWNLOAD_MAXSIZE" in str(fault):
        return Outcome.UNREADABLE, f"the body is larger than {max_megabytes} MB"
    if isinstance(fault, IgnoreRequest):
        return Outcome.ERROR, str(fault)
    return Outcome.ERROR, no_answer(fault)


def _now() -> str:
    """The present time, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

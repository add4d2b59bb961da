"""Crawl processes, side by side: each gets a plan, and hands its answers back as they come.

One that dies, hangs or leaks never stops the others: each is watched, and ended alone.
"""

from __future__ import annotations

import json
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf
from queue import Queue

from schedules.leash import LEASE, LET_GO
from schedules.nursery import Nursery
from schedules.stage import (
    GATHER_SECONDS,
    PARTS_QUEUED,
    QUEUED,
    Ended,
    Heard,
    SentAway,
    gathered,
    is_part,
)
from spiders.items import Answer
from spiders.plan import Plan

STARTING_SECONDS = 60.0
"""A crawl that starts on a busy machine gives its first sign of life so much later."""

STOPPING_SECONDS = 30.0
"""A crawl that was told to end may take as long over the request in hand, at most: systemd kills us
all after 90."""

ABORTING_SECONDS = 5.0
"""A process that is aborted writes down where it was; one that cannot even do that is killed."""

STOOD_STILL_SECONDS = 2 * GATHER_SECONDS
"""Who takes as long to gather what comes stood still, and has not heard yet what was said."""

SENT_AWAY_AGAIN = 1.0
"""By so many seconds more than it said before, a source wants to be left alone for longer. Less is
what a sign of life takes on its way."""


class Processes:
    """Crawl processes on this machine. `stop` ends them after the request in hand.

    They ask nothing later than `leased_until`, on the monotonic clock, nor once this process is
    gone; `renew` grants them more time.
    """

    def __init__(self, plans: Sequence[Plan], nursery: Nursery, leased_until: float = inf) -> None:
        self._plans = plans
        self._nursery = nursery
        self._leased_until = leased_until
        self._queue: Queue[Heard] = Queue(QUEUED)
        self._parts = threading.Semaphore(PARTS_QUEUED)
        self._processes: list[_Watched] = []
        self._stopped = False

    def answers(self) -> Iterator[list[Heard]]:
        """Batches of what has come, until every crawl has ended; a batch may be empty."""
        for plan in self._plans:
            try:
                process = _Watched(plan, self._nursery, self._queue, self._parts)
            except OSError as fault:
                why = f"no process could be started: {fault}"
                self._queue.put(Ended(plan.source, "died", why))
                continue
            self._processes.append(process)
            process.renew(self._leased_until)
        if self._stopped:  # while they were being started, some of them after that
            self.stop()
        running = len(self._plans)
        while running:
            began = time.monotonic()
            batch = gathered(self._queue)
            now = time.monotonic()
            if now - began < STOOD_STILL_SECONDS:
                for process in self._processes:
                    process.watch(now)
            running -= sum(isinstance(item, Ended) for item in batch)
            yield batch
            for _ in filter(is_part, batch):
                self._parts.release()

    def stop(self) -> None:
        """Ask every crawl to end; what it has read still comes."""
        self._stopped = True
        for process in self._processes:
            process.stop()

    def kill(self) -> None:
        """End every crawl now."""
        for process in self._processes:
            process.kill()

    def renew(self, until: float) -> None:
        """Let the crawls ask until then."""
        self._leased_until = until
        for process in self._processes:
            process.renew(until)

    @property
    def away_seconds(self) -> float:
        """For how long from now a source wants to be left alone, as its crawl was told so far."""
        until = max((process.away_until for process in self._processes), default=0.0)
        return max(0.0, until - time.monotonic())


class _Watched:
    """One crawl process, and the thread that passes on what it says."""

    def __init__(
        self,
        plan: Plan,
        nursery: Nursery,
        queue: Queue[Heard],
        parts: threading.Semaphore,
    ) -> None:
        self._plan = plan
        self._queue = queue
        self._parts = parts
        self._silent_seconds = 60 * plan.limits.silent_minutes
        self._heard = time.monotonic() + STARTING_SECONDS
        self._ends_by = self._heard + plan.seconds_left + self._silent_seconds
        self._writer_is_slow = False
        self._stopped_by = inf
        self._overdue: str | None = None
        self._gone_by = 0.0
        self.away_until = 0.0
        self._sent_away_until = 0.0
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the process does
        try:
            self._process = nursery.start(self._said)
        except OSError:
            self._said.close()
            raise
        threading.Thread(target=self._pump, daemon=True).start()

    def stop(self) -> None:
        """Ask it to end after the request in hand, and see to it that it does."""
        patience = min(STOPPING_SECONDS, self._silent_seconds)
        self._stopped_by = min(self._stopped_by, time.monotonic() + patience)
        self._process.send_signal(signal.SIGTERM)

    def renew(self, until: float) -> None:
        """Let it ask until then."""
        with suppress(BrokenPipeError, ValueError):  # it has ended
            self._process.leash.write(LEASE.pack(until))

    def kill(self) -> None:
        """End it now."""
        self._process.send_signal(signal.SIGKILL)

    def watch(self, now: float) -> None:
        """Put an end to it where it is overdue. `now` is of the monotonic clock."""
        if self._overdue is None:
            self._overdue = self._why_overdue(now)
            if self._overdue is not None:
                self._gone_by = now + ABORTING_SECONDS
                self._process.send_signal(signal.SIGABRT)
        elif now > self._gone_by:
            self.kill()

    def _why_overdue(self, now: float) -> str | None:
        limits = self._plan.limits
        if self._writer_is_slow:  # it is waiting for us
            return None
        if now > self._stopped_by:
            return "killed: it did not end when told to"
        if now > self._ends_by:
            return f"killed: it did not end by itself after its {limits.crawl_hours:g} hours"
        if now > self._heard + self._silent_seconds:
            return f"killed: it gave no sign of life for {limits.silent_minutes:g} minutes"
        return None

    def _pump(self) -> None:
        reason, exception, away_seconds = "died", None, 0.0
        try:
            self._process.plan.write(self._plan.model_dump_json().encode())
            self._process.plan.close()
            for line in self._process.answers:
                self._hear()
                if line.startswith(b'{"end":'):
                    end = json.loads(line)["end"]
                    reason = str(end["reason"])
                    away_seconds = float(end["away_seconds"])
                    if end["faults"]:
                        exception = f"{end['faults']} exceptions in the spider"
                elif line.startswith(b'{"alive":'):
                    self._keep_away(*json.loads(line)["alive"])
                else:
                    self._pass_on(Answer.model_validate_json(line))
        except BrokenPipeError:
            pass  # it ended before it had read its plan; its status says how
        except (OSError, ValueError) as fault:
            exception = f"{type(fault).__name__}: {fault}"[:500]
            self.kill()
        status = self._process.wait()
        if reason == "died" and self._stopped_by < inf:
            # by `stop`: before Scrapy had begun to listen for it, or with a request in hand
            stopped = status == -signal.SIGTERM or self._overdue is not None
            reason = "shutdown" if stopped else reason
        if reason == "died" and status == LET_GO:
            reason = "let_go"
        self._process.answers.close()
        self._process.leash.close()
        if reason == "died" or exception:
            exception = exception or self._overdue
            exception = exception or f"the crawl process ended with status {status}"
            last = self._last_words()
            exception = f"{exception}\n{last}" if last else exception
        self._said.close()
        # One that was killed has told only while it was alive.
        away_seconds = max(away_seconds, self.away_until - time.monotonic())
        self._queue.put(Ended(self._plan.source, reason, exception, away_seconds))

    def _hear(self) -> None:
        """It is alive. From the first sign, given once all is imported, its hours count."""
        self._heard = time.monotonic()
        ends_by = self._heard + self._plan.seconds_left + self._silent_seconds
        self._ends_by = min(self._ends_by, ends_by)

    def _keep_away(self, seconds: float, sent_away: float) -> None:
        """It waits until its source may be asked again, and goes on then."""
        now = time.monotonic()
        self.away_until = now + seconds
        if sent_away and now + sent_away > self._sent_away_until + SENT_AWAY_AGAIN:
            self._sent_away_until = now + sent_away
            self._pass_on(SentAway(self._plan.source, sent_away))

    def _last_words(self) -> str:
        """The end of what it wrote; of one that was aborted, the calls that it was in."""
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace")
        _, aborted, calls = said.rpartition("(most recent call first):\n")
        return (calls[:2_000] if aborted else said[-2_000:]).strip()

    def _pass_on(self, item: Answer | SentAway) -> None:
        """Queue it; where the writer cannot keep up, the crawl waits, and is not blamed."""
        self._writer_is_slow = True
        if is_part(item):
            self._parts.acquire()
        self._queue.put(item)
        self._heard = time.monotonic()
        self._writer_is_slow = False

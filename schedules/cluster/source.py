"""One source's crawl on a cluster: batch after batch of what has not been answered yet, one at a
time, each by the worker that has least to do."""

from __future__ import annotations

import asyncio
import time
from asyncio import CancelledError, wait_for
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit
from uuid import uuid4

from distributed import Client, Lock

from schedules.cluster.connection import (
    PATIENCE_SECONDS,
    Connection,
    KeyMissing,
    words,
)
from schedules.cluster.worker import LEASE_SECONDS, Batch, Taken
from schedules.stage import Ended, Heard, SentAway
from spiders.items import Answer
from spiders.plan import LONGEST_WAIT, Plan, Target

BATCH_SECONDS = 300.0
"""How long a batch is asked for, about. To start one takes two seconds, and gives the crawl to the
worker that has least to do by then."""

FEWEST, MOST = 25, 500
"""Listings in a batch. Were they fewer, no batch would see a site fail 20 times in a row."""

MARGIN_SECONDS = 2.0
"""By how much longer a lease holds for us than for the crawl: clocks differ in speed, a process
takes a moment to die, and its last request another to arrive."""

LOST_IN_A_ROW = 3
"""Workers that a source's batches may cost with no answer in between. Then it is given up: what
kills them is in the batch."""


_OF_THE_WORKER = ("let_go", "died")
"""Ends of a batch that say nothing of the source: another worker may do better."""


class Over(Exception):
    """A source's crawl ends before its time, as `ended` says."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended)
        self.ended = ended


class _Lost(Exception):
    """A batch was lost with its worker, or whatever lies between us."""


class OneSource:
    """The crawl of one plan. What comes is `put` where the writer takes it, never more answers than
    there is `room` for. `stopped` asks it to end after the request in hand, `killed` at once; any
    thread may set them."""

    def __init__(
        self,
        plan: Plan,
        connection: Connection,
        put: Callable[[Heard], None],
        room: Callable[[], int],
    ) -> None:
        self.key = plan.source
        self.stopped = False
        self.killed = False
        self._plan = plan
        self._connection = connection
        self._put = put
        self._room = room
        self._left: Sequence[Target] = plan.targets
        self._began = self._heard = time.monotonic()
        self._free_at = self._began + plan.first_wait_seconds
        self._away_until = 0.0
        self._lost = 0
        self._exception: str | None = None

    async def crawl(self) -> Ended:
        """Until nothing is left. Raises Over where it has to end before."""
        while self._left:
            try:
                client = await self._connection.open()
                async with self._hosts_leased(client):
                    while self._left:
                        self._mind_the_end()
                        await self._crawl_batch(client, await self._worker())
            except Over:
                raise
            except (Exception, CancelledError) as fault:  # noqa: BLE001  a lost connection has many
                await self._be_patient(words(fault))
        return Ended(self.key, "finished", self._exception, self._away_seconds)

    # --- waiting ------------------------------------------------------------------------------

    @asynccontextmanager
    async def _hosts_leased(self, client: Client) -> AsyncIterator[None]:
        """Keep other runs on this cluster from asking the source's hosts."""
        locks: list[Lock] = []
        try:
            for host in sorted({urlsplit(url).netloc for url in self._plan.hosts.values()}):
                lock = Lock(f"afterscore:{host}", scheduler_rpc=client.scheduler, loop=client.loop)
                locks.append(lock)
                while not await wait_for(lock.acquire(timeout=1), PATIENCE_SECONDS):
                    self._mind_the_end()
                    self._connection.say(f"{self.key}: another run asks {host}; waiting for it")
            self._hear()
            self._keep_away()  # the other run may have asked until now
            yield
        finally:
            for lock in locks:
                with suppress(Exception, CancelledError):  # it may have been lost, or never got
                    await wait_for(lock.release(), PATIENCE_SECONDS)
                with suppress(AttributeError):  # one without a time-out is not refreshed
                    lock.refresh_callback.stop()

    async def _worker(self) -> str:
        """The worker for the next batch."""
        while True:
            try:
                worker = await self._connection.worker(self.key)
            except KeyMissing as fault:
                self._end(f"skipped: {fault}")
            if worker:
                return worker
            await self._be_patient(f"no worker of {self._connection.address} can be used now")

    async def _be_patient(self, why: str) -> None:
        """Wait for better times. Raises Over where it was for too long, or has to end."""
        self._mind_the_end()
        self._connection.say(f"{self.key}: {why}")
        minutes = self._plan.limits.silent_minutes
        if time.monotonic() > self._heard + 60 * minutes:
            self._end("died", f"the cluster was of no use for {minutes:g} minutes: {why}")
        await asyncio.sleep(1)

    def _mind_the_end(self) -> None:
        if self.stopped:
            self._end("shutdown")
        if self._spent_seconds >= 3_600 * self._plan.limits.crawl_hours:
            self._end(self._plan.limits.out_of_time)

    def _end(self, reason: str, exception: str | None = None) -> NoReturn:
        exception = exception or self._exception
        raise Over(Ended(self.key, reason, exception, self._away_seconds))

    def _hear(self) -> None:
        self._heard = time.monotonic()

    def _keep_away(self, seconds: float = 0.0) -> None:
        """The source was asked until now, and wants to be left alone for so many seconds."""
        now = time.monotonic()
        self._away_until = max(self._away_until, now + seconds)
        self._free_at = max(self._free_at, now + self._plan.delay_seconds, self._away_until)

    @property
    def _away_seconds(self) -> float:
        """For how long from now the source wants to be left alone, by its own word."""
        return max(0.0, self._away_until - time.monotonic())

    @property
    def _spent_seconds(self) -> float:
        return self._plan.spent_seconds + time.monotonic() - self._began

    # --- a batch ------------------------------------------------------------------------------

    async def _crawl_batch(self, client: Client, worker: str) -> None:
        """Have a worker crawl the next listings. Raises _Lost where it did not come to an end, and
        Over where it came to one that is the source's, too."""
        targets = self._left[: _size(self._plan.delay_seconds)]
        batch = _Sent(targets)
        self._connection.batches[worker] += 1
        try:
            await self._take_all(client, worker, batch)
        except (Exception, CancelledError) as fault:  # noqa: BLE001  a lost connection has many
            batch.fault = words(fault)
        finally:
            self._connection.batches[worker] -= 1
        if batch.ended and batch.ended.reason not in _OF_THE_WORKER:
            self._left = self._left[len(targets) :]
            self._keep_away(batch.ended.away_seconds)
            self._exception = batch.ended.exception or self._exception
            if batch.ended.reason != "finished":
                self._end(batch.ended.reason)
            return
        if batch.ended:
            batch.fault = batch.ended.exception or batch.fault
            self._keep_away(batch.ended.away_seconds)
        self._left = [target for target in self._left if target.url not in batch.answered]
        self._connection.lost(worker)
        await asyncio.sleep(batch.leased_until - time.monotonic())
        self._keep_away()
        if self._away_seconds > LONGEST_WAIT:
            self._end(f"rate_limited: it wants to be left alone for {self._away_seconds:.0f} s")
        self._lost += batch.begun
        if self._lost >= LOST_IN_A_ROW:
            self._end(
                "died",
                f"{self._lost} workers in a row were lost with its batch, the last of them {worker}"
                f" ({batch.fault})",
            )
        raise _Lost(f"worker {worker} was lost ({batch.fault}); what is left goes to another")

    async def _take_all(self, client: Client, worker: str, batch: _Sent) -> None:
        """Begin a batch, and take what it answers until it has ended."""
        future = client.submit(
            Batch,
            self._plan_of(batch.targets).model_dump_json(),
            actor=True,
            pure=False,
            workers=[worker],
            allow_other_workers=False,
            key=f"{self.key}-{uuid4().hex}",
        )
        actor = await wait_for(future, PATIENCE_SECONDS)
        taken, heard = Taken(0), time.monotonic()
        while taken.ended is None and not self.killed:
            batch.leased_until = heard + LEASE_SECONDS + MARGIN_SECONDS
            taken = await wait_for(
                actor.take(taken.turn, self._room(), self.stopped), LEASE_SECONDS
            )
            heard = time.monotonic()
            self._hear()
            self._keep_away(taken.away_seconds)
            if taken.sent_away_seconds:
                self._put(SentAway(self.key, taken.sent_away_seconds))
            for line in taken.answers:
                answer = Answer.model_validate_json(line)
                batch.answered.add(answer.asked_url)
                self._put(answer)
                self._lost = 0
        if taken.ended is None:
            await wait_for(actor.kill(), PATIENCE_SECONDS)
        batch.ended, batch.leased_until = taken.ended, 0.0

    def _plan_of(self, targets: Sequence[Target]) -> Plan:
        """The plan of a batch that starts now."""
        return self._plan.model_copy(
            update={
                "targets": tuple(targets),
                "first_wait_seconds": max(0.0, self._free_at - time.monotonic()),
                "spent_seconds": self._spent_seconds,
            }
        )


@dataclass
class _Sent:
    """A batch that a worker has: what of it was answered, until when nobody else may ask the
    source, and how it ended."""

    targets: Sequence[Target]
    answered: set[str] = field(default_factory=set)
    leased_until: float = 0.0
    ended: Ended | None = None
    fault: str = "its crawl was let go"

    @property
    def begun(self) -> bool:
        """Whether anything of it may have been asked."""
        died = self.ended is not None and self.ended.reason == "died"
        return died or self.leased_until > 0


def _size(delay_seconds: float) -> int:
    """How many listings make a batch."""
    return min(max(int(BATCH_SECONDS / max(delay_seconds, 0.01)), FEWEST), MOST)

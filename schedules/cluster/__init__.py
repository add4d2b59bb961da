"""Crawls on the workers of a dask.distributed cluster: batches of due listings go out, and their
answers come back as they arrive. docs/many-machines.md says why no host is asked too often, and why
nothing that was stored is asked again, whatever becomes of workers and scheduler."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Queue

from schedules.cluster.connection import PATIENCE_SECONDS, Connection
from schedules.cluster.source import OneSource, Over
from schedules.cluster.worker import LEASE_SECONDS
from schedules.nursery import Nursery
from schedules.processes import Processes
from schedules.stage import QUEUED, Crawls, Ended, Heard, gathered
from spiders.plan import Plan


class Cluster:
    """A cluster by the address of its scheduler (`tcp://…`, or `tls://…` as dask is configured).
    `say` is told what a person may want to know of it."""

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        self._address = address
        self._say = say
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what it comes to is said by us

    def check(self) -> None:
        """Raises Problem where there is no scheduler, or no worker that can be used."""
        asyncio.run(self._check())

    def crawls(self, plans: Sequence[Plan], nursery: Nursery) -> Crawls:
        """Those of one stage. What finds films is a few long questions, which cannot be parted:
        these are asked from here, as ever."""
        if all(plan.stage == "read" for plan in plans):
            return _Spread(Connection(self._address, self._say), plans)
        return Processes(plans, nursery)

    async def _check(self) -> None:
        connection = Connection(self._address, self._say)
        try:
            await connection.check()
        finally:
            await connection.close()


class _Spread:
    """The crawls of one stage, on the workers. A thread of ours gives out their batches."""

    def __init__(self, connection: Connection, plans: Sequence[Plan]) -> None:
        self._connection = connection
        self._queue: Queue[Heard] = Queue()
        self._sources = [OneSource(plan, connection, self._queue.put, self._room) for plan in plans]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def answers(self) -> Iterator[list[Heard]]:
        """Batches of what has come, until every crawl has ended; a batch may be empty."""
        self._thread.start()
        running = len(self._sources)
        while running:
            batch = gathered(self._queue)
            running -= sum(isinstance(item, Ended) for item in batch)
            yield batch

    def stop(self) -> None:
        """Ask every crawl to end; what it has read still comes."""
        for source in self._sources:
            source.stopped = True

    def kill(self) -> None:
        """End every crawl, and wait until none can ask any more."""
        for source in self._sources:
            source.stopped = source.killed = True
        if self._thread.is_alive():
            self._thread.join(LEASE_SECONDS + 2 * PATIENCE_SECONDS)

    def _room(self) -> int:
        """For how many answers there is room. Where the writer cannot keep up, crawls wait."""
        return max(0, QUEUED - self._queue.qsize())

    def _run(self) -> None:
        asyncio.run(self._crawl_all())

    async def _crawl_all(self) -> None:
        try:
            await asyncio.gather(*(self._crawl(source) for source in self._sources))
        finally:
            await self._connection.close()

    async def _crawl(self, source: OneSource) -> None:
        try:
            ended = await source.crawl()
        except Over as over:
            ended = over.ended
        except Exception as fault:  # noqa: BLE001  the run has to hear of it, whatever it is
            ended = Ended(source.key, "died", f"{type(fault).__name__}: {fault}"[:500])
        self._queue.put(ended)

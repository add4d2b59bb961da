"""A connection to a cluster that outlives its scheduler, and what its workers have installed."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, wait_for
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from distributed import Client

from pipelines.problem import Problem
from schedules.cluster.worker import Installed, installed
from spiders.sources import by_key

PATIENCE_SECONDS = 10.0
"""For an answer of the scheduler, or of a worker, to one question."""

MOMENT_SECONDS = 2.0
"""For a worker that has not said yet what it has installed, where all others have work of ours."""

CONNECTING_SECONDS = 5.0
"""For the scheduler to be there. dask goes on trying for as long, also where nobody listens."""

_THE_SAME = "install the same afterscore[cluster] everywhere"


class KeyMissing(Problem):
    """No worker has the key of a source in its environment."""


class Connection:
    """A client of the scheduler at `address`, made anew once it was lost.

    `batches` counts what each worker, by its address, has from us at this moment. Nothing is told
    to `say` twice.
    """

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        self.address = address
        self.batches: Counter[str] = Counter()
        self._say = say
        self._said: set[str] = set()
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._asked: dict[str, asyncio.Task[Installed | None]] = {}

    def say(self, line: str) -> None:
        """Tell it, unless it was told before."""
        if line not in self._said:
            self._said.add(line)
            self._say(line)

    async def check(self) -> None:
        """Raises Problem where the scheduler or all workers are of no use."""
        client = await self.open()
        try:
            # What is handed to a worker passes through the scheduler, which has to know it, too.
            has: Installed = await client.run_on_scheduler(installed)
            differs = has.differs_from(installed())
        except Exception as fault:  # noqa: BLE001  whatever kept it from answering
            differs = f"it cannot tell its version of afterscore ({fault})"
        if differs:
            raise Problem(f"scheduler {self.address}: {differs}; {_THE_SAME}")
        if not await self._addresses():
            raise Problem(
                f"no worker is connected to {self.address}. Start one on each machine:"
                f" dask worker {self.address}"
            )
        if not await self._installed():
            raise Problem(f"no worker of {self.address} can be used")

    async def open(self) -> Client:
        """The client. Raises Problem where the scheduler does not answer."""
        async with self._opening:
            if self._client is None or self._client.status != "running":
                await self.close()
                self._client = await self._connect()
            return self._client

    async def close(self) -> None:
        """Let go of the scheduler, which then drops whatever it holds for us."""
        client, self._client = self._client, None
        self._asked.clear()
        if client is not None:
            await _let_go(client)

    async def worker(self, source: str) -> str | None:
        """The worker that may crawl this source and has least to do for us; None: there is none.

        Raises KeyMissing, and Problem where the scheduler does not answer.
        """
        key = by_key(source).key_variable
        for wait in (0.0, MOMENT_SECONDS, None):
            there = await self._installed(wait)
            fit = [address for address, has in there.items() if not key or source in has.keys]
            least = min(fit, key=lambda address: self.batches[address], default=None)
            if least and (wait != 0.0 or not self.batches[least]):
                return least
        if there:
            raise KeyMissing(f"no worker has {key} in its environment")
        return None

    def lost(self, address: str) -> None:
        """A worker did not answer: it has to, before it is given anything again."""
        self._asked.pop(address, None)

    async def _connect(self) -> Client:
        client = Client(self.address, asynchronous=True, timeout=CONNECTING_SECONDS)
        try:
            await client
        except Exception as fault:  # wrong addresses and certificates bring many different ones
            await _let_go(client)  # else it would warn, once nobody has it any more
            raise Problem(
                f"no scheduler answers at {self.address} ({words(fault)}). Is it running (dask"
                " scheduler), and may this machine reach it? See docs/many-machines.md."
            ) from fault
        return client

    async def _addresses(self) -> list[str]:
        """The workers that are connected now."""
        client = await self.open()
        assert client.scheduler
        try:
            identity = await wait_for(client.scheduler.identity(n_workers=-1), PATIENCE_SECONDS)
        except (OSError, TimeoutError) as fault:
            raise Problem(f"the scheduler was lost ({words(fault)})") from fault
        return list(identity["workers"])

    async def _installed(self, wait: float | None = None) -> dict[str, Installed]:
        """The workers that have installed what we have, by their addresses.

        Each is asked once. One that does not answer holds nobody up for more than `wait` seconds;
        None: until it is given up.
        """
        client = await self.open()
        there = await self._addresses()
        for address in there:
            asked = self._asked.get(address)
            if asked is None or (asked.done() and asked.result() is None):
                self._asked[address] = asyncio.create_task(self._ask(client, address))
        answers = [self._asked[address] for address in there]
        if answers:
            await asyncio.wait(answers, timeout=wait)
        found = {}
        for address, answer in zip(there, answers, strict=True):
            has = answer.result() if answer.done() else None
            differs = has.differs_from(installed()) if has else None
            if differs:
                self.say(f"worker {address} is left out: {differs}; {_THE_SAME}")
            elif has:
                found[address] = has
        return found

    async def _ask(self, client: Client, address: str) -> Installed | None:
        """What a worker has installed, or None where it does not say."""
        try:
            answers = await wait_for(
                client.run(installed, workers=[address], on_error="return"), PATIENCE_SECONDS
            )
        except (OSError, TimeoutError, CancelledError):
            return None
        has = answers.get(address)
        if isinstance(has, Installed):
            return has
        if isinstance(has, (ImportError, AttributeError)):
            self.say(f"worker {address} is left out: {words(has)}; {_THE_SAME}")
        return None


async def _let_go(client: Client) -> None:
    with suppress(Exception, CancelledError):
        await wait_for(client.close(), PATIENCE_SECONDS)


def words(fault: BaseException) -> str:
    """What a fault says, or what it is."""
    said = f"{fault}".strip() or "no answer in time"
    return said.partition("\n")[0][:300]

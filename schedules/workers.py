"""Crawl processes, side by side: each gets a plan, and hands its answers back as they come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from typing import IO

from spiders.items import Answer
from spiders.plan import Plan

QUEUED = 2_000
"""Answers that may wait for the writer before the crawls have to wait for it."""

GATHER_SECONDS = 0.05
"""How long answers are gathered into one batch, which is one transaction. Taken as they come, they
make a batch of one or two, and committing costs half as much again as storing."""


@dataclass(frozen=True)
class Ended:
    """How a crawl process ended: Scrapy's reason, or what broke it."""

    source: str
    reason: str
    exception: str | None = None

    @property
    def finished(self) -> bool:
        """Whether it came to its end by itself."""
        return self.exception is None and self.reason == "finished"


class Crawls:
    """The crawl processes of one stage. `stop` ends them after the request in hand."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._queue: Queue[Answer | Ended] = Queue(QUEUED)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def answers(self) -> Iterator[list[Answer | Ended]]:
        """Batches of what has come, until every crawl has ended; a batch may be empty."""
        for plan in self._plans:
            self._start(plan)
        if self._stopped:  # while they were being started, some of them after that
            self.stop()
        running = len(self._plans)
        while running:
            batch: list[Answer | Ended] = []
            try:
                batch.append(self._queue.get(timeout=0.25))
                time.sleep(GATHER_SECONDS)
                while len(batch) < 200:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            running -= sum(isinstance(item, Ended) for item in batch)
            yield batch

    def stop(self) -> None:
        """Ask every crawl to end; what it has read still comes."""
        self._stopped = True
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every crawl now."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()

    def _start(self, plan: Plan) -> None:
        said = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the process does
        process = subprocess.Popen(
            [sys.executable, "-m", "schedules.crawl"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            # A Ctrl-C at the terminal goes to the run process, which ends its crawls in order.
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        self._processes.append(process)
        threading.Thread(target=self._pump, args=(plan, process, said), daemon=True).start()

    def _pump(self, plan: Plan, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        reason, exception = "died", None
        try:
            process.stdin.write(plan.model_dump_json().encode())
            process.stdin.close()
            for line in process.stdout:
                if line.startswith(b'{"end":'):
                    end = json.loads(line)["end"]
                    reason = str(end["reason"])
                    if end["faults"]:
                        exception = f"{end['faults']} exceptions in the spider"
                else:
                    self._queue.put(Answer.model_validate_json(line))
        except BrokenPipeError:
            pass  # it ended before it had read its plan; its status says how
        except (OSError, ValueError) as fault:
            exception = f"{type(fault).__name__}: {fault}"[:500]
            process.kill()
        status = process.wait()
        if reason == "died" and status == -signal.SIGTERM:
            reason = "shutdown"  # by `stop`, before Scrapy had begun to listen for it
        process.stdout.close()
        if reason == "died" or exception:
            said.seek(0)
            last = said.read()[-2_000:].decode("utf-8", "replace").strip()
            exception = exception or f"the crawl process ended with status {status}"
            exception = f"{exception}\n{last}" if last else exception
        said.close()
        self._queue.put(Ended(plan.source, reason, exception))

"""A dask.distributed cluster of processes on this machine, as if each were a machine of its own."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class Machines:
    """A scheduler and any number of workers, each of which can be killed and started again.

    `environment` is theirs; with `tls` they speak it, as that environment configures dask. Use as a
    context manager. `log` gets what they say.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, *, tls: bool = False
    ) -> None:
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERSCORE_", "TMDB_"))}
        self._environment = {**ours, **(environment or {})}
        self._folder = folder
        self._log = folder / "cluster.log"
        self._port = _free_port()
        self._protocol = "tls" if tls else "tcp"
        self.workers: list[subprocess.Popen[str]] = []
        self._scheduler: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """The scheduler's."""
        return f"{self._protocol}://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start_scheduler()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self.workers:
            self.kill_worker(0)
        self.kill_scheduler()

    def start_scheduler(self) -> None:
        """Start it, or start it again at the same address."""
        words = ["scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-show"]
        self._scheduler = self._start([*words, "--protocol", self._protocol])
        self._hear(self._scheduler, "Scheduler at:")

    def kill_scheduler(self) -> None:
        """End it as a power failure would. Its workers end with it."""
        assert self._scheduler
        kill(self._scheduler)
        for worker in self.workers:
            worker.wait()
        self.workers.clear()

    def kill_worker(self, place: int) -> None:
        """End a worker as a power failure would, by its place among those that are there."""
        kill(self.workers.pop(place))

    def start_workers(
        self, number: int, environment: Mapping[str, str] | None = None
    ) -> list[subprocess.Popen[str]]:
        """So many workers more, with these variables beside the others."""
        words = ["worker", self.address, "--nthreads", "1", "--no-nanny"]
        words += ["--local-directory", str(self._folder)]
        # Else each imports our code once it is first asked for it, all of them at once; on a busy
        # machine some would answer too late to be given anything yet.
        words += ["--preload", "schedules.cluster.worker"]
        started = [self._start(words, environment or {}) for _ in range(number)]
        for worker in started:
            self._hear(worker, "Registered to:")
        self.workers += started
        return started

    def _start(
        self, words: list[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--no-dashboard"],
            cwd=self._folder,
            env={**self._environment, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _hear(self, process: subprocess.Popen[str], sign: str) -> None:
        """Wait for a line of a process; what it says from then on goes to the log."""
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if sign in line:
                threading.Thread(
                    target=_write_down, args=(process.stderr, self._log), daemon=True
                ).start()
                return
        raise RuntimeError(f"it ended without a word of {sign!r}: {''.join(said)}")


def _free_port() -> int:
    """A port below those that the system gives out: while a scheduler starts, or is started again,
    nobody else is given it."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, and wait for the end."""
    process.kill()
    process.wait()


def _write_down(said: IO[str], log: Path) -> None:
    with said, log.open("a", encoding="utf-8") as written:
        for line in said:
            written.write(line)
            written.flush()

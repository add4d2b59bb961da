"""Commands without the second that Python and its libraries take to start: each is forked from a
process that has imported them. So is the process that a command's crawls come from
(schedules/nursery.py), from one that has imported Scrapy and every spider.

Such a command is a process like any other, with standard streams, an environment, a folder, an exit
status and signals of its own, and warnings are errors in it. What Python does before it runs our
code is not part of it: that is for the tests which start `python -m schedules.cli`.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

IMPORTED = (
    "schedules.archive_import",
    "schedules.backfill",
    "schedules.source_check",
    "schedules.intent",
    "schedules.nightly",
    "schedules.processes",
    "schedules.run",
    "pipelines.derived",
    "pipelines.export.tables",
    "pipelines.matching.link",
    "bs4",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
)
"""What commands need, that included which each imports only once it needs it."""

_FORK = multiprocessing.get_context("fork")


class Parent:
    """The process that others are forked from. It starts with the first of them, if not before."""

    def __init__(self, *serve: str) -> None:
        self._serve = serve
        self._process: subprocess.Popen[bytes] | None = None
        self._requests, self._theirs = socket.socketpair()

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        stdin: str,
        seconds: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run one with these words in a folder and an environment, to its end.

        Kills it after so many seconds, and raises TimeoutExpired.
        """
        with ExitStack() as stack:
            streams = [stack.enter_context(TemporaryFile("w+")) for _ in range(3)]
            streams[0].write(stdin)
            streams[0].seek(0)
            forked = self.fork(words, folder, environment, [file.fileno() for file in streams])
            in_time = forked.ends_within(seconds)
            if not in_time:
                forked.kill()
            status = forked.wait()
            if not in_time:
                raise subprocess.TimeoutExpired(words, seconds)
            for file in streams:
                file.seek(0)
            return subprocess.CompletedProcess(words, status, streams[1].read(), streams[2].read())

    def fork(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[int],
    ) -> Forked:
        """Fork one with these words, in a folder and an environment, on three standard streams."""
        asked = {"words": words, "folder": str(folder), "environment": dict(environment)}
        ours, theirs = os.pipe()
        with TemporaryFile("w+") as file:
            json.dump(asked, file)
            file.seek(0)
            self.start()
            socket.send_fds(self._requests, [b"."], [file.fileno(), *streams, theirs])
        os.close(theirs)
        return Forked(os.fdopen(ours))

    def start(self) -> None:
        """Start it, where it does not run yet."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, *self._serve],
                cwd=Path(__file__).parents[1],
                # A library's threads would be missing in what is forked.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=self._theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )
            self._theirs.close()

    def end(self) -> None:
        """End it, once all that were forked from it have ended."""
        self._requests.close()
        self._theirs.close()
        if self._process:
            self._process.wait()


class Forked:
    """A process that was forked from another. It is to be waited for, as a Popen is."""

    def __init__(self, told: TextIO) -> None:
        self._told = told
        self._pid = int(told.readline())

    def ends_within(self, seconds: float) -> bool:
        """Whether it has ended after so many seconds."""
        return bool(select.select([self._told], [], [], seconds)[0])

    def kill(self) -> None:
        """End it now."""
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit status, negative for a signal, once it has ended."""
        with self._told:
            return int(self._told.readline())


def commands() -> Parent:
    """What forks `afterscore`."""
    return Parent("-W", "error", "-c", "from tests import forking; forking.serve_commands()")


def serve_commands() -> None:
    """Fork commands, whose crawls come from a process that is forked too."""
    os.environ.pop("COLUMNS", None)  # consoles that are made now would keep to it
    from apprise import Apprise
    from sqlite_utils.plugins import ensure_plugins_loaded
    from typer.main import get_command

    from schedules import cli, nursery

    nurseries = Parent("-c", "from tests import forking; forking.serve_nurseries()")
    nurseries.start()
    nursery.begun = partial(_begun, nurseries)  # type: ignore[assignment]
    for name in IMPORTED:
        import_module(name)
    cli.app = get_command(cli.app)  # type: ignore[assignment]
    ensure_plugins_loaded()  # sqlite-utils looks for them among all packages
    with warnings.catch_warnings(action="ignore"):
        Apprise.instantiate("json://localhost")  # imports a module for each service that there is

    def command(words: Sequence[str]) -> None:
        sys.argv = ["afterscore", *words]
        cli.main()

    _serve(command)
    nurseries.end()


def serve_nurseries() -> None:
    """Fork processes that crawls come from."""
    from schedules import crawl, nursery
    from spiders.sources import SOURCES

    crawl.prepare()
    for source in SOURCES:
        crawl.spider_of(source.key)

    def begin(words: Sequence[str]) -> None:
        os.setsid()
        sys.exit(nursery.main())

    _serve(begin)


def _begun(nurseries: Parent, channel: socket.socket) -> Forked:
    with Path(os.devnull).open("wb") as nowhere:
        streams = (channel.fileno(), nowhere.fileno(), 2)
        return nurseries.fork((), Path.cwd(), os.environ, streams)


def _serve(main: Callable[[Sequence[str]], None]) -> None:
    """Fork a process for each request on standard input, a socket, until nobody can ask any more.

    A request is one byte and five files: what is asked as JSON, the standard streams, and where to
    write the process id and then the exit status.
    """
    gc.freeze()  # else its first collection would copy all that was imported
    with socket.socket(fileno=os.dup(0)) as requests, selectors.DefaultSelector() as ready:
        ready.register(requests, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                if key.data:
                    process, told = key.data
                    process.join()
                    _tell(told, process.exitcode)
                    os.close(told)
                    ready.unregister(key.fd)
                    os.close(key.fd)
                    continue
                byte, files, _, _ = socket.recv_fds(requests, 1, 5)
                if not byte:
                    ready.unregister(requests)
                    continue
                *given, told = files
                process = _FORK.Process(target=_be, args=(main, *given))
                process.start()
                assert process.pid
                _tell(told, process.pid)
                for file in given:
                    os.close(file)
                handle = os.pidfd_open(process.pid)
                ready.register(handle, selectors.EVENT_READ, (process, told))


def _tell(told: int, number: int) -> None:
    with suppress(BrokenPipeError):  # who asked for the process has ended before it
        os.write(told, f"{number}\n".encode())


def _be(main: Callable[[Sequence[str]], None], request: int, *streams: int) -> None:
    """Be that process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, closefd=False)
    with os.fdopen(request) as file:
        asked = json.load(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    main(asked["words"])

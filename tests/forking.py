"""Commands without the second that Python and its libraries take to start: each is forked from a
process that has imported them.

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
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile

IMPORTED = (
    "schedules.cli",
    "schedules.backfill",
    "schedules.check",
    "schedules.nightly",
    "pipelines.export.tables",
    "pipelines.matching.link",
    "apprise",
    "bs4",
)
"""What commands need, that included which each imports only once it needs it."""

_SERVE = [sys.executable, "-W", "error", "-c", "from tests import forking; forking.serve()"]
_FORK = multiprocessing.get_context("fork")


class Parent:
    """The process that commands are forked from. It starts with the first of them."""

    def __init__(self) -> None:
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
        """Run `afterscore` with these words in a folder and an environment, to its end.

        Kills it after so many seconds, and raises TimeoutExpired.
        """
        asked = {"words": words, "folder": str(folder), "environment": dict(environment)}
        with ExitStack() as stack:
            files = [stack.enter_context(TemporaryFile("w+")) for _ in range(4)]
            for file, text in zip(files, (json.dumps(asked), stdin, "", ""), strict=True):
                file.write(text)
                file.seek(0)
            ours, theirs = os.pipe()
            answers = stack.enter_context(os.fdopen(ours))
            self._ask(*(file.fileno() for file in files), theirs)
            os.close(theirs)
            pid = int(answers.readline())
            in_time, _, _ = select.select([answers], [], [], seconds)
            if not in_time:
                os.kill(pid, signal.SIGKILL)
            status = int(answers.readline())
            if not in_time:
                raise subprocess.TimeoutExpired(words, seconds)
            for file in files:
                file.seek(0)
            return subprocess.CompletedProcess(words, status, files[2].read(), files[3].read())

    def end(self) -> None:
        """End it, once its commands have ended."""
        self._requests.close()
        self._theirs.close()
        if self._process:
            self._process.wait()

    def _ask(self, *files: int) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                _SERVE,
                cwd=Path(__file__).parents[1],
                # A library's threads would be missing in what is forked.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=self._theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )
            self._theirs.close()
        socket.send_fds(self._requests, [b"."], files)


def serve() -> None:
    """Fork a command for each request on standard input, a socket, until nobody can ask any more.

    A request is one byte and five files: what is asked as JSON, the command's standard streams, and
    where to write its process id and then its exit status.
    """
    os.environ.pop("COLUMNS", None)  # consoles that are made now would keep to it
    for name in IMPORTED:
        import_module(name)
    gc.freeze()  # else a command's first collection would copy all that was imported
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            byte, files, _, _ = socket.recv_fds(requests, 1, 5)
            if not byte:
                return
            _FORK.Process(target=_attend, args=files).start()
            for file in files:
                os.close(file)


def _attend(request: int, stdin: int, stdout: int, stderr: int, told: int) -> None:
    """Fork one command, and tell how it ended."""
    command = _FORK.Process(target=_be, args=(request, stdin, stdout, stderr))
    command.start()
    os.write(told, f"{command.pid}\n".encode())
    command.join()
    os.write(told, f"{command.exitcode}\n".encode())


def _be(request: int, *streams: int) -> None:
    """Be the command."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin = os.fdopen(0, closefd=False)
    with os.fdopen(request) as file:
        asked = json.load(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = ["afterscore", *asked["words"]]
    import_module("schedules.cli").main()

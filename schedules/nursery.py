"""Where crawl processes come from: one process that has imported Scrapy, and forks for each crawl.

To import Scrapy takes as much processor time as asking a site for some hundred pages; a night
starts a dozen crawls and needs it once. The nursery has no threads, so that forking is sound, and
asks nobody anything by itself. It ends with the run that started it; so do crawls (leash.py).

`python -m schedules.nursery` is the nursery. Its standard input is a socket: each byte that comes
brings what the next crawl has as its standard input, output and error, and its leash. It answers
with lines:
`born PID`, and once that crawl has ended, `gone PID STATUS`, STATUS as `os.waitpid` has it.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import BinaryIO

NOT_KNOWN = 255
"""The exit status of a crawl whose nursery has died."""


class Nursery:
    """Starts crawl processes. To be closed; those that run then are not touched."""

    def __init__(self) -> None:
        self._channel: socket.socket | None = None
        self._listener: threading.Thread | None = None
        self._born: list[int] = []
        self._gone: dict[int, int] = {}
        self._over = False
        self._news = threading.Condition()

    def start(self, said: BinaryIO) -> Crawling:
        """A new process of `schedules.crawl.main`, whose errors go to the file `said`.

        Raises OSError where there can be none.
        """
        channel = self._opened()
        plan_from, plan = os.pipe()
        answers, answers_to = os.pipe()
        held, leash = os.pipe()
        try:
            socket.send_fds(channel, [b"."], [plan_from, answers_to, said.fileno(), held])
            with self._news:
                self._news.wait_for(lambda: self._born or self._over)
                if not self._born:
                    raise OSError("the process that crawls are forked from has died")
                pid = self._born.pop()
        except OSError:
            os.close(plan)
            os.close(answers)
            os.close(leash)
            raise
        finally:
            os.close(plan_from)
            os.close(answers_to)
            os.close(held)
        told, leash_of = os.fdopen(plan, "wb"), os.fdopen(leash, "wb", buffering=0)
        return Crawling(self, pid, told, os.fdopen(answers, "rb"), leash_of)

    def close(self) -> None:
        """No more crawls are started."""
        if self._channel and self._listener:
            with suppress(OSError):  # it has ended by itself
                self._channel.shutdown(socket.SHUT_RDWR)
            self._listener.join()

    def status(self, pid: int, *, wait: bool) -> int | None:
        """The exit status of a crawl, negative for a signal; None while it runs."""
        with self._news:
            if wait:
                self._news.wait_for(lambda: pid in self._gone or self._over)
            return self._gone.get(pid, NOT_KNOWN if self._over else None)

    def _opened(self) -> socket.socket:
        if self._channel is None:
            self._channel, theirs = socket.socketpair()
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "schedules.nursery"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    # A Ctrl-C at the terminal goes to the run process, which ends its crawls.
                    start_new_session=True,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
                )
            told = (self._channel, process)
            self._listener = threading.Thread(target=self._listen, args=told, daemon=True)
            self._listener.start()
        return self._channel

    def _listen(self, channel: socket.socket, process: subprocess.Popen[bytes]) -> None:
        with channel, channel.makefile("r", encoding="ascii") as lines:
            for line in lines:
                word, pid, *status = line.split()
                with self._news:
                    if word == "born":
                        self._born.append(int(pid))
                    else:
                        self._gone[int(pid)] = os.waitstatus_to_exitcode(int(status[0]))
                    self._news.notify_all()
        process.wait()
        with self._news:
            self._over = True
            self._news.notify_all()


class Crawling:
    """A crawl process: `plan` goes in, `answers` come out; it ends when its `leash` is closed."""

    def __init__(
        self, nursery: Nursery, pid: int, plan: BinaryIO, answers: BinaryIO, leash: BinaryIO
    ) -> None:
        self._nursery = nursery
        self._pid = pid
        self.plan, self.answers, self.leash = plan, answers, leash

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, where it still runs."""
        if self._nursery.status(self._pid, wait=False) is None:
            os.kill(self._pid, number)

    def wait(self) -> int:
        """Its exit status, negative for a signal, once it has ended."""
        status = self._nursery.status(self._pid, wait=True)
        assert status is not None
        return status


def main() -> int:
    """Fork a crawl whenever it is asked for, until nobody can ask any more."""
    from schedules import crawl  # here: a run process needs no Scrapy

    crawl.prepare()
    # Whoever tells all processes of a service to end tells the run too, which ends its crawls.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    fds = _asked_for()
    if fds is None:
        os._exit(0)  # at once: there is nothing to tidy up
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    *standard, leash = fds
    for place, fd in enumerate(standard):
        os.dup2(fd, place)
        os.close(fd)
    return crawl.main(leash)


def _asked_for() -> list[int] | None:
    """Returns once in each crawl, with what it was given, and at last in the nursery, without."""
    ended, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waker.fileno())
    with (
        socket.socket(fileno=os.dup(sys.stdin.fileno())) as channel,
        ended,
        waker,
        selectors.DefaultSelector() as ready,
    ):
        ready.register(channel, selectors.EVENT_READ)
        ready.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is ended:
                    ended.recv(1024)
                    _tell_who_ended(channel)
                    continue
                asked, fds, _, _ = socket.recv_fds(channel, 1, 4)
                if not asked:
                    return None
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    return fds
                for fd in fds:
                    os.close(fd)
                channel.sendall(b"born %d\n" % pid)


def _tell_who_ended(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        channel.sendall(b"gone %d %d\n" % (pid, status))


if __name__ == "__main__":
    sys.exit(main())

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

BIRTH_SECONDS = 60.0
"""A nursery that starts on a busy machine gives birth to its first crawl so much later."""

_ENDINGS = (signal.SIGINT, signal.SIGTERM)


class Nursery:
    """Starts crawl processes. To be closed; those that run then are not touched.

    Should the process that they are forked from die, the next crawl comes from another one.
    """

    def __init__(self) -> None:
        self._parent: _Parent | None = None

    def prepare(self) -> None:
        """Start the process that they are forked from. It is not waited for, and may fail."""
        with suppress(OSError):  # which is told once a crawl is to be started
            self._prepared()

    def start(self, said: BinaryIO) -> Crawling:
        """A new process of `schedules.crawl.main`, whose errors go to the file `said`.

        Raises OSError where there can be none.
        """
        return self._prepared().start(said)

    def _prepared(self) -> _Parent:
        if self._parent is None or self._parent.is_over:
            self._parent = _Parent()
        return self._parent

    def close(self) -> None:
        """No more crawls are started."""
        if self._parent:
            self._parent.close()
            self._parent = None


def begun(channel: socket.socket) -> subprocess.Popen[bytes]:
    """A new process that crawls are forked from, as the `channel` asks for them."""
    return subprocess.Popen(
        [sys.executable, "-m", "schedules.nursery"],
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        # A Ctrl-C at the terminal goes to the run process, which ends its crawls in order.
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )


class _Parent:
    """One process that crawls are forked from, and what it tells of them."""

    def __init__(self) -> None:
        self._born: list[int] = []
        self._gone: dict[int, int] = {}
        self._over = False
        self._news = threading.Condition()
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = begun(theirs)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def is_over(self) -> bool:
        """Whether it has died."""
        return self._over

    def start(self, said: BinaryIO) -> Crawling:
        """Fork a crawl. Raises OSError."""
        plan_from, plan = os.pipe()
        answers, answers_to = os.pipe()
        held, leash = os.pipe()
        try:
            socket.send_fds(self._channel, [b"."], [plan_from, answers_to, said.fileno(), held])
            pid = self._next_born()
        except OSError:
            for ours in (plan, answers, leash):
                os.close(ours)
            raise
        finally:
            for theirs in (plan_from, answers_to, held):
                os.close(theirs)
        plan_to, leash_of = os.fdopen(plan, "wb"), os.fdopen(leash, "wb", buffering=0)
        return Crawling(self, pid, plan_to, os.fdopen(answers, "rb"), leash_of)

    def close(self) -> None:
        """End it, and wait for that."""
        with suppress(OSError):  # it has ended by itself
            self._channel.shutdown(socket.SHUT_RDWR)
        self._listener.join()

    def status(self, pid: int, *, wait: bool) -> int | None:
        """The exit status of a crawl, negative for a signal; None while it is not known."""
        with self._news:
            if wait:
                self._news.wait_for(lambda: pid in self._gone or self._over)
            return self._gone.get(pid)

    def _next_born(self) -> int:
        with self._news:
            self._news.wait_for(lambda: self._born or self._over, BIRTH_SECONDS)
            if not self._born:
                self._process.kill()  # one that hangs is of no more use
                raise OSError("the process that crawls are forked from is dead")
            return self._born.pop(0)

    def _listen(self) -> None:
        with suppress(OSError), self._channel, self._channel.makefile("r") as lines:
            for line in lines:
                word, pid, *status = line.split()
                with self._news:
                    if word == "born":
                        self._born.append(int(pid))
                    else:
                        self._gone[int(pid)] = os.waitstatus_to_exitcode(int(status[0]))
                    self._news.notify_all()
        self._process.wait()
        with self._news:
            self._over = True
            self._news.notify_all()


class Crawling:
    """A crawl process: `plan` goes in, `answers` come out; it ends when its `leash` is closed."""

    def __init__(
        self, parent: _Parent, pid: int, plan: BinaryIO, answers: BinaryIO, leash: BinaryIO
    ) -> None:
        self._parent = parent
        self._pid = pid
        self.plan, self.answers, self.leash = plan, answers, leash

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, where it may still run."""
        if self._parent.status(self._pid, wait=False) is None:
            with suppress(ProcessLookupError):  # it has ended, and we are still to hear of it
                os.kill(self._pid, number)

    def wait(self) -> int:
        """Its exit status, negative for a signal, once it has ended."""
        status = self._parent.status(self._pid, wait=True)
        return NOT_KNOWN if status is None else status


def main() -> int:
    """Fork a crawl whenever it is asked for, until nobody can ask any more."""
    from schedules import crawl  # here: a run process needs no Scrapy

    crawl.prepare()
    # Whoever tells all processes of a service to end tells the run too, which ends its crawls. They
    # are held back rather than ignored: what a crawl is told at its birth reaches it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    fds = _asked_for()
    if fds is None:
        os._exit(0)  # at once: there is nothing to tidy up
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
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

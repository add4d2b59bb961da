"""A web server on this machine that stands in for one source, and fails as its script says.

Every request is noted as it arrives, with its path, headers and time: tests count what was really
asked, and wait for a request instead of sleeping.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from schedules.replica import ALLOW_ALL, samples_folder
from spiders.sources import SOURCES, by_key
from tests.conftest import Afterscore

PATIENCE = 180.0
"""Seconds after which whoever waits here gives up."""

_SKYFALL = {
    "rottentomatoes": ("skyfall.html", b"skyfall"),
    "metacritic": ("skyfall.html", b"skyfall"),
    "tmdb": ("skyfall.json", b"37724"),
}
"""Of each source that can be stood in for, the sample of one film, and what its id ends in."""


class Gate:
    """Holds an answer back: the test waits until it was asked for, looks around, and opens."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def wait(self) -> None:
        """For the test: return once a request stands before the gate."""
        assert self._reached.wait(PATIENCE), "the request that this test waits for never came"

    def open(self) -> None:
        """For the test: let the answer go."""
        self._open.set()

    def pass_through(self) -> None:
        """For the server: return once the gate is open."""
        self._reached.set()
        self._open.wait(PATIENCE)


@dataclass(frozen=True)
class Reply:
    """What the server says to one request.

    `missing` bytes are promised by Content-Length and never come; where it is negative, so many
    come that were not promised. A body that is not `bytes` is sent in chunks for as long as anybody
    listens, `pause` seconds apart. `heads` are lines of further headers, which may have no end, as
    far apart.
    `reset` ends the connection without a word.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    heads: Iterable[bytes] = ()
    missing: int = 0
    pause: float = 0.0
    reset: bool = False
    gate: Gate | None = None

    @property
    def etag(self) -> str:
        """A validator that changes with the body; a failure has one too."""
        body = self.body if isinstance(self.body, bytes) else b""
        return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Asked:
    """A request as it arrived (`at`: seconds since the epoch), and what it was told."""

    path: str
    query: str
    headers: Mapping[str, str]
    at: float
    reply: Reply

    @property
    def conditional(self) -> bool:
        """Whether it would have been content with a 304."""
        return "If-None-Match" in self.headers or "If-Modified-Since" in self.headers


class FaultServer:
    """Stands in for every host of one source. Use as a context manager.

    Every listing has a page, the source's sample of Skyfall under the listing's own id. Where
    `script` has a next reply for a path, that is given instead. `robots` is robots.txt.
    """

    def __init__(self, source: str) -> None:
        self.source = by_key(source)
        self.robots = Reply(body=ALLOW_ALL)
        self.script: dict[str, Iterator[Reply]] = {}
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._over = threading.Event()
        self._noting = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings that put it in the place of the source."""
        return {host.variable: self.url for host in self.source.hosts}

    @property
    def pages_asked(self) -> list[str]:
        """The source_id of every listing that was asked, in order and as often."""
        ids = [self.source.source_id(self.url + asked.path) for asked in self.asked]
        return [source_id for source_id in ids if source_id is not None]

    def requests(self, source_id: str) -> list[Asked]:
        """The requests for one listing, in order."""
        return [asked for asked in self.asked if asked.path == self._path(source_id)]

    def page(self, source_id: str) -> bytes:
        """A listing's usual page: the sample of Skyfall under this id, and without an IMDb id."""
        sample, skyfall = _SKYFALL[self.source.key]
        page = (samples_folder() / self.source.key / sample).read_bytes()
        own = source_id.rpartition("/")[2].encode()
        return page.replace(skyfall, own).replace(b"tt1074638", b"")

    def tell(self, source_id: str, *replies: Reply) -> None:
        """Give these replies, one after another, to the next requests for a listing."""
        self.tell_always(source_id, replies)

    def tell_always(self, source_id: str, replies: Iterable[Reply]) -> None:
        """The same for any series of replies, such as one without an end."""
        self.script[self._path(source_id)] = iter(replies)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _path(self, source_id: str) -> str:
        return urlsplit(self.source.ask_url(source_id) or "").path

    def _begin(self, asked: str, headers: Mapping[str, str]) -> Reply:
        """Note a request, and decide what it is told."""
        at = time.time()
        path, _, query = asked.partition("?")
        with self._noting:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            scripted = next(self.script.get(path, iter(())), None)
            reply = scripted or self._usual(path, headers.get("If-None-Match"))
            self.asked.append(Asked(path, query, headers, at, reply))
            return reply

    def _usual(self, path: str, known: str | None) -> Reply:
        if path == "/robots.txt":
            return self.robots
        source_id = self.source.source_id(self.url + path)
        if source_id is None:
            return Reply(404)
        reply = Reply(body=self.page(source_id))
        return Reply(304) if known == reply.etag else reply

    def _end(self) -> None:
        with self._noting:
            self._at_once -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        faulty = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                reply = faulty._begin(self.path, dict(self.headers))
                if reply.gate:
                    reply.gate.pass_through()
                faulty._end()
                if reply.reset:
                    self._reset()
                else:
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                body = reply.body
                headers = {"Content-Type": "text/html", "ETag": reply.etag, **reply.headers}
                if isinstance(body, bytes):
                    headers["Content-Length"] = str(len(body) + reply.missing)
                else:
                    headers["Transfer-Encoding"] = "chunked"
                self.send_response(reply.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.flush_headers()
                for line in reply.heads:
                    self.wfile.write(line + b"\r\n")
                    faulty._over.wait(reply.pause)
                self.end_headers()
                if isinstance(body, bytes):
                    self.wfile.write(body)
                else:
                    for part in body:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                        faulty._over.wait(reply.pause)
                    self.wfile.write(b"0\r\n\r\n")
                self.close_connection = bool(reply.missing)

            def _reset(self) -> None:
                """Close without the usual end, so that the other side is told of a reset."""
                lingering = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
                self.rfile.close()
                self.connection.close()
                self.close_connection = True

            def log_message(self, format: str, *values: object) -> None:  # noqa: A002  its name
                """Requests are noted in `asked`, not printed."""

        return Handler


FEED = "/3/movie/changes"


@contextmanager
def tmdb_without_changes() -> Iterator[FaultServer]:
    """TMDB, whose feed of changes is empty."""
    with FaultServer("tmdb") as server:
        empty = {"results": [], "page": 1, "total_pages": 1, "total_results": 0}
        server.script[FEED] = repeat(Reply(body=json.dumps(empty).encode()))
        yield server


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what the tests are about: nothing to print."""


# --- commands that ask it -------------------------------------------------------------------------


def asking(folder: Path, *servers: FaultServer, delay: float = 0, more: str = "") -> Afterscore:
    """The command line with these servers' sources on, and no others; `more` settings, in TOML."""
    ready = Afterscore(folder, {"TMDB_API_TOKEN": "a-token"})
    on = {server.source.key for server in servers}
    ready.settings(
        more
        + "\n".join(
            f"[sources.{source.key}]\nenabled = {str(source.key in on).lower()}"
            + (f"\ndelay_seconds = {delay}" if source.key in on else "")
            for source in SOURCES
        )
    )
    for server in servers:
        ready.environment.update(server.environment)
    return ready


@contextmanager
def started(ready: Afterscore, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs."""
    with subprocess.Popen(
        ready.command(*words),
        cwd=ready.folder,
        env=ready.whole_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def printed(process: subprocess.Popen[str], *texts: str) -> str:
    """The next line with this text that the command prints about its progress; the last one, where
    there are several texts, whose lines may come in any order."""
    assert process.stderr
    said, awaited = [], set(texts)
    for line in process.stderr:
        awaited -= {text for text in awaited if text in line}
        if not awaited:
            return line
        said.append(line)
    raise AssertionError(f"the command ended without a word of {awaited}: {''.join(said)}")

"""A replica of every source on this machine: the bundled sample pages over real HTTP.

The demo runs the main job against it, and tests do. Each host of the register gets a port of its
own, so that robots.txt, validators and delays work as they do outside.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from spiders.sources import SOURCES, Host

ALLOW_ALL = b"User-agent: *\nDisallow:\n"
_DATE = re.compile(r"_\d\d_\d\d_\d{4}\.")
"""In the name of a file that there is a new one of each day: the sample is that of any day."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
}


@dataclass(frozen=True)
class Sample:
    """A served page: its bytes, type and any further headers."""

    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """A validator that changes with the page."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it (`at`: seconds since the epoch)."""

    at: float
    host: str
    path: str
    headers: dict[str, str]
    status: int


def samples_folder() -> Path:
    """Where the samples lie, in a checkout and in an installed wheel alike."""
    return Path(str(resources.files("spiders") / "samples"))


def served(folder: Path) -> dict[str, dict[str, Sample]]:
    """The pages to serve, by the host they belong to (`https://…`) and their path with query."""
    pages: dict[str, dict[str, Sample]] = {}
    for beside in sorted(folder.rglob("*.expected.json")):
        expected = json.loads(beside.read_text("utf-8"))
        if expected.get("served"):
            page = beside.with_name(beside.name.removesuffix(".expected.json"))
            content_type = _TYPES.get(page.suffix, "application/octet-stream")
            sample = Sample(page.read_bytes(), content_type, expected.get("headers", {}))
            site, path = _split(expected["url"])
            pages.setdefault(site, {})[_DATE.sub(".", path)] = sample
    for source in SOURCES:
        own = folder / source.key
        for table in sorted(own.glob("*.tsv")):
            packed = Sample(gzip.compress(table.read_bytes(), mtime=0), "application/gzip")
            site = next(host.url for host in source.hosts if host.role.endswith("datasets"))
            pages.setdefault(site, {})[f"/{table.name}.gz"] = packed
        if (own / "robots.txt").exists():
            rules = Sample((own / "robots.txt").read_bytes(), "text/plain")
            pages.setdefault(source.hosts[0].url, {})["/robots.txt"] = rules
    return pages


class Replica:
    """Serves the samples, one port for each host. Use as a context manager.

    `environment` names the stand-ins for a child process; `asked` is every request in order.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.pages = served(folder or samples_folder())
        self.asked: list[Asked] = []
        self._servers: dict[str, ThreadingHTTPServer] = {}
        for host in _hosts():
            self._servers[host.role] = _Server(("127.0.0.1", 0), self._handler(host))

    @property
    def environment(self) -> dict[str, str]:
        """The settings that put this replica in the place of every host."""
        return {
            host.variable: f"http://127.0.0.1:{self._servers[host.role].server_address[1]}"
            for host in _hosts()
        }

    def __enter__(self) -> Self:
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def find(self, host: Host, path: str) -> Sample | None:
        """The page at a path: that very path with its query, else the path alone."""
        pages = self.pages.get(host.url, {})
        bare = _DATE.sub(".", path.partition("?")[0])
        alone = {key.partition("?")[0]: sample for key, sample in pages.items()}
        return pages.get(path) or pages.get(bare) or (alone.get(bare) if "?" in path else None)

    def _handler(self, host: Host) -> type[BaseHTTPRequestHandler]:
        replica = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                sample = replica.find(host, self.path)
                if sample is None and self.path == "/robots.txt":
                    sample = Sample(ALLOW_ALL, "text/plain")
                status = 404 if sample is None else 200
                if sample and self.headers.get("If-None-Match") == sample.etag:
                    status = 304
                replica.asked.append(
                    Asked(time.time(), host.role, self.path, dict(self.headers), status)
                )
                body = sample.body if sample and status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if sample:
                    self.send_header("Content-Type", sample.content_type)
                    self.send_header("ETag", sample.etag)
                    for name, value in sample.headers.items():
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *values: object) -> None:  # noqa: A002  its name
                """Requests are counted in `asked`, not printed."""

        return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, a crawl that was killed: nothing to print."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _hosts() -> list[Host]:
    return [host for source in SOURCES for host in source.hosts]


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    path = parts.path or "/"
    return f"{parts.scheme}://{parts.netloc}", path + (f"?{parts.query}" if parts.query else "")

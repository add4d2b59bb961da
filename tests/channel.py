"""A channel that alerts go to, and a heartbeat's watcher, over real HTTP."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Channel:
    """Whoever is told: notes what is posted or asked, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.messages: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.credentials: list[str | None] = []
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel.messages.append(json.loads(body))
                self._end()

            def do_GET(self) -> None:
                channel.asked.append(self.path)
                channel.credentials.append(self.headers["Authorization"])
                self._end()

            def _end(self) -> None:
                self.send_response(channel.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *values: object) -> None:  # noqa: A002  its name
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def taken(self) -> list[dict[str, Any]]:
        """The messages since this was last asked."""
        messages, self.messages = self.messages, []
        return messages

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

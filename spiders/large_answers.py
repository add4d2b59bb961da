"""Answers too large to be held: their bytes go to a file as they come.

Scrapy holds an answer in memory, all of it, until it has come; IMDb's largest dataset has half a
gigabyte. The file has no name, and is gone with the process, whatever ends that.
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import IO, Any, cast

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Headers, Response
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers as SentHeaders
from twisted.web.iweb import UNKNOWN_LENGTH

_FILE = "answer_goes_to"
_PAGE_BYTES = 1 << 20
"""So much of what came in the place of what was asked for, such as a page that says why, is read as
any other answer."""


def to_file(request: Request, folder: str | None) -> Request:
    """The request, with its answer going to a file in a folder (None: the system's)."""
    request.meta[_FILE] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  lives as long as it
    request.headers["Accept-Encoding"] = "identity"
    return request


def file_of(response: Response) -> IO[bytes]:
    """Where the body of such an answer lies, from its beginning."""
    file = cast("IO[bytes]", response.meta[_FILE])
    file.seek(0)
    return file


class LargeAnswers(HTTP11DownloadHandler):
    """Scrapy's handler, and another way for what goes to a file. Through a proxy, Scrapy's own
    goes there too, by way of memory."""

    async def download_request(self, request: Request) -> Response:
        """What Scrapy calls. The body of an answer to a request of `to_file` is in its file, where
        the status is 200."""
        file: IO[bytes] | None = request.meta.get(_FILE)
        if file is None:
            return await super().download_request(request)
        file.seek(0)
        file.truncate()
        if "proxy" in request.meta:
            response = await super().download_request(request)
            file.write(response.body)
            return response.replace(body=b"") if response.status == 200 else response
        try:
            async with asyncio.timeout(request.meta["download_timeout"]):
                return await _fetched(request, file)
        except TimeoutError as fault:
            raise DownloadTimeoutError(str(fault)) from fault
        except error.ConnectionRefusedError as fault:
            raise DownloadConnectionRefusedError(str(fault)) from fault
        except error.DNSLookupError as fault:
            raise CannotResolveHostError(str(fault)) from fault
        except (error.ConnectError, error.ConnectionLost, ResponseFailed) as fault:
            raise DownloadFailedError(str(fault)) from fault


async def _fetched(request: Request, file: IO[bytes]) -> Response:
    from twisted.internet import reactor  # here: Scrapy installs it

    agent = Agent(reactor, contextFactory=BrowserLikePolicyForHTTPS())
    headers = SentHeaders(dict(request.headers))
    asked = agent.request(request.method.encode(), request.url.encode(), headers)
    answer: Any = await maybe_deferred_to_future(asked)
    body = _Body(file, request.meta["download_maxsize"], answer.length)
    answer.deliverBody(body)
    await maybe_deferred_to_future(body.came)
    shown = b""
    if answer.code != 200:
        file.seek(0)
        shown = file.read(_PAGE_BYTES)
    came = Headers(dict(answer.headers.getAllRawHeaders()))
    return Response(request.url, status=answer.code, headers=came, body=shown)


class _Body(Protocol):
    """Writes what comes into a file. `came` is called back once it has come to its end."""

    transport: Any

    def __init__(self, file: IO[bytes], most: int, promised: Any) -> None:
        self._file = file
        self._most = most
        self._promised = 0 if promised is UNKNOWN_LENGTH else promised
        self._bytes = 0
        self.came: Deferred[None] = Deferred(lambda _: self._leave())

    def connectionMade(self) -> None:  # noqa: N802  its name
        """It begins. What is promised to be too large is not waited for."""
        if self._promised > self._most:
            self._fail(DownloadCancelledError(f"{self._promised} bytes are promised"))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  its name
        """Some more of it."""
        self._bytes += len(data)
        if self.came.called:
            return
        if self._bytes > self._most:
            self._fail(DownloadCancelledError(f"more than {self._most} bytes came"))
            return
        try:
            self._file.write(data)
        except OSError as fault:
            self._fail(IgnoreRequest(f"what came could not be written to a file: {fault.strerror}"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802  its name
        """It is over, and whole or not."""
        if self.came.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.came.callback(None)
        else:
            self.came.errback(Failure(ResponseDataLossError(str(reason.value))))

    def _fail(self, fault: Exception) -> None:
        self.came.errback(Failure(fault))
        self._leave()

    def _leave(self) -> None:
        if self.transport:
            self.transport.loseConnection()

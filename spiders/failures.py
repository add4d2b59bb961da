"""Why a request brought no answer: our manners forbid it, or what happened on the way."""

from __future__ import annotations

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)

_NO_ANSWER: dict[type, str] = {
    CannotResolveHostError: "the name of the host is not known",
    DownloadConnectionRefusedError: "the connection was refused",
    DownloadFailedError: "the connection was lost",
    DownloadTimeoutError: "no answer in time",
    ResponseDataLossError: "the body was cut short",
}


class OutsideRegister(IgnoreRequest):
    """A request, or a redirect, to a host that the source does not have in the register."""


class ForbiddenByRobots(IgnoreRequest):
    """robots.txt forbids this URL; others of the site may be allowed."""


class RobotsUnreadable(IgnoreRequest):
    """robots.txt could not be read, so nothing of the site may be asked."""


def no_answer(fault: BaseException | None) -> str:
    """Why no answer came, or none that is whole."""
    return _NO_ANSWER.get(type(fault)) or f"{type(fault).__name__}: {fault}"[:300]

"""What every answer of the site says to browsers and robots: headers that limit what a page may do.

What sites write (titles, evidence, addresses) is on our pages. Templates escape it; should one ever
fail to, these headers keep it from running as a program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
Wrapper: TypeAlias = Callable[[Application], Application]

OWN_PAGES = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""The policy of our own pages: one style sheet, no script at all."""

DATASETTES_PAGES = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The policy of the others: their templates have scripts inside, and Vega, which draws charts,
makes functions of text. Nothing may come from, or go to, another site."""

_HEADERS = {
    b"content-security-policy": DATASETTES_PAGES.encode(),
    b"referrer-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
    b"x-robots-tag": b"noindex, nofollow",
}


def with_headers(application: Application) -> Application:
    """The application with the headers above on each answer that does not bring its own."""

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                has = {name.lower() for name, _ in given}
                more = [(name, value) for name, value in _HEADERS.items() if name not in has]
                message = {**message, "headers": [*given, *more]}
            await send(message)

        await application(scope, receive, send_more)

    return wrapped

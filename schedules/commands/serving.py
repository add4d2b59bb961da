"""serve: the ratings as a site, for a browser on this machine."""

from __future__ import annotations

import contextlib
import errno
import socket
import webbrowser
from typing import Annotated

import typer

from pipelines.database import read_only
from pipelines.problem import Problem
from schedules import config
from schedules.commands.options import DbOption, say


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; others than this may reach it")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port; 0: any that is free")
    ] = 8001,
    browser: Annotated[bool, typer.Option("--open", help="Open it in a web browser")] = False,
    db: DbOption = None,
) -> None:
    """Serve the ratings as a site: search, a page for each film, lists, and SQL. Nothing can be
    written there, and a refresh may run meanwhile. Ctrl-C ends it.

    \b
    Example:  afterscore serve --open
    """
    # Half a second that no other command should take to begin.
    import uvicorn

    from explore.site import site

    path = config.database_path(db)
    read_only(path).conn.close()
    with _listening(host, port) as listening:
        address = _address(listening)
        say(f"{path} is served at {address} (Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)
        server = uvicorn.Server(uvicorn.Config(site(path).app(), log_level="warning"))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens already: a browser that is opened now waits for the first answer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as fault:
        # It is the host where the resolver complains, whose numbers are negative, or the system
        # says that it has no such address.
        of_host = (fault.errno or 0) < 0 or fault.errno == errno.EADDRNOTAVAIL
        why = (fault.strerror or str(fault)).partition(" (while")[0]
        other = (
            "--host takes an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
            if of_host
            else "Choose another with --port, or --port 0 for any that is free"
        )
        raise Problem(f"cannot listen on {host} port {port}: {why}. {other}.") from fault
    # asyncio sees to this only for sockets that it makes. A page goes out in several pieces, and
    # without it the last one waits 40 ms for the browser to acknowledge those before.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  only compared
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

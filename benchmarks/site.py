"""The sites on this machine, in a process of their own: `python -m benchmarks.site KIND FILMS`.

As fast as a server in plain Python gets, so that what is measured is who asks. It prints its
hosts' addresses as one line of JSON, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.pages import KINDS, YEAR, Film, Pages, films
from spiders.sources import by_key

Answer = Callable[[bytes], bytes | None]
"""From a path to what stands there, or None."""

RATING, VOTES = 7.7, 760_000
"""What the datasets say of every film; the title pages say something else."""

_PATH = re.compile(rb"GET (\S+) ")
_NUMBER = re.compile(rb"(\d+)/?$")


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = _PATH.match(head)
            body = self._answer(path[1]) if path else None
            status = b"404 Not Found" if body is None else b"200 OK"
            body = body or b""
            self._transport.writelines(
                [
                    b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\n" % status,
                    b"Content-Length: %d\r\n\r\n" % len(body),
                    body,
                ]
            )


def _site(pages: Pages) -> Answer:
    def answer(path: bytes) -> bytes | None:
        if path == b"/robots.txt":
            return b"User-agent: *\nDisallow:\n"
        number = _NUMBER.search(path)
        return pages.body(Film(int(number[1]))) if number else None

    return answer


def _datasets(number: int) -> Answer:
    """IMDb's datasets of these films, from which a run has their titles."""
    basics = [
        "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
        "\truntimeMinutes\tgenres"
    ]
    ratings = ["tconst\taverageRating\tnumVotes"]
    for names in (film.names for film in films(number)):
        basics.append(
            f"{names['imdb_id']}\tmovie\t{names['title']}\t{names['title']}"
            f"\t0\t{YEAR}\t\\N\t143\tAction,Adventure,Thriller"
        )
        ratings.append(f"{names['imdb_id']}\t{RATING}\t{VOTES}")
    files = {
        f"/title.{name}.tsv.gz".encode(): gzip.compress("\n".join([*rows, ""]).encode())
        for name, rows in (("basics", basics), ("ratings", ratings))
    }
    return files.get


def _nothing(path: bytes) -> None:
    """A host that has to be there, but is not asked."""


async def _serve(kind: str, number: int) -> None:
    answers = {pages.host.role: _site(pages) for pages in KINDS[kind]}
    answers["imdb_datasets"] = _datasets(number)
    loop = asyncio.get_running_loop()
    addresses = {}
    for host in (host for pages in KINDS[kind] for host in by_key(pages.source).hosts):
        answer = answers.get(host.role, _nothing)
        server = await loop.create_server(partial(_Connection, answer), "127.0.0.1", 0)
        addresses[host.role] = "http://{}:{}".format(*server.sockets[0].getsockname())
    print(json.dumps(addresses), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))

"""The sites on this machine, in a process of their own: `python -m benchmarks.site KIND FILMS`, or
`python -m benchmarks.site night FILMS RATED ETAGS` for those that a night is measured with.

As fast as a server in plain Python gets, so that what is measured is who asks. It prints its
hosts' addresses as one line of JSON, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

from benchmarks import made_up_films
from benchmarks.pages import KINDS, NIGHT, YEAR, Film, Pages, films
from spiders.sources import SOURCES

Answer = Callable[[bytes], bytes | None]
"""From a path to what stands there, or None."""

Headers = Callable[[bytes], bytes]
"""From a path to the further headers of what stands there, a line each."""

RATING, VOTES = 7.7, 760_000
"""What the datasets say of every film; the title pages say something else, but for the night's."""

SHOWN_RATING, SHOWN_VOTES = 7.8, 768_360
"""What the title pages say."""

_PATH = re.compile(rb"GET (\S+) ")
_NUMBER = re.compile(rb"(\d{8,})(?:-2012)?/?(?:\?|$)")
_PAGE = re.compile(rb"[?&]page=(\d+)")
_KNOWN = re.compile(rb"\r\nIf-None-Match: (\S+)", re.I)
_ETAG = re.compile(rb"ETag: (\S+)")

POSTS = 100
"""Films on a page of AfterCredits.com's list, as the site gives them."""


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer, headers: Headers) -> None:
        self._answer, self._headers = answer, headers
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
            headers = self._headers(path[1]) if path and body is not None else b""
            known, etag = _KNOWN.search(head), _ETAG.search(headers)
            if known and etag and known[1] == etag[1]:
                status, body = b"304 Not Modified", b""
            body = body or b""
            self._transport.writelines(
                [
                    b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\n" % status,
                    headers,
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


def _posts(number: int) -> Answer:
    """AfterCredits.com's list of these films, a hundred a page."""
    says = "".join(
        f"<p><strong>Are There Any Extras {when} The Credits? <span>No</span></strong></p>"
        for when in ("During", "After")
    )

    def answer(path: bytes) -> bytes | None:
        page = _PAGE.search(path)
        first = POSTS * (int(page[1]) - 1) if page else number
        posts = [
            {
                "id": film.number,
                "date": f"{YEAR}-11-01T09:00:00",
                "slug": f"{film.names['slug']}-{YEAR}",
                "link": f"https://aftercredits.com/{YEAR}/11/{film.names['slug']}-{YEAR}/",
                "title": {"rendered": f"{film.names['title']} ({YEAR})"},
                "content": {
                    "rendered": f"{says}<p><a"
                    f' href="https://www.imdb.com/title/{film.names["imdb_id"]}/">IMDb</a></p>'
                },
                "categories": [5, 6],
            }
            for film in films(number)[first : first + POSTS]
        ]
        return json.dumps(posts).encode() if posts else None

    return answer


def _datasets(number: int, rated: int = 0) -> Answer:
    """IMDb's datasets of these films, from which a run has their titles, and of so many more."""
    basics = [
        "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
        "\truntimeMinutes\tgenres"
    ]
    ratings = ["tconst\taverageRating\tnumVotes"]
    rating, votes = (SHOWN_RATING, SHOWN_VOTES) if rated else (RATING, VOTES)
    # Ours lie between the others: a part of a dataset in which all have one rating would be held.
    of_others = rated // max(number, 1)
    told: list[Any] = list(made_up_films.films(rated).itertuples()) if rated else []
    for place, film in enumerate(films(number)):
        names = film.names
        basics.append(
            f"{names['imdb_id']}\tmovie\t{names['title']}\t{names['title']}"
            f"\t0\t{YEAR}\t\\N\t143\tAction,Adventure,Thriller"
        )
        ratings.append(f"{names['imdb_id']}\t{rating}\t{votes}")
        last = rated if place == number - 1 else of_others * (place + 1)
        for other in range(of_others * place + 1, last + 1):
            known = told[other - 1]  # as the catalogue has it
            basics.append(
                f"tt{other:08d}\tmovie\t{known.title}\t{known.title}\t0\t{known.year}"
                f"\t\\N\t{known.runtime}\tDrama"
            )
            ratings.append(f"tt{other:08d}\t{1 + other % 89 / 10:.1f}\t{30_000 + 20 * known.votes}")
    files = {
        f"/title.{name}.tsv.gz".encode(): gzip.compress("\n".join([*rows, ""]).encode())
        for name, rows in (("basics", basics), ("ratings", ratings))
    }
    return files.get


def _nothing(path: bytes) -> None:
    """A host that has to be there, but is not asked."""


def _no_headers(path: bytes) -> bytes:
    return b""


def _night_headers(number: int, *, etags: bool) -> Callable[[str], Headers]:
    """By a host's role. Every day a dataset has another validator, whatever is in it."""
    dataset = count()
    pages = -(-number // POSTS)

    def headers(role: str) -> Headers:
        def of_path(path: bytes) -> bytes:
            if role == "imdb_datasets":
                return b'ETag: "%d"\r\n' % next(dataset)
            total = b"X-WP-TotalPages: %d\r\n" % pages if role == "aftercredits" else b""
            return total + (b'ETag: "the-same"\r\n' if etags else b"")

        return of_path

    return headers


async def _serve(answers: Mapping[str, Answer], headers: Callable[[str], Headers]) -> None:
    loop = asyncio.get_running_loop()
    addresses = {}
    for host in (host for source in SOURCES for host in source.hosts):
        answer = answers.get(host.role, _nothing)
        make = partial(_Connection, answer, headers(host.role))
        server = await loop.create_server(make, "127.0.0.1", 0)
        addresses[host.role] = "http://{}:{}".format(*server.sockets[0].getsockname())
    print(json.dumps(addresses), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main(kind: str, number: int, rated: int = 0, etags: int = 0) -> None:
    """Serve until standard input ends."""
    headers: Callable[[str], Headers] = lambda role: _no_headers  # noqa: E731
    parts = NIGHT if kind == "night" else KINDS[kind]
    answers = {pages.host.role: _site(pages) for pages in parts}
    answers["imdb_datasets"] = _datasets(number, rated)
    if kind == "night":
        answers["aftercredits"] = _posts(number)
        headers = _night_headers(number, etags=bool(etags))
    asyncio.run(_serve(answers, headers))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

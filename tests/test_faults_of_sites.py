"""What whole sites do wrong: they block us, forbid us, or are gone.

The crawl ends at once or after a few answers, the run says why, what was stored stands, and the
other sources go on.
"""

from __future__ import annotations

import gzip
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import repeat
from pathlib import Path

import pytest
from sqlite_utils import Database

from tests.fault_server import FaultServer, Reply, asking
from tests.nights import Night, Sites, first_night, next_night, rows_of
from tests.test_imdb_datasets import BASICS_HEADER, FOO, RATED, RATINGS_HEADER

CHALLENGE = (
    b"<html><head><title>Just a moment...</title>"
    b'<script src="/cdn-cgi/challenge-platform/x.js"></script></head><body></body></html>'
)
CONSENT = b"<html><head><title>Before you continue</title></head><body><form></form></body></html>"


@dataclass(frozen=True)
class Block:
    """What a whole site says for one night, and what must come of it.

    `said` stands in the line that is printed; `requests` is how many may be sent for pages, all of
    them for the first one.
    """

    reply: Reply
    said: str
    requests: int = 1
    outcome: str = "blocked"
    robots: Reply | None = None


BLOCKED_NIGHTS: tuple[Mapping[str, Block], ...] = (
    {
        "rottentomatoes": Block(
            Reply(202, headers={"x-amzn-waf-action": "challenge"}),
            "blocked: status 202, a firewall's challenge",
        ),
        "metacritic": Block(
            Reply(body=CHALLENGE), "blocked: a challenge or consent page with status 200"
        ),
    },
    {
        "rottentomatoes": Block(
            Reply(body=CONSENT), "blocked: a challenge or consent page with status 200"
        ),
        "metacritic": Block(Reply(403), "blocked: status 403"),
        "tmdb": Block(Reply(429, headers={"Retry-After": "3600"}), "rate_limited: status 429"),
    },
    {
        "rottentomatoes": Block(
            Reply(),
            "error: robots.txt of ",
            robots=Reply(500),
            outcome="failed",
            requests=0,
        ),
        "metacritic": Block(
            Reply(503, headers={"Retry-After": formatdate(time.time() + 86_400, usegmt=True)}),
            "rate_limited: status 503",
        ),
        "tmdb": Block(
            Reply(429, headers={"Retry-After": "0"}), "rate_limited: status 429", requests=3
        ),
    },
)


LISTINGS = (
    *("rottentomatoes:m/fine", "rottentomatoes:m/other", "metacritic:movie/fine"),
    *("metacritic:movie/other", "tmdb:1", "tmdb:2"),
)


@pytest.fixture(scope="module")
def good_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A first refresh, in which all went well."""
    return first_night(tmp_path_factory.mktemp("good-night"), LISTINGS)


@dataclass(frozen=True)
class Blocked:
    """A night in which sites blocked us, by source."""

    night: Night
    blocks: Mapping[str, Block]


@pytest.fixture(scope="module", params=BLOCKED_NIGHTS, ids="+".join)
def blocked(
    request: pytest.FixtureRequest, good_night: Night, tmp_path_factory: pytest.TempPathFactory
) -> Blocked:
    blocks: Mapping[str, Block] = request.param

    def script(sites: Sites) -> None:
        for source, block in blocks.items():
            sites.servers[source].robots = block.robots or sites.servers[source].robots
            for listing in of_source(source):
                sites.tell(listing, repeat(block.reply))

    return Blocked(next_night(good_night, tmp_path_factory.mktemp("blocked-night"), script), blocks)


def of_source(source: str) -> list[str]:
    """The listings of one source."""
    return [listing for listing in LISTINGS if listing.startswith(f"{source}:")]


def test_a_block_stops_its_source_at_the_first_page(blocked: Blocked) -> None:
    for source, block in blocked.blocks.items():
        due = of_source(source)
        asked = {one: len(blocked.night.asked[one]) for one in due if one in blocked.night.asked}
        assert len(due) > 1
        assert list(asked.values()) == ([block.requests] if block.requests else []), source


def test_a_block_is_recorded_and_printed(blocked: Blocked) -> None:
    assert blocked.night.ended.status == 1
    for source, block in blocked.blocks.items():
        assert blocked.night.crawls()[source] == block.outcome
        line = blocked.night.line(f"{source}: {block.outcome} ({block.said}")
        assert line.endswith("What was stored stands.")


def test_a_block_leaves_what_was_stored_as_it_was(good_night: Night, blocked: Blocked) -> None:
    for source in blocked.blocks:
        for listing in of_source(source):
            before = rows_of(good_night.database, listing)
            assert rows_of(blocked.night.database, listing) == before


def test_where_one_source_blocks_us_the_others_go_on(blocked: Blocked) -> None:
    others = blocked.night.crawls().keys() - blocked.blocks.keys()
    for source in others:
        assert blocked.night.crawls()[source] == "ok"
        assert all(listing in blocked.night.asked for listing in of_source(source))


def test_a_film_that_is_asked_of_a_site_that_blocks_us_shows_what_stands(
    good_night: Night, tmp_path: Path
) -> None:
    shutil.copy(good_night.file, tmp_path)
    with FaultServer("rottentomatoes") as server:
        server.tell("m/fine", Reply(403))
        ended = asking(tmp_path, server)("film", "rottentomatoes:m/fine", "--ask")
    assert ended.status == 1
    assert "92 %" in ended.out
    assert "status 403" in ended.err
    assert server.pages_asked == ["m/fine"]


# --- sites that are down, gone, closed or rebuilt -------------------------------------------------

IN_A_ROW = 20
"""Failures in a row after which a site is left alone for the run."""

DUE = [f"m/{number}" for number in range(IN_A_ROW + 5)]
"""Listings of a site of which nothing can be used."""


@dataclass(frozen=True)
class Useless:
    """A site that says nothing of use for one night, and what must come of it.

    `requests` are sent for pages in all; `said` is why the crawl ended, and is printed so.
    """

    outcome: str
    said: str
    requests: int
    reply: Reply = field(default_factory=Reply)
    robots: bytes = b""


USELESS = {
    "down": Useless(
        "failed",
        f"error: {IN_A_ROW} failures in a row, the last: status 500",
        requests=3 * IN_A_ROW,
        reply=Reply(500),
    ),
    "rebuilt": Useless(
        "failed",
        f"unreadable: {IN_A_ROW} failures in a row, the last: no known layout fits",
        requests=IN_A_ROW,
        reply=Reply(body=b"<html><body><h1>Skyfall</h1><p>Fresh at 92 %</p></body></html>"),
    ),
    "closed": Useless(
        "blocked",
        f"blocked: {IN_A_ROW} failures in a row, the last: robots.txt of ",
        requests=0,
        robots=b"User-agent: *\nDisallow: /\n",
    ),
}


@pytest.mark.parametrize("site", USELESS.values(), ids=USELESS)
def test_a_site_that_says_nothing_of_use_is_left_alone_and_what_it_said_before_stands(
    tmp_path: Path, site: Useless
) -> None:
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = asking(tmp_path, rotten, meta)
        ready("track", *(f"rottentomatoes:{one}" for one in DUE), "metacritic:movie/fine")
        assert ready("refresh").status == 0
        before = [rows_of(ready.database(), f"rottentomatoes:{one}") for one in DUE]
        so_far = len(rotten.pages_asked)
        for one in DUE:
            rotten.tell_always(one, repeat(site.reply))
        rotten.robots = Reply(body=site.robots)
        ended = ready("refresh", "--again")
        asked = rotten.pages_asked[so_far:]
    assert ended.status == 1
    assert len(asked) == site.requests
    assert len(set(asked)) == min(IN_A_ROW, site.requests)
    (line,) = (
        line for line in ended.err.splitlines() if f"rottentomatoes: {site.outcome} (" in line
    )
    assert site.said in line
    database = ready.database()
    assert [rows_of(database, f"rottentomatoes:{one}") for one in DUE] == before
    outcomes = dict(
        database.execute("SELECT source, outcome FROM crawls WHERE run_id = 2 AND asked > 0")
    )
    assert outcomes == {"rottentomatoes": site.outcome, "metacritic": "ok"}


def test_a_host_that_is_not_known_any_more_costs_nothing_but_its_crawl(tmp_path: Path) -> None:
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = asking(tmp_path, rotten, meta)
        ready("track", "rottentomatoes:m/one", "rottentomatoes:m/two", "metacritic:movie/fine")
        assert ready("refresh").status == 0
        before = rows_of(ready.database(), "rottentomatoes:m/one")
        ready.environment["AFTERSCORE_ROTTENTOMATOES_URL"] = "http://rottentomatoes.invalid"
        ended = ready("refresh", "--again")
        asked = [*meta.pages_asked]
    assert ended.status == 1
    assert asked == ["movie/fine", "movie/fine"]
    assert len(rotten.pages_asked) == 2
    assert "rottentomatoes: failed (error: robots.txt of http://rottentomatoes.invalid" in ended.err
    assert "the name of the host is not known" in ended.err
    assert rows_of(ready.database(), "rottentomatoes:m/one") == before


# --- lists without an end -------------------------------------------------------------------------

WATM = "https://www.whatsafterthemovie.com"
STINGERS = "/type-of-stinger/no-post-credits-scene/page"


def index(*sitemaps: str) -> Reply:
    """An index of sitemaps."""
    named = "".join(f"<sitemap><loc>{WATM}{path}</loc></sitemap>" for path in sitemaps)
    return Reply(body=f"<sitemapindex>{named}</sitemapindex>".encode())


def stingers(number: int, following: int) -> Reply:
    """A page of MediaStinger's list of films without a scene, of a film of its own."""
    return Reply(
        body=f'''<html><body><main><ul><li class="item"><div class="title">
        <a href="https://mediastinger.com/sample-{number}-after-the-credits/">Sample (200{number})
        </a></div></li></ul><a rel="next" href="{STINGERS}/{following}/">Next</a></main>
        </body></html>'''.encode()
    )


@pytest.mark.parametrize(
    ("source", "pages", "asked", "said"),
    [
        (
            "whatsafterthemovie",
            {
                "/all.xml": index("/one.xml", "/all.xml", "/two.xml", "/one.xml"),
                "/one.xml": Reply(body=b"<urlset></urlset>"),
                "/two.xml": Reply(body=b"<urlset></urlset>"),
            },
            ["/all.xml", "/one.xml", "/two.xml"],
            f"{WATM}/all.xml leads back to {WATM}/all.xml",
        ),
        (
            "mediastinger",
            {f"{STINGERS}/{at}/": stingers(at, at % 3 + 1) for at in (1, 2, 3)},
            [f"{STINGERS}/{at}/" for at in (1, 2, 3)],
            f"{STINGERS}/3/ leads back to https://mediastinger.com{STINGERS}/1/",
        ),
    ],
)
def test_a_list_that_leads_back_to_itself_is_asked_once_and_has_not_come_whole(
    tmp_path: Path, source: str, pages: Mapping[str, Reply], asked: list[str], said: str
) -> None:
    with FaultServer(source) as server:
        server.robots = Reply(body=f"User-agent: *\nSitemap: {WATM}/all.xml\n".encode())
        server.script.update({path: repeat(reply) for path, reply in pages.items()})
        ready = asking(tmp_path, server, more="[limits]\ncrawl_hours = 0.02\n")
        ready("track", "tt1074638")
        ended = ready("refresh")
        assert [one.path for one in server.asked if one.path in pages] == asked
    assert f"{source}: partly (" in ended.err
    assert f"{said}). What was stored stands." in ended.err
    (profile,) = Database(tmp_path / "ratings.db").query(
        "SELECT json_extract(profile, '$.list') AS list FROM crawls WHERE source = ?", [source]
    )
    assert "whole" not in (profile["list"] or "")


# --- datasets -------------------------------------------------------------------------------------

RATINGS, BASICS = "/title.ratings.tsv.gz", "/title.basics.tsv.gz"


@pytest.mark.parametrize(
    ("ratings", "limit", "outcome", "said"),
    [
        (
            Reply(body=gzip.compress(bytes(10_000_000)) * 300),
            "megabytes = 300",
            "unreadable",
            "the header is",
        ),
        (
            Reply(body=repeat(b"x"), pause=0.5),
            "answer_seconds = 0.6",  # of which a dataset has thirty times as many
            "error",
            "no answer in time",
        ),
        (
            Reply(body=b"x", missing=2_000_000_000),
            "",
            "unreadable",
            "the body is larger than 1000 MB",
        ),
    ],
    ids=[
        "unpacks to three gigabytes without a line",
        "never comes to an end",
        "promises two gigabytes",
    ],
)
def test_a_dataset_that_cannot_be_used_is_asked_once_and_ends_its_own_crawl_only(
    tmp_path: Path, ratings: Reply, limit: str, outcome: str, said: str
) -> None:
    with FaultServer("imdb") as imdb, FaultServer("metacritic") as meta:
        imdb.script[RATINGS] = repeat(ratings)
        imdb.script[BASICS] = repeat(Reply(body=gzip.compress(b"")))
        ready = asking(tmp_path, imdb, meta, more=f"[limits]\n{limit}\n")
        ready("track", "tt1074638", "metacritic:movie/fine")
        ended = ready("refresh")
        asked = [one.path for one in imdb.asked if one.path == RATINGS]
    assert ended.status == 1
    assert len(asked) == 1
    assert f"imdb: {outcome}: https://datasets.imdbws.com{RATINGS}" in ended.err
    assert said in ended.err
    outcomes = dict(
        ready.database().execute("SELECT source, outcome FROM crawls WHERE outcome <> 'skipped'")
    )
    assert outcomes == {"imdb": "partly", "metacritic": "ok"}


def test_a_dataset_that_was_cut_or_refused_is_asked_again_from_its_beginning(
    tmp_path: Path,
) -> None:
    basics = gzip.compress((BASICS_HEADER + FOO).encode())
    ratings = gzip.compress((RATINGS_HEADER + RATED).encode())
    with FaultServer("imdb") as imdb:
        imdb.script[RATINGS] = iter(
            [Reply(body=ratings + bytes(1_000), missing=50), Reply(503), Reply(body=ratings)]
        )
        imdb.script[BASICS] = iter([Reply(body=basics, reset=True), Reply(body=basics)])
        ready = asking(tmp_path, imdb, more="[universe]\n")
        ended = ready("refresh")
        asked = [one.path for one in imdb.asked]
    assert ended.status == 0, ended.err
    assert asked == ["/robots.txt", RATINGS, RATINGS, RATINGS, BASICS, BASICS]
    assert {one.headers["User-Agent"].partition("/")[0] for one in imdb.asked} == {"afterscore"}
    assert imdb.asked[-1].headers["Accept-Encoding"] == "identity"
    assert ready.database().execute("SELECT imdb_id FROM films").fetchall() == [("tt0000001",)]


def test_a_page_in_the_place_of_a_dataset_is_read_as_what_it_is(tmp_path: Path) -> None:
    with FaultServer("imdb") as imdb:
        imdb.script[RATINGS] = repeat(Reply(403, b"<p>Go away</p>"))
        ended = asking(tmp_path, imdb, more="[universe]\n")("refresh")
    assert ended.status == 1
    assert f"imdb: blocked: https://datasets.imdbws.com{RATINGS}" in ended.err

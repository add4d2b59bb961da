"""What sites do wrong, over real HTTP on localhost.

Every fault has a typed outcome and a clear line, costs no more requests than good manners allow
(counted at the server), and leaves what was stored exactly as it was.
"""

from __future__ import annotations

import gzip
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from pipelines.database import read_only
from spiders.sources import by_key
from tests.conftest import Ended
from tests.fault_server import PATIENCE, Asked, FaultServer, Gate, Reply, asking, printed, started

CHALLENGE = (
    b"<html><head><title>Just a moment...</title>"
    b'<script src="/cdn-cgi/challenge-platform/x.js"></script></head><body></body></html>'
)
CONSENT = b"<html><head><title>Before you continue</title></head><body><form></form></body></html>"

NOTED_LATE = 0.03
"""Seconds by which a busy machine may note a request later than it came."""


# --- nights: one refresh each ---------------------------------------------------------------------


class Sites:
    """A server in the place of each of three sources; listings go by their keys."""

    def __init__(self, servers: Iterable[FaultServer]) -> None:
        self.servers = {server.source.key: server for server in servers}

    def tell(self, listing: str, replies: Iterable[Reply]) -> None:
        """Give these replies, one after another, to the next requests for a listing."""
        source, source_id = listing.split(":")
        self.servers[source].tell_always(source_id, replies)

    def page(self, listing: str) -> bytes:
        """A listing's usual page."""
        source, source_id = listing.split(":")
        return self.servers[source].page(source_id)

    def asked(self) -> dict[str, list[Asked]]:
        """The requests of every listing, in order."""
        return {
            f"{source}:{source_id}": server.requests(source_id)
            for source, server in self.servers.items()
            for source_id in server.pages_asked
        }


@contextmanager
def three_sites() -> Iterator[Sites]:
    """Rotten Tomatoes, Metacritic and TMDB."""
    with ExitStack() as stack:
        keys = ("rottentomatoes", "metacritic", "tmdb")
        yield Sites([stack.enter_context(FaultServer(key)) for key in keys])


@dataclass(frozen=True)
class Night:
    """One refresh: how it ended, the database after it, and what was asked, by listing."""

    ended: Ended
    file: Path
    asked: Mapping[str, list[Asked]]

    @property
    def database(self) -> Database:
        """The database as the refresh left it."""
        return read_only(self.file)

    def outcomes(self) -> dict[str, str]:
        """The outcome of the last request for each listing."""
        return {
            row["listing"]: row["last_outcome"]
            for row in self.database.query(
                "SELECT source || ':' || source_id AS listing, last_outcome"
                " FROM urls JOIN listings USING (source, listing_id)"
            )
        }

    def crawls(self) -> dict[str, str]:
        """The outcome of each source in this run."""
        return {
            row["source"]: row["outcome"]
            for row in self.database.query(
                "SELECT source, outcome FROM crawls WHERE run_id = (SELECT max(run_id) FROM runs)"
                " AND outcome <> 'skipped'"
            )
        }

    def line(self, beginning: str) -> str:
        """The one line that was printed and begins so."""
        lines = [line for line in self.ended.err.splitlines() if line.startswith(beginning)]
        assert len(lines) == 1, self.ended.err
        return lines[0]


def next_night(before: Night, folder: Path, script: Callable[[Sites], None]) -> Night:
    """Refresh a copy of the database as it stood, with every listing asked again."""
    shutil.copy(before.file, folder)
    with three_sites() as sites:
        script(sites)
        ready = asking(folder, *sites.servers.values())
        return Night(ready("refresh", "--again"), folder / before.file.name, sites.asked())


# --- what is stored of a listing ------------------------------------------------------------------

OF_A_LISTING = (
    "listings",
    "listing_films",
    "listing_identifiers",
    "film_titles",
    "film_people",
    "film_genres",
    "score_observations",
    "scores",
    "confirmations",
    "credits_verdicts",
)


def rows_of(database: Database, listing: str) -> dict[str, list[dict[str, Any]]]:
    """All that is stored of a listing and its film, but for when it was last attempted in vain."""
    rows = {
        table: list(
            database.query(
                f"SELECT t.* FROM {table} AS t JOIN listings AS l USING (listing_id)"
                " WHERE l.source || ':' || l.source_id = ?",
                [listing],
            )
        )
        for table in OF_A_LISTING
    }
    films = [row["film_id"] for row in rows["listing_films"]]
    rows["film_scores"] = list(database["film_scores"].rows_where("film_id = ?", films))
    for score in rows["scores"]:
        del score["last_attempt_state"], score["last_attempt_at"]
    return rows


def standing(database: Database, listing: str) -> dict[str, Any]:
    """The scores that stand of a listing, by kind."""
    return {row["score_kind"]: row["value"] for row in rows_of(database, listing)["scores"]}


# --- pages that cannot be used --------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """What a listing's page does for one night, and what must come of it.

    `replies` are made of the usual page; `said` stands in the line that is printed; `requests` is
    how many may be sent.
    """

    listing: str
    replies: Callable[[bytes], Iterable[Reply]]
    outcome: str
    said: str
    requests: int = 1


FAULTS = (
    Fault(
        "rottentomatoes:m/answers_500",
        lambda page: repeat(Reply(500)),
        outcome="error",
        said="status 500",
        requests=3,
    ),
    Fault(
        "rottentomatoes:m/cuts_the_body",
        lambda page: repeat(Reply(body=page, missing=100)),
        outcome="error",
        said="the body was cut short",
        requests=3,
    ),
    Fault(
        "rottentomatoes:m/resets_the_connection",
        lambda page: repeat(Reply(reset=True)),
        outcome="error",
        said="the connection was lost",
        requests=3,
    ),
    Fault(
        "rottentomatoes:m/is_empty",
        lambda page: [Reply()],
        outcome="unreadable",
        said="the body is empty",
    ),
    Fault(
        "rottentomatoes:m/is_a_pdf",
        lambda page: [Reply(body=b"%PDF-1.7\n\xff", headers={"Content-Type": "application/pdf"})],
        outcome="unreadable",
        said="no known layout fits",
    ),
    Fault(
        "rottentomatoes:m/never_ends",
        lambda page: [Reply(body=repeat(page * 50))],
        outcome="unreadable",
        said="the body is larger than 8 MB",
    ),
    Fault(
        "rottentomatoes:m/unpacks_to_30_megabytes",
        lambda page: [
            Reply(body=gzip.compress(bytes(30_000_000)), headers={"Content-Encoding": "gzip"})
        ],
        outcome="unreadable",
        said="the body is larger than 8 MB",
    ),
    Fault(
        "rottentomatoes:m/redirects_to_itself",
        lambda page: repeat(Reply(302, headers={"Location": "/m/redirects_to_itself"})),
        outcome="error",
        said="max redirections reached",
        requests=6,
    ),
    Fault(
        "tmdb:37724",
        lambda page: [
            Reply(body=page[: len(page) // 2], headers={"Content-Type": "application/json"})
        ],
        outcome="unreadable",
        said="no known layout fits",
    ),
    Fault(
        "metacritic:movie/forbidden",
        lambda page: (),
        outcome="blocked",
        said="forbids /movie/forbidden/",
        requests=0,
    ),
)

ABROAD = "rottentomatoes:m/redirects_abroad"
MOVED, MOVED_TO = "rottentomatoes:m/moved", "rottentomatoes:m/moved_2012"
OF_ANOTHER = "rottentomatoes:m/shows_another_film"
OTHER_ENCODING = "rottentomatoes:m/is_not_utf_8"
CUT_SHORT = "rottentomatoes:m/is_cut_short"
THIRD_TIME = "rottentomatoes:m/answers_the_third_time"
FINE = ("rottentomatoes:m/fine", "metacritic:movie/fine", "tmdb:1")

LISTINGS = (
    *(fault.listing for fault in FAULTS),
    *(ABROAD, MOVED, OF_ANOTHER, OTHER_ENCODING, CUT_SHORT, THIRD_TIME),
    *FINE,
)


@pytest.fixture(scope="module")
def abroad() -> Iterator[FaultServer]:
    """A server that is not in the register."""
    with FaultServer("rottentomatoes") as server:
        yield server


@pytest.fixture(scope="module")
def good_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A first refresh, in which all went well."""
    folder = tmp_path_factory.mktemp("good-night")
    with three_sites() as sites:
        ready = asking(folder, *sites.servers.values())
        ready("track", *LISTINGS)
        night = Night(ready("refresh"), folder / "ratings.db", sites.asked())
    assert night.ended.status == 0, night.ended.err
    return night


@pytest.fixture(scope="module")
def bad_night(
    good_night: Night, abroad: FaultServer, tmp_path_factory: pytest.TempPathFactory
) -> Night:
    """The next refresh, in which every page but those that are FINE has something wrong."""

    def script(sites: Sites) -> None:
        for fault in FAULTS:
            sites.tell(fault.listing, fault.replies(sites.page(fault.listing)))
        sites.servers["metacritic"].robots = Reply(
            body=b"User-agent: *\nDisallow: /movie/forbidden\n"
        )
        sites.tell(ABROAD, [Reply(301, headers={"Location": f"{abroad.url}/m/abroad"})])
        sites.tell(MOVED, [Reply(301, headers={"Location": "/m/moved_2012"})])
        sites.tell(OF_ANOTHER, [Reply(body=sites.page("rottentomatoes:m/another_film"))])
        page = sites.page(OTHER_ENCODING)
        sites.tell(OTHER_ENCODING, [Reply(body=page.replace(b"Skyfall", b"Sk\xfffall"))])
        page = sites.page(CUT_SHORT)
        sites.tell(CUT_SHORT, [Reply(body=page[: page.index(b"<media-scorecard")])])
        page = sites.page(THIRD_TIME)
        sites.tell(THIRD_TIME, [Reply(500), Reply(502), Reply(body=page.replace(b"92", b"93"))])

    return next_night(good_night, tmp_path_factory.mktemp("bad-night"), script)


@pytest.fixture(scope="module")
def healed_night(bad_night: Night, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The refresh after that; one page is as it was in the bad night, and the server says so."""
    folder = tmp_path_factory.mktemp("healed-night")
    return next_night(bad_night, folder, lambda sites: sites.tell(CUT_SHORT, [Reply(304)]))


each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.listing)


@each_fault
def test_a_fault_has_a_typed_outcome_and_a_clear_line(bad_night: Night, fault: Fault) -> None:
    source, source_id = fault.listing.split(":")
    assert bad_night.outcomes()[fault.listing] == fault.outcome
    line = bad_night.line(f"{source}: {fault.outcome}: {by_key(source).ask_url(source_id)} (")
    assert fault.said in line


@each_fault
def test_a_fault_leaves_what_was_stored_as_it_was(
    good_night: Night, bad_night: Night, fault: Fault
) -> None:
    before = rows_of(good_night.database, fault.listing)
    assert before["scores"]
    assert rows_of(bad_night.database, fault.listing) == before


@each_fault
def test_a_fault_costs_no_more_requests_than_it_may(bad_night: Night, fault: Fault) -> None:
    assert len(bad_night.asked.get(fault.listing, [])) == fault.requests


@each_fault
def test_after_a_fault_the_page_is_asked_in_full(
    bad_night: Night, healed_night: Night, fault: Fault
) -> None:
    (asked,) = healed_night.asked[fault.listing]
    assert not asked.conditional
    assert healed_night.outcomes()[fault.listing] == "ok"
    assert standing(healed_night.database, fault.listing) == standing(
        bad_night.database, fault.listing
    )


def test_where_some_pages_fail_the_exit_status_says_so_and_the_rest_stands(
    bad_night: Night, healed_night: Night
) -> None:
    assert bad_night.ended.status == 1
    assert set(bad_night.crawls().values()) == {"partly"}
    assert healed_night.ended.status == 0, healed_night.ended.err
    assert set(healed_night.crawls().values()) == {"ok"}


def test_no_fault_ends_in_a_traceback(bad_night: Night) -> None:
    assert "Traceback" not in bad_night.ended.err + bad_night.ended.out


@pytest.mark.parametrize("listing", FINE)
def test_a_fine_page_of_a_bad_night_is_confirmed_by_a_304(bad_night: Night, listing: str) -> None:
    (asked,) = bad_night.asked[listing]
    assert (asked.conditional, asked.reply.status) == (True, 304)
    started = list(bad_night.database["runs"].rows)[-1]["started_at"]
    confirmed = rows_of(bad_night.database, listing)["confirmations"]
    assert confirmed
    assert all(row["confirmed_at"] >= started for row in confirmed)


def test_a_page_that_answers_the_third_time_is_stored_once(bad_night: Night) -> None:
    assert [asked.reply.status for asked in bad_night.asked[THIRD_TIME]] == [500, 502, 200]
    observed = rows_of(bad_night.database, THIRD_TIME)["score_observations"]
    values = [row["value"] for row in observed if row["score_kind"] == "tomatometer"]
    assert values == [92, 93]


def test_a_redirect_out_of_the_register_is_not_followed(
    good_night: Night, bad_night: Night, abroad: FaultServer
) -> None:
    assert abroad.asked == []
    assert len(bad_night.asked[ABROAD]) == 1
    assert bad_night.outcomes()[ABROAD] == "error"
    line = bad_night.line(
        "rottentomatoes: error: https://www.rottentomatoes.com/m/redirects_abroad"
    )
    assert f"{abroad.url} is not a host of the register" in line
    assert rows_of(bad_night.database, ABROAD) == rows_of(good_night.database, ABROAD)


def test_a_redirect_within_the_register_is_followed_to_the_same_film(bad_night: Night) -> None:
    assert [len(bad_night.asked[listing]) for listing in (MOVED, MOVED_TO)] == [1, 1]
    (was,) = rows_of(bad_night.database, MOVED)["listing_films"]
    (now,) = rows_of(bad_night.database, MOVED_TO)["listing_films"]
    assert now["film_id"] == was["film_id"]
    assert standing(bad_night.database, MOVED_TO) == {"tomatometer": 92, "popcornmeter": 88}


def test_a_page_of_another_film_is_held_and_not_stored(good_night: Night, bad_night: Night) -> None:
    assert len(bad_night.asked[OF_ANOTHER]) == 1
    assert rows_of(bad_night.database, OF_ANOTHER) == rows_of(good_night.database, OF_ANOTHER)
    bad_night.line("held: rottentomatoes:m/another_film listing: asked for m/shows_another_film")
    listings = {row["source_id"] for row in bad_night.database["listings"].rows}
    assert "m/another_film" not in listings


def test_after_a_page_was_held_it_is_asked_in_full(healed_night: Night) -> None:
    (asked,) = healed_night.asked[OF_ANOTHER]
    assert not asked.conditional


def test_bytes_of_another_encoding_cost_no_title(good_night: Night, bad_night: Night) -> None:
    before, after = (rows_of(n.database, OTHER_ENCODING) for n in (good_night, bad_night))
    assert bad_night.outcomes()[OTHER_ENCODING] == "ok"
    assert before["listings"][0]["title"] == before["film_scores"][0]["title"] == "Skyfall"
    assert after["film_scores"][0]["title"] == "Skyfall"
    for table in ("listings", "score_observations", "scores"):
        assert after[table] == before[table]


def test_a_page_that_is_cut_short_loses_no_score_and_confirms_none_that_it_lost(
    good_night: Night, bad_night: Night, healed_night: Night
) -> None:
    assert standing(bad_night.database, CUT_SHORT) == standing(good_night.database, CUT_SHORT)

    def confirmed(night: Night) -> dict[str, str]:
        rows = rows_of(night.database, CUT_SHORT)["confirmations"]
        return {row["topic"]: row["confirmed_at"] for row in rows}

    good, bad, healed = map(confirmed, (good_night, bad_night, healed_night))
    assert [asked.reply.status for asked in healed_night.asked[CUT_SHORT]] == [304]
    assert good["tomatometer"] < bad["tomatometer"] < healed["tomatometer"]
    assert good["popcornmeter"] == bad["popcornmeter"] == healed["popcornmeter"]


# --- sites that block us --------------------------------------------------------------------------


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


# --- waiting --------------------------------------------------------------------------------------

DELAY = 0.2
CRAWL_DELAY = 0.5


@dataclass(frozen=True)
class Waited:
    """A refresh with a delay between requests: what each source was asked, and when."""

    asked: Mapping[str, list[Asked]]
    most_at_once: Mapping[str, int]


def in_a_second() -> Iterator[Reply]:
    yield Reply(429, headers={"Retry-After": "1"})


def at_a_date() -> Iterator[Reply]:
    yield Reply(429, headers={"Retry-After": formatdate(time.time() + 2, usegmt=True)})


@pytest.fixture(scope="module")
def waited(tmp_path_factory: pytest.TempPathFactory) -> Waited:
    """Rotten Tomatoes fails twice on one page, Metacritic's robots.txt asks for a longer delay,
    and TMDB asks us to come back later, once in seconds and once at a date."""
    with three_sites() as sites:
        rotten, meta, tmdb = sites.servers.values()
        rotten.tell("m/8", Reply(500), Reply(500))
        meta.robots = Reply(body=f"User-agent: *\nCrawl-delay: {CRAWL_DELAY}\n".encode())
        tmdb.tell_always("1", in_a_second())
        tmdb.tell_always("2", at_a_date())
        ready = asking(tmp_path_factory.mktemp("waited"), rotten, meta, tmdb, delay=DELAY)
        ready(
            "track",
            *(f"rottentomatoes:m/{number}" for number in range(9)),
            *(f"metacritic:movie/{number}" for number in range(3)),
            *("tmdb:1", "tmdb:2"),
        )
        ended = ready("refresh")
        assert ended.status == 0, ended.err
        return Waited(
            {source: list(server.asked) for source, server in sites.servers.items()},
            {source: server.most_at_once for source, server in sites.servers.items()},
        )


def gaps(asked: Sequence[Asked]) -> list[float]:
    """Seconds between each request and the next."""
    return [after.at - before.at for before, after in pairwise(asked)]


def test_a_site_is_asked_one_thing_at_a_time(waited: Waited) -> None:
    assert set(waited.most_at_once.values()) == {1}


def test_the_delay_is_never_shorter_than_what_is_set(waited: Waited) -> None:
    for source, asked in waited.asked.items():
        assert len(asked) > 3
        assert min(gaps(asked)) > DELAY - NOTED_LATE, source


def test_the_delay_varies(waited: Waited) -> None:
    usual = gaps(waited.asked["rottentomatoes"][:9])
    assert max(usual) - min(usual) > DELAY / 20


def test_each_retry_waits_longer(waited: Waited) -> None:
    tries = waited.asked["rottentomatoes"][-3:]
    assert [(one.path, one.reply.status) for one in tries] == [
        ("/m/8", 500),
        ("/m/8", 500),
        ("/m/8", 200),
    ]
    assert gaps(tries)[1] > 2 * DELAY - NOTED_LATE


def test_a_longer_crawl_delay_of_robots_txt_is_kept(waited: Waited) -> None:
    asked = waited.asked["metacritic"]
    assert [one.path for one in asked] == ["/robots.txt", "/movie/0/", "/movie/1/", "/movie/2/"]
    assert min(gaps(asked)) > CRAWL_DELAY - NOTED_LATE


def test_retry_after_is_honoured_in_seconds_and_as_a_date(waited: Waited) -> None:
    _, refused, then, refused_until, at_last = waited.asked["tmdb"]
    assert [one.reply.status for one in (refused, then, refused_until, at_last)] == [
        429,
        200,
        429,
        200,
    ]
    assert (refused.path, refused_until.path) == (then.path, at_last.path)
    assert then.at - refused.at > 1 - NOTED_LATE
    date = parsedate_to_datetime(refused_until.reply.headers["Retry-After"])
    assert at_last.at > date.timestamp() - NOTED_LATE


# --- runs that are cut off ------------------------------------------------------------------------


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def first_to_end(pids: Sequence[int], once: Callable[[], None]) -> int:
    """The first of these processes to end, once something is done."""
    handles = {os.pidfd_open(pid): pid for pid in pids}
    try:
        once()
        ended, _, _ = select.select(list(handles), [], [], PATIENCE)
        return handles[ended[0]]
    finally:
        for handle in handles:
            os.close(handle)


def is_sound(database: Database) -> bool:
    """Whether SQLite finds nothing wrong, and every reference leads somewhere."""
    (found,) = database.execute("PRAGMA integrity_check").fetchone()
    return found == "ok" and not database.execute("PRAGMA foreign_key_check").fetchall()


def scored(database: Database) -> set[str]:
    """The source_ids of the listings whose film has a critics' score."""
    return {
        row["source_id"]
        for row in database.query(
            "SELECT source_id FROM film_scores JOIN listing_films USING (film_id)"
            " JOIN listings USING (listing_id)"
            " WHERE tomatometer IS NOT NULL OR metascore IS NOT NULL"
        )
    }


def outcomes_of(database: Database, table: str) -> list[str]:
    """The outcomes of all runs, or of all crawls that asked something, in order."""
    rows = database[table].rows_where("outcome <> 'skipped'", order_by="run_id")
    return [row["outcome"] for row in rows]


def test_ctrl_c_ends_a_run_in_order_and_the_next_one_goes_on(tmp_path: Path) -> None:
    gate = Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in range(4)))
        server.tell("m/1", Reply(body=server.page("m/1"), gate=gate))
        with started(ready, "refresh") as process:
            gate.wait()
            beside = ready("refresh")
            process.send_signal(signal.SIGINT)
            printed(process, "ending after the requests in hand")
            gate.open()
            status = process.wait(PATIENCE)

        assert beside.status == 2
        assert f"ratings.db is in use by 'afterscore refresh' (process {process.pid} " in beside.err

        assert status == 1
        assert server.pages_asked == ["m/0", "m/1"]
        database = ready.database()
        assert is_sound(database)
        assert scored(database) == {"m/0", "m/1"}
        assert outcomes_of(database, "runs") == outcomes_of(database, "crawls") == ["interrupted"]

        assert ready("refresh").status == 0
        assert server.pages_asked == ["m/0", "m/1", "m/2", "m/3"]


def test_a_run_that_is_killed_keeps_what_was_stored_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    witness, in_hand = Gate(), Gate()
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in range(5)))
        # The line about a bad page is printed while its batch is being stored. A line about a page
        # that was let go after that one says that the earlier batch is stored for good; whether
        # its own is, when the run is killed, is open.
        server.tell("m/1", Reply())
        server.tell("m/2", Reply(gate=witness))
        server.tell("m/3", Reply(body=server.page("m/3"), gate=in_hand))
        with started(ready, "refresh") as process:
            printed(process, "m/1")
            witness.open()
            printed(process, "m/2")
            in_hand.wait()
            (crawl,) = children_of(process.pid)
            process.kill()
            process.wait(PATIENCE)
        first_to_end([crawl], once=in_hand.open)
        assert server.pages_asked == ["m/0", "m/1", "m/2", "m/3"]

        again = ready("refresh")
        assert again.status == 0, again.err
        assert set(server.pages_asked[4:]) - {"m/2"} == {"m/3", "m/4"}
        database = ready.database()
        assert is_sound(database)
        assert scored(database) - {"m/2"} == {"m/0", "m/3", "m/4"}
        assert outcomes_of(database, "runs") == ["interrupted", "ok"]


def test_a_crawl_that_is_killed_fails_alone(tmp_path: Path) -> None:
    rotten_gate, meta_gate = Gate(), Gate()
    with FaultServer("rottentomatoes") as rotten, FaultServer("metacritic") as meta:
        ready = asking(tmp_path, rotten, meta)
        ready("track", "rottentomatoes:m/0", "rottentomatoes:m/1", "metacritic:movie/0")
        rotten.tell("m/1", Reply(gate=rotten_gate))
        meta.tell("movie/0", Reply(body=meta.page("movie/0"), gate=meta_gate))
        with started(ready, "refresh") as process:
            rotten_gate.wait()
            meta_gate.wait()
            crawls = children_of(process.pid)
            crawls.remove(first_to_end(crawls, once=meta_gate.open))
            (rotten_crawl,) = crawls
            os.kill(rotten_crawl, signal.SIGKILL)
            line = printed(process, "rottentomatoes: failed")
            status = process.wait(PATIENCE)
        rotten_gate.open()

    assert "What was stored stands." in line
    assert status == 1
    database = ready.database()
    assert is_sound(database)
    assert scored(database) == {"m/0", "movie/0"}
    crawled = {row["source"]: row["outcome"] for row in database["crawls"].rows if row["asked"]}
    assert crawled == {"rottentomatoes": "failed", "metacritic": "ok"}

"""What pages do wrong, over real HTTP on localhost.

Every fault has a typed outcome and a clear line, costs no more requests than good manners allow
(counted at the server, with their spacing), and leaves what was stored exactly as it was.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from pipelines.wording import shortened
from spiders.sources import by_key
from tests.answers import day, keeping
from tests.fault_server import FaultServer, Reply, asking
from tests.nights import Night, Sites, first_night, next_night, rows_of, standing


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
        "rottentomatoes:m/promises_9_megabytes",
        lambda page: [Reply(body=page, missing=9_000_000)],
        outcome="unreadable",
        said="the body is larger than 8 MB",
    ),
    Fault(
        "rottentomatoes:m/unpacks_to_3_gigabytes",
        lambda page: [
            Reply(body=gzip.compress(bytes(10_000_000)) * 300, headers={"Content-Encoding": "gzip"})
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
        "tmdb:2",
        lambda page: [
            Reply(body=page, missing=-len(page) // 2, headers={"Content-Type": "application/json"})
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

DELAY = 0.6
NEW_VALIDATOR = '"of-today"'

ABROAD = "rottentomatoes:m/redirects_abroad"
MOVED, MOVED_TO = "rottentomatoes:m/moved", "rottentomatoes:m/moved_2012"
OF_ANOTHER = "rottentomatoes:m/shows_another_film"
SWAPPED = "metacritic:movie/swapped", "metacritic:movie/with_another"
EXPIRED = "rottentomatoes:m/has_a_new_validator"
OTHER_ENCODING = "rottentomatoes:m/is_not_utf_8"
IN_UTF_8 = {"Content-Type": "text/html; charset=utf-8"}
CUT_SHORT = "rottentomatoes:m/is_cut_short"
THIRD_TIME = "rottentomatoes:m/answers_the_third_time"
FINE = ("rottentomatoes:m/fine", "metacritic:movie/fine", "tmdb:1")

LISTINGS = (
    *(fault.listing for fault in FAULTS),
    *(ABROAD, MOVED, OF_ANOTHER, *SWAPPED, EXPIRED, OTHER_ENCODING, CUT_SHORT, THIRD_TIME),
    *FINE,
)


def confirmed(rows: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """When what stands of a listing was last seen to be so."""
    return [row["confirmed_at"] for row in rows["confirmations"]]


@pytest.fixture(scope="module")
def abroad() -> Iterator[FaultServer]:
    """A server that is not in the register."""
    with FaultServer("rottentomatoes") as server:
        yield server


@pytest.fixture(scope="module")
def good_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A first refresh, in which all went well."""
    return first_night(tmp_path_factory.mktemp("good-night"), LISTINGS)


@pytest.fixture(scope="module")
def bad_night(
    good_night: Night, abroad: FaultServer, tmp_path_factory: pytest.TempPathFactory
) -> Night:
    """The next refresh, in which every page but those that are FINE has something wrong. No crawl
    may need more than 300 MB."""

    def script(sites: Sites) -> None:
        for fault in FAULTS:
            sites.tell(fault.listing, fault.replies(sites.page(fault.listing)))
        sites.servers["metacritic"].robots = Reply(
            body=b"User-agent: *\nDisallow: /movie/forbidden\n"
        )
        sites.tell(ABROAD, [Reply(301, headers={"Location": f"{abroad.url}/m/abroad"})])
        sites.tell(MOVED, [Reply(301, headers={"Location": "/m/moved_2012"})])
        sites.tell(OF_ANOTHER, [Reply(body=sites.page("rottentomatoes:m/another_film"))])
        for one, other in (SWAPPED, SWAPPED[::-1]):
            sites.tell(one, [Reply(body=sites.page(other))])
        sites.tell(EXPIRED, [Reply(body=sites.page(EXPIRED), headers={"ETag": NEW_VALIDATOR})])
        page = sites.page(OTHER_ENCODING)
        page = page.replace(b"Skyfall", b"Sk\xfffall")
        sites.tell(OTHER_ENCODING, [Reply(body=page, headers=IN_UTF_8)])
        page = sites.page(CUT_SHORT)
        sites.tell(CUT_SHORT, [Reply(body=page[: page.index(b"<media-scorecard")])])
        page = sites.page(THIRD_TIME)
        sites.tell(THIRD_TIME, [Reply(500), Reply(502), Reply(body=page.replace(b"92", b"93"))])

    folder = tmp_path_factory.mktemp("bad-night")
    return next_night(good_night, folder, script, delay=DELAY, more="[limits]\nmegabytes = 300\n")


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
    url = shortened(str(by_key(source).ask_url(source_id)))
    line = bad_night.line(f"{source}: {fault.outcome}: {url} (")
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


def test_however_much_fails_the_site_is_given_its_rest(bad_night: Night) -> None:
    for source, gaps in bad_night.gaps.items():
        assert len(gaps) >= 3
        assert min(gaps) > DELAY / 2, source


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


def test_two_films_whose_pages_are_swapped_are_both_held(
    good_night: Night, bad_night: Night
) -> None:
    for asked, shown in (SWAPPED, SWAPPED[::-1]):
        assert rows_of(bad_night.database, asked) == rows_of(good_night.database, asked)
        name = asked.partition(":")[2]
        bad_night.line(f"held: {shown} listing: asked for {name}")


def test_a_page_whose_validator_expired_is_read_in_full_and_confirms_what_stands(
    good_night: Night, bad_night: Night, healed_night: Night
) -> None:
    (asked,) = bad_night.asked[EXPIRED]
    assert (asked.conditional, asked.reply.status) == (True, 200)
    before, after = (rows_of(night.database, EXPIRED) for night in (good_night, bad_night))
    assert after["score_observations"] == before["score_observations"]
    assert confirmed(after) > confirmed(before)
    (asked,) = healed_night.asked[EXPIRED]
    assert asked.headers["If-None-Match"] == NEW_VALIDATOR


def test_after_a_page_was_held_it_is_asked_in_full(healed_night: Night) -> None:
    (asked,) = healed_night.asked[OF_ANOTHER]
    assert not asked.conditional


def test_bytes_that_are_not_in_the_encoding_of_the_answer_cost_no_title(
    good_night: Night, bad_night: Night
) -> None:
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

    def by_topic(night: Night) -> dict[str, str]:
        rows = rows_of(night.database, CUT_SHORT)["confirmations"]
        return {row["topic"]: row["confirmed_at"] for row in rows}

    good, bad, healed = map(by_topic, (good_night, bad_night, healed_night))
    assert [asked.reply.status for asked in healed_night.asked[CUT_SHORT]] == [304]
    assert good["tomatometer"] < bad["tomatometer"] < healed["tomatometer"]
    assert good["popcornmeter"] == bad["popcornmeter"] == healed["popcornmeter"]


def test_an_answer_that_nothing_has_changed_which_nobody_asked_for_confirms_nothing(
    tmp_path: Path,
) -> None:
    with FaultServer("rottentomatoes") as server:
        ready = asking(tmp_path, server)
        ready("track", "rottentomatoes:m/one")
        server.tell("m/one", Reply(body=server.page("m/one")), Reply(), Reply(304))
        assert ready("refresh").status == 0
        before = rows_of(ready.database(), "rottentomatoes:m/one")
        for said in ("unreadable", "error"):
            ended = ready("refresh", "--again")
            assert ended.status == 1
            assert f"rottentomatoes: {said}: https://www.rottentomatoes.com/m/one (" in ended.err
            assert rows_of(ready.database(), "rottentomatoes:m/one") == before
        with keeping(tmp_path / "ratings.db") as kept:
            kept.db.conn.execute("UPDATE confirmations SET confirmed_at = ?", [day(1)])
        assert ready("refresh", "--again").status == 0
        first, second, third, fourth = server.requests("m/one")
    assert (first.conditional, second.conditional) == (False, True)
    assert (third.conditional, fourth.conditional) == (False, False)
    after = rows_of(ready.database(), "rottentomatoes:m/one")
    assert after["score_observations"] == before["score_observations"]
    assert day(1) not in confirmed(after)

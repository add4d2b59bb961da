"""The guard on whole crawls, over real HTTP: nights on which a site as a whole went wrong."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from spiders.sources import SOURCES
from tests.conftest import Afterscore, Ended
from tests.fault_server import FaultServer, Reply

FILMS = 60
"""Enough for a night to be the past of the next one."""


@dataclass(frozen=True)
class Figures:
    """What one page of Rotten Tomatoes shows."""

    critics: int | None
    reviews: int
    audience: int
    ratings: str = "1,000+ Ratings"


def good(number: int) -> Figures:
    """The figures of one film; all films differ."""
    return Figures(40 + number % 55, 80 + 3 * number, 95 - number % 50)


def rotten_page(number: int, shown: Figures, runtime: str = "2h 23m") -> bytes:
    """A film's page in today's layout."""
    critics: dict[str, Any] = {"title": "Tomatometer"}
    if shown.critics is not None:
        critics |= {"score": str(shown.critics), "ratingCount": shown.reviews}
    card = {
        "criticsScore": critics,
        "audienceScore": {
            "score": str(shown.audience),
            "scoreType": "ALL",
            "bandedRatingCount": shown.ratings,
        },
        "overlay": {"hasAudienceVerified": False, "mediaType": "Movie"},
    }
    return f"""<html><head><title>Film {number} | Rotten Tomatoes</title>
<link rel="canonical" href="https://www.rottentomatoes.com/m/{number}" /></head><body>
<media-hero><rt-text slot="title">Film {number}</rt-text>
<rt-text slot="metadata-prop">{runtime}</rt-text></media-hero>
<script id="media-scorecard-json" type="application/json">{json.dumps(card)}</script>
<script id="where-to-watch-json" type="application/json">{{"releaseYear":"2012"}}</script>
</body></html>""".encode()


def linked_page(number: int, shown: Figures) -> bytes:
    """A page of which only JSON-LD is left, as a redesign leaves it: the critics' figure."""
    rating = {
        "@type": "AggregateRating",
        "name": "Tomatometer",
        "ratingValue": str(shown.critics),
        "ratingCount": shown.reviews,
    }
    film = {
        "@type": "Movie",
        "name": f"Film {number}",
        "url": f"https://www.rottentomatoes.com/m/{number}",
        "aggregateRating": rating,
    }
    return f"""<html><head><script type="application/ld+json">{json.dumps(film)}</script></head>
<body>Film {number}
<script id="where-to-watch-json" type="application/json">{{"releaseYear":"2012"}}</script>
</body></html>""".encode()


@dataclass
class Site:
    """A site, and a database that knows one good night of it."""

    server: FaultServer
    file: Path

    def night(self, folder: Path, pages: Mapping[str, bytes]) -> tuple[Afterscore, Ended]:
        """One more night, in a folder of its own or one that has nights already."""
        if not (folder / "ratings.db").exists():
            shutil.copy(self.file, folder / "ratings.db")
        for path, body in pages.items():
            self.server.script[path] = repeat(Reply(body=body))
        ready = alone(folder, self.server)
        return ready, ready("refresh", "--again")


def alone(folder: Path, server: FaultServer) -> Afterscore:
    """The command line with this server's source on, and no other."""
    ready = Afterscore(folder, server.environment)
    ready.settings(
        "[universe]\n"
        + "\n".join(
            f"[sources.{source.key}]\nenabled = {str(source is server.source).lower()}"
            + ("\ndelay_seconds = 0" if source is server.source else "")
            for source in SOURCES
        )
    )
    return ready


def rows(ready: Afterscore, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in ready.database().execute(sql)]


STANDING = (
    "SELECT listing_id, score_kind, state, value, votes, observed_at FROM scores ORDER BY 1, 2"
)
VERDICTS = "SELECT listing_id, after, worth_staying_votes FROM standing_verdicts ORDER BY 1"
CASES = "SELECT source, topic, rule, decision FROM quarantine ORDER BY quarantine_id"
CRAWL = "SELECT outcome FROM crawls WHERE run_id = (SELECT max(run_id) FROM runs) AND asked > 0"


# --- pages ----------------------------------------------------------------------------------------


def rotten_pages(page: Callable[[int], bytes]) -> dict[str, bytes]:
    return {f"/m/{number}": page(number) for number in range(FILMS)}


@pytest.fixture(scope="module")
def rotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Rotten Tomatoes with sixty films, after one good night."""
    folder = tmp_path_factory.mktemp("rotten")
    with FaultServer("rottentomatoes") as server:
        ready = alone(folder, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in range(FILMS)))
        site = Site(server, folder / "ratings.db")
        _, ended = site.night(folder, rotten_pages(lambda n: rotten_page(n, good(n))))
        assert ended.status == 0, ended.err
        yield site


def unrated(number: int) -> bytes:
    return rotten_page(number, Figures(None, 0, good(number).audience))


def without_votes(number: int) -> bytes:
    return rotten_page(number, Figures(good(number).critics, 0, good(number).audience))


def all_the_same(number: int) -> bytes:
    return rotten_page(number, Figures(67, 400 + 30 * number, 95 - number % 50))


def swapped(number: int) -> bytes:
    shown = good(number)
    return rotten_page(
        number, Figures(shown.audience, 1_000, int(shown.critics or 0), "80 Ratings")
    )


def without_runtime(number: int) -> bytes:
    return rotten_page(number, good(number), runtime="")


def redesigned(number: int) -> bytes:
    return linked_page(number, Figures((good(number).critics or 0) + 2, 90 + 3 * number, 0))


BAD_PAGES = {
    "everything rated is unrated": (unrated, "unrated"),
    "all votes are zero": (without_votes, "unrated"),
    "the same value for all": (all_the_same, "same_value"),
    "the audience in the critics' place": (swapped, "doubts"),
    "a field vanished": (without_runtime, "fields_vanished"),
    "a layout never seen": (redesigned, "fields_vanished"),
}


@pytest.mark.parametrize(("page", "rule"), BAD_PAGES.values(), ids=BAD_PAGES)
def test_a_night_that_is_wrong_as_a_whole_is_held_as_a_whole(
    rotten: Site, tmp_path: Path, page: Callable[[int], bytes], rule: str
) -> None:
    """In one case with one reason, not sixty; and the night after is asked in full."""
    shutil.copy(rotten.file, tmp_path)
    stood = rows(alone(tmp_path, rotten.server), STANDING)
    ready, ended = rotten.night(tmp_path, rotten_pages(page))
    assert ended.status == 1
    assert rows(ready, CASES) == [("rottentomatoes", "crawl", rule, None)]
    assert rows(ready, STANDING) == stood
    assert rows(ready, "SELECT DISTINCT last_attempt_state FROM scores") == [("held",)]
    assert rows(ready, CRAWL) == [("held",)]
    assert rows(ready, "SELECT held, stored FROM crawls WHERE outcome = 'held'") == [(FILMS, 0)]
    assert rows(ready, "SELECT DISTINCT etag FROM urls") == [(None,)]
    assert len([line for line in ended.err.splitlines() if line.startswith("held: ")]) == 1


def test_a_good_night_after_a_bad_one_settles_it(rotten: Site, tmp_path: Path) -> None:
    rotten.night(tmp_path, rotten_pages(unrated))
    ready, ended = rotten.night(tmp_path, rotten_pages(lambda n: rotten_page(n, good(n))))
    assert ended.status == 0, ended.err
    assert rows(ready, CASES) == [("rottentomatoes", "crawl", "unrated", "superseded")]
    assert rows(ready, "SELECT DISTINCT last_attempt_state FROM scores") == [("scored",)]
    assert rows(ready, "SELECT count(*) FROM held_answers") == [(0,)]


def test_a_rejected_night_that_comes_again_is_a_new_case(rotten: Site, tmp_path: Path) -> None:
    """As the help says, where it speaks of single answers otherwise."""
    ready, _ = rotten.night(tmp_path, rotten_pages(unrated))
    assert ready("quarantine", "reject", "1").status == 0
    rotten.night(tmp_path, rotten_pages(unrated))
    case = ("rottentomatoes", "crawl", "unrated")
    assert rows(ready, CASES) == [(*case, "rejected"), (*case, None)]
    told = " ".join(ready("quarantine", "reject", "--help").out.split())
    assert "a crawl is judged anew each night" in told


def drifted(number: int) -> bytes:
    """An honest night: reviews come, figures follow, some films are bombed."""
    shown = good(number)
    assert shown.critics
    audience = shown.audience if number % 5 else shown.audience // 2
    band = "1,000+ Ratings" if number % 5 else "5,000+ Ratings"
    return rotten_page(
        number, Figures(shown.critics - number % 3, shown.reviews + number % 7, audience, band)
    )


def test_an_honest_night_passes(rotten: Site, tmp_path: Path) -> None:
    ready, ended = rotten.night(tmp_path, rotten_pages(drifted))
    assert ended.status == 0, ended.err
    assert rows(ready, CASES) == []
    assert rows(ready, CRAWL) == [("ok",)]


def test_a_few_false_pages_do_not_hold_the_others(rotten: Site, tmp_path: Path) -> None:
    pages = rotten_pages(lambda n: unrated(n) if n % 20 == 0 else drifted(n))
    ready, ended = rotten.night(tmp_path, pages)
    assert ended.status == 0, ended.err
    assert rows(ready, CASES) == 3 * [("rottentomatoes", "tomatometer", "unrated", None)]


def test_pages_that_a_person_says_are_gone_are_not_held_again(tmp_path: Path) -> None:
    """Nor are the good pages beside them; and after three nights their listings are gone."""
    films, lost = range(120), range(64)
    counted = "SELECT not_found_runs, gone_at IS NOT NULL, count(*) FROM listings GROUP BY 1, 2"
    there, cases = (0, 0, 56), [("rottentomatoes", "crawl", "pages_gone", "released")]
    with FaultServer("rottentomatoes") as server:
        ready = alone(tmp_path, server)
        ready("track", *(f"rottentomatoes:m/{number}" for number in films))
        site = Site(server, tmp_path / "ratings.db")
        site.night(tmp_path, {f"/m/{n}": rotten_page(n, good(n)) for n in films})
        for number in lost:
            server.script[f"/m/{number}"] = repeat(Reply(status=404))
        _, ended = site.night(tmp_path, {})
        assert "known pages are not found" in ended.err
        released = ready("quarantine", "release", "--source", "rottentomatoes")
        assert released.status == 0, released.err
        assert rows(ready, counted) == [there, (1, 0, 64)]
        attempts = "SELECT last_attempt_state, count(*) FROM scores GROUP BY 1"
        assert rows(ready, attempts) == [("not_found", 128), ("scored", 112)]
        site.night(tmp_path, {})
        assert rows(ready, counted) == [there, (2, 0, 64)]
        site.night(tmp_path, {})
    assert rows(ready, counted) == [there, (3, 1, 64)]
    assert rows(ready, CASES) == cases


def test_a_new_layout_that_says_what_stands_passes(rotten: Site, tmp_path: Path) -> None:
    """As on the night after an upgrade that knows the site's new design."""
    shutil.copy(rotten.file, tmp_path)
    database = sqlite3.connect(tmp_path / "ratings.db")
    database.execute("UPDATE crawls SET profile = replace(profile, 'scorecard-2024', 'before')")
    database.commit()
    database.close()
    ready, ended = rotten.night(tmp_path, rotten_pages(lambda n: rotten_page(n, good(n))))
    assert ended.status == 0, ended.err
    assert rows(ready, CASES) == []


# --- lists ----------------------------------------------------------------------------------------

POSTS = "/wp-json/wp/v2/posts"


def posts(number: int, votes: int = 20) -> dict[str, bytes]:
    """The list of so many films, newest first, each with its votes."""
    question = "<p><strong>Are There Any Extras {} The Credits? <span>{}</span></strong></p>"
    told = [
        {
            "id": film,
            "link": f"https://aftercredits.com/2015/05/film-{film}/",
            "title": {"rendered": f"Film {film} (2015)"},
            "content": {
                "rendered": question.format("During", "No")
                + question.format("After", "Yes" if film % 3 else "No")
                + '<span class="post-ratings">rating: <strong>'
                + f"{min(votes, film % 9)}</strong> from <strong>{votes and votes + film % 4}"
                + "</strong> votes</span>"
            },
            "categories": [5],
        }
        for film in range(FILMS, FILMS - number, -1)
    ]
    return {POSTS: json.dumps(told).encode()}


@pytest.fixture(scope="module")
def aftercredits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """AfterCredits with sixty films, after one good night."""
    folder = tmp_path_factory.mktemp("aftercredits")
    with FaultServer("aftercredits") as server:
        site = Site(server, folder / "ratings.db")
        alone(folder, server)("track", "imdb:tt1074638")
        ready, ended = site.night(folder, posts(FILMS))
        assert ended.status == 0, ended.err
        assert rows(ready, "SELECT count(*) FROM credits_verdicts") == [(FILMS,)]
        yield site


def test_a_list_that_was_cut_short_never_replaces_a_full_one(
    aftercredits: Site, tmp_path: Path
) -> None:
    """A public scrape was cut short on 139 of 244 days, and replaced the full one each time."""
    for nights in range(1, 4):
        ready, ended = aftercredits.night(tmp_path, posts(10))
        assert ended.status == 1
        assert rows(ready, CASES)[-1] == ("aftercredits", "crawl", "cut_short", None)
        assert rows(ready, "SELECT reason FROM quarantine WHERE decision IS NULL") == [
            (f"10 films, where the last whole ones had {FILMS}",)
        ]
        assert len(rows(ready, CASES)) == nights
    assert rows(ready, "SELECT max(confirmed_at) FROM confirmations") == rows(
        Afterscore(aftercredits.file.parent), "SELECT max(confirmed_at) FROM confirmations"
    )
    assert rows(ready, "SELECT count(*) FROM held_answers") == [(1,)]


def test_votes_that_fell_to_zero_for_everyone_are_held(aftercredits: Site, tmp_path: Path) -> None:
    ready, _ = aftercredits.night(tmp_path, posts(FILMS, votes=0))
    assert rows(ready, CASES) == [("aftercredits", "crawl", "fields_vanished", None)]
    assert rows(ready, "SELECT min(worth_staying_votes) FROM standing_verdicts") == [(20,)]


@pytest.mark.parametrize("number", [FILMS, FILMS - 6])
def test_a_list_of_about_the_same_length_passes(
    aftercredits: Site, tmp_path: Path, number: int
) -> None:
    ready, ended = aftercredits.night(tmp_path, posts(number))
    assert ended.status == 0, ended.err
    assert rows(ready, CASES) == []


def test_a_list_that_a_person_let_pass_is_how_long_it_is_now(
    aftercredits: Site, tmp_path: Path
) -> None:
    ready, _ = aftercredits.night(tmp_path, posts(40))
    released = ready("quarantine", "release", "--source", "aftercredits")
    assert released.status == 0, released.err
    ready, ended = aftercredits.night(tmp_path, posts(40))
    assert ended.status == 0, ended.err
    assert rows(ready, CASES) == [("aftercredits", "crawl", "cut_short", "released")]

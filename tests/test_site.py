"""The site that `serve` gives: its pages as anything that speaks HTTP gets them."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from itertools import cycle
from pathlib import Path
from threading import Event
from urllib.parse import quote

import httpx
import pytest

from pipelines import clock
from pipelines.database import transaction, writing
from pipelines.films import Listed
from pipelines.tracking import track
from schedules.replica import Replica
from spiders.items import Outcome
from spiders.sources import SOURCES
from tests.answers import LISTED, answer, day, keeping, record, refused, scored, tomatometer
from tests.conftest import Afterscore, Ended, beside
from tests.serving import served


@pytest.fixture(scope="module")
def site(refreshed: tuple[Afterscore, Ended]) -> Iterator[httpx.Client]:
    """The site over a database after one refresh."""
    with served(refreshed[0]) as client:
        yield client


README = Path(__file__).parent.parent / "README.md"
SKYFALL = "/film/tt1074638"

# --- serve ----------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_named_and_so_is_the_way_out(
    refreshed: tuple[Afterscore, Ended],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = refreshed[0]("serve", "--port", str(port))
    assert ended.status == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.err
    assert "--port 0" in ended.err


def test_a_host_that_is_none_of_this_machine_s_is_named_as_that(
    refreshed: tuple[Afterscore, Ended],
) -> None:
    ended = refreshed[0]("serve", "--host", "192.0.2.1")
    assert ended.status == 2
    assert "--host takes an address of this machine" in ended.err
    assert "--port" not in ended.err


def test_without_a_database_it_says_how_to_make_one(afterscore: Afterscore) -> None:
    ended = afterscore("serve", "--port", "0")
    assert ended.status == 2
    assert "no database at ratings.db" in ended.err


def test_a_file_of_another_name_has_the_same_addresses_and_descriptions(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    copy = tmp_path / "my films?#1 100%41.db"
    copy.write_bytes((refreshed[0].folder / "ratings.db").read_bytes())
    with served(refreshed[0], "--db", copy) as client:
        page = client.get("/ratings/film_scores").text
        assert "Skyfall" in client.get(SKYFALL).text
    assert "a film with its scores side by side" in page
    assert all(path.name.startswith(copy.name) for path in tmp_path.iterdir()), "no other was made"


def test_a_backup_that_takes_the_files_place_is_shown_at_once_on_every_page(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    then, now = tmp_path / "then.db", tmp_path / "now.db"
    for copy in (then, now):
        assert refreshed[0]("backup", copy).status == 0
    with sqlite3.connect(then) as db:
        db.execute("UPDATE film_scores SET title = 'Skyfall, then'")
    db.close()
    address = "/ratings/film_scores.json?_shape=array&imdb_id=tt1074638"

    def titles(client: httpx.Client) -> set[str]:
        with ThreadPoolExecutor(8) as pool:  # so that each thread of the site has the file open
            asked = [pool.submit(client.get, address) for _ in range(16)]
            return {one.result().json()[0]["title"] for one in asked}

    with served(refreshed[0], "--db", now) as client:
        assert titles(client) == {"Skyfall"}
        assert refreshed[0]("backup", now, "--force", "--db", then).status == 0
        assert titles(client) == {"Skyfall, then"}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (SKYFALL, "<h1><bdi>Skyfall</bdi>"),
        ("/-/dashboards/ratings", 'data-rows="/ratings/coverage_by_year.json'),
        ("/ratings/best_of_a_year.json?_shape=array", '"title": "Skyfall"'),
    ],
)
def test_plain_datasette_serves_the_same_as_the_readme_has_it(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path, path: str, shown: str
) -> None:
    copy = tmp_path / "films.db"
    copy.write_bytes((refreshed[0].folder / "ratings.db").read_bytes())
    (line,) = re.findall(r"^    datasette (demo/ratings\.db .*)$", README.read_text("utf-8"), re.M)
    words = line.replace("demo/ratings.db", str(copy)).split()
    ended = subprocess.run(
        [sys.executable, "-m", "datasette", *words, "--get", path],
        cwd=README.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert shown in ended.stdout


def test_it_opens_the_browser_where_it_is_told_to(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n', "utf-8")
    browser.chmod(0o755)
    ready = Afterscore(refreshed[0].folder, {"BROWSER": str(browser)})
    with served(ready, "--open") as client:
        assert client.get("/robots.txt").status_code == 200  # the browser comes before the first
        assert (tmp_path / "opened").read_text("utf-8").strip() == str(client.base_url)


def test_robots_are_asked_to_stay_away(site: httpx.Client) -> None:
    assert "Disallow: /" in site.get("/robots.txt").text
    for path in ("/", "/ratings/films.json", "/ratings/films.csv"):
        assert site.get(path).headers["x-robots-tag"] == "noindex, nofollow"


def test_the_file_cannot_be_downloaded_nor_written_nor_another_attached(site: httpx.Client) -> None:
    assert site.get("/ratings.db").status_code == 403
    for sql in ("DELETE FROM films", "ATTACH 'other.db' AS other", "PRAGMA journal_mode = DELETE"):
        answer = site.get("/ratings.json", params={"sql": sql})
        assert answer.status_code == 400, sql
    assert site.get("/ratings/films.json").json()["filtered_table_rows_count"] == 15


def test_sql_that_does_not_work_is_there_to_be_mended(site: httpx.Client) -> None:
    wrong = site.get("/ratings", params={"sql": "SELECT title FROM film_score"})
    assert wrong.status_code == 400
    assert "no such table: film_score" in wrong.text
    assert ">SELECT title FROM film_score</textarea>" in wrong.text


def test_no_query_makes_a_value_that_fills_the_memory(site: httpx.Client) -> None:
    answer = site.get("/ratings.json", params={"sql": "select zeroblob(900000000)"})
    assert answer.status_code == 400
    assert "too big" in answer.json()["error"]
    answer = site.get("/ratings.json", params={"sql": "select length(zeroblob(900000))"})
    assert answer.json()["rows"] == [[900_000]]


# --- the page of a film ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "tmdb:37724",
        "rottentomatoes:m/skyfall",
        "wikidata:Q4941",
        "https://www.imdb.com/title/tt1074638/",
    ],
)
def test_every_id_of_a_film_leads_to_the_one_address_of_its_page(
    site: httpx.Client, name: str
) -> None:
    led = site.get(f"/film/{quote(name)}")
    assert (led.status_code, led.headers["location"]) == (302, SKYFALL)


def test_our_number_of_a_film_leads_to_its_page(site: httpx.Client) -> None:
    number = site.get(f"{SKYFALL}.json").json()["facts"]["film_id"]
    assert site.get(f"/film/{number}").headers["location"] == SKYFALL


def test_what_only_begins_like_an_address_is_no_film(site: httpx.Client) -> None:
    led = site.get("/search", params={"q": "http://["})
    assert led.status_code == 302
    assert site.get(led.headers["location"]).status_code == 404


def test_a_title_is_searched_for(site: httpx.Client) -> None:
    assert site.get("/film/Skyfall (2012)").headers["location"] == "/search?q=Skyfall+%282012%29"


@pytest.mark.parametrize(
    "name", ["tt9999999", "tmdb:1", "123456789", "9" * 20, "https://example.org/film"]
)
def test_a_film_that_is_not_here_is_told_of_beside_a_search_box(
    site: httpx.Client, name: str
) -> None:
    answer = site.get(f"/film/{quote(name, safe='')}")
    assert answer.status_code == 404
    assert "No such film here" in answer.text
    assert 'type="search"' in answer.text


def test_a_page_says_of_each_score_what_is_known_or_why_nothing_is(site: httpx.Client) -> None:
    tiles = tiles_of(site.get(SKYFALL).text)
    assert "7.8 / 10" in tiles["IMDb rating"]
    assert "768,360 ratings" in tiles["IMDb rating"]
    assert "92 %" in tiles["Tomatometer"]
    assert "100,000+ ratings" in tiles["Popcornmeter"]
    assert "https://www.rottentomatoes.com/m/skyfall" in tiles["Popcornmeter"]
    assert "Missing: Metacritic’s page should show it" in tiles["Metacritic user score"]
    tiles = tiles_of(site.get("/film/tt7462422").text)
    assert "Not rated yet: IMDb shows that there is no figure so far." in tiles["IMDb rating"]
    assert "No listing found on TMDB." in tiles["TMDB score"]
    assert not any(" 0 / 10" in tile or "0 %" in tile for tile in tiles.values())
    assert "0 %" in tiles_of(site.get("/film/tt0308208").text)["Tomatometer"]  # a true 0


def tiles_of(page: str) -> dict[str, str]:
    """What each score's tile holds, by its label."""
    tiles = re.findall(r'<li class="tile.*?</li>', page, re.S)
    return {re.search(r"<h3>(.*?)</h3>", tile)[1]: tile for tile in tiles}  # type: ignore[index]


def test_a_block_is_told_with_its_date_and_takes_no_figure_away(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        listings = [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes", "metacritic")]
        with transaction(kept.db):
            track(kept.db, listings, "a test")
        kept.tell(tomatometer(scored(92), at=day(1)))
        kept.tell(answer(record("metacritic", title="Skyfall"), at=day(1)))
        for source in ("rottentomatoes", "metacritic"):
            kept.tell(refused(Outcome.BLOCKED, day(4), source))
        kept.merge()
    with served(afterscore) as client:
        tiles = tiles_of(client.get(SKYFALL).text)
    assert "92 %" in tiles["Tomatometer"]
    assert "Asked again on 4 January 2026: blocked." in tiles["Tomatometer"]
    assert "Blocked since 1 January 2026, when Metacritic answered last." in tiles["Metascore"]
    assert "Not asked" in tiles["TMDB score"]


def test_a_film_that_nobody_was_asked_about_says_so_and_what_to_do(afterscore: Afterscore) -> None:
    assert afterscore("track", "tt1074638").status == 0
    with served(afterscore) as client:
        home = client.get("/").text
        assert "<strong>1</strong> film<" in home
        assert "No source was asked yet: <code>afterscore refresh</code> does so." in home
        page = client.get(SKYFALL).text
    tiles = tiles_of(page)
    assert "Not asked yet, or IMDb is switched off." in tiles["IMDb rating"]
    assert "Not asked: TMDB is switched off, or its page is not known yet." in tiles["TMDB score"]
    assert "Nothing has changed" not in page


def test_a_figure_that_no_answer_speaks_of_is_not_said_to_be_unasked(
    afterscore: Afterscore,
) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        listings = [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes", "tmdb")]
        with transaction(kept.db):
            track(kept.db, listings, "a test")
        kept.tell(tomatometer(scored(92), at=day(1)))  # as a list page has it, without the audience
        kept.tell(refused(Outcome.ERROR, day(4), "tmdb"))
        kept.tell(answer(record("imdb", runtime_minutes=1), at=day(4)))
        kept.merge()
    with served(afterscore) as client:
        page = client.get(SKYFALL).text
    assert "<span>1 minute</span>" in page
    tiles = tiles_of(page)
    assert "what Rotten Tomatoes answered does not speak of it." in tiles["Popcornmeter"]
    assert "TMDB was asked on 4 January 2026 and did not answer." in tiles["TMDB score"]


@pytest.mark.parametrize(
    ("film", "told"),
    [
        ("tt0848228", "<strong>Yes</strong>, there are scenes during and after the credits."),
        ("tt1049413", "<strong>Yes, during them</strong>; none is known after"),
        ("tt1074638", "<strong>No</strong>, neither during nor after the credits."),
        ("tt0468569", "<strong>Not known</strong>"),
    ],
)
def test_a_page_answers_whether_to_stay_for_the_credits(
    site: httpx.Client, film: str, told: str
) -> None:
    assert told in site.get(f"/film/{film}").text


def test_a_page_says_why_its_listings_are_believed_to_be_the_film(site: httpx.Client) -> None:
    page = site.get(SKYFALL).text
    assert "identifier: <bdi>wikidata:Q4941 names it</bdi>" in page
    assert "Rotten Tomatoes itself says 88 %" in page


def test_every_page_bears_the_lines_that_sources_ask_for(site: httpx.Client) -> None:
    for path in (SKYFALL, "/ratings", "/ratings/films", "/film/tt9999999"):
        page = unescape(site.get(path).text)
        for source in SOURCES:
            assert source.attribution in page


# --- home, search and lists -----------------------------------------------------------------------

LISTS = ("films", "apart", "movers", "credits", "held", "doubtful")


def found(site: httpx.Client, asked: str) -> list[str]:
    """The titles that a search finds, in their order."""
    page = site.get("/search", params={"q": asked}).text
    part = page.partition('<ol class="found">')[2].partition("</ol>")[0]
    return [unescape(title) for title in re.findall(r"<bdi>(.*?)</bdi></a>", part)]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("Skyfall", "Skyfall"),
        ("SKYF", "Skyfall"),
        ("dark knight", "The Dark Knight"),
        ("Up", "Up"),
        ("Frozen (2013)", "Frozen"),
        ("sam mendes", "Skyfall"),
        ("operacao", "Skyfall"),
        ("Operação Skyfall", "Skyfall"),
        ("oben", "Up"),
        ("skyfell", "Skyfall"),
        ("avnegers", "The Avengers"),
        ('"skyfall" * (', "Skyfall"),
    ],
)
def test_a_search_finds_by_title_other_title_person_beginning_and_slip(
    site: httpx.Client, asked: str, first: str
) -> None:
    assert found(site, asked)[:1] == [first]


def test_a_search_that_finds_nothing_says_how_a_film_is_added(site: httpx.Client) -> None:
    assert found(site, "zzyzx") == []
    assert found(site, "Frozen (1999)") == []
    assert "Nothing here has" in site.get("/search?q=zzyzx").text
    assert site.get("/-/search?q=zzyzx").text == site.get("/search?q=zzyzx").text


def test_an_id_or_a_page_s_address_in_the_search_box_leads_to_the_film(site: httpx.Client) -> None:
    for asked in ("tt1074638", "https://www.rottentomatoes.com/m/skyfall"):
        answer = site.get("/search", params={"q": asked}, follow_redirects=True)
        assert answer.url.path == SKYFALL


def test_a_search_follows_what_a_refresh_brings(tmp_path: Path, replica: Replica) -> None:
    ready = beside(replica, tmp_path)
    assert ready("refresh", "--source", "imdb").status == 0
    with served(ready) as client:
        assert found(client, "tomatoes harkness mendes") == []
        assert found(client, "mendes") == []
        assert ready("refresh").status == 0
        assert found(client, "mendes") == ["Skyfall"]


def test_the_home_page_says_what_there_is_and_how_fresh(site: httpx.Client) -> None:
    page = site.get("/").text
    assert "<strong>15</strong> films" in page
    assert re.search(r"last run</a>: ok, \d+ asked", page)
    for path in (
        "films",
        "apart",
        "movers",
        "credits",
        "sources",
        "last-night",
        "held",
        "doubtful",
    ):
        assert f'href="/{path}"' in page


def test_the_home_page_of_an_empty_database_says_what_to_do(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db"):
        pass
    with served(afterscore) as client:
        home = client.get("/").text
        assert "<code>afterscore track tt1074638</code> tracks one" in home
        assert "never" in home
        assert "<strong>0</strong> scores</li>" in home
        for page in (home, client.get("/sources").text):
            assert "There is no film here yet, and so no figure of any." in page
        for path in (
            "/films",
            "/apart",
            "/movers",
            "/credits",
            "/held",
            "/doubtful",
            "/last-night",
        ):
            assert 'class="problem"' in client.get(path).text, path


def titles(page: str) -> list[str]:
    """The films of a list, in its order."""
    return [
        unescape(title) for title in re.findall(r'<th scope="row"><a .*?<bdi>(.*?)</bdi>', page)
    ]


def test_films_stand_by_consensus_and_a_year_and_a_genre_narrow_them(site: httpx.Client) -> None:
    page = site.get("/films").text
    figures = [int(n) for n in re.findall(r'data-label="All" class="n">(\d+)<', page)]
    assert len(figures) == 14
    assert figures == sorted(figures, reverse=True)
    assert set(titles(site.get("/films?year=2012").text)) == {"The Avengers", "Skyfall"}
    assert "Skyfall" in titles(site.get("/films?genre=Action&year=2012").text)
    assert titles(site.get("/films?genre=Musical&year=2012").text) == []


def test_what_narrows_nothing_is_left_out(site: httpx.Client) -> None:
    everything = site.get("/films").text
    odd_pages = ("page=0", "page=-1", f"page={'9' * 5_000}")
    for given in ("year=", "year=abc", "year=2012'--", *odd_pages, "nothing=1"):
        assert titles(site.get(f"/films?{given}").text) == titles(everything), given


def test_votes_that_nobody_tells_are_no_0(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        kept.tell(tomatometer(scored(91, votes=None), at=day(1)))
        kept.merge()
    with served(afterscore) as client:
        assert re.findall(r'"Votes" class="n">(.*?)<', client.get("/films").text) == ["–"]
        assert [row["votes"] for row in client.get("/films.json").json()["rows"]] == [None]
        (row,) = client.get("/search.json?q=tt1074638").json()["rows"]
        assert (row["consensus_100"] is None, row["votes"]) == (False, None)


def test_an_old_figure_that_counts_like_a_new_one_is_told_of(afterscore: Afterscore) -> None:
    """On the film's page, on lists and in a search: as of now; its row has it as of its merge."""
    saved = "2015-04-01T00:00:00Z"
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        kept.tell(tomatometer(scored(91, 300), at=saved), origin="archive")
        rating = {"imdb_rating": scored(7.8, 5_000, 10)}
        kept.tell(answer(record("imdb", title="Skyfall", scores=rating), at=day(1)))
        kept.merge()
    seen = re.compile(r'oldest was seen <time datetime="(.*?)"')
    listed = re.compile(r'data-label="Oldest figure"><time datetime="(.*?)"')
    found = re.compile(r'oldest figure: <time datetime="(.*?)"')
    with served(afterscore) as client:
        assert seen.findall(client.get(SKYFALL).text) == [saved]
        for path in ("films", "apart"):
            assert listed.findall(client.get(f"/{path}").text) == [saved], path
            (row,) = client.get(f"/{path}.json").json()["rows"]
            assert row["oldest_confirmed_at"] == saved
        assert found.findall(client.get("/search?q=skyfall").text) == [saved]
        (row,) = client.get("/search.json?q=skyfall").json()["rows"]
        assert row["oldest_confirmed_at"] == saved
    with keeping(afterscore.folder / "ratings.db") as kept:
        kept.tell(tomatometer(scored(91, 300), at=day(2)))
        kept.merge()
        kept.tell(answer(record("imdb", scores=rating), at=day(3)))
        kept.tell(tomatometer(scored(91, 300), at=day(4)))
        assert kept.column("SELECT oldest_confirmed_at FROM film_scores") == [day(1)]
    with served(afterscore) as client:
        assert seen.findall(client.get(SKYFALL).text) == [day(3)]
        assert listed.findall(client.get("/films").text) == [day(3)]


def test_a_list_of_which_a_part_is_empty_is_not_said_to_be(site: httpx.Client) -> None:
    for part in ("films?year=1911", "films?page=9", "apart?year=1911", "credits?stay=disputed"):
        told = site.get(f"/{part}").text.partition('class="problem">')[2].partition("</p>")[0]
        path = part.partition("?")[0]
        assert f'href="/{path}"' in told, part
        assert told.startswith(("Nothing in the list is", "The list ends before this page")), part


def test_critics_and_audience_part_the_widest_first(site: httpx.Client) -> None:
    page = site.get("/apart").text
    gaps = [float(gap.replace("−", "-")) for gap in re.findall(r'"Gap" class="n">(\S+?)<', page)]
    assert gaps == sorted(gaps, key=abs, reverse=True)
    liked_by_critics = titles(site.get("/apart?who=critics").text)
    assert 0 < len(liked_by_critics) < len(gaps)
    assert set(liked_by_critics) <= set(titles(page))


def test_scenes_in_the_credits_are_listed_with_who_says_so(site: httpx.Client) -> None:
    page = site.get("/credits").text
    assert {"The Avengers", "Up", "Iron Man"} <= set(titles(page))
    assert "Skyfall" not in titles(page)
    assert ">yes, after or during them</option>" in page
    assert "Skyfall" in titles(site.get("/credits?stay=no").text)
    assert "MediaStinger" in page


def test_moves_of_the_week_and_what_is_held_back_are_listed(afterscore: Afterscore) -> None:
    at = [clock.later(clock.now(), days=-days) for days in (30, 3, 2, 1)]
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        for night, figure in zip(at, (90, 91, 86, 400), strict=True):
            kept.tell(tomatometer(scored(figure), at=night))
        kept.merge()
    with served(afterscore) as client:
        movers, held = client.get("/movers").text, client.get("/held").text
        assert [unescape(move) for move in re.findall(r'From → to" class="n">(.*?)<', movers)] == [
            "91\xa0% → 86\xa0%",
            "90\xa0% → 91\xa0%",
        ]
        assert re.findall('"Votes then" class="n">(.*?)<', movers) == ["100", "100"]
        assert "90\xa0%" not in client.get("/movers?kind=popcornmeter").text
        assert "Rotten Tomatoes" in held
        assert "Tomatometer" in held
        assert "held back" in tiles_of(client.get(SKYFALL).text)["Tomatometer"]
        case = unescape(client.get("/ratings/quarantine/1").text)
        assert '"value": 86' in case
        assert "Where it is named" not in case


def test_the_history_says_no_more_of_a_saved_pages_date_than_is_known(
    afterscore: Afterscore,
) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        for at, exact in (("2012-01-01", "year"), ("2013-07-01", "month"), ("2014-12-03", "day")):
            saved = tomatometer(scored(90 + int(at[3])), f"{at}T00:00:00Z", target="archive")
            kept.tell(saved, origin="archive", exact=exact)
        kept.tell(tomatometer(scored(97), day(1)))
        kept.merge()
    with served(afterscore) as client:
        _, _, table = client.get(SKYFALL).text.partition("The same as a table")
        assert re.findall("<tr><td>(.*?)</td>", table.partition("</table>")[0]) == [
            "1 January 2026",
            "3 December 2014, a saved page",
            "July 2013, a saved page",
            "2012, a saved page",
        ]


def test_what_three_nights_released_is_not_said_to_be_a_persons_doing(
    afterscore: Afterscore,
) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        kept.tell(tomatometer(scored(93, 349), at=day(1)))
        for night in (2, 3, 4):
            kept.tell(tomatometer(scored(39, 351), at=day(night)))
        kept.merge()
        assert kept.column("SELECT decided_by FROM quarantine") == ["the guard: seen on 3 nights"]
    with served(afterscore) as client:
        last = client.get(SKYFALL).text.partition("What changed last")[2].partition("</li>")[0]
        assert "39\xa0%" in last
        assert "or three nights said so" in last


def test_a_move_from_what_a_saved_page_told_says_how_old_that_was(afterscore: Afterscore) -> None:
    """When it moved in all the years since, nobody knows."""
    years_ago, now = (clock.later(clock.now(), days=-days) for days in (4_100, 1))
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        saved = tomatometer(scored(90), years_ago, target="archive")
        kept.tell(saved, origin="archive", exact="day")
        kept.tell(tomatometer(scored(92), now))
        kept.merge()
    with served(afterscore) as client:
        for page in ("/movers", "/"):
            (moved,) = re.findall(r'From → to" class="n">(.*?)</td>', client.get(page).text)
            assert re.sub("<.*?>", "", moved) == "90\xa0% (11 years ago) → 92\xa0%", page
        last = client.get(SKYFALL).text.partition("What changed last")[2].partition("</li>")[0]
        told = re.sub("<.*?>", "", last)
        assert "Tomatometer: 90\xa0% (11 years ago) → 92\xa0%, 1 day ago" in told
        for rows in (
            client.get("/movers.json").json()["rows"],
            client.get("/ratings/movers.json?_shape=array").json(),
        ):
            assert [row["saved_at"] for row in rows] == [years_ago]


def test_the_last_run_is_told_source_by_source(site: httpx.Client) -> None:
    page = site.get("/last-night").text
    for source in SOURCES:
        assert source.name in unescape(page)


def test_a_night_that_did_not_get_all_says_of_which_sources(
    replica: Replica, tmp_path: Path
) -> None:
    ready = beside(replica, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    ready.environment["AFTERSCORE_ROTTENTOMATOES_URL"] = f"http://127.0.0.1:{port}"
    assert ready("refresh").status == 1
    with served(ready) as client:
        for path in ("/", "/last-night"):
            page = client.get(path).text
            assert "did not get all of Rotten Tomatoes (failed). What was known" in page, path
        assert re.search(r"ended <time .*</time>, on \d+ \w+ \d{4}, \d\d:\d\d UTC: partly", page)
    with keeping(ready.folder / "ratings.db") as kept, transaction(kept.db):
        kept.db.conn.execute(
            "INSERT INTO runs (command, plan, pid, started_at, ended_at, outcome, exception)"
            " VALUES ('refresh', '{}', 1, ?, ?, 'failed', 'OSError: no space left on device')",
            [clock.now(), clock.now()],
        )
    with served(ready) as client:
        assert "last run</a>: failed" in client.get("/").text
        page = client.get("/last-night").text
        assert "It asked no source." in page
        assert "failed: <bdi>OSError: no space left on device</bdi>" in page


def test_no_link_of_ours_is_broken(site: httpx.Client) -> None:
    """Every link on our pages is followed, and those of our pages that are reached so in turn."""
    asked, waiting = set[str](), ["/"]
    while waiting:
        path = waiting.pop()
        if path in asked:
            continue
        asked.add(path)
        answer = site.get(path)
        assert answer.status_code in (200, 302), path
        if 'class="own"' in answer.text:
            links = re.findall(r'(?:href|src|action)="(/[^"#]*)', answer.text)
            waiting += [unescape(link) for link in links]
    assert len(asked) > 40


# --- what sites write cannot do harm --------------------------------------------------------------


def test_titles_and_addresses_from_the_web_are_text_and_nothing_else(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    copy = tmp_path / "ratings.db"
    copy.write_bytes((refreshed[0].folder / "ratings.db").read_bytes())
    title = "<script>alert(1)</script> \u202eeman"
    with keeping(copy) as kept:
        run = kept.db.conn.execute
        run("UPDATE listings SET title = ?, overview = ?, url = 'javascript:alert(2)'"
            " WHERE title = 'Skyfall'", [title, title])  # fmt: skip
        run("UPDATE listing_films SET evidence = ?", [title])
        run("UPDATE people SET name = ? || person_id", [title])
        run("UPDATE credits_verdicts SET url = 'javascript:alert(3)'")
        kept.merge()
    with served(refreshed[0], "--db", copy) as client:
        paths = ["/", SKYFALL, *LISTS, "search?q=script", "ratings/listings", "ratings/films"]
        for path in paths:
            page = client.get(path).text
            assert "<script>alert" not in page, path
            assert not re.search(r'(?:href|src)="\s*javascript:', page, re.I), path
            if path == SKYFALL:
                assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt; \u202eeman</bdi>" in page
        policy = client.get(SKYFALL).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy


# --- a refresh meanwhile --------------------------------------------------------------------------


@pytest.mark.long
def test_pages_are_read_while_a_refresh_writes(replica: Replica, tmp_path: Path) -> None:
    ready = beside(replica, tmp_path)
    assert ready("refresh").status == 0
    read = 0
    with served(ready) as client:
        while read < 20:  # a second refresh where the first one was over as soon as that
            refresh = subprocess.Popen(
                ready.command("refresh", "--again"),
                cwd=ready.folder,
                env=ready.whole_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            while refresh.poll() is None:
                for path in ("/", "/films", SKYFALL, "/search?q=up", "/ratings/film_scores"):
                    assert client.get(path).status_code == 200, path
                    read += 1
            _, said = refresh.communicate()
            assert (refresh.returncode, "locked" in said) == (0, False)


def test_a_page_shows_all_of_a_merge_or_nothing_of_it(
    refreshed: tuple[Afterscore, Ended], tmp_path: Path
) -> None:
    """A writer changes a film in two tables at a time, over and over; a page reads both."""
    copy = tmp_path / "ratings.db"
    copy.write_bytes((refreshed[0].folder / "ratings.db").read_bytes())
    over = Event()

    def write() -> None:
        with writing(copy) as db:
            for figure in cycle((1, 2)):
                if over.is_set():
                    return
                with transaction(db):
                    db.conn.execute(
                        "UPDATE films SET title = ? WHERE imdb_id = 'tt1074638'", [f"No {figure}"]
                    )
                    db.conn.execute(
                        "UPDATE film_scores SET imdb_rating = ? WHERE imdb_id = 'tt1074638'",
                        [figure],
                    )

    with served(refreshed[0], "--db", copy) as client, ThreadPoolExecutor() as pool:
        writer = pool.submit(write)
        seen: set[tuple[str, str]] = set()
        try:
            for number in range(6_000):
                if number >= 60 and len(seen) > 1:
                    break
                page = client.get(SKYFALL).text
                title = re.search(r"<h1><bdi>No (\d)</bdi>", page)
                figure = re.search(r"(\d)\.0 / 10", tiles_of(page)["IMDb rating"])
                if title and figure:
                    seen.add((title[1], figure[1]))
        finally:
            over.set()
        writer.result()
    assert seen == {("1", "1"), ("2", "2")}

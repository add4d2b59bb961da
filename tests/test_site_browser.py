"""The site in a real browser: Debian's chromium, driven by playwright, with axe-core's rules.

Skipped where there is no chromium (CHROMIUM names it elsewhere than on the path); what axe-core
judges, where there is no axe-core (AXE_CORE names its file). `.ci/browser.sh` fetches both.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import Afterscore, Ended
from tests.serving import PATIENCE, served

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
AXE_CORE = Path(
    os.environ.get("AXE_CORE")
    or Path(__file__).parent.parent / ".venv" / "axe-core" / "package" / "axe.min.js"
)
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no chromium here: apt-get install chromium"
)
expect.set_options(timeout=1_000 * PATIENCE)
needs_axe = pytest.mark.skipif(
    not AXE_CORE.exists(), reason="there is no axe-core here: sh .ci/browser.sh"
)

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
SKYFALL = "/film/tt1074638"
PAGES = (
    "/", "/search?q=the", "/search?q=zzyzx", SKYFALL, "/film/tt7462422", "/film/tt9999999",
    "/films", "/apart", "/movers", "/credits", "/sources", "/last-night", "/held", "/doubtful",
)  # fmt: skip
DATASETTES = (
    "/ratings", "/ratings/film_scores", "/ratings/stay_for_the_credits?stay=yes",
    "/ratings/listing_films",
    "/ratings/films/1", "/ratings/one_film", "/ratings/movers", "/ratings/freshness_by_age",
    "/ratings?sql=select+title+from+films",
)  # fmt: skip
CHARTS = ("/-/dashboards/ratings", "/-/dashboards/ratings/agreement")
LOOKS = pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"]
)


@pytest.fixture(scope="module")
def site(refreshed: tuple[Afterscore, Ended]) -> Iterator[httpx.Client]:
    with served(refreshed[0]) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
            timeout=1_000 * PATIENCE,
        )
        yield launched
        launched.close()


def context(browser: Browser, site: httpx.Client, **how: Any) -> BrowserContext:
    """A window of its own on the site."""
    opened = browser.new_context(base_url=str(site.base_url), **{"viewport": DESK, **how})
    opened.set_default_timeout(1_000 * PATIENCE)
    return opened


@pytest.fixture
def page(browser: Browser, site: httpx.Client) -> Iterator[Page]:
    """A page at a desk; the test fails where it says anything on the console."""
    with context(browser, site) as opened:
        shown = opened.new_page()
        said = heard(shown)
        yield shown
        assert faults(said) == []


def heard(page: Page) -> list[str]:
    """What goes wrong on a page, as it goes wrong."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"{request.url}: {request.failure}"))
    return said


def faults(said: list[str]) -> list[str]:
    """What was heard, without what is as it should be: a page that is not found is an error to the
    console, and an icon that was still on its way as the next page was opened is given up."""
    return [words for words in said if "404" not in words and "ERR_ABORTED" not in words]


# --- stories --------------------------------------------------------------------------------------


def test_who_types_a_few_letters_reads_whether_to_stay(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Find a film").fill("aveng")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="The Avengers").click()
    expect(page).to_have_url(re.compile("/film/tt0848228$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("The Avengers (2012)")
    stay = page.get_by_role("region", name="Does it have a scene")
    expect(stay).to_contain_text("Yes, there are scenes during and after the credits.")
    expect(stay.get_by_role("link", name="MediaStinger")).to_be_visible()


def test_who_wonders_where_a_score_comes_from_finds_its_page(page: Page) -> None:
    page.goto(SKYFALL)
    tile = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Tomatometer"))
    expect(tile).to_contain_text("92 %")
    expect(tile.get_by_role("link")).to_have_attribute(
        "href", "https://www.rottentomatoes.com/m/skyfall"
    )


def test_who_asks_what_critics_liked_more_gets_those_films_alone(page: Page) -> None:
    page.goto("/apart")
    everything = page.get_by_role("rowheader").count()
    page.get_by_label("Liked more by").select_option("critics")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("who=critics"))
    gaps = page.locator("td[data-label=Gap]").all_inner_texts()
    assert 0 < len(gaps) < everything
    assert all(gap.startswith("+") for gap in gaps)
    page.get_by_role("rowheader").first.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/film/tt"))


def test_who_asks_for_another_year_gets_its_films(page: Page) -> None:
    page.goto("/ratings")
    page.get_by_role("link", name="The best of a year").click()
    expect(page.get_by_label("year", exact=True)).to_have_value("2012")
    page.get_by_label("year", exact=True).fill("2008")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="2 rows")).to_be_visible()
    page.get_by_role("link", name="The Dark Knight").click()
    expect(page).to_have_url(re.compile("/film/tt0468569$"))


def test_who_narrows_a_table_finds_each_field_by_its_name(page: Page) -> None:
    page.goto("/ratings/stay_for_the_credits")
    page.get_by_label("Column of another filter").select_option("stay")
    page.get_by_label("Value of another filter").fill("until_mid")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(re.compile("^1 row where stay"))
    expect(page.get_by_role("region", name="Rows")).to_contain_text("Up")


def test_who_wants_the_whole_gets_charts_and_the_figures_behind_each(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Charts").click()
    page.wait_for_url("**/-/dashboards/ratings")
    drawings = page.locator(".drawing")
    assert drawings.count() >= 6
    for number in range(drawings.count()):
        expect(drawings.nth(number).locator("svg.marks")).to_be_visible()
    page.get_by_role("link", name="The figures of Coverage by year").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Coverage, year by year")
    page.go_back()
    page.get_by_role("link", name="Agreement between kinds of score", exact=True).click()
    expect(page.locator(".drawing svg.marks")).to_contain_text("Tomatometer")


def test_a_chart_without_figures_says_so_and_one_of_too_many_too(page: Page) -> None:
    page.route("**/agreement.json*", lambda asked: asked.fulfill(json={"rows": []}))
    page.goto("/-/dashboards/ratings/agreement")
    expect(page.locator(".drawing")).to_have_text("There is nothing to draw yet.")
    cut = {"rows": [{"year": 2012, "films": 3, "stay": "yes"}], "truncated": True}
    page.route("**/scenes_by_year.json*", lambda asked: asked.fulfill(json=cut))
    page.goto("/-/dashboards/ratings/scenes_by_year")
    expect(page.locator(".drawing svg.marks")).to_be_visible()
    expect(page.get_by_text("Drawn of the first 1 rows alone.")).to_be_visible()


def test_who_turns_the_light_off_has_the_charts_drawn_anew(page: Page) -> None:
    page.goto("/-/dashboards/ratings/agreement")
    label = page.locator(".drawing svg.marks text", has_text="Tomatometer").first
    by_light = label.get_attribute("fill")
    page.emulate_media(color_scheme="dark")
    expect(label).not_to_have_attribute("fill", str(by_light))


def test_who_knows_sql_gets_from_a_row_to_the_film(page: Page) -> None:
    page.goto("/ratings?sql=select+film_id,+title+from+films+where+title+%3D+'Skyfall'")
    page.get_by_role("link", name="Skyfall").click()
    expect(page).to_have_url(re.compile(f"{SKYFALL}$"))


def test_who_has_no_mouse_gets_to_a_film_and_into_it(page: Page) -> None:
    page.goto("/films")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    for _ in range(4):  # a year, a genre, the button, then the first film
        page.keyboard.press("Tab")
    expect(page.get_by_role("rowheader").first.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/film/"))
    page.get_by_text("How it is made").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("An estimate of what critics and audience")).to_be_visible()


def test_who_switches_scripts_off_misses_nothing(browser: Browser, site: httpx.Client) -> None:
    with context(browser, site, java_script_enabled=False) as opened:
        page = opened.new_page()
        page.goto("/")
        page.get_by_label("Find a film").fill("skyfall")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Skyfall").click()
        expect(page.get_by_role("heading", name="Over time")).to_be_visible()
        page.get_by_text("The same as a table").click()
        expect(page.get_by_role("region", name="Scores over time")).to_contain_text("7.8 / 10")
        page.goto("/-/dashboards/ratings")
        expect(page.locator(".drawing").first).to_be_hidden()


def test_who_has_no_mouse_sees_which_field_is_meant(page: Page) -> None:
    page.goto("/ratings/film_scores")
    field = page.get_by_label("Search", exact=True)
    field.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Column of another filter")).to_be_focused()
    expect(page.get_by_label("Column of another filter")).to_have_css("outline-style", "solid")
    page.goto("/ratings")
    expect(page.locator(".CodeMirror")).to_have_css("outline-style", "none")
    page.get_by_label("SQL").last.focus()
    expect(page.locator(".CodeMirror")).to_have_css("outline-style", "solid")


def test_on_a_narrow_page_no_key_leads_to_what_is_not_shown(
    browser: Browser, site: httpx.Client
) -> None:
    with context(browser, site, viewport=PHONE) as opened:
        page = opened.new_page()
        page.goto("/ratings/film_scores")
        page.get_by_role("button", name="Show charting options").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_be_in_viewport()


def test_on_paper_a_page_is_light_and_has_nothing_to_click(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(SKYFALL)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert min(map(int, re.findall(r"\d+", ground)[:3])) > 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for part in (page.locator("header.top ul"), page.get_by_role("search")):
        expect(part).to_be_hidden()


# --- every page, narrow and wide, light and dark --------------------------------------------------


@LOOKS
def test_pages_fit_and_say_nothing_on_the_console(
    browser: Browser, site: httpx.Client, size: Any, scheme: Any
) -> None:
    with context(browser, site, viewport=size, color_scheme=scheme) as opened:
        page = opened.new_page()
        said = heard(page)
        for path in (*PAGES, *DATASETTES, *CHARTS):
            page.goto(path, wait_until="networkidle" if path in CHARTS else "load")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], f"{path} is {width} wide"
        assert faults(said) == []


def test_the_dark_is_dark(browser: Browser, site: httpx.Client) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        with context(browser, site, color_scheme=scheme) as opened:
            page = opened.new_page()
            page.goto(SKYFALL)
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            grounds[scheme] = sum(map(int, re.findall(r"\d+", ground)[:3]))
    assert grounds["dark"] < 128 < 600 < grounds["light"]


@needs_axe
@LOOKS
def test_axe_core_finds_no_serious_fault(
    browser: Browser, site: httpx.Client, size: Any, scheme: Any
) -> None:
    with context(browser, site, viewport=size, color_scheme=scheme) as opened:
        page = opened.new_page()
        serious = []
        for path in (*PAGES, *DATASETTES, *CHARTS):
            page.goto(path, wait_until="networkidle" if path in CHARTS else "load")
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            page.evaluate(AXE_CORE.read_text("utf-8"))
            found = page.evaluate("axe.run()")
            serious += [
                (path, fault["id"], node["html"][:200])
                for fault in found["violations"]
                if fault["impact"] in ("serious", "critical")
                for node in fault["nodes"]
            ]
        assert serious == []

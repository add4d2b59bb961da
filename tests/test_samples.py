"""Every sample page is read as the expectation beside it says; a source without samples fails."""

from __future__ import annotations

import gzip
import html
import json
import plistlib
import re
from collections.abc import Callable
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

import spiders
from spiders.items import Outcome, Record
from spiders.pages.addresses import live_url
from spiders.pages.page import Page
from spiders.pages.reading import read
from spiders.sources import SOURCES, source_of_url

SAMPLES = Path(spiders.__file__).parent / "samples"
PAGES = sorted(
    path
    for path in SAMPLES.rglob("*")
    if path.is_file()
    # A dataset's tables have tests of their own; robots.txt is no page of a film.
    and not path.name.endswith((".expected.json", ".tsv", "robots.txt"))
)


def expectation(path: Path) -> Path:
    return path.with_name(path.name + ".expected.json")


# What has no expectation yet fails once, and says so.
HTML = [path for path in PAGES if path.suffix == ".html" and expectation(path).exists()]


def test_every_source_has_samples() -> None:
    with_samples = {path.relative_to(SAMPLES).parts[0] for path in PAGES}
    assert {source.key for source in SOURCES} - with_samples == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SAMPLES)))
def test_a_sample_is_read_as_expected(path: Path) -> None:
    beside = expectation(path)
    if not beside.exists():
        pytest.fail(f"{path.name} has no expected result: write {beside.name} by hand")
    expected = json.loads(beside.read_text("utf-8"))
    assert found_in(path, path.read_bytes()) == expected["records"]
    # The commands refuse what is of another site than the source's.
    source = source_of_url(live_url(expected["url"]))
    assert source is not None
    assert source.key == path.relative_to(SAMPLES).parts[0]


def wrapped(body: bytes) -> bytes:
    """With the `>` of closing tags on the next line, where a formatter may add no space within."""
    return re.sub(rb"(?<=</)([\w-]+)>", rb"\1\n>", body)


def prettified(body: bytes) -> bytes:
    """Each tag on a line of its own, attributes in the order of the alphabet; whole pages only."""
    if b"</html>" not in body[-4096:]:
        return body
    return BeautifulSoup(body.decode("utf-8", "replace"), "html.parser").prettify().encode()


@pytest.mark.parametrize(
    "path",
    HTML,
    ids=lambda path: str(path.relative_to(SAMPLES)),
)
@pytest.mark.parametrize("change", [wrapped, prettified])
def test_a_page_that_a_formatter_wrote_is_read_the_same(
    path: Path, change: Callable[[bytes], bytes]
) -> None:
    body = path.read_bytes()
    assert found_in(path, change(body)) == found_in(path, body)


def is_no_answer(path: Path) -> bool:
    said = json.loads(expectation(path).read_text("utf-8"))["records"]
    return [record.get("outcome") for record in said] in (["blocked"], ["error"])


@pytest.mark.parametrize(
    "path",
    [path for path in HTML if is_no_answer(path)],
    ids=lambda path: str(path.relative_to(SAMPLES)),
)
def test_the_words_of_a_page_that_is_no_answer_may_stand_on_several_lines(path: Path) -> None:
    body = path.read_bytes()
    broken = re.sub(rb"(?<=\w) (?=\w)", b"\n    ", body)
    assert found_in(path, broken) == found_in(path, body)


def found_in(path: Path, body: bytes) -> list[dict[str, Any]]:
    asked = json.loads(expectation(path).read_text("utf-8"))
    page = Page(
        source=path.relative_to(SAMPLES).parts[0],
        url=asked["url"],
        body=body,
        status=asked.get("http_status", 200),
        headers=asked.get("headers", {}),
        captured_on=asked.get("captured_on"),
    )
    return [record.model_dump(mode="json", exclude_defaults=True) for record in read(page)]


@pytest.mark.parametrize(
    ("source", "sample", "url"),
    [
        ("imdb", "chart_2010.html", "https://www.imdb.com/title/tt1074638/"),
        ("imdb", "list_2024.html", "https://www.imdb.com/title/tt1074638/"),
        ("rottentomatoes", "best-films-2018.html", "https://www.rottentomatoes.com/m/skyfall"),
        ("metacritic", "finder_empty.json", "https://www.metacritic.com/movie/skyfall"),
    ],
)
def test_other_titles_in_the_margins_of_a_page_are_not_what_it_shows(
    source: str, sample: str, url: str
) -> None:
    """As once a redesign has left nothing of a film's page that any layout knows."""
    (record,) = read(Page(source, url, (SAMPLES / source / sample).read_bytes()))
    assert (record.outcome, record.scores) == (Outcome.UNREADABLE, {})


@pytest.mark.parametrize("source", ["imdb", "metacritic", "tmdb", "aftercredits"])
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("Enable JavaScript and cookies to continue", Outcome.BLOCKED),
        ("<p>First we need to verify that you're not a robot. Enable scripts.", Outcome.BLOCKED),
        ("error code: 1020", Outcome.BLOCKED),
        ('{"message": "Forbidden"}', Outcome.BLOCKED),
        ('{"appId": "x", "vid": null, "blockScript": "/x/captcha.js"}', Outcome.BLOCKED),
        ("error code: 1015", Outcome.RATE_LIMITED),
        ("Too Many Requests", Outcome.RATE_LIMITED),
        ('{"title": "You are being rate limited", "status": 429}', Outcome.RATE_LIMITED),
        ('{"code": "no_route", "data": {"status": 404}}', Outcome.NOT_FOUND),
        ('{"title": "Unavailable For Legal Reasons", "status": 451}', Outcome.BLOCKED),
        ("error code: 522", Outcome.ERROR),
        ('{"message": "a film of our own"}', Outcome.UNREADABLE),
    ],
)
def test_what_is_said_in_a_few_words_in_place_of_a_page_is_told(
    source: str, body: str, outcome: Outcome
) -> None:
    """As firewalls and gateways say it to programs, and copies have lost the status."""
    (record,) = read(Page(source, ELSEWHERE[source], body.encode()))
    assert (record.outcome, record.scores) == (outcome, {})


ELSEWHERE = {
    "imdb": "https://www.imdb.com/title/tt1074638/",
    "rottentomatoes": "https://www.rottentomatoes.com/m/skyfall",
    "metacritic": "https://www.metacritic.com/movie/skyfall/",
    "tmdb": "https://www.themoviedb.org/movie/37724",
    "whatsafterthemovie": "https://www.whatsafterthemovie.com/movie/skyfall-2012",
    "aftercredits": "https://aftercredits.com/2012/11/skyfall-2012/",
    "mediastinger": "https://mediastinger.com/skyfall-2012-after-the-credits/",
}


@pytest.mark.parametrize("source", ELSEWHERE)
@pytest.mark.parametrize(
    "sample",
    [
        "imdb/skyfall_2012.html",
        "imdb/overview_2018.html",
        "rottentomatoes/skyfall.html",
        "rottentomatoes/meter-2017.html",
        "rottentomatoes/api-2014.json",
        "metacritic/skyfall.html",
        "metacritic/girl_climber.html",
        "metacritic/classic_2017.html",
    ],
)
def test_a_page_of_another_site_than_its_address_is_not_read(sample: str, source: str) -> None:
    """As where a list of saved pages has a line wrong."""
    if sample.startswith(source):
        return
    for record in read(Page(source, ELSEWHERE[source], (SAMPLES / sample).read_bytes())):
        assert (record.outcome, record.scores) == (Outcome.UNREADABLE, {})


@pytest.mark.parametrize(
    "rating",
    [("Metascore", "Tomatometer"), ('"ratingValue": 85', '"ratingValue": 8.5')],
    ids=["name", "scale"],
)
def test_another_rating_in_json_ld_is_no_metascore(rating: tuple[str, str]) -> None:
    record = read_changed(
        "metacritic/json_ld_alone.html",
        "https://www.metacritic.com/movie/the-dark-knight/",
        replaced(rating, ('"bestRating": 100, ', "")),
    )
    assert (record.title, record.scores["metascore"].state) == ("The Dark Knight", "missing")


@pytest.mark.parametrize(
    ("sample", "begin", "score"),
    [
        ("metacritic/dune_2021.html", b'global-score-header">Metascore</div><span', None),
        ("metacritic/classic_2010.html", b'<div class="score_summary', 82),
    ],
)
def test_an_excerpt_from_the_middle_of_a_page_bears_no_name_or_figure_of_another_title(
    sample: str, begin: bytes, score: int | None
) -> None:
    record = read_changed(
        sample,
        "https://www.metacritic.com/movie/a-film-of-our-own",
        lambda body: body[body.index(begin) :].partition(b"__NUXT_DATA__")[0],
    )
    assert record.title is None
    assert getattr(record.scores.get("metascore"), "value", None) == score


@pytest.mark.parametrize("size", range(20, 150, 5))
def test_an_export_that_is_cut_short_is_no_answer_of_its_first_line(size: int) -> None:
    url = "https://files.tmdb.org/p/exports/movie_ids_11_22_2026.json.gz"
    record = read_changed("tmdb/movie_ids.json.gz", url, lambda body: body[:size])
    assert record.outcome is Outcome.UNREADABLE


def read_changed(sample: str, url: str, change: Callable[[bytes], bytes]) -> Record:
    body = (SAMPLES / sample).read_bytes()
    changed = change(body)
    assert changed != body
    (record,) = read(Page(sample.partition("/")[0], url, changed))
    return record


def replaced(*pairs: tuple[str, str]) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        for old, new in pairs:
            assert old.encode() in body
            body = body.replace(old.encode(), new.encode())
        return body

    return change


def emptied(opening: bytes) -> Callable[[bytes], bytes]:
    """With nothing in the element that a tag opens, which ends before the next one there or its
    parent does."""

    def change(body: bytes) -> bytes:
        before, opened, within = body.partition(opening)
        return before + opened + re.sub(rb"\A.*?</div></div>\n", b"</div>\n", within, flags=re.S)

    return change


def in_web_archive(body: bytes) -> bytes:
    """As browsers save a page in one file."""
    archive = MIMEMultipart("related", boundary="----sample")
    for subtype, part in (("css", b"a { color: red }"), ("html", body)):
        archive.attach(MIMEText(part.decode(), subtype, "utf-8"))
    return archive.as_bytes(policy=archive.policy.clone(linesep="\r\n"))


def in_web_archive_of_safari(body: bytes) -> bytes:
    page = {"WebResourceData": body, "WebResourceTextEncodingName": "UTF-8"}
    archive = {"WebMainResource": page, "WebSubresources": [{"WebResourceData": b"<html>an ad"}]}
    return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)


def source_in_chrome(body: bytes) -> bytes:
    """As that browser shows a page's source, with what it does for colours and links."""
    lines = html.escape(body.decode(), quote=False).split("\n")
    tag = '<span class="html-tag">&lt;title&gt;</span>'
    link = r'"<a class="html-attribute-value" href="https://www.imdb.com/\1">https:\1</a>"'
    rows = (
        f'<tr><td class="line-number" value="{number}"></td><td class="line-content">'
        + re.sub(r'"https:([^"]*)"', link, line.replace("&lt;title&gt;", tag))
        + "</td></tr>"
        for number, line in enumerate(lines, 1)
    )
    return f"<html><head></head><body><table>{''.join(rows)}</table></body></html>".encode()


def source_in_firefox(body: bytes) -> bytes:
    text = html.escape(body.decode(), quote=False).replace("&lt;", "<span>&lt;</span>")
    head = "<!DOCTYPE html><html><head><title>https://www.imdb.com/</title></head>"
    return f'{head}<body id="viewsource"><pre id="line1">{text}</pre></body></html>'.encode()


def translated(body: bytes) -> bytes:
    """As a browser wraps what it translates, here into the same language."""
    begin = '<font style="vertical-align: inherit;">' * 2
    return re.sub(
        r">([^<>]*\w[^<>]*)(?=<(?!/title|/script))", rf">{begin}\1</font></font>", body.decode()
    ).encode()


LATIN = replaced(("<head>", "<head><meta charset=iso-8859-1>"))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.decode().encode("utf-16"),
        lambda body: body.decode().encode("windows-1252"),
        lambda body: LATIN(body).decode().encode("windows-1252"),
        LATIN,
        in_web_archive,
        in_web_archive_of_safari,
        lambda body: repr(body).encode(),
        lambda body: json.dumps(body.decode()).encode(),
        lambda body: json.dumps({"url": "https://example.org", "html": body.decode()}).encode(),
        lambda body: json.dumps(
            {"ok": True, "log": [1, {"content": {"text": body.decode()}}]}
        ).encode(),
        gzip.compress,
        lambda body: (b"\n" + body).decode().encode("utf-16-le"),
        lambda body: body.decode().encode("utf-16-be"),
        source_in_chrome,
        source_in_firefox,
        translated,
    ],
    ids=[
        "utf-16",
        "windows-1252",
        "windows-1252-stated",
        "utf-8-stated-as-another",
        "mhtml",
        "webarchive",
        "bytes-as-printed",
        "text-in-json",
        "text-in-an-object",
        "text-deep-in-an-object",
        "gzip",
        "utf-16-le-unmarked",
        "utf-16-be-unmarked",
        "source-in-chrome",
        "source-in-firefox",
        "translated",
    ],
)
def test_a_page_is_read_in_whatever_encoding_it_was_saved(change: Callable[[bytes], bytes]) -> None:
    sample, url = "imdb/overview_2015_original_title.html", "https://www.imdb.com/title/tt1300562/"
    record = read_changed(sample, url, change)
    assert (record.title, record.original_title) == ("Goodbye Mothers", "Adieu m\u00e8res")
    assert record.scores["imdb_rating"].value == 7.4


@pytest.mark.parametrize(
    ("page", "old", "new"),
    [
        (("rottentomatoes/meter-2014.html", ELSEWHERE["rottentomatoes"]), "22,600", "22 600"),
        (
            ("rottentomatoes/ratings-wrap-2019.html", "https://www.rottentomatoes.com/m/shawshank"),
            "885,203",
            "885\u202f203",
        ),
        # Nor is one in groups that nobody writes.
        (("rottentomatoes/meter-2014.html", ELSEWHERE["rottentomatoes"]), "22,600", "2.26.00"),
        (("rottentomatoes/meter-2014.html", ELSEWHERE["rottentomatoes"]), "22,600", "2.2.600"),
    ],
)
def test_a_count_whose_digits_stand_in_groups_is_not_its_first_group(
    page: tuple[str, str], old: str, new: str
) -> None:
    score = read_changed(*page, replaced((old, new))).scores["popcornmeter"]
    assert (score.state, score.votes) == ("scored", None)


def json_in_chrome(body: bytes) -> bytes:
    """As that browser shows JSON, and as a script takes it from there."""
    head = '<html><head><meta name="color-scheme" content="light dark"></head><body><pre>'
    text = html.escape(body.decode(), quote=False)
    return f'{head}{text}</pre><div class="json-formatter-container"></div></body></html>'.encode()


@pytest.mark.parametrize(
    "change",
    [
        gzip.compress,
        lambda body: b"/**/ jQuery18_1.done(" + body.strip() + b");\n",
        json_in_chrome,
    ],
)
def test_an_answer_in_json_is_read_as_it_was_wrapped(change: Callable[[bytes], bytes]) -> None:
    record = read_changed("tmdb/skyfall.json", "https://api.themoviedb.org/3/movie/37724", change)
    assert (record.title, record.year, record.imdb_id) == ("Skyfall", 2012, "tt1074638")


BOARD = ("rottentomatoes/score-board-2021.html", "https://www.rottentomatoes.com/m/host_2020")
WRAP = ("rottentomatoes/ratings-wrap-2019.html", "https://www.rottentomatoes.com/m/shawshank")
METER = ("rottentomatoes/meter-2014.html", "https://www.rottentomatoes.com/m/ours")
WANTED = ("rottentomatoes/ratings-wrap-want-to-see.html", "https://www.rottentomatoes.com/m/ours")
OVERVIEW = ("imdb/overview_2018.html", "https://www.imdb.com/title/tt0133093/")
ALONE = ("imdb/rating_alone_2019.html", "https://www.imdb.com/title/tt1074638/")


@pytest.mark.parametrize(
    ("page", "change", "kind", "state"),
    [
        # As text in JSON, attributes have other quotes.
        (BOARD, lambda body: json.dumps([body.decode()]).encode(), "tomatometer", "missing"),
        # Slots that are named otherwise, beside figures that tell that there is a score.
        (WRAP, replaced(("wrap__percentage", "wrap__percent")), "popcornmeter", "missing"),
        (METER, replaced(("meter-value", "meter-figure")), "tomatometer", "missing"),
        (OVERVIEW, replaced(("ratings_wrapper", "rating-bar")), "imdb_rating", "missing"),
        # Early in 2019, before a film came out.
        (WRAP, replaced(("User Ratings: 885,203", "Want to See")), "popcornmeter", "not_rated"),
        (WANTED, lambda body: body.partition(b"want to see")[0], "popcornmeter", "missing"),
        # What scripts are to fill, before they have.
        (WRAP, emptied(b'<div class="mop-ratings-wrap__half">'), "tomatometer", "missing"),
        (METER, emptied(b'<div class="col-xs-8 audiencepanel">'), "popcornmeter", "missing"),
        # Cut off behind the tag that opens the slot.
        (ALONE, lambda body: body.partition(b"7.7")[0], "imdb_rating", "missing"),
    ],
    ids=[
        "in-json",
        "other-slot",
        "other-meter",
        "other-wrapper",
        "want-to-see",
        "cut-want-to-see",
        "empty-half",
        "empty-panel",
        "cut",
    ],
)
def test_a_score_that_is_not_found_is_not_said_to_be_none(
    page: tuple[str, str], change: Callable[[bytes], bytes], kind: str, state: str
) -> None:
    score = read_changed(*page, change).scores[kind]
    assert (score.state, score.value) == (state, None)


ARCHIVED = b"<!-- FILE ARCHIVED ON 12:00:00 Jun 15, 2021 -->\n<!--\ntimings:\n  a: 0.5\n-->\n"


@pytest.mark.parametrize(
    ("sample", "url"),
    [
        ("imdb/hero_cut_in_the_slot.html", "https://www.imdb.com/title/tt1074638/"),
        ("imdb/microdata_2014_cut.html", "https://www.imdb.com/title/tt1074638/"),
        (
            "metacritic/global_score_cut_in_a_count.html",
            "https://www.metacritic.com/movie/project-hail-mary",
        ),
    ],
)
def test_a_page_that_was_cut_off_before_it_was_archived_is_a_page_cut_off(
    sample: str, url: str
) -> None:
    archived = read_changed(sample, url, lambda body: body.rstrip() + ARCHIVED)
    cut = read_changed(sample, url, lambda body: body.rstrip() + b" ")
    assert archived == cut


@pytest.mark.parametrize("size", range(7, len(ARCHIVED), 7))
def test_neither_is_it_more_where_what_the_archive_wrote_is_cut_off(size: int) -> None:
    sample, url = "imdb/hero_cut_in_the_slot.html", "https://www.imdb.com/title/tt1074638/"
    record = read_changed(sample, url, lambda body: body.rstrip() + b"\n" + ARCHIVED[:size])
    assert record.scores["imdb_rating"].state == "missing"


def test_an_archive_s_toolbar_is_not_of_the_page() -> None:
    toolbar = (
        "<body><!-- BEGIN WAYBACK TOOLBAR INSERT --><h1>An archive</h1><span>8.8</span>"
        "<!-- END WAYBACK TOOLBAR INSERT -->"
    )
    record = read_changed(
        "metacritic/film_titles_2009.html",
        "https://www.metacritic.com/film/titles/darkknight",
        replaced(("<body>", toolbar)),
    )
    assert record.title == "The Dark Knight"


def test_a_whole_page_is_whole_however_much_an_archive_writes_behind_it() -> None:
    record = read_changed(
        "imdb/overview_2018_unrated.html",
        "https://www.imdb.com/title/tt0133093/",
        lambda body: body + ARCHIVED * 60,
    )
    assert record.scores["imdb_rating"].state == "not_rated"


def test_an_arrow_behind_a_page_makes_no_comment_of_it() -> None:
    record = read_changed(*METER, lambda body: b"<!-- saved -->" + body + b"\n-->")
    assert record.scores["popcornmeter"].value == 90


@pytest.mark.parametrize(
    ("source", "url", "begun", "again"),
    [
        ("metacritic", "movie/up", '<div data-testid="hero-title">', "<!---->"),
        ("metacritic", "movie/up", "<title>", " "),
        ("imdb", "title/tt1049413/", '<link rel="canonical" ', "/title/tt1049413 "),
    ],
)
def test_a_page_that_repeats_what_a_name_may_stand_behind_is_read_to_its_end(
    source: str, url: str, begun: str, again: str
) -> None:
    """A search that goes back to try each of them otherwise would not come to an end."""
    body = f"<html><head>{begun}{again * 50_000}</html>".encode()
    [record] = read(Page(source=source, url=f"https://www.{source}.com/{url}", body=body))
    assert record.outcome is Outcome.UNREADABLE


@pytest.mark.parametrize("sample", ["scorecard-slots-2024.html", "scorecard-slots-only.html"])
@pytest.mark.parametrize("mode", [b"shadowrootmode=open", b'shadowmode="open"'])
def test_what_scripts_drew_within_an_element_is_no_text_of_it(sample: str, mode: bytes) -> None:
    """As SingleFile saves a page whose elements have shadow roots, and Chrome in a web archive:
    one within another here."""
    path = SAMPLES / "rottentomatoes" / sample
    body = path.read_bytes()
    style = b"<style>:host{width:100%}</style><template><i>1</i></template>"
    root = b"<template " + mode + b">" + style + b"<slot></slot></template>"
    drawn = re.sub(rb"<(?:rt|media)-[a-z-]+\b[^<>]*>", lambda tag: tag[0] + root, body)
    assert drawn.count(root) > 3
    assert found_in(path, drawn) == found_in(path, body)


def test_a_page_of_html_may_begin_as_xml_does() -> None:
    record = read_changed(*METER, lambda body: b'<?xml version="1.0"?>\n' + body)
    assert record.scores["popcornmeter"].value == 90


def test_what_stands_on_a_page_as_its_text_is_not_its_markup() -> None:
    """As where somebody writes about a page: that is not how browsers show its source."""
    record = read_changed(
        *ALONE,
        lambda body: f"<html><pre>{html.escape(body.decode(), quote=False)}</pre></html>".encode(),
    )
    assert (record.outcome, record.scores) == (Outcome.UNREADABLE, {})


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Série télévisée 2019", "tvSeries"),
        ("टीवी मिनी सीरीज़ 2019", "tvSeries"),
        ("टीवी एपिसोड 2013", "tvEpisode"),
        ("Épisode TV 2013", "tvEpisode"),
        ("Jogo eletrônico 2013", "videoGame"),
        ("वीडियो गेम 2013", "videoGame"),
    ],
)
def test_what_is_no_film_is_told_by_its_label_in_other_languages(label: str, kind: str) -> None:
    record = read_changed(
        "imdb/hero_of_a_series_in_german.html",
        "https://www.imdb.com/title/tt0903747/",
        replaced(("Fernsehserie 2008\u20132013", label)),
    )
    assert (record.outcome, record.kind) == (Outcome.NOT_A_FILM, kind)


def test_a_page_below_a_title_s_does_not_say_that_the_title_is_not_rated() -> None:
    """As the page of a film's trivia, which need not show what the film's own page does."""
    page = (SAMPLES / "imdb/overview_2018_unrated.html").read_bytes()
    linked = (
        b'<script type="application/ld+json">{"@type":"Movie","url":"/title/tt3303790/"}</script>'
    )
    body = page[: page.index(b"<body>")] + linked + b"<body></body></html>"
    for path, states in (("", ["not_rated"]), ("reference", ["not_rated"]), ("trivia", [])):
        [record] = read(Page("imdb", f"https://www.imdb.com/title/tt3303790/{path}", body))
        assert [score.state for score in record.scores.values()] == states


def test_a_count_of_voters_in_groups_of_two_is_read_whole() -> None:
    record = read_changed(
        "imdb/ratings_2014.html",
        "https://www.imdb.com/title/tt1375666/ratings",
        replaced(("920,727", "9,20,727")),
    )
    assert record.scores["imdb_rating"].votes == 920_727


@pytest.mark.parametrize(
    "sample", ["combined_2010.html", "star_box_2010.html", "microdata_2014.html"]
)
@pytest.mark.parametrize("is_stated", [True, False])
def test_a_person_s_page_that_looks_like_a_title_s_is_no_film(sample: str, is_stated: bool) -> None:
    """As those of 2007 to 2017 do, which have the same heads and no rating in them."""
    rating = rb"<(?:span|b)[^<>]*>\d\.\d.*?</(?:span|b)>|<link[^<>]*>"
    stated = b'<link rel="canonical" href="http://www.imdb.com/name/nm0185819/" /></head>'

    def change(body: bytes) -> bytes:
        body = re.sub(rating, b"", body)
        return body.replace(b"</head>", stated) if is_stated else body

    record = read_changed(f"imdb/{sample}", "http://www.imdb.com/name/nm0185819/", change)
    assert (record.outcome, record.kind, record.source_id) == (Outcome.NOT_A_FILM, "person", None)
    assert record.scores == {}


@pytest.mark.parametrize(
    "slot",
    [
        "<span itemprop='ratingValue'>7.7</span>",
        "<span itemprop=ratingCount>516 214</span>",
        '<div data-testid="hero-rating-bar__aggregate-rating__score"><b>7,7</b></div>',
    ],
)
def test_json_ld_without_a_rating_does_not_say_that_there_is_none_beside_one(slot: str) -> None:
    record = read_changed(
        "imdb/json_ld_without_address_unrated.html",
        "https://www.imdb.com/title/tt1074638/",
        replaced(("<body>", f"<body>{slot}")),
    )
    assert "not_rated" not in {score.state for score in record.scores.values()}


def test_the_title_in_the_head_of_a_page_of_reviews_has_no_other_words() -> None:
    record = read_changed(
        "metacritic/user_reviews_2023.html",
        "https://www.metacritic.com/movie/boyhood/user-reviews/",
        replaced(('<meta property="og:title" content="Boyhood user reviews">', "")),
    )
    assert record.title == "Boyhood"


def test_a_row_without_a_title_does_not_make_ranks_a_part_of_the_others() -> None:
    path = SAMPLES / "imdb/list_items_2023.html"
    row = '<li class="ipc-metadata-list-summary-item"><a class="ipc-title-link-wrapper" href="/x">'
    body = path.read_bytes().replace(b"</ul>", f"{row}</a></li></ul>".encode(), 1)
    assert found_in(path, body) == found_in(path, path.read_bytes())


@pytest.mark.parametrize("page", ["user-reviews/", "user-reviews/positive/"])
def test_json_ld_without_a_rating_beside_reviews_does_not_say_that_there_is_none(
    page: str,
) -> None:
    linked = '<script type="application/ld+json">{"@type":"Movie","name":"Boyhood"}</script></head>'
    record = read_changed(
        "metacritic/user_reviews_2023.html",
        f"https://www.metacritic.com/movie/boyhood/{page}",
        replaced(("</head>", linked)),
    )
    assert {kind: score.value for kind, score in record.scores.items()} == {
        "metacritic_user_score": 7.6
    }


def test_search_results_that_are_not_found_are_not_said_to_be_none() -> None:
    """As once their rows are other elements: only a page that says so found nothing."""
    record = read_changed(
        "rottentomatoes/search-nothing.html",
        "https://www.rottentomatoes.com/search?search=skyfall",
        replaced(("<p>No results</p>", "<new-row>Skyfall <b>92%</b></new-row>")),
    )
    assert record.outcome is Outcome.UNREADABLE


@pytest.mark.parametrize(
    ("name", "url", "last"),
    [
        ("imdb/chart_2018.html", "https://www.imdb.com/chart/top", b'ratingColumn imdbRating">'),
        ("rottentomatoes/search-zero.html", "https://www.rottentomatoes.com/search", b"info-name"),
    ],
)
def test_a_list_cut_before_its_first_film_is_no_list_of_nothing(
    name: str, url: str, last: bytes
) -> None:
    record = read_changed(name, url, lambda body: body[: body.index(last)])
    assert record.outcome is Outcome.UNREADABLE


def test_the_data_of_a_chart_is_read_as_it_was_asked_for_without_the_page() -> None:
    chart = "imdb/chart_2024.html"
    body = (SAMPLES / chart).read_bytes()
    data = re.search(rb'id="__NEXT_DATA__"[^>]*>(.*?)</script', body, re.S)
    assert data
    alone = json.dumps({"pageProps": json.loads(data[1])["props"]["pageProps"]}).encode()
    assert found_in(SAMPLES / chart, alone) == found_in(SAMPLES / chart, body)


@pytest.mark.parametrize(
    "summary",
    ["Extra Scenes During But Not After the Credits", "Scene During; No Scene After the Credits"],
)
def test_a_summary_that_affirms_one_place_and_denies_the_other_is_no_yes_for_both(
    summary: str,
) -> None:
    record = read_changed(
        "mediastinger/iron_man_2008.html",
        "https://mediastinger.com/iron-man-2008-after-the-credits/",
        replaced(
            ("Extra Scene After the Credits", summary),
            ("<h3>During the Credits</h3><p>No.</p>", ""),
            ("<h3>After the Credits</h3><p>Yes. Our own words.</p>", ""),
        ),
    )
    assert record.credits is not None
    assert (record.credits.during, record.credits.after) == ("unknown", "unknown")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("name", "url", "outcome"),
    [
        ("rottentomatoes/json-ld-alone.json", "https://www.rottentomatoes.com/m/up", Outcome.OK),
        ("wikidata/error-maxlag.json", "https://www.wikidata.org/w/api.php", Outcome.RATE_LIMITED),
    ],
)
def test_json_is_read_with_a_byte_order_mark(
    name: str, url: str, outcome: Outcome, encoding: str
) -> None:
    record = read_changed(name, url, lambda body: body.decode().encode(encoding))
    assert record.outcome is outcome


def test_a_year_of_other_films_is_not_the_film_s() -> None:
    other = '</head><body><script type="application/json">{"releaseYear":"2024"}</script>'
    record = read_changed(
        "rottentomatoes/json-ld-only.html",
        "https://www.rottentomatoes.com/m/the_dark_knight",
        replaced(("</head><body>", other)),
    )
    assert (record.title, record.year) == ("The Dark Knight", None)


@pytest.mark.parametrize(
    "body",
    [
        b"b'<html>', b'<html>'",
        b"bplist00 and nothing more",
        b'Content-Type: multipart/related; boundary="x"\r\n\r\n--x\r\n'
        b"Content-Type: text/html; charset=\xe9\r\n\r\n<html>\xe9</html>\r\n--x--",
    ],
    ids=["two texts", "a spoilt list of properties", "an archive whose header is spoilt"],
)
def test_what_only_looks_wrapped_is_read_as_far_as_it_goes(body: bytes) -> None:
    [record] = read(Page(source="imdb", url="https://www.imdb.com/title/tt1074638/", body=body))
    assert record.outcome is Outcome.UNREADABLE

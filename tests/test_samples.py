"""Every sample page is read as the expectation beside it says; a source without samples fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import spiders
from spiders.items import Outcome
from spiders.pages.page import Page
from spiders.pages.reading import read
from spiders.sources import SOURCES

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


def test_every_source_has_samples() -> None:
    with_samples = {path.relative_to(SAMPLES).parts[0] for path in PAGES}
    assert {source.key for source in SOURCES} - with_samples == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SAMPLES)))
def test_a_sample_is_read_as_expected(path: Path) -> None:
    beside = expectation(path)
    if not beside.exists():
        pytest.fail(f"{path.name} has no expected result: write {beside.name} by hand")
    expected = json.loads(beside.read_text("utf-8"))
    page = Page(
        source=path.relative_to(SAMPLES).parts[0],
        url=expected["url"],
        body=path.read_bytes(),
        status=expected.get("http_status", 200),
        headers=expected.get("headers", {}),
        captured_on=expected.get("captured_on"),
    )
    found = [record.model_dump(mode="json", exclude_defaults=True) for record in read(page)]
    assert found == expected["records"]


@pytest.mark.parametrize(
    ("source", "sample", "url"),
    [
        ("imdb", "chart_2010.html", "https://www.imdb.com/title/tt1074638/"),
        ("imdb", "list_2024.html", "https://www.imdb.com/title/tt1074638/"),
        ("rottentomatoes", "best-films-2018.html", "https://www.rottentomatoes.com/m/skyfall"),
    ],
)
def test_other_titles_in_the_margins_of_a_page_are_not_what_it_shows(
    source: str, sample: str, url: str
) -> None:
    """As once a redesign has left nothing of a film's page that any layout knows."""
    (record,) = read(Page(source, url, (SAMPLES / source / sample).read_bytes()))
    assert (record.outcome, record.scores) == (Outcome.UNREADABLE, {})

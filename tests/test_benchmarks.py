"""The pages that benchmarks crawl are what they stand for, so that their figures mean something."""

from __future__ import annotations

import pytest

from benchmarks import catalogue_costs
from benchmarks.catalogue_costs import Cost, catalogues, exponents
from benchmarks.pages import KINDS, WEIGHT, Pages, films
from spiders.items import ScoreState
from spiders.pages.page import Page
from spiders.pages.reading import read

PARTS = [part for parts in KINDS.values() for part in parts]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.source}-{part.layout}")
def test_a_padded_page_is_read_in_its_layout_as_the_film_it_is_of(part: Pages) -> None:
    _, film = films(2)
    body = part.body(film)
    (record,) = read(Page(part.source, part.url(film), body))
    assert (record.layout, record.source_id) == (part.layout, part.source_id(film))
    assert record.title == film.names["title"]
    assert ScoreState.SCORED in {score.state for score in record.scores.values()}
    assert len(body) == pytest.approx(WEIGHT, rel=0.01)


def test_the_pages_of_two_films_are_the_same_but_for_their_names() -> None:
    one, other = films(2)
    for part in PARTS:
        assert part.body(one) != part.body(other)
        assert len(part.body(one)) == len(part.body(other))


def test_a_catalogue_is_measured_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_costs, "VISITS", 1)
    (made,) = catalogues([40])
    assert [cost.step for cost in made.costs] == [
        "make it", "rebuild", "match 20 new listings", "match 40 films again", "merge 1 films",
    ]  # fmt: skip
    assert all(cost.seconds > 0 and cost.peak > 1e7 for cost in made.costs)
    assert made.rows["films"] == 40
    assert made.rows["scores"] == 6 * 40
    assert made.rows["listings"] > 4.2 * 40 + 20
    assert {page.wrong for page in made.pages} == {""}
    assert "a film" in {page.name for page in made.pages}


def test_growth_is_told_as_a_power_of_the_size() -> None:
    costs = [Cost(films, "rebuild", 1, films**1.5, 1) for films in (10, 100, 300)]
    assert exponents(costs) == pytest.approx([1.5, 1.5])

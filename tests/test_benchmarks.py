"""The pages that benchmarks crawl are what they stand for, so that their figures mean something."""

from __future__ import annotations

import pytest

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

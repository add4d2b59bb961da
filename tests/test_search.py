"""The words that a search finds follow the films: merge keeps them, and writes only new ones."""

from __future__ import annotations

import pytest

from pipelines.database import transaction
from pipelines.derived import prepare
from pipelines.films import Listed
from pipelines.matching.forgetting import forget
from pipelines.tracking import track
from spiders.items import Person, Title
from tests.answers import Kept, answer, day, record


def found(kept: Kept, words: str) -> list[int]:
    """The films that have the words."""
    return kept.column("SELECT rowid FROM film_search WHERE film_search MATCH ?", words)


@pytest.fixture
def told(kept: Kept) -> Kept:
    """A database of one film, of which TMDB has told."""
    with transaction(kept.db):
        track(kept.db, [Listed("tmdb", "37724")], "a test")
    tell(kept, "Skyfall", night=1)
    return kept


def tell(kept: Kept, title: str, night: float) -> None:
    page = record(
        "tmdb",
        title=title,
        alternative_titles=(Title(title="Operação Skyfall"),),
        people=(Person(name="Sam Mendes", role="director"),),
    )
    kept.tell(answer(page, at=day(night)))
    kept.merge()


def test_a_film_is_found_by_its_titles_and_people(told: Kept) -> None:
    for words in ("skyfall", "operacao", "mendes", "sky*"):
        assert found(told, words) == [1], words


def test_a_new_title_takes_the_place_of_the_old(told: Kept) -> None:
    tell(told, "Bond 23", night=2)
    assert found(told, "title : bond") == [1]
    assert found(told, "title : skyfall") == []


def test_a_night_without_new_words_writes_none(told: Kept) -> None:
    before = told.rows("SELECT id, block FROM film_search_data ORDER BY id")
    tell(told, "Skyfall", night=2)
    assert told.rows("SELECT id, block FROM film_search_data ORDER BY id") == before


def test_a_film_that_is_forgotten_or_became_another_is_found_no_more(told: Kept) -> None:
    told.db.conn.execute("INSERT INTO films (title) VALUES ('Skyfall')")
    told.merge()
    assert found(told, "skyfall") == [1, 2]
    told.db.conn.execute("UPDATE films SET merged_into = 1 WHERE film_id = 2")
    told.merge()
    assert found(told, "skyfall") == [1]
    with transaction(told.db):
        forget(told.db, told.row("SELECT listing_id FROM listings WHERE source = 'tmdb'")[0])
    told.merge()
    assert "Sam Mendes" not in str(told.rows("SELECT people FROM film_search"))


def test_making_all_anew_gives_the_same_words(told: Kept) -> None:
    before = told.rows("SELECT rowid, * FROM film_search")
    told.db.table("film_scores").drop()
    prepare(told.db)
    assert told.rows("SELECT rowid, * FROM film_search") == before

"""What a dataset says again is not stored again, and nobody can tell the difference."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.database import transaction
from pipelines.film_facts import film_facts
from pipelines.films import Listed, track
from pipelines.quarantine import decide
from pipelines.statements import Statement, Tally
from pipelines.store import Store
from spiders.items import Answer, Record, Score
from tests.answers import LISTED, READER, Kept, answer, day, keeping, not_rated, record, scored

TITLES = count(1_000_000)

SAID = ("scores", "score_observations", "credits_verdicts", "quarantine", "listings")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kept, Kept]]:
    """A database that remembers what datasets said, and one that is made to forget it."""
    folder = tmp_path_factory.mktemp("both")
    with keeping(folder / "remembers.db") as one, keeping(folder / "forgets.db") as other:
        yield one, other


def imdb(title: str, score: Score) -> Record:
    return record("imdb", title, title="A film", year=2012, scores={"imdb_rating": score})


def told(title: str, score: Score, night: float, *, by_page: bool = False) -> Answer:
    """What the dataset, or else the title's page, says in a night."""
    if by_page:
        return answer(imdb(title, score), at=day(night))
    url = "https://datasets.imdbws.com/title.ratings.tsv.gz"
    return answer(imdb(title, score), at=day(night), target="dataset", asked_url=url)


FIGURES = st.one_of(
    st.builds(
        lambda value, votes: scored(value, votes, 10),
        st.sampled_from([7.6, 7.7, 8.1, 3.0]),
        st.sampled_from([1_000, 1_004, 1_100, 600]),
    ),
    st.just(not_rated(10)),
)


@given(nights=st.lists(st.tuples(FIGURES, st.booleans()), min_size=2, max_size=7))
@settings(deadline=None, max_examples=60)
def test_what_is_remembered_changes_nothing(
    both: tuple[Kept, Kept], nights: list[tuple[Score, bool]]
) -> None:
    title = f"tt{next(TITLES)}"
    remembers, forgets = both
    for night, (score, by_page) in enumerate(nights, 1):
        remembers.tell(told(title, score, night, by_page=by_page))
        forgets.db.conn.execute("DELETE FROM dataset_records")
        forgets.tell(told(title, score, night, by_page=by_page))
        for table in SAID:
            of = f"SELECT * FROM {table} WHERE listing_id = (SELECT max(listing_id) FROM listings)"
            assert remembers.rows(of) == forgets.rows(of)
        seen = "SELECT * FROM confirmed WHERE listing_id = (SELECT max(listing_id) FROM listings)"
        assert remembers.rows(seen) == forgets.rows(seen)


def test_after_a_person_released_something_else_the_old_figure_is_news(kept: Kept) -> None:
    kept.tell(told("tt1", scored(7.7, 1_000, 10), 1))
    kept.tell(told("tt1", scored(3.0, 500, 10), 2))
    (case,) = kept.column("SELECT quarantine_id FROM quarantine WHERE decision IS NULL")
    (listing,) = kept.column("SELECT listing_id FROM listings")
    said = Statement(listing, imdb("tt1", scored(3.0, 500, 10)), "dataset", day(2), "second", False)
    with transaction(kept.db):
        Store(kept.db, None, {"imdb": READER}).release_record(said, "imdb_rating", Tally())
        decide(kept.db, case, "released", "a person", day(2))
    assert kept.score("imdb_rating", "tt1")["value"] == 3.0
    kept.tell(told("tt1", scored(7.7, 1_000, 10), 3))
    assert kept.score("imdb_rating", "tt1")["value"] == 7.7


def test_the_age_of_a_figure_is_that_of_the_dataset_which_said_it_last(kept: Kept) -> None:
    with transaction(kept.db):
        film_id, _ = track(kept.db, [Listed("imdb", LISTED["imdb"])], "a test")
    kept.tell(told(LISTED["imdb"], scored(7.7, 1_000, 10), 1))
    kept.match()
    kept.tell(told(LISTED["imdb"], scored(7.7, 1_000, 10), 2))
    assert film_facts(kept.db, film_id)["scores"]["imdb_rating"]["confirmed_at"] == day(2)

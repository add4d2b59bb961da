"""What a dataset says of many titles at once is stored as if each were stored by itself, and what
it says again is not stored again: nobody can tell the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.database import transaction
from pipelines.film_facts import film_facts
from pipelines.films import Listed
from pipelines.quarantine import decide
from pipelines.release import cases, release
from pipelines.statements import Statement, Tally
from pipelines.store import Store
from pipelines.tracking import track
from pipelines.unmerged import all_merged, unmerged
from pipelines.up_to_date import bring_up_to_date
from spiders.items import Answer, Outcome, Record, Score, TitleRow, Titles
from tests.answers import LISTED, READER, Kept, answer, day, keeping, record, scored

NUMBERS = count(1_000_000)
URL = "https://datasets.imdbws.com/title.ratings.tsv.gz"

SAID = ("scores", "score_observations", "quarantine", "confirmed", "film_genres")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kept, Kept]]:
    """A database that is told titles together, and one that is told each by itself."""
    folder = tmp_path_factory.mktemp("both")
    with keeping(folder / "together.db") as one, keeping(folder / "alone.db") as other:
        yield one, other


def title(tconst: str, value: float | None = 7.7, votes: int | None = 1_000) -> TitleRow:
    return TitleRow(
        tconst,
        "movie",
        "A film",
        "Un film",
        2012,
        100,
        "Drama",
        value,
        votes,
        hash((value, votes)),
    )


def told(rows: Sequence[TitleRow], night: float) -> Answer:
    """A dataset of these titles."""
    whole = {"source": "imdb", "layout": "dataset", "score_kind": "imdb_rating", "scale_max": 10}
    names = [name for name in Titles.model_fields if name not in whole]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    titles = Titles.model_validate(whole | dict(zip(names, columns, strict=True)))
    return Answer(
        source="imdb",
        target="dataset",
        asked_url=URL,
        url=URL,
        asked_at=day(night),
        outcome=Outcome.OK,
        titles=titles,
    )


def alone(together: Answer) -> Answer:
    """The same, said in a record of each title."""
    return together.model_copy(update={"titles": None, "records": tuple(together.every_record())})


def imdb(tconst: str, score: Score) -> Record:
    return record("imdb", tconst, title="A film", year=2012, scores={"imdb_rating": score})


TEXTS = st.sampled_from([None, "A film", "Un film", 'The "Half', "Another film", "Bad \ufffd"])
ROWS = st.builds(
    TitleRow,
    source_id=st.just(""),
    kind=st.sampled_from(["movie", "tvEpisode", "short", None]),
    title=TEXTS,
    original_title=TEXTS,
    year=st.sampled_from([None, 2012, 2013, 1955]),
    runtime_minutes=st.sampled_from([None, 90, 100]),
    genres=st.sampled_from([None, "Drama", "Comedy,Drama", "Drama,Drama", "Bad \ufffd"]),
    value=st.sampled_from([None, 0.0, 3.0, 7.6, 7.7, 8.1, 10.0, 77.0]),
    votes=st.sampled_from([0, 1, 2, 600, 1_000, 1_004, 1_100]),
    digest=st.integers(-(2**63), 2**63 - 1),
)
NIGHTS = st.lists(
    st.tuples(st.lists(st.none() | ROWS, min_size=4, max_size=4), st.integers(0, 3), st.booleans()),
    min_size=2,
    max_size=5,
)


def as_one_said(row: TitleRow, tconst: str) -> TitleRow:
    """As the reader gives it: unrated titles have no votes, or 0; the digest is of all the rest."""
    counted = row.value is not None or row.votes == 0
    row = row._replace(source_id=tconst, votes=row.votes if counted else None)
    return row._replace(digest=hash(row[:-1]))


@given(nights=NIGHTS)
@settings(deadline=None, max_examples=60)
def test_titles_together_are_stored_as_each_by_itself(
    both: tuple[Kept, Kept],
    nights: list[tuple[list[TitleRow | None], int, bool]],
) -> None:
    """In any nights, some with titles left out or as they were, some with a page in between."""
    tconsts = [f"tt{next(NUMBERS)}" for _ in range(4)]
    before: list[TitleRow | None] = [None] * 4
    for night, (said, as_before, by_page) in enumerate(nights, 1):
        rows = [
            old if place < as_before else new and as_one_said(new, tconsts[place])
            for place, (old, new) in enumerate(zip(before, said, strict=True))
        ]
        before = rows
        together = told([row for row in rows if row], night)
        answers = [together]
        if by_page:
            answers.append(answer(imdb(tconsts[0], scored(7.7, 1_000, 10)), at=day(night + 0.5)))
        one, other = both
        tallies = [one.tell(*answers), other.tell(alone(together), *answers[1:])]
        assert tallies[0].counts == tallies[1].counts
        assert sorted(change.after for change in tallies[0].changes) == sorted(
            change.after for change in tallies[1].changes
        )
        listings = (
            "SELECT source_id, url, title, original_title, year, kind, runtime_minutes,"
            " first_seen_at, another_film_since FROM listings WHERE source_id >= ? ORDER BY 1"
        )
        assert one.rows(listings, tconsts[0]) == other.rows(listings, tconsts[0])
        for table in SAID:
            assert _of(one, table, tconsts[0]) == _of(other, table, tconsts[0]), table


def _of(kept: Kept, table: str, first: str) -> list[list[object]]:
    """A table's rows of the titles from one on, whatever their numbers are here."""
    found = kept.db.query(
        f"SELECT l.source_id AS tconst, t.* FROM {table} t JOIN listings l USING (listing_id)"
        " WHERE l.source_id >= ?",
        [first],
    )
    numbers = ("listing_id", "quarantine_id")
    return sorted(
        ([value for name, value in row.items() if name not in numbers] for row in found), key=repr
    )


def test_after_a_person_released_something_else_the_old_figure_is_news(kept: Kept) -> None:
    kept.tell(told([title("tt1")], 1))
    kept.tell(told([title("tt1", 3.0, 500)], 2))
    (case,) = kept.column("SELECT quarantine_id FROM quarantine WHERE decision IS NULL")
    (listing,) = kept.column("SELECT listing_id FROM listings")
    said = Statement(listing, imdb("tt1", scored(3.0, 500, 10)), "dataset", day(2), "second", False)
    with transaction(kept.db):
        Store(kept.db, None, {"imdb": READER}).release_record(said, "imdb_rating", Tally())
        decide(kept.db, case, "released", "a person", day(2))
    assert kept.score("imdb_rating", "tt1")["value"] == 3.0
    kept.tell(told([title("tt1")], 3))
    assert kept.score("imdb_rating", "tt1")["value"] == 7.7


def test_the_age_of_a_figure_is_that_of_the_dataset_which_said_it_last(kept: Kept) -> None:
    with transaction(kept.db):
        film_id, _ = track(kept.db, [Listed("imdb", LISTED["imdb"])], "a test")
    kept.tell(told([title(LISTED["imdb"])], 1))
    kept.match()
    kept.tell(told([title(LISTED["imdb"])], 2))
    assert film_facts(kept.db, film_id)["scores"]["imdb_rating"]["confirmed_at"] == day(2)


def test_a_figure_that_a_person_released_is_as_old_as_when_it_was_held(kept: Kept) -> None:
    kept.tell(told([title("tt1")], 1))
    kept.tell(told([title("tt1", votes=100)], 2))
    kept.tell(told([title("tt2")], 3))
    (case,) = cases(kept.db)
    with transaction(kept.db):
        release(kept.db, Store(kept.db, None, {"imdb": READER}), case, "a test", day(4))
    assert (kept.score("imdb_rating", "tt1")["votes"], kept.confirmed("imdb_rating")) == (
        100,
        [day(2), day(3)],
    )


def test_many_listings_are_brought_up_to_date_in_portions(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.up_to_date.MATCHED_AT_ONCE", 2)
    kept.tell(told([title(f"tt{number}") for number in range(1, 6)], 1))
    bring_up_to_date(kept.db, unmerged(kept.db))
    assert (unmerged(kept.db), kept.row("SELECT count(*) FROM film_scores")) == (set(), (5,))


def test_facts_of_a_part_that_was_stored_before_the_end_are_taken_up(kept: Kept) -> None:
    kept.tell(told([title("tt1")], 1))
    kept.match()
    all_merged(kept.db)
    kept.tell(told([title("tt1")._replace(year=2013, digest=9)], 2))
    assert unmerged(kept.db) == set(kept.column("SELECT listing_id FROM listings"))
    kept.tell(told([title("tt1")._replace(year=2013, digest=9)], 3))
    assert unmerged(kept.db) == set(kept.column("SELECT listing_id FROM listings"))

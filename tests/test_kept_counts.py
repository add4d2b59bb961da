"""What is kept so that the site need not count: it is what counting afresh finds, whatever was
stored, matched, forgotten or purged, in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines import clock
from pipelines.database import transaction
from pipelines.derived import prepare
from pipelines.films import Listed
from pipelines.matching import matcher
from pipelines.matching.forgetting import forget
from pipelines.matching.spans import leave
from pipelines.merge import merge
from pipelines.retention import purge
from pipelines.tracking import track
from spiders.items import Answer, Outcome, Score
from spiders.sources import score_kinds
from tests.answers import Kept, answer, day, keeping, missing, not_rated, record, refused, scored

SOURCES = ("imdb", "tmdb", "rottentomatoes")
KINDS = {"imdb": "imdb_rating", "tmdb": "tmdb_score", "rottentomatoes": "tomatometer"}
FIGURES = [scored(7, 300, 10), scored(8, 900, 10), not_rated(10), missing(10)]
IMDB_RATINGS = "https://datasets.imdbws.com/title.ratings.tsv.gz"


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, str, int]]:
    """What is done, to which listing, with which figure."""
    done = st.sampled_from(
        ["page", "page", "unchanged", "saved", "dataset", "dataset", "dataset", "part of a dataset",
         "relayed", "blocked", "match", "leave", "forget", "purge", "rebuild"]
    )  # fmt: skip
    one = st.tuples(done, st.sampled_from(SOURCES), st.integers(0, len(FIGURES) - 1))
    return draw(st.lists(one, min_size=1, max_size=14))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with keeping(tmp_path_factory.mktemp("kept") / "ratings.db") as kept:
        yield kept


def do(kept: Kept, what: str, source: str, figure: int, at: str) -> None:
    """One step, at its time."""
    score = FIGURES[figure]
    kind = KINDS[source]
    page = record(source, scores={kind: score}, title="Skyfall", year=2012)
    match what:
        case "page":
            kept.tell(answer(page, at=at, etag='"1"'))
        case "unchanged":
            kept.tell(answer(page, at=at, etag='"1"', unchanged=True, records=()))
        case "saved":
            earlier = clock.later(at, days=-40)
            kept.tell(answer(page, at=earlier, target="archive"), origin="archive")
        case "dataset" | "part of a dataset":
            kept.tell(dataset(score, figure, at, complete=what == "dataset"))
        case "relayed":
            said = scored(7, 300, 10, relayed=True)
            kept.tell(answer(record("whatsafterthemovie", scores={kind: said}), at=at))
        case "blocked":
            kept.tell(refused(Outcome.BLOCKED, at, source))
        case "match":
            with transaction(kept.db):
                track(kept.db, [Listed("imdb", "tt1074638")], "a test")
            kept.match()
        case "leave":
            with transaction(kept.db):
                leave(kept.db, listings_of(kept, source))
        case "forget":
            forget_all(kept, source)
        case "purge":
            purge(kept.db, clock.later(at, days=175))
        case "rebuild":
            merge(kept.db, matcher.rebuild(kept.db).films)


def forget_all(kept: Kept, source: str) -> None:
    """Forget every listing of a source."""
    with transaction(kept.db):
        for number in listings_of(kept, source):
            forget(kept.db, number)


def listings_of(kept: Kept, source: str) -> list[int]:
    """The listings of a source."""
    return kept.column("SELECT listing_id FROM listings WHERE source = ?", source)


def dataset(score: Score, figure: int, at: str, *, complete: bool) -> Answer:
    """A part of IMDb's dataset: one title of two, by the figure."""
    title = record("imdb", ("tt1074638", "tt0848228")[figure % 2], scores={"imdb_rating": score})
    return answer(title, at=at, target="dataset", asked_url=IMDB_RATINGS, complete=complete)


@example(done=[("match", "imdb", 0), ("leave", "imdb", 0)])
@example(done=[("page", "imdb", 0), ("part of a dataset", "imdb", 0)])
@given(done=steps())
@settings(deadline=None, max_examples=80)
def test_what_is_kept_is_what_counting_afresh_finds(
    kept: Kept, done: list[tuple[str, str, int]]
) -> None:
    for each in (*SOURCES, "whatsafterthemovie"):
        forget_all(kept, each)
    kept.db.conn.execute("DELETE FROM dataset_confirmations")
    for number, (what, source, figure) in enumerate(done):
        do(kept, what, source, figure, clock.later(day(200), hours=7 * number))
    assert kept.column("SELECT listing_id FROM unmatched_listings ORDER BY 1") == kept.column(
        "SELECT listing_id FROM listings WHERE listing_id NOT IN"
        " (SELECT listing_id FROM listing_films WHERE valid_to IS NULL) ORDER BY 1"
    )
    afresh = (
        "SELECT source, score_kind, state,"
        " iif(state = 'missing', NULL, substr(confirmed_at, 1, 13)) AS seen_in, count(*)"
        " FROM standing_scores GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    assert kept.rows(
        "SELECT source, score_kind, state, seen_in, sum(figures) FROM figures_by_age"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    ) == kept.rows(afresh)
    figures = "SELECT * FROM {} ORDER BY listing_id, score_kind"
    assert kept.rows(figures.format("freshness_by_age")) == kept.rows(figures.format("freshness"))
    assert not kept.rows("SELECT * FROM figure_hours WHERE figures < 1")
    assert counted(kept) == counted_afresh(kept)


def counted(kept: Kept) -> list[tuple[Any, ...]]:
    """Films by score kind, state, year and points, as they are counted."""
    return kept.rows("SELECT * FROM score_counts ORDER BY 1, 2, 3, 4")


def counted_afresh(kept: Kept) -> list[tuple[Any, ...]]:
    """The same, as the films' scores have it."""
    films = " UNION ALL ".join(
        f"SELECT '{kind.key}' AS kind, {kind.key}_state, year, CAST({kind.key}_100 AS INTEGER)"
        " FROM film_scores"
        for kind in score_kinds()
    )
    return kept.rows(f"SELECT *, count(*) FROM ({films}) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4")


def test_films_that_were_there_before_they_were_counted_are_counted(kept: Kept) -> None:
    kept.tell(answer(record("imdb", scores={"imdb_rating": FIGURES[1]}, year=2012), at=day(300)))
    with transaction(kept.db):
        track(kept.db, [Listed("imdb", "tt1074638")], "a test")
    kept.match()
    there = counted_afresh(kept)
    assert there
    for again in (lambda: prepare(kept.db), kept.match):
        kept.db.conn.execute("DELETE FROM score_counts")
        again()
        assert counted(kept) == there

"""What a source lets us keep for a time only goes when that time is over, and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count as counting
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines import clock
from pipelines.retention import purge
from schedules.replica import Replica
from spiders.items import Credits, Outcome, Person, Record, Title, Verdict
from spiders.sources import by_key
from tests.answers import LISTED, Kept, answer, day, keeping, record, refused, scored, tomatometer
from tests.conftest import Afterscore, beside

KEEP = by_key("tmdb").keep_days or 0


def tmdb(value: float = 7.2, source_id: str = LISTED["tmdb"]) -> Record:
    """All that TMDB says of a film."""
    return record(
        "tmdb",
        source_id,
        title="Skyfall",
        year=2012,
        runtime_minutes=143,
        overview="James Bond goes home.",
        imdb_id=LISTED["imdb"],
        genres=("Action",),
        people=(Person(name="Sam Mendes", role="director"),),
        alternative_titles=(Title(title="007: Skyfall", country="JP"),),
        scores={"tmdb_score": scored(value, 300, 10)},
        credits=Credits(after=Verdict.YES),
    )


ITS_TABLES = (
    "scores",
    "score_observations",
    "credits_verdicts",
    "confirmations",
    "film_titles",
    "film_people",
    "people",
    "film_genres",
)


def test_it_is_tmdb_that_limits_how_long() -> None:
    assert KEEP == 180


def test_what_tmdb_has_not_said_again_goes(kept: Kept) -> None:
    kept.tell(answer(tmdb(), at=day(1), etag='"1"'))
    kept.match()
    assert all(kept.rows(f"SELECT * FROM {table}") for table in ITS_TABLES)
    touched = purge(kept.db, day(1 + KEEP + 1))
    kept.merge()
    assert touched == {1}
    assert {table for table in ITS_TABLES if kept.rows(f"SELECT * FROM {table}")} == set()
    assert kept.row("SELECT title, year, runtime_minutes, overview FROM films") == (None,) * 4
    assert kept.row("SELECT tmdb_score, tmdb_score_votes FROM film_scores") == (None, None)
    assert kept.rows("SELECT etag, records_hash FROM urls") == [(None, None)]
    everywhere = "".join(kept.db.conn.iterdump())
    assert "James Bond goes home" not in everywhere
    assert "Sam Mendes" not in everywhere


def test_its_listing_and_ids_stay_so_that_it_is_asked_anew(kept: Kept) -> None:
    kept.tell(answer(tmdb(), at=day(1)))
    kept.match()
    purge(kept.db, day(1 + KEEP + 1))
    kept.merge()
    assert kept.row("SELECT imdb_id, tmdb_id FROM films") == (LISTED["imdb"], int(LISTED["tmdb"]))
    kept.tell(answer(tmdb(7.3), at=day(1 + KEEP + 2)))
    kept.merge()
    assert kept.row("SELECT tmdb_score, title FROM film_scores") == (7.3, "Skyfall")


def test_figures_of_other_sources_are_kept_for_good(kept: Kept) -> None:
    kept.tell(tomatometer(scored(92, 300), day(1)), tomatometer(scored(93, 300), day(2)))
    page = record("mediastinger", title="Skyfall", credits=Credits(after=Verdict.NO))
    kept.tell(answer(page, at=day(1)))
    before = "".join(kept.db.conn.iterdump())
    assert purge(kept.db, day(10_000)) == set()
    assert "".join(kept.db.conn.iterdump()) == before


def test_of_a_score_that_stands_the_old_history_goes_and_the_score_stays(kept: Kept) -> None:
    said = [(1, 7.0), (150, 7.2), (200, 7.2)]
    kept.tell(*(answer(tmdb(value), at=day(night)) for night, value in said))
    kept.match()
    moved = "SELECT old_value, new_value FROM score_moves"
    assert kept.rows(moved) == [(7.0, 7.2)]
    purge(kept.db, day(1 + KEEP + 1))
    kept.merge()
    assert [row[0] for row in kept.observed("tmdb_score")] == [day(150)]
    assert kept.rows(moved) == []
    assert kept.row("SELECT tmdb_score, title FROM film_scores") == (7.2, "Skyfall")
    purge(kept.db, day(150 + KEEP + 1))
    kept.merge()
    assert kept.observed("tmdb_score") == []
    assert kept.row("SELECT tmdb_score, title FROM film_scores") == (7.2, "Skyfall")


def test_a_verdict_that_stands_stays_whatever_saved_page_came_after_it(kept: Kept) -> None:
    kept.tell(*(answer(tmdb(), at=day(night)) for night in (100, 250)))
    saved = answer(
        record("tmdb", credits=Credits(after=Verdict.UNKNOWN)), at=day(1), target="archive"
    )
    kept.tell(saved, origin="archive", exact="day")
    purge(kept.db, day(100 + KEEP + 1))
    assert kept.rows("SELECT observed_at, after FROM credits_verdicts") == [(day(100), "yes")]


_numbers = counting(1_000)
FAILURES = (Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.ERROR, Outcome.UNREADABLE)


@given(
    nights=st.lists(
        st.tuples(st.integers(1, 120), st.none() | st.sampled_from(FAILURES)),
        min_size=1,
        max_size=6,
    ),
    after=st.integers(0, 250),
)
@example(nights=[(100, None), (100, Outcome.RATE_LIMITED)], after=0)
@settings(deadline=None, max_examples=60)
def test_only_the_time_since_it_was_last_said_counts(
    shared: Kept, nights: Sequence[tuple[int, Outcome | None]], after: int
) -> None:
    """A night on which TMDB failed, or blocked us, says nothing and takes nothing away."""
    source_id = str(next(_numbers))
    night, said_on = 0, None
    for pause, failure in [(1, None), *nights]:
        night += pause
        if failure:
            shared.tell(refused(failure, day(night), "tmdb", source_id=source_id))
        else:
            purge(shared.db, day(night))
            shared.tell(answer(tmdb(source_id=source_id), at=day(night)))
            said_on = night
    assert said_on
    purge(shared.db, day(night + after))
    stands = shared.column(
        "SELECT value FROM scores JOIN listings USING (listing_id) WHERE source_id = ?", source_id
    )
    titles = shared.column("SELECT title FROM listings WHERE source_id = ?", source_id)
    lasts = night + after - said_on <= KEEP
    assert stands == ([7.2] if lasts else [])
    assert titles == (["Skyfall"] if lasts else [None])


def test_every_run_sees_to_it(replica: Replica, tmp_path: Path) -> None:
    long_ago = clock.later(clock.now(), days=-KEEP - 1)
    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(answer(tmdb(), at=long_ago))
        kept.match()
    ready = beside(replica, tmp_path)
    assert of_tmdb(ready) == ("James Bond goes home.", 7.2)
    assert ready("refresh", "--source", "mediastinger").status == 0
    assert of_tmdb(ready) == (None, None)


def of_tmdb(ready: Afterscore) -> tuple[str | None, float | None]:
    """What stands of all that TMDB said."""
    film = ready("film", "tmdb:37724", "--json").json
    return film["overview"], film["scores"]["tmdb_score"]["value"]


@pytest.mark.parametrize(("days", "stands"), [(29, False), (31, True)])
def test_after_a_long_absence_nothing_goes_before_a_source_has_answered(
    replica: Replica, tmp_path: Path, days: int, stands: bool
) -> None:
    """Either the machine was off, or its clock is ahead: then what it deletes is gone for good."""
    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(answer(tmdb(), at=clock.later(clock.now(), days=-KEEP - 1)))
        kept.match()
        kept.db.conn.execute(
            "INSERT INTO runs (run_id, command, plan, pid, started_at, ended_at, outcome)"
            " VALUES (1, 'refresh', '{}', 1, ?1, ?1, 'ok')",
            [clock.later(clock.now(), days=-days)],
        )
        kept.db.conn.execute(
            "INSERT INTO crawls (run_id, source, started_at, outcome, fetched)"
            " SELECT 1, 'mediastinger', started_at, 'ok', 1 FROM runs"
        )
    ready = beside(replica, tmp_path)
    online = ready.environment.copy()
    ready.environment["AFTERSCORE_MEDIASTINGER_URL"] = "http://127.0.0.1:9"
    for _ in range(2):  # the first of them is no proof of the time for the second
        assert ready("refresh", "--source", "mediastinger").status == 1
        assert of_tmdb(ready) == (("James Bond goes home.", 7.2) if stands else (None, None))
    exported = ready("export", "--format", "csv", "--out", "films", "--table", "films")
    assert exported.status == (2 if stands else 0), exported.err
    assert ("'afterscore refresh' comes first" in exported.err) == stands
    assert of_tmdb(ready) == (("James Bond goes home.", 7.2) if stands else (None, None))
    ready.environment.update(online)
    assert ready("refresh", "--source", "mediastinger", "--again").status == 0
    assert of_tmdb(ready) == (None, None)
    assert ready("export", "--format", "csv", "--out", "films", "--table", "films").status == 0

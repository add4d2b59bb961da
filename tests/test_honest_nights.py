"""The guard on nights as they are: what honestly comes, however odd it looks, is never held."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.crawl_profile import LAST_CRAWLS
from pipelines.database import transaction
from pipelines.statements import Tally
from pipelines.store import Store
from pipelines.waiting import Waiting
from schedules.replica import Replica
from spiders.items import Answer, Outcome
from tests.answers import Kept, answer, day, keeping, not_rated, record, refused, scored
from tests.conftest import Afterscore, Ended, beside

NIGHTS = LAST_CRAWLS + 5
NUMBERS = itertools.count(1)
BANDS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000)

MOST_CRITICS = 600
"""So many review the most reviewed films."""


class Film:
    """A film that is released one day; reviews and ratings come, fast at first."""

    def __init__(self, dice: Random, number: int) -> None:
        self._dice = dice
        self._released = dice.randint(-400, NIGHTS)
        self._quality = dice.betavariate(5, 3)
        self._popularity = dice.paretovariate(0.8)
        self._critics = self._fresh = 0
        self._ratings = self._liked = 0
        self.source_id = f"m/{number}"

    def live(self, night: int) -> None:
        """One more day passes."""
        age = night - self._released
        if age < -3:
            return
        dice, rate = self._dice, self._popularity * 40 / (1 + max(age, 0))
        came = min(int(dice.expovariate(1 / rate)), MOST_CRITICS - self._critics)
        taken_back = dice.random() < 0.02 and self._fresh > 5
        self._critics += came - taken_back
        self._fresh += sum(dice.random() < self._quality for _ in range(came)) - taken_back
        rated = int(min(dice.expovariate(1 / rate), 400) * dice.uniform(2, 40))
        bombed = dice.random() < 0.02
        liked = 0.05 if bombed else min(1.0, self._quality + 0.1)
        rated *= 20 if bombed else 1
        self._ratings += rated
        self._liked += round(rated * liked)

    def page(self, night: int) -> Answer:
        """What its page says tonight: the runtime of a film is not known before its release."""
        scores = {"tomatometer": not_rated(), "popcornmeter": not_rated()}
        if self._critics >= 5:
            scores["tomatometer"] = scored(round(100 * self._fresh / self._critics), self._critics)
        reached = [band for band in BANDS if band <= self._ratings]
        if reached:
            liked = round(100 * self._liked / self._ratings)
            scores["popcornmeter"] = scored(liked, reached[-1], votes_at_least=True, basis="all")
        said = record(
            source_id=self.source_id,
            title=self.source_id,
            year=2026,
            runtime_minutes=120 if night >= self._released else None,
            layout="scorecard-2024",
            scores=scores,
        )
        return answer(said, at=day(night))


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A database in which each example has films of its own, and no crawls from the ones before."""
    with keeping(tmp_path_factory.mktemp("years") / "ratings.db") as kept:
        yield kept


def crawl(kept: Kept, run_id: int, answers: list[Answer]) -> tuple[Tally, list[str]]:
    """Judge and store answers as a run does; also why anything was held as a whole."""
    run = kept.db.conn.execute
    run(
        "INSERT INTO runs (run_id, command, plan, pid, started_at) VALUES (?, '', '{}', 1, ?)",
        [run_id, day(run_id)],
    )
    waiting, store, tally = Waiting(kept.db, "rottentomatoes"), Store(kept.db, run_id, {}), Tally()
    reasons = []
    judged = (found for said in answers for found in waiting.add(said))
    for answers_together, doubt in chain(judged, waiting.end(finished=True)):
        if doubt:
            reasons.append(doubt.reason)
            continue
        with transaction(kept.db):
            for said in answers_together:
                store.answer(said, tally)
    run(
        "INSERT INTO crawls (run_id, source, started_at, outcome, profile)"
        " VALUES (?, 'rottentomatoes', ?, 'ok', ?)",
        [run_id, day(run_id), json.dumps(waiting.profile)],
    )
    return tally, reasons


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=5)
def test_weeks_of_honest_nights_are_never_held(years: Kept, seed: int) -> None:
    """Each night asks other films: all, the newest, a handful, none that is rated yet. Some pages
    fail, some are gone."""
    dice = Random(seed)
    run = years.db.conn.execute
    for table in ("crawls", "quarantine", "runs"):
        run(f"DELETE FROM {table}")
    films = [Film(dice, next(NUMBERS)) for _ in range(80)]
    held = 0
    for night in range(1, NIGHTS):
        for film in films:
            film.live(night)
        some = [films, films[:40], dice.sample(films, 25), dice.sample(films, 4)]
        answers = [
            refused(dice.choice([Outcome.ERROR, Outcome.NOT_FOUND]), day(night),
                    source_id=film.source_id)
            if dice.random() < 0.03 else film.page(night)
            for film in dice.choice(some)
        ]  # fmt: skip
        tally, reasons = crawl(years, night, answers)
        assert reasons == []
        held += tally.counts["held"]
    assert held == 0, run("SELECT topic, reason FROM quarantine").fetchall()


def test_pages_that_all_moved_away_are_held_and_no_film_is_gone(tmp_path: Path) -> None:
    films = [Film(Random(number), number) for number in range(60)]
    for film in films:
        for night in range(-400, NIGHTS * 2):
            film.live(night)
    with keeping(tmp_path / "ratings.db") as kept:
        for night in (1, 2):
            crawl(kept, night, [film.page(NIGHTS) for film in films])
        for night in (3, 4, 5, 6):
            lost = [refused(Outcome.NOT_FOUND, day(night), source_id=f.source_id) for f in films]
            _, reasons = crawl(kept, night, lost)
            assert len(reasons) == 3
            assert "known pages are not found" in reasons[0]
        gone = "SELECT * FROM listings WHERE gone_at IS NOT NULL OR not_found_runs > 0"
        assert kept.rows(gone) == []


def rated(number: int) -> list[Film]:
    """So many films of whose pages all are known."""
    films = [Film(Random(n), next(NUMBERS)) for n in range(number)]
    for film in films:
        for night in range(-400, NIGHTS * 2):
            film.live(night)
    return films


def nights_of(
    kept: Kept, films: Sequence[Film], lost: Callable[[int, int], bool]
) -> dict[int, str]:
    """Why nights were held (the first reason of each) of a site that loses pages: `lost` tells on
    which night which film's, by its rank among all. What is gone is not asked."""
    held = {}
    for night in range(1, NIGHTS):
        gone = kept.column("SELECT source_id FROM listings WHERE gone_at IS NOT NULL")
        pages = [
            refused(Outcome.NOT_FOUND, day(night), source_id=film.source_id)
            if lost(night, 41 * number % len(films))  # pages that are asked together differ in rank
            else film.page(NIGHTS).model_copy(update={"asked_at": day(night)})
            for number, film in enumerate(films)
            if film.source_id not in gone
        ]
        _, reasons = crawl(kept, night, pages)
        if reasons:
            held[night] = reasons[0]
    return held


def test_pages_that_a_site_loses_bit_by_bit_are_held_once_most_are_gone(tmp_path: Path) -> None:
    """A fifth of those that are left, each night: no night by itself loses half."""
    with keeping(tmp_path / "ratings.db") as kept:
        held = nights_of(kept, rated(100), lambda night, rank: rank >= 100 * 0.8 ** (night - 1))
        assert min(held) == 5  # 80, 64, 51, 41 are left
        assert held[5] == "52 of 100 known pages came not to be found, night after night"
        (gone,) = kept.row("SELECT count(*) FROM listings WHERE not_found_runs > 0")
        assert gone < 50


MOVES = {
    "some once, for good": lambda night, rank: night > 2 and rank < 40,
    "others each night": lambda night, rank: (rank + 13 * night) % 100 < 12,
}


@pytest.mark.parametrize("lost", MOVES.values(), ids=MOVES)
def test_pages_that_are_lost_once_or_found_again_are_no_matter(
    tmp_path: Path, lost: Callable[[int, int], bool]
) -> None:
    with keeping(tmp_path / "ratings.db") as kept:
        assert nights_of(kept, rated(100), lost) == {}


def test_the_demos_sites_asked_again_and_again_are_never_held(
    refreshed: tuple[Afterscore, Ended], replica: Replica, tmp_path: Path
) -> None:
    shutil.copy(refreshed[0].folder / "ratings.db", tmp_path)
    ready = beside(replica, tmp_path)
    for _ in range(2):
        ended = ready("refresh", "--again")
        assert "held" not in ended.err
    assert ready("quarantine", "list", "--all").out.strip() == "Nothing is held back."

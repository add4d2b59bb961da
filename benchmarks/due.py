"""A year of nights over made-up films: how stale what we show is, by who chooses what to ask.

Films change at random (a Poisson process each) at rates that decay after release and grow with
popularity. The policies see what a night shows: which of the listings that they asked had changed
since they last asked. Only the policy named so is told the rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer

from benchmarks.tables import out, print_machine, print_table
from schedules.due import most_pressing, schedule

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

FILMS, REQUESTS, NIGHTS = 20_000, 1_000, 365
START = pd.Timestamp("2026-01-01T03:00:00Z")
MOST_POPULAR = 3_000_000.0
"""Votes of the most popular film that there is, as on IMDb."""

MONTH = 30
"""Days after release that count as a film's first month."""


@dataclass(frozen=True)
class World:
    """How films come out and change.

    A film changes `changes` times a day on average over all films; its own rate is proportional to
    votes ** `with_votes`, to (1 + age / `young_days`) ** -`decay` (plus `everlasting`, which never
    decays), and to a log-normal factor of deviation `scatter`; a share `dead` never changes.
    Votes are heavy-tailed: Pareto with exponent `tail`, or log-normal with deviation `deviation`.
    A share `new` comes out in the year. `votes_come`: a film's votes come in over months, and the
    policies see those that it has. `asked_before`: all that were out have been asked once, in the
    nights before; otherwise nothing has, and what was never asked counts as stale.
    """

    name: str
    changes: float = 1 / 400
    with_votes: float = 0.4
    decay: float = 0.7
    young_days: float = 60.0
    everlasting: float = 0.0
    scatter: float = 0.5
    dead: float = 0.1
    tail: float | None = 1.0
    deviation: float = 2.0
    new: float = 0.04
    votes_come: bool = False
    asked_before: bool = True


WORLDS = (
    World("as the issue has it"),
    World("votes log-normal", tail=None),
    World("rates hardly follow votes", with_votes=0.2, scatter=0.8),
    World("rates follow votes closely", with_votes=0.6, tail=1.2),
    World("steep decay", decay=1.5, everlasting=0.01),
    World("hardly any decay", decay=0.3),
    World("half never change", dead=0.5, scatter=1.0),
    World("all alike but for age and votes", dead=0.0, scatter=0.0),
    World("votes come in over months", votes_come=True),
    World("many new films", new=0.15),
    World("from nothing", asked_before=False),
)


class Films:
    """The films of one world, drawn with a seed."""

    def __init__(self, world: World, seed: int, number: int, nights: int) -> None:
        draw = np.random.default_rng(seed)
        self.world = world
        if world.tail:
            popular = 50 * (1 + draw.pareto(world.tail, number))
        else:
            popular = np.exp(draw.normal(7, world.deviation, number))
        self.popular: Numbers = np.minimum(popular, MOST_POPULAR)
        new = round(world.new * number)
        old = -draw.exponential(15 * 365, number - new)
        self.released: Numbers = np.concatenate([draw.uniform(0, nights, new), old])
        own = np.exp(draw.normal(0, world.scatter, number))
        own = own * (draw.random(number) >= world.dead)
        self._usual: Numbers = own * self.popular**world.with_votes
        mid = self.rates(nights / 2)[self.released <= nights / 2]
        self._usual *= world.changes / mid.mean()

    def rates(self, day: float) -> Numbers:
        """Changes a day of each film at a time; 0 before it is out."""
        age = day - self.released
        decay = np.power(1 + np.maximum(age, 0) / self.world.young_days, -self.world.decay)
        rates: Numbers = self._usual * (decay + self.world.everlasting) * (age >= 0)
        return rates

    def votes(self, day: float) -> Numbers:
        """The votes that each film has by then."""
        if not self.world.votes_come:
            return self.popular
        age = np.maximum(day - self.released, 0.0)
        votes: Numbers = self.popular * np.maximum(age / (age + 60), 0.001)
        return votes


@dataclass
class Known:
    """What asking has shown so far, an array of all films each. Times are days; NaN: never."""

    first: Numbers
    last: Numbers
    answers: Numbers
    changes: Numbers
    expected: Numbers = field(repr=False)
    """Changes to expect since the last answer: only who is told the rates may look."""

    def answered(self, asked: Places, changed: npt.NDArray[np.bool_], day: float) -> None:
        """Those asked have answered, and had changed or not."""
        before = self.answers[asked] > 0
        self.changes[asked] += changed & before
        self.answers[asked] += 1
        self.first[asked] = np.where(before, self.first[asked], day)
        self.last[asked] = day
        self.expected[asked] = 0.0


Policy = Callable[[Films, Known, float, Places, int], Places]
"""Films, what is known, the day, which are listed and how many may be asked -> whom to ask."""


def oldest_first(films: Films, known: Known, day: float, listed: Places, most: int) -> Places:
    """Whatever was asked longest ago."""
    return _first(listed, _since(known, day, listed), most)


def by_age(films: Films, known: Known, day: float, listed: Places, most: int) -> Places:
    """FlexGet's rule: two days and five for each year of age; most overdue first."""
    age = np.maximum(day - films.released[listed], 0) / 365.25
    return _first(listed, _since(known, day, listed) - (2 + 5 * age), most)


def told_the_rates(films: Films, known: Known, day: float, listed: Places, most: int) -> Places:
    """The index of Azar and others: what asking now spares a day's views, at the true rates."""
    rate = np.maximum(films.rates(day)[listed], 1e-12)
    due = np.minimum(known.expected[listed], 700)
    index = films.popular[listed] / rate * (-np.expm1(-due) - due * np.exp(-due))
    never = np.isnan(known.last[listed])
    return _first(listed, np.where(never, 1e12 * films.popular[listed], index), most)


def ours(films: Films, known: Known, day: float, listed: Places, most: int) -> Places:
    """What `afterscore refresh` would ask: schedules/due.py, told what the database knows."""
    rows = pd.DataFrame(
        {
            "listing_id": listed,
            "released_on": _moments(films.released[listed].round()),
            "votes": films.votes(day)[listed].round(),
            "first_answered_at": _moments(known.first[listed]),
            "last_answered_at": _moments(known.last[listed]),
            "last_asked_at": _moments(known.last[listed]),
            "answers": known.answers[listed],
            "changes": known.changes[listed],
        }
    )
    at = START + pd.Timedelta(days=day)
    planned = schedule(rows, at)
    due = most_pressing(planned[planned["due_at"] <= at]).head(most)
    return due["listing_id"].to_numpy(dtype=np.intp)


POLICIES: dict[str, Policy] = {
    "oldest first": oldest_first,
    "by age (FlexGet)": by_age,
    "told the rates": told_the_rates,
    "ours": ours,
}


@dataclass(frozen=True)
class Staleness:
    """Shares of a year, 0 to 1: of `views` that would see a stale score, and, `plain`, of listings
    that are stale; `new_…` of those in their first month."""

    views: float
    plain: float
    new_views: float
    new_plain: float


@dataclass(frozen=True)
class Year:
    """How stale the films were in the mornings, after the night's requests, and all day long; and
    how many `requests` a night that took."""

    morning: Staleness
    all_day: Staleness
    requests: float


def simulate(
    world: World,
    policy: Policy,
    seed: int,
    *,
    number: int = FILMS,
    requests: int = REQUESTS,
    nights: int = NIGHTS,
) -> Year:
    """A year of one policy in one world. The world is the same for all policies of a seed."""
    films = Films(world, seed, number, nights)
    draw = np.random.default_rng([seed, 1])
    known, stale = _beginning(films, draw, number / requests)
    morning, all_day = Sums(), Sums()
    sent = 0
    for day in range(nights):
        rates = films.rates(day + 0.5)
        happened = draw.poisson(rates)
        soonest = 1 - (1 - draw.random(number)) ** (1 / np.maximum(happened, 1))
        all_day.add(films, day, np.where(stale, 1.0, np.where(happened > 0, 1 - soonest, 0.0)))
        stale |= happened > 0
        known.expected += rates
        listed = np.flatnonzero(films.released <= day + 1)
        asked = policy(films, known, day + 1.0, listed, requests)
        sent += len(asked)
        known.answered(asked, stale[asked], day + 1.0)
        stale[asked] = False
        morning.add(films, day + 1, stale.astype(float))
    return Year(morning.shares(), all_day.shares(), sent / nights)


class Sums:
    """Staleness summed over days: of all films that are out, and of those in their first month."""

    def __init__(self) -> None:
        self._stale, self._all = np.zeros(4), np.zeros(4)

    def add(self, films: Films, day: float, stale: Numbers) -> None:
        """Another day; `stale` is which share of it each film was stale for."""
        out = films.released <= day
        new = out & (day - films.released <= MONTH)
        each = np.stack([films.popular * out, out, films.popular * new, new])
        self._stale += each @ stale
        self._all += each.sum(axis=1)

    def shares(self) -> Staleness:
        """The shares of all these days."""
        return Staleness(*(self._stale / self._all).tolist())


def _beginning(
    films: Films, draw: np.random.Generator, pass_nights: float
) -> tuple[Known, npt.NDArray[np.bool_]]:
    """What is known on the first day: every film out was asked once in the pass before it, or
    nothing. What has changed since then is stale."""
    number = len(films.released)
    asked = np.where(
        films.world.asked_before & (films.released < -pass_nights),
        -draw.uniform(0, pass_nights, number).round(),
        np.nan,
    )
    expected = np.where(np.isnan(asked), 0.0, -np.nan_to_num(asked) * films.rates(0))
    answers = np.where(np.isnan(asked), 0.0, 1.0)
    known = Known(asked.copy(), asked.copy(), answers, np.zeros(number), expected)
    return known, np.isnan(asked) | (draw.poisson(expected) > 0)


def _since(known: Known, day: float, listed: Places) -> Numbers:
    return np.nan_to_num(day - known.last[listed], nan=1e9)


def _first(listed: Places, priority: Numbers, most: int) -> Places:
    if len(listed) <= most:
        return listed
    return listed[np.argpartition(-priority, most)[:most]]


def _moments(days: Numbers) -> pd.Series[pd.Timestamp]:
    return pd.Series(START + pd.to_timedelta(days, unit="D"))


def run(seeds: Annotated[int, typer.Option(help="Years a world")] = 1) -> None:
    """How stale films get over a year of nights, by policy, and ours beside the others."""
    print_machine()
    out.print(
        f"{FILMS:,} films, {REQUESTS:,} requests a night, {NIGHTS} nights; the mean of"
        f" {seeds} years, in % of views or films. The worst year's ratios stand below.\n"
    )
    for world, policies in compare(seeds):
        print_table(
            world.name,
            ({"policy": name} | _means(years) for name, years in policies.items()),
        )
        of_ours, oldest = policies["ours"], policies["oldest first"]
        out.print(
            f"  Ours: {times(of_ours, oldest, 'views'):.3f} of oldest first's views, "
            f"{times(of_ours, oldest, 'plain'):.2f} of its films;"
            f" {times(of_ours, policies['told the rates'], 'views'):.2f} of the views of the"
            " policy that is told the rates\n"
        )


def _means(years: Sequence[Year]) -> dict[str, str]:
    """The mean of each share of the years, in %."""
    shares = {
        "views": [year.morning.views for year in years],
        "films": [year.morning.plain for year in years],
        "views, first month": [year.morning.new_views for year in years],
        "films, first month": [year.morning.new_plain for year in years],
        "views, all day": [year.all_day.views for year in years],
        "films, all day": [year.all_day.plain for year in years],
    }
    return {heading: f"{100 * fmean(share):.2f}" for heading, share in shares.items()}


def compare(seeds: int, **scale: int) -> Iterator[tuple[World, dict[str, list[Year]]]]:
    """Each world with what every policy comes to in it, a year for each seed."""
    for world in WORLDS:
        yield (
            world,
            {
                name: [simulate(world, policy, seed, **scale) for seed in range(seeds)]
                for name, policy in POLICIES.items()
            },
        )


def times(ours: list[Year], others: list[Year], share: str) -> float:
    """How many times another's staleness of a morning ours is: the worst of the years."""
    return max(
        float(getattr(a.morning, share) / getattr(b.morning, share))
        for a, b in zip(ours, others, strict=True)
    )

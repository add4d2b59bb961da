"""What is due: one pure function from what is known of listings, and a time, to a priority a row.

`plan`, `refresh` and the simulation (benchmarks/due.py) call it. It knows nothing of how rates
were made: it learns them (schedules/rates.py). The policy is described in docs/due.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schedules.config import CEILING_DAYS
from schedules.rates import (
    SETTLING_DAYS,
    USUAL_AGE,
    USUAL_VOTES,
    Numbers,
    Rates,
    UsualRates,
    Watched,
)

FLOOR_HOURS = 12.0
"""A listing that answered rests for as long at least."""

GONE_DAYS = 30.0
"""A listing that is gone (404 on three runs) is looked at again after as many days."""

FAILURE_DAYS_MAX = 30.0
"""However often a listing has failed, it is tried again at least once in as many days."""

LEAST_CHANCE, MOST_CHANCE = 0.007, 0.05
"""An average film is due once it has changed with a chance of seven in a thousand; one with more
views sooner, by the root of them (so that each request spares about as much staleness), one with
fewer later, but at one in twenty. It tells only where the budget is not spent: at one in a hundred
some of it is left while films are staler than with oldest first (docs/due.md), and at one in two
hundred sites are asked a quarter more for little."""

PLAIN_SHARE = 0.05
"""Every film counts as much as a twentieth of the average one, beside its own views: what few look
at would else wait for the ceiling. In the simulation plain staleness hangs on it."""

TRACKED_SHARE = 1.0
"""A film that a person tracks counts as much as an average one more."""

LATE_VOTES_DAYS = 90.0
"""Votes trail views: of a film some days old, those of this many days are still to come."""

CHANGES_A_GROWTH = 10.0
"""What a growth of the IMDb votes tells of the other sources' figures: a tenth more, one change.

An estimate: a tenth more reviews move a percentage of 30 to 300 reviews by about a point."""

CHANGES_A_TENTH = 0.2
"""What an IMDb rating that moved by a tenth tells of them: a fifth of a change.

An estimate: a tenth of ten is a point of a hundred, but rounding alone moves a rating by that much
now and then, and the votes that moved it count by themselves."""

CHANGES_AN_EDIT = 0.1
"""What the source's own feed tells of a listing that it names as changed: a tenth of a change.

An estimate: a feed names edits and never votes, and most are of pictures, translations and casts;
but keywords are among them, which say whether a scene follows, and who edits has looked at the
film. It is as much as a hundredth more votes, and enough for any listing to be due: the least news
that is makes up for a chance of MOST_CHANCE. Where the feed was not read for longer than it reaches
back, it may have named any listing: all are due once, by what asking spares."""

NEW_DAYS = 60
"""Films out for less are called new in the reasons."""

SELDOM_DAYS = 3_650
"""What changes less often than this hardly ever does, in the reasons."""

GOLDEN_RATIO = 0.618033988749895

NEVER_ASKED, OVERDUE = 1e12, 1e6
"""Added to a priority: what was never asked comes first, then what the ceiling calls for. Days of
staleness spared, in views of the average film, stay far below."""

_TIMES = ("released_on", "first_answered_at", "last_answered_at", "last_asked_at", "gone_at")
_NUMBERS = (
    "year",
    "votes",
    "votes_then",
    "rating",
    "rating_then",
    "answers",
    "changes",
    "failures",
    "changed_upstream",
    "unwatched",
    "tracked",
)


@dataclass(frozen=True)
class Usual:
    """What a source's listings are like, all together: each of them is held against it.

    Days since release and votes of the one in the middle, which stand for what is not known of a
    film; the votes of the average film; and the `rates` at which they change.
    """

    age: float
    votes: float
    mean_votes: float
    rates: UsualRates


@dataclass(frozen=True)
class _News:
    """What is heard of listings without asking them, since the last answer of each.

    Shares by which the film's IMDb votes grew, and points that its rating there moved; whether the
    source's own feed of changes named it, or was not read for a time and may have.
    """

    growth: Numbers
    moved: Numbers
    upstream: npt.NDArray[np.bool_]
    unwatched: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, told: pd.DataFrame, votes: Numbers) -> _News:
        """What `_told` holds of it; `votes` are the films' now."""
        growth = np.nan_to_num(votes / np.maximum(told["votes_then"].to_numpy(), 1.0) - 1.0)
        return cls(
            growth=growth.clip(0.0, None),
            moved=np.abs(np.nan_to_num((told["rating"] - told["rating_then"]).to_numpy())),
            upstream=np.nan_to_num(told["changed_upstream"].to_numpy()) > 0,
            unwatched=np.nan_to_num(told["unwatched"].to_numpy()) > 0,
        )

    @cached_property
    def changes(self) -> Numbers:
        """How many changes it lets expect."""
        changes = CHANGES_A_GROWTH * self.growth + CHANGES_A_TENTH * 10 * self.moved
        return changes + CHANGES_AN_EDIT * (self.upstream | self.unwatched)


def usual_of(listings: pd.DataFrame, at: pd.Timestamp) -> Usual:
    """What the listings of one source, as `schedule` takes them, are like at `at`, UTC."""
    return _usual(_told(listings, _utc(at)))


def schedule(
    listings: pd.DataFrame,
    at: pd.Timestamp,
    rest_hours: float = FLOOR_HOURS,
    usual: Usual | None = None,
) -> pd.DataFrame:
    """When each listing of one source is asked next, and how pressing that is at `at`, UTC.

    `listings` has a row a listing with `listing_id` and whatever is known of

    - the film: `released_on` (ISO 8601), or at least `year`; `votes` (IMDb's: its popularity);
      `tracked`, true where a person tracks it;
    - asking: `last_asked_at` (missing: never), `failures` in a row, `gone_at`;
    - answers: the first at `first_answered_at`, the last at `last_answered_at` (without that
      column: `last_asked_at`), how many `answers` in all, and how many of them differed from the
      one before, as `changes`: the first never does;
    - news since the last answer: `votes_then`, the film's votes at that time; `rating` and
      `rating_then`, IMDb's of 10; `changed_upstream`, true where the source's own feed of changes
      has named it; `unwatched`, true where that was not read for a time since, and may have.

    Times are UTC, as text or timestamps; a column may be missing, as any value in it. Give all
    listings of the source, from which rates are learned together, or what is `usual` of them.

    Returns the rows in their order, with

    - `priority`: the days of staleness that asking now spares, counted in views of the average
      film; above all others what was never asked, then what the ceiling calls for;
    - `rested_at`: not before, whoever wants it; `due_at`: not before, by itself;
    - `wait_days`: from an answer until it is due again;
    - `chance`: that it has changed since its last answer, 0 to 1;
    - `every_days`: days from change to change, as learned; `why`: one reason, in words.
    """
    at = _utc(at)
    told = _told(listings, at)
    usual = usual or _usual(told)
    asked, gone = told["last_asked_at"], told["gone_at"].notna().to_numpy()
    failures = np.nan_to_num(told["failures"].to_numpy()).clip(0, 12)
    answered = told["last_answered_at"]
    unanswered = (asked.notna() & answered.isna()).to_numpy()
    watched = _watched(told, usual.age, usual.votes)
    age, votes, since = watched.age, watched.votes, told["since"].to_numpy()
    rates = Rates.of(watched, usual.rates)
    news = _News.of(told, votes)

    unchanged = rates.unchanged(since) * np.exp(-news.changes)
    weight = _weight(votes, age, usual.mean_votes) + TRACKED_SHARE * np.nan_to_num(
        told["tracked"].to_numpy()
    )
    spared = weight * (rates.days_unchanged(since) - since * unchanged)

    spread = _spread(listings["listing_id"])
    ceiling = CEILING_DAYS * (0.8 + 0.2 * spread)
    rest = max(FLOOR_HOURS, rest_hours) / 24
    chance_wanted = (LEAST_CHANCE / np.sqrt(weight)).clip(None, MOST_CHANCE)
    wait = rates.days_until((-np.log1p(-chance_wanted) - news.changes).clip(0.0, None))
    wait = np.clip(wait * (0.8 + 0.4 * spread), rest, np.maximum(ceiling, rest))
    rests = np.where(gone, GONE_DAYS, np.minimum(rest * 2.0**failures, FAILURE_DAYS_MAX))
    rested_at = (asked + pd.to_timedelta(rests, unit="D")).fillna(at)
    due_at = (answered + pd.to_timedelta(wait, unit="D")).fillna(rested_at)
    due_at = due_at.where((due_at > rested_at) & ~gone & (failures == 0), rested_at)

    overdue = (since >= ceiling) & ~unanswered
    never = asked.isna().to_numpy()
    every_days = 1.0 / rates.mean()
    why = _worded(every_days.clip(1, SELDOM_DAYS), "changes about every {:.0f} days")
    why[every_days < 1.5] = "changes daily"
    new = (age >= 0) & (age < NEW_DAYS)
    why[new] = "new; " + why[new]
    why[every_days >= SELDOM_DAYS] = "hardly ever changes"
    why[wait >= ceiling] = f"asked every {CEILING_DAYS:.0f} days at least"
    why[news.unwatched] = "its source's feed was not read for a time since"
    why[news.upstream] = "the source itself says that it changed since"
    why[news.moved >= 0.05] = "its IMDb rating moved since"
    grew = news.growth >= 0.01
    why[grew] = _worded(100 * news.growth[grew], "its IMDb votes grew by {:.0f} % since")
    why[overdue] = f"not asked for almost {CEILING_DAYS:.0f} days"
    why[failures > 0] = _worded(failures[failures > 0], "failed {:.0f} times in a row")
    why[failures == 1] = "failed the last time"
    why[gone] = "gone; looked at again now and then"
    why[never] = "never asked"
    return listings.assign(
        priority=np.where(never, NEVER_ASKED + weight, np.where(overdue, OVERDUE, 0.0) + spared),
        rested_at=rested_at.set_axis(listings.index),
        due_at=due_at.set_axis(listings.index),
        wait_days=wait,
        chance=1.0 - unchanged,
        every_days=every_days,
        why=why,
    )


def most_pressing(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a schedule in the order in which they are asked."""
    return rows.sort_values(["priority", "listing_id"], ascending=[False, True])


def _utc(at: pd.Timestamp) -> pd.Timestamp:
    return pd.Timestamp(at) if at.tzinfo else pd.Timestamp(at, tz="UTC")


def _told(listings: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """What `schedule` needs of the listings, as times and floats; what is not known is missing.
    With them, in days, the `age` at `at` and how long `since` the last answer it is: the ceiling,
    where there was none."""
    unknown = pd.Series(np.nan, index=listings.index)
    times = {
        name: pd.to_datetime(listings.get(name, unknown), format="ISO8601", utc=True)
        for name in _TIMES
    }
    numbers = {name: pd.to_numeric(listings.get(name, unknown)).astype(float) for name in _NUMBERS}
    told = pd.DataFrame(times | numbers).reset_index(drop=True)
    for votes in ("votes", "votes_then"):  # one that is no count would spoil what is learned of all
        told[votes] = told[votes].where(told[votes].between(0, np.inf, inclusive="left"))
    if "last_answered_at" not in listings:
        told["last_answered_at"] = told["last_asked_at"]
    since = np.clip(_days(at - told["last_answered_at"], CEILING_DAYS), 0.0, None)
    return told.assign(age=_age(told, at), since=since)


def _usual(told: pd.DataFrame) -> Usual:
    age = _middle(told["age"], USUAL_AGE)
    votes = _middle(told["votes"], USUAL_VOTES)
    mean_votes = float(told["votes"].fillna(votes).mean()) if len(told) else 0.0
    return Usual(age, votes, mean_votes, UsualRates.learned(_watched(told, age, votes)))


def _watched(told: pd.DataFrame, age: float, votes: float) -> Watched:
    """What asking them showed; `age` and `votes` stand for those that are not known."""
    ages = told["age"].fillna(age).to_numpy()
    return Watched(
        age=ages,
        age_then=ages - told["since"].to_numpy(),
        votes=told["votes"].fillna(votes).to_numpy(),
        intervals=np.nan_to_num(told["answers"].to_numpy()) - 1.0,
        changes=np.nan_to_num(told["changes"].to_numpy()),
        days=_days(told["last_answered_at"] - told["first_answered_at"], 0.0),
    )


def _days(spans: pd.Series[Any], missing: float) -> Numbers:
    seconds: Numbers = spans.dt.total_seconds().to_numpy(dtype=float)
    return np.nan_to_num(seconds / 86_400, nan=missing)


def _age(told: pd.DataFrame, at: pd.Timestamp) -> Numbers:
    """Days since release, from the middle of the year where only that is known."""
    age = _days(at - told["released_on"], np.nan)
    years = at.year + at.day_of_year / 365.25 - told["year"].to_numpy() - 0.5
    return np.where(np.isnan(age), 365.25 * years, age)


def _middle(values: pd.Series[float], usual: float) -> float:
    """The one in the middle of those that are known; without any, the usual one."""
    return usual if values.isna().all() else float(values.median())


def _weight(votes: Numbers, age: Numbers, mean_votes: float) -> Numbers:
    """Views of a film, in those of the average one."""
    share = votes / mean_votes if mean_votes else np.ones_like(votes)
    return (share + PLAIN_SHARE) * (1.0 + LATE_VOTES_DAYS / (np.abs(age) + SETTLING_DAYS))


def _spread(listing_ids: pd.Series[Any]) -> Numbers:
    """A number of each listing, 0 to 1, the same every night, evenly spread over any of them.

    Multiples of the golden ratio leave no gaps and no heaps: what was first asked in one night
    comes back over many.
    """
    turns: Numbers = listing_ids.to_numpy(dtype=float) * GOLDEN_RATIO
    return turns - np.floor(turns)


def _worded(numbers: Numbers, words: str) -> npt.NDArray[np.object_]:
    """Each number in words, rounded."""
    rounded, which = np.unique(numbers.round(), return_inverse=True)
    return np.array([words.format(number) for number in rounded], dtype=object)[which]

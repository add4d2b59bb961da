"""Times as the database writes them: UTC, ISO 8601 with Z, to the second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pipelines.wording import counted

BEGINNING = "0001-01-01T00:00:00Z"
"""Since ever: a listing's first match holds for all that it ever said, saved pages included."""

FIRST_PAGE = datetime(1991, 8, 6, tzinfo=UTC)
"""When the first page of the web was there for anyone to save."""

SKEW_SECONDS = 60
"""By so much another machine's clock may be ahead of ours and be right."""

_EASTMOST = timedelta(hours=14)
"""A day begins so long before it does in UTC, where it begins first (Kiribati, UTC+14)."""

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_TIME_OF_DAY = re.compile(r"\d[T ]\d{2}:?\d{2}", re.I)


_not_before = BEGINNING


def now() -> str:
    """The present time."""
    return max(stamp(datetime.now(UTC)), _not_before)


def never_before(text: str) -> None:
    """From here on let `now` give no time before this one, in this process: the clock was set back
    a little, and what comes later must not seem to have come earlier."""
    global _not_before
    _not_before = text


def stamp(moment: datetime) -> str:
    """A moment as the database writes it. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def moment(text: str) -> datetime:
    """A stored time as a datetime in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def later(text: str, **delta: float) -> str:
    """A stored time moved on: `later(at, hours=20)`."""
    return stamp(moment(text) + timedelta(**delta))


def next_time(time_of_day: str, now: datetime) -> datetime:
    """The next moment at which it is a time of day (HH:MM), both UTC. Raises ValueError."""
    wanted = datetime.strptime(time_of_day, "%H:%M").time()  # noqa: DTZ007  a time of day only
    today = datetime.combine(now.astimezone(UTC), wanted, UTC)
    return today if today > now else today + timedelta(days=1)


def seconds_until(moment: datetime) -> float:
    """Seconds from now to a moment; 0 where it is over."""
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def night(text: str) -> str:
    """The night of a time, by the UTC day on which it began: nights last from noon to noon."""
    return later(text, hours=-12)[:10]


def given(text: str) -> str:
    """A date or time that a person gives, as the database writes it; UTC where no zone is told.

    Raises ValueError for anything else, and for a time that in UTC is in a year that there is not.
    """
    when = datetime.fromisoformat(text)
    try:
        return stamp(when if when.tzinfo else when.replace(tzinfo=UTC))
    except OverflowError as fault:
        raise ValueError(f"{text!r} is in no year of UTC") from fault


def captured(text: str) -> tuple[str, str]:
    """When a page was saved, and how exact that is, from `2014`, `2017-07`, `2019-12-17` or a time.

    A coarse date becomes the first second of its period, and the second value says so (`year`,
    `month`, `day` or `second`). No time is to come: a date that has begun somewhere on earth, and
    not yet in UTC, becomes the present time. Raises ValueError for anything else, a date to come,
    or one before there were pages.
    """
    partial = _PARTIAL.fullmatch(text.strip())
    try:
        if partial:
            year, month, day = (int(part) if part else None for part in partial.groups())
            exact = "day" if day else "month" if month else "year"
            when = datetime(year or 1, month or 1, day or 1, tzinfo=UTC)
        elif _TIME_OF_DAY.search(text):
            exact, when = "second", datetime.fromisoformat(text.strip())
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
        else:  # a day or a week in other ways, or an hour: no moment
            raise ValueError(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no date: 2014, 2017-07, 2019-12-17 or a time is expected"
        ) from None
    at = datetime.now(UTC)
    if when > at + (_EASTMOST if partial else timedelta(seconds=SKEW_SECONDS)):
        raise ValueError(f"a page cannot have been saved in the future: {text}")
    if when < FIRST_PAGE:
        raise ValueError(f"there was no page to save yet in {text}")
    return stamp(min(when, at)), exact


def ago(text: str, at: datetime | None = None) -> str:
    """The age of a stored time in words: `3 hours ago`, `2 days ago`, or `in the future`."""
    seconds = ((at or datetime.now(UTC)) - moment(text)).total_seconds()
    if seconds < -SKEW_SECONDS:
        return "in the future"
    for size, word in (
        (31_557_600, "year"),
        (2_629_800, "month"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
    ):
        if seconds >= size:
            return f"{counted(int(seconds // size), word)} ago"
    return "just now"

"""What is wrong, judged from what was measured (schedules/condition.py): a pure function.

docs/bad-nights.md has a section for each kind of finding: what it means, what to look at, what to
type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipelines import clock
from pipelines.guard import Rule
from pipelines.wording import counted
from schedules.condition import FEWER_FILMS, Condition, Held, Trouble
from schedules.config import CEILING_DAYS
from spiders.sources import by_key, score_kind, source_of_kind

LATE_HOURS = 26.0
"""A whole refresh must have ended within as many hours: a day, and two hours for a night that took
longer than the one before."""

MANY_HELD = 10
"""Open cases of one source that are more than a little. Single figures are held every night, and
most release themselves."""

STALE_SHARE = 0.1
"""Share of a source's figures that may be older than the ceiling: those of pages that fail."""

LEAST_FREE = 1_000_000_000
"""Bytes that a disk must have free, or as many as the database takes: a copy of it (a backup, a
migration) must find room."""

WEEKS_LEFT = 4
"""A disk that growth as in the last week fills within so many weeks is nearly full."""

LARGE_WAL = 1_000_000_000
"""Bytes of a WAL that something keeps from being written back."""

SMALL_WAL = 100_000_000
"""Bytes of a WAL that are no matter, however small the database."""

CLOCK_MINUTES = 5
"""Minutes by which a run may seem to begin in the future."""

KINDS = (
    "no-run",
    "late",
    "failed-run",
    "killed-run",
    "clock",
    "blocked",
    "failing",
    "unreadable",
    *(
        rule.value.replace("_", "-")
        for rule in (
            Rule.CUT_SHORT,
            Rule.FIELDS_VANISHED,
            Rule.UNRATED,
            Rule.DOUBTS,
            Rule.SAME_VALUE,
            Rule.NEW_LAYOUT,
            Rule.PAGES_GONE,
        )
    ),
    "held",
    "coverage",
    "stale",
    "disk",
    "wal",
    "paused",
    "key-missing",
)
"""Every kind of finding, in the order in which they are told. The part of a key before its colon;
and the heading in docs/bad-nights.md."""


_OF_ASKING = ("blocked", "failing", "unreadable", "stale")
"""Kinds that are looked for only at sources that are asked now."""

_OF_RUNS = ("no-run", "late", "failed-run", "killed-run")


def subject(key: str) -> str:
    """What a finding is about: a source, the runs, or itself alone."""
    kind, _, of = key.partition(":")
    if kind == "coverage":
        return source_of_kind(of).key
    return of or ("runs" if kind in _OF_RUNS else kind)


def is_of_asking(key: str) -> bool:
    """Whether a finding goes, well or not, once its source is not asked any more."""
    return key.partition(":")[0] in _OF_ASKING


Level = Literal["fault", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    A `fault` is told in an alert and makes the exit status 1; a `note` is somebody's choice, or to
    be expected of what is new, and is only printed. `key` is its kind, with a colon and a source or
    score kind where it is of one.
    """

    key: str
    level: Level = field(default="fault", kw_only=True)
    what: str
    stands: str
    do: str

    @property
    def kind(self) -> str:
        """The part of the key that says what is wrong."""
        return self.key.partition(":")[0]

    @property
    def page(self) -> str:
        """Where the runbook tells of it."""
        return f"docs/bad-nights.md#{self.kind}"


def findings(found: Condition) -> list[Finding]:
    """All that is wrong, in the order of `KINDS`."""
    wrong = [
        *_nights(found),
        *map(_trouble, found.troubles),
        *filter(None, map(_held, found.held)),
        *_coverage(found),
        *(() if found.demo else _stale(found)),
        *_disk(found),
        *_notes(found),
    ]
    return sorted(wrong, key=lambda finding: (KINDS.index(finding.kind), finding.key))


def _nights(found: Condition) -> Iterator[Finding]:
    last = found.last_run
    since = clock.later(found.at, hours=-LATE_HOURS)
    # Whoever sets it up has its first night before them; then nobody else would notice.
    no_night: Level = "note" if found.made_at >= since else "fault"
    if last is None:
        yield Finding(
            "no-run",
            "no run yet",
            "Nothing was asked so far.",
            "afterscore refresh",
            level=no_night,
        )
        return
    if clock.later(found.at, minutes=CLOCK_MINUTES) < last["started_at"]:
        yield Finding(
            "clock",
            f"run {last['run_id']} began at {last['started_at']}, which is still to come",
            "Ages and due times are wrong until the clock is right.",
            "date -u",
        )
    if last["outcome"] == "killed" or (last["outcome"] == "interrupted" and last["exception"]):
        yield Finding(
            "killed-run",
            f"run {last['run_id']} ({last['command']}, {last['started_at']}) was killed",
            "What it stored stands; the next run takes up the rest.",
            f"afterscore runs {last['run_id']}",
        )
    elif last["outcome"] == "failed":
        yield Finding(
            "failed-run",
            f"run {last['run_id']} ({last['command']}, {last['started_at']}) failed:"
            f" {_first_line(last['exception'])}",
            "What it stored stands.",
            f"afterscore runs {last['run_id']}",
        )
    if not found.demo and max(found.whole_ended or "", found.whole_running or "") < since:
        ended = (
            f"the last whole refresh ended {clock.ago(found.whole_ended, clock.moment(found.at))}"
            if found.whole_ended
            else "no whole refresh has ended well yet"
        )
        running = f", and one has been running since {found.whole_running}"
        yield Finding(
            "late",
            ended + (running if found.whole_running else ""),
            "Every figure stands, with its true age.",
            "afterscore runs",
            level="fault" if found.whole_ended else no_night,
        )


def _trouble(trouble: Trouble) -> Finding:
    name = by_key(trouble.source).name
    nights = "on " + counted(trouble.nights, "night")
    said = {
        "blocked": "blocked us",
        "failing": "could not be asked",
        "unreadable": "answered with pages that no known layout fits",
    }[trouble.how]
    detail = f": {trouble.detail}" if trouble.detail else ""
    do = "afterscore sources check " if trouble.how != "failing" else "afterscore refresh --source "
    return Finding(
        f"{trouble.how}:{trouble.source}",
        f"{name} {said} {nights}, since {trouble.since}{detail}",
        "Its figures stand, with their true age.",
        do + trouble.source,
    )


def _held(held: Held) -> Finding | None:
    name = by_key(held.source).name
    if held.crawl:
        return Finding(
            f"{held.rule.replace('_', '-')}:{held.source}",
            f"a crawl of {name} is held since {held.since}: {held.reason}",
            "The figures of before stand.",
            f"afterscore quarantine list --source {held.source}",
        )
    if held.cases < MANY_HELD:
        return None
    return Finding(
        f"held:{held.source}",
        f"{held.cases:,} answers of {name} are held since {held.since}, most by the rule"
        f" {held.rule}",
        "The figures of before stand.",
        f"afterscore quarantine list --source {held.source}",
    )


def _coverage(found: Condition) -> Iterator[Finding]:
    for kind, known in found.coverage.items():
        if known.fell:
            yield Finding(
                f"coverage:{kind}",
                f"the {score_kind(kind).label} is known of {known.scored:,} films,"
                f" {known.usual:,.0f} is usual",
                "The others are shown without it.",
                f'sqlite3 {found.file} "SELECT * FROM coverage"',
            )


def _stale(found: Condition) -> Iterator[Finding]:
    for source, (old, figures) in found.stale.items():
        if old > STALE_SHARE * figures and old >= FEWER_FILMS:
            yield Finding(
                f"stale:{source}",
                f"{old:,} of {figures:,} figures of {by_key(source).name} were not confirmed for"
                f" {CEILING_DAYS:.0f} days",
                "They stand, with their true age.",
                f"afterscore plan --source {source}",
            )


def _disk(found: Condition) -> Iterator[Finding]:
    free, size = found.free_bytes, found.db_bytes + found.wal_bytes
    if free < max(LEAST_FREE, size) or free < WEEKS_LEFT * (found.grown or 0):
        yield Finding(
            "disk",
            f"{megabytes(free)} are free on the disk; the database takes {megabytes(size)}"
            + (f", {gained(found)}" if found.grown else ""),
            "All is stored, so far.",
            f"df -h {found.file.parent}",
        )
    if found.wal_bytes > LARGE_WAL or found.wal_bytes > max(SMALL_WAL, found.db_bytes):
        yield Finding(
            "wal",
            f"the WAL has grown to {megabytes(found.wal_bytes)}, beside a database of"
            f" {megabytes(found.db_bytes)}",
            "All is stored. Something reads for so long that it cannot be written back.",
            f"fuser -v {found.file}",
        )


def _notes(found: Condition) -> Iterator[Finding]:
    for source, pause in found.pauses.items():
        yield Finding(
            f"paused:{source}",
            str(pause).partition(";")[0],
            "Its figures stand, with their true age.",
            f"afterscore sources resume {source}",
            level="note",
        )
    for source, variable in found.keyless.items():
        yield Finding(
            f"key-missing:{source}",
            f"{by_key(source).name} is on, and not asked: {variable} is not in the environment",
            "Its figures stand, with their true age.",
            f"export {variable}=...",
            level="note",
        )


def gained(found: Condition) -> str:
    """What a database that gained or lost something within a week did, in words."""
    grown = found.grown or 0
    return f"{megabytes(abs(grown))} {'less' if grown < 0 else 'more'} than a week ago"


def megabytes(size: int) -> str:
    """A size in words."""
    return f"{size / 1e9:,.1f} GB" if abs(size) >= 1e9 else f"{size / 1e6:,.1f} MB"


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]

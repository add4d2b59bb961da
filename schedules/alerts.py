"""Whom to tell of what health finds, and when: what is new, what is still there after a week, what
is over. One message has all of it. What stays as it is, is not told again before a week is over.

Nothing recovers by not being looked at: what was told of a source that is not asked now (paused,
switched off, without its key) stays as it was told, until the source is asked again.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import noting
from pipelines.lock import DatabaseBusy, DatabaseOlder
from pipelines.problem import Problem
from schedules.health import KINDS, Finding, is_of_asking, subject
from schedules.redaction import without_url

VARIABLE = "AFTERSCORE_ALERT_URLS"

REMINDER_DAYS = 7.0
"""What is still there is told again after as many days."""


@dataclass(frozen=True)
class Over:
    """A finding that was told, and is there no more. `instead` are the keys of those that there are
    of the same source now: with any of them it has not recovered."""

    key: str
    what: str
    since: str
    instead: Sequence[str] = ()

    @property
    def paragraph(self) -> str:
        """What it was, and what there is now."""
        was = f"{self.key}\nIt was: {self.what} (since {self.since}).\n"
        if self.instead:
            return f"NO LONGER {was}But all is not well: now there is {', '.join(self.instead)}."
        return f"RECOVERED {was}All is as it should be again; there is nothing to do."


@dataclass(frozen=True)
class News:
    """What is to be told."""

    new: Sequence[Finding] = ()
    still: Sequence[Finding] = ()
    over: Sequence[Over] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.still or self.over)

    @property
    def title(self) -> str:
        """How much of each, and of which machine."""
        counts = {
            "new": self.new,
            "still there": self.still,
            "recovered": [over for over in self.over if not over.instead],
            "no longer so": [over for over in self.over if over.instead],
        }
        summary = ", ".join(f"{len(some)} {word}" for word, some in counts.items() if some)
        return f"afterscore on {socket.gethostname()}: {summary}"

    @property
    def body(self) -> str:
        """Each with what happened, what stands and what to do."""
        parts = [_paragraph("NEW", finding) for finding in self.new]
        parts += [_paragraph("STILL THERE", finding) for finding in self.still]
        parts += [over.paragraph for over in self.over]
        return "\n\n".join(parts)


@dataclass
class Sent:
    """How many of the URLs were told, and one line for each that was not."""

    told: int = 0
    problems: list[str] = field(default_factory=list)


def acknowledge(db: Database, key: str, until: str) -> None:
    """Tell nobody of a finding until then. Raises Problem for a key of no known kind."""
    if key.partition(":")[0] not in KINDS:
        raise Problem(f"no finding is called {key!r}; kinds are {', '.join(KINDS)}")
    db.conn.execute(
        "INSERT INTO alerts (finding, acked_until) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET acked_until = excluded.acked_until",
        (key, until),
    )


def tell(path: Path, findings: Iterable[Finding], unasked: Collection[str]) -> Sent:
    """Tell what has changed since the last time. What could not be sent is told the next time.

    `unasked` are the sources that are not asked now, of which nobody knows whether they recovered.
    Without a URL nothing is sent, and nothing counts as told. Raises DatabaseProblem.
    """
    at = clock.now()
    faults = {finding.key: finding for finding in findings if finding.level == "fault"}
    with noting(path) as db:
        _note_seen(db, faults, at)
        news = _news(db, faults, unasked, at)
    if not news or not _urls():
        return Sent()
    sent = send(news.title, news.body)
    if sent.told:
        with noting(path) as db:
            _note_told(db, news, at)
    return sent


def tell_of_the_file(fault: Exception, findings: Iterable[Finding]) -> Sent:
    """Tell that the database cannot be read or written, and what was found all the same. Nobody can
    write down that this was told, so it is told each time; not of what passes by itself, or with
    the next run."""
    if isinstance(fault, DatabaseBusy | DatabaseOlder) or not _urls():
        return Sent()
    parts = [f"{fault}\nThat you were told of it cannot be written down, so you are each time."]
    parts += [_paragraph("THERE IS", one) for one in findings if one.level == "fault"]
    title = f"afterscore on {socket.gethostname()}: the database cannot be used"
    return send(title, "\n\n".join(parts))


def send(title: str, body: str) -> Sent:
    """Send a message to every URL of the environment."""
    with warnings.catch_warnings():
        # It looks at every service that it knows, and one of them imports what is deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        sent = Sent()
        for number, url in enumerate(_urls(), 1):
            service = apprise.Apprise.instantiate(url)
            if not isinstance(service, apprise.NotifyBase):
                sent.problems.append(f"URL {number} of {VARIABLE} is none that apprise knows")
                continue
            capture: Any = apprise.LogCapture
            with capture(level=logging.WARNING, fmt="%(message)s") as said:
                if service.notify(title=title, body=body):
                    sent.told += 1
                    continue
                lines = without_url(said.getvalue(), url).strip().splitlines()
            why = f": {lines[-1]}" if lines else ""
            sent.problems.append(f"URL {number} of {VARIABLE} ({service.service_name}){why}")
    return sent


def _urls() -> list[str]:
    return os.environ.get(VARIABLE, "").split()


def _note_seen(db: Database, faults: dict[str, Finding], at: str) -> None:
    """Write down what is there, and forget what is not and of which nobody was told."""
    db.conn.executemany(
        "INSERT INTO alerts (finding, what, first_seen_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
        " SET what = excluded.what, first_seen_at = ifnull(first_seen_at, excluded.first_seen_at)",
        ((key, finding.what, at) for key, finding in faults.items()),
    )
    gone = [key for (key,) in db.conn.execute("SELECT finding FROM alerts") if key not in faults]
    for key in gone:
        # Whoever acknowledged it knows: that it is over is no news, and the rest of the time holds.
        db.conn.execute(
            "UPDATE alerts SET first_seen_at = NULL, told_at = NULL"
            " WHERE finding = ? AND acked_until > ?",
            (key, at),
        )
        db.conn.execute(
            "DELETE FROM alerts WHERE finding = ? AND told_at IS NULL"
            " AND ifnull(acked_until, '') <= ?",
            (key, at),
        )


def _news(db: Database, faults: dict[str, Finding], unasked: Collection[str], at: str) -> News:
    week_ago = clock.later(at, days=-REMINDER_DAYS)
    rows = list(
        db.conn.execute(
            "SELECT finding, what, first_seen_at, told_at FROM alerts"
            " WHERE ifnull(acked_until, '') <= ?",
            (at,),
        )
    )
    told_at = {key: when for key, _, _, when in rows}
    there = [finding for key, finding in faults.items() if key in told_at]
    return News(
        new=[finding for finding in there if told_at[finding.key] is None],
        still=[finding for finding in there if (told_at[finding.key] or at) <= week_ago],
        over=[
            Over(key, what, since, [other for other in faults if subject(other) == subject(key)])
            for key, what, since, _ in rows
            if key not in faults and not (is_of_asking(key) and subject(key) in unasked)
        ],
    )


def _note_told(db: Database, news: News, at: str) -> None:
    db.conn.executemany(
        "UPDATE alerts SET told_at = ? WHERE finding = ?",
        ((at, finding.key) for finding in (*news.new, *news.still)),
    )
    db.conn.executemany("DELETE FROM alerts WHERE finding = ?", ((over.key,) for over in news.over))


def _paragraph(word: str, finding: Finding) -> str:
    return (
        f"{word} {finding.key}\n{finding.what[:1].upper()}{finding.what[1:]}.\n{finding.stands}\n"
        f"What to do: {finding.do} (more: {finding.page})"
    )

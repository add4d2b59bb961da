"""What goes with a night: the heartbeat before and after it, what is kept of it for later ones, and
alerts of what it changed. None of these ever fails the night."""

from __future__ import annotations

import base64
import http.client
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sqlite_utils import Database

from pipelines.database import read_only
from pipelines.lock import DatabaseProblem
from schedules import __version__, alerts
from schedules.condition import Condition, note_night
from schedules.config import Config
from schedules.health import Finding, findings
from schedules.redaction import without_url

HEARTBEAT_SECONDS = 10.0
"""How long the heartbeat may take: a night does not wait for whoever watches it."""


@contextmanager
def announced(
    db: Database, path: Path, settings: Config, say: Callable[[str], None]
) -> Iterator[None]:
    """Around a whole refresh. `say` is told in one line of a heartbeat or alert that was not sent.

    A night that came to its end has succeeded, even where a source failed: alerts tell of that.
    """
    heartbeat(settings.heartbeat_url, "/start", say)
    before = _last_run(db)
    try:
        yield
    finally:
        last = before
        with suppress(sqlite3.Error):  # damaged: whoever watches the heartbeat is told all the same
            last = _last_run(db)
        if last != before:
            _keep(db, path, say)
            _tell(path, settings, say)
        well = last != before and last[1] in ("ok", "partly")
        heartbeat(settings.heartbeat_url, "" if well else "/fail", say)


def heartbeat(url: str, what: str, say: Callable[[str], None]) -> None:
    """Ask the heartbeat's URL: its path with `/start`, with `/fail`, or as it is after success."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        # Behind a query or a fragment, a night's start would look like its success.
        path = parts.path.rstrip("/") + what if what else parts.path
        request = _request(parts._replace(path=path, fragment=""))
        with urllib.request.urlopen(request, timeout=HEARTBEAT_SECONDS):  # noqa: S310
            pass
    except (OSError, ValueError, http.client.HTTPException) as fault:
        why = without_url(str(fault), url)
        say(f"heartbeat {what or '(success)'} not sent: {why}")


def _request(parts: SplitResult) -> urllib.request.Request:
    """The request, with a user and password of the URL as Basic authentication (RFC 7617), which
    urllib would take for a part of the host. Another host that it leads to is not told them."""
    credentials, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(  # noqa: S310  the settings take http(s) only
        parts._replace(netloc=host).geturl(), headers={"User-Agent": f"afterscore/{__version__}"}
    )
    if credentials:
        user, _, password = credentials.partition(":")
        login = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {login}")
    return request


def _last_run(db: Database) -> tuple[int, str | None]:
    row = db.conn.execute(
        "SELECT run_id, outcome FROM runs ORDER BY run_id DESC LIMIT 1"
    ).fetchone()
    return (row[0], row[1]) if row else (0, None)


def _keep(db: Database, path: Path, say: Callable[[str], None]) -> None:
    try:
        note_night(db, path)
    except (sqlite3.Error, OSError) as fault:
        say(f"coverage and sizes of this run are not kept: {fault}")


def _tell(path: Path, settings: Config, say: Callable[[str], None]) -> None:
    wrong: list[Finding] = []
    try:
        with closing((reading := read_only(path)).conn):
            found = Condition.of(reading, path, settings)
        wrong = findings(found)
        sent = alerts.tell(path, wrong, found.unasked)
    except (sqlite3.Error, DatabaseProblem) as fault:
        say(str(fault))
        sent = alerts.tell_of_the_file(fault, wrong)
    except OSError as fault:
        say(f"alerts not sent: {fault}")
        return
    for problem in sent.problems:
        say(f"alert not sent: {problem}")

"""The log: one JSON object a line, beside the database, without secrets.

Every line has `at` (UTC), `level`, `run` (its number, or null), `source` (a key, or null), `event`,
and what belongs to the event:

    started     a command has the database: command, pid, version
    run         a run began: command
    said        a line that was printed: text
    crawled     a crawl ended: outcome, detail, exception, seconds, and its counts
    ran         a run ended: outcome, exception
    ended       the command ended: status, and the exception that ended it
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from schedules import __version__
from schedules.redaction import redacted
from spiders.sources import SOURCES

MOST_BYTES, KEPT = 10_000_000, 5
"""A log of ten megabytes, which is some years of nights, is put aside, and the last five are kept:
a fault that fills the log must not fill the disk."""

_run: ContextVar[int | None] = ContextVar("run", default=None)
_ends_with: ContextVar[int] = ContextVar("ends_with", default=0)
_KEYS = frozenset(source.key for source in SOURCES)

_logger = logging.getLogger("afterscore")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False
_logger.setLevel(logging.INFO)


class _Lines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(),
            "run": _run.get(),
            "source": None,
            "event": record.msg,
            **record.__dict__.get("fields", {}),
        }
        return json.dumps(_redacted(entry), ensure_ascii=False)


class _PrivateFile(RotatingFileHandler):
    """A file that its owner alone may read, rotated ones too."""

    def _open(self) -> Any:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  its name
        """Nothing: on a full disk the run says so itself, and a log must not add to it."""

    def close(self) -> None:
        """Close it; what a full disk did not take is tried once more here, and then left."""
        with suppress(OSError):
            super().close()


def file_of(database: Path, setting: str | None) -> Path | None:
    """Where the log is: beside the database unless the setting names a file, or with "" none."""
    if setting is None:
        return database.with_name(database.name + ".log")
    return Path(setting) if setting else None


@contextmanager
def kept(file: Path | None, command: str) -> Iterator[None]:
    """Keep a log of a command in a file; of an exception that ends it, with its traceback.

    A log that cannot be written is no reason to end: what is asked matters more. It is then not
    kept, and `said` on standard error is all there is.
    """
    handler: logging.Handler
    try:
        if file is None:
            handler = logging.NullHandler()
        else:
            handler = _PrivateFile(file, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(_Lines())
    _logger.addHandler(handler)
    write("started", command=command, pid=os.getpid(), version=__version__)
    try:
        yield
    except BaseException as fault:
        status = getattr(fault, "exit_code", None)
        if status is None:
            write("ended", logging.ERROR, exception="".join(traceback.format_exception(fault)))
        else:
            write("ended", status=status)
        raise
    else:
        write("ended", status=_ends_with.get())
    finally:
        _logger.removeHandler(handler)
        handler.close()


def of_run(number: int | None) -> None:
    """What is written from now on belongs to this run."""
    _run.set(number)


def ends_with(status: int) -> None:
    """The command ends with this exit status, unless an exception ends it."""
    _ends_with.set(status)


def write(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Write a line, if a log is kept."""
    _logger.log(level, event, extra={"fields": fields})


def said(line: str) -> None:
    """Write a line that was printed; one that begins with a source's key is of that source."""
    key = line.partition(":")[0]
    write("said", source=key if key in _KEYS else None, text=line)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: _redacted(inner) for key, inner in value.items()}
    return value

"""The command line, killed by SIGKILL when it first runs an SQL statement that begins so:
`python -m tests.killed_at "INSERT INTO film_scores" rebuild`."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from schedules.cli import main

if TYPE_CHECKING:
    from tests.conftest import Afterscore

_connect = sqlite3.connect


def kill_at(statement: str, ready: Afterscore, *words: str) -> None:
    """Run a command that is killed before it first runs a statement that begins so."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.killed_at", statement, *words],
        cwd=ready.folder,
        env={**ready.whole_environment(), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, f"{statement} was never run: {done.stderr}"


def _traced(*given: Any, **named: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = _connect(*given, **named)
    connection.set_trace_callback(_look)
    return connection


def _look(statement: str) -> None:
    if statement.strip().startswith(sys.argv[0]):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.argv.pop(0)
    sqlite3.connect = _traced  # type: ignore[assignment]
    main()

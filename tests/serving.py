"""`serve` as a child process, and a client of it: what the tests of the site share.

`python -m tests.serving serve` is the command line on a machine that may be ten times as slow: no
query is cut short for the time that it takes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from explore import home_page, ratings, site
from schedules.cli import main

if TYPE_CHECKING:
    from tests.conftest import Afterscore

PATIENCE = 180.0
"""Seconds after which a client gives up, or a query."""


@contextmanager
def served(afterscore: Afterscore, *words: str | Path) -> Iterator[httpx.Client]:
    """`serve` on a free port, and a client of it that follows no redirect.

    Nobody reads what it prints after its address: where it printed more than a pipe holds (a
    traceback for each mistyped address, say), it would stand still, and the test fail.
    """
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.serving", "serve", "--port", "0", *words],
        cwd=afterscore.folder,
        env={
            **afterscore.whole_environment(),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://\S+/", said)
        assert found, said
        with httpx.Client(base_url=found[0], timeout=PATIENCE) as client:
            yield client
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    for limit in ("sql_time_limit_ms", "facet_time_limit_ms"):
        site.SETTINGS[limit] = int(1_000 * PATIENCE)
    ratings.COUNT_MS = int(1_000 * PATIENCE)
    home_page.PATIENCE = PATIENCE
    main()

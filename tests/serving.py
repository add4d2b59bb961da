"""`serve` as a child process, and a client of it: what the tests of the site share."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import Afterscore


@contextmanager
def served(afterscore: Afterscore, *words: str | Path) -> Iterator[httpx.Client]:
    """`serve` on a free port, and a client of it that follows no redirect.

    Nobody reads what it prints after its address: where it printed more than a pipe holds (a
    traceback for each mistyped address, say), it would stand still, and the test fail.
    """
    process = subprocess.Popen(
        afterscore.command("serve", "--port", "0", *words),
        cwd=afterscore.folder,
        env={**afterscore.whole_environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://\S+/", said)
        assert found, said
        with httpx.Client(base_url=found[0], timeout=60) as client:
            yield client
    finally:
        process.terminate()
        process.communicate()

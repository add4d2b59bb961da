"""A file or folder that a result grows in until it is whole and gets its name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all: others may read it at any moment, and the disk may be
    full. Raises OSError."""
    target = Path(os.path.realpath(path))  # of a link, what it leads to
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(target)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def alone(partial: Path, flags: int, taken: Exception) -> Iterator[int]:
    """Open it, for this process alone; gives its descriptor. What a killed process left there is
    ours, and what a symbolic link leads to is not. Raises `taken` where another process is at it,
    and OSError."""
    handle = os.open(partial, flags | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between these two lines the other one may have come to its end, and renamed it.
            ours = partial.stat().st_ino == os.fstat(handle).st_ino
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if not ours:
            raise taken
        yield handle
    finally:
        os.close(handle)

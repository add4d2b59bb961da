"""The delay between two requests to a host, kept by all processes of a user on this machine
together: two runs over two databases know nothing else of each other.

For each host there is a small file, locked for as long as it takes to write down two numbers: when
the last turn was given out, and from when on the next one may be had. Both are on the monotonic
clock, which is one for all processes until the machine is started again.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the folder below is ours alone
"""Rather than /tmp, of which a service may have one of its own; it is empty after a start."""

_TURN = struct.Struct("<dd")


class Spacing:
    """The turns of one process. Where no file can be had, it keeps its own delays at least."""

    def __init__(self) -> None:
        above = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else Path(tempfile.gettempdir())
        self._folder = above / f"afterscore-{os.getuid()}"
        self._free_at: dict[str, float] = {}

    def turn(self, host: str, delay_seconds: float) -> float:
        """Take the next turn to ask a host, and keep it free of others for so long from then on.
        Returns the seconds until it comes."""
        try:
            with self._shared(host) as file:
                written = os.pread(file, _TURN.size, 0) or bytes(_TURN.size)
                given_at, free_at = map(float, _TURN.unpack(written))
                now = time.monotonic()
                at = max(now, self._free_at.get(host, 0.0))
                if given_at <= now:  # else it was given out before the machine was started
                    at = max(at, free_at)
                os.pwrite(file, _TURN.pack(now, at + delay_seconds), 0)
        except (OSError, struct.error):
            now = time.monotonic()
            at = max(now, self._free_at.get(host, 0.0))
        self._free_at[host] = at + delay_seconds
        return at - now

    def went(self, host: str, delay_seconds: float) -> None:
        """A request goes out now: where a busy machine has made it later than its turn was, our
        next one is as much later."""
        free_at = time.monotonic() + delay_seconds
        self._free_at[host] = max(self._free_at.get(host, 0.0), free_at)

    @contextmanager
    def _shared(self, host: str) -> Iterator[int]:
        """The file of a host, locked. Raises OSError where it is not to be had, or not ours."""
        self._folder.mkdir(0o700, exist_ok=True)
        if self._folder.is_symlink() or self._folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._folder} is somebody else's")
        path = self._folder / re.sub(r"[^\w.-]", "_", host)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

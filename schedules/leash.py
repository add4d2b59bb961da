"""The leash of a crawl: a pipe from whoever started it. The crawl ends at once when the other end
is gone, and when the time is over until which it may ask: its lease, in seconds of the monotonic
clock, which all processes of a machine share. So it never goes on asking unknown to anybody, not
even where whoever started it was killed or hangs, and cannot end it any more."""

from __future__ import annotations

import os
import select
import struct
import threading
import time
from math import inf

LEASE = struct.Struct("d")
"""What goes through the pipe: until when the crawl may ask."""

LET_GO = 75
"""The exit status of a crawl whose leash was let go, or its lease not renewed."""


def keep_to(leash: int) -> None:
    """Watch a leash from now on, and end this process with it."""
    threading.Thread(target=_watch, args=(leash,), daemon=True).start()


def _watch(leash: int) -> None:
    until = inf
    while True:
        patience = None if until == inf else max(0.0, until - time.monotonic())
        readable, _, _ = select.select([leash], [], [], patience)
        received = os.read(leash, LEASE.size) if readable else b""
        if not received:
            os._exit(LET_GO)  # at once: the request in hand is no longer ours
        (until,) = LEASE.unpack(received)

"""Who gave a command, for whoever reads a decision later."""

from __future__ import annotations

import getpass
import os


def whoever() -> str:
    """The name of the user; `uid 1000` where the system has none for that number, as in containers
    that run as any user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"

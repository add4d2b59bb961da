"""The user who gives a command: decisions bear the name."""

from __future__ import annotations

import getpass
import os


def user_name() -> str:
    """The name of the user; `uid 1000` where the system has none for that number, as in containers
    that run as any user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"

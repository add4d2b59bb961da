"""Loads sqlite-utils without pandas and numpy, which it imports wherever they are installed.

It wants to know in which columns their types would go; ours hold none of them. They took two
fifths of the time in which a command starts, and most commands have no other use for them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_HIDDEN = ("numpy", "pandas")


def _load() -> None:
    loaded: dict[str, Any] = sys.modules
    hidden = [name for name in _HIDDEN if name not in loaded]
    # To import a module that stands here as None is an ImportError, for which sqlite-utils is
    # prepared (https://docs.python.org/3/reference/import.html#the-module-cache).
    loaded.update(dict.fromkeys(hidden))
    try:
        import_module("sqlite_utils")
    finally:
        for name in hidden:
            del loaded[name]


_load()

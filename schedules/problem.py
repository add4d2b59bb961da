"""A problem that ends a command."""

from __future__ import annotations


class Problem(Exception):
    """Nothing could be done; the message says what to do."""

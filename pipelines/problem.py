"""A problem that ends a command."""

from __future__ import annotations


class Problem(Exception):
    """Nothing could be done; the message says what to do. At the command line it ends in that."""

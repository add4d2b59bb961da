"""How long ago a figure was last seen to be so, in the words that people sort figures by.

Ages are counted in whole hours, as figures are (the table figure_hours).
"""

from __future__ import annotations

SEEN = {
    "within a day": 1,
    "within a week": 7,
    "within a month": 30,
    "within half a year": 182,
}
"""Days since then at most, the newest first: each stands for those that the ones before leave."""

LONGER_AGO, NEVER = "longer ago", "never"
"""Older than all of them; and where no known layout held the figure."""


def seen(hour: str) -> str:
    """SQL for that word of an hour, such as 2026-11-29T03, or of a time."""
    branches = (
        f"WHEN {hour} >= strftime('%Y-%m-%dT%H', 'now', '-{days} days') THEN '{word}'"
        for word, days in SEEN.items()
    )
    return f"CASE WHEN {hour} IS NULL THEN '{NEVER}' {' '.join(branches)} ELSE '{LONGER_AGO}' END"

"""Which listings are due: one pure function from what is known of them to when and why."""

from __future__ import annotations

import pandas as pd

FAILURE_DAYS_MAX = 30
"""However often a listing has failed, it is tried again at least once in as many days."""

GONE_DAYS = 30
"""A listing that is gone (404 on three runs) is looked at again after as many days."""


def schedule(listings: pd.DataFrame, at: pd.Timestamp, after_hours: float) -> pd.DataFrame:
    """When each listing may be asked again, and why: the rows with `due_at` and `why`.

    `listings` has a row for each listing with `listing_id`, `last_asked_at` (UTC, NaT: never),
    `failures` (in a row) and `gone_at` (UTC, NaT: not gone). An answer is due again after
    `after_hours`; each failure in a row doubles that.
    """
    asked = pd.to_datetime(listings["last_asked_at"], utc=True)
    gone = pd.to_datetime(listings["gone_at"], utc=True)
    failures = listings["failures"].fillna(0).clip(upper=12).astype(int)
    hours = (after_hours * 2.0**failures).clip(upper=24 * FAILURE_DAYS_MAX)
    hours = hours.mask(gone.notna(), 24 * GONE_DAYS)
    due_at = (asked + pd.to_timedelta(hours, unit="h")).fillna(at)
    why = pd.Series("age of the last answer", index=listings.index)
    why = why.mask(failures > 0, "failed " + failures.astype(str) + " times in a row")
    why = why.mask(gone.notna(), "gone; looked at again now and then")
    why = why.mask(asked.isna(), "never asked")
    return listings.assign(due_at=due_at, why=why)


def due(listings: pd.DataFrame, at: pd.Timestamp, after_hours: float) -> pd.DataFrame:
    """The listings that are due at `at`, most pressing first: never asked, then oldest answers."""
    rows = schedule(listings, at, after_hours)
    asked = pd.to_datetime(rows["last_asked_at"], utc=True)
    rows = rows.assign(_asked=asked)[rows["due_at"] <= at]
    rows = rows.sort_values(["_asked", "listing_id"], na_position="first")
    return rows.drop(columns="_asked")

"""From what is stored to what analysts read: listings are matched, and their films merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlite_utils import Database

from pipelines.database import transaction
from pipelines.films import films_of
from pipelines.matching.matcher import match_within
from pipelines.merge import merge_within
from pipelines.unmerged import merged

MATCHED_AT_ONCE = 50_000
"""Listings that are matched at a time: a first night's million together would take gigabytes."""


def portions(listing_ids: Iterable[int]) -> Iterator[Sequence[int]]:
    """Listings in the portions in which they are matched; where there are none, a portion of none:
    a person may have ruled, which matching follows."""
    ordered = sorted(listing_ids)
    for start in range(0, max(len(ordered), 1), MATCHED_AT_ONCE):
        yield ordered[start : start + MATCHED_AT_ONCE]


def bring_up_to_date(db: Database, listing_ids: Iterable[int]) -> None:
    """Match listings, merge the films that they were and are, and strike them off the unmerged:
    each portion in a transaction, so that whatever ends the process, its films tell of it or the
    next run takes it up."""
    for some in portions(listing_ids):
        with transaction(db):
            films = match_within(db, some).films
            merge_within(db, films | films_of(db, some))
            merged(db, some)

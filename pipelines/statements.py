"""What one record says, of which listing, when and how it came to us."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from spiders.items import Record

Origin = Literal["live", "dataset", "archive"]


@dataclass(frozen=True)
class Statement:
    """A record on its way into the tables.

    `at` is when the source said so and `exact` how exact that is; `from_list` tells that a list
    page said it, which shows less than the listing's own page. `another_film` tells that the page
    came to show another film than it did: what stood before was of that one. `released`: a person
    let it pass, so nothing speaks against it.
    """

    listing_id: int
    record: Record
    origin: Origin
    at: str
    exact: str = "second"
    from_list: bool = False
    another_film: bool = False
    released: bool = False


@dataclass(frozen=True)
class Change:
    """A figure or verdict that an answer changed."""

    listing_id: int
    topic: str
    before: str | None
    after: str


CHANGES_KEPT = 10_000
"""Changes that are kept to be told one by one; a first night brings a million."""


@dataclass
class Tally:
    """What came of the answers of one source.

    `changes` holds the first of those counted; `touched` are listings of which something is new:
    they are matched, and their films merged. Not yet written of one answer are those of them that
    it touched, `unwritten`, and (listing_id, topic, time) of what it said again, `confirmed`, and
    of what it lacked again, `missed`.
    """

    counts: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    unwritten: list[int] = field(default_factory=list)
    confirmed: list[tuple[int, str, str]] = field(default_factory=list)
    missed: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def touch(self, listing_ids: Iterable[int]) -> None:
        """Of these something is new."""
        new = [listing_id for listing_id in listing_ids if listing_id not in self.touched]
        self.touched.update(new)
        self.unwritten += new

    def change(self, change: Change) -> None:
        """Count a change, and keep it where there are not too many."""
        self.change_all((change,), 1)

    def change_all(self, changes: Iterable[Change], number: int) -> None:
        """Count so many changes, and keep the first of them where there are not too many."""
        self.counts["changed"] += number
        self.changes += islice(changes, max(0, CHANGES_KEPT - len(self.changes)))

"""Scenes in the credits: the places that words name, and what several claims come to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from spiders.items import Verdict

Place = Literal["during", "after"]
PLACES: tuple[Place, Place] = ("during", "after")

EXTRAS = ("bonus_scene", "blooper", "audio", "stills", "dedication", "sequel_setup")
"""What else may wait in the credits: the only words for it, in the order they are given."""

# "during and after the credits", "mid- and post-credits scenes", "one during the credits and one
# after": one mention of the credits serves both places.
_NAMED: dict[Place, re.Pattern[str]] = {
    "during": re.compile(
        r"\bmid(?:dle)?[-\s]*(?:end[-\s]+)?credits?\b"
        r"|\bmid-?\s*(?:,|and|&|or|/)\s*(?:an?\s+|one\s+|no\s+)?post\b"
        r"|\b(?:during|(?:mid|part)way through|in the middle of)\b(?=[^.;]{0,120}\bcredits?\b)",
        re.I,
    ),
    "after": re.compile(
        r"\bpost[-\s]*(?:end[-\s]+)?credits?\b"
        r"|\bafter\b(?=[^.;]{0,120}\bcredits?\b)"
        r"|\b(?:one|two|three|another|other|second|scenes?)\s+(?:is\s+|comes\s+)?after\b"
        r"|\bat the (?:very )?end of the (?:\w+\s+)?credits?\b",
        re.I,
    ),
}


def places_in(text: str) -> list[Place]:
    """The places in the credits that a text names.

    >>> places_in("Extra Scenes During and After the Credits"), places_in("2 end credit scenes")
    (['during', 'after'], [])
    """
    return [place for place in PLACES if _NAMED[place].search(text)]


@dataclass
class Claims:
    """What a page claims of each place, one verdict for each time that it says so."""

    during: set[Verdict] = field(default_factory=set)
    after: set[Verdict] = field(default_factory=set)

    def add(self, verdict: Verdict, places: Iterable[Place] = PLACES) -> None:
        """Note one claim for each of some places."""
        for place in places:
            self.of(place).add(verdict)

    def of(self, place: Place) -> set[Verdict]:
        """The claims made of one place."""
        return self.during if place == "during" else self.after

    def verdict(self, place: Place) -> Verdict:
        """What the claims agree on; unknown where there are none, or they contradict."""
        claims = self.of(place)
        return next(iter(claims)) if len(claims) == 1 else Verdict.UNKNOWN

    def verdicts(self) -> tuple[Verdict, Verdict]:
        """The verdicts on both places: during, after."""
        return self.verdict("during"), self.verdict("after")

    def agree_on(self, verdict: Verdict) -> bool:
        """Whether both places come to the same verdict."""
        return self.verdicts() == (verdict, verdict)

    def __iter__(self) -> Iterator[tuple[Place, set[Verdict]]]:
        """Each place with its claims."""
        return ((place, self.of(place)) for place in PLACES)

    def __bool__(self) -> bool:
        """Whether anything was claimed at all."""
        return bool(self.during or self.after)


def in_order(extras: Iterable[str]) -> tuple[str, ...]:
    """Extras without repetition, in the order of `EXTRAS`."""
    named = set(extras)
    return tuple(extra for extra in EXTRAS if extra in named)

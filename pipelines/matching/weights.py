"""What each level of evidence weighs, in natural logarithms of odds.

A pair of candidates starts from `BASE`, and the weights of its levels are added; what is not known
weighs nothing. `python -m benchmarks linkage --fit` found the weights and prints them as they stand
here (how: docs/matching.md). Those of kind, place and about are set by hand: the data that the
others were fitted on holds films alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from pipelines.matching.evidence import (
    About,
    Cast,
    Directors,
    Kind,
    Place,
    Renamed,
    Runtime,
    Spelling,
    Title,
    Year,
)

BASE = -5.8

WEIGHTS: Mapping[str, Mapping[IntEnum, float]] = {
    "title": {
        Title.OTHER_LETTERS: -3.0,
        Title.UNLIKE: -4.7,
        Title.OTHER_PART: -8.0,
        Title.ALIKE: -2.4,
        Title.NUMBERED: -0.7,
        Title.WITHIN_SHORT: -0.7,
        Title.WITHIN_WORDS: 1.1,
        Title.WITHIN: 2.4,
        Title.NEARLY: 2.4,
        Title.RESPELT: 2.4,
        Title.SAME_SHORT: 4.0,
        Title.SAME: 4.3,
        Title.SAME_LONG: 5.4,
    },
    "spelling": {Spelling.OTHER: -1.4, Spelling.SAME: 2.1},
    "year": {
        Year.FAR: -5.5,
        Year.APART: -2.8,
        Year.TWO: -1.4,
        Year.ONE: 3.0,
        Year.SAME: 5.9,
        Year.SAME_DAY: 5.9,
    },
    "directors": {Directors.OTHERS: -4.2, Directors.ALIKE: 2.5, Directors.SAME: 5.8},
    "cast": {Cast.OTHERS: -2.5, Cast.ONE: 2.1, Cast.SEVERAL: 4.5},
    "runtime": {
        Runtime.SHORT: -14.0,
        Runtime.HALF: -4.0,
        Runtime.FAR: -2.1,
        Runtime.APART: -1.4,
        Runtime.CUT: 0.0,
        Runtime.NEAR: 1.1,
        Runtime.SAME: 2.7,
    },
    "renamed": {
        Renamed.OTHER_YEAR: -4.0,
        Renamed.OTHER_LENGTH: -1.8,
        Renamed.SIBLING: -7.5,
        Renamed.SEQUEL: -6.5,
        Renamed.LONGER_NEXT_YEAR: -0.8,
    },
    "kind": {Kind.OTHER: -16.0, Kind.BORDERING: -1.5, Kind.SAME: 0.0},
    "place": {
        Place.OTHER_SERIES: -8.0,
        Place.OTHER_EPISODE: -5.0,
        Place.SAME_SERIES: 2.0,
        Place.SAME_EPISODE: 6.0,
    },
    "about": {About.ONE_IS: -6.0},
}

"""How many voted, in SQL: the most that any of several figures tells of."""

from __future__ import annotations

from collections.abc import Iterable

from spiders.sources import score_kinds


def most_votes(counts: Iterable[str]) -> str:
    """The greatest of several numbers of votes, NULL where none is known: that is not 0."""
    return f"nullif(max({', '.join(f'ifnull({count}, -1)' for count in counts)}), -1)"


MOST_VOTES = most_votes(f"s.{kind.key}_votes" for kind in score_kinds())
"""Of a row `s` of `film_scores`: as many as on its kind of score that has the most."""

"""How many voted on a film, in SQL: as many as on its kind of score that has the most."""

from __future__ import annotations

from spiders.sources import score_kinds

_EACH = ", ".join(f"ifnull(s.{kind.key}_votes, -1)" for kind in score_kinds())
MOST_VOTES = f"nullif(max({_EACH}), -1)"
"""Of a row `s` of `film_scores`. NULL where nobody tells: unknown votes are not 0."""

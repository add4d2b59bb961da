"""When that figure behind a film's consensus was last seen which was seen longest ago, in SQL."""

from __future__ import annotations

OLDEST = """(SELECT min(t.confirmed_at)
  FROM listing_films lf CROSS JOIN standing_scores t ON t.listing_id = lf.listing_id
  WHERE lf.film_id = s.film_id AND lf.valid_to IS NULL AND lf.is_primary
    AND instr(', ' || s.kinds_used || ',', ', ' || t.score_kind || ','))"""
"""Of a row `s` of `film_scores`, as of now: the row itself knows it as of its last merge. NULL
where there is no consensus."""

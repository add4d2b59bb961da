-- While something is held back, nothing of its topic passes without settling it: what was said
-- between then and the decision to let it pass is what was let pass.
SELECT s.film_id, s.title, s.listing_id, s.source || ':' || s.source_id AS listing, s.source,
  s.score_kind, s.old_state, s.old_value, s.state AS new_state, s.value AS new_value,
  round(100.0 * s.value / s.scale_max - 100.0 * s.old_value / s.old_scale_max, 2) AS delta_100,
  s.old_votes, s.votes AS new_votes, s.said_at AS changed_at,
  CASE WHEN s.observed_to IN ('second', 'day')
    THEN CAST(julianday(substr(s.said_at, 1, 10)) - julianday(s.released_on) AS INTEGER)
  END AS days_since_release,
  CASE
    WHEN s.origin = 'archive' THEN 'backfilled'
    WHEN EXISTS (
      SELECT 1 FROM quarantine q
      WHERE q.listing_id = s.listing_id AND q.topic IN (s.score_kind, 'listing')
        AND q.decision = 'released' AND s.said_at BETWEEN q.held_at AND q.decided_at
    ) OR EXISTS (
      SELECT 1 FROM released_listings r JOIN quarantine q USING (quarantine_id)
      WHERE r.listing_id = s.listing_id AND s.said_at BETWEEN q.held_at AND q.last_held_at
    ) THEN 'released'
    WHEN s.old_state IS NULL THEN 'first_seen'
    ELSE 'moved'
  END AS cause, s.saved_at
FROM score_steps s
WHERE s.old_state IS NOT s.state OR s.old_value IS NOT s.value

-- Each time a listing's figure or state changed, with what it was before.
SELECT film_id, listing_id, source, score_kind, old_state, old_value, new_state, new_value,
  old_votes, new_votes, changed_at
FROM (
  SELECT
    film_id, listing_id, source, score_kind,
    LAG(state) OVER earlier AS old_state, LAG(value) OVER earlier AS old_value,
    state AS new_state, value AS new_value,
    LAG(votes) OVER earlier AS old_votes, votes AS new_votes, valid_from AS changed_at
  FROM score_history
  WINDOW earlier AS (
    PARTITION BY listing_id, score_kind
    ORDER BY valid_from, state, value, votes, votes_at_least, origin, observed_to
  )
)
WHERE old_state IS NOT new_state OR old_value IS NOT new_value

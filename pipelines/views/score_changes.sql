-- Each time a listing's figure or state changed, with what it was before.
SELECT film_id, listing_id, source, score_kind, old_state, old_value, new_state, new_value,
  old_votes, new_votes, changed_at
FROM (
  SELECT
    lf.film_id, o.listing_id, l.source, o.score_kind,
    LAG(o.state) OVER earlier AS old_state, LAG(o.value) OVER earlier AS old_value,
    o.state AS new_state, o.value AS new_value,
    LAG(o.votes) OVER earlier AS old_votes, o.votes AS new_votes, o.observed_at AS changed_at
  FROM score_observations o
  JOIN listings l USING (listing_id)
  LEFT JOIN listing_films lf ON lf.listing_id = o.listing_id AND lf.valid_to IS NULL
  WHERE o.relayed = 0
  WINDOW earlier AS (
    PARTITION BY o.listing_id, o.score_kind ORDER BY o.observed_at, o.state, o.value
  )
)
WHERE old_state IS NOT new_state OR old_value IS NOT new_value

-- Each score's history as spans: from when to when a listing said a figure. valid_to NULL: still.
SELECT
  lf.film_id, o.listing_id, l.source, o.score_kind, o.state, o.value, o.votes, o.votes_at_least,
  o.origin, o.observed_at AS valid_from, o.observed_to,
  LEAD(o.observed_at) OVER (
    PARTITION BY o.listing_id, o.score_kind ORDER BY o.observed_at, o.state, o.value
  ) AS valid_to
FROM score_observations o
JOIN listings l USING (listing_id)
LEFT JOIN listing_films lf ON lf.listing_id = o.listing_id AND lf.valid_to IS NULL
WHERE o.relayed = 0

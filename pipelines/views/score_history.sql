-- Each score's history as spans: from when to when a listing said a figure. valid_to NULL: still.
-- What stands was perhaps seen again after a saved page said otherwise: then a span begins there too.
WITH said AS (
  SELECT listing_id, score_kind, state, value, votes, votes_at_least, origin, observed_at,
    observed_to
  FROM score_observations
  WHERE relayed = 0
  UNION ALL
  SELECT s.listing_id, s.score_kind, s.state, s.value, s.votes, s.votes_at_least, s.origin,
    c.confirmed_at, 'second'
  FROM scores s
  JOIN confirmed c ON c.listing_id = s.listing_id AND c.topic = s.score_kind
  WHERE s.relayed = 0 AND s.origin <> 'archive' AND EXISTS (
    SELECT 1 FROM score_observations o
    WHERE o.listing_id = s.listing_id AND o.score_kind = s.score_kind AND o.origin = 'archive'
      AND o.observed_at > s.observed_at AND o.observed_at < c.confirmed_at
      AND (o.state <> s.state OR o.value IS NOT s.value)
  )
)
SELECT
  lf.film_id, o.listing_id, l.source, o.score_kind, o.state, o.value, o.votes, o.votes_at_least,
  o.origin, o.observed_at AS valid_from, o.observed_to,
  LEAD(o.observed_at) OVER (
    PARTITION BY o.listing_id, o.score_kind
    ORDER BY o.observed_at, o.state, o.value, o.votes, o.votes_at_least, o.origin, o.observed_to
  ) AS valid_to
FROM said o
JOIN listings l USING (listing_id)
LEFT JOIN listing_films lf ON lf.listing_id = o.listing_id AND lf.valid_to IS NULL

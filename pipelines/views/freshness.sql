-- One row a standing score: how old it is, in days, and what the last attempt held.
SELECT
  lf.film_id, f.title, f.year, l.source, s.score_kind, s.state, s.value, s.votes,
  s.observed_at, s.changed_at, max(s.observed_at, ifnull(c.confirmed_at, '')) AS confirmed_at,
  round(julianday('now') - julianday(max(s.observed_at, ifnull(c.confirmed_at, ''))), 1) AS age_days,
  s.last_attempt_state, s.last_attempt_at
FROM scores s
JOIN listings l USING (listing_id)
LEFT JOIN confirmed c ON c.listing_id = s.listing_id AND c.topic = s.score_kind
LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
LEFT JOIN films f USING (film_id)
WHERE s.relayed = 0

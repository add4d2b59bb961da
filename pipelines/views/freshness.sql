-- A score that was last seen before its listing came to be another film is not that film's.
SELECT film_id, title, year, listing_id, listing, source, score_kind, state, value, votes,
  votes_at_least, observed_at, changed_at, confirmed_at, {confirmed_seen} AS seen,
  round(julianday('now') - julianday(confirmed_at), 1) AS age_days,
  last_attempt_state, last_attempt_at, gone_at
FROM (
  SELECT lf.film_id, f.title, f.year, s.listing_id, s.source || ':' || l.source_id AS listing,
    s.source, s.score_kind, s.state, s.value, s.votes, s.votes_at_least, s.observed_at, s.changed_at,
    iif(s.state = 'missing', NULL, s.confirmed_at) AS confirmed_at,
    s.last_attempt_state, s.last_attempt_at, s.gone_at
  FROM standing_scores s
  JOIN listings l USING (listing_id)
  LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
    AND lf.valid_from <= s.confirmed_at
  LEFT JOIN films f USING (film_id)
)

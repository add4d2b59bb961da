-- The rows of freshness. Each figure stands in one of these parts, by what tells when it was last
-- seen: its dataset, its own confirmation, the date of a saved page, or what a dataset said since it
-- last came whole; and then those that no known layout held. So the figures of a time are found by
-- that time, however few they are; their source is told by their kind, since an index of sources
-- would be taken in place of that of times. But whatever joins a UNION ALL has all of it made first:
-- hence there are two views.
SELECT film_id, title, year, listing_id, listing, source, score_kind, state, value, votes,
  votes_at_least, observed_at, changed_at, confirmed_at, {confirmed_seen} AS seen,
  round(julianday('now') - julianday(confirmed_at), 1) AS age_days,
  last_attempt_state, last_attempt_at, gone_at
FROM (
  SELECT d.source AS source, k.column1 AS score_kind, d.confirmed_at AS confirmed_at, {figure}
  FROM dataset_confirmations d
  CROSS JOIN (VALUES {kinds}) k ON k.column2 = d.source
  CROSS JOIN listings l ON l.source = d.source
  JOIN scores s ON s.listing_id = l.listing_id AND s.score_kind = k.column1
  LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
    AND lf.valid_from <= d.confirmed_at
  LEFT JOIN films f ON f.film_id = lf.film_id
  WHERE s.observed_at <= d.confirmed_at
    AND s.origin = 'dataset' AND s.state <> 'missing' AND s.relayed = 0 AND NOT EXISTS (
    SELECT 1 FROM confirmations c WHERE c.listing_id = s.listing_id AND c.topic = s.score_kind)
  UNION ALL
  SELECT CASE c.topic {kind_sources} END, c.topic, c.confirmed_at, {figure}
  FROM confirmations c
  JOIN scores s ON s.listing_id = c.listing_id AND s.score_kind = c.topic
  JOIN listings l ON l.listing_id = s.listing_id
  LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
    AND lf.valid_from <= c.confirmed_at
  LEFT JOIN films f ON f.film_id = lf.film_id
  WHERE c.topic IN ({kind_keys})
    AND s.origin <> 'archive' AND s.state <> 'missing' AND s.relayed = 0
  UNION ALL
  SELECT CASE s.score_kind {kind_sources} END, s.score_kind, s.observed_at, {figure}
  FROM scores s
  JOIN listings l ON l.listing_id = s.listing_id
  LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
    AND lf.valid_from <= s.observed_at
  LEFT JOIN films f ON f.film_id = lf.film_id
  WHERE s.origin = 'archive' AND s.state <> 'missing' AND s.relayed = 0
  UNION ALL
  SELECT CASE s.score_kind {kind_sources} END, s.score_kind, s.observed_at, {figure}
  FROM score_observations n
  JOIN scores s ON s.listing_id = n.listing_id AND s.score_kind = n.score_kind
    AND s.observed_at = n.observed_at
  JOIN listings l ON l.listing_id = s.listing_id
  LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
    AND lf.valid_from <= s.observed_at
  LEFT JOIN films f ON f.film_id = lf.film_id
  LEFT JOIN dataset_confirmations d ON d.source = l.source
  WHERE n.observed_at > ifnull((SELECT min(confirmed_at) FROM dataset_confirmations), '')
    AND n.observed_at > ifnull(d.confirmed_at, '')
    AND n.rowid = (SELECT min(m.rowid) FROM score_observations m WHERE m.listing_id = n.listing_id
      AND m.score_kind = n.score_kind AND m.observed_at = n.observed_at)
    AND s.origin = 'dataset' AND s.state <> 'missing' AND s.relayed = 0 AND NOT EXISTS (
    SELECT 1 FROM confirmations c WHERE c.listing_id = s.listing_id AND c.topic = s.score_kind)
  UNION ALL
  SELECT CASE s.score_kind {kind_sources} END, s.score_kind, NULL, {figure}
  FROM scores s
  JOIN listings l ON l.listing_id = s.listing_id
  LEFT JOIN listing_films lf ON lf.listing_id = s.listing_id AND lf.valid_to IS NULL
    AND lf.valid_from <= max(s.observed_at, s.last_attempt_at)
  LEFT JOIN films f ON f.film_id = lf.film_id
  WHERE s.state = 'missing' AND s.relayed = 0
)

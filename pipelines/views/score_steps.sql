-- What a listing said, step by step. Each step finds the one before it by the index that makes
-- observations unique, whose order is total: a window function would have to sort every
-- observation before it could show those of one film, or of one night. For the same reason all that
-- is joined is joined here: SQLite works through a UNION ALL row by row only where the query around
-- it joins nothing more. It works out every column of it, wanted or not: where a step ends is told
-- by score_history alone.
WITH said AS NOT MATERIALIZED (
  SELECT rowid AS number, *, ifnull(value, -1) AS figure, ifnull(votes, -1) AS counted,
    ifnull(basis, '') AS whose
  FROM score_observations WHERE relayed = 0
)
SELECT lf.film_id, f.title, f.released_on, o.listing_id, l.source, l.source_id, o.score_kind,
  o.state, o.value, o.scale_max, o.votes, o.votes_at_least, o.origin, o.observed_at AS said_at,
  o.observed_to,
  b.state AS old_state, b.value AS old_value, b.scale_max AS old_scale_max, b.votes AS old_votes,
  iif(b.origin = 'archive', b.observed_at, NULL) AS saved_at
FROM said o
JOIN listings l ON l.listing_id = o.listing_id
LEFT JOIN listing_films lf ON lf.listing_id = o.listing_id
  AND lf.valid_from <= o.observed_at AND o.observed_at < ifnull(lf.valid_to, '9999')
LEFT JOIN films f ON f.film_id = lf.film_id
LEFT JOIN score_observations b ON b.rowid = (
  SELECT number FROM said e
  WHERE e.listing_id = o.listing_id AND e.score_kind = o.score_kind
    AND e.observed_at >= ifnull(lf.valid_from, '')
    AND (e.observed_at, e.origin, e.state, e.figure, e.counted, e.whose)
      < (o.observed_at, o.origin, o.state, o.figure, o.counted, o.whose)
  ORDER BY e.observed_at DESC, e.origin DESC, e.state DESC, e.figure DESC, e.counted DESC,
    e.whose DESC LIMIT 1
)
UNION ALL
SELECT lf.film_id, f.title, f.released_on, a.listing_id, l.source, l.source_id, a.score_kind,
  a.state, a.value, a.scale_max, a.votes, a.votes_at_least, a.origin, a.said_at, 'second',
  a.old_state, a.old_value, a.old_scale_max, a.old_votes, a.old_said_at
FROM seen_again a
JOIN listings l ON l.listing_id = a.listing_id
LEFT JOIN listing_films lf ON lf.listing_id = a.listing_id
  AND lf.valid_from <= a.said_at AND a.said_at < ifnull(lf.valid_to, '9999')
LEFT JOIN films f ON f.film_id = lf.film_id
WHERE a.old_said_at >= ifnull(lf.valid_from, '')

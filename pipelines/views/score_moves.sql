-- What moved from one film's figure to another's, of a listing that was one and then the other, is no
-- move. Where a figure was seen again after a saved page said otherwise, that may not be written yet.
SELECT lf.film_id, m.listing_id, m.score_kind, m.old_value, m.value AS new_value, m.delta_100,
  m.old_votes, m.votes AS new_votes, m.said_at AS changed_at, m.saved_at
FROM moves m
JOIN listing_films lf ON lf.listing_id = m.listing_id
  AND lf.valid_from <= m.old_said_at AND m.said_at < ifnull(lf.valid_to, '9999')
UNION ALL
SELECT lf.film_id, a.listing_id, a.score_kind, a.old_value, a.value, a.delta_100,
  a.old_votes, a.votes, a.said_at, a.old_said_at
FROM (
  SELECT *, round(100.0 * value / scale_max - 100.0 * old_value / old_scale_max, 2) AS delta_100
  FROM seen_again
) a
JOIN listing_films lf ON lf.listing_id = a.listing_id
  AND lf.valid_from <= a.old_said_at AND a.said_at < ifnull(lf.valid_to, '9999')
WHERE a.delta_100 <> 0

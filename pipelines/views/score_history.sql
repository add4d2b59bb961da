-- Each span finds its end, the next time that the listing said anything, by the index that makes
-- observations unique: as score_steps finds the step before, and for the same reasons.
WITH said AS NOT MATERIALIZED (
  SELECT *, ifnull(value, -1) AS figure, ifnull(votes, -1) AS counted, ifnull(basis, '') AS whose
  FROM score_observations WHERE relayed = 0
)
SELECT lf.film_id, o.listing_id, l.source, o.score_kind, o.state, o.value, o.votes,
  o.votes_at_least, o.origin, o.observed_at AS valid_from, o.observed_to,
  coalesce(
    (SELECT min(n.observed_at, ifnull(lf.valid_to, '9999')) FROM said n
     WHERE n.listing_id = o.listing_id AND n.score_kind = o.score_kind
       AND (n.observed_at, n.origin, n.state, n.figure, n.counted, n.whose)
         > (o.observed_at, o.origin, o.state, o.figure, o.counted, o.whose)
     ORDER BY n.observed_at, n.origin, n.state, n.figure, n.counted, n.whose LIMIT 1),
    lf.valid_to,
    (SELECT said_at FROM seen_again a
     WHERE a.listing_id = o.listing_id AND a.score_kind = o.score_kind)
  ) AS valid_to
FROM said o
JOIN listings l ON l.listing_id = o.listing_id
LEFT JOIN listing_films lf ON lf.listing_id = o.listing_id
  AND lf.valid_from <= o.observed_at AND o.observed_at < ifnull(lf.valid_to, '9999')
UNION ALL
SELECT lf.film_id, a.listing_id, l.source, a.score_kind, a.state, a.value, a.votes,
  a.votes_at_least, a.origin, a.said_at, 'second', lf.valid_to
FROM seen_again a
JOIN listings l ON l.listing_id = a.listing_id
LEFT JOIN listing_films lf ON lf.listing_id = a.listing_id
  AND lf.valid_from <= a.said_at AND a.said_at < ifnull(lf.valid_to, '9999')
WHERE a.old_said_at >= ifnull(lf.valid_from, '')

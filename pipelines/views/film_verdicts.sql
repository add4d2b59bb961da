-- A keyword of TMDB can say yes and never no. A verdict that was last seen before its listing came
-- to be another film is not that film's. Few listings have a verdict: CROSS leaves those of the rest
-- unread.
SELECT lf.film_id, v.listing_id, l.source, l.url,
  iif(l.source IN ({never_no}) AND v.during = 'no', 'unknown', v.during) AS during,
  iif(l.source IN ({never_no}) AND v.after = 'no', 'unknown', v.after) AS after,
  v.scene_count, v.worth_staying, v.confirmed_at
FROM standing_verdicts v
JOIN listing_films lf ON lf.listing_id = v.listing_id AND lf.valid_to IS NULL
  AND lf.valid_from <= v.confirmed_at
CROSS JOIN listings l ON l.listing_id = v.listing_id AND l.gone_at IS NULL

-- What a site last answered counts as of when it was last seen to be so, a saved page as of its
-- date.
WITH dated AS NOT MATERIALIZED (
  SELECT v.*, iif(v.origin = 'archive', '', v.observed_at) AS answered_at,
    iif(v.origin = 'archive', 0, v.rowid) AS answer,
    max(v.observed_at, iif(v.origin = 'archive', '', ifnull(c.confirmed_at, ''))) AS seen_at
  FROM credits_verdicts v
  LEFT JOIN confirmations c ON c.listing_id = v.listing_id AND c.topic = 'credits'
)
SELECT listing_id, observed_at, observed_to, during, after, scene_count, extras, worth_staying,
  worth_staying_votes, origin, layout, url, seen_at AS confirmed_at
FROM dated v
WHERE NOT EXISTS (
  SELECT 1 FROM dated newer
  WHERE newer.listing_id = v.listing_id
    AND (newer.seen_at, newer.answered_at, newer.answer, newer.during, newer.after,
         ifnull(newer.scene_count, -1), newer.extras, ifnull(newer.worth_staying, -999999))
      > (v.seen_at, v.answered_at, v.answer, v.during, v.after,
         ifnull(v.scene_count, -1), v.extras, ifnull(v.worth_staying, -999999))
)

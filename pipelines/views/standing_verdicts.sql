-- What each listing says now of the credits: its newest verdict.
SELECT v.*
FROM credits_verdicts v
WHERE NOT EXISTS (
  SELECT 1 FROM credits_verdicts newer
  WHERE newer.listing_id = v.listing_id
    AND (newer.observed_at, newer.rowid) > (v.observed_at, v.rowid)
)

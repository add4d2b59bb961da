-- When each standing score or verdict was last seen to be so: by its own row, or by its dataset.
SELECT listing_id, topic, confirmed_at FROM confirmations
UNION ALL
SELECT s.listing_id, s.score_kind, d.confirmed_at
FROM scores s
JOIN listings l USING (listing_id)
JOIN dataset_confirmations d ON d.source = l.source
WHERE s.origin = 'dataset'
  AND NOT EXISTS (
    SELECT 1 FROM confirmations c WHERE c.listing_id = s.listing_id AND c.topic = s.score_kind
  )

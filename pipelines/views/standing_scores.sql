-- What stands of each listing and score kind, with when it was last seen to be so. That nothing but
-- `missing` is known is no statement of the site, and so confirmed by nothing but the last attempt.
SELECT s.listing_id, l.source, l.gone_at, s.score_kind, s.state, s.value, s.scale_max, s.votes,
  s.votes_at_least, s.origin, s.observed_at, s.changed_at,
  max(s.observed_at, iif(s.state = 'missing', s.last_attempt_at,
    coalesce(c.confirmed_at, d.confirmed_at, ''))) AS confirmed_at,
  s.last_attempt_state, s.last_attempt_at
FROM scores s
JOIN listings l USING (listing_id)
LEFT JOIN confirmations c ON c.listing_id = s.listing_id AND c.topic = s.score_kind
LEFT JOIN dataset_confirmations d ON d.source = l.source AND s.origin = 'dataset'
WHERE s.relayed = 0

-- What stands was seen again after a saved page said otherwise: a last step, for which no
-- observation is written yet, since the page came later than the answer, or a dataset said so as a
-- whole. With the next answer it is written, whatever that says. The mark on what stands leaves
-- aside nearly all of the saved pages.
SELECT s.listing_id, s.score_kind, s.state, s.value, s.scale_max, s.votes, s.votes_at_least,
  s.origin, s.confirmed_at AS said_at, o.observed_at AS old_said_at, o.state AS old_state,
  o.value AS old_value, o.scale_max AS old_scale_max, o.votes AS old_votes
FROM scores m
CROSS JOIN standing_scores s ON s.listing_id = m.listing_id AND s.score_kind = m.score_kind
CROSS JOIN score_observations o ON o.listing_id = m.listing_id AND o.score_kind = m.score_kind
WHERE m.said_otherwise = 1 AND s.origin <> 'archive'
  AND o.origin = 'archive' AND o.relayed = 0 AND o.observed_at >= s.observed_at
  AND o.observed_at < s.confirmed_at AND (o.state <> s.state OR o.value IS NOT s.value)
  AND NOT EXISTS (
    SELECT 1 FROM score_observations n
    WHERE n.listing_id = s.listing_id AND n.score_kind = s.score_kind AND n.relayed = 0
      AND (n.observed_at, n.origin, n.state, ifnull(n.value, -1), ifnull(n.votes, -1),
           ifnull(n.basis, ''))
        > (o.observed_at, o.origin, o.state, ifnull(o.value, -1), ifnull(o.votes, -1),
           ifnull(o.basis, ''))
  )

-- For each score kind: of how many listings it is scored, not rated or missing.
SELECT
  score_kind,
  count(*) FILTER (WHERE state = 'scored') AS scored,
  count(*) FILTER (WHERE state = 'not_rated') AS not_rated,
  count(*) FILTER (WHERE state = 'missing') AS missing,
  count(*) AS listings
FROM scores
WHERE relayed = 0
GROUP BY score_kind

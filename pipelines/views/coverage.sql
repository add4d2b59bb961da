WITH known AS (
  SELECT k.column1 AS score_kind, k.column2 AS source,
    CASE k.column1 {states} END AS state
  FROM film_scores CROSS JOIN (VALUES {kinds}) k
)
SELECT score_kind, source, count(*) AS films,
  count(*) FILTER (WHERE state = 'scored') AS scored,
  count(*) FILTER (WHERE state = 'not_rated') AS not_rated,
  count(*) FILTER (WHERE state = 'missing') AS missing,
  count(*) FILTER (WHERE state = 'blocked') AS blocked,
  count(*) FILTER (WHERE state = 'not_listed') AS not_listed,
  count(*) FILTER (WHERE state = 'not_asked') AS not_asked,
  round(1.0 * count(*) FILTER (WHERE state = 'scored') / count(*), 4) AS scored_share
FROM known
GROUP BY score_kind

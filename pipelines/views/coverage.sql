-- Films whose states are alike are counted together first, by the index of all states.
WITH alike AS MATERIALIZED (
  SELECT {all_states}, count(*) AS number FROM film_scores GROUP BY {all_states}
), known AS (
  SELECT k.column1 AS score_kind, k.column2 AS source, number,
    CASE k.column1 {states} END AS state
  FROM alike CROSS JOIN (VALUES {kinds}) k
)
SELECT score_kind, source, sum(number) AS films,
  ifnull(sum(number) FILTER (WHERE state = 'scored'), 0) AS scored,
  ifnull(sum(number) FILTER (WHERE state = 'not_rated'), 0) AS not_rated,
  ifnull(sum(number) FILTER (WHERE state = 'missing'), 0) AS missing,
  ifnull(sum(number) FILTER (WHERE state = 'blocked'), 0) AS blocked,
  ifnull(sum(number) FILTER (WHERE state = 'not_listed'), 0) AS not_listed,
  ifnull(sum(number) FILTER (WHERE state = 'not_asked'), 0) AS not_asked,
  round(1.0 * ifnull(sum(number) FILTER (WHERE state = 'scored'), 0) / sum(number), 4)
    AS scored_share
FROM known
GROUP BY score_kind

SELECT score_kind, k.column2 AS source, sum(films) AS films,
  ifnull(sum(films) FILTER (WHERE state = 'scored'), 0) AS scored,
  ifnull(sum(films) FILTER (WHERE state = 'not_rated'), 0) AS not_rated,
  ifnull(sum(films) FILTER (WHERE state = 'missing'), 0) AS missing,
  ifnull(sum(films) FILTER (WHERE state = 'blocked'), 0) AS blocked,
  ifnull(sum(films) FILTER (WHERE state = 'not_listed'), 0) AS not_listed,
  ifnull(sum(films) FILTER (WHERE state = 'not_asked'), 0) AS not_asked,
  round(1.0 * ifnull(sum(films) FILTER (WHERE state = 'scored'), 0) / sum(films), 4)
    AS scored_share
FROM score_counts JOIN (VALUES {kinds}) k ON k.column1 = score_kind
GROUP BY score_kind

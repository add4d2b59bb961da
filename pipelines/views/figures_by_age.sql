-- What stands on a dataset was last seen when the dataset last came whole, or when it came to say so.
SELECT source, score_kind, state, seen_in, {seen_in} AS seen, sum(figures) AS figures
FROM (
  SELECT h.source, h.score_kind, h.state,
    CASE WHEN h.state = 'missing' THEN NULL
      WHEN h.by_dataset THEN max(h.seen_in, ifnull(substr(d.confirmed_at, 1, 13), ''))
      ELSE h.seen_in END AS seen_in,
    h.figures
  FROM figure_hours h
  LEFT JOIN dataset_confirmations d ON d.source = h.source
)
GROUP BY source, score_kind, state, seen_in

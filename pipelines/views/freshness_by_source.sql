SELECT source, scores, round(julianday('now') - newest, 1) AS newest_days,
  round(julianday('now') - average, 1) AS average_days,
  round(julianday('now') - oldest, 1) AS oldest_days, older_than_a_week, last_attempt_differs
FROM (
  SELECT source, count(*) AS scores, julianday(max(confirmed_at)) AS newest,
    avg(julianday(confirmed_at)) AS average, julianday(min(confirmed_at)) AS oldest,
    count(*) FILTER (WHERE confirmed_at < datetime('now', '-7 days')) AS older_than_a_week,
    count(*) FILTER (WHERE last_attempt_state <> state) AS last_attempt_differs
  FROM standing_scores
  WHERE state <> 'missing'
  GROUP BY source
)

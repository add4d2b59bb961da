SELECT source, sum(figures) AS scores,
  round(julianday('now') - julianday(max(seen_in) || ':00'), 1) AS newest_days,
  round(julianday('now') - sum(julianday(seen_in || ':00') * figures) / sum(figures), 1)
    AS average_days,
  round(julianday('now') - julianday(min(seen_in) || ':00'), 1) AS oldest_days,
  ifnull(sum(figures) FILTER (WHERE seen_in < strftime('%Y-%m-%dT%H', 'now', '-7 days')), 0)
    AS older_than_a_week,
  ifnull(max(differ), 0) AS last_attempt_differs
FROM figures_by_age
LEFT JOIN (
  SELECT l.source, count(*) AS differ
  FROM scores s CROSS JOIN listings l USING (listing_id)
  WHERE s.last_attempt_state <> s.state AND s.state <> 'missing' AND s.relayed = 0
  GROUP BY l.source
) USING (source)
WHERE state <> 'missing'
GROUP BY source

WITH ended AS (
  SELECT ifnull(continues, run_id) AS night FROM runs WHERE ended_at IS NOT NULL
  ORDER BY run_id DESC LIMIT 1
), parts AS (
  SELECT r.* FROM ended JOIN runs r ON r.run_id = night OR r.continues = night
)
SELECT (SELECT max(run_id) FROM parts) AS run_id, min(r.command) AS command,
  (SELECT min(started_at) FROM parts) AS started_at,
  (SELECT ended_at FROM parts ORDER BY run_id DESC LIMIT 1) AS ended_at,
  (SELECT outcome FROM parts ORDER BY run_id DESC LIMIT 1) AS run_outcome,
  c.source, coalesce(min(c.outcome) FILTER (WHERE c.outcome NOT IN ('ok', 'skipped')),
    min(c.outcome)) AS outcome,
  max(c.detail) AS detail, sum(c.asked) AS asked, sum(c.fetched) AS fetched,
  sum(c.unchanged) AS unchanged, sum(c.not_found) AS not_found, sum(c.blocked) AS blocked,
  sum(c.unreadable) AS unreadable, sum(c.failed) AS failed, sum(c.stored) AS stored,
  sum(c.changed) AS changed, sum(c.held) AS held, sum(c.seconds) AS seconds
FROM parts r
LEFT JOIN crawls c ON c.run_id = r.run_id
GROUP BY c.source
HAVING c.source IS NOT NULL OR NOT EXISTS (
  SELECT 1 FROM crawls JOIN parts USING (run_id))

SELECT r.run_id, r.command, r.started_at, r.ended_at, r.outcome AS run_outcome,
  c.source, c.outcome, c.detail, c.asked, c.fetched, c.unchanged, c.not_found, c.blocked,
  c.unreadable, c.failed, c.stored, c.changed, c.held, c.seconds
FROM runs r
LEFT JOIN crawls c ON c.run_id = r.run_id
WHERE r.run_id = (SELECT max(run_id) FROM runs WHERE ended_at IS NOT NULL)

SELECT film_id, title, year, imdb_id, critics_100, audience_100,
  round(critics_100 - audience_100, 2) AS gap_100,
  (SELECT sum(column1) FROM (VALUES {critics_votes})) AS critics_votes,
  (SELECT sum(column1) FROM (VALUES {audience_votes})) AS audience_votes,
  consensus_100, consensus_low, consensus_high, kinds_used, oldest_confirmed_at
FROM film_scores
WHERE critics_100 IS NOT NULL AND audience_100 IS NOT NULL

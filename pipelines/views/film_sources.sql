-- Some sources are asked listing by listing. Others tell of all their films at once, in a dataset,
-- lists or a crosswalk: there a listing that says anything was read, when the whole last was.
SELECT film_id, title, year, source, state, listing_id, listing, url, method, evidence,
  last_outcome,
  iif(state = 'not_asked', NULL, coalesce(answered_at, nullif(max(ifnull((
    SELECT max(last_asked_at) FROM urls WHERE source = asked.source AND listing_id IS NULL
  ), ''), ifnull(sought_at, '')), ''))) AS last_asked_at,
  due_at, why, gone_at
FROM (
  SELECT f.film_id, f.title, f.year, s.column1 AS source,
    CASE
      WHEN l.gone_at IS NOT NULL THEN 'gone'
      WHEN u.last_outcome IN ('blocked', 'rate_limited', 'unauthorised') THEN 'blocked'
      WHEN u.last_outcome IN ('not_found', 'not_a_film') THEN 'not_listed'
      WHEN u.last_outcome = 'unreadable' THEN 'missing'
      WHEN u.last_outcome IS NOT NULL THEN u.last_outcome
      WHEN l.title IS NOT NULL OR EXISTS (SELECT 1 FROM scores WHERE listing_id = l.listing_id)
        OR EXISTS (SELECT 1 FROM credits_verdicts WHERE listing_id = l.listing_id)
        OR EXISTS (SELECT 1 FROM listing_identifiers WHERE listing_id = l.listing_id) THEN 'ok'
      WHEN k.found IN ('not_listed', 'ambiguous') THEN k.found
      ELSE 'not_asked'
    END AS state,
    l.listing_id, l.source || ':' || l.source_id AS listing, l.url, lf.method, lf.evidence,
    u.last_outcome, u.last_asked_at AS answered_at, k.sought_at, d.due_at,
    coalesce(d.why, iif(l.listing_id IS NULL, k.detail, NULL)) AS why, l.gone_at
  FROM films f
  CROSS JOIN (VALUES {sources}) s
  LEFT JOIN listings l ON l.listing_id = (
    SELECT p.listing_id FROM listing_films p JOIN listings o USING (listing_id)
    WHERE p.film_id = f.film_id AND p.valid_to IS NULL AND p.is_primary AND o.source = s.column1
  )
  LEFT JOIN listing_films lf ON lf.listing_id = l.listing_id AND lf.valid_to IS NULL
  LEFT JOIN urls u ON u.url = (
    SELECT url FROM urls WHERE listing_id = l.listing_id ORDER BY last_asked_at DESC LIMIT 1
  )
  LEFT JOIN lookups k ON k.film_id = f.film_id AND k.source = s.column1
  LEFT JOIN due d ON d.listing_id = l.listing_id
  WHERE f.merged_into IS NULL
) asked

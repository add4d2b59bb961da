-- Each film's listings: where it is listed, when that was last asked and is asked next.
SELECT
  lf.film_id, f.title, f.year, l.source, l.source_id, l.url, lf.is_primary, lf.method, lf.evidence,
  u.last_outcome, u.last_asked_at, d.due_at, d.why, l.gone_at
FROM listing_films lf
JOIN films f USING (film_id)
JOIN listings l USING (listing_id)
LEFT JOIN due d USING (listing_id)
LEFT JOIN urls u ON u.listing_id = l.listing_id
WHERE lf.valid_to IS NULL

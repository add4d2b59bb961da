SELECT l.listing_id, l.source, l.source_id, l.title, l.year, l.url, l.first_seen_at
FROM listings l
LEFT JOIN listing_films lf ON lf.listing_id = l.listing_id AND lf.valid_to IS NULL
WHERE lf.film_id IS NULL

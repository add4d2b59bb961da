SELECT l.listing_id, l.source, l.source_id, l.title, l.year, l.url, l.first_seen_at
FROM filmless_listings
JOIN listings l USING (listing_id)

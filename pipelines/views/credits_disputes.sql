SELECT s.film_id, s.title, s.year, p.column1 AS place,
  (SELECT json_group_array(source) FROM
    (SELECT DISTINCT source FROM film_verdicts v
     WHERE v.film_id = s.film_id AND iif(p.column1 = 'during', v.during, v.after) = 'yes'
     ORDER BY source)) AS yes_sources,
  (SELECT json_group_array(source) FROM
    (SELECT DISTINCT source FROM film_verdicts v
     WHERE v.film_id = s.film_id AND iif(p.column1 = 'during', v.during, v.after) = 'no'
     ORDER BY source)) AS no_sources,
  (SELECT json_group_array(url) FROM
    (SELECT url FROM film_verdicts v
     WHERE v.film_id = s.film_id AND iif(p.column1 = 'during', v.during, v.after) = 'yes'
     ORDER BY source, url)) AS yes_urls,
  (SELECT json_group_array(url) FROM
    (SELECT url FROM film_verdicts v
     WHERE v.film_id = s.film_id AND iif(p.column1 = 'during', v.during, v.after) = 'no'
     ORDER BY source, url)) AS no_urls
FROM stay_for_the_credits s
CROSS JOIN (VALUES ('during'), ('after')) p
WHERE iif(p.column1 = 'during', s.during, s.after) = 'disputed'

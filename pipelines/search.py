"""The words of films that a search finds: titles in any language, and people. Kept by merge."""

from __future__ import annotations

from sqlite_utils import Database

# One row a film. Distinct and in order, so that the same words are the same text, and a night that
# brings no new ones writes nothing here.
_WORDS = """
SELECT f.film_id, ifnull(f.title, '') AS title,
  ifnull((SELECT group_concat(title, ' · ') FROM (
    SELECT title FROM film_titles WHERE film_id = f.film_id
    UNION SELECT f.original_title
    UNION SELECT l.title FROM listing_films lf JOIN listings l USING (listing_id)
      WHERE lf.film_id = f.film_id AND lf.valid_to IS NULL
    EXCEPT SELECT f.title)), '') AS other_titles,
  ifnull((SELECT group_concat(name, ' · ') FROM (
    SELECT DISTINCT name FROM film_people JOIN people USING (person_id)
    WHERE film_id = f.film_id ORDER BY name)), '') AS people
FROM temp.touched t CROSS JOIN films f USING (film_id)
WHERE f.merged_into IS NULL
"""


def write_search(db: Database) -> None:
    """Make the rows of `film_search` of the films in temp.touched anew, where words changed."""
    run = db.conn.execute
    run("DROP TABLE IF EXISTS temp.words")
    run(f"CREATE TEMP TABLE words AS {_WORDS}")
    run(
        "DELETE FROM film_search WHERE rowid IN (SELECT film_id FROM temp.touched)"
        " AND (rowid, title, other_titles, people) NOT IN (SELECT * FROM temp.words)"
    )
    run(
        "INSERT INTO film_search (rowid, title, other_titles, people)"
        " SELECT * FROM temp.words WHERE film_id NOT IN"
        " (SELECT rowid FROM film_search WHERE rowid IN (SELECT film_id FROM temp.touched))"
    )

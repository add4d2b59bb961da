"""The words of films that a search finds: titles in any language, and people. Kept by merge."""

from __future__ import annotations

from sqlite_utils import Database

# One row a film. Distinct and in order, so that the same words are the same text, and a night that
# brings no new ones writes nothing here.
_WORDS = (
    "DROP TABLE IF EXISTS temp.words",
    "CREATE TEMP TABLE words"
    " (film_id INTEGER PRIMARY KEY, title TEXT, other_titles TEXT, people TEXT)",
    """
INSERT INTO temp.words
SELECT f.film_id, ifnull(f.title, ''),
  ifnull((SELECT group_concat(title, ' · ') FROM (
    SELECT DISTINCT title FROM (
      SELECT title FROM film_titles WHERE film_id = f.film_id
      UNION ALL SELECT f.original_title
      UNION ALL SELECT l.title FROM listing_films lf JOIN listings l USING (listing_id)
        WHERE lf.film_id = f.film_id AND lf.valid_to IS NULL)
    WHERE title IS NOT f.title ORDER BY title)), ''),
  ifnull((SELECT group_concat(name, ' · ') FROM (
    SELECT DISTINCT name FROM film_people JOIN people USING (person_id)
    WHERE film_id = f.film_id ORDER BY name)), '')
FROM temp.touched t CROSS JOIN films f USING (film_id)
WHERE f.merged_into IS NULL
""",
)


def write_search(db: Database) -> None:
    """Make the rows of `film_search` of the films in temp.touched anew, where words changed."""
    run = db.conn.execute
    for statement in _WORDS:
        run(statement)
    # Film by film: NOT IN would go through all words for each that are not there.
    run(
        "DELETE FROM film_search WHERE rowid IN (SELECT film_id FROM temp.touched)"
        " AND NOT EXISTS (SELECT 1 FROM temp.words w WHERE w.film_id = film_search.rowid"
        " AND (w.title, w.other_titles, w.people)"
        " = (film_search.title, film_search.other_titles, film_search.people))"
    )
    run(
        "INSERT INTO film_search (rowid, title, other_titles, people)"
        " SELECT * FROM temp.words WHERE film_id NOT IN"
        " (SELECT rowid FROM film_search WHERE rowid IN (SELECT film_id FROM temp.touched))"
    )

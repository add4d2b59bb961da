"""The words of films that a search finds: titles in any language, and people. Kept by merge."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from sqlite_utils import Database

NEAR = 3
"""Words that a misspelt one may have meant."""

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


def words_of(text: str) -> list[str]:
    """The words of a text as they are typed. The index folds them itself, and knows more languages
    than `folded`."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", text))


def folded(text: str) -> list[str]:
    """The words of a text as the index has those of Latin letters: without accents and capitals."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(mark for mark in plain if not unicodedata.combining(mark)))


def term(word: str) -> str:
    """A word, or the beginning of one, as the index is asked for it."""
    # A single letter is a word of its own (M, X): as a beginning it would be half of all films.
    return f'"{word}"*' if len(word) > 1 else f'"{word}"'


def with_words(
    db: Database, words: Sequence[str], *, cut_off: bool = False, limit: int = -1
) -> Iterator[tuple[int, list[str]]]:
    """Films of which a title has these words, one behind the other, the last one perhaps `cut_off`;
    with all of their titles. None of no words, and none of a database that has no index yet."""
    if not words or not db["film_search"].exists():
        return
    phrase = " ".join(words)
    sought = term(phrase) if cut_off else f'"{phrase}"'
    for film_id, title, others in db.conn.execute(
        "SELECT rowid, title, other_titles FROM film_search WHERE film_search MATCH ? LIMIT ?",
        (f"{{title other_titles}} : {sought}", limit),
    ):
        yield film_id, [title, *others.split(" · ")]


def near(db: Database, title: str, limit: int) -> list[int]:
    """Films of which a title has words that come near to all of a text's, the closest first."""
    meant = [near_words(db, word) for word in folded(title)] if db["film_words"].exists() else []
    if not meant or not all(meant):
        return []
    terms = " AND ".join(f"({' OR '.join(map(term, words))})" for words in meant)
    rows = db.conn.execute(
        "SELECT rowid FROM film_search WHERE film_search MATCH ? ORDER BY rank LIMIT ?",
        (f"{{title other_titles}} : ({terms})", limit),
    )
    return [row[0] for row in rows]


def near_words(db: Database, word: str) -> list[str]:
    """The word itself where films have it, or words that begin so; else those like it that begin
    with the same letter: one slip in short words, two in longer ones."""
    from rapidfuzz.distance import OSA  # not needed by who asks for what is there
    from rapidfuzz.process import extract

    beginnings = "SELECT 1 FROM film_words WHERE term >= ?1 AND term < ?1 || char(1114111) LIMIT 1"
    if next(db.conn.execute(beginnings, [word]), None):
        return [word]
    slips = 1 if len(word) < 6 else 2
    known = db.conn.execute(
        "SELECT term FROM film_words WHERE term >= ?1 AND term < ?1 || char(1114111)"
        " AND length(term) BETWEEN ?2 AND ?3",
        [word[0], len(word) - slips, len(word) + slips],
    )
    terms = [row[0] for row in known]
    found = extract(word, terms, scorer=OSA.distance, score_cutoff=slips, limit=NEAR)
    return [term for term, _, _ in found]

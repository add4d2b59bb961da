"""Search over titles, alternative titles and people: words and beginnings of words, and those that
come near where nothing has them as they were typed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from sqlite_utils import Database

from explore.exports import exported, wanted
from explore.oldest import OLDEST
from explore.pages import page, read
from explore.words import film_path
from pipelines import films
from pipelines.most_votes import MOST_VOTES
from pipelines.search import folded, near_words, term, words_of

FOUND = 40
"""Films that a page shows."""
MOST_WORDS = 8

_SHOWN = f"""s.film_id, s.imdb_id, s.title, s.year, s.consensus_100,
  {OLDEST} AS oldest_confirmed_at, {MOST_VOTES} AS votes,
  (SELECT stay FROM stay_for_the_credits c WHERE c.film_id = s.film_id) AS stay"""
_OF_FILMS = f"""
SELECT {_SHOWN}, TRUE AS is_exact, FALSE AS by_title FROM film_scores s
WHERE s.film_id IN (SELECT value FROM json_each(?))
"""
# Those whose title has the words before those that only their people or other titles bring, and of
# each those with the most votes first: who looks for a film mostly looks for a known one.
_FIND = f"""
WITH found AS MATERIALIZED (SELECT rowid AS film_id FROM film_search WHERE film_search MATCH :where)
SELECT {_SHOWN},
  s.title = :title COLLATE NOCASE AS is_exact,
  s.film_id IN (SELECT rowid FROM film_search WHERE film_search MATCH :in_title) AS by_title
FROM found CROSS JOIN film_scores s USING (film_id)
WHERE :year IS NULL OR s.year = :year
ORDER BY is_exact DESC, by_title DESC, votes DESC, s.film_id
LIMIT {FOUND + 1}
"""
_COLUMNS = (
    "film_id", "imdb_id", "title", "year", "consensus_100", "oldest_confirmed_at", "votes", "stay",
    "is_exact", "by_title", "reason",
)  # fmt: skip
_WHERE_ELSE = "SELECT other_titles, people FROM film_search WHERE rowid = ?"


@dataclass(frozen=True)
class Found:
    """Films, and the words they were found by where those are not what was asked for."""

    rows: Sequence[dict[str, Any]]
    instead: str | None = None


async def search_page(datasette: Datasette, request: Request) -> Response:
    """`/search?q=…`; an id, a listing or a page's address leads to its film, or in an export is
    that film's row."""
    asked = (request.args.get("q") or "").strip()[:200]
    export = wanted(request)
    find = search
    if _is_an_id(asked):
        if not export:
            return Response.redirect(film_path(asked))
        find = identified
    found = await read(datasette, lambda db: find(db, asked)) if asked else Found([])
    if export:
        more = len(found.rows) > FOUND
        return exported(found.rows[:FOUND], _COLUMNS, export, cut_short=more)
    context = {
        "q": asked,
        "rows": found.rows[:FOUND],
        "instead": found.instead,
        "cut_short": len(found.rows) > FOUND,
        "focus": not asked,
    }
    return await page(datasette, request, "search.html", context)


def search(db: Database, asked: str) -> Found:
    """The films that have every word asked for, or the beginning of one."""
    title, year = films.title_and_year(asked)
    typed = words_of(title)[:MOST_WORDS]
    wanted = [word for each in typed for word in folded(each)]
    if not wanted:
        return Found([])
    rows = _rows(db, [[word] for word in typed], title, year)
    if rows:
        return Found(_with_reasons(db, rows, wanted))
    near = [near_words(db, word) for word in wanted]
    if not all(near):
        return Found([])
    rows = _rows(db, near, title, year)
    taken = [word for words in near for word in words]
    return Found(_with_reasons(db, rows, taken), " ".join(words[0] for words in near))


def identified(db: Database, asked: str) -> Found:
    """The film that has an id, or whose listing has: none where none is known."""
    try:
        meant = [film.film_id for film in films.of_id(db, asked) or []]
    except films.UnknownFilm:
        return Found([])
    rows = db.query(_OF_FILMS, [json.dumps(meant)])
    return Found([row | {"reason": list[str]()} for row in rows])


def _rows(
    db: Database, words: Sequence[Sequence[str]], title: str, year: int | None
) -> list[dict[str, Any]]:
    """Films with one of each list of words, of that year if any."""
    terms = " AND ".join(f"({' OR '.join(map(term, each))})" for each in words)
    anywhere, in_title = f"({terms})", f"{{title}} : ({terms})"
    asked = {"in_title": in_title, "title": title, "year": year}
    rows = list(db.query(_FIND, {"where": in_title, **asked}))
    # Those go first: with enough of them, the others need not be looked at, which of a common name
    # are half of all films.
    return rows if len(rows) > FOUND else list(db.query(_FIND, {"where": anywhere, **asked}))


def _with_reasons(
    db: Database, rows: Sequence[dict[str, Any]], wanted: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows with `reason`: the other titles and people that have the words, where the title has
    not."""
    found = []
    for row in rows:
        reason: list[str] = []
        if not row["by_title"]:
            others, people = next(db.conn.execute(_WHERE_ELSE, [row["film_id"]]))
            parts = [*others.split(" · "), *people.split(" · ")]
            reason = [
                part
                for part in parts
                if any(mine.startswith(word) for mine in folded(part) for word in wanted)
            ]
        found.append(row | {"reason": reason[:3]})
    return found


def _is_an_id(text: str) -> bool:
    try:
        return films.listed(text) is not None
    except films.UnknownFilm:
        return True  # of the shape of an id: the page of that film says what is wrong with it

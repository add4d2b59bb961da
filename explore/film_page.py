"""The page of one film: what is known of it, who says so, and since when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from sqlite_utils import Database

from explore.chart import chart
from explore.pages import page, read
from explore.words import day, film_path, number
from pipelines import films
from pipelines.explanation import explanation
from pipelines.film_facts import credits_answer, film_facts
from spiders.sources import ScoreKind, score_kinds, source_of_kind

MOST_HISTORY = 200
"""Rows of the table beside the chart; the link below it leads to all of them."""
MOST_CHANGES = 6
MOST_WRITERS = 4
MOST_CAST = 6
MOST_TITLES = 60

_ANSWERS = {
    "both": ("Yes", ", there are scenes during and after the credits."),
    "yes": ("Yes", ", there is a scene after the credits."),
    "until_mid": ("Yes, during them", "; none is known after, so stay for the first credits."),
    "no": ("No", ", neither during nor after the credits."),
    "unknown": ("Not known", ": no source that was asked says."),
    "disputed": ("Sources disagree", ": one knows of a scene where another says there is none."),
}

_MERGED = "SELECT ifnull(merged_into, film_id) AS film_id FROM films WHERE film_id = ?"
_SOURCES = "SELECT * FROM film_sources WHERE film_id = ?"
_LAST_ANSWERS = """
SELECT l.source, max(u.last_answered_at) AS answered_at, max(u.last_asked_at) AS asked_at
FROM listing_films lf JOIN listings l USING (listing_id) JOIN urls u USING (listing_id)
WHERE lf.film_id = ? AND lf.valid_to IS NULL AND lf.is_primary
GROUP BY l.source
"""
_VERDICTS = """
SELECT source, url, during, after, confirmed_at FROM film_verdicts
WHERE film_id IN (SELECT ?) ORDER BY source, url
"""
_HISTORY = """
SELECT h.score_kind, h.state, h.value, h.votes, h.votes_at_least, h.origin, h.valid_from,
  h.observed_to, h.valid_to
FROM score_history h
WHERE h.film_id = ?1 AND h.listing_id IN (
  SELECT listing_id FROM listing_films WHERE film_id = ?1 AND (is_primary OR valid_to IS NOT NULL))
ORDER BY h.valid_from DESC, h.score_kind
"""
_CHANGES = """
SELECT score_kind, old_state, old_value, new_state, new_value, changed_at, cause, saved_at
FROM score_changes WHERE film_id = ? AND cause IN ('moved', 'released')
ORDER BY changed_at DESC, score_kind LIMIT ?
"""
_PEOPLE = """
SELECT p.name, fp.part, min(fp.billing) AS billing
FROM film_people fp JOIN people p USING (person_id)
WHERE fp.film_id = ?
GROUP BY p.name, fp.part ORDER BY fp.part DESC, billing IS NULL, billing, p.name
"""
_TITLES = """
SELECT t.title, group_concat(DISTINCT t.country) AS countries
FROM film_titles t JOIN films f USING (film_id)
WHERE t.film_id = ? AND t.title IS NOT f.title AND t.title IS NOT f.original_title
GROUP BY t.title ORDER BY count(*) DESC, t.title LIMIT ?
"""
_GENRES = "SELECT DISTINCT genre FROM film_genres WHERE film_id = ? ORDER BY genre"
_OFFERS = """
SELECT l.source, l.url, l.offers FROM listing_films lf JOIN listings l USING (listing_id)
WHERE lf.film_id = ? AND lf.valid_to IS NULL AND lf.is_primary AND l.offers IS NOT NULL
"""
_OVERVIEW = """
SELECT l.source, l.url FROM listing_films lf JOIN listings l USING (listing_id)
WHERE lf.film_id = ?1 AND lf.valid_to IS NULL
  AND l.overview = (SELECT overview FROM films WHERE film_id = ?1)
"""


class Elsewhere(Exception):
    """The page has another address, which is the message."""


@dataclass(frozen=True)
class Tile:
    """One kind of score: its figure in its own scale, or why there is none.

    `share` is where on its scale the figure lies, in percent. `notes` say what else is to be known:
    that the last answer did not hold it, that a newer figure is held back.
    """

    kind: ScoreKind
    source: str
    state: str
    figure: str | None
    share: float | None
    votes: str | None
    seen_at: str | None
    url: str | None
    notes: Sequence[str]


async def film_page(datasette: Datasette, request: Request) -> Response:
    """`/film/<any id>`, or the same with `.json` behind it."""
    name = unquote(request.url_vars["name"])
    as_json = name.endswith(".json")
    name = name.removesuffix(".json")
    try:
        film = await read(datasette, lambda db: about(db, name))
    except Elsewhere as address:
        return Response.redirect(f"{address}{'.json' if as_json else ''}")
    except films.UnknownFilm:
        if as_json:
            return Response.json({"ok": False, "error": _unknown(name), "status": 404}, status=404)
        context = {"title": "No such film here", "error": _unknown(name), "q": name}
        return await page(datasette, request, "error.html", context, status=404)
    if as_json:
        return Response.json({part: film[part] for part in ("facts", "explanation", "history")})
    return await page(datasette, request, "film.html", film)


def _unknown(name: str) -> str:
    if name.isdecimal():
        return f"No film here has the number {name}."
    return (
        f"No film here bears the id {name!r}. 'afterscore track {name}' adds it, and the next"
        " refresh asks for it."
    )


def about(db: Database, name: str) -> dict[str, Any]:
    """Everything that the page shows of the film of that id.

    Raises Elsewhere where the film's page has another address (its own first id), or the name is no
    id but words to search for; UnknownFilm where no film has the id.
    """
    film_id = _film_id(db, name)
    facts = film_facts(db, film_id)
    own = own_id(facts)
    if name != own:
        raise Elsewhere(film_path(own))
    explained = explanation(db, facts)
    sources = _rows(db, _SOURCES, film_id)
    last = {row["source"]: row for row in _rows(db, _LAST_ANSWERS, film_id)}
    history = _rows(db, _HISTORY, film_id)
    people = _rows(db, _PEOPLE, film_id)
    tiles = [_tile(kind, facts, explained, sources, last) for kind in score_kinds()]
    return {
        "facts": facts,
        "own": own,
        "explanation": explained,
        "history": history,
        "shown_history": history[:MOST_HISTORY],
        "chart": chart(history),
        "tiles": tiles,
        "answer": _ANSWERS[credits_answer(facts["credits"])],
        "verdicts": _rows(db, _VERDICTS, film_id),
        "changes": _rows(db, _CHANGES, film_id, MOST_CHANGES),
        "sources": sources,
        "directors": [row["name"] for row in people if row["part"] == "director"],
        "writers": [row["name"] for row in people if row["part"] == "writer"][:MOST_WRITERS],
        "cast": [row["name"] for row in people if row["part"] == "cast"][:MOST_CAST],
        "titles": [
            row | {"countries": sorted((row["countries"] or "").split(","))}
            for row in _rows(db, _TITLES, film_id, MOST_TITLES)
        ],
        "genres": [row["genre"] for row in _rows(db, _GENRES, film_id)],
        "offers": [
            row | {"offers": json.loads(row["offers"])} for row in _rows(db, _OFFERS, film_id)
        ],
        "overview_of": next(iter(_rows(db, _OVERVIEW, film_id)), None),
    }


def _film_id(db: Database, name: str) -> int:
    """The film of an id. Raises UnknownFilm; Elsewhere for what is no id, but words."""
    found = films.of_id(db, name)
    if found is None:
        raise Elsewhere(f"/search?{urlencode({'q': name})}")
    # Two films that turned out to be one may both bear it.
    meant = {row["film_id"] for candidate in found for row in _rows(db, _MERGED, candidate.film_id)}
    if len(meant) != 1:
        raise films.UnknownFilm(name)
    return int(meant.pop())


def own_id(film: Mapping[str, Any]) -> str:
    """The id by which a film's page is addressed: IMDb's, else TMDB's, else our number."""
    if film["imdb_id"]:
        return str(film["imdb_id"])
    return f"tmdb:{film['tmdb_id']}" if film["tmdb_id"] else str(film["film_id"])


def _tile(
    kind: ScoreKind,
    facts: Mapping[str, Any],
    explained: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    last: Mapping[str, Mapping[str, Any]],
) -> Tile:
    known = facts["scores"][kind.key]
    source = source_of_kind(kind.key)
    of_source = next(row for row in sources if row["source"] == source.key)
    scored = known["state"] == "scored"
    votes = None
    if known["votes"] is not None:
        counted = "review" if kind.side == "critics" else "rating"
        more = "+" if known["votes_at_least"] else ""
        plural = "" if known["votes"] == 1 and not more else "s"
        votes = f"{number(known['votes'])}{more} {counted}{plural}"
    return Tile(
        kind=kind,
        source=source.name,
        state=_state(known["state"], source.name, of_source, last.get(source.key)),
        figure=kind.show(known["value"]) if scored else None,
        share=round(100 * known["value"] / kind.scale_max, 1) if scored else None,
        votes=votes,
        seen_at=known["confirmed_at"],
        url=known["url"],
        notes=list(_notes(kind, facts, explained, of_source)),
    )


def _state(
    state: str, source: str, of_source: Mapping[str, Any], last: Mapping[str, Any] | None
) -> str:
    """Why there is no figure, for a reader who knows none of our words."""
    if state == "not_asked" and of_source["listing"]:
        return _not_known(source, of_source)
    if state == "blocked" and last and last["answered_at"]:
        return f"Blocked since {day(last['answered_at'])}, when {source} answered last."
    return {
        "scored": "",
        "not_rated": f"Not rated yet: {source} shows that there is no figure so far.",
        "missing": f"Missing: {source}’s page should show it, in no layout that we know.",
        "blocked": f"Blocked: {source} has never let us see it.",
        "not_listed": f"No listing found on {source}.",
        "not_asked": f"Not asked: {source} is switched off, or its page is not known yet.",
    }[state]


def _not_known(source: str, of_source: Mapping[str, Any]) -> str:
    """Why nothing is known of a figure whose page is."""
    if of_source["state"] == "not_asked":
        return f"Not asked yet, or {source} is switched off."
    if of_source["state"] == "error":
        asked = day(of_source["last_asked_at"])
        return f"Not known: {source} was asked on {asked} and did not answer."
    return f"Not known: what {source} answered does not speak of it."


def _notes(
    kind: ScoreKind,
    facts: Mapping[str, Any],
    explained: Mapping[str, Any],
    of_source: Mapping[str, Any],
) -> Sequence[str]:
    notes = []
    own = [
        row for row in explained["scores"]
        if row["score_kind"] == kind.key and row["is_primary"] and not row["relayed"]
    ]  # fmt: skip
    for row in own:
        if row["state"] == "scored" and row["last_attempt_state"] != row["state"]:
            words = row["last_attempt_state"].replace("_", " ")
            notes.append(f"Asked again on {day(row['last_attempt_at'])}: {words}.")
        if row["origin"] == "archive":
            notes.append("From a saved page.")
    if of_source["gone_at"]:
        notes.append(f"The page is gone since {day(of_source['gone_at'])}.")
    source = source_of_kind(kind.key).key
    notes += [
        f"A newer answer is held back: {row['reason']}."
        for row in facts["held"]
        if row["source"] == source and row["topic"] in (kind.key, "listing")
    ]
    return notes


def _rows(db: Database, sql: str, *values: Any) -> list[dict[str, Any]]:
    return list(db.query(sql, values))

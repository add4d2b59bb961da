"""Wikidata's crosswalk: which ids one film has at IMDb, TMDB, Rotten Tomatoes and Metacritic.

Two forms are read.

- SPARQL results in JSON, one row for each combination of values. The variables are `item` (the
  entity; every row has it) and, where known, `imdb`, `rt`, `mc` and `tmdb` (P345, P1258, P1712,
  P4947), `itemLabel` and `year` (a number or a date). A source's key may stand for its variable
  (`rottentomatoes` for `rt`). Rows of one item, wherever they stand, become one record.
- Entities as `wbgetentities` and `Special:EntityData` give them, one of them as dumps do, and the
  items of the REST API, whose statements are written more simply. The page of an item that people
  see is read as if it were the latter.

SPARQL results in CSV or TSV are not read: cut between two rows they look whole, and an item whose
second IMDb id was cut off would state its first as the only one. JSON that is cut does not parse.
"""

from __future__ import annotations

import io
import re
from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Mapping
from typing import Any, BinaryIO

from spiders.items import Outcome, Record
from spiders.pages.embedded import plain
from spiders.pages.identifiers import identifiers, only
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.sparql_rows import CutAnswerError, rows
from spiders.pages.wikidata_page import item_shown
from spiders.sources import SOURCES, by_key

_VARIABLES = {source.key: source.key for source in SOURCES if source.wikidata_property}
_VARIABLES |= {"rt": "rottentomatoes", "mc": "metacritic"}

_KNOWN = (*_VARIABLES, "itemLabel", "year")

Values = tuple[str | None, ...]
"""A row of a crosswalk: the values of the known variables."""

_ITEM = re.compile(r"https?://www\.wikidata\.org/entity/(Q[1-9]\d*)")
_YEAR = re.compile(r"\+?(\d{4})(?!\d)")

# The query service answers 200 before it has all rows; at the deadline, it appends what it threw.
_TRACE = re.compile(rb"java\.util\.concurrent\.TimeoutException|^\s+at (?:java|com|org)\.", re.M)

_ERROR = re.compile(rb'\s*\{\s*"error"\s*:')

# P31 of what is no film, though it may bear an IMDb id that looks like one: a human, a video game,
# six kinds of series, a season, an episode.
_NO_FILMS = {
    *("Q5", "Q7889"),
    *("Q5398426", "Q1259759", "Q63952888", "Q581714", "Q117467246", "Q526877"),
    *("Q3464665", "Q21191270"),
}

_YEAR_PRECISION = 9
_DAY_SHOWN = re.compile(r"(?:(?:\d{1,2} )?[A-Z][a-z]+ )?(\d{4})")
"""`18 July 2008`, `July 2008` or `2008`, no decade; pages in other languages give no year."""

_Json = dict[str, Any]


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """A query that met its deadline, and the API's own errors, which come with status 200."""
    if page.status >= 400:
        return None
    if _TRACE.search(page.body[-20_000:]) and not page.body.rstrip().endswith(b"}"):
        return Outcome.UNREADABLE, "the query met its deadline: its rows end in a Java stack trace"
    if not _ERROR.match(page.body.removeprefix(BOM_UTF8)):
        return None
    error = _part(page.json, "error")
    code = str(error.get("code"))
    detail = f"{code}: {plain(error.get('info')) or 'no reason given'}"[:300]
    if code in {"maxlag", "ratelimited"}:
        return Outcome.RATE_LIMITED, detail
    return (Outcome.NOT_FOUND if code == "no-such-entity" else Outcome.ERROR), detail


def read_crosswalk(
    answer: BinaryIO, imdb_ids: Collection[str] | None = None
) -> dict[str, list[Values]]:
    """The items of a crosswalk in SPARQL JSON, in the order of the answer, each with the rows that
    it has; of the items that bear one of these IMDb ids, where any are given.

    Raises CutAnswerError where the answer is cut or holds anything that is no row. All of Wikidata
    has 300,000 rows: each is kept as the values of the known variables alone.
    """
    items: dict[str, list[Values]] = {}
    for number, row in enumerate(rows(answer), start=1):
        item = _ITEM.fullmatch(row.get("item", ""))
        if not item:
            raise CutAnswerError(f"row {number} is no row: it has no item")
        items.setdefault(item[1], []).append(tuple(map(row.get, _KNOWN)))
    if imdb_ids is None:
        return items
    of_film = _KNOWN.index("imdb")
    return {
        qid: found for qid, found in items.items() if any(row[of_film] in imdb_ids for row in found)
    }


def record_of(qid: str, found: Iterable[Values]) -> Record:
    """An item of a crosswalk, of its rows."""
    return _from_rows(qid, [dict(zip(_KNOWN, row, strict=True)) for row in found])


def _from_rows(qid: str, named: list[dict[str, str | None]]) -> Record:
    stated: dict[str, set[str]] = {}
    for row in named:
        for variable, text in row.items():
            if variable in _VARIABLES and text is not None:
                stated.setdefault(_VARIABLES[variable], set()).add(text)
    label = next((label for row in named if (label := plain(row.get("itemLabel")))), None)
    years = [int(found[1]) for row in named if (found := _YEAR.match(str(row.get("year"))))]
    return _record(
        qid,
        stated,
        title=None if label == qid else label,  # the label service's word for "no label"
        year=min(years, default=None),
    )


def _sparql(page: Page) -> list[Record] | None:
    if b'"bindings"' not in page.body:
        return None
    items = read_crosswalk(io.BytesIO(page.body))
    return [record_of(qid, found) for qid, found in items.items()]


def _entities(page: Page) -> list[Record] | None:
    alone = isinstance(page.json, dict) and page.json.keys() & {"claims", "statements"}
    entities = {"": page.json} if alone else _part(page.json, "entities")
    items = [entity for entity in entities.values() if isinstance(entity, dict)]
    records = [_from_entity(qid, item) for item in items if (qid := _qid(item.get("id")))]
    return records or None


def _shown(page: Page) -> list[Record] | None:
    item = item_shown(page)
    return [_from_entity(item["id"], item)] if item else None


def _from_entity(qid: str, entity: _Json) -> Record:
    if "missing" in entity:
        return _record(qid, {}).model_copy(update={"outcome": Outcome.NOT_FOUND})
    claims = _part(entity, "claims") or _part(entity, "statements")
    stated = {
        source.key: _best_values(claims, source.wikidata_property)
        for source in SOURCES
        if source.wikidata_property
    }
    # Since 2025 a name that is the same in all languages may stand under `mul` alone.
    labels = _part(entity, "labels")
    title = plain(_label(labels, "en")) or plain(_label(labels, "mul"))
    years = [year for time in _best_values(claims, "P577") if (year := _year_of_time(time))]
    record = _record(qid, stated, title=title, year=min(years, default=None))
    kinds = {
        str(kind.get("id") if isinstance(kind, dict) else kind)
        for kind in _best_values(claims, "P31")
    }
    if kinds & _NO_FILMS:
        return record.model_copy(update={"outcome": Outcome.NOT_A_FILM})
    return record


def _record(
    qid: str,
    stated: Mapping[str, Iterable[object]],
    title: str | None = None,
    year: int | None = None,
) -> Record:
    ids = identifiers(stated)
    tmdb = only(ids.get("tmdb"))
    return Record(
        source="wikidata",
        source_id=qid,
        url=by_key("wikidata").page_url(qid),
        title=title,
        year=year,
        imdb_id=only(ids.get("imdb")),
        tmdb_id=int(tmdb) if tmdb else None,
        identifiers=ids,
    )


LAYOUTS: dict[str, Layout] = {"sparql": _sparql, "entities": _entities, "item-page": _shown}


def _best_values(claims: _Json, claim: str) -> list[Any]:
    """The values of best rank, as SPARQL's `wdt:` gives them: preferred ones, else normal ones."""
    listed = claims.get(claim)
    statements = [s for s in listed if isinstance(s, dict)] if isinstance(listed, list) else []
    ranks: dict[str, list[Any]] = {"preferred": [], "normal": []}
    for statement in statements:
        snak, simple = _part(statement, "mainsnak"), _part(statement, "value")
        rank = str(statement.get("rank"))
        if rank in ranks and snak.get("snaktype") == "value":
            ranks[rank].append(_part(snak, "datavalue").get("value"))
        elif rank in ranks and simple.get("type") == "value":
            ranks[rank].append(simple.get("content"))
    return ranks["preferred"] or ranks["normal"]


def _label(labels: _Json, language: str) -> object:
    label = labels.get(language)
    return label.get("value") if isinstance(label, dict) else label


def _year_of_time(time: object) -> int | None:
    """The year of a point in time that is known to the year at least: decades have one too."""
    if isinstance(time, str):
        shown = _DAY_SHOWN.fullmatch(time)
        return int(shown[1]) if shown else None
    if not isinstance(time, dict):
        return None
    precision = time.get("precision")
    found = _YEAR.match(str(time.get("time")))
    if not found or not isinstance(precision, int) or precision < _YEAR_PRECISION:
        return None
    return int(found[1])


def _qid(raw: object) -> str | None:
    return raw if isinstance(raw, str) and re.fullmatch(r"Q[1-9]\d*", raw) else None


def _part(body: object, name: str) -> _Json:
    part = body.get(name) if isinstance(body, dict) else None
    return part if isinstance(part, dict) else {}

"""IMDb's title pages of all times: the rating with its exact count of votes, the title, its kind.

Rounded counts ("1.9M") stand on these pages too: they are never read. Release dates are left out,
since a page shows the date of the country it was asked from. The title may be translated for that
country as well, so `original_title` is read beside it.

Here are the data that pages carry since 2018 and what people see since 2021; `imdb_classic` has the
pages until then as people see them, `imdb_lists` and `imdb_watchlist` the lists, `imdb_app`
the answers to apps and `imdb_datasets` the datasets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from spiders.items import Outcome, Person, Record, Score, ScoreState
from spiders.pages.embedded import json_ld, object_at, plain, script_json, value_at
from spiders.pages.encodings import beginning
from spiders.pages.imdb_app import api_titles, app_titles, found_by_name
from spiders.pages.imdb_classic import (
    below_a_title,
    combined,
    mobile,
    overview_2015,
    overview_2018,
    rating_alone,
    ratings,
    reference,
    star_box,
    star_box_microdata,
    user_rating,
)
from spiders.pages.imdb_lists import (
    chart,
    first_chart,
    found_titles,
    list_items,
    lister,
    results,
)
from spiders.pages.imdb_record import (
    KIND_OF_SCHEMA,
    kind_of_label,
    label_and_year,
    name_in_head,
    own_id,
    record_of,
    row_of,
    shown_kind,
    title_in_head,
    without_slot,
)
from spiders.pages.imdb_watchlist import title_data
from spiders.pages.imdb_words import KIND_OF_LABEL, RATING, TITLE_PATH, YEAR
from spiders.pages.numbers import figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.scores import missing, read_score
from spiders.sources import IMDB_ID, by_key

_TCONST = re.compile(IMDB_ID)
_NEXT_DATA = b'id="__NEXT_DATA__"'
_NO_SUCH_TITLE = re.compile(
    rb"<title[^<>]*>\s*(?:404 Error|Page not found)\s*(?:-\s*IMDb\s*)?</title\s*>", re.I
)
_WENT_WRONG = re.compile(
    rb"<title[^<>]*>\s*IMDb(?: - D(?:'|&#x27;|&#39;)oh|: Error)\s*</title\s*>", re.I
)


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """IMDb's own pages for "no such title" and "D'oh": saved copies have lost their status."""
    if _NO_SUCH_TITLE.search(page.body, 0, 20_000):
        return Outcome.NOT_FOUND, "the page says that there is no such title"
    if _WENT_WRONG.search(page.body, 0, 20_000):
        return Outcome.ERROR, "the page says that something went wrong"
    return None


# The pages since 2021 carry IMDb's own data as JSON. They weigh about 1 MB: only the object that is
# needed is cut out of the bytes and parsed.


def _above_the_fold(page: Page) -> list[Record] | None:
    """Title and reference pages since 2022: `props.pageProps.aboveTheFoldData`.

    On title pages the `ratingsSummary` of `mainColumnData`, which follows, holds no rating.
    """
    return _listed(page, _object_after(page.body, b'"aboveTheFoldData"'))


def _entity_metadata(page: Page) -> list[Record] | None:
    """Pages below a title's since 2023, of which few show the rating (ratings, reviews, awards):
    `contentData.entityMetadata`."""
    title = _object_after(page.body, b'"entityMetadata"')
    return (_answered(page, title, page.url) or None) if isinstance(title, dict) else None


def _urql_state(page: Page) -> list[Record] | None:
    """Title pages of 2021: one slot for each query in `urqlState`, data an object or JSON text.

    Slots of quite another title stand there too, and slots whose rating is null beside the real
    one: a slot counts only where its title is the page's, and a rating goes before none.
    """
    if b'"urqlState"' not in page.body:
        return None
    props = _next_props(page)
    state = value_at(props, "urqlState") or value_at(props, "pageProps", "urqlState")
    wanted = value_at(props, "pageProps", "tconst") or own_id(page)
    if not isinstance(state, dict):
        return None
    titles = [title for slot in state.values() if (title := _urql_title(slot))]
    titles = [title for title in titles if title.get("id") == wanted and "titleText" in title]
    titles.sort(key=lambda title: value_at(title, "ratingsSummary", "aggregateRating") is None)
    return _listed(page, titles[0]) if titles else None


def _urql_title(slot: Any) -> dict[str, Any] | None:
    data = value_at(slot, "data")
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return None
    title = value_at(data, "title")
    return title if isinstance(title, dict) else None


_SAYS = {"titleText", "ratingsSummary"}
"""What an answer about a title may have been asked for."""


def _answer(page: Page) -> list[Record] | None:
    """Answers of IMDb's GraphQL, since 2021: one `title`, or lists of them at any depth.

    An answer about one title need not repeat its id: then it is the one in the address.
    """
    if beginning(page.body)[:1] != b"{":
        return None
    data = value_at(page.json, "data")
    title = value_at(data, "title")
    if isinstance(title, dict):
        known = _SAYS & title.keys()
        return _answered(page, {"id": own_id(page), **title}, page.url) if known else None
    rows = ((row, by_key("imdb").page_url(row["id"])) for row in _titles_in(data))
    return [record for row, url in rows for record in _answered(page, row, url)] or None


def _answered(page: Page, title: dict[str, Any], url: str) -> list[Record]:
    """The record of a title in an answer, which may not have been asked for its rating."""
    unasked: dict[str, Any] = {} if "ratingsSummary" in title else {"scores": {}}
    found = _listed(page, title) or []
    return [record.model_copy(update={"url": url, **unasked}) for record in found]


def _titles_in(data: Any) -> Iterator[dict[str, Any]]:
    """The titles in an answer, without those that a title names in its turn."""
    if isinstance(data, dict):
        if _SAYS & data.keys() and _TCONST.fullmatch(str(data.get("id"))):
            yield data
            return
        data = list(data.values())
    for part in data if isinstance(data, list) else ():
        yield from _titles_in(part)


_NEXT_LIST = re.compile(rb'"(?:chartTitles|titleListItemSearch|titleListItems|titleNameText)"')


def _next_list(page: Page) -> list[Record] | None:
    """Charts, lists and searches since 2023, by the name of what holds their titles."""
    if not _NEXT_LIST.search(page.body):
        return None
    props = value_at(_next_props(page), "pageProps")
    found = list(_titles_in(value_at(props, "pageData", "chartTitles")))
    for listed in ("list", "predefinedList"):  # the second is a watchlist
        found += _titles_in(value_at(props, "mainColumnData", listed, "titleListItemSearch"))
    for row in _items(props, "searchResults", "titleResults", "titleListItems"):
        year = {"year": value_at(row, "releaseYear")}
        names = {key: {"text": value_at(row, key)} for key in ("titleText", "originalTitleText")}
        rating = {"ratingsSummary": row["ratingSummary"]} if value_at(row, "ratingSummary") else {}
        kind = {"titleType": value_at(row, "titleType")}
        found.append(
            {"id": value_at(row, "titleId"), "releaseYear": year, **names, **kind, **rating}
        )
    found += map(_found, _items(props, "titleResults", "results"))
    rows = ((row, by_key("imdb").page_url(str(row["id"]))) for row in found)
    return [record for row, url in rows for record in _answered(page, row, url)] or None


def _found(row: Any) -> dict[str, Any]:
    """A row of `/find` since 2022, which has names of its own: `{"titleReleaseText": "1997– "}`."""
    year = re.match(r"(?:18|19|20)\d\d(?!\d)", str(value_at(row, "titleReleaseText")))
    return {
        "id": value_at(row, "id"),
        "titleText": {"text": value_at(row, "titleNameText")},
        "titleType": {"id": value_at(row, "imageType")},
        "releaseYear": {"year": int(year[0]) if year else None},
    }


def _suggestions(page: Page) -> list[Record] | None:
    """What the search box suggests: `{"d": [{"id", "l": title, "y": year, "qid": kind}]}`.

    Until 2021 the kind was a word of English (`q`), and the answer a call of JavaScript. There
    are no ratings in it.
    """
    if beginning(page.body)[:1] != b"{":
        return None
    answer = page.json
    if not isinstance(value_at(answer, "d"), list) or not isinstance(value_at(answer, "q"), str):
        return None
    rows = (row for row in _items(answer, "d") if _TCONST.fullmatch(str(value_at(row, "id"))))
    return [_suggested(page, row) for row in rows]


def _suggested(page: Page, row: dict[str, Any]) -> Record:
    word = plain(row.get("q")) or ""
    stated = row.get("qid") or {"feature": "movie"}.get(word.casefold())
    kind = stated or KIND_OF_LABEL.get(word.replace("-", " ").casefold())
    return row_of(
        page,
        row["id"],
        kind=kind if isinstance(kind, str) else None,
        title=plain(row.get("l")),
        year=row.get("y"),
    )


def _listed(page: Page, title: Any) -> list[Record] | None:
    """The record of a title as IMDb's own data has it, or None where this is no title."""
    tconst = value_at(title, "id")
    if not isinstance(tconst, str) or not _TCONST.fullmatch(tconst):
        return None
    kind = value_at(title, "titleType", "id")
    year = value_at(title, "releaseYear", "year")
    seconds = value_at(title, "runtime", "seconds")
    score = _score_in(value_at(title, "ratingsSummary"), "aggregateRating", "voteCount")
    return [
        record_of(
            page,
            source_id=tconst,
            kind=kind if isinstance(kind, str) else None,
            title=plain(value_at(title, "titleText", "text")),
            original_title=plain(value_at(title, "originalTitleText", "text")),
            year=year if type(year) is int else None,
            runtime_minutes=(seconds // 60 or None) if type(seconds) is int else None,
            genres=tuple(_genres(title)),
            people=tuple(_people(title)),
            scores={RATING: score},
        )
    ]


def _genres(title: Any) -> Iterator[str]:
    """Genres by id, which is the English name; the text is in the visitor's language."""
    older = _items(title, "genres", "genres")
    newer = (value_at(genre, "genre") for genre in _items(title, "titleGenres", "genres"))
    for genre in older or newer:
        if name := plain(value_at(genre, "id")) or plain(value_at(genre, "text")):
            yield name


def _people(title: Any) -> Iterator[Person]:
    """The principal credits. (The names in `castPageTitle` are not in billing order.)"""
    principal = {
        value_at(part, "category", "id"): _items(part, "credits")
        for part in _items(title, "principalCredits")
    }
    directors = principal.get("director") or _items(title, "directorsPageTitle", 0, "credits")
    yield from _credited("director", directors)
    yield from _credited("writer", principal.get("writer", []))
    yield from _credited("cast", principal.get("cast", []))


def _credited(role: str, listed: Iterable[Any]) -> Iterator[Person]:
    for position, credit in enumerate(listed):
        if name := plain(value_at(credit, "name", "nameText", "text")) or plain(
            value_at(credit, "name")
        ):
            yield Person(name=name, role=role, position=position)


_BELOW_TITLE = re.compile(r"/title/tt\d+/(?!(?:reference|combined|maindetails)$)[a-z]")


def _linked_data(page: Page) -> list[Record] | None:
    """JSON-LD, in the head since 2018: what there is to read where a page is cut below it.

    It has no `aggregateRating` where there is none; `name` is the original title, in HTML
    entities. The title shown where that differs is `alternateName`, and in the first years the
    <title> alone.
    """
    label, year = label_and_year(page)
    own = own_id(page)
    for data in json_ld(page.body):
        schema = str(data.get("@type"))
        kind = kind_of_label(label) or KIND_OF_SCHEMA.get(schema)
        found = TITLE_PATH.search(str(data.get("url")))
        score = _linked_score(data)
        scores = (
            {}
            if not score and _BELOW_TITLE.search(page.path)
            else {RATING: score or without_slot(page)}
        )
        tconst = found[1] if found else None
        if "url" not in data and scores and scores[RATING].state is not ScoreState.MISSING:
            tconst = own  # an excerpt, in which no other slot may hold the rating
        if not tconst or (kind is None and schema != "Movie") or own not in (None, tconst):
            continue
        record = _linked(page, data, tconst, kind=kind, year=year, scores=scores)
        named = schema == "Movie" and "alternateName" not in data and page.path.endswith(tconst)
        shown = title_in_head(page) if named else None
        return [record.model_copy(update={"title": shown or record.title})]
    return None


def _linked_list(page: Page) -> list[Record] | None:
    """JSON-LD of the charts and lists since 2023, where the data that follow it are cut off.

    A row without a rating says nothing about it: lists of people leave ratings out.
    """
    if b'"ItemList"' not in page.body or own_id(page):
        return None
    found = []
    for listed in json_ld(page.body, "ItemList"):
        for row in _items(listed, "itemListElement"):
            item = value_at(row, "item")
            path = TITLE_PATH.search(str(value_at(item, "url")))
            schema = str(value_at(item, "@type"))
            kind = KIND_OF_SCHEMA.get(schema)
            if not path or (kind is None and schema != "Movie"):
                continue
            score = _linked_score(item)
            scores = {RATING: score} if score else {}
            record = _linked(page, item, path[1], kind=kind, scores=scores)
            found.append(record.model_copy(update={"url": by_key("imdb").page_url(path[1])}))
    return found or None


def _linked(page: Page, data: dict[str, Any], tconst: str, **known: Any) -> Record:
    name = plain(data.get("name"))
    listed = (part for part in _several(data.get("genre")) if isinstance(part, str))
    genres = (plain(genre) for part in listed for genre in part.split(","))  # charts join them
    return record_of(
        page,
        source_id=tconst,
        title=plain(data.get("alternateName")) or name,
        original_title=name,
        runtime_minutes=runtime_minutes(data.get("duration")),
        genres=tuple(filter(None, genres)),
        people=tuple(_linked_people(data)),
        **known,
    )


def _linked_score(data: dict[str, Any]) -> Score | None:
    """The rating of a title's JSON-LD, missing where it is on another scale; None without one."""
    if "aggregateRating" not in data:
        return None
    if figure(value_at(data["aggregateRating"], "bestRating")) not in (None, 10):
        return missing(RATING)
    return _score_in(data["aggregateRating"], "ratingValue", "ratingCount")


def _linked_people(data: dict[str, Any]) -> Iterator[Person]:
    for role, key in (("director", "director"), ("writer", "creator"), ("cast", "actor")):
        makers = _several(data.get(key))  # companies are among the creators
        yield from _credited(
            role, (maker for maker in makers if value_at(maker, "@type") == "Person")
        )


_HAS_RATINGS = re.compile(rb"data-testid=\"hero[\w-]*-rating")
_HERO_TITLES = (
    '[data-testid="hero__primary-text"], [data-testid="hero__pageTitle"], '
    '[data-testid="hero-title-block__title"]'
)


def _hero(page: Page) -> list[Record] | None:
    """The top of title pages since 2021 as people see it, where a page was saved without scripts.

    The count that stands there is rounded, and is not read.
    """
    if b'data-testid="hero' not in page.body:
        return None
    heading = page.tree.select_one(_HERO_TITLES)
    slot = page.tree.select_one('[data-testid$="aggregate-rating__score"]')
    if not (heading or slot) or not own_id(page):
        return None
    if slot:
        # The slot stands where there is a rating: an empty one is cut off, or not filled yet.
        score = read_score(RATING, slot.get_text().strip() or "cut off")
    else:  # where nobody may rate yet, neither a rating nor one's own has a place
        score = missing(RATING) if _HAS_RATINGS.search(page.body) else without_slot(page)
    original = page.tree.select_one('[data-testid="hero-title-block__original-title"]')
    label, year = label_and_year(page)
    below = heading.find_next("ul") if heading else None  # "TV Series", "2008–2013", "TV-MA", "45m"
    facts = [next(item.stripped_strings, "") for item in below.select("li")] if below else []
    return [
        record_of(
            page,
            kind=shown_kind(page, label, (), facts),
            title=plain(heading.get_text()) if heading else title_in_head(page),
            original_title=plain(original.get_text().partition(": ")[2]) if original else None,
            year=year or next(map(int, filter(YEAR.fullmatch, facts)), None),
            scores={RATING: score},
        )
    ]


_OF_A_PERSON = re.compile(
    rb"<link\b(?=[^<>]*\brel=[\"']canonical)[^<>]*/name/nm\d{7,10}[/\"'][^<>]*>"
    rb"|<meta\b(?=[^<>]*\bproperty=[\"'](?:imdb:pageConst|pageId))[^<>]*[\"']nm\d{7,10}[\"'][^<>]*>"
    rb"|\"pageProps\"\s*:\s*\{\s*\"nmconst\"\s*:"
)


_HEAD_OF_OLD = re.compile(rb"\bid=\"(?:tn15title|overview-top)\"")
_PERSON_PATH = re.compile(r"/name/nm\d{7,10}(?:/|$)")


def _person(page: Page) -> list[Record] | None:
    """What says that it is a page of a person: no film. Until 2014 only the address said it."""
    is_named = _PERSON_PATH.search(page.path) and _HEAD_OF_OLD.search(page.body)
    if not is_named and not _OF_A_PERSON.search(page.body):
        return None
    props = _next_props(page) if _is_next_data(page.body) else None
    name = plain(value_at(props, "pageProps", "aboveTheFold", "nameText", "text"))
    return [
        Record(
            source=page.source,
            url=page.url,
            outcome=Outcome.NOT_A_FILM,
            kind="person",
            title=name or name_in_head(page),
        )
    ]


def _score_in(summary: Any, value: str, votes: str) -> Score:
    if not isinstance(summary, dict) or value not in summary:
        return missing(RATING)
    counted = summary.get(votes)
    return read_score(RATING, summary[value], counted if isinstance(counted, int | str) else None)


def _is_next_data(body: bytes) -> bool:
    """Whether this is the data of a page, saved without the page."""
    return beginning(body)[:1] == b"{" and b'"pageProps"' in body


def _next_props(page: Page) -> Any:
    """What Next data hand to a page: `{"pageProps": …}`, which is all of `/_next/data/….json`."""
    data = page.json if _is_next_data(page.body) else script_json(page.body, _NEXT_DATA)
    return data if value_at(data, "pageProps") else value_at(data, "props")


def _object_after(body: bytes, key: bytes) -> Any:
    """The JSON value of the first `key` in the Next data, without parsing what stands around it."""
    start = 0 if _is_next_data(body) else body.find(_NEXT_DATA)
    at = body.find(key, start) if start != -1 else -1
    if at == -1:
        return None
    colon = body.find(b":", at + len(key))
    return object_at(body, colon + 1) if colon != -1 else None


def _items(value: Any, *path: str | int) -> list[Any]:
    found = value_at(value, *path)
    return found if isinstance(found, list) else []


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


LAYOUTS: dict[str, Layout] = {
    "above-the-fold-2022": _above_the_fold,
    "entity-metadata-2023": _entity_metadata,
    "next-list-2023": _next_list,
    "urql-2021": _urql_state,
    "graphql-2021": _answer,
    "suggestions": _suggestions,
    "title-data-2016": title_data,
    "app-2010": app_titles,
    "title-api-2013": api_titles,
    "find-entities-2010": found_by_name,
    "overview-2018": overview_2018,
    "reference-2017": reference,
    "overview-2015": overview_2015,
    "microdata-2011": star_box_microdata,
    "star-box-2010": star_box,
    "ratings-2007": ratings,
    "combined-2007": combined,
    "user-rating-2003": user_rating,
    "json-ld": _linked_data,
    "list-json-ld-2023": _linked_list,
    "mobile-2013": mobile,
    "hero-2021": _hero,
    "lister-2016": lister,
    "results-2008": results,
    "chart-2012": chart,
    "chart-2008": first_chart,
    "list-items-2023": list_items,
    "find-2009": found_titles,
    "rating-alone-2015": rating_alone,
    "below-a-title": below_a_title,
    "person": _person,
}

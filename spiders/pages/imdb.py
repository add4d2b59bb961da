"""IMDb's title pages since 2007: the rating with its exact count of votes, the title and its kind.

Rounded counts ("1.9M") stand on these pages too: they are never read. Release dates are left out,
since a page shows the date of the country it was asked from. The title may be translated for that
country as well, so `original_title` is read beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

from bs4 import BeautifulSoup, Tag

from spiders.items import Outcome, Person, Record, Score
from spiders.pages.embedded import json_ld, object_at, plain, script_json, value_at
from spiders.pages.imdb_lists import chart, first_chart, lister, results
from spiders.pages.imdb_words import KIND_OF_LABEL, NONE_YET, RATING, TITLE_PATH
from spiders.pages.numbers import count, figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.scores import missing, not_rated, read_score
from spiders.sources import FILM_KINDS, IMDB_ID, by_key

_TCONST = re.compile(IMDB_ID)
_NEXT_DATA = b'id="__NEXT_DATA__"'
_NO_SUCH_TITLE = re.compile(
    rb"<title[^<>]*>\s*(?:404 Error|Page not found)\s*(?:-\s*IMDb\s*)?</title>", re.I
)
_WENT_WRONG = re.compile(
    rb"<title[^<>]*>\s*IMDb(?: - D(?:'|&#x27;|&#39;)oh|: Error)\s*</title>", re.I
)
_PAGE_ID = re.compile(
    rb"<link\b(?=[^<>]*\brel=[\"']canonical)[^<>]*/title/(tt\d{7,10})(?!\d)[^<>]*>"
    rb"|<meta\b(?=[^<>]*\bproperty=[\"'](?:imdb:pageConst|pageId))[^<>]*[\"'](tt\d{7,10})[\"'][^<>]*>"
)
_CALLED = re.compile(rb"imdb\$[\w$%]*\((?P<answer>\{.*\})\);?", re.S)
_HEAD_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title>", re.I)
_OG_TITLE = re.compile(
    rb"<meta\b(?=[^<>]*\bproperty=[\"']og:title)[^<>]*\bcontent=\"([^\"]*)\"", re.I
)
_NAMED = re.compile(
    r"\s*(?:IMDb\s*[-:]\s*)?(?:User ratings for\s+)?(?P<title>\S.*?)\s*\([^()]*(?:18|19|20)\d\d",
    re.S,
)
_BRACKETS = re.compile(
    r"\((?P<label>[^()\d]*?)\s*(?P<year>(?:18|19|20)\d\d)?(?:/[IVXL]+)?"
    r"(?P<on>\s*[-\u2013]\s*(?:\d{4})?)?\s*\)"
)
_SCHEMA = re.compile(rb"\bid=\"pagecontent\"[^<>]*\bitemtype=\"https?://schema\.org/(\w+)\"")
_KIND_OF_SCHEMA = {
    "TVSeries": "tvSeries",
    "TVEpisode": "tvEpisode",
    "VideoGame": "videoGame",
    "PodcastSeries": "podcastSeries",
    "PodcastEpisode": "podcastEpisode",
}
# In other languages the label is another word, and only these tell what is no film.
_KIND_OF_WORD = (
    (re.compile(r"[eé]p[ií]s[oó]d|folge\b"), "tvEpisode"),
    (re.compile(r"s[eé]ri[eé]|сериал|ドラマ"), "tvSeries"),
    (re.compile(r"video(?:juego|spiel|gioco|game)|jeu vid"), "videoGame"),
)
_A_FIGURE = re.compile(r"(?<![\d.,])\d[.,]\d(?![\d.,])")


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
    """Pages below a title's (ratings, reviews, awards) since 2023: `contentData.entityMetadata`."""
    return _listed(page, _object_after(page.body, b'"entityMetadata"'))


def _urql_state(page: Page) -> list[Record] | None:
    """Title pages of 2021: one slot for each query in `urqlState`, data an object or JSON text.

    Slots of quite another title stand there too, and slots whose rating is null beside the real
    one: a slot counts only where its title is the page's, and a rating goes before none.
    """
    if b'"urqlState"' not in page.body:
        return None
    data = page.json if _is_next_data(page.body) else script_json(page.body, _NEXT_DATA)
    props = value_at(data, "props")
    state = value_at(props, "urqlState") or value_at(props, "pageProps", "urqlState")
    wanted = value_at(props, "pageProps", "tconst") or _source_id(page)
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


def _answer(page: Page) -> list[Record] | None:
    """Answers of IMDb's GraphQL, since 2021: one `title`, or lists of them at any depth.

    An answer about one title need not repeat its id: then it is the one in the address.
    """
    if page.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return None
    data = value_at(page.json, "data")
    title = value_at(data, "title")
    if isinstance(title, dict):
        known = {"titleText", "ratingsSummary"} & title.keys()
        return _answered(page, {"id": _source_id(page), **title}, page.url) if known else None
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
        if "titleText" in data and _TCONST.fullmatch(str(data.get("id"))):
            yield data
            return
        data = list(data.values())
    for part in data if isinstance(data, list) else ():
        yield from _titles_in(part)


_NEXT_LIST = re.compile(rb'"(?:chartTitles|titleListItemSearch|titleListItems)"')


def _next_list(page: Page) -> list[Record] | None:
    """Charts, lists and searches since 2023, by the name of what holds their titles."""
    if not _NEXT_LIST.search(page.body):
        return None
    data = page.json if _is_next_data(page.body) else script_json(page.body, _NEXT_DATA)
    props = value_at(data, "props", "pageProps")
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
    rows = ((row, by_key("imdb").page_url(str(row["id"]))) for row in found)
    return [record for row, url in rows for record in _answered(page, row, url)] or None


def _suggestions(page: Page) -> list[Record] | None:
    """What the search box suggests: `{"d": [{"id", "l": title, "y": year, "qid": kind}]}`.

    Until 2021 the kind was a word of English (`q`), and the answer a call of JavaScript. There
    are no ratings in it.
    """
    if not page.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"imdb$")):
        return None
    called = _CALLED.fullmatch(page.body.strip())
    try:
        answer = json.loads(called["answer"]) if called else page.json
    except (ValueError, RecursionError):
        return None
    if not isinstance(value_at(answer, "d"), list) or not isinstance(value_at(answer, "q"), str):
        return None
    rows = (row for row in _items(answer, "d") if _TCONST.fullmatch(str(value_at(row, "id"))))
    return [_suggested(page, row) for row in rows]


def _suggested(page: Page, row: dict[str, Any]) -> Record:
    word = plain(row.get("q")) or ""
    stated = row.get("qid") or {"feature": "movie"}.get(word.casefold())
    kind = stated or KIND_OF_LABEL.get(word.replace("-", " ").casefold())
    year = row.get("y")
    record = _record(
        page,
        source_id=row["id"],
        kind=kind if isinstance(kind, str) else None,
        title=plain(row.get("l")),
        year=year if type(year) is int else None,
    )
    return record.model_copy(update={"url": by_key("imdb").page_url(row["id"])})


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
        _record(
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


def _linked_data(page: Page) -> list[Record] | None:
    """JSON-LD, in the head since 2018: what there is to read where a page is cut below it.

    It has no `aggregateRating` where there is none; `name` is the original title, in HTML
    entities, and `alternateName` the title shown where that differs.
    """
    label, year = _label_and_year(page)
    own = _source_id(page)
    for data in json_ld(page.body):
        schema = str(data.get("@type"))
        kind = _kind_of(label) or _KIND_OF_SCHEMA.get(schema)
        found = TITLE_PATH.search(str(data.get("url")))
        if not found or (kind is None and schema != "Movie") or own not in (None, found[1]):
            continue
        score = _linked_score(data) or _without_slot(page)
        return [_linked(page, data, found[1], kind=kind, year=year, scores={RATING: score})]
    return None


def _linked_list(page: Page) -> list[Record] | None:
    """JSON-LD of the charts and lists since 2023, where the data that follow it are cut off.

    A row without a rating says nothing about it: lists of people leave ratings out.
    """
    if b'"ItemList"' not in page.body or _source_id(page):
        return None
    found = []
    for listed in json_ld(page.body, "ItemList"):
        for row in _items(listed, "itemListElement"):
            item = value_at(row, "item")
            path = TITLE_PATH.search(str(value_at(item, "url")))
            schema = str(value_at(item, "@type"))
            kind = _KIND_OF_SCHEMA.get(schema)
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
    return _record(
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


# Until 2020 the overview at the top of the page shows what we need. Kind and year stand in the
# brackets of the page's <title> in every era: "Foo (2012)", "Foo (TV Series 2008–2013)".


def _overview_2018(page: Page) -> list[Record] | None:
    """`strong[title]` and plain spans: 2018 took the microdata away."""
    return _overview(page, microdata=False)


def _overview_2015(page: Page) -> list[Record] | None:
    """The same overview with microdata, 2015 to 2017."""
    return _overview(page, microdata=True)


def _overview(page: Page, *, microdata: bool) -> list[Record] | None:
    region = _region(page, 'id="title-overview-widget"', "csm_TitleOverviewWidget_finished")
    heading = region.select_one(".title_wrapper h1") if region else None
    if not region or not heading or heading.has_attr("itemprop") != microdata:
        return None
    original = region.select_one(".originalTitle")
    score = _shown_score(
        page,
        region.select_one(".ratings_wrapper"),
        ".imdbRating [itemprop=ratingValue]" if microdata else ".imdbRating strong[title] span",
        ".imdbRating [itemprop=ratingCount]" if microdata else ".imdbRating a .small",
    )
    return _shown(page, region, heading, original, score)


def _rating_alone(page: Page) -> list[Record] | None:
    """The rating of that overview in an excerpt which has lost what stood around it."""
    if b'class="imdbRating"' not in page.body or not _source_id(page):
        return None
    score = _shown_score(
        page,
        page.tree.select_one(".imdbRating"),
        "[itemprop=ratingValue], strong[title] span",
        "[itemprop=ratingCount], a .small",
    )
    label, year = _label_and_year(page)
    kind = _shown_kind(page, label, ())
    return [_record(page, kind=kind, title=_named(page), year=year, scores={RATING: score})]


def _microdata(page: Page) -> list[Record] | None:
    """`.star-box-details` with microdata, late 2011 to early 2015."""
    region = _region(page, 'id="overview-top"', "csm_TitleOverviewWidget_finished")
    heading = region.select_one("h1.header") if region else None
    if not region or not heading or not region.select_one("[itemprop]"):
        return None
    score = _shown_score(
        page,
        region.select_one(".star-box"),
        ".star-box-details [itemprop=ratingValue]",
        ".star-box-details [itemprop=ratingCount]",
    )
    name = heading.select_one("[itemprop=name]:not(.title-extra)") or heading
    return _shown(page, region, name, region.select_one(".title-extra"), score)


def _star_box(page: Page) -> list[Record] | None:
    """The redesign of October 2010, before it got microdata: `span.rating-rating` "8.7/10".

    On later pages a span of that class holds the visitor's own rating.
    """
    region = _region(page, 'id="overview-top"', 'id="overview-bottom"')
    heading = region.select_one("h1.header") if region else None
    if not region or not heading or region.select_one("[itemprop]"):
        return None
    score = _shown_score(page, region, ".rating-rating:not(:has(.value))", "a[href*=ratings]")
    return _shown(page, region, heading, region.select_one(".title-extra"), score)


def _reference(page: Page) -> list[Record] | None:
    """The reference view, 2017 to 2024: `.ipl-rating-star` in `.titlereference-header`."""
    region = _region(page, 'class="titlereference-header"', 'class="titlereference-section')
    heading = region.select_one("h3[itemprop=name]") if region else None
    if not region or not heading:
        return None
    label = region.select_one(".titlereference-original-title-label")
    original = label.previous_sibling if label else None
    score = _shown_score(
        page,
        region,
        ".ipl-rating-star:has(.ipl-rating-star__total-votes) .ipl-rating-star__rating",
        ".ipl-rating-star__total-votes",
    )
    return _shown(page, region, heading, original, score)


def _combined(page: Page) -> list[Record] | None:
    """Title pages until October 2010, and the combined view until 2017: `#tn15title`.

    A title in quotes is a series or an episode of one.
    """
    region = _region(page, 'id="tn15title"', 'id="tn15content"')
    heading = region.select_one("h1") if region else None
    if not region or not heading:
        return None
    rating = region.select_one("#tn15rating")
    score = _shown_score(page, rating, "b", "a[href*=ratings]")
    label, year = _label_and_year(page)
    kind = _kind_of(label)
    title = _own_text(heading)
    record = _record(page, kind=kind, title=_unquoted(title), year=year, scores={RATING: score})
    if title and title.startswith('"'):
        record = record.model_copy(update={"outcome": Outcome.NOT_A_FILM})
    return [record]


def _shown(page: Page, region: Tag, name: Tag, original: object, score: Score) -> list[Record]:
    label, year = _label_and_year(page)
    links = region.select("a[href*='/genre/']")
    genres = tuple(dict.fromkeys(genre for link in links if (genre := plain(link.get_text()))))
    time = region.select_one("time[datetime]")
    return [
        _record(
            page,
            kind=_shown_kind(page, label, genres),
            title=_own_text(name),
            original_title=_unquoted(_own_text(original)),
            year=year,
            runtime_minutes=runtime_minutes(time["datetime"]) if time else None,
            genres=genres,
            scores={RATING: score},
        )
    ]


def _shown_kind(page: Page, label: str, genres: tuple[str, ...]) -> str | None:
    """The kind by the label in the page's <title>; only films go without one.

    A label in another language says nothing; the page's schema may then tell what is no film.
    """
    schema = _SCHEMA.search(page.body)
    by_schema = _KIND_OF_SCHEMA.get(schema[1].decode()) if schema else None
    film = "short" if "Short" in genres else "movie"
    return _kind_of(label) or by_schema or (None if label else film)


def _shown_score(page: Page, slot: Tag | None, value: str, votes: str) -> Score:
    """The score in a slot; `missing` where the slot shows a figure, but not where it should be."""
    if slot is None:
        return _without_slot(page)
    values = [tag.get_text() for tag in slot.select(value)]
    if values:
        counts = (count(tag.get_text()) for tag in slot.select(votes))
        shown = next((text for text in values if figure(text) is not None), values[0])
        return read_score(RATING, shown, next((number for number in counts if number), None))
    text = slot.get_text(" ")
    if NONE_YET.search(text):
        return not_rated(RATING)
    return missing(RATING) if _A_FIGURE.search(text) else _without_slot(page)


# Of the pages below a title's, these show no rating of it: reviews, credits, episodes and the like.
_BELOW = re.compile(
    r"/title/tt\d+/(?:episodes|fullcredits|(?:user|critic|external)?reviews|usercomments"
    r"|plotsummary|synopsis|releaseinfo|locations|keywords|awards|trivia|goofs|quotes|taglines"
    r"|faq|parentalguide|soundtrack|companycredits|technical|mediaindex|movieconnections"
    r"|alternateversions|business|news)$"
)


def _below_a_title(page: Page) -> list[Record] | None:
    """Older pages below a title's: what its <title> says, and no score, since none is shown."""
    title = _named(page)
    if not title or not _source_id(page) or not _BELOW.search(page.path):
        return None
    label, year = _label_and_year(page)
    of_series = page.path.endswith("/episodes") or title.startswith('"')
    kind = _kind_of(label) or ("tvSeries" if of_series else None)
    return [_record(page, kind=kind, title=_unquoted(title), year=year)]


_GIVEN = re.compile(
    r"(?<![\d.,])(?P<votes>\d[\d.,]{0,15}) IMDb users have given an? (?:weighted )?average vote of"
    r" (?P<value>\d+(?:[.,]\d)?) ?/ ?10(?!\d)"
)


def _ratings(page: Page) -> list[Record] | None:
    """The page of a title's ratings until 2023, in the words that state them.

    Asked for some people's votes (`?demo=`), it states theirs.
    """
    if not page.path.endswith("/ratings") or not _source_id(page):
        return None
    text = plain(page.tree.get_text(" ")) or ""
    given = _GIVEN.search(text)
    none_yet = "No Ratings Available" in text
    if not given and not none_yet:
        return None
    if "demo=" in page.url:
        score = missing(RATING)
    elif given:
        score = read_score(RATING, given["value"], given["votes"])
    else:
        score = not_rated(RATING)
    label, year = _label_and_year(page)
    kind = _shown_kind(page, label, ())
    return [_record(page, kind=kind, title=_named(page), year=year, scores={RATING: score})]


_OF_TEN = re.compile(r"(?P<value>\d+(?:[.,]\d)?)\s*/\s*10\s*(?P<votes>\d[\d.,\s]*[KM]?)?")


def _mobile(page: Page) -> list[Record] | None:
    """The title pages of m.imdb.com until 2021: `7.9<small>/10<br>91,217</small>` in a bar."""
    bar = page.tree.select_one("#ratings-bar") if b"ratings-bar" in page.body else None
    if not bar or not _source_id(page):
        return None
    slots = (slot.get_text(" ").strip() for slot in bar.select("span.vertically-middle"))
    shown = next((found for text in slots if (found := _OF_TEN.fullmatch(text))), None)
    if shown:
        score = read_score(RATING, shown["value"], shown["votes"])
    else:
        none_yet = NONE_YET.search(bar.get_text(" "))
        score = not_rated(RATING) if none_yet else missing(RATING)
    heading = page.tree.select_one(".media-body h1")
    label, year = _label_and_year(page)
    genres = tuple(
        name
        for tag in page.tree.select('.media-body [itemprop="genre"]')
        if (name := plain(tag.get_text()))
    )
    return [
        _record(
            page,
            kind=_shown_kind(page, label, genres),
            title=_own_text(heading) or _named(page),
            year=year,
            genres=genres,
            scores={RATING: score},
        )
    ]


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
    if not heading or not _source_id(page):
        return None
    slot = page.tree.select_one('[data-testid$="aggregate-rating__score"]')
    if slot:
        # The slot stands where there is a rating: an empty one is cut off, or not filled yet.
        score = read_score(RATING, slot.get_text().strip() or "cut off")
    else:  # where nobody may rate yet, neither a rating nor one's own has a place
        score = missing(RATING) if _HAS_RATINGS.search(page.body) else _without_slot(page)
    original = page.tree.select_one('[data-testid="hero-title-block__original-title"]')
    label, year = _label_and_year(page)
    return [
        _record(
            page,
            kind=_shown_kind(page, label, ()),
            title=plain(heading.get_text()),
            original_title=plain(original.get_text().partition(": ")[2]) if original else None,
            year=year,
            scores={RATING: score},
        )
    ]


# What the layouts share.


def _record(page: Page, *, kind: str | None, source_id: str | None = None, **fields: Any) -> Record:
    tconst = source_id or _source_id(page)
    return Record(
        source=page.source,
        source_id=tconst,
        imdb_id=tconst,
        url=page.url,
        outcome=Outcome.OK if kind is None or kind in FILM_KINDS else Outcome.NOT_A_FILM,
        kind=kind,
        **fields,
    )


def _source_id(page: Page) -> str | None:
    """The title that the page says it shows, else the one in its URL."""
    found = _PAGE_ID.search(page.body)
    if found:
        return (found[1] or found[2]).decode()
    return by_key(page.source).source_id(page.url)


def _head_title(page: Page) -> str:
    """What the page's <title> says, or where that is empty, what it gives to other sites."""
    stated = (
        found[1].strip()[:1_000]
        for at in (_HEAD_TITLE, _OG_TITLE)
        if (found := at.search(page.body))
    )
    return unescape(next(filter(None, stated), b"").decode("utf-8", "replace"))


def _named(page: Page) -> str | None:
    """The title that stands before the brackets of the page's <title>."""
    found = _NAMED.match(_head_title(page))
    return plain(found["title"]) if found else None


def _label_and_year(page: Page) -> tuple[str, int | None]:
    """From the brackets of the page's <title>: `("tv series", 2008)`, `("", 2012)`."""
    label, year = "", None
    for found in _BRACKETS.finditer(_head_title(page)):
        words = found["label"].replace("-", " ").casefold()
        if found["year"]:
            label, year = words, int(found["year"])
            if found["on"] and not _kind_of(words):
                label = "tv series"  # whatever the language: a film has one year
        elif words in KIND_OF_LABEL:
            label = words
    return label, year


def _kind_of(label: str) -> str | None:
    words = (kind for word, kind in _KIND_OF_WORD if word.search(label))
    return KIND_OF_LABEL.get(label) or next(words, None)


def _score_in(summary: Any, value: str, votes: str) -> Score:
    if not isinstance(summary, dict) or value not in summary:
        return missing(RATING)
    counted = summary.get(votes)
    return read_score(RATING, summary[value], counted if isinstance(counted, int | str) else None)


def _without_slot(page: Page) -> Score:
    return not_rated(RATING) if page.complete else missing(RATING)


def _region(page: Page, start: str, end: str) -> BeautifulSoup | None:
    """A tree of the markup from the tag that holds `start` to `end`, or None without `start`.

    What follows the last closing tag is dropped: on a page cut inside "8.7" or "1,425,107" it
    would be read as another figure.
    """
    at = page.body.find(start.encode())
    if at == -1:
        return None
    text = page.text
    at = text.find(start)
    stop = text.find(end, at)
    part = text[text.rfind("<", 0, at) : stop if stop != -1 else len(text)]
    return BeautifulSoup(part[: max(part.rfind("</"), 0)], "lxml")


def _own_text(node: object) -> str | None:
    """The text that stands in a tag itself, without that of the tags within it."""
    if isinstance(node, Tag):
        return plain("".join(node.find_all(string=True, recursive=False)))
    return plain(node)


def _unquoted(title: str | None) -> str | None:
    return title and (title.strip('" ') or None)


def _is_next_data(body: bytes) -> bool:
    """Whether this is the data of a page, saved without the page."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and b'"pageProps"' in body


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
    "overview-2018": _overview_2018,
    "reference-2017": _reference,
    "overview-2015": _overview_2015,
    "microdata-2011": _microdata,
    "star-box-2010": _star_box,
    "combined-2007": _combined,
    "json-ld": _linked_data,
    "list-json-ld-2023": _linked_list,
    "mobile-2013": _mobile,
    "ratings-2007": _ratings,
    "hero-2021": _hero,
    "lister-2016": lister,
    "results-2008": results,
    "chart-2012": chart,
    "chart-2008": first_chart,
    "rating-alone-2015": _rating_alone,
    "below-a-title": _below_a_title,
}

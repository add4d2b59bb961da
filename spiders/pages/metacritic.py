"""Metacritic's pages since 2010 and the JSON of its backend: Metascore and user score.

The site shows the scores of many other titles on each page (in its menus, in carousels, beside
reviews), and a score for each review: a score counts only where it stands in a slot of the page's
own title. "tbd" means that there is none yet, and "Available after 4 reviews" is no count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import Tag

from spiders.items import Outcome, Person, Record, Score, ScoreState
from spiders.pages.addresses import live_url
from spiders.pages.dates import iso_date
from spiders.pages.embedded import json_ld, plain, script_json, value_at
from spiders.pages.identifiers import identifiers, only
from spiders.pages.listed_titles import listed_title
from spiders.pages.numbers import Count, count, figure, runtime_minutes
from spiders.pages.nuxt import hydrated
from spiders.pages.page import Page
from spiders.pages.reading import Layout
from spiders.pages.scores import missing, not_rated, read_score
from spiders.sources import by_key, score_kind

_METASCORE = "metascore"
_USERS = "metacritic_user_score"

_FILM = "movie"
_KIND_OF_SECTION = {  # the first step of a path; IMDb's words where it has them
    "movie": _FILM,
    "tv": "tvSeries",
    "game": "videoGame",
    "music": "musicAlbum",
    "person": "person",
}
_KIND_OF_TYPE = {"movie": _FILM, "show": "tvSeries", "game-title": "videoGame", "person": "person"}
_KIND_OF_SCHEMA = {
    "Movie": _FILM,
    "TVSeries": "tvSeries",
    "TVSeason": "tvSeries",
    "TVEpisode": "tvEpisode",
    "VideoGame": "videoGame",
    "MusicAlbum": "musicAlbum",
}

_IN_BRACKETS = re.compile(
    r"\s*\((?:(?P<year>(?:18[789]|19\d|20\d)\d)"
    r"|(?P<again>(?:\d{4}\s+)?re-?(?:release|issue)d?\b[^()]*))\)\s*$",
    re.I,
)
_AGAIN_IN_ID = re.compile(r"-re-?(?:release|issue)d?(?:-\d{4})?$")
# Pictures that came from IMDb (provider 5) are named after the film: `5-tt0006864.jpg`.
_PICTURE = re.compile(r"(?:^|/)5-(tt[0-9]{7,10})\.")
_BELOW = re.compile(r"/(?:(?:critic|user)-reviews|details|trailers|credits)/?$")
_BASED_ON = re.compile(r"based\s+on\s+(\d[\d,.]*\s?[KM]?\b\+?)", re.I)
_NOT_FOUND_PAGE = re.compile(
    rb"<title[^<>]*>\s*(?:404\s*)?(?:error\s*)?[-:|]?\s*page not found\s*"
    rb"(?:[-|]\s*metacritic\s*)?<",
    re.I,
)
_UNAVAILABLE_PAGE = re.compile(rb"<title[^<>]*>\s*service unavailable\b", re.I)


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """Error pages and the backend's JSON errors where they come with a status of success."""
    if page.status >= 400:
        return None
    if _NOT_FOUND_PAGE.search(page.body, 0, 20_000):
        return Outcome.NOT_FOUND, "the page says that there is no such page"
    if _UNAVAILABLE_PAGE.search(page.body, 0, 20_000):
        return Outcome.ERROR, "the page says that the service is unavailable"
    if len(page.body) < 4096 and (code := _error_code(_json(page.body))):
        return _OUTCOME_OF_CODE.get(code, Outcome.ERROR), f"the answer holds the error {code}"
    return None


_ASKED_STATS = re.compile(r"/(?P<whose>critic|user)/movies/(?P<slug>[^/?]+)/stats\b")
_KIND_OF_ASK = {"movies": _FILM, "shows": "tvSeries", "games": "videoGame"}
_ASKED_PRODUCT = re.compile(rf"/(?P<what>{'|'.join(_KIND_OF_ASK)})/(?P<slug>[^/?]+)")

_OUTCOME_OF_CODE = {
    401: Outcome.UNAUTHORISED,
    403: Outcome.BLOCKED,
    404: Outcome.NOT_FOUND,
    410: Outcome.NOT_FOUND,
    429: Outcome.RATE_LIMITED,
}


def _error_code(answer: Any) -> int | None:
    """The HTTP status that a JSON error states, whichever of the usual names it bears there."""
    if not isinstance(answer, dict) or "components" in answer or "data" in answer:
        return None
    several = answer.get("errors")
    first = several[0] if isinstance(several, list) and several else None
    for stated in (answer, answer.get("error"), answer.get("meta"), first):
        for key in ("statusCode", "status", "code"):
            code = figure(value_at(stated, key))
            if isinstance(code, int) and 400 <= code < 600:
                return code
    return None


# What a page says of its own title, whatever the layout.


@dataclass(frozen=True)
class _Product:
    """A film, show, game or album as one page or row has it."""

    url: str | None
    kind: str | None
    title: str | None
    year: int | None = None
    released_on: str | None = None
    runtime_minutes: int | None = None
    genres: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    imdb_ids: frozenset[str] = frozenset()


def _record(page: Page, product: _Product, scores: Mapping[str, Score]) -> Record:
    named = _own_name(product)
    stated = identifiers({"imdb": named.imdb_ids})
    return Record(
        source=page.source,
        source_id=_own_id(named.url) or (_own_id(page.url) if named.kind == _FILM else None),
        url=page.url,
        outcome=Outcome.OK if named.kind in (_FILM, None) else Outcome.NOT_A_FILM,
        title=named.title,
        year=named.year,
        kind=named.kind,
        runtime_minutes=named.runtime_minutes,
        released_on=named.released_on,
        genres=named.genres,
        people=named.people,
        imdb_id=only(stated.get("imdb")),
        identifiers=stated,
        scores=dict(scores),
    )


def _own_name(product: _Product) -> _Product:
    """The film's own title and year, without what the site adds to tell listings apart.

    "Police Story (1985)" came to American cinemas in 2018, and "Lawrence of Arabia (re-release)"
    in 2002: there the site's date is not the film's, and its year only where it is another one.
    """
    title, year, again = product.title, None, False
    while title and (found := _IN_BRACKETS.search(title)) and found.start():
        title = title[: found.start()]
        year = int(found["year"]) if found["year"] else year
        again = again or bool(found["again"])
    again = again or bool(_AGAIN_IN_ID.search(_own_id(product.url) or ""))
    shown_in = _year(product.released_on)
    if year is None:
        year = product.year or shown_in
        if again and year == shown_in:
            year = None
    elif shown_in and abs(shown_in - year) > 1:
        again = True
    released_on = None if again else product.released_on
    return replace(product, title=title, year=year, released_on=released_on)


def _own_id(url: str | None) -> str | None:
    """The source_id in an address; of what is no film, its path, so that it is never a film's."""
    if not url or not (kind := _kind_of_url(url)):
        return None
    url = live_url(url)
    if kind == _FILM:
        return by_key("metacritic").source_id(url)
    path = _BELOW.sub("", urlsplit(url).path).strip("/")
    return path if "/" in path else None


def _kind_of_url(url: str | None) -> str | None:
    """What the first step of a path says that its page shows."""
    path = urlsplit(live_url(url)).path if url else ""
    return _KIND_OF_SECTION.get(path.strip("/").split("/")[0])


def _year(raw: object) -> int | None:
    found = re.match(r"\s*((?:18[789]|19\d|20\d)\d)(?!\d)", str(raw))
    return int(found[1]) if found else None


# The backend's JSON, and the same JSON in the state that pages embed since 2026.


def _nuxt(page: Page) -> list[Record] | None:
    """Pages since 2026: the answers of the backend lie in `__NUXT_DATA__`, also saved by itself."""
    if _starts_with(page.body, b"["):
        values = _json(page.body.partition(b"</script")[0])
    elif b"__NUXT_DATA__" in page.body:
        values = script_json(page.body, b"__NUXT_DATA__")
    else:
        return None
    for value in hydrated(values) if isinstance(values, list) else ():
        if isinstance(value, dict) and isinstance(value.get("components"), list):
            records = _composed(page, value)
            if records is not None:
                return records
    return None


def _backend(page: Page) -> list[Record] | None:
    """The composer's answers (a page's components), and those that hold one component only."""
    if not _starts_with(page.body, b"{"):
        return None
    answer = _json(page.body)
    if isinstance(value_at(answer, "components"), list):
        return _composed(page, answer)
    item = value_at(answer, "data", "item")
    if not isinstance(item, dict):
        return None
    if "score" in item:
        return _stats(page, item)
    product = _product(page, item)
    return None if product is None else [_record(page, product, _scores_of_row(item))]


def _composed(page: Page, answer: dict[str, Any]) -> list[Record] | None:
    """A page's own product and its two summaries; other products stand in other components."""
    components = _components(answer["components"])
    item = components.get("product")
    asked = _ASKED_PRODUCT.search(page.url)
    if asked and isinstance(item, dict) and not item.get("slug"):
        item = {**item, "slug": asked["slug"]}
    product = _product(page, item)
    if product is None:
        return None
    scores = {
        _METASCORE: _first(
            _METASCORE,
            _summary(_METASCORE, components.get("critic-score-summary")),
            _summary(_METASCORE, value_at(item, "criticScoreSummary")),
        )
    }
    users = _first(
        _USERS,
        _summary(_USERS, components.get("user-score-summary")),
        _summary(_USERS, value_at(item, "userScore")),
    )
    page_type = value_at(answer, "meta", "pageType")
    if users.state is not ScoreState.MISSING or page_type != "critic-reviews":
        scores[_USERS] = users
    return [_record(page, product, scores)]


def _components(stated: list[Any]) -> dict[str, Any]:
    """The item of each component by name; with `contentOnly=true` products come without a name."""
    items: dict[str, Any] = {}
    for component in stated:
        name = value_at(component, "meta", "componentName")
        data = value_at(component, "data")
        item = value_at(data if isinstance(data, dict) else component, "item")
        if isinstance(name, str):
            items.setdefault(name, item)
        elif value_at(component, "slug") and value_at(component, "title"):
            items.setdefault("product", component)
    return items


def _stats(page: Page, item: dict[str, Any]) -> list[Record] | None:
    """One summary by itself: what it counts and for whom is in the address that it states, else in
    the one that was asked (`/reviews/metacritic/user/movies/skyfall/stats/web`)."""
    url = value_at(item, "url")
    asked = _ASKED_STATS.search(page.url)
    if not isinstance(url, str):
        if not asked:
            return None
        url = f"/movie/{asked['slug']}/{asked['whose']}-reviews/"
    kind = _USERS if "/user-reviews" in url else _METASCORE
    product = _Product(url=url, kind=_kind_of_url(url), title=None)
    return [_record(page, product, {kind: _first(kind, _summary(kind, item))})]


def _finder(page: Page) -> list[Record] | None:
    """Rows of the finder and of searches, which may find shows, games and people as well."""
    if not _starts_with(page.body, b"{") or b'"items"' not in page.body:
        return None
    data = value_at(_json(page.body), "data")
    items = value_at(data, "items")
    if not isinstance(items, list):
        return None
    if not items:
        return [] if "totalResults" in data else None
    rows = [(item, product) for item in items if (product := _product(page, item))]
    if not rows:
        return None
    return [_record(page, product, _scores_of_row(item, with_users=True)) for item, product in rows]


def _scores_of_row(item: dict[str, Any], *, with_users: bool = False) -> dict[str, Score]:
    scores = {_METASCORE: _first(_METASCORE, _summary(_METASCORE, item.get("criticScoreSummary")))}
    if with_users or "userScore" in item:
        scores[_USERS] = _first(_USERS, _summary(_USERS, item.get("userScore")))
    return scores


def _summary(kind: str, summary: object) -> Score | None:
    """A summary's score, or None where it is none of this kind's.

    A zero with the sentiment "tbd" is how some answers write that there is no score yet.
    """
    if not isinstance(summary, dict) or "score" not in summary:
        return None
    scale = figure(summary.get("max"))
    if scale is not None and scale != score_kind(kind).scale_max:
        return None
    raw = summary["score"]
    if not raw and summary.get("sentiment") == "tbd":
        raw = None
    return read_score(kind, raw, _votes(summary.get("reviewCount")))


def _first(kind: str, *read: Score | None) -> Score:
    """The first of several slots for one score that holds it or says that there is none."""
    found = (score for score in read if score and score.state is not ScoreState.MISSING)
    return next(found, missing(kind))


def _product(page: Page, item: Any) -> _Product | None:
    """A product as the backend describes it, or None where this is none."""
    title = plain(value_at(item, "title"))
    if title is None:
        return None
    kind = _KIND_OF_TYPE.get(item["type"], item["type"]) if _text(item, "type") else None
    reviews = _text(item, "criticScoreSummary", "url")
    kind = kind or _kind_of_url(reviews) or _kind_of_ask(page.url)
    slug = _text(item, "slug")
    if kind is None or not (slug or reviews):
        return None
    section = next((key for key, word in _KIND_OF_SECTION.items() if word == kind), kind)
    production = value_at(item, "production")
    return _Product(
        url=f"/{section}/{slug}/" if slug else reviews,
        kind=kind,
        title=title,
        year=_year(value_at(item, "premiereYear")),
        released_on=iso_date(value_at(item, "releaseDate")),
        runtime_minutes=_minutes(value_at(item, "duration")),
        genres=_unique(_names(value_at(item, "genres"))),
        people=(
            *_people("director", _crew(production, "Directed By")),
            *_people("writer", _crew(production, "Written By")),
            *_people("cast", _names(value_at(production, "cast"))),
        ),
        imdb_ids=frozenset(_imdb_ids(item)),
    )


def _kind_of_ask(url: str) -> str | None:
    """What the backend was asked for, where its answer does not say: films are its type 2."""
    asked = _ASKED_PRODUCT.search(url)
    if asked:
        return _KIND_OF_ASK[asked["what"]]
    return (
        _FILM if re.search(r"/movies\b|/movies-|mcoTypeId=2\b|productType=movies\b", url) else None
    )


def _imdb_ids(item: dict[str, Any]) -> Iterator[str]:
    """The film's IMDb id where the product states it, or its own pictures are named after it."""
    if stated := _text(item, "imdbId"):
        yield stated
    pictures = item.get("images")
    for picture in (item.get("image"), *(pictures if isinstance(pictures, list) else ())):
        for name in (_text(picture, "filename"), _text(picture, "bucketPath")):
            if name and (found := _PICTURE.search(name)):
                yield found[1]


def _crew(production: Any, group: str) -> Iterator[str]:
    crew = value_at(production, "crew")
    for member in crew if isinstance(crew, list) else ():
        if value_at(member, "roleTypeGroupName") == group:
            yield from _names([member])


def _names(stated: Any) -> Iterator[str]:
    for one in stated if isinstance(stated, list) else (stated,):
        if name := plain(one if isinstance(one, str) else value_at(one, "name")):
            yield name


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _people(role: str, names: Iterable[str], *, billed: bool = True) -> Iterator[Person]:
    for position, name in enumerate(_unique(names)):
        yield Person(name=name, role=role, position=position if billed else None)


def _minutes(raw: object) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw if raw > 0 else None
    return runtime_minutes(raw) if isinstance(raw, str) else None


# Pages since September 2023, read in the bytes: JSON-LD carries the Metascore, the markup both.

_SHOWN = re.compile(
    rb"class=\"[^\"]*\bc-siteReviewScore[\s\"][^<>]*>\s*<span[^<>]*>([^<]*)</span>"
    rb"|data-testid=\"global-score-(?:value|tbd)\"[^>]*>([^<]*)<"
)
_LABEL = re.compile(
    rb"(?:title|aria-label)=\"(metascore|user score)\s+(?:([\d.]+)\s+out of|(tbd))\b[^\"]*\"", re.I
)
_DIV = re.compile(rb"<(/?)div\b")
_KIND_OF_LABEL = {b"metascore": _METASCORE, b"user score": _USERS}
_HEADER = re.compile(rb"data-testid=\"global-score-header\"[^>]*>\s*([^<]*?)\s*<", re.I)
# What follows the summaries and holds scores of single reviews or of other titles.
_OTHERS = re.compile(
    rb"data-testid=\"(?:global-score-header|review-card|critic-review|user-review|product-card"
    rb"|product-score-card)\""
)
_SCORE_INFO = (b'data-testid="critic-score-info"', b'data-testid="user-score-info"')
_HERO = (b"hero-scores__preview", b'data-testid="product-hero"')
_CARD = b'data-testid="product-card"'
_REVIEWS_PAGE_SCORE = (b"c-ScoreCardLeft_scoreContent_number", b"score-card-left__score-number")


def _global_score(page: Page) -> list[Record] | None:
    """Pages of 2026: each score under a header that names it, the Metascore in JSON-LD too."""
    if any(marker in page.body for marker in (b"metascore_w", *_SCORE_INFO, *_REVIEWS_PAGE_SCORE)):
        return None
    ld = _ld(page)
    if ld is None and not _own_id(_head(page.body).get("canonical") or page.url):
        return None  # the front pages of films and games show these headers for each title
    slots: dict[str, Score] = {}
    others = page.body.find(_CARD)
    for header in _HEADER.finditer(page.body, 0, others if others != -1 else len(page.body)):
        kind = _KIND_OF_LABEL.get(header[1].lower())
        if kind and slots.get(kind, missing(kind)).state is ScoreState.MISSING:
            end = _OTHERS.search(page.body, header.end())
            slot = page.body[header.end() : end.start() if end else header.end() + 6000]
            slots[kind] = _slot(kind, slot)
    return None if not slots and ld is None else _shown(page, ld, slots)


def _score_info(page: Page) -> list[Record] | None:
    """Pages from September 2023 to January 2026: `c-siteReviewScore` within a slot for each."""
    found = zip((_METASCORE, _USERS), (_element(page.body, m) for m in _SCORE_INFO), strict=True)
    slots = {kind: _slot(kind, slot) for kind, slot in found if slot is not None}
    return _shown(page, _ld(page), slots) if slots else None


def _review_card(page: Page) -> list[Record] | None:
    """Pages of reviews since September 2023: one score, which its label or the address names."""
    slot = next((s for s in (_element(page.body, m) for m in _REVIEWS_PAGE_SCORE) if s), None)
    if slot is None:
        return None
    label = _LABEL.search(slot)
    kind = _USERS if "/user-reviews" in page.path else _METASCORE
    kind = _KIND_OF_LABEL[label[1].lower()] if label else kind
    return _shown(page, _ld(page), {kind: _slot(kind, slot)})


def _slot(kind: str, slot: bytes) -> Score:
    """The score shown in a slot, else the one that its label speaks out."""
    shown = _SHOWN.search(slot)
    raw = (shown[1] or shown[2] or b"").strip() if shown else b""
    if not raw and (label := _LABEL.search(slot)) and _KIND_OF_LABEL[label[1].lower()] == kind:
        raw = label[2] or label[3]
    if not raw:
        return missing(kind)
    votes = _based_on(slot.decode("utf-8", "replace"))
    return read_score(kind, raw.decode("utf-8", "replace"), votes)


def _based_on(markup: str) -> Count | None:
    """The count in "based on 46 Critics"; other numbers beside a score count something else."""
    found = _BASED_ON.search(re.sub(r"<[^>]*>", " ", markup))
    return count(found[1]) if found else None


def _element(body: bytes, marker: bytes) -> bytes | None:
    """The first `<div>` whose opening tag holds a marker, to its end; empty where it is cut off."""
    opening = re.search(rb"<div\b[^<>]*" + re.escape(marker), body) if marker in body else None
    if opening is None:
        return None
    depth = 0
    for tag in _DIV.finditer(body, opening.start()):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return body[opening.start() : tag.end()]
    return b""


def _shown(page: Page, ld: dict[str, Any] | None, slots: Mapping[str, Score]) -> list[Record]:
    """The record of a page whose slots were read; what they lack, its hero or JSON-LD may have."""
    in_ld = _ld_metascore(ld, page) if ld else None
    metascore = _first(_METASCORE, slots.get(_METASCORE), _in_hero(page, _METASCORE), in_ld)
    if in_ld and metascore.votes is None and metascore.value == in_ld.value:
        metascore = in_ld
    users = _first(_USERS, slots.get(_USERS), _in_hero(page, _USERS))
    scores = {_METASCORE: metascore, _USERS: users}
    # A page of one kind of reviews need not show the other score.
    for kind, reviews in ((_METASCORE, "/user-reviews"), (_USERS, "/critic-reviews")):
        if reviews in page.path and scores[kind].state is ScoreState.MISSING:
            del scores[kind]
    return [_record(page, _described(page, ld or {}), scores)]


def _in_hero(page: Page, kind: str) -> Score | None:
    """The first label of a kind in the part of the page that shows its title and scores only."""
    for marker in _HERO:
        for label in _LABEL.finditer(_element(page.body, marker) or b""):
            if _KIND_OF_LABEL[label[1].lower()] == kind:
                return read_score(kind, (label[2] or label[3]).decode("ascii"))
    return None


# JSON-LD, on the film pages since 2017: no user score, and no rating where there is no Metascore.


def _ld(page: Page) -> dict[str, Any] | None:
    """What the page states of its own title. Other titles' JSON-LD may stand before it.

    Where the page does not say which title it is of, the one that was asked goes before the first.
    """
    head = _head(page.body)
    own, asked = _own_id(head.get("canonical") or head.get("og:url")), _own_id(page.url)
    stated = [(ld, _own_id(_text(ld, "url"))) for ld in json_ld(page.body) if _ld_kind(ld)]
    if own:
        stated = [one for one in stated if one[1] in (None, own)]
    stated.sort(key=lambda one: one[1] != asked)
    return stated[0][0] if stated else None


def _ld_kind(ld: dict[str, Any]) -> str | None:
    stated = ld.get("@type")
    kinds = stated if isinstance(stated, list) else [stated]
    return next((word for k in kinds if (word := _KIND_OF_SCHEMA.get(str(k)))), None)


def _ld_metascore(ld: dict[str, Any], page: Page) -> Score | None:
    if _ld_kind(ld) == "videoGame":
        return None  # it counts the reviews on all platforms; the score shown is that of one
    rating = ld.get("aggregateRating")
    if rating is None:
        return not_rated(_METASCORE) if page.complete else None
    if not isinstance(rating, dict) or figure(rating.get("bestRating")) not in (None, 100):
        return None
    votes = _votes(rating.get("reviewCount")) or _votes(rating.get("ratingCount"))
    return read_score(_METASCORE, rating.get("ratingValue"), votes)


def _described(page: Page, ld: dict[str, Any]) -> _Product:
    """The title as JSON-LD and the head of the page have it, and the script of before 2026."""
    head = _head(page.body)
    url = _text(ld, "url") or head.get("canonical") or head.get("og:url")
    title = plain(ld.get("name")) or _title(page.body, head)
    script = _product_in_script(page.body)
    premiere = re.search(rb"\bpremiereYear:(\d{4})\b", script)
    pictures = f"{_text(ld, 'image')} {head.get('og:image')}"
    return _Product(
        url=url,
        kind=_ld_kind(ld) or _kind_of_url(url) or _kind_of_url(page.url),
        title=title,
        year=_year(premiere[1].decode()) if premiere else None,
        released_on=iso_date(ld.get("datePublished")),
        runtime_minutes=_ld_minutes(ld.get("duration")),
        genres=_unique(_names(ld.get("genre"))),
        people=(
            *_people("director", _names(ld.get("director"))),
            *_people("cast", _names(ld.get("actor"))),
        ),
        imdb_ids=frozenset(
            [i.decode() for i in _IN_SCRIPT.findall(script)] + _PICTURE.findall(pictures)
        ),
    )


def _ld_minutes(raw: object) -> int | None:
    """Minutes; since 2023 `PT2M32S` means 2 h 32 min, until then `PT91M` meant 91 min."""
    shifted = re.fullmatch(r"PT(?:(\d)M)?(?:(\d{1,2})S)?", raw) if isinstance(raw, str) else None
    if shifted:
        return 60 * int(shifted[1] or 0) + int(shifted[2] or 0) or None
    return runtime_minutes(raw) if isinstance(raw, str) else None


_HEAD_TAG = re.compile(rb"<(?:meta|link)\b[^>]{0,2000}>", re.I)
_NAMED = re.compile(rb"\b(?:rel|property)=[\"'](canonical|og:(?:url|title|image))[\"']", re.I)
_STATED = re.compile(rb"\b(?:href|content)=(?:\"([^\"]*)\"|'([^']*)')", re.I)
_HERO_TITLE = re.compile(
    rb"(?:data-testid=\"hero-title\"|class=\"[^\"]*\bhero-title__text\b)"
    rb"[^>]*>(?:\s|<!--.*?-->|<[^>]+>)*([^<]+)<"
)
_REVIEWS_OF = re.compile(r"\s+(?:(?:critic|user)\s+)?reviews$", re.I)
_IN_SCRIPT = re.compile(rb"(?:\bimdbId:\"|\"5-)(tt\d{7,10})[\".]")


def _head(body: bytes) -> dict[str, str]:
    """The address, title and picture that the head of a page states as its own."""
    stated: dict[str, str] = {}
    end = body.find(b"</head")
    for tag in _HEAD_TAG.finditer(body, 0, len(body) if end == -1 else end):
        name, value = _NAMED.search(tag[0]), _STATED.search(tag[0])
        if name and value:
            text = plain((value[1] or value[2] or b"").decode("utf-8", "replace"))
            stated.setdefault(name[1].decode().lower(), text or "")
    return stated


def _title(body: bytes, head: Mapping[str, str]) -> str | None:
    hero = _HERO_TITLE.search(body)
    if hero and (title := plain(hero[1].decode("utf-8", "replace"))):
        return title
    return _REVIEWS_OF.sub("", head.get("og:title", "")) or None


def _product_in_script(body: bytes) -> bytes:
    """The page's own product in the script `window.__NUXT__` of 2023 to 2026.

    The script is a function whose arguments stand for repeated values: scores are not read from
    it, since a score may be such an argument.
    """
    at = body.find(b'componentName:"product"')
    end = body.find(b"componentName:", at + 1)
    return b"" if at == -1 else body[at : end if end != -1 else len(body)]


# Visible layouts of 2010 to 2023.

_SCORE_VALUE = re.compile(rb"class=\"data (?:metascore|avguserscore)\b")
_BOXES = [  # within one of these, the count beside a score is the score's
    "ms_wrapper",
    "us_wrapper",
    "score_wrapper",
    "avg_score",
    "score_meta",
    "score_user",
    "metascore_wrap",
    "userscore_wrap",
]


def _classic(page: Page) -> list[Record] | None:
    """Film pages and those below them (reviews, details, trailers) from 2017 to August 2023.

    The first scores on such a page belong to the films in the site's menu, and the popup for
    one's own rating repeats the users' score under "Your Score".
    """
    if b"product_page_title" not in page.body or b"metascore_w" not in page.body:
        return None
    tree = page.tree
    ld = _ld(page)
    metascore = _in_slots(
        _METASCORE,
        tree,
        ".ms_wrapper .metascore_w:not(.user)",
        ".score_wrapper .metascore_w:not(.user)",
        ".score_meta .metascore_w:not(.user)",
        ".primary_baby_item .metascore_w.header_size",
    )
    users = _in_slots(
        _USERS,
        tree,
        ".us_wrapper .metascore_w.user",
        ".score_wrapper .metascore_w.user",
        ".score_user .metascore_w.user",
        ".avg_score .metascore_w.user",
    )
    in_ld = _ld_metascore(ld, page) if ld else None
    scores = {
        _METASCORE: _first(_METASCORE, metascore, in_ld, _none(_METASCORE, page, ".ms_wrapper")),
        _USERS: _first(_USERS, users, _none(_USERS, page, ".us_wrapper")),
    }
    product = _described(page, ld or {})
    shown_on = ".product_info .release_date, .details_section .release_date"
    return [
        _record(
            page,
            replace(
                product,
                title=_words(tree, ".product_page_title h1") or product.title,
                year=_year(_words(tree, ".product_page_title .release_year")),
                released_on=iso_date(_words(tree, shown_on)) or product.released_on,
                runtime_minutes=runtime_minutes(_text(ld, "duration"))
                or runtime_minutes(_words(tree, ".details .runtime .data, .runtime span + span")),
            ),
            scores,
        )
    ]


def _microdata(page: Page) -> list[Record] | None:
    """Film pages of 2013 to 2016; shows, games and albums kept this layout until 2023."""
    return None if _SCORE_VALUE.search(page.body) else _wrapped(page)


def _first_classic(page: Page) -> list[Record] | None:
    """Pages of 2010 to 2013. `.score_value` stands for one's own rating too, as 0."""
    return _wrapped(page) if _SCORE_VALUE.search(page.body) else None


def _wrapped(page: Page) -> list[Record] | None:
    if b"metascore_wrap" not in page.body and b"userscore_wrap" not in page.body:
        return None
    tree = page.tree
    scores = {
        kind: _first(kind, _in_slots(kind, tree, f"{wrap} {slot}"), _none(kind, page, wrap))
        for kind, wrap, slot in (
            (
                _METASCORE,
                ".metascore_wrap",
                ":is(.metascore_w:not(.user), .metascore .score_value)",
            ),
            (_USERS, ".userscore_wrap", ":is(.metascore_w.user, .avguserscore .score_value)"),
        )
    }
    head = _head(page.body)
    product_head = tree.select_one(".product_content_head") or tree
    named = product_head.select_one("h1.product_title, .product_title")
    link = product_head.select_one(".product_title a[href], a:has(h1)[href]")
    url = head.get("canonical") or head.get("og:url") or (str(link["href"]) if link else page.url)
    title = _words(named, "[itemprop=name], a") or _words(product_head, ".product_title")
    product = _Product(
        url=urljoin(live_url(page.url), live_url(url)),
        kind=_kind_of_url(url) or _kind_of_url(page.url),
        title=title or _REVIEWS_OF.sub("", head.get("og:title", "")) or None,
        released_on=iso_date(_words(product_head, ".release_data .data")),
        runtime_minutes=runtime_minutes(_words(tree, ".product_runtime .data")),
        genres=_all_words(tree, "[itemprop=genre], .product_genre .data"),
        people=(
            *_people("director", _all_words(tree, "[itemprop=director] [itemprop=name]")),
            # In the order of the alphabet, not of billing.
            *_people("cast", _all_words(tree, "[itemprop=actor] [itemprop=name]"), billed=False),
        ),
    )
    return [_record(page, product, scores)]


_FILM_TITLES = re.compile(r"/(?:film|video)/titles/[^/]+$")
_THEATRICAL = re.compile(r"\bTheatrical:\s*(\w+ \d{1,2}, \d{4})")


def _film_titles(page: Page) -> list[Record] | None:
    """The pages until August 2010, whose addresses (`/film/titles/up`) name no film of today."""
    if not _FILM_TITLES.search(page.path) or b"metascore" not in page.body:
        return None
    tree = page.tree
    scores = {
        _METASCORE: _in_slots(_METASCORE, tree, "#metascore") or missing(_METASCORE),
        _USERS: _in_slots(_USERS, tree, "span.userscore") or missing(_USERS),
    }
    named = listed_title(_words(tree, "h1"))
    theatrical = _THEATRICAL.search(tree.get_text(" "))
    product = _Product(
        url=None,
        kind=_FILM,
        title=named.title if named else None,
        released_on=iso_date(theatrical[1]) if theatrical else None,
    )
    return [_record(page, product, scores)]


def _cards(page: Page) -> list[Record] | None:
    """Browse pages since September 2023."""
    if b"c-finderProductCard" not in page.body:
        return None
    rows = (
        (
            _attribute(card, "a[href]", "href"),
            _attribute(card, "[data-title]", "data-title") or _listed_name(card),
            _words(card, ".u-text-uppercase"),
            {_METASCORE: ".c-siteReviewScore"},
            card,
        )
        for card in page.tree.select(".c-finderProductCard:has(a[href])")
    )
    return [record for row in rows if (record := _listed(page, *row))]


def _listed_name(card: Tag) -> str | None:
    """The title in a card's heading, behind its place in the list: a cut page may end with that."""
    name = _words(card, "h3 span:last-of-type") or _words(card, "h3")
    return None if name and re.fullmatch(r"\d+\.", name) else name


def _clamped(page: Page) -> list[Record] | None:
    """Browse pages of 2018 to 2023."""
    if b"clamp-summary-wrap" not in page.body:
        return None
    rows = (
        (
            _attribute(row, "a.title[href]", "href"),
            _words(row, "a.title h3"),
            _words(row, ".clamp-details"),
            {
                _METASCORE: ".clamp-score-wrap .metascore_w:not(.user)",
                _USERS: ".clamp-userscore .metascore_w.user",
            },
            row,
        )
        for row in page.tree.select("td.clamp-summary-wrap")
    )
    return [record for row in rows if (record := _listed(page, *row))]


_OF_LISTS = re.compile(r"/(?:browse|search)/")
_MOST_ROWS = 500
"""Rows of a list that are read: no page has as many, and rows within rows take long."""


def _products(page: Page) -> list[Record] | None:
    """Browse and search pages from 2010 on: film pages show such rows of other films."""
    if b"product_title" not in page.body or not _OF_LISTS.match(urlsplit(live_url(page.url)).path):
        return None
    users = ".product_avguserscore .data"
    rows = (
        (
            _attribute(row, ".product_title a[href]", "href"),
            _words(row, ".product_title a[href]"),
            _words(row, ".release_date .data"),
            {_METASCORE: ".metascore_w:not(.user)"}
            | ({_USERS: users} if row.select_one(users) else {}),
            row,
        )
        for row in page.tree.select("li.result, .product_wrap", limit=_MOST_ROWS)
    )
    return [record for row in rows if (record := _listed(page, *row))]


def _listed(
    page: Page,
    href: str | None,
    title: str | None,
    date: str | None,
    slots: Mapping[str, str],
    row: Tag,
) -> Record | None:
    """The record of one film of a list, or None where the row is no film's."""
    if _kind_of_url(href) != _FILM or title is None:
        return None
    product = _Product(url=href, kind=_FILM, title=title, released_on=iso_date(date))
    scores = {kind: _first(kind, _in_slots(kind, row, place)) for kind, place in slots.items()}
    return _record(page, product, scores)


def _in_slots(kind: str, part: Tag, *places: str) -> Score | None:
    """The first score in the places where a layout has it; empty slots hold nothing."""
    for slot in (slot for place in places for slot in part.select(place)):
        if text := plain(slot.get_text(" ")):
            box = slot.find_parent(class_=_BOXES)
            return read_score(kind, text, _based_on(box.get_text(" ")) if box else None)
    return None


def _none(kind: str, page: Page, wrap: str) -> Score | None:
    """No score yet, where the part that would show it is there without a slot or a figure.

    On a page that was cut off, the score may have stood in what is lost.
    """
    part = page.tree.select_one(wrap) if page.complete else None
    if part is None or part.select_one(".metascore_w, .score_value"):
        return None
    if re.search(r"\d", _BASED_ON.sub("", part.get_text(" "))):
        return None
    return not_rated(kind)


def _words(part: Tag | None, selector: str) -> str | None:
    found = part.select_one(selector) if part else None
    return plain(found.get_text(" ")) if found else None


def _all_words(part: Tag, selector: str) -> tuple[str, ...]:
    return _unique(filter(None, (plain(found.get_text(" ")) for found in part.select(selector))))


def _attribute(part: Tag, selector: str, name: str) -> str | None:
    found = part.select_one(selector)
    return plain(str(found.get(name, ""))) if found else None


# Values of JSON that may have any shape.


def _json(body: bytes) -> Any:
    """The body as JSON, or None. Saved answers hold bytes that are no UTF-8: those are replaced."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def _starts_with(body: bytes, mark: bytes) -> bool:
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(mark)


def _text(value: Any, *path: str) -> str | None:
    found = value_at(value, *path)
    return found if isinstance(found, str) and found else None


def _votes(raw: object) -> Count | None:
    return count(raw) if isinstance(raw, int | float | str) else None


LAYOUTS: dict[str, Layout] = {
    "nuxt-2026": _nuxt,
    "global-score-2026": _global_score,
    "backend-2023": _backend,
    "finder-2023": _finder,
    "score-info-2023": _score_info,
    "review-card-2023": _review_card,
    "cards-2023": _cards,
    "browse-2018": _clamped,
    "products-2010": _products,
    "classic-2017": _classic,
    "microdata-2014": _microdata,
    "classic-2010": _first_classic,
    "film-titles-2005": _film_titles,
}
"""What Metacritic has looked like, newest first; the years are those in which a layout began."""

"""AfterCredits.com: posts of its WordPress REST API, and the pages of single posts.

A post answers two questions ("Are There Any Extras During|After The Credits? Yes|No") and stands
in categories that say the same. The two may contradict each other: then a place is unknown. The
descriptions of the scenes are the site's own text and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bs4 import Tag

from spiders.items import Credits, Outcome, Person, Record, Verdict
from spiders.pages.addresses import linked_url, on_same_host, own_source_id
from spiders.pages.embedded import plain
from spiders.pages.listed_titles import listed_title
from spiders.pages.numbers import runtime_minutes
from spiders.pages.page import Page
from spiders.pages.verdicts import PLACES, Claims, Place, in_order
from spiders.sources import by_key

# The API gives categories as numbers, the pages as names. Films stand in 5 on the API; the pages
# leave that one out of what they show.
_CATEGORY_NAMES = {
    5: "movies",
    6: "non-stingers",
    7: "stingers",
    8: "unknown",
    14: "during credits",
    15: "after credits",
    16: "both during & after credits",
}
_CATEGORY_PLACES: dict[str, tuple[Place, ...]] = {
    "during credits": ("during",),
    "after credits": ("after",),
    "both during & after credits": PLACES,
}
_SAYS_STINGER = frozenset({"stingers", *_CATEGORY_PLACES})
_VERDICT_CATEGORIES = frozenset({"non-stingers", "unknown"}) | _SAYS_STINGER
_OTHER_KINDS = {
    "television": "tvSeries",
    "tv": "tvSeries",
    "games": "game",
    "video games": "game",
}
_EXTRAS = {
    "bonus scene": "bonus_scene",
    "blooper": "blooper",
    "bloopers": "blooper",
    "outtake": "blooper",
    "outtakes": "blooper",
    "blooper/outtake": "blooper",
    "audio": "audio",
    "still images": "stills",
    "dedication": "dedication",
    "dedications": "dedication",
    "dedications/in memoriam": "dedication",
    "sequel setup": "sequel_setup",
}

_GAP = r"(?:\s|&nbsp;|&#160;|<[^<>]*>)"
# The answer is the first text behind the question, closed by a tag: cut short, it is no answer.
# Posts of 2011 ask "During Credits?"; with "The", and no "Extras", it would be the site's name.
_QUESTION = re.compile(
    rf"(?:\bExtras{_GAP}+(?P<place>During|After){_GAP}+The{_GAP}+"
    rf"|>\s*(?P<old>During|After){_GAP}+)Credits\?{_GAP}*(?P<answer>[^<]+)<",
    re.I,
)
_YES = re.compile(r"\W*yes\b(?!\s*(?:and|/|or)\s*no\b)", re.I)
_NO = re.compile(r"\W*(?:no|none)\W*", re.I)
# The net vote and the number of votes; later posts show stars out of five, which are not it.
_RATING = re.compile(
    r"\bpost-ratings\b.{0,2000}?<strong>\s*(?P<net>[-+\u2212]?\d[\d,]*)\s*</strong\s*>[^<]{0,40}"
    r"<strong>\s*(?P<votes>\d[\d,]*)\s*</strong\s*>",
    re.S,
)
_IMDB = re.compile(
    r"<a\b[^<>]{0,500}\bimdb\.com/(?:[a-z]{2}/)?title/(?P<id>tt[0-9]{7,10})\b[^<>]{0,500}>"
    r"(?P<named>(?:\s|<[^<>]*>)*IMDb)?",
    re.I,
)
_DETAIL = r"{}:?" + _GAP + r"*(?P<detail>[^<\n]+)"
_RUNTIME = re.compile(_DETAIL.format("Running Time"), re.I)
_DIRECTORS = re.compile(_DETAIL.format("Directed By"), re.I)
_CONTENT = re.compile(r"""\bclass=["'][^"'>]*\btd-post-content\b""")
# Before the theme of today, the classes and relations that WordPress itself gives.
_CONTENT_OF_OLD = re.compile(r"""\bclass=["'](?:[^"'>]*\s)?entry-content["'\s]""")
_COMMENTS = re.compile(r"""\b(?:id|class)=["']?comments\b""")
_POSTED = re.compile(r"^(\d{4})/")


@dataclass(frozen=True)
class _Post:
    """A film's post, from the API or from its page; `categories` are names in lower case."""

    source_id: str
    url: str
    title: str
    categories: frozenset[str] | None
    body: str
    rating: str
    complete: bool = True


def _rest(page: Page) -> Sequence[Record] | None:
    """Posts of the WordPress REST API: a list, or one post."""
    answer = page.json
    posts = [answer] if isinstance(answer, dict) else answer
    if not isinstance(posts, list):
        return None
    read = [post for found in posts if (post := _rest_post(page, found))]
    if not read and (posts or "/wp/v2/posts" not in page.url):
        return None
    return [_record(page, post, is_film=_is_film_on_the_api(post)) for post in read]


def _rest_post(page: Page, found: Any) -> _Post | None:
    if not isinstance(found, dict):
        return None
    link, title, body = found.get("link"), _rendered(found, "title"), _rendered(found, "content")
    url = linked_url(page, link) if isinstance(link, str) else None
    source_id = by_key(page.source).source_id(url) if url else None
    if not url or not source_id or not title:
        return None
    return _Post(source_id, url, title, _rest_categories(found), body, body)


def _rendered(found: dict[str, Any], key: str) -> str:
    part = found.get(key)
    text = part.get("rendered") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""


def _rest_categories(found: dict[str, Any]) -> frozenset[str] | None:
    """Names of a post's categories, or None where the answer does not state them."""
    numbers = found.get("categories")
    names: set[str] = set()
    stated = isinstance(numbers, list)
    for number in numbers if isinstance(numbers, list) else ():
        if isinstance(number, int):
            names.add(_CATEGORY_NAMES.get(number, ""))
    embedded = found.get("_embedded")
    groups = embedded.get("wp:term") if isinstance(embedded, dict) else None
    for group in groups if isinstance(groups, list) else ():
        for term in group if isinstance(group, list) else ():
            if isinstance(term, dict) and term.get("taxonomy") == "category":
                names.add((plain(term.get("name")) or "").casefold())
    return frozenset(names - {""}) if stated or names else None


def _is_film_on_the_api(post: _Post) -> bool:
    return post.categories is None or "movies" in post.categories


def _page(page: Page) -> Sequence[Record] | None:
    """The page of one post."""
    content = _CONTENT.search(page.text)
    heading = page.tree.select_one("h1.entry-title") if content else None
    links = page.tree.select("ul.td-category li.entry-category a") if heading else []
    return _read_page(page, content, heading, links)


def _old_page(page: Page) -> Sequence[Record] | None:
    """The page of one post before the theme of today: a page of several posts is a list."""
    if _CONTENT.search(page.text):
        return None
    contents = list(_CONTENT_OF_OLD.finditer(page.text))
    headings = page.tree.select(".entry-title") if len(contents) == 1 else []
    if len(headings) != 1:
        return None
    return _read_page(page, contents[0], headings[0], page.tree.select('a[rel~="category"]'))


def _read_page(
    page: Page, content: re.Match[str] | None, heading: Tag | None, links: Sequence[Tag]
) -> Sequence[Record] | None:
    source_id = own_source_id(page) if heading else None
    if not content or not heading or not source_id:
        return None
    names = ((plain(link.get_text()) or "").casefold() for link in links)
    # Readers' comments may quote the questions: what stands behind their heading is not read.
    comments = _COMMENTS.search(page.text, content.end())
    body = page.text[content.end() : comments.start() if comments else None]
    post = _Post(
        source_id,
        page.url,
        heading.get_text(),
        frozenset(names),
        body,
        rating=page.text,
        complete=page.complete or bool(comments),
    )
    is_film = _is_film_on_its_page(post)
    return None if is_film is None else [_record(page, post, is_film=is_film)]


def _is_film_on_its_page(post: _Post) -> bool | None:
    """Whether a post is of a film; None where what would tell has been cut off."""
    names = post.categories or frozenset()
    if "movies" in names:
        return True
    if names & _OTHER_KINDS.keys():
        return False
    if names & _VERDICT_CATEGORIES or _answers(post.body):
        return True
    return False if post.complete else None


def _record(page: Page, post: _Post, *, is_film: bool) -> Record:
    posted = _POSTED.match(post.source_id)
    named = listed_title(post.title, int(posted[1]) if posted else None)
    imdb_id = _imdb_id(post.body)
    kinds = [kind for name, kind in _OTHER_KINDS.items() if name in (post.categories or ())]
    runtime = _RUNTIME.search(post.body)
    return Record(
        source=page.source,
        source_id=post.source_id,
        url=post.url,
        outcome=Outcome.OK if is_film else Outcome.NOT_A_FILM,
        kind=None if is_film or not kinds else kinds[0],
        title=named.title if named else None,
        year=named.year if named else None,
        imdb_id=imdb_id,
        identifiers={"imdb": (imdb_id,)} if imdb_id else {},
        runtime_minutes=runtime_minutes(runtime["detail"]) if runtime else None,
        people=_directors(post.body),
        credits=_credits(post) if is_film else None,
    )


def _credits(post: _Post) -> Credits | None:
    names, answers = post.categories, _answers(post.body)
    if names is None and not answers:
        return None
    during, after = _verdicts(names or frozenset(), answers, complete=post.complete)
    rating = _RATING.search(post.rating)
    return Credits(
        during=during,
        after=after,
        scene_count=0 if during is after is Verdict.NO else None,
        extras=in_order(_EXTRAS[name] for name in names or () if name in _EXTRAS),
        worth_staying=_number(rating["net"]) if rating else None,
        worth_staying_votes=_number(rating["votes"]) if rating else None,
    )


def _verdicts(names: frozenset[str], answers: Claims, *, complete: bool) -> tuple[Verdict, Verdict]:
    """What categories and answers come to, where they do not contradict each other."""
    unanswered = not (answers.during and answers.after)
    if "unknown" in names or (unanswered and not complete):
        # On a cut page the answer that contradicts a category may be what is missing.
        return Claims().verdicts()
    if "stingers" in names and answers.agree_on(Verdict.NO):
        return Claims().verdicts()
    claims = _category_claims(names)
    for place, said in answers:
        claims.of(place).update(said)
    return claims.verdicts()


def _category_claims(names: frozenset[str]) -> Claims:
    claims = Claims()
    for name, places in _CATEGORY_PLACES.items():
        if name in names:
            claims.add(Verdict.YES, places)
    if "non-stingers" in names:
        # Beside a category that affirms, it denies what that one says, and is no proof that
        # nothing waits at the other place.
        affirmed = [place for place, said in claims if said]
        claims.add(Verdict.NO, affirmed if names & _SAYS_STINGER else PLACES)
    return claims


def _answers(body: str) -> Claims:
    claims = Claims()
    for asked in _QUESTION.finditer(body):
        place: Place = "during" if (asked["place"] or asked["old"]).lower() == "during" else "after"
        answer = plain(asked["answer"]) or ""
        if _YES.match(answer):
            claims.add(Verdict.YES, (place,))
        elif _NO.fullmatch(answer):
            claims.add(Verdict.NO, (place,))
    return claims


def _imdb_id(body: str) -> str | None:
    """The film's id: of the link named IMDb, else of the only film linked to."""
    links = list(_IMDB.finditer(body))
    for some in ({link["id"] for link in links if link["named"]}, {link["id"] for link in links}):
        if len(some) == 1:
            return some.pop()
    return None


def _directors(body: str) -> tuple[Person, ...]:
    stated = _DIRECTORS.search(body)
    names = re.split(r",|&|\band\b", plain(stated["detail"]) or "") if stated else []
    return tuple(Person(name=name.strip(), role="director") for name in names if name.strip())


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("\u2212", "-"))


def next_page(page: Page) -> str | None:
    """The address of the next page of a list, or None on its last page."""
    total = page.header("X-WP-TotalPages")
    if total is None:
        following = page.tree.select_one('link[rel~="next"][href], a[aria-label="next-page"][href]')
        return on_same_host(page, str(following["href"])) if following else None
    parts = urlsplit(page.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    at = query.get("page", "1")
    if not (at.isdecimal() and total.isdecimal() and int(at) < int(total)):
        return None
    query["page"] = str(int(at) + 1)
    return urlunsplit(parts._replace(query=urlencode(query)))


def refusal(page: Page) -> tuple[Outcome, str] | None:
    """The API answers 400, and says why, where a list has no page of that number."""
    if page.status == 400 and b"rest_post_invalid_page_number" in page.body[:500]:
        return Outcome.NOT_FOUND, "the list has no page of that number"
    return None


LAYOUTS = {"rest": _rest, "post": _page, "post-2010": _old_page}

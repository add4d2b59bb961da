"""IMDb's title pages until 2020, and pages below them until 2023, as people see them.

The overview at the top of a page shows what we need. Kind and year stand in the brackets of the
page's <title> in every era: "Foo (2012)", "Foo (TV Series 2008–2013)".
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

from spiders.items import Outcome, Record, Score, ScoreState
from spiders.pages.embedded import plain
from spiders.pages.imdb_record import (
    kind_of_label,
    label_and_year,
    own_id,
    record_of,
    shown_kind,
    title_in_head,
    without_slot,
)
from spiders.pages.imdb_words import BASED_ON, NONE_YET, RATING, USERS_RATED, YEAR
from spiders.pages.listed_titles import listed_title
from spiders.pages.numbers import count, figure, runtime_minutes
from spiders.pages.page import Page
from spiders.pages.scores import missing, not_rated, read_score

_ALONE = ".imdbRating, .star-box-details:has([itemprop=ratingValue])"
_OF_A_RATING = (b'class="imdbRating"', b'class="star-box-details"', b' user ratings"')
_A_FIGURE = re.compile(r"(?<![\d.,])\d[.,]\d(?![\d.,])")


def overview_2018(page: Page) -> list[Record] | None:
    """`strong[title]` and plain spans: 2018 took the microdata away."""
    return _overview(page, microdata=False)


def overview_2015(page: Page) -> list[Record] | None:
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


def rating_alone(page: Page) -> list[Record] | None:
    """The rating of that overview, or of the one before it, in an excerpt which has lost what stood
    around it: at most, all but `strong[title="8.7 based on 1,234 user ratings"]`."""
    if not any(mark in page.body for mark in _OF_A_RATING) or not own_id(page):
        return None
    slot = page.tree.select_one(_ALONE)
    stated = [BASED_ON.match(str(tag["title"])) for tag in page.tree.select("strong[title]")]
    if slot:
        score = _shown_score(
            page,
            slot,
            "[itemprop=ratingValue], strong[title] span",
            "[itemprop=ratingCount], a .small",
        )
    elif len(stated) == 1 and stated[0]:
        score = read_score(RATING, stated[0][1], stated[0][2])
    else:
        return None
    name = page.tree.select_one("h1.header [itemprop=name]:not(.title-extra)")
    label, year = label_and_year(page)
    kind, title = shown_kind(page, label, ()), title_in_head(page) or _own_text(name)
    return [
        record_of(
            page,
            kind=kind,
            title=title,
            year=year or _linked_year(page.tree),
            scores={RATING: score},
        )
    ]


def star_box_microdata(page: Page) -> list[Record] | None:
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


def star_box(page: Page) -> list[Record] | None:
    """The redesign of October 2010, before it got microdata: `span.rating-rating` "8.7/10".

    On later pages a span of that class holds the visitor's own rating. In 2011 a page said what
    people gave it over its stars instead: "Users rated this 8.7/10 (1,234 votes)".
    """
    region = _region(page, 'id="overview-top"', 'id="overview-bottom"')
    heading = region.select_one("h1.header") if region else None
    if not region or not heading or region.select_one("[itemprop]"):
        return None
    stars = region.select_one(".rating-big[title]")
    if stars and (rated := USERS_RATED.search(str(stars["title"]))):
        score = read_score(RATING, rated[1], rated[2])
    else:
        score = _shown_score(page, region, ".rating-rating:not(:has(.value))", "a[href*=ratings]")
    return _shown(page, region, heading, region.select_one(".title-extra"), score)


def reference(page: Page) -> list[Record] | None:
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


_COMBINED_BELOW = re.compile(rb"\bid=\"tn15\" class=\"(?!maindetails|combined)\w")


def combined(page: Page) -> list[Record] | None:
    """Title pages until October 2010, and the combined view until 2017: `#tn15title`.

    The rating stands above the content, and until 2009 within it; pages below a title's have the
    same head, linked to it, and no place for a rating. A title in quotes is a series or an episode
    of one.
    """
    region = _region(page, 'id="tn15title"', 'id="tn15content"')
    heading = region.select_one("h1") if region else None
    if not region or not heading or not own_id(page):
        return None
    within = _region(page, 'id="tn15rating"', 'class="info"')
    rating = within.select_one("#tn15rating") if within else None
    if not rating and b'class="info"' in page.body:  # without it, other people's ratings follow
        rating = _region(page, "User Rating:", 'class="info"')
    scores = {RATING: _shown_score(page, rating, "b", "a[href*=ratings]")} if rating else {}
    if (
        not rating
        and not _COMBINED_BELOW.search(page.body)
        and not _WITHOUT_RATING.search(page.path)
    ):
        scores = {RATING: missing(RATING)}
    label, year = label_and_year(page)
    kind = kind_of_label(label)
    title = _own_text(heading) or _own_text(heading.select_one("a[href]"))
    record = record_of(page, kind=kind, title=_unquoted(title), year=year, scores=scores)
    if title and title.startswith('"'):
        record = record.model_copy(update={"outcome": Outcome.NOT_A_FILM})
    return [record]


_BETWEEN = rb"(?:\s|&nbsp;|<[^<>]*>){0,60}"
_USER_RATING = re.compile(
    rb"<b\b[^<>]*>\s*User Rating:\s*</b\s*>" + _BETWEEN + rb"(?:\((?:awaiting|needs) \d"
    rb"|(?P<value>\d+(?:\.\d)?)\s*/\s*10"
    + _BETWEEN
    + rb"\("
    + _BETWEEN
    + rb"(?P<votes>\d[\d,]*)\s+votes\b)",
    re.I,
)


def user_rating(page: Page) -> list[Record] | None:
    """Title pages before 2007, in the words that state the rating behind its stars:
    `User Rating: 8.5/10 (190,107 votes)`."""
    found = _USER_RATING.search(page.body) if b"User Rating:" in page.body else None
    title = title_in_head(page) if found else None
    if not found or not title or not own_id(page) or b'id="tn15' in page.body:
        return None
    rating, votes = (part and part.decode() for part in found.group("value", "votes"))
    score = read_score(RATING, rating, votes) if rating else not_rated(RATING)
    label, year = label_and_year(page)
    kind = kind_of_label(label) or ("tvSeries" if title.startswith('"') else None)
    named = listed_title(_unquoted(title))  # `Matrix, The`
    name = named.title if named else None
    return [record_of(page, kind=kind, title=name, year=year, scores={RATING: score})]


def _shown(
    page: Page, region: Tag, name: Tag, original: object, score: Score
) -> list[Record] | None:
    if not own_id(page):  # pages of people have the same head
        return None
    label, year = label_and_year(page)
    year = year or _linked_year(region)
    links = region.select("a[href*='/genre/']")
    genres = tuple(dict.fromkeys(genre for link in links if (genre := plain(link.get_text()))))
    time = region.select_one("time[datetime]")
    facts = [text for tag in region.select(".subtext, .infobar") for text in tag.stripped_strings]
    return [
        record_of(
            page,
            kind=shown_kind(page, label, genres, facts),
            title=_own_text(name),
            original_title=_unquoted(_own_text(original)),
            year=year,
            runtime_minutes=runtime_minutes(time["datetime"]) if time else None,
            genres=genres,
            scores={RATING: score},
        )
    ]


def _linked_year(region: Tag) -> int | None:
    """The year beside a title, where an excerpt lacks the page's <title>."""
    shown = region.select_one(":is(h1, h3) a[href*='/year/']")
    said = shown.get_text().strip() if shown else ""
    return int(said) if YEAR.fullmatch(said) else None


def _shown_score(page: Page, slot: Tag | None, value: str, votes: str) -> Score:
    """The score in a slot; `missing` where the slot shows a figure, but not where it should be."""
    if slot is None:
        return without_slot(page)
    values = [tag.get_text() for tag in slot.select(value)]
    if values:
        counts = (count(tag.get_text()) for tag in slot.select(votes))
        shown = next((text for text in values if figure(text) is not None), values[0])
        score = read_score(RATING, shown, next((number for number in counts if number), None))
        cut = not page.complete and score.state is ScoreState.NOT_RATED
        return missing(RATING) if cut else score
    text = slot.get_text(" ")
    if NONE_YET.search(text):
        return not_rated(RATING)
    return missing(RATING) if _A_FIGURE.search(text) else without_slot(page)


# Of the pages below a title's, these show no rating of it: reviews, credits, episodes and the like.
_WITHOUT_RATING = re.compile(
    r"/title/tt\d+/(?:episodes|fullcredits|(?:user|critic|external)?reviews|usercomments"
    r"|plotsummary|synopsis|releaseinfo|locations|keywords|awards|trivia|goofs|quotes|taglines"
    r"|faq|parentalguide|soundtrack|companycredits|technical|mediaindex|movieconnections"
    r"|alternateversions|business|news)$"
)


def below_a_title(page: Page) -> list[Record] | None:
    """Older pages below a title's: what its <title> says, and no score, since none is shown."""
    title = title_in_head(page)
    if not title or not own_id(page) or not _WITHOUT_RATING.search(page.path):
        return None
    label, year = label_and_year(page)
    of_series = page.path.endswith("/episodes") or title.startswith('"')
    kind = kind_of_label(label) or ("tvSeries" if of_series else None)
    return [record_of(page, kind=kind, title=_unquoted(title), year=year)]


# A bar stands between the parts of the page, so that no number runs into the next one.
_GIVEN = re.compile(
    r"(?<![\d.,])(?P<votes>\d{1,3}(?:[.,\s]\d{3}){0,4}|\d{1,2}(?:,\d{2}){1,3},\d{3}|\d{4,12})"
    r" IMDb users"
    r" have given an? (?:weighted )?average vote of (?P<value>\d+(?:[.,]\d)?)"
    r"[\s|]*/[\s|]*10(?!\d)".replace(" ", r"[\s|]+")
)


def ratings(page: Page) -> list[Record] | None:
    """The page of a title's ratings until 2023, in the words that state them.

    Asked for some people's votes (`?demo=`), it states theirs.
    """
    if not page.path.endswith("/ratings") or not own_id(page):
        return None
    text = plain(page.tree.get_text("|")) or ""
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
    label, year = label_and_year(page)
    kind, title = shown_kind(page, label, ()), title_in_head(page)
    return [record_of(page, kind=kind, title=title, year=year, scores={RATING: score})]


_OF_TEN = re.compile(r"(?P<value>\d+(?:[.,]\d)?)\s*/\s*10\s*(?P<votes>\d[\d.,\s]*[KM]?)?")


def mobile(page: Page) -> list[Record] | None:
    """The title pages of m.imdb.com until 2021: `7.9<small>/10<br>91,217</small>` in a bar."""
    bar = page.tree.select_one("#ratings-bar") if b"ratings-bar" in page.body else None
    if not bar or not own_id(page):
        return None
    slots = (slot.get_text(" ").strip() for slot in bar.select("span.vertically-middle"))
    shown = next((found for text in slots if (found := _OF_TEN.fullmatch(text))), None)
    if shown:
        score = read_score(RATING, shown["value"], shown["votes"])
    else:
        none_yet = NONE_YET.search(bar.get_text(" "))
        score = not_rated(RATING) if none_yet else missing(RATING)
    heading = page.tree.select_one(".media-body h1")
    label, year = label_and_year(page)
    genres = tuple(
        name
        for tag in page.tree.select('.media-body [itemprop="genre"]')
        if (name := plain(tag.get_text()))
    )
    return [
        record_of(
            page,
            kind=shown_kind(page, label, genres),
            title=_own_text(heading) or title_in_head(page),
            year=year,
            genres=genres,
            scores={RATING: score},
        )
    ]


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

"""Titles as lists of films write them: `Odyssey, The (2026)*`."""

from __future__ import annotations

import re
from typing import NamedTuple

from spiders.pages.embedded import plain

_YEAR = r"(?P<year>(?:18[789]|19\d|20\d)\d)"
_WITH_YEAR = re.compile(rf"(?P<title>.*\S)\s*\({_YEAR}\)")
_BARE_YEAR = re.compile(rf"(?P<title>.*\S)\s+{_YEAR}")
_ARTICLE_LAST = re.compile(r"(?P<title>.+),\s*(?P<article>The|An|A)", re.I)
_TAG = re.compile(r"<[^<>]*>")
_ARROW = re.compile(r"^[\s\-–>»▶►]+(?=\S)")


class ListedTitle(NamedTuple):
    """A film's title in its usual order of words, and its year where the list gives one."""

    title: str
    year: int | None


def listed_title(raw: object, posted_in: int | None = None) -> ListedTitle | None:
    """The title and year in a list's text or markup, or None where it holds none.

    >>> listed_title("Odyssey, The (2026)*"), listed_title("Lee Cronin&#8217;s The Mummy (2026)")
    (ListedTitle(title='The Odyssey', year=2026), \
ListedTitle(title='Lee Cronin’s The Mummy', year=2026))
    >>> listed_title("Hoppers 2026", posted_in=2026), listed_title("Blade Runner 2049")
    (ListedTitle(title='Hoppers', year=2026), ListedTitle(title='Blade Runner 2049', year=None))

    A year without parentheses may belong to the title: it is read as the year only where the
    list says that it was written in that year (`posted_in`).
    """
    text = plain(_TAG.sub("", raw)) if isinstance(raw, str) else None
    if not text:
        return None
    text = _ARROW.sub("", text)
    year = None
    if found := _WITH_YEAR.match(text):
        text, year = found["title"], int(found["year"])
    else:
        # What follows the year is the list's own mark; without a year only the star can be one,
        # since a question mark may end a title.
        text = text.rstrip("* ") or text
        bare = _BARE_YEAR.fullmatch(text)
        if bare and int(bare["year"]) == posted_in:
            text, year = bare["title"], posted_in
    if last := _ARTICLE_LAST.fullmatch(text):
        text = f"{last['article']} {last['title']}"
    return ListedTitle(text, year)

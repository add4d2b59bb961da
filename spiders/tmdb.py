"""TMDB: the API's film details, its finder for films whose TMDB id nobody else gives, its feed of
changes, and the daily export of all its ids."""

from __future__ import annotations

import io
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any

from scrapy.http import Response

from spiders.base import SourceSpider
from spiders.items import Answer, Ids, Outcome, Record
from spiders.pages.page import Page
from spiders.pages.tmdb import total_pages
from spiders.pages.tmdb_exports import ExportFault, read_export
from spiders.plan import Target

IDS_AN_ANSWER = 20_000
"""Enough that what a message costs by itself does not count, and half a megabyte."""

_NOT_THERE = (403, 404)
"""What a store of files answers for one that it does not have, as it may be looked into or not."""


class TmdbSpider(SourceSpider):
    """Asks the API with the bearer token that stands in the environment.

    The feed is asked a day at a time, page after page. One question may span a fortnight, but has
    then more pages than the API numbers. An export that is not there yet is no fault: the one of
    the day before will do, which must be.
    """

    name = "tmdb"

    def headers(self, target: Target) -> dict[str, str]:
        """The token goes from the environment into the request and nowhere else; the exports are
        there for everybody."""
        if target.kind == "export":
            return {}
        token = os.environ.get(self.source.key_variable or "", "")
        return {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def find_targets(self) -> Iterable[Target]:
        """The newest export, the feed of changes, then one `/find` for each film with an IMDb id
        and no TMDB id."""
        yield from map(_export, self.plan.exported_on[:1])
        self._unread, self._page = deque(self.plan.changed_on), 1
        yield from self._changes()
        for imdb_id in self.plan.wanted_imdb_ids:
            url = f"https://api.themoviedb.org/3/find/{imdb_id}?external_source=imdb_id"
            yield Target(kind="find", url=url)

    def answered(self, response: Response, target: Target, asked: float) -> Iterator[Answer]:
        """An export is read whole, and handed over a part at a time."""
        if target.kind != "export" or response.status not in (200, *_NOT_THERE):
            yield from super().answered(response, target, asked)
            return
        days = {_export(day).url: day for day in self.plan.exported_on}
        common = {
            **self.about(target),
            "http_status": response.status,
            "exported_on": days[target.url],
        }
        if response.status == 200:
            yield from self._read(response.body, asked, common)
        elif days[target.url] == self.plan.exported_on[0]:
            yield Answer(**common, outcome=Outcome.NOT_FOUND, detail="it is not there yet")
            self.waiting.extendleft(map(_export, self.plan.exported_on[1:]))
        else:
            yield Answer(**common, outcome=Outcome.ERROR, detail="an old export that is not there")

    def answer_fields(self, page: Page, target: Target) -> Mapping[str, Any]:
        """The feed has come whole with the last page of its last day."""
        if target.kind != "changes":
            return {}
        pages = total_pages(page)
        at_the_end = pages is not None and self._page >= pages and len(self._unread) == 1
        first, last = self.plan.changed_on[0], self.plan.changed_on[-1]
        return {
            "complete": at_the_end,
            "changed_since": f"{first}T00:00:00Z",
            "changed_before": f"{_day_after(last)}T00:00:00Z",
        }

    def follow(self, page: Page, target: Target, records: list[Record]) -> Iterable[Target]:
        """The feed's next page, else the first of its next day; nothing where it does not say how
        many there are."""
        pages = total_pages(page)
        if target.kind != "changes" or pages is None:
            return
        if self._page < pages:
            self._page += 1
        else:
            self._unread.popleft()
            self._page = 1
        yield from self._changes()

    def _changes(self) -> Iterator[Target]:
        """The page of the feed that is to be asked now, if any is."""
        if self._unread:
            day = self._unread[0]
            span = f"start_date={day}&end_date={_day_after(day)}"
            url = f"https://api.themoviedb.org/3/movie/changes?{span}&page={self._page}"
            yield Target(kind="changes", url=url)

    def _read(self, body: bytes, asked: float, common: Mapping[str, Any]) -> Iterator[Answer]:
        try:
            films = read_export(io.BytesIO(body), self.plan.popularity_at_least)
        except ExportFault as fault:
            yield Answer(**common, outcome=Outcome.UNREADABLE, detail=str(fault))
            return
        untold = iter(films.items())
        for start in range(0, max(len(films), 1), IDS_AN_ANSWER):
            part = list(islice(untold, IDS_AN_ANSWER))
            yield Answer(
                **common,
                outcome=Outcome.OK,
                complete=start + IDS_AN_ANSWER >= len(films),
                ids=Ids(
                    source_ids=tuple(str(film) for film, _ in part),
                    popularities=tuple(popularity for _, popularity in part),
                ),
                records_in_all=len(films),
                seconds=round(time.monotonic() - asked, 3),
            )


def _export(day: str) -> Target:
    name = f"movie_ids_{date.fromisoformat(day):%m_%d_%Y}.json.gz"
    return Target(kind="export", url=f"https://files.tmdb.org/p/exports/{name}")


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()

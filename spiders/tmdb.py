"""TMDB: the API's film details, its finder for films whose TMDB id nobody else gives, and its feed
of changes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from spiders.base import SourceSpider
from spiders.items import Record
from spiders.pages.page import Page
from spiders.pages.tmdb import total_pages
from spiders.plan import Target


class TmdbSpider(SourceSpider):
    """Asks the API with the bearer token that stands in the environment.

    The feed is asked a day at a time, page after page. One question may span a fortnight, but has
    then more pages than the API numbers.
    """

    name = "tmdb"

    def headers(self) -> dict[str, str]:
        """The token goes from the environment into the request and nowhere else."""
        token = os.environ.get(self.source.key_variable or "", "")
        return {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def find_targets(self) -> Iterable[Target]:
        """The feed of changes, then one `/find` for each film with an IMDb id and no TMDB id."""
        self._unread, self._page = deque(self.plan.changed_on), 1
        yield from self._changes()
        for imdb_id in self.plan.wanted_imdb_ids:
            url = f"https://api.themoviedb.org/3/find/{imdb_id}?external_source=imdb_id"
            yield Target(kind="find", url=url)

    def told(self, page: Page, target: Target) -> Mapping[str, Any]:
        """The feed has come whole with the last page of its last day."""
        if target.kind != "changes":
            return {}
        pages = total_pages(page)
        at_the_end = pages is not None and self._page >= pages and len(self._unread) == 1
        before = f"{_day_after(self.plan.changed_on[-1])}T00:00:00Z"
        return {"complete": at_the_end, "changed_before": before}

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


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()

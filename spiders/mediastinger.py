"""MediaStinger: verdicts from its lists of films by type of stinger."""

from __future__ import annotations

from collections.abc import Iterable

from spiders.base import SourceSpider
from spiders.items import Record
from spiders.pages.mediastinger import next_page
from spiders.pages.page import Page
from spiders.plan import Target

TYPES = (
    "no-post-credits-scene",
    "post-credits-scene",
    "post-credits-extra",
    "scene-during-credits",
    "extras-during-credits",
    "currently-no-after-credits-information",
)


class MediastingerSpider(SourceSpider):
    """Asks each list, page by page."""

    name = "mediastinger"

    def find_targets(self) -> Iterable[Target]:
        """The first page of each list."""
        for kind in TYPES:
            url = f"https://mediastinger.com/type-of-stinger/{kind}/page/1/"
            yield Target(kind="list", url=url)

    def follow(self, page: Page, target: Target, records: list[Record]) -> Iterable[Target]:
        """The next page, until the last."""
        url = next_page(page)
        if url:
            yield Target(kind="list", url=url)

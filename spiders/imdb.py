"""IMDb: the non-commercial datasets; title pages only where the operator has permission."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterable, Iterator

from scrapy.http import Response

from spiders.base import SourceSpider, now
from spiders.items import Answer, Outcome
from spiders.pages.imdb_datasets import DatasetFault, read_datasets
from spiders.plan import Target

RATINGS = "https://datasets.imdbws.com/title.ratings.tsv.gz"
BASICS = "https://datasets.imdbws.com/title.basics.tsv.gz"
TITLES_AN_ANSWER = 5_000
"""Enough that what a message costs by itself does not count, and half a megabyte."""


class ImdbSpider(SourceSpider):
    """Asks both datasets and yields the universe's films only when both were read to their end.

    The validators are those of the ratings, which change with every release, and hold for one
    selection only: another universe or a newly tracked film reads the datasets again.
    """

    name = "imdb"

    def find_targets(self) -> Iterable[Target]:
        """The ratings; the basics are asked once these have come."""
        plan = self.plan
        if plan.universe or plan.wanted_imdb_ids:
            told = plan.model_dump_json(include={"universe", "wanted_imdb_ids"})
            selection = hashlib.sha256(told.encode()).hexdigest()[:12]
            url = f"{RATINGS}#{selection}"
            etag, last_modified = plan.validators.get(url, (None, None))
            yield Target(kind="dataset", url=url, etag=etag, last_modified=last_modified)

    def answered(self, response: Response, target: Target, asked: float) -> Iterator[Answer]:
        """The ratings are kept until the basics have come; then both are read."""
        if target.kind != "dataset" or response.status != 200:
            yield from super().answered(response, target, asked)
        elif target.url.startswith(RATINGS):
            self._ratings = (target, response)
            self.waiting.append(Target(kind="dataset", url=BASICS))
        else:
            yield from self._read_both(response, asked)

    def _read_both(self, basics: Response, asked: float) -> Iterator[Answer]:
        target, ratings = self._ratings
        told = {
            "source": self.name,
            "target": "dataset",
            "asked_url": target.url,
            "url": target.url,
            "asked_at": now(),
            "http_status": 200,
        }
        try:
            selected = read_datasets(
                io.BytesIO(basics.body),
                io.BytesIO(ratings.body),
                self.plan.universe,
                self.plan.wanted_imdb_ids,
            )
        except DatasetFault as fault:
            yield Answer(**told, outcome=Outcome.UNREADABLE, detail=str(fault))
            return
        for part in selected.parts(TITLES_AN_ANSWER):
            yield Answer(
                **told,
                outcome=Outcome.OK,
                complete=part.is_last,
                etag=_header(ratings, "ETag") if part.is_last else None,
                last_modified=_header(ratings, "Last-Modified") if part.is_last else None,
                titles=part.titles,
                records=part.others,
                records_in_all=selected.in_all,
                seconds=round(time.monotonic() - asked, 3),
            )


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None

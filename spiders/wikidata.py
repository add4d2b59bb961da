"""Wikidata: the crosswalk from IMDb ids to the ids of the other sources."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from scrapy.http import Response

from spiders.base import SourceSpider
from spiders.items import Answer, Outcome
from spiders.pages.page import Page
from spiders.pages.sparql_rows import CutAnswerError
from spiders.pages.wikidata import read_crosswalk, record_of, refusal
from spiders.plan import Target
from spiders.sources import SOURCES

IDS_A_QUERY = 200
"""The query service answers 200 ids in a second or two; much more runs into its deadline."""

FILMS_AN_ANSWER = 2_000
"""Enough that what a message costs by itself does not count, and half a megabyte."""

_PROPERTIES = {s.key: s.wikidata_property for s in SOURCES if s.wikidata_property}


class WikidataSpider(SourceSpider):
    """Asks the query service for the films that are wanted, a batch at a time; where they are many,
    first for all that it has, and then for those that were not among them."""

    name = "wikidata"

    def headers(self, target: Target) -> dict[str, str]:
        """The service answers XML unless asked for JSON."""
        return {"Accept": "application/sparql-results+json"}

    def find_targets(self) -> Iterable[Target]:
        """One query for all, or one for each batch of IMDb ids."""
        if self.plan.whole_crosswalk:
            return [Target(kind="whole_crosswalk", url=_url(whole_query()))]
        return _batches(self.plan.wanted_imdb_ids)

    def answered(self, response: Response, target: Target, asked: float) -> Iterator[Answer]:
        """All there is comes as a stream of rows, too large to be read as a page."""
        if target.kind != "whole_crosswalk" or response.status != 200:
            yield from super().answered(response, target, asked)
            return
        common = {**self.about(target), "http_status": 200}
        refused = refusal(Page(self.name, target.url, response.body))
        wanted = frozenset(self.plan.wanted_imdb_ids)
        try:
            items = {} if refused else read_crosswalk(io.BytesIO(response.body), wanted)
        except CutAnswerError as fault:
            refused = Outcome.UNREADABLE, str(fault)
        if refused:
            outcome, why = refused
            detail = f"{why}; the next runs ask in batches"
            yield Answer(**common, outcome=outcome, detail=detail)
            self._mind(outcome, detail)
            return
        found: set[str] = set()
        untold = list(items)
        for start in range(0, max(len(untold), 1), FILMS_AN_ANSWER):
            part = [record_of(q, items[q]) for q in untold[start : start + FILMS_AN_ANSWER]]
            found.update(*(record.identifiers.get("imdb", ()) for record in part))
            yield Answer(
                **common,
                outcome=Outcome.OK,
                complete=start + FILMS_AN_ANSWER >= len(untold),
                records=tuple(part),
                records_in_all=len(untold),
                seconds=round(time.monotonic() - asked, 3),
            )
        self.waiting.extend(_batches(sorted(wanted - found)))


def batch_query(imdb_ids: Iterable[str]) -> str:
    """SPARQL for the ids that the films of these IMDb ids have at every source of the register."""
    wanted = " ".join(f'"{imdb_id}"' for imdb_id in imdb_ids)
    return f"SELECT * WHERE {{ VALUES ?imdb {{ {wanted} }} {_has('imdb')} {_may_have('imdb')} }}"


def whole_query() -> str:
    """SPARQL for those of every film that has one at IMDb and one at TMDB.

    It has to begin with TMDB's, of which there are fewest: the service's own optimiser begins with
    IMDb's, which people and series have too, and meets its deadline.
    """
    return (
        'SELECT * WHERE { hint:Query hint:optimizer "None". '
        f"{_has('tmdb')} {_has('imdb')} {_may_have('imdb', 'tmdb')} }}"
    )


def _has(source: str) -> str:
    return f"?item wdt:{_PROPERTIES[source]} ?{source}."


def _may_have(*but: str) -> str:
    return " ".join(f"OPTIONAL {{ {_has(key)} }}" for key in _PROPERTIES if key not in but)


def _batches(imdb_ids: Sequence[str]) -> Iterator[Target]:
    for start in range(0, len(imdb_ids), IDS_A_QUERY):
        batch = imdb_ids[start : start + IDS_A_QUERY]
        yield Target(kind="crosswalk", url=_url(batch_query(batch)))


def _url(query: str) -> str:
    return f"https://query.wikidata.org/sparql?query={quote(query)}"

"""Wikidata: the crosswalk from IMDb ids to the ids of the other sources."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from spiders.base import SourceSpider
from spiders.plan import Target
from spiders.sources import SOURCES

IDS_A_QUERY = 200
"""The query service answers 200 ids in a second or two; much more runs into its deadline."""


class WikidataSpider(SourceSpider):
    """Asks the query service for the films that are wanted, a batch at a time."""

    name = "wikidata"

    def headers(self, target: Target) -> dict[str, str]:
        """The service answers XML unless asked for JSON."""
        return {"Accept": "application/sparql-results+json"}

    def find_targets(self) -> Iterable[Target]:
        """One query for each batch of IMDb ids."""
        wanted = self.plan.wanted_imdb_ids
        for start in range(0, len(wanted), IDS_A_QUERY):
            batch = wanted[start : start + IDS_A_QUERY]
            url = f"https://query.wikidata.org/sparql?query={quote(crosswalk_query(batch))}"
            yield Target(kind="crosswalk", url=url)


def crosswalk_query(imdb_ids: Iterable[str]) -> str:
    """SPARQL for the ids that the films of these IMDb ids have at every source of the register."""
    properties = {s.key: s.wikidata_property for s in SOURCES if s.wikidata_property}
    wanted = " ".join(f'"{imdb_id}"' for imdb_id in imdb_ids)
    optional = " ".join(
        f"OPTIONAL {{ ?item wdt:{number} ?{key}. }}"
        for key, number in properties.items()
        if key != "imdb"
    )
    return (
        f"SELECT * WHERE {{ VALUES ?imdb {{ {wanted} }}"
        f" ?item wdt:{properties['imdb']} ?imdb. {optional} }}"
    )

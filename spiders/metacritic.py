"""Metacritic: film pages, at the addresses that Wikidata's crosswalk gives."""

from spiders.base import SourceSpider


class MetacriticSpider(SourceSpider):
    """Asks each listing's page."""

    name = "metacritic"

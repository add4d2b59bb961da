"""Rotten Tomatoes: film pages, at the addresses that Wikidata's crosswalk gives."""

from spiders.base import SourceSpider


class RottentomatoesSpider(SourceSpider):
    """Asks each listing's page."""

    name = "rottentomatoes"

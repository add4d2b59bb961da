"""Ids of films at other sources, as one source states them: only those of the right shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spiders.sources import SOURCES

_SOURCES = {source.key: source for source in SOURCES}


def is_listing_id(source: str, text: str) -> bool:
    """Whether a text has the shape of that source's ids of films, as the register declares it.

    >>> is_listing_id("rottentomatoes", "m/skyfall"), is_listing_id("rottentomatoes", "tv/lost")
    (True, False)
    """
    listing = _SOURCES[source]
    return listing.source_id(listing.page_url(text)) == text


def identifiers(stated: Mapping[str, Iterable[object]]) -> dict[str, tuple[str, ...]]:
    """The stated ids by source: each once, sorted, and only those that are ids of films there.

    >>> identifiers({"imdb": ["tt1074638", "", None], "rottentomatoes": ["tv/lost"]})
    {'imdb': ('tt1074638',)}
    """
    kept = {
        source: sorted(
            {text for text in texts if isinstance(text, str) and is_listing_id(source, text)}
        )
        for source, texts in stated.items()
    }
    return {source: tuple(ids) for source, ids in kept.items() if ids}


def only(ids: tuple[str, ...] | None) -> str | None:
    """The id where there is exactly one: of two that disagree, neither is to be believed."""
    return ids[0] if ids and len(ids) == 1 else None

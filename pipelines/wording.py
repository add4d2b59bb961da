"""How messages put things: so many of something, and addresses that are too long to read."""

from __future__ import annotations

import re

LONGEST_ADDRESS = 100
"""Characters of an address that are printed; what it asks for is left out where it has more."""

_ADDRESS = re.compile(r"(https?://[^\s?]*)\?\S+")


def counted(number: int, thing: str, things: str | None = None) -> str:
    """So many of something: `1 problem`, `2,000 pages`; `things` where an s does not do it."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def shortened(text: str) -> str:
    """A text in which long addresses end with their path: `https://query.wikidata.org/sparql?…`."""
    return _ADDRESS.sub(
        lambda found: found[0] if len(found[0]) <= LONGEST_ADDRESS else f"{found[1]}?…", text
    )

"""The last check in the crawl process: an answer that contradicts the register goes no further."""

from __future__ import annotations

from scrapy.exceptions import DropItem

from spiders.items import Answer
from spiders.sources import by_key, score_kinds

KNOWN_KINDS = frozenset(kind.key for kind in score_kinds())


def fault(answer: Answer) -> str | None:
    """Why an answer cannot be right, or None.

    A source states its own score kinds; another site's it may only relay. Records of a source
    come from that source.
    """
    own = {kind.key for kind in by_key(answer.source).score_kinds}
    titles = answer.titles
    if titles and (titles.source != answer.source or titles.score_kind not in own):
        return f"titles of {titles.source} with {titles.score_kind} from {answer.source}"
    for parts in (answer.other_titles, answer.crew):
        if parts and parts.source != answer.source:
            return f"parts of films of {parts.source} from {answer.source}"
    for record in answer.records:
        if record.source != answer.source:
            return f"a record of {record.source} from {answer.source}"
        for kind, score in record.scores.items():
            if kind not in KNOWN_KINDS:
                return f"no score kind {kind} in the register"
            if kind not in own and not score.relayed:
                return f"{answer.source} gives {kind}, which is not its own, as if it were"
    return None


class ValidatePipeline:
    """Drops answers that contradict the register, with the reason, counted by Scrapy."""

    def process_item(self, item: Answer) -> Answer:
        """Raises DropItem."""
        why = fault(item)
        if why:
            raise DropItem(f"{item.asked_url}: {why}")
        return item

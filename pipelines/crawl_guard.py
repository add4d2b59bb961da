"""What many answers of one crawl show together, held against what the source was like before.

What they carried, and what is usual, is counted in `crawl_profile`. docs/guard.md explains each
rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from pipelines import guard
from pipelines.crawl_profile import (
    COUNTED,
    ENOUGH,
    FEWEST,
    FOUND_AGAIN,
    LOST_PAGES,
    Counts,
    Past,
    as_profile,
)
from pipelines.guard import Doubt, Rule, Standing
from spiders.items import Outcome, Record, ScoreState
from spiders.sources import score_kind

SHORT = 0.85
"""A list shorter than this share of the longest of the last good ones was cut short. Of 244 real
days, one of every good list fell by 10 % at most; cut ones had 56 % and less."""

LOST = 0.6
"""A field vanished that fewer records carry than this share of what is usual, beyond chance."""

CHANCE = 3.0
"""Standard deviations that are still put down to chance."""

MOST = 0.5
"""Share of a crawl's films from which something happened to the source, and not to the films."""

DOUBTFUL = 0.3
"""Share of doubtful figures from which the others are not to be trusted either."""


@dataclass(frozen=True)
class Came:
    """What came together: so many, of which `records` are looked at one by one.

    `standing` has what stands of the listings of these records, by source_id and score kind.
    `unmoved` others say what stands, and nothing speaks against them; of the rest nothing stands.
    `counts` has what all carried.

    `is_part` tells that it is part of a dataset, whose order is that of its numbers: the oldest
    titles lack other fields than the newest.

    `not_found_before` has the source_ids of the pages that were not found the last time, which
    passed or was released. `found_lately` counts the known pages of the source that were asked
    since its past began and found, before this came: a look at all its listings, so it is called
    only where pages are lost.
    """

    number: int
    counts: Counts
    records: Sequence[Record]
    standing: Mapping[str, Mapping[str, Standing]]
    unmoved: int = 0
    is_part: bool = False
    not_found_before: Set[str] = frozenset()
    found_lately: Callable[[], int] = lambda: 0

    def standing_of(self, record: Record) -> Mapping[str, Standing]:
        """What stands of the record's listing, by score kind."""
        return self.standing.get(str(record.source_id), {})

    @cached_property
    def pages(self) -> Counts:
        """How many known pages are not found that were there the last time, and the reverse."""
        gone = {str(r.source_id) for r in self.records if r.outcome is Outcome.NOT_FOUND}
        back = [str(r.source_id) for r in self.records if r.outcome is not Outcome.NOT_FOUND]
        counts = Counter({LOST_PAGES: len((gone & self.standing.keys()) - self.not_found_before)})
        counts[FOUND_AGAIN] = sum(
            source_id in self.standing and source_id in self.not_found_before for source_id in back
        )
        return +counts


def doubt_records(came: Came, past: Past, so_far: Counts) -> Doubt | None:
    """Why what came together should not be stored, or None. `so_far` is what this crawl brought
    before."""
    if not past.known or came.number < FEWEST:
        return None
    crawl = so_far + came.counts
    found = [
        *(_gone(came) or _gone_bit_by_bit(came, past.pooled + so_far)),
        *_unrated(came),
        *_doubtful(came),
        *vanished(crawl if came.is_part else came.counts, crawl, past.pooled),
        *_same_values(came.counts, past.pooled),
        *_new_layouts(came, past.pooled),
    ]
    if not found:
        return None
    return Doubt(found[0].rule, "; ".join(doubt.reason for doubt in found))


def doubt_length(number: int, past: Past, selection: str) -> Doubt | None:
    """Why a list or dataset of so many records is taken to be cut short, or None."""
    longest = past.longest(selection)
    if longest < FEWEST or number >= SHORT * longest:
        return None
    return Doubt(Rule.CUT_SHORT, f"{number:,} films, where the last whole ones had {longest:,}")


def _gone(came: Came) -> list[Doubt]:
    """Most pages that were there are not: the site moved them, and its films are not gone."""
    were_there = came.standing.keys() - came.not_found_before
    known = sum(str(record.source_id) in were_there for record in came.records)
    gone = came.pages[LOST_PAGES]
    if gone < FEWEST or gone < MOST * known:
        return []
    return [Doubt(Rule.PAGES_GONE, f"{gone} of {known} known pages are not found")]


def _gone_bit_by_bit(came: Came, before: Counts) -> list[Doubt]:
    """Each night some pages that were there are not; of those that were when the past began, most
    are gone by now."""
    lost = came.pages[LOST_PAGES]
    pages = before + came.pages
    gone = pages[LOST_PAGES] - pages[FOUND_AGAIN]
    if not lost or gone < FEWEST:
        return []
    were_there = gone + came.found_lately() - lost
    if gone < MOST * were_there:
        return []
    bit_by_bit = f"{gone} of {were_there} known pages came not to be found, night after night"
    return [Doubt(Rule.PAGES_GONE, bit_by_bit)]


def _unrated(came: Came) -> Iterable[Doubt]:
    """Everything rated has become unrated, or every count of votes 0."""
    was: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    zero: Counter[str] = Counter()
    for record in came.records:
        for kind, score in record.scores.items():
            if kind not in came.standing_of(record):
                continue
            was[kind] += 1
            lost[kind] += score.state is ScoreState.NOT_RATED
            zero[kind] += score.votes == 0
    for kind in was:
        number = was[kind] + came.unmoved
        if number >= FEWEST and lost[kind] >= MOST * number:
            votes = f", {zero[kind]} with 0 votes" if zero[kind] else ""
            yield Doubt(
                Rule.UNRATED, f"{kind}: {lost[kind]} of {number} rated films are not rated{votes}"
            )


def _doubtful(came: Came) -> Iterable[Doubt]:
    """So many figures are doubtful each by itself that something is wrong with all."""
    known = came.unmoved
    reasons = []
    for record in came.records:
        for kind, score in record.scores.items():
            stands = came.standing_of(record).get(kind)
            if stands is None or score.state is ScoreState.MISSING:
                continue
            known += 1
            side = None if score.relayed else score_kind(kind).side
            doubt = guard.doubt(score, stands, side)
            if doubt:
                reasons.append(f"{record.source_id} {kind} {doubt.reason}")
    if known >= FEWEST and len(reasons) >= DOUBTFUL * known:
        yield Doubt(
            Rule.DOUBTS, f"{len(reasons)} of {known} figures are doubtful, such as {reasons[0]}"
        )


def vanished(now: Counts, crawl: Counts, past: Counts) -> Iterable[Doubt]:
    """Fields that fewer records carry than usual, beyond chance: in what came now, or where that
    is too little to tell, in the crawl as a whole, what came now included."""
    for name, of in _shares(past):
        usual = past[name] / past[of]
        rare = now[name] < LOST * usual * now[of]
        if rare and (_beyond_chance(now, name, of, usual) or
                     _beyond_chance(crawl, name, of, usual)):  # fmt: skip
            yield Doubt(
                Rule.FIELDS_VANISHED,
                f"{name}: in {now[name]} of {now[of]}, usually in {usual:.0%}",
            )


def _beyond_chance(counts: Counts, name: str, of: str, usual: float) -> bool:
    number = counts[of]
    spread = CHANCE * sqrt(number * usual * (1 - usual))
    return number >= FEWEST and counts[name] < LOST * usual * number - spread


def _shares(past: Counts) -> Iterable[tuple[str, str]]:
    """Each field with what it is a share of, where the past tells the share."""
    for name in past:
        if name in COUNTED or name == "credits" or name.endswith(" stated"):
            of = "records"
        elif name == "credits votes":
            of = "credits"
        elif name.endswith(" votes"):
            of = f"{name.removesuffix(' votes')} scored"
        else:
            continue
        if past[of] >= ENOUGH:
            yield name, of


def _same_values(now: Counts, past: Counts) -> Iterable[Doubt]:
    """Most films have one and the same figure, which is not how this source is."""
    for name, same in as_profile(now).items():
        kind = name.removesuffix(" same")
        scored = f"{kind} scored"
        if name == kind or same < FEWEST or past[scored] < ENOUGH:
            continue
        share, usual = same / now[scored], past[name] / past[scored]
        if share >= MOST and share > 2 * usual:
            yield Doubt(
                Rule.SAME_VALUE, f"{kind}: {same} of {now[scored]} films have the same figure"
            )


def _new_layouts(came: Came, past: Counts) -> Iterable[Doubt]:
    """A layout that was never seen before, unless it says what stands of most known films."""
    for name, number in came.counts.items():
        if not name.startswith("layout ") or name in past or number < MOST * came.counts["records"]:
            continue
        layout = name.removeprefix("layout ")
        known = agreed = came.unmoved
        for record in came.records:
            if str(record.layout) != layout:
                continue
            for kind, stands in came.standing_of(record).items():
                known += 1
                score = record.scores.get(kind)
                agreed += score is not None and score.value == stands.value
        if known < FEWEST or agreed < MOST * known:
            yield Doubt(
                Rule.NEW_LAYOUT,
                f"layout {layout}, never seen before, on {number} pages;"
                f" {agreed} of {known} known figures are as they were",
            )

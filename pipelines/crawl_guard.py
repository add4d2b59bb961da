"""What many answers of one crawl show together, held against what the source was like before.

A crawl's profile counts what its records carried. It is kept in `crawls.profile`; those of the
source's last good crawls are the past that the next one is judged by. docs/guard.md explains each
rule.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from sqlite_utils import Database

from pipelines import guard
from pipelines.guard import Doubt, Rule, Standing
from pipelines.quarantine import CRAWL
from spiders.items import Outcome, Record, ScoreState, Titles, Verdict
from spiders.sources import score_kind

Counts = Counter[str]
"""What some records carried: how many `records`, and of them how many `title`, `metascore scored`,
`layout scorecard-2024` … A list or dataset that came to its end has `whole` too."""

LAST_CRAWLS = 10
"""So many good crawls are the past, so that a slow change is followed within a fortnight."""

ENOUGH = 50
"""Records that a share of the past must rest on."""

FEWEST = 10
"""Records that must be there to be judged together, or to judge others by."""

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

_LOST_PAGES, _FOUND_AGAIN = "lost pages", "found again"

_FACTS = (
    "title",
    "year",
    "runtime_minutes",
    "released_on",
    "original_language",
    "genres",
    "people",
    "alternative_titles",
    "identifiers",
)


@dataclass(frozen=True)
class Past:
    """What a source's last good crawls were like, for one kind of answer, and when the first of
    them began."""

    crawls: Sequence[Counts]
    since: str = ""

    @property
    def known(self) -> bool:
        """Whether there is enough of it to judge by."""
        return self.pooled["records"] >= ENOUGH

    @cached_property
    def pooled(self) -> Counts:
        """All crawls together."""
        return sum(self.crawls, Counter())

    def longest(self, selection: str) -> int:
        """Records of the longest list that came whole, of the same selection of films; 0: none."""
        whole = _whole(selection)
        return max((crawl["records"] for crawl in self.crawls if whole in crawl), default=0)


def past_of(db: Database, source: str, target: str) -> Past:
    """The past of one source, since a person last let a crawl of it pass: what that one was like
    is how the source is now."""
    rows = db.conn.execute(
        "SELECT profile, started_at FROM crawls"
        " WHERE source = ?1 AND profile IS NOT NULL AND run_id >= ifnull("
        "(SELECT max(run_id) FROM quarantine WHERE source = ?1 AND topic = ?2"
        " AND decision = 'released'), 0) AND json_extract(profile, ?3) >= ?4"
        " ORDER BY run_id DESC LIMIT ?5",
        (source, CRAWL, f"$.{target}.records", FEWEST, LAST_CRAWLS),
    ).fetchall()
    profiles = [Counter(json.loads(profile)[target]) for profile, _ in rows]
    return Past(profiles, min((started_at for _, started_at in rows), default=""))


def counts_of(records: Iterable[Record]) -> Counts:
    """What records of films carry."""
    counts: Counts = Counter()
    for record in records:
        if record.outcome is not Outcome.OK:
            continue
        counts["records"] += 1
        counts[f"layout {record.layout}"] += 1
        for name in _FACTS:
            if getattr(record, name):
                counts[name] += 1
        for kind, score in record.scores.items():
            if score.state is not ScoreState.MISSING:
                counts[f"{kind} stated"] += 1
            if score.value is not None:
                counts[f"{kind} scored"] += 1
                counts[f"{kind} votes"] += bool(score.votes)
                counts[f"{kind} = {score.value:g}"] += 1
        said = record.credits
        if said and (said.during, said.after) != (Verdict.UNKNOWN, Verdict.UNKNOWN):
            counts["credits"] += 1
            counts["credits votes"] += bool(said.worth_staying_votes)
    return +counts


def counts_of_titles(titles: Titles) -> Counts:
    """What titles carry, as `counts_of` counts it of the same records."""
    kind = titles.score_kind
    values = [value for value in titles.values if value is not None]
    rated = zip(titles.values, titles.votes, strict=True)
    counts = Counter(
        {
            "records": len(titles),
            f"layout {titles.layout}": len(titles),
            "title": sum(map(bool, titles.titles)),
            "year": sum(map(bool, titles.years)),
            "runtime_minutes": sum(map(bool, titles.runtimes_minutes)),
            "genres": sum(map(bool, titles.genres)),
            f"{kind} stated": len(titles),
            f"{kind} scored": len(values),
            f"{kind} votes": sum(value is not None and bool(votes) for value, votes in rated),
        }
    )
    counts.update({f"{kind} = {value:g}": n for value, n in Counter(values).items()})
    return +counts


def as_profile(counts: Counts) -> Counts:
    """The counts of a crawl as they are kept: of its figures, how many have the commonest one."""
    profile = Counter({name: number for name, number in counts.items() if " = " not in name})
    for name, number in counts.items():
        kind, is_value, _ = name.partition(" = ")
        if is_value:
            profile[f"{kind} same"] = max(profile[f"{kind} same"], number)
    return profile


def as_whole(counts: Counts, selection: str) -> Counts:
    """The counts of a list or dataset that came to its end. `selection` names the films that it
    was asked for: only lists of one selection are compared in length."""
    return counts + Counter([_whole(selection)])


def as_ended(counts: Counts, selection: str) -> Counts:
    """The same of one of which something was held: whole it is once a person lets that pass."""
    return counts + Counter([_ended(selection)])


def with_released(profile: Counts, released: Counts) -> Counts:
    """The profile of a crawl, with the counts of what was held of it and a person let pass: the
    pages that it lost, too."""
    ended = [name for name in profile if name.split(" ")[0] == _ended("")]
    whole = [name.replace(_ended(""), _whole(""), 1) for name in ended]
    settled = {*ended, _LOST_PAGES, _FOUND_AGAIN}
    return Counter({name: profile[name] for name in profile if name not in settled}) + (
        released + Counter(whole)
    )


# --- judging --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Came:
    """What came together: so many, of which `records` are looked at one by one.

    `is_part` tells that it is part of a dataset, whose order is that of its numbers: the oldest
    titles lack other fields than the newest.

    `unmoved` others say what stands, and nothing speaks against them; of the rest nothing stands.
    `counts` has what all carried. `not_found_before` has the source_ids of the pages that were not
    found the last time, which passed or was released. `found_lately` tells how many known pages
    the source has that were asked since its past began and found, before this came.
    """

    number: int
    counts: Counts
    records: Sequence[Record]
    unmoved: int = 0
    is_part: bool = False
    not_found_before: Set[str] = frozenset()
    found_lately: int = 0


def doubt_records(
    came: Came, standing: Mapping[str, Mapping[str, Standing]], past: Past, so_far: Counts
) -> Doubt | None:
    """Why what came together should not be stored, or None.

    `standing` has what stands of each listing, by source_id and score kind. `so_far` is what this
    crawl brought before.
    """
    if not past.known or came.number < FEWEST:
        return None
    records, counts, unmoved = came.records, came.counts, came.unmoved
    crawl = so_far + counts
    found = [
        *(_gone(came, standing) or _gone_bit_by_bit(came, standing, past.pooled + so_far)),
        *_unrated(records, standing, unmoved),
        *_doubtful(records, standing, unmoved),
        *vanished(crawl if came.is_part else counts, crawl, past.pooled),
        *_same_values(counts, past.pooled),
        *_new_layouts(came, standing, past.pooled),
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


def counts_of_pages(came: Came, standing: Mapping[str, Mapping[str, Standing]]) -> Counts:
    """How many known pages are not found that were there the last time, and the reverse."""
    again = came.not_found_before & standing.keys()
    counts = Counter({_LOST_PAGES: len(lost_pages(came, standing))})
    counts[_FOUND_AGAIN] = sum(
        str(record.source_id) in again and record.outcome is not Outcome.NOT_FOUND
        for record in came.records
    )
    return +counts


def lost_pages(came: Came, standing: Mapping[str, Mapping[str, Standing]]) -> Set[str]:
    """The known pages that are not found, and were there the last time, by source_id."""
    gone = {str(r.source_id) for r in came.records if r.outcome is Outcome.NOT_FOUND}
    return (gone & standing.keys()) - came.not_found_before


def _gone(came: Came, standing: Mapping[str, Mapping[str, Standing]]) -> list[Doubt]:
    """Most pages that were there are not: the site moved them, and its films are not gone."""
    were_there = standing.keys() - came.not_found_before
    known = sum(str(record.source_id) in were_there for record in came.records)
    gone = len(lost_pages(came, standing))
    if gone < FEWEST or gone < MOST * known:
        return []
    return [Doubt(Rule.PAGES_GONE, f"{gone} of {known} known pages are not found")]


def _gone_bit_by_bit(
    came: Came, standing: Mapping[str, Mapping[str, Standing]], before: Counts
) -> list[Doubt]:
    """Each night some pages that were there are not; of those that were when the past began, most
    are gone by now."""
    lost = len(lost_pages(came, standing))
    pages = before + counts_of_pages(came, standing)
    gone = pages[_LOST_PAGES] - pages[_FOUND_AGAIN]
    were_there = gone + came.found_lately - lost
    if not lost or gone < FEWEST or gone < MOST * were_there:
        return []
    bit_by_bit = f"{gone} of {were_there} known pages came not to be found, night after night"
    return [Doubt(Rule.PAGES_GONE, bit_by_bit)]


def _unrated(
    records: Sequence[Record], standing: Mapping[str, Mapping[str, Standing]], unmoved: int
) -> Iterable[Doubt]:
    """Everything rated has become unrated, or every count of votes 0."""
    was: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    zero: Counter[str] = Counter()
    for record in records:
        for kind, score in record.scores.items():
            if kind not in standing.get(str(record.source_id), {}):
                continue
            was[kind] += 1
            lost[kind] += score.state is ScoreState.NOT_RATED
            zero[kind] += score.votes == 0
    for kind in was:
        number = was[kind] + unmoved
        if number >= FEWEST and lost[kind] >= MOST * number:
            votes = f", {zero[kind]} with 0 votes" if zero[kind] else ""
            yield Doubt(
                Rule.UNRATED, f"{kind}: {lost[kind]} of {number} rated films are not rated{votes}"
            )


def _doubtful(
    records: Sequence[Record], standing: Mapping[str, Mapping[str, Standing]], unmoved: int
) -> Iterable[Doubt]:
    """So many figures are doubtful each by itself that something is wrong with all."""
    known = unmoved
    reasons = []
    for record in records:
        for kind, score in record.scores.items():
            stands = standing.get(str(record.source_id), {}).get(kind)
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
        if name in _FACTS or name == "credits" or name.endswith(" stated"):
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


def _new_layouts(
    came: Came, standing: Mapping[str, Mapping[str, Standing]], past: Counts
) -> Iterable[Doubt]:
    """A layout that was never seen before, unless it says what stands of most known films."""
    for name, number in came.counts.items():
        if not name.startswith("layout ") or name in past or number < MOST * came.counts["records"]:
            continue
        layout = name.removeprefix("layout ")
        known = agreed = came.unmoved
        for record in came.records:
            if str(record.layout) != layout:
                continue
            for kind, stands in standing.get(str(record.source_id), {}).items():
                known += 1
                score = record.scores.get(kind)
                agreed += score is not None and score.value == stands.value
        if known < FEWEST or agreed < MOST * known:
            yield Doubt(
                Rule.NEW_LAYOUT,
                f"layout {layout}, never seen before, on {number} pages;"
                f" {agreed} of {known} known figures are as they were",
            )


def _ended(selection: str) -> str:
    return f"ended {selection}".strip()


def _whole(selection: str) -> str:
    return f"whole {selection}".strip()

"""What the answers of a crawl carried, in counts, and what that is usually like for its source.

The counts of a crawl are its profile, kept in `crawls.profile`; those of the source's last good
crawls are the past that the next one is judged by (`crawl_guard`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlite_utils import Database

from pipelines.quarantine import CRAWL
from spiders.items import Answer, Outcome, Record, ScoreState, Titles, Verdict

Counts = Counter[str]
"""What some records carried: how many `records`, and of them how many `title`, `metascore scored`,
`layout scorecard-2024` … A list or dataset that came to its end has `whole` too."""

CAME_WHOLE = '%"whole%'
"""What a kept profile is LIKE that has a list or dataset which came to its end."""

LAST_CRAWLS = 10
"""So many good crawls are the past, so that a slow change is followed within a fortnight."""

ENOUGH = 50
"""Records that a share of the past must rest on."""

FEWEST = 10
"""Records that must be there to be judged together, or to judge others by."""

LOST_PAGES, FOUND_AGAIN = "lost pages", "found again"
"""Of known pages: not found now, though there the last time; and the reverse."""

COUNTED = (
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
"""Fields of a record of which it is counted how many records have them."""


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
        for name in COUNTED:
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


def counts_of_answers(answers: Sequence[Answer]) -> Counts:
    """What answers carry, whichever way it was handed over."""
    counts = counts_of(record for answer in answers for record in answer.records)
    for titles in (answer.titles for answer in answers if answer.titles):
        counts += counts_of_titles(titles)
    columns = (
        part for a in answers for part in (a.other_titles, a.crew, a.ids) if part is not None
    )
    return counts + Counter(records=sum(map(len, columns)))


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


def came_whole(counts: Counts) -> bool:
    """Whether a list or dataset with these counts came to its end, whatever it was asked for."""
    return any(name.startswith(_whole("")) for name in counts)


def as_ended(counts: Counts, selection: str) -> Counts:
    """The same of one of which something was held: whole it is once a person lets that pass."""
    return counts + Counter([_ended(selection)])


def with_released(profile: Counts, released: Counts) -> Counts:
    """The profile of a crawl, with the counts of what was held of it and a person let pass: the
    pages that it lost, too."""
    ended = [name for name in profile if name.split(" ")[0] == _ended("")]
    whole = [name.replace(_ended(""), _whole(""), 1) for name in ended]
    settled = {*ended, LOST_PAGES, FOUND_AGAIN}
    return Counter({name: profile[name] for name in profile if name not in settled}) + (
        released + Counter(whole)
    )


def _ended(selection: str) -> str:
    return f"ended {selection}".strip()


def _whole(selection: str) -> str:
    return f"whole {selection}".strip()

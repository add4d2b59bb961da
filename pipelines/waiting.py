"""Answers of one source's crawl, kept back until enough of them have come to be judged together.

What is bad must not be stored, and often one answer does not show that it is: a list is short only
once it has ended, a field is gone only where many pages lack it. So pages wait for a score of
others, a list for its end; a dataset tells its length with its first part, and its parts are large
enough to be judged one by one. Nothing waits that says nothing new (a 304, a failure), nor where
there is no past to judge by. A page that is not found says something: a site that moves its pages
would else have all its films gone. What waits is in memory only: if the run is killed, it was never
stored, and is asked again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlite_utils import Database

from pipelines.crawl_guard import Came, doubt_length, doubt_records
from pipelines.crawl_profile import (
    Counts,
    Past,
    as_ended,
    as_profile,
    as_whole,
    counts_of_answers,
    past_of,
)
from pipelines.guard import Doubt, Standing
from spiders.items import Answer, Outcome, Record, Titles

TOGETHER = 20
"""Pages that are judged together: two minutes of asking at the usual delay."""

_TARGETS = ("listing", "list", "dataset", "akas", "crew", "export")

_STANDING = """
SELECT l.source_id, s.score_kind, s.state, s.value, s.scale_max, s.votes, s.votes_at_least, s.basis
FROM json_each(?2) asked
CROSS JOIN listings l ON l.source = ?1 AND l.source_id = asked.value
CROSS JOIN scores s ON s.listing_id = l.listing_id AND s.state = 'scored' AND s.origin <> 'archive'
"""

_FIGURES = """
SELECT l.source_id, s.value, s.votes
FROM json_each(?2) asked
CROSS JOIN listings l ON l.source = ?1 AND l.source_id = asked.value
CROSS JOIN scores s ON s.listing_id = l.listing_id AND s.score_kind = ?3
  AND s.state = 'scored' AND s.origin <> 'archive'
"""

_FOUND_LATELY = """
SELECT count(DISTINCT l.listing_id)
FROM listings l CROSS JOIN urls u USING (listing_id)
WHERE l.source = ?1 AND l.not_found_runs = 0 AND u.last_asked_at >= ?2
  AND EXISTS (SELECT 1 FROM scores s WHERE s.listing_id = l.listing_id
              AND s.state = 'scored' AND s.origin <> 'archive')
"""

_NOT_FOUND_BEFORE = """
SELECT l.source_id
FROM json_each(?2) asked
CROSS JOIN listings l ON l.source = ?1 AND l.source_id = asked.value
WHERE l.not_found_runs > 0
"""


class Judged(NamedTuple):
    """Answers that may be stored now, or (with a doubt) must be held together."""

    answers: Sequence[Answer]
    doubt: Doubt | None = None


class Waiting:
    """What waits of one source's crawl, and what the crawl was like so far.

    `selection` names the films that a dataset is asked for. `judged` tells how many records were
    judged.
    """

    def __init__(self, db: Database, source: str, selection: str = "") -> None:
        self._db = db
        self._source = source
        self._selection = selection
        self._past: dict[str, Past] = {target: past_of(db, source, target) for target in _TARGETS}
        self._answers: list[Answer] = []
        self._passed: dict[str, Counts] = {}
        self._came_in: set[str] = set()
        self._too_short: dict[str, Doubt | None] = {}
        self._held: set[str] = set()
        self.judged = 0

    @property
    def held(self) -> bool:
        """Whether anything was held."""
        return bool(self._held)

    @property
    def profile(self) -> Mapping[str, Counts]:
        """What the answers that passed carried, by what was asked for."""
        return {target: as_profile(counts) for target, counts in self._passed.items()}

    def add(self, answer: Answer) -> Iterator[Judged]:
        """Take an answer; give those that wait no longer."""
        if not _guarded(answer):
            yield Judged([answer])
        elif not self._past[answer.target].known:
            yield self._pass(answer)
        elif answer.is_part:
            yield self._judge_part(answer)
        else:
            self._answers.append(answer)
            pages = sum(waiting.target == "listing" for waiting in self._answers)
            if pages >= TOGETHER:
                yield from self._judge_waiting("listing")

    def end(self, *, finished: bool) -> Iterator[Judged]:
        """The crawl has ended, by itself (`finished`) or not: nothing waits any longer."""
        for target in ("listing", "list"):
            yield from self._judge_waiting(target, finished=finished)
        if finished:
            for target in self._came_in - {"listing"}:
                counts = self._passed.get(target, Counter())
                came_to_its_end = as_ended if target in self._held else as_whole
                self._passed[target] = came_to_its_end(counts, self._selection)

    def _judge_waiting(self, target: str, *, finished: bool = False) -> Iterator[Judged]:
        answers = [answer for answer in self._answers if answer.target == target]
        self._answers = [answer for answer in self._answers if answer.target != target]
        if not answers:
            return
        doubt = None
        if target == "list" and finished:
            number = sum(len(answer.records) for answer in answers)
            doubt = doubt_length(number, self._past[target], self._selection)
        yield self._judge(answers, doubt)

    def _judge_part(self, answer: Answer) -> Judged:
        target, number = answer.target, answer.records_in_all
        if target not in self._too_short and number is not None:
            doubt = doubt_length(number, self._past[target], self._selection)
            self._too_short[target] = doubt
        return self._judge([answer], self._too_short.get(target))

    def _judge(self, answers: Sequence[Answer], doubt: Doubt | None) -> Judged:
        target = answers[0].target
        self._came_in.add(target)
        came = self._came(answers)
        self.judged += came.number
        so_far = self._passed.get(target, Counter())
        doubt = doubt or doubt_records(came, self._past[target], so_far)
        if doubt:
            self._held.add(target)
            return Judged(answers, doubt)
        self._passed[target] = so_far + came.counts + came.pages
        return Judged(answers)

    def _pass(self, answer: Answer) -> Judged:
        self._came_in.add(answer.target)
        passed = self._passed.get(answer.target, Counter())
        self._passed[answer.target] = passed + counts_of_answers([answer])
        return Judged([answer])

    def _came(self, answers: Sequence[Answer]) -> Came:
        """What came together, and what stands of it.

        To look at each of a million titles would take longer than to read them, and most say what
        stands.
        """
        records = [record for answer in answers for record in answer.records]
        unmoved = 0
        for titles in (answer.titles for answer in answers if answer.titles):
            known = self._figures(titles)
            figures = zip(titles.source_ids, titles.values, titles.votes, strict=True)
            for place, (source_id, *figure) in enumerate(figures):
                if source_id not in known:
                    continue
                if figure[1] and known[source_id] == tuple(figure):
                    unmoved += 1
                else:
                    records.append(titles.record(titles.row(place)))
        is_page = answers[0].target == "listing"
        return Came(
            number=sum(answer.number_of_records for answer in answers),
            counts=counts_of_answers(answers),
            records=records,
            standing=self._standing([str(record.source_id) for record in records]),
            unmoved=unmoved,
            is_part=answers[0].is_part,
            not_found_before=self._not_found_before(records) if is_page else frozenset(),
            found_lately=self._found_lately,
        )

    def _figures(self, titles: Titles) -> Mapping[str, tuple[float, int | None]]:
        """The value and votes that stand of each of these titles that are rated."""
        params = (self._source, json.dumps(titles.source_ids), titles.score_kind)
        rows = self._db.conn.execute(_FIGURES, params)
        return {source_id: (value, votes) for source_id, value, votes in rows}

    def _not_found_before(self, records: Sequence[Record]) -> frozenset[str]:
        """Of some listings, those whose page was not found the last time."""
        ids = json.dumps([str(record.source_id) for record in records])
        rows = self._db.conn.execute(_NOT_FOUND_BEFORE, (self._source, ids))
        return frozenset(source_id for (source_id,) in rows)

    def _found_lately(self) -> int:
        """Known pages that were asked since the past began, and found."""
        params = (self._source, self._past["listing"].since)
        (found,) = self._db.conn.execute(_FOUND_LATELY, params).fetchone()
        return int(found)

    def _standing(self, source_ids: Sequence[str]) -> dict[str, dict[str, Standing]]:
        """What stands of some listings, by source_id and score kind."""
        ids = json.dumps(source_ids)
        standing: dict[str, dict[str, Standing]] = {}
        for source_id, kind, *figure in self._db.conn.execute(_STANDING, (self._source, ids)):
            state, value, scale_max, votes, at_least, basis = figure
            stands = Standing(state, value, scale_max, votes, bool(at_least), basis)
            standing.setdefault(source_id, {})[kind] = stands
        return standing


def _guarded(answer: Answer) -> bool:
    """Whether an answer says something new that others may speak against."""
    if answer.target not in _TARGETS or answer.unchanged:
        return False
    if not answer.number_of_records and not answer.is_part:  # a dataset of no film is a short one
        return False
    gone = answer.target == "listing" and answer.outcome is Outcome.NOT_FOUND
    return gone or answer.outcome is Outcome.OK

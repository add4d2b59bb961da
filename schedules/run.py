"""A run: find, match, read, merge. The only process that writes to the database."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlite_utils import Database

from pipelines import clock
from pipelines.crawl_profile import FEWEST, came_whole
from pipelines.database import transaction
from pipelines.films import films_of
from pipelines.lock import DatabaseProblem
from pipelines.matching.matcher import match
from pipelines.merge import merge
from pipelines.quarantine import supersede_crawl
from pipelines.retention import has_been_answered, purge
from pipelines.store import Store
from pipelines.unmerged import all_merged, unmerged, unmerged_films
from pipelines.up_to_date import portions
from pipelines.waiting import Judged, Waiting
from schedules.config import Config
from schedules.due_listings import write_due
from schedules.endings import note_end
from schedules.intent import Intent
from schedules.journal import Journal
from schedules.lookups import Lookups
from schedules.progress import Shown
from schedules.recovery import killed
from schedules.results import NO_FAULT, Crawled, Result
from schedules.stage import Crawls, Ended, SentAway
from schedules.waits import Waits
from spiders.items import Answer, Outcome
from spiders.pages.reading import reader_versions
from spiders.plan import Plan
from spiders.sources import Finds, Source, by_key

_WHOLES = ("dataset", "akas", "crew", "list", "crosswalk", "whole_crosswalk")
"""Targets that are always there: a 404 to one of them is the source's failure, or its redesign."""

SET_BACK_HOURS = 1
"""A clock that is behind the last run by more than that is wrong; by less, it was corrected."""


class Run:
    """One run over one database, which does what it means to. `interrupt` may be called from a
    signal handler.

    While it reads listings, it ends in order once somebody `wanted` to go first.
    `make_crawls` makes those of a stage from its plans.
    """

    def __init__(
        self,
        db: Database,
        config: Config,
        intent: Intent,
        command: str,
        shown: Shown,
        make_crawls: Callable[[Sequence[Plan]], Crawls],
        wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db = db
        self._config = config
        self._intent = intent
        self._command = command
        self._shown = shown
        self._wanted_by_others = wanted
        self._gave_way = False
        self._make_crawls = make_crawls
        self._crawled: dict[str, Crawled] = {}
        self._waiting: dict[str, Waiting] = {}
        self._journal = Journal(db)
        self._store: Store  # of this run, once that has its number
        self._waits = Waits(db, config)
        self._crawls: Crawls | None = None
        self._stopped = False
        self._touched: set[int] = set()
        self._lookups = Lookups(db)
        self._started = clock.now()

    # --- the run ------------------------------------------------------------------------------

    def execute(self) -> Result:
        """Do it. What was stored stands, whatever happens later.

        Raises DatabaseProblem where the clock is far behind the last run.
        """
        self._mind_the_clock()
        intent = self._intent
        self._journal.begin(self._command, intent.selection, self._started, intent.before)
        run_id = self._journal.run_id
        self._store = Store(self._db, run_id, reader_versions())
        exception, all_matched = None, False
        try:
            self._recover()
            purged = self._purge()
            for wave in sorted({s.finds.wave for s in intent.asked_sources if s.finds}):
                self._stage(self._find_plans(wave))
                self._match_touched()
                self._write_lookups(wave)
            self._stage(self._read_plans(), gives_way=True)
            if not purged:
                self._purge()
            self._match_touched(at_last=True)
            all_matched = True
        except Exception as fault:
            exception = f"{type(fault).__name__}: {fault}"
            raise
        finally:
            if self._crawls:
                self._crawls.kill()
            self._merge()
            if all_matched:
                all_merged(self._db)
            outcome = "failed" if exception else self._outcome()
            self._journal.end(self._crawled.values(), intent.skipped, outcome, exception)
        changes = [c for crawled in self._crawled.values() for c in crawled.tally.changes]
        crawls = list(self._crawled.values())
        # Whoever was told to end while another command goes first does not go on after it.
        gave_way = self._gave_way and not self._stopped
        return Result(run_id, self._started, outcome, crawls, changes, intent.skipped, gave_way)

    def interrupt(self) -> None:
        """End the run after the requests in hand; what they bring is still stored."""
        self._stopped = True  # no Event: a signal that broke into its set() would wait for ever
        if self._crawls:
            self._crawls.stop()

    def _outcome(self) -> str:
        if self._stopped or self._gave_way:
            return "interrupted"
        if all(crawled.outcome in NO_FAULT for crawled in self._crawled.values()):
            return "ok"
        return "partly"

    def _stage(self, plans: Sequence[Plan], *, gives_way: bool = False) -> None:
        """Crawl all plans side by side, and store what they answer once it is judged."""
        if not plans or self._stopped:
            return
        started = time.monotonic()
        for plan in plans:
            self._crawled.setdefault(plan.source, Crawled(plan.source, clock.now()))
            self._waiting[plan.source] = Waiting(self._db, plan.source, _selection(plan))
            total = len(plan.targets) if plan.stage == "read" else None
            self._shown.start(plan.source, by_key(plan.source).name, total)
        self._crawls = self._make_crawls(plans)
        try:
            for batch in self._crawls.answers():
                self._take([item for item in batch if isinstance(item, Answer)])
                for item in batch:
                    if isinstance(item, SentAway):
                        self._sent_away(item)
                    elif isinstance(item, Ended):
                        self._settle_last(item)
                        self._ended(item, time.monotonic() - started)
                if gives_way:
                    self._give_way_if_wanted()
        finally:
            self._crawls.kill()
            self._crawls = None

    def _take(self, answers: Sequence[Answer]) -> None:
        """Take the answers of one batch: each waits until it is judged, and is settled then."""
        if not answers:
            return
        with transaction(self._db):
            for answer in map(self._in_order, answers):
                self._shown.advance(answer.source, answer.asked_source_id or "")
                for judged in self._waiting[answer.source].add(answer):
                    self._settle(judged)

    def _sent_away(self, item: SentAway) -> None:
        self._waits.keep_away(by_key(item.source), item.seconds)
        self._shown.say(f"{item.source}: waits for {item.seconds:.0f} s, as it was told to")

    def _give_way_if_wanted(self) -> None:
        if self._crawls and not self._gave_way and self._wanted_by_others():
            self._gave_way = True
            self._crawls.stop()
            self._shown.say("another command goes first; this one goes on after it")

    def _settle(self, judged: Judged) -> None:
        """Store answers that were judged, or hold them back together."""
        crawled = self._crawled[judged.answers[0].source]
        noted = len(crawled.tally.notes)
        if judged.doubt:
            self._store.hold(judged.answers, judged.doubt, crawled.tally)
            crawled.outcome, crawled.detail = "held", judged.doubt.reason
        else:
            for answer in judged.answers:
                self._store_answer(answer, crawled)
        for note in crawled.tally.notes[noted:]:
            self._shown.say(note)

    def _settle_last(self, ended: Ended) -> None:
        """A crawl has ended: what waited for more is judged as it is."""
        waiting = self._waiting[ended.source]
        with transaction(self._db):
            for judged in waiting.end(finished=ended.finished):
                self._settle(judged)
            crawled = self._crawled[ended.source]
            held = waiting.held or crawled.outcome == "held"  # now, or in the stage before
            if waiting.judged >= FEWEST and not held and ended.finished:
                supersede_crawl(self._db, ended.source, clock.now())
            crawled.profile.update(waiting.profile)
            # Should the run be killed later, the next one knows that these lists came whole.
            self._journal.write_crawl(replace(crawled, outcome="interrupted"))

    def _store_answer(self, answer: Answer, crawled: Crawled) -> None:
        self._store.answer(answer, crawled.tally)
        self._touched |= self._lookups.answered(answer, self._started)
        url = answer.asked_url.partition("#")[0]  # without what is kept of it
        if answer.outcome is Outcome.NOT_FOUND and answer.target in _WHOLES:
            crawled.outcome, crawled.detail = "failed", f"{url} is not there"
            self._shown.say(f"{answer.source}: failed: {crawled.detail}. What was stored stands.")
        if answer.outcome not in (Outcome.OK, Outcome.NOT_A_FILM, Outcome.NOT_FOUND):
            why = f" ({answer.detail})" if answer.detail else ""
            self._shown.say(f"{answer.source}: {answer.outcome.value}: {url}{why}")

    def _ended(self, ended: Ended, seconds: float) -> None:
        crawled = self._crawled[ended.source]
        crawled.seconds += seconds
        self._waits.keep_away(by_key(ended.source), ended.away_seconds)
        self._shown.end(ended.source)
        line = note_end(crawled, ended, gave_way=self._gave_way, stopped=self._stopped)
        if line:
            self._shown.say(line)
        self._journal.log_crawl(crawled)

    # --- plans of crawls ----------------------------------------------------------------------

    def _find_plans(self, wave: int) -> list[Plan]:
        intent = self._intent
        finders = (one for one in intent.asked_sources if one.finds and one.finds.wave == wave)
        return self._as_of_now(map(intent.find_plan, filter(self._has_not_failed, finders)))

    def _read_plans(self) -> list[Plan]:
        readers = filter(self._has_not_failed, self._intent.read_sources)
        run_id = self._journal.run_id
        return self._as_of_now(self._intent.read_plan(source, run_id) for source in readers)

    def _as_of_now(self, plans: Iterable[Plan | None]) -> list[Plan]:
        """The plans that there are, with how long each has to wait, and what it has taken so far of
        its hours."""
        return [
            plan.model_copy(
                update={
                    "first_wait_seconds": self._waits.seconds(by_key(plan.source)),
                    "spent_seconds": sum(one.seconds for one in self._crawls_of(plan.source)),
                }
            )
            for plan in plans
            if plan
        ]

    def _has_not_failed(self, source: Source) -> bool:
        """A source that blocked us, or failed, in this run is left alone for the rest of it; not so
        one of whose answers the guard held some back."""
        fine = (*NO_FAULT, "partly", "held")
        return all(crawled.outcome in fine for crawled in self._crawls_of(source.key))

    def _crawls_of(self, source: str) -> list[Crawled]:
        """A source's crawls in this run so far, those in the parts that gave way included."""
        before = [crawled for part in self._intent.before for crawled in part.crawls]
        return [one for one in [*before, *self._crawled.values()] if one.source == source]

    # --- match, merge, record -----------------------------------------------------------------

    def _match_touched(self, *, at_last: bool = False) -> None:
        """Match what the crawls of the last stage stored; `at_last` also where that is nothing: a
        person may have ruled since the last run."""
        listings: set[int] = set()
        for crawled in self._crawled.values():
            listings |= crawled.tally.touched
            crawled.tally.touched = set()
        if listings or at_last:
            self._match(listings)

    def _match(self, listings: set[int]) -> None:
        for some in portions(listings):
            matched = match(self._db, some)
            for listing_id, films in matched.ambiguous.items():
                why = "; ".join(f"film {number}: {evidence}" for number, evidence in films.items())
                listing = self._named(listing_id)
                self._shown.say(f"ambiguous: {listing} may be several films, so it is none: {why}")
            for listing_id, film_id in matched.misnamed.items():
                listing = self._named(listing_id)
                self._shown.say(f"{listing} was tracked as film {film_id}, and is another one")
            for doubtful in (matched.ambiguous, matched.doubtful):
                self._touched |= self._lookups.write_doubtful(doubtful)
            self._touched |= matched.films | films_of(self._db, some)

    def _write_lookups(self, wave: int) -> None:
        """Remember which films were sought where, so that none is sought again every night."""
        for source in self._intent.asked_sources:
            crawled = self._crawled.get(source.key)
            if crawled is None or source.finds is None or source.finds.wave != wave:
                continue
            # A dataset or list speaks for every film, if it came whole; others for those sought. A
            # dataset's titles do, whatever became of those that tell more of them.
            speaks_for_all = source.finds in (Finds.DATASET, Finds.LISTS)
            titles_came = came_whole(crawled.profile.get("dataset", Counter()))
            if crawled.outcome == "ok" or not speaks_for_all or titles_came:
                self._touched |= self._lookups.write(source, self._started)

    def _named(self, listing_id: int) -> str:
        """A listing as people name it."""
        named = self._db.conn.execute(
            "SELECT source || ':' || source_id FROM listings WHERE listing_id = ?", (listing_id,)
        )
        return str(named.fetchone()[0])

    def _merge(self) -> None:
        merge(self._db, self._touched)
        self._touched = set()
        write_due(
            self._db,
            self._crawled,
            self._started,
            self._config.refresh_after_hours,
            self._intent.usual,
            chosen=not self._intent.selection.all_films,
        )

    def _purge(self) -> bool:
        """Delete what may be kept no longer. After a long absence this waits for an answer of this
        run, and returns False: the clock may be wrong."""
        at = clock.now()
        if not has_been_answered(self._db, at):
            return False
        self._touched |= purge(self._db, at)
        return True

    def _mind_the_clock(self) -> None:
        """What this run stores must not seem older than what stands."""
        (last,) = self._db.conn.execute(
            "SELECT max(max(started_at), ifnull(max(ended_at), '')) FROM runs"
        ).fetchone()
        if last is None or last <= self._started:
            return
        if last > clock.later(self._started, hours=SET_BACK_HOURS):
            raise DatabaseProblem(
                f"the clock says {self._started}, and the last run was at {last}. Set the clock"
                " right; if it was wrong then, go back to a copy from before that run."
            )
        clock.never_before(last)
        self._started = last

    def _in_order(self, answer: Answer) -> Answer:
        """Crawls have their machine's clock, which may be behind the last run, or ahead of us."""
        now = clock.now()
        if self._started <= answer.asked_at <= now:
            return answer
        return answer.model_copy(update={"asked_at": now})

    def _recover(self) -> None:
        """Take up what was stored and not matched and merged, whatever ended the command that
        stored it, and what a killed run did not come to write down."""
        self._touched |= unmerged_films(self._db)
        left = unmerged(self._db)
        if left:
            self._match(left)
        before = killed(self._db, self._journal.run_id)
        if before:
            asked_now = self._intent.asked_sources
            self._touched |= before.films(self._lookups, asked_now, self._started)
            before.write_due(self._config.refresh_after_hours)
            before.keep_away(self._waits, asked_now)
            before.end()


def _selection(plan: Plan) -> str:
    """The films that a dataset or an export is asked for, as one word: the universe, whoever is
    tracked."""
    if plan.exported_on:
        return f"popularity>={plan.popularity_at_least:g}"
    if plan.universe is None:
        return ""
    return hashlib.sha256(plan.universe.model_dump_json().encode()).hexdigest()[:12]

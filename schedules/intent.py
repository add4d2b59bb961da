"""What a run means to ask: which sources, for which films, and which of their listings.

Nothing is written here: `plan` and `--dry-run` print what it says, and a run does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sqlite_utils import Database

from pipelines import clock
from pipelines.database import folder_of, set_aside
from pipelines.pauses import left_alone
from schedules.config import Config
from schedules.due import Usual
from schedules.due_listings import Night, export_read, night, unfound, unread_days, unread_exports
from schedules.lookups import LOOKUP_DAYS, Lookups
from schedules.results import Result, Selection
from spiders.pages.reading import reader_version
from spiders.plan import LONGEST_WAIT, Plan, Target
from spiders.sources import SOURCES, Finds, Source


class Intent:
    """What one run over one database means to ask.

    `asked_sources` are the sources that it asks; the others are in `skipped`, with the reason. A
    run that goes on after it gave way is told of the parts `before` it: what they asked is not
    asked again. `usual` has what is usual of the listings of the sources that are planned so far.
    """

    def __init__(
        self, db: Database, config: Config, selection: Selection, before: Sequence[Result] = ()
    ) -> None:
        self._db = db
        self._config = config
        self._lookups = Lookups(db)
        self._all_films = selection.all_films
        self.selection = selection
        self.before = before
        self.usual: dict[str, Usual] = {}
        self.skipped: dict[str, str] = {}
        self.asked_sources = list(self._switched_on())
        set_aside(db, "chosen_films", "film_id", selection.film_ids or ())

    def _switched_on(self) -> Iterator[Source]:
        alone = left_alone(self._db, clock.now(), LONGEST_WAIT)
        for source in SOURCES:
            if self.selection.sources and source.key not in self.selection.sources:
                continue
            why = self._config.skipped(source) or alone.get(source.key)
            if why:
                self.skipped[source.key] = why
            else:
                yield source

    @property
    def read_sources(self) -> list[Source]:
        """The sources whose listings are asked one by one."""
        return [
            source
            for source in self.asked_sources
            if source.listing_ask is not None
            and ("pages" not in source.opt_in or "pages" in self._config.of(source).opted_in)
        ]

    @property
    def universe_unread(self) -> bool:
        """Whether a universe is set whose films no dataset has told of yet."""
        datasets = (source for source in SOURCES if source.finds is Finds.DATASET)
        return self._config.universe is not None and not any(
            self._lookups.rested(source, "") for source in datasets
        )

    @property
    def exports_unread(self) -> bool:
        """Whether the universe has films of an export that was never read."""
        return any(
            self._popularity_at_least(source) is not None and not export_read(self._db, source)
            for source in self.asked_sources
        )

    def night(self, source: Source, run_id: int = 0) -> Night:
        """What is asked of the source tonight; `run_id` is the number of the run that asks, once it
        has begun."""
        return night(
            self._db,
            source,
            self._config,
            self.selection,
            asked_since=self._began,
            exported=self._popularity_at_least(source) is not None,
            first_run=self.before[0].run_id if self.before else run_id,
        )

    def unfound(self, source: Source) -> int:
        """How many of the films that this is about may yet be found on the source, at most."""
        return unfound(self._db, source) if self._all_films else 0

    # --- plans of crawls ----------------------------------------------------------------------

    def find_plan(self, source: Source) -> Plan | None:
        """The find stage of one source, or None where there is nothing to find now."""
        wanted = self._lookups.wanted(source, chosen=not self._all_films, since=self._sought_since)
        if source.finds in (Finds.DATASET, Finds.LISTS):
            rested = self._rested(source)
            news = source.finds is Finds.DATASET and self._lookups.news_for(source)
            if (rested and not news) or not (self._all_films or news or self.selection.sources):
                return None
            return self._plan(
                source,
                "find",
                universe=self._config.universe.of_imdb if self._config.universe else None,
                wanted_imdb_ids=wanted,
                # Half a gigabyte each: a film that was just tracked can wait for the night.
                opted_in=self._config.of(source).opted_in if self._all_films else (),
                scratch=str(folder_of(self._db)),
            )
        days = unread_days(self._db, source, clock.now()) if self._all_films else ()
        popularity = self._popularity_at_least(source) if self._all_films else None
        exports = () if popularity is None else unread_exports(self._db, source, clock.now())
        if not (wanted or days or exports):
            return None
        if source.finds is Finds.FINDER and self._all_films:
            budget = self._config.of(source).requests_a_night
            if self._began:
                budget -= self._lookups.sought(source, self._began)
            wanted = wanted[: max(budget, 0)]
        return self._plan(
            source,
            "find",
            wanted_imdb_ids=wanted,
            whole_crosswalk=self._lookups.asks_whole(source, wanted),
            changed_on=days,
            exported_on=exports,
            popularity_at_least=popularity or 0.0,
        )

    def read_plan(self, source: Source, run_id: int) -> Plan | None:
        """The read stage of one source, or None where none of its listings is due; `run_id` as of
        `night`."""
        tonight = self.night(source, run_id)
        self.usual[source.key] = tonight.usual
        targets = tuple(self._targets(source, tonight))
        return self._plan(source, "read", targets=targets) if targets else None

    def _targets(self, source: Source, tonight: Night) -> Iterator[Target]:
        version = reader_version(source.key)
        for source_id in (*tonight.asked["source_id"], *tonight.exported):
            url = source.ask_url(source_id)
            assert url
            known = self._db.conn.execute(
                "SELECT etag, last_modified FROM urls WHERE url = ? AND reader_version = ?",
                (url, version),
            ).fetchone()
            etag, last_modified = known or (None, None)
            yield Target(
                kind="listing",
                url=url,
                source_id=source_id,
                etag=etag,
                last_modified=last_modified,
            )

    def _plan(self, source: Source, stage: Literal["find", "read"], **fields: Any) -> Plan:
        validators = {
            url: (etag, last_modified)
            for url, etag, last_modified in self._db.conn.execute(
                "SELECT url, etag, last_modified FROM urls WHERE source = ? AND listing_id IS NULL"
                " AND reader_version = ? AND (etag IS NOT NULL OR last_modified IS NOT NULL)",
                (source.key, reader_version(source.key)),
            )
        }
        fields.setdefault("opted_in", self._config.of(source).opted_in)
        return Plan(
            source=source.key,
            stage=stage,
            hosts={host.role: self._config.hosts[host.role] for host in source.hosts},
            user_agent=self._config.user_agent(),
            delay_seconds=self._config.delay(source),
            backoff_seconds=self._config.backoff(source),
            limits=self._config.limits,
            validators=validators,
            **fields,
        )

    # --- what was asked before ----------------------------------------------------------------

    @property
    def _began(self) -> str | None:
        """When the run began that this one goes on with."""
        return self.before[0].started_at if self.before else None

    @property
    def _sought_since(self) -> str | None:
        """What was sought since then is not sought again; None: all is."""
        if not self.selection.again:
            return clock.later(clock.now(), days=-LOOKUP_DAYS)
        return self._began

    def _rested(self, source: Source) -> bool:
        """Whether the source's lists or datasets have been asked within the hours of rest; where
        all is asked again, in an earlier part of this run."""
        if not self.selection.again:
            hours = self._config.refresh_after_hours
            return self._lookups.rested(source, clock.later(clock.now(), hours=-hours))
        return self._began is not None and self._lookups.rested(source, self._began)

    def _popularity_at_least(self, source: Source) -> float | None:
        """How popular a film of the source's export must be to be asked; None: none is."""
        universe = self._config.universe
        if source.export_hour is None or universe is None:
            return None
        return universe.tmdb_popularity_at_least

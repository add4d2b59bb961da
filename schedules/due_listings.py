"""Which listings of a source are due tonight, by what is known of each of them (due.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import set_aside, transaction
from pipelines.exported_ids import count_unasked, most_popular_unasked
from schedules.config import Config
from schedules.due import Usual, most_pressing, schedule, usual_of
from schedules.results import Selection
from spiders.sources import Source

OVERHEAD = 1.25
"""A request takes its delay and about a quarter more: the answer, and the delay's own jitter."""

# The film's IMDb rating and votes now, and when the listing last answered: they come with the
# datasets, so that they moved is news that no request was spent on. So is what the source's feed of
# changes names.
_LISTINGS = """
SELECT asked.*, asked.changed_upstream_at > asked.last_answered_at AS changed_upstream,
  (SELECT missed_before FROM feeds WHERE source = :source) > asked.last_answered_at AS unwatched,
  s.votes, s.value AS rating, o.votes AS votes_then, o.value AS rating_then
FROM (
  SELECT l.listing_id, l.source_id, lf.film_id, coalesce(f.title, l.title) AS title,
    coalesce(f.year, l.year) AS year, coalesce(f.released_on, l.released_on) AS released_on,
    l.gone_at, l.changed_upstream_at, t.film_id IS NOT NULL AS tracked,
    i.listing_id AS imdb_listing_id,
    max(u.last_asked_at) AS last_asked_at, max(u.failures) AS failures,
    min(u.first_answered_at) AS first_answered_at, max(u.last_answered_at) AS last_answered_at,
    sum(u.answers) AS answers, sum(u.changes) AS changes
  FROM listings l
  LEFT JOIN urls u ON u.listing_id = l.listing_id
  LEFT JOIN listing_films lf ON lf.listing_id = l.listing_id AND lf.valid_to IS NULL
  LEFT JOIN films f USING (film_id)
  LEFT JOIN tracked_films t USING (film_id)
  LEFT JOIN listings i ON i.source = 'imdb' AND i.source_id = f.imdb_id
  WHERE l.source = :source
    AND (NOT :asked OR l.listing_id IN (SELECT listing_id FROM temp.asked_listings))
    AND (NOT :chosen OR lf.film_id IN (SELECT film_id FROM temp.chosen_films))
  GROUP BY l.listing_id
) asked
LEFT JOIN scores s ON s.listing_id = asked.imdb_listing_id AND s.score_kind = 'imdb_rating'
LEFT JOIN score_observations o ON o.rowid = (
    SELECT o.rowid FROM score_observations o
    WHERE o.listing_id = asked.imdb_listing_id AND o.score_kind = 'imdb_rating'
      AND o.observed_at <= asked.last_answered_at
    ORDER BY o.observed_at DESC LIMIT 1
  )
"""


# A film that a source was asked for and did not have is not counted.
_UNFOUND = """
SELECT count(*) FROM films f
WHERE f.merged_into IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM listing_films lf JOIN listings l USING (listing_id)
    WHERE lf.film_id = f.film_id AND lf.valid_to IS NULL AND l.source = :source
  )
  AND NOT EXISTS (
    SELECT 1 FROM lookups k
    WHERE k.film_id = f.film_id AND k.source = :source AND k.found = 'not_listed'
  )
"""


@dataclass(frozen=True)
class Night:
    """What a source would be asked now.

    `asked` has a row for each listing that would be, most pressing first: listing_id, source_id,
    film_id, title, year, and what `schedules.due.schedule` says of it. `due` counts those that the
    budget leaves for later too. `upkeep` is how many requests a night would keep up with all
    `listings`, and `never_asked` how many of them have yet to be asked at all. `usual` is what was
    learned of them all. `exported` are the ids, most popular first, of films in the source's export
    that are no listings yet and are asked with what is left of the budget; `unlisted` counts all of
    those.
    """

    source: str
    listings: int
    never_asked: int
    due: int
    upkeep: float
    budget: int
    delay_seconds: float
    asked: pd.DataFrame
    usual: Usual
    exported: Sequence[str] = ()
    unlisted: int = 0

    @property
    def requests(self) -> int:
        """How many listings and films of the export would be asked."""
        return len(self.asked) + len(self.exported)

    def hours(self, requests: float) -> float:
        """How long so many requests take at the polite rate."""
        return requests * OVERHEAD * self.delay_seconds / 3_600

    def nights(self, requests: int) -> int:
        """How many nights so many requests take."""
        return -(-requests // self.budget)


def night(
    db: Database,
    source: Source,
    config: Config,
    selection: Selection,
    *,
    asked_since: str | None,
    exported: bool,
    first_run: int,
) -> Night:
    """What a source would be asked now, within its budget of requests a night.

    `exported`: films of its export, too, with what is left of the budget, so that no film that is
    here goes stale over them. The run `first_run` itself asks none of an export that it was the
    first to read: what they take can be looked at before.

    What was `asked_since` a time is part of this night's budget already, and not asked again.

    Of chosen films, those of the table temp.chosen_films, a listing is asked as soon as it has
    rested and without a budget: a person wants to know. `selection.again`: before it has, too.
    """
    chosen, limit = not selection.all_films, selection.limit
    at = pd.Timestamp(clock.now())
    listings = _listings(db, source.key, chosen=chosen)
    usual = usual_of(listings, at)
    rows = schedule(listings, at, config.refresh_after_hours, usual)
    asked = pd.Series(False, index=rows.index)
    if asked_since:
        asked = rows["last_asked_at"] >= asked_since
    is_due = rows["rested_at" if chosen else "due_at"] <= at
    due = rows[~asked & (selection.again | is_due)]
    budget = config.of(source).requests_a_night
    most = min(limit or len(rows), len(rows) if chosen else budget)
    left = max(0, most - int(asked.sum()))
    pressing = most_pressing(due).head(left)
    exported_ids: Sequence[str] = ()
    if exported and not chosen and export_read(db, source, but_in=first_run):
        room = min(limit or budget, budget) - int(asked.sum()) - len(pressing)
        exported_ids = most_popular_unasked(db, source.key, max(0, room))
    return Night(
        source=source.key,
        listings=len(rows),
        never_asked=int(rows["last_asked_at"].isna().sum()),
        due=len(due),
        upkeep=float((1 / rows["wait_days"].clip(1)).sum()),
        budget=budget,
        delay_seconds=config.delay(source),
        asked=pressing,
        usual=usual,
        exported=exported_ids,
        unlisted=count_unasked(db, source.key) if exported else 0,
    )


def unfound(db: Database, source: Source) -> int:
    """How many films here may yet turn out to be listed on a source: it has no listing of them, and
    none was sought in vain. With its listings they bound what asking it about every film costs."""
    (films,) = db.conn.execute(_UNFOUND, {"source": source.key}).fetchone()
    return int(films)


def unread_days(db: Database, source: Source, at: str) -> tuple[str, ...]:
    """The days that are over at `at` and whose changes are still to be read in a source's own feed,
    oldest first: since it was last read whole, as far back as it can be asked.

    None where it has no feed, or nothing has been asked that could have changed since.
    """
    if not source.feed_days:
        return ()
    (since,) = db.conn.execute(
        "SELECT ifnull((SELECT read_to FROM feeds WHERE source = ?1),"
        " (SELECT min(last_answered_at) FROM urls WHERE source = ?1))",
        (source.key,),
    ).fetchone()
    if since is None:
        return ()
    today = clock.moment(at).date()
    unread = min((today - clock.moment(since).date()).days, source.feed_days)
    return tuple(str(today - timedelta(days=days)) for days in range(unread, 0, -1))


def unread_exports(db: Database, source: Source, at: str) -> tuple[str, ...]:
    """The days, newest first, of a source's exports that should be there at `at` and are newer than
    the last that was read. Of yesterday's nothing is needed once today's is there; it is for a day
    on which that comes late.
    """
    if source.export_hour is None:
        return ()
    row = db.conn.execute("SELECT exported_on FROM exports WHERE source = ?", (source.key,))
    (last,) = row.fetchone() or ("",)
    newest = clock.moment(clock.later(at, hours=-source.export_hour)).date()
    days = (str(newest), str(newest - timedelta(days=1)))
    return tuple(day for day in days if day > last)


def export_read(db: Database, source: Source, *, but_in: int = 0) -> bool:
    """Whether an export of the source was read, and first in another run than this one."""
    found = db.conn.execute(
        "SELECT 1 FROM exports WHERE source = ? AND ifnull(first_run_id, 0) <> ?",
        (source.key, but_in or -1),
    )
    return found.fetchone() is not None


def write_due(
    db: Database,
    sources: Iterable[str],
    since: str,
    rest_hours: float,
    usual: Mapping[str, Usual],
    *,
    chosen: bool,
) -> None:
    """Remember when what was asked `since` is due next, and why.

    What is `usual` of a source was learned as the run began; where it was not, it is now.
    `chosen`: only the chosen films were asked, and the rates are not learned from all others.
    """
    at = pd.Timestamp(clock.now())
    asked = _asked_since(db, since)
    due: list[tuple[int, str, str]] = []
    for source in sources:
        if source not in asked:
            continue
        some = asked[source] if source in usual else None
        listings = _listings(db, source, chosen=chosen, asked=some)
        rows = schedule(listings, at, rest_hours, usual.get(source))
        rows = rows[rows["last_asked_at"] >= since]
        times = rows["due_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        due += zip(rows["listing_id"].tolist(), times, rows["why"], strict=True)
    with transaction(db):  # one, in order: the sources' listings lie side by side
        db.conn.executemany("INSERT OR REPLACE INTO due VALUES (?, ?, ?)", sorted(due))


def _asked_since(db: Database, since: str) -> dict[str, list[int]]:
    """The listings that were asked one by one, by their source."""
    asked: dict[str, list[int]] = {}
    for source, listing_id in db.conn.execute(
        "SELECT source, listing_id FROM urls WHERE listing_id IS NOT NULL AND last_asked_at >= ?",
        (since,),
    ):
        asked.setdefault(source, []).append(listing_id)
    return asked


def _listings(
    db: Database, source: str, *, chosen: bool, asked: Iterable[int] | None = None
) -> pd.DataFrame:
    """What `schedules.due.schedule` is told of a source's listings, in their order: of all, or of
    those of the films in temp.chosen_films, or of those that were `asked`."""
    set_aside(db, "asked_listings", "listing_id", asked or ())
    params: dict[str, str | int] = {
        "source": source,
        "chosen": int(chosen),
        "asked": int(asked is not None),
    }
    rows = pd.read_sql_query(_LISTINGS, db.conn, params=params)
    return rows.sort_values("listing_id", ignore_index=True)

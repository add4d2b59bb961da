"""Scores: what stands of each listing and kind, and the observations that it stands on.

Observations are append-only. A live score is written only where it differs from the last live one
or a saved page said otherwise in between, one from a saved page always, once. The newer stands:
whenever saved pages come, in whatever order and however often, the same comes to stand. Pages that
come between the same two answers leave the same tables, in whatever order; of what was answered
before a page came, only the last time is known at which it was said again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from sqlite_utils import Database

from pipelines import guard
from pipelines.confirmations import confirm
from pipelines.database import first_row
from pipelines.moves import write_moves
from pipelines.quarantine import Doubted, hold, supersede
from pipelines.statements import Change, Origin, Statement, Tally
from spiders.items import Record, Score, ScoreState
from spiders.sources import score_kind, source_of_kind

VOTES_MOVED = 0.01
"""Share of the votes that must come or go before a live score is written for that alone."""


class ScoreKey(NamedTuple):
    """What a figure is of; the key of `scores`."""

    listing_id: int
    kind: str


class Figure(NamedTuple):
    """What an observation holds, and what stands holds too: columns of both tables."""

    state: str
    value: float | None
    scale_max: float
    votes: int | None
    votes_at_least: int
    basis: str | None
    relayed: int
    origin: Origin
    layout: str | None
    url: str | None
    observed_at: str

    @property
    def said(self) -> tuple[str, float | None]:
        """The state, and the value where it has one."""
        return self.state, self.value


class Attempt(NamedTuple):
    """What the last answer held, the state of a score or why there was none, and when it came."""

    state: str
    at: str


@dataclass(frozen=True)
class Stands:
    """What stands of one listing and kind, and the last attempt."""

    figure: Figure
    attempt: Attempt

    @classmethod
    def of(cls, row: Sequence[Any]) -> Stands:
        """Of the columns `_STANDS`."""
        return cls(Figure(*row[:-2]), Attempt(*row[-2:]))


@dataclass(frozen=True)
class Told:
    """What a record says of one score kind."""

    said: Statement
    kind: str
    score: Score

    @property
    def key(self) -> ScoreKey:
        """What it is said of."""
        return ScoreKey(self.said.listing_id, self.kind)

    @property
    def figure(self) -> Figure:
        """The same as an observation."""
        said, score = self.said, self.score
        return Figure(
            score.state.value,
            score.value,
            score.scale_max,
            score.votes,
            int(score.votes_at_least),
            score.basis,
            int(score.relayed),
            said.origin,
            said.record.layout,
            said.record.url,
            said.at,
        )


_FIGURE = ", ".join(Figure._fields)
_STANDS = f"{_FIGURE}, last_attempt_state, last_attempt_at"

_WRITTEN = f"{_FIGURE}, changed_at, last_attempt_state, last_attempt_at, said_otherwise"
_STAND = (
    f"INSERT INTO scores (listing_id, score_kind, {_WRITTEN})"
    f" VALUES ({', '.join('?' * 17)}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN.split(", "))
)


def store_score(db: Database, run_id: int | None, said: Statement, kind: str, tally: Tally) -> None:
    """Store what a record says of one score kind, or hold it back where something speaks against
    it."""
    told = Told(said, kind, said.record.scores[kind])
    row = first_row(
        db, f"SELECT {_STANDS} FROM scores WHERE listing_id = ? AND score_kind = ?", *told.key
    )
    stands = Stands.of(row) if row else None
    if told.score.state is ScoreState.MISSING:
        _missing(db, told, stands, tally)
        return
    archived = said.origin == "archive"
    answered = stands.figure if _answered(stands) else _newest(db, told.key, saved=False)
    why = None if said.released else _doubt(db, told, answered)

    def same(held: Record) -> bool:
        return kind in held.scores and guard.follows(told.score, held.scores[kind])

    if why and hold(
        db, run_id, Doubted(said, kind, why, _named(db, told.key, stands), same), tally
    ):
        if not archived:
            _attempted(db, told, "held")
    elif archived:
        _archived(db, told, stands)
    elif said.released and stands and said.at < _last_said(db, told.key, stands):
        _late(db, told, stands)
    else:
        _live(db, told, stands, answered, tally)


def stand_on_answers(db: Database, listing_id: int, at: str) -> None:
    """A 304 says again what the last full answer said: that is newer than any saved page."""
    for kind, *row in db.conn.execute(
        f"SELECT score_kind, {_STANDS} FROM scores WHERE listing_id = ?"
        " AND (said_otherwise = 1 OR origin = 'archive'"
        "  AND last_attempt_state IN ('scored', 'not_rated'))",
        (listing_id,),
    ).fetchall():
        key, stands = ScoreKey(listing_id, kind), Stands.of(row)
        if _answered(stands):
            _written_again(db, key, stands)
            continue
        answered = _newest(db, key, saved=False)
        if answered:
            _stand_again(db, key, stands, answered, answered._replace(observed_at=at))


def write_again_of_dataset(db: Database, source: str) -> list[int]:
    """Of what stands on a dataset, write what was seen again before this one confirms it once more;
    gives the listings."""
    seen = db.conn.execute(
        f"SELECT listing_id, score_kind, {_STANDS} FROM scores"
        " WHERE said_otherwise = 1 AND origin = 'dataset' AND (listing_id, score_kind)"
        " IN (SELECT a.listing_id, a.score_kind FROM seen_again a"
        "  CROSS JOIN listings l USING (listing_id) WHERE l.source = ?)",
        (source,),
    ).fetchall()
    for listing_id, kind, *row in seen:
        _written_again(db, ScoreKey(listing_id, kind), Stands.of(row))
    return [listing_id for listing_id, *_ in seen]


def _doubt(db: Database, told: Told, answered: Figure | None) -> guard.Doubt | None:
    """What speaks against a score. A saved page is history, whatever stands today; and what stands
    of another film says nothing of this one."""
    said, kind, score = told.said, told.kind, told.score
    if said.origin == "archive" or said.another_film:
        return guard.out_of_scale(score)
    standing = _standing(answered)
    side = None if score.relayed else score_kind(kind).side
    why = guard.doubt(score, standing, side)
    if why or side is None:
        return why
    others = [k.key for k in source_of_kind(kind).score_kinds if k.side != side]
    # What stays as it is needs no look at the other side, which would cost a quiet night a query.
    if standing and (standing.value, standing.votes) == (score.value, score.votes):
        return None
    for other in others:
        figure = _newest(db, ScoreKey(said.listing_id, other), saved=False)
        why = guard.on_the_wrong_side(
            score, standing, said.record.scores.get(other), _standing(figure)
        )
        if why:
            return why
    return None


def _live(
    db: Database, told: Told, stands: Stands | None, answered: Figure | None, tally: Tally
) -> None:
    """Compare with what was last `answered`; a saved page may stand meanwhile."""
    said = told.said
    if _answered(stands):
        stands = _written_again(db, told.key, stands)
        answered = stands.figure
    supersede(db, said.listing_id, told.kind, said.at)
    confirm(db, said, told.kind, tally)
    if stands and answered and _as_before(answered, told.score):
        if not _answered(stands):
            again = answered._replace(origin=said.origin, observed_at=said.at)
            _stand_again(db, told.key, stands, answered, again)
        if stands.figure.origin != said.origin:
            db.conn.execute(
                "UPDATE scores SET origin = ? WHERE listing_id = ? AND score_kind = ?",
                (said.origin, *told.key),
            )
        if not _attempted_since(said, stands):
            _attempted(db, told, told.score.state.value, quietly=True)
        return
    figure = told.figure
    _observe(db, told.key, figure, said.exact)
    _stand(db, told.key, figure, _attempt(told, stands))
    before = in_words(*stands.figure.said) if stands else None
    after = in_words(*figure.said)
    if before != after and not told.score.relayed:
        tally.change(Change(said.listing_id, told.kind, before, after))


def _stand_again(
    db: Database, key: ScoreKey, page: Stands, answered: Figure, again: Figure
) -> None:
    """Let stand what was answered before and is said again, in place of a saved page; it is written
    once more, as of `again`, where that said otherwise."""
    otherwise = page.figure.said != answered.said
    if otherwise and page.figure.observed_at < again.observed_at and not answered.relayed:
        _observe(db, key, again)
        answered = again
    _stand(db, key, answered, page.attempt)


def _written_again(db: Database, key: ScoreKey, stands: Stands) -> Stands:
    """What stands, as of when it was seen again after a saved page said otherwise: what is seen in
    the view of it until now is written, for what comes next follows upon it."""
    seen = first_row(
        db, "SELECT said_at FROM seen_again WHERE listing_id = ? AND score_kind = ?", *key
    )
    if seen is None or stands.figure.relayed:
        return stands
    again = Stands(stands.figure._replace(observed_at=seen[0]), stands.attempt)
    _observe(db, key, again.figure)
    _stand(db, key, again.figure, again.attempt)
    return again


def _late(db: Database, told: Told, stands: Stands) -> None:
    """A person let pass what was said before the site, or a newer page, said what stands: that goes
    on standing, and this is history."""
    figure = stands.figure
    within = _answered(stands) and figure.observed_at < told.said.at
    if not (within and _as_before(figure, told.score)):
        _observe(db, told.key, told.figure, told.said.exact)
        if within:  # what stands was said before and after, and written once
            figure = figure._replace(observed_at=_seen_at(db, told.key, stands))
            _observe(db, told.key, figure)
    _stand(db, told.key, figure, _attempt(told, stands))


def _last_said(db: Database, key: ScoreKey, stands: Stands) -> str:
    """When what stands was last said; never, where it only says that something is missing."""
    return "" if stands.figure.state == "missing" else _seen_at(db, key, stands)


def _attempted_since(said: Statement, stands: Stands | None) -> bool:
    """Whether the site was asked again after what a person let pass was said."""
    return said.released and stands is not None and stands.attempt.at > said.at


def _attempt(told: Told, stands: Stands | None) -> Attempt:
    """What the last answer held, and when it came."""
    if stands is not None and _attempted_since(told.said, stands):
        return stands.attempt
    return Attempt(told.score.state.value, told.said.at)


def _missing(db: Database, told: Told, stands: Stands | None, tally: Tally) -> None:
    """`missing` is no statement of the source: it stands only where nothing else does."""
    if told.said.origin == "archive":
        return
    if stands and stands.attempt.state == "missing":
        tally.missed.append((*told.key, told.said.at))
    elif stands:
        _attempted(db, told, "missing")
    else:
        _stand(db, told.key, told.figure, Attempt("missing", told.said.at))


def _archived(db: Database, told: Told, stands: Stands | None) -> None:
    """A saved page is history: always written, once, and it stands only where it is newest."""
    _observe(db, told.key, told.figure, told.said.exact)
    newest = _newest(db, told.key, saved=True)
    assert newest, f"an observation of {told.kind} was just written"
    attempt = stands.attempt if stands else None
    if _answered(stands):
        if stands.figure.state != "missing" and told.said.at <= _seen_at(db, told.key, stands):
            newest = stands.figure  # and perhaps for longer than was known
    elif stands and stands.attempt == (stands.figure.state, stands.figure.observed_at):
        attempt = None  # the site itself has not answered since
    attempt = attempt or Attempt(newest.state, newest.observed_at)
    _stand(db, told.key, newest, attempt)


def _answered(stands: Stands | None) -> TypeGuard[Stands]:
    """Whether what stands was answered by the site, rather than read off a saved page."""
    return stands is not None and stands.figure.origin != "archive"


def _seen_at(db: Database, key: ScoreKey, stands: Stands) -> str:
    """When what stands was last seen to be so."""
    confirmed = first_row(
        db, "SELECT confirmed_at FROM confirmed WHERE listing_id = ? AND topic = ?", *key
    )
    return max(stands.figure.observed_at, str(confirmed[0]) if confirmed else "")


def _named(db: Database, key: ScoreKey, stands: Stands | None) -> dict[str, Any] | None:
    """What stands, by the names of its columns, and when it was last seen to be so."""
    if stands is None:
        return None
    return stands.figure._asdict() | {"seen_at": _seen_at(db, key, stands)}


def _newest(db: Database, key: ScoreKey, *, saved: bool) -> Figure | None:
    """The newest observation from saved pages, or else from answers."""
    # Saved pages may come in any order: of several at one time, the greatest stands.
    last = "state DESC, value DESC, votes DESC, basis DESC" if saved else "rowid DESC"
    row = first_row(
        db,
        f"SELECT {_FIGURE} FROM score_observations WHERE listing_id = ? AND score_kind = ?"
        f" AND (origin = 'archive') = ? ORDER BY observed_at DESC, {last} LIMIT 1",
        *key,
        saved,
    )
    return Figure(*row) if row else None


def _observe(db: Database, key: ScoreKey, figure: Figure, exact: str = "second") -> None:
    """Write an observation, once, and what moved by it. Where two pages say the same at one time,
    the one with the lesser URL is named, whichever came first."""
    db.conn.execute(
        f"INSERT INTO score_observations (listing_id, score_kind, observed_to, {_FIGURE})"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " observed_to = excluded.observed_to, scale_max = excluded.scale_max,"
        " votes_at_least = excluded.votes_at_least, layout = excluded.layout, url = excluded.url"
        " WHERE (ifnull(excluded.url, ''), ifnull(excluded.layout, ''), excluded.observed_to,"
        " excluded.scale_max, excluded.votes_at_least)"
        " < (ifnull(url, ''), ifnull(layout, ''), observed_to, scale_max, votes_at_least)",
        (*key, exact, *figure),
    )
    if not figure.relayed:
        write_moves(db, *key, figure.observed_at)


def _stand(db: Database, key: ScoreKey, figure: Figure, attempt: Attempt) -> None:
    """Let a figure stand, since it was first seen so without a break."""
    since = first_row(
        db,
        "SELECT min(observed_at) FROM score_observations WHERE listing_id = ?1 AND"
        " score_kind = ?2 AND observed_at > ifnull((SELECT max(observed_at) FROM"
        " score_observations WHERE listing_id = ?1 AND score_kind = ?2"
        " AND (state IS NOT ?3 OR value IS NOT ?4)), '')",
        *key,
        *figure.said,
    )
    changed_at = (since and since[0]) or figure.observed_at
    otherwise = figure.origin != "archive" and first_row(
        db,
        "SELECT 1 FROM score_observations WHERE listing_id = ? AND score_kind = ?"
        " AND origin = 'archive' AND relayed = 0 AND observed_at >= ?"
        " AND (state <> ? OR value IS NOT ?) LIMIT 1",
        *key,
        figure.observed_at,
        *figure.said,
    )
    # Not REPLACE, which no trigger would hear of.
    db.conn.execute(_STAND, (*key, *figure, changed_at, *attempt, int(bool(otherwise))))


def _attempted(db: Database, told: Told, state: str, *, quietly: bool = False) -> None:
    """Record what the last answer held. `quietly`: only where that differs from before.

    A standing score that was seen again has its time in `confirmations`, one narrow row; to
    rewrite its wide row for that would make a quiet night expensive.
    """
    differs = " AND last_attempt_state <> ?1" if quietly else ""
    db.conn.execute(
        "UPDATE scores SET last_attempt_state = ?1, last_attempt_at = ?2"
        f" WHERE listing_id = ?3 AND score_kind = ?4{differs}",
        (state, told.said.at, *told.key),
    )


def _standing(figure: Figure | None) -> guard.Standing | None:
    if figure is None:
        return None
    state, value, scale_max, votes, at_least, basis = figure[:6]
    return guard.Standing(state, value, scale_max, votes, bool(at_least), basis)


def _as_before(stands: Figure, score: Score) -> bool:
    """Whether a live score says what stands: same state, value and basis, votes within 1 %.

    A page without a count says nothing of the count: the one that stands goes on standing.
    """
    if (*stands.said, stands.scale_max) != (score.state.value, score.value, score.scale_max):
        return False
    if score.basis is not None and stands.basis != score.basis:
        return False
    if score.votes is None:
        return True
    if stands.votes is None or bool(stands.votes_at_least) != score.votes_at_least:
        return False
    return abs(score.votes - stands.votes) < VOTES_MOVED * max(stands.votes, 1)


def in_words(state: str, value: float | None) -> str:
    """A figure for a person to read; its state where there is none."""
    return state if value is None else f"{value:g}"

"""Scores: what stands of each listing and kind, and the observations that it stands on.

Observations are append-only. A live score is written only where it differs from what stands; one
from a saved page always, once. In whatever order saved pages come, and however often, the tables
come out the same.
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from pipelines import guard
from pipelines.confirmations import confirm
from pipelines.quarantine import hold, supersede
from pipelines.statements import Change, Row, Statement, Tally, one
from spiders.items import Score, ScoreState

VOTES_MOVED = 0.01
"""Share of the votes that must come or go before a live score is written for that alone."""

_FIGURE = "state, value, scale_max, votes, votes_at_least, basis, relayed, origin, layout, url"


def store_score(
    db: Database, run_id: int | None, said: Statement, kind: str, score: Score, tally: Tally
) -> None:
    """Store what a record says of one score kind, or hold it back."""
    stands = one(
        db,
        f"SELECT {_FIGURE}, observed_at FROM scores WHERE listing_id = ? AND score_kind = ?",
        said.listing_id,
        kind,
    )
    if score.state is ScoreState.MISSING:
        _missing(db, said, kind, score, stands)
        return
    archived = said.origin == "archive"
    why = guard.doubt(score, None if archived else _standing(stands))
    if why:
        hold(db, run_id, said, kind, why, stands, tally)
        if not archived:
            _attempted(db, said, kind, "held")
    elif archived:
        _archived(db, said, kind, score, stands)
    else:
        _live(db, said, kind, score, stands, tally)


def _live(
    db: Database, said: Statement, kind: str, score: Score, stands: Row | None, tally: Tally
) -> None:
    supersede(db, said.listing_id, kind, said.at)
    confirm(db, said, kind)
    if stands and _as_before(stands, score):
        if stands[7] != said.origin:
            db.conn.execute(
                "UPDATE scores SET origin = ? WHERE listing_id = ? AND score_kind = ?",
                (said.origin, said.listing_id, kind),
            )
        _attempted(db, said, kind, score.state.value, quietly=True)
        return
    figure = _figure(said, score)
    _observe(db, said, kind, figure)
    _stand(db, said, kind, figure, said.at, attempt=score.state.value)
    before = _words(stands[0], stands[1]) if stands else None
    after = _words(score.state.value, score.value)
    if before != after and not score.relayed:
        tally.change(Change(said.listing_id, kind, before, after))


def _missing(db: Database, said: Statement, kind: str, score: Score, stands: Row | None) -> None:
    """`missing` is no statement of the source: it stands only where nothing else does."""
    if said.origin == "archive":
        return
    if stands:
        _attempted(db, said, kind, "missing")
    else:
        _stand(db, said, kind, _figure(said, score), said.at, attempt="missing")


def _archived(db: Database, said: Statement, kind: str, score: Score, stands: Row | None) -> None:
    """A saved page is history: always written, once, and it stands only where it is newest."""
    _observe(db, said, kind, _figure(said, score))
    if stands is None or stands[0] == "missing" or stands[7] == "archive":
        _stand_newest(db, said, kind)
        return
    observed_at = stands[10]
    confirmed = one(
        db,
        "SELECT confirmed_at FROM confirmed WHERE listing_id = ? AND topic = ?",
        said.listing_id,
        kind,
    )
    seen_at = max(observed_at, confirmed[0] if confirmed else "")
    if said.at > seen_at:
        _stand_newest(db, said, kind)
    elif said.at > observed_at and (stands[0], stands[1]) != (score.state.value, score.value):
        # What stands was seen again after this page was saved: the history must say so, or it
        # would show the saved figure as lasting until today.
        db.conn.execute(
            "INSERT OR IGNORE INTO score_observations (listing_id, score_kind, observed_at,"
            f" observed_to, {_FIGURE}) SELECT listing_id, score_kind, ?, 'second', {_FIGURE}"
            " FROM scores WHERE listing_id = ? AND score_kind = ?",
            (seen_at, said.listing_id, kind),
        )
        db.conn.execute(
            "UPDATE scores SET observed_at = ?1, changed_at = ?1"
            " WHERE listing_id = ?2 AND score_kind = ?3",
            (seen_at, said.listing_id, kind),
        )


def _observe(db: Database, said: Statement, kind: str, figure: tuple[Any, ...]) -> None:
    db.conn.execute(
        "INSERT OR IGNORE INTO score_observations (listing_id, score_kind, observed_at,"
        f" observed_to, {_FIGURE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (said.listing_id, kind, said.at, said.exact, *figure),
    )


def _stand(
    db: Database, said: Statement, kind: str, figure: Row, observed_at: str, attempt: str
) -> None:
    """Let a figure stand, since it was first seen so without a break."""
    since = one(
        db,
        "SELECT min(observed_at) FROM score_observations WHERE listing_id = ?1 AND"
        " score_kind = ?2 AND observed_at > ifnull((SELECT max(observed_at) FROM"
        " score_observations WHERE listing_id = ?1 AND score_kind = ?2"
        " AND (state IS NOT ?3 OR value IS NOT ?4)), '')",
        said.listing_id,
        kind,
        figure[0],
        figure[1],
    )
    changed_at = (since and since[0]) or observed_at
    db.conn.execute(
        f"INSERT OR REPLACE INTO scores (listing_id, score_kind, {_FIGURE}, observed_at,"
        " changed_at, last_attempt_state, last_attempt_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (said.listing_id, kind, *figure, observed_at, changed_at, attempt, observed_at),
    )


def _stand_newest(db: Database, said: Statement, kind: str) -> None:
    """Let the newest observation stand; of two at one time, the greater in (state, value)."""
    row = one(
        db,
        f"SELECT {_FIGURE}, observed_at FROM score_observations WHERE listing_id = ?"
        " AND score_kind = ? ORDER BY observed_at DESC, state DESC, value DESC, votes DESC LIMIT 1",
        said.listing_id,
        kind,
    )
    assert row, f"an observation of {kind} was just written"
    _stand(db, said, kind, tuple(row[:10]), row[10], attempt=row[0])


def _attempted(
    db: Database, said: Statement, kind: str, state: str, *, quietly: bool = False
) -> None:
    """Record what the last answer held. `quietly`: only where that differs from before.

    A standing score that was seen again has its time in `confirmations`, one narrow row; to
    rewrite its wide row for that would make a quiet night expensive.
    """
    differs = " AND last_attempt_state <> ?1" if quietly else ""
    db.conn.execute(
        "UPDATE scores SET last_attempt_state = ?1, last_attempt_at = ?2"
        f" WHERE listing_id = ?3 AND score_kind = ?4{differs}",
        (state, said.at, said.listing_id, kind),
    )


def _figure(said: Statement, score: Score) -> tuple[Any, ...]:
    return (
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
    )


def _standing(row: Row | None) -> guard.Standing | None:
    return guard.Standing(row[0], row[1], row[2], row[3], bool(row[4])) if row else None


def _as_before(stands: Row, score: Score) -> bool:
    """Whether a live score says what stands: same state, value and basis, votes within 1 %.

    A page without a count says nothing of the count: the one that stands goes on standing.
    """
    state, value, scale_max, votes, at_least, basis = stands[:6]
    if (state, value, scale_max) != (score.state.value, score.value, score.scale_max):
        return False
    if score.basis is not None and basis != score.basis:
        return False
    if score.votes is None:
        return True
    if votes is None or bool(at_least) != score.votes_at_least:
        return False
    return bool(abs(score.votes - votes) < VOTES_MOVED * max(votes, 1))


def _words(state: str, value: float | None) -> str:
    return state if value is None else f"{value:g}"

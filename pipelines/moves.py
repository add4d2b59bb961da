"""Moves: which figures differ from the one before them, and how far.

Observations say it too, and the view score_changes works it out of them, step by step. What moved
the farthest in a week is among tens of thousands of steps: so it is written down beside them.
"""

from __future__ import annotations

from sqlite_utils import Database

from pipelines.database import indexed_afterwards

# Each scored figure that an answer brought, with the figure before it where that is another, in
# the order that observations have (score_observations_once). Listings may come to be another film:
# the view score_moves leaves out what moved from one to the next.
_MOVES = """
SELECT said_at, listing_id, score_kind, origin, value, votes, old_said_at, old_value, old_votes,
  delta_100, iif(old_origin = 'archive', old_said_at, NULL) AS saved_at
FROM (
  SELECT observed_at AS said_at, listing_id, score_kind, origin, value, votes,
    lag(observed_at) OVER said AS old_said_at, lag(value) OVER said AS old_value,
    lag(votes) OVER said AS old_votes, lag(origin) OVER said AS old_origin,
    round(100.0 * value / scale_max
          - 100.0 * lag(value) OVER said / lag(scale_max) OVER said, 2) AS delta_100
  FROM score_observations
  WHERE relayed = 0 {which}
  WINDOW said AS (
    PARTITION BY listing_id, score_kind
    ORDER BY observed_at, origin, state, ifnull(value, -1), ifnull(votes, -1), ifnull(basis, '')
  )
)
WHERE origin <> 'archive' AND delta_100 <> 0
"""
_OF = "FROM score_observations WHERE listing_id = ?1 AND score_kind = ?2 AND relayed = 0"
_BEFORE = f"ifnull((SELECT max(observed_at) {_OF} AND observed_at < ?3), '')"
_NEXT = f"ifnull((SELECT min(observed_at) {_OF} AND observed_at > ?3), ?3)"


def write_moves(db: Database, listing_id: int, score_kind: str, at: str) -> None:
    """Write anew what moved at a time and at the next: an observation of that time was written.

    A saved page may come between two that are known: the later one then moved from another figure.
    """
    key = (listing_id, score_kind, at)
    db.conn.execute(
        f"DELETE FROM moves WHERE listing_id = ?1 AND score_kind = ?2 AND said_at IN (?3, {_NEXT})",
        key,
    )
    which = f"AND listing_id = ?1 AND score_kind = ?2 AND observed_at BETWEEN {_BEFORE} AND {_NEXT}"
    db.conn.execute(
        f"INSERT INTO moves {_MOVES.format(which=which)} AND said_at IN (?3, {_NEXT})", key
    )


def write_all_moves(db: Database) -> None:
    """Write them all anew, from all observations."""
    in_order = "ORDER BY said_at, listing_id, score_kind, origin, value"  # at the table's end
    with indexed_afterwards(db, "moves"):
        db.conn.execute("DELETE FROM moves")
        db.conn.execute(f"INSERT INTO moves {_MOVES.format(which='')} {in_order}")


def forget_moves_before(db: Database, source: str, since: str) -> None:
    """Delete what moved at a source before a time, or from a figure of before: those are about to
    be deleted, and this reads which they are."""
    db.conn.execute(
        "WITH old AS MATERIALIZED ("
        " SELECT o.listing_id, o.score_kind, o.observed_at"
        " FROM listings l CROSS JOIN score_observations o USING (listing_id)"
        " WHERE l.source = ?1 AND o.relayed = 0 AND o.observed_at < ?2"
        ") DELETE FROM moves WHERE old_said_at < ?2 AND (said_at, listing_id, score_kind) IN ("
        " SELECT observed_at, listing_id, score_kind FROM old UNION ALL"
        " SELECT (SELECT min(n.observed_at) FROM score_observations n"
        "  WHERE n.listing_id = old.listing_id AND n.score_kind = old.score_kind"
        "  AND n.relayed = 0 AND n.observed_at >= ?2), listing_id, score_kind"
        " FROM old GROUP BY listing_id, score_kind)",
        (source, since),
    )

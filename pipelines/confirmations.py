"""When a standing score or verdict was last seen unchanged: one narrow row, or one a dataset.

What stands on a dataset and has no row of its own is confirmed by each dataset that comes whole. It
gets one where it is no part of the last one, or where something else says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database

from pipelines.database import set_aside
from pipelines.statements import Statement, Tally

_STOOD = (
    "SELECT score_kind FROM scores WHERE listing_id = ?1"
    " AND origin = 'live' AND last_attempt_state IN ('scored', 'not_rated')"
    " UNION SELECT 'credits' FROM credits_verdicts WHERE listing_id = ?1"
    " AND origin <> 'archive'"
)


def confirm(db: Database, said: Statement, topic: str, tally: Tally) -> None:
    """A record says again what stands. A dataset confirms in one row, when its last part came; but
    what a person released was said when it was held, whatever came since."""
    if said.origin == "dataset" and not said.released:
        db.conn.execute(
            "DELETE FROM confirmations WHERE listing_id = ? AND topic = ?",
            (said.listing_id, topic),
        )
    else:
        tally.confirmed.append((said.listing_id, topic, said.at))


def write_confirmed(db: Database, tally: Tally) -> None:
    """Write down what an answer said again, and what it lacked again. It is no news: whatever else
    an answer writes is."""
    # Row by row, since triggers count them: SQLite keeps a journal of such a statement, in memory
    # up to 64 KB. A longer one goes to a file, and with it all that follow in the transaction: a
    # quiet night wrote 117 MB of those.
    db.conn.executemany(
        "INSERT INTO confirmations VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
        " SET confirmed_at = max(confirmed_at, excluded.confirmed_at)",
        tally.confirmed,
    )
    db.conn.executemany(
        "UPDATE scores SET last_attempt_at = ?3 WHERE listing_id = ?1 AND score_kind = ?2",
        tally.missed,
    )
    tally.confirmed.clear()
    tally.missed.clear()


def confirm_unchanged(db: Database, listing_id: int, at: str, tally: Tally) -> None:
    """A 304: what the last full answer said of a listing still stands.

    What that answer did not hold (`missing`, or held back) is not confirmed by it.
    """
    tally.confirmed += (
        (listing_id, topic, at) for (topic,) in db.conn.execute(_STOOD, [listing_id])
    )


def begin_dataset(db: Database) -> None:
    """No part of a dataset has come yet."""
    set_aside(db, "in_dataset", "listing_id", ())


def note_in_dataset(db: Database, listing_ids: Iterable[int]) -> None:
    """These listings were in a dataset, which said of them what stands now."""
    db.conn.executemany(
        "INSERT OR IGNORE INTO temp.in_dataset VALUES (?)", ((number,) for number in listing_ids)
    )


def confirm_dataset(db: Database, source: str, at: str, *, unchanged: bool) -> None:
    """One row confirms every score that stands on a dataset and was in it this time.

    That is what was noted to be; all, where the dataset is `unchanged` and was not sent (a 304).
    Titles are absent on some days, which is no deletion: theirs keep the time when the
    dataset last held them.
    """
    run = db.conn.execute
    if not unchanged:
        run(
            "INSERT OR IGNORE INTO confirmations"
            " SELECT s.listing_id, s.score_kind, max(s.observed_at, ifnull(d.confirmed_at, ''))"
            " FROM scores s JOIN listings l USING (listing_id)"
            " LEFT JOIN dataset_confirmations d ON d.source = l.source WHERE l.source = ?"
            " AND s.origin = 'dataset'"
            " AND s.listing_id NOT IN (SELECT listing_id FROM temp.in_dataset)",
            (source,),
        )
        run(
            "DELETE FROM temp.in_dataset WHERE listing_id IN"
            " (SELECT listing_id FROM listings WHERE source = ?)",
            (source,),
        )
    run(
        "INSERT INTO dataset_confirmations VALUES (?, ?) ON CONFLICT DO UPDATE"
        " SET confirmed_at = excluded.confirmed_at",
        (source, at),
    )

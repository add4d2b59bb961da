"""What a dataset last said of each listing, as a digest: on most nights nearly all of it is as it
was, and need not be stored again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from spiders.items import Record

# A listing is as it was told the last time only where nothing else has been said of it since: no
# figure came from another origin, none was refused, nothing is held or was confirmed by itself.
_KNOWN = """
SELECT asked.value, l.listing_id, d.digest
FROM json_each(?2) asked
CROSS JOIN listings l ON l.source = ?1 AND l.source_id = asked.value
CROSS JOIN dataset_records d USING (listing_id)
WHERE NOT EXISTS (SELECT 1 FROM scores s WHERE s.listing_id = l.listing_id
    AND (s.origin <> 'dataset' OR s.last_attempt_state <> s.state))
  AND NOT EXISTS (SELECT 1 FROM quarantine q
    WHERE q.listing_id = l.listing_id AND q.decision IS NULL)
  AND NOT EXISTS (SELECT 1 FROM confirmations c WHERE c.listing_id = l.listing_id)
"""


def known_again(
    db: Database, source: str, records: Sequence[Record], reader_version: str | None
) -> tuple[set[int], list[Record]]:
    """The listings of which a dataset's records say what they said the last time, read by the same
    reader; and the records that say something else."""
    ids = json.dumps([record.source_id for record in records])
    told = {
        source_id: (listing_id, digest)
        for source_id, listing_id, digest in db.conn.execute(_KNOWN, (source, ids))
    }
    known: set[int] = set()
    others = []
    for record in records:
        listing_id, digest = told.get(record.source_id, (0, None))
        if digest is not None and digest == _digest(record, reader_version):
            known.add(listing_id)
        else:
            others.append(record)
    return known, others


def remember(db: Database, told: Iterable[tuple[int, Record]], reader_version: str | None) -> None:
    """These listings were told so, and all of it was stored."""
    db.conn.executemany(
        "INSERT OR REPLACE INTO dataset_records VALUES (?, ?)",
        ((listing_id, _digest(record, reader_version)) for listing_id, record in told),
    )


def forget_told(db: Database, listing_id: int) -> None:
    """Something else stands of a listing than what was told, since a person released it."""
    db.conn.execute("DELETE FROM dataset_records WHERE listing_id = ?", (listing_id,))


def _digest(record: Record, reader_version: str | None) -> int:
    said = f"{reader_version} {record.model_dump_json(exclude_defaults=True)}"
    # SQLite's integers have a sign.
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), signed=True)

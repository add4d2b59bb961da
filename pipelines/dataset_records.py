"""What a dataset says of many titles at once: of those that are new, and of those that are as the
last time.

A first night has a million of the ones. Of the others every night has those that few people vote
on: a title with one vote more says something else, and is stored as a record by itself. Neither of
the two takes the dozen statements that one record takes, and the rows that come of it are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlite_utils import Database

from pipelines import guard
from pipelines.listings import UNDECODABLE
from pipelines.scores import in_words
from pipelines.statements import Change, Tally
from spiders.items import ScoreState, TitleRow, Titles
from spiders.sources import FILM_KINDS, by_key

# A listing is as it was told the last time only where nothing else has been said of it since: no
# figure came from another origin, none was refused, nothing is held or was confirmed by itself.
_TOLD = """
SELECT l.source_id, l.listing_id, iif(
  NOT EXISTS (SELECT 1 FROM scores s WHERE s.listing_id = l.listing_id
    AND (s.origin <> 'dataset' OR s.last_attempt_state <> s.state))
  AND NOT EXISTS (SELECT 1 FROM quarantine q
    WHERE q.listing_id = l.listing_id AND q.decision IS NULL)
  AND NOT EXISTS (SELECT 1 FROM confirmations c WHERE c.listing_id = l.listing_id),
  d.digest, NULL)
FROM json_each(?2) asked
CROSS JOIN listings l ON l.source = ?1 AND l.source_id = asked.value
LEFT JOIN dataset_records d USING (listing_id)
"""

_NEW = (
    "DROP TABLE IF EXISTS temp.new_titles",
    "CREATE TEMP TABLE new_titles (listing_id INTEGER PRIMARY KEY, digest, source_id, kind, title,"
    " original_title, year, runtime_minutes, genres, value, votes)",
)

# From there each table has its rows by one statement: triggers and indexes are then made ready
# once, which for each row would take longer than the row.
_INSERT = (
    """
INSERT INTO listings (listing_id, source, source_id, url, title, original_title, year, kind,
  runtime_minutes, first_seen_at)
SELECT listing_id, :source, source_id, replace(:page, '{id}', source_id), title, original_title,
  year, kind, runtime_minutes, :at
FROM temp.new_titles ORDER BY listing_id
""",
    """
INSERT INTO film_genres (listing_id, genre)
SELECT DISTINCT n.listing_id, g.value FROM temp.new_titles n
CROSS JOIN json_each('[' || replace(json_quote(n.genres), ',', '","') || ']') g
WHERE n.genres <> '' ORDER BY n.listing_id
""",
    """
INSERT INTO score_observations (listing_id, score_kind, observed_at, observed_to, state, value,
  scale_max, votes, votes_at_least, basis, relayed, origin, layout, url)
SELECT listing_id, :kind, :at, 'second', iif(value IS NULL, 'not_rated', 'scored'), value,
  :scale_max, votes, 0, NULL, 0, 'dataset', :layout, NULL
FROM temp.new_titles ORDER BY listing_id
""",
    """
INSERT INTO scores (listing_id, score_kind, state, value, scale_max, votes, votes_at_least, basis,
  relayed, origin, layout, url, observed_at, changed_at, last_attempt_state, last_attempt_at)
SELECT listing_id, :kind, iif(value IS NULL, 'not_rated', 'scored'), value, :scale_max, votes, 0,
  NULL, 0, 'dataset', :layout, NULL, :at, :at, iif(value IS NULL, 'not_rated', 'scored'), :at
FROM temp.new_titles ORDER BY listing_id
""",
    """
INSERT INTO dataset_records SELECT listing_id, digest FROM temp.new_titles ORDER BY listing_id
""",
)


class Compared(NamedTuple):
    """What became of a part of a dataset: the listings that are `as_before`; those that are `new`,
    and stored; and the titles that are `left` to be stored one by one."""

    as_before: Sequence[int]
    new: Sequence[int]
    left: Sequence[TitleRow]


def store_titles(
    db: Database, titles: Titles, at: str, tally: Tally, reader_version: str | None
) -> Compared:
    """Store the new titles of a part of a dataset, and tell which of the others say what they said
    the last time, read by the same reader. What the guard should look at is left."""
    digests = {
        source_id: (listing_id, digest)
        for source_id, listing_id, digest in db.conn.execute(
            _TOLD, (titles.source, json.dumps(titles.source_ids))
        )
    }
    mark = _mark(reader_version)
    as_before, new, left = [], [], []
    for row in titles.rows():
        listing_id, digest = digests.get(row.source_id, (None, None))
        if listing_id is None and _is_plain(row, titles.scale_max):
            new.append(row)
        elif listing_id is not None and digest == row.digest ^ mark:
            as_before.append(listing_id)
        else:
            left.append(row)
    tally.counts["stored"] += len(as_before) + len(new)
    return Compared(as_before, _insert(db, titles, new, at, tally, mark), left)


def remember(db: Database, digests: Iterable[tuple[int, int]], reader_version: str | None) -> None:
    """These listings were told with these digests, and all of it was stored."""
    mark = _mark(reader_version)
    db.conn.executemany(
        "INSERT OR REPLACE INTO dataset_records VALUES (?, ?)",
        ((listing_id, digest ^ mark) for listing_id, digest in digests),
    )


def forget_told(db: Database, listing_id: int) -> None:
    """Something else stands of a listing than what was told, since a person released it."""
    db.conn.execute("DELETE FROM dataset_records WHERE listing_id = ?", (listing_id,))


def _is_plain(row: TitleRow, scale_max: float) -> bool:
    """Whether nothing of a new title could be held back, or is not known for what it is."""
    if row.value is not None and not guard.is_plain(row.value, row.votes, scale_max):
        return False
    return is_decoded(row)


def is_decoded(row: TitleRow) -> bool:
    """Whether all of a title's texts are known; else it is looked at each time."""
    return UNDECODABLE not in f"{row.kind}{row.title}{row.original_title}{row.genres}"


def _insert(
    db: Database, titles: Titles, rows: Sequence[TitleRow], at: str, tally: Tally, mark: int
) -> Sequence[int]:
    """Make the listings of new titles, with all that is said of them; returns their numbers."""
    if not rows:
        return ()
    (last,) = db.conn.execute("SELECT ifnull(max(listing_id), 0) FROM listings").fetchone()
    numbers = range(last + 1, last + 1 + len(rows))
    numbered = list(zip(numbers, rows, strict=True))
    run = db.conn.execute
    for statement in _NEW:
        run(statement)
    db.conn.executemany(
        f"INSERT INTO temp.new_titles VALUES ({', '.join('?' * (len(TitleRow._fields) + 1))})",
        ((number, r.digest ^ mark, *r[:-1]) for number, r in numbered),
    )
    values = {
        "source": titles.source,
        "page": by_key(titles.source).page_url("{id}"),
        "kind": titles.score_kind,
        "scale_max": titles.scale_max,
        "layout": titles.layout,
        "at": at,
    }
    for statement in _INSERT:
        run(statement, values)
    tally.change_all(
        (
            Change(number, titles.score_kind, None, in_words(_state(r.value), r.value))
            for number, r in numbered
        ),
        len(numbered),
    )
    # What is no film has nothing to be matched to, as long as nothing else names it.
    tally.touch(number for number, r in numbered if r.kind is None or r.kind in FILM_KINDS)
    return numbers


def _state(value: float | None) -> str:
    return (ScoreState.NOT_RATED if value is None else ScoreState.SCORED).value


def _mark(reader_version: str | None) -> int:
    """A number of the reader: what another one read has other digests."""
    digest = hashlib.blake2b(str(reader_version).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)  # SQLite's integers have a sign

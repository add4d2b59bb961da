"""The keys under which films and unmatched listings are found for one another, kept in the
database so that a new listing is held against a million films without reading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlite_utils import Database

from pipelines.database import indexed_afterwards, set_aside
from pipelines.matching import candidates, facts
from pipelines.matching.described import Ints, describe

LIST_A_FILM_ONCE = ("imdb", "tmdb")
"""Sources of which a film has one listing: one that bears another id is another film."""

CROWDED = 200
"""A key that more films share tells too little to hold them all against a listing; a film that is
meant has a rarer one beside it, of title and year or of a name and year."""

TELLING = f"""(SELECT count(*) FROM (SELECT 1 FROM film_keys o WHERE o.match_key = f.match_key
  LIMIT {CROWDED + 1})) <= {CROWDED}"""
"""SQL for whether a key `f` of a film is of no more films than that."""

ENOUGH = 50
"""Films to choose from, about: a listing's rarest keys count, until they give so many. Where there
are ten times as many films, a word and a year are of ten times as many of them."""

CHOSEN = 10
"""Films that a listing is held against, those with which it shares the rarest keys; and all that
share as much as the last of them, since of films of one name and year any may be meant."""

AT_ONCE = 20_000
"""Films whose keys are worked out at a time: those of a million take gigabytes."""

_WRITTEN_AT_ONCE = 100_000

_NONE = np.empty((0, 2), dtype=np.int64)


def index_films(db: Database, table: str) -> list[int]:
    """Write the keys of the films of a table (film_id) anew; returns those of them that describe
    themselves otherwise than when that was done before."""
    keyed = []
    for numbers in portions(db, f"SELECT film_id FROM {table} ORDER BY film_id", AT_ONCE):
        set_aside(db, "keyed_films", "film_id", numbers)
        films = facts.of_films(db, "keyed_films")
        known = describe(films[films["title"].notna()])
        keyed += [candidates.keys(known), candidates.digests(known)]
    return _write(db, "film", table, keyed)


def index_listings(db: Database, table: str, keyed: Sequence[pd.DataFrame]) -> None:
    """Write the keys of the listings of a table (listing_id) anew, as `candidates.keys` gave
    them."""
    _write(db, "listing", table, keyed)


def _write(db: Database, what: str, table: str, keyed: Sequence[pd.DataFrame]) -> list[int]:
    """Write keys in their order, in place of those that a table's films or listings had; returns
    those that have others now.

    Most are as they were, and to write those again would cost a quiet night the most.
    """
    own, kept = f"{what}_id", f"{what}_keys"
    frames = (frame[["key", "row"]].to_numpy(dtype=np.int64) for frame in keyed)
    now = _in_order(np.concatenate([_NONE, *frames]))
    if not db.conn.execute(f"SELECT EXISTS (SELECT 1 FROM {kept})").fetchone()[0]:
        with indexed_afterwards(db, kept):
            _insert(db, kept, now)
        return _distinct(now[:, 1])
    theirs = f"SELECT match_key, {own} FROM {table} CROSS JOIN {kept} USING ({own})"
    before = _in_order(_pairs(db, theirs))
    gone, come = before[~_are_among(before, now)], now[~_are_among(now, before)]
    db.conn.executemany(f"DELETE FROM {kept} WHERE match_key = ? AND {own} = ?", gone.tolist())
    _insert(db, kept, come)
    return _distinct(np.concatenate((gone[:, 1], come[:, 1])))


def _insert(db: Database, kept: str, rows: Ints) -> None:
    run = db.conn.execute
    run("CREATE TEMP TABLE IF NOT EXISTS written (match_key INTEGER, own INTEGER)")
    for start in range(0, len(rows), _WRITTEN_AT_ONCE):
        some = rows[start : start + _WRITTEN_AT_ONCE].tolist()
        run("DELETE FROM temp.written")
        db.conn.executemany("INSERT INTO temp.written VALUES (?, ?)", some)
        # One statement: each that may fail by a foreign key prepares to be undone by itself.
        run(f"INSERT INTO {kept} SELECT match_key, own FROM temp.written")


def _pairs(db: Database, select: str, *values: str) -> Ints:
    """The rows of a SELECT of two whole numbers."""
    return np.array(db.conn.execute(select, values).fetchall(), dtype=np.int64).reshape(-1, 2)


def _distinct(numbers: Ints) -> list[int]:
    """The numbers in order, each once."""
    found: list[int] = np.unique(numbers).tolist()
    return found


def _in_order(rows: Ints) -> Ints:
    return rows[np.lexsort(rows.T[::-1])]


def _are_among(rows: Ints, others: Ints) -> NDArray[np.bool_]:
    """Of each of some rows whether it is one of others; no row is twice on one side."""
    both = np.concatenate((others, rows))
    order = np.lexsort(both.T[::-1])  # of two that are equal, it leaves the others' first
    known = np.zeros(len(both), dtype=bool)
    known[order[1:]] = (both[order[1:]] == both[order[:-1]]).all(axis=1)
    return known[len(others) :]


def portions(db: Database, select: str, size: int) -> Iterator[list[int]]:
    """The numbers that a SELECT gives, so many at a time; it is read to its end before the first
    are given, so that what it reads may be changed."""
    numbers = [row[0] for row in db.conn.execute(select)]
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def candidate_pairs(db: Database, source: str, keyed: pd.DataFrame) -> pd.DataFrame:
    """The films that share a telling key with each of some listings of a source, whose keys are
    given as `candidates.keys` has them.

    Columns listing_id and film_id, each pair once, in order; without the pairs in `temp.refused`,
    and without films that another listing of IMDb or TMDB is already: those two list a film once.
    """
    telling = _telling(db, keyed.set_axis(["listing_id", "match_key"], axis=1))
    set_aside(db, "sought_keys", "match_key", _distinct(telling["match_key"].to_numpy()))
    films = _pairs(db, "SELECT * FROM temp.sought_keys CROSS JOIN film_keys USING (match_key)")
    pairs = telling.merge(pd.DataFrame(films, columns=["match_key", "film_id"]), on="match_key")
    shared = (1 / pairs["films"]).groupby([pairs["listing_id"], pairs["film_id"]]).sum()
    free = _free(db, source, shared.rename("shared").reset_index())
    place = free["shared"].round(9).groupby(free["listing_id"]).rank("min", ascending=False)
    return free.loc[place <= CHOSEN, ["listing_id", "film_id"]].reset_index(drop=True)


def _telling(db: Database, keyed: pd.DataFrame) -> pd.DataFrame:
    """The rarest keys of each listing, by which films are chosen: listing_id, match_key, and how
    many `films` have it."""
    # In the order of the keys, since neighbours are on one page of the file.
    set_aside(db, "sought_keys", "match_key", _distinct(keyed["match_key"].to_numpy()))
    key, films = _pairs(db, _FILMS_OF_KEYS).T
    known = keyed.assign(films=films[np.searchsorted(key, keyed["match_key"])])
    known = known[known["films"].between(1, CROWDED)]
    known = known.sort_values(["listing_id", "films", "match_key"])
    rarer = known.groupby("listing_id")["films"].cumsum() - known["films"]
    return known[rarer < ENOUGH]


_FILMS_OF_KEYS = f"""
SELECT s.match_key, (SELECT count(*) FROM (SELECT 1 FROM film_keys f
  WHERE f.match_key = s.match_key LIMIT {CROWDED + 1}))
FROM temp.sought_keys s ORDER BY s.match_key
"""


def _free(db: Database, source: str, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs (listing_id, film_id) of a source's listings that may be."""
    barred = _pairs(db, "SELECT listing_id, film_id FROM temp.refused")
    if source in LIST_A_FILM_ONCE:
        set_aside(db, "sought_films", "film_id", pairs["film_id"].unique().tolist())
        theirs = pd.DataFrame(_pairs(db, _THEIRS, source), columns=["film_id", "other"])
        taken = pairs.merge(theirs, on="film_id").query("listing_id != other")
        barred = np.concatenate((barred, taken[["listing_id", "film_id"]].drop_duplicates()))
    return pairs[~_are_among(pairs[["listing_id", "film_id"]].to_numpy(), barred)]


_THEIRS = """
SELECT film_id, listing_id FROM temp.sought_films CROSS JOIN listing_films lf USING (film_id)
JOIN listings l USING (listing_id) WHERE lf.valid_to IS NULL AND l.source = ?
"""

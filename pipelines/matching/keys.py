"""The keys under which films and unmatched listings are found for one another, kept in the
database so that a new listing is held against a million films without reading them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlite_utils import Database

from pipelines.database import indexed_afterwards, set_aside
from pipelines.matching import candidates, facts
from pipelines.matching.described import Described, Ints, describe, together

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


def index_films(db: Database, table: str) -> tuple[list[int], Described]:
    """Write the keys of the films of a table (film_id) anew; returns those of them that describe
    themselves otherwise than when that was done before, and the films that have a title, described:
    to read and describe them takes longer than all else that is done with them."""
    keyed, described = [], []
    for numbers in portions(db, f"SELECT film_id FROM {table} ORDER BY film_id", AT_ONCE):
        set_aside(db, "keyed_films", "film_id", numbers)
        films = facts.of_films(db, "keyed_films")
        known = describe(films[films["title"].notna()])
        keyed += [candidates.keys(known), candidates.digests(known)]
        described.append(known)
    return _write(db, "film", table, keyed), together(described)


def read_anew(db: Database, table: str) -> None:
    """Where another version wrote the keys, whose code read titles or names otherwise: put off all
    films that have keys, and add the listings that have some to a table (listing_id) of those that
    are looked at."""
    run = db.conn.execute
    if run("SELECT 1 FROM key_versions WHERE version = ?", [_version()]).fetchone():
        return
    run("INSERT OR IGNORE INTO unindexed_films SELECT film_id FROM film_keys")
    run(f"INSERT OR IGNORE INTO {table} SELECT listing_id FROM listing_keys")
    run("DELETE FROM key_versions")
    run("INSERT INTO key_versions VALUES (?)", [_version()])


@cache
def _version() -> str:
    """A digest of the code that makes keys, so that nobody has to remember a number."""
    digest = hashlib.sha256()
    for name in ("candidates", "described", "facts", "letters", "names", "titles", "years"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


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
    for start in range(0, len(rows), _WRITTEN_AT_ONCE):
        key, own = rows[start : start + _WRITTEN_AT_ONCE].T.tolist()
        db.conn.executemany(f"INSERT INTO {kept} VALUES (?, ?)", zip(key, own, strict=True))


def _pairs(db: Database, select: str, *values: str) -> Ints:
    """The rows of a SELECT of two whole numbers."""
    numbers = chain.from_iterable(db.conn.execute(select, values))
    return np.fromiter(numbers, dtype=np.int64).reshape(-1, 2)


def _distinct(numbers: Ints) -> list[int]:
    """The numbers in order, each once."""
    found: list[int] = candidates.distinct(numbers).tolist()
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
    listing, key, films = _telling(db, *keyed[["row", "key"]].to_numpy(dtype=np.int64).T)
    set_aside(db, "sought_keys", "match_key", _distinct(key))
    of_key, film = _pairs(
        db,
        "SELECT match_key, film_id FROM temp.sought_keys CROSS JOIN film_keys USING (match_key)"
        " ORDER BY 1, 2",
    ).T
    at = np.repeat(np.arange(len(key)), films)
    within = np.arange(len(at)) - np.repeat(np.cumsum(films) - films, films)
    film = film[np.searchsorted(of_key, key)[at] + within]
    pairs, shared = _summed(np.stack((listing[at], film), axis=1), 1 / films[at])
    may_be = ~_are_among(pairs, _barred(db, source, pairs))
    pairs, shared = pairs[may_be], shared[may_be].round(9)
    # Each listing's films, those first with which it shares most; and the last that is chosen.
    order = np.lexsort((-shared, pairs[:, 0]))
    begin, owner = _groups(pairs[:, 0])
    size = np.diff(np.append(begin, len(pairs)))
    last = shared[order][begin + np.minimum(size, CHOSEN) - 1]
    chosen = pairs[shared >= last[owner]]
    return pd.DataFrame(chosen, columns=["listing_id", "film_id"])


def _telling(db: Database, listing: Ints, key: Ints) -> tuple[Ints, Ints, Ints]:
    """The rarest keys of each listing, by which films are chosen: the listing, the key, and how
    many films have it."""
    # In the order of the keys, since neighbours are on one page of the file.
    set_aside(db, "sought_keys", "match_key", _distinct(key))
    keys, counts = _pairs(db, _FILMS_OF_KEYS).T
    films = counts[np.searchsorted(keys, key)]
    order = np.lexsort((key, films, listing))
    order = order[(films[order] > 0) & (films[order] <= CROWDED)]
    listing, key, films = listing[order], key[order], films[order]
    before = np.cumsum(films) - films
    begin, owner = _groups(listing)
    telling = before - before[begin][owner] < ENOUGH
    return listing[telling], key[telling], films[telling]


def _groups(ordered: Ints) -> tuple[Ints, Ints]:
    """Where each number of an ordered array begins, and for each place the number of its group."""
    new = candidates.firsts(ordered)
    return np.flatnonzero(new), np.cumsum(new) - 1


def _summed(pairs: Ints, values: NDArray[np.float64]) -> tuple[Ints, NDArray[np.float64]]:
    """The pairs in order, each once, with the sum of what is given for it."""
    order = np.lexsort(pairs.T[::-1])
    pairs = pairs[order]
    new = candidates.firsts(pairs)
    sums = np.bincount(np.cumsum(new) - 1, weights=values[order]).astype(np.float64)
    return pairs[new], sums


_FILMS_OF_KEYS = f"""
SELECT s.match_key, (SELECT count(*) FROM (SELECT 1 FROM film_keys f
  WHERE f.match_key = s.match_key LIMIT {CROWDED + 1}))
FROM temp.sought_keys s ORDER BY s.match_key
"""


def _barred(db: Database, source: str, pairs: Ints) -> Ints:
    """The pairs (listing_id, film_id) that may not be: what is refused; and of these pairs of a
    source's listings, those of films that another listing of it is, where it lists a film once."""
    refused = _pairs(db, "SELECT listing_id, film_id FROM temp.refused")
    if source not in LIST_A_FILM_ONCE:
        return refused
    set_aside(db, "sought_films", "film_id", _distinct(pairs[:, 1]))
    theirs = pd.DataFrame(_pairs(db, _THEIRS, source), columns=["film_id", "other"])
    taken = pd.DataFrame(pairs, columns=["listing_id", "film_id"]).merge(theirs, on="film_id")
    taken = taken[taken["listing_id"] != taken["other"]][["listing_id", "film_id"]]
    return np.concatenate((refused, taken.drop_duplicates().to_numpy()))


_THEIRS = """
SELECT film_id, listing_id FROM temp.sought_films CROSS JOIN listing_films lf USING (film_id)
JOIN listings l USING (listing_id) WHERE lf.valid_to IS NULL AND l.source = ?
"""

"""Which listings are worth comparing: those that share a key.

A key stands for something that two listings of one film nearly always have in common: a form of the
title, a director in a year, a long word of the title in a year. Keys are a pure function of one
listing and the same in every process, so that a database can store them and join.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.matching.described import (
    Described,
    Hashes,
    Ints,
    Spread,
    Texts,
    describe,
    hashes,
    objects,
)
from pipelines.matching.titles import Part

MOST_PAIRS = 400
"""Pairs that one key may give. A key that gives more is a title like "Home" or "Untitled" without
a year, and tells nothing: such listings meet by the keys that hold a year or a name as well."""

_PAIRS_AT_ONCE = 5_000_000

WORDS_KEYED = 3
"""The longest words of a title that are keys: they are its rarest, as far as one title tells."""

_LETTERS_OF_WORD = 4
_LETTERS_OF_BEGINNING = 5
_CAST_KEYED = 3

# Each kind of key has a number of its own, so that a director is no actor; odd, to be a factor.
_TITLE, _TITLE_YEAR, _DIRECTOR, _ACTOR, _WORD, _BEGINNING, _PLACE, _DIGEST = (
    np.uint64(0x9E3779B97F4A7C15 + 2 * kind) for kind in range(8)
)


def keys(listings: pd.DataFrame | Described) -> pd.DataFrame:
    """The keys of listings: `row`, the index label of the listing, `key`, a whole number of 64
    bits with its sign, and `loose`, whether it is of a word or a beginning only, and no title or
    name. About twelve a listing; each once."""
    known = describe(listings)
    close, loose = _in_order(_close_keys(known)), _in_order(_loose_keys(known))
    return pd.DataFrame(
        {
            "row": known.index.take(np.concatenate((close[0], loose[0]))),
            "key": np.concatenate((close[1], loose[1])),
            "loose": np.repeat([False, True], [len(close[0]), len(loose[0])]),
        }
    )


def digests(listings: pd.DataFrame | Described) -> pd.DataFrame:
    """One key of each listing for all that is compared of it, in columns as of `keys`: where it is
    another, something new is told. Nothing is found by it."""
    known = describe(listings)
    key = np.zeros(len(known), dtype=np.uint64)
    whole = (known.year, known.released, known.kind, known.season, known.episode)
    perhaps = np.nan_to_num((known.day, known.other_day, known.runtime)).astype(np.int64)
    for told in (*whole, *perhaps):
        key = _mixed(_DIGEST, key, told.astype(np.uint64))
    for kind, forms in ((_TITLE, known.titles), (_PLACE, known.parents)):
        part = 2 * forms.part.astype(np.uint64) + forms.primary
        np.add.at(key, forms.spread.owners(), _mixed(kind, forms.solid ^ forms.spelt, part))
    for kind, people in ((_DIRECTOR, known.directors), (_ACTOR, known.cast)):
        np.add.at(key, people.spread.owners(), _mixed(kind, people.whole))
    return pd.DataFrame({"row": known.index, "key": key.view(np.int64)})


def candidates(a: pd.DataFrame | Described, b: pd.DataFrame | Described) -> pd.DataFrame:
    """The pairs of listings that share a key: index labels `a` and `b`, each pair once.

    Keys that give more than `MOST_PAIRS` pairs are left out, so that the work grows with the
    number of listings and not with its square.
    """
    left, right = describe(a), describe(b)
    one, other = positions(left, right)
    return pd.DataFrame({"a": left.index.take(one), "b": right.index.take(other)})


def positions(left: Described, right: Described) -> tuple[Ints, Ints]:
    """The candidates as positions in the two frames, ordered."""
    row_a, key_a = _keys(left)
    row_b, key_b = _keys(right)
    shared = np.intersect1d(distinct(key_a), distinct(key_b), assume_unique=True)
    row_a, of_a = _of_keys(row_a, key_a, shared)
    row_b, of_b = _of_keys(row_b, key_b, shared)
    given = of_a.counts() * of_b.counts()
    chosen = np.flatnonzero(given <= MOST_PAIRS)
    packed = [np.empty(0, dtype=np.int64)]
    # Most pairs share several keys: what one portion of the keys repeats is dropped before the next
    # is laid out, or a million listings would take gigabytes.
    portions = np.cumsum(given[chosen]) // _PAIRS_AT_ONCE
    for portion in np.split(chosen, np.flatnonzero(np.diff(portions)) + 1):
        _, at_a, at_b = of_a.combined(of_b, portion, portion)
        packed.append(distinct(row_a[at_a] * len(right) + row_b[at_b]))
    pairs = distinct(np.concatenate(packed))
    return pairs // max(len(right), 1), pairs % max(len(right), 1)


def distinct(numbers: Ints) -> Ints:
    """Sorted, each once. Several times faster here than the hash table of `np.unique`."""
    ordered = np.sort(numbers)
    return ordered[firsts(ordered)]


def firsts(ordered: Ints) -> NDArray[np.bool_]:
    """Which numbers of an ordered array, or rows of one, differ from the one before."""
    first = np.ones(len(ordered), dtype=bool)
    differ = ordered[1:] != ordered[:-1]
    first[1:] = differ if ordered.ndim == 1 else differ.any(axis=1)
    return first


def _of_keys(row: Ints, key: Ints, shared: Ints) -> tuple[Ints, Spread]:
    """The rows that have one of the shared keys, ordered by key, and where each key's begin."""
    at = np.searchsorted(shared, key)
    has = at < len(shared)
    has[has] = shared[at[has]] == key[has]
    row, at = row[has], at[has]
    order = np.argsort(at, kind="stable")
    return row[order], Spread.of(np.bincount(at, minlength=len(shared)))


def _keys(known: Described) -> tuple[Ints, Ints]:
    return _in_order([*_close_keys(known), *_loose_keys(known)])


def _close_keys(known: Described) -> list[tuple[Ints, Hashes]]:
    """Keys of whole forms of titles, of names and of places in a series."""
    titles, year = known.titles, known.shown_year
    directors = known.directors.spread.owners()
    owner = titles.spread.owners()
    whole = (titles.part <= Part.ALSO) & titles.primary
    found = [
        (owner, _mixed(_TITLE, titles.solid)),
        *_by_year(_TITLE_YEAR, owner[whole], titles.solid[whole], year),
        *_by_year(_DIRECTOR, directors, known.directors.whole, year),
        *_by_year(_DIRECTOR, directors, known.directors.rough, year),
        *_places(known),
    ]
    cast = known.cast.spread.owners()
    # Names of a cast are many and common: they are keys only where no director is known.
    lone = (known.directors.spread.counts() == 0)[cast] & (
        np.arange(len(cast)) - known.cast.spread.starts[cast] < _CAST_KEYED
    )
    return found + _by_year(_ACTOR, cast[lone], known.cast.ends[lone], year)


def _loose_keys(known: Described) -> list[tuple[Ints, Hashes]]:
    """Keys of what other titles may have too: long words, and beginnings."""
    titles, year = known.titles, known.shown_year
    whole = (titles.part <= Part.ALSO) & titles.primary
    owner, words = titles.spread.owners()[whole], titles.words[whole]
    return [
        *_by_year(_WORD, *_long_words(owner, words), year),
        *_by_year(_BEGINNING, owner, _beginnings(words), year),
    ]


def _in_order(found: Sequence[tuple[Ints, Hashes]]) -> tuple[Ints, Ints]:
    """Keys by listing, each once."""
    row = np.concatenate([rows for rows, _ in found])
    key = np.concatenate([hashed for _, hashed in found]).view(np.int64)
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (np.diff(row) != 0) | (key[1:] != key[:-1])
    return row[new], key[new]


def _by_year(kind: np.uint64, owner: Ints, what: Hashes, year: Ints) -> list[tuple[Ints, Hashes]]:
    """Two keys for each, of its year and the next: listings a year apart share one."""
    has = year[owner] > 0
    owner, what = owner[has], what[has]
    return [
        (owner, _mixed(kind, what, year[owner].astype(np.uint64) + np.uint64(later)))
        for later in (0, 1)
    ]


def _places(known: Described) -> list[tuple[Ints, Hashes]]:
    """Keys of an episode: its series with its place in it, and its series with its title."""
    parents = known.parents
    owner = parents.spread.owners()
    whole = parents.part <= Part.ALSO
    owner, series = owner[whole], parents.solid[whole]
    numbered = known.episode[owner] > 0
    place = known.season[owner].astype(np.uint64) * np.uint64(100_000) + known.episode[
        owner
    ].astype(np.uint64)
    keyed = [(owner[numbered], _mixed(_PLACE, series[numbered], place[numbered]))]
    _, of_series, of_title = parents.spread.combined(
        known.titles.spread, *(np.arange(len(known)),) * 2
    )
    both = (parents.part[of_series] <= Part.ALSO) & (known.titles.part[of_title] <= Part.ALSO)
    of_series, of_title = of_series[both], of_title[both]
    titled = _mixed(_PLACE, parents.solid[of_series], known.titles.solid[of_title])
    return [*keyed, (parents.spread.owners()[of_series], titled)]


def _long_words(owner: Ints, written: Texts) -> tuple[Ints, Hashes]:
    """The longest words of each title, and the listing of each."""
    chosen = [
        sorted(
            {word for word in text.split() if len(word) >= _LETTERS_OF_WORD},
            key=lambda word: (-len(word), word),
        )[:WORDS_KEYED]
        for text in written
    ]
    counts = np.array([len(words) for words in chosen], dtype=np.int64)
    return np.repeat(owner, counts), hashes(objects([word for words in chosen for word in words]))


def _beginnings(written: Texts) -> Hashes:
    """The first letters of each title, for those that are one word with an error in it."""
    return hashes(objects([text.replace(" ", "")[:_LETTERS_OF_BEGINNING] for text in written]))


def _mixed(kind: np.uint64, what: Hashes, more: NDArray[Any] | None = None) -> Hashes:
    """One number for all that a key stands for (multiply, add and shift, as in SplitMix64)."""
    mixed = what * kind
    if more is not None:
        mixed = (mixed ^ (mixed >> np.uint64(29))) + more * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

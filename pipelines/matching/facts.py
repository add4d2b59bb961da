"""What listings and films say of themselves, as the frames that the matcher compares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sqlite_utils import Database

from pipelines.matching.described import PRIMARY_TITLES, Ints, Texts
from spiders.sources import SOURCES

_RANK = {source.key: rank for rank, source in enumerate(SOURCES)}

_FACTS = ("source", "kind", *PRIMARY_TITLES, "year", "release_date", "runtime")

_LISTED = """
SELECT o.owner, l.listing_id, l.source, l.kind, l.title, l.original_title, l.year, l.released_on,
  l.runtime_minutes
FROM temp.owners o CROSS JOIN listings l USING (listing_id)
"""
_TITLES = """
SELECT DISTINCT o.owner, t.title
FROM temp.owners o CROSS JOIN film_titles t USING (listing_id)
"""
_PEOPLE = """
SELECT DISTINCT o.owner, p.part, who.name
FROM temp.owners o CROSS JOIN film_people p USING (listing_id) JOIN people who USING (person_id)
WHERE p.part IN ('director', 'cast')
ORDER BY o.owner, p.billing
"""


def of_listings(db: Database, table: str) -> pd.DataFrame:
    """The listings of a temporary table (listing_id), each as it describes itself.

    Indexed by listing_id; the columns are the matcher's (`matching.link`), and `source`.
    """
    return _described(db, f"SELECT listing_id AS owner, listing_id FROM temp.{table}")


def of_films(db: Database, table: str, *, people: bool = True) -> pd.DataFrame:
    """The films of a temporary table (film_id), each as its listings describe it together; without
    `people`, nobody is named: nobody need be where the other side names nobody.

    Indexed by film_id. Listings that were matched by evidence alone do not speak for the film:
    one wrong match would draw others after it.
    """
    return _described(
        db,
        f"SELECT lf.film_id AS owner, lf.listing_id FROM temp.{table} CROSS JOIN listing_films lf"
        " USING (film_id) WHERE lf.valid_to IS NULL AND lf.method <> 'evidence'",
        people=people,
    )


def of_films_without(db: Database, table: str) -> pd.DataFrame:
    """For each listing of a temporary table (listing_id) that is a film now, that film as its
    other listings describe it. Indexed by listing_id."""
    return _described(
        db,
        f"SELECT own.listing_id AS owner, lf.listing_id FROM temp.{table}"
        " CROSS JOIN listing_films own USING (listing_id) CROSS JOIN listing_films lf"
        " ON lf.film_id = own.film_id AND lf.listing_id <> own.listing_id"
        " WHERE own.valid_to IS NULL AND lf.valid_to IS NULL AND lf.method <> 'evidence'",
    )


def _described(db: Database, members: str, *, people: bool = True) -> pd.DataFrame:
    """One row an owner, from what the listings that speak for it say: of single facts, that of the
    first source in the register which has it; of titles and names, all.

    SQLite keeps the order of a CROSS JOIN: left to itself it reads the matches of all listings to
    find those of a few."""
    # Rows as they come: pandas would look at each text three times to make a column of it.
    run = db.conn.execute
    run("DROP TABLE IF EXISTS temp.owners")
    run(f"CREATE TEMP TABLE owners AS {members}")
    listed = _columns(run(_LISTED).fetchall(), 2 + len(_FACTS))
    owner, listing = (column.astype(np.int64) for column in listed[:2])
    rank = np.array([_RANK[source] for source in listed[2]], dtype=np.int64)
    order = np.lexsort((listing, rank, owner))
    owner, facts = owner[order], [column[order] for column in listed[2:]]
    owners, at = np.unique(owner, return_inverse=True)
    told = pd.DataFrame(index=pd.Index(owners, name="owner"))
    for name, fact in zip(_FACTS, facts, strict=True):
        told[name] = _first(fact, at, told.index)
    titled, titles = _columns(run(_TITLES).fetchall(), 2)
    titled = np.concatenate((titled.astype(np.int64), owner, owner))
    titles = np.concatenate((titles, *(facts[_FACTS.index(name)] for name in PRIMARY_TITLES)))
    code, _ = pd.factorize(titles)  # -1 where there is none
    once = (code >= 0) & ~pd.DataFrame({"owner": titled, "title": code}).duplicated().to_numpy()
    told["other_titles"] = _gathered(titled[once], titles[once], told.index)
    if people:
        named, part, names = _columns(run(_PEOPLE).fetchall(), 3)
        named = named.astype(np.int64)
        for which, column in (("director", "directors"), ("cast", "cast")):
            told[column] = _gathered(named[part == which], names[part == which], told.index)
    return told


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[Texts]:
    return list(np.array(rows, dtype=object).reshape(-1, width).T)


def _first(fact: Texts, at: Ints, owners: pd.Index[int]) -> pd.Series[Any]:
    """The first of the values that are known for each owner, None where none is; `at` is the place
    of each value's owner."""
    known = np.flatnonzero(pd.notna(fact))[::-1]
    first = np.full(len(owners), None, dtype=object)
    first[at[known]] = fact[known]
    return pd.Series(first, index=owners, dtype=object)


def _gathered(owner: Ints, values: Texts, owners: pd.Index[int]) -> pd.Series[Any]:
    """Each owner's values as a tuple, in their order; an owner without any has an empty one."""
    # Cut at the places where the owner changes: groupby.agg(tuple) takes ten times as long.
    order = np.argsort(owner, kind="stable")
    begin = np.searchsorted(owner[order], owners, side="left").tolist()
    end = np.searchsorted(owner[order], owners, side="right").tolist()
    ordered = values[order].tolist()
    cut = [tuple(ordered[i:j]) for i, j in zip(begin, end, strict=True)]
    return pd.Series(cut, index=owners, dtype=object)

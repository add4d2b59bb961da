"""What listings and films say of themselves, as the frames that the matcher compares."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlite_utils import Database

from spiders.sources import SOURCES

_RANK = {source.key: rank for rank, source in enumerate(SOURCES)}

_LISTED = """
SELECT o.owner, l.listing_id, l.source, l.kind, l.title, l.original_title, l.year,
  l.released_on AS release_date, l.runtime_minutes AS runtime
FROM temp.{owners} o CROSS JOIN listings l USING (listing_id)
"""
_TITLES = """
SELECT DISTINCT o.owner, t.title
FROM temp.{owners} o CROSS JOIN film_titles t USING (listing_id)
"""
_PEOPLE = """
SELECT DISTINCT o.owner, p.part, who.name
FROM temp.{owners} o CROSS JOIN film_people p USING (listing_id) JOIN people who USING (person_id)
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
    run = db.conn.execute
    run("DROP TABLE IF EXISTS temp.owners")
    run(f"CREATE TEMP TABLE owners AS {members}")
    listed = pd.read_sql_query(_LISTED.format(owners="owners"), db.conn)
    listed["rank"] = listed["source"].map(_RANK)
    listed = listed.sort_values(["owner", "rank", "listing_id"], ignore_index=True)
    facts = ["source", "kind", "title", "original_title", "year", "release_date", "runtime"]
    told = listed.groupby("owner")[facts].first()
    told["year"] = told["year"].astype("Int64")
    titles = pd.concat(
        [
            pd.read_sql_query(_TITLES.format(owners="owners"), db.conn),
            listed[["owner", "title"]],
            listed[["owner", "original_title"]].set_axis(["owner", "title"], axis=1),
        ]
    ).dropna()
    told["other_titles"] = _gathered(titles.drop_duplicates(), "title", told.index)
    if people:
        names = pd.read_sql_query(_PEOPLE.format(owners="owners"), db.conn)
        for part, column in (("director", "directors"), ("cast", "cast")):
            told[column] = _gathered(names[names["part"] == part], "name", told.index)
    told["id"] = told.index.astype(str)
    return told


def _gathered(rows: pd.DataFrame, column: str, owners: pd.Index[int]) -> pd.Series[Any]:
    """Each owner's values of a column as a tuple; an owner without any has an empty one."""
    # Cut at the places where the owner changes: groupby.agg(tuple) takes ten times as long.
    rows = rows.sort_values("owner", kind="stable")
    begin = rows["owner"].searchsorted(owners, side="left")
    end = rows["owner"].searchsorted(owners, side="right")
    values = rows[column].tolist()
    cut = [tuple(values[i:j]) for i, j in zip(begin, end, strict=True)]
    return pd.Series(cut, index=owners, dtype=object)

"""Weigh stored listings against stored films with the matcher, and remember what came of it."""

from __future__ import annotations

import pandas as pd
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import set_aside
from pipelines.matching import facts
from pipelines.matching.decision import decide
from pipelines.matching.evidence import compare, contradicts

REMEMBERED = 5
"""At most so many films are remembered for each listing as doubtful or different."""


def weigh(db: Database, pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs (listing_id, film_id) with what the matcher says of each: probability, answer,
    evidence, and whether title, year and people together contradict (`contradicts`).

    Listings compete for films within their source only: that a film is listed elsewhere too says
    nothing against a listing. Pairs of which one side has no title yet are left out: nothing is
    known that could be compared.
    """
    if pairs.empty:
        return _nothing()
    set_aside(db, "weighed_listings", "listing_id", pairs["listing_id"].unique().tolist())
    set_aside(db, "weighed_films", "film_id", pairs["film_id"].unique().tolist())
    listings = facts.of_listings(db, "weighed_listings")
    return _weighed(listings, facts.of_films(db, "weighed_films"), pairs)


def weigh_against_the_rest(db: Database, table: str) -> pd.DataFrame:
    """The listings of a temporary table (listing_id), each held against the other listings of the
    film that it is now. Columns as of `weigh`, where `film_id` is the listing's own number."""
    rest = facts.of_films_without(db, table)
    if rest.empty:
        return _nothing()
    listings = facts.of_listings(db, table)
    both = listings.index.intersection(rest.index)
    return _weighed(listings, rest, pd.DataFrame({"listing_id": both, "film_id": both}))


def weigh_films(db: Database, pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of films (listing_id and film_id both hold films) with what the matcher says."""
    set_aside(db, "weighed_films", "film_id", pairs.to_numpy().ravel().tolist())
    films = facts.of_films(db, "weighed_films")
    return _weighed(films, films, pairs)


def _nothing() -> pd.DataFrame:
    columns = ["listing_id", "film_id", "probability", "answer", "evidence"]
    return pd.DataFrame(columns=columns).assign(contradicts=pd.Series(dtype=bool))


def _weighed(listings: pd.DataFrame, films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    titled = pairs["listing_id"].isin(listings.index[listings["title"].notna()])
    titled &= pairs["film_id"].isin(films.index[films["title"].notna()])
    pairs = pairs[titled].reset_index(drop=True)
    if pairs.empty:
        return _nothing()
    named = pairs.rename(columns={"listing_id": "a", "film_id": "b"})
    compared = compare(listings, films, named)
    of_source = pairs["listing_id"].map(listings["source"])
    said = [
        decide(compared.loc[rows.index], rows) for _, rows in named.groupby(of_source, sort=True)
    ]
    told = pd.concat(said)[["probability", "answer", "evidence"]]
    return pairs.join(told).assign(contradicts=contradicts(compared).astype(bool))


def remember(
    db: Database, listing_ids: pd.Series[int], weighed: pd.DataFrame, method: str
) -> set[int]:
    """Write which films listings were held against and are not, in place of what the same method
    said of these listings before; returns the films of which it now says something else.

    `weighed`: listing_id, film_id, answer, probability, evidence; of those answered `same` nothing
    is written.
    """
    columns = ["listing_id", "film_id", "answer", "probability", "evidence"]
    kept = weighed[weighed["answer"] != "same"].sort_values(
        ["listing_id", "probability", "film_id"], ascending=[True, False, True]
    )
    kept = kept.groupby("listing_id").head(REMEMBERED)[columns]
    now = set(kept.itertuples(index=False, name=None))
    set_aside(db, "judged", "listing_id", listing_ids.unique().tolist())
    before = set(
        db.conn.execute(
            f"SELECT {', '.join(columns)} FROM judgements WHERE method = ?"
            " AND listing_id IN (SELECT listing_id FROM temp.judged)",
            (method,),
        )
    )
    db.conn.executemany(
        "DELETE FROM judgements WHERE listing_id = ? AND film_id = ?",
        (row[:2] for row in before - now),
    )
    db.conn.executemany(
        f"INSERT OR REPLACE INTO judgements ({', '.join(columns)}, method, judged_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((*row, method, clock.now()) for row in sorted(now - before)),
    )
    return {row[1] for row in before ^ now}

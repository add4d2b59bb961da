"""Weigh stored listings against stored films with the matcher, and remember what came of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import set_aside, set_aside_frame
from pipelines.matching import facts, keys
from pipelines.matching.decision import alone, compete, log_odds
from pipelines.matching.described import describe
from pipelines.matching.evidence import Title, compare, contradicts

REMEMBERED = 5
"""At most so many films are remembered for each listing as doubtful or different."""

AT_ONCE = 50_000
"""Listings that are held against films at a time, and of which judgements are written: this bounds
the memory."""

PAIRS_AT_ONCE = 500_000
"""Pairs compared before what is hopeless among them is dropped."""

_HOPELESS = -9.9
"""Log-odds below which a film of another title is not worth a word: the probability is 0 to the
four places that it has, and it would take as little from a rival's."""

_JUDGED = ["listing_id", "film_id", "answer", "probability", "evidence"]


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


def weigh_candidates(db: Database, table: str, *, rivals: bool) -> pd.DataFrame:
    """The listings of a temporary table (listing_id), all of one source, each held against the
    films that share a key with it, without those that are hopeless. Columns as of `weigh`.

    With `rivals` the table gains the listings that these compete with: those of the source that
    evidence matched to a film which one of these may be, or of which a person is asked whether they
    are that.
    """
    told = _held_against_films(db, table)
    if told.empty or not rivals:
        return _decided(told)
    claims = told.loc[told["strength"] >= _HOPELESS, ["listing_id", "film_id"]]
    set_aside_frame(db, "claims", claims.set_index(["listing_id", "film_id"]))
    set_aside(db, "rivals", "listing_id", (row[0] for row in db.conn.execute(_RIVALS)))
    db.conn.execute(f"DELETE FROM temp.rivals WHERE listing_id IN temp.{table}")
    db.conn.execute(f"INSERT INTO temp.{table} SELECT listing_id FROM temp.rivals")
    theirs = _held_against_films(db, "rivals")
    return _decided(told if theirs.empty else pd.concat([told, theirs], ignore_index=True))


_RIVALS = """
SELECT lf.listing_id FROM temp.claims c CROSS JOIN listings l USING (listing_id)
CROSS JOIN listing_films lf ON lf.film_id = c.film_id AND lf.valid_to IS NULL
  AND lf.method = 'evidence'
JOIN listings m ON m.listing_id = lf.listing_id AND m.source = l.source
UNION
SELECT j.listing_id FROM temp.claims c CROSS JOIN listings l USING (listing_id)
CROSS JOIN judgements j ON j.film_id = c.film_id AND j.answer = 'ask' AND j.method = 'evidence'
JOIN listings m ON m.listing_id = j.listing_id AND m.source = l.source
"""


def _held_against_films(db: Database, table: str) -> pd.DataFrame:
    """What each listing and each film that shares a key with it come to by themselves.

    In the order of their years, so that neighbours are held against the same films: to bring those
    to the form in which they are compared takes longer than to compare them.
    """
    told = []
    by_year = (
        f"SELECT listing_id FROM temp.{table} CROSS JOIN listings USING (listing_id) ORDER BY year"
    )
    for numbers in keys.portions(db, by_year, AT_ONCE):
        pairs = keys.candidate_pairs(db, numbers)
        set_aside(db, "weighed_listings", "listing_id", numbers)
        set_aside(db, "weighed_films", "film_id", pairs["film_id"].unique().tolist())
        listings = facts.of_listings(db, "weighed_listings")
        films = facts.of_films(db, "weighed_films")
        pairs = _titled(listings, films, pairs)
        sources, left, right = listings["source"], describe(listings), describe(films)
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            some = pairs.iloc[start : start + PAIRS_AT_ONCE].reset_index(drop=True)
            compared = compare(left, right, some.set_axis(["a", "b"], axis=1))
            kept = (log_odds(compared) >= _HOPELESS) | (compared["title"] >= Title.NEARLY)
            if kept.any():
                told.append(_by_themselves(some[kept], compared[kept], sources))
    return pd.concat(told, ignore_index=True) if told else pd.DataFrame()


def _nothing() -> pd.DataFrame:
    columns = ["listing_id", "film_id", "probability", "answer", "evidence"]
    return pd.DataFrame(columns=columns).assign(contradicts=pd.Series(dtype=bool))


def _weighed(listings: pd.DataFrame, films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    pairs = _titled(listings, films, pairs)
    if pairs.empty:
        return _nothing()
    compared = compare(listings, films, pairs.set_axis(["a", "b"], axis=1))
    return _decided(_by_themselves(pairs, compared, listings["source"]))


def _titled(listings: pd.DataFrame, films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs of which both sides have a title."""
    titled = pairs["listing_id"].isin(listings.index[listings["title"].notna()])
    titled &= pairs["film_id"].isin(films.index[films["title"].notna()])
    return pairs[titled].reset_index(drop=True)


def _by_themselves(
    pairs: pd.DataFrame, compared: pd.DataFrame, sources: pd.Series[str]
) -> pd.DataFrame:
    """What each pair comes to by itself: listing_id, film_id, source, strength, thin, contradicts,
    evidence."""
    known = pairs.assign(source=pairs["listing_id"].map(sources))
    return known.join(alone(compared)).assign(contradicts=contradicts(compared).astype(bool))


def _decided(told: pd.DataFrame) -> pd.DataFrame:
    if told.empty:
        return _nothing()
    said = [
        compete(rows, rows[["listing_id", "film_id"]].set_axis(["a", "b"], axis=1))
        for _, rows in told.groupby("source", sort=True)
    ]
    answers = pd.concat(said)[["probability", "answer", "evidence"]]
    return told[["listing_id", "film_id", "contradicts"]].join(answers)


def remember(
    db: Database, listing_ids: pd.Series[int], weighed: pd.DataFrame, method: str
) -> set[int]:
    """Write which films listings were held against and are not, in place of what the same method
    said of these listings before; returns the films of which it now says something else.

    `weighed`: listing_id, film_id, answer, probability, evidence; of those answered `same` nothing
    is written.
    """
    kept = weighed[weighed["answer"] != "same"].sort_values(
        ["listing_id", "probability", "film_id"], ascending=[True, False, True]
    )
    kept = kept.groupby("listing_id").head(REMEMBERED)[_JUDGED]
    judged = np.sort(listing_ids.unique())
    changed: set[int] = set()
    at = clock.now()
    for start in range(0, len(judged), AT_ONCE):
        some = judged[start : start + AT_ONCE]
        rows = kept[kept["listing_id"].between(some[0], some[-1])]
        changed |= _remember(db, some.tolist(), rows, method, at)
    return changed


def _remember(
    db: Database, listing_ids: list[int], kept: pd.DataFrame, method: str, at: str
) -> set[int]:
    now = set(kept.itertuples(index=False, name=None))
    set_aside(db, "judged", "listing_id", listing_ids)
    before = set(
        db.conn.execute(
            f"SELECT {', '.join(_JUDGED)} FROM judgements WHERE method = ?"
            " AND listing_id IN (SELECT listing_id FROM temp.judged)",
            (method,),
        )
    )
    db.conn.executemany(
        "DELETE FROM judgements WHERE listing_id = ? AND film_id = ?",
        (row[:2] for row in before - now),
    )
    db.conn.executemany(
        f"INSERT OR REPLACE INTO judgements ({', '.join(_JUDGED)}, method, judged_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((*row, method, at) for row in sorted(now - before)),
    )
    return {row[1] for row in before ^ now}

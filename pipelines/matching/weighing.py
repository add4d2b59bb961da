"""Weigh stored listings against stored films with the matcher, and remember what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlite_utils import Database

from pipelines import clock
from pipelines.database import set_aside
from pipelines.matching import candidates, facts, keys
from pipelines.matching.decision import compete, log_odds, sentences, thin
from pipelines.matching.described import Described, describe
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

_CLEAR = 5.0
"""Log-odds, of 150 to 1, from which a listing's film is found, where the evidence is not thin."""

_JUDGED = ["listing_id", "film_id", "answer", "probability", "evidence"]


class Films:
    """Films in the form in which they are compared: to read and describe them takes longer than to
    compare them. Those of `known` are described already; of the others, each is when it is first
    needed, and the last ones stay: what is held against films next is often near to them."""

    def __init__(self, db: Database, known: Described) -> None:
        self._db = db
        self._known = known
        self._last = describe(pd.DataFrame())
        self._last_have_people = False

    def described(self, film_ids: pd.Series[int], *, people: bool) -> Sequence[Described]:
        """Those of some films that have a title, among others, in parts of which none has a film of
        another; without `people`, nobody need be named."""
        parts = [self._known]
        if self._last_have_people or not people:
            parts.append(self._last)
        for part in parts:
            film_ids = film_ids[~film_ids.isin(part.index)]
        set_aside(self._db, "weighed_films", "film_id", film_ids.unique().tolist())
        films = facts.of_films(self._db, "weighed_films", people=people)
        self._last = describe(films[films["title"].notna()])
        self._last_have_people = people
        return (*parts, self._last)


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


def weigh_candidates(
    db: Database, source: str, table: str, films: Films, *, rivals: bool
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The listings of a temporary table (listing_id), all of one source, each held against the
    films that share a key with it, without those that are hopeless: columns as of `weigh`. And the
    keys of these listings, in parts.

    With `rivals` the table gains the listings that these compete with: those of the source that
    evidence matched to a film which one of these may be, or of which a person is asked whether they
    are that.
    """
    told, keyed = _held_against_films(db, source, table, films)
    if told.empty or not rivals:
        return _worth_a_word(told), keyed
    claimed = told.loc[told["strength"] >= _HOPELESS, "film_id"]
    set_aside(db, "claimed", "film_id", claimed.unique().tolist())
    theirs_too = db.conn.execute(_RIVALS, (source,))
    set_aside(db, "rivals", "listing_id", (row[0] for row in theirs_too))
    db.conn.execute(f"DELETE FROM temp.rivals WHERE listing_id IN temp.{table}")
    db.conn.execute(f"INSERT INTO temp.{table} SELECT listing_id FROM temp.rivals")
    theirs, _ = _held_against_films(db, source, "rivals", films)
    both = told if theirs.empty else pd.concat([told, theirs], ignore_index=True)
    return _worth_a_word(both), keyed


_RIVALS = """
SELECT listing_id FROM (
  SELECT lf.listing_id FROM temp.claimed CROSS JOIN listing_films lf USING (film_id)
  WHERE lf.valid_to IS NULL AND lf.method = 'evidence'
  UNION
  SELECT j.listing_id FROM temp.claimed CROSS JOIN judgements j USING (film_id)
  WHERE j.answer = 'ask' AND j.method = 'evidence'
) CROSS JOIN listings USING (listing_id) WHERE source = ?
"""


def _held_against_films(
    db: Database, source: str, table: str, films: Films
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """What each listing and each film that shares a key with it come to by themselves; and the keys
    of the listings, in parts.

    Loose keys count only where no film that shares another one fits clearly: many films share a
    word, and one of them is the listing's only where its title is written otherwise.

    In the order of their years, so that neighbours are held against the same films: to bring those
    to the form in which they are compared takes longer than to compare them.
    """
    told, keyed = [], []
    by_year = (
        f"SELECT listing_id FROM temp.{table} CROSS JOIN listings USING (listing_id) ORDER BY year"
    )
    for numbers in keys.portions(db, by_year, AT_ONCE):
        set_aside(db, "weighed_listings", "listing_id", numbers)
        listings = facts.of_listings(db, "weighed_listings")
        left = describe(listings)
        own = candidates.keys(left)
        keyed.append(own)
        close = keys.candidate_pairs(db, source, own[~own["loose"]])
        found = _compared(left, listings["source"], close, films)
        clear = [some[(some["strength"] >= _CLEAR) & ~some["thin"]]["listing_id"] for some in found]
        settled = np.unique(np.concatenate([[], *clear]))
        told += [some[some["listing_id"].isin(settled)] for some in found]
        every = keys.candidate_pairs(db, source, own[~own["row"].isin(settled)])
        told += _compared(left, listings["source"], every, films)
    return pd.concat(told, ignore_index=True) if told else pd.DataFrame(), keyed


def _compared(
    left: Described, sources: pd.Series[str], pairs: pd.DataFrame, films: Films
) -> list[pd.DataFrame]:
    """What pairs of these listings and of films come to by themselves, in parts, without those that
    are hopeless and of another title."""
    told = []
    for right in films.described(pairs["film_id"], people=left.names_people):
        theirs = pairs[pairs["film_id"].isin(right.index)].reset_index(drop=True)
        for start in range(0, len(theirs), PAIRS_AT_ONCE):
            some = theirs.iloc[start : start + PAIRS_AT_ONCE].reset_index(drop=True)
            compared = compare(left, right, some.set_axis(["a", "b"], axis=1))
            kept = (log_odds(compared) >= _HOPELESS) | (compared["title"] >= Title.NEARLY)
            if kept.any():
                told.append(_by_themselves(some[kept], compared[kept], sources))
    return told


def _nothing() -> pd.DataFrame:
    columns = ["listing_id", "film_id", "probability", "answer", "evidence"]
    return pd.DataFrame(columns=columns).assign(contradicts=pd.Series(dtype=bool))


def _weighed(listings: pd.DataFrame, films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    pairs = _titled(listings, films, pairs)
    if pairs.empty:
        return _nothing()
    compared = compare(listings, films, pairs.set_axis(["a", "b"], axis=1))
    return _told(_decided(_by_themselves(pairs, compared, listings["source"])))


def _titled(listings: pd.DataFrame, films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs of which both sides have a title."""
    titled = pairs["listing_id"].isin(listings.index[listings["title"].notna()])
    titled &= pairs["film_id"].isin(films.index[films["title"].notna()])
    return pairs[titled].reset_index(drop=True)


def _by_themselves(
    pairs: pd.DataFrame, compared: pd.DataFrame, sources: pd.Series[str]
) -> pd.DataFrame:
    """What was compared of each pair, with listing_id, film_id, source, and what it comes to by
    itself: strength, thin, contradicts."""
    return pairs.join(compared).assign(
        source=pairs["listing_id"].map(sources),
        strength=log_odds(compared),
        thin=thin(compared),
        contradicts=contradicts(compared).astype(bool),
    )


def _decided(told: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the probability and the answer that they come to beside each other."""
    answers = [
        compete(
            rows["strength"].to_numpy(),
            rows["thin"].to_numpy(),
            rows[["listing_id", "film_id"]].set_axis(["a", "b"], axis=1),
        )
        for _, rows in told.groupby("source", sort=True)
    ]
    return told.join(pd.concat(answers))


def _worth_a_word(told: pd.DataFrame) -> pd.DataFrame:
    """Pairs as of `weigh`; without those of another title that are as hopeless as can be beside the
    others, and those that are not the same and would not be remembered: half of them all."""
    if told.empty:
        return _nothing()
    decided = _decided(told)
    worth = decided[(decided["probability"] > 0) | (decided["title"] >= Title.NEARLY)]
    same = worth["answer"] == "same"
    return _told(worth[same | worth.index.isin(_likeliest(worth[~same]).index)])


def _told(decided: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the columns of `weigh`."""
    return decided[[*_JUDGED[:-1], "contradicts"]].assign(evidence=sentences(decided))


def remember(
    db: Database, listing_ids: pd.Series[int], weighed: pd.DataFrame, method: str
) -> set[int]:
    """Write which films listings were held against and are not, in place of what the same method
    said of these listings before; returns the films of which it now says something else.

    `weighed`: listing_id, film_id, answer, probability, evidence; of those answered `same` nothing
    is written.
    """
    kept = _likeliest(weighed[weighed["answer"] != "same"])[_JUDGED]
    judged = np.sort(listing_ids.unique())
    changed: set[int] = set()
    at = clock.now()
    for start in range(0, len(judged), AT_ONCE):
        some = judged[start : start + AT_ONCE]
        rows = kept[kept["listing_id"].between(some[0], some[-1])]
        changed |= _remember(db, some.tolist(), rows, method, at)
    return changed


def _likeliest(weighed: pd.DataFrame) -> pd.DataFrame:
    """The pairs of each listing that are remembered, those first that are most likely one film."""
    order = ["listing_id", "probability", "film_id"]
    by_listing = weighed.sort_values(order, ascending=[True, False, True]).groupby("listing_id")
    return by_listing.head(REMEMBERED)


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
    db.conn.execute("DROP TABLE IF EXISTS temp.judged_now")
    db.conn.execute(f"CREATE TEMP TABLE judged_now ({', '.join(_JUDGED)})")
    db.conn.executemany("INSERT INTO temp.judged_now VALUES (?, ?, ?, ?, ?)", sorted(now - before))
    db.conn.execute(
        f"INSERT OR REPLACE INTO judgements ({', '.join(_JUDGED)}, method, judged_at)"
        f" SELECT {', '.join(_JUDGED)}, ?, ? FROM temp.judged_now",
        (method, at),
    )
    return {row[1] for row in before ^ now}

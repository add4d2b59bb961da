"""Match: which listing is which film. Rulings first, then identifiers, then evidence.

A match is looked at again whenever one of its sides said something new: before a listing's new
score is merged, it must still be the film that it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd
from sqlite_utils import Database

from pipelines.database import checked_at_its_end, set_aside, transaction
from pipelines.matching import keys, rulings
from pipelines.matching.described import Described
from pipelines.matching.identifiers import (
    OWN,
    adopt_ids,
    ambiguous,
    follow_redirects,
    give_birth,
    link_pointed,
    pointed,
    set_pointed,
)
from pipelines.matching.newborn import give_birth_to_the_unrelated
from pipelines.matching.spans import (
    ANCHOR,
    OWN_ID,
    Link,
    followers,
    join,
    leave,
    link,
    update_evidence,
)
from pipelines.matching.weighing import (
    Films,
    remember,
    weigh,
    weigh_against_the_rest,
    weigh_candidates,
    weigh_films,
)
from pipelines.unmerged import write_matched
from spiders.sources import FILM_KINDS, SOURCES

SURE = 0.9
"""Evidence matches a listing from this probability on; below it a person is asked. It is higher
than in `link`, whose pairs somebody looks at: here a wrong score would be shown unseen."""

BEARS_FILMS = ("imdb", "tmdb")
"""Sources whose listings become films where no film is known; in this order, since a TMDB listing
may be that of a film which IMDb lists."""


@dataclass
class Matched:
    """What a matching came to.

    `films` gained, lost or were newly doubted a listing; `ambiguous` holds the listings that
    identifiers point to several films, with the evidence for each; `doubtful` holds, for each
    listing that a person should look at, the films that it may be; `misnamed` holds the listings
    that a person's list gave as one film with others and that are another one, with that film.
    """

    films: set[int] = field(default_factory=set)
    ambiguous: dict[int, dict[int, str]] = field(default_factory=dict)
    doubtful: dict[int, dict[int, str]] = field(default_factory=dict)
    misnamed: dict[int, int] = field(default_factory=dict)


def match(db: Database, listing_ids: Iterable[int]) -> Matched:
    """Match these listings and those that they name or are named by, in one transaction.

    Films are born of IMDb and TMDB listings that no film has. Matches of these listings that no
    longer hold are undone; so are those by evidence that a new or changed film puts in doubt.
    """
    with transaction(db):
        return match_within(db, listing_ids)


def match_within(db: Database, listing_ids: Iterable[int]) -> Matched:
    """`match`, in the transaction of whoever calls."""
    matched = _Matching(db).match(listing_ids)
    write_matched(db, matched.films)
    return matched


def rebuild(db: Database) -> Matched:
    """Match everything anew, in one transaction. Films keep their numbers, and what listings were
    in the past stays; where nothing was wrong, the same rows come out."""
    with checked_at_its_end(db, _WRITTEN):
        run = db.conn.execute
        run("DELETE FROM judgements")
        run("DELETE FROM film_keys")
        run("DELETE FROM listing_keys")
        # An id that a film has from a match by evidence goes with that match.
        for source, column in OWN_ID.items():
            run(
                f"UPDATE films SET {column} = NULL WHERE film_id IN (SELECT lf.film_id"
                " FROM listing_films lf JOIN listings l USING (listing_id)"
                " WHERE lf.valid_to IS NULL AND lf.method = 'evidence'"
                f" AND l.source = '{source}' AND l.source_id = CAST(films.{column} AS TEXT))"
            )
        run("DROP TABLE IF EXISTS temp.matched_before")
        run(
            "CREATE TEMP TABLE matched_before AS SELECT listing_id, valid_from, is_primary"
            " FROM listing_films WHERE valid_to IS NULL AND method <> 'tracked'"
        )
        run("DELETE FROM listing_films WHERE valid_to IS NULL AND method <> 'tracked'")
        matched = _Matching(db).match(row[0] for row in run("SELECT listing_id FROM listings"))
        # Apart: nearly all begin when they began, and that is a part of the row's key.
        run(
            "UPDATE listing_films SET is_primary = 1 WHERE valid_to IS NULL AND listing_id IN"
            " (SELECT listing_id FROM temp.matched_before WHERE is_primary)"
        )
        run(
            "UPDATE listing_films SET valid_from = b.valid_from FROM temp.matched_before b"
            " WHERE b.listing_id = listing_films.listing_id AND listing_films.valid_to IS NULL"
            " AND listing_films.valid_from <> b.valid_from"
        )
        matched.films |= {row[0] for row in run("SELECT film_id FROM films")}
        return matched


_STATES_IT = (
    "(SELECT max(s.source_id = f.imdb_id) FROM (SELECT i.source_id FROM listing_identifiers i"
    " WHERE i.listing_id = l.listing_id AND i.source = 'imdb' UNION ALL SELECT o.source_id"
    " FROM listing_identifiers i CROSS JOIN listing_identifiers o ON o.listing_id = i.listing_id"
    " WHERE i.source = l.source AND i.source_id = l.source_id AND o.source = 'imdb') s)"
)
"""SQL: whether a listing `l`, or one that names it, states the IMDb id of a film `f`; NULL where
neither states any. Left the choice, SQLite would begin with all IMDb ids that anybody states."""

_WRITTEN = (
    "films",
    "listing_films",
    "judgements",
    "film_keys",
    "listing_keys",
    "unindexed_films",
    "tracked_films",
    "lookups",
)
"""Tables that matching writes, and in which something names a film or a listing."""


class _Matching:
    """One matching, in the caller's transaction.

    Temporary tables: `examined` (listing_id), what is looked at; `unmatched`, those of it that are
    no film; `refused` (listing_id, film_id), pairs that must not be linked; `doubted`
    (listing_id), listings of which an identifier is refused, which so give birth to no film.
    SQLite keeps the order of a CROSS JOIN: each begins with the few that are looked at.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._run = db.conn.execute
        self._matched = Matched()
        self._weighed: set[tuple[int, int]] = set()
        self._unindexed: set[int] = set()
        self._regrouped: set[int] = set()
        self._doubted: list[pd.DataFrame] = []

    def match(self, listing_ids: Iterable[int]) -> Matched:
        self._set_tables(listing_ids)
        self._examine_again()
        self._fill_unmatched()
        self._matched.films |= give_birth_to_the_unrelated(self._db)
        self._unindexed |= self._films_examined()
        self._by_identifiers()
        for source in BEARS_FILMS:
            self._by_evidence(source)
            while give_birth(self._db, source):
                self._by_identifiers()
        self._by_evidence()
        self._by_identifiers()
        self._index_films_or_put_off()
        follow_redirects(self._db)
        self._matched.ambiguous = ambiguous(self._db)
        self._remember_doubts()
        self._tell_doubts()
        return self._matched

    def _any(self, table: str) -> bool:
        return bool(self._run(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0])

    def _any_film_without(self, source: str) -> bool:
        """Whether there is a film that has no listing on a source."""
        found = self._run(
            "SELECT 1 FROM films f WHERE merged_into IS NULL AND NOT EXISTS (SELECT 1"
            " FROM listing_films lf JOIN listings l USING (listing_id)"
            " WHERE lf.film_id = f.film_id AND lf.valid_to IS NULL AND l.source = ?) LIMIT 1",
            (source,),
        )
        return found.fetchone() is not None

    # --- what is looked at --------------------------------------------------------------------

    def _set_tables(self, listing_ids: Iterable[int]) -> None:
        # First: they may come from a query, and no table is dropped while one is read.
        set_aside(self._db, "examined", "listing_id", listing_ids)
        for table in ("refused", "doubted", "unmatched"):
            self._run(f"DROP TABLE IF EXISTS temp.{table}")
        self._run(
            "CREATE TEMP TABLE refused (listing_id, film_id, PRIMARY KEY (listing_id, film_id))"
        )
        self._run("CREATE TEMP TABLE doubted (listing_id INTEGER PRIMARY KEY)")
        self._run("CREATE TEMP TABLE unmatched (listing_id INTEGER PRIMARY KEY)")
        set_aside(self._db, "changed_films", "film_id", ())
        keys.read_anew(self._db, "temp.examined")
        self._apply_rulings()
        self._run(
            "INSERT OR IGNORE INTO temp.examined SELECT l.listing_id FROM temp.examined u"
            " CROSS JOIN listing_identifiers i USING (listing_id)"
            " JOIN listings l ON l.source = i.source AND l.source_id = i.source_id"
        )
        self._run(
            "INSERT OR IGNORE INTO temp.examined SELECT i.listing_id FROM temp.examined u"
            " CROSS JOIN listings l USING (listing_id)"
            " JOIN listing_identifiers i ON i.source = l.source AND i.source_id = l.source_id"
        )

    def _fill_unmatched(self) -> None:
        self._run(
            "INSERT OR IGNORE INTO temp.unmatched SELECT listing_id FROM temp.examined e"
            " WHERE NOT EXISTS (SELECT 1 FROM listing_films lf"
            " WHERE lf.listing_id = e.listing_id AND lf.valid_to IS NULL)"
        )

    def _films_examined(self) -> set[int]:
        films = self._run(
            "SELECT film_id FROM temp.examined CROSS JOIN listing_films USING (listing_id)"
            " WHERE valid_to IS NULL"
        )
        return {row[0] for row in films}

    def _apply_rulings(self) -> None:
        applied = rulings.apply(self._db)
        rulings.refuse(self._db)
        self._matched.films |= applied.films
        adopt_ids(self._db, applied.films)
        for table in ("examined", "unmatched"):
            self._db.conn.executemany(
                f"INSERT OR IGNORE INTO temp.{table} VALUES (?)",
                ([listing_id] for listing_id in applied.listings),
            )
        self._run(
            "DELETE FROM temp.unmatched WHERE listing_id IN (SELECT listing_id FROM listing_films"
            " WHERE valid_to IS NULL AND method = 'ruling')"
        )

    def _examine_again(self) -> None:
        """Undo matches that no longer hold.

        Of those by identifier, the ones that title, year and people together contradict by now.
        Where the listing's page came to show another film, less will do: a remake has the title of
        the film whose address it took. A film's anchor, the listing whose id it bears first, is
        not held against the others: it is what they were matched to. Where a person's list gave
        several listings as one film, those after the first are held against the others, too; less
        will do for one that is said to be another of IMDb's films, and with it goes what came
        after it.
        """
        self._run("DROP TABLE IF EXISTS temp.again")
        self._run(
            "CREATE TEMP TABLE again AS SELECT lf.listing_id, lf.film_id,"
            " ifnull(lf.valid_from < l.another_film_since, 0)"
            f"  OR lf.method = 'tracked' AND ifnull({_STATES_IT} = 0, 0) AS turned,"
            " lf.method = 'tracked' AS listed"
            " FROM temp.examined e CROSS JOIN listing_films lf USING (listing_id)"
            " CROSS JOIN films f USING (film_id) CROSS JOIN listings l USING (listing_id)"
            " WHERE lf.valid_to IS NULL AND lf.method IN ('identifier', 'tracked')"
            f" AND l.title IS NOT NULL AND l.source || l.source_id IS NOT {ANCHOR}"
            " AND (lf.method = 'identifier' OR lf.listing_id <> (SELECT o.listing_id"
            "   FROM listing_films o JOIN films f USING (film_id)"
            "   JOIN listings l USING (listing_id)"
            "   WHERE o.film_id = lf.film_id AND o.valid_to IS NULL AND o.method = 'tracked'"
            f"   ORDER BY l.source || l.source_id IS {ANCHOR} DESC, o.listing_id LIMIT 1))"
        )
        weighed = weigh_against_the_rest(self._db, "again")
        turned = {row[0] for row in self._run("SELECT listing_id FROM temp.again WHERE turned")}
        wrong = weighed["contradicts"]
        wrong |= weighed["listing_id"].isin(turned) & (weighed["answer"] != "same")
        leaving = weighed.loc[wrong, "listing_id"].tolist()
        listed = dict(self._run("SELECT listing_id, film_id FROM temp.again WHERE listed"))
        self._matched.misnamed = {one: listed[one] for one in leaving if one in listed}
        followed = followers(self._db, self._matched.misnamed.values())
        self._matched.films |= leave(self._db, [*leaving, *followed])
        self._db.conn.executemany(
            "INSERT OR IGNORE INTO temp.examined VALUES (?)", ([one] for one in followed)
        )

    def _yield_to_identifiers(self) -> None:
        """A match by evidence gives way to an identifier that was not known then."""
        evident = self._run(
            "SELECT listing_id FROM temp.examined CROSS JOIN listing_films USING (listing_id)"
            " WHERE valid_to IS NULL AND method = 'evidence'"
        ).fetchall()
        set_aside(self._db, "evident", "listing_id", (row[0] for row in evident))
        identified = self._run(
            f"SELECT DISTINCT listing_id FROM ({pointed('evident')}) WHERE evidence <> {OWN!r}"
        ).fetchall()
        self._matched.films |= leave(self._db, (row[0] for row in identified))
        self._db.conn.executemany("INSERT OR IGNORE INTO temp.unmatched VALUES (?)", identified)

    # --- identifiers --------------------------------------------------------------------------

    def _by_identifiers(self) -> None:
        """Link all that identifiers point to one film, and join films that they say are one."""
        while True:
            self._apply_rulings()
            self._yield_to_identifiers()
            set_pointed(self._db)
            self._doubt_pointed()
            films = link_pointed(self._db)
            if not films and not self._join_films():
                break
            self._matched.films |= films
            self._unindexed |= films
            self._regrouped |= films

    def _doubt_pointed(self) -> None:
        """Refuse what an identifier says against title, year and people together.

        Most say just what the film's listings say: title and year do not contradict then, and only
        the others are weighed."""
        pairs = pd.read_sql_query(
            "SELECT listing_id, film_id FROM temp.pointed p CROSS JOIN listings l"
            " USING (listing_id) WHERE l.title IS NOT NULL AND EXISTS (SELECT 1"
            " FROM listing_films lf JOIN listings m USING (listing_id)"
            " WHERE lf.film_id = p.film_id AND lf.valid_to IS NULL AND m.title IS NOT NULL)"
            " AND (NOT EXISTS (SELECT 1 FROM listing_films lf JOIN listings m USING (listing_id)"
            " WHERE lf.film_id = p.film_id AND lf.valid_to IS NULL AND lf.method <> 'evidence'"
            " AND m.title = l.title) OR EXISTS (SELECT 1 FROM listing_films lf"
            " JOIN listings m USING (listing_id) WHERE lf.film_id = p.film_id"
            " AND lf.valid_to IS NULL AND lf.method <> 'evidence'"
            " AND ifnull(abs(m.year - l.year) > 1, 1))"
            " OR EXISTS (SELECT 1 FROM listing_films lf WHERE lf.listing_id = p.listing_id"
            " AND lf.film_id = p.film_id AND lf.valid_to IS NOT NULL))",
            self._db.conn,
        )
        new = [pair not in self._weighed for pair in pairs.itertuples(index=False, name=None)]
        pairs = pairs[new]
        if pairs.empty:
            return
        self._weighed |= set(pairs.itertuples(index=False, name=None))
        weighed = weigh(self._db, pairs)
        # A listing that left a film, because its page came to show another, does not come back
        # to it for what was stated of its address before.
        left = set(
            self._run(
                "SELECT listing_id, film_id FROM temp.weighed_listings CROSS JOIN listing_films"
                " USING (listing_id) WHERE valid_to IS NOT NULL"
            )
        )
        known = weighed[["listing_id", "film_id"]].itertuples(index=False, name=None)
        was = pd.Series([pair in left for pair in known], index=weighed.index, dtype=bool)
        wrong = weighed["contradicts"] | (was & (weighed["answer"] != "same"))
        doubted = weighed[wrong].assign(answer="ask")
        told = doubted[["listing_id", "film_id"]].values.tolist()
        self._db.conn.executemany("INSERT OR IGNORE INTO temp.refused VALUES (?, ?)", told)
        self._db.conn.executemany(
            "INSERT OR IGNORE INTO temp.doubted VALUES (?)", ([listing] for listing, _ in told)
        )
        self._doubted.append(doubted)

    def _join_films(self) -> bool:
        """Join films of which a listing says that they are one, where nothing speaks against it."""
        pairs = self._films_said_to_be_one()
        if pairs.empty:
            return False
        weighed = weigh_films(self._db, pairs)
        known = weighed.set_index(["listing_id", "film_id"])["answer"]
        joined = False
        gone: set[int] = set()
        for survivor, other in pairs.itertuples(index=False, name=None):
            # A film without a title is only a number that somebody tracks: nothing contradicts.
            if known.get((survivor, other), "same") == "same" and not {survivor, other} & gone:
                join(self._db, survivor, other)
                gone.add(other)
                self._matched.films |= {survivor, other}
                joined = True
        return joined

    def _films_said_to_be_one(self) -> pd.DataFrame:
        """Pairs of films (listing_id: the survivor, film_id: the other) that one listing is, states
        or is named by. IMDb's ids keep films apart: of two that have one each, none is the other.
        """
        said = (
            f"SELECT listing_id, film_id FROM ({pointed('examined')})"
            " UNION ALL SELECT listing_id, film_id FROM temp.examined CROSS JOIN listing_films"
            " USING (listing_id) WHERE valid_to IS NULL AND method <> 'evidence'"
        )
        return pd.read_sql_query(
            # Nearly all are said to be one film; only the others are joined.
            f"WITH every AS MATERIALIZED ({said}), said AS MATERIALIZED (SELECT DISTINCT * FROM"
            " every WHERE listing_id IN (SELECT listing_id FROM every GROUP BY listing_id"
            " HAVING min(film_id) < max(film_id))) SELECT DISTINCT"
            " iif((a.imdb_id IS NULL, a.film_id) < (b.imdb_id IS NULL, b.film_id),"
            "     a.film_id, b.film_id) AS listing_id,"
            " iif((a.imdb_id IS NULL, a.film_id) < (b.imdb_id IS NULL, b.film_id),"
            "     b.film_id, a.film_id) AS film_id"
            " FROM said s JOIN said t USING (listing_id)"
            " JOIN films a ON a.film_id = s.film_id JOIN films b ON b.film_id = t.film_id"
            " WHERE a.film_id < b.film_id AND (a.imdb_id IS NULL OR b.imdb_id IS NULL)"
            " ORDER BY 1, 2",
            self._db.conn,
        )

    # --- evidence -----------------------------------------------------------------------------

    def _index_films(self) -> Described:
        """Bring the keys of films up to date whose listings said something new, and of those that
        were put off; returns these films, described."""
        self._put_off_films()
        otherwise, films = keys.index_films(self._db, "unindexed_films")
        self._changed([*otherwise, *self._regrouped])
        self._regrouped = set()
        self._run("DELETE FROM unindexed_films")
        return films

    def _changed(self, films: Iterable[int]) -> None:
        """Of these something is new that listings which wait should be held against."""
        if self._any("listing_keys"):
            self._db.conn.executemany(
                "INSERT OR IGNORE INTO temp.changed_films VALUES (?)", ([film] for film in films)
            )

    def _index_films_or_put_off(self) -> None:
        """Where no listing waits for a film, none needs its keys until one does: a catalogue of
        one source alone is spared most of its time by that."""
        if self._any("listing_keys"):
            self._index_films()
        else:
            self._put_off_films()

    def _put_off_films(self) -> None:
        self._db.conn.executemany(
            "INSERT OR IGNORE INTO unindexed_films VALUES (?)", ([film] for film in self._unindexed)
        )
        self._unindexed = set()
        self._run(
            "DELETE FROM listing_keys WHERE listing_id IN (SELECT listing_id FROM temp.examined"
            " CROSS JOIN listing_films USING (listing_id) WHERE valid_to IS NULL"
            " AND method <> 'evidence')"
        )

    def _by_evidence(self, source: str | None = None) -> None:
        """Match by evidence the listings that no identifier matched: of a source, or all."""
        known = self._any("listing_keys")
        if not known and not self._may_find(source):
            return
        # As they are described now they stay meanwhile: evidence speaks for no film.
        films = Films(self._db, self._index_films())
        if known and not self._seek(source):  # what changed of films has others seek, too
            return
        others = self._any("listing_keys WHERE listing_id NOT IN temp.seeking")
        keyed: list[pd.DataFrame] = []
        for one in SOURCES:  # listings compete within their source
            self._run("DROP TABLE IF EXISTS temp.sought")
            self._run(
                "CREATE TEMP TABLE sought AS SELECT listing_id FROM temp.seeking"
                " CROSS JOIN listings USING (listing_id) WHERE source = ? ORDER BY listing_id",
                (one.key,),
            )
            if self._any("temp.sought"):
                weighed, theirs = weigh_candidates(
                    self._db, one.key, "sought", films, rivals=others
                )
                keyed += theirs
                self._settle(weighed)
        keys.index_listings(self._db, "temp.seeking", keyed)

    def _may_find(self, source: str | None) -> bool:
        """Whether a listing seeks a film, and may be one of those that there are: only then are
        keys worth writing."""
        return self._seek(source) and (source is None or self._any_film_without(source))

    def _seek(self, source: str | None) -> bool:
        """Fill `seeking`: listings of films that no identifier or ruling matched, of which
        something is new: on their side, or on that of a film that shares a telling key with them.
        Returns whether there are any."""
        which = "1" if source is None else f"l.source = '{source}'"
        self._run("DROP TABLE IF EXISTS temp.seeking")
        placeholders = ", ".join(f"'{kind}'" for kind in FILM_KINDS)
        self._run(
            "CREATE TEMP TABLE seeking AS SELECT l.listing_id FROM listings l WHERE l.listing_id IN"
            " (SELECT listing_id FROM temp.examined UNION SELECT k.listing_id FROM"
            "  temp.changed_films CROSS JOIN film_keys f USING (film_id)"
            f"  CROSS JOIN listing_keys k USING (match_key) WHERE {keys.TELLING})"
            f" AND {which} AND l.title IS NOT NULL AND ifnull(l.kind, 'movie') IN ({placeholders})"
            " AND NOT EXISTS (SELECT 1 FROM listing_films lf WHERE lf.listing_id = l.listing_id"
            "  AND lf.valid_to IS NULL AND lf.method <> 'evidence')"
        )
        self._run(
            "DELETE FROM temp.seeking WHERE listing_id IN"
            f" (SELECT listing_id FROM ({pointed('seeking')}))"
        )
        return self._any("temp.seeking")

    def _settle(self, weighed: pd.DataFrame) -> None:
        """Link what is the same, undo what no longer is, and remember what is doubtful."""
        same = weighed["answer"] == "same"
        weighed.loc[same & (weighed["probability"] < SURE), "answer"] = "ask"
        same &= weighed["probability"] >= SURE
        several = same & weighed["listing_id"].duplicated(keep=False)
        several &= same.groupby(weighed["listing_id"]).transform("sum") > 1
        weighed.loc[several, "answer"] = "ask"
        told = weighed.loc[same & ~several, ["listing_id", "film_id", "probability", "evidence"]]
        found = {
            listing_id: Link(listing_id, film_id, "evidence", probability, evidence)
            for listing_id, film_id, probability, evidence in told.astype(object).values.tolist()
        }
        before = {
            listing_id: Link(listing_id, *known)
            for listing_id, *known in self._run(
                "SELECT listing_id, film_id, method, probability, evidence FROM temp.sought CROSS"
                " JOIN listing_films USING (listing_id) WHERE valid_to IS NULL"
            )
        }
        undone = [
            listing_id
            for listing_id, was in before.items()
            if listing_id not in found or found[listing_id].film_id != was.film_id
        ]
        self._matched.films |= leave(self._db, undone)
        stays = before.keys() - undone
        films = link(self._db, [one for one in found.values() if one.listing_id not in stays])
        self._matched.films |= films
        adopt_ids(self._db, films)
        self._changed(films)  # and their keys are as they were: evidence speaks for no film
        update_evidence(self._db, [found[listing_id] for listing_id in stays])
        self._db.conn.executemany(
            "DELETE FROM temp.unmatched WHERE listing_id = ?",
            ([listing_id] for listing_id in found),
        )
        sought = pd.read_sql_query("SELECT listing_id FROM temp.sought", self._db.conn)
        self._matched.films |= remember(self._db, sought["listing_id"], weighed, "evidence")

    # --- what a person should look at ---------------------------------------------------------

    def _remember_doubts(self) -> None:
        """Remember what identifiers say and must not be believed: against all the rest, or of
        several films at once."""
        pairs = pd.DataFrame(
            [
                (listing_id, film_id, why)
                for listing_id, films in self._matched.ambiguous.items()
                for film_id, why in films.items()
            ],
            columns=["listing_id", "film_id", "why"],
        )
        weighed = pairs.merge(weigh(self._db, pairs[["listing_id", "film_id"]]), how="left")
        told = weighed["why"].where(
            weighed["evidence"].isna(), weighed["why"] + "; " + weighed["evidence"].fillna("")
        )
        several = weighed.assign(
            answer="ask", evidence=told, probability=weighed["probability"].fillna(0.5)
        )
        sought = pd.read_sql_query("SELECT listing_id FROM temp.examined", self._db.conn)
        doubts = pd.concat([*self._doubted, several])
        self._matched.films |= remember(self._db, sought["listing_id"], doubts, "identifier")

    def _tell_doubts(self) -> None:
        rows = self._run(
            "SELECT j.listing_id, j.film_id, j.evidence FROM temp.examined"
            " CROSS JOIN judgements j USING (listing_id) WHERE j.answer = 'ask'"
            " AND NOT EXISTS (SELECT 1 FROM listing_films lf WHERE lf.listing_id = j.listing_id"
            " AND lf.valid_to IS NULL) ORDER BY 1, 2"
        )
        for listing_id, film_id, evidence in rows:
            self._matched.doubtful.setdefault(listing_id, {})[film_id] = evidence

"""From matched listings to what analysts read: primary listings, facts, scores, credits, views.

Everything here is derived: it can be made anew at any time and comes out the same. The work is
done by SQL and pandas over the films that were touched, so that its cost follows what changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import resources

from sqlite_utils import Database

from pipelines.credits import write_stay
from pipelines.database import indexed_afterwards, set_aside, transaction, write_over
from pipelines.film_scores import write_film_scores
from pipelines.listings import FACTS
from pipelines.register_sql import filled_in
from pipelines.score_counts import count_all
from pipelines.search import write_search
from pipelines.tables import derived_tables
from pipelines.views import VIEWS
from spiders.sources import score_kinds

CHUNK = 10_000
"""Films that are merged at a time: memory stays near 200 MB however many there are, and chunks of
more are no faster."""

_SORTED_AND_COUNTED = {
    "film_scores": (
        "imdb_id",
        "tmdb_id",
        "year",
        "title",
        "consensus_100",
        "imdb_rating_votes",
        *(kind.key for kind in score_kinds()),
    ),
    "stay_for_the_credits": ("imdb_id", "title"),
}
"""Columns by which Datasette sorts and counts, or by which the charts of datasette.yml do."""

# By these the views find one night, the saved pages, what is gone or one source among millions of
# rows, and the films of which critics and audience think the least alike; and count what is known
# of all films, or of those of a year. Nearly all films are of one kind, so that those of a kind are
# counted by year, and their first ones shown, without looking at each.
_INDEXES = (
    *(
        f"{table}_{name} ON {table} ({name})"
        for table, names in _SORTED_AND_COUNTED.items()
        for name in names
    ),
    "score_observations_when ON score_observations (observed_at)",
    "score_observations_saved ON score_observations (listing_id, score_kind, observed_at)"
    " WHERE origin = 'archive' AND relayed = 0",
    "urls_of_all ON urls (source, last_asked_at) WHERE listing_id IS NULL",
    "listings_gone ON listings (gone_at) WHERE gone_at IS NOT NULL",
    "film_scores_kind ON film_scores (kind, year, metascore_state)",
    "film_scores_metascore_state ON film_scores (metascore_state, kind, year)",
    "film_scores_known ON film_scores (kind, imdb_rating_votes)",
    "film_scores_known_by_state ON film_scores (metascore_state, imdb_rating_votes)",
    "film_scores_gap ON film_scores (abs(critics_100 - audience_100), critics_100, audience_100)"
    " WHERE critics_100 IS NOT NULL AND audience_100 IS NOT NULL",
    "film_scores_fives ON film_scores (5 * CAST(min(critics_100, 99) / 5 AS INTEGER),"
    " 5 * CAST(min(audience_100, 99) / 5 AS INTEGER))"
    " WHERE critics_100 IS NOT NULL AND audience_100 IS NOT NULL",
    "stay_for_the_credits_stay ON stay_for_the_credits (stay, year)",
    "stay_for_the_credits_year ON stay_for_the_credits (year, stay)",
    "stay_for_the_credits_newest ON stay_for_the_credits (year DESC, title)",
)


def prepare(db: Database) -> None:
    """Make the derived tables and the views as this version and its register have them."""
    with transaction(db):
        _drop_outdated(db)
        _make_derived(db)


def merge(db: Database, film_ids: Iterable[int]) -> None:
    """Bring the given films' facts, scores and credits up to date, in one transaction."""
    films = sorted(set(film_ids))  # neighbours in the database are merged together
    with transaction(db), _indexed(db, films):
        _merge(db, films)


def _indexed(db: Database, films: Sequence[int]) -> AbstractContextManager[None]:
    """How the indexes of films' scores are kept while these films, in order, are merged: where more
    are new than there were, as on a first night, they are made afterwards."""
    (last,) = db.conn.execute("SELECT ifnull(max(film_id), 0) FROM film_scores").fetchone()
    new = len(films) - bisect_right(films, last)
    return indexed_afterwards(db, "film_scores") if new > last else nullcontext()


def _drop_outdated(db: Database) -> None:
    """Drop the derived tables that another version, or another register, made."""
    for table in derived_tables():
        if list(db[table.name].columns_dict) != list(table.columns):
            db.conn.execute(f"DROP TABLE IF EXISTS {table.name}")
    if not db["film_scores"].exists():
        db.conn.execute("DELETE FROM score_counts")


def _make_derived(db: Database) -> None:
    """Make the tables and views that are not there, and fill the tables if one was not."""
    run = db.conn.execute
    missing = [table for table in derived_tables() if not db[table.name].exists()]
    for table in missing:
        types = ", ".join(f"{name} {_column_type(name)}" for name in table.columns)
        run(f"CREATE TABLE {table.name} ({types}) STRICT")
    folder = resources.files("pipelines") / "views"
    for view in VIEWS:  # one may build on others: SQLite looks for them when it is read
        # SQLite keeps a view without the end of its last line, and one that is as kept stays.
        sql = (folder / f"{view.name}.sql").read_text("utf-8").rstrip()
        db.create_view(view.name, filled_in(sql), replace=True)
    if missing:
        _merge(db, [row[0] for row in run("SELECT film_id FROM films ORDER BY film_id")])
    count_all(db)
    # Once the rows are there: to sort them all takes less than to find the place of each.
    for index in _INDEXES:
        _make_index(db, filled_in(f"CREATE INDEX {index}"))


def _make_index(db: Database, sql: str) -> None:
    """Make an index as this version has it, in place of one of its name that is another."""
    name = sql.split()[2]
    for (made,) in db.conn.execute("SELECT sql FROM sqlite_schema WHERE name = ?", [name]):
        if made == sql:
            return
        db.conn.execute(f"DROP INDEX {name}")
    db.conn.execute(sql)


def _merge(db: Database, films: Sequence[int]) -> None:
    for start in range(0, len(films), CHUNK):
        set_aside(db, "touched", "film_id", films[start : start + CHUNK])
        _write_primaries_and_facts(db)
        _write_whose_parts(db)
        write_film_scores(db)
        write_stay(db)
        write_search(db)


# Listings in the order in which they speak for their film: sources as the register has them; of
# several listings on one source, those that are not gone, nor lead to another, then the one that
# bears the film's own id, then those that more than evidence matched, then those with the most
# votes, then those first heard of. The first of a source is primary.
_ORDER = "film_id, rank, is_gone, has_moved, is_other, by_evidence, fewest, listing_id"

# A key keeps that order for less than half of what windows take.
_LISTED = (
    "DROP TABLE IF EXISTS temp.listed",
    "CREATE TEMP TABLE listed (film_id INTEGER, rank INTEGER, is_gone INTEGER, has_moved INTEGER,"
    " is_other INTEGER, by_evidence INTEGER, fewest INTEGER, listing_id INTEGER, source TEXT,"
    f" valid_from TEXT, is_primary INTEGER, PRIMARY KEY ({_ORDER})) WITHOUT ROWID",
    """
INSERT INTO temp.listed
SELECT lf.film_id, CASE l.source {ranks} END, l.gone_at IS NOT NULL,
  EXISTS (SELECT 1 FROM listing_identifiers i
          WHERE i.listing_id = l.listing_id AND i.source = l.source),
  l.source_id NOT IN (ifnull(f.imdb_id, ''), ifnull(CAST(f.tmdb_id AS TEXT), ''),
                      ifnull(f.wikidata_id, '')),
  lf.method = 'evidence',
  ifnull((SELECT -max(votes) FROM scores s WHERE s.listing_id = l.listing_id), 1),
  lf.listing_id, l.source, lf.valid_from, lf.is_primary
FROM temp.touched t
CROSS JOIN films f USING (film_id)
CROSS JOIN listing_films lf ON lf.film_id = f.film_id AND lf.valid_to IS NULL
CROSS JOIN listings l USING (listing_id)
""",
    "DROP TABLE IF EXISTS temp.primaries",
    "CREATE TEMP TABLE primaries (film_id INTEGER, source TEXT, listing_id INTEGER,"
    " valid_from TEXT, PRIMARY KEY (film_id, source)) WITHOUT ROWID",
    "INSERT OR IGNORE INTO temp.primaries"
    f" SELECT film_id, source, listing_id, valid_from FROM temp.listed ORDER BY {_ORDER}",
)


def _write_primaries_and_facts(db: Database) -> None:
    """Write which listings are primary (also to temp.primaries), and the films' facts."""
    run = db.conn.execute
    for statement in _LISTED:
        run(filled_in(statement))
    run(
        "UPDATE listing_films SET is_primary = 1 - is_primary WHERE valid_to IS NULL"
        " AND listing_id IN (SELECT o.listing_id FROM temp.listed o JOIN temp.primaries p"
        " USING (film_id, source) WHERE o.is_primary <> (o.listing_id = p.listing_id))"
    )
    write_over(db, "films", _facts_sql(), ("film_id", *FACTS))


def _facts_sql() -> str:
    """Each fact is that of the first listing that has it: nearly always of the very first."""
    facts = ", ".join(
        f"ifnull(l.{name}, (SELECT m.{name} FROM temp.listed o CROSS JOIN listings m"
        f" USING (listing_id) WHERE o.film_id = t.film_id AND m.{name} IS NOT NULL"
        f" ORDER BY {_ORDER} LIMIT 1))"
        for name in FACTS
    )
    return (
        f"SELECT t.film_id, {facts} FROM temp.touched t CROSS JOIN listings l WHERE l.listing_id ="
        f" (SELECT listing_id FROM temp.listed WHERE film_id = t.film_id ORDER BY {_ORDER} LIMIT 1)"
    )


def _write_whose_parts(db: Database) -> None:
    """Titles, people and genres belong to the film that their listing is now, if any."""
    run = db.conn.execute
    for table in ("film_titles", "film_people", "film_genres"):
        now = (
            f"(SELECT lf.film_id FROM listing_films lf WHERE lf.listing_id = {table}.listing_id"
            " AND lf.valid_to IS NULL)"
        )
        run(
            f"UPDATE {table} SET film_id = {now}"
            f" WHERE film_id IN (SELECT film_id FROM temp.touched) AND film_id IS NOT {now}"
        )
        run(
            f"UPDATE {table} SET film_id = now.film_id FROM temp.listed now"
            f" WHERE {table}.listing_id = now.listing_id AND {table}.film_id IS NOT now.film_id"
        )


def _column_type(name: str) -> str:
    if name == "film_id":
        return "INTEGER PRIMARY KEY"
    kinds = {kind.key for kind in score_kinds()}
    if name in kinds or name.endswith(("_100", "_low", "_high")):
        return "REAL"
    whole = ("tmdb_id", "year", "scene_count", "worth_staying")
    return "INTEGER" if name in whole or name.endswith(("_votes", "_votes_at_least")) else "TEXT"

"""The tables and views for analysts, as this version and its register have them, and their indexes.

Their rows are made by pipelines/merge.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from sqlite_utils import Database

from pipelines.database import transaction
from pipelines.register_sql import filled_in
from pipelines.score_counts import count_all
from pipelines.tables import derived_tables
from pipelines.views import VIEWS
from spiders.sources import score_kinds

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


def is_prepared(db: Database) -> bool:
    """Whether the derived tables and the views are there as this version and its register have
    them: what reads goes by their columns."""
    kept = dict(db.conn.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'"))
    return not _outdated(db) and all(
        kept.get(name, "").partition(" AS ")[2] == sql for name, sql in _views()
    )


def _views() -> Iterator[tuple[str, str]]:
    """Each view's name and its SQL as SQLite keeps it, which is without the end of the last line;
    one may build on others: SQLite looks for them when it is read."""
    folder = resources.files("pipelines") / "views"
    for view in VIEWS:
        yield view.name, filled_in((folder / f"{view.name}.sql").read_text("utf-8").rstrip())


def _outdated(db: Database) -> list[str]:
    """The derived tables that are not there, or are as another version or register made them."""
    return [
        table.name
        for table in derived_tables()
        if list(db[table.name].columns_dict) != list(table.columns)
    ]


def _drop_outdated(db: Database) -> None:
    for name in _outdated(db):
        db.conn.execute(f"DROP TABLE IF EXISTS {name}")
    if not db["film_scores"].exists():
        db.conn.execute("DELETE FROM score_counts")


def _make_derived(db: Database) -> None:
    """Make the tables and views that are not there, and fill the tables if one was not."""
    run = db.conn.execute
    missing = [table for table in derived_tables() if not db[table.name].exists()]
    for table in missing:
        types = ", ".join(f"{name} {_column_type(name)}" for name in table.columns)
        run(f"CREATE TABLE {table.name} ({types}) STRICT")
    for name, sql in _views():
        db.create_view(name, sql, replace=True)  # one that is as it is kept stays
    if missing and db["films"].count:
        from pipelines.merge import merge_all  # here: pandas takes as long to load as all the rest

        merge_all(db)
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


def _column_type(name: str) -> str:
    if name == "film_id":
        return "INTEGER PRIMARY KEY"
    kinds = {kind.key for kind in score_kinds()}
    if name in kinds or name.endswith(("_100", "_low", "_high")):
        return "REAL"
    whole = ("tmdb_id", "year", "scene_count", "worth_staying")
    return "INTEGER" if name in whole or name.endswith(("_votes", "_votes_at_least")) else "TEXT"

"""From matched listings to one row a film: primary listings, the film's facts, its scores.

Everything here is derived: it can be made anew at any time and comes out the same. The work is
done by SQL over the films that were touched, so that its cost follows what changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from sqlite_utils import Database

from pipelines.database import set_aside, transaction
from pipelines.listings import FACTS
from pipelines.tables import film_scores
from spiders.sources import SOURCES, score_kinds


def prepare(db: Database) -> None:
    """Make the derived table and the views as this version and its register have them."""
    wanted = list(film_scores().columns)
    if db["film_scores"].exists() and list(db["film_scores"].columns_dict) != wanted:
        db["film_scores"].drop()
    fresh = not db["film_scores"].exists()
    if fresh:
        types = ", ".join(f"{name} {_column_type(name)}" for name in wanted)
        db.conn.execute(f"CREATE TABLE film_scores ({types}) STRICT")
        for name in ("imdb_id", "tmdb_id", "year", "title"):
            db.conn.execute(f"CREATE INDEX film_scores_{name} ON film_scores ({name})")
    for file in sorted(resources.files("pipelines").joinpath("views").iterdir(), key=_name):
        if file.name.endswith(".sql"):
            db.create_view(file.name.removesuffix(".sql"), file.read_text("utf-8"), replace=True)
    if fresh:
        merge(db, [row[0] for row in db.conn.execute("SELECT film_id FROM films")])


def merge(db: Database, film_ids: Iterable[int]) -> None:
    """Bring the given films' facts and scores up to date, in one transaction."""
    with transaction(db):
        run = db.conn.execute
        set_aside(db, "touched", "film_id", film_ids)
        run(_PRIMARY)
        run(_facts_sql())
        for table in ("film_titles", "film_people", "film_genres"):
            run(
                f"UPDATE {table} SET film_id = lf.film_id FROM listing_films lf"
                f" WHERE lf.listing_id = {table}.listing_id AND lf.valid_to IS NULL"
                f" AND lf.film_id IN (SELECT film_id FROM touched)"
                f" AND {table}.film_id IS NOT lf.film_id"
            )
        run("DELETE FROM film_scores WHERE film_id IN (SELECT film_id FROM touched)")
        run(_film_scores_sql())


# Of several listings of a film on one source, the one whose scores stand for the film: not gone;
# the one that bears the film's own id; the one with the most votes; the one first heard of.
_PRIMARY = """
WITH ranked AS (
  SELECT lf.listing_id, row_number() OVER (
    PARTITION BY lf.film_id, l.source
    ORDER BY l.gone_at IS NOT NULL,
      l.source_id NOT IN (ifnull(f.imdb_id, ''), ifnull(CAST(f.tmdb_id AS TEXT), ''),
                          ifnull(f.wikidata_id, '')),
      (SELECT max(votes) FROM scores s WHERE s.listing_id = l.listing_id) IS NULL,
      (SELECT max(votes) FROM scores s WHERE s.listing_id = l.listing_id) DESC,
      l.listing_id
  ) AS place
  FROM listing_films lf
  JOIN listings l USING (listing_id)
  JOIN films f USING (film_id)
  WHERE lf.valid_to IS NULL AND lf.film_id IN (SELECT film_id FROM touched)
)
UPDATE listing_films SET is_primary = (place = 1) FROM ranked
WHERE listing_films.listing_id = ranked.listing_id AND listing_films.valid_to IS NULL
  AND is_primary <> (place = 1)
"""


def _facts_sql() -> str:
    """A film's facts are those of its first source, in the order of the register, that has them."""
    order = "CASE l.source " + " ".join(
        f"WHEN '{source.key}' THEN {place}" for place, source in enumerate(SOURCES)
    )
    said = (
        "SELECT l.{0} FROM listing_films lf JOIN listings l USING (listing_id)"
        " WHERE lf.film_id = films.film_id AND lf.valid_to IS NULL AND l.{0} IS NOT NULL"
        f" ORDER BY {order} END, lf.is_primary DESC, l.listing_id LIMIT 1"
    )
    assign = ", ".join(f"{name} = ({said.format(name)})" for name in FACTS)
    return f"UPDATE films SET {assign} WHERE film_id IN (SELECT film_id FROM touched)"


def _film_scores_sql() -> str:
    columns = [
        "f.film_id",
        "f.imdb_id",
        "f.tmdb_id",
        "f.title",
        "f.year",
        "f.kind",
        "f.released_on",
    ]
    joins = []
    for source in SOURCES:
        if not source.score_kinds:
            continue
        key = source.key
        joins.append(
            f"LEFT JOIN (SELECT lf.film_id, l.listing_id, u.last_outcome FROM listing_films lf"
            f" JOIN listings l USING (listing_id) LEFT JOIN urls u ON u.listing_id = l.listing_id"
            f" WHERE l.source = '{key}' AND lf.valid_to IS NULL AND lf.is_primary"
            " AND lf.film_id IN (SELECT film_id FROM touched)"
            f" GROUP BY lf.film_id) AS {key}_listing ON {key}_listing.film_id = f.film_id"
            f" LEFT JOIN lookups AS {key}_lookup ON {key}_lookup.film_id = f.film_id"
            f" AND {key}_lookup.source = '{key}'"
        )
        for kind in source.score_kinds:
            k = kind.key
            joins.append(
                f"LEFT JOIN scores AS s_{k} ON s_{k}.listing_id = {key}_listing.listing_id"
                f" AND s_{k}.score_kind = '{k}' AND s_{k}.relayed = 0"
                f" LEFT JOIN confirmations AS c_{k} ON c_{k}.listing_id = s_{k}.listing_id"
                f" AND c_{k}.topic = '{k}'"
                f" LEFT JOIN dataset_confirmations AS d_{k} ON d_{k}.source = '{key}'"
                f" AND s_{k}.origin = 'dataset' AND c_{k}.confirmed_at IS NULL"
            )
            unscored = (
                f"CASE WHEN {key}_listing.last_outcome IN"
                " ('blocked', 'rate_limited', 'unauthorised') THEN 'blocked'"
                f" WHEN {key}_listing.last_outcome IN ('not_found', 'not_a_film') THEN 'not_listed'"
                f" WHEN {key}_listing.last_outcome = 'unreadable' THEN 'missing'"
                f" WHEN {key}_listing.listing_id IS NULL AND {key}_lookup.found = 'not_listed'"
                " THEN 'not_listed' ELSE 'not_asked' END"
            )
            columns += [
                f"s_{k}.value",
                f"round(100.0 * s_{k}.value / s_{k}.scale_max, 2)",
                f"s_{k}.votes",
                f"s_{k}.votes_at_least",
                f"ifnull(s_{k}.state, {unscored})",
                f"CASE WHEN s_{k}.state <> 'missing' THEN max(s_{k}.observed_at,"
                f" ifnull(c_{k}.confirmed_at, ''), ifnull(d_{k}.confirmed_at, '')) END",
            ]
    return (
        f"INSERT INTO film_scores SELECT {', '.join(columns)} FROM films f {' '.join(joins)}"
        " WHERE f.film_id IN (SELECT film_id FROM touched) AND f.merged_into IS NULL"
    )


def _column_type(name: str) -> str:
    if name == "film_id":
        return "INTEGER PRIMARY KEY"
    kinds = {kind.key for kind in score_kinds()}
    if name in kinds or name.removesuffix("_100") in kinds:
        return "REAL"
    whole = ("tmdb_id", "year")
    return "INTEGER" if name in whole or name.endswith(("_votes", "_votes_at_least")) else "TEXT"


def _name(file: object) -> str:
    # `confirmed` comes first by its name, which views that build on it need not rely on: SQLite
    # resolves a view's tables when it is read.
    return str(getattr(file, "name", ""))

"""How many films have what of each score kind, counted as films are merged: whoever asks it of all
films, as the home page, `health` and the charts do, looks at some thousand rows and not at each."""

from __future__ import annotations

from sqlite_utils import Database

from spiders.sources import score_kinds


def note_before(db: Database) -> None:
    """Keep what the films in temp.touched are counted as, before their rows are written."""
    of_kinds = (f"{kind.key}_state, {kind.key}_100" for kind in score_kinds())
    db.conn.execute("DROP TABLE IF EXISTS temp.counted")
    db.conn.execute(
        f"CREATE TEMP TABLE counted AS SELECT year, {', '.join(of_kinds)} FROM film_scores"
        " WHERE film_id IN (SELECT film_id FROM temp.touched)"
    )


def count_again(db: Database) -> None:
    """Count the films in temp.touched as they are now, by temp.wide, and no longer as they were."""
    if count_all(db):
        return
    counted = db.conn.execute(
        "INSERT INTO score_counts (score_kind, state, year, points, films)"
        " SELECT score_kind, state, year, points, sum(films)"
        f" FROM ({_counted('temp.counted', -1)} UNION ALL {_counted('temp.wide', 1)})"
        " WHERE true GROUP BY 1, 2, 3, 4 HAVING sum(films) <> 0"
        " ON CONFLICT DO UPDATE SET films = films + excluded.films"
    )
    if counted.rowcount:
        db.conn.execute("DELETE FROM score_counts WHERE films = 0")


def count_all(db: Database) -> bool:
    """Count all films where none are counted yet; returns whether that was so."""
    run = db.conn.execute
    if run("SELECT EXISTS (SELECT 1 FROM score_counts)").fetchone()[0]:
        return False
    run(
        "INSERT INTO score_counts (score_kind, state, year, points, films)"
        " SELECT score_kind, state, year, points, sum(films)"
        f" FROM ({_counted('film_scores', 1)}) GROUP BY 1, 2, 3, 4"
    )
    return True


def _counted(table: str, films: int) -> str:
    """SELECT of a row for each film and score kind."""
    return " UNION ALL ".join(
        f"SELECT '{kind.key}' AS score_kind, {kind.key}_state AS state, year,"
        f" CAST({kind.key}_100 AS INTEGER) AS points, {films} AS films FROM {table}"
        for kind in score_kinds()
    )

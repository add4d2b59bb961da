"""quarantine: what the guard holds back."""

from __future__ import annotations

from pipelines.database import read_only
from schedules import config, show
from schedules.commands.options import DbOption, JsonOption, out


def quarantine_list(as_json: JsonOption = False, db: DbOption = None) -> None:
    """Print what is held back, why, and since when; the last good value stands meanwhile.

    \b
    Example:  afterscore quarantine list
    """
    reading = read_only(config.database_path(db))
    rows = list(
        reading.query(
            "SELECT q.quarantine_id, l.source, l.source_id, l.title, q.topic, q.reason, q.held_at,"
            " q.times_held FROM quarantine q LEFT JOIN listings l USING (listing_id)"
            " WHERE q.decision IS NULL ORDER BY q.held_at DESC"
        )
    )
    if as_json:
        out.print(show.as_json(rows), markup=False, soft_wrap=True)
    elif not rows:
        out.print("Nothing is held back.")
    for row in [] if as_json else rows:
        named = row["title"] or row["source_id"]
        out.print(
            f"{row['quarantine_id']}  {row['source']}  {show.printable(named)}  {row['topic']}:"
            f" {show.printable(row['reason'])}  (since {row['held_at']},"
            f" {row['times_held']} times)",
            markup=False,
            soft_wrap=True,
        )

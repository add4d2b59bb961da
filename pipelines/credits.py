"""Whether to stay for the credits: every listing's verdict put together, disagreement shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame, Series
from sqlite_utils import Database

from pipelines.database import set_aside_frame, write_over

PLACES = ("during", "after")


def write_stay(db: Database) -> None:
    """Make the rows of `stay_for_the_credits` of the films in temp.touched anew."""
    # A join with temp.touched would begin with the view's own tables, and read every listing there
    # is: two seconds for one film among a million. IN begins with the films.
    verdicts = pd.read_sql_query(
        "SELECT * FROM film_verdicts WHERE film_id IN (SELECT film_id FROM temp.touched)",
        db.conn,
        dtype={"scene_count": "Int64", "worth_staying": "Int64"},
    )
    if verdicts.empty:  # as on a first night, whose films would wait for pandas in vain
        db.conn.execute(
            "DELETE FROM stay_for_the_credits WHERE film_id IN (SELECT film_id FROM temp.touched)"
        )
        return
    set_aside_frame(db, "told", stay(verdicts))
    db.conn.execute(
        "DELETE FROM stay_for_the_credits WHERE film_id IN (SELECT film_id FROM temp.touched)"
        " AND film_id NOT IN (SELECT film_id FROM temp.told)"
    )
    write_over(
        db,
        "stay_for_the_credits",
        "SELECT f.film_id, f.imdb_id, f.title, f.year, t.stay, t.during, t.after, t.scene_count,"
        " t.yes_sources, t.no_sources, t.worth_staying, t.confirmed_at"
        " FROM temp.told t CROSS JOIN films f USING (film_id) WHERE f.merged_into IS NULL",
    )


def stay(verdicts: DataFrame) -> DataFrame:
    """What the verdicts of films' listings come to, as a frame indexed by film_id.

    `verdicts` has a row for each listing: film_id, source, during, after (each yes, no or
    unknown), scene_count and worth_staying (Int64, NA where it does not say), confirmed_at (text).
    Only films with a verdict have a row.

    A place is disputed where one listing says yes and another no; it is never averaged. A scene
    after the credits is worth the whole wait, whatever is disputed of those before it; without
    one that is known, a scene during them is worth a part of it. The film is a no only where both
    places are known to be empty. Scenes are counted by the listing that counts most of them, where
    there is any; net votes add up.
    """
    film = verdicts["film_id"]
    says = {
        (place, word): (verdicts[place] == word).groupby(film).any()
        for place in PLACES
        for word in ("yes", "no")
    }
    rows = pd.DataFrame(index=pd.Index(film.unique(), name="film_id").sort_values())
    for place in PLACES:
        yes, no = says[place, "yes"], says[place, "no"]
        rows[place] = np.select([yes & no, yes, no], ["disputed", "yes", "no"], "unknown")
    during, after = rows["during"], rows["after"]
    rows["stay"] = np.select(
        [
            after == "yes",
            (during == "disputed") | (after == "disputed"),
            during == "yes",
            (during == "no") & (after == "no"),
        ],
        ["yes", "disputed", "until_mid", "no"],
        "unknown",
    )
    by_film = verdicts.groupby("film_id")
    rows["scene_count"] = (
        by_film["scene_count"].max().where(rows["stay"].isin(["yes", "until_mid"]))
    )
    said_yes = (verdicts[list(PLACES)] == "yes").any(axis=1)
    said_no = (verdicts[list(PLACES)] == "no").any(axis=1)
    rows["yes_sources"] = _listed(verdicts, said_yes)
    rows["no_sources"] = _listed(verdicts, said_no & ~said_yes)
    rows["worth_staying"] = by_film["worth_staying"].sum(min_count=1)
    informed = verdicts[said_yes | said_no].groupby("film_id")["confirmed_at"].max()
    rows["confirmed_at"] = informed.reindex(rows.index).fillna(by_film["confirmed_at"].max())
    return rows


def _listed(verdicts: DataFrame, chosen: Series[bool]) -> Series[str]:
    """For each film the sources of the chosen verdicts, in order, as a JSON list."""
    chosen_by = chosen.groupby([verdicts["film_id"], verdicts["source"]]).any().unstack()
    text = pd.Series("", index=chosen_by.index)
    for source in sorted(chosen_by.columns):
        text += np.where(chosen_by[source].fillna(value=False), f', "{source}"', "")
    return "[" + text.str.removeprefix(", ") + "]"

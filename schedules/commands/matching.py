"""match, forget, rebuild: which listing is which film, why, and what a person rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from sqlite_utils import Database

from pipelines import films
from pipelines.database import WHOLE_CACHE_KIB, keep_pages, read_only, transaction
from pipelines.films import Listed
from pipelines.matching import rulings
from pipelines.matching.doubtful import doubtful, how_many_doubtful
from pipelines.matching.forgetting import forget
from pipelines.problem import Problem
from pipelines.unmerged import all_merged
from pipelines.wording import counted
from schedules import columns, config, show
from schedules.commands.opening import must_be_there, writing_to
from schedules.commands.options import (
    BIGGEST,
    DbOption,
    JsonOption,
    err,
    out,
    print_json,
    say,
    user_name,
)

_MATCHED = "SELECT listing_id, film_id FROM listing_films WHERE valid_to IS NULL"

ListingArgument = Annotated[
    str, typer.Argument(metavar="LISTING", help="rottentomatoes:m/skyfall, or its page's URL")
]


def match_list(
    limit: Annotated[int, typer.Option(min=1, max=BIGGEST, metavar="N", help="At most N")] = 40,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print the doubtful matches, most votes first, and how to rule on each.

    \b
    Example:  afterscore match list
    """
    reading = read_only(config.database_path(db))
    rows = doubtful(reading, limit)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        listing = f"{row['source']}:{row['source_id']}"
        out.print(
            Text.assemble(
                (show.named(row["title"] or listing, row["year"]), "bold"),
                f"  {row['url']}\n  may be ",
                (show.named(row["film_title"] or "(title not known)", row["film_year"]), "bold"),
                f"  {row['film_listing'] or ''}",
            ),
            soft_wrap=True,
        )
        why = f"probability {row['probability']:.2f}: {show.printable(row['evidence'])}"
        columns.indented(out, Text(why, style="dim"))
        if row["film_listing"]:
            say(f"  afterscore match same {row['film_listing']} {listing}   (or different)")
    if not rows:
        out.print("No match is doubtful.")


def match_same(a: ListingArgument, b: ListingArgument, db: DbOption = None) -> None:
    """Rule that two listings are one film. It beats every algorithm, and survives a rebuild.

    \b
    Example:  afterscore match same imdb:tt1074638 rottentomatoes:m/skyfall
    """
    _rule(a, b, rulings.SAME, db)


def match_different(a: ListingArgument, b: ListingArgument, db: DbOption = None) -> None:
    """Rule that two listings are not one film. It beats every algorithm, and survives a rebuild.

    \b
    Example:  afterscore match different imdb:tt1074638 rottentomatoes:m/skyfall_2009
    """
    _rule(a, b, rulings.DIFFERENT, db)


def match_undo(a: ListingArgument, b: ListingArgument, db: DbOption = None) -> None:
    """Undo what was ruled on two listings; they are matched as if nobody had ruled.

    \b
    Example:  afterscore match undo imdb:tt1074638 rottentomatoes:m/skyfall
    """
    first, second = _listing(a), _listing(b)
    must_be_there(db)
    with writing_to(db, "match undo") as database:
        with transaction(database):
            undone = rulings.undo(database, first, second)
        if undone is None:
            raise Problem(
                f"nothing was ruled on {first} and {second} on the command line (a rulings file is"
                " undone by taking the line out of it)"
            )
        _say_ruling(database, f"No longer ruled ({undone.words})", first, second, undone.ruling)
        there = [one for one in (first, second) if _row_of(database, one)]
        _match_again(database, *there)
        with transaction(database):
            for listing in there:
                if rulings.forget_unheard(database, listing):
                    say(f"{listing} is forgotten: nothing was ever heard of it")
        for listing in {first, second}.difference(there):
            say(f"{listing} is not here any more")


def forget_command(
    name: ListingArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    db: DbOption = None,
) -> None:
    """Remove a listing and all that hangs on it: its scores, their history, its verdicts.

    It comes back where a source still lists it; to keep it from a film, 'match different'.

    \b
    Example:  afterscore forget rottentomatoes:m/skyfall_2009
    """
    from pipelines.merge import merge

    listing = _listing(name)
    number = _number(read_only(must_be_there(db), older=True), listing)
    with writing_to(db, f"forget {listing}") as database:
        (observed,) = database.conn.execute(
            "SELECT count(*) FROM score_observations WHERE listing_id = ?", [number]
        ).fetchone()
        if not yes and not _confirmed(
            f"Remove {listing} with {counted(observed, 'score observation')}?"
        ):
            raise Problem(
                f"nothing was removed: 'afterscore forget {listing} --yes' does so without asking"
            )
        with transaction(database):
            touched = forget(database, number)
        merge(database, touched)
    out.print(f"{listing} is forgotten.", markup=False)


def _confirmed(question: str) -> bool:
    """Whether a person says yes; where nobody can be asked, nobody does."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        err.print()
        return False


def rebuild_command(db: DbOption = None) -> None:
    """Match and merge everything anew, from what is stored; asks nothing. Rulings hold, films keep
    their numbers, and where nothing was wrong the same rows come out.

    \b
    Example:  afterscore rebuild
    """
    from pipelines.matching.matcher import rebuild
    from pipelines.merge import merge

    must_be_there(db)
    with writing_to(db, "rebuild") as database:
        run = database.conn.execute
        keep_pages(database, WHOLE_CACHE_KIB)
        run(f"CREATE TEMP TABLE matched_until_now AS {_MATCHED}")
        err.print("matching all listings …")
        matched = rebuild(database)
        err.print("merging all films …")
        merge(database, matched.films)
        all_merged(database)
        before = "SELECT * FROM temp.matched_until_now"
        now, new, gone = (
            run(f"SELECT count(*) FROM ({select})").fetchone()[0]
            for select in (_MATCHED, f"{_MATCHED} EXCEPT {before}", f"{before} EXCEPT {_MATCHED}")
        )
        undecided = how_many_doubtful(database)
    out.print(
        f"{counted(now, 'listing')} matched: {new:,} newly or otherwise, {gone:,} no longer;"
        f" {undecided:,} are doubtful."
    )


def _rule(a: str, b: str, ruling: str, db: Path | None) -> None:
    first, second = _listing(a), _listing(b)
    must_be_there(db)
    with writing_to(db, f"match {ruling}") as database:
        with transaction(database):
            rulings.rule(database, first, second, ruling, user_name())
        _say_ruling(database, "Ruled", first, second, ruling)
        _match_again(database, first, second)
        for listing in (first, second):
            if not rulings.heard_of(database, listing):
                say(
                    f"{listing} is not known yet: the ruling holds once it comes. If it is"
                    f" mistyped: 'afterscore match undo {first} {second}'."
                )


def _say_ruling(database: Database, done: str, a: Listed, b: Listed, ruling: str) -> None:
    """One line with what was ruled or undone on two listings, each with the title it bears."""
    answer = "are one film" if ruling == rulings.SAME else "are not one film"
    names = " and ".join(_named(database, listing) for listing in (a, b))
    say(f"{done}: {names} {answer}.")


def _named(database: Database, listing: Listed) -> str:
    _, title, year = _row_of(database, listing) or (None, None, None)
    return f"{listing} {show.named(title, year)}" if title else str(listing)


def _row_of(database: Database, listing: Listed) -> tuple[int, str | None, int | None] | None:
    """A listing's number, title and year; None where it was forgotten, or never here."""
    row: tuple[int, str | None, int | None] | None = database.conn.execute(
        "SELECT listing_id, title, year FROM listings WHERE source = ? AND source_id = ?", listing
    ).fetchone()
    return row


def _match_again(database: Database, *listings: Listed) -> None:
    """Match what was ruled on anew, merge, and say which films the listings are now."""
    from pipelines.up_to_date import bring_up_to_date

    numbers = [_number(database, listing) for listing in listings]
    bring_up_to_date(database, numbers)
    for listing, number in zip(listings, numbers, strict=True):
        row = database.conn.execute(
            "SELECT f.title, f.year, f.film_id FROM listing_films lf JOIN films f USING (film_id)"
            " WHERE lf.listing_id = ? AND lf.valid_to IS NULL",
            [number],
        ).fetchone()
        now = show.named(row[0] or f"film {row[2]}", row[1]) if row else "no film that is known"
        say(f"{listing} is {now}")


def _listing(name: str) -> Listed:
    listing = films.listed(name)
    if listing is None:
        raise Problem(
            f"{name!r} is no listing: name it as source:id (rottentomatoes:m/skyfall) or by the"
            " URL of its page, never by our own number of a film, nor by a title."
        )
    return listing


def _number(database: Database, listing: Listed) -> int:
    row = _row_of(database, listing)
    if row is None:
        raise Problem(f"no listing {listing} here ('afterscore explain FILM' shows a film's)")
    return row[0]

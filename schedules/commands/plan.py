"""plan: what tonight would ask, why, and what it costs. Asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from pipelines.database import read_only
from pipelines.wording import counted
from schedules import columns, config, show
from schedules.commands.foreground import print_skipped
from schedules.commands.opening import sources_named
from schedules.commands.options import (
    DbOption,
    JsonOption,
    LimitOption,
    SourceOption,
    out,
    print_json,
)
from schedules.results import Selection

if TYPE_CHECKING:
    from schedules.due_listings import Night
    from schedules.intent import Intent

SHOWN = 20
"""Listings of each source that are printed for people; JSON has them all."""

_UNREAD = (
    "The films of the universe are not known yet, nor what they cost: 'afterscore refresh --source"
    " imdb' reads them from IMDb's datasets. Then plan again."
)

_UNREAD_EXPORT = (
    "The films of TMDB's export are not known yet, nor what they cost: 'afterscore refresh --source"
    " tmdb' reads it, and asks none of them. Then plan again."
)

_TOLD = ("source_id", "film_id", "title", "year", "why", "chance", "last_answered_at", "priority")


def plan(
    source: SourceOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    db: DbOption = None,
) -> None:
    """Print what a refresh would ask now and why, and how long that takes. It asks nothing.

    \b
    Example:  afterscore plan
              afterscore plan --source rottentomatoes --json
    """
    from schedules.intent import Intent

    chosen = Selection(sources=sources_named(source), limit=limit)
    settings = config.load()
    intent = Intent(read_only(config.database_path(db)), settings, chosen)
    if as_json:
        print_json(plan_rows(intent))
    else:
        print_plan(intent)


def plan_rows(intent: Intent) -> dict[str, Any]:
    """What a run would ask, as `--json` prints it."""
    return {
        "finds": _finds(intent),
        "universe_unread": intent.universe_unread,
        "exports_unread": intent.exports_unread,
        "sources": [_as_row(intent.night(one), intent.unfound(one)) for one in intent.read_sources],
        "skipped": intent.skipped,
    }


def print_plan(intent: Intent, most: int = SHOWN) -> None:
    """What a run would ask, with the first listings of each source, and how long that takes."""
    nights = [(intent.night(one), intent.unfound(one)) for one in intent.read_sources]
    print_skipped(intent.skipped)
    out.print(
        f"The find stage comes first, and may add listings: {', '.join(_finds(intent)) or 'none'}",
        soft_wrap=True,
    )
    if intent.universe_unread:
        out.print(_UNREAD, soft_wrap=True)
    if intent.exports_unread:
        out.print(_UNREAD_EXPORT, soft_wrap=True)
    for night, unfound in nights:
        _print(night, most)
        _print_unfound(night, unfound)
    if nights:
        longest = max(night.hours(night.requests) for night, _ in nights)
        out.print(f"Sources are asked side by side: {time_taken(longest)} in all.")


def _finds(intent: Intent) -> list[str]:
    return [one.key for one in intent.asked_sources if one.finds]


def _as_row(night: Night, unfound: int) -> dict[str, Any]:
    """One source's plan. Times are hours; `upkeep_a_night` is in requests. `unfound` films may yet
    be found there, and `unlisted` ones are in its export: `at_most` bounds what asking about every
    film once costs."""
    most = night.listings + unfound + night.unlisted
    asked = night.asked[list(_TOLD)].round({"chance": 4, "priority": 4})
    return {
        "source": night.source,
        "due": night.due,
        "requests": night.requests,
        "hours": round(night.hours(night.requests), 3),
        "requests_a_night": night.budget,
        "listings": night.listings,
        "never_asked": night.never_asked,
        "upkeep_a_night": round(night.upkeep, 1),
        "nights_for_all": night.nights(night.listings),
        "unfound": unfound,
        "unlisted": night.unlisted,
        "exported": list(night.exported),
        "at_most": {
            "requests": most,
            "nights": night.nights(most),
            "hours_a_night": round(night.hours(min(night.budget, most)), 3),
        },
        "asked": asked.astype(object).where(asked.notna(), None).to_dict("records"),
    }


def _print(night: Night, most: int) -> None:
    from pandas import NaT  # here: most commands need no pandas

    asked = len(night.asked)
    left = night.due - asked
    exported = (
        f" and {counted(len(night.exported), 'film')} of its export" if night.exported else ""
    )
    out.print(
        f"\n{night.source}: {asked:,} of {counted(night.listings, 'listing')}{exported},"
        f" {time_taken(night.hours(night.requests))} at the polite rate"
        + (f"; {left:,} more due, which wait for another night" if left else ""),
        soft_wrap=True,
    )
    if asked:
        table = columns.table(("  listing", "film", "why"), ("changed?",))
        for row in night.asked.head(most).itertuples():
            never = row.last_asked_at is None or row.last_asked_at is NaT
            named = show.printable(row.title) if isinstance(row.title, str) else ""
            chance = "" if never else f"{row.chance:.0%}"
            table.add_row(Text(f"  {row.source_id}"), Text(named), str(row.why), chance)
        columns.print_table(out, table)
    if asked > most:
        out.print(f"  and {asked - most:,} more (--json lists them all)")
    if night.listings:
        out.print(
            f"  To keep up with all {night.listings:,} takes about"
            f" {counted(round(night.upkeep), 'request')} a night,"
            f" {time_taken(night.hours(night.upkeep))}; to ask them all once,"
            f" {_nights(night, night.listings)}.",
            soft_wrap=True,
        )
    if night.upkeep > night.budget:
        out.print(
            f"  That is more than requests_a_night = {night.budget:,} allows: those with the fewest"
            " views go stale. Raise it, or choose a smaller universe.",
            soft_wrap=True,
        )
    if night.unlisted:
        nights = night.nights(night.unlisted)
        out.print(
            f"  {counted(night.unlisted, 'film')} of its export never asked:"
            f" {counted(nights, 'night')} at least, since what is due goes first,"
            f" {time_taken(night.hours(night.unlisted))} in all."
            + (" Raise requests_a_night for fewer nights." if nights > 1 else ""),
            soft_wrap=True,
        )


def _print_unfound(night: Night, unfound: int) -> None:
    """What it costs at most once every film has been sought there."""
    if not unfound:
        return
    most = night.listings + unfound + night.unlisted
    out.print(
        f"  {counted(unfound, 'film')} here may yet be found there. To ask about every film once"
        f" takes at most {counted(most, 'request')}: {_nights(night, most)}.",
        soft_wrap=True,
    )


def _nights(night: Night, requests: int) -> str:
    """Over how many nights so many requests are spread, and what one of them takes."""
    a_night = night.hours(min(night.budget, requests))
    return f"{counted(night.nights(requests), 'night')} of {time_taken(a_night)}"


def time_taken(hours: float) -> str:
    """Hours in words: as minutes, or seconds, where they are few."""
    if 0 < hours < 1 / 30:
        return f"{3_600 * hours:,.1f} s"
    return f"{60 * hours:,.1f} min" if hours < 2 else f"{hours:,.1f} h"

"""What people see: one film as a card, the table of films, what changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text
from sqlite_utils import Database

from pipelines.clock import ago
from pipelines.film_facts import STATES, credits_answer, never_asked
from pipelines.most_votes import MOST_VOTES
from pipelines.statements import Change
from pipelines.wording import counted
from schedules import columns
from schedules.results import Result
from spiders.sources import ScoreKind, by_key, score_kind, score_kinds

_SHORT_STATES = {
    "not_rated": "n/r",
    "missing": "missing",
    "blocked": "blocked",
    "not_listed": "n/l",
    "not_asked": "n/a",
}
_SHORT_STAYS = {"until_mid": "mid", "unknown": "?"}
_LEGEND = (
    "All: what critics and audience together make of it, of 100\n"
    "n/r: not rated yet · n/l: no listing found there · n/a: not asked\n"
    "missing: the page should show it, and no known layout held it\n"
    "Stay? mid: until the scene during the credits · ?: not known"
)
_STAY = {
    "both": "Stay: there are scenes during and after the credits",
    "yes": "Stay: there is a scene after the credits",
    "until_mid": "Stay for the first credits: there is a scene during them, none known after",
    "no": "No scene during or after the credits",
    "unknown": "Not known whether there is a scene in the credits",
    "disputed": "Sources disagree on whether there is a scene in the credits",
}
# Characters that turn the direction of text around or hide it: titles come from the web.
_UNSEEN = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def printable(text: object) -> str:
    """Text from the web without control characters, for a terminal."""
    return _UNSEEN.sub("", str(text))


def named(title: str, year: int | None) -> str:
    """A film as people name it: `Skyfall (2012)`."""
    return printable(title) + (f" ({year})" if year else "")


def headline(facts: Mapping[str, Any]) -> Text:
    """The first line about a film: title and year, running time, ids."""
    known = [
        f"{facts['runtime_minutes']} min" if facts["runtime_minutes"] else None,
        facts["imdb_id"],
        f"tmdb:{facts['tmdb_id']}" if facts["tmdb_id"] else None,
    ]
    title = facts["title"] or "(title not known yet)"
    return Text.assemble((named(title, facts["year"]), "bold"), " ", "  ".join(filter(None, known)))


def votes(score: Mapping[str, Any]) -> str:
    """How many voted on a score: `250,000+` where its site shows a band, nothing where none."""
    return "" if score["votes"] is None else f"{score['votes']:,}{'+' * score['votes_at_least']}"


def film_card(console: Console, facts: Mapping[str, Any]) -> None:
    """One film for a person: the credits first, then each score."""
    console.print(headline(facts))
    if facts["tracked_at"] and never_asked(facts):
        listings = (f"{row['source']}:{row['source_id']}" for row in facts["listings"])
        name = facts["imdb_id"] or next(listings, facts["film_id"])
        console.print(
            f"Tracked since {facts['tracked_at'][:10]}, and not asked yet: 'afterscore film {name}"
            " --ask' asks now, 'afterscore refresh' with all others.",
            soft_wrap=True,
        )
        return
    verdict = facts["credits"]
    line = _STAY[credits_answer(verdict)]
    if verdict["scene_count"]:
        line += f" ({verdict['scene_count']} in all)"
    if verdict["confirmed_at"]:
        line += f", seen {ago(verdict['confirmed_at'])}"
    console.print(Text(line, style="bold green" if verdict["stay"] in ("yes", "until_mid") else ""))
    for says, sources in (("yes", verdict["yes_sources"]), ("no", verdict["no_sources"])):
        if sources:
            console.print(f"  {says}: {', '.join(by_key(key).name for key in sources)}")
    if facts["consensus"]:
        console.print(_consensus_lines(facts["consensus"]))
    table = columns.table(("Score", "Value", "Votes", "As of"))
    table.columns[2].justify = "right"
    for key, score in facts["scores"].items():
        kind = score_kind(key)
        scored = score["state"] == "scored"
        value = kind.show(score["value"]) if scored else STATES[score["state"]]
        age = ago(score["confirmed_at"]) if score["confirmed_at"] else ""
        shown = Text(value, style="bold" if scored else "dim")
        table.add_row(kind.label, shown, votes(score), age)
    columns.print_table(console, table)
    for row in facts["listings"]:
        if row["is_primary"]:
            console.print(f"  {row['url']}", style="dim", markup=False, soft_wrap=True)
    for row in facts["held"]:
        console.print(
            f"Held back: {row['source']} {row['topic']}: {printable(row['reason'])}"
            f" ({ago(row['held_at'])}; what stands is shown above)",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _consensus_lines(consensus: Mapping[str, Any]) -> Text:
    """The consensus, how sure it is and what it is made of; then the two sides apart, and how old
    the oldest figure is that it counts like the others."""
    kinds = [score_kind(key).label for key in consensus["kinds"]]
    made_of = f"the {kinds[0]} alone" if len(kinds) == 1 else f"{len(kinds)} kinds of score"
    sides = [
        f"{side}: {consensus[side]:.0f}"
        for side in ("critics", "audience")
        if len(kinds) > 1 and consensus[side] is not None
    ]
    oldest = consensus["oldest_confirmed_at"]
    age = f"; oldest figure: {ago(oldest)}" if sides and oldest else ""
    return Text.assemble(
        "Consensus: ",
        (f"{consensus['value']:.0f} of 100", "bold"),
        f" (nine times in ten {consensus['low']:.0f} to {consensus['high']:.0f}), from {made_of}",
        "\n  " * bool(sides) + ", ".join(sides) + age,
    )


def print_films(console: Console, db: Database) -> None:
    """The table of films with their scores, one line each, most votes first."""
    headings = ("All", *(kind.short for kind in score_kinds()), "Stay?")
    table = columns.table(("Film",), headings)
    table.columns[0].no_wrap = False
    for row in db.query(
        "SELECT s.*, ifnull(c.stay, 'unknown') AS stay FROM film_scores s"
        f" LEFT JOIN stay_for_the_credits c USING (film_id) ORDER BY {MOST_VOTES} DESC, film_id"
    ):
        together = row["consensus_100"]
        cells = [Text("–", style="dim") if together is None else Text(f"{together:.0f}")]
        for kind in score_kinds():
            state = row[f"{kind.key}_state"]
            if state == "scored":
                cells.append(Text(f"{row[kind.key]:.{kind.decimals}f}{kind.unit.replace(' ', '')}"))
            else:
                cells.append(Text(_SHORT_STATES[state], style="dim"))
        title = row["title"] or row["imdb_id"] or f"film {row['film_id']}"
        stays = _SHORT_STAYS.get(row["stay"], row["stay"])
        table.add_row(Text(named(title, row["year"])), *cells, stays)
    columns.print_table(console, table)
    console.print(Text(_LEGEND, style="dim"))


def print_changes(console: Console, db: Database, result: Result, limit: int = 40) -> None:
    """What a run changed, one line each, film by film: those with the most votes first."""
    if not result.changed:
        console.print("Nothing changed.")
        return
    console.print(f"{counted(result.changed, 'change')}:")
    places = {kind.key: place for place, kind in enumerate(score_kinds())}
    of = {
        row["listing_id"]: row
        for row in db.query(
            "SELECT l.listing_id, l.source, l.source_id, coalesce(s.title, l.title) AS title,"
            f" coalesce(s.year, l.year) AS year, {MOST_VOTES} AS votes FROM listings l"
            " LEFT JOIN listing_films lf ON lf.listing_id = l.listing_id AND lf.valid_to IS NULL"
            " LEFT JOIN film_scores s USING (film_id)"
            " WHERE l.listing_id IN (SELECT value FROM json_each(?))",
            [json.dumps(list({change.listing_id for change in result.changes}))],
        )
    }

    def order(change: Change) -> tuple[Any, ...]:
        row = of[change.listing_id]
        film = (-(row["votes"] or 0), row["title"] or "", row["year"] or 0)
        return *film, places.get(change.topic, len(places)), row["source"], row["source_id"]

    for change in sorted(result.changes, key=order)[:limit]:
        row = of[change.listing_id]
        film = named(row["title"], row["year"]) if row["title"] else row["source_id"]
        topic, before, after = f"{row['source']} credits", change.before, change.after
        if change.topic in places:
            kind = score_kind(change.topic)
            topic, after = kind.label, _as_shown(kind, after)
            before = before and _as_shown(kind, before)
        said = f"{before} → {after}" if before else f"new: {after}"
        line = f"  {printable(film)}  {topic}: {said}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if result.changed > limit:
        more = f"{result.changed - limit:,} more"
        console.print(
            f"  … and {more} (tables score_observations, credits_verdicts)", soft_wrap=True
        )


def _as_shown(kind: ScoreKind, figure: str) -> str:
    """A figure or state with as many decimals as its site shows at least: 8.0 of an IMDb rating."""
    whole, _, decimals = figure.partition(".")
    return f"{whole}.{decimals:0<{kind.decimals}}" if kind.decimals and whole.isdigit() else figure


def by_reason(skipped: Mapping[str, str | None]) -> dict[str, list[str]]:
    """The sources that are not asked, by the reason why."""
    reasons: dict[str, list[str]] = {}
    for key, why in skipped.items():
        if why:
            reasons.setdefault(why, []).append(key)
    return reasons

"""Lists of films and of what was done, each a page, and the first rows of some on the home page.

A list is declared: its SQL, its columns, what may narrow it, and the table of Datasette's that has
all of it. Its rows lead to the films' pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from sqlite_utils import Database

from explore.exports import exported, wanted
from explore.oldest import OLDEST
from explore.pages import page, read
from explore.remembered import Remembered
from pipelines.matching.doubtful import doubtful
from pipelines.most_votes import MOST_VOTES
from spiders.sources import score_kinds

ROWS = 50
"""Rows of a page."""
MOST_PAGES = 20
MOST_ROWS = ROWS * MOST_PAGES
"""Whoever wants more wants the table, with its facets and exports."""

AUDIENCE_AT_LEAST, CRITICS_AT_LEAST = 1_000, 10
"""Votes and reviews below which a gap between critics and audience is chance more than opinion."""

Cell = Literal[
    "film", "listing", "text", "points", "signed", "interval", "count", "figure", "move", "age",
    "sources", "source", "kind", "stay", "url",
]  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column: its heading, the row's key that it shows, and how."""

    heading: str
    key: str
    cell: Cell = "text"

    @property
    def is_number(self) -> bool:
        """Whether it stands to the right."""
        return self.cell in ("points", "signed", "interval", "count", "figure", "move")


@dataclass(frozen=True)
class Narrowing:
    """A field that narrows a list: its name in the address, label and, for a choice, its values.

    `sql` is a condition with the field's name as a parameter; `whole` says that it takes a number.
    `unchosen` says what is shown where it is left alone.
    """

    name: str
    label: str
    sql: str
    choices: Mapping[str, str] | None = None
    whole: bool = False
    unchosen: str = "any"


@dataclass(frozen=True)
class List:
    """A list: `sql` has `{conditions}` where its narrowings go, and ends before LIMIT; where `rows`
    take its place, `keys` are theirs. `in_short` is how many columns the home page shows."""

    path: str
    title: str
    about: str
    empty: str
    columns: Sequence[Column]
    table: str
    sql: str = ""
    rows: Callable[[Database, int, int], list[dict[str, Any]]] | None = None
    keys: Sequence[str] = ()
    narrowings: Sequence[Narrowing] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    in_short: int = 4


_FILM = "s.film_id, s.imdb_id, s.title, s.year"
_YEAR = Narrowing("year", "Year", "s.year = :year", whole=True)
_GENRE = Narrowing(
    "genre",
    "Genre",
    "s.film_id IN (SELECT film_id FROM film_genres WHERE genre = :genre)",
    choices={},  # those that there are: filled in from the database
)

FILMS = List(
    path="films",
    title="Films by consensus",
    about="What critics and audience together make of them, of 100, with the interval that holds it"
    " nine times in ten. An old figure counts like a new one: when the oldest of them was last seen"
    " is said. Votes are those of the kind of score that has the most.",
    empty="No film has a figure yet.",
    columns=(
        Column("Film", "film", "film"),
        Column("All", "consensus_100", "points"),
        Column("Between", "consensus_low", "interval"),
        Column("Critics", "critics_100", "points"),
        Column("Audience", "audience_100", "points"),
        Column("Votes", "votes", "count"),
        Column("Oldest figure", "oldest_confirmed_at", "age"),
    ),
    table="film_scores?_sort_desc=consensus_100",
    sql=f"SELECT {_FILM}, s.consensus_100, s.consensus_low, s.consensus_high, s.critics_100,"
    f" s.audience_100, {MOST_VOTES} AS votes, {OLDEST} AS oldest_confirmed_at FROM film_scores s"
    " WHERE s.consensus_100 IS NOT NULL {conditions} ORDER BY s.consensus_100 DESC",
    narrowings=(_YEAR, _GENRE),
)

APART = List(
    path="apart",
    title="Where critics and audience part",
    about="The widest gaps first, on common ground and of 100, among films with at least"
    f" {AUDIENCE_AT_LEAST:,} votes of the audience and {CRITICS_AT_LEAST} reviews. There may be"
    " more of either: those whose number a site does not tell are left out.",
    empty="Of no film are both critics and audience known well enough.",
    columns=(
        Column("Film", "film", "film"),
        Column("Gap", "gap_100", "signed"),
        Column("Critics", "critics_100", "points"),
        Column("Audience", "audience_100", "points"),
        Column("Reviews", "critics_votes", "count"),
        Column("Votes", "audience_votes", "count"),
        Column("Oldest figure", "oldest_confirmed_at", "age"),
    ),
    table="critics_vs_audience?_sort_desc=gap_100",
    sql=f"SELECT {_FILM}, s.gap_100, s.critics_100, s.audience_100, s.critics_votes,"
    f" s.audience_votes, {OLDEST} AS oldest_confirmed_at FROM critics_vs_audience s"
    " WHERE s.audience_votes >= :audience AND s.critics_votes >= :critics {conditions}"
    " ORDER BY abs(s.critics_100 - s.audience_100) DESC",
    narrowings=(
        Narrowing(
            "who",
            "Liked more by",
            "(s.gap_100 > 0) = (:who = 'critics')",
            {"critics": "critics", "audience": "the audience"},
        ),
        _YEAR,
    ),
    values={"audience": AUDIENCE_AT_LEAST, "critics": CRITICS_AT_LEAST},
)

MOVERS = List(
    path="movers",
    title="Biggest movers of the week",
    about="Scores seen to move within seven days, the longest way first, in points of 100. Where a"
    " saved page told the figure before, its age is said: that may have moved long ago.",
    empty="No score was seen to move within the last seven days.",
    columns=(
        Column("Film", "film", "film"),
        Column("Score", "score_kind", "kind"),
        Column("From → to", "new_value", "move"),
        Column("Points", "delta_100", "signed"),
        Column("Votes then", "new_votes", "count"),
        Column("When", "changed_at", "age"),
    ),
    table="score_changes?_sort_desc=changed_at",
    sql="SELECT s.film_id, f.imdb_id, f.title, f.year, s.score_kind, 'scored' AS old_state,"
    " s.old_value, 'scored' AS new_state, s.new_value, s.delta_100, s.new_votes, s.changed_at,"
    " s.saved_at"
    " FROM score_moves s JOIN films f ON f.film_id = s.film_id"
    " WHERE s.changed_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days') {conditions}"
    " ORDER BY abs(s.delta_100) DESC, s.changed_at DESC",
    narrowings=(
        Narrowing(
            "kind",
            "Score",
            "s.score_kind = :kind",
            {kind.key: kind.label for kind in score_kinds()},
        ),
    ),
)

CREDITS = List(
    path="credits",
    title="Scenes in the credits",
    about="Whether a scene waits during or after the credits, and who says so; the newest first.",
    empty="No such film is known.",
    columns=(
        Column("Film", "film", "film"),
        Column("Stay?", "stay", "stay"),
        Column("Scenes", "scene_count", "count"),
        Column("Say yes", "yes_sources", "sources"),
        Column("Say no", "no_sources", "sources"),
        Column("Seen", "confirmed_at", "age"),
    ),
    table="stay_for_the_credits?_facet=stay&_sort_desc=year",
    in_short=3,
    sql=f"SELECT {_FILM}, s.stay, s.scene_count, s.yes_sources, s.no_sources,"
    " (SELECT max(confirmed_at) FROM film_verdicts v WHERE v.film_id = s.film_id"
    "  AND (v.during, v.after) <> ('unknown', 'unknown')) AS confirmed_at"
    " FROM stay_for_the_credits s WHERE {credits} {conditions}"
    " ORDER BY s.year DESC, s.title",
    narrowings=(
        Narrowing(
            "stay",
            "Stay?",
            "s.stay = :stay",
            {
                "yes": "yes, after them",
                "until_mid": "during them only",
                "no": "no, none",
                "disputed": "sources disagree",
            },
            unchosen="yes, after or during them",
        ),
        _YEAR,
    ),
)

HELD = List(
    path="held",
    title="Held in quarantine",
    about="Answers that the guard did not believe. What stood before stands; a person may let them"
    " pass: 'afterscore quarantine list' says how.",
    empty="Nothing is held back.",
    columns=(
        Column("Film", "film", "film"),
        Column("Source", "source", "source"),
        Column("What", "topic", "kind"),
        Column("Why", "reason"),
        Column("Since", "held_at", "age"),
        Column("Times", "times_held", "count"),
    ),
    table="quarantine?decision__isnull=1&_sort_desc=last_held_at",
    sql="SELECT lf.film_id, f.imdb_id, ifnull(f.title, l.title) AS title, f.year, q.source,"
    " q.topic, q.reason, q.held_at, q.times_held FROM quarantine q"
    " LEFT JOIN listings l ON l.listing_id = q.listing_id"
    " LEFT JOIN listing_films lf ON lf.listing_id = q.listing_id AND lf.valid_to IS NULL"
    " LEFT JOIN films f ON f.film_id = lf.film_id"
    " WHERE q.decision IS NULL {conditions} ORDER BY q.last_held_at DESC, q.quarantine_id",
)

DOUBTFUL = List(
    path="doubtful",
    title="Doubtful matches",
    about="Listings that may be a film of ours or another; until a person rules ('afterscore match"
    " same' or 'different'), they are left out. Films with the most votes first.",
    empty="No match is doubtful.",
    columns=(
        Column("Listing", "listing", "listing"),
        Column("May be", "film", "film"),
        Column("Probability", "probability", "figure"),
        Column("What speaks for it and against it", "evidence"),
    ),
    table="judgements?answer=ask&_sort_desc=probability",
    rows=lambda db, limit, offset: [
        row
        | {
            "listing": f"{row['source']}:{row['source_id']}",
            "listing_title": row["title"],
            "title": row["film_title"],
            "year": row["film_year"],
            "imdb_id": None,
        }
        for row in doubtful(db, limit, offset)
    ],
    keys=(
        "listing_id", "source", "source_id", "title", "year", "url", "film_id", "film_title",
        "film_year", "film_listing", "method", "probability", "evidence", "judged_at", "votes",
        "listing", "listing_title", "imdb_id",
    ),
)  # fmt: skip

LISTS = (FILMS, APART, MOVERS, CREDITS, HELD, DOUBTFUL)


def rows_of(
    db: Database, chosen: List, narrowed: Mapping[str, Any], limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """So many rows of a list, narrowed by values of its fields."""
    if chosen.rows:
        return chosen.rows(db, limit, offset)
    values = {**chosen.values, **narrowed, "limit": limit, "offset": offset}
    return list(db.query(f"{_sql(chosen, narrowed)} LIMIT :limit OFFSET :offset", values))


def keys_of(db: Database, chosen: List) -> Sequence[str]:
    """What the rows of a list hold, whether there are any or not."""
    if chosen.rows:
        return chosen.keys
    none = db.execute(f"{_sql(chosen, {})} LIMIT 0", dict(chosen.values))
    return [column[0] for column in none.description]


def _sql(chosen: List, narrowed: Mapping[str, Any]) -> str:
    conditions = "".join(f" AND {n.sql}" for n in chosen.narrowings if n.name in narrowed)
    return chosen.sql.format(
        conditions=conditions,
        credits="TRUE" if "stay" in narrowed else "+s.stay IN ('yes', 'until_mid')",
    )


# Of a large database's week every step is looked at before the longest are known.
movers = Remembered(lambda db: rows_of(db, MOVERS, {}, MOST_ROWS + 1))


async def list_page(datasette: Datasette, request: Request) -> Response:
    """The page of the list that the address names, or all that its pages have as CSV or JSON."""
    chosen = next(each for each in LISTS if each.path == request.url_vars["list"])
    narrowed = _narrowed(chosen, request)
    number = request.args.get("page") or "1"
    at = min(int(number), MOST_PAGES) if re.fullmatch("[1-9][0-9]{0,8}", number) else 1
    export = wanted(request)
    first, size = (0, MOST_ROWS) if export else (ROWS * (at - 1), ROWS)

    def find(db: Database) -> tuple[list[dict[str, Any]], list[str]]:
        wants_genres = _GENRE in chosen.narrowings and not export
        rows = rows_of(db, chosen, narrowed, size + 1, first)
        return rows, genres(db) if wants_genres else []

    if chosen is MOVERS and not narrowed:
        kept = await movers.within(datasette)
        assert kept  # it was waited for
        rows, known_genres = kept.found[first : first + size + 1], list[str]()
    else:
        rows, known_genres = await read(datasette, find)
    more = len(rows) > size
    if export:
        keys = await read(datasette, lambda db: keys_of(db, chosen))
        return exported(rows[:size], keys, export, cut_short=more)
    given = {name: str(value) for name, value in narrowed.items()}
    context = {
        "list": chosen,
        "rows": rows[:ROWS],
        "narrowed": given,
        "exports": {each: _address(chosen, given, each) for each in ("csv", "json")},
        "most": MOST_ROWS,
        "genres": known_genres,
        "first": _address(chosen, given),
        "earlier": _address(chosen, {**given, "page": str(at - 1)}) if at > 1 else None,
        "later": _address(chosen, {**given, "page": str(at + 1)})
        if more and at < MOST_PAGES
        else None,
        "cut_short": more and at == MOST_PAGES,
    }
    return await page(datasette, request, "list.html", context)


def genres(db: Database) -> list[str]:
    """The genres that there are: each is found by the index behind the one before it."""
    return [
        row["genre"]
        for row in db.query(
            "WITH RECURSIVE known (genre) AS (SELECT min(genre) FROM film_genres UNION ALL"
            " SELECT (SELECT min(genre) FROM film_genres g WHERE g.genre > known.genre) FROM known"
            " WHERE known.genre IS NOT NULL) SELECT genre FROM known WHERE genre IS NOT NULL"
        )
    ]


def _narrowed(chosen: List, request: Request) -> dict[str, Any]:
    """What the address gives of the list's fields; what is no value of one is left out."""
    found: dict[str, Any] = {}
    for each in chosen.narrowings:
        given = (request.args.get(each.name) or "").strip()
        if each.whole and given.isdecimal() and len(given) == 4:
            found[each.name] = int(given)
        elif not each.whole and given and (not each.choices or given in each.choices):
            found[each.name] = given
    return found


def _address(chosen: List, given: Mapping[str, str], export: str | None = None) -> str:
    path = f"/{chosen.path}.{export}" if export else f"/{chosen.path}"
    return f"{path}?{urlencode(given)}" if given else path

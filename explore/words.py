"""How figures, times and the words of others are written on a page: filters of the templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment
from markupsafe import Markup

from pipelines.clock import BEGINNING, ago, moment
from pipelines.film_facts import STATES
from spiders.sources import by_key, score_kind

_SOURCE_STATES = {
    "ok": "read",
    "missing": "no known layout fits its page",
    "error": "did not answer",
    "gone": "gone: three runs did not find it",
    "ambiguous": "doubtful which listing it is",
}


def theirs(text: object) -> Markup:
    """What somebody else wrote, kept to itself: marks in it that turn the direction of text (as
    Hebrew titles hold, and jokers) do not reach beyond it."""
    # By % in a third of the time of format: on a page of 500 rows that is seen.
    return Markup("<bdi>%s</bdi>") % ("" if text is None else text)


def web(url: object) -> str | None:
    """An address that a link may lead to: of the web, and nothing else (`javascript:` and such)."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return None
    return str(url) if parts.scheme in ("http", "https") and parts.hostname else None


def number(count: float | None) -> str:
    """A count with its thousands parted; a dash where it is not known."""
    return "–" if count is None else f"{count:,}"


def day(time: str | None, exact: str = "day") -> str:
    """A stored time or date as a date: `9 November 2012`; a year or a month as it stands. Of a time
    that is `exact` to the month or year only, no more is said."""
    if not time or len(time) < len("2012-11-09"):
        return time or "–"
    at = date.fromisoformat(time[:10])
    month = f"{at:%B %Y}"
    return {"year": time[:4], "month": month}.get(exact, f"{at.day} {month}")


def minute(time: str) -> str:
    """A stored time to the minute, with its zone: `9 November 2012, 03:00 UTC`."""
    return f"{day(time)}, {moment(time):%H:%M} UTC"


def age(time: str | None) -> Markup:
    """A stored time as people say it, `3 hours ago`, with the time itself for programs and hands
    that linger."""
    if not time:
        return Markup("–")
    if time == BEGINNING:
        return Markup("since ever")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(time, minute(time), ago(time))


def source(key: str) -> str:
    """A source's name."""
    return by_key(key).name


def kind(key: str) -> str:
    """A score kind's label; other topics (credits, listing) stand for themselves."""
    try:
        return score_kind(key).label
    except KeyError:
        return key


def figure(row: Mapping[str, Any], prefix: str = "") -> str:
    """The figure of a row with a score kind, state and value, as its site writes it."""
    state, value = row[f"{prefix}state"], row[f"{prefix}value"]
    if state == "scored":
        return score_kind(row["score_kind"]).show(value).replace(" ", "\N{NO-BREAK SPACE}")
    return "nothing known" if state is None else STATES[state]


def old_figure(row: Mapping[str, Any]) -> str:
    """What a change moved from."""
    return figure(row, "old_")


def new_figure(row: Mapping[str, Any]) -> str:
    """What a change moved to."""
    return figure(row, "new_")


def state(key: str) -> str:
    """What came of asking a source for a film, as `film_sources` has it."""
    return _SOURCE_STATES.get(key, key.replace("_", " "))


def stay(key: str | None) -> str:
    """Whether to stay for the credits, in a word or two."""
    return {"until_mid": "during them", "disputed": "sources disagree", None: "unknown"}.get(
        key, str(key)
    )


def names(text: str | None) -> list[str]:
    """The source keys of a column that holds them as JSON."""
    return list(json.loads(text or "[]"))


def film_path(name: object) -> str:
    """The path of a film's page, by any of its ids."""
    return f"/film/{quote(str(name), safe=':')}"


def linked_cell(row: Mapping[str, Any], value: Any, column: str) -> Markup | None:
    """A cell of one of Datasette's tables as a link to the page of the row's film; None for cells
    that are no film's number or title."""
    if value is None or column not in ("film_id", "title"):
        return None
    # A foreign key comes as its value and the label of the row that it names.
    number, label = (value["value"], value["label"]) if isinstance(value, dict) else (value, value)
    if column == "title":
        number = row["film_id"] if "film_id" in row.keys() else None  # noqa: SIM118  sqlite3.Row
    if not isinstance(number, int):
        return None
    return Markup('<a href="%s">%s</a>') % (film_path(number), theirs(label))


_FILTERS = (
    theirs, web, number, day, minute, age, source, kind, figure, old_figure, new_figure, state,
    stay, names, film_path,
)  # fmt: skip


def into(environment: Environment) -> None:
    """Give templates these filters."""
    for each in _FILTERS:
        environment.filters[each.__name__] = each

"""Figures by how long ago they were last seen, by source, kind and state: facets of the view
`freshness_by_age` that are read off the counts which SQLite keeps (figures_by_age).

Datasette's own would go through every figure that stands, seconds of a large database.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import path_with_removed_args, path_with_replaced_args

from pipelines import clock
from pipelines.ages import LONGER_AGO, NEVER, SEEN

TABLE, SEEN_FACET = "freshness_by_age", "seen"
_COUNTED = ("source", "score_kind", "state")
_HOUR = len("2026-11-29T03")
_BOUNDS = ("confirmed_at__gte", "confirmed_at__lt", "confirmed_at__isnull")
_WORDS = (*SEEN, LONGER_AGO, NEVER)

# Rows that stand for figures; those of other conditions (a film, a title) are counted one by one.
_BY_AGE = (
    "SELECT source, score_kind, state, seen_in AS confirmed_at, seen, figures FROM figures_by_age"
)
_ONE_BY_ONE = f"SELECT source, score_kind, state, confirmed_at, seen, 1 AS figures FROM {TABLE}"

Bounds: TypeAlias = dict[str, str | None]


class Ages(Facet):  # type: ignore[misc]
    """The facet `{"ages": COLUMN}`, of `seen` or of what figures_by_age counts."""

    type = "ages"

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Each facet with its values, counts and the paths that narrow by them; those that took too
        long to count."""
        if self.table != TABLE:
            return [], []
        results, timed_out = [], []
        for each in self.get_configs():
            column = each["config"]["simple"]
            if column not in (*_COUNTED, SEEN_FACET):
                continue
            try:
                results.append(await self._counted(column, hideable=each["source"] != "metadata"))
            except QueryInterrupted:
                timed_out.append(column)
        return results, timed_out

    async def _counted(self, column: str, *, hideable: bool) -> dict[str, Any]:
        size = self.get_facet_size()
        _, _, where = self.sql.partition(f" from {TABLE} ")
        rows = await self.ds.execute(
            self.database,
            f"WITH figures AS ({_BY_AGE if self._is_counted() else _ONE_BY_ONE} {where})"
            f" SELECT {column} AS value, sum(figures) AS count FROM figures WHERE {column} NOT NULL"
            f" GROUP BY {column} ORDER BY count DESC, value LIMIT {size + 1}",
            self.params,
            custom_time_limit=self.ds.setting("facet_time_limit_ms"),
        )
        found = [(row["value"], row["count"]) for row in rows.rows]
        if column == SEEN_FACET:
            found.sort(key=lambda one: _WORDS.index(one[0]))
        return {
            "name": column,
            "type": "column",
            "hideable": hideable,
            "toggle_url": self._path(path_with_removed_args(self.request, {"_facet_ages": column})),
            "results": [self._value(column, value, count) for value, count in found[:size]],
            "truncated": len(found) > size,
        }

    def _value(self, column: str, value: str, count: int) -> dict[str, Any]:
        narrowing = bounds(value) if column == SEEN_FACET else {column: value}
        selected = all(self.request.args.get(name) == bound for name, bound in narrowing.items())
        if selected:
            narrowing = dict.fromkeys(narrowing)
        path = path_with_replaced_args(self.request, {**narrowing, "_next": None})
        return {
            "value": value,
            "label": value,
            "count": count,
            "toggle_url": self.ds.absolute_url(self.request, self._path(path)),
            "selected": selected,
        }

    def _path(self, path: str) -> str:
        return str(self.ds.urls.path(path))

    def _is_counted(self) -> bool:
        """Whether the rows are narrowed by nothing but what is counted, and by whole hours."""
        for name, value in self.get_querystring_pairs():
            column, _, how = name.partition("__")
            if name.startswith("_"):
                if name.startswith(("_where", "_search", "_filter", "_through")):
                    return False
            elif column == "confirmed_at":
                if name not in _BOUNDS or (how != "isnull" and len(value) != _HOUR):
                    return False
            elif column not in _COUNTED or how not in ("", "exact"):
                return False
        return True


def bounds(word: str) -> Bounds:
    """The conditions of the view that stand for a word of `seen` as of now, None for those that it
    does without."""
    if word == NEVER:
        return dict(zip(_BOUNDS, (None, None, "1"), strict=True))
    hours = [clock.later(clock.now(), days=-days)[:_HOUR] for days in SEEN.values()]
    place = _WORDS.index(word)
    since = hours[place] if word != LONGER_AGO else None
    until = hours[place - 1] if place else None
    return dict(zip(_BOUNDS, (since, until, None), strict=True))

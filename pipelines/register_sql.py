"""The register as SQL has it: what views and merge are filled in with, so that they follow it; and
what several parts of a view have in common."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines import ages
from spiders.sources import SOURCES, score_kinds, source_of_kind

_FIGURE = (
    "lf.film_id, f.title, f.year, s.listing_id, l.source || ':' || l.source_id AS listing,"
    " s.state, s.value, s.votes, s.votes_at_least, s.observed_at, s.changed_at,"
    " s.last_attempt_state, s.last_attempt_at, l.gone_at"
)


def filled_in(sql: str) -> str:
    """SQL with its `{names}` replaced.

    `{sources}` are rows for VALUES of each source's key, and `{ranks}` the branches of a CASE that
    lead from these to their places in the register, others last; `{kinds}` are rows of each score
    kind's key and its source's; `{kind_keys}` is a list of the former, and `{kind_sources}` are the
    branches of a CASE that lead from these to those; `{states}` are the branches of a CASE over a
    score kind that give its state in film_scores, and `{all_states}` the columns of all of these;
    `{critics_votes}` and `{audience_votes}` are rows of the votes there of each kind of a side;
    `{never_no}` is a list of sources (Source.never_no). `{figure}` are columns of what stands
    (scores s, listings l, listing_films lf, films f); `{seen_in}` and `{confirmed_seen}` are words
    for how long ago the columns seen_in and confirmed_at are.
    """
    return sql.format(
        sources=_rows(f"'{source.key}'" for source in SOURCES),
        ranks=" ".join(f"WHEN '{source.key}' THEN {place}" for place, source in enumerate(SOURCES))
        + f" ELSE {len(SOURCES)}",
        kinds=_rows(f"'{kind.key}', '{source_of_kind(kind.key).key}'" for kind in score_kinds()),
        kind_keys=", ".join(f"'{kind.key}'" for kind in score_kinds()),
        kind_sources=" ".join(
            f"WHEN '{kind.key}' THEN '{source_of_kind(kind.key).key}'" for kind in score_kinds()
        ),
        states=" ".join(f"WHEN '{kind.key}' THEN {kind.key}_state" for kind in score_kinds()),
        all_states=", ".join(f"{kind.key}_state" for kind in score_kinds()),
        critics_votes=_votes("critics"),
        audience_votes=_votes("audience"),
        figure=_FIGURE,
        seen_in=ages.seen("seen_in"),
        confirmed_seen=ages.seen("confirmed_at"),
        never_no=", ".join(f"'{source.key}'" for source in SOURCES if source.never_no),
    )


def _votes(side: str) -> str:
    keys = [kind.key for kind in score_kinds() if kind.side == side]
    return _rows(f"iif({key}_state = 'scored', {key}_votes, NULL)" for key in keys)


def _rows(values: Iterable[str]) -> str:
    return ", ".join(f"({value})" for value in values)

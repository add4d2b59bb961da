"""Whether to stay for the credits: every listing's verdict put together, disagreement shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Stay(NamedTuple):
    """A film's verdict: `stay` is yes, until_mid, no, unknown or disputed."""

    stay: str
    during: str
    after: str
    scene_count: int | None
    yes_sources: list[str]
    no_sources: list[str]
    worth_staying: int | None


def combine(verdicts: Sequence[Mapping[str, Any]]) -> Stay:
    """One verdict from those of a film's listings (source, during, after, scene_count,
    worth_staying).

    A place is disputed where one source says yes and another no; it is never averaged. The film
    is a no only where both places are known to be empty.
    """
    places = {
        place: _place([verdict[place] for verdict in verdicts]) for place in ("during", "after")
    }
    during, after = places["during"], places["after"]
    if "disputed" in (during, after) and after != "yes":
        stay = "disputed"
    elif after == "yes":
        stay = "yes"
    elif during == "yes" and after == "no":
        stay = "until_mid"
    elif during == after == "no":
        stay = "no"
    else:
        stay = "unknown"
    says_yes = [v["source"] for v in verdicts if "yes" in (v["during"], v["after"])]
    says_no = [
        v["source"]
        for v in verdicts
        if "no" in (v["during"], v["after"]) and "yes" not in (v["during"], v["after"])
    ]
    counts = [v["scene_count"] for v in verdicts if v["scene_count"] is not None]
    votes = [v["worth_staying"] for v in verdicts if v["worth_staying"] is not None]
    return Stay(
        stay,
        during,
        after,
        max(counts) if counts and stay in ("yes", "until_mid") else None,
        sorted(set(says_yes)),
        sorted(set(says_no)),
        sum(votes) if votes else None,
    )


def _place(said: Sequence[str]) -> str:
    if "yes" in said and "no" in said:
        return "disputed"
    return "yes" if "yes" in said else "no" if "no" in said else "unknown"

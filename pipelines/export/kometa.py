"""Films as a metadata file of Kometa, which edits films of a Plex library by their ids:
https://kometa.wiki/en/latest/files/metadata/."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipelines.export.home_cinema import CREDITS, Film
from spiders.sources import score_kinds

FILE = "kometa.yml"

_HEAD = """# Ratings and labels for films of a Plex library. NOTICE has the terms of their sources.
metadata:
"""


def write_kometa_file(folder: Path, films: Iterator[Film]) -> None:
    """Write `kometa.yml`, which has an entry for each film with an id of IMDb or TMDB."""
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        for film in films:
            file.writelines(f"{line}\n" for line in _entry(film))


def _entry(film: Film) -> Iterator[str]:
    number = film.facts["imdb_id"] or film.facts["tmdb_id"]
    if number is None:
        return
    yield f"  {number}: # {film.named}"
    for side in ("critics", "audience"):
        value = _of_ten(film, side)
        if value:  # Kometa takes 0 for a field that was left blank
            yield f"    {side.removesuffix('s')}_rating: {value:.1f}"
    known = film.credits
    if known:
        yield f"    label: {json.dumps(known)}"
    # What was said before and is no longer known would stay otherwise.
    yield f"    label.remove: {json.dumps([word for word in CREDITS if word not in known])}"


def _of_ten(film: Film, side: str) -> float | None:
    """The first of a side's score kinds that the film has, in the order of the register."""
    return next(
        (
            10 * film.ratings[kind.key].value / kind.scale_max
            for kind in score_kinds()
            if kind.side == side and kind.key in film.ratings
        ),
        None,
    )

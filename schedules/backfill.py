"""Many films over several sources in one command: the estimate before, the report after."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from sqlite_utils import Database

from schedules.film_lists import Tracked
from schedules.intent import Intent
from spiders.sources import FILM_KINDS


@dataclass(frozen=True)
class Estimate:
    """What reading the due listings of one source costs at the polite rate."""

    source: str
    requests: int
    hours: float


def estimate(intent: Intent, film_count: int) -> list[Estimate]:
    """Requests and hours for each source that listings would be read from.

    Listings that are still to be found are counted as one for each film: an upper bound, since
    not every film is listed everywhere. Hosts are asked side by side, so the hours do not add up.
    """
    estimates = []
    for source in intent.read_sources:
        night = intent.night(source)
        known = night.requests
        requests = max(known, film_count) if source.wikidata_property else known
        estimates.append(Estimate(source.key, requests, night.hours(requests)))
    return estimates


def check_report(path: Path) -> None:
    """Raises OSError where the report could not be written. It is written after all has been
    asked, which may be hours later."""
    if path.exists():
        path.open("ab").close()
    else:
        TemporaryFile(dir=path.parent).close()


def report(db: Database, path: Path, tracked: Tracked, sources: Sequence[str]) -> None:
    """Write FILE.report.csv: for each row the film and, for each source, what came of it: what the
    view film_sources says, and in place of ok stored, not_rated, missing or not_a_film."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        out = csv.writer(handle)
        out.writerow(["place", "given", "film_id", "imdb_id", "title", "year", *sources, "problem"])
        for row in tracked.rows:
            film = next(db.query(_FILM, [tracked.films.get(row.place)]), {})
            came = dict(db.conn.execute(_CAME, [film.get("film_id")]))
            cells = [row.place, row.given, *(film.values() or [None] * 4)]
            states = [came.get(key) for key in sources]
            out.writerow([_safe_cell(cell) for cell in [*cells, *states, row.problem]])


_FILM = """
SELECT film_id, imdb_id, title, year FROM films
WHERE film_id = (SELECT ifnull(merged_into, film_id) FROM films WHERE film_id = ?)
"""

# What came of asking each source for a film: where that is ok, as far as the best of its scores
# (by chance, their states stand in the order of the alphabet).
_CAME = f"""
SELECT s.source, CASE
    WHEN l.kind NOT IN ({", ".join(f"'{kind}'" for kind in FILM_KINDS)}) THEN 'not_a_film'
    WHEN s.state <> 'ok' THEN s.state
    WHEN EXISTS (SELECT 1 FROM credits_verdicts v WHERE v.listing_id = s.listing_id) THEN 'stored'
    ELSE ifnull(nullif((
      SELECT max(state) FROM scores c WHERE c.listing_id = s.listing_id
    ), 'scored'), 'stored')
  END
FROM film_sources s LEFT JOIN listings l USING (listing_id) WHERE film_id = ?
"""


def _safe_cell(text: object) -> str:
    """A CSV cell that a spreadsheet shows and does not run: `=1+1` is written `'=1+1`."""
    cell = "" if text is None else str(text)
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell

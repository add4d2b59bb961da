"""The demo: the whole main job against a replica of every source on this machine."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.films import Listed
from schedules import config
from schedules.film_lists import Row
from schedules.replica import Replica
from spiders.sources import SOURCES

TRACKED = (
    Row(
        "Ballistic",
        "Ballistic",
        (
            Listed("imdb", "tt0308208"),
            Listed("rottentomatoes", "m/ballistic_ecks_vs_sever"),
            Listed("metacritic", "movie/ballistic-ecks-vs-sever"),
        ),
    ),
    Row("Quality of Life", "Quality of Life", (Listed("imdb", "tt7462422"),)),
)
"""Films below the universe's votes: one that critics gave a true 0 %, one that nobody has rated.

The crosswalk sample does not have the first, so its listings are given, as a row of a CSV may.
"""


@contextmanager
def replica_environment(settings: Path) -> Iterator[Replica]:
    """A replica that stands in for every source, with settings that switch every source on.

    `settings` is where the settings file is written; the environment is restored afterwards. Raises
    Problem where it cannot be written.
    """
    config.write(settings, _settings())
    with Replica() as replica:
        stand_in = {
            **replica.environment,
            "AFTERSCORE_CONFIG": str(settings),
            # The replica accepts any token; the header is sent as it would be outside.
            **{s.key_variable: "demo" for s in SOURCES if s.key_variable},
        }
        before = {name: os.environ.get(name) for name in stand_in}
        os.environ.update(stand_in)
        try:
            yield replica
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def is_free(folder: Path, database: Path) -> bool:
    """Whether a demo may write into a folder: it has settings that a demo wrote, or neither
    settings nor this database."""
    settings = folder / config.FILE
    if not settings.exists():
        return not database.exists()
    try:
        return tomllib.loads(settings.read_text("utf-8")).get("demo") is True
    except (OSError, ValueError):  # not TOML, so no demo wrote it
        return False


def _settings() -> str:
    lines = [
        "# Written by 'afterscore demo': every source on, all of them on this machine. Without its",
        "# replica nothing is asked, and what it made can be read.",
        "demo = true",
        "[universe]",
    ]
    for source in SOURCES:
        lines += [f"[sources.{source.key}]", "enabled = true", "delay_seconds = 0"]
    return "\n".join(lines) + "\n"

"""Datasette as we serve it: our plugin, templates, files and settings around one database file.

`datasette FILE --metadata … --plugins-dir … --template-dir … --static …`, as the README has it,
serves the same site with Datasette's own settings.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.utils import parse_metadata

FOLDER = Path(str(resources.files("explore")))

NAME = "ratings"
"""What the site calls the database, whatever its file is called: addresses of pages, queries and
dashboards in datasette.yml and in the documentation hold for every file."""

SETTINGS = {
    "sql_time_limit_ms": 2_000,
    "facet_time_limit_ms": 500,
    "facet_suggest_time_limit_ms": 50,
    "suggest_facets": False,  # on every table page, a query for each of its columns
    "default_page_size": 50,
    "max_returned_rows": 1_000,
    "max_csv_mb": 0,  # a table's CSV has all of its rows, however many
    "default_facet_size": 20,
    "allow_download": False,  # the file alone lacks what is still in its write-ahead log
    "num_sql_threads": 4,
}
"""Datasette's settings: limits that a page of 200,000 films keeps well below, on two cores."""


def metadata_file() -> Path:
    """Datasette's metadata: at the top of a checkout, inside an installed package."""
    beside = FOLDER.parent / "datasette.yml"
    if not beside.exists():
        return FOLDER / "datasette.yml"
    here = Path.cwd()
    return beside.relative_to(here) if beside.is_relative_to(here) else beside


class _Described(dict[str, Any]):
    """The metadata, which is its own copy. Datasette copies all of it each time that it asks
    whether a table may be seen, changes nothing in it, and on the page of all tables took more than
    half of the time for that."""

    def __deepcopy__(self, memo: object) -> _Described:
        return self


def site(path: Path) -> Datasette:
    """Datasette around a database file, which it opens for reading alone.

    It is opened as a file that changes (mode=ro, never immutable): otherwise what a refresh has
    written to the write-ahead log would not be seen.
    """
    return Datasette(
        files=[str(path)],
        metadata=_Described(parse_metadata(metadata_file().read_text("utf-8"))),
        plugins_dir=str(FOLDER / "plugins"),
        template_dir=str(FOLDER / "templates"),
        static_mounts=[("static", str(FOLDER / "static"))],
        settings=SETTINGS,
    )

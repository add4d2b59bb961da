"""The plugin that Datasette loads from this folder: it hands each hook on to the package."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from datasette.plugins import pm
from datasette.utils.asgi import Request, Response
from jinja2 import Environment
from markupsafe import Markup

from explore import errors, facets, ratings, safety, site, words
from explore.defaults import with_defaults
from explore.exports import ENDING
from explore.film_page import film_page
from explore.home_page import home_page, night_page, sources_page
from explore.lists import LISTS, list_page
from explore.search import search_page
from pipelines.tables import TABLES
from spiders.sources import SOURCES

Route = Callable[[Datasette, Request], Awaitable[Response]]


@hookimpl
def startup(datasette: Datasette) -> None:
    """Give the database the name that datasette.yml describes, whatever its file is called, and
    counts that do not hold pages up; answer faults ourselves, since Datasette calls its own handler
    beside ours; and show no cell as Markdown, which to find out for each took a fifth of a page."""
    database = datasette.get_database()
    datasette.remove_database(database.name)
    datasette.add_database(ratings.Ratings(datasette, path=database.path), name=site.NAME)
    pm.set_blocked("datasette.handle_exception")
    pm.set_blocked("render_markdown")


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """How the file is read."""
    ratings.prepare(conn)


@hookimpl
def asgi_wrapper(datasette: Datasette) -> safety.Wrapper:
    """Defaults for canned queries; headers that keep a page to itself, on every answer."""
    queries = datasette.metadata("queries", database=site.NAME, fallback=False) or {}
    defaulting = with_defaults(queries)
    return lambda application: safety.with_headers(defaulting(application))


@hookimpl
def handle_exception(
    datasette: Datasette, request: Request, exception: Exception
) -> Awaitable[Response]:
    """A page that says what is wrong."""
    return errors.answer(datasette, request, exception)


@hookimpl
def register_routes() -> list[tuple[str, Route]]:
    """Our pages; they go before Datasette's own."""
    return [
        (r"^/$", home_page),
        # Where Datasettes have a search of all tables, too: here films are what is sought.
        (rf"^/(-/)?search{ENDING}$", search_page),
        (r"^/film/(?P<name>.+)$", film_page),
        (r"^/sources$", sources_page),
        (r"^/last-night$", night_page),
        (rf"^/(?P<list>{'|'.join(each.path for each in LISTS)}){ENDING}$", list_page),
    ]


@hookimpl
def register_facet_classes() -> list[type[facets.Ages]]:
    """How many figures were seen when, which Datasette itself would count one by one."""
    return [facets.Ages]


@hookimpl
def render_cell(row: Mapping[str, Any], value: Any, column: str, database: str) -> Markup | None:
    """In every table a film's number and title lead to its page."""
    if database == site.NAME:
        return words.linked_cell(row, value, column)
    return None


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """The filters of our templates."""
    words.into(env)


@hookimpl
def extra_template_vars() -> dict[str, Any]:
    """What every page shows: the lines that sources ask for. The sources' names, for charts; the
    tables that are the program's own, which pages of others leave out."""
    return {
        "attributions": [source.attribution for source in SOURCES if source.attribution],
        "source_names": {source.key: source.name for source in SOURCES},
        "internal_tables": {table.name for table in TABLES if table.readers == "internal"},
    }

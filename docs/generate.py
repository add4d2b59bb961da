"""The generated parts of README.md, of docs/ and of datasette.yml.

`make docs` writes them anew; `python docs/generate.py --check` fails where one is out of date.
They stand between cog's markers: what is between them is overwritten, what is around them is not.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cogapp import Cog
from datasette.utils import parse_metadata
from typer.main import get_command

from pipelines.export.kodi import NAMES
from pipelines.tables import TABLES, Table, all_tables
from pipelines.views import VIEWS
from schedules.cli import app
from spiders.sources import SOURCES, Source, score_kinds, source_of_kind

ROOT = Path(__file__).parent.parent
FILES = (
    "README.md",
    "docs/tables.md",
    "docs/sources-policy.md",
    "docs/home-cinema.md",
    "datasette.yml",
    "docs/queries.md",  # made of the queries of datasette.yml
)

_SEARCHED = {"fts_table": "film_search", "fts_pk": "film_id"}

# How Datasette shows a table; its description and those of its columns come from tables.py. Facets
# and sorts are those that an index has ready (pipelines/derived.py), or of tables that stay small;
# `ages` are of counts that are kept (explore/facets.py).
_SHOWN: dict[str, dict[str, Any]] = {
    "film_scores": {
        "sort_desc": "imdb_rating_votes",
        "size": 50,
        "facets": ["kind", "year", "metascore_state"],
        "label_column": "title",
        **_SEARCHED,
    },
    "stay_for_the_credits": {
        "sort_desc": "year",
        "facets": ["stay", "year"],
        "label_column": "title",
        **_SEARCHED,
    },
    "films": {"label_column": "title", **_SEARCHED},
    "film_genres": {"facets": ["genre"], "size": 100},
    "film_titles": {"size": 100},
    "film_people": {"size": 100},
    "people": {"sort": "name", "label_column": "name", "size": 100},
    "listings": {"label_column": "source_id", "facets": ["source"]},
    "judgements": {"sort_desc": "probability", "facets": ["answer", "method"]},
    "score_observations": {"sort_desc": "observed_at", "size": 100},
    "scores": {"size": 100},
    "runs": {
        "sort_desc": "run_id",
        "label_column": "command",
        "facets": ["command", "outcome"],
        # Datasette writes prefixes before units: MB are read, kmin and ks are not.
        "units": {"db_bytes": "B", "wal_bytes": "B"},
    },
    "crawls": {"sort_desc": "run_id", "facets": ["source", "outcome"]},
    "run_coverage": {"sort_desc": "run_id", "facets": ["score_kind"]},
    "quarantine": {"sort_desc": "quarantine_id", "facets": ["source", "topic", "rule", "decision"]},
    "freshness_by_age": {
        "facets": [{"ages": key} for key in ("seen", "source", "score_kind", "state")]
    },
    "last_night": {"facets": ["outcome"]},
}


# --- README.md ----------------------------------------------------------------------------------


def demo_films() -> str:
    """The table of films that the demo prints."""
    lines = _demo()[0].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Film "))
    end = lines.index("", first)
    return _block(lines[first:end])


def film_card(name: str) -> str:
    """What `film` prints of a film that the demo made, as if no machine were slow."""
    card = _afterscore("film", name, "--db", _demo()[1])
    return _block(re.sub(r"\d+ minutes? ago", "just now", card).splitlines())


@cache
def _demo() -> tuple[str, str]:
    """What the demo prints, and the database that it made."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _afterscore("demo", "--folder", folder), f"{folder}/ratings.db"


def _afterscore(*words: str) -> str:
    """What a command prints where nothing is set and lines have a hundred columns."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERSCORE_", "TMDB_"))}
    return subprocess.run(  # noqa: S603  a command of our own
        [sys.executable, "-m", "schedules.cli", *words],
        env={**kept, "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _block(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in ("```text", *lines, "```"))


def commands() -> str:
    """Every command and its options: of what `--help` says, the first sentence, and what it says of
    exit statuses."""
    return _markdown(("Command", "What it does", "Options"), _commands(get_command(app), ()))


def _commands(group: Any, within: tuple[str, ...]) -> Iterable[Sequence[str]]:
    for name, command in group.commands.items():
        words = (*within, name)
        inner = getattr(command, "commands", {})
        if not inner or command.callback is not None:
            given = [p.metavar for p in command.params if p.param_type_name == "argument"]
            options = [p.opts[0] for p in command.params if p.param_type_name == "option"]
            yield (
                _code(" ".join((*words, *given))),
                _in_short(command.help or ""),
                " ".join(map(_code, options)),
            )
        if inner:
            yield from _commands(command, words)


def _in_short(told: str) -> str:
    text = " ".join(told.replace("\b", "").partition("Example:")[0].split())
    first, *others = re.split(r"(?<=\.) (?=[A-Z])", text)
    return " ".join([first, *(one for one in others if "Exit status" in one)])


def sources() -> str:
    """Every source: what it says, its terms, the key it needs, the wait between requests."""
    rows = [
        (
            f"{source.name} ({_code(source.key)})",
            says(source),
            f"[{source.terms.permission.words}]({source.terms.url})",
            _code(source.key_variable) if source.key_variable else "",
            f"{source.delay_seconds:g} s",
        )
        for source in SOURCES
    ]
    return _markdown(("Source", "What it gives", "Its terms", "Key", "Wait"), rows)


def says(source: Source) -> str:
    """What a source is asked for, in words."""
    given = [kind.label for kind in source.score_kinds]
    given += ["credits"] if source.says_credits else []
    return ", ".join(given or ["identifiers"])


def kinds() -> str:
    """Every score kind with its scale."""
    rows = [
        (
            _code(kind.key),
            kind.label,
            f"0–{kind.scale_max}{kind.unit}",
            kind.side,
            source_of_kind(kind.key).name,
        )
        for kind in score_kinds()
    ]
    return _markdown(("Score kind", "Label", "Scale", "Whose opinion", "Source"), rows)


def analysts_tables() -> str:
    """The tables for analysts, one line each."""
    rows = [
        (_code(table.name), table.row) for table in _scores_first() if table.readers == "analysts"
    ]
    return _markdown(("Table", "A row is"), rows)


def analysts_views() -> str:
    """The views for analysts, one line each."""
    rows = [(_code(view.name), view.row) for view in VIEWS if view.readers == "analysts"]
    return _markdown(("View", "A row is"), rows)


def hosts() -> str:
    """The variable that stands in for each host."""
    rows = [(_code(host.variable), host.url) for source in SOURCES for host in source.hosts]
    return _markdown(("Variable", "In place of"), rows)


def attribution() -> str:
    """The lines that sources ask for."""
    return "".join(f"- {source.attribution}\n" for source in SOURCES if source.attribution)


# --- docs/home-cinema.md ------------------------------------------------------------------------


def kodi_ratings() -> str:
    """What an NFO file calls each score kind."""
    rows = [
        (kind.label, _code(NAMES.get(kind.key, kind.key)), _code(f'max="{kind.scale_max}"'))
        for kind in score_kinds()
    ]
    return _markdown(("Score kind", "Name of the rating", "Scale"), rows)


# --- docs/queries.md ----------------------------------------------------------------------------


def queries() -> str:
    """The queries of the site which answer a question, those that have parameters: what each
    answers, its SQL, and values to begin with."""
    metadata = parse_metadata((ROOT / "datasette.yml").read_text("utf-8"))
    parts = []
    for name, query in metadata["databases"]["ratings"]["queries"].items():
        if "params" in query:
            given = ", ".join(f"`:{key}` = `{query['defaults'][key]}`" for key in query["params"])
            parts.append(
                f"## {query['title']}\n\n{query['description']}\n\n"
                f"```sql\n{query['sql']}\n```\n\n{_code(name)} with {given}\n"
            )
    return "\n".join(parts)


# --- docs/sources-policy.md ---------------------------------------------------------------------


def terms() -> str:
    """Every source's terms as the register has them."""
    rows = [
        (
            source.name,
            source.terms.permission.words,
            source.terms.summary,
            f"{source.keep_days} days" if source.keep_days else "no limit",
            f"[{source.terms.checked_on}]({source.terms.url})",
        )
        for source in SOURCES
    ]
    return _markdown(("Source", "Its terms", "In short", "May be kept", "Checked"), rows)


# --- docs/tables.md -----------------------------------------------------------------------------


def tables(readers: str) -> str:
    """Every table of these readers, with its columns."""
    return "\n".join(_with_columns(table) for table in _scores_first() if table.readers == readers)


def views(readers: str) -> str:
    """Every view of these readers, with its columns."""
    return "\n".join(_with_columns(view) for view in VIEWS if view.readers == readers)


def _with_columns(table: Table) -> str:
    rows = [(_code(name), meaning) for name, meaning in table.columns.items()]
    return f"### {table.name}\n\nA row is {table.row}.\n\n" + _markdown(("Column", ""), rows)


def _scores_first() -> list[Table]:
    """Every table; the one that most questions are asked of stands first."""
    return sorted(all_tables(), key=lambda table: table in TABLES)


# --- datasette.yml ------------------------------------------------------------------------------


def spread_of_scores() -> str:
    """The query of how many films have which score of each kind."""
    return _query(
        "spread_of_scores",
        "How scores are spread",
        "How many films have which score of each kind, in steps of 5 points of 100.",
        f"""
WITH {_KINDS}
SELECT score, 5 * (min(points, 99) / 5) AS from_100, sum(films) AS films,
  round(1.0 * sum(films) / sum(sum(films)) OVER (PARTITION BY place), 4) AS share
FROM kinds CROSS JOIN score_counts USING (score_kind)
WHERE state = 'scored'
GROUP BY place, from_100
ORDER BY place, from_100""",
    )


def agreement() -> str:
    """The query of how far the kinds of score agree, pair by pair."""
    figures = ", ".join(f"{kind.key}_100" for kind in score_kinds())
    return _query(
        "agreement",
        "How far kinds of score agree",
        "Among the 5,000 films with the most votes on IMDb: how much of what one kind says another"
        " says too (r², 0–1), how far apart they lie, and by how much the one is above the other,"
        " in points of 100.",
        f"""
WITH {_KINDS}, best_known AS MATERIALIZED (
  SELECT {figures} FROM film_scores ORDER BY imdb_rating_votes DESC, film_id DESC LIMIT 5000
), figures AS (
  SELECT a.place AS place, b.place AS other_place, a.score AS one, b.score AS other,
    CASE a.place
    {_branches("_100", by_place=True)} END AS value, CASE b.place
    {_branches("_100", by_place=True)} END AS other_value
  FROM kinds a CROSS JOIN kinds b CROSS JOIN best_known
  WHERE b.place < a.place
), pairs AS (
  SELECT place, other_place, one, other, count(*) AS films,
    avg(abs(value - other_value)) AS apart, avg(value - other_value) AS above,
    avg(value * other_value) - avg(value) * avg(other_value) AS together,
    avg(value * value) - avg(value) * avg(value) AS alone,
    avg(other_value * other_value) - avg(other_value) * avg(other_value) AS other_alone
  FROM figures
  WHERE value IS NOT NULL AND other_value IS NOT NULL
  GROUP BY place, other_place
)
SELECT one, other, films, round(together * together / (alone * other_alone), 2) AS r_squared,
  round(apart, 1) AS apart_100, round(above, 1) AS above_100
FROM pairs
ORDER BY place, other_place""",
    )


def coverage_by_year() -> str:
    """The query of how many films of each year have each kind of score."""
    return _query(
        "coverage_by_year",
        "Coverage, year by year",
        "Of how many films of each of the last sixty years a score of each kind is known.",
        f"""
WITH {_KINDS}
SELECT year, score, sum(films) AS films,
  ifnull(sum(films) FILTER (WHERE state = 'scored'), 0) AS scored,
  round(1.0 * ifnull(sum(films) FILTER (WHERE state = 'scored'), 0) / sum(films), 4) AS share
FROM kinds CROSS JOIN score_counts USING (score_kind)
WHERE year >= strftime('%Y', 'now') - 60
GROUP BY year, place""",
    )


def lacking_a_kind() -> str:
    """The query of which films lack a kind of score, and why."""
    return _query(
        "lacking_a_kind",
        "Films that lack a kind of score, and why",
        "Films with at least so many votes on IMDb of which no such score is known: not_rated,"
        " missing, blocked, not_listed or not_asked.",
        f"""
SELECT film_id, title, year, imdb_rating_votes, CASE :score_kind
    {_branches("_state")} END AS why
FROM film_scores
WHERE imdb_rating_votes >= :votes_at_least AND why <> 'scored'
ORDER BY imdb_rating_votes DESC
LIMIT 500""",
        {"score_kind": "metascore", "votes_at_least": 25_000},
    )


_KINDS = "kinds (place, score_kind, score) AS (\n  VALUES {}\n)".format(
    ",\n    ".join(
        str((place, kind.key, kind.label)) for place, kind in enumerate(score_kinds(), 1)
    )
)


def _branches(ending: str, *, by_place: bool = False) -> str:
    """Branches of a CASE over a score kind, or its place, that give its column of film_scores of
    that ending."""
    return "\n    ".join(
        f"WHEN {place if by_place else repr(kind.key)} THEN {kind.key}{ending}"
        for place, kind in enumerate(score_kinds(), 1)
    )


def _query(
    name: str, title: str, description: str, sql: str, defaults: dict[str, Any] | None = None
) -> str:
    """A canned query whose SQL follows the register; charts may refer to its SQL by its name."""
    lines = [f"{name}:", f"  title: {_text(title)}", f"  description: {_text(description)}"]
    if defaults:
        lines += [f"  params: {_text(list(defaults))}", f"  defaults: {_text(defaults)}"]
    lines += [f"  sql: &{name} |-", *(f"    {line}" for line in sql.strip().splitlines())]
    return "\n".join(lines) + "\n"


def datasette_tables() -> str:
    """The entries of tables and views: description, columns, and how they are shown.

    JSON strings are YAML too, so that no description needs care about colons and quotes.
    """
    lines = []
    for table in (*_scores_first(), *VIEWS):
        lines += [f"{table.name}:", f"  description: {_text(f'A row is {table.row}.')}"]
        if table.readers == "internal":
            lines.append("  hidden: true")
        lines += [f"  {key}: {_text(value)}" for key, value in _SHOWN.get(table.name, {}).items()]
        lines.append("  columns:")
        lines += [f"    {name}: {_text(meaning)}" for name, meaning in table.columns.items()]
    return "\n".join(lines) + "\n"


def datasette_description() -> str:
    """What the database answers, and the lines that sources ask for."""
    lines = [
        "What the ratings sites make of a film, as of when, and whether a scene waits in the"
        " credits. A figure that is not known is empty, never 0.",
        *(source.attribution for source in SOURCES if source.attribution),
    ]
    return f"description_html: {_text(''.join(f'<p>{line}</p>' for line in lines))}\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- Markdown -----------------------------------------------------------------------------------


def _markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`"


def main(words: Sequence[str]) -> int:
    """Write the generated parts, or with `--check` say which are out of date."""
    how = ["--check", "--diff"] if "--check" in words else ["-r", "--verbosity=1"]
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    told = "They are out of date: 'make docs' writes them anew."
    options = ["-U", "-n", "utf-8", "-I", "docs", "-p", "import generate"]
    return int(Cog().main(["cog", *how, f"--check-fail-msg={told}", *options, *FILES]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

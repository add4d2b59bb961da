"""init, sources, sources check: what is asked, on what terms, and what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pipelines import clock
from pipelines.database import is_there, read_only
from pipelines.pauses import left_alone
from pipelines.problem import Problem
from schedules import columns, config, show
from schedules.commands.opening import source_named
from schedules.commands.options import DbOption, JsonOption, out, print_json, say
from schedules.replica import samples_folder
from spiders.plan import LONGEST_WAIT
from spiders.sources import SOURCES, Source


def init(
    db: DbOption = None,
    contact: Annotated[str, typer.Option(help="How sites can reach you: an address or a URL")] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over an afterscore.toml")] = False,
) -> None:
    """Write a commented afterscore.toml, show each source's terms, check keys, contact and disk.

    \b
    Example:  afterscore init --contact you@example.org
    """
    if contact and not config.is_contact(contact):
        raise Problem(f"--contact takes an address or a URL of yours, not {contact!r}")
    file = Path(config.FILE)
    kept = file.exists() and not force
    if kept:
        out.print(f"{file} is there already and is left as it is (--force writes it anew).")
        if contact:
            out.print(f'Put contact = "{contact}" into it by hand.', markup=False)
    else:
        config.write(file, config.template(contact))
        out.print(f"Wrote {file.resolve()}: read it, it is commented.")
    settings = config.load()
    skipped = {source.key: settings.skipped(source) for source in SOURCES}
    if kept:
        asked = ", ".join(key for key, why in skipped.items() if not why)
        out.print(f"\nAsked: {asked or 'none'}. 'afterscore sources' says why not the others.")
    else:
        out.print("\nTerms of the sources, as the register has them:")
        for source in SOURCES:
            _print_terms(source, skipped[source.key])
    path = config.database_path(db)
    free = shutil.disk_usage(path.resolve().parent).free / 1e9
    out.print("\nChecks:")
    out.print(f"  contact   {settings.contact or 'NOT SET: nothing beyond this machine is asked'}")
    out.print(f"  database  {path.resolve()} ({'there' if is_there(path) else 'will be made'})")
    out.print(
        f"  disk      {free:,.1f} GB free" + ("" if free > 1 else ": too little, 1 GB is wanted")
    )
    out.print(
        "\nNext: 'afterscore track tt1074638', or nothing where the universe suits you; then"
        " 'afterscore refresh'."
    )


def _print_terms(source: Source, skipped: str | None) -> None:
    """One source's terms, and whether it is asked."""
    heading = f"\n{source.name} ({source.key}): its terms {source.terms.permission.words}"
    out.print(Text(heading, style="bold"))
    columns.indented(out, source.terms.summary)
    columns.indented(out, f"{source.terms.url}, checked {source.terms.checked_on}")
    columns.indented(out, f"→ not asked: {skipped}" if skipped else "→ asked")


def sources(ctx: typer.Context, as_json: JsonOption = False, db: DbOption = None) -> None:
    """Print the register: each source's scores, terms, and whether it is asked.

    \b
    Example:  afterscore sources
              afterscore sources check rottentomatoes
    """
    if ctx.invoked_subcommand:
        return
    settings = config.load()
    path = config.database_path(db)
    alone = left_alone(read_only(path), clock.now(), LONGEST_WAIT) if is_there(path) else {}
    # One that is off may be paused too: whoever switches it on is to know.
    whys = {s.key: filter(None, (settings.skipped(s), alone.get(s.key))) for s in SOURCES}
    skipped = {key: "; and ".join(why) or None for key, why in whys.items()}
    if as_json:
        rows = [{**row, "skipped": skipped[row["key"]]} for row in _register_rows()]
        print_json(rows)
        return
    _print_register(skipped)


def _register_rows() -> list[dict[str, Any]]:
    """The register as `sources --json` prints it."""
    return [
        {
            "key": source.key,
            "name": source.name,
            "score_kinds": [kind.key for kind in source.score_kinds],
            "says_credits": source.says_credits,
            "permission": source.terms.permission.value,
            "terms": source.terms.summary,
            "terms_url": source.terms.url,
            "terms_checked_on": source.terms.checked_on,
            "key_variable": source.key_variable,
            "delay_seconds": source.delay_seconds,
            "keep_days": source.keep_days,
            "hosts": {host.variable: host.url for host in source.hosts},
            "attribution": source.attribution,
        }
        for source in SOURCES
    ]


def _print_register(skipped: Mapping[str, str | None]) -> None:
    """The register as a table, then how each source that is not asked is switched on."""
    table = columns.table(("Source", "Asked?", "Its terms", "Wait"), wraps=("Says",))
    for source in SOURCES:
        says = [kind.label for kind in source.score_kinds]
        says += ["credits"] if source.says_credits else []
        table.add_row(
            source.key,
            Text("no", style="dim") if skipped[source.key] else "yes",
            source.terms.permission.words,
            f"{source.delay_seconds:g} s",
            ", ".join(says) or "identifiers",
        )
    columns.print_table(out, table)
    for why, keys in show.by_reason(skipped).items():
        columns.indented(out, f"{', '.join(keys)}: {why}", 0)


def sources_check(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the source")],
    as_json: JsonOption = False,
) -> None:
    """Ask a source's robots.txt, and read the bundled samples with today's reader.

    \b
    Example:  afterscore sources check metacritic
    """
    source = source_named(key)
    settings = config.load()
    settings.require_contact([source])
    from schedules.source_check import check_source

    checked = check_source(source, settings, samples_folder())
    if as_json:
        print_json([one._asdict() for one in checked])
    else:
        for one in checked:
            mark = "ok  " if one.good else "BAD "
            say(f"{mark}{one.what}: {one.detail}")
    if not all(one.good for one in checked):
        raise typer.Exit(1)

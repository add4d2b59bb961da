"""Time readers and crawls, and print tables: `python -m benchmarks [--quick]`, or `make bench`.

`python -m benchmarks --help` lists what else is measured, each by itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import (
    browse,
    catalogue_costs,
    cluster,
    consensus,
    crawl,
    datasets,
    due,
    export,
    guard,
    linkage,
    nights,
    peers,
    readers,
    scheduler,
    soak,
    universe,
)
from benchmarks.readers import CAPTURES
from benchmarks.tables import print_machine

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=f"Set {CAPTURES} to a folder of captured pages with an expected.jsonl to have those"
    " read too.",
)


@app.callback(invoke_without_command=True)
def readers_and_crawls(
    ctx: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer pages, one round: a minute")
    ] = False,
) -> None:
    """Milliseconds a page of each reader; pages a second and memory of a crawl. Each of the
    commands measures something else alone."""
    if ctx.invoked_subcommand:
        return
    print_machine()
    readers.run("The crawls' pages", readers.padded())
    readers.run("Bundled samples", readers.samples())
    if captured := os.environ.get(CAPTURES):
        readers.run("Captured pages", readers.captures(Path(captured)))
    pages, times = (1_500, 1) if quick else (5_001, 5)
    crawl.run("with embedded data", crawl.rounds("embedded", pages, times))
    crawl.run("with visible figures only", crawl.rounds("visible", 150 if quick else 600, 1))


app.command("browse")(browse.run)
app.command("catalogue")(catalogue_costs.run)
app.command("cluster")(cluster.run)
app.command("consensus")(consensus.run)
app.command("due")(due.run)
app.command("export")(export.run)
app.command("datasets")(datasets.run)
app.command("guard")(guard.run)
app.command("linkage")(linkage.run)
app.command("peers")(peers.run)
app.command("scheduler")(scheduler.run)
app.command("nights")(nights.run)
app.command("soak")(soak.run)
app.command("universe")(universe.run)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")

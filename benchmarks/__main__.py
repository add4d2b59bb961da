"""Time readers and crawls, and print tables: `python -m benchmarks [--quick]`, or `make bench`.

`python -m benchmarks --help` lists what else is measured, each by itself.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks import (
    browse,
    catalogue_costs,
    cluster,
    consensus,
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
from benchmarks.crawl import AT_ONCE, Round, rounds
from benchmarks.processes import Measured
from benchmarks.tables import out, titled
from schedules.archive import Saved

CAPTURES = "AFTERSCORE_CAPTURES"


def main() -> None:
    """Run what is asked for: readers and crawls, where nothing is."""
    wanted = _parser().parse_args()
    sys.exit(wanted.run(wanted))


def _parser() -> argparse.ArgumentParser:
    """Its `run` is given what was parsed, and returns the exit status (None: 0)."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Milliseconds a page of each reader; pages a second and memory of a crawl.",
        epilog=f"Set {CAPTURES} to a folder of captured pages with an expected.jsonl to have"
        " those read too.",
    )
    parser.add_argument("--quick", action="store_true", help="fewer pages, one round: a minute")
    parser.set_defaults(run=lambda told: _measure_all(told.quick))
    alone = parser.add_subparsers(dest="alone", metavar="", title="one measure alone")

    one = alone.add_parser("browse", help="how long the site's pages take")
    one.add_argument("--films", type=int, default=browse.FILMS, metavar="NUMBER")
    one.add_argument(
        "--db", type=Path, metavar="FILE", help="keep the database there, and use it if it is there"
    )
    one.add_argument("--visits", type=int, default=browse.TIMES, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_browsing(told.films, told.db, told.visits))

    one = alone.add_parser("catalogue", help="what a catalogue costs as it grows")
    one.add_argument(
        "--films", type=int, nargs="+", default=catalogue_costs.SIZES, metavar="NUMBER"
    )
    one.add_argument(
        "--db", type=Path, metavar="FILE", help="of one size: keep the database there, and use it"
    )
    one.set_defaults(run=lambda told: _show_catalogues(told.films, told.db))

    one = alone.add_parser("cluster", help="a backfill on workers that are killed")
    one.add_argument("--kills", type=int, default=cluster.KILLS, metavar="NUMBER")
    one.add_argument("--films", type=int, default=cluster.FILMS, metavar="NUMBER")
    one.add_argument("--seed", type=int, default=1, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_cluster(told.kills, told.seed, told.films))

    one = alone.add_parser("consensus", help="how well hidden score kinds are predicted")
    one.add_argument("--tables", type=Path, default=consensus.TABLES, metavar="FOLDER")
    one.add_argument("--fit", action="store_true", help="write the constants down anew")
    one.set_defaults(run=lambda told: consensus.run(told.tables, told.fit))

    one = alone.add_parser("due", help="staleness over a year of nights, by policy")
    one.add_argument("--seeds", type=int, default=1, metavar="NUMBER", help="years a world")
    one.set_defaults(run=lambda told: _show_years(told.seeds))

    one = alone.add_parser("export", help="seconds and memory of an export")
    one.add_argument("--films", type=int, default=export.FILMS, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_exports(told.films))

    one = alone.add_parser("datasets", help="IMDb's datasets, beside other importers")
    one.add_argument("--titles", type=int, nargs="+", default=datasets.TITLES, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_imports(told.titles))

    one = alone.add_parser("guard", help="which days of a real scrape would have been held")
    one.add_argument("--rows", type=Path, default=guard.ROWS, metavar="FILE.tsv")
    one.set_defaults(run=lambda told: _show_days(told.rows))

    one = alone.add_parser("linkage", help="how well listings are matched, and its cost")
    one.add_argument("--data", type=Path, default=linkage.DATA, metavar="FOLDER")
    one.add_argument("--fit", action="store_true", help="fit the weights anew; print them")
    one.set_defaults(run=lambda told: linkage.run(told.data, told.fit))

    one = alone.add_parser("peers", help="other people's libraries beside afterscore")
    one.add_argument("--data", type=Path, default=linkage.DATA, metavar="FOLDER")
    one.add_argument("--listings", type=int, default=peers.LISTINGS, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_peers(told.data, told.listings))

    one = alone.add_parser("scheduler", help="its memory after many nights")
    one.add_argument("--nights", type=int, default=100, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_memory(told.nights))

    one = alone.add_parser("nights", help="a first night and a quiet one")
    one.add_argument("--films", type=int, default=nights.FILMS, metavar="NUMBER")
    one.add_argument("--others", type=int, default=nights.CATALOGUED, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_nights(told.films, told.others))

    one = alone.add_parser("soak", help="kill -9 at random moments, and what is left then")
    one.add_argument("kills", nargs="?", type=int, default=soak.KILLS, metavar="KILLS")
    one.add_argument("--seed", type=int, default=1, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_kills(told.kills, told.seed))

    one = alone.add_parser("universe", help="TMDB's export of a million films")
    one.add_argument("--films", type=int, default=universe.FILMS, metavar="NUMBER")
    one.set_defaults(run=lambda told: _show_universe(told.films))
    return parser


def _measure_all(quick: bool) -> None:
    """Readers and crawls."""
    out.print(_machine() + "\n")
    _show_readers("The crawls' pages", readers.padded())
    _show_readers("Bundled samples", readers.samples())
    captured = os.environ.get(CAPTURES)
    if captured:
        _show_readers("Captured pages", readers.captures(Path(captured)))
    _show_crawls("with embedded data", rounds("embedded", *((1_500, 1) if quick else (5_001, 5))))
    _show_crawls("with visible figures only", rounds("visible", 150 if quick else 600, 1))


def _show_memory(number: int) -> None:
    """What the scheduler needs before and after so many nights."""
    before, after = scheduler.memory(number)
    out.print(f"{before:.1f} MB, and {number} nights later {after:.1f} MB")


def _machine() -> str:
    """What everything is measured on, and how busy that is."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    return (
        f"{os.cpu_count()} cores, {processor}; {platform.system()}, Python"
        f" {platform.python_version()}; load before: {os.getloadavg()[0]:.1f}"
    )


def _show_readers(title: str, pages: Iterable[Saved]) -> None:
    """One table of the layouts that are read from the bytes, one of those that need a tree."""
    found = readers.figures(pages)
    for builds_tree, how in ((False, "read from the bytes"), (True, "visible: read in a tree")):
        table = titled(
            f"{title}, {how}", ["source", "layout"], ["pages", "KB", "ms", "ms of the slowest"]
        )
        for row in found:
            if row.builds_tree is builds_tree:
                table.add_row(
                    row.source,
                    row.layout,
                    f"{row.pages}",
                    f"{row.kilobytes:,.1f}",
                    f"{row.milliseconds:,.2f}",
                    f"{row.slowest:,.2f}",
                )
        if table.row_count:
            out.print(table)


def _show_crawls(what: str, measured: Iterable[Round]) -> None:
    """Medians of each crawl, and what share the full one reaches of the bare one of its round."""
    all_rounds = list(measured)
    pages = all_rounds[0].pages
    table = titled(
        f"Crawls of {pages:,} pages of 260 KB {what}, in turn",
        ["medians"],
        ["pages a second", "CPU ms a page"],
    )
    for name, crawls in (
        (f"bare Scrapy, {AT_ONCE} requests at once", [each.bare for each in all_rounds]),
        ("three bare Scrapys, a request at a time", [each.three_bare for each in all_rounds]),
        ("afterscore: fetch, read, store", [each.full for each in all_rounds]),
    ):
        speed = statistics.median(pages / crawl.seconds for crawl in crawls)
        effort = statistics.median(1000 * crawl.processor_seconds / pages for crawl in crawls)
        table.add_row(name, f"{speed:,.0f}", f"{effort:,.1f}")
    out.print(table)
    shares = [each.bare.seconds / each.full.seconds for each in all_rounds]
    out.print(
        f"  Share of the bare crawl's speed: {statistics.median(shares):.2f}"
        f" ({', '.join(f'{share:.2f}' for share in shares)})"
    )
    run, *others = (peak / 1_000_000 for peak in all_rounds[-1].full.peaks)
    out.print(
        f"  Peak memory: run process {run:.0f} MB, largest crawl process {max(others):.0f} MB\n"
    )


def _show_exports(films: int) -> None:
    """What exporting so many films, and a tenth of them, costs."""
    table = titled(
        "Exports", ["format"], ["films", "seconds", "CPU seconds", "MB in memory", "MB written"]
    )
    for row in export.costs(films):
        table.add_row(
            row.kind,
            f"{row.films:,}",
            f"{row.seconds:,.1f}",
            f"{row.processor_seconds:,.1f}",
            f"{row.peak / 1e6:,.0f}",
            f"{row.written / 1e6:,.0f}",
        )
    out.print(_machine())
    out.print(table)


def _show_browsing(films: int, kept: Path | None, visits: int) -> None:
    """What each page takes: the first visit, and all that follow it."""
    with tempfile.TemporaryDirectory(prefix="afterscore-browse-") as folder:
        path = kept or Path(folder) / "ratings.db"
        if not path.exists():
            browse.make(path, films)
        out.print(_machine() + "\n")
        pages = browse.browsed(path, visits)
    for group in dict.fromkeys(page.group for page in pages):
        table = titled(
            group, ["page"], [f"{heading} ms" for heading in ("first", "median", "95 %", "CPU")]
        )
        for page in (page for page in pages if page.group == group):
            figures = (
                page.first, page.middle, page.slow, page.processor_seconds / len(page.others)
            )  # fmt: skip
            table.add_row(page.name, *(f"{1000 * seconds:,.0f}" for seconds in figures))
        out.print(table)
    over = [page for page in pages if page.middle > browse.MIDDLE or page.slow > browse.SLOW]
    out.print(
        f"  {len(over)} of {len(pages)} over {1000 * browse.MIDDLE:.0f} ms in the middle or"
        f" {1000 * browse.SLOW:.0f} ms at the 95th percentile"
    )
    for page in pages:
        if page.wrong:
            out.print(f"  {page.group}, {page.name}: {page.wrong}", markup=False)


def _show_peers(data: Path, listings: int) -> None:
    """What each peer reads right, and links, beside what we do."""
    out.print(_machine() + "\n")
    captured = os.environ.get(CAPTURES)
    if captured:
        _show_peer_readers(Path(captured))
    else:
        out.print(f"No pages are read: {CAPTURES} names no folder of captured ones.\n")
    table = titled(
        "Linkage, in turn",
        ["catalogue", "by"],
        ["precision", "recall", "F1", "seconds", "CPU seconds", "x ours", "peak MB"],
    )
    ours = 0.0
    for found in peers.links(data, listings):
        if isinstance(found, str):
            out.print(found)
            continue
        taken = found.cost.processor_seconds
        ours = taken if found.by == peers.OURS else ours
        table.add_row(
            found.catalogue,
            found.by,
            f"{found.precision:.4f}",
            f"{found.recall:.4f}",
            f"{found.f1:.4f}",
            f"{found.cost.seconds:,.1f}",
            f"{taken:,.1f}",
            f"{taken / ours:,.1f}",
            f"{max(found.cost.peaks) / 1e6:,.0f}",
        )
    out.print(table)


def _show_peer_readers(folder: Path) -> None:
    """Fields right of those that the pages show, wrong ones, and ms of the median page that the
    peer reads; `x ours` is its time for all of these pages, in ours."""
    table = titled(
        "Captured pages, in turn",
        ["peer", "source"],
        [
            "pages",
            "fields",
            "right",
            "wrong",
            "ours right",
            "ours wrong",
            "pages read",
            "ms",
            "our ms",
            "x ours",
        ],
    )
    for found in peers.readings(folder):
        if isinstance(found, str):
            out.print(found)
            continue
        name, source, reading = found
        counts = (
            reading.pages,
            reading.expected,
            reading.peer.right,
            reading.peer.wrong,
            reading.ours.right,
            reading.ours.wrong,
            len(reading.peer_milliseconds),
        )
        times = (*reading.medians, reading.times_ours) if reading.peer_milliseconds else ()
        table.add_row(
            name,
            source,
            *(f"{count:,}" for count in counts),
            *(f"{number:,.2f}" for number in times),
        )
    out.print(table)


def _show_catalogues(sizes: Sequence[int], kept: Path | None) -> None:
    """What each step costs with each size, and by which power of the size that grows.

    Raises SystemExit where one database is to be `kept` of several sizes.
    """
    if kept and len(sizes) > 1:
        raise SystemExit("--db is of one size: give one number of films")
    out.print(_machine() + "\n")
    by_step: dict[str, list[catalogue_costs.Cost]] = {}
    for made in catalogue_costs.catalogues(sizes, kept):
        _show_catalogue(made)
        for cost in made.costs:
            by_step.setdefault(cost.step, []).append(cost)
    if len(sizes) < 2:
        return
    title = "CPU seconds by films, and the exponent between two sizes"
    table = titled(title, ["step"], [f"{size:,}" for size in sizes])
    for less, more in pairwise(sizes):
        n_log_n = 1 + math.log(math.log(more) / math.log(less)) / math.log(more / less)
        table.add_column(f"{less:,} to {more:,}\n(n log n: {n_log_n:.2f})", justify="right")
    for step, costs in by_step.items():
        if len(costs) == len(sizes):
            grown = [f"{exponent:.2f}" for exponent in catalogue_costs.exponents(costs)]
            table.add_row(step, *(f"{cost.processor_seconds:,.2f}" for cost in costs), *grown)
    out.print(table)


def _show_catalogue(made: catalogue_costs.Catalogue) -> None:
    rows = ", ".join(f"{number:,} {table}" for table, number in made.rows.items())
    table = titled(
        f"{rows}: {made.size / 1e9:,.2f} GB, {made.size / made.films:,.0f} a film",
        ["step"],
        ["seconds", "CPU seconds", "CPU µs a film", "peak MB"],
    )
    for cost in made.costs:
        table.add_row(
            cost.step,
            f"{cost.seconds:,.2f}",
            f"{cost.processor_seconds:,.2f}",
            f"{1e6 * cost.processor_seconds / made.films:,.1f}",
            f"{cost.peak / 1e6:,.0f}",
        )
    out.print(table)
    table = titled("Pages", ["page"], [f"{heading} ms" for heading in ("median", "95 %", "CPU")])
    for page in made.pages:
        figures = (page.middle, page.slow, page.processor_seconds / len(page.others))
        table.add_row(page.name, *(f"{1000 * seconds:,.0f}" for seconds in figures))
    out.print(table)


def _show_imports(sizes: Iterable[int]) -> None:
    """What each import of the same files takes, and how many times as fast as imdb-sqlite, the
    peer, it is. The memory is that of each process, the oldest first."""
    out.print(_machine() + "\n")
    for titles in sizes:
        table = titled(
            f"Importing {titles:,} titles",
            ["import"],
            ["titles", "seconds", "times peer's", "CPU s", "times peer's", "MB"],
        )
        peer: Measured | None = None
        for found in datasets.imports(titles):
            if isinstance(found, str):
                out.print(found)
                continue
            cost = found.cost
            peer = cost if found.name == datasets.PEER_NAME else peer
            table.add_row(
                found.name,
                f"{found.titles:,}",
                f"{cost.seconds:,.1f}",
                f"{peer.seconds / cost.seconds:,.2f}" if peer else "",
                f"{cost.processor_seconds:,.1f}",
                f"{peer.processor_seconds / cost.processor_seconds:,.2f}" if peer else "",
                "+".join(f"{peak / 1e6:,.0f}" for peak in cost.peaks),
            )
        out.print(table)


def _show_universe(films: int) -> None:
    """What TMDB's export costs. The memory is that of each process, the oldest first."""
    out.print(_machine() + "\n")
    table = titled(
        f"An export of {films:,} films",
        ["command"],
        ["seconds", "CPU s", "MB", "written, MB", "database, MB"],
    )
    for step in universe.steps(films):
        table.add_row(
            step.name,
            f"{step.cost.seconds:,.1f}",
            f"{step.cost.processor_seconds:,.1f}",
            "+".join(f"{peak / 1e6:,.0f}" for peak in step.cost.peaks),
            f"{step.cost.written / 1e6:,.0f}",
            f"{step.database / 1e6:,.0f}",
        )
    out.print(table)


def _show_days(rows: Path) -> None:
    """The days that the guard would have held, and what it comes to."""
    judged = list(guard.days(rows))
    held = [day for day in judged if day.reason]
    for day in held:
        out.print(f"{day.date}  {day.reason}", markup=False)
    cut = [day for day in judged if day.cut]
    out.print(
        f"\n{len(held)} of {len(judged)} days held; of {len(cut)} days with fewer than"
        f" {guard.CUT:,} rows, {sum(day.reason is None for day in cut)} passed"
    )


def _show_years(seeds: int) -> None:
    """How stale films get under each policy in each made-up world, and ours beside the others."""
    out.print(_machine() + "\n")
    out.print(
        f"{due.FILMS:,} films, {due.REQUESTS:,} requests a night, {due.NIGHTS} nights; the mean of"
        f" {seeds} years, in % of views or films. The worst year's ratios stand below.\n"
    )
    for world, policies in due.compare(seeds):
        table = titled(
            world.name,
            ["policy"],
            [
                "views",
                "films",
                "views, first month",
                "films, first month",
                "views, all day",
                "films, all day",
            ],
        )
        for name, years in policies.items():
            stale = [
                (*vars(year.morning).values(), year.all_day.views, year.all_day.plain)
                for year in years
            ]
            means = [statistics.mean(column) for column in zip(*stale, strict=True)]
            table.add_row(name, *(f"{100 * mean:.2f}" for mean in means))
        out.print(table)
        ours, oldest = policies["ours"], policies["oldest first"]
        out.print(
            f"  Ours: {due.times(ours, oldest, 'views'):.3f} of oldest first's views, "
            f"{due.times(ours, oldest, 'plain'):.2f} of its films;"
            f" {due.times(ours, policies['told the rates'], 'views'):.2f} of the views of the"
            " policy that is told the rates\n"
        )


def _show_nights(films: int, others: int) -> None:
    """A first night beside a bare crawl of its pages, and the quiet one after it."""
    out.print(_machine() + "\n")
    for etags in (True, False):
        measured = nights.nights(etags, others, films)
        how = "with ETags" if etags else "without ETags"
        table = titled(
            f"Nights of {measured.listings:,} listings, sites {how}",
            ["night"],
            ["answers", "changed", "seconds", "CPU seconds", "MB written"],
        )
        for night in measured.nights:
            table.add_row(
                night.name,
                f"{night.pages:,}",
                f"{night.changed:,}",
                f"{night.cost.seconds:,.1f}",
                f"{night.cost.processor_seconds:,.1f}",
                f"{night.cost.written / 1e6:,.1f}",
            )
        out.print(table)
        first, quiet = (night.cost for night in measured.nights)
        out.print(
            f"  Bare Scrapy over the same pages: {measured.bare.seconds:,.1f} s,"
            f" {measured.bare.processor_seconds:,.1f} CPU seconds. The quiet night took"
            f" {quiet.processor_seconds / first.processor_seconds:.2f} of the first's processor"
            " time.\n"
        )


def _show_cluster(kills: int, seed: int, films: int) -> int:
    """What each host was asked, and the exit status: 1 where anything was wrong."""
    out.print(_machine() + "\n")
    measured = cluster.spread(kills, seed, films)
    table = titled(
        f"{measured.listings:,} listings, {cluster.DELAY:g} s between requests, on"
        f" {cluster.WORKERS} workers",
        ["host"],
        ["requests", "asked again", "s before a batch", "s between two", "alone"],
    )
    for host in measured.hosts:
        table.add_row(
            host.role,
            f"{host.requests}",
            f"{host.again}",
            f"{host.before_a_batch:.2f}",
            f"{host.between_two:.2f}",
            f"{host.alone:.2f}",
        )
    out.print(table)
    out.print(
        f"  {measured.spread:.0f} s, in which {measured.kills} times a worker, or once the"
        f" scheduler with all of them, was killed; on one machine, undisturbed,"
        f" {measured.alone:.0f} s"
    )
    for line in measured.wrong:
        out.print(line, markup=False)
    return int(bool(measured.wrong))


def _show_kills(kills: int, seed: int) -> int:
    """What each kill left, and a table of all; the exit status, 1 where anything was wrong."""
    out.print(_machine() + "\n")
    done = []
    for killed in soak.soak(kills, seed):
        done.append(killed)
        for line in killed.wrong[:5]:
            out.print(f"{killed.job} at {killed.share:.3f}: {line}", markup=False)
        if len(done) % 10 == 0:
            print(f"{len(done)} of {kills}, last {killed.job}", file=sys.stderr)
    table = titled(
        f"{len(done)} kills (seed {seed})",
        ["command"],
        ["kills", "all at once", "pages stored before", "asked after", "wrong"],
    )
    for job in soak.SHARES:
        of_job = [killed for killed in done if killed.job == job]
        table.add_row(
            job,
            f"{len(of_job)}",
            f"{sum(not killed.alone for killed in of_job)}",
            f"{sum(killed.stored for killed in of_job):,}",
            f"{sum(killed.asked for killed in of_job):,}",
            f"{sum(bool(killed.wrong) for killed in of_job)}",
        )
    out.print(table)
    return int(any(killed.wrong for killed in done))


if __name__ == "__main__":
    main()

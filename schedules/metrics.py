"""Health as a Prometheus text file, for node_exporter's textfile collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pipelines import clock
from schedules.condition import Condition
from schedules.health import Finding

_Gauge = tuple[str, str, dict[str, str], float]
"""Name, help, labels, value."""


def text(found: Condition, wrong: Sequence[Finding]) -> str:
    """Gauges with their HELP and TYPE. What is not known has no line: it is never 0."""
    well = not any(finding.level == "fault" for finding in wrong)
    return _text((*_checked(found.at, well=well), *_gauges(found, wrong)))


def text_of_no_database(at: str) -> str:
    """The same where the database cannot be read: all that is known is that it is not well."""
    return _text(_checked(at, well=False))


def _text(gauges: Iterable[_Gauge]) -> str:
    lines = []
    before = None
    for name, help_, labels, value in gauges:
        if name != before:
            lines += [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
            before = name
        inner = ",".join(f'{label}="{_escaped(of)}"' for label, of in labels.items())
        lines.append(f"{name}{{{inner}}} {value:.15g}" if inner else f"{name} {value:.15g}")
    return "\n".join(lines) + "\n"


def _checked(at: str, *, well: bool) -> Iterator[_Gauge]:
    seconds = clock.moment(at).timestamp()
    yield "afterscore_checked_timestamp_seconds", "When this was measured.", {}, seconds
    yield "afterscore_healthy", "1 where health finds no fault, else 0.", {}, float(well)


def _gauges(found: Condition, wrong: Sequence[Finding]) -> Iterator[_Gauge]:
    for finding in wrong:
        labels = {"key": finding.key, "level": finding.level}
        yield "afterscore_finding", "Something that is not as it should be.", labels, 1
    if found.whole_ended:
        yield (
            "afterscore_refresh_timestamp_seconds",
            "When the last whole refresh ended well.",
            {},
            clock.moment(found.whole_ended).timestamp(),
        )
    for source, when in sorted(found.succeeded.items()):
        yield (
            "afterscore_source_success_timestamp_seconds",
            "When a run ended in which a crawl of the source went well.",
            {"source": source},
            clock.moment(when).timestamp(),
        )
    cases = Counter({held.source: 0 for held in found.held})
    for held in found.held:
        cases[held.source] += held.cases
    for source, count in sorted(cases.items()):
        yield "afterscore_held", "Open cases of the guard.", {"source": source}, count
    for kind, coverage in found.coverage.items():
        yield (
            "afterscore_films_scored",
            "Films of which the score kind is known.",
            {"score_kind": kind},
            coverage.scored,
        )
    films = max((coverage.films for coverage in found.coverage.values()), default=0)
    yield "afterscore_films", "Films that there are.", {}, films
    for source, (old, _) in sorted(found.stale.items()):
        yield (
            "afterscore_stale",
            "Figures of the source that nothing has confirmed within the ceiling.",
            {"source": source},
            old,
        )
    yield "afterscore_database_bytes", "Size of the database.", {}, found.db_bytes
    yield "afterscore_wal_bytes", "Size of the WAL beside it.", {}, found.wal_bytes
    yield "afterscore_disk_free_bytes", "Free on its disk.", {}, found.free_bytes


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

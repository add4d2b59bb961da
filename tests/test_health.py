"""`afterscore health`: what is wrong, one line each, and nothing where all is well."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest
from typer.main import get_command

from pipelines import clock
from pipelines.crawl_guard import doubt_records
from pipelines.database import writing
from pipelines.guard import Rule
from schedules.cli import app
from schedules.condition import note_night
from schedules.health import KINDS
from schedules.replica import Replica
from spiders.sources import SOURCES, score_kinds
from tests.answers import answer, holding, keeping, record, scored, tomatometer
from tests.conftest import Afterscore, beside

NEXT_YEAR = clock.later(clock.now(), days=365)[:10]

RUNBOOK = (Path(__file__).parent.parent / "docs/bad-nights.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"(?ms)^### (.+?)$(.*?)(?=^##|\Z)", RUNBOOK))


def exists(line: str) -> bool:
    """Whether there is a command of these words, with these options."""
    command: Any = get_command(app)
    words = line.split()[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    return command.name != "afterscore" and {w for w in words if w.startswith("--")} <= options


def ago(days: float) -> str:
    return clock.later(clock.now(), days=-days)


class Nights:
    """A database in which the test writes what nights came to."""

    def __init__(self, folder: Path) -> None:
        self.ready = Afterscore(folder, {"TMDB_API_TOKEN": "a-token"})
        self.ready.settings("[sources.rottentomatoes]\nenabled = true\n")
        with keeping(folder / "ratings.db"):
            pass

    def run(self, days: float, outcome: str | None = "ok", **more: Any) -> int:
        """A whole refresh, so many days ago; with crawls=…, each source's outcome in it."""
        crawls = more.pop("crawls", {"rottentomatoes": "ok"})
        row: dict[str, Any] = {
            "command": "refresh",
            "plan": '{"sources": [], "film_ids": null, "limit": null, "again": false}',
            "pid": 1,
            "started_at": ago(days + 0.01),
            "ended_at": ago(days) if outcome else None,
            "outcome": outcome,
            **more,
        }
        run_id = self.insert("runs", row)
        for source, came_to in crawls.items():
            crawl = {"run_id": run_id, "source": source, "started_at": row["started_at"]}
            self.insert("crawls", {**crawl, "asked": 20, **_crawl(came_to)})
        return run_id

    def insert(self, table: str, row: dict[str, Any]) -> int:
        """Insert a row, and give its number."""
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        number = self.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values()
        ).lastrowid
        return number or 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement."""
        db = sqlite3.connect(self.ready.folder / "ratings.db", isolation_level=None)
        try:
            return db.execute(sql, values)
        finally:
            db.close()

    def found(self) -> dict[str, dict[str, Any]]:
        """The findings by their keys; the exit status goes with the faults among them."""
        ended = self.ready("health", "--json")
        told = {finding["key"]: finding for finding in ended.json["findings"]}
        for finding in told.values():
            assert finding["page"].partition("#")[2] in SECTIONS
            if finding["do"].startswith("afterscore"):
                assert exists(finding["do"]), finding["do"]
        faults = [finding for finding in told.values() if finding["level"] == "fault"]
        assert ended.status == bool(faults), ended.err
        assert ended.json["healthy"] == (not faults)
        return told


def _crawl(came_to: str | dict[str, Any]) -> dict[str, Any]:
    return {"outcome": came_to} if isinstance(came_to, str) else came_to


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


# --- the runbook ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_runbook_tells_of_every_kind_of_finding_and_what_to_type(kind: str) -> None:
    assert re.search(r"(?m)^    \w", SECTIONS[kind]), "a line to type"


# --- real nights ----------------------------------------------------------------------------------


def test_after_a_night_that_went_well_all_is_well(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall", "imdb:tt1074638")
        assert ready("refresh").status == 0
    ended = ready("health")
    assert (ended.status, ended.out.count("\n")) == (0, 1)
    assert ended.out.startswith("All is well: last whole refresh just now; ratings.db ")
    (run,) = ready.database().query("SELECT db_bytes, wal_bytes FROM runs")
    assert run["db_bytes"] > 0
    assert run["wal_bytes"] == 0
    covered = dict(ready.database().conn.execute("SELECT score_kind, scored FROM run_coverage"))
    assert covered.keys() == {kind.key for kind in score_kinds()}
    assert covered["tomatometer"] >= 1


def test_a_narrowed_refresh_is_no_night(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall")
        for words in (("--source", "rottentomatoes"), ("--limit", "3"), ("--film", "m/skyfall")):
            ready("refresh", *words)
    ended = ready("health")
    assert ended.status == 0, "who has just begun has the first night before them"
    assert "NOTE  late: no whole refresh has ended well yet" in ended.out
    with keeping(tmp_path / "ratings.db") as kept:
        kept.db.conn.execute("UPDATE _sqlite_migrations SET applied_at = ?", [ago(1.1)])
    ended = ready("health")
    assert ended.status == 1
    assert ended.out.startswith("FAULT late: no whole refresh has ended well yet")
    assert not list(ready.database().query("SELECT * FROM run_coverage"))


def test_without_a_run_it_says_so_and_is_not_content_once_a_night_has_passed(
    nights: Nights,
) -> None:
    found = nights.found()
    assert [(key, finding["level"]) for key, finding in found.items()] == [("no-run", "note")]
    with keeping(nights.ready.folder / "ratings.db") as kept:
        kept.db.conn.execute("UPDATE _sqlite_migrations SET applied_at = ?", [ago(1.1)])
    found = nights.found()
    assert [(key, finding["level"]) for key, finding in found.items()] == [("no-run", "fault")]


def test_without_a_database_it_says_how_to_make_one(afterscore: Afterscore) -> None:
    ended = afterscore("health")
    assert ended.status == 2
    assert "no database at ratings.db" in ended.err


# --- runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "late"), [(25, False), (27, True)])
def test_a_night_is_late_after_a_day_and_two_hours(
    nights: Nights, hours: float, late: bool
) -> None:
    nights.run(hours / 24)
    assert ("late" in nights.found()) == late


def test_a_night_that_still_runs_is_not_late_until_it_has_run_for_as_long(nights: Nights) -> None:
    nights.run(1.5)
    running = nights.run(0.1, None, crawls={})
    with holding(nights.ready.folder / "ratings.db", ago(1.5)):
        assert nights.found() == {}
        nights.execute("UPDATE runs SET started_at = ? WHERE run_id = ?", ago(1.2), running)
        assert "and one has been running since" in nights.found()["late"]["what"]


def test_a_killed_run_is_told_and_the_next_good_one_ends_that(nights: Nights) -> None:
    nights.run(0.5)
    nights.run(0.2, None, crawls={})
    assert set(nights.found()) == {"killed-run"}
    with holding(nights.ready.folder / "ratings.db", ago(0.1)):  # another command by now
        assert set(nights.found()) == {"killed-run"}
    nights.execute(
        "UPDATE runs SET outcome = 'interrupted', exception = 'the process was killed',"
        " ended_at = started_at WHERE outcome IS NULL"
    )
    assert set(nights.found()) == {"killed-run"}
    nights.run(0.1)
    assert nights.found() == {}


def test_a_failed_run_is_told_with_what_broke_it(nights: Nights) -> None:
    nights.run(0.5)
    number = nights.run(0.1, "failed", exception="OperationalError: database or disk is full\nmore")
    found = nights.found()
    assert set(found) == {"failed-run"}
    assert "disk is full" in found["failed-run"]["what"]
    assert "more" not in found["failed-run"]["what"]
    assert found["failed-run"]["do"] == f"afterscore runs {number}"


def test_a_run_that_a_person_ended_is_no_fault(nights: Nights) -> None:
    nights.run(0.5)
    nights.run(0.1, "interrupted")
    assert nights.found() == {}


def test_a_run_from_the_future_shows_a_wrong_clock(nights: Nights) -> None:
    nights.run(-1)
    assert set(nights.found()) == {"clock"}


# --- sources --------------------------------------------------------------------------------------


def test_an_age_in_the_future_is_said_to_be_one(nights: Nights) -> None:
    nights.run(-365)
    assert "last whole refresh in the future" in nights.ready("health").out


@pytest.mark.parametrize(
    ("ahead", "shape", "taken"),
    [
        ({"hours": 13}, "%Y-%m-%dT%H:%M:%SZ", False),
        ({"minutes": 5}, "%Y-%m-%dT%H:%M:%SZ", False),
        ({"seconds": 30}, "%Y-%m-%dT%H:%M:%SZ", True),
        ({"days": 2}, "%Y-%m-%d", False),
        ({}, "%Y-%m-%d", True),
    ],
)
def test_no_time_that_a_page_was_saved_is_to_come(
    ahead: dict[str, int], shape: str, taken: bool
) -> None:
    text = (datetime.now(UTC) + timedelta(**ahead)).strftime(shape)
    if taken:
        assert clock.captured(text)[0] <= clock.now()
    else:
        with pytest.raises(ValueError, match="in the future"):
            clock.captured(text)


@pytest.mark.parametrize(("hour", "taken"), [(9, False), (11, True)])
def test_a_day_has_begun_once_it_has_in_the_east(
    hour: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the 30th in Kiribati from 10:00 UTC on the 29th."""
    present = datetime(2026, 11, 29, hour, tzinfo=UTC)

    class Present(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromisoformat(present.isoformat())

    monkeypatch.setattr(clock, "datetime", Present)
    if taken:
        assert clock.captured("2026-11-30") == (clock.stamp(present), "day")
    else:
        with pytest.raises(ValueError, match="in the future"):
            clock.captured("2026-11-30")


def test_a_source_that_blocks_is_told_with_the_nights_and_since_when(nights: Nights) -> None:
    blocked = {"outcome": "blocked", "detail": "blocked: 403"}
    nights.run(3)
    for days in (2, 1, 0):
        nights.run(days, "partly", crawls={"rottentomatoes": blocked, "imdb": "ok"})
    (finding,) = nights.found().values()
    assert finding["key"] == "blocked:rottentomatoes"
    nights_told = re.search(
        r"blocked us on (\d) nights, since (\S+): blocked: 403", finding["what"]
    )
    assert nights_told
    assert nights_told[1] == "3"
    assert abs((clock.moment(nights_told[2]) - clock.moment(ago(2.01))).total_seconds()) < 60


@pytest.mark.parametrize(
    ("crawl", "key"),
    [
        ({"outcome": "failed", "detail": "KeyError"}, "failing:rottentomatoes"),
        ({"outcome": "partly", "failed": 11}, "failing:rottentomatoes"),
        ({"outcome": "partly", "unreadable": 11}, "unreadable:rottentomatoes"),
        ({"outcome": "partly", "unreadable": 4, "asked": 4}, None),
        ({"outcome": "partly", "failed": 9}, None),
    ],
)
def test_a_crawl_that_went_wrong_as_a_whole_is_told_a_few_odd_pages_are_not(
    nights: Nights, crawl: dict[str, Any], key: str | None
) -> None:
    nights.run(0.1, "partly", crawls={"rottentomatoes": crawl})
    assert set(nights.found()) == ({key} if key else set())


def test_crawls_that_were_skipped_or_interrupted_say_nothing_of_a_source(nights: Nights) -> None:
    nights.run(0.3, "partly", crawls={"rottentomatoes": "blocked"})
    nights.run(0.2, "interrupted", crawls={"rottentomatoes": "interrupted"})
    nights.run(0.1, crawls={"rottentomatoes": "skipped"})
    assert set(nights.found()) == {"blocked:rottentomatoes"}
    nights.run(0.05)
    assert nights.found() == {}


def test_a_source_that_is_switched_off_or_paused_is_no_fault(nights: Nights) -> None:
    nights.run(0.1, "partly", crawls={"rottentomatoes": "blocked", "metacritic": "blocked"})
    assert set(nights.found()) == {"blocked:rottentomatoes"}
    nights.ready("sources", "pause", "rottentomatoes", "--until", NEXT_YEAR)
    (note,) = nights.found().values()
    assert (note["key"], note["level"]) == ("paused:rottentomatoes", "note")
    assert NEXT_YEAR in note["what"]


def test_a_missing_key_of_a_source_that_is_on_is_a_note(nights: Nights) -> None:
    nights.run(0.1)
    del nights.ready.environment["TMDB_API_TOKEN"]
    assert set(nights.found()) == {"key-missing:tmdb"}
    nights.ready.settings("[sources.tmdb]\nenabled = false\n")
    assert nights.found() == {}


# --- what is held, known and old ------------------------------------------------------------------


def hold(nights: Nights, number: int, topic: str, rule: str) -> None:
    """Cases of the guard, as it writes them."""
    for _ in range(number):
        case = {"topic": topic, "rule": rule, "reason": "so few", "record": "{}"}
        nights.insert(
            "quarantine",
            {**case, "source": "rottentomatoes", "held_at": ago(1), "last_held_at": ago(0)},
        )


def test_a_crawl_that_is_held_is_told_by_its_rule(nights: Nights) -> None:
    nights.run(0.1)
    hold(nights, 1, "crawl", "cut_short")
    hold(nights, 1, "crawl", "new_layout")
    found = nights.found()
    assert list(found) == ["cut-short:rottentomatoes", "new-layout:rottentomatoes"]
    assert found["cut-short:rottentomatoes"]["what"].endswith("so few")
    assert found["cut-short:rottentomatoes"]["page"] == "docs/bad-nights.md#cut-short"


def test_a_few_records_that_are_held_are_no_matter_many_are(nights: Nights) -> None:
    nights.run(0.1)
    hold(nights, 2, "tomatometer", "unexplained")
    hold(nights, 7, "tomatometer", "votes_fell")
    assert nights.found() == {}
    hold(nights, 1, "tomatometer", "votes_fell")
    assert "10 answers" in nights.found()["held:rottentomatoes"]["what"]
    assert nights.found()["held:rottentomatoes"]["what"].endswith("votes_fell")
    nights.execute("UPDATE quarantine SET decision = 'rejected'")
    assert nights.found() == {}


def test_every_rule_of_a_crawl_has_a_finding_of_its_own() -> None:
    """`doubt_records` stands here for the module: its rules are those that hold a crawl."""
    source = Path(doubt_records.__code__.co_filename).read_text("utf-8")
    rules = {Rule[name].value.replace("_", "-") for name in re.findall(r"Rule\.([A-Z_]+)", source)}
    assert rules
    assert rules <= set(KINDS)


def covered(nights: Nights, *scored_films: int, kind: str = "tomatometer") -> None:
    """Nights, the last of them last night, each with so many films scored by one kind."""
    for number, films in enumerate(scored_films):
        run_id = nights.run(len(scored_films) - number - 0.9)
        row = {"run_id": run_id, "score_kind": kind, "scored": films, "films": 100}
        nights.insert("run_coverage", row)


@pytest.mark.parametrize(
    ("past", "fell"),
    [
        ((4, 5, 4), True),
        ((4, 4), False),  # two nights are no past
        ((1, 2, 2), False),
        ((90, *[60] * 20), True),
    ],
)
def test_coverage_fell_where_fewer_films_are_known_than_in_the_last_fortnight(
    nights: Nights, past: tuple[int, ...], fell: bool
) -> None:
    covered(nights, *past)
    with keeping(nights.ready.folder / "ratings.db") as kept:
        kept.tell(tomatometer(scored(93), ago(0.1)))
        kept.match()
    assert set(nights.found()) == ({"coverage:tomatometer"} if fell else set())


def test_what_fell_is_told_until_it_is_back_or_was_acknowledged_for_a_fortnight(
    nights: Nights,
) -> None:
    """A column that emptied is not usual because it is empty for long."""

    def more_nights(number: int) -> set[str]:
        with writing(nights.ready.folder / "ratings.db") as db:
            for _ in range(number):
                nights.run(0.1)
                note_night(db, nights.ready.folder / "ratings.db")
        return set(nights.found())

    fell = "coverage:imdb_rating"
    covered(nights, *[5] * 14, kind="imdb_rating")
    assert more_nights(20) == {fell}
    rating = {"imdb_rating": scored(7.8, scale_max=10)}
    films = [record("imdb", f"tt{number:07}", title="Up", scores=rating) for number in range(1, 6)]
    with keeping(nights.ready.folder / "ratings.db") as kept:
        kept.tell(*(answer(film, at=ago(0.1)) for film in films))
        kept.match()
    assert more_nights(1) == set()
    nights.execute("UPDATE score_counts SET state = 'missing' WHERE score_kind = 'imdb_rating'")
    assert more_nights(20) == {fell}
    nights.ready("health", "--ack", fell, "--until", NEXT_YEAR)
    assert more_nights(3) == {fell}  # printed it is all the same
    assert more_nights(11) == set()


def test_figures_that_nothing_confirms_go_stale(nights: Nights) -> None:
    """Not those that nothing could confirm: gone, of no film of ours, of a saved page alone."""
    nights.run(0.1)
    films = [
        record("rottentomatoes", f"m/film_{number}", scores={"tomatometer": scored(93)})
        for number in range(30)
    ]
    claims = {
        f"Q{at}": (("imdb", (f"tt{at:07}",)), ("rottentomatoes", (f"m/film_{at}",)))
        for at in range(30)
    }
    with keeping(nights.ready.folder / "ratings.db") as kept:
        for number, film in enumerate(films):
            kept.tell(answer(film, at=ago(160 if number < 4 else 10)))
            kept.tell(answer(record("imdb", f"tt{number:07}", title=f"Film {number}"), at=ago(1)))
        for item, ids in claims.items():
            kept.tell(answer(record("wikidata", item, identifiers=dict(ids)), at=ago(1)))
        for number in range(40, 60):
            kept.tell(tomatometer(scored(93), ago(160), f"m/no_film_{number}"))
        kept.match()
        saved = record("rottentomatoes", "m/film_29", scores={"popcornmeter": scored(93)})
        kept.tell(answer(saved, at=ago(2000)), origin="archive")
    nights.execute(
        "UPDATE listings SET gone_at = ? WHERE source_id IN ('m/film_0', 'm/film_29')", ago(3)
    )
    finding = nights.found()["stale:rottentomatoes"]
    assert finding["what"].startswith("3 of 28 figures of Rotten Tomatoes were not confirmed")


# --- disk -----------------------------------------------------------------------------------------


def test_growth_that_soon_fills_the_disk_is_told(nights: Nights) -> None:
    nights.run(8, db_bytes=1_000, wal_bytes=0)
    nights.run(0.1)
    assert nights.found() == {}
    ended = nights.ready("health", "--json").json
    assert ended["grown_in_a_week_bytes"] == ended["db_bytes"] + ended["wal_bytes"] - 1_000
    # As if it had been smaller by as much as fills any disk within four weeks.
    nights.execute("UPDATE runs SET db_bytes = -? WHERE run_id = 1", ended["free_bytes"])
    assert set(nights.found()) == {"disk"}


def test_growth_since_long_ago_is_no_weeks_and_a_loss_is_none(nights: Nights) -> None:
    nights.run(30, db_bytes=-(10**18), wal_bytes=0)
    nights.run(0.1)
    assert nights.found() == {}
    assert nights.ready("health", "--json").json["grown_in_a_week_bytes"] is None
    assert "a week ago" not in nights.ready("health").out
    nights.run(8, db_bytes=5 * 10**12, wal_bytes=0)
    assert "(5,000.0 GB less than a week ago)" in nights.ready("health").out


def test_a_wal_that_is_never_written_back_is_told(nights: Nights) -> None:
    nights.run(0.1)
    wal = nights.ready.folder / "ratings.db-wal"
    with wal.open("wb") as file:
        file.truncate(150_000_000)  # SQLite takes a WAL of zeroes for an empty one
    assert set(nights.found()) == {"wal"}


# --- for programs, and acknowledged ---------------------------------------------------------------


def test_the_prometheus_file_says_the_same_whole_or_not_at_all(nights: Nights) -> None:
    ended = ago(0.1)
    nights.run(0.1, "partly", crawls={"rottentomatoes": "blocked", "imdb": "ok"})
    hold(nights, 3, "tomatometer", "votes_fell")
    done = nights.ready("health", "--prometheus", "afterscore.prom")
    assert done.status == 1
    lines = (nights.ready.folder / "afterscore.prom").read_text("utf-8").splitlines()
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert samples["afterscore_healthy"] == "0"
    assert samples['afterscore_finding{key="blocked:rottentomatoes",level="fault"}'] == "1"
    assert samples['afterscore_held{source="rottentomatoes"}'] == "3"
    assert samples['afterscore_films_scored{score_kind="tomatometer"}'] == "0"
    seconds = float(samples['afterscore_source_success_timestamp_seconds{source="imdb"}'])
    assert abs(seconds - clock.moment(ended).timestamp()) < 60
    assert 'afterscore_source_success_timestamp_seconds{source="rottentomatoes"}' not in samples
    assert float(samples["afterscore_database_bytes"]) > 0
    names = {re.split(r"[{ ]", sample)[0] for sample in samples}
    for word in ("HELP", "TYPE"):
        told = [line.split()[2] for line in lines if line.startswith(f"# {word} ")]
        assert sorted(told) == sorted(names), "each metric is described once"
    assert {path.suffix for path in nights.ready.folder.iterdir()} & {".partial"} == set()


def test_a_prometheus_file_that_cannot_be_written_is_said(nights: Nights) -> None:
    nights.run(0.1)
    ended = nights.ready("health", "--prometheus", "nowhere/afterscore.prom")
    assert ended.status == 2
    assert "cannot write nowhere/afterscore.prom" in ended.err
    (nights.ready.folder / "folder").mkdir()
    assert nights.ready("health", "--prometheus", "folder").status == 2
    assert list(nights.ready.folder.glob("*.partial")) == []


def test_the_prometheus_file_of_a_database_that_is_gone_is_not_well(nights: Nights) -> None:
    nights.run(0.1)
    file = nights.ready.folder / "afterscore.prom"
    assert nights.ready("health", "--prometheus", file).status == 0
    assert "\nafterscore_healthy 1\n" in file.read_text("utf-8")
    (nights.ready.folder / "ratings.db").unlink()
    assert nights.ready("health", "--prometheus", file).status == 2
    assert file.read_text("utf-8").endswith("\nafterscore_healthy 0\n")


def test_what_is_acknowledged_is_still_printed_and_marked(nights: Nights) -> None:
    nights.run(0.1, "partly", crawls={"rottentomatoes": "blocked"})
    acked = nights.ready("health", "--ack", "blocked:rottentomatoes", "--until", NEXT_YEAR)
    assert acked.status == 0
    assert f"[no alert until {NEXT_YEAR}T00:00:00Z]" in nights.ready("health").out
    assert nights.found()["blocked:rottentomatoes"]["acked_until"] == f"{NEXT_YEAR}T00:00:00Z"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--ack", "late"), "go together"),
        (("--ack", "lat", "--until", NEXT_YEAR), "no finding is called 'lat'"),
        (("--ack", "late", "--until", "2020-01-01"), "over already"),
        (("--ack", "late", "--until", "9999-12-31T23:59:59-05:00"), "2027-01-15"),
    ],
)
def test_what_cannot_be_acknowledged_is_said(
    nights: Nights, words: tuple[str, ...], told: str
) -> None:
    ended = nights.ready("health", *words)
    assert ended.status == 2
    assert told in ended.err


def test_every_source_can_be_in_trouble(nights: Nights) -> None:
    """One line each, in the register's words, and none so long that nobody reads it."""
    nights.ready.settings("\n".join(f"[sources.{s.key}]\nenabled = true" for s in SOURCES))
    nights.run(0.1, "partly", crawls={source.key: "blocked" for source in SOURCES})
    lines = nights.ready("health").out.splitlines()
    assert len(lines) == len(SOURCES) + 1
    assert max(map(len, lines)) < 200

"""Alerts over real HTTP on localhost: told on change only, in one message, and never the URL."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import clock
from schedules.replica import Replica
from spiders.sources import SOURCES
from tests.answers import keeping
from tests.channel import Channel
from tests.conftest import Afterscore, Ended, beside

TOKEN = "s3cret-t0ken-of-the-channel"
NEXT_YEAR = clock.later(clock.now(), days=365)[:10]


class Told:
    """A database whose last night the test decides on, and a command that tells of it."""

    def __init__(self, folder: Path, channel: Channel) -> None:
        urls = f"json://{channel.host}/{TOKEN}"
        self.ready = Afterscore(folder, {"AFTERSCORE_ALERT_URLS": urls, "TMDB_API_TOKEN": "a-key"})
        self.ready.settings("[sources.rottentomatoes]\nenabled = true")
        self.channel = channel
        with keeping(folder / "ratings.db") as kept:
            kept.db.conn.execute(
                "INSERT INTO runs (run_id, command, plan, pid, started_at, ended_at, outcome,"
                " db_bytes, wal_bytes) VALUES (1, 'refresh', '{}', 1, ?1, ?1, 'partly', 0, 0)",
                [clock.now()],
            )
            kept.db.conn.execute(
                "INSERT INTO crawls (run_id, source, started_at, outcome)"
                " VALUES (1, 'rottentomatoes', ?1, 'ok'), (1, 'imdb', ?1, 'ok')",
                [clock.now()],
            )

    def execute(self, sql: str, *values: Any) -> None:
        db = sqlite3.connect(self.ready.folder / "ratings.db", isolation_level=None)
        db.execute(sql, values)
        db.close()

    def crawl(self, source: str, outcome: str) -> None:
        """How the source's last crawl ended."""
        self.execute("UPDATE crawls SET outcome = ? WHERE source = ?", outcome, source)

    def days_pass(self, days: float) -> None:
        """What was told is so much longer ago."""
        self.execute(
            "UPDATE alerts SET told_at = strftime('%Y-%m-%dT%H:%M:%SZ', told_at, ?)",
            f"-{days} days",
        )

    def tell(self) -> list[dict[str, Any]]:
        """Tell, and give the messages that came."""
        self.ended = self.ready("health", "--tell")
        assert TOKEN not in self.ended.out + self.ended.err
        return self.channel.taken()


@pytest.fixture
def told(tmp_path: Path, channel: Channel) -> Told:
    return Told(tmp_path, channel)


def test_where_all_is_well_nothing_is_sent(told: Told) -> None:
    assert told.tell() == []
    assert told.ended.status == 0


def test_what_is_new_is_told_once_with_what_stands_and_what_to_do(told: Told) -> None:
    told.crawl("rottentomatoes", "blocked")
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new")
    assert "NEW blocked:rottentomatoes" in message["message"]
    assert "Its figures stand, with their true age." in message["message"]
    assert "What to do: afterscore sources check rottentomatoes" in message["message"]
    assert "docs/bad-nights.md#blocked" in message["message"]
    assert told.tell() == []


@pytest.mark.parametrize("spoil", ["another file", "damaged", "gone", "full"])
def test_a_database_that_cannot_be_used_is_told_of(told: Told, spoil: str) -> None:
    path = told.ready.folder / "ratings.db"
    told.crawl("rottentomatoes", "blocked")
    if spoil == "full":
        full = "SELECT RAISE(ABORT, 'the disk is full')"
        told.execute(f"CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN {full}; END")
    elif spoil == "gone":
        path.unlink()
    elif spoil == "damaged":
        with path.open("r+b") as file:
            file.seek(2 * 4_096)
            file.write(b"?" * (path.stat().st_size - file.tell()))
    else:
        path.write_bytes(b"?" * 4_096)
    (message,) = told.tell()
    assert told.ended.status == 2
    assert "Traceback" not in told.ended.err
    assert message["title"].endswith(": the database cannot be used")
    assert ("THERE IS blocked:rottentomatoes" in message["message"]) == (spoil == "full")


def test_one_message_has_all_that_changed(told: Told) -> None:
    told.crawl("imdb", "failed")
    told.tell()
    told.days_pass(8)
    told.crawl("rottentomatoes", "blocked")
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new, 1 still there")
    told.crawl("imdb", "blocked")
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new, 1 no longer so")


def test_what_is_still_there_is_told_weekly(told: Told) -> None:
    told.crawl("rottentomatoes", "blocked")
    told.tell()
    told.days_pass(6)
    assert told.tell() == []
    told.days_pass(2)
    (message,) = told.tell()
    assert message["message"].startswith("STILL THERE blocked:rottentomatoes")
    assert told.tell() == []


def test_what_is_over_is_told_once_and_is_new_when_it_comes_back(told: Told) -> None:
    told.crawl("rottentomatoes", "blocked")
    told.tell()
    told.crawl("rottentomatoes", "ok")
    (message,) = told.tell()
    assert message["message"].startswith("RECOVERED blocked:rottentomatoes")
    assert told.tell() == []
    told.crawl("rottentomatoes", "blocked")
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new")


PAUSE = ("sources", "pause", "rottentomatoes")
RESUME = ("sources", "resume", "rottentomatoes")
OFF = "[sources.rottentomatoes]\nenabled = false"
ON = "[sources.rottentomatoes]\nenabled = true"


@pytest.mark.parametrize("outcome", ["blocked", "failed"])
@pytest.mark.parametrize("how", ["paused", "switched off"])
def test_a_source_that_is_no_longer_asked_has_not_recovered(
    told: Told, outcome: str, how: str
) -> None:
    told.crawl("rottentomatoes", outcome)
    told.tell()
    told.days_pass(8)
    told.ready(*PAUSE) if how == "paused" else told.ready.settings(OFF)
    assert told.tell() == []
    assert told.ended.status == 0, "and it is looked for no more"
    told.ready(*RESUME) if how == "paused" else told.ready.settings(ON)
    (message,) = told.tell()
    assert message["title"].endswith(": 1 still there")
    told.crawl("rottentomatoes", "ok")
    (message,) = told.tell()
    assert message["title"].endswith(": 1 recovered")


def test_a_source_with_another_fault_has_not_recovered(told: Told) -> None:
    told.crawl("rottentomatoes", "blocked")
    told.tell()
    told.crawl("rottentomatoes", "failed")
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new, 1 no longer so")
    assert "NO LONGER blocked:rottentomatoes" in message["message"]
    assert "now there is failing:rottentomatoes." in message["message"]
    assert "RECOVERED" not in message["message"]


def test_a_crawl_that_another_rule_holds_has_not_recovered(told: Told) -> None:
    told.execute(
        "INSERT INTO quarantine (run_id, source, topic, rule, reason, record, held_at,"
        " last_held_at, times_held) VALUES (1, 'imdb', 'crawl', 'cut_short', 'half',"
        ' \'{"answers": 1, "records": 1}\', ?1, ?1, 1)',
        clock.now(),
    )
    told.tell()
    told.execute("UPDATE quarantine SET rule = 'fields_vanished'")
    (message,) = told.tell()
    assert "NO LONGER cut-short:imdb" in message["message"]
    assert "now there is fields-vanished:imdb." in message["message"]
    assert "RECOVERED" not in message["message"]
    told.ready("sources", "pause", "imdb")
    told.execute("UPDATE quarantine SET decision = 'rejected', decided_at = ?", clock.now())
    (message,) = told.tell()
    assert "RECOVERED fields-vanished:imdb" in message["message"], "settled, asked or not"


def test_a_run_that_was_killed_after_one_that_failed_is_no_recovery(told: Told) -> None:
    told.execute("UPDATE runs SET outcome = 'failed', exception = 'OSError: disk is full'")
    told.tell()
    told.execute("UPDATE runs SET outcome = 'interrupted', exception = 'the process was killed'")
    (message,) = told.tell()
    assert "NO LONGER failed-run" in message["message"]
    assert "now there is killed-run." in message["message"]


def test_what_could_not_be_sent_is_told_the_next_time(told: Told) -> None:
    told.channel.status = 500
    told.crawl("rottentomatoes", "blocked")
    told.tell()
    assert told.ended.status == 1
    assert "not sent: URL 1 of AFTERSCORE_ALERT_URLS (JSON)" in told.ended.err
    assert "500" in told.ended.err
    told.channel.status = 200
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new")


def test_one_channel_of_two_is_enough_and_the_other_is_named(told: Told) -> None:
    told.ready.environment["AFTERSCORE_ALERT_URLS"] += f" slack://{TOKEN}"
    told.crawl("rottentomatoes", "blocked")
    assert len(told.tell()) == 1
    assert "URL 2 of AFTERSCORE_ALERT_URLS is none that apprise knows" in told.ended.err
    assert told.tell() == []


def test_what_came_and_went_while_nobody_could_be_told_is_not_told(told: Told) -> None:
    urls = told.ready.environment.pop("AFTERSCORE_ALERT_URLS")
    told.crawl("rottentomatoes", "blocked")
    told.tell()
    told.crawl("rottentomatoes", "ok")
    told.ready.environment["AFTERSCORE_ALERT_URLS"] = urls
    assert told.tell() == []


def test_what_is_acknowledged_is_not_told_until_its_day(told: Told) -> None:
    told.ready("health", "--ack", "blocked:rottentomatoes", "--until", NEXT_YEAR)
    told.crawl("rottentomatoes", "blocked")
    assert told.tell() == []
    told.crawl("rottentomatoes", "ok")
    assert told.tell() == []
    told.crawl("rottentomatoes", "blocked")
    assert told.tell() == []
    told.execute("UPDATE alerts SET acked_until = ?", clock.now())
    (message,) = told.tell()
    assert message["title"].endswith(": 1 new")


def test_notes_are_never_told(told: Told) -> None:
    told.ready("sources", "pause", "imdb")
    assert told.tell() == []


def test_alerts_go_out_while_a_run_holds_the_database(told: Told) -> None:
    """A night that hangs must not keep the alert that it is late from being sent."""
    told.crawl("rottentomatoes", "blocked")
    with keeping(told.ready.folder / "ratings.db"):
        assert len(told.tell()) == 1


def test_an_address_that_is_none_ends_no_command_and_stays_secret(told: Told) -> None:
    told.ready.environment["AFTERSCORE_ALERT_URLS"] = "mailto://me:pa[ss1234@example.org"
    ended = told.ready("runs")
    assert (ended.status, ended.err) == (0, "")
    told.ready.environment["AFTERSCORE_CONTACT"] = "pa[ss1234"
    assert "pa[ss1234" not in told.ready("init").out
    assert "none that apprise knows" in told.ready("health", "--test-alert").err


def test_a_test_message_reaches_every_channel_or_is_said_not_to(told: Told) -> None:
    assert told.ready("health", "--test-alert").status == 0
    (message,) = told.channel.taken()
    assert "This is a test" in message["message"]
    told.ready.environment["AFTERSCORE_ALERT_URLS"] = f"json://127.0.0.1:9/{TOKEN}"
    ended = told.ready("health", "--test-alert")
    assert ended.status == 1
    assert "Sent to 0 of 1." in ended.out
    assert "URL 1 of AFTERSCORE_ALERT_URLS (JSON): " in ended.err
    assert TOKEN not in ended.out + ended.err
    del told.ready.environment["AFTERSCORE_ALERT_URLS"]
    assert told.ready("health", "--test-alert").status == 2


# --- whole nights ---------------------------------------------------------------------------------


NIGHTLY = ("wikidata", "rottentomatoes", "metacritic")
THREE_ON = "\n".join(
    f"[sources.{source.key}]\nenabled = {str(source.key in NIGHTLY).lower()}\ndelay_seconds = 0"
    for source in SOURCES
)


@pytest.fixture
def refresh(tmp_path: Path, channel: Channel) -> Iterator[Callable[..., Ended]]:
    """Run a refresh against a replica, with alerts and a heartbeat."""
    with Replica() as replica:
        ready = beside(replica, tmp_path, THREE_ON)
        ready.environment["AFTERSCORE_ALERT_URLS"] = f"json://{channel.host}/{TOKEN}"
        ready.environment["AFTERSCORE_HEARTBEAT_URL"] = f"http://{channel.host}/beat/{TOKEN}"
        ready("track", "imdb:tt1074638", "rottentomatoes:m/skyfall")

        def run(*words: str, **environment: str) -> Ended:
            ready.environment.update(environment)
            return ready("refresh", *words)

        yield run


def test_a_night_beats_at_its_start_and_end(
    refresh: Callable[..., Ended], channel: Channel
) -> None:
    assert refresh().status == 0
    assert channel.asked == [f"/beat/{TOKEN}/start", f"/beat/{TOKEN}"]
    assert channel.taken() == []


def test_a_heartbeat_keeps_its_query_behind_what_it_tells(
    refresh: Callable[..., Ended], channel: Channel
) -> None:
    refresh(AFTERSCORE_HEARTBEAT_URL=f"http://{channel.host}/beat/?to=you#here")
    assert channel.asked == ["/beat/start?to=you", "/beat/?to=you"]


def test_a_night_on_which_a_source_failed_tells_of_it_at_its_end(
    refresh: Callable[..., Ended], channel: Channel
) -> None:
    nobody = "http://127.0.0.1:9"
    ended = refresh(
        "--again", AFTERSCORE_METACRITIC_URL=nobody, AFTERSCORE_WIKIDATA_SPARQL_URL=nobody
    )
    assert ended.status == 1
    (message,) = channel.taken()
    assert "NEW failing:wikidata" in message["message"]
    assert channel.asked[-1] == f"/beat/{TOKEN}", "the night itself came to its end"


def test_a_night_that_cannot_begin_beats_with_fail(
    refresh: Callable[..., Ended], channel: Channel, tmp_path: Path
) -> None:
    (tmp_path / "afterscore.toml").write_text("[universe]\n", "utf-8")
    ended = refresh(AFTERSCORE_IMDB_DATASETS_URL="https://datasets.imdbws.com")
    assert ended.status == 2
    assert "no contact is set" in ended.err
    assert channel.asked == [f"/beat/{TOKEN}/start", f"/beat/{TOKEN}/fail"]


def test_a_narrowed_refresh_neither_beats_nor_tells(
    refresh: Callable[..., Ended], channel: Channel
) -> None:
    refresh("--source", "rottentomatoes")
    assert (channel.asked, channel.taken()) == ([], [])


def test_a_heartbeat_with_a_password_sends_it_and_shows_it_nowhere(
    refresh: Callable[..., Ended], channel: Channel
) -> None:
    url = f"http://me:{TOKEN}%40@{channel.host}/beat"
    ended = refresh(AFTERSCORE_HEARTBEAT_URL=url)
    basic = base64.b64encode(f"me:{TOKEN}@".encode()).decode()
    assert channel.asked == ["/beat/start", "/beat"]
    assert channel.credentials == [f"Basic {basic}"] * 2
    channel.status = 500
    told = refresh(AFTERSCORE_HEARTBEAT_URL=url)
    assert "heartbeat /start not sent" in told.err
    shown = ended.out + ended.err + told.out + told.err
    assert TOKEN not in shown
    assert basic not in shown


def test_a_heartbeat_that_is_not_heard_fails_no_night_and_is_one_line(
    refresh: Callable[..., Ended],
) -> None:
    ended = refresh(AFTERSCORE_HEARTBEAT_URL=f"http://127.0.0.1:9/{TOKEN}")
    assert ended.status == 0
    lines = [line for line in ended.err.splitlines() if "heartbeat" in line]
    assert [line.partition(":")[0] for line in lines] == [
        "heartbeat /start not sent",
        "heartbeat (success) not sent",
    ]
    assert TOKEN not in ended.out + ended.err

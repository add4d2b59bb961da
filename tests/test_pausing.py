"""`sources pause` and `resume`: a source that is left alone, by whom it is said, and its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import clock
from schedules.replica import Replica
from tests.answers import keeping
from tests.conftest import Afterscore, beside

IN_A_YEAR = clock.later(clock.now(), days=365)[:10]


@pytest.fixture
def tracking(tmp_path: Path) -> Afterscore:
    """Every source on, and one film of Rotten Tomatoes tracked."""
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        assert ready("track", "rottentomatoes:m/skyfall").status == 0
        return ready


def skipped(ready: Afterscore) -> str | None:
    """Why a plan leaves Rotten Tomatoes out."""
    told: str | None = ready("plan", "--json").json["skipped"].get("rottentomatoes")
    return told


def test_a_paused_source_is_not_asked_and_the_reason_is_told_everywhere(tmp_path: Path) -> None:
    with Replica() as replica:
        ready = beside(replica, tmp_path)
        ready("track", "rottentomatoes:m/skyfall", "metacritic:movie/skyfall")
        assert ready("sources", "pause", "rottentomatoes", "--why", "new layout").status == 0
        ended = ready("refresh", "--source", "rottentomatoes", "--source", "metacritic")
        assert "rottentomatoes: skipped: paused since" in ended.err
        assert {asked.host for asked in replica.asked} == {"metacritic"}
    assert "(new layout); 'afterscore sources resume rottentomatoes'" in str(skipped(ready))
    assert "rottentomatoes: paused since" in ready("sources").out
    (row,) = ready.database().query("SELECT outcome, detail FROM crawls WHERE source LIKE 'rott%'")
    assert row["outcome"] == "skipped"
    assert "new layout" in row["detail"]


def test_resuming_ends_a_pause(tracking: Afterscore) -> None:
    tracking("sources", "pause", "rottentomatoes")
    assert "asked again" in tracking("sources", "resume", "rottentomatoes").out
    assert skipped(tracking) is None
    assert "was not paused" in tracking("sources", "resume", "rottentomatoes").out


def test_a_source_that_is_off_is_shown_to_be_paused_and_resuming_does_not_switch_it_on(
    tracking: Afterscore,
) -> None:
    tracking.settings("[universe]")
    tracking("sources", "pause", "metacritic", "--why", "new layout")
    for flags in ((), ("--json",)):
        told = " ".join(tracking("sources", *flags).out.split())
        assert "under [sources.metacritic] in afterscore.toml; and paused since" in told
    told = tracking("sources", "resume", "metacritic").out
    assert "no longer paused, and still not asked: its terms forbid automation" in told


def test_a_pause_ends_by_itself_at_its_date(tracking: Afterscore) -> None:
    ended = tracking("sources", "pause", "rottentomatoes", "--until", IN_A_YEAR)
    assert f"paused until {IN_A_YEAR}T00:00:00Z" in ended.out
    assert skipped(tracking)
    with keeping(tracking.folder / "ratings.db") as kept:
        kept.db.conn.execute("UPDATE paused_sources SET paused_until = ?", [clock.now()])
    assert skipped(tracking) is None
    assert "paused" not in tracking("sources").out


def test_a_source_can_be_paused_while_a_run_writes(tracking: Afterscore) -> None:
    with keeping(tracking.folder / "ratings.db"):
        assert tracking("sources", "pause", "rottentomatoes").status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("pause", "rottentomatos"), "rottentomatoes"),
        (("pause", "tmdb", "--until", "soon"), "2027-01-15"),
        (("pause", "tmdb", "--until", "2020-01-01"), "over already"),
        (("pause", "tmdb", "--until", "9999-12-31T23:59:59-05:00"), "2027-01-15"),
    ],
)
def test_what_cannot_be_paused_is_said(
    tracking: Afterscore, words: tuple[str, ...], told: str
) -> None:
    ended = tracking("sources", *words)
    assert ended.status == 2
    assert told in ended.err


def test_without_a_database_nothing_is_paused(afterscore: Afterscore) -> None:
    assert afterscore("sources").status == 0
    assert afterscore("sources", "pause", "tmdb").status == 2
    assert not (afterscore.folder / "ratings.db").exists()

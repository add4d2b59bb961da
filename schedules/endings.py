"""How a crawl ended, in a run's words: its outcome, its detail, and what a person is told."""

from __future__ import annotations

from pipelines.wording import counted
from schedules.results import Crawled
from schedules.stage import Ended


def note_end(crawled: Crawled, ended: Ended, *, gave_way: bool, stopped: bool) -> str | None:
    """Write down how a crawl ended; the line that a person is told of it, or None.

    `gave_way`: the run has ended its crawls for another command to go first; `stopped`: since it
    was told to end itself.
    """
    if ended.finished:
        _note_failures(crawled)
        return None
    reason = ended.reason.partition(":")[0]
    rest = ended.reason.partition(": ")[2]
    if reason == "skipped":
        crawled.outcome, crawled.detail = "skipped", rest
        return f"{ended.source}: skipped: {crawled.detail}"
    if ended.exception:
        crawled.outcome, crawled.exception = "failed", ended.exception
        crawled.detail = ended.exception.partition("\n")[0]
    elif reason in ("blocked", "rate_limited", "unauthorised"):
        crawled.outcome, crawled.detail = "blocked", ended.reason
    elif reason in ("out_of_time", "partly"):
        crawled.outcome, crawled.detail = "partly", rest
    elif gave_way:
        crawled.detail = "gave way; the next run goes on"
    elif stopped:  # by a person or by --until: the rest comes next time
        crawled.outcome, crawled.detail = "interrupted", "ended before its time"
    else:
        crawled.outcome, crawled.detail = "failed", ended.reason
    if crawled.outcome in ("ok", "interrupted"):
        return None
    return f"{ended.source}: {crawled.outcome} ({crawled.detail}). What was stored stands."


def _note_failures(crawled: Crawled) -> None:
    """A crawl that came to its end is `partly` where some of its answers could not be used."""
    failed = sum(crawled.tally.counts[name] for name in ("failed", "unreadable", "blocked"))
    if failed and crawled.outcome == "ok":
        crawled.outcome = "partly"
        crawled.detail = f"{counted(failed, 'answer')} could not be used"

"""Saved pages are history: in whatever order they come, however often, before live answers or
after them, the same comes to stand. Those between the same two answers leave the same tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as counting
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import spiders
from pipelines.moves import write_all_moves
from schedules.replica import Replica
from spiders.items import Answer, Credits, Score, Verdict
from tests.answers import Kept, answer, day, keeping, missing, not_rated, record, scored
from tests.conftest import Afterscore, beside

PLACES = [Credits(during=a, after=b) for a in Verdict for b in Verdict]
FIGURES = [
    scored(0, 20),
    scored(92, 200),
    scored(93, 300),
    scored(93, None),
    not_rated(),
    missing(),
]


# --- every order of the same pages and answers --------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """A saved page: its day and how exact that is, what it shows, and where it lay."""

    on: int
    score: Score
    verdict: Credits | None = None
    exact: str = "day"
    url: str = "https://www.rottentomatoes.com/m/skyfall"
    layout: str = "meter-2014"


@dataclass(frozen=True)
class Live:
    """What the site answered on a day; without a score, that its page is unchanged."""

    on: float
    score: Score | None
    verdict: Credits | None = None


saved_pages = st.builds(
    Saved,
    on=st.integers(1, 12),
    score=st.sampled_from([*FIGURES, scored(93, 300, basis="verified"), scored(93, 300, 10)]),
    verdict=st.none() | st.sampled_from(PLACES),
    exact=st.sampled_from(["day", "month"]),
    url=st.sampled_from(["https://www.rottentomatoes.com/m/a", "http://rottentomatoes.com/m/a"]),
    layout=st.sampled_from(["meter-2014", "scorecard-2024"]),
)


@st.composite
def live_answers(draw: st.DrawFn) -> list[Live]:
    """What the site answered, day by day; a 304 comes only after a whole page."""
    days = sorted(draw(st.sets(st.integers(3, 12), max_size=4)))
    said: list[Live] = []
    for on in days:
        unchanged = bool(said) and draw(st.booleans())
        score = None if unchanged else draw(st.sampled_from([*FIGURES, scored(93, 120)]))
        verdict = None if unchanged else draw(st.none() | st.sampled_from(PLACES))
        said.append(Live(on, score, verdict))
    return said


@st.composite
def orders(
    draw: st.DrawFn, pages: Sequence[Saved], live: Sequence[Live], first: Sequence[int]
) -> list[Saved | Live]:
    """One order in which all of it may come: answers day by day, and each page before as many of
    them as `first` tells, and perhaps once more since."""
    steps: list[tuple[int, int, int, Saved | Live]] = [(n, 1, 0, one) for n, one in enumerate(live)]
    for page, slot in zip(pages, first, strict=True):
        again = draw(st.lists(st.integers(slot, len(live)), max_size=1))
        steps += ((n, 0, draw(st.integers(0, 99)), page) for n in (slot, *again))
    return [step[-1] for step in sorted(steps, key=lambda step: step[:3])]


@st.composite
def slots(draw: st.DrawFn, pages: Sequence[Saved], live: Sequence[Live]) -> list[int]:
    """After how many answers each page comes: none before those of the days before it was saved."""
    earliest = [sum(one.on < page.on for one in live) for page in pages]
    return [draw(st.integers(n, len(live))) for n in earliest]


@st.composite
def two_orders(
    draw: st.DrawFn, *, alike: bool = False
) -> tuple[list[Saved | Live], list[Saved | Live]]:
    """The same saved pages and live answers in two orders; `alike`, each page comes first between
    the same two answers in both."""
    pages = draw(st.lists(saved_pages, max_size=5))
    live = draw(live_answers())
    first = draw(slots(pages, live))
    other = first if alike else draw(slots(pages, live))
    return draw(orders(pages, live, first)), draw(orders(pages, live, other))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with keeping(tmp_path_factory.mktemp("kept") / "ratings.db") as kept:
        yield kept


_numbers = counting(1)
TABLES = (
    "scores",
    "score_observations",
    "credits_verdicts",
    "confirmations",
    "standing_verdicts",
    "score_history",
    "score_changes",
    "moves",
)


def as_answer(step: Saved | Live, listing: str) -> Answer:
    scores = {} if step.score is None else {"tomatometer": step.score}
    said = record(source_id=listing, scores=scores, credits=step.verdict)
    if isinstance(step, Saved):
        said = said.model_copy(update={"url": step.url, "layout": step.layout})
        return answer(said, at=day(step.on), target="archive", asked_url=step.url)
    return answer(
        said,
        at=day(step.on),
        etag=f'"{step.on}"',
        unchanged=step.score is None,
        records=() if step.score is None else (said,),
    )


def standing(kept: Kept, steps: Sequence[Saved | Live]) -> dict[str, Any]:
    """The one score that stands after all this."""
    (stands,) = tables_after(kept, steps)["scores"]
    return dict(stands)


def tables_after(kept: Kept, steps: Sequence[Saved | Live]) -> dict[str, list[Any]]:
    """What is written of a listing that was told all this, in this order, by table and view."""
    listing = f"m/film_{next(_numbers)}"
    for step in steps:
        told = as_answer(step, listing)
        if isinstance(step, Saved):
            kept.tell(told, origin="archive", exact=step.exact)
        else:
            kept.tell(told)
    number = kept.column("SELECT listing_id FROM listings WHERE source_id = ?", listing) or [None]
    tables = {}
    for name in TABLES:
        rows = kept.db.query(f"SELECT * FROM {name} WHERE listing_id = ?", number)
        tables[name] = sorted((without_listing(row, listing) for row in rows), key=json.dumps)
    return tables


def without_listing(row: dict[str, Any], listing: str) -> dict[str, Any]:
    """A row without what differs from listing to listing alone."""
    told = {name: value for name, value in row.items() if name not in ("listing_id", "listing")}
    return {**told, "url": str(told.get("url")).replace(listing, "m/film")}


@given(both=two_orders(alike=True))
@settings(deadline=None, max_examples=80)
def test_the_tables_do_not_tell_in_what_order_saved_pages_came(
    kept: Kept, both: tuple[list[Saved | Live], list[Saved | Live]]
) -> None:
    one, other = both
    assert tables_after(kept, one) == tables_after(kept, other)


@given(both=two_orders())
@settings(deadline=None, max_examples=80)
def test_what_stands_does_not_tell_when_saved_pages_came(
    kept: Kept, both: tuple[list[Saved | Live], list[Saved | Live]]
) -> None:
    """Since when it stands is only as well known as the pages were when it was said again."""
    one, other = (tables_after(kept, steps) for steps in both)
    for tables in (one, other):
        for row in tables["scores"]:
            for name in ("observed_at", "changed_at", "said_otherwise"):
                del row[name]
        for row in tables["standing_verdicts"]:
            del row["observed_at"]
    for name in ("scores", "confirmations", "standing_verdicts"):
        assert one[name] == other[name]
    assert verdicts_without_repeats(one) == verdicts_without_repeats(other)


def verdicts_without_repeats(tables: dict[str, list[Any]]) -> dict[bool, list[Any]]:
    """What saved pages said of the credits, and what answers did, but for what they said again."""
    said: dict[bool, list[Any]] = {True: [], False: []}
    for row in sorted(tables["credits_verdicts"], key=lambda row: str(row["observed_at"])):
        same = said[row["origin"] == "archive"]
        told = {name: value for name, value in row.items() if name != "observed_at"}
        if row["origin"] == "archive" or not same or same[-1] != told:
            same.append(row if row["origin"] == "archive" else told)
    return said


YES, NO, SILENT = (Credits(after=says) for says in (Verdict.YES, Verdict.NO, Verdict.UNKNOWN))


@given(steps=two_orders().map(lambda both: both[0]))
@example(steps=[Live(3, not_rated(), YES), Saved(4, not_rated(), NO), Live(5, None)])
@settings(deadline=None, max_examples=80)
def test_verdicts_in_the_order_of_time_tell_what_each_answer_said(
    kept: Kept, steps: list[Saved | Live]
) -> None:
    """Where each page came before the next answer: what was said again is known from then on."""
    day_by_day = sorted(steps, key=lambda step: (step.on, isinstance(step, Live)))
    listing = f"m/film_{next(_numbers)}"
    of = "FROM {} JOIN listings USING (listing_id) WHERE source_id = ?"
    places = f"SELECT during, after {of.format('credits_verdicts')}"
    said: dict[str, Any] = {}
    for step in day_by_day:
        told = as_answer(step, listing)
        kept.tell(told, origin="archive" if isinstance(step, Saved) else "live")
        confirmed = kept.column(
            f"SELECT confirmed_at {of.format('confirmed')} AND topic = 'credits'", listing
        )
        if isinstance(step, Live) and confirmed == [day(step.on)]:  # else it is held
            (said[day(step.on)],) = kept.rows(
                f"{places} AND origin <> 'archive' ORDER BY observed_at DESC LIMIT 1", listing
            )
    for at in said.keys() - {day(step.on) for step in steps if isinstance(step, Saved)}:
        then = f"{places} AND observed_at <= ? ORDER BY observed_at DESC LIMIT 1"
        assert kept.rows(then, listing, at) == [said[at]]


@given(steps=two_orders().map(lambda both: both[0]))
@settings(deadline=None, max_examples=80)
def test_no_answer_takes_back_what_history_said_to_have_moved(
    kept: Kept, steps: list[Saved | Live]
) -> None:
    """Where each page came before the next answer."""
    day_by_day = sorted(steps, key=lambda step: (step.on, isinstance(step, Live)))
    listing = f"m/film_{next(_numbers)}"
    said = (
        "SELECT said_at, old_value, value FROM score_steps WHERE source_id = ?"
        " AND origin <> 'archive'"
    )
    before: set[tuple[Any, ...]] = set()
    for step in day_by_day:
        told = as_answer(step, listing)
        kept.tell(told, origin="archive" if isinstance(step, Saved) else "live")
        now = set(kept.rows(said, listing))
        assert before <= now
        before = now


@given(both=two_orders())
@settings(deadline=None, max_examples=40)
def test_what_was_seen_again_is_known_without_a_look_at_every_saved_page(
    kept: Kept, both: tuple[list[Saved | Live], list[Saved | Live]]
) -> None:
    for steps in both:
        tables_after(kept, steps)
    last = (
        "SELECT o.rowid FROM score_observations o WHERE o.listing_id = s.listing_id"
        " AND o.score_kind = s.score_kind AND o.relayed = 0 ORDER BY o.observed_at DESC,"
        " o.origin DESC, o.state DESC, ifnull(o.value, -1) DESC, ifnull(o.votes, -1) DESC,"
        " ifnull(o.basis, '') DESC LIMIT 1"
    )
    assert kept.rows("SELECT listing_id, said_at, old_said_at FROM seen_again ORDER BY 1") == (
        kept.rows(
            "SELECT s.listing_id, s.confirmed_at, p.observed_at FROM standing_scores s"
            f" JOIN score_observations p ON p.rowid = ({last})"
            " WHERE s.origin <> 'archive' AND p.origin = 'archive'"
            " AND p.observed_at BETWEEN s.observed_at AND s.confirmed_at"
            " AND p.observed_at < s.confirmed_at AND (p.state, p.value) IS NOT (s.state, s.value)"
            " ORDER BY 1"
        )
    )


@given(both=two_orders())
@settings(deadline=None, max_examples=40)
def test_what_moved_is_what_the_steps_of_history_say(
    kept: Kept, both: tuple[list[Saved | Live], list[Saved | Live]]
) -> None:
    run = kept.db.conn.execute
    for steps in both:
        tables_after(kept, steps)
    run("INSERT OR IGNORE INTO films (film_id) VALUES (1)")
    run(
        "INSERT OR IGNORE INTO listing_films (listing_id, film_id, valid_from, method)"
        " SELECT listing_id, 1, '', 'evidence' FROM listings"
    )
    moved = "listing_id, old_value, new_value, delta_100, old_votes, new_votes, changed_at"
    assert kept.rows(f"SELECT {moved} FROM score_moves ORDER BY 1, 7, 3") == kept.rows(
        f"SELECT {moved} FROM score_changes WHERE delta_100 <> 0 AND cause IN ('moved', 'released')"
        " ORDER BY 1, 7, 3"
    )
    written = kept.rows("SELECT * FROM moves ORDER BY 1, 2, 3, 4, 5")
    write_all_moves(kept.db)
    assert kept.rows("SELECT * FROM moves ORDER BY 1, 2, 3, 4, 5") == written


# --- what that comes to -------------------------------------------------------------------------


def test_every_saved_page_is_written_even_where_it_says_what_stands(kept: Kept) -> None:
    """Otherwise than a live answer: each is a date at which the figure is known."""
    pages = [Saved(on, scored(93, 300)) for on in (1, 2, 3)]
    tables = tables_after(kept, [*pages, *pages, Live(4, scored(93, 300))])
    written = [row["observed_at"] for row in tables["score_observations"]]
    assert written == [day(1), day(2), day(3), day(4)]
    (stands,) = tables["scores"]
    assert (stands["origin"], stands["observed_at"]) == ("live", day(4))
    assert stands["changed_at"] == day(1)


def test_the_newest_stands_be_it_saved_or_live(kept: Kept) -> None:
    old, new = Saved(1, scored(92, 200)), Saved(9, scored(94, 400))
    live = Live(5, scored(93, 300))
    assert standing(kept, [old])["value"] == 92
    assert standing(kept, [live, old])["value"] == 93
    assert standing(kept, [live, new, old])["value"] == 94


def test_a_saved_page_does_not_make_a_live_answer_doubtful(kept: Kept) -> None:
    """A site that began to count anew years ago must not be held back for good."""
    saved = Saved(1, scored(88, 123_594))
    assert standing(kept, [saved, Live(5, scored(85, 5_000))])["votes"] == 5_000
    assert standing(kept, [saved, Live(5, not_rated())])["state"] == "not_rated"


def test_history_does_not_let_a_saved_figure_outlast_what_was_seen_later(kept: Kept) -> None:
    """93 was seen live on days 3 and 9; that it was 92 between them is said by a saved page."""
    live = [Live(3, scored(93, 300)), Live(9, scored(93, 300))]
    history = tables_after(kept, [*live, Saved(5, scored(92, 290))])["score_history"]
    assert sorted((row["valid_from"], row["valid_to"], row["value"]) for row in history) == [
        (day(3), day(5), 93),
        (day(5), day(9), 92),
        (day(9), None, 93),
    ]


def test_a_figure_said_again_after_a_saved_page_said_otherwise_stays_in_history(
    kept: Kept,
) -> None:
    """From 93 it fell to 91, whatever a page showed in between, and however the page came."""
    first, page, again = Live(3, scored(93, 300)), Saved(4, scored(92)), Live(5, scored(93, 300))
    unchanged, still, fell = Live(5, None), Live(5.5, None), Live(6, scored(91, 301))
    orders: list[list[Saved | Live]] = [
        [first, page, again, fell],
        [first, again, page, fell],
        [first, page, unchanged, fell],
        [first, page, unchanged, still, fell],
        [first, unchanged, page, still, fell],
    ]
    for steps in orders:
        tables = tables_after(kept, steps)
        assert [(row["said_at"], row["value"], row["delta_100"]) for row in tables["moves"]] == [
            (day(5), 93, 1),
            (day(6), 91, -2),
        ]
        history = sorted((row["valid_from"], row["value"]) for row in tables["score_history"])
        assert history == [
            (day(3), 93),
            (day(4), 92),
            (day(5), 93),
            (day(6), 91),
        ]


def test_a_verdict_said_again_after_a_saved_page_said_otherwise_stays_in_history(
    kept: Kept,
) -> None:
    figure = not_rated()
    first, page, again = Live(3, figure, YES), Saved(4, figure, NO), Live(5, figure, YES)
    unchanged, still, other = Live(5, None), Live(5.5, None), Live(6, figure, SILENT)
    orders: list[list[Saved | Live]] = [
        [first, page, again, other],
        [first, again, page, other],
        [first, page, unchanged, still, other],
        [first, unchanged, page, still, other],
    ]
    for steps in orders:
        said = tables_after(kept, steps)["credits_verdicts"]
        assert sorted((row["observed_at"], row["after"]) for row in said) == [
            (day(3), "yes"),
            (day(4), "no"),
            (day(5), "yes"),
            (day(6), "unknown"),
        ]


def test_what_a_dataset_says_again_was_seen_again_on_the_night_that_is_known(
    tmp_path: Path,
) -> None:
    """And not on every night on which it is confirmed once more."""
    said, page = (record("imdb", scores={"imdb_rating": scored(v, 7_000, 10)}) for v in (7.8, 7.7))
    told = {"target": "dataset", "asked_url": "https://datasets.imdbws.com/title.ratings.tsv.gz"}
    with keeping(tmp_path / "ratings.db") as kept:
        kept.tell(*(answer(said, at=day(night), **told) for night in (3, 5)))
        kept.tell(answer(page, at=day(4), target="archive"), origin="archive")
        for night in (6, 7):
            kept.tell(answer(said, at=day(night), records=(), unchanged=True, **told))
            assert kept.rows(
                "SELECT changed_at, old_value, new_value FROM score_changes ORDER BY changed_at"
            ) == [(day(3), None, 7.8), (day(4), 7.8, 7.7), (day(5), 7.7, 7.8)]


def test_a_saved_verdict_does_not_replace_one_that_was_seen_later(kept: Kept) -> None:
    live = [Live(on, not_rated(), Credits(after=Verdict.YES)) for on in (3, 9)]
    saved = Saved(5, not_rated(), Credits(after=Verdict.NO))
    (stands,) = tables_after(kept, [*live, saved])["standing_verdicts"]
    assert stands["after"] == "yes"


@pytest.mark.parametrize("score", [scored(101), missing()], ids=["out of scale", "missing"])
def test_a_saved_page_that_shows_no_good_score_adds_nothing(kept: Kept, score: Score) -> None:
    tables = tables_after(kept, [Saved(1, score)])
    assert (tables["scores"], tables["score_observations"]) == ([], [])


# --- as a person imports them -------------------------------------------------------------------

SAMPLES = Path(spiders.__file__).parent / "samples"
SKYFALL = "http://www.rottentomatoes.com/m/skyfall/"
STINGER = "https://mediastinger.com/skyfall-2012-after-the-credits/"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of saved pages of one film, with an index of them and one in the other order."""
    folder = tmp_path_factory.mktemp("pages")
    meter = (SAMPLES / "rottentomatoes" / "meter-2013.html").read_bytes()
    assert b">289<" in meter
    stinger = (SAMPLES / "mediastinger" / "skyfall_2012.html").read_bytes()
    (folder / "2013.html").write_bytes(meter)
    (folder / "2012.html").write_bytes(meter.replace(b">289<", b">211<"))
    (folder / "stinger.html").write_bytes(stinger)
    lines = [
        json.dumps({"file": file, "source": source, "url": url, "captured_on": on})
        for file, source, url, on in (
            ("2013.html", "rottentomatoes", SKYFALL, "2013-02-28"),
            ("2012.html", "rottentomatoes", SKYFALL, "2012-12"),
            ("2013.html", "rottentomatoes", SKYFALL, "2014"),
            ("stinger.html", "mediastinger", STINGER, "2016-03-04T05:06:07"),
            ("stinger.html", "mediastinger", STINGER, "2019-05"),
        )
    ]
    (folder / "index.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "turned.jsonl").write_text("\n".join(reversed(lines)), "utf-8")
    return folder


def written(afterscore: Afterscore) -> dict[str, list[tuple[Any, ...]]]:
    """The three tables by natural keys. When a live answer came, every test run tells anew."""
    when = "CASE t.origin WHEN 'archive' THEN t.observed_at ELSE 'live' END"
    columns = {
        "scores": "score_kind, state, value, votes, basis, layout, t.url, changed_at < '2020'",
        "score_observations": "score_kind, observed_to, state, value, votes, basis, layout, t.url",
        "credits_verdicts": "observed_to, during, after, scene_count, extras, layout, t.url",
    }
    db = afterscore.database()
    return {
        table: sorted(
            db.conn.execute(
                f"SELECT source, source_id, {when}, {said} FROM {table} t"
                " JOIN listings USING (listing_id)"
            ).fetchall(),
            key=str,
        )
        for table, said in columns.items()
    }


def backfilled(afterscore: Afterscore, index: Path) -> None:
    ended = afterscore("backfill", "--from", index)
    assert ended.status == 0, ended.err


def asked(afterscore: Afterscore) -> None:
    """Ask both sites for the film: one command that tracks and refreshes."""
    films = afterscore.folder / "films.csv"
    films.write_text(f"url\n{SKYFALL}\n", "utf-8")
    sources = ("--source", "rottentomatoes", "--source", "mediastinger")
    ended = afterscore("backfill", "--films", films, *sources)
    assert ended.status == 0, ended.err


def test_an_index_is_read_in_any_order_and_twice(pages: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    backfilled(Afterscore(once), pages / "index.jsonl")
    backfilled(Afterscore(twice), pages / "turned.jsonl")
    backfilled(Afterscore(twice), pages / "index.jsonl")
    tables = written(Afterscore(once))
    assert tables == written(Afterscore(twice))
    assert Afterscore(once).database()["unmerged_listings"].count == 0
    assert {table: len(rows) for table, rows in tables.items()} == {
        "scores": 2,
        "score_observations": 6,
        "credits_verdicts": 2,
    }


def test_pages_may_be_read_before_or_after_the_sites_were_asked(
    replica: Replica, pages: Path, tmp_path: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    first, second = beside(replica, before), beside(replica, after)
    backfilled(first, pages / "index.jsonl")
    asked(first)
    asked(second)
    backfilled(second, pages / "turned.jsonl")
    tables = written(first)
    assert tables == written(second)
    assert len(tables["score_observations"]) == 6 + 2
    assert {row[2] for row in tables["scores"]} == {"live"}

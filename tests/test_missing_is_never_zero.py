"""Missing is never zero: from what stands in a score's slot to what a film's row says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count as counting

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.database import transaction
from pipelines.films import Listed
from pipelines.tracking import track
from spiders.items import Answer, Outcome, ScoreState
from spiders.pages.numbers import Count, count, figure
from spiders.pages.scores import missing, read_score
from spiders.sources import ScoreKind, score_kinds, source_of_kind
from tests.answers import Kept, answer, day, keeping, not_rated, record, refused, scored
from tests.answers import missing as missing_score

KINDS = pytest.mark.parametrize("kind", score_kinds(), ids=lambda kind: kind.key)
some_kind = st.sampled_from(score_kinds())
quick = settings(deadline=None, max_examples=200)
stored = settings(deadline=None, max_examples=60)

NONE_YET = (
    "tbd",
    "TBD",
    "--",
    "- -",
    "–",
    "N/A",
    "n/a",
    "%",
    "--%",
    "",
    " ",
    None,
    -1,
    "-1",
    "No Score Yet",
)


# --- what a slot holds --------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("raw", NONE_YET)
def test_none_yet_is_not_rated(kind: ScoreKind, raw: object) -> None:
    for votes in (None, 0, "0", "12 ratings"):
        score = read_score(kind.key, raw, votes)
        assert (score.state, score.value) == (ScoreState.NOT_RATED, None)


@KINDS
@pytest.mark.parametrize("raw", ["0%", "0", 0, 0.0, "0.0"])
def test_a_zero_without_a_count_is_not_rated(kind: ScoreKind, raw: object) -> None:
    for votes in (None, 0, "0 ratings", "be the first to rate it"):
        assert read_score(kind.key, raw, votes).state is ScoreState.NOT_RATED


@KINDS
@pytest.mark.parametrize("raw", [None, 0, "0%", 7.0])
def test_a_count_of_zero_is_not_rated_whatever_the_figure(kind: ScoreKind, raw: object) -> None:
    score = read_score(kind.key, raw, 0)
    assert (score.state, score.value, score.votes) == (ScoreState.NOT_RATED, None, 0)


@given(kind=some_kind, raw=st.sampled_from(["0%", "0", 0, 0.0]), votes=st.integers(1, 10**9))
@quick
def test_a_zero_that_somebody_gave_is_a_score(kind: ScoreKind, raw: object, votes: int) -> None:
    score = read_score(kind.key, raw, f"{votes:,} Reviews")
    assert (score.state, score.value, score.votes) == (ScoreState.SCORED, 0, votes)


@pytest.mark.parametrize(
    ("kind", "raw"), [("imdb_rating", "3.5/5"), ("imdb_rating", "87%"), ("metascore", "7.8/10")]
)
def test_a_figure_beside_another_scale_is_missing(kind: str, raw: str) -> None:
    assert read_score(kind, raw, "120 Ratings").state is ScoreState.MISSING


@pytest.mark.parametrize(
    ("text", "votes"),
    [
        ("12,34,567", 1_234_567),
        ("12 lakh", None),
        ("1,9 Mio.", None),
        ("1.425.107 Bewertungen", 1_425_107),
        ("2 million+ ratings", 2_000_000),
        ("1,2 mil", None),
        ("3 dozen", None),
    ],
)
def test_a_count_is_read_with_the_word_behind_it_and_none_that_is_rounded_is_kept(
    text: str, votes: int | None
) -> None:
    score = read_score("imdb_rating", "7.8", text)
    assert (score.state, score.votes) == (ScoreState.SCORED, votes)
    assert read_score("tomatometer", "0%", text).state is not ScoreState.MISSING


@KINDS
@pytest.mark.parametrize("raw", ["fresh", "9 out of ten", "{{score}}", True, [], {}, "7.3.1"])
def test_what_no_layout_writes_is_missing(kind: ScoreKind, raw: object) -> None:
    score = read_score(kind.key, raw, "120 Ratings")
    assert (score.state, score.value, score.votes) == (ScoreState.MISSING, None, None)
    assert missing(kind.key).state is ScoreState.MISSING


# --- figures and counts as sites write them -----------------------------------------------------


@given(kind=some_kind, data=st.data())
@quick
def test_a_figure_reads_as_it_was_written(kind: ScoreKind, data: st.DataObject) -> None:
    steps = 10**kind.decimals
    value = data.draw(st.integers(1, kind.scale_max * steps)) / steps
    plain = f"{value:.{kind.decimals}f}"
    written = data.draw(
        st.sampled_from(
            [
                plain,
                plain.replace(".", ","),
                f" {plain}\n",
                f"{plain}\u00a0%" if kind.unit else f"{plain}/{kind.scale_max}",
                f"{plain}%" if kind.unit else f"{plain}\u202f/ {kind.scale_max}",
                kind.show(value),
            ]
        )
    )
    assert figure(written) == value
    assert read_score(kind.key, written, 12).value == value


THOUSANDS = (",", ".", " ", "'", "’", "\u00a0", "\u202f", "\u2009", "")
BEHIND = ("", " Ratings", " ratings", " Critic Reviews", "+ Ratings", "\u00a0avis", "+")


@given(
    votes=st.integers(0, 10**9),
    mark=st.sampled_from(THOUSANDS),
    before=st.sampled_from(["", "based on ", "Reviews Counted: ", "("]),
    behind=st.sampled_from(BEHIND),
)
@quick
def test_a_count_reads_as_it_was_written(votes: int, mark: str, before: str, behind: str) -> None:
    written = f"{before}{votes:,}{behind}".replace(",", mark)
    assert count(written) == Count(votes, at_least="+" in behind)


@given(
    digits=st.integers(1, 999),
    decimals=st.integers(0, 3),
    mark=st.sampled_from([".", ","]),
    scale=st.sampled_from([("K", 10**3), ("M", 10**6), ("B", 10**9)]),
    lower=st.booleans(),
)
@quick
def test_a_short_count_is_its_whole_number(
    digits: int, decimals: int, mark: str, scale: tuple[str, int], lower: bool
) -> None:
    letter, times = scale
    number = f"{digits / 10**decimals:.{decimals}f}".replace(".", mark)
    written = number + (letter.lower() if lower else letter)
    assert count(written) == Count(digits * times // 10**decimals, rounded=True)


def test_a_short_count_of_millions() -> None:
    assert count("1.2M") == count("1,2M Ratings") == Count(1_200_000, rounded=True)
    assert count("250,000+ Ratings") == Count(250_000, at_least=True)


def test_an_upper_bound_is_no_count() -> None:
    for written in ("Fewer than 50 Ratings", "< 50", "under 50 verified ratings", "-1", "−5"):
        assert count(written) is None


# --- nothing is made up -------------------------------------------------------------------------

slots = st.one_of(
    st.text(),
    st.text("0123456789.,%/ -+kKmMbB\u00a0’'tbd", max_size=30),
    st.text("0123456789", min_size=15, max_size=500),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def figures_in(raw: object) -> set[float]:
    if isinstance(raw, int | float):
        return {raw}
    return {float(found.replace(",", ".")) for found in re.findall(r"\d+(?:[.,]\d+)?", str(raw))}


def digits_of(raw: object) -> str:
    return "".join(str(int(sign)) for sign in str(raw) if sign.isdecimal())


@given(kind=some_kind, raw=slots, votes=slots)
@settings(deadline=None, max_examples=1_000)
def test_a_value_and_a_count_stand_in_what_was_read(
    kind: ScoreKind, raw: object, votes: object
) -> None:
    score = read_score(kind.key, raw, votes)
    if score.value is not None:
        assert score.state is ScoreState.SCORED
        assert score.value in figures_in(raw)
        counted = count(votes)
        assert score.value > 0 or (counted is not None and counted.votes > 0)
    if score.votes:
        whole = int(votes) if isinstance(votes, float) else votes
        assert str(score.votes).rstrip("0") in digits_of(whole)


# --- and nothing becomes zero on its way into the tables ----------------------------------------

FAILURES = (
    Outcome.BLOCKED,
    Outcome.RATE_LIMITED,
    Outcome.UNAUTHORISED,
    Outcome.NOT_FOUND,
    Outcome.UNREADABLE,
    Outcome.ERROR,
)
steps = st.one_of(
    st.sampled_from([0.0, 1.0, 5.5, 10.0]),
    st.sampled_from([ScoreState.NOT_RATED, ScoreState.MISSING]),
    st.just("out of scale"),
    st.sampled_from(FAILURES),
)
Step = float | str | Outcome | ScoreState
_films = counting(1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with keeping(tmp_path_factory.mktemp("kept") / "ratings.db") as kept:
        yield kept


def new_film(kept: Kept, kind: ScoreKind) -> tuple[int, str]:
    """A film that the source of a kind lists, and the listing's source_id."""
    number = next(_films)
    source = source_of_kind(kind.key)
    source_id = {
        "imdb": f"tt{number:07}",
        "tmdb": f"{number}",
        "rottentomatoes": f"m/film_{number}",
        "metacritic": f"movie/film-{number}",
    }[source.key]
    with transaction(kept.db):
        film_id, _ = track(kept.db, [Listed(source.key, source_id)], source_id)
    return film_id, source_id


def told(step: Step, kind: ScoreKind, source_id: str, at: str, votes: int = 100) -> Answer:
    source, scale = source_of_kind(kind.key).key, kind.scale_max
    if isinstance(step, Outcome):
        return refused(step, at, source, source_id=source_id)
    if isinstance(step, ScoreState):
        score = not_rated(scale) if step is ScoreState.NOT_RATED else missing_score(scale)
    else:
        value = float(step) if isinstance(step, float) else scale + 1
        score = scored(value, votes=votes, scale_max=scale)
    return answer(record(source, source_id, scores={kind.key: score}), at=at)


def stands_after(said: Sequence[Step]) -> tuple[str, float | None, str] | None:
    """State and value that should stand, and what the last attempt should be said to have held.

    Only a figure in scale replaces a figure. `not_rated` stands until there is one, `missing`
    until anything else is known.
    """
    stands: tuple[str, float | None] | None = None
    attempt = ""
    for step in said:
        if isinstance(step, float):
            stands, attempt = ("scored", step), "scored"
        elif step is ScoreState.NOT_RATED:
            held = stands is not None and stands[0] == "scored"
            stands, attempt = (stands, "held") if held else (("not_rated", None), "not_rated")
        elif step is ScoreState.MISSING:
            stands, attempt = stands or ("missing", None), "missing"
        elif stands:
            attempt = step.value if isinstance(step, Outcome) else "held"
    return (*stands, attempt) if stands else None


@given(kind=some_kind, said=st.lists(steps, min_size=1, max_size=8))
@stored
def test_the_last_good_value_stands_whatever_is_answered_later(
    kept: Kept, kind: ScoreKind, said: list[Step]
) -> None:
    film_id, source_id = new_film(kept, kind)
    # Each time so many votes have come that they explain whatever the value is now.
    steps_of_nights = enumerate(said, 1)
    kept.tell(*(told(s, kind, source_id, day(n), 10 ** (2 * n + 2)) for n, s in steps_of_nights))
    kept.merge()
    expected = stands_after(said)
    found = kept.rows(
        "SELECT state, value, last_attempt_state FROM scores JOIN listings USING (listing_id)"
        " WHERE source_id = ?",
        source_id,
    )
    assert found == ([expected] if expected else [])
    state, value, hundred = kept.row(
        f"SELECT {kind.key}_state, {kind.key}, {kind.key}_100 FROM film_scores WHERE film_id = ?",
        film_id,
    )
    if expected:
        assert (state, value) == expected[:2]
    assert (value is None) == (state != "scored")
    assert (hundred is None) == (value is None)
    written = kept.column(
        "SELECT value FROM score_observations JOIN listings USING (listing_id)"
        " WHERE source_id = ? AND value IS NOT NULL",
        source_id,
    )
    assert set(written) <= set(said)


@given(said=st.lists(steps, min_size=1, max_size=8))
@stored
def test_an_answer_that_is_not_good_changes_the_last_attempt_alone(
    kept: Kept, said: list[Step]
) -> None:
    kind = score_kinds()[0]
    _, source_id = new_film(kept, kind)
    kept.tell(told(5.5, kind, source_id, day(1)))
    before = kept.score(kind.key, source_id)
    bad = [step for step in said if not isinstance(step, float)]
    kept.tell(*(told(step, kind, source_id, day(n)) for n, step in enumerate(bad, 2)))
    after = kept.score(kind.key, source_id)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == ({"last_attempt_state", "last_attempt_at"} if bad else set())
    assert after["last_attempt_at"] == day(1 + len(bad))

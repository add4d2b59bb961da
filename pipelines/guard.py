"""Between reading and storing: what one record says that is too unlikely to be stored unseen.

What is held goes to `quarantine`; the last good value stands with its true age. docs/guard.md
explains each rule. What only many records show together is for `crawl_guard`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.utils import default_process

from spiders.items import Credits, Record, Score, ScoreState

YEARS_APART = 2
"""Festival, home and foreign release years of one film differ by as much as this."""

TITLES_ALIKE = 60.0
"""token_set_ratio (0–100) below which two titles are taken to have nothing in common."""

A_LITTLE = 0.1
"""Share of the votes that may go: sites take back reviews and purge accounts, a few at a time."""

A_FEW = 2
"""Votes that may go however few there are."""

WEIGHT = 3
"""How many old votes one added vote may weigh, by our allowance: IMDb and Metacritic weight those
who vote, and do not say how."""

UNCOUNTED = 20
"""Votes that may have come unseen, beside as many again as there were, where no exact count is
shown: a page may leave it out, and a band ("250+") spans a factor of 2 to 2.5."""

TOLERANCE = 0.03
"""Share of the scale by which a figure may move with no votes at all: rounding (half a point of
100), and a site that weights its old votes anew."""

CRITICS_AT_MOST = 2_000
"""No film has so many reviews by critics: those with most have several hundred on either site."""

COINCIDENCE = 20
"""Votes from which on critics and audience do not by chance agree in value and count."""

NEAR = 0.02
"""Share of a count by which it may have grown since it was last seen on the other side."""

_STEP = 2.5
"""The widest step from one of Rotten Tomatoes' bands to the next (100+, 250+, 500+, 1,000+ …)."""


class Rule(StrEnum):
    """Why something is held. The word is kept in `quarantine.rule`."""

    OUT_OF_SCALE = "out_of_scale"
    PERFECT_FROM_ONE = "perfect_from_one"
    OTHER_SIDE = "other_side"
    UNRATED = "unrated"
    BASIS = "basis"
    VOTES_FELL = "votes_fell"
    UNEXPLAINED = "unexplained"
    TURNED_ROUND = "turned_round"
    ANOTHER_FILM = "another_film"
    # Of a whole crawl: see crawl_guard.
    CUT_SHORT = "cut_short"
    FIELDS_VANISHED = "fields_vanished"
    SAME_VALUE = "same_value"
    NEW_LAYOUT = "new_layout"
    PAGES_GONE = "pages_gone"
    DOUBTS = "doubts"


RELEASES_ITSELF = frozenset({Rule.BASIS, Rule.VOTES_FELL, Rule.UNEXPLAINED, Rule.TURNED_ROUND})
"""What a site may do to one film and mean it: seen often enough, it is so. The rest is what faults
look like, and a fault may last for weeks."""

Side = Literal["critics", "audience"]


@dataclass(frozen=True)
class Doubt:
    """The rule that speaks against something, and the case in words."""

    rule: Rule
    reason: str


@dataclass(frozen=True)
class Standing:
    """What stands of one listing and score kind."""

    state: str
    value: float | None
    scale_max: float
    votes: int | None
    votes_at_least: bool
    basis: str | None = None

    @property
    def share(self) -> float:
        """The value as a share of its scale; 0 where there is none: ask for `state` first."""
        return (self.value or 0.0) / self.scale_max


def as_standing(score: Score) -> Standing:
    """A score as if it stood."""
    return Standing(
        score.state.value,
        score.value,
        score.scale_max,
        score.votes,
        score.votes_at_least,
        score.basis,
    )


# --- one score ------------------------------------------------------------------------------------


def doubt(new: Score, standing: Standing | None, side: Side | None = None) -> Doubt | None:
    """Why a score should not replace what stands, or None where nothing speaks against it.

    `side` is whose figure it should be (None: not told, as of a relayed score).
    """
    return (
        out_of_scale(new)
        or _too_good(new, standing)
        or (_too_many_critics(new, standing) if side == "critics" else None)
        or _doubt_change(new, standing)
    )


def out_of_scale(new: Score) -> Doubt | None:
    """A value that its scale does not have; the one doubt that a saved page can raise."""
    if new.value is None or 0 <= new.value <= new.scale_max:
        return None
    return Doubt(
        Rule.OUT_OF_SCALE, f"out of scale: {new.value:g} on a scale of 0–{new.scale_max:g}"
    )


def is_plain(value: float, votes: int | None, scale_max: float) -> bool:
    """Whether `doubt` could have nothing against a figure that is the first of its listing; where
    not, it is to be asked."""
    return 0 <= value <= scale_max and votes is not None and votes > 1


def follows(new: Score, held: Score) -> bool:
    """Whether a score bears out one that is held: what may follow one that stands, may."""
    if new.state is not held.state:
        return False
    return new.value == held.value or _doubt_change(new, as_standing(held)) is None


def on_the_wrong_side(
    new: Score,
    standing: Standing | None,
    other_new: Score | None,
    other_standing: Standing | None,
) -> Doubt | None:
    """Whether a figure is that of the other side: the audience's in the critics' place, or theirs.

    It is, where it moved to the very value and count that the other figure had (a count within 2 %
    will do for a move of more than 3 % of the scale) or has on the same page; or where the two
    values changed places.
    """
    if new.state is not ScoreState.SCORED or _stays(new, standing):
        return None
    now = as_standing(new)
    reason = None
    far = standing is not None and abs(now.share - standing.share) > TOLERANCE
    if other_standing and _is_figure(now, other_standing, NEAR if far else 0):
        reason = "is what the other side's figure was"
    elif other_new and (now.votes or 0) >= COINCIDENCE and _is_figure(now, as_standing(other_new)):
        reason = "is the other side's figure on the same page"
    elif standing and other_new and other_standing and _swapped(now, standing, other_new,
                                                                other_standing):  # fmt: skip
        reason = "and the other side's figure changed places"
    return Doubt(Rule.OTHER_SIDE, f"{_words(now)} {reason}") if reason else None


def _too_good(new: Score, standing: Standing | None) -> Doubt | None:
    if new.value != new.scale_max or new.votes != 1 or new.votes_at_least or new.relayed:
        return None
    if standing and standing.value == new.value and standing.votes == 1:
        return None
    return Doubt(Rule.PERFECT_FROM_ONE, f"a perfect score ({new.value:g}) from one vote")


def _too_many_critics(new: Score, standing: Standing | None) -> Doubt | None:
    if standing is None or standing.votes is None or new.votes is None:
        return None
    if not standing.votes <= CRITICS_AT_MOST < new.votes:
        return None
    return Doubt(
        Rule.OTHER_SIDE,
        f"{standing.votes:,} critics have become {new.votes:,}: more than review any film",
    )


def _doubt_change(new: Score, standing: Standing | None) -> Doubt | None:
    """What the move from one figure to the next has against it."""
    if standing is None or standing.state != "scored" or standing.value is None:
        return None
    if new.state is ScoreState.NOT_RATED:
        return Doubt(Rule.UNRATED, f"was scored {standing.value:g} and now says not rated")
    if new.value is None:
        return None
    if new.basis and standing.basis and new.basis != standing.basis:
        return _doubt_basis(new, standing)
    return _doubt_votes(new, standing) or _doubt_jump(new, standing)


def _doubt_basis(new: Score, standing: Standing) -> Doubt | None:
    """Other people's votes make another figure: it passes where it happens to be the same."""
    if abs(as_standing(new).share - standing.share) <= TOLERANCE:
        return None
    return Doubt(
        Rule.BASIS,
        f"{standing.value:g} was of {standing.basis} votes, {new.value:g} is of {new.basis}:"
        " another count, no change of the score",
    )


def _doubt_votes(new: Score, standing: Standing) -> Doubt | None:
    """Votes do not go, but for a few. Of a band only the lower end is known."""
    if new.votes is None or not standing.votes:
        return None
    at_most = float(new.votes)
    if new.votes_at_least:
        if not standing.votes_at_least:
            return None
        at_most *= _STEP
    if at_most >= standing.votes - max(A_FEW, A_LITTLE * standing.votes):
        return None
    return Doubt(Rule.VOTES_FELL, f"votes fell from {standing.votes:,} to {new.votes:,}")


def _doubt_jump(new: Score, standing: Standing) -> Doubt | None:
    """With n votes at mean v on a scale of 0 to s, m more make a mean between n·v/(n + m) and
    (n·v + m·s)/(n + m), whatever they are.

    m is 3 for each vote that came or went, and 3 for one that was changed; and n + 20 where a
    count is a band or not shown. A move of 3 % of the scale needs no votes.
    """
    if not standing.votes:
        return None
    old = standing.votes
    moved = 1 if new.votes is None else abs(new.votes - old) + 1
    weight = WEIGHT * moved
    if new.votes is None or new.votes_at_least or standing.votes_at_least:
        weight += old + UNCOUNTED
    room = weight / (old + weight)
    least = standing.share * (1 - room) - TOLERANCE
    most = standing.share + (1 - standing.share) * room + TOLERANCE
    if least <= as_standing(new).share <= most:
        return None
    scale = new.scale_max
    return Doubt(
        Rule.UNEXPLAINED,
        f"moved from {standing.value:g} ({_votes(standing)}) to {new.value:g}"
        f" ({_votes(as_standing(new))}); the votes explain {max(0.0, least * scale):.3g} to"
        f" {min(scale, most * scale):.3g}",
    )


def _stays(new: Score, standing: Standing | None) -> bool:
    """Whether a figure is what stands, give or take a few votes."""
    if standing is None or standing.state != "scored" or new.value is None:
        return False
    same_value = new.value * standing.scale_max == (standing.value or 0) * new.scale_max
    if new.votes is None or standing.votes is None:
        return same_value
    few = max(A_FEW, A_LITTLE * standing.votes)
    return same_value and abs(new.votes - standing.votes) <= few


def _is_figure(a: Standing, b: Standing, near: float = 0) -> bool:
    """Whether two figures are one: same share of their scales, same band or (nearly) same count."""
    if a.state != "scored" or b.state != "scored" or a.votes is None or b.votes is None:
        return False
    if a.votes_at_least != b.votes_at_least or abs(a.votes - b.votes) > near * b.votes:
        return False
    return abs(a.share - b.share) < 1e-9


def _swapped(now: Standing, standing: Standing, other_new: Score, other_standing: Standing) -> bool:
    figures = (now, standing, as_standing(other_new), other_standing)
    if any(figure.state != "scored" for figure in figures):
        return False
    crossed = now.share == other_standing.share and figures[2].share == standing.share
    return crossed and abs(now.share - standing.share) > TOLERANCE


def _votes(figure: Standing) -> str:
    if figure.votes is None:
        return "votes not shown"
    return f"{figure.votes:,}{'+' if figure.votes_at_least else ''} votes"


def _words(figure: Standing) -> str:
    return f"{figure.value:g} ({_votes(figure)})"


# --- one verdict ----------------------------------------------------------------------------------


def doubt_verdict(new: Credits, before: Credits | None) -> Doubt | None:
    """Why a credits verdict should not replace what stands, or None."""
    net, votes = new.worth_staying, new.worth_staying_votes
    if net is not None and votes is not None and abs(net) > votes:
        return Doubt(Rule.OUT_OF_SCALE, f"a net vote of {net} from {votes} votes")
    if before is None:
        return None
    for place in ("during", "after"):
        was, says = getattr(before, place).value, getattr(new, place).value
        if {was, says} == {"yes", "no"}:
            reason = f"said {was} of a scene {place} the credits and now says {says}"
            return Doubt(Rule.TURNED_ROUND, reason)
    then, now = before.worth_staying_votes, new.worth_staying_votes
    if then and now is not None and now < then - max(A_FEW, A_LITTLE * then):
        return Doubt(Rule.VOTES_FELL, f"votes on staying fell from {then:,} to {now:,}")
    return None


# --- whose page it is -----------------------------------------------------------------------------


def another_film(record: Record, titles: list[str], year: int | None) -> str | None:
    """Why a page seems to show another film than the one asked for, or None.

    Only a page that differs in title and in year is doubted: translated titles and festival
    years are common, both together on the wrong page are not.
    """
    if not record.title or not titles or record.year is None or year is None:
        return None
    if abs(record.year - year) <= YEARS_APART or _alike(record, titles):
        return None
    return f"the page shows {record.title} ({record.year}), asked for {titles[0]} ({year})"


def turned_into_another(record: Record, titles: list[str], year: int | None) -> bool:
    """Whether a page that showed a film of these titles and that year now shows another: the year
    moved too far (a remake keeps its title), or nothing of the title is left and no year helps."""
    if record.year is not None and year is not None:
        return abs(record.year - year) > YEARS_APART
    return bool(record.title and titles) and not _alike(record, titles)


def _alike(record: Record, titles: list[str]) -> bool:
    shown = [title for title in (record.title, record.original_title) if title]
    return any(
        fuzz.token_set_ratio(a, b, processor=default_process) >= TITLES_ALIKE
        for a in shown
        for b in titles
    )

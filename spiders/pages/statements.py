"""What a few sentences say of a film's scenes in the credits: whether, where and how many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest

from spiders.items import Credits, Verdict
from spiders.pages.verdicts import PLACES, Claims, Place, places_in

_AT_MOST = 5000  # the statement comes first; what follows it is prose

_ANSWER = re.compile(r"\W*(?P<word>yes|no)(?:\s*[!.,:;\u2013\u2014-]|\s*\n|\s*$)", re.I)
_SENTENCE = re.compile(r"[^.!?]+")
_CLAUSE = re.compile(
    r"\b(?:but|however|although|though)\b|;|(?:,|\band)\s+(?=(?:no|not|none|nothing|neither)\b)"
    r"|\s(?=without\b)",
    re.I,
)
# Only sentences about the film, or that begin with a number ("one during the credits …"), state
# what there is: the others tell what happens in the scenes.
_ABOUT_THE_FILM = re.compile(
    r"\W*(?:(?:however|but|still|also|in addition)\W+)?(?:it|there|(?:the|this) (?:film|movie))\b",
    re.I,
)
_NAMED_SCENES = re.compile(r"\b(?:end|mid|post)[-\s]*credits?\s+scenes?\b", re.I)
_COUNTS_OFF = re.compile(r"\W*(?:the )?(?:one|two|three|first|second|third|other|an?|\d+)\b", re.I)
_VERB = re.compile(
    r"\b(?:(?P<denies>(?:does|do) ?n[o']t (?:have|feature|include|contain)"
    r"|(?:is|are|has|have) ?n[o']t)|has|have|features?|includes?|contains?|is|are)\b(?P<what>.*)",
    re.I | re.S,
)
_SHORT_IS = re.compile(r"\b(it|there)'s\b", re.I)
_NEGATIVE = re.compile(r"\b(?:no|not|none|neither|nor|nothing|without|lacks?)\b|n't\b", re.I)
_UNSURE = re.compile(
    r"\b(?:if|whether|(?:un)?known?|sure|yet|may|maybe|might|could|rumou?red|expected|confirmed)\b",
    re.I,
)
_SCENES = re.compile(r"\b(?:scenes?|stingers?)\b", re.I)
_PLACE_ALONE = re.compile(
    r"\W*(?:\d+\W*)?(?:scene\s*\d*\W*)?(?:(?:mid|post|after)[-\s]*credits?(?:\s+scenes?)?"
    r"|(?:during|after)\s+the\s+(?:end\s+)?credits)\W*",
    re.I,
)
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_QUANTITY = re.compile(
    rf"\b(?P<number>an?|{'|'.join(_NUMBERS)}|\d{{1,2}})\b(?![-\s]*(?:min|sec|hour))", re.I
)


def read_statement(text: str, title: str, asked: Sequence[Place] = PLACES) -> Credits:
    """The credits of a film from the words that answer whether it has scenes in them.

    >>> read_statement("No! Heat does not have end credit scenes.", "Heat").scene_count
    0
    >>> read_statement("Yes! Heat has a mid-credits scene but no post-credits scene.", "Heat")
    Credits(during=<Verdict.YES: 'yes'>, after=<Verdict.NO: 'no'>, scene_count=1, extras=(), \
worth_staying=None, worth_staying_votes=None)

    `asked` are the places that the question was about. A place that the words do not name stays
    unknown, and so does one of which they say two things.
    """
    text = text[:_AT_MOST]
    word = _ANSWER.match(text)
    answer = Verdict(word["word"].casefold()) if word else None
    # The title may hold any word ("No Country for Old Men", "One Day"): it is taken out first. In
    # its own letters only, so that "After" leaves "after the credits" as it is.
    spaced = r"\s+".join(map(re.escape, title.split()))
    named = re.compile(rf"(?<!\w){spaced}(?!\w)")
    about = _SHORT_IS.sub(r"\1 is", named.sub("it", text[word.end() :] if word else text))
    said = _Said()
    if answer is Verdict.NO or (answer and len(asked) == 1):
        said.claims.add(answer, asked)
    for sentence in _SENTENCE.findall(about):
        _read_sentence(sentence, said)
    _read_headings(about.split("\n"), said, answer)
    if said.claims.agree_on(Verdict.NO) and (answer is Verdict.YES or said.affirms):
        return Credits()
    during, after = said.claims.verdicts()
    return Credits(during=during, after=after, scene_count=said.scene_count())


@dataclass
class _Said:
    """What was read: claims, numbers of all the scenes, and numbers of those at one place."""

    claims: Claims = field(default_factory=Claims)
    totals: list[int] = field(default_factory=list)
    at: dict[Place, int] = field(default_factory=dict)
    affirms: bool = False
    unclear: bool = False

    def scene_count(self) -> int | None:
        """How many scenes the words come to, or None where they do not say."""
        if self.claims.agree_on(Verdict.NO):
            return 0
        if self.unclear or any(len(claims) > 1 for _, claims in self.claims):
            return None
        affirmed = [place for place in PLACES if self.claims.verdict(place) is Verdict.YES]
        if self.totals:
            total = self.totals[0]
            agreed = set(self.totals) == {total} and total >= max(1, len(affirmed))
            return total if agreed else None
        if affirmed and all(place in self.at for place in affirmed):
            return sum(self.at[place] for place in affirmed)
        return None


def _read_sentence(sentence: str, said: _Said) -> None:
    verb = _VERB.search(sentence)
    if _COUNTS_OFF.match(sentence) and places_in(sentence):
        denies, what = False, sentence
    elif verb and (_ABOUT_THE_FILM.match(sentence) or _NAMED_SCENES.search(verb["what"])):
        denies, what = bool(verb["denies"]), verb["what"]
    else:
        return
    if _UNSURE.search(sentence):
        return
    for clause in _CLAUSE.split(what):
        places = places_in(clause)
        if places or _SCENES.search(clause):
            if denies or _NEGATIVE.search(clause):
                said.claims.add(Verdict.NO, places or PLACES)
            else:
                said.affirms = True
                said.claims.add(Verdict.YES, places)
                _count(clause, said)
        denies = False


def _count(clause: str, said: _Said) -> None:
    """Note each number in a clause with what it counts: the words up to the next number."""
    numbers = list(_QUANTITY.finditer(clause))
    after_a_place = False
    for found, following in zip_longest(numbers, numbers[1:]):
        end = following.start() if following else len(clause)
        number, counted = _value(found["number"]), clause[found.end() : end]
        places = places_in(counted)
        if places and (len(places) == 1 or number == 1):
            said.at |= {place: max(number, said.at.get(place, 0)) for place in places}
            after_a_place = True
        elif places or _SCENES.search(counted):
            # "a mid-credits scene and an end-credits scene": is the second one of the first?
            said.unclear = said.unclear or (after_a_place and not said.totals)
            said.totals.append(number)


def _value(number: str) -> int:
    if number.isdigit():
        return int(number)
    word = number.casefold()
    return _NUMBERS.index(word) + 1 if word in _NUMBERS else 1


def _read_headings(lines: list[str], said: _Said, answer: Verdict | None) -> None:
    """Read lines that only name a place: with the yes or no below, else as what there is."""
    for line, following in pairwise([*(line for line in lines if line.strip()), ""]):
        if not _PLACE_ALONE.fullmatch(line):
            continue
        below = _ANSWER.match(following)
        if below:
            said.claims.add(Verdict(below["word"].casefold()), places_in(line))
        elif answer is Verdict.YES:
            said.claims.add(Verdict.YES, places_in(line))

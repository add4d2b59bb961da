"""Titles brought to forms that can be compared.

Each site writes a title differently: `The Seventh Seal (Det sjunde inseglet)`, `Matrix, The`, `Star
Wars: Episode IV - A New Hope`, `Se7en`. So each is known by several forms, in lower case without
accents, articles, editions, years in brackets and signs, and with numerals as figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from pipelines.matching.letters import BARELY, plain

LONGEST = 200
"""Letters of a title that count: the longest titles of films that were shown have about 180."""

FIRST = 1 << 1
"""The number 1 among the numbers of a title: first parts are named with and without it."""


class Part(IntEnum):
    """Which part of a title a form stands for."""

    WHOLE = 0
    """All of it."""
    ALSO = 1
    """Another name in brackets, as far as that can be told: `(Hindi)`, `(U.S.)` stand there too."""
    MAIN = 2
    """What stands before a subtitle."""
    TAIL = 3
    """A subtitle alone, or what stands after an owner's name: `Monty Python's Life of Brian`."""
    OWNED = 4
    """What stands after an owner's name with an article of its own: `Lee Daniels' The Butler`, or
    before `3D`. Not even a short one is a phrase of which the rest is a part."""


class Form(NamedTuple):
    """Words parted by spaces, the part of the title they stand for, how they are spelt (letters
    and figures alone, with the article, numerals as they were), and the numbers in the whole title
    as a set of bits."""

    words: str
    part: Part
    spelt: str
    numbers: int


_ARTICLE = (
    "the|an?|les?|la|une?|l|der|die|das|ein|eine|el|los|las|il|lo|gli|os?|as|uma?|de|het|een|den"
    "|det|ett|en"
)
_ARTICLES = frozenset({"a", "le", "un", "o", "um", *_ARTICLE.replace("?", "").split("|")})
_ARTICLE_LAST = re.compile(rf",\s*((?:{_ARTICLE}|i)'?)\s*$")
_ARTICLE_INSIDE = re.compile(rf"^([^:,(]+),\s*({_ARTICLE})\s*(?=[:(])")
_ARTICLE_BEHIND = re.compile(rf"(:\s+|\s[-–—]\s+)(?:{_ARTICLE})\s+(?=\w)")
"""An article of a subtitle: `Ghost Dog: (The) Way of the Samurai`."""

_ELIDED = re.compile(r"\b([ld])'(?=\w)")
_NOT_WORDS = re.compile(r"[\W_]+")
_SAYS_LITTLE = re.compile(r"\d*|.|(?:part|vol|chapter|episode|book|act|phase|season) \d+")
_WORD = re.compile(r"[^\W_]")
_SYNONYMS = {
    "et": "and", "und": "and", "versus": "vs", "doctor": "dr", "mister": "mr",
    "saint": "st", "mount": "mt", "pt": "part", "volume": "vol", "ch": "chapter", "ep": "episode",
}  # fmt: skip
"""What titles abbreviate or write out, and the word for `and` of two languages."""

_BEFORE_NUMBER = frozenset(
    {"part", "vol", "chapter", "episode", "book", "act", "phase", "season", "series"}
)
_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_POWERS = {"hundred": 100, "thousand": 1000}
_ROMAN = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10,
    "xi": 11, "xii": 12, "xiii": 13, "xiv": 14, "xv": 15, "xvi": 16, "xvii": 17, "xviii": 18,
    "xix": 19, "xx": 20,
}  # fmt: skip
_LOOKALIKES = str.maketrans("013457", "oieasv")
_FIGURE_IN_WORD = re.compile(r"(?<=[^\W\d_])[013457](?=[^\W\d_])")

_EDITION = (
    r"(?:(?:director'?s|final|extended|unrated|uncut|theatrical|special|ultimate|original|restored"
    r"|international|producer'?s|collector'?s|anniversary|limited|remastered)\s+"
    r"(?:cut|edition|version|release)"
    r"|\d+\w\w\s+anniversary(?:\s+edition)?|director'?s\s+cut|(?:theatrical\s+)?re-?(?:release|issue)"
    r"|unrated|uncut|extended|theatrical|remastered|redux|restored|(?:english\s+)?subtitled|dubbed"
    r"|imax(?:\s+3-?d)?|4k|blu-?ray|dvd|hd|widescreen|full\s?screen"
    r"|(?:the\s+)?criterion\s+collection|3-?d|tv(?:\s+movie)?|v|silent)"
)
_MEDIUM = re.compile(
    r"\b(?:edition|version|disc|dvd|vhs|blu-?ray|u?hd|widescreen|full\s?screen|bonus|combo"
    r"|remaster(?:ed)?|anniversary|subtitled|dubbed|digital\s+copy)\b"
)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]?")
_KIND = (
    r"(?:(?:tv|television|animated|feature|short|silent|documentary|live[-\s]action|web)\s+)*"
    r"(?:film|movie|(?:mini-?\s?)?series|documentary|short|special|anime)"
)
_DATED = re.compile(
    rf"(?:(?:{_KIND}|video|tv\s+episode)\s+)?"
    r"((?:18[789]|19\d|20\d)\d)(?:\s*[-–/]\s*(?:\d{4}|\d\d|[ivx]+)?)?(?:\s+\w[^:]*)?",
    re.I,
)
"""A year in brackets, with what is said beside it: `1960 film`, `1984 original`, `2009/II`, `TV
Movie 1996`."""

_DISREGARDED = re.compile(
    rf"(?:the\s+)?{_EDITION}|{_KIND}|(?:\d{{4}}\s*[-–]?\s*)+|{_DATED.pattern}|[ivx]+|\W*"
)
_EDITION_LAST = re.compile(
    rf"(?:\s*[:,]|\s[-–—])\s*(?:the\s+)?{_EDITION}$"
    r"|\s+(?:(?:director'?s|final|extended|unrated)\s+cut|redux|imax|re-?release"
    r"|(?:special|extended|collector'?s)\s+edition)$"
)
_NUMBERED = re.compile(r"(?:part|pt|vol|volume|chapter|episode|book)\b|\d")
_THE_MOVIE = re.compile(r"\W*\s(?:the|a)\s+(?:movie|film|motion\s+picture)$")
_COUNTED_PART = re.compile(
    r"(?<=\w)[\s:,;–—-]*\s(?:part|pt\.?|vol(?:ume)?\.?|chapter|number|episode)\s+"
    r"(?=(?:\d+|[ivx]+|one|two|three|four|five|six|seven|eight|nine|ten)\b)"
)
"""What numbers a part, and is often left out: `Rocky Part II`, `Jackass Number Two`."""

_THREE_D = re.compile(r"\b3[- ]?d\b")
_THREE_D_LAST = re.compile(r"\W+3d$")
_GLUED_YEAR = re.compile(r"(?<=[a-z]{3})((?:19|20)\d\d)$")
"""A year that a page shows in a smaller type behind the title: `The Legend of Billie Jean1985`."""

_INITIALS = re.compile(r"^[alo]\.\s?(?:[a-z]\.\s?)+")
"""`L.A. Confidential`, `A.I.`: their letters are no articles."""

_FEWEST_LEFT = 5
"""Letters that must be left of a title which lost some, to be told from others."""

_NUMBER_SIGN = re.compile(r"#(?=\d)")
_ROMAN_LETTER = re.compile(r"(?<=\w\s)[vx](?=\s*(?:$|[:,;(\[]|[-–—]\s))")
_PART_I = re.compile(r"(\b(?:part|pt|vol|volume|chapter|number|episode|book)\.?\s+)i\b")
"""A numeral where it numbers a part, and no longer where that word is left out."""

_ALSO_KNOWN = re.compile(r",?\s+a\.?k\.?a\.?:?\s+")
_SUBTITLE = re.compile(r"\s*:\s*|\s+[-–—~/|]+\s+|\s*—\s*|[;,]?\s+or[:,]?\s+(?=[(\[])|[;,]\s+or,?\s")
_OWNER = re.compile(r"^(?:[\w.&-]+\s+){0,4}[\w.]+'s?\s+(?=\w)|^.*\bpresents:?\s+")
_NAMED_OWNER = re.compile(
    r"(?!(?:the|an?|my|our|your|his|her|their|one|king|queen|mr|mrs|miss|captain|uncle|aunt)\b)"
    r"[\w.&-]+\s+\w|(?:disney|pixar|marvel|nickelodeon)\b|.*\bpresents\b"
)
"""Owners of whom one word may be the title: `Bram Stoker's Dracula`, and neither `The Devil's
Double` nor `Rosemary's Baby`."""

_ARTICLE_FIRST = re.compile(r"(?:the|an?)\s+\w")
_LATIN = re.compile(r"[a-z]")
_FIGURES = re.compile(r"\d+")

_PLAIN = re.compile(r"[a-z]+(?: [a-z]+)*")
"""Most titles: words that are what they seem to be, if they are none of those that say more."""

_SAY_MORE = frozenset(
    {*_SYNONYMS, *_SMALL, *_TENS, *_POWERS, *_ROMAN}
    | {"aka", "or", "presents", "v", "x", "cut", "redux", "imax", "rerelease", "edition"}
    | {"movie", "film", "picture"}
)

_ABOUT = re.compile(
    r"\b(?:making\s+of|behind\s+the\s+scenes|featurette|teaser|trailer|deleted\s+scenes|bloopers"
    r"|outtakes|rifftrax|the\s+soundtrack|on\s+the\s+set\s+of)\b"
)


@lru_cache(100_000)
def forms(title: str) -> tuple[Form, ...]:
    """All forms of a title, the plainest first; none where it holds no letter or figure.

    >>> [form.words for form in forms("Matrix, The (1999)")]
    ['matrix']
    >>> [(form.words, form.part.name) for form in forms("Rocky II: Redemption")]
    [('rocky 2 redemption', 'WHOLE'), ('rocky 2', 'MAIN'), ('redemption', 'TAIL')]

    They are kept of many titles: a film has the same one on all its listings, and each is read when
    it is indexed and again when it is compared.
    """
    found = _of_title(title)
    if title.isascii():
        return found
    # As a file writes it that knows English letters alone: `Amlie`, which is a word of its own.
    left = _of_title("".join(filter(_is_kept, title)))[:1]
    lost = (
        Form(form.words, Part.WHOLE, "", form.numbers)
        for form in left
        if form.words not in {known.words for known in found}
        and form.words.count(" ") == found[0].words.count(" ")
        and len(form.words) >= max(_FEWEST_LEFT, BARELY * len(found[0].words))
    )
    return (*found, *lost)


def _is_kept(letter: str) -> bool:
    return letter.isascii() or not letter.isalpha()


def _of_title(title: str) -> tuple[Form, ...]:
    """The forms of a title of which no letter is lost."""
    text = _GLUED_YEAR.sub(r" (\1)", plain(title).replace("_", " ")[:LONGEST].strip())
    if _PLAIN.fullmatch(text) and _SAY_MORE.isdisjoint(words := text.split()):
        named = words[1:] if len(words) > 1 and words[0] in _ARTICLES else words
        return (Form(" ".join(named), Part.WHOLE, "".join(words), 0),)
    return _forms(text)


def _forms(text: str) -> tuple[Form, ...]:
    """The forms of a title that says more than its words."""
    found: dict[str, Form] = {}
    text = _INITIALS.sub(lambda letters: _NOT_WORDS.sub("", letters[0]) + " ", text)
    text = _THREE_D.sub("3d", text)
    text = _NUMBER_SIGN.sub("no ", text)
    text = _ARTICLE_INSIDE.sub(r"\2 \1", text)
    text = _ROMAN_LETTER.sub(lambda letter: str(_ROMAN[letter[0]]), text)
    for name, whole in _names(text):
        words = _words(name)
        numbers = _number_bits(words)
        _add(found, Form(" ".join(words), whole, _spelt(name), numbers))
        for written, part in _parts(name):
            words = _words(written)
            said = " ".join(words)
            if part is Part.WHOLE:
                # Its own numbers: `3-D` is none, and a third part where that is what it says.
                _add(found, Form(said, whole, _spelt(written), _number_bits(words)))
            elif not _SAYS_LITTLE.fullmatch(said):
                _add(found, Form(said, part, _spelt(written), numbers))
    found.pop("", None)
    return tuple(found.values())


def _add(found: dict[str, Form], form: Form) -> None:
    """Add a form, unless the words are there: then a whole name goes before a part of one, as in
    `Léon: The Professional (Léon)`."""
    known = found.setdefault(form.words, form)
    if form.part <= Part.ALSO and form.part < known.part:
        found[form.words] = form


def whole_words(title: str) -> frozenset[str]:
    """The forms of a whole title, without what may be a part of it alone.

    >>> whole_words("The Matrix") & whole_words("MATRIX"), whole_words("Dune") & whole_words("Du")
    (frozenset({'matrix'}), frozenset())
    """
    return frozenset(form.words for form in forms(title) if form.part is Part.WHOLE)


def without_article(words: list[str]) -> list[str]:
    """The words of a title without the article that it begins with, if that is not all of it."""
    return words[1:] if len(words) > 1 and plain(words[0]) in _ARTICLES else words


def stated_year(title: str) -> int:
    """The year that stands in brackets behind a title, or 0.

    >>> stated_year("Solaris (1972)"), stated_year("2012"), stated_year("Emma (TV)")
    (1972, 0, 0)
    >>> stated_year("Emma (1996) (TV)")
    1996
    """
    for bracket in reversed(list(_BRACKETS.finditer(title.replace("_", " ")))):
        if found := _DATED.fullmatch(bracket[1].strip()):
            return int(found[1])
    return 0


def script(words: str) -> int:
    """1 for Latin letters, also with a few others among them, 2 for others, 3 for figures alone:
    titles can be compared where these have a bit in common.

    >>> script("alien"), script("千と千尋の神隠し"), script("1776"), script("cachթ")
    (1, 2, 3, 1)
    """
    latin = len(_LATIN.findall(words))
    if words.isascii():
        return 1 if latin else 3
    return 1 if 2 * latin > len(words) else 2


def about_another(title: str) -> bool:
    """Whether a title says that it is about a film: `The Making of …`, a trailer.

    >>> about_another("The Making of 'Alien'"), about_another("Alien")
    (True, False)
    """
    return bool(_ABOUT.search(plain(title)))


def _names(text: str) -> Iterator[tuple[str, Part]]:
    """The names that a title gives: without what stands in brackets, with it, and what stands
    there where that is neither an edition nor a year nor a kind."""
    kept, inside = text, []
    for bracket in _BRACKETS.finditer(text):
        content = bracket[1].strip()
        if bracket.start() and (_DISREGARDED.fullmatch(content) or _MEDIUM.search(content)):
            kept = kept.replace(bracket[0], " ")
        elif bracket.start() and not _NUMBERED.match(content):
            inside.append((bracket[0], content))
    bare = kept
    for bracketed, _ in inside:
        bare = bare.replace(bracketed, " ")
    for bracket in _BRACKETS.finditer(bare):
        # `8 1/2 (8½)`: what is said twice, in figures at the beginning, is said once.
        around = bare.replace(bracket[0], " ")
        if bracket.start() and _words(bracket[1]) == _words(around):
            bare = kept = around
    named = [(bare, Part.WHOLE), (kept, Part.WHOLE), *((name, Part.ALSO) for _, name in inside)]
    for name, part in dict.fromkeys(named):
        for at, also in enumerate(_ALSO_KNOWN.split(f" {name}")):
            if also.strip():
                yield _BRACKETS.sub(r" \1 ", also).strip(), part if at == 0 else Part.WHOLE


def _parts(name: str) -> Iterator[tuple[str, Part]]:
    """What a name may be shortened or rewritten to, and which part of it that is."""
    bare = _EDITION_LAST.sub("", name)
    bare = _THE_MOVIE.sub("", bare)
    if bare != name and bare:
        yield bare, Part.WHOLE
    if _THREE_D_LAST.search(bare):
        # A third part is often called so (Jaws 3-D), and so is any film in three dimensions.
        yield _THREE_D_LAST.sub("", bare), Part.OWNED
        yield _THREE_D_LAST.sub(" 3", bare), Part.WHOLE
    if _ARTICLE_BEHIND.search(bare):
        yield _ARTICLE_BEHIND.sub(r"\1", bare), Part.WHOLE
    if _COUNTED_PART.search(bare):
        yield _COUNTED_PART.sub(" ", _PART_I.sub(r"\g<1>1", bare)), Part.WHOLE
    if _FIGURE_IN_WORD.search(bare):
        yield _FIGURE_IN_WORD.sub(lambda found: found[0].translate(_LOOKALIKES), bare), Part.WHOLE
    if owner := _OWNER.match(bare):
        owned = bare[owner.end() :]
        if _ARTICLE_FIRST.match(owned):
            yield owned, Part.OWNED
        elif " " in owned or _NAMED_OWNER.match(owner[0]):
            yield owned, Part.TAIL
    pieces = [piece for piece in _SUBTITLE.split(bare) if piece and piece.strip()]
    if len(pieces) > 1:
        yield pieces[0], Part.MAIN
        yield " ".join(pieces[1:]), Part.TAIL
        if len(pieces) > 2:
            yield " ".join(pieces[:-1]), Part.MAIN
            yield pieces[-1], Part.TAIL


def _words(text: str) -> list[str]:
    """The words of a name, without its article, with its numerals as figures."""
    if article := _ARTICLE_LAST.search(text):
        # In front, `I` is no article that can be told from a word: `I vitelloni`, `I, Robot`.
        text = f"{'i ' if article[1] == 'i' else ''}{text[: article.start()]}"
    text = _ELIDED.sub(r"\1 ", text).replace("'", "")
    if not _WORD.search(text):
        return text.split()  # `$` and `!!!` are titles too
    words = _NOT_WORDS.sub(" ", text.replace("&", " and ").replace("+", " and ")).split()
    while len(words) > 1 and words[-1] == "or":
        del words[-1]
    if len(words) > 1 and words[0] in _ARTICLES:
        del words[0]
    for at in range(1, len(words) - 1):
        # `Ford v Ferrari`; a five it may be behind `part`, and before an article: `Rocky V The …`.
        if words[at] == "v" and words[at - 1] not in _BEFORE_NUMBER:
            words[at] = "v" if words[at + 1] in _ARTICLES else "vs"
    # `and` in another language stands between words: `ET` is somebody.
    begins = words[:1] if words[0] in ("et", "und") else []
    return _with_figures(begins + [_SYNONYMS.get(word, word) for word in words[len(begins) :]])


def _spelt(text: str) -> str:
    text = text.replace("&", "and")
    article = _ARTICLE_LAST.search(text)
    if article:
        text = article[1] + text[: article.start()]
    return _NOT_WORDS.sub("", text) or text


def _with_figures(words: list[str]) -> list[str]:
    """Numerals as figures: `rocky ii`, `part one`, `one hundred and one dalmatians`.

    What is written as its figures one by one needs nothing more (`one eight seven`, `nineteen
    eighty-four`), since forms are compared without their spaces.
    """
    told: list[str] = []
    before = ""
    total: int | None = None
    for at, word in enumerate(words):
        small = _SMALL.get(word)
        if word in _POWERS and total is not None:
            total *= _POWERS[word]
        elif total and word == "and" and before in _POWERS and _is_number(words, at + 1):
            pass
        elif (
            total
            and small is not None
            and (before in _TENS or before in _POWERS or before == "and")
        ):
            total += small
        elif total and word in _TENS and before in (*_POWERS, "and"):
            total += _TENS[word]
        else:
            if total is not None:
                told.append(str(total))
            total = _TENS.get(word, small)
            if total is None:
                told.append(_roman(word, before))
        before = word
    if total is not None:
        told.append(str(total))
    return told


def _is_number(words: list[str], at: int) -> bool:
    return at < len(words) and (words[at] in _SMALL or words[at] in _TENS)


def _roman(word: str, before: str) -> str:
    """A Roman numeral as figures; a single letter is one only where it numbers a part."""
    if word in _ROMAN and (len(word) > 1 or before in _BEFORE_NUMBER):
        return str(_ROMAN[word])
    return word


def _number_bits(words: list[str]) -> int:
    """The numbers among words, a bit each; large ones share bits, and 3d is none."""
    bits = 0
    for word in words:
        for figures in _FIGURES.findall(word) if word != "3d" else ():
            number = int(figures[:6])
            bits |= 1 << (number if number < 40 else 40 + number % 23)
    return bits

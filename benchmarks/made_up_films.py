"""Two catalogues of made-up films, with what real ones differ by, and which of them are the same.

Titles are of invented words, common and rare ones as in real languages, so that names collide as
they do: a few words name dozens of films. Some films are remakes or sequels of others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.made_up_votes import votes

Texts = NDArray[np.object_]

SHARED = 0.7
"""The part of the films of one catalogue that the other has too."""

# The part of the shared films that the second catalogue tells differently. Those of titles and
# years are roughly what the public datasets show between IMDb, TMDB and MovieLens.
_TRANSLATED, _MISSPELT, _WITH_SUBTITLE, _NEXT_YEAR, _OTHER_LENGTH = 0.03, 0.02, 0.02, 0.04, 0.1
_WITHOUT_DIRECTOR, _WITHOUT_CAST = 0.03, 0.05
_REMAKES, _SEQUELS = 0.04, 0.05

CAST = 4
"""People in a film's cast."""

SYLLABLES = (
    "ba ber bo cal car cor da del den do el en fa fer ga gen go har hel in ka kel la len lo ma mar"
    " mel mi mon na nel no or pa per ra ren ri ro sa sen sil so ta ten ter to tri va ven vi wa zan"
)
"""What made-up names and words are made of."""


class Catalogues(NamedTuple):
    """Two frames of listings, and the pairs of ids (a, b) that are of one film."""

    a: pd.DataFrame
    b: pd.DataFrame
    gold: pd.DataFrame


def catalogues(count: int, seed: int = 0) -> Catalogues:
    """Two catalogues of `count` listings each; the same for the same seed."""
    rng = np.random.default_rng(seed)
    shared = int(count * SHARED)
    films = _films(rng, 2 * count - shared)
    order_a, order_b = rng.permutation(count), rng.permutation(count)
    first = films.iloc[:count].assign(id=_numbered("imdb", np.arange(count)))
    second = _told_differently(rng, films.iloc[count - shared :])
    second["id"] = _numbered("tmdb", np.arange(count))
    gold = pd.DataFrame(
        {"a": first["id"].to_numpy()[count - shared :], "b": second["id"].to_numpy()[:shared]}
    )
    return Catalogues(first.iloc[order_a], second.iloc[order_b], gold)


def films(count: int, seed: int = 0) -> pd.DataFrame:
    """So many films: title, year, runtime (minutes), votes, director, and the cast in `cast_0` to
    `cast_3`; the same for the same seed."""
    rng = np.random.default_rng(seed)
    told = _films(rng, count)
    cast = told["cast"].str.split("|", expand=True).add_prefix("cast_")
    told["runtime"] = told["runtime"].astype("int64")
    told["votes"] = votes(rng, count)
    columns = told[["title", "year", "runtime", "votes", "directors"]].rename(
        columns={"directors": "director"}
    )
    return columns.join(cast)


def _films(rng: np.random.Generator, count: int) -> pd.DataFrame:
    words = _words(rng, max(2_000, count // 20))
    title = _titles(rng, words, count)
    year = 2026 - np.minimum(rng.exponential(25, count), 125).astype(np.int64)
    of = rng.integers(0, count, count)
    remake = rng.random(count) < _REMAKES
    title[remake] = title[of[remake]]
    sequel = rng.random(count) < _SEQUELS
    title[sequel] = title[of[sequel]] + " II"
    year[sequel] = np.minimum(year[of[sequel]] + rng.integers(1, 6, sequel.sum()), 2026)
    makers = _names(rng, words, max(500, count // 4))
    actors = _names(rng, words, max(1_000, count // 2))
    director = makers[_common(rng, len(makers), count)]
    director[sequel] = director[of[sequel]]
    cast = actors[_common(rng, len(actors), 4 * count)].reshape(count, 4)
    return pd.DataFrame(
        {
            "kind": "movie",
            "title": title,
            "year": year,
            "runtime": rng.normal(103, 18, count).round().clip(46, 300),
            "directors": director,
            "cast": cast[:, 0] + "|" + cast[:, 1] + "|" + cast[:, 2] + "|" + cast[:, 3],
        }
    )


def _told_differently(rng: np.random.Generator, films: pd.DataFrame) -> pd.DataFrame:
    count = len(films)
    told = films.reset_index(drop=True)
    words = _words(rng, max(2_000, count // 20))

    def some(part: float) -> NDArray[np.bool_]:
        return rng.random(count) < part

    subtitled = some(_WITH_SUBTITLE)
    told.loc[subtitled, "title"] += ": " + _titles(rng, words, int(subtitled.sum()))
    misspelt = some(_MISSPELT)
    told.loc[misspelt, "title"] = told["title"][misspelt].str.replace(
        r"(?<=\w)a(?=\w)", "e", n=1, regex=True
    )
    translated = some(_TRANSLATED)
    told.loc[translated, "title"] = _titles(rng, words, int(translated.sum()))
    told["year"] += some(_NEXT_YEAR)
    told["runtime"] += some(_OTHER_LENGTH) * rng.integers(-8, 9, count)
    told.loc[some(_WITHOUT_DIRECTOR), "directors"] = ""
    told.loc[some(_WITHOUT_CAST), "cast"] = ""
    return told


def _words(rng: np.random.Generator, count: int) -> Texts:
    syllables = np.array(SYLLABLES.split(), dtype=object)
    parts = rng.choice(syllables, (count, 4))
    length = rng.integers(2, 5, count)
    words = parts[:, 0] + parts[:, 1]
    for place in (2, 3):
        words = words + np.where(length > place, parts[:, place], "")
    return np.array([str(word).capitalize() for word in words], dtype=object)


def _titles(rng: np.random.Generator, words: Texts, count: int) -> Texts:
    length = rng.choice(4, count, p=[0.2, 0.4, 0.25, 0.15]) + 1
    chosen = words[_common(rng, len(words), 4 * count)].reshape(count, 4)
    title = chosen[:, 0]
    for place in (1, 2, 3):
        title = title + np.where(length > place, " " + chosen[:, place], "")
    return np.asarray(np.where(rng.random(count) < 0.3, "The " + title, title), dtype=object)


def _names(rng: np.random.Generator, words: Texts, count: int) -> Texts:
    given = words[_common(rng, min(len(words), 400), count)]
    return np.asarray(given + " " + words[rng.integers(0, len(words), count)], dtype=object)


def _common(rng: np.random.Generator, size: int, count: int) -> NDArray[Any]:
    """Places in a list of which the first are drawn far more often than the last."""
    return np.minimum(size * rng.random(count) ** 2.5, size - 1).astype(np.int64)


def _numbered(source: str, numbers: NDArray[Any]) -> Texts:
    return np.array([f"{source}:{number}" for number in numbers], dtype=object)

"""Films that are born together, of listings that share nothing, are those that the matcher makes of
each by itself: nobody can tell the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.database import transaction
from pipelines.films import Listed
from pipelines.matching import matcher, rulings
from pipelines.tables import TABLES
from pipelines.tracking import track
from spiders.items import Person, Record
from tests.answers import Kept, answer, day, keeping, record

Step = tuple[str, Any]

TITLES = st.sampled_from(["Skyfall", "Up", "Dune", None])
YEARS = st.sampled_from([2012, 2012, 2013, None])
IMDB = st.integers(1, 9).map(lambda number: f"tt{number:07}")
TMDB = st.integers(1, 3).map(str)
TOMATOES = st.sampled_from(["m/skyfall", "m/up", "m/dune"])


def _record(
    source: str, source_id: str, title: str | None, year: int | None, **more: Any
) -> Record:
    by = (Person(name=f"The director of {title}", role="director"),) if title else ()
    return record(source, source_id, title=title, year=year, people=by, **more)


def _imdb(
    tconst: str, title: str | None, year: int | None, kind: str | None, tmdb_id: str | None
) -> Record:
    stated = {"tmdb": (tmdb_id,)} if tmdb_id else {}
    return _record("imdb", tconst, title, year, kind=kind, identifiers=stated)


def _tmdb(number: str, title: str | None, year: int | None, imdb_id: str | None) -> Record:
    return _record("tmdb", number, title, year, imdb_id=imdb_id)


def _claim(item: int, imdb_id: str, slug: str) -> Record:
    stated = {"imdb": (imdb_id,), "rottentomatoes": (slug,)}
    return record("wikidata", f"Q{item}", identifiers=stated)


def _page(slug: str, title: str | None, year: int | None) -> Record:
    return _record("rottentomatoes", slug, title, year)


KINDS = st.sampled_from(["movie", "movie", "movie", "tvEpisode", "short", None])
STATED = st.sampled_from([None, None, None, None, "1"])
TITLED = st.builds(_imdb, IMDB, TITLES, YEARS, KINDS, STATED)
RECORDS = st.one_of(
    st.builds(_tmdb, TMDB, TITLES, YEARS, st.none() | IMDB),
    st.builds(_claim, st.integers(1, 3), IMDB, TOMATOES),
    st.builds(_page, TOMATOES, TITLES, YEARS),
)
SOMETIMES = st.one_of(
    st.tuples(st.just("said"), RECORDS),
    st.tuples(st.just("tracked"), IMDB),
    st.tuples(st.sampled_from(["same", "different"]), st.tuples(IMDB, TOMATOES)),
)
WAVES = st.lists(
    st.tuples(st.lists(TITLED, max_size=6), st.lists(SOMETIMES, max_size=2)),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kept, Kept]]:
    """A database in which films are born together, and one in which each is matched by itself."""
    folder = tmp_path_factory.mktemp("born")
    with keeping(folder / "together.db") as one, keeping(folder / "alone.db") as other:
        yield one, other


def _emptied(kept: Kept) -> None:
    with transaction(kept.db):
        kept.db.conn.execute("PRAGMA defer_foreign_keys = ON")
        for table in TABLES:
            if table.name != "film_words":
                kept.db.conn.execute(f"DELETE FROM {table.name}")


def _live(kept: Kept, titled: Sequence[Record], steps: Sequence[Step], at: str) -> None:
    """One night: what is said, tracked and ruled, matched."""
    touched: set[int] = set()
    for said in (*titled, *(told for what, told in steps if what == "said")):
        touched |= kept.tell(answer(said, at=at)).touched
    for what, told in steps:
        with transaction(kept.db):
            if what == "tracked":
                track(kept.db, [Listed("imdb", told)], "a test")
            elif what != "said":
                tconst, slug = told
                pair = Listed("imdb", tconst), Listed("rottentomatoes", slug)
                rulings.rule(kept.db, *pair, what, "a test")
    matcher.match(kept.db, touched)


_NAME = (
    "(SELECT min(m.source || ':' || m.source_id) FROM listing_films o JOIN listings m"
    " USING (listing_id) WHERE o.film_id = {}.film_id)"
)
_LISTING = (
    "(SELECT m.source || ':' || m.source_id FROM listings m WHERE m.listing_id = {}.listing_id)"
)
_COMPARED = (
    f"SELECT {_NAME}, imdb_id, tmdb_id, wikidata_id, merged_into IS NULL FROM films",
    f"SELECT {_LISTING}, {_NAME}, valid_from, valid_to, method, probability, evidence"
    " FROM listing_films",
    f"SELECT {_LISTING}, {_NAME}, answer, method, probability, evidence FROM judgements",
    f"SELECT {_NAME}, match_key FROM film_keys",
    f"SELECT {_LISTING}, match_key FROM listing_keys",
    f"SELECT {_NAME} FROM unindexed_films",
)


def _found(kept: Kept) -> list[list[tuple[Any, ...]]]:
    """What matching came to, whatever the films' numbers are here."""
    return [
        sorted(kept.rows(sql.replace("{}", sql.rpartition(" ")[2])), key=repr) for sql in _COMPARED
    ]


# Evidence matches IMDb's listing to a film of TMDB's, an identifier takes it away again, and what
# comes with that may be the film.
LOSES_ITS_LISTING: list[tuple[list[Record], list[Step]]] = [
    ([], [("said", _tmdb("1", "Skyfall", 2012, None))]),
    (
        [_imdb("tt0000001", "Skyfall", 2012, "movie", None)],
        [
            ("tracked", "tt0000003"),
            ("said", record("rottentomatoes", "m/up", imdb_id="tt0000003")),
        ],
    ),
    (
        [_imdb("tt0000002", "Skyfall", 2012, "movie", None)],
        [("said", record("rottentomatoes", "m/up", imdb_id="tt0000001"))],
    ),
]


@example(waves=LOSES_ITS_LISTING)
@given(waves=WAVES)
@settings(deadline=None, max_examples=25)
def test_films_born_together_are_those_that_are_born_one_by_one(
    both: tuple[Kept, Kept], waves: list[tuple[list[Record], list[Step]]]
) -> None:
    together, alone = both
    for kept in both:
        _emptied(kept)
    for night, (titled, steps) in enumerate(waves, 1):
        _live(together, titled, steps, day(night))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(matcher, "give_birth_to_the_unrelated", lambda db: set())
            _live(alone, titled, steps, day(night))
        assert _found(together) == _found(alone)

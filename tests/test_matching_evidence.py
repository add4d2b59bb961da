"""Listings that state no identifier are matched by what they say; wrong matches are undone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.clock import BEGINNING
from pipelines.database import transaction
from pipelines.matching.evidence import compare, contradicts
from pipelines.matching.matcher import match
from pipelines.merge import merge
from spiders.items import Answer, Crew, OtherTitles, Outcome, Person, Record, Title
from tests.answers import Kept, answer, day, keeping, not_rated, record, refused, scored


def by(*names: str) -> tuple[Person, ...]:
    """The directors of a film."""
    return tuple(Person(name=name, role="director") for name in names)


def imdb(number: int, title: str, year: int | None, *directors: str, **more: Any) -> Record:
    said: dict[str, Any] = {"title": title, "year": year, "kind": "movie", **more}
    return record("imdb", f"tt{number:07}", people=by(*directors), **said)


def tomatoes(
    slug: str, title: str, year: int | None, *directors: str, score: int = 93, **more: Any
) -> Record:
    scores = {"tomatometer": scored(score, 300)}
    said: dict[str, Any] = {"title": title, "year": year, "scores": scores, **more}
    return record(source_id=f"m/{slug}", people=by(*directors), **said)


def claims(item: str, imdb_number: int, *slugs: str) -> Record:
    """A row of the crosswalk."""
    told = {"imdb": (f"tt{imdb_number:07}",), "rottentomatoes": tuple(f"m/{s}" for s in slugs)}
    return record("wikidata", item, identifiers=told)


def hear(kept: Kept, *records: Record, night: float = 1) -> None:
    """Store what pages say on one night, match what they touched, and merge, as a run does."""
    tally = kept.tell(*(answer(said, at=day(night)) for said in records))
    matched = match(kept.db, tally.touched)
    merge(kept.db, matched.films | films_of(kept, tally.touched))


def films_of(kept: Kept, listing_ids: set[int]) -> set[int]:
    rows = kept.rows("SELECT listing_id, film_id FROM listing_films WHERE valid_to IS NULL")
    return {film_id for listing_id, film_id in rows if listing_id in listing_ids}


def film_of(kept: Kept, source_id: str) -> str | None:
    """The IMDb id of the film that a listing is now."""
    found = kept.column(
        "SELECT f.imdb_id FROM films f JOIN listing_films USING (film_id)"
        " JOIN listings l USING (listing_id) WHERE l.source_id = ? AND valid_to IS NULL",
        source_id,
    )
    return found[0] if found else None


def tomatometer(kept: Kept, number: int) -> float | None:
    """The Tomatometer that a film has now."""
    value: float | None
    (value,) = kept.row("SELECT tomatometer FROM film_scores WHERE imdb_id = ?", f"tt{number:07}")
    return value


def spans(kept: Kept, slug: str) -> list[tuple[Any, ...]]:
    return kept.rows(
        "SELECT f.imdb_id, valid_from, valid_to FROM listing_films JOIN films f USING (film_id)"
        " JOIN listings l USING (listing_id) WHERE l.source_id = ? ORDER BY valid_from",
        f"m/{slug}",
    )


def asked(kept: Kept, slug: str) -> list[str]:
    """The films that a listing may be, as a person is asked."""
    return kept.column(
        "SELECT f.imdb_id FROM judgements JOIN films f USING (film_id) JOIN listings l"
        " USING (listing_id) WHERE l.source_id = ? AND answer = 'ask' ORDER BY 1",
        f"m/{slug}",
    )


BLADE = imdb(83658, "Blade Runner", 1982, "Ridley Scott", runtime_minutes=117)
DUNE_1984 = imdb(87182, "Dune", 1984, "David Lynch", runtime_minutes=137)
DUNE_2021 = imdb(1160419, "Dune: Part One", 2021, "Denis Villeneuve", runtime_minutes=155)

# --- evidence -----------------------------------------------------------------------------------


def test_other_titles_and_directors_that_come_later_are_evidence_too(kept: Kept) -> None:
    """As IMDb's datasets of them do, which are read once the titles have been."""
    hear(kept, imdb(1, "The Neighbours Across the Hall", 2001))
    hear(kept, tomatoes("nachbarn", "Die Nachbarn von gegenüber", 2001, "Ann Doe"))
    assert film_of(kept, "m/nachbarn") is None
    told = {"source": "imdb", "source_ids": ("tt0000001",)}
    titles = OtherTitles(
        **told, titles=("Die Nachbarn von gegenüber",), countries=("DE",), languages=(None,)
    )
    crew = Crew(**told, names=("Ann Doe",), parts=("director",), billings=(0,))
    asked = {"source": "imdb", "asked_at": day(2), "outcome": Outcome.OK, "records_in_all": 1}
    tally = kept.tell(
        Answer(
            target="akas",
            asked_url="https://akas",
            url="https://akas",
            other_titles=titles,
            **asked,
        ),
        Answer(target="crew", asked_url="https://crew", url="https://crew", crew=crew, **asked),
    )
    matched = match(kept.db, tally.touched)
    merge(kept.db, matched.films | films_of(kept, tally.touched))
    assert film_of(kept, "m/nachbarn") == "tt0000001"


def test_a_page_without_identifiers_is_matched_by_what_it_says(kept: Kept) -> None:
    hear(kept, BLADE, DUNE_1984, DUNE_2021)
    hear(kept, tomatoes("dune_2021", "Dune", 2021, "Denis Villeneuve", score=83))
    assert film_of(kept, "m/dune_2021") == "tt1160419"
    assert tomatometer(kept, 1160419) == 83
    assert tomatometer(kept, 87182) is None
    (probability, evidence) = kept.row(
        "SELECT probability, evidence FROM listing_films WHERE method = 'evidence'"
    )
    assert probability > 0.9
    assert "Denis Villeneuve" in evidence


def test_a_page_may_come_before_the_film_that_it_shows(kept: Kept) -> None:
    hear(kept, tomatoes("blade_runner", "Blade Runner", 1982, "Ridley Scott"))
    assert film_of(kept, "m/blade_runner") is None
    hear(kept, BLADE)
    assert film_of(kept, "m/blade_runner") == "tt0083658"
    assert tomatometer(kept, 83658) == 93


def written_by_another_version(kept: Kept) -> None:
    """The keys are as a version wrote them that read every title otherwise."""
    with transaction(kept.db):
        for table in ("film_keys", "listing_keys"):
            kept.db.execute(f"UPDATE {table} SET match_key = match_key + 1")
        kept.db.execute("UPDATE key_versions SET version = 'another'")


def test_what_another_version_read_otherwise_is_found_after_an_upgrade(kept: Kept) -> None:
    hear(kept, BLADE, tomatoes("1019544", "Dune", 2021, "Denis Villeneuve"))
    written_by_another_version(kept)
    hear(kept, tomatoes("blade_runner", "Blade Runner", 1982, "Ridley Scott"))
    assert film_of(kept, "m/blade_runner") == "tt0083658"
    written_by_another_version(kept)
    hear(kept, DUNE_2021)
    assert film_of(kept, "m/1019544") == "tt1160419"


def test_a_film_is_found_among_many_that_share_words_with_it(kept: Kept) -> None:
    firsts, lasts = ("Ash", "Bay", "Cove", "Dale", "Elm", "Fern"), ("Glen", "Hill", "Isle", "Mill")
    names = [f"Murder in {first} {last} {n}" for first in firsts for last in lasts for n in (5, 6)]
    hear(kept, *(imdb(1000 + at, name, 1999, name) for at, name in enumerate(names)))
    hear(kept, *(tomatoes(str(at), name, 1999) for at, name in enumerate(names) if at % 9 == 0))
    found = [film_of(kept, f"m/{at}") for at in range(0, len(names), 9)]
    assert found == [f"tt{1000 + at:07}" for at in range(0, len(names), 9)]


def test_a_film_known_by_the_same_title_elsewhere_competes_though_many_share_a_word(
    kept: Kept,
) -> None:
    words = ("Ash", "Bay", "Cove", "Dale", "Elm", "Fern", "Glen", "Hill", "Isle")
    others = [imdb(100 + at, f"Meadowlark {word}", 1996) for at, word in enumerate(words)]
    years = [imdb(1900 + year, "Meadowlark", 1900 + year) for year in range(20, 50, 2)]
    known_as = {"alternative_titles": (Title(title="Meadowlark"),)}
    hear(kept, *others, *years, imdb(1, "Meadowlark", 1996), imdb(2, "Alondra", 1996, **known_as))
    hear(kept, tomatoes("meadowlark", "Meadowlark", 1996))
    assert film_of(kept, "m/meadowlark") is None
    assert asked(kept, "meadowlark") == ["tt0000001", "tt0000002"]


def test_two_pages_compete_whichever_night_they_come(kept: Kept) -> None:
    hear(kept, BLADE)
    hear(kept, tomatoes("blade_runner", "Blade Runner", 1982))
    (alone,) = kept.column("SELECT probability FROM listing_films WHERE method = 'evidence'")
    hear(kept, tomatoes("1019544", "Blade Runner", 1982), night=2)
    both = kept.column("SELECT probability FROM judgements WHERE answer = 'ask'")
    assert both == pytest.approx([0.5, 0.5], abs=0.001)
    assert alone > 0.9
    assert film_of(kept, "m/blade_runner") is None


def test_a_film_of_the_same_name_is_told_of_and_one_of_the_same_word_is_not(kept: Kept) -> None:
    hear(kept, DUNE_1984, imdb(81505, "The Spice Harvest", 1922, "Stan Laurel"))
    hear(kept, tomatoes("dune_2021", "Dune", 2021, "Denis Villeneuve"))
    hear(kept, tomatoes("spice", "Spice of a Distant Western Town", 1923, "Denis Villeneuve"))
    told = "SELECT f.imdb_id, answer FROM judgements JOIN films f USING (film_id)"
    assert kept.rows(told) == [("tt0087182", "different")]


def test_a_film_of_another_name_is_not_told_of_beside_the_right_one(kept: Kept) -> None:
    hear(kept, imdb(1, "Northern Spice Harvest", 1984), imdb(2, "Spice in a Distant Town", 1984))
    hear(kept, tomatoes("spice", "Northern Spice Harvest", 1984))
    assert film_of(kept, "m/spice") == "tt0000001"
    assert kept.rows("SELECT * FROM judgements") == []


def test_a_title_alone_is_too_thin(kept: Kept) -> None:
    hear(kept, imdb(1, "Home", 2015), imdb(2, "Home", 2008), imdb(3, "Home", 2009))
    hear(kept, tomatoes("home", "Home", None))
    assert film_of(kept, "m/home") is None
    assert {tomatometer(kept, number) for number in (1, 2, 3)} == {None}


def test_a_game_of_the_film_is_no_film(kept: Kept) -> None:
    hear(kept, BLADE)
    game = record(
        "metacritic", "movie/blade-runner", title="Blade Runner", year=1997, kind="videoGame"
    )
    hear(kept, game)
    assert film_of(kept, "movie/blade-runner") is None


def test_a_match_yields_to_a_film_that_fits_better(kept: Kept) -> None:
    """Each is matched to what fits best of all that is known by then, whatever came first."""
    hear(kept, imdb(1, "Black Christmas", 2006, "Glen Morgan"))
    hear(kept, tomatoes("black_christmas", "Black Christmas", 2006))
    assert film_of(kept, "m/black_christmas") == "tt0000001"
    hear(kept, imdb(2, "Black Christmas", 2006, "Another Director"))
    assert film_of(kept, "m/black_christmas") is None
    assert tomatometer(kept, 1) is None
    assert len(asked(kept, "black_christmas")) == 2


def test_a_doubt_is_looked_at_again_when_a_film_says_how_long_it_is(kept: Kept) -> None:
    """What no film is found by is news of it, too."""
    hear(kept, imdb(1, "The Long Night", 2015), imdb(2, "The Long Night", 2015))
    hear(kept, tomatoes("long_night", "The Long Night", 2015, runtime_minutes=97))
    assert len(asked(kept, "long_night")) == 2
    told = {"runtime_minutes": 97}, {"runtime_minutes": 161}
    hear(kept, *(imdb(at + 1, "The Long Night", 2015, **told[at]) for at in (0, 1)), night=2)
    assert film_of(kept, "m/long_night") == "tt0000001"


def test_an_identifier_that_comes_later_beats_the_evidence(kept: Kept) -> None:
    hear(kept, imdb(1, "Home", 2015, "Tim Johnson"), imdb(2, "Heim", 2015, "Tim Johnson"))
    hear(kept, tomatoes("home_2015", "Home", 2015, "Tim Johnson"))
    assert film_of(kept, "m/home_2015") == "tt0000001"
    hear(kept, claims("Q1", 2, "home_2015"), night=2)
    assert film_of(kept, "m/home_2015") == "tt0000002"


# --- identifiers that the rest contradicts ------------------------------------------------------


def test_an_identifier_that_title_year_and_people_contradict_goes_to_review(kept: Kept) -> None:
    hear(kept, BLADE, claims("Q1", 83658, "up"))
    assert film_of(kept, "m/up") == "tt0083658"
    hear(kept, tomatoes("up", "Up", 2009, "Pete Docter"), night=2)
    assert film_of(kept, "m/up") is None
    assert tomatometer(kept, 83658) is None
    assert asked(kept, "up") == ["tt0083658"]
    assert "m/up" in kept.column("SELECT source_id FROM unmatched_listings")


def test_a_page_that_comes_before_the_crosswalk_is_doubted_too(kept: Kept) -> None:
    hear(kept, BLADE, tomatoes("up", "Up", 2009, "Pete Docter"))
    hear(kept, claims("Q1", 83658, "up"), night=2)
    assert film_of(kept, "m/up") is None
    assert asked(kept, "up") == ["tt0083658"]


def test_an_identifier_of_the_remake_is_doubted_for_all_that_the_title_is_the_same(
    kept: Kept,
) -> None:
    hear(
        kept, imdb(4975722, "Moonlight", 2016, "Barry Jenkins"), claims("Q1", 4975722, "moonlight")
    )
    hear(kept, tomatoes("moonlight", "Moonlight", 2005, "Paula van der Oest"), night=2)
    assert film_of(kept, "m/moonlight") is None
    assert asked(kept, "moonlight") == ["tt4975722"]


_words = st.text(min_size=1, max_size=12)


def told_by(who: str) -> st.SearchStrategy[dict[str, Any]]:
    """What else a listing may tell: other people than another one, mostly."""
    people = st.sampled_from([[who], [who, "Ann Lee"], []])
    return st.fixed_dictionaries(
        {
            "original_title": st.none() | _words,
            "other_titles": st.lists(_words, max_size=2),
            "release_date": st.none() | st.dates().map(str),
            "directors": people,
            "cast": people,
        }
    )


@settings(deadline=None)
@given(
    _words,
    st.integers(1900, 2030),
    st.integers(-1, 1),
    told_by("Jackie Chan"),
    told_by("Pete Docter"),
)
def test_the_very_title_of_about_that_year_contradicts_nothing_whatever_else_is_told(
    title: str, year: int, apart: int, here: dict[str, Any], there: dict[str, Any]
) -> None:
    """What the matcher takes for granted of pairs that an identifier links, and does not weigh."""
    one = pd.DataFrame([{**here, "title": title, "year": year}])
    other = pd.DataFrame([{**there, "title": title, "year": year + apart}])
    compared = compare(one, other, pd.DataFrame({"a": [0], "b": [0]}))
    assert not contradicts(compared).any()


def test_a_re_release_is_the_same_film(kept: Kept) -> None:
    """Sites give the year of the re-release; who made it and for how long has not changed."""
    hear(
        kept,
        imdb(89374, "Police Story", 1985, "Jackie Chan", runtime_minutes=100),
        claims("Q1", 89374, "police_story"),
    )
    page = tomatoes("police_story", "Police Story", 2019, "Jackie Chan")
    hear(kept, page.model_copy(update={"runtime_minutes": 100}), night=2)
    assert film_of(kept, "m/police_story") == "tt0089374"


def test_a_translated_title_or_a_festival_year_contradicts_nothing(kept: Kept) -> None:
    hear(kept, imdb(1167638, "L'immortel", 2010, "Richard Berry"))
    hear(kept, claims("Q1", 1167638, "22-bullets"))
    hear(kept, tomatoes("22-bullets", "22 Bullets", 2013, "Richard Berry"), night=2)
    assert film_of(kept, "m/22-bullets") == "tt1167638"


def test_a_wrong_match_is_corrected_backwards(kept: Kept) -> None:
    """The history that a wrong identifier gave one film is the other's, from the beginning."""
    hear(kept, BLADE, imdb(1049413, "Up", 2009, "Pete Docter"), claims("Q1", 83658, "up"))
    bare = record(source_id="m/up", scores={"tomatometer": scored(97, 250)})
    hear(kept, bare, night=2)
    assert tomatometer(kept, 83658) == 97
    hear(kept, tomatoes("up", "Up", 2009, "Pete Docter", score=98), night=3)
    assert spans(kept, "up") == [("tt1049413", BEGINNING, None)]
    assert tomatometer(kept, 83658) is None
    assert tomatometer(kept, 1049413) == 98
    history = kept.rows(
        "SELECT f.imdb_id, value FROM score_history JOIN films f USING (film_id)"
        " WHERE score_kind = 'tomatometer' ORDER BY value"
    )
    assert history == [("tt1049413", 97), ("tt1049413", 98)]


# --- re-checking --------------------------------------------------------------------------------


def test_a_slug_that_is_reused_for_a_remake_is_split_by_date(kept: Kept) -> None:
    old = imdb(71222, "Black Christmas", 1974, "Bob Clark")
    new = imdb(10481868, "Black Christmas", 2019, "Sophia Takal")
    hear(kept, old, new, claims("Q1", 71222, "black_christmas"))
    hear(kept, tomatoes("black_christmas", "Black Christmas", 1974, "Bob Clark", score=71), night=2)
    assert tomatometer(kept, 71222) == 71
    hear(
        kept,
        tomatoes("black_christmas", "Black Christmas", 2019, "Sophia Takal", score=39),
        night=9,
    )
    assert spans(kept, "black_christmas") == [
        ("tt0071222", BEGINNING, day(9)),
        ("tt10481868", day(9), None),
    ]
    assert tomatometer(kept, 71222) is None
    assert tomatometer(kept, 10481868) == 39
    history = kept.rows(
        "SELECT f.imdb_id, value FROM score_history JOIN films f USING (film_id)"
        " WHERE score_kind = 'tomatometer' ORDER BY value DESC"
    )
    assert history == [("tt0071222", 71), ("tt10481868", 39)]


def test_a_redirect_to_another_film_takes_no_score_along(kept: Kept) -> None:
    hear(kept, BLADE, imdb(1049413, "Up", 2009, "Pete Docter"), claims("Q1", 83658, "old"))
    hear(kept, tomatoes("old", "Blade Runner", 1982, "Ridley Scott", score=89), night=2)
    moved = answer(
        tomatoes("up", "Up", 2009, "Pete Docter", score=98),
        at=day(3),
        asked_source_id="m/old",
        asked_url="https://www.rottentomatoes.com/m/old",
        url="https://www.rottentomatoes.com/m/up",
    )
    tally = kept.tell(moved)
    matched = match(kept.db, tally.touched)
    merge(kept.db, matched.films)
    assert tomatometer(kept, 83658) == 89
    assert film_of(kept, "m/up") == "tt1049413"


def test_films_that_tmdb_merged_become_one_with_their_history(kept: Kept) -> None:
    """The old id leads to the new one: what was known of either film is the survivor's."""
    page = {"title": "Nightmare City", "year": 1980}
    hear(kept, imdb(80931, "Nightmare City", 1980, "Umberto Lenzi"))
    hear(kept, record("tmdb", "42", people=by("U. Lenzi"), scores={"tmdb_score": scored(6, 9, 10)}))
    hear(kept, record("tmdb", "42", original_title="Incubo", **page), night=1)
    hear(
        kept,
        record(
            "tmdb", "77", imdb_id="tt0080931", scores={"tmdb_score": scored(6.1, 90, 10)}, **page
        ),
        night=2,
    )
    before = kept.column("SELECT film_id FROM films WHERE merged_into IS NULL")
    moved = record(
        "tmdb", "77", imdb_id="tt0080931", scores={"tmdb_score": scored(6.1, 90, 10)}, **page
    )
    tally = kept.tell(
        answer(
            moved,
            at=day(3),
            asked_source_id="42",
            asked_url="https://api.themoviedb.org/3/movie/42",
            url="https://api.themoviedb.org/3/movie/77",
        )
    )
    matched = match(kept.db, tally.touched)
    merge(kept.db, matched.films)
    left = kept.column("SELECT film_id FROM films WHERE merged_into IS NULL")
    assert len(left) == 1 <= len(before)
    assert film_of(kept, "42") == film_of(kept, "77") == "tt0080931"
    assert kept.column("SELECT tmdb_score FROM film_scores") == [6.1]
    assert kept.column(
        "SELECT DISTINCT film_id FROM score_history WHERE score_kind = 'tmdb_score'"
    ) == left  # fmt: skip


def test_a_listing_that_is_gone_keeps_its_scores_and_leaves_the_consensus(kept: Kept) -> None:
    hear(kept, BLADE, claims("Q1", 83658, "blade_runner"))
    hear(kept, tomatoes("blade_runner", "Blade Runner", 1982, "Ridley Scott", score=89), night=2)
    assert kept.row("SELECT kinds_used FROM film_scores") == ("tomatometer",)
    for night in (3, 4, 5):
        kept.tell(refused(Outcome.NOT_FOUND, day(night), source_id="m/blade_runner"))
        kept.merge()
    assert kept.row("SELECT tomatometer, tomatometer_state FROM film_scores") == (89, "scored")
    consensus, kinds = kept.row("SELECT consensus_100, kinds_used FROM film_scores")
    assert consensus is None
    assert not kinds


# --- the order does not matter ------------------------------------------------------------------

SAID = (
    BLADE,
    DUNE_1984,
    DUNE_2021,
    imdb(4, "Home", 2015, "Tim Johnson"),
    record("tmdb", "78", title="Blade Runner", year=1982, imdb_id="tt0083658"),
    record("tmdb", "841", title="Dune", year=1984, people=by("David Lynch")),
    record("wikidata", "Q2", identifiers={"imdb": ("tt1160419",), "tmdb": ("438631",)}),
    record("tmdb", "438631", title="Dune", year=2021, people=by("Denis Villeneuve")),
    tomatoes("dune_2021", "Dune", 2021, "Denis Villeneuve", score=83),
    tomatoes("dune", "Dune", 1984, "David Lynch", score=36),
    tomatoes("home", "Home", 2015, "Tim Johnson", score=52),
    tomatoes("blade_runner", "Blade Runner", 1982),
    record(
        "metacritic",
        "movie/dune",
        title="Dune",
        year=1984,
        people=by("David Lynch"),
        scores={"metascore": scored(41, 20), "metacritic_user_score": not_rated(10)},
    ),
)


def of_films(kept: Kept) -> list[tuple[Any, ...]]:
    """Every film's scores and listings, its number apart."""
    columns = [
        name for name in kept.db["film_scores"].columns_dict if name not in ("film_id", "title")
    ]
    scores = kept.rows(f"SELECT {', '.join(columns)} FROM film_scores ORDER BY imdb_id")
    listed = kept.rows(
        "SELECT f.imdb_id, l.source, l.source_id FROM listing_films JOIN films f USING (film_id)"
        " JOIN listings l USING (listing_id) WHERE valid_to IS NULL ORDER BY 1, 2, 3"
    )
    return [*scores, *listed]


def after(folder: Path, records: Sequence[Record], at_once: int) -> list[tuple[Any, ...]]:
    """Every film, once so many records a night were heard."""
    with keeping(folder / "ratings.db") as kept:
        for at in range(0, len(records), at_once):
            hear(kept, *records[at : at + at_once])
        return of_films(kept)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """Every film, once all was heard in one night."""
    return after(tmp_path_factory.mktemp("order"), SAID, len(SAID))


@pytest.mark.long
@given(order=st.permutations(SAID), nights=st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_films_are_the_same_in_whatever_order_pages_come(
    tmp_path_factory: pytest.TempPathFactory,
    in_order: list[tuple[Any, ...]],
    order: list[Record],
    nights: int,
) -> None:
    folder = tmp_path_factory.mktemp("order")
    assert after(folder, order, -(-len(order) // nights)) == in_order

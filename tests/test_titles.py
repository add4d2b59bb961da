"""Titles, names and dates as sites write them, and the keys under which listings meet."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.matching.candidates import candidates, keys
from pipelines.matching.names import name, names_in
from pipelines.matching.titles import LONGEST, Part, forms, stated_year
from pipelines.matching.years import released


def whole(title: str) -> set[str]:
    """The forms of a whole title, without spaces."""
    return {form.words.replace(" ", "") for form in forms(title) if form.part <= Part.ALSO}


def parts(title: str) -> set[str]:
    return {form.words for form in forms(title)}


@pytest.mark.parametrize(
    "written",
    [
        ("The Matrix", "Matrix, The", "Matrix, The (1999)", "MATRIX", "The Matrix [DVD]"),
        ("City of Lost Children", "The City of Lost Children"),
        (
            "Breathless",
            "Breathless (film)",
            "Breathless (1960 film)",
            "Breathless (1960/I)",
            "Breathless_(1960_film)",
        ),
        ("Emma", "Emma (TV series)", "Emma (2009 British miniseries)", "Emma (2009) (TV)"),
        ("A Beautiful Mind", "Beautiful Mind, A"),
        ("L'immortel", "L’Immortel", "Immortel, L'"),
        ("Der Untergang", "Untergang, Der"),
        ("La vita è bella", "La vita e bella", "vita è bella, La"),
        ("Se7en", "Seven", "7"),
        ("S1m0ne", "Simone"),
        ("8½", "8 1/2"),
        ("33 1/3", "33⅓", "33â…“"),
        ("Alien³", "Alien 3", "Alien III"),
        ("Twelve Monkeys", "12 Monkeys"),
        ("Nineteen Eighty-Four", "1984"),
        ("One Eight Seven", "187"),
        ("One Hundred and One Dalmatians", "101 Dalmatians"),
        ("Twenty-One Grams", "21 Grams"),
        ("Piranha Part Two: The Spawning", "Piranha Part II: The Spawning"),
        ("Rocky V", "Rocky 5"),
        ("Saw X", "Saw 10"),
        ("Kill Bill: Volume 1", "Kill Bill: Vol. 1", "Kill Bill (Volume One)"),
        ("Sid and Nancy", "Sid & Nancy", "Sid + Nancy", "Sid et Nancy"),
        ("Kramer vs. Kramer", "Kramer versus Kramer"),
        ("Dr. Dolittle", "Doctor Dolittle"),
        ("B.A.P.S.", "B*A*P*S", "BAPS"),
        ("MouseHunt", "Mouse Hunt"),
        ("Amélie", "Amelie", "AMÉLIE", "AmÃ©lie", "Ame\u0301lie"),
        ("Smørrebrød", "Smorrebrod"),
        ("Straße", "Strasse"),
        ("Сталкер", "Stalker"),
        ("Μικρά", "Mikra"),
        ("Blade Runner", "Blade Runner: The Final Cut", "Blade Runner (Director's Cut)"),
        ("Apocalypse Now", "Apocalypse Now Redux", "Apocalypse Now (re-release)"),
        ("Clue", "Clue: The Movie"),
        ("Jaws 3", "Jaws 3-D", "Jaws III"),
        ("The Seventh Seal", "The Seventh Seal (Det sjunde inseglet)"),
        ("Det sjunde inseglet", "The Seventh Seal (Det sjunde inseglet)"),
        ("(500) Days of Summer", "500 Days of Summer", "[500] Days of Summer"),
        ("Up", "\u202bUp\u202c", "Up ", "Up 🎈", "Up (2009)", "Up (3D)", "Up (IMAX)"),
        ("...And Justice for All", "And Justice for All"),
        ("I vitelloni", "Vitelloni, I"),
        ("I, Robot", "I Robot"),
    ],
    ids=lambda written: written[0],
)
def test_one_title_is_known_however_it_is_written(written: tuple[str, ...]) -> None:
    first, *others = written
    for other in others:
        assert whole(first) & whole(other), other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien", "Aliens"),
        ("Alien", "Alien 3"),
        ("Rocky II", "Rocky III"),
        ("Kill Bill: Vol. 1", "Kill Bill: Vol. 2"),
        ("Blade Runner", "Blade Runner 2049"),
        ("Death Race", "Death Race 2000"),
        ("Nightmare City", "Nightmare City 2035"),
        ("Soul", "Mr. Soul!"),
        ("V for Vendetta", "5 for Vendetta"),
        ("X-Men", "10 Men"),
        ("300", "300: Rise of an Empire"),
        ("The King and I", "The King and 1"),
        ("Ocean's Eleven", "11"),
    ],
)
def test_titles_that_differ_stay_apart(one: str, other: str) -> None:
    assert not whole(one) & whole(other)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Star Wars: Episode IV - A New Hope", {"star wars", "new hope"}),
        ("Monty Python's Life of Brian", {"life of brian"}),
        ("Dr. Strangelove or: How I Learned", {"dr strangelove or how i learned"}),
        ("Tales from the Crypt Presents: Bordello of Blood", {"bordello of blood"}),
    ],
)
def test_a_title_is_known_by_its_parts(title: str, expected: set[str]) -> None:
    assert expected <= parts(title)


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Solaris (1972)", 1972),
        ("2012", 0),
        ("1776 (1972)", 1972),
        ("Emma (TV)", 0),
        ("Emma (1996) (TV)", 1996),
        ("Emma (1996/II)", 1996),
        ("Emma (TV Movie 1996)", 1996),
        ("Emma (TV Mini Series 1996–1997)", 1996),
        ("Emma_(1996_film)", 1996),
        ("Emma (1996 film)", 1996),
        ("Solaris (1972) [Criterion Collection]", 1972),
        ("A Space Odyssey (2001: A Space Odyssey)", 0),
        ("(2046)", 2046),
    ],
)
def test_a_year_is_read_from_brackets_alone(title: str, year: int) -> None:
    assert stated_year(title) == year


WORDS = ["aliens", "story", "part", "two", "ii", "the", "é", "3", "x"]
TITLES = st.lists(st.sampled_from(WORDS), min_size=1)


SAYING_MORE = st.sampled_from(
    (
        *("a", "an", "the", "le", "matrix", "life", "of", "night", "und", "and", "or", "i", "iv"),
        *("doctor", "saint", "one", "twenty", "hundred", "thousand", "v", "x", "part", "chapter"),
        *("final", "special", "cut", "edition", "redux", "imax", "release", "extended", "version"),
        *("movie", "film", "motion", "picture", "tv", "silent", "dubbed", "presents", "aka"),
    )
)


@given(st.lists(SAYING_MORE, max_size=5), SAYING_MORE.filter(lambda word: word != "aka"))
def test_a_title_of_words_alone_is_read_as_one_with_signs(words: list[str], last: str) -> None:
    """Most titles are words alone, and are read without looking for all that a title may hold."""
    title = " ".join([*words, last])
    assert forms(title) == forms(f"{title} [DVD]")


@given(TITLES.map(" ".join))
def test_case_brackets_and_accents_make_no_other_title(title: str) -> None:
    others = (title.upper(), f"{title} (1999)", title.replace("e", "é"), f" {title}  [DVD]")
    for other in others:
        assert whole(title) <= whole(other)


@given(st.text(max_size=60))
def test_any_text_has_forms_of_letters_figures_or_signs(text: str) -> None:
    for form in forms(text):
        assert form.words == " ".join(form.words.split())
        assert form.words == form.words.casefold()


@pytest.mark.parametrize("text", ["", " ", "\u200f\u200e", "\n"])
def test_a_title_of_nothing_has_no_form(text: str) -> None:
    assert forms(text) == ()


@pytest.mark.parametrize("text", ["!!!", "$", "?", "😀", "…"])
def test_a_title_of_signs_is_itself(text: str) -> None:
    assert whole(text) == whole(text)
    assert whole(text)
    assert not whole(text) & whole("Something else")


def test_a_title_of_a_thousand_letters_is_cut() -> None:
    assert all(len(form.words) <= LONGEST for form in forms("x" * 1_000 + ": " + "y" * 1_000))


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Sam Mendes", ("Sam Mendes",)),
        ("Joel Coen|Ethan Coen", ("Joel Coen", "Ethan Coen")),
        ("Carlos Saldanha, Mike Thurmeier", ("Carlos Saldanha", "Mike Thurmeier")),
        ("Rupert Julian, Lon Chaney, 2 more credits", ("Rupert Julian", "Lon Chaney")),
        ("Robert Downey, Jr., Gwyneth Paltrow", ("Robert Downey, Jr.", "Gwyneth Paltrow")),
        ("Coen, Joel; Coen, Ethan", ("Coen, Joel", "Coen, Ethan")),
        ("Mendes, Sam", ("Mendes, Sam",)),
        ("Hill, George Roy", ("Hill", "George Roy", "Hill, George Roy")),
        ("Cher, 2 more credits", ("Cher",)),
        ("Powell, Michael & Emeric Pressburger", ("Powell, Michael", "Emeric Pressburger")),
        ("Roe, Ann/Bo Díaz", ("Roe, Ann", "Bo Díaz")),
        ("Jean-Pierre et Luc Dardenne", ("Jean-Pierre Dardenne", "Luc Dardenne")),
        ("['Ann Roe', \"Bo O'Díaz\"]", ("Ann Roe", "Bo O'Díaz")),
        ("('Ann Roe',)", ("Ann Roe",)),
        ("Directed by Ann Roe", ("Ann Roe",)),
        ("Stars: Ann Roe, Bo Díaz, See full cast & crew", ("Ann Roe", "Bo Díaz")),
        ("Bo D&iacute;az &amp; Jo Roe", ("Bo Díaz", "Jo Roe")),
        (
            """[{'id': 7, 'name': "Bo O'Díaz"}, {'name': 'Ann Roe', 'id': 8}]""",
            ("Bo O'Díaz", "Ann Roe"),
        ),
        (r'[{"name": "Bo D\u00edaz"}, {"name": "Ann \"A\" Roe"}]', ("Bo Díaz", r"Ann \"A\" Roe")),
        ("Ann Roe\n    ,\n    Bo Díaz\n", ("Ann Roe", "Bo Díaz")),
        ("Ann Roe · Bo Díaz • Jo Roe", ("Ann Roe", "Bo Díaz", "Jo Roe")),
        ("Dir.: Ann Roe, Bo Díaz, et al.", ("Ann Roe", "Bo Díaz")),
        ("Ann Roe as Herself, Bo Díaz as Jo", ("Ann Roe", "Bo Díaz")),
        ("Ann Roe ... Jo | Bo Díaz .... Al", ("Ann Roe", "Bo Díaz")),
        ("Sam Mendes|Sam Mendes", ("Sam Mendes",)),
        (" | |", ()),
        ("N/A", ()),
        ("", ()),
    ],
)
def test_names_are_read_from_a_cell(cell: str, expected: tuple[str, ...]) -> None:
    assert names_in(cell) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Chow Yun-Fat", "Yun-Fat Chow"),
        ("Alejandro G. Iñárritu", "Alejandro González Inarritu"),
        ("Robert Downey Jr.", "Robert Downey, Jr."),
        ("Mendes, Sam", "Sam Mendes"),
        ("Philip Seymour Hoffman", "Philip Hoffman"),
        ("Sam Mendes (co-director)", "Sam Mendes"),
        ("Андрей Тарковский", "Andrey Tarkovskiy"),
    ],
)
def test_one_name_is_known_however_it_is_written(one: str, other: str) -> None:
    assert name(one).ends == name(other).ends or name(one).words == name(other).words


@pytest.mark.parametrize(
    "written", ["-1", "0", "?", "—", "nan", "Unknown", "Various", "Not Available", "No director"]
)
def test_what_names_nobody_is_no_name(written: str) -> None:
    assert name(written).words == ""


# --- dates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "year", "day"),
    [
        ("6/9/15", 2015, 20150609),
        ("13/6/15", 2015, 20150613),
        ("9-Jun-15", 2015, 20150609),
        ("9 Jun 68", 1968, 19680609),
        ("12/25/1999", 1999, 19991225),
        ("25.12.1999", 1999, 19991225),
        ("17 June 2011 (USA)", 2011, 20110617),
        ("Mar 3, 1915", 1915, 19150303),
        ("March 3rd, 1915", 1915, 19150303),
        ("2015-06-09", 2015, 20150609),
        ("2015-06-09T00:00:00Z", 2015, 20150609),
        ("20150609", 2015, 20150609),
        ("June 2011", 2011, 0),
        ("1994", 1994, 0),
        ("2015-99-99", 2015, 0),
        ("0000-00-00", 0, 0),
        ("soon", 0, 0),
        ("", 0, 0),
    ],
)
def test_a_release_date_is_read_however_it_is_written(text: str, year: int, day: int) -> None:
    assert released(text)[:2] == (year, day)


# --- keys ---------------------------------------------------------------------------------------


def listings(*rows: tuple[str, int | None, str]) -> pd.DataFrame:
    directors: Any = [(who,) if who else () for _, _, who in rows]
    frame = pd.DataFrame(rows, columns=["title", "year", "director"])
    return frame.drop(columns="director").assign(directors=directors)


def test_keys_are_the_same_in_every_process_and_version() -> None:
    """They are stored: where these change, stored keys have to be made anew."""
    found = keys(listings(("Skyfall", 2012, "Sam Mendes")))
    assert sorted(found["key"])[:3] == [
        -7260193453412451770,
        -6056350481738911935,
        -5882810538752965284,
    ]
    assert found["key"].dtype == "int64"
    assert len(found) == len(found.drop_duplicates())


def test_keys_are_those_of_the_listing_whatever_stands_beside_it() -> None:
    alone = keys(listings(("Skyfall", 2012, "Sam Mendes")))
    among = keys(listings(("Up", 2009, ""), ("Skyfall", 2012, "Sam Mendes"), ("M", None, "")))
    assert sorted(among.loc[among["row"] == 1, "key"]) == sorted(alone["key"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Skyfall", None, ""), ("Skyfall", 2012, "Sam Mendes")),
        (("Maze Runner: The Scorch Trials", 2015, ""), ("The Scorch Trials", 2015, "")),
        (("22 Bullets", 2010, "Richard Berry"), ("L'immortel", 2011, "R. Berry")),
        (("Caligola", 1979, ""), ("Caligula", 1979, "")),
        (("Vampire Killers", 2009, ""), ("Lesbian Vampire Killers", 2009, "")),
    ],
)
def test_listings_that_may_be_one_film_meet(
    one: tuple[str, int | None, str], other: tuple[str, int | None, str]
) -> None:
    assert len(candidates(listings(one), listings(other))) == 1


def test_a_name_that_crowds_of_films_bear_gives_no_pairs() -> None:
    crowd = listings(*[("Untitled", None, "")] * 5_000)
    assert candidates(crowd, crowd).empty


def test_films_in_a_crowd_still_meet_by_year_and_director() -> None:
    crowd = listings(*(("Home", year, f"Director {year}") for year in range(1920, 2020)))
    found = candidates(crowd, crowd)
    assert ((found["a"] == found["b"]).sum(), len(found) < 1_000) == (100, True)

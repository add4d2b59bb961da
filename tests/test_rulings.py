"""What a person rules holds: explain, match, forget, rebuild, and a rulings file, as typed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.lock import DatabaseProblem
from pipelines.matching.matcher import match, rebuild
from pipelines.merge import merge
from pipelines.up_to_date import bring_up_to_date
from spiders.items import Credits, Outcome, Record, Verdict
from tests.answers import day, keeping, record, refused, scored
from tests.conftest import Afterscore
from tests.serving import served
from tests.test_matching_evidence import BLADE, claims, hear, imdb, tomatoes

MOONLIGHT_2005 = imdb(445241, "Moonlight", 2005, "A Director")
MOONLIGHT = imdb(4975722, "Moonlight", 2016, "Barry Jenkins", runtime_minutes=111)
PAGE = tomatoes("moonlight", "Moonlight", None, score=98)
"""A page that says too little to be matched."""


@pytest.fixture
def told(afterscore: Afterscore) -> Afterscore:
    """A folder with two films of one name, and a page of which nobody can say whose it is."""
    with keeping(afterscore.folder / "ratings.db") as kept:
        hear(kept, MOONLIGHT_2005, MOONLIGHT, BLADE)
        votes = {"imdb_rating": scored(7.4, 330_000, 10)}
        hear(kept, MOONLIGHT.model_copy(update={"scores": votes}), PAGE)
    return afterscore


def rows(afterscore: Afterscore, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in afterscore.database().conn.execute(sql, values)]


def unmerged(afterscore: Afterscore) -> set[str]:
    """The listings that the next run would match, by their ids."""
    of = "SELECT source_id FROM unmerged_listings JOIN listings USING (listing_id)"
    return {source_id for (source_id,) in rows(afterscore, of)}


def tomatometers(afterscore: Afterscore) -> dict[str, float]:
    """The Tomatometers that films have, by their IMDb id."""
    return dict(
        rows(
            afterscore,
            "SELECT imdb_id, tomatometer FROM film_scores WHERE tomatometer IS NOT NULL",
        )
    )  # fmt: skip


# --- the doubtful ones ----------------------------------------------------------------------------


def test_the_doubtful_ones_are_listed_with_what_to_type(told: Afterscore) -> None:
    ended = told("match", "list")
    assert ended.status == 0
    assert "afterscore match same imdb:tt4975722 rottentomatoes:m/moonlight" in ended.out
    assert "Moonlight (2005)" in ended.out
    assert ended.out.index("tt4975722") < ended.out.index("tt0445241"), "most votes first"
    listed = told("match", "list", "--json").json
    assert [row["film_listing"] for row in listed] == ["imdb:tt4975722", "imdb:tt0445241"]
    assert tomatometers(told) == {}


def test_a_page_that_two_rows_of_the_crosswalk_claim_is_asked_about(
    afterscore: Afterscore,
) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        hear(kept, MOONLIGHT, BLADE, claims("Q1", 4975722, "x"), claims("Q2", 83658, "x"))
    listed = afterscore("match", "list", "--json").json
    assert {(row["source_id"], row["film_title"]) for row in listed} == {
        ("m/x", "Moonlight"),
        ("m/x", "Blade Runner"),
    }
    assert {row["evidence"] for row in listed} == {"wikidata:Q1 names it", "wikidata:Q2 names it"}
    assert {row["votes"] for row in listed} == {None}, "nobody tells of any: that is not 0"
    assert afterscore("match", "same", "imdb:tt0083658", "rottentomatoes:m/x").status == 0
    assert "No match is doubtful" in afterscore("match", "list").out


def test_explain_says_what_is_believed_and_what_was_rejected(told: Afterscore) -> None:
    ended = told("explain", "tt4975722")
    assert ended.status == 0
    believed, rejected = ended.out.split("Rejected, or doubtful")
    assert "imdb:tt4975722" in believed
    assert "rottentomatoes:m/moonlight" in rejected
    assert "doubtful, probability" in rejected
    assert "title the same" in rejected
    assert "330,000" in rejected.split("Scores")[1]


def test_explain_says_where_sources_disagree(afterscore: Afterscore) -> None:
    def verdict(source: str, after: Verdict) -> Record:
        return record(
            source,
            identifiers={"imdb": ("tt0083658",)},
            credits=Credits(during=Verdict.NO, after=after),
        )

    with keeping(afterscore.folder / "ratings.db") as kept:
        hear(kept, BLADE, claims("Q1", 83658, "blade_runner"))
        hear(kept, tomatoes("blade_runner", "Blade Runner", 1983, "Ridley Scott", score=89))
        site = record(
            "whatsafterthemovie",
            identifiers={"imdb": ("tt0083658",)},
            scores={"tomatometer": scored(91, None, relayed=True)},
            credits=Credits(during=Verdict.NO, after=Verdict.YES),
        )
        hear(kept, site, verdict("aftercredits", Verdict.NO))
    ended = afterscore("explain", "tt0083658")
    (_, apart) = ended.out.split("Where sources disagree")
    assert "year: IMDb says 1982, Rotten Tomatoes says 1983" in apart
    assert "What's After the Movie repeats 91 %, Rotten Tomatoes itself says 89 %" in apart
    assert "What's After the Movie says there is one, AfterCredits.com says there is none" in apart
    assert afterscore("explain", "tt0083658", "--json").json["disagreements"]


# --- rulings --------------------------------------------------------------------------------------


def test_a_ruling_matches_what_was_doubtful_and_undo_leaves_it_so(told: Afterscore) -> None:
    pair = ("imdb:tt4975722", "https://www.rottentomatoes.com/m/moonlight")
    ended = told("match", "same", *pair)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == (
        "Ruled: imdb:tt4975722 Moonlight (2016) and rottentomatoes:m/moonlight Moonlight"
        " are one film."
    )
    assert "rottentomatoes:m/moonlight is Moonlight (2016)" in ended.out
    assert tomatometers(told) == {"tt4975722": 98}
    assert {"m/moonlight", "tt4975722"}.isdisjoint(unmerged(told))
    assert "No match is doubtful" in told("match", "list").out
    assert "ruling: ruled same as imdb:tt4975722 by" in told("explain", "tt4975722").out
    undone = told("match", "undo", *pair)
    assert undone.status == 0
    assert undone.out.startswith("No longer ruled (by ")
    assert "rottentomatoes:m/moonlight Moonlight are one film.\n" in undone.out
    assert tomatometers(told) == {}
    assert "m/moonlight" in told("match", "list").out
    again = told("match", "undo", *pair)
    assert again.status == 2
    assert "nothing was ruled on" in again.err


def test_what_was_ruled_is_counted_as_doubtful_no_longer(told: Afterscore) -> None:
    """What evidence says of it stays in the table, and decides nothing."""

    def doubtful() -> tuple[str, str]:
        rebuilt = told("rebuild").out.partition("no longer; ")[2].partition(" are doubtful")[0]
        with served(told) as client:
            home = client.get("/").text
        return home.partition(' <a href="/doubtful">')[0][-10:], rebuilt

    assert doubtful() == ("1</strong>", "1")
    assert told("match", "same", "imdb:tt4975722", "rottentomatoes:m/moonlight").status == 0
    assert doubtful() == ("0</strong>", "0")


def test_a_ruling_beats_an_identifier_and_survives_a_rebuild(afterscore: Afterscore) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        hear(kept, MOONLIGHT_2005, MOONLIGHT, claims("Q1", 445241, "moonlight"), PAGE)
    assert tomatometers(afterscore) == {"tt0445241": 98}
    apart = afterscore("match", "different", "imdb:tt0445241", "rottentomatoes:m/moonlight")
    assert apart.status == 0
    assert tomatometers(afterscore) == {}
    assert "another film: ruled different from" in afterscore("explain", "tt0445241").out
    afterscore("match", "same", "imdb:tt4975722", "rottentomatoes:m/moonlight")
    assert tomatometers(afterscore) == {"tt4975722": 98}
    matched = rows(afterscore, "SELECT * FROM listing_films ORDER BY 1, 2")
    ended = afterscore("rebuild")
    assert (ended.status, "0 newly or otherwise, 0 no longer" in ended.out) == (0, True)
    assert unmerged(afterscore) == set()
    assert rows(afterscore, "SELECT * FROM listing_films ORDER BY 1, 2") == matched


def test_a_ruling_that_two_of_imdbs_ids_are_one_film_joins_them(told: Afterscore) -> None:
    told("match", "same", "imdb:tt4975722", "imdb:tt0445241")
    (film_id,) = rows(told, "SELECT DISTINCT film_id FROM listing_films"
                            " JOIN listings USING (listing_id) WHERE title = 'Moonlight'"
                            " AND source = 'imdb'")  # fmt: skip
    assert rows(told, "SELECT film_id FROM film_scores WHERE title = 'Moonlight'") == [film_id]
    for name in ("tt4975722", "tt0445241"):
        assert told("film", name, "--json").json["film_id"] == film_id[0]


@pytest.mark.parametrize("second_thought", ["undo", "different"])
def test_what_came_after_a_listing_leaves_a_film_with_it(
    told: Afterscore, second_thought: str
) -> None:
    with keeping(told.folder / "ratings.db") as kept:
        hear(kept, claims("Q1", 83658, "x"), tomatoes("x", "Blade Runner", 1982, score=89))
    assert tomatometers(told) == {"tt0083658": 89}
    both = ("imdb:tt4975722", "imdb:tt0083658")
    assert told("match", "same", *both).status == 0
    assert tomatometers(told) == {"tt4975722": 89}
    ended = told("match", second_thought, *both)
    assert "imdb:tt0083658 is Blade Runner (1982)" in ended.out
    assert tomatometers(told) == {"tt0083658": 89}
    assert "0 newly or otherwise, 0 no longer" in told("rebuild").out


def test_rulings_name_listings_and_never_films(told: Afterscore) -> None:
    for words in (("1", "2"), ("Moonlight (2016)", "imdb:tt4975722")):
        ended = told("match", "same", *words)
        assert ended.status == 2
        assert "is no listing" in ended.err
    ended = told("match", "same", "imdb:tt4975722", "tt4975722")
    assert ended.status == 2
    assert "with itself" in ended.err


def test_a_rulings_file_wins_and_its_bad_lines_are_told(told: Afterscore) -> None:
    told("match", "different", "imdb:tt4975722", "rottentomatoes:m/moonlight")
    file = told.folder / "rulings.csv"
    file.write_text(
        "\ufefflisting_a,listing_b,ruling\r\n"
        "rottentomatoes:m/moonlight,imdb:tt4975722,same,a note\u2028of a person's\r\n"
        "imdb:tt4975722,rottentomatoes:m/moonlight\r\n"
        "moonlight,imdb:tt4975722,same\r\n"
        "imdb:tt4975722,imdb:tt0083658,perhaps\r\n",
        "utf-8",
    )
    ended = told("rebuild")
    assert ended.status == 0
    assert "rulings.csv line 3: expected listing_a, listing_b, ruling" in ended.err
    assert "rulings.csv line 4: 'moonlight' is no listing" in ended.err
    assert "rulings.csv line 5: 'perhaps' is no ruling" in ended.err
    assert tomatometers(told) == {"tt4975722": 98}
    file.unlink()
    told("rebuild")
    assert tomatometers(told) == {}, "what was ruled on the command line holds again"


@pytest.mark.parametrize(
    "said",
    [b"", b"\xff\xfe\x00", b'a,"b\nc', b"listing_a,listing_b,ruling\n" + b"x" * 200_000 + b",,"],
    ids=["empty", "not text", "open quote", "huge"],
)
def test_whatever_stands_in_a_rulings_file_the_rest_goes_on(told: Afterscore, said: bytes) -> None:
    (told.folder / "rulings.csv").write_bytes(said)
    assert told("rebuild").status == 0


def test_a_ruling_may_come_before_the_listing(afterscore: Afterscore) -> None:
    """What a person knows is worth telling at once: the page is asked for, and believed."""
    with keeping(afterscore.folder / "ratings.db") as kept:
        hear(kept, BLADE)
    assert afterscore("match", "same", "tt0083658", "rottentomatoes:m/some_slug").status == 0
    with keeping(afterscore.folder / "ratings.db") as again:
        hear(again, tomatoes("some_slug", "Der Läufer", 1999, "Nobody", score=77))
    assert tomatometers(afterscore) == {"tt0083658": 77}


# --- forget and rebuild ---------------------------------------------------------------------------


@pytest.mark.parametrize("ruling", ["same", "different"])
def test_a_ruling_on_a_listing_that_was_forgotten_holds_nothing_up(
    told: Afterscore, ruling: str
) -> None:
    pair = ("imdb:tt4975722", "rottentomatoes:m/moonlight")
    assert told("match", ruling, *pair).status == 0
    assert told("forget", pair[1], "--yes").status == 0
    assert told("rebuild").status == 0
    with keeping(told.folder / "ratings.db") as kept:
        hear(kept, PAGE)
    assert ("tt4975722" in tomatometers(told)) == (ruling == "same")


def test_forget_asks_and_removes_a_listing_with_what_hangs_on_it(told: Afterscore) -> None:
    told("match", "same", "imdb:tt4975722", "rottentomatoes:m/moonlight")
    words = ("forget", "rottentomatoes:m/moonlight")
    kept = told(*words, stdin="n\n")
    assert kept.status == 2
    assert "1 score observation?" in kept.err
    nobody = told(*words)
    assert nobody.status == 2
    assert "'afterscore forget rottentomatoes:m/moonlight --yes'" in nobody.err
    assert tomatometers(told) == {"tt4975722": 98}
    assert told(*words, stdin="y\n").status == 0
    assert tomatometers(told) == {}
    left = rows(told, "SELECT source_id FROM listings WHERE source = 'rottentomatoes'")
    assert left == []
    assert rows(told, "PRAGMA foreign_key_check") == []
    assert told(*words, "--yes").status == 2


def test_a_listing_that_was_mistyped_in_a_ruling_is_forgotten_with_it(told: Afterscore) -> None:
    """It would be asked for ever. What was asked in vain meanwhile is no matter; what is known, or
    ruled on otherwise, stays."""
    film, page, typo = "imdb:tt4975722", "rottentomatoes:m/moonlight", "rottentomatoes:m/moonlihgt"
    listed = "SELECT source_id FROM listings WHERE source = 'rottentomatoes' ORDER BY 1"
    before = rows(told, listed)
    for other in (film, page):
        ended = told("match", "same", other, typo)
        assert ended.status == 0
        assert f"{typo} is not known yet: the ruling holds once it comes" in ended.out
        assert f"'afterscore match undo {other} {typo}'" in ended.out
    assert "not known yet" not in told("match", "same", film, page).out
    told("match", "undo", film, page)
    with keeping(told.folder / "ratings.db") as kept:
        kept.tell(refused(Outcome.NOT_FOUND, day(1), source_id="m/moonlihgt"))
    assert "is forgotten" not in told("match", "undo", page, typo).out
    assert ("m/moonlihgt",) in rows(told, listed)
    ended = told("match", "undo", film, typo)
    assert f"{typo} is forgotten: nothing was ever heard of it" in ended.out
    assert rows(told, listed) == before
    assert told("rebuild").status == 0
    assert rows(told, listed) == before


def test_a_ruling_is_undone_whose_listing_was_forgotten(told: Afterscore) -> None:
    pair = ("imdb:tt4975722", "rottentomatoes:m/moonlight")
    told("match", "same", *pair)
    told("forget", pair[1], "--yes")
    ended = told("match", "undo", *pair)
    assert (ended.status, ended.err) == (0, "")
    assert f"{pair[1]} is not here any more" in ended.out
    assert f"{pair[0]} is Moonlight (2016)" in ended.out
    assert told("match", "undo", *pair).status == 2


def test_who_rules_may_have_a_number_alone(told: Afterscore) -> None:
    """As in a container that runs as any user."""
    (told.folder / "sitecustomize.py").write_text(
        "import pwd\ndef getpwuid(uid):\n    raise KeyError(uid)\npwd.getpwuid = getpwuid\n",
        "utf-8",
    )
    told.environment |= dict.fromkeys(("LOGNAME", "USER", "LNAME", "USERNAME"), "")
    told.environment["PYTHONPATH"] = str(told.folder)
    pair = ("imdb:tt4975722", "rottentomatoes:m/moonlight")
    assert told("match", "same", *pair).status == 0
    assert rows(told, "SELECT ruled_by FROM rulings") == [(f"uid {os.getuid()}",)]


def test_a_film_that_no_listing_is_left_of_is_forgotten_too(told: Afterscore) -> None:
    assert told("forget", "imdb:tt0083658", "--yes").status == 0
    assert rows(told, "SELECT 1 FROM film_scores WHERE imdb_id = 'tt0083658'") == []
    assert told("film", "tt0083658").status == 2


def all_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with keeping(path) as kept:
        own = ("sqlite_", "_", "film_search_")
        names = [name for name in kept.db.table_names() if not name.startswith(own)]
        return {name: sorted(kept.rows(f"SELECT * FROM {name}"), key=repr) for name in names}


def test_a_rebuild_arrives_at_the_same_rows(told: Afterscore) -> None:
    path = told.folder / "ratings.db"
    with keeping(path) as kept:
        hear(kept, claims("Q1", 83658, "blade_runner", "up"))
        hear(kept, tomatoes("blade_runner", "Blade Runner", 1982, "Ridley Scott", score=89))
        hear(kept, tomatoes("up", "Up", 2009, "Pete Docter", score=98))
        hear(kept, record("tmdb", "335", title="Home", year=2015))
        hear(kept, record("metacritic", "movie/home", title="Home", year=2015))
        bring_up_to_date(kept.db, kept.column("SELECT listing_id FROM listings"))
    before = all_rows(path)
    assert told("rebuild").status == 0
    after = all_rows(path)
    for name in ("judgements", "lookups"):
        for state in (before, after):
            state.pop(name, None)
    assert after == before


def test_a_rebuild_leaves_nothing_that_names_what_is_not_there(told: Afterscore) -> None:
    path = told.folder / "ratings.db"
    with keeping(path) as kept:
        hear(kept, claims("Q1", 83658, "blade_runner", "up"))
        matched = match(kept.db, kept.column("SELECT listing_id FROM listings"))
        merge(kept.db, matched.films)
        kept.db.conn.execute("PRAGMA foreign_keys = OFF")
        kept.db.conn.execute(
            "INSERT INTO listing_films (listing_id, film_id, valid_from, method)"
            " VALUES (987654, 1, '0001-01-01T00:00:00Z', 'tracked')"
        )
    before = all_rows(path)
    with keeping(path) as kept:
        with pytest.raises(DatabaseProblem, match="listing_films names a row of listings"):
            rebuild(kept.db)
        assert kept.column("PRAGMA foreign_keys") == [1]
    assert all_rows(path) == before

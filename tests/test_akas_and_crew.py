"""What films are called elsewhere, and who directed and wrote them, by IMDb's further datasets:
where asked for, whole or not at all, and whatever becomes of the ratings."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiders.pages import imdb_blocks
from spiders.pages.imdb_akas import read_akas
from spiders.pages.imdb_blocks import numbers_of
from spiders.pages.imdb_crew import read_crew
from spiders.pages.imdb_datasets import DatasetFault
from tests.conftest import Afterscore, Ended
from tests.fault_server import FaultServer, Reply, asking
from tests.serving import served
from tests.test_bad_datasets import GOOD, RATINGS, TCONSTS, packed
from tests.test_imdb_datasets import RATINGS_HEADER
from tests.test_imdb_datasets import packed as gzipped

AKAS_HEADER = "titleId\tordering\ttitle\tregion\tlanguage\ttypes\tattributes\tisOriginalTitle\n"
CREW_HEADER = "tconst\tdirectors\twriters\n"
NAMES_HEADER = "nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles\n"
N = "\\N"


def aka(
    tconst: str,
    ordering: int,
    title: str,
    region: str = N,
    *,
    language: str = N,
    types: str = "imdbDisplay",
    attributes: str = N,
    original: str = "0",
) -> str:
    fields = (tconst, str(ordering), title, region, language, types, attributes, original)
    return "\t".join(fields) + "\n"


def name(nconst: str, named: str) -> str:
    return f"{nconst}\t{named}\t1950\t\\N\tdirector\t\\N\n"


FILM, OTHER = TCONSTS[4], TCONSTS[5]
AKAS = [
    aka("tt0000001", 1, "A film that nobody keeps", "DE"),
    *(
        aka(tconst, n, f"{n} {tconst}", "FR")
        for tconst in TCONSTS
        if tconst != FILM
        for n in (1, 2)
    ),
    aka(FILM, 1, f"Film {FILM}", types="original", original="1"),
    aka(FILM, 2, 'Der "Film', "DE", language="de"),
    aka(FILM, 3, "The Film, Everywhere", "XWW", language="en"),
    aka(FILM, 4, "Film of a State That Is Gone", "SUHH", language="yue"),
    aka(FILM, 5, "Untitled Project", "US", types="alternative\x02working"),
    aka(FILM, 6, "What It Means", "US", types=N, attributes="literal English title"),
    aka(FILM, 7, "A Title of Nowhere", original=N),
    aka(FILM, 8, 'Der "Film', "DE", language="de", types="dvd"),
    aka(FILM, 9, N),
]
NAMES = [name(f"nm{n:07d}", f"Person {n}") for n in range(1, 99)]
CREW = [
    "tt0000001\tnm0000098\tnm0000098\n",
    *(f"{tconst}\tnm00000{n:02d}\t\\N\n" for n, tconst in enumerate(TCONSTS, 1) if tconst != FILM),
    f"{FILM}\tnm0000070,nm0000071\tnm0000071,nm0000072,nm1234567\n",
]


def other(lines: Sequence[str], line: str, *, at: int = 30) -> list[str]:
    """The lines with another in the place of one; the header is line 1."""
    return [*lines[: at - 2], line, *lines[at - 1 :]]


class Imdb:
    """IMDb with all of its datasets; what it says of each may be another the next night."""

    def __init__(self, server: FaultServer, ready: Afterscore) -> None:
        self.server = server
        self.ready = ready

    def night(self, **said: bytes | Reply) -> Ended:
        """A night on which these datasets are told so, and the others as they are by default."""
        told: Mapping[str, bytes | Reply] = {
            "title.basics": GOOD,
            "title.ratings": packed(RATINGS_HEADER, RATINGS),
            "title.akas": packed(AKAS_HEADER, AKAS),
            "title.crew": packed(CREW_HEADER, CREW),
            "name.basics": packed(NAMES_HEADER, NAMES),
            **{f"{'name' if key == 'names' else 'title'}.{key.replace('names', 'basics')}": reply
               for key, reply in said.items()},
        }  # fmt: skip
        for file, reply in told.items():
            reply = Reply(body=reply) if isinstance(reply, bytes) else reply
            self.server.script[f"/{file}.tsv.gz"] = repeat(reply)
        self.server.asked.clear()
        return self.ready("refresh", "--source", "imdb")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(self.ready.database()) as database:
            return list(database.execute(sql).fetchall())

    def titles(self, tconst: str = FILM) -> list[tuple[object, ...]]:
        return self.rows(
            "SELECT t.title, t.country, t.language FROM film_titles t JOIN films f USING (film_id)"
            f" WHERE f.imdb_id = '{tconst}' ORDER BY t.title"
        )

    def people(self, tconst: str = FILM) -> list[tuple[object, ...]]:
        return self.rows(
            "SELECT p.name, fp.part, fp.billing FROM film_people fp JOIN people p USING (person_id)"
            f" JOIN films f USING (film_id) WHERE f.imdb_id = '{tconst}' ORDER BY part, billing"
        )

    def told(self) -> tuple[object, ...]:
        """All titles and people, as they lie in the file."""
        tables = ("film_titles", "film_people", "people")
        return tuple(tuple(self.rows(f"SELECT rowid, * FROM {table}")) for table in tables)

    def ratings(self) -> list[tuple[object, ...]]:
        return self.rows("SELECT listing_id, value, votes FROM scores ORDER BY 1")


@pytest.fixture(scope="module")
def imdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imdb]:
    """IMDb, and a database that knows one good night of all its datasets."""
    with FaultServer("imdb") as server:
        ready = asking(
            tmp_path_factory.mktemp("imdb"),
            server,
            more="refresh_after_hours = 0\n[universe]\nvotes_at_least = 0\n",
        )
        file = ready.folder / "afterscore.toml"
        text = file.read_text("utf-8")
        file.write_text(text.replace("[sources.imdb]", "[sources.imdb]\nakas = true\ncrew = true"))
        known = Imdb(server, ready)
        ended = known.night()
        assert ended.status == 0, ended.err
        yield known


def test_titles_under_which_a_film_was_shown_are_kept_with_country_and_language(
    imdb: Imdb,
) -> None:
    assert imdb.titles() == [
        ("A Title of Nowhere", None, None),
        ('Der "Film', "DE", "de"),
        ("Film of a State That Is Gone", None, None),
        ("The Film, Everywhere", None, "en"),
    ]
    assert imdb.titles(OTHER) == [(f"{n} {OTHER}", "FR", None) for n in (1, 2)]


def test_directors_and_writers_are_known_by_name(imdb: Imdb) -> None:
    assert imdb.people() == [
        ("Person 70", "director", 0),
        ("Person 71", "director", 1),
        ("Person 71", "writer", 0),
        ("Person 72", "writer", 1),
    ]
    assert imdb.people(OTHER) == [("Person 6", "director", 0)]
    assert imdb.rows("SELECT count(*) FROM people WHERE name = 'Person 98'") == [(0,)]


def test_the_film_page_shows_them_and_they_are_found(imdb: Imdb) -> None:
    with served(imdb.ready) as site:
        page = re.sub("<[^>]*>", "", site.get(f"/film/{FILM}").text)
        found = site.get("/search", params={"q": "Der Film"}).text
    assert "directed by Person 70, Person 71" in page
    assert "written by Person 71, Person 72" in page
    assert "Der &#34;Film" in page
    assert f"/film/{FILM}" in found


def test_a_night_that_says_the_same_writes_nothing(imdb: Imdb) -> None:
    before = imdb.told()
    assert imdb.night().status == 0
    assert imdb.told() == before


def test_a_title_that_changes_alone_reaches_the_film(imdb: Imdb) -> None:
    before = imdb.titles()
    changed = [line.replace('Der "Film', "Der Streifen") for line in AKAS]
    ended = imdb.night(ratings=Reply(304), akas=packed(AKAS_HEADER, changed), crew=Reply(304))
    assert ended.status == 0, ended.err
    asked = {one.path: one.conditional for one in imdb.server.asked}
    assert asked == {
        "/robots.txt": False,
        "/title.ratings.tsv.gz": True,
        "/title.akas.tsv.gz": True,
        "/title.crew.tsv.gz": True,
    }
    assert ("Der Streifen", "DE", "de") in imdb.titles()
    assert len(imdb.titles()) == 4
    assert imdb.rows("SELECT count(*) FROM film_search WHERE film_search MATCH 'Streifen'") == [
        (1,)
    ]
    assert imdb.night().status == 0
    assert imdb.titles() == before


def test_a_film_that_is_absent_keeps_what_was_known(imdb: Imdb) -> None:
    titles, people = imdb.titles(), imdb.people()
    ended = imdb.night(
        akas=packed(AKAS_HEADER, [line for line in AKAS if FILM not in line]),
        crew=packed(CREW_HEADER, [line for line in CREW if FILM not in line]),
    )
    assert ended.status == 0, ended.err
    assert (imdb.titles(), imdb.people()) == (titles, people)


MORE_VOTES = [f"{line.rsplit(chr(9), 1)[0]}\t{1_100 + n}\n" for n, line in enumerate(RATINGS)]

SPOILT_AKAS = [line.replace("1 tt", "9 tt") for line in AKAS]
SPOILT_CREW = [line.replace("nm000002", "nm000003") for line in CREW]
"""What the bad nights would have told, if anything of them were stored."""

HALF = [line for line in SPOILT_AKAS if line[:9] not in TCONSTS[30:]]
WHOLE_AKAS = packed(AKAS_HEADER, SPOILT_AKAS)

BAD_NIGHTS = {
    "a tab in a title": (
        {"akas": packed(AKAS_HEADER, other(SPOILT_AKAS, aka(TCONSTS[20], 1, "a\tb")))},
        "title.akas.tsv.gz, line 30: 9 fields, not 8",
    ),
    "grown while it was sent": (
        {"akas": WHOLE_AKAS + WHOLE_AKAS[:-30]},
        "title.akas.tsv.gz, line 1: the file is cut short",
    ),
    "much smaller": (
        {"akas": packed(AKAS_HEADER, HALF)},
        "held: imdb: 30 films, where the last whole ones had 60",
    ),
    "not of these films": (
        {"akas": packed(AKAS_HEADER, SPOILT_AKAS[:1])},
        "held: imdb: 0 films, where the last whole ones had 60",
    ),
    "a crew of no ids": (
        {"crew": packed(CREW_HEADER, other(SPOILT_CREW, f"{TCONSTS[0]}\tSomebody\t\\N\n", at=3))},
        "title.crew.tsv.gz, line 3: directors is 'Somebody'",
    ),
    "few names": (
        {
            "crew": packed(CREW_HEADER, SPOILT_CREW),
            "names": packed(NAMES_HEADER, NAMES[:20]),
        },
        "held: imdb: 18 films, where the last whole ones had 60",
    ),
}


@pytest.mark.parametrize(("said", "reason"), BAD_NIGHTS.values(), ids=BAD_NIGHTS)
def test_nothing_of_a_bad_file_is_stored_and_the_ratings_of_that_night_are(
    imdb: Imdb, said: dict[str, bytes], reason: str
) -> None:
    before, rated = imdb.told(), imdb.ratings()
    moved = MORE_VOTES if rated[0][2] == 1_000 else RATINGS
    ended = imdb.night(ratings=packed(RATINGS_HEADER, moved), **said)
    assert ended.status == 1
    assert reason in ended.err
    assert imdb.told() == before
    assert imdb.ratings() != rated


def test_a_dataset_that_was_held_can_be_released_and_the_other_is_stored(imdb: Imdb) -> None:
    imdb.night(akas=packed(AKAS_HEADER, HALF), crew=packed(CREW_HEADER, SPOILT_CREW))
    assert imdb.people(TCONSTS[24]) == [("Person 35", "director", 0)]
    [case] = imdb.rows("SELECT quarantine_id FROM quarantine WHERE decision IS NULL")
    assert imdb.ready("quarantine", "release", str(case[0])).status == 0
    assert (f"9 {OTHER}", "FR", None) in imdb.titles(OTHER)
    assert imdb.night().status == 0


def test_they_are_not_asked_for_unless_the_settings_say_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with FaultServer("imdb") as server:
        folder = tmp_path_factory.mktemp("plain")
        ready = asking(folder, server, more="[universe]\nvotes_at_least = 0\n")
        assert Imdb(server, ready).night().status == 0
        paths = [one.path for one in server.asked]
    assert paths == ["/robots.txt", "/title.ratings.tsv.gz", "/title.basics.tsv.gz"]


def test_a_source_without_such_datasets_cannot_be_told_to_ask_for_them(
    afterscore: Afterscore,
) -> None:
    afterscore.settings("[sources.tmdb]\nakas = true\n")
    ended = afterscore("refresh", "--dry-run")
    assert ended.status == 2
    assert "sources.tmdb.akas: no such setting of TMDB" in ended.err


# --- the readers ----------------------------------------------------------------------------------

FILMS = [f"tt{n:07d}" for n in range(1, 9)]

BAD_AKAS = {
    "a column more": (AKAS_HEADER.replace("\n", "\tx\n"), 1, "the header is"),
    "a column less": (AKAS_HEADER.replace("\tattributes", ""), 1, "the header is"),
    "the header alone": (AKAS_HEADER, 1, "no line below"),
    "a field less": (AKAS_HEADER + aka(FILMS[0], 1, "T")[2:], 2, "is not a title's id"),
    "a film again, behind others": (
        AKAS_HEADER + aka(FILMS[0], 1, "T") + aka(FILMS[1], 1, "T") + aka(FILMS[0], 2, "T"),
        4,
        f"'{FILMS[0]}' again, behind others",
    ),
    "an ordering twice": (
        AKAS_HEADER + aka(FILMS[0], 2, "T") + aka(FILMS[0], 1, "T") + aka(FILMS[0], 2, "U"),
        4,
        "ordering '2' for the second time",
    ),
    "an ordering that is none": (
        AKAS_HEADER + aka(FILMS[0], 1, "T").replace("\t1\t", "\tI\t"),
        2,
        "ordering is 'I'",
    ),
    "neither original nor not": (
        AKAS_HEADER + aka(FILMS[0], 1, "T", original="2"),
        2,
        "isOriginalTitle is '2'",
    ),
}


@pytest.mark.parametrize(("text", "line", "reason"), BAD_AKAS.values(), ids=BAD_AKAS)
def test_titles_out_of_shape(text: str, line: int, reason: str) -> None:
    with pytest.raises(DatasetFault, match=reason) as caught:
        read_akas(io.BytesIO(gzipped(text)), numbers_of(FILMS), io.BytesIO())
    assert (caught.value.file, caught.value.line) == ("title.akas.tsv.gz", line)


BAD_CREWS = {
    "a title twice": (2 * f"{FILMS[0]}\t\\N\t\\N\n", name("nm0000001", "A"), "second time"),
    "a person twice": (f"{FILMS[0]}\t\\N\t\\N\n", 2 * name("nm0000001", "A"), "second time"),
    "a title among people": (
        f"{FILMS[0]}\t\\N\t\\N\n",
        name("tt0000001", "A"),
        "is not a person's id",
    ),
}


@pytest.mark.parametrize(("crew", "names", "reason"), BAD_CREWS.values(), ids=BAD_CREWS)
def test_crews_and_names_out_of_shape(crew: str, names: str, reason: str) -> None:
    with pytest.raises(DatasetFault, match=reason):
        read_crew(
            io.BytesIO(gzipped(CREW_HEADER + crew)),
            io.BytesIO(gzipped(NAMES_HEADER + names)),
            numbers_of(FILMS),
            io.BytesIO(),
        )


@settings(deadline=None, max_examples=50)
@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    wanted=st.sets(st.sampled_from(FILMS)),
    block=st.integers(1, 300),
    size=st.integers(1, 6),
)
def test_what_is_kept_of_titles_does_not_depend_on_blocks(
    counts: list[int], wanted: set[str], block: int, size: int
) -> None:
    told = [(FILMS[n], f"T{n}.{at}") for n, count in enumerate(counts) for at in range(count)]
    lines = [aka(tconst, n, title, "DE") for n, (tconst, title) in enumerate(told)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imdb_blocks, "_BLOCK_BYTES", block)
        packed_lines = io.BytesIO(gzipped(AKAS_HEADER + "".join(lines)))
        selected = read_akas(packed_lines, numbers_of(list(wanted)), io.BytesIO())
    parts = list(selected.parts(size))
    found = [row for part in parts for row in zip(part.source_ids, part.titles, strict=True)]
    assert found == [row for row in told if row[0] in wanted]
    assert selected.in_all == sum(len(part) for part in parts) == len({row[0] for row in found})


@settings(deadline=None, max_examples=50)
@given(block=st.integers(1, 300), twice=st.integers(0, 7), again=st.integers(0, 7))
def test_a_line_that_comes_twice_is_found_wherever_blocks_end(
    block: int, twice: int, again: int
) -> None:
    lines = [aka(FILMS[n // 4], n, f"T{n}") for n in range(8)]
    lines[again:again] = [lines[twice]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imdb_blocks, "_BLOCK_BYTES", block)
        with pytest.raises(DatasetFault, match=r"second time|behind others"):
            read_akas(
                io.BytesIO(gzipped(AKAS_HEADER + "".join(lines))), numbers_of([]), io.BytesIO()
            )


def test_names_that_are_not_known_are_left_out() -> None:
    selected = read_crew(
        io.BytesIO(gzipped(CREW_HEADER + f"{FILMS[0]}\tnm0000001,nm0000002\tnm0000003\n")),
        io.BytesIO(gzipped(NAMES_HEADER + name("nm0000001", N) + name("nm0000002", "B"))),
        numbers_of(FILMS),
        io.BytesIO(),
    )
    [part] = selected.parts(10)
    assert (part.names, part.parts, part.billings) == (("B",), ("director",), (0,))

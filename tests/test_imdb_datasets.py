"""IMDb's datasets are read whole and exactly, or not at all."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import spiders
from spiders.items import Outcome, Record, ScoreState
from spiders.pages import imdb_blocks, imdb_datasets
from spiders.pages.imdb_datasets import BASICS, RATINGS, DatasetFault, Selected, read_datasets
from spiders.plan import Universe

SAMPLES = Path(spiders.__file__).parent / "samples" / "imdb"

BASICS_HEADER = (
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear"
    "\truntimeMinutes\tgenres\n"
)
RATINGS_HEADER = "tconst\taverageRating\tnumVotes\n"
FOO = "tt0000001\tmovie\tFoo\tLe Foo\t0\t2001\t\\N\t90\tComedy,Drama\n"
BAR = "tt0000002\tmovie\tBar\tBar\t0\t2002\t\\N\t\\N\t\\N\n"
RATED = "tt0000001\t7.5\t30000\n"


def packed(text: str | bytes) -> bytes:
    return gzip.compress(text.encode() if isinstance(text, str) else text)


def read(
    basics: Iterable[str] = (FOO, BAR),
    ratings: Iterable[str] = (RATED,),
    universe: Universe | None = None,
    wanted: Iterable[str] = (),
) -> list[Record]:
    selected = read_datasets(
        io.BytesIO(packed(BASICS_HEADER + "".join(basics))),
        io.BytesIO(packed(RATINGS_HEADER + "".join(ratings))),
        universe,
        list(wanted),
    )
    return records(selected)


def records(selected: Selected, size: int = 2) -> list[Record]:
    """All that was selected, each part at most so large."""
    found: list[Record] = []
    parts = list(selected.parts(size))
    for part in parts:
        assert len(part.titles) + len(part.others) <= size
        found += map(part.titles.record, part.titles.rows())
        found += part.others
    assert parts
    assert len(found) == selected.in_all
    return found


def ids(records: list[Record]) -> list[str | None]:
    return [record.source_id for record in records]


def basics_line(tconst: str, *, kind: str = "movie", title: str = "T", year: str = "2001") -> str:
    return f"{tconst}\t{kind}\t{title}\t{title}\t0\t{year}\t\\N\t\\N\t\\N\n"


def test_the_samples_as_files(tmp_path: Path) -> None:
    for name in ("title.basics.tsv", "title.ratings.tsv"):
        (tmp_path / f"{name}.gz").write_bytes(packed((SAMPLES / name).read_bytes()))
    with (
        (tmp_path / BASICS).open("rb") as basics,
        (tmp_path / RATINGS).open("rb") as ratings,
    ):
        selected = read_datasets(basics, ratings, Universe(), ["tt7462422"])
        found = {r.source_id: r for r in records(selected, 1_000)}
    assert {"tt1074638", "tt0468569", "tt0848228", "tt0371746", "tt1392190"} < set(found)
    assert {"tt1049413", "tt2294629", "tt0083866", "tt1160419", "tt7462422"} < set(found)
    few_votes, short, series, mini = "tt0308208", "tt0000012", "tt0903747", "tt7366338"
    assert not {few_votes, short, series, mini} & set(found)
    skyfall = found["tt1074638"]
    score = skyfall.scores["imdb_rating"]
    assert (score.state, score.value, score.votes) == (ScoreState.SCORED, 7.8, 768_360)
    assert found["tt7462422"].scores["imdb_rating"].state is ScoreState.NOT_RATED
    assert found["tt7462422"].year is None


def test_a_line_becomes_a_record() -> None:
    [foo, bar] = read(wanted=["tt0000001", "tt0000002"])
    assert foo.model_dump(mode="json", exclude_defaults=True) == {
        "source": "imdb",
        "source_id": "tt0000001",
        "imdb_id": "tt0000001",
        "layout": "dataset",
        "kind": "movie",
        "title": "Foo",
        "original_title": "Le Foo",
        "year": 2001,
        "runtime_minutes": 90,
        "genres": ["Comedy", "Drama"],
        "scores": {
            "imdb_rating": {"state": "scored", "value": 7.5, "scale_max": 10, "votes": 30_000}
        },
    }
    assert (bar.runtime_minutes, bar.genres) == (None, ())
    assert bar.scores["imdb_rating"].state is ScoreState.NOT_RATED


@pytest.mark.parametrize(
    "title", ['"Quoted"', '"Half', "It's", "a,b;c|d", "\\", "é \u2019 \U0001f600"]
)
def test_titles_are_taken_as_they_stand(title: str) -> None:
    [record] = read([basics_line("tt0000001", title=title)], wanted=["tt0000001"])
    assert (record.title, record.original_title) == (title, title)


def test_the_universe_by_votes_kinds_and_years() -> None:
    basics = [
        basics_line("tt0000001"),
        basics_line("tt0000002", kind="tvMovie"),
        basics_line("tt0000003", kind="tvSeries"),
        basics_line("tt0000004", year="1999"),
        basics_line("tt0000005", year="\\N"),
        basics_line("tt0000006"),
        basics_line("tt0000007"),
    ]
    ratings = [f"tt000000{n}\t6.0\t100\n" for n in range(1, 6)] + ["tt0000006\t6.0\t99\n"]
    universe = Universe(votes_at_least=100)
    some = ["tt0000001", "tt0000002", "tt0000004", "tt0000005"]
    assert ids(read(basics, ratings, universe)) == some
    dated = Universe(votes_at_least=100, first_year=2000, last_year=2001)
    assert ids(read(basics, ratings, dated)) == ["tt0000001", "tt0000002"]
    old = Universe(votes_at_least=100, last_year=1999)
    assert ids(read(basics, ratings, old)) == ["tt0000004"]
    everything = Universe(votes_at_least=0, kinds=("movie",))
    assert ids(read(basics, ratings, everything)) == [f"tt000000{n}" for n in (1, 4, 5, 6, 7)]


def test_the_most_voted_and_the_wanted() -> None:
    basics = [basics_line(f"tt000000{n}") for n in range(1, 6)]
    ratings = [f"tt000000{n}\t6.0\t{votes}\n" for n, votes in ((1, 10), (2, 40), (3, 30), (4, 20))]
    universe = Universe(votes_at_least=10, at_most=2)
    assert ids(read(basics, ratings, universe)) == ["tt0000002", "tt0000003"]
    with pytest.raises(DatasetFault, match="line 4: startYear"):
        read([*basics[:2], basics_line("tt0000003", year="soon"), *basics[3:]], ratings, universe)
    wanted = ["tt0000002", "tt0000005", "tt0000005", "tt0000009", "Q42", "", "ttétété"]
    assert ids(read(basics, ratings, universe, wanted)) == ["tt0000002", "tt0000003", "tt0000005"]
    assert ids(read(basics, ratings, None, wanted)) == ["tt0000002", "tt0000005"]
    assert read(basics, ratings) == []


def test_a_wanted_series_is_not_a_film() -> None:
    basics = [basics_line("tt0000001", kind="tvSeries")]
    [series] = read(basics, wanted=["tt0000001"])
    assert (series.outcome, series.kind, series.title) == (Outcome.NOT_A_FILM, "tvSeries", "T")
    [kept] = read(basics, universe=Universe(kinds=("tvSeries",)))
    assert kept.outcome is Outcome.OK


def test_ids_of_every_length_in_any_order() -> None:
    tconsts = ["tt10000001", "tt0000001", "tt1234567890", "tt999999999", "tt00000001", "tt9999999"]
    found = read([basics_line(t) for t in tconsts], wanted=tconsts)
    assert ids(found) == tconsts


BAD = {
    "basics: a column less": (BASICS_HEADER.replace("\tgenres", "") + FOO, None, 1, "header"),
    "basics: a column more": (BASICS_HEADER.replace("\n", "\tx\n") + FOO, None, 1, "header"),
    "basics: a column renamed": (
        BASICS_HEADER.replace("startYear", "year") + FOO,
        None,
        1,
        "header",
    ),
    "basics: line ends of DOS": ((BASICS_HEADER + FOO).replace("\n", "\r\n"), None, 1, "header"),
    "basics: nothing": ("", None, 1, "empty"),
    "basics: the header alone": (BASICS_HEADER, None, 1, "no line"),
    "basics: an HTML page": ("<!DOCTYPE html>\n<p>\n", None, 1, "header"),
    "basics: a field less": (BASICS_HEADER + FOO + BAR.replace("\t0\t", "\t"), None, 3, "8 fields"),
    "basics: a field more": (
        BASICS_HEADER + FOO.replace("Le Foo", "Le\tFoo"),
        None,
        2,
        "10 fields",
    ),
    "basics: as many tabs, elsewhere": (
        BASICS_HEADER + FOO.replace("\t0\t", "\t") + BAR.replace("Bar", "B\tar"),
        None,
        2,
        "8 fields",
    ),
    "basics: an empty line": (BASICS_HEADER + FOO + "\n" + BAR, None, 3, "1 fields"),
    "basics: an id too short": (BASICS_HEADER + FOO.replace("tt0", "tt"), None, 2, "not a title"),
    "basics: an id too long": (
        BASICS_HEADER + FOO.replace("tt0", "tt00000"),
        None,
        2,
        "not a title",
    ),
    "basics: a person's id": (BASICS_HEADER + FOO.replace("tt", "nm"), None, 2, "not a title"),
    "basics: letters in an id": (
        BASICS_HEADER + FOO.replace("001\t", "0o1\t", 1),
        None,
        2,
        "not a",
    ),
    "basics: no id": (BASICS_HEADER + FOO.replace("tt0000001", ""), None, 2, "not a title"),
    "basics: an id twice": (BASICS_HEADER + FOO + BAR + FOO, None, 4, "second time"),
    "basics: a long id twice": (
        BASICS_HEADER + FOO + 2 * basics_line("tt1234567890"),
        None,
        4,
        "second time",
    ),
    "basics: the last line cut": (BASICS_HEADER + FOO + BAR[:-3], None, 3, "cut short"),
    "basics: a year that is none": (
        BASICS_HEADER + FOO.replace("2001", "MMI"),
        None,
        2,
        "startYear",
    ),
    "basics: a kind that is none": (
        BASICS_HEADER + FOO.replace("movie", "\\N"),
        None,
        2,
        "titleType",
    ),
    "basics: a runtime that is none": (
        BASICS_HEADER + FOO.replace("\t90", "\t1h"),
        None,
        2,
        "runtime",
    ),
    "ratings: a column less": (None, "tconst\taverageRating\n", 1, "header"),
    "ratings: the header alone": (None, RATINGS_HEADER, 1, "no line"),
    "ratings: a field less": (None, RATINGS_HEADER + "tt0000001\t7.5\n", 2, "2 fields"),
    "ratings: an id twice": (None, RATINGS_HEADER + RATED + RATED, 3, "second time"),
    "ratings: an id out of shape": (
        None,
        RATINGS_HEADER + RATED.replace("tt", ""),
        2,
        "not a title",
    ),
    "ratings: votes that are none": (
        None,
        RATINGS_HEADER + "tt0000001\t7.5\t\\N\n",
        2,
        "no rating",
    ),
    "ratings: votes below none": (None, RATINGS_HEADER + "tt0000001\t7.5\t-1\n", 2, "no rating"),
    "ratings: an average that is none": (
        None,
        RATINGS_HEADER + "tt0000001\tnan\t9\n",
        2,
        "no rating",
    ),
    "ratings: the last line cut": (None, RATINGS_HEADER + RATED[:-3], 2, "cut short"),
}


@pytest.mark.parametrize(("basics", "ratings", "line", "reason"), BAD.values(), ids=BAD.keys())
def test_a_file_out_of_shape(
    basics: str | None, ratings: str | None, line: int, reason: str
) -> None:
    with pytest.raises(DatasetFault, match=reason) as caught:
        read_datasets(
            io.BytesIO(packed(BASICS_HEADER + FOO if basics is None else basics)),
            io.BytesIO(packed(RATINGS_HEADER + RATED if ratings is None else ratings)),
            Universe(),
            ["tt0000001"],
        )
    assert caught.value.line == line
    assert caught.value.file == (BASICS if ratings is None else RATINGS)
    assert str(caught.value).startswith(f"{caught.value.file}, line {line}: ")


WHOLE = packed(BASICS_HEADER + FOO + BAR)
SPOILT = {
    "not gzip": (BASICS_HEADER + FOO).encode(),
    "gzip within gzip": gzip.compress(WHOLE),
    "no bytes": b"",
    "cut in the header": WHOLE[:5],
    "cut in the data": WHOLE[:-30],
    "cut in the checksum": WHOLE[:-3],
    "a wrong checksum": WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:],
    "garbage in the data": WHOLE[:20] + b"\xff\xff\xff\xff" + WHOLE[24:],
    "garbage behind": WHOLE + b"garbage",
    "not UTF-8": packed((BASICS_HEADER + FOO).encode().replace(b"Le Foo", b"Le \xff")),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_file(spoilt: bytes) -> None:
    with pytest.raises(DatasetFault):
        read_datasets(
            io.BytesIO(spoilt), io.BytesIO(packed(RATINGS_HEADER + RATED)), None, ["tt0000001"]
        )


def test_several_gzip_members_are_one_file() -> None:
    basics = packed(BASICS_HEADER + FOO[:20]) + packed(FOO[20:] + BAR)
    ratings = packed(RATINGS_HEADER + RATED)
    found = read_datasets(io.BytesIO(basics), io.BytesIO(ratings), Universe(), [])
    assert ids(records(found)) == ["tt0000001"]


@settings(deadline=None)  # a busy machine is not a fault of the reader
@given(cut=st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_a_file_cut_anywhere_gives_nothing(cut: int) -> None:
    with pytest.raises(DatasetFault):
        read_datasets(
            io.BytesIO(WHOLE[:cut]), io.BytesIO(packed(RATINGS_HEADER + RATED)), Universe(), []
        )


TCONSTS = st.from_regex(r"tt[0-9]{7,10}", fullmatch=True)


@settings(deadline=None)
@given(
    votes=st.dictionaries(TCONSTS, st.none() | st.integers(0, 60_000), min_size=1, max_size=30),
    wanted=st.lists(TCONSTS, max_size=5),
    block=st.integers(1, 400),
    held=st.sampled_from([0, 5, 100]),
    data=st.data(),
)
def test_what_is_kept_does_not_depend_on_blocks(
    votes: dict[str, int | None], wanted: list[str], block: int, held: int, data: st.DataObject
) -> None:
    wanted += data.draw(st.lists(st.sampled_from(list(votes)), max_size=3))
    ratings = [f"{t}\t5.0\t{n}\n" for t, n in votes.items() if n is not None]
    assume(ratings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imdb_blocks, "_BLOCK_BYTES", block)
        patch.setattr(imdb_datasets, "_HELD", held)
        found = read(map(basics_line, votes), ratings, Universe(), wanted)
    kept = [t for t, n in votes.items() if t in wanted or (n is not None and n >= 25_000)]
    assert ids(found) == kept
    assert [record.scores["imdb_rating"].votes for record in found] == [votes[t] for t in kept]

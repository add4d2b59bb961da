"""Listings become films by what they state of each other, in whatever order they are heard of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count as counting

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.matching.matcher import Matched, match
from spiders.items import Record
from tests.answers import Kept, answer, day, record, scored, tomatometer

Listing = tuple[str, str]
FIRST_SEEN = day(1)


def tell(kept: Kept, *records: Record) -> None:
    kept.tell(*(answer(said, at=FIRST_SEEN, target="list") for said in records))


# --- who is who, whatever the order -------------------------------------------------------------

_numbers = counting(1)


@dataclass(frozen=True)
class World:
    """What the sources say of some films, in the order in which a run asks them: datasets, then the
    crosswalk, then TMDB, then pages."""

    said: tuple[tuple[Record, ...], ...]

    def films(self) -> set[frozenset[Listing]]:
        """The listings of each film: all that are bound together by what somebody states, where
        IMDb or TMDB lists one of them as a film."""
        groups: list[set[Listing]] = []
        born: set[Listing] = set()
        for said in (said for wave in self.said for said in wave):
            own = (said.source, str(said.source_id))
            if said.title and own[0] in ("imdb", "tmdb"):
                born.add(own)
            bound = {own, *((key, one) for key, ids in said.identifiers.items() for one in ids)}
            bound |= {("imdb", said.imdb_id)} if said.imdb_id else set()
            for group in [group for group in groups if group & bound]:
                groups.remove(group)
                bound |= group
            groups.append(bound)
        return {frozenset(group) for group in groups if group & born}


def id_at(source: str, film: int, which: int = 0) -> str:
    """An id of a film at a source; `which` numbers the several that it may have."""
    return {
        "imdb": f"tt{film:07}",
        "wikidata": f"Q{film}",
        "tmdb": f"{10 * film + which}",
        "rottentomatoes": f"m/film_{film}_{which}",
        "metacritic": f"movie/film-{film}-{which}",
    }[source]


def titled(film: int) -> str:
    """A title that only this film has; alone, it is too thin to match by."""
    return "".join(chr(ord("A") + int(digit)) * 2 for digit in str(film))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Some films, which are matched at once: a world of seven costs little more than one of two. Of
    each, any of the sources may be silent, and the crosswalk may have several ids of one source. No
    id is claimed for two films, and only one of TMDB's may have to speak for a film that IMDb does
    not list."""
    datasets, crosswalk, tmdb, pages = [], [], [], []
    for _ in range(draw(st.integers(1, 7))):
        film = next(_numbers)
        imdb_id = id_at("imdb", film)
        if draw(st.booleans()):
            datasets.append(record("imdb", imdb_id, title=titled(film), kind="movie"))
        if draw(st.booleans()):
            stated = {
                source: tuple(id_at(source, film, n) for n in range(draw(st.integers(0, 2))))
                for source in ("tmdb", "rottentomatoes", "metacritic")
            }
            named = {key: ids for key, ids in {"imdb": (imdb_id,), **stated}.items() if ids}
            crosswalk.append(record("wikidata", id_at("wikidata", film), identifiers=named))
        at_most = 2 if datasets and datasets[-1].source_id == imdb_id else 1
        for which in range(draw(st.integers(0, at_most))):
            states = imdb_id if draw(st.booleans()) else None
            said = record("tmdb", id_at("tmdb", film, which), title=titled(film), imdb_id=states)
            tmdb.append(said)
        if draw(st.booleans()):
            pages.append(record("rottentomatoes", id_at("rottentomatoes", film)))
        if draw(st.booleans()):
            states = imdb_id if draw(st.booleans()) else None
            pages.append(record("metacritic", id_at("metacritic", film), imdb_id=states))
    return World((tuple(datasets), tuple(crosswalk), tuple(tmdb), tuple(pages)))


def match_after(kept: Kept, last: int) -> Matched:
    """Match the listings that are newer than the given one."""
    return match(kept.db, kept.column("SELECT listing_id FROM listings WHERE listing_id > ?", last))


def films_after(kept: Kept, waves: Sequence[Sequence[Record]]) -> set[frozenset[Listing]]:
    """The films that come of what is said wave by wave, matched after each; as their listings."""
    (last,) = kept.column("SELECT ifnull(max(listing_id), 0) FROM listings")
    for wave in waves:
        tell(kept, *wave)
        match_after(kept, last)
    films: dict[int, set[Listing]] = {}
    for film_id, source, source_id in kept.rows(
        "SELECT film_id, source, source_id FROM listing_films JOIN listings USING (listing_id)"
        " WHERE listing_id > ? AND valid_to IS NULL",
        last,
    ):
        films.setdefault(film_id, set()).add((source, source_id))
    return {frozenset(listings) for listings in films.values()}


@given(world=worlds(), data=st.data())
@settings(deadline=None, max_examples=40)
def test_films_are_the_same_in_whatever_order_their_listings_are_heard_of(
    shared: Kept, world: World, data: st.DataObject
) -> None:
    said = [record for wave in world.said for record in wave]
    assert films_after(shared, [data.draw(st.permutations(said))]) == world.films()


@given(world=worlds(), data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_run_that_matches_after_each_wave_finds_the_same_films(
    shared: Kept, world: World, data: st.DataObject
) -> None:
    waves = [data.draw(st.permutations(wave)) for wave in world.said]
    assert films_after(shared, waves) == world.films()


def matched_rows(kept: Kept) -> tuple[list[tuple[object, ...]], ...]:
    return tuple(
        kept.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        for table in ("films", "listings", "listing_films", "listing_identifiers")
    )


@given(world=worlds())
@settings(deadline=None, max_examples=15)
def test_matching_again_changes_nothing(shared: Kept, world: World) -> None:
    (last,) = shared.column("SELECT ifnull(max(listing_id), 0) FROM listings")
    tell(shared, *(said for wave in world.said for said in wave))
    first = match_after(shared, last)
    before = matched_rows(shared)
    again = match_after(shared, last)
    assert (again.films, again.ambiguous) == (set(), first.ambiguous)
    assert matched_rows(shared) == before


# --- where the sources contradict each other ----------------------------------------------------

SKYFALL = record("imdb", "tt1074638", title="Skyfall", year=2012, kind="movie")
UP = record("imdb", "tt1049413", title="Up", year=2009, kind="movie")


def claims(item: str, imdb_id: str, *tomatoes: str) -> Record:
    """A row of the crosswalk."""
    return record("wikidata", item, identifiers={"imdb": (imdb_id,), "rottentomatoes": tomatoes})


def film_of(kept: Kept, source_id: str) -> str | None:
    """The title of the film that a listing is matched to."""
    titles = kept.column(
        "SELECT f.title FROM films f JOIN listing_films USING (film_id)"
        " JOIN listings l USING (listing_id) WHERE l.source_id = ? AND valid_to IS NULL",
        source_id,
    )
    return titles[0] if titles else None


CONTRADICTIONS = {
    "two rows of the crosswalk": [
        claims("Q4941", "tt1074638", "m/x"),
        claims("Q174811", "tt1049413", "m/x"),
    ],
    "the page and the crosswalk": [
        claims("Q4941", "tt1074638", "m/x"),
        record(source_id="m/x", imdb_id="tt1049413"),
    ],
    "the page alone": [
        record(source_id="m/x", identifiers={"imdb": ("tt1074638", "tt1049413")}),
    ],
}


@pytest.mark.parametrize("said", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
@pytest.mark.parametrize("turned", [False, True], ids=["", "the other way round"])
def test_a_listing_that_two_films_claim_is_left_unmatched(
    kept: Kept, said: Sequence[Record], turned: bool
) -> None:
    """A wrong match is worse than none."""
    kept.tell(tomatometer(scored(93, 300), day(1), "m/x"))
    tell(kept, SKYFALL, UP, *(reversed(said) if turned else said))
    matched = kept.match()
    assert film_of(kept, "m/x") is None
    listing = kept.row("SELECT listing_id FROM listings WHERE source_id = 'm/x'")[0]
    (films,) = (claimants for number, claimants in matched.ambiguous.items() if number == listing)
    assert len(films) == 2
    assert all("tt" in why or "wikidata" in why for why in films.values())
    assert kept.score(source_id="m/x")["value"] == 93
    assert "m/x" in kept.column("SELECT source_id FROM unmatched_listings")
    assert kept.column("SELECT tomatometer FROM film_scores") == [None, None]


def test_what_is_ambiguous_stays_so_and_keeps_being_read(kept: Kept) -> None:
    tell(kept, SKYFALL, UP, *CONTRADICTIONS["two rows of the crosswalk"])
    kept.match()
    kept.tell(tomatometer(scored(93, 300), day(2), "m/x"))
    assert kept.match().ambiguous
    assert kept.score(source_id="m/x")["value"] == 93


def test_a_listing_that_nobody_names_is_kept_and_matched_once_somebody_does(kept: Kept) -> None:
    kept.tell(tomatometer(scored(93, 300), day(1)))
    tell(kept, SKYFALL)
    kept.match()
    assert film_of(kept, "m/skyfall") is None
    tell(kept, claims("Q4941", "tt1074638", "m/skyfall"))
    kept.match()
    assert film_of(kept, "m/skyfall") == "Skyfall"
    assert kept.row("SELECT tomatometer FROM film_scores") == (93,)


# --- several ids of one source ------------------------------------------------------------------


def primary(kept: Kept) -> str:
    found: str = kept.row(
        "SELECT source_id FROM listings JOIN listing_films USING (listing_id)"
        " WHERE source = 'rottentomatoes' AND is_primary"
    )[0]
    return found


def test_of_several_listings_the_one_with_the_most_votes_stands_for_the_film(kept: Kept) -> None:
    tell(kept, SKYFALL, claims("Q4941", "tt1074638", "m/skyfall_imax", "m/skyfall"))
    kept.tell(tomatometer(scored(80, 12), day(1), "m/skyfall_imax"))
    kept.tell(tomatometer(scored(93, 300), day(1), "m/skyfall"))
    kept.match()
    assert film_of(kept, "m/skyfall_imax") == film_of(kept, "m/skyfall") == "Skyfall"
    assert primary(kept) == "m/skyfall"
    assert kept.row("SELECT tomatometer, tomatometer_votes FROM film_scores") == (93, 300)


def test_a_listing_that_is_gone_gives_its_place_to_another(kept: Kept) -> None:
    tell(kept, SKYFALL, claims("Q4941", "tt1074638", "m/skyfall_imax", "m/skyfall"))
    kept.tell(tomatometer(scored(80, 12), day(1), "m/skyfall_imax"))
    kept.tell(tomatometer(scored(93, 300), day(1), "m/skyfall"))
    kept.db.conn.execute("UPDATE listings SET gone_at = ? WHERE source_id = 'm/skyfall'", [day(9)])
    kept.match()
    assert primary(kept) == "m/skyfall_imax"


def test_of_several_tmdb_ids_the_film_takes_the_same_whatever_came_first(kept: Kept) -> None:
    for film, order in ((1, (7, 3)), (2, (13, 17))):
        tell(kept, record("imdb", f"tt000000{film}", title="A film", kind="movie"))
        tell(
            kept,
            *(record("tmdb", str(n), imdb_id=f"tt000000{film}", title="A film") for n in order),
        )
    kept.match()
    assert kept.rows("SELECT imdb_id, tmdb_id FROM films ORDER BY 1") == [
        ("tt0000001", 3),
        ("tt0000002", 13),
    ]


# --- what is no film ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tvSeries", "tvEpisode", "videoGame"])
def test_no_film_is_born_of_what_is_none(kept: Kept, kind: str) -> None:
    tell(kept, record("imdb", "tt0000001", title="A series", kind=kind))
    kept.match()
    assert kept.rows("SELECT * FROM films") == []
    assert kept.column("SELECT source_id FROM unmatched_listings") == ["tt0000001"]


def test_no_film_is_born_of_an_id_that_somebody_merely_names(kept: Kept) -> None:
    tell(kept, claims("Q4941", "tt1074638", "m/skyfall"))
    kept.match()
    assert kept.rows("SELECT * FROM films") == []

"""Pages for the crawl: our own samples, padded to the weight of a site's real pages.

Every page shows a film of its own. The padding stands where it does on real pages, and markup and
embedded data have the parts that they have on captured ones: JSON is 22 % of an IMDb title page
and 45 % of a page with Nuxt's state, and next to nothing of one of Rotten Tomatoes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from schedules.replica import samples_folder
from spiders.sources import Host, by_key

WEIGHT = 260_000
"""Bytes of a page."""

YEAR = 2012
"""When every film came out, as the datasets have it."""

_NAME = re.compile(rb"(\{title\}|\{slug\}|\{imdb_id\}|\{wikidata_id\}|\{number\})")


@dataclass(frozen=True)
class Film:
    """A film that only these pages know, by the digits of its IMDb id."""

    number: int

    @property
    def names(self) -> dict[str, str]:
        """Its title on every site, its name in addresses, its ids."""
        return {
            "title": f"Film {self.number}",
            "slug": f"film-{self.number}",
            "imdb_id": f"tt{self.number}",
            "wikidata_id": f"Q{self.number}",
            "number": f"{self.number}",
        }


def films(number: int) -> list[Film]:
    """As many films, always the same."""
    return [Film(90_000_000 + place) for place in range(number)]


@dataclass(frozen=True)
class Pages:
    """The pages of one source in one layout, made of one sample.

    `listing` is a film's id there. `shown` is how the sample names its own film, and `roles` which
    of the film's names each of these is. `padding` has, for each place, the bytes that the padding
    stands before, what it is made of, and its share of the page.
    """

    source: str
    layout: str
    listing: str
    sample: str
    shown: tuple[str, ...]
    padding: tuple[tuple[bytes, Callable[[int], str], float], ...] = ()
    roles: tuple[str, ...] = ("{title}", "{slug}", "{imdb_id}")

    @property
    def host(self) -> Host:
        """The host that shows them."""
        return by_key(self.source).hosts[0]

    def source_id(self, film: Film) -> str:
        """The film's listing."""
        return self.listing.format(**film.names)

    def url(self, film: Film) -> str:
        """The address that a spider asks for the film."""
        return str(by_key(self.source).ask_url(self.source_id(film)))

    def body(self, film: Film) -> bytes:
        """The film's page."""
        names = {f"{{{role}}}".encode(): name.encode() for role, name in film.names.items()}
        return b"".join(names.get(part, part) for part in self._parts)

    @cached_property
    def _parts(self) -> list[bytes]:
        """The padded sample, cut where it names its film."""
        body = (samples_folder() / self.source / self.sample).read_bytes()
        for name, role in zip(self.shown, self.roles, strict=True):
            body = body.replace(name.encode(), role.encode())
        room = WEIGHT - len(body)
        for place, filler, share in self.padding:
            assert body.count(place) == 1, f"{self.sample}: {place!r} does not stand there once"
            body = body.replace(place, filler(int(room * share)).encode() + place)
        return _NAME.split(body)


def _up_to(size: int, pieces: Iterator[str]) -> str:
    """As many pieces as make up a size."""
    text = []
    while size > 0:
        text.append(next(pieces))
        size -= len(text[-1].encode())
    return "".join(text)


def _markup(size: int) -> str:
    """Cards of other films, as carousels and reviews have them."""
    return _up_to(
        size,
        (
            f'<div class="card card--{n % 7}" data-qa="card-{n}"><a href="/other/film-of-{n}"'
            f' class="card__link"><img src="https://images.example/{n}.jpg?fit=crop&amp;w=180"'
            f' alt="Poster № {n}" loading="lazy"></a><div class="card__text"><span'
            f' class="card__score">{n % 100}</span><p>Somebody’s words on another film, at some'
            " length &amp; with a point.</p></div></div>\n"
            for n in count()
        ),
    )


def _members(size: int) -> str:
    """Members of a JSON object: nodes, of which IMDb's state is made."""
    return _up_to(
        size,
        (
            f'"node{n}": {{"id": "rm{n}", "width": {n % 4000}, "caption": {{"plainText": "A still'
            f' of another film, № {n}", "__typename": "Markdown"}}, "url":'
            f' "https://images.example/{n}.jpg", "names": [null, {{"id": "nm{n}"}}]}}, '
            for n in count()
        ),
    )


def _nuxt_values(size: int) -> str:
    """Values of Nuxt's flat array, reviews; a number inside an object is a place in the array.

    As on captured pages there is a value in every 45 bytes.
    """
    return _up_to(
        size,
        (
            f',{{"quote":{n % 60},"score":{n % 50},"publicationName":{n % 40},"date":{n % 30}}}'
            f',{{"publicationSlug":{n % 25},"reviewedProduct":{n % 35},"author":{n % 45}}}'
            f',{{"bucketPath":{n % 25},"provider":{n % 35},"typeName":{n % 45},"alt":{n % 20}}}'
            f',[{n % 20},{n % 10}],"Somebody’s words on another film, № {n}, and a few more"'
            f',"/publication/some-paper-of-another-town-{n}/reviews/",{n % 100}'
            for n in count()
        ),
    )


_SKYFALL = ("Skyfall", "skyfall", "tt1074638")

EMBEDDED = (
    Pages(
        "rottentomatoes",
        "scorecard-2024",
        "m/{slug}",
        "skyfall.html",
        _SKYFALL,
        ((b"<media-hero", _markup, 0.3), (b"</body>", _markup, 0.7)),
    ),
    Pages(
        "metacritic",
        "nuxt-2026",
        "movie/{slug}",
        "skyfall.html",
        _SKYFALL,
        (
            (b"<main>", _markup, 0.05),
            (b"</main>", _markup, 0.5),
            (b"]</script>\n</body>", _nuxt_values, 0.45),
        ),
    ),
    Pages(
        "imdb",
        "above-the-fold-2022",
        "{imdb_id}",
        "skyfall_2012.html",
        _SKYFALL,
        (
            (b"<main>", _markup, 0.2),
            (b'<script id="__NEXT_DATA__"', _markup, 0.58),
            (b'"principalCredits":', _members, 0.04),
            (b'"ratingsSummary": {"topRanking"', _members, 0.18),
        ),
    ),
)
"""Today's pages, which carry their figures as data."""

VISIBLE = (
    Pages(
        "rottentomatoes",
        "meter-2014",
        "m/{slug}",
        "meter-2017.html",
        ("Get Out", "get_out", "tt5052448"),
        ((b'<h1 id="movie-title"', _markup, 0.3), (b"</body>", _markup, 0.7)),
    ),
    Pages(
        "metacritic",
        "score-info-2023",
        "movie/{slug}",
        "score_info_2023.html",
        ("Mad Max: Fury Road", "mad-max-fury-road", "tt1392190"),
        ((b'<div id="__nuxt">', _markup, 0.05), (b"<script>window.__NUXT__", _markup, 0.95)),
    ),
    Pages(
        "imdb",
        "overview-2018",
        "{imdb_id}",
        "overview_2018.html",
        ("The Matrix", "the-matrix", "tt0133093"),
        ((b'<div id="pagecontent"', _markup, 0.2), (b'<div id="titleRecs">', _markup, 0.8)),
    ),
)
"""Pages of before, on which the figures have to be looked for in the markup."""

SMALL = (
    Pages(
        "tmdb",
        "details",
        "{number}",
        "skyfall.json",
        ("Skyfall", "37724", "tt1074638", "Q4941"),
        roles=("{title}", "{number}", "{imdb_id}", "{wikidata_id}"),
    ),
    Pages(
        "whatsafterthemovie",
        "words",
        "movie/{slug}-2012",
        "skyfall_2012.html",
        ("Skyfall",),
        roles=("{title}",),
    ),
)
"""Pages that are as small on the site itself."""

NIGHT = (*EMBEDDED, *SMALL)
"""Those of a night: of every source whose listings are asked one by one."""

KINDS = {"embedded": EMBEDDED, "visible": VISIBLE}

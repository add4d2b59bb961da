"""The register: every source, its terms, manners, hosts and score kinds. The only list of sources.

Columns, tiles, settings, descriptions and the README's tables are derived from it. To add a
source, append one `Source` to `SOURCES` and write the spider, the reader and the samples of the
same name (docs/adding-a-source.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from urllib.parse import unquote, urlsplit

FILM_KINDS = ("movie", "tvMovie", "short", "tvShort", "video", "tvSpecial")
"""IMDb's `titleType` values that are films; series, episodes, games and podcasts are not."""

IMDB_ID = r"tt(?!0+(?![0-9]))[0-9]{7,10}"
"""The shape of IMDb's ids of titles, none of which is 0. Digits are spelt out here and elsewhere:
`\\d` would take those of any script."""

KINDS = (*FILM_KINDS, "tvSeries", "tvMiniSeries", "tvEpisode", "tvPilot", "videoGame")
"""All `titleType` values of IMDb's datasets."""


class Permission(StrEnum):
    """What a source's terms say of programs that read it."""

    ALLOWED = "allowed"
    UNCLEAR = "unclear"
    FORBIDS_AUTOMATION = "forbids_automation"

    @property
    def words(self) -> str:
        """What the terms do, behind `its terms`."""
        return {"allowed": "allow it", "unclear": "are unclear"}.get(self, "forbid automation")


class Finds(StrEnum):
    """What a source is to the find stage."""

    DATASET = "dataset"  # every film there is, in files
    LISTS = "lists"  # its own films, page by page
    CROSSWALK = "crosswalk"  # the ids that films of known IMDb ids have elsewhere
    FINDER = "finder"  # its own id of a film that nobody else gave it

    @property
    def wave(self) -> int:
        """When it is asked: first what needs no ids, then the crosswalk, then what fills gaps."""
        return {Finds.CROSSWALK: 2, Finds.FINDER: 3}.get(self, 1)


@dataclass(frozen=True)
class Terms:
    """A source's terms of use, as read on `checked_on` at `url`."""

    permission: Permission
    summary: str
    url: str
    checked_on: str


@dataclass(frozen=True)
class Host:
    """A host that a source uses; `AFTERSCORE_<ROLE>_URL` stands in for it."""

    role: str
    url: str

    @property
    def variable(self) -> str:
        """The environment variable that replaces this host."""
        return f"AFTERSCORE_{self.role.upper()}_URL"


@dataclass(frozen=True)
class ScoreKind:
    """A kind of figure, in its own scale from 0 to `scale_max`.

    `short` heads narrow columns; `decimals` is how many the site shows; `unit` is written behind
    the value.
    """

    key: str
    label: str
    short: str
    scale_max: int
    side: Literal["critics", "audience"]
    decimals: int = 0
    unit: str = ""

    def show(self, value: float) -> str:
        """The value as its site writes it: `93 %`, `7.8 / 10`."""
        return f"{value:.{self.decimals}f}{self.unit or f' / {self.scale_max}'}"


@dataclass(frozen=True)
class Source:
    """A site or dataset: how it may be asked, and what it says.

    `listing_page` and `listing_ask` are URL templates with `{id}`: the page that people open,
    and what a spider asks (None: listings are not asked one by one). `id_pattern` matches the
    path of a listing's URL; its group `id` is the source_id, which SQLite can hold where it is
    a number. `finds` is its part in the find stage (None: its listings are found by others).
    Where it `says_credits`, `never_no` tells that silence means nothing there. Its own feed of
    changes can be asked for `feed_days` days back (0: it has none). An export of all its ids is
    there each day by `export_hour`, UTC (None: it has none). Between two requests lie
    `delay_seconds`; an operator may choose less, down to `least_delay_seconds` (None: not
    less). `backoff_seconds` is the first wait after an error; it doubles. `opt_in` says by name
    what of it is asked only where the operator's settings say so.
    """

    key: str
    name: str
    terms: Terms
    hosts: tuple[Host, ...]
    listing_page: str
    listing_ask: str | None
    id_pattern: str
    score_kinds: tuple[ScoreKind, ...] = ()
    says_credits: bool = False
    never_no: bool = False
    key_variable: str | None = None
    keep_days: int | None = None
    finds: Finds | None = None
    feed_days: int = 0
    export_hour: int | None = None
    delay_seconds: float = 5.0
    least_delay_seconds: float | None = None
    backoff_seconds: float = 10.0
    max_megabytes: int = 8
    wikidata_property: str | None = None
    domains: tuple[str, ...] = ()
    attribution: str = ""
    opt_in: Mapping[str, str] = field(default_factory=dict)

    def page_url(self, source_id: str) -> str:
        """The public page of a listing, for people to open."""
        return self.listing_page.format(id=source_id)

    def ask_url(self, source_id: str) -> str | None:
        """What a spider asks for a listing, or None where listings are not asked one by one."""
        return None if self.listing_ask is None else self.listing_ask.format(id=source_id)

    def source_id(self, url: str) -> str | None:
        """The source_id in a URL of this source (any host), or None where it holds none."""
        found = re.search(self.id_pattern, unquote(urlsplit(url).path).rstrip("/"))
        return found["id"] if found else None

    def owns_host(self, hostname: str) -> bool:
        """Whether a host name is this source's: one of its hosts, or below its domains."""
        hostname = hostname.casefold()
        hosts = {urlsplit(host.url).hostname for host in self.hosts}
        return hostname in hosts or any(
            hostname == domain or hostname.endswith("." + domain) for domain in self.domains
        )

    @property
    def on_by_default(self) -> bool:
        """Only sources whose terms allow programs are asked unless the operator names others."""
        return self.terms.permission is Permission.ALLOWED


_IMDB_RATING = ScoreKind("imdb_rating", "IMDb rating", "IMDb", 10, "audience", 1)
_METASCORE = ScoreKind("metascore", "Metascore", "Meta", 100, "critics")
_METACRITIC_USERS = ScoreKind(
    "metacritic_user_score", "Metacritic user score", "Meta users", 10, "audience", 1
)
_TOMATOMETER = ScoreKind("tomatometer", "Tomatometer", "Tomato", 100, "critics", unit=" %")
_POPCORNMETER = ScoreKind("popcornmeter", "Popcornmeter", "Popcorn", 100, "audience", unit=" %")
_TMDB_SCORE = ScoreKind("tmdb_score", "TMDB score", "TMDB", 10, "audience", 1)

SOURCES: tuple[Source, ...] = (
    Source(
        key="imdb",
        name="IMDb",
        terms=Terms(
            Permission.ALLOWED,
            "The non-commercial datasets may be used personally and non-commercially, with the"
            " attribution line. The conditions of use forbid scraping the title pages: those are"
            " asked only where the operator has permission and sets pages = true.",
            "https://developer.imdb.com/non-commercial-datasets/",
            "2026-11-22",
        ),
        hosts=(
            Host("imdb_pages", "https://www.imdb.com"),
            Host("imdb_datasets", "https://datasets.imdbws.com"),
        ),
        listing_page="https://www.imdb.com/title/{id}/",
        listing_ask="https://www.imdb.com/title/{id}/",
        id_pattern=rf"/title/(?P<id>{IMDB_ID})(?:/|$)",
        score_kinds=(_IMDB_RATING,),
        finds=Finds.DATASET,
        delay_seconds=5.0,
        max_megabytes=1_000,
        wikidata_property="P345",
        domains=(
            "imdb.com",
            "imdbws.com",
            "sg.media-imdb.com",  # its search box; other names below media-imdb.com have images
            "p.media-imdb.com",
            *(f"imdb.{country}" for country in ("de", "es", "fr", "it", "pt")),  # formerly
        ),
        attribution="Information courtesy of IMDb (https://www.imdb.com). Used with permission.",
        opt_in={
            "akas": "other titles of films too, by country (450 MB more a night)",
            "crew": "directors and writers too (400 MB more a night)",
            "pages": "ask title pages too (IMDb's conditions forbid it without permission)",
        },
    ),
    Source(
        key="wikidata",
        name="Wikidata",
        terms=Terms(
            Permission.ALLOWED,
            "The data is CC0. Its query service asks for an honest User-Agent with a contact, one"
            " query at a time, and a pause when it answers 429.",
            "https://www.mediawiki.org/wiki/Wikidata_Query_Service/User_Manual",
            "2026-11-22",
        ),
        hosts=(
            Host("wikidata_sparql", "https://query.wikidata.org"),
            Host("wikidata_api", "https://www.wikidata.org"),
        ),
        listing_page="https://www.wikidata.org/wiki/{id}",
        listing_ask=None,
        id_pattern=r"/(?:wiki|entity)/(?P<id>Q[1-9][0-9]{0,9})$",
        finds=Finds.CROSSWALK,
        delay_seconds=2.0,
        max_megabytes=200,
        domains=("wikidata.org",),
        attribution="Identifiers from Wikidata (https://www.wikidata.org), CC0.",
    ),
    Source(
        key="tmdb",
        name="TMDB",
        terms=Terms(
            Permission.ALLOWED,
            "The API is free for non-commercial use with a key and the attribution line; what it"
            " gives may be kept for six months at most.",
            "https://www.themoviedb.org/api-terms-of-use",
            "2026-11-22",
        ),
        hosts=(
            Host("tmdb_api", "https://api.themoviedb.org"),
            Host("tmdb_exports", "https://files.tmdb.org"),
        ),
        listing_page="https://www.themoviedb.org/movie/{id}",
        listing_ask="https://api.themoviedb.org/3/movie/{id}?append_to_response="
        "external_ids,keywords,release_dates,credits,alternative_titles",
        id_pattern=r"/movie/(?P<id>[1-9][0-9]{0,9})(?:-[^/]*)?(?:/|$)",
        score_kinds=(_TMDB_SCORE,),
        says_credits=True,
        never_no=True,  # its keywords name scenes, and few films have any
        finds=Finds.FINDER,
        feed_days=14,  # https://developer.themoviedb.org/docs/tracking-content-changes
        export_hour=8,  # https://developer.themoviedb.org/docs/daily-id-exports
        key_variable="TMDB_API_TOKEN",
        keep_days=180,
        delay_seconds=0.05,
        least_delay_seconds=1 / 40,  # https://developer.themoviedb.org/docs/rate-limiting
        max_megabytes=100,
        wikidata_property="P4947",
        domains=("themoviedb.org", "tmdb.org"),
        attribution="This product uses the TMDB API but is not endorsed or certified by TMDB.",
    ),
    Source(
        key="rottentomatoes",
        name="Rotten Tomatoes",
        terms=Terms(
            Permission.FORBIDS_AUTOMATION,
            "The terms of use forbid gathering content with robots, spiders or scrapers without"
            " written permission.",
            "https://www.fandango.com/policies/terms-of-use",
            "2026-11-22",
        ),
        hosts=(Host("rottentomatoes", "https://www.rottentomatoes.com"),),
        listing_page="https://www.rottentomatoes.com/{id}",
        listing_ask="https://www.rottentomatoes.com/{id}",
        id_pattern=r"^/(?P<id>m/[^/]+)(?:/|$)",
        score_kinds=(_TOMATOMETER, _POPCORNMETER),
        wikidata_property="P1258",
        domains=("rottentomatoes.com", "79frdp12pn-dsn.algolia.net"),  # the second has its index
    ),
    Source(
        key="metacritic",
        name="Metacritic",
        terms=Terms(
            Permission.FORBIDS_AUTOMATION,
            "The terms of use forbid data mining, robots and similar means of gathering content"
            " without written permission.",
            "https://www.fandom.com/terms-of-use",
            "2026-11-22",
        ),
        hosts=(
            Host("metacritic", "https://www.metacritic.com"),
            Host("metacritic_backend", "https://backend.metacritic.com"),
        ),
        listing_page="https://www.metacritic.com/{id}/",
        listing_ask="https://www.metacritic.com/{id}/",
        id_pattern=r"^/(?P<id>movie/[^/]+)(?:/|$)",
        score_kinds=(_METASCORE, _METACRITIC_USERS),
        wikidata_property="P1712",
        domains=(
            "metacritic.com",
            "internal-prod.apigee.fandom.net",  # its backend until 2024
            "fandom-prod.apigee.net",
        ),
    ),
    Source(
        key="whatsafterthemovie",
        name="What's After the Movie",
        terms=Terms(
            Permission.UNCLEAR,
            "No terms that speak of programs were found; all rights reserved. Verdict and link"
            " are kept, the authors' text is not.",
            "https://www.whatsafterthemovie.com",
            "2026-11-22",
        ),
        hosts=(Host("whatsafterthemovie", "https://www.whatsafterthemovie.com"),),
        listing_page="https://www.whatsafterthemovie.com/{id}",
        listing_ask="https://www.whatsafterthemovie.com/{id}",
        id_pattern=r"^/(?P<id>movies?/[^/]+)$",
        says_credits=True,
        finds=Finds.LISTS,
        domains=("whatsafterthemovie.com",),
    ),
    Source(
        key="aftercredits",
        name="AfterCredits.com",
        terms=Terms(
            Permission.UNCLEAR,
            "A public WordPress API and no terms that speak of programs. Verdict and link are"
            " kept, the descriptions of scenes are not.",
            "https://aftercredits.com",
            "2026-11-22",
        ),
        hosts=(Host("aftercredits", "https://aftercredits.com"),),
        listing_page="https://aftercredits.com/{id}/",
        listing_ask=None,
        id_pattern=r"^/(?P<id>[0-9]{4}/[0-9]{2}/[^/]+)$",
        says_credits=True,
        finds=Finds.LISTS,
        domains=("aftercredits.com",),
    ),
    Source(
        key="mediastinger",
        name="MediaStinger",
        terms=Terms(
            Permission.UNCLEAR,
            "No terms that speak of programs were found; robots.txt asks for ten seconds between"
            " requests. Verdict and link are kept, the descriptions of scenes are not.",
            "http://www.mediastinger.com",
            "2026-11-22",
        ),
        hosts=(Host("mediastinger", "https://mediastinger.com"),),
        listing_page="https://mediastinger.com/{id}/",
        listing_ask=None,
        id_pattern=r"^/(?P<id>[^/]+-credits)$",
        says_credits=True,
        finds=Finds.LISTS,
        delay_seconds=10.0,
        domains=("mediastinger.com",),
    ),
)


def by_key(key: str) -> Source:
    """The source of that key. Raises KeyError with the known keys where there is none."""
    for source in SOURCES:
        if source.key == key:
            return source
    known = ", ".join(source.key for source in SOURCES)
    raise KeyError(f"unknown source {key!r}; the sources are {known}")


def score_kind(key: str) -> ScoreKind:
    """The score kind of that key. Raises KeyError where the register declares none."""
    return _SCORE_KINDS[key]


def score_kinds() -> tuple[ScoreKind, ...]:
    """Every score kind, in the order of the register."""
    return tuple(_SCORE_KINDS.values())


def source_of_kind(key: str) -> Source:
    """The source whose own figure a score kind is."""
    return next(s for s in SOURCES if any(k.key == key for k in s.score_kinds))


def source_of_url(url: str) -> Source | None:
    """The source that owns the host of a URL, or None."""
    try:
        hostname = urlsplit(url).hostname
    except ValueError:  # no URL at all, such as one with a bracket
        return None
    return next((s for s in SOURCES if hostname and s.owns_host(hostname)), None)


_SCORE_KINDS = {kind.key: kind for source in SOURCES for kind in source.score_kinds}

"""IMDb: the non-commercial datasets; title pages only where the operator has permission."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

import numpy as np
import scrapy
from scrapy.http import Response

from spiders.base import SourceSpider
from spiders.items import Answer, Outcome
from spiders.large_answers import file_of, to_file
from spiders.pages import imdb_blocks
from spiders.pages.imdb_akas import read_akas
from spiders.pages.imdb_blocks import DatasetFault, numbers_of
from spiders.pages.imdb_crew import read_crew
from spiders.pages.imdb_datasets import Part, read_datasets
from spiders.plan import Target
from spiders.sources import FILM_KINDS

_HOST = "https://datasets.imdbws.com/"
RATINGS, BASICS = _HOST + imdb_blocks.RATINGS, _HOST + imdb_blocks.BASICS
AKAS = _HOST + imdb_blocks.AKAS
CREW, NAMES = _HOST + imdb_blocks.CREW, _HOST + imdb_blocks.NAMES
_WITH = {RATINGS: BASICS, CREW: NAMES}
"""What is asked once another has come, and read with it."""

FILMS_AN_ANSWER = 5_000
"""Enough that what a message costs by itself does not count, and half a megabyte."""

TITLES_AN_ANSWER = 20_000
"""The same of other titles: a film has thirty, or one."""

_IN_MEMORY = 8 << 20
"""Bytes that are selected of a dataset; what is more goes to a file."""


class _Asked(NamedTuple):
    """A dataset that came: what it was asked as, when, and its headers and body."""

    target: Target
    at: float
    response: Response


class ImdbSpider(SourceSpider):
    """Asks for datasets, and yields what they say of the universe's films only when they were read
    to their end: the ratings with the basics; then, where wanted, the other titles, and the crews
    with the names. A fault of one leaves what the others say.

    Validators are those of the first of each, which change with every release. They hold for one
    selection only: another universe or a newly tracked film reads the datasets again.
    """

    name = "imdb"

    def find_targets(self) -> Iterable[Target]:
        """The ratings; what goes with them is asked once they have come."""
        plan = self.plan
        self._films = [numbers_of(plan.wanted_imdb_ids)]
        if plan.universe or plan.wanted_imdb_ids:
            selection = plan.model_dump_json(include={"universe", "wanted_imdb_ids"})
            yield self._selected("dataset", RATINGS, selection.encode())

    def ask(self, target: Target) -> scrapy.Request:
        """Datasets go to files."""
        request = super().ask(target)
        return to_file(request, self.plan.scratch) if target.kind in _READ else request

    def answered(self, response: Response, target: Target, asked: float) -> Iterator[Answer]:
        """A dataset waits for what it is read with."""
        if target.kind not in _READ:
            yield from super().answered(response, target, asked)
            return
        url = target.url.partition("#")[0]
        if response.status != 200:
            yield from super().answered(response, target, asked)
            came_whole = response.status == 304
        elif url in _WITH:
            self._first = _Asked(target, asked, response)
            self.waiting.appendleft(Target(kind=target.kind, url=_WITH[url]))
            return
        elif url == AKAS:
            came_whole = yield from self._read(_Asked(target, asked, response), response)
        else:
            came_whole = yield from self._read(self._first, response)
        if target.kind == "dataset" and came_whole:
            self.waiting.extend(self._more())

    def _more(self) -> Iterator[Target]:
        """The datasets of which only the lines of the films that are kept are of use: those that
        are known, and those that the others have just told."""
        self._kept_films = np.unique(np.concatenate(self._films))
        self._films = []
        selection = self._kept_films.tobytes()
        if "akas" in self.plan.opted_in:
            yield self._selected("akas", AKAS, selection)
        if "crew" in self.plan.opted_in:
            yield self._selected("crew", CREW, selection)

    def _selected(self, kind: Any, url: str, selection: bytes) -> Target:
        """A dataset of which a selection is kept, which its validators hold for."""
        url = f"{url}#{hashlib.sha256(selection).hexdigest()[:12]}"
        etag, last_modified = self.plan.validators.get(url, (None, None))
        return Target(kind=kind, url=url, etag=etag, last_modified=last_modified)

    def _read(self, first: _Asked, last: Response) -> Generator[Answer, None, bool]:
        """Hand over what a dataset says with what it was read with; returns whether all was in
        shape."""
        headers = first.response
        common = {**self.about(first.target), "http_status": 200}
        with (
            file_of(headers) as one,
            file_of(last) as other,
            SpooledTemporaryFile(_IN_MEMORY, dir=self.plan.scratch) as kept,
        ):
            try:
                in_all, parts = _READ[first.target.kind](self, one, other, kept)
            except DatasetFault as fault:
                yield Answer(**common, outcome=Outcome.UNREADABLE, detail=str(fault))
                return False
            for part, is_last in _with_last(parts):
                yield Answer(
                    **common,
                    **part,
                    outcome=Outcome.OK,
                    complete=is_last,
                    etag=_header(headers, "ETag") if is_last else None,
                    last_modified=_header(headers, "Last-Modified") if is_last else None,
                    records_in_all=in_all,
                    seconds=round(time.monotonic() - first.at, 3),
                )
        return True

    def _titles(self, ratings: IO[bytes], basics: IO[bytes], _: IO[bytes]) -> _Selected:
        plan = self.plan
        selected = read_datasets(basics, ratings, plan.universe, plan.wanted_imdb_ids)
        return selected.in_all, self._noted(selected.parts(FILMS_AN_ANSWER))

    def _noted(self, parts: Iterable[Part]) -> Iterator[dict[str, Any]]:
        """Parts of titles; which of them are films is remembered for those who want to know."""
        for titles, others in parts:
            if {"akas", "crew"} & {*self.plan.opted_in}:
                pairs = zip(titles.source_ids, titles.kinds, strict=True)
                films = [tconst for tconst, kind in pairs if kind in FILM_KINDS]
                self._films.append(numbers_of(films))
            yield {"titles": titles, "records": others}

    def _akas(self, akas: IO[bytes], _: IO[bytes], kept: IO[bytes]) -> _Selected:
        selected = read_akas(akas, self._kept_films, kept)
        parts = selected.parts(TITLES_AN_ANSWER)
        return selected.in_all, ({"other_titles": part} for part in parts)

    def _crew(self, crew: IO[bytes], names: IO[bytes], kept: IO[bytes]) -> _Selected:
        selected = read_crew(crew, names, self._kept_films, kept)
        return selected.in_all, ({"crew": part} for part in selected.parts(FILMS_AN_ANSWER))


_Selected = tuple[int, Iterator[dict[str, Any]]]
"""How many films are handed over in all, and the fields of `Answer` that have them, by parts."""

_READ: dict[str, Callable[[ImdbSpider, IO[bytes], IO[bytes], IO[bytes]], _Selected]] = {
    "dataset": ImdbSpider._titles,
    "akas": ImdbSpider._akas,
    "crew": ImdbSpider._crew,
}


def _with_last(parts: Iterator[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Each part, and whether it is the last; there is one at least."""
    part = next(parts)
    for following in parts:
        yield part, False
        part = following
    yield part, True


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None

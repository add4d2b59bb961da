"""Other readers of film pages, in our words. Run by the Python of a peer's own environment.

`python peer_readers.py PEER` takes a JSON object a line, with `file` (a saved page) and `url`, and
answers each with a line: `said` (title, year, imdb_id, and by kind of score its value and votes, as
far as the peer tells them), `milliseconds` of processor time (the best of several readings) and
`fault`, where the peer raised something. It needs nothing of afterscore, and no network.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

SPENT = 0.05
"""Seconds spent on each page, as on our own reading of it."""

Said = dict[str, Any]

# What a page's one `aggregateRating` is, by the site that states it, and its scale there.
_RATING_OF = {
    "www.imdb.com": "imdb_rating",
    "www.metacritic.com": "metascore",
    "www.rottentomatoes.com": "tomatometer",
}


def extruct_reader(*syntaxes: str) -> Callable[[bytes, str], Said]:
    """Embedded data in generic vocabularies, mapped by their obvious rules."""
    import extruct

    def reader(body: bytes, url: str) -> Said:
        found = extruct.extract(
            body, base_url=url, syntaxes=list(syntaxes), uniform=True, errors="ignore"
        )
        for item in (item for syntax in syntaxes for item in _items(found.get(syntax))):
            if _types(item) & {"Movie", "TVMovie", "TVSeries", "TVEpisode", "VideoGame"}:
                return _from_schema(item, url)
        return {}

    return reader


def _items(told: Any) -> Iterator[dict[str, Any]]:
    """The items of a document, those in a graph or a list of their own included."""
    if isinstance(told, list):
        for one in told:
            yield from _items(one)
    elif isinstance(told, dict):
        yield told
        yield from _items(told.get("@graph"))


def _types(item: dict[str, Any]) -> set[str]:
    told = item.get("@type")
    return {str(one) for one in told} if isinstance(told, list) else {str(told)}


def _from_schema(item: dict[str, Any], url: str) -> Said:
    rating = item.get("aggregateRating")
    rating = rating[0] if isinstance(rating, list) and rating else rating
    score = {}
    if isinstance(rating, dict):
        score = {
            "value": _number(rating.get("ratingValue")),
            "votes": _number(rating.get("ratingCount") or rating.get("reviewCount")),
        }
    about = re.search(r"tt\d{7,}", f"{item.get('url')} {url}")
    return {
        "title": item.get("name"),
        "year": _year(item.get("datePublished") or item.get("dateCreated")),
        "imdb_id": about[0] if about else None,
        "scores": {_RATING_OF[urlsplit(url).hostname or ""]: score},
    }


def imdbinfo_reader() -> Callable[[bytes, str], Said]:
    """imdbinfo's `get_movie`, whose fetching function is patched to hand it the saved bytes."""
    from imdbinfo import services

    def reader(body: bytes, url: str) -> Said:
        saved = SimpleNamespace(status_code=200, content=body, text="")
        services.request_handler = lambda url: saved
        about = re.search(r"tt\d{7,}", url)
        assert about
        movie = services.get_movie.__wrapped__(about[0])  # the function below its cache
        if movie is None:
            return {}
        return {
            "title": movie.title,
            "original_title": movie.title_localized,
            "year": movie.year,
            "imdb_id": movie.imdbId,
            "scores": {
                "imdb_rating": {"value": movie.rating, "votes": movie.votes},
            },
        }

    return reader


def rottentomatoes_reader() -> Callable[[bytes, str], Said]:
    """rottentomatoes-python's functions, which take the page's text in place of fetching it. One
    that raises has said nothing."""
    from rottentomatoes import standalone

    def reader(body: bytes, url: str) -> Said:
        content = body.decode("utf-8", "replace")

        def asked(function: Callable[..., Any]) -> Any:
            try:
                return function("", content=content)
            except Exception:  # noqa: BLE001 - whatever a peer raises on a page that it does not know
                return None

        return {
            "title": asked(standalone.movie_title),
            "year": asked(standalone.year_released),
            "scores": {
                "tomatometer": {
                    "value": asked(standalone.tomatometer),
                    "votes": asked(standalone.num_of_reviews),
                },
                "popcornmeter": {"value": asked(standalone.audience_score)},
            },
        }

    return reader


READERS: dict[str, Callable[[], Callable[[bytes, str], Said]]] = {
    "extruct": lambda: extruct_reader("json-ld"),
    "extruct, microdata too": lambda: extruct_reader("json-ld", "microdata"),
    "imdbinfo": imdbinfo_reader,
    "rottentomatoes-python": rottentomatoes_reader,
}


def _number(told: Any) -> float | None:
    try:
        return float(str(told).replace(",", ""))
    except ValueError:
        return None


def _year(told: Any) -> str | None:
    found = re.search(r"\b\d{4}\b", str(told))
    return found[0] if found else None


def main(peer: str) -> None:
    """Answer each line."""
    reader = READERS[peer]()
    for line in sys.stdin:
        page = json.loads(line)
        body = Path(page["file"]).read_bytes()
        best, said, fault = float("inf"), {}, None
        until = time.process_time() + SPENT
        while best == float("inf") or time.process_time() < until:
            started = time.process_time()
            try:
                said = reader(body, page["url"])
            except Exception as raised:  # noqa: BLE001 - as above
                fault = f"{type(raised).__name__}: {raised}"
            best = min(best, time.process_time() - started)
        answer = {"said": said, "milliseconds": 1000 * best, "fault": fault}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

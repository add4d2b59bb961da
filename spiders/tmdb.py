"""TMDB: the API's film details, and its finder for films whose TMDB id nobody else gives."""

from __future__ import annotations

import os
from collections.abc import Iterable

from spiders.base import SourceSpider
from spiders.plan import Target


class TmdbSpider(SourceSpider):
    """Asks the API with the bearer token that stands in the environment."""

    name = "tmdb"

    def headers(self) -> dict[str, str]:
        """The token goes from the environment into the request and nowhere else."""
        token = os.environ.get(self.source.key_variable or "", "")
        return {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def find_targets(self) -> Iterable[Target]:
        """One `/find` for each film that has an IMDb id and no TMDB id."""
        for imdb_id in self.plan.wanted_imdb_ids:
            url = f"https://api.themoviedb.org/3/find/{imdb_id}?external_source=imdb_id"
            yield Target(kind="find", url=url)

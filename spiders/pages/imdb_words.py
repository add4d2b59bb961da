"""Words and addresses that IMDb's pages of titles and its lists share."""

from __future__ import annotations

import re

from spiders.sources import IMDB_ID

RATING = "imdb_rating"
TITLE_PATH = re.compile(rf"/title/({IMDB_ID})(?!\d)")
KIND_OF_LABEL = {
    "tv series": "tvSeries",
    "tv mini series": "tvMiniSeries",
    "tv episode": "tvEpisode",
    "tv pilot": "tvPilot",
    "tv movie": "tvMovie",
    "tv": "tvMovie",  # until 2011
    "tv short": "tvShort",
    "tv special": "tvSpecial",
    "short": "short",
    "video": "video",
    "v": "video",  # until 2010
    "music video": "musicVideo",
    "video game": "videoGame",
    "vg": "videoGame",  # until 2010
    "podcast series": "podcastSeries",
    "podcast episode": "podcastEpisode",
}
"""The kind by what stands in the brackets behind a title, in lower case."""

NONE_YET = re.compile(
    r"awaiting \d+ votes|awaiting enough ratings|needs \d+ ratings|voting begins after release",
    re.I,
)
USERS_RATED = re.compile(r"Users rated this (\d+(?:[.,]\d)?)/10 \((\d[\d.,]*) votes\)")
"""What lies over the stars of pages and lists until 2015."""

BASED_ON = re.compile(r"(\d+[.,]\d) based? on (\d[\d.,\s]*?)\s(?:user ratings|votes)\b")
"""What lies over the figure of pages until 2021, and of lists until 2023: `9.2 based on 2,345,678
user ratings`, or `2 345 678` by the visitor's language."""

YEAR = re.compile(r"(?:18|19|20)\d\d")
"""A year that a film may be of."""

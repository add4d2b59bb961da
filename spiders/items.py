"""What a spider may yield: one `Answer` for a response, holding the `Record`s read from it.

Scores keep the scale of their own kind (`scale_max`); votes are whole numbers of ratings or
reviews; runtimes are minutes; dates and times are ISO 8601, UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Outcome(StrEnum):
    """What became of one request."""

    OK = "ok"
    NOT_FOUND = "not_found"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate_limited"
    UNAUTHORISED = "unauthorised"
    NOT_A_FILM = "not_a_film"
    UNREADABLE = "unreadable"
    ERROR = "error"


class ScoreState(StrEnum):
    """Whether a source gives a figure; only `SCORED` carries a value."""

    SCORED = "scored"
    NOT_RATED = "not_rated"
    MISSING = "missing"


class Verdict(StrEnum):
    """Whether a scene waits at one place in the credits."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Score(_Item):
    """One figure of one score kind, in the scale that the page uses.

    `value` is set exactly where `state` is `scored`. It may lie out of scale: whether to
    believe it is for the guard to say, not for the reader.
    """

    state: ScoreState
    value: int | float | None = None
    scale_max: int | float
    votes: Annotated[int, Field(ge=0)] | None = None
    votes_at_least: bool = False
    basis: str | None = None
    relayed: bool = False

    @model_validator(mode="after")
    def _only_scored_has_a_value(self) -> Score:
        if (self.state is ScoreState.SCORED) != (self.value is not None):
            raise ValueError(f"a score that is {self.state} with value {self.value!r}")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"a score must be a finite number, not {self.value!r}")
        return self


class Credits(_Item):
    """What one listing says of scenes during and after the credits.

    `scene_count` is None where the page does not say; `worth_staying` is a net vote (it may be
    negative) out of `worth_staying_votes`.
    """

    during: Verdict = Verdict.UNKNOWN
    after: Verdict = Verdict.UNKNOWN
    scene_count: Annotated[int, Field(ge=0)] | None = None
    extras: tuple[str, ...] = ()
    worth_staying: int | None = None
    worth_staying_votes: Annotated[int, Field(ge=0)] | None = None


class Title(_Item):
    """An alternative title; `country` is ISO 3166-1, `language` ISO 639-1, where given."""

    title: str
    country: str | None = None
    language: str | None = None


class Person(_Item):
    """Somebody's part in a film; `position` is the billing order, from 0."""

    name: str
    role: str
    position: int | None = None


class Record(_Item):
    """What one page, or one row of a list or dataset, says of one film.

    A field that the page does not carry is None (or empty) and never overwrites one that
    stands. `identifiers` holds what the page states of the film's ids at other sources, by
    source key: `{"imdb": ("tt1074638",), "rottentomatoes": ("m/skyfall",)}`; it includes
    `imdb_id` and `tmdb_id` only where the page of another source states them.
    """

    source: str
    source_id: str | None = None
    url: str | None = None
    outcome: Outcome = Outcome.OK
    layout: str | None = None
    title: str | None = None
    original_title: str | None = None
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    kind: str | None = None
    runtime_minutes: int | None = None
    released_on: str | None = None
    original_language: str | None = None
    overview: str | None = None
    genres: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    alternative_titles: tuple[Title, ...] = ()
    identifiers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    offers: tuple[str, ...] = ()
    scores: dict[str, Score] = Field(default_factory=dict)
    credits: Credits | None = None
    detail: str | None = None

    def as_read(self) -> dict[str, Any]:
        """The keys that `afterscore read` prints, in their order."""
        verdict = None
        if self.credits is not None:
            verdict = self.credits.model_dump(mode="json", exclude={"worth_staying_votes"})
        score_keys = {"state", "value", "scale_max", "votes", "votes_at_least"}
        return {
            "source": self.source,
            "source_id": self.source_id,
            "url": self.url,
            "outcome": self.outcome.value,
            "layout": self.layout,
            "title": self.title,
            "original_title": self.original_title,
            "year": self.year,
            "imdb_id": self.imdb_id,
            "tmdb_id": self.tmdb_id,
            "scores": {
                kind: score.model_dump(mode="json", include=score_keys)
                for kind, score in self.scores.items()
            },
            "credits": verdict,
        }


class _Columns(_Item):
    """What is said of many things in columns, all equally long: those fields that are tuples.
    Millions of records would cost ten times as much to hand over."""

    @property
    def columns(self) -> tuple[tuple[Any, ...], ...]:
        """All columns, in the order in which they are declared."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value for value in values if isinstance(value, tuple))

    @model_validator(mode="after")
    def _all_as_long(self) -> Self:
        if len({len(column) for column in self.columns}) > 1:
            raise ValueError("the columns are not equally long")
        return self


class TitleRow(NamedTuple):
    """One title of `Titles`, whose columns stand in this order."""

    source_id: str
    kind: str | None
    title: str | None
    original_title: str | None
    year: int | None
    runtime_minutes: int | None
    genres: str | None
    value: float | None
    votes: int | None
    digest: int


class Titles(_Columns):
    """What a part of a dataset says of many titles.

    `values` (None: not rated) are figures of `score_kind` on a scale of `scale_max`, from so many
    `votes`; `genres` are comma-separated. `digests` tell whether a title is as it was: whole
    numbers of 64 bits with their sign, of all that the dataset says of it. Every title here is in
    the universe: `Answer.records` has those that are wanted besides.
    """

    source: str
    layout: str
    score_kind: str
    scale_max: int | float
    source_ids: tuple[str, ...]
    kinds: tuple[str | None, ...]
    titles: tuple[str | None, ...]
    original_titles: tuple[str | None, ...]
    years: tuple[int | None, ...]
    runtimes_minutes: tuple[int | None, ...]
    genres: tuple[str | None, ...]
    values: tuple[float | None, ...]
    votes: tuple[Annotated[int, Field(ge=0)] | None, ...]
    digests: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.source_ids)

    def rows(self) -> Iterator[TitleRow]:
        """Every title, as what it says."""
        return map(TitleRow._make, zip(*self.columns, strict=True))

    def row(self, place: int) -> TitleRow:
        """The title at a place, as what it says."""
        return TitleRow._make(column[place] for column in self.columns)

    def record(self, row: TitleRow) -> Record:
        """One of these titles, as a record."""
        state = ScoreState.NOT_RATED if row.value is None else ScoreState.SCORED
        score = Score(state=state, value=row.value, scale_max=self.scale_max, votes=row.votes)
        return Record(
            source=self.source,
            source_id=row.source_id,
            imdb_id=row.source_id if self.source == "imdb" else None,
            layout=self.layout,
            kind=row.kind,
            title=row.title,
            original_title=row.original_title,
            year=row.year,
            runtime_minutes=row.runtime_minutes,
            genres=tuple(row.genres.split(",")) if row.genres else (),
            scores={self.score_kind: score},
        )


class Ids(_Columns):
    """Some of the films that an export lists: the source's ids, and how popular each is there, by
    the source's own measure."""

    source_ids: tuple[str, ...]
    popularities: tuple[Annotated[float, Field(ge=0)], ...]

    def __len__(self) -> int:
        return len(self.source_ids)


class _Parts(_Columns):
    """What a dataset says of parts that each film has several of, a row for each part. All that it
    says of one film is in one of these, and takes the place of what it said."""

    source: str
    source_ids: tuple[str, ...]

    @cached_property
    def by_film(self) -> Mapping[str, Sequence[tuple[Any, ...]]]:
        """The rows of each film, by its source_id."""
        films: dict[str, list[tuple[Any, ...]]] = {}
        for source_id, *row in zip(*self.columns, strict=True):
            films.setdefault(source_id, []).append(tuple(row))
        return films

    def __len__(self) -> int:
        return len(self.by_film)


class OtherTitles(_Parts):
    """Alternative titles of many films, each as `Title` has it."""

    titles: tuple[str, ...]
    countries: tuple[str | None, ...]
    languages: tuple[str | None, ...]


class Crew(_Parts):
    """Who directed and wrote many films: of each name the part (`director`, `writer`), and the
    place in the order of that part, from 0."""

    names: tuple[str, ...]
    parts: tuple[str, ...]
    billings: tuple[int, ...]


class Answer(_Item):
    """One response and everything read from it; what is stored of it commits together.

    `asked_url` is the URL that was planned, `url` the one that answered (they differ after a
    redirect). `target` names what was asked for: `listing`, `list`, `dataset`, `akas`, `crew`,
    `crosswalk`, `whole_crosswalk`, `find`, `changes`, `export` or `archive`. `unchanged` is a 304.
    What is too large for one message comes in several answers, a dataset mostly as `titles`,
    `other_titles` or `crew`, an export (`exported_on` that day) as `ids`; `complete` is true on the
    last one only, and each says how many `records_in_all` there are. The pages of a feed of
    `changes` have the first of these, too; they name all that changed from `changed_since` until
    `changed_before` (UTC).
    """

    source: str
    target: str
    asked_url: str
    url: str
    asked_source_id: str | None = None
    asked_at: str
    outcome: Outcome
    http_status: int | None = None
    unchanged: bool = False
    complete: bool = True
    etag: str | None = None
    last_modified: str | None = None
    records: tuple[Record, ...] = ()
    titles: Titles | None = None
    other_titles: OtherTitles | None = None
    crew: Crew | None = None
    ids: Ids | None = None
    exported_on: str | None = None
    records_in_all: int | None = None
    changed_before: str | None = None
    changed_since: str | None = None
    seconds: float | None = None
    detail: str | None = None

    @property
    def is_part(self) -> bool:
        """Whether it is part of something that is too large for one message."""
        return self.records_in_all is not None

    @property
    def number_of_records(self) -> int:
        """How many films it speaks of."""
        parts = (self.records, self.titles, self.other_titles, self.crew, self.ids)
        return sum(len(part) for part in parts if part is not None)

    def every_record(self) -> Iterator[Record]:
        """What the answer says of films, a record each, whichever way it was handed over. The ids
        of an export say nothing but that there are such films; other titles and crews are stored
        as they are."""
        if self.titles:
            yield from map(self.titles.record, self.titles.rows())
        yield from self.records

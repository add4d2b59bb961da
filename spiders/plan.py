"""What a crawl is told: which source, which URLs with their validators, and the manners to keep."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from spiders.sources import KINDS

LONGEST_WAIT = 120.0
"""Seconds: a Retry-After beyond this ends the source's crawl rather than hold it up, and later runs
leave the source out until then."""

LONGEST_ABSENCE = 7 * 86_400.0
"""Seconds: who asks us to stay away for longer is asked again once a week, in case it is a slip."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Universe(_Told):
    """The films that we keep without being told: IMDb votes, release years (both ends in), kinds.

    `at_most` keeps the films with the most votes. Kinds are IMDb's `titleType` values.
    """

    votes_at_least: int = Field(25_000, ge=0)
    first_year: int | None = None
    last_year: int | None = None
    kinds: tuple[str, ...] = ("movie", "tvMovie")
    at_most: int | None = Field(None, ge=1)

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"IMDb has no kind {kind!r}; it has {', '.join(KINDS)}")
        return kinds

    @model_validator(mode="after")
    def _years_in_order(self) -> Self:
        if self.first_year and self.last_year and self.first_year > self.last_year:
            raise ValueError(f"no year is from {self.first_year} on and up to {self.last_year}")
        return self


class Limits(_Told):
    """What one crawl may take before it is ended, so that it never holds up the others.

    A crawl ends by itself after `crawl_hours`, or once it needs more than `megabytes`. One that has
    not ended after `silent_minutes` more, or gives no sign of life for as long, is killed: ten
    minutes are many times what reading all of IMDb's datasets takes, in which it says nothing. An
    answer must have come, to its last byte, within `answer_seconds`.
    """

    crawl_hours: float = Field(8.0, gt=0, le=366 * 24)
    silent_minutes: float = Field(10.0, gt=0, le=366 * 24 * 60)
    megabytes: int = Field(2_000, ge=100)
    answer_seconds: float = Field(60.0, gt=0, le=86_400)

    @property
    def out_of_time(self) -> str:
        """The reason that a crawl ends for once its hours are over."""
        return f"out_of_time: ended after its {self.crawl_hours:g} hours; the rest is due next time"


class Target(_Told):
    """One URL to ask. `source_id` is the listing it should show, where it is a listing's page.

    Validators are those of the last answer that was stored in full.
    """

    kind: Literal[
        "listing",
        "list",
        "dataset",
        "akas",
        "crew",
        "crosswalk",
        "whole_crosswalk",
        "find",
        "changes",
        "export",
    ]
    url: str
    source_id: str | None = None
    etag: str | None = None
    last_modified: str | None = None


class Plan(_Told):
    """The whole of what one crawl process is told, on its standard input as one JSON object.

    `validators` are the (ETag, Last-Modified) of datasets, by URL. Secrets are never in a plan:
    a spider takes its key from the environment. `first_wait_seconds` keeps the delay to the
    source's last crawl; `spent_seconds` of its hours went to an earlier stage of the run.
    `changed_on` are days, oldest first, whose changes the source's feed is asked for;
    `whole_crosswalk` asks for all films of the crosswalk at once, before those that it lacks;
    `exported_on` are days, newest first, the first of whose exports that is there is read for the
    films that are `popularity_at_least` as popular. `opted_in` names what of the source's `opt_in`
    is asked, too. Large answers wait to be read in the folder `scratch` (None: where the system has
    such files).
    """

    source: str
    stage: Literal["find", "read"]
    targets: tuple[Target, ...] = ()
    hosts: dict[str, str]
    user_agent: str
    delay_seconds: float
    backoff_seconds: float
    first_wait_seconds: float = 0.0
    limits: Limits = Limits()
    spent_seconds: float = 0.0
    universe: Universe | None = None
    wanted_imdb_ids: tuple[str, ...] = ()
    changed_on: tuple[str, ...] = ()
    whole_crosswalk: bool = False
    exported_on: tuple[str, ...] = ()
    popularity_at_least: float = 0.0
    opted_in: tuple[str, ...] = ()
    scratch: str | None = None
    validators: dict[str, tuple[str | None, str | None]] = Field(default_factory=dict)

    @property
    def seconds_left(self) -> float:
        """How long this crawl may take."""
        return max(0.0, 3_600 * self.limits.crawl_hours - self.spent_seconds)

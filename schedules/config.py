"""Settings: `afterscore.toml`, the environment over it, and secrets from the environment only."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from pipelines.partial import write_whole
from pipelines.problem import Problem
from schedules import __version__
from schedules.redaction import hide
from spiders.plan import Limits, Universe
from spiders.sources import SOURCES, Source

FILE = "afterscore.toml"
DAY = 86_400.0
"""Seconds: nobody waits longer between two requests of one night."""

CEILING_DAYS = 150.0
"""No listing goes longer without being asked, unless it fails or the budget is too small."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SourceSettings(BaseModel):
    """`[sources.KEY]`: whether a source is asked, and how much of it a night. What of it is not
    asked by default has the names that the register gives it (`Source.opt_in`)."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    enabled: bool | None = None
    delay_seconds: float | None = Field(None, ge=0, le=DAY)
    requests_a_night: int = Field(2_000, ge=1)

    @property
    def opted_in(self) -> tuple[str, ...]:
        """What of the source is asked beside what is asked by default."""
        return tuple(name for name, wanted in (self.model_extra or {}).items() if wanted)


class UniverseSettings(Universe):
    """`[universe]`: beside IMDb's films, those that TMDB's export says are so popular at least, by
    TMDB's own measure (0: all of them; None: the export is not read)."""

    tmdb_popularity_at_least: float | None = Field(None, ge=0)

    @property
    def of_imdb(self) -> Universe:
        """The part of it that IMDb's datasets are asked for."""
        return Universe(**self.model_dump(include=set(Universe.model_fields)))


class Config(BaseSettings):
    """Everything an operator may set. Unknown keys are refused.

    The environment goes over the file: `AFTERSCORE_CONTACT`, and `AFTERSCORE_<ROLE>_URL` for each
    host of the register.
    """

    model_config = SettingsConfigDict(env_prefix="AFTERSCORE_", extra="forbid", allow_inf_nan=False)

    contact: str = ""
    refresh_after_hours: float = Field(20.0, ge=0, le=100 * 366 * 24)
    universe: UniverseSettings | None = None
    rulings: Path | None = None
    nightly_at: str = "03:00"
    heartbeat_url: str = ""
    demo: bool = False
    log: str | None = None
    limits: Limits = Limits()
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    hosts: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file."""
        return named["env_settings"], TomlConfigSettingsSource(settings_cls, settings_path())

    @field_validator("contact")
    @classmethod
    def _reached(cls, text: str) -> str:
        if text and not is_contact(text):
            raise ValueError("a mail address such as you@example.org, or an http(s) URL, is wanted")
        return text

    @field_validator("nightly_at")
    @classmethod
    def _time_of_day(cls, text: str) -> str:
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
            raise ValueError(f"a time of day such as 03:00, UTC, not {text!r}")
        return text

    @field_validator("heartbeat_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not _is_web_address(url):
            raise ValueError("not an http(s) URL")  # which one stays unsaid: it is a secret
        return url

    @model_validator(mode="after")
    def _known_keys(self) -> Self:
        keys = [source.key for source in SOURCES]
        for key in self.sources:
            if key not in keys:
                raise ValueError(f"[sources.{key}]: no such source; they are {', '.join(keys)}")
        roles = {host.role: host for source in SOURCES for host in source.hosts}
        for role in self.hosts:
            if role not in roles:
                raise ValueError(f"hosts.{role}: no such host; they are {', '.join(roles)}")
        for role, host in roles.items():
            url = os.environ.get(host.variable, self.hosts.get(role, host.url)).rstrip("/")
            where = host.variable if host.variable in os.environ else f"hosts.{role}"
            # Which one stays unsaid: whoever takes a wrong one may have put a secret into it.
            if not _is_web_address(url):
                raise ValueError(f"{where}: not an http(s) URL")
            if "@" in urlsplit(url).netloc:
                raise ValueError(
                    f"{where}: no name and no password may stand before the host (NAME:PASSWORD@):"
                    " they would be stored with each page's URL"
                )
            self.hosts[role] = url
        for source in SOURCES:
            own = self.of(source).delay_seconds
            least = source.least_delay_seconds or source.delay_seconds
            spared = self.demo or self.is_local(source)
            if own is not None and own < least and not spared:
                raise ValueError(
                    f"sources.{source.key}.delay_seconds: at least {least:g} s, as the register has"
                    " it; only a replica on this machine may be asked faster"
                )
            for name, wanted in (self.of(source).model_extra or {}).items():
                place = f"sources.{source.key}.{name}"
                if name not in source.opt_in:
                    raise ValueError(f"{place}: no such setting of {source.name}")
                if not isinstance(wanted, bool):
                    raise ValueError(f"{place}: true or false, not {wanted!r}")
        return self

    def of(self, source: Source) -> SourceSettings:
        """The settings of one source."""
        return self.sources.get(source.key, SourceSettings())

    def is_local(self, source: Source) -> bool:
        """Whether every host of a source is stood in for by this machine, or by nobody: a name
        below `.invalid` leads nowhere (RFC 6761)."""
        names = [urlsplit(self.hosts[host.role]).hostname or "" for host in source.hosts]
        return all(name in LOOPBACK or name.endswith(".invalid") for name in names)

    def delay(self, source: Source) -> float:
        """Seconds between two requests to a source."""
        own = self.of(source).delay_seconds
        return source.delay_seconds if own is None else own

    def backoff(self, source: Source) -> float:
        """Seconds before the first retry; a replica on this machine need not be spared."""
        if self.is_local(source):
            return min(source.backoff_seconds, self.delay(source))
        return source.backoff_seconds

    def user_agent(self) -> str:
        """The honest User-Agent, with the operator's contact."""
        return f"afterscore/{__version__} (+{self.contact or 'replica on this machine'})"

    def skipped(self, source: Source) -> str | None:
        """Why a source is not asked, in one line that says what to do, or None where it is."""
        if self.demo and not self.is_local(source):
            return (
                "these are the settings of a demo, and its sites have ended with it. 'afterscore"
                " demo' runs it anew; to ask the real ones, 'afterscore init' in another folder"
            )
        enabled = self.of(source).enabled
        if enabled is False:
            return f"switched off in {FILE}"
        if enabled is None and not source.on_by_default:
            return (
                f"its terms {source.terms.permission.words}; read {source.terms.url}, then set"
                f" enabled = true under [sources.{source.key}] in {FILE}"
            )
        if self.lacks_key(source):
            return f"it needs a key: put it into the environment as {source.key_variable}"
        return None

    def lacks_key(self, source: Source) -> bool:
        """Whether a source is on, and only its key is missing."""
        enabled = self.of(source).enabled
        on = not self.demo and (source.on_by_default if enabled is None else enabled)
        return bool(on and source.key_variable and not os.environ.get(source.key_variable))

    def require_contact(self, asked: list[Source]) -> None:
        """Raises Problem where a source beyond this machine would be asked anonymously."""
        if not self.contact and any(not self.is_local(source) for source in asked):
            raise Problem(
                "no contact is set, and sites may want to reach whoever asks them. Put"
                f' contact = "you@example.org" (or a URL) into {FILE}, or set AFTERSCORE_CONTACT.'
            )


def load() -> Config:
    """The settings in force. Raises Problem where they cannot be used."""
    file = settings_path()
    if os.environ.get("AFTERSCORE_CONFIG") and not file.is_file():
        raise Problem(f"AFTERSCORE_CONFIG names no file: {file}")
    if file.is_dir():
        raise Problem(f"{file} is a folder, and no file of settings. Rename it.")
    try:
        settings = Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise Problem(f"{file} is not TOML: {fault}") from fault
    except OSError as fault:
        raise Problem(f"cannot read {file}: {fault.strerror}") from fault
    except SettingsError as fault:
        raise Problem(
            f"the environment: {fault}. A variable that stands for a whole table must hold JSON;"
            f" rather put the table into {FILE}."
        ) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        what = in_words(fault)
        if not what.startswith("AFTERSCORE_"):
            what = f"{_where(first['loc'])}: {what}"
        raise Problem(what) from fault
    hide(settings.heartbeat_url)
    return settings


def _where(keys: Sequence[str | int]) -> str:
    """Where a setting was told: in the environment, which goes over the file, or there."""
    told: Any = EnvSettingsSource(Config)()
    try:
        for key in keys:
            told = told[key]
    except (LookupError, TypeError):
        told = None
    file = settings_path()
    if told is not None and keys:
        place, keys = f"AFTERSCORE_{keys[0]}".upper(), keys[1:]
    else:
        place = str(file) if file.is_file() else "the environment"
    inner = ".".join(map(str, keys))
    return f"{place}: {inner}" if inner else place


_WANTED = {
    "int": "must be a whole number",
    "float": "must be a number",
    "bool": "must be true or false",
    "string": "must be a text in quotes",
    "path": "must be a text in quotes",
    "dict": "must be a table",
    "model": "must be a table",
    "extra": "no such setting",
}
"""What a value must be, by the first word of the fault that pydantic finds."""


def in_words(fault: ValidationError) -> str:
    """What is wrong with the first value that pydantic refuses; the value, which may be a secret,
    is not quoted."""
    first = fault.errors()[0]
    said = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return _WANTED.get(first["type"].partition("_")[0], said)


def settings_path() -> Path:
    """The settings file: the one that AFTERSCORE_CONFIG names, else afterscore.toml here."""
    return Path(os.environ.get("AFTERSCORE_CONFIG") or FILE)


def is_contact(text: str) -> bool:
    """Whether a text holds a mail address or that of a page, by which somebody can be reached."""
    return bool(re.fullmatch(r'[^\0-\x1f"\\]+', text) and re.search(r"\w[@.]\w", text))


def _is_web_address(url: str) -> bool:
    """Whether a text is an http(s) URL that names a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket without its other, a port that is no number
        return False


def rulings_path(database: Path) -> Path | None:
    """The file of rulings: the setting `rulings`, else rulings.csv beside the database, if there.

    Raises Problem where the setting names no file.
    """
    named = load().rulings
    if named is not None and not named.is_file():
        raise Problem(f"{_where(['rulings'])}: no file {named}")
    beside = database.with_name("rulings.csv")
    return named or (beside if beside.is_file() else None)


def database_path(given: Path | None) -> Path:
    """The database that a command works on: --db, else AFTERSCORE_DB, else ratings.db.

    Where that is a symbolic link, what it leads to: of one file there is one lock, one log and one
    rulings.csv, by whichever name it is called.
    """
    path = given or Path(os.environ.get("AFTERSCORE_DB") or "ratings.db")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def write(file: Path, text: str) -> None:
    """Write a settings file, whole or not at all. Raises Problem."""
    try:
        write_whole(file, text)
    except OSError as fault:
        raise Problem(
            f"cannot write {file.resolve()}: {fault.strerror}. Make room there, or choose a folder"
            " that you may write to."
        ) from fault


_TEMPLATE = """\
# Settings of afterscore. Secrets do not belong here: keys come from the environment.

# How a site can reach you: it goes into the User-Agent of every request. Without it
# nothing beyond this machine is asked.
contact = "{contact}"

# A listing that answered within this many hours is not asked again.
# refresh_after_hours = 20

# A CSV file of rulings on doubtful matches (listing_a, listing_b, same or different).
# Left out, rulings.csv beside the database is taken where it is there.
# rulings = "rulings.csv"

# When the night begins, UTC.
# nightly_at = "03:00"

# Asked when a refresh begins (/start), ends, or fails (/fail): its watcher notices a
# machine that is dead. Who is told what is wrong stands in the environment:
# AFTERSCORE_ALERT_URLS.
# heartbeat_url = "https://hc.example/your-check"

# Where commands that write keep a log, one JSON object a line. Left out: beside the
# database, ratings.db.log; "": nowhere.
# log = "/var/log/afterscore.log"

# One source's crawl ends after so many hours; what it did not ask is due next time.
# [limits]
# crawl_hours = 8

# The films that are kept without being told. Leave the table out to keep only the films
# that you track.
[universe]
votes_at_least = 25000      # IMDb votes
# first_year = 1990
# last_year = 2030
# kinds = ["movie", "tvMovie"]
# at_most = 1000            # those with the most votes
# tmdb_popularity_at_least = 10   # and so popular films of TMDB's daily export (0: all)

# Sources. Only those whose terms allow programs are on by default; read the terms of the
# others before you switch them on.
"""


def template(contact: str = "") -> str:
    """A commented afterscore.toml for a new operator."""
    lines = [_TEMPLATE.format(contact=contact).rstrip()]
    for source in SOURCES:
        lines += [
            "",
            f"# {source.name}: its terms {source.terms.permission.words}. {source.terms.url}",
        ]
        if source.key_variable:
            lines.append(f"# Needs {source.key_variable} in the environment.")
        lines.append(f"[sources.{source.key}]")
        lines.append("# enabled = " + ("false" if source.on_by_default else "true"))
        lines += [f"# {name} = true   # {what}" for name, what in source.opt_in.items()]
        lines.append("# requests_a_night = 2000")
    return "\n".join(lines) + "\n"

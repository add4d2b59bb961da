"""Secrets are never shown: what is printed, logged or stored of faults goes through here.

Secrets are the keys of sources, the URLs of alerts and the heartbeat's, and a user's password in
any URL. They come from the environment, which is looked at each time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TextIO
from urllib.parse import quote, unquote

from spiders.sources import SOURCES

HIDDEN = "***"

URL_VARIABLES = ("AFTERSCORE_ALERT_URLS", "AFTERSCORE_HEARTBEAT_URL")
"""Variables that hold URLs, parted by blanks, in which tokens are."""

SHORTEST = 6
"""Characters from which on a key is hidden wherever it occurs: less would hide common words, and
protects nothing."""

_PASSWORD = re.compile(r"(?<=://)[^/\s:@'\"]*:[^/\s@'\"]+(?=@)")
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{8,}|.{20,}")
"""A part of a URL that is rather a token than a word."""

_also: set[str] = set()


def hide(url: str) -> None:
    """Hide this URL too: one that stands in the settings file."""
    if url:
        _also.add(url)


def redacted(text: str) -> str:
    """The text with `***` in the place of every secret."""
    keys = tuple(os.environ.get(s.key_variable, "") for s in SOURCES if s.key_variable)
    urls = " ".join((*(os.environ.get(name, "") for name in URL_VARIABLES), *sorted(_also)))
    return _PASSWORD.sub(HIDDEN, _without(_secrets(keys, urls), text))


def without_url(text: str, url: str) -> str:
    """A text about a URL without any part of it, its host included."""
    return redacted(_without(_longest_first(part for part in _parts(url) if len(part) > 2), text))


class CannotPrint(OSError):
    """What a command prints cannot be written where it goes to: the disk is full, for one."""


class Redacting:
    """A text stream that hides secrets in what is written to it; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text without its secrets; as many characters as were given are done with."""
        with self._read():
            self._stream.write(redacted(text))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with self._read():
            self._stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several."""
        for line in lines:
            self.write(line)

    @contextmanager
    def _read(self) -> Iterator[None]:
        """Where the reader (head, less) has seen enough and is gone, the command ends, and all is
        well: rich and Click, each for itself, would have it fail."""
        try:
            yield
        except BrokenPipeError:
            self._write_no_more()
            raise SystemExit(0) from None
        except OSError as fault:
            self._write_no_more()
            raise CannotPrint(fault.errno, fault.strerror) from fault

    def _write_no_more(self) -> None:
        """What is still to be written has nowhere to go, and Python writes it at its end."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


@lru_cache(maxsize=8)
def _secrets(keys: tuple[str, ...], urls: str) -> tuple[str, ...]:
    """All that is to be hidden, longest first, as it is and as a URL would have it."""
    found = {key for key in keys if len(key) >= SHORTEST}
    for url in urls.split():
        password = _password(url)
        found |= {url, url.rstrip("/")}
        found |= {part for part in _parts(url) if _TOKEN.fullmatch(part)}
        found |= {password} if len(password) >= SHORTEST else set()
    return _longest_first({*found, *(quote(one, safe="") for one in found)})


def _password(url: str) -> str:
    """The password in a URL, one that cannot be parsed too; empty where there is none."""
    place = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    return place.rpartition("@")[0].partition(":")[2]


def _parts(url: str) -> Iterator[str]:
    for part in re.split(r"[/:@?&=#,\s]+", url.partition("://")[2]):
        yield part
        yield unquote(part)


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts), key=len, reverse=True))

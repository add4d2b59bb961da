"""The rows of SPARQL results in JSON, one after another: all of Wikidata's crosswalk has a hundred
megabytes, and as a tree ten times that."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

_WINDOW = 1 << 20
"""Letters that are looked at together."""

_LONGEST_ROW = 1 << 16
_BEFORE_ROWS = re.compile(r'"bindings"\s*:\s*\[')
_AFTER_ROWS = re.compile(r"\]\s*\}\s*\}\s*")
_SPACE = re.compile(r"\s*")

Row = dict[str, str]


class CutAnswerError(ValueError):
    """An answer that breaks off, or holds a row that is no row: nothing of it may be kept."""


def rows(answer: BinaryIO) -> Iterator[Row]:
    """Each row, as the values of its variables, in the order of the answer.

    Raises CutAnswerError where the answer ends before its end, or holds anything that is no row. It
    may do so after it has given rows: nothing of an answer stands before its end is reached.
    """
    try:
        yield from _Answer(answer).rows()
    except UnicodeDecodeError as fault:
        raise CutAnswerError(f"the answer is not UTF-8: {fault.reason}") from fault


class _Answer:
    """An answer as far as it has been read: `text` from `at` on is yet to be looked at."""

    def __init__(self, answer: BinaryIO) -> None:
        self._read = io.TextIOWrapper(answer, "utf-8-sig").read
        self._text = ""
        self._at = 0
        self._decode = json.JSONDecoder(object_hook=_term_as_text).raw_decode

    def rows(self) -> Iterator[Row]:
        self._more()
        begun = _BEFORE_ROWS.search(self._text)
        if not begun or "item" not in _variables(self._text[: begun.end()]):
            raise CutAnswerError("the answer has no rows with a variable named item")
        self._at = begun.end()
        number = 0
        letter = self._next_letter()
        while letter != "]":
            number += 1
            if letter != "{":
                raise CutAnswerError(f"row {number} is no row")
            yield self._row(number)
            letter = self._next_letter()
            if letter == ",":
                self._at += 1
                letter = self._next_letter()
            elif letter != "]":
                raise CutAnswerError(f"the answer is cut after row {number}")
        rest = self._text[self._at :] + self._read(_WINDOW)
        if not _AFTER_ROWS.fullmatch(rest):
            raise CutAnswerError(f"the answer does not end after row {number}")

    def _row(self, number: int) -> Row:
        while True:
            try:
                row, self._at = self._decode(self._text, self._at)
            except (ValueError, RecursionError):
                if len(self._text) - self._at > _LONGEST_ROW or not self._more():
                    raise CutAnswerError(f"row {number} is cut or is no row") from None
            else:
                return {name: str(value) for name, value in row.items()}

    def _next_letter(self) -> str:
        """The letter at which what is not white space goes on; nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _more(self) -> bool:
        """Read on; whether there was anything more."""
        more = self._read(_WINDOW)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)


def _variables(head: str) -> list[str]:
    """The variables that the beginning of an answer names, up to its first row."""
    try:
        names = json.loads(head + "]}}")["head"]["vars"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return names if isinstance(names, list) else []


def _term_as_text(found: dict[str, Any]) -> Any:
    """A term such as `{"type": "literal", "value": "tt1074638"}` as its value alone."""
    return found["value"] if "value" in found and "type" in found else found

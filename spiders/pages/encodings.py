"""The encoding that a page is really in, which need not be the one that it states.

Readers look for things in the bytes, as UTF-8. Programs save pages in encodings of their own
(UTF-16 is one system's default) and leave what the page states of itself as it is. Some wrap them
besides: browsers in a web archive (MHTML, Safari's), or in the page in which they show JSON or
another page's source; scripts in what they print of bytes or as text in JSON, alone or somewhere in
an object beside what they know of it (HAR); and some keep them packed, as they came. What was asked
for by a script of another site is a call of a function with the answer in it (JSONP).
"""

from __future__ import annotations

import ast
import codecs
import email
import html
import json
import plistlib
import re
import zlib
from collections.abc import Iterator
from typing import Any

from w3lib.encoding import html_to_unicode

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UNMARKED_UTF_16 = re.compile(rb"(?:[\t\n\r ]\0)*+[<{[]\0|(?P<big>(?:\0[\t\n\r ])*+\0[<{[])")
_BEFORE = codecs.BOM_UTF8 + b" \t\r\n"
_GZIP = b"\x1f\x8b"
_PLIST = b"bplist00"
_AS_GZIP = 16 + zlib.MAX_WBITS
_MOST_UNPACKED = 32 * 1024 * 1024
_LETTER_IN_UTF_8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_UTF_8 = re.compile(r"\bcharset\s*=\s*[\"']?\s*utf-?8\b", re.I)
_ANOTHER = re.compile(rb"\bcharset\s*=\s*[\"']?\s*(?!utf-?8\b)[a-z]", re.I)

_IN_ARCHIVE = re.compile(rb"\bcontent-type:\s*multipart/related\b", re.I)
_SPACES = rb"(?:\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|[nrt])|\s)*+"  # and a mark of the encoding
_OBJECT_A_LINE = re.compile(rb"\{[^\n]*\}\r?\n\{")  # an export of ids, which stays packed
_AS_LITERAL = re.compile(
    rb"\s*(?:b(?P<quote>['\"])" + _SPACES + rb"<.*(?P=quote)|\"" + _SPACES + rb"<.*\")\s*",
    re.S | re.I,
)

_CALL = re.compile(
    rb"(?:/\*\*/)?\s*[a-z_$][\w$.%]{0,99}\(\s*(?P<answer>[\[{].*[}\]])\s*\)\s*;?\s*", re.S | re.I
)
_IN_OBJECT = re.compile(rb":\s{0,10}\"(?i:" + _SPACES + rb"<(?:!doctype|html|head|body)\b)")
_SHOWN_SOURCE = re.compile(rb"<td class=\"line-content\"|<body\b[^<>]*\bid=\"viewsource\"")
_SHOWN_JSON = re.compile(
    rb"\s*(?:<!doctype[^<>]*>\s*)?<html\b[^<>]*>\s*(?:<head\b(?:[^<]++|<(?!/head)){0,40}+</head>\s*)?"
    rb"<body\b[^<>]*>\s*<pre\b[^<>]*>(?P<answer>\s*[\[{][^<]*[}\]]\s*)</pre>",
    re.I,
)
_LINE = '<td class="line-content">'
_TAG = re.compile(r"<[^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+>")
_PAGE_TEXT = re.compile(r"\ufeff?\s*<(?:!doctype|html|head|body)\b", re.I)


def in_utf8(body: bytes, content_type: str | None = None) -> bytes:
    r"""The bytes of a page in UTF-8, with the mark that says so where the page says otherwise.

    >>> in_utf8("<p>Adieu mères".encode("utf-16")).decode("utf-8-sig")
    '<p>Adieu mères'
    >>> in_utf8("<p>Adieu mères".encode("windows-1252")).decode("utf-8-sig")
    '<p>Adieu mères'

    Bytes that are UTF-8 are taken for it whatever is stated, since other texts hardly ever are by
    chance. A few bytes that are none, among others that are, leave the page as it is, and so they
    do where the answer's own header says UTF-8: that is of these bytes, and not of those that the
    page had before somebody saved it.
    """
    if unmarked := _UNMARKED_UTF_16.match(body):
        text = body.decode("utf-16-be" if unmarked["big"] else "utf-16-le", "ignore")
        return codecs.BOM_UTF8 + text.encode("utf-8", "replace")
    if within := _within(body):
        body, content_type = within
    if body.isascii() or body.startswith(_GZIP):
        return body
    if body.startswith(_UTF_16):
        text = body.decode("utf-16", "ignore")
    elif _is_utf8(body):
        states_another = _ANOTHER.search(f"{content_type} ".encode() + body[:4096])
        return codecs.BOM_UTF8 + body if states_another else body
    elif _LETTER_IN_UTF_8.search(body) or _UTF_8.search(content_type or ""):
        return body
    else:
        stated, text = html_to_unicode(content_type, body, default_encoding="cp1252")
        if stated == "utf-8":
            text = body.decode("windows-1252", "replace")
    return codecs.BOM_UTF8 + text.encode("utf-8", "replace")


def beginning(body: bytes) -> bytes:
    """The first bytes of a page, without the mark of its encoding and blanks before them."""
    return body[:64].lstrip(_BEFORE)


def _within(body: bytes) -> tuple[bytes, str | None] | None:
    """The page that is wrapped in another format, with its own content type; None where none is."""
    if _IN_ARCHIVE.search(body, 0, 4096) and not body.lstrip().startswith(b"<"):
        for part in email.message_from_bytes(body).walk():
            if part.get_content_type() == "text/html":
                page = part.get_payload(decode=True)
                # With other bytes than ASCII in it, a header is no str.
                return (page, str(part["content-type"])) if isinstance(page, bytes) else None
    elif body.startswith(_PLIST):
        try:
            part = plistlib.loads(body)["WebMainResource"]
            page, encoding = part["WebResourceData"], part.get("WebResourceTextEncodingName")
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
            return None  # of no web page, or cut short
        stated = f"text/html; charset={encoding}" if encoding else None
        return (page, stated) if isinstance(page, bytes) else None
    elif body.startswith(_GZIP):
        begins = _unpacked(body[:4096])[0].lstrip(_BEFORE)
        if not begins.startswith((b"<", b"{", b"[")) or _OBJECT_A_LINE.match(begins):
            return None
        page, is_whole = _unpacked(body)
        return (page, None) if is_whole or begins.startswith(b"<") else None
    elif body.lstrip(_BEFORE).startswith(b"<"):
        if shown := _SHOWN_JSON.match(body.lstrip(_BEFORE)):
            return html.unescape(shown["answer"].decode("utf-8", "replace")).encode(), None
        shows_source = _SHOWN_SOURCE.search(body, 0, 16_384)
        return (_source_shown(body).encode(), None) if shows_source else None
    elif _AS_LITERAL.fullmatch(body):
        read = ast.literal_eval if body.lstrip().startswith(b"b") else json.loads
        try:
            page = read(body.decode("utf-8", "replace").strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
        if isinstance(page, str):
            page = page.encode("utf-8", "replace")
        return (page, None) if isinstance(page, bytes) else None  # two of them are a tuple
    elif call := _CALL.fullmatch(body.lstrip(_BEFORE)):
        return call["answer"], None
    elif beginning(body)[:1] == b"{" and _IN_OBJECT.search(body):
        try:
            pages = list(_pages_in(json.loads(body.decode("utf-8-sig", "replace"))))
        except (ValueError, RecursionError):
            return None
        return (pages[0].encode("utf-8", "replace"), None) if len(pages) == 1 else None
    return None


def _source_shown(body: bytes) -> str:
    """The page whose source a browser shows: as text in coloured lines, or all in one."""
    text = body.decode("utf-8", "replace")
    lines = [part.partition("</td>")[0] for part in text.split(_LINE)[1:]]
    shown = "\n".join(lines) or text[max(text.find("<pre"), 0) :].partition("</pre>")[0]
    return html.unescape(_TAG.sub("", shown))


def _pages_in(value: Any) -> Iterator[str]:
    """The pages in JSON at any depth: of several texts in one object, the first."""
    parts = value.values() if isinstance(value, dict) else value
    texts = (part for part in parts if isinstance(part, str) and _PAGE_TEXT.match(part))
    if isinstance(value, dict) and (text := next(texts, None)):
        yield text
    else:
        for part in parts:
            if isinstance(part, dict | list):
                yield from _pages_in(part)


def _unpacked(body: bytes) -> tuple[bytes, bool]:
    """What a gzip file holds, and whether that is all; nothing where it is none."""
    unpacking = zlib.decompressobj(_AS_GZIP)
    try:
        return unpacking.decompress(body, _MOST_UNPACKED), unpacking.eof
    except zlib.error:
        return b"", False


def _is_utf8(body: bytes) -> bool:
    """Whether it is UTF-8 to its end, where it may be cut within a letter."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return False
    return True

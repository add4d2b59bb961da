"""Markup as the sites write it, of a page that a program saved in its own way.

Browsers, their extensions and minifiers leave out the quotes of attributes or put other ones, and
some write the names of tags in capitals. What they translate they wrap in tags of their own, and
what scripts have put into an element to draw it they write down as its first child. Readers look
for `slot="title"` in the bytes: such a page would seem to lack what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spiders.pages.encodings import beginning

# Single quotes stand on some tags of many sites: only a page that has them from the start is meant.
_LOOSE = re.compile(
    rb"<[A-Za-z][\w-]*\s(?:[^<>]*\s)?(?:id|class|slot|rel|property|itemprop|lang|data-(?:testid|qa|json))=[\w#-]"
    rb"|<[a-z][^<>]*\s(?:slot|data-testid)='"
    rb"|<(?:html|head|body)\b[^>]*='|<(?:HTML|HEAD|BODY|DIV|SCRIPT)\b"
)
_LOOKED_AT = 16_384
"""Bytes of a page in which it shows whether a program wrote it: all of a page takes longer to look
through than to read."""

# Each consumes what it has looked at, so that no page takes longer than its length.
_TAG = re.compile(
    rb"<!--(?:[^-]++|-(?!->))*+(?:-->)?"
    rb"|<(?P<slash>/?)(?P<name>[A-Za-z][^\s/>\"'=<]*+)"
    rb"(?P<attributes>(?:[^=>]++|=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'>][^\s>]*+)?+)*+)(?P<end>>?)"
)
_ATTRIBUTE = re.compile(
    rb"(?P<name>[^\s\"'<>/=]++)(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'"
    rb"|(?P<bare>[^\s\"'>][^\s>]*+)))?"
)
# What is looked for in all of a page is a long text: that takes a fraction of a short one's time.
_TRANSLATED = b"vertical-align: inherit;"
_ROOT = b"<template shadow"
_FONT = re.compile(rb"</?font\b[^<>]*>", re.I)
_TEMPLATE = re.compile(rb"<(?P<slash>/?)template\b[^<>]*>", re.I)
_TOOLBAR = re.compile(
    rb"<!-- BEGIN WAYBACK TOOLBAR INSERT -->.*?(?:<!-- END WAYBACK TOOLBAR INSERT -->|\Z)", re.S
)
_NO_MARKUP = (b"{", b"[", b"\x1f", b"")  # JSON, gzip, nothing
_RAW_TEXT = {
    name: re.compile(rb"</" + name + rb"\b", re.I)
    for name in (b"script", b"style", b"title", b"textarea")
}


def as_sites_write(body: bytes) -> bytes:
    """The bytes with names of tags and attributes in lower case, and values in double quotes.

    >>> as_sites_write(b"<RT-TEXT slot=title>Up</RT-TEXT>")
    b'<rt-text slot="title">Up</rt-text>'

    What stands between tags, in scripts and in comments stays as it is, and so does a page whose
    quotes are all in place, and what is no markup at all. Left out are the tags around what a
    browser translated; shadow roots, which hold style sheets and no text of the page; an archive's
    toolbar, which has a heading of its own; and the comments of archives and caches at a page's
    end, where half a figure may stand before them.
    """
    is_markup = beginning(body)[:1] not in _NO_MARKUP
    if is_markup and _TRANSLATED in body:
        body = _FONT.sub(b"", body)
    if is_markup:
        body = _without_archive(body)
    if is_markup and _ROOT in body:
        body = b"".join(_without_shadows(body))
    is_loose = is_markup and _LOOSE.search(body, 0, _LOOKED_AT)
    return b"".join(_rewritten(body)) if is_loose else body


def _without_archive(body: bytes) -> bytes:
    if b"WAYBACK TOOLBAR INSERT" in body:
        body = _TOOLBAR.sub(b"", body)
    last = body.rfind(b">")
    if (begun := body.find(b"<", last)) != -1:  # a comment or tag that is cut off
        body = body[:begun]
    end = len(body)
    while (begun := _last_comment(body, end)) != -1:
        end = begun
    return body[:end]


def _last_comment(body: bytes, end: int) -> int:
    """Where the comment begins that ends at a place but for blanks, or -1 where none does."""
    behind = body[max(end - 64, 0) : end]
    end -= len(behind) - len(behind.rstrip())
    if not body.endswith(b"-->", 0, end):
        return -1
    begun = body.rfind(b"<!--", 0, end)
    return -1 if b"-->" in body[begun : end - 3] else begun  # that one ended before


def _without_shadows(body: bytes) -> Iterator[bytes]:
    at = 0
    while (opening := body.find(_ROOT, at)) != -1:
        yield body[at:opening]
        at, depth = len(body), 0  # where the page is cut within
        for tag in _TEMPLATE.finditer(body, opening):
            depth += -1 if tag["slash"] else 1
            if not depth:
                at = tag.end()
                break
    yield body[at:]


def _rewritten(body: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = 0
    while tag := _TAG.search(body, at):
        parts += (body[at : tag.start()], _tag(tag))
        at = tag.end()
        closing = _RAW_TEXT.get((tag["name"] or b"").lower()) if not tag["slash"] else None
        if closing:
            end = closing.search(body, at)
            stop = end.start() if end else len(body)
            parts.append(body[at:stop])
            at = stop
    return [*parts, body[at:]]


def _tag(tag: re.Match[bytes]) -> bytes:
    if not tag["name"] or not tag["end"]:
        return tag[0]  # a comment, or cut off
    attributes = _ATTRIBUTE.sub(_attribute, tag["attributes"])
    return b"<%b%b%b>" % (tag["slash"], tag["name"].lower(), attributes)


def _attribute(found: re.Match[bytes]) -> bytes:
    values = (found["double"], found["single"], found["bare"])
    value = next((value for value in values if value is not None), None)
    name = found["name"].lower()
    return name if value is None else b'%b="%b"' % (name, value.replace(b'"', b"&quot;"))

"""Pages of a web archive (WARC), as crawlers and browsers write it."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeadersParser

from schedules.archive import Saved
from spiders.pages.reading import MAX_BYTES
from spiders.sources import source_of_url


class _Brotli(brotli.Decompressor):  # type: ignore[misc]
    """Brotli's decompressor as warcio asks for one; of a page that is too large, the beginning."""

    unused_data = b""

    def decompress(self, data: bytes) -> bytes:
        return bytes(self.process(data, output_buffer_limit=MAX_BYTES + 1))


# warcio's own sets an attribute that the decompressor refuses.
BufferedReader.DECOMPRESSORS["br"] = _Brotli


class _Gzip(gzip.GzipFile):
    """A compressed file that gives all it has, and fails where it is cut short: an EOFError would
    be taken for the end of the records."""

    def read(self, size: int | None = -1) -> bytes:
        try:
            return self.read1(-1 if size is None else size)
        except EOFError as fault:
            raise gzip.BadGzipFile(str(fault)) from fault


def from_warc(path: Path) -> Iterator[Saved | tuple[dict[str, Any], str]]:
    """The pages of a web archive that are of a source in the register; others are passed over. A
    record that cannot be used comes as its URL and why; so does, at last, the end of a file that is
    no WARC, or is cut short."""
    try:
        with path.open("rb") as handle:
            is_packed = handle.peek(2)[:2] == b"\x1f\x8b"
            archive = _Gzip(fileobj=handle) if is_packed else handle
            # Where warcio reads the head of an answer, one without it ends the whole.
            for record in ArchiveIterator(archive, no_record_parse=True):
                found = _page(path.name, record)
                while record.raw_stream.read(MAX_BYTES):
                    pass  # to its end, which nothing else may need
                if record.length is None or record.raw_stream.tell() < record.length:
                    raise EOFError("it ends within a record")
                if found:
                    yield found
    except (OSError, EOFError, zlib.error, ArchiveLoadFailed) as fault:
        yield {}, f"{path} is not a whole WARC file: {fault}"


def _page(file: str, record: Any) -> Saved | tuple[dict[str, Any], str] | None:
    """The page that a record holds, or its URL and why it holds none; None where it is no answer of
    a source."""
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    source = source_of_url(url)
    if record.rec_type != "response" or source is None:
        return None
    try:
        record.http_headers = StatusAndHeadersParser([], verify=False).parse(record.raw_stream)
    except EOFError:
        return {"url": url}, f"{file}: {url}: the record is empty"
    status = record.http_headers.get_statuscode()
    if not re.fullmatch("[1-9][0-9]{2}", status):
        return {"url": url}, f"{file}: {url}: its status is {status!r}: one such as 200 is expected"
    return Saved(
        file,
        source.key,
        url,
        record.content_stream().read(MAX_BYTES + 1),
        int(status),
        dict(record.http_headers.headers),
        record.rec_headers.get_header("WARC-Date"),
    )

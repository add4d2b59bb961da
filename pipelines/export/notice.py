"""NOTICE: on whose terms the figures of an export are, and what each source asks to be said."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from spiders.sources import SOURCES, Source

_HEAD = """The program that wrote these files is under the Apache License 2.0. What is in them is
its sources', on their terms: keep this file with them, and show the lines that sources ask for
wherever you show the figures. None of the sources endorses this.
"""


def sources_of(db: Database) -> list[Source]:
    """The sources of which the database has any listing, in the order of the register."""
    listed = {row[0] for row in db.execute("SELECT DISTINCT source FROM listings")}
    return [source for source in SOURCES if source.key in listed]


def write_notice(folder: Path, sources: list[Source], at: str) -> None:
    """Write NOTICE for an export of that time."""
    parts = [f"Exported by afterscore, as of {at}.\n", _HEAD]
    for source in sources:
        lines = [f"{source.name} ({source.key})"]
        if source.attribution:
            lines.append(f"  {source.attribution}")
        lines.append(f"  Terms, as read on {source.terms.checked_on}: {source.terms.url}")
        lines.append(f"  {source.terms.summary}")
        if source.keep_days:
            lines.append(
                f"  May be kept for {source.keep_days} days: delete this export by then, or write"
                " it anew."
            )
        parts.append("".join(f"{line}\n" for line in lines))
    (folder / "NOTICE").write_text("\n".join(parts), "utf-8")

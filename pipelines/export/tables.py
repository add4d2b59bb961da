"""Export tables for analysts: a file for each, all of one moment, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlite_utils import Database

from pipelines.export.description import Written, write_description
from pipelines.export.notice import sources_of, write_notice
from pipelines.export.reading import Advance, one_moment
from pipelines.export.selection import Selected
from pipelines.export.writers import WRITERS


def export_tables(
    db: Database, chosen: Sequence[Selected], kind: str, folder: Path, at: str, advance: Advance
) -> list[Written]:
    """Write what is chosen into a folder, with its description and the sources' NOTICE.

    `kind` is a key of WRITERS; `at` is now. Raises CannotExport.
    """
    written = []
    with one_moment(db.conn):
        for selected in chosen:
            name = selected.table.name
            file = f"{name}.{kind}"
            rows = 0
            with WRITERS[kind](folder / file, selected) as write:
                for batch in selected.rows(db.conn):
                    write(batch)
                    rows += len(batch)
                    advance(name, rows)
            written.append(Written(file, selected, rows))
        sources = sources_of(db)
    write_description(folder, kind, written, sources, at)
    write_notice(folder, sources, at)
    return written

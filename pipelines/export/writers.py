"""How rows become a file: Parquet, CSV or JSON, batch by batch, NULL as what each has for it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.export.reading import Row
from pipelines.export.selection import Selected

Write: TypeAlias = Callable[[Sequence[Row]], None]

_ARROW = {"integer": pa.int64(), "number": pa.float64(), "string": pa.string()}


@contextmanager
def parquet(path: Path, selected: Selected) -> Iterator[Write]:
    """A row group for each batch; the table and each column bear their description as metadata."""
    fields = [
        pa.field(column.name, _ARROW[column.kind], metadata={"description": column.meaning})
        for column in selected.columns
    ]
    schema = pa.schema(fields, metadata={"description": f"A row is {selected.table.row}."})

    def write(rows: Sequence[Row]) -> None:
        arrays = [
            pa.array(values, field.type)
            for field, values in zip(fields, zip(*rows, strict=True), strict=True)
        ]
        file.write_batch(pa.record_batch(arrays, schema=schema))

    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        yield write


@contextmanager
def comma_separated(path: Path, selected: Selected) -> Iterator[Write]:
    """UTF-8, a line of names first; nothing stands for NULL. Values are as they are: a title that
    begins with `=` is a title."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in selected.columns])
        yield writer.writerows


@contextmanager
def json_array(path: Path, selected: Selected) -> Iterator[Write]:
    """One array with an object for each row, each on a line of its own."""
    names = [column.name for column in selected.columns]
    with path.open("w", encoding="utf-8") as file:
        before = "[\n"

        def write(rows: Sequence[Row]) -> None:
            nonlocal before
            for row in rows:
                values = dict(zip(names, row, strict=True))
                file.write(before + json.dumps(values, ensure_ascii=False, allow_nan=False))
                before = ",\n"

        yield write
        file.write("[]\n" if before == "[\n" else "\n]\n")


WRITERS: dict[str, Callable[[Path, Selected], AbstractContextManager[Write]]] = {
    "parquet": parquet,
    "csv": comma_separated,
    "json": json_array,
}
"""By format, which is the ending of the file's name too."""

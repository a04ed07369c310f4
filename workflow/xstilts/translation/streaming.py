"""Rows of files that are read and written one after another; a batch of each is in memory.

A file of synthetic rows has some of the English rows, in the order of these. So several are read
beside each other: each is asked, row by row, whether it has the row.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data.prepare import SCHEMAS
from xstilts.running.errors import UserError
from xstilts.running.files import atomic
from xstilts.translation.rows import Row

BATCH = 2000  # rows of a file that are in memory


def count(path: str | Path) -> int:
    """Return how many rows are in a file."""
    with pq.ParquetFile(path) as file:
        return file.metadata.num_rows


def read(path: str | Path) -> Iterator[Row]:
    """Yield the rows of a file, without what strata they are of."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            for row in batch.to_pylist():
                row.pop("strata", None)
                yield row


class Stream:
    """The rows of a file, of which only those are made objects that are asked for."""

    def __init__(self, path: str, whole: bool = True) -> None:
        """Open a file; of rows that are not `whole` only the ids are read."""
        self.path = path
        self._whole = whole
        self._next = self._batches()
        self._ids: list[str] = []
        self._at = 0
        self._batch: Any = None
        self._fill()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(BATCH, columns=None if self._whole else ["id"])

    def _fill(self) -> None:
        """Go to the next batch that has rows, if there is one."""
        self._ids, self._at = [], 0
        while not self._ids and (batch := next(self._next, None)) is not None:
            self._batch, self._ids = batch, batch.column("id").to_pylist()

    @property
    def head(self) -> str | None:
        """The id of the row that is read next; None after the last."""
        return self._ids[self._at] if self._at < len(self._ids) else None

    def step(self, name: str) -> bool:
        """Go past the next row if it is of this id, and say whether it is."""
        if self.head != name:
            return False
        self._at += 1
        if self._at == len(self._ids):
            self._fill()
        return True

    def take(self, name: str) -> Row | None:
        """Return the next row if it is of this id, and go past it."""
        if self.head != name:
            return None
        [row] = self._batch.slice(self._at, 1).to_pylist()
        self.step(name)
        return row


def check_read(streams: Iterable[Stream], beside: str) -> None:
    """Refuse files of which rows are left after all rows of another.

    Raises:
        UserError: a file has a row that is not of the other, or in another order.
    """
    for stream in streams:
        if stream.head is not None:
            raise UserError(
                f"{stream.path}: row `{stream.head}` is not where it is in {beside}; delete it, run"
                " again"
            )


def write(path: str | Path, rows: Iterable[Row], format: str, record: Mapping[str, Any]) -> int:
    """Write rows as `prepare.write` does, with `record` and `rows_kept` in the metadata; return how
    many these are. None leave no file."""
    schema, kept, held = SCHEMAS[format], 0, list[Row]()
    with atomic(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd", store_schema=False) as writer:

            def flush() -> None:
                writer.write_table(pa.Table.from_pylist(held, schema=schema))
                held.clear()

            for row in rows:
                held.append(row)
                kept += 1
                if len(held) == BATCH:
                    flush()
            if held:
                flush()
            said = json.dumps({**record, "rows_kept": kept}, ensure_ascii=False)
            writer.add_key_value_metadata({"xstilts": said})
        if not kept:
            raise UserError(f"{record['spec']['task']}: no row is left")
    return kept

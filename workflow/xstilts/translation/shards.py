"""A shard of prepared rows: those whose first text falls to it.

By the text and not by the row's number, so that rows that share a premise or a context are in one
shard, and no such text is translated in two.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from xstilts.translation.rows import Row

BATCH = 10_000  # rows that are looked at at once


def shard_of(text: str, count: int) -> int:
    """Return the number of the shard, of so many, that a text falls to."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % count


def key(row: Row) -> str:
    """Return the text by which a row falls to a shard: that which other rows may share. (Of a
    question the context, and not as it is translated, with the answer marked in it.)"""
    first = row.get("context") or row.get("text") or row.get("question")
    return first or " ".join(row.get("tokens") or row.get("choices") or ())


def read(path: str | Path, number: int, count: int) -> list[Row]:
    """Return the rows of a shard of a file, in its order; no other is held."""
    found = []
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            for row in batch.to_pylist():
                if count == 1 or shard_of(key(row), count) == number:
                    found.append(row)
    return found


def ids(path: str | Path) -> Iterator[str]:
    """Yield the ids of the rows of a file; not all are in memory."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=["id"]):
            yield from batch.column("id").to_pylist()

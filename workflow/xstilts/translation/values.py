"""A measure of synthetic rows that is a step of its own: `id`, `value`, with a record beside."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.running.files import atomic, sha256, write_json
from xstilts.translation import filtering

SCHEMA = pa.schema([("id", pa.string()), ("value", pa.float32())])


def write(
    out: str | Path,
    record: str | Path,
    blocks: Iterable[tuple[list[str], np.ndarray]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the values of rows, block by block, then the record; return what they are like.

    Args:
        out, record: paths.
        blocks: ids, and their values; NaN where there is none.
        about: {spec, pins}, and what else is recorded; read when all blocks are there.
    """
    start = time.monotonic()
    with atomic(out) as temporary:
        with pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
            for ids, values in blocks:
                column = pa.array(np.asarray(values, dtype=np.float32), from_pandas=True)
                writer.write_table(pa.table({"id": ids, "value": column}, schema=SCHEMA))
        found = pq.read_table(temporary, columns=["value"])["value"].to_numpy()
        values_of = filtering.summary(np.asarray(found, dtype=np.float32))
    made = {"sha256": sha256(out), "values": values_of, "seconds": time.monotonic() - start}
    write_json(record, {**about, **made})
    return values_of

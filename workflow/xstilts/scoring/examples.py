"""The value of each test example, from the predictions that stand beside a score file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.running.errors import UserError


def beside(score: str) -> Path:
    """Return the path of the predictions of a score file."""
    return Path(score).with_suffix(".parquet")


def column(path: Path, name: str) -> pa.ChunkedArray | None:
    """Return a column of a file of predictions, None without the file; UserError if damaged."""
    try:
        # A grid is thousands of small files: read at once and without threads, they take half as
        # long.
        held = pa.BufferReader(path.read_bytes())
        return pq.ParquetFile(held).read(columns=[name], use_threads=False)[name]
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, KeyError) as error:
        line = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a file of predictions ({line}); delete it and the score beside it,"
            " run again"
        ) from None


def values(score: str, n: int) -> np.ndarray | None:
    """Return the value of each example of a score file: array (n,), float32.

    None without predictions; UserError if they are damaged or not of `n` examples.
    """
    found = column(beside(score), "value")
    if found is None:
        return None
    try:
        array = found.to_numpy().astype(np.float32)
    except ValueError:
        array = np.empty(0, np.float32)
    if len(array) != n or not np.isfinite(array).all():
        raise UserError(f"{beside(score)}: not the {n} values of its score; delete both, run again")
    return array


def read(files: Iterable[tuple[str, int]]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return score file -> its values, and a line for every file that is refused.

    Args:
        files: path of a score file, and the number of its examples.
    """
    found, refused = {}, []
    for path, n in files:
        try:
            array = values(path, n)
        except UserError as error:
            refused.append(str(error))
            continue
        if array is not None:
            found[path] = array
    return found, refused


def ids(
    files: Mapping[str, Any], values: Mapping[str, np.ndarray]
) -> dict[tuple[str, str], list[str]]:
    """Return (target, language) -> the id of each example, from one score file of each.

    They are the same in all: accepted score files are of the same rows in the same order.

    Args:
        files: see `scores.accepted`.
        values: those of them that have values, see `read`.
    """
    first: dict[tuple[str, str], str] = {}
    for path in values:
        first.setdefault((files[path]["target"], files[path]["language"]), path)
    found = {key: column(beside(path), "id") for key, path in first.items()}
    return {key: names.to_pylist() for key, names in found.items() if names is not None}

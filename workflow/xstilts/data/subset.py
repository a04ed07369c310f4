"""A subset of the train rows of a task: those that are highest, in the middle or lowest by a number
of each row, or any, as many of each class.

Where numbers are equal, and in a subset of any rows, the ids decide, by a hash: so the order of a
file does not get in, and a smaller subset of any rows is part of a larger one.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xstilts.running.errors import UserError
from xstilts.running.files import atomic

RANDOM = "random"
KEEPS = ("highest", "middle", "lowest", RANDOM)
_WHY = "; ask for fewer rows, or say `balance: false`"


def choose(
    ids: Sequence[str],
    classes: Sequence[str],
    values: np.ndarray | None,
    keep: str,
    rows: int,
    seed: int = 0,
    at_most: bool = False,
) -> np.ndarray:
    """Return the places of the rows of a subset, int64, in order.

    Args:
        ids: of the rows, different ones.
        classes: of the rows, of each of which as many are taken (one more of the first of them
            where `rows` is no multiple); empty for a subset by rank alone.
        values: the number of each row, [rows]; no matter for any rows (`random`).
        keep: one of `KEEPS`. `middle`: as many are left out above as below (one more above where
            that is odd).
        rows: how many.
        seed: of any rows.
        at_most: of too few rows take what there is, as far as classes stay equal.

    Raises:
        UserError: there are too few rows, of a class; a row has no number.
    """
    there = np.asarray(classes) if len(classes) else np.zeros(len(ids), dtype=int)
    names, counts = np.unique(there, return_counts=True)
    if at_most:
        rows = min(rows, len(names) * int(counts.min()))
    if rows > len(ids):
        raise UserError(f"rows: {rows}, but there are {len(ids)}")
    hashed = np.array([_hash(f"{seed} {one}" if keep == RANDOM else one) for one in ids])
    if keep == RANDOM:
        numbers = np.zeros(len(ids))
    elif values is None or np.isnan(values).any():
        raise UserError("a row has no number to be chosen by")
    else:
        numbers = -values if keep == "highest" else values
    shares = [rows // len(names) + (at < rows % len(names)) for at in range(len(names))]
    found = []
    for name, count, share in zip(names, counts, shares, strict=True):
        if share > count:
            raise UserError(
                f"rows: {rows}, equal shares of {len(names)} classes, is {share} of each, but"
                f" `{name}` has {count}{_WHY}"
            )
        own = np.flatnonzero(there == name)
        order = own[np.lexsort((hashed[own], numbers[own]))]
        start = (count - share) // 2 if keep == "middle" else 0
        found.append(order[start : start + share])
    return np.sort(np.concatenate(found))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"subset {text}".encode()).digest()[:7], "big")


def values(path: str | Path, measure: str, ids: Sequence[str]) -> np.ndarray:
    """Return a measure of each row, float64 [rows], of a file of measures by id.

    Args:
        path: parquet, with `id` and a column of the measure's name.
        measure: its name.
        ids: of the rows.

    Raises:
        UserError: the file is damaged, or not of these rows; all have the same value.
    """
    table = _table(path)
    at = pc.index_in(pa.array(ids, pa.string()), value_set=table["id"].combine_chunks())
    if at.null_count:
        raise UserError(
            f"{path}: is not of the rows that are there; delete it to have it made anew"
        )
    found = table[measure].to_numpy().astype(float)[at.to_numpy()]
    if len(found) > 1 and np.ptp(found) == 0:
        raise UserError(
            f"{path}: `{measure}` is {found[0]:g} of every row, so none is higher or lower; train"
            " for more epochs, or pick by another measure"
        )
    return found


def write(path: str | Path, places: np.ndarray, ids: Sequence[str]) -> None:
    """Write a subset: the `place` of each row among the prepared rows, and its `id`."""
    table = pa.table({"place": places, "id": [ids[place] for place in places]})
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read(path: str | Path) -> tuple[np.ndarray, list[str]]:
    """Return the places of the rows of a subset, int64, and their ids.

    Raises:
        UserError: the file is missing or damaged.
    """
    table = _table(path)
    return table["place"].to_numpy(), table["id"].to_pylist()


def _table(path: str | Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read()
    except (pa.ArrowException, OSError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{path}: is damaged ({line}); delete it to have it made anew") from error

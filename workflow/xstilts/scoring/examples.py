"""The value of each test example, and its classes, from the predictions beside a score file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.running.errors import Problems, UserError


def stratum(name: str) -> str:
    """Return the column of a predictions file that has the classes of a stratum."""
    return f"stratum:{name}"


def predictions_path(score: str) -> Path:
    """Return the path of the predictions of a score file."""
    return Path(score).with_suffix(".parquet")


def read_column(path: Path, name: str) -> pa.ChunkedArray | None:
    """Return a column of a predictions file, None without the file; UserError if it is damaged."""
    try:
        # A grid is thousands of small files: read at once and without threads, they take half as
        # long.
        buffer = pa.BufferReader(path.read_bytes())
        return pq.ParquetFile(buffer).read(columns=[name], use_threads=False)[name]
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, KeyError) as error:
        line = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a predictions file ({line}); delete it and the score beside it, run again"
        ) from None


def read_values(score: str, n: int) -> np.ndarray | None:
    """Return the value of each example of a score file: array (n,), float32.

    None without predictions; UserError if they are damaged or not of `n` examples.
    """
    path = predictions_path(score)
    column = read_column(path, "value")
    if column is None:
        return None
    try:
        array = column.to_numpy().astype(np.float32)
    except ValueError:
        array = np.empty(0, np.float32)
    if len(array) != n or not np.isfinite(array).all():
        raise UserError(f"{path}: not the {n} values of its score; delete both, run again")
    return array


def read_all(files: Iterable[tuple[str, int]]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return score file -> its values, and an error line for each file that is refused.

    Args:
        files: path of a score file, and the number of its examples.
    """
    values, refused = {}, []
    for path, n in files:
        try:
            array = read_values(path, n)
        except UserError as error:
            refused.append(str(error))
            continue
        if array is not None:
            values[path] = array
    return values, refused


def ids(
    files: Mapping[str, Any], values: Mapping[str, np.ndarray]
) -> dict[tuple[str, str], list[str]]:
    """Return (target, language) -> the id of each example, from one score file of each.

    One is enough: accepted score files of a target and language have the same rows in one order.

    Args:
        files: see `scores.accepted`.
        values: see `read_all`.
    """
    columns = {
        key: read_column(predictions_path(path), "id")
        for key, path in _one_of_each(files, values).items()
    }
    return {key: column.to_pylist() for key, column in columns.items() if column is not None}


def strata(
    files: Mapping[str, Any], values: Mapping[str, np.ndarray]
) -> tuple[dict[tuple[str, str], dict[str, list[str | None]]], list[str]]:
    """Return (target, language) -> stratum -> the class of each example (None for no class), from
    one score file of each, only of targets that have strata; and an error line for each file that
    lacks a stratum that its score was made with, which then no language of the target has.

    Args:
        files: see `scores.accepted`.
        values: see `read_all`.
    """
    found: dict[tuple[str, str], dict[str, list[str | None]]] = {}
    problems = Problems()
    whole: dict[tuple[str, str], bool] = {}
    for key, path in _one_of_each(files, values).items():
        for name in files[path]["spec"].get("strata", ()):
            before = len(problems.lines)
            with problems.noted():
                classes = _classes(predictions_path(path), name, len(values[path]))
                found.setdefault(key, {})[name] = classes
            there = len(problems.lines) == before
            whole[key[0], name] = whole.get((key[0], name), True) and there
    # Of a target all languages or none: an answer is not given for less than was asked.
    for (target, _), strata in found.items():
        for name in [each for each in strata if not whole[target, each]]:
            del strata[name]
    return found, problems.lines


def _classes(path: Path, name: str, n: int) -> list[str | None]:
    try:
        column = read_column(path, stratum(name))
    except UserError:
        column = None  # the file was read for its values, so it is this column that it lacks
    classes = [] if column is None else column.to_pylist()
    if len(classes) != n or not all(isinstance(c, str | None) for c in classes):
        raise UserError(
            f"{path}: has no classes of the stratum `{name}`; delete it and the score beside it,"
            " run again"
        )
    return classes


def _one_of_each(
    files: Mapping[str, Any], values: Mapping[str, np.ndarray]
) -> dict[tuple[str, str], str]:
    """Return (target, language) -> the first score file of it."""
    first: dict[tuple[str, str], str] = {}
    for path in values:
        first.setdefault((files[path]["target"], files[path]["language"]), path)
    return first

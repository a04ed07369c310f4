"""Unified rows: made from the raw rows of a data set, written and read as parquet.

Everything after `prepare` reads such files only; `SCHEMAS` says what is in them. The metadata of a
file says where its rows came from and how many were dropped, and why.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import pools
from xstilts.data.rows import (
    FOREIGN,
    ROW_FUNCTIONS,
    UNUSED,
    Row,
    RowCleaner,
    id_and_gold,
    label_decoder,
    unique_ids,
)
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import atomic

_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
_ANSWERS = pa.struct([("text", _TEXTS), ("start", pa.list_(pa.int32()))])
# Unified rows, by format. `gold` of a source row is the id of its target row, else null.
SCHEMAS = {
    name: pa.schema([("id", _TEXT), *fields])
    for name, fields in {
        "classification": [("text", _TEXT), ("text_pair", _TEXT), ("label", _TEXT)],
        "choice": [("context", _TEXT), ("choices", _TEXTS), ("label", pa.int32())],
        "span": [("question", _TEXT), ("context", _TEXT), ("answers", _ANSWERS)],
        "tagging": [("tokens", _TEXTS), ("tags", _TEXTS)],
        "retrieval": [("side", _TEXT), ("text", _TEXT), ("gold", _TEXT)],
        "mlm": [("text", _TEXT)],
    }.items()
}
OPTIONAL = {"id", "text_pair", "label", "gold"}


def unify(
    table: pa.Table,
    features: Mapping[str, Any],
    spec: dict,
    gold: list[tuple[str, str]] | None = None,
) -> tuple[list[Row], dict]:
    """Turn raw rows into unified rows of `spec["format"]`, in the raw order.

    `features` are the data set's, for the names of its ClassLabels; `gold` the pairs of source and
    target ids, where they are in a file of their own. Returns the rows and {rows_total, rows_kept,
    dropped: {reason: n}, repaired: n}. rows_total counts raw rows. Raises UserError for columns or
    labels that are not as the task says, or if no row is left.
    """
    task, counts = spec["task"], Counter[str]()
    clean = RowCleaner(spec)
    convert = _converter(table.column_names, features, spec)
    units = []  # one raw row each: its number and its unified rows
    prefix = spec.get("id_prefix") or ""
    for number, raw in enumerate(table.to_pylist()):
        if prefix and not str(raw.get("id")).startswith(prefix):
            counts[FOREIGN] += 1
            continue
        unified = convert(raw)
        if unified is None:
            counts[UNUSED] += 1
            continue
        units.append((number, unified if isinstance(unified, list) else [unified]))
    if gold is not None:
        units, dropped = pools.pair(task, units, gold)
        counts.update(dropped)
    rows = []
    for index in sample(len(units), spec.get("max_rows")):
        number, unit = units[index]
        identified = [{**row, **id_and_gold(row, number, unit)} for row in unit]
        if reason := next(filter(None, map(clean, identified)), None):
            counts[reason] += 1
        else:
            rows += identified
    if not rows:
        reasons = ", ".join(f"{reason}: {n}" for reason, n in counts.items()) or "it has no rows"
        raise UserError(f"task {task}: {dataset_of(spec)} has no usable row ({reasons})")
    unique_ids(rows)
    report = {"rows_total": table.num_rows, "rows_kept": len(rows)}
    return rows, {**report, "dropped": dict(counts), "repaired": clean.repaired}


def sample(total: int, size: int | None) -> list[int]:
    """Return `size` of range(total) in order (all if None or more than there are).

    Drawn from `total` alone: data that is parallel over languages stays parallel. A smaller sample
    is part of a larger one. Hashes, because the standard generator may change between Pythons.
    """
    if size is None or size >= total:
        return list(range(total))
    ranked = sorted(range(total), key=lambda i: hashlib.sha256(f"{total}:{i}".encode()).digest())
    return sorted(ranked[:size])


def _converter(
    columns: list[str], features: Mapping[str, Any], spec: dict
) -> Callable[[Row], Row | list[Row] | None]:
    """Return the function from a raw row to unified rows that a task asks for."""
    task, renames = spec["task"], dict(spec.get("columns") or {})
    name = spec.get("rows")
    if name and name not in ROW_FUNCTIONS:
        raise UserError(f"task {task}: rows.py has no `{name}`{nearest(name, ROW_FUNCTIONS)}")
    function = ROW_FUNCTIONS[name] if name else None
    # A choice is labelled by its number, whatever its ClassLabel's names.
    numbers = {"label"} if spec["format"] == "choice" else set()
    decoders = {
        c: decoder
        for c, f in features.items()
        if renames.get(c, c) not in numbers and (decoder := label_decoder(f))
    }
    needed = list(renames)
    if function is None:
        fields = [f for f in SCHEMAS[spec["format"]].names if f not in OPTIONAL]
        fields += ["label"] if _is_labelled(spec) else []
        needed += [f for f in fields if f not in renames.values()]
    for column in needed:
        if column not in columns:
            raise _no_column(spec, column, columns)
    # A raw column whose name another one takes is left out.
    new_names = {c: renames.get(c, c) for c in columns if c in renames or c not in renames.values()}

    def convert(raw: Row) -> Row | list[Row] | None:
        row = {
            new: decoders[c](raw[c]) if c in decoders else raw[c] for c, new in new_names.items()
        }
        if function is None:
            return row
        try:
            return function(row)
        except KeyError as error:
            raise _no_column(spec, str(error.args[0]), columns) from error

    return convert


def _is_labelled(spec: dict) -> bool:
    return "label" in SCHEMAS[spec["format"]].names


def _no_column(spec: dict, column: str, columns: list[str]) -> UserError:
    return UserError(
        f"task {spec['task']}: {dataset_of(spec)} has no column `{column}`"
        f"{nearest(column, columns)} (there are {', '.join(columns)})"
    )


def dataset_of(spec: dict) -> str:
    """Return the data set, config and split of a spec, as a message names them."""
    return " ".join(str(spec[k]) for k in ("hub", "config", "split") if spec.get(k))


def write(path: str | Path, rows: list[Row], format: str, record: dict) -> None:
    """Write unified rows as parquet, with `record` in the schema's metadata, atomically."""
    schema = SCHEMAS[format].with_metadata({"xstilts": json.dumps(record, ensure_ascii=False)})
    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")


def read(path: str | Path) -> pa.Table:
    """Return the table of unified rows in a file; UserError naming a missing or damaged file."""
    return _open(path, pq.read_table)


def metadata(path: str | Path) -> dict[str, Any]:
    """Return {spec, pin, rows_total, rows_kept, dropped, repaired} of a file of unified rows."""
    record = (_open(path, pq.read_schema).metadata or {}).get(b"xstilts")
    if record is None:
        raise UserError(f"{path}: was not made by the prepare step; delete it to have it made anew")
    return json.loads(record)


def _open(path: str | Path, reader: Callable) -> Any:
    try:
        return reader(path)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (pa.ArrowException, OSError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{path}: is damaged ({line}); delete it to have it made anew") from error

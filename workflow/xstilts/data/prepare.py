"""Unified rows: made from the raw rows of a data set, written and read as parquet.

Everything after `prepare` reads such files only; `SCHEMAS` says what is in them. The metadata of a
file says where its rows came from and how many were dropped, and why.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import annotations, columns, hops, passages, pools, shapes
from xstilts.data import strata as strata_of
from xstilts.data.pictures import Pictures, columns_of
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
from xstilts.data.source import POOL
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import atomic

_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
_ANSWERS = pa.struct([("text", _TEXTS), ("start", pa.list_(pa.int32()))])
# The makers of SNLI and MNLI write this label where their annotators did not agree.
NO_CONSENSUS = ("gold_label", "-")
# Unified rows, by format, to which the column `strata` comes where a task has them. `gold` of a
# source row is the id of its target row, else null. Rows of `dual` with the same `group` (null: of
# none) are not taken for wrong answers to each other.
SCHEMAS = {
    name: pa.schema([("id", _TEXT), *fields])
    for name, fields in {
        "classification": [("text", _TEXT), ("text_pair", _TEXT), ("label", _TEXT)],
        "regression": [("text", _TEXT), ("text_pair", _TEXT), ("label", pa.float64())],
        "choice": [("context", _TEXT), ("choices", _TEXTS), ("label", pa.int32())],
        "span": [("question", _TEXT), ("context", _TEXT), ("answers", _ANSWERS)],
        "tagging": [("tokens", _TEXTS), ("tags", _TEXTS)],
        "retrieval": [("side", _TEXT), ("text", _TEXT), ("gold", _TEXT)],
        "dual": [("text", _TEXT), ("text_pair", _TEXT), ("group", _TEXT)],
        "mlm": [("text", _TEXT)],
        "images": [("number", pa.int64())],
        "caption": [("text", _TEXT)],
    }.items()
}
# Of a task whose rows have pictures: the id of a picture in its set.
PICTURE = pa.field("image", _TEXT)
# Where the candidates of all languages are in one file (`pool` of a retrieval task): the ids of the
# right ones of a source row, and the language of a row. `gold` is null there.
POOLED = pa.schema([("golds", _TEXTS), ("lang", _TEXT)])


def unify(
    table: pa.Table,
    features: Mapping[str, Any],
    spec: dict,
    gold: list[tuple[str, str]] | dict[str, list[str]] | None = None,
    pictures: Collection[str] | None = None,
) -> tuple[list[Row], dict]:
    """Turn raw rows into unified rows of `spec["format"]`, in the raw order.

    `features` are the data set's, for the names of its ClassLabels; `gold` the pairs of source and
    target ids, where they are in a file of their own, or of a pool of candidates question -> right
    ones; `pictures` the ids of the set, where rows have pictures (None: any).

    Returns the rows and {rows_total, rows_kept, dropped: {reason: n}, repaired: n}, and where it is
    so offsets: "bytes", unanswered: n, one_value: the only gold value, and many: {stratum: number
    of its classes}. rows_total counts
    raw rows. Raises UserError for columns, strata or labels that are not as the task says, if no
    row is left, or if no row has an answer and none may be without.
    """
    task, counts = spec["task"], Counter[str]()
    clean = RowCleaner(spec, dataset_of(spec))
    convert = _converter(table.schema, features, spec)
    strata = strata_of.Strata(table.schema, spec, f"task {task}: {dataset_of(spec)}", features)
    units = []  # one raw row each: its number and its unified rows
    prefix = spec.get("id_prefix") or ""
    pool, of_pool, seen = spec.get("pool"), spec.get("lang") == POOL, set[str]()
    # Of questions with paragraphs, of which views and translations lack others: those of raw rows.
    of_hops, most = spec.get("rows") in hops.STRATA, spec.get("max_rows")
    chosen = set(sample(table.num_rows, most if of_hops else None))
    named = spec.get("images")
    seen_of = Pictures(named, pictures, f"task {task}: {dataset_of(spec)}") if named else None
    first: dict[str, str] = {}  # why there is no row -> id of the first such question
    for number, raw in enumerate(_raw_rows(table)):
        if number not in chosen:
            continue
        if prefix and not str(raw.get("id")).startswith(prefix):
            counts[FOREIGN] += 1
            continue
        unified = convert(raw)
        if unified is None:
            counts[UNUSED] += 1
            continue
        if of_hops:
            question = {"id": str(number), **cast(Row, unified)}
            row = passages.assemble(question, spec.get("context", "all"))
            if isinstance(row, str):
                counts[row] += 1
                first.setdefault(row, question["id"])
                continue
            unified = row
        unit = unified if isinstance(unified, list) else [unified]
        if seen_of:
            unit = [row for row in unit if not seen_of.without(row, counts)]
        strata.take(raw, unit)
        if pool:
            unit = pools.side(unit, raw, spec["lang"], of_pool, seen)
            unit = pools.with_golds(unit, gold) if isinstance(gold, dict) else unit
            units += [(number, [row]) for row in unit]
            continue
        # The two sides of a retrieval stay together; captions of one picture need not.
        units += (
            [(number, unit)] if spec["format"] == "retrieval" else [(number, [r]) for r in unit]
        )
    if seen_of:
        seen_of.check(bool(units))
    passages.check_answers(f"task {task}: {dataset_of(spec)}", counts, len(chosen), first)
    if isinstance(gold, list):
        units, dropped = pools.pair(task, units, gold)
        counts.update(dropped)
    units = [
        (number, [{**row, **id_and_gold(row, number, unit)} for row in unit])
        for number, unit in units
    ]
    report = _read_gold(spec, [row for _, unit in units for row in unit])
    if most_labels := spec.get("most_labels"):
        units, dropped = annotations.frequent(units, most_labels)
        counts.update(dropped)
    rows = []
    for index in sample(len(units), None if of_pool or of_hops else most):
        _, unit = units[index]
        if reason := next(filter(None, map(clean, unit)), None):
            counts[reason] += 1
        else:
            rows += unit
    if not rows:
        reasons = ", ".join(f"{reason}: {n}" for reason, n in counts.items()) or "it has no rows"
        raise UserError(f"task {task}: {dataset_of(spec)} has no usable row ({reasons})")
    unique_ids(rows)
    if value := annotations.one_value(spec["format"], rows):
        report["one_value"] = value
    if many := strata.settle(rows):
        report["many"] = many
    report = {"rows_total": table.num_rows, "rows_kept": len(rows), **report}
    return rows, {**report, "dropped": dict(counts), "repaired": clean.repaired}


def _raw_rows(table: pa.Table) -> Iterator[Row]:
    """The rows of a table, not all at once: a million entities are gigabytes as objects."""
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def _read_gold(spec: dict, rows: list[Row]) -> dict[str, Any]:
    """Read the gold of all rows of a split together, in place; return what a report says of it."""
    report: dict[str, Any] = {}
    if spec["format"] == "classification":
        for row, name in zip(
            rows, annotations.names(row.get("label") for row in rows), strict=True
        ):
            row["label"] = name
    elif spec["format"] == "tagging":
        names = iter(annotations.names(tag for row in rows for tag in row["tags"] or []))
        for row in rows:
            row["tags"] = [next(names) for _ in row["tags"] or []]
    elif spec["format"] == "choice":
        annotations.choices(spec["task"], rows)
    elif spec["format"] == "span":
        if rows and not spec.get("no_answer") and not any(any(r["answers"]["text"]) for r in rows):
            raise UserError(
                f"task {spec['task']}: {dataset_of(spec)}: none of its {len(rows)} questions has an"
                " answer, as in a test set whose answers are kept back; give another split, or say"
                " `no_answer: true` if that is so"
            )
        empty = sum(not any(row["answers"]["text"]) for row in rows)
        if empty and spec.get("no_answer") is False:
            report["unanswered"] = empty
        if annotations.offsets(rows):
            report["offsets"] = "bytes"
    return report


def notes(report: dict[str, Any]) -> list[str]:
    """Return what a reader of the log should know of a report: dropped, moved, how it was read."""
    dropped = [f"dropped {n} ({reason})" for reason, n in report["dropped"].items()]
    moved = [f"moved {report['repaired']} answers"] if report["repaired"] else []
    offsets = [f"answer offsets count {report['offsets']}"] if "offsets" in report else []
    one = [f"the gold is `{report['one_value']}` in every row"] if "one_value" in report else []
    n = report.get("unanswered")
    none = (
        [f"{n} questions have no answer, and the task does not say `no_answer: true`"] if n else []
    )
    return dropped + moved + none + offsets + one + many_classes(report)


def many_classes(report: dict[str, Any]) -> list[str]:
    """Return a line for each stratum of so many classes that its column may be a mistake."""
    return [
        f"the stratum `{name}` has {n} classes; is its column one of ids?"
        for name, n in report.get("many", {}).items()
    ]


def sample(total: int, size: int | None) -> list[int]:
    """Return `size` of range(total) in order (all if None or more than there are).

    Drawn from `total` alone: data that is parallel over languages stays parallel. A smaller sample
    is part of a larger one. Hashes, because the standard generator may change between Pythons.
    """
    if size is None or size >= total:
        return list(range(total))
    ranked = sorted(range(total), key=lambda i: hashlib.sha256(f"{total}:{i}".encode()).digest())
    return sorted(ranked[:size])


def check_columns(schema: pa.Schema, spec: dict) -> None:
    """Refuse raw rows that lack a column which the task names, or of which columns are guessed."""
    if spec["format"] == "images":
        columns.find(schema, spec, f"task {spec['task']}: {dataset_of(spec)}")
        return
    held = set(columns_of(schema))
    schema = pa.schema([field for field in schema if field.name not in held])
    _converter(schema, {}, spec)
    strata_of.Strata(schema, spec, f"task {spec['task']}: {dataset_of(spec)}")


def _converter(
    schema: pa.Schema, features: Mapping[str, Any], spec: dict
) -> Callable[[Row], Row | list[Row] | None]:
    """Return the function from a raw row to unified rows that a task asks for."""
    where = f"task {spec['task']}: {dataset_of(spec)}"
    decoders = {c: decoder for c, f in features.items() if (decoder := label_decoder(f))}
    name = spec.get("rows")
    if name and name not in ROW_FUNCTIONS:
        raise UserError(
            f"task {spec['task']}: rows.py has no `{name}`{nearest(name, ROW_FUNCTIONS)}"
        )
    if name:
        return _by_function(ROW_FUNCTIONS[name], schema.names, decoders, spec, where)
    found, shape = columns.find(schema, spec, where), shapes.of(spec)
    if spec["format"] == "choice":  # labelled by its number, whatever its ClassLabel's names
        decoders.pop(str(found["label"]), None)
    elif found.get("label") == NO_CONSENSUS[0]:
        decoders[NO_CONSENSUS[0]] = lambda label: None if label == NO_CONSENSUS[1] else label

    def convert(raw: Row) -> Row | list[Row]:
        return shape(columns.pick(found, _decoded(raw, decoders)))

    return convert


def _by_function(
    function: Callable[[Row], Row | list[Row] | None],
    names: list[str],
    decoders: Mapping[str, Callable[[Any], Any]],
    spec: dict,
    where: str,
) -> Callable[[Row], Row | list[Row] | None]:
    """Return what renames the columns of a raw row and calls a row function."""
    renames = dict(spec.get("columns") or {})
    for column in renames:
        if column not in names:
            raise columns.no_column(where, column, names)
    # A raw column whose name another one takes is left out.
    new_names = {c: renames.get(c, c) for c in names if c in renames or c not in renames.values()}
    if spec["format"] == "choice":
        decoders = {c: d for c, d in decoders.items() if new_names.get(c) != "label"}

    def convert(raw: Row) -> Row | list[Row] | None:
        decoded = _decoded(raw, decoders)
        try:
            return function({new: decoded[c] for c, new in new_names.items()})
        except KeyError as error:
            raise columns.no_column(where, str(error.args[0]), names) from error
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise UserError(
                f"{where}: row {raw.get('id', '')}: is not in the form that `rows:"
                f" {function.__name__}` reads ({error})"
            ) from error

    return convert


def _decoded(raw: Row, decoders: Mapping[str, Callable[[Any], Any]]) -> Row:
    return raw | {c: decode(raw[c]) for c, decode in decoders.items() if c in raw}


def dataset_of(spec: dict) -> str:
    """Return the data set, config and split of a spec, as a message names them; of files of one's
    own their paths."""
    if spec.get("files"):
        return ", ".join(spec["files"])
    of_pool = spec.get("pool") and spec.get("lang") == POOL
    config = ", ".join(spec["pool"].values()) if of_pool else spec.get("config")
    return " ".join(str(each) for each in (spec.get("hub"), config, spec.get("split")) if each)


def write(path: str | Path, rows: list[Row], format: str, record: dict) -> None:
    """Write unified rows as parquet, with `record` in the schema's metadata, atomically."""
    schema = SCHEMAS[format]
    if (record.get("spec") or {}).get("pool"):
        schema = pa.unify_schemas([schema, POOLED])
    if (record.get("spec") or {}).get("images"):
        schema = schema.append(PICTURE)
    if strata := strata_of.wanted(record.get("spec") or {}):
        schema = schema.append(strata_of.field(strata))
    schema = schema.with_metadata({"xstilts": json.dumps(record, ensure_ascii=False)})
    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")


def read(path: str | Path) -> pa.Table:
    """Return the table of unified rows in a file; UserError naming a missing or damaged file."""
    return _open(path, _read)


def metadata(path: str | Path) -> dict[str, Any]:
    """Return {spec, pin, rows_total, rows_kept, dropped, repaired} of a file of unified rows, and
    `pins` of what else they follow from."""
    record = (_open(path, pq.read_schema).metadata or {}).get(b"xstilts")
    if record is None:
        raise UserError(f"{path}: was not made by the prepare step; delete it to have it made anew")
    return json.loads(record)


def pins(*made: Mapping[str, Any]) -> dict[str, str]:
    """Return the pins of what files of unified rows were made from, by their `metadata`; those that
    are made of others tell them."""
    found: dict[str, str] = {}
    for of in made:
        found |= of.get("pins", {})
        if "pin" in of:  # not of rows that are made of others
            found[f"datasets/{of['spec']['hub']}"] = of["pin"]["revision"]
    return found


def _read(path: str | Path) -> pa.Table:
    with pq.ParquetFile(path) as file:  # `pq.read_table` imports pandas
        return file.read()


def _open(path: str | Path, reader: Callable) -> Any:
    try:
        return reader(path)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (pa.ArrowException, OSError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{path}: is damaged ({line}); delete it to have it made anew") from error

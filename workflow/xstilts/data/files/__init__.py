"""The files that people have, read as they are published: from paths to a table of raw rows.

Text is text as written; an empty field is the only missing value. Whatever cannot be read is
refused in one line with the file, the row and a remedy. `columns` says what the columns are.
"""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import columns
from xstilts.data.files import conll, content, delimited, records
from xstilts.running.errors import UserError, nearest

KINDS = {
    "csv": "fields with commas (or semicolons) between them, quoted where need be",
    "tsv": "fields with tabs between them, not quoted",
    "json": "a list of records, an object around one, columns of values, or SQuAD's articles",
    "jsonl": "a JSON object a line",
    "parquet": "a parquet file",
    "conll": "a token a line, its tags in columns, a blank line between sentences",
    "conllu": "Universal Dependencies' ten columns",
    "text": "a text a line",
}
OPTIONS = {"kind": str, "quoting": bool, "encoding": str}  # what may be said of a file
_SUFFIXES = {
    **{f".{kind}": kind for kind in KINDS if kind != "text"},
    **{".ndjson": "jsonl", ".tab": "tsv", ".pq": "parquet"},
    **dict.fromkeys((".bio", ".iob", ".iob2", ".bioes", ".conll03"), "conll"),
}
_OF_FORMAT = {"mlm": "text", "retrieval": "text", "tagging": "conll"}  # where the name says nothing


def read(paths: list[Path], spec: dict) -> pa.Table:
    """Return all rows of one task, language and split.

    Args:
        paths: shards of one data set, in order; or two files of parallel lines in the format
            `retrieval`, the first the source.
        spec: `format`, and where they are given `columns` {raw column: unified column} and `file`
            {kind, quoting, encoding}.

    Raises UserError with file, row and remedy for whatever cannot be read.
    """
    return head(paths, spec, None)


def head(paths: list[Path], spec: dict, rows: int | None) -> pa.Table:
    """Return the first rows, as many as `rows` where that is cheap; all of them for None.

    What is wrong further down is not found, but what there is raises the same as in `read`.
    """
    if not paths:
        raise UserError("no file is given")
    kinds = [kind_of(path, spec) for path in paths]
    limit = None if rows is None else content.HEAD
    if spec["format"] == "retrieval" and set(kinds) == {"text"}:
        return _parallel(paths, spec, limit)
    tables: list[pa.Table] = []
    for path, kind in zip(paths, kinds, strict=True):
        tables.append(_table(path, kind, spec, limit))
        if rows is not None and sum(t.num_rows for t in tables) >= rows:
            break
    table = _concatenated(list(zip(paths, tables, strict=False)))
    return table if rows is None else table.slice(0, rows)


def kind_of(path: Path, spec: dict) -> str:
    """Return the kind of a file: as said, by its suffix, its first bytes, or the task's format."""
    if said := _options(path, spec).get("kind"):
        return said
    kind = _SUFFIXES.get(content.suffix(path))
    if kind and (kind, spec["format"]) != ("tsv", "tagging"):
        return kind
    start, _ = content.data(path, 1 << 14)
    header = start.split(b"\n", 1)[0].decode(errors="replace").split("\t")
    if kind:  # a token a line, as in WikiAnn, is often named so; else it is a sentence a line
        named = [any(columns.is_name(h, field) for h in header) for field in ("tokens", "tags")]
        return kind if all(named) and not re.search(rb"\n\r?\n.", start) else "conll"
    if start.startswith(b"PAR1"):
        return "parquet"
    if kind := _OF_FORMAT.get(spec["format"]):
        return kind
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return "json"
    if len(header) > 1:
        return "tsv"
    raise UserError(
        f"{path}: its name does not say what kind of file it is; say `file: {{kind: ...}}` (valid:"
        f" {', '.join(KINDS)})"
    )


def _options(path: Path, spec: dict) -> dict:
    """Return what a task says of its files, checked."""
    options = spec.get("file") or {}
    for key, value in options.items():
        if key not in OPTIONS:
            hint = f"{nearest(key, OPTIONS)} (valid: {', '.join(OPTIONS)})"
            raise UserError(f"{path}: file: there is no key `{key}`{hint}")
        if not isinstance(value, OPTIONS[key]):
            right = "true or false" if OPTIONS[key] is bool else "text"
            raise UserError(f"{path}: file: {key} must be {right}, not {value!r}")
    said = options.get("kind")
    if said is not None and said not in KINDS:
        hint = f"{nearest(said, KINDS)} (valid: {', '.join(KINDS)})"
        raise UserError(f"{path}: file: there is no kind `{said}`{hint}")
    return options


def _table(path: Path, kind: str, spec: dict, limit: int | None) -> pa.Table:
    if limit is not None and kind != "json":  # half a JSON document is none
        try:
            return _read(path, kind, spec, limit)
        except UserError:
            pass  # a row may be longer than what was looked at
    return _read(path, kind, spec, None)


def _read(path: Path, kind: str, spec: dict, limit: int | None) -> pa.Table:
    if kind == "parquet":
        return _parquet(path, spec, limit)
    text, cut = content.text(path, (spec.get("file") or {}).get("encoding"), limit)
    if kind in ("csv", "tsv"):
        return delimited.read(path, text, cut, kind, spec)
    if kind in ("json", "jsonl"):
        return records.read(path, text, cut, kind)
    if kind in ("conll", "conllu"):
        return conll.read(path, text, cut, kind, spec)
    return pa.table({"text": [line for line in content.lines(text) if line.strip()]})


def _parallel(paths: list[Path], spec: dict, limit: int | None) -> pa.Table:
    """Two files of lines: line n of the first, the source, goes with line n of the second."""
    if len(paths) != 2:
        raise UserError(
            f"{', '.join(map(str, paths))}: parallel text is two files, source and target, not"
            f" {len(paths)}"
        )
    encoding = (spec.get("file") or {}).get("encoding")
    texts = [content.text(path, encoding, limit) for path in paths]
    sides = [content.lines(text) for text, _ in texts]
    if any(cut for _, cut in texts):
        size = min(map(len, sides))
        sides = [side[:size] for side in sides]
    source, target = sides
    if len(source) != len(target):
        found = content.count(len(target), "line")
        raise UserError(
            f"{paths[1]}: has {found}, but {paths[0]} has {len(source)}; in parallel text line n of"
            " one goes with line n of the other"
        )
    return pa.table({"source": source, "target": target})


def _parquet(path: Path, spec: dict, limit: int | None) -> pa.Table:
    content.data(path, 64)  # refuses what is no file, or is empty
    try:
        source: Any = io.BytesIO(content.data(path)[0]) if content.is_packed(path) else path
        with pq.ParquetFile(source) as file:
            table = file.read() if limit is None else _first_group(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        line = str(error).strip().splitlines()[0]
        raise UserError(
            f"{path}: is no parquet file, or damaged ({line}); fetch it again"
        ) from error
    if not table.num_rows and limit is None:
        raise UserError(f"{path}: holds no row; give a file with rows, or leave it out")
    return _named(table, spec)


def _first_group(file: pq.ParquetFile) -> pa.Table:
    groups = file.num_row_groups
    return file.read_row_group(0) if groups else file.read()


def _named(table: pa.Table, spec: dict) -> pa.Table:
    """Names for the numbers of ClassLabels, which the hub's parquet files carry in their metadata;
    not in the format `choice`, where a label is the number of a choice."""
    metadata = (table.schema.metadata or {}).get(b"huggingface")
    if not metadata or spec["format"] == "choice":
        return table.replace_schema_metadata(None)
    features = json.loads(metadata).get("info", {}).get("features", {})
    for at, column in enumerate(table.column_names):
        if decode := _decoder(features.get(column) or {}):
            values = [decode(value) for value in table.column(column).to_pylist()]
            table = table.set_column(at, column, pa.array(values))
    return table.replace_schema_metadata(None)


def _decoder(feature: dict) -> Callable[[Any], Any] | None:
    if names := feature.get("names"):
        return lambda v: None if v is None or v < 0 else names[v]
    inner = feature.get("feature")
    if isinstance(inner, dict) and (decode := _decoder(inner)):
        return lambda v: v and [decode(x) for x in v]
    return None


def _concatenated(shards: list[tuple[Path, pa.Table]]) -> pa.Table:
    """One table of shards; a column whose types differ becomes text."""
    first, whole = shards[0]
    for path, table in shards[1:]:
        if differ := set(table.column_names) ^ set(whole.column_names):
            raise UserError(
                f"{path}: its columns are {', '.join(table.column_names)}, but those of {first} are"
                f" {', '.join(whole.column_names)} ({', '.join(sorted(differ))} is in one alone);"
                " give shards of one data set"
            )
    tables = [table.select(whole.column_names) for _, table in shards]
    for name in whole.column_names:
        if len({table.schema.field(name).type for table in tables}) > 1:
            tables = [_as_text(table, name) for table in tables]
    return pa.concat_tables(tables)


def _as_text(table: pa.Table, name: str) -> pa.Table:
    values = [records.as_text(value) for value in table.column(name).to_pylist()]
    at = table.column_names.index(name)
    return table.set_column(at, name, pa.array(values, pa.string()))

"""A file to predict: its rows, and the same file again with columns added, in its own form."""

import csv
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import columns, files
from xstilts.data.files import conll, content, delimited
from xstilts.running.errors import UserError

STDIN = "-"
Added = Mapping[str, Sequence[Any]]  # new column -> a value a row: text, a number, a list, or None


class Document:
    """One file.

    Attributes:
        name: as messages have it.
        kind: one of `data.files.KINDS`.
        spec: how it was read, as in `data.files.read`.
        table: its rows, in order.
    """

    def __init__(self, path: Path, spec: dict[str, Any], name: str) -> None:
        """Read it; UserError if it cannot be read."""
        self.path, self.name = path, name
        self.folder: Any = None  # of standard input, as long as this is used
        self.kind = files.kind_of(path, spec)
        if spec["format"] == "tagging" and self.kind in ("conll", "conllu"):
            spec = {**spec, "columns": _tokens_of(spec, self.kind)}  # tags need not be there
        self.spec = spec
        self.table = files.read([path], spec)

    @property
    def text(self) -> str:
        """The whole file."""
        return content.text(self.path, (self.spec.get("file") or {}).get("encoding"))[0]

    def check(self, names: Iterable[str]) -> None:
        """Raise UserError where the file has one of the columns that are to be added."""
        for name in names:
            if name in self.table.column_names:
                raise UserError(f"{self.name}: has a column `{name}` already; rename it")

    def written(self, added: Added) -> bytes:
        """Return the file with columns added; rows, their order and all in them stay."""
        writers = {
            "csv": self._delimited, "tsv": self._delimited, "text": self._lines,
            "jsonl": self._jsonl, "json": self._json, "parquet": self._parquet,
            "conll": self._conll, "conllu": self._conll,
        }  # fmt: skip
        found: Any = writers[self.kind](added)
        return found if isinstance(found, bytes) else found.encode()

    def _delimited(self, added: Added) -> str:
        names, rows = self.table.column_names, self.table.to_pylist()
        records = [[*(row[n] for n in names), *v] for row, *v in _zip(rows, added)]
        if not columns.numbered(self.spec):
            records.insert(0, [*names, *added])
        text = self.text
        end = "\r\n" if "\r\n" in text else "\n"
        if self.kind == "csv" or (self.spec.get("file") or {}).get("quoting"):
            out = io.StringIO()
            delimiter = "\t" if self.kind == "tsv" else delimited.delimiter_of(text)
            csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(records)
            return out.getvalue()
        # Not quoted: white space in an answer must not end its field.
        return "".join("\t".join(map(_one_field, record)) + end for record in records)

    def _lines(self, added: Added) -> str:
        rows = self.table["text"].to_pylist()
        lines = (map(_one_field, values) for values in _zip(rows, added))
        return "".join("\t".join(line) + "\n" for line in lines)

    def _jsonl(self, added: Added) -> str:
        objects = [json.loads(line) for line in content.lines(self.text) if line.strip()]
        return "".join(_json(each) + "\n" for each in _extended(objects, added))

    def _json(self, added: Added) -> str:
        try:
            whole = json.loads(self.text)
        except ValueError:
            return self._jsonl(added)  # an object a line, in a file that is called .json
        objects = _objects(whole)
        if objects is None and _is_columns(whole):
            whole |= {name: list(values) for name, values in added.items()}
        elif objects is None or len(objects) != self.table.num_rows:
            whole = _extended(self.table.to_pylist(), added)
        else:
            _extended(objects, added)
        return _json(whole) + "\n"

    def _parquet(self, added: Added) -> bytes:
        with pq.ParquetFile(io.BytesIO(content.data(self.path)[0])) as file:
            table = file.read()
        for name, values in added.items():
            table = table.append_column(name, pa.array(values))
        out = io.BytesIO()
        pq.write_table(table, out, compression="zstd")
        return out.getvalue()

    def _conll(self, added: Added) -> str:
        """The tags are one more column of a token; in CoNLL-U, which has ten, part of MISC."""
        lines = content.lines(self.text)
        tokens = [number for number, fields in conll.rows_of(lines, self.kind) if fields]
        (name, tags), *_ = added.items()
        flat = (tag for row in tags for tag in row)
        for number, tag in zip(tokens, flat, strict=True):
            line = lines[number - 1]
            if self.kind == "conllu":
                *fields, misc = line.split("\t")
                pair = f"{name.capitalize()}={tag}"
                lines[number - 1] = "\t".join([*fields, pair if misc == "_" else f"{misc}|{pair}"])
            else:
                lines[number - 1] = f"{line.rstrip()}{'	' if '	' in line else ' '}{tag}"
        return "\n".join(lines) + "\n"


def read(file: str, spec: dict[str, Any]) -> Document:
    """Return a file, or standard input for `-`; UserError if it cannot be read."""
    if file != STDIN:
        path, options = Path(file), spec.get("file") or {}
        if not options.get("kind") and content.suffix(path) in ("", ".txt"):
            kind = kind_of(content.data(path)[0], spec)
            spec = {**spec, "file": {**options, "kind": kind}}
        return Document(path, spec, file)
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise UserError("standard input: is empty; give rows")
    options = spec.get("file") or {}
    kind = options.get("kind") or kind_of(data, spec)
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "stdin"
    path.write_bytes(data)
    try:
        document = Document(path, {**spec, "file": {**options, "kind": kind}}, "standard input")
    except UserError as error:
        raise UserError(str(error).replace(str(path), "standard input")) from None
    document.folder = folder
    return document


def kind_of(data: bytes, spec: dict[str, Any]) -> str:
    """Return what kind of file it is whose name does not say so, by how it begins.

    Of texts to classify or to rate, lines without a header are a text each.
    """
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PAR1"):
        return "parquet"
    if start[:1] in (b"{", b"["):
        return "jsonl" if _is_row(start.split(b"\n", 1)[0]) else "json"
    if spec["format"] == "tagging":
        return "conll"
    first = start.split(b"\n", 1)[0].decode(errors="replace").strip()
    kind = "tsv" if "\t" in first else "csv"
    names = [name.strip(' "') for name in re.split("[\t,;]", first)]
    known = {str(raw) for raw in spec.get("columns") or {}}
    if spec["format"] in ("classification", "regression") and not any(
        name in known or columns.is_name(name, "text") for name in names
    ):
        return kind if columns.numbered(spec) else "text"
    return kind


def _is_row(line: bytes) -> bool:
    """Whether a line is an object that is a row, not one around rows or columns."""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    values = found.values() if isinstance(found, dict) and "data" not in found else []
    return any(not isinstance(value, (dict, list)) for value in values)


def _tokens_of(spec: dict[str, Any], kind: str) -> dict[str, str]:
    given = {raw: field for raw, field in (spec.get("columns") or {}).items() if field == "tokens"}
    return given or {"FORM" if kind == "conllu" else "1": "tokens"}


def _zip(rows: Sequence[Any], added: Added) -> list[tuple[Any, ...]]:
    return list(zip(rows, *added.values(), strict=True))


def _one_field(value: Any) -> str:
    """A value as a field that ends at a tab or a line break."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else " ".join(str(value).split("\n")).replace("\t", " ")


def _extended(objects: list[Any], added: Added) -> list[Any]:
    """Add the values to JSON objects, in place."""
    for each, *values in _zip(objects, added):
        each.update(zip(added, values, strict=True))
    return objects


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _objects(whole: Any) -> list[Any] | None:
    """The objects of a JSON document that its rows are, as `files.records` finds them."""
    if isinstance(whole, list):
        return whole
    if not isinstance(whole, dict):
        return None
    data = whole.get("data")
    if isinstance(data, list) and data and all("paragraphs" in article for article in data):
        return [q for article in data for p in article["paragraphs"] for q in p["qas"]]
    lists = [v for v in whole.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    return lists[0] if len(lists) == 1 else None


def _is_columns(whole: Any) -> bool:
    return isinstance(whole, dict) and all(isinstance(v, list) for v in whole.values())

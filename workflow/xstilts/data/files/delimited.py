"""csv and tsv: all fields are text as written, and an empty one is the only missing value.

csv is quoted as RFC 4180 has it, so a field may hold line breaks; tsv is not quoted unless asked
for, so that a lone quote is a quote. Rows are numbered as lines of the file, the header being 1; a
row that runs over several lines has the number of its first.
"""

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from xstilts.data import columns
from xstilts.data.files import content
from xstilts.running.errors import UserError

_TWICE = 'write a quote inside a quoted field twice ("")'
_Record = tuple[int, list[str]]  # the line on which a row begins, and its fields


def read(path: Path, text: str, cut: bool, kind: str, spec: dict) -> pa.Table:
    """Return all rows, columns named by the header, or by number ("1", ...) where `columns` of the
    spec has numbers: then there is no header. `cut`: the text is the beginning of the file only."""
    options = spec.get("file") or {}
    numbered = columns.numbered(spec)
    quoting = options.get("quoting", kind == "csv")
    delimiter = "\t" if kind == "tsv" else delimiter_of(text)
    found = _quoted(path, text, delimiter, cut) if quoting else _plain(text, delimiter)
    records = [(line, fields) for line, fields in found if fields not in ([], [""])]
    if not records:
        raise UserError(f"{path}: holds blank lines alone; give a file with rows, or leave it out")
    if numbered:
        names = [str(i) for i in range(1, len(records[0][1]) + 1)]
        _no_header(path, records[0][1], spec)
    else:
        names = _names(path, *records.pop(0))
        if not records:
            raise UserError(
                f"{path}: holds a header alone ({', '.join(names)}), no row; give a file with rows,"
                " or `columns` by number if it has no header"
            )
    first = "row 1" if numbered else "the header"
    for line, fields in records:
        if len(fields) != len(names):
            there = content.count(len(fields), "field")
            raise UserError(
                f"{path}: row {line}: {there}, but {first} has {len(names)}; "
                + _advice(kind, quoting, any("\n" in f for f in fields))
            )
    if quoting:
        _swallowed(path, records, delimiter)
    values = list(zip(*(fields for _, fields in records), strict=True))
    arrays = [pa.array([v or None for v in column], pa.string()) for column in values]
    return pa.Table.from_arrays(arrays, names=names)


def delimiter_of(text: str) -> str:
    """Return a comma; or where row 1 has none, the semicolon or tab that spreadsheets may write."""
    first = text.split("\n", 1)[0]
    return next((mark for mark in ",;\t" if mark in first), ",")


def _plain(text: str, delimiter: str) -> Iterator[_Record]:
    for number, line in enumerate(content.lines(text), 1):
        yield number, line.split(delimiter)


def _quoted(path: Path, text: str, delimiter: str, cut: bool) -> Iterator[_Record]:
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            yield begin, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            unclosed = str(error) == "unexpected end of data"
            if unclosed and cut:
                return  # the row goes on behind the cut
            if unclosed or reader.line_num > begin:
                raise UserError(
                    f"{path}: row {begin}: a quote opens a field here and is not closed; close it,"
                    f" or {_TWICE}"
                ) from None
            raise UserError(
                f"{path}: row {begin}: text follows the quote that ends a field; {_TWICE}"
            ) from None


def _names(path: Path, line: int, fields: list[str]) -> list[str]:
    """The names of a header, in one line each; a column without a name gets its number."""
    names = [" ".join(name.split()) or str(i) for i, name in enumerate(fields, 1)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise UserError(
            f"{path}: row {line}: two columns are named `{name}`; give each its own name"
        )
    return names


def _no_header(path: Path, first: list[str], spec: dict) -> None:
    """Refuse columns by number where row 1 has the names that the field gives to them."""
    given = {int(number): field for number, field in (spec.get("columns") or {}).items()}
    cells = [(first[n - 1], field) for n, field in given.items() if 0 < n <= len(first)]
    if cells and all(columns.is_name(cell, field) for cell, field in cells):
        said = ", ".join(f"{cell}: {field}" for cell, field in cells)
        raise UserError(
            f"{path}: row 1 is a header ({', '.join(first)}), and columns by number are for files"
            f" without one; say columns: {{{said}}}"
        )


def _advice(kind: str, quoting: bool, runs_on: bool) -> str:
    if quoting:
        return (
            f"a quoted field opens here and runs over several lines; close it, or {_TWICE}"
            if runs_on
            else "quote a field that holds the delimiter or a line break"
        )
    return (
        "a field must hold no tab and no line break; if fields are quoted here, say"
        f" `file: {{kind: {kind}, quoting: true}}`"
    )


def _swallowed(path: Path, records: list[_Record], delimiter: str) -> None:
    """Refuse a quoted field that has swallowed rows.

    Each of its lines but the last, with what stands before it, has as many fields as a row, and
    among those behind the quote one that other rows have in that column, such as a label.
    """
    broken = [record for record in records if any("\n" in field for field in record[1])]
    if not broken:
        return
    size = len(records[0][1])
    known = [{f[at] for _, f in records if f[at] and "\n" not in f[at]} for at in range(size)]
    for line, fields in broken:
        for at, field in enumerate(fields):
            cells = [piece.removesuffix("\r").split(delimiter) for piece in field.split("\n")[:-1]]
            # What stands behind the quote in its line, then whole lines; each from a column on.
            tails = [(at + 1, each[1:]) for each in cells[:1]] + [(0, each) for each in cells[1:]]
            if any(tail for _, tail in tails) and all(
                start + len(tail) == size
                and (not tail or any(cell in known[start + i] for i, cell in enumerate(tail)))
                for start, tail in tails
            ):
                raise UserError(
                    f"{path}: row {line}: a quote opens a field here and swallows what follows up"
                    f" to the next quote; close it, or {_TWICE}"
                )

"""The tables of docs/files-and-columns.md say what the readers do."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from xstilts.data import columns, files

PAGE = (Path(__file__).resolve().parents[2] / "docs/files-and-columns.md").read_text()
ROWS = [re.split(r" *\| *", line.strip("| ")) for line in PAGE.splitlines() if line[:3] == "| `"]


def quoted(text):
    return re.findall(r"`([^`]+)`", text)


def test_each_kind_of_file_is_there_with_its_names():
    kinds = {quoted(row[0])[0]: quoted(row[1]) for row in ROWS if quoted(row[0])[0] in files.KINDS}
    assert kinds.keys() == files.KINDS.keys()
    spec = {"task": "t", "format": "classification"}
    for kind, names in kinds.items():
        for name in (n for n in names if n[0] == "." and (kind, n) != ("conll", ".tsv")):
            assert files.kind_of(Path(f"/none/a{name}.gz"), spec) == kind


@pytest.mark.parametrize("row", [r for r in ROWS if len(r) == 3 and quoted(r[1])], ids=str)
def test_each_name_is_found(row):
    formats, (column, *pair) = quoted(row[0]), quoted(row[1])
    if formats[0] not in columns.FIELDS or column in ("choices", "start"):
        return
    names = row[2].split(":")[0].split(";")[0].split(", the code")[0]
    for format in formats:
        needed = [f for f in columns.FIELDS[format][0] if f not in (column, *pair)]
        groups = names.split(", ") if pair else quoted(names)
        for group in groups:
            given = quoted(group) if pair else [group]
            if len(given) < 1 + len(pair):
                continue
            schema = pa.schema([(name, pa.string()) for name in [*given, *needed]])
            spec = {"task": "t", "format": format, "lang": "de"}
            found = columns.find(schema, spec, "t")
            assert [found[c] for c in (column, *pair)] == given or column == "question", group

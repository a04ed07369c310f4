"""The rows that a prompt shows: of the label, short, and the same for the same seed."""

import pyarrow as pa
import pytest

from xstilts.data.prepare import SCHEMAS
from xstilts.generation import examples, shapes
from xstilts.generation.examples import Examples
from xstilts.running.errors import UserError

LABELS = ("no", "yes")
ROWS = [
    {"id": str(n), "text": f"t{n}", "text_pair": "p", "label": LABELS[n % 2]} for n in range(40)
]


def of(rows, format="classification", labels=LABELS, seed=1):
    shape = shapes.of(format, rows, labels, {})
    return Examples(pa.Table.from_pylist(rows, SCHEMAS[format]), shape, seed)


def test_examples_are_of_the_label_and_differ_by_prompt_and_seed():
    drawn = [[row["id"] for row in of(ROWS).draw(number, "yes", 3)] for number in range(5)]
    assert all(int(one) % 2 for ids in drawn for one in ids)
    assert all(len(set(ids)) == 3 for ids in drawn)
    assert len({tuple(ids) for ids in drawn}) > 1
    assert drawn == [[r["id"] for r in of(ROWS).draw(number, "yes", 3)] for number in range(5)]
    assert drawn != [[r["id"] for r in of(ROWS, seed=2).draw(n, "yes", 3)] for n in range(5)]


def test_all_rows_where_there_are_fewer():
    assert sorted(row["id"] for row in of(ROWS[:4]).draw(0, "no", 3)) == ["0", "2"]


def test_what_is_too_long_is_not_shown(monkeypatch):
    monkeypatch.setattr(examples, "LONGEST", 10)
    long = {"id": "9", "text": "x" * 11, "text_pair": "p", "label": "no"}
    assert {row["id"] for n in range(20) for row in of([*ROWS[:4], long]).draw(n, "no", 3)} == {
        "0", "2",
    }  # fmt: skip


def test_rows_without_an_answer_are_not_shown():
    rows = [
        {"id": str(n), "question": "q", "context": "a b",
         "answers": {"text": ["b"] * n, "start": [2] * n}}
        for n in range(2)
    ]  # fmt: skip
    assert [row["id"] for row in of(rows, "span", ()).draw(0, None, 2)] == ["1"]


def test_a_label_without_rows():
    with pytest.raises(UserError, match="no English train row of the label `so` to show"):
        of(ROWS, labels=("no", "yes", "so"))
    with pytest.raises(UserError, match="there are no English train rows to show"):
        of([])

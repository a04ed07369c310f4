"""Which rows of targets stand in train rows: by hand, and against sets of words."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data import overlap
from xstilts.data.overlap import RUN, Overlap
from xstilts.data.prepare import SCHEMAS

THIRTEEN = "one two three four five six seven eight nine ten eleven twelve thirteen"
TRAIN = {"question": "Where is Anna?", "context": f"Zero, {THIRTEEN.upper()} fourteen."}


def span(question="Who?", context="Nothing."):
    return {"question": question, "context": context}


def found(rows, train=(TRAIN,), format="span", of="span"):
    return overlap.overlaps((of, [train]), {"t": (format, rows)})["t"]


def test_every_row_is_counted_once_by_what_it_has_in_common():
    rows = [
        span("where is anna"),  # signs and capitals do not matter
        span(context=f"So: {THIRTEEN}!"),
        span("Where is Anna?", THIRTEEN),
        span("Where is Anna now?", THIRTEEN.replace("seven", "7")),
        span("", ""),
    ]
    assert found(rows) == Overlap(rows=5, question=2, context=2, either=3)


def test_a_run_does_not_go_on_from_one_text_into_the_next():
    head, tail = THIRTEEN.split(" seven ")
    apart = [span(context=head), span(context=f"seven {tail}")]
    assert found([span(context=THIRTEEN)], apart).context == 0
    assert found(apart, [span(context=THIRTEEN)]).context == 0


@pytest.mark.parametrize(
    ("format", "row"),
    [
        ("classification", {"text": "Where is", "text_pair": "Anna?"}),
        ("regression", {"text": "Where is Anna?", "text_pair": None}),
        ("choice", {"context": "Where is Anna?", "choices": ["x", THIRTEEN]}),
        ("tagging", {"tokens": ["Where", "is", "Anna", "?"]}),
        ("retrieval", {"text": "where is Anna"}),
    ],
)
def test_every_format_has_a_question(format, row):
    counted = found([row], format=format)
    assert (counted.question, counted.context) == (1, int(format == "choice"))
    assert found([span("Where is Anna")], [row], of=format).question == 1
    assert set(overlap.COLUMNS) == set(SCHEMAS) - {"images"}


def test_nothing_of_nothing():
    assert found([], []) == Overlap(0, 0, 0, 0)
    assert found([span()], []) == Overlap(1, 0, 0, 0)
    assert found([span("", "")], [span("", "")]) == Overlap(1, 0, 0, 0)


def test_a_file_is_read_in_batches(tmp_path, monkeypatch):
    rows = [{"id": str(i), **span(f"Who is {i}?"), "answers": None} for i in range(5)]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMAS["span"]), tmp_path / "rows.parquet")
    monkeypatch.setattr(overlap, "BATCH", 2)
    batches = list(overlap.batches(tmp_path / "rows.parquet", "span"))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    targets = {"a": ("span", rows[3:]), "b": ("span", [span("Who is 9?")])}
    assert overlap.overlaps(("span", batches), targets) == {
        "a": Overlap(2, 2, 0, 2), "b": Overlap(1, 0, 0, 0),
    }  # fmt: skip


SHORT = st.lists(st.sampled_from("ab"), max_size=RUN + 3).map(" ".join)
ROWS = st.lists(st.builds(span, st.sampled_from(["", "a", "b a"]), SHORT), max_size=6)


@given(ROWS, ROWS)
def test_as_by_sets_of_words(rows, train):
    def runs(text):
        words = text.split()
        return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}

    questions = {row["question"] for row in train}
    there = set().union(*(runs(row["context"]) for row in train))
    asked = [bool(row["question"]) and row["question"] in questions for row in rows]
    read = [bool(runs(row["context"]) & there) for row in rows]
    either = sum(map(max, asked, read)) if rows else 0
    assert found(rows, train) == Overlap(len(rows), sum(asked), sum(read), either)

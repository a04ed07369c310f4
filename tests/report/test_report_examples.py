"""Examples of predictions: which are chosen, and what is shown of each format."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests import results

from xstilts.data import prepare
from xstilts.report import examples


def test_the_first_wrong_ones_then_the_first_right_ones():
    values = [1.0, 0.5, 1.0, 0.0, 0.0, 1.0]
    rows = [{"id": str(i), "prediction": "p", "value": v} for i, v in enumerate(values)]
    assert [row["id"] for row in examples.choose(rows, 2)] == ["1", "3", "0", "2"]
    assert [row["id"] for row in examples.choose(rows[:1], 2)] == ["0"]


def test_of_numbers_the_farthest_then_the_nearest():
    rows = [{"id": str(i), "prediction": "1", "value": v} for i, v in enumerate([0.9, 0.2, 1.0])]
    assert [row["id"] for row in examples.choose(rows, 1, numbers=True)] == ["1", "2"]
    assert [row["id"] for row in examples.choose(rows, 2, numbers=True)] == ["1", "0", "2"]


LONG = "a" * 150
ROWS = {"t1": {"text": "ein Hund"}, "t2": {"text": "eine Katze"}}


@pytest.mark.parametrize(
    ("row", "prediction", "texts"),
    [
        (
            {"text": "one", "text_pair": "two", "label": "neutral"},
            "entailment",
            [("text", "one"), ("pair", "two"), ("gold", "neutral"), ("predicted", "entailment")],
        ),
        (
            {"text": "one", "text_pair": None, "label": "1"},
            "1",
            [("text", "one"), ("gold", "1"), ("predicted", "1")],
        ),
        (
            {"text": "one", "text_pair": "two", "label": 3.0},
            "2.7182817",
            [("text", "one"), ("pair", "two"), ("gold", "3"), ("predicted", "2.718")],
        ),
        (
            {"tokens": ["a", "dog"], "tags": ["DET", "NOUN"]},
            "DET VERB",
            [("gold", "a/DET dog/NOUN"), ("errors", "dog: NOUN, not VERB")],
        ),
        (
            {"tokens": ["a"], "tags": ["DET"]},
            "DET",
            [("gold", "a/DET"), ("errors", "none")],
        ),
        (
            {
                "question": "Who?",
                "context": f"{LONG}Ann{LONG}",
                "answers": {"text": ["Ann", "Ann"], "start": [150, 150]},
            },
            "Bob",
            [
                ("question", "Who?"),
                ("context", f"… {'a' * 110}Ann{'a' * 110} …"),
                ("gold", "Ann"),
                ("predicted", "Bob"),
            ],
        ),
        (
            {"question": "Who?", "context": "Ann.", "answers": {"text": [], "start": []}},
            "",
            [
                ("question", "Who?"),
                ("context", "Ann."),
                ("gold", "(no answer)"),
                ("predicted", "(no answer)"),
            ],
        ),
        (
            {"side": "source", "text": "a dog", "gold": "t1"},
            "t2",
            [("text", "a dog"), ("gold", "ein Hund"), ("predicted", "eine Katze")],
        ),
        (
            {"side": "source", "text": "a dog", "gold": None},
            "",
            [("text", "a dog"), ("gold", "(none)"), ("predicted", "(none)")],
        ),
        (
            {"side": "source", "text": "a dog", "gold": None, "golds": ["t1", "t2"]},
            '["t2", "t1"]',
            [("text", "a dog"), ("gold", "ein Hund (and 1 more)"), ("predicted", "eine Katze")],
        ),
        (
            {"text": "who", "text_pair": "a dog", "group": None},
            "[]",
            [("text", "who"), ("gold", "a dog"), ("predicted", "(none)")],
        ),
        (
            {"context": "It rains.", "choices": ["wet", "dry"], "label": 0},
            "1",
            [("context", "It rains."), ("gold", "wet"), ("predicted", "dry")],
        ),
    ],
    ids=[
        "pair",
        "text",
        "number",
        "tags",
        "all tags",
        "span",
        "no answer",
        "sentence",
        "no pair",
        "candidates",
        "passage",
        "choice",
    ],
)
def test_what_is_shown_of_a_row(row, prediction, texts):
    assert examples.texts(row, ROWS, prediction) == texts


def test_a_long_text_is_truncated():
    assert examples.truncate("a" * 240) == "a" * 240
    assert examples.truncate("a" * 241) == "a" * 239 + "…"


def test_the_examples_of_a_file_in_full(tmp_path):
    results.write(tmp_path)
    score = tmp_path / "results/scores/m/none/noseed/tatoeba/de.json"
    data = tmp_path / "results/data/tatoeba/de.dev.parquet"
    assert examples.of_language(score, data, examples.RowCache(), 1) == [
        {
            "right": False,
            "value": 0.0,
            "shown": [["text", "a cat"], ["gold", "eine Katze"], ["predicted", "ein Hund"]],
        },
        {
            "right": True,
            "value": 1.0,
            "shown": [["text", "a dog"], ["gold", "ein Hund"], ["predicted", "ein Hund"]],
        },
    ]


def test_examples_of_candidates_of_all_languages_are_read_from_their_file(tmp_path):
    about = {"spec": {"pool": {"pool": "all"}}}
    row = {"id": "q", "side": "source", "text": "wer", "gold": None, "lang": "de"}
    row["golds"] = ["c0", "c1"]  # that of its own language is the one that is shown
    pool = [{"id": f"c{n}", "side": "target", "text": f"text {n}", "lang": lang}
            for n, lang in enumerate(["ar", "de", "en"])]  # fmt: skip
    prepare.write(tmp_path / "de.dev.parquet", [row], "retrieval", about)
    prepare.write(tmp_path / "pool.dev.parquet", pool, "retrieval", about)
    found = {"id": ["q"], "prediction": ['["c2", "c1"]'], "value": [0.5]}
    pq.write_table(pa.table(found), tmp_path / "de.parquet")
    cache = examples.RowCache()
    (one,) = examples.of_language(tmp_path / "de.json", tmp_path / "de.dev.parquet", cache, 1)
    assert one["shown"] == [
        ["text", "wer"],
        ["gold", "text 1 (and 1 more)"],
        ["predicted", "text 2"],
    ]


def test_the_examples_of_a_file_of_numbers_in_full(tmp_path):
    numbers = (("a", 0.0, "1.0", 0.8), ("b", 5.0, "4.75", 0.95), ("c", 2.0, "5.0", 0.4))
    rows = [{"id": i, "text": i, "text_pair": None, "label": gold} for i, gold, _, _ in numbers]
    prepare.write(tmp_path / "rows.parquet", rows, "regression", {})
    table = {
        "id": [i for i, *_ in numbers],
        "prediction": [predicted for *_, predicted, _ in numbers],
        "value": [value for *_, value in numbers],
    }
    pq.write_table(pa.table(table), tmp_path / "de.parquet")
    found = examples.of_language(
        tmp_path / "de.json", tmp_path / "rows.parquet", examples.RowCache(), 1
    )
    assert found == [
        {
            "right": False,
            "value": 0.4,
            "shown": [["text", "c"], ["gold", "2"], ["predicted", "5"]],
            "error": "3",
        },
        {
            "right": True,
            "value": 0.95,
            "shown": [["text", "b"], ["gold", "5"], ["predicted", "4.75"]],
            "error": "0.25",
        },
    ]


def test_without_the_rows_an_example_is_an_id(tmp_path):
    results.write(tmp_path)
    score = tmp_path / "results/scores/m/none/seed1/xnli/de.json"
    found = examples.of_language(score, tmp_path / "none.parquet", examples.RowCache(), 1)
    assert found[0]["shown"] == [["row", "1"], ["predicted", "neutral"]]
    score.with_suffix(".parquet").write_bytes(b"no parquet")
    assert examples.of_language(score, tmp_path / "none.parquet", examples.RowCache(), 1) == []

"""Shapes of values as data sets publish them, and what a split's gold says as a whole."""

import pytest

from xstilts.data import annotations, shapes
from xstilts.running.errors import UserError

ONE = {"text": ["1856"], "start": [19]}


@pytest.mark.parametrize(
    ("answers", "start", "found"),
    [
        ({"text": ["1856"], "answer_start": [19]}, None, ONE),
        ({"text": ["1856"], "start": [19]}, None, ONE),
        ({"text": "1856", "answer_start": 19}, None, ONE),
        ([{"text": "1856", "answer_start": 19}], None, ONE),
        ([{"text": 1856, "answer_start": "19"}, None], None, ONE),
        ("{'text': ['1856'], 'answer_start': [19]}", None, ONE),
        ('[{"text": "1856", "answer_start": 19}]', None, ONE),
        ("1856", "19", ONE),
        (["1856"], [19], ONE),
        ("1856", None, {"text": ["1856"], "start": [-1]}),
        ("[sic]", 3, {"text": ["[sic]"], "start": [3]}),
        ({"text": [], "answer_start": []}, None, {"text": [], "start": []}),
        ([], None, {"text": [], "start": []}),
        (None, None, {"text": [], "start": []}),
        ("", None, {"text": [], "start": []}),
    ],
)
def test_answers(answers, start, found):
    row = {
        "question": "?",
        "context": "Tesla was born in 1856.",
        "answers": answers,
        "start": start,
    }
    assert shapes.span(row)["answers"] == found


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"context": " Why? ", "choices": ["a", " b "]}, ("Why?", ["a", "b"], None)),
        ({"context": "He left.", "question": "Why?", "choices": ["a", "b"]},
         ("He left. Why?", ["a", "b"], None)),
        ({"context": "Why?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}},
         ("Why?", ["a", "b"], ["A", "B"])),
        ({"context": "Why?", "choices": [{"label": 1, "text": "a"}, {"label": 2, "text": "b"}]},
         ("Why?", ["a", "b"], ["1", "2"])),
        ({"context": "Why?", "choices": "{'text': ['a', 'b'], 'label': ['A', 'B']}"},
         ("Why?", ["a", "b"], ["A", "B"])),
        ({"context": "Why?", "choices": ["a", "b", None]}, ("Why?", ["a", "b"], None)),
    ],
)  # fmt: skip
def test_choices(row, found):
    row = shapes.choice(row)
    assert (row["context"], row["choices"], row["keys"]) == found


def test_a_question_that_holds_its_choices():
    question = {"stem": "Why?", "choices": [{"text": "a", "label": "A"}]}
    row = shapes.choice({"context": question, "choices": question, "label": "A"})
    assert row == {"context": "Why?", "choices": ["a"], "keys": ["A"], "label": "A"}


@pytest.mark.parametrize(
    ("tokens", "tags", "found"),
    [
        (["a", "b"], ["X", "Y"], (["a", "b"], ["X", "Y"])),
        ("a b", "X  Y", (["a", "b"], ["X", "Y"])),
        ('["a b", "c"]', "['X', 'Y']", (["a b", "c"], ["X", "Y"])),
        ([1, None], [0, 1], (["1", ""], [0, 1])),
        (None, None, ([], [])),
        ("[", "X", (["["], ["X"])),
    ],
)
def test_tokens_and_tags(tokens, tags, found):
    row = shapes.tagging({"tokens": tokens, "tags": tags})
    assert (row["tokens"], row["tags"]) == found


def test_sides():
    sides = shapes.retrieval("de")
    pair = [{"side": "source", "text": "Ja."}, {"side": "target", "text": "Yes."}]
    assert sides({"source": "Ja. ", "target": "Yes."}) == pair
    assert sides({k: {"en": "Yes.", "de": "Ja."} for k in ("source", "target")}) == pair
    assert sides({"id": 7, "source": "Ja.", "target": None}) == [
        {"side": "source", "text": "Ja.", "id": "7.source"},
        {"side": "target", "text": None, "id": "7.target"},
    ]
    row = {"side": "source", "id": "a", "text": "Ja."}
    assert sides(row) == row


def test_numbers_become_text():
    assert shapes.of({"format": "mlm"})({"text": 1.5}) == {"text": "1.5"}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1, 0, -1, None], ["1", "0", None, None]),
        ([1.0, 0.0, float("nan")], ["1", "0", None]),
        ([1.0, 0.5], ["1.0", "0.5"]),
        ([True, False], ["true", "false"]),
        (["NA", "None", "1.0", "-1", ""], ["NA", "None", "1.0", "-1", None]),
    ],
)
def test_names_of_labels(values, names):
    assert annotations.names(values) == names


@pytest.mark.parametrize(
    ("labels", "keys", "found"),
    [
        ([0, 2, -1], None, [0, 2, None]),
        ([1, 3, 2], None, [0, 2, 1]),
        (["1", "3", ""], None, [0, 2, None]),
        ([1.0, 0.0], None, [1, 0]),
        (["A", "c", None], None, [0, 2, None]),
        (["x", "z"], None, [0, 2]),
        (["A", "3"], [["A", "B", "C"], ["1", "2", "3"]], [0, 2]),
        (["7"], [["5", "6", "7"]], [2]),
        ([0, 4], None, [0, 4]),
        ([1, 3, 4], None, [0, 2, 3]),
    ],
)
def test_the_number_of_a_choice(labels, keys, found):
    rows = [{"id": "7", "choices": ["x", "y", "z"], "label": label} for label in labels]
    for row, names in zip(rows, keys or [], strict=False):
        row["keys"] = names
    annotations.choices("mine", rows)
    assert [row["label"] for row in rows] == found


def test_a_label_that_is_no_choice():
    with pytest.raises(UserError) as caught:
        annotations.choices("mine", [{"id": "7", "choices": ["x", "y"], "label": "w"}])
    assert str(caught.value) == (
        "task mine: row 7: the label `w` is not the number, the letter or the text of one of its 2"
        " choices"
    )


def answered(context, *answers):
    texts, starts = [t for t, _ in answers], [s for _, s in answers]
    return {"context": context, "answers": {"text": texts, "start": starts}}


def test_offsets_in_bytes_are_read_where_all_fit():
    rows = [answered("Он ел суп. суп", ("суп", 10)), answered("a b", ("b", 2)), answered("é")]
    assert annotations.offsets(rows)
    assert [row["answers"]["start"] for row in rows] == [[6], [2], []]


@pytest.mark.parametrize(
    "rows",
    [
        [answered("Он ел суп.", ("суп", 6))],
        [answered("Он ел суп.", ("суп", 10)), answered("a b", ("b", 1))],
        [answered("aaa", ("a", 2))],
        [answered("é", ("é", 5)), answered("é", ("", 0))],
        [answered(None, ("é", 0))],
    ],
)
def test_offsets_stay_where_they_fit_as_characters_or_some_do_not_fit_as_bytes(rows):
    before = [list(row["answers"]["start"]) for row in rows]
    assert not annotations.offsets(rows)
    assert [row["answers"]["start"] for row in rows] == before


@pytest.mark.parametrize(
    ("format", "rows", "value"),
    [
        ("classification", [{"label": "a"}, {"label": "a"}], "a"),
        ("classification", [{"label": "a"}, {"label": "b"}], None),
        ("classification", [{"label": "a"}], None),
        ("choice", [{"label": 0}, {"label": 0}], "0"),
        ("tagging", [{"tags": ["O", "O"]}, {"tags": ["O"]}], "O"),
        ("tagging", [{"tags": ["O", "X"]}, {"tags": ["O"]}], None),
        ("span", [{"answers": {}}, {"answers": {}}], None),
    ],
)
def test_a_gold_of_one_value(format, rows, value):
    assert annotations.one_value(format, rows) == value

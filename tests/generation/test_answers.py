"""Answers of a decoder: the row of each format in full, and every reason why there is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.generation import answers, shapes
from xstilts.generation.answers import REASONS, parse

LABELS = ("entailment", "neutral", "contradiction")
PAIR = {"text": "A man eats.", "text_pair": "He eats.", "label": "entailment"}
CHOICE = {"context": "She fell. What next?", "choices": ["she slept", "she cried"], "label": 1}
SPAN = {
    "question": "Who came?", "context": "Then Anna came.",
    "answers": {"text": ["Anna"], "start": [5]},
}  # fmt: skip
NAMES = {"text": "premise", "text_pair": "hypothesis"}
NLI = shapes.of("classification", [PAIR], LABELS, NAMES)
SHAPES = {
    "single": shapes.of("classification", [{**PAIR, "text_pair": None}], ("good", "bad"), {}),
    "choice": shapes.of("choice", [CHOICE], (), {"right": "best"}),
    "span": shapes.of("span", [SPAN], (), {}),
}


def written(**values):
    return json.dumps(values, ensure_ascii=False)


def test_a_row_is_shown_as_it_is_asked_for():
    assert shapes.shown(PAIR, NLI) == {
        "label": "entailment", "premise": "A man eats.", "hypothesis": "He eats.",
    }  # fmt: skip
    assert shapes.shown(CHOICE, SHAPES["choice"]) == {
        "context": "She fell. What next?", "best": "she cried", "wrong": ["she slept"],
    }  # fmt: skip
    assert shapes.shown(SPAN, SHAPES["span"]) == {
        "context": "Then Anna came.", "question": "Who came?", "answer": "Anna",
    }  # fmt: skip
    assert SHAPES["choice"].labels == (0, 1) and SHAPES["span"].labels == (None,)


def test_what_is_shown_is_read_as_the_same_row():
    for row, shape, label in (
        (PAIR, NLI, "entailment"),
        (CHOICE, SHAPES["choice"], 1),
        (SPAN, SHAPES["span"], None),
        ({**PAIR, "text_pair": None, "label": "good"}, SHAPES["single"], "good"),
    ):
        assert parse(json.dumps(shapes.shown(row, shape)), True, shape, label) == row


def test_spaces_and_a_fence_are_let_through():
    text = written(label="neutral", premise=" Er isst. ", hypothesis="Er kocht.")
    row = {"text": "Er isst.", "text_pair": "Er kocht.", "label": "neutral"}
    assert parse(f"\n```json\n{text}\n```\n", True, NLI, "neutral") == row


@pytest.mark.parametrize("label", [0, 1])
def test_the_right_choice_is_put_where_it_was_asked_for(label):
    text = written(context="c", best="right", wrong=["wrong"])
    made = parse(text, True, SHAPES["choice"], label)
    assert made["choices"][label] == "right" and made["label"] == label


GOOD = {"label": "neutral", "premise": "a", "hypothesis": "b"}


@pytest.mark.parametrize(
    "text, reason",
    [
        (f"Here it is: {written(**GOOD)}", "not JSON"),
        (f"{written(**GOOD)} {written(**GOOD)}", "not JSON"),
        ('{"label": "neutral", "premise": "a", "premise": "b", "hypothesis": "c"}', "not JSON"),
        (written(**GOOD)[:-1], "not JSON"),
        ("[]", "not JSON"),
        (written(label="neutral", premise="a"), "other fields"),
        (written(**GOOD, genre="x"), "other fields"),
        (written(**GOOD | {"premise": 3}), "not text"),
        (written(**GOOD | {"premise": ["a"]}), "not text"),
        (written(**GOOD | {"hypothesis": " "}), "empty"),
        (written(**GOOD | {"label": "Neutral"}), "another label"),
        (written(**GOOD | {"label": "entailment"}), "another label"),
        (written(**GOOD | {"hypothesis": "A"}), "texts are alike"),
        (written(**GOOD | {"premise": "Shown", "hypothesis": "too"}), "copy of an example"),
    ],
)
def test_why_there_is_no_row(text, reason):
    shown = {answers.key({"label": "x", "text": "shown", "text_pair": "Too"})}
    assert parse(text, True, NLI, "neutral", shown) == reason


def test_why_there_is_no_row_of_other_formats():
    choice, span = SHAPES["choice"], SHAPES["span"]
    assert parse(written(**GOOD), False, NLI, "neutral") == "cut off"
    alike = "choices are alike"
    pairs = (
        (["a", "b"], alike),
        (["Right"], alike),
        ([], alike),
        ("a", "not text"),
        ([""], "empty"),
    )
    for wrong, reason in pairs:
        text = written(context="c", best="right", wrong=wrong)
        assert parse(text, True, choice, 0) == reason
    text = written(context="Then Anna came.", question="Who?", answer="anna")
    assert parse(text, True, span, None) == "answer is not in the context"


@given(st.text(), st.sampled_from([NLI, *SHAPES.values()]))
def test_any_text_is_a_row_or_a_reason(text, shape):
    found = parse(text, True, shape, shape.labels[0])
    assert found in REASONS or isinstance(found, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.data(), st.sampled_from([NLI, *SHAPES.values()]))
def test_any_values_are_a_row_or_a_reason(data, shape):
    values = {called: data.draw(JSON) for called in shape.names.values()}
    if "label" in values:
        values["label"] = shape.labels[0]
    found = parse(json.dumps(values), True, shape, shape.labels[0])
    assert found in REASONS or set(shapes.values(found, shape)) == set(shape.names)


def test_formats_that_are_not_generated():
    from xstilts.running.errors import UserError

    with pytest.raises(UserError, match="udpos_en is of format tagging, whose rows are not gener"):
        shapes.check_format("udpos_en", "tagging")

"""The grammar in place of a decoder: rows of every format in every language, and its mistakes."""

import itertools
import json
from random import Random

import pytest

from xstilts.generation import shapes, toy
from xstilts.generation.answers import parse
from xstilts.generation.rounds import Request
from xstilts.toy.languages import grammar
from xstilts.toy.lexicon import LANGUAGES
from xstilts.toy.nli import inferences

NLI = shapes.of(
    "classification", [{"text": "a", "text_pair": "b"}], ("entailment", "neutral", "contradiction"),
    {"text": "premise"},
)  # fmt: skip
SHAPES = {
    "nli": NLI,
    "twins": shapes.of("classification", [{"text": "a", "text_pair": "b"}], ("0", "1"), {}),
    "any": shapes.of("classification", [{"text": "a", "text_pair": None}], ("x", "y", "z"), {}),
    "three": shapes.of("choice", [{"choices": ["a", "b", "c"]}], (), {}),
    "five": shapes.of("choice", [{"choices": list("abcde")}], (), {}),
    "span": shapes.of("span", [{}], (), {}),
}


def asked(shape, count=12):
    return [Request(at, shape.labels[at % len(shape.labels)]) for at in range(count)]


@pytest.mark.parametrize("name", SHAPES)
def test_rows_of_every_format_in_every_language(name):
    shape = SHAPES[name]
    requests, texts = asked(shape), set()
    for lang in LANGUAGES:
        answers = toy.answers(requests, [[]] * 12, shape, lang, "1", {})
        rows = [parse(t, True, shape, r.label) for t, r in zip(answers, requests, strict=True)]
        assert all(isinstance(row, dict) for row in rows), rows
        assert answers == toy.answers(requests, [[]] * 12, shape, lang, "1", {})
        assert len(set(answers)) == 12
        texts |= set(answers)
    assert len(texts) == 12 * len(LANGUAGES)


def labels_of(answers):
    """Answers in German, each as what is said of its label and what that is."""
    truth = {}
    for item in itertools.islice(inferences(Random("1")), 200):
        pair = tuple(grammar("de").sentence(form).text for form in (item.premise, item.hypothesis))
        truth[pair] = item.label
    found = map(json.loads, answers)
    return [(one["label"], truth[one["premise"], one["text_pair"]]) for one in found]


def test_a_label_is_right():
    answers = toy.answers(asked(NLI, 30), [[]] * 30, NLI, "de", "1", {})
    assert all(said == true for said, true in labels_of(answers))


@pytest.mark.parametrize("kind", toy.MISTAKES)
def test_each_mistake_is_made_where_it_is_asked_for(kind):
    requests, shown = asked(NLI, 30), [[{"label": "neutral", "premise": "s"}]] * 30
    wrong = toy.answers(requests, shown, NLI, "de", "1", {kind: 1.0})
    if kind == "unparsed":
        assert {parse(t, True, NLI, r.label) for t, r in zip(wrong, requests, strict=True)} == {
            "not JSON"
        }
    elif kind == "copy":
        assert set(map(str, map(json.loads, wrong))) == {str(shown[0][0])}
    elif kind == "english":
        english = toy.answers(requests, shown, NLI, "en", "1/en", {})
        assert wrong == english
    else:
        assert all(said != true for said, true in labels_of(wrong))


@pytest.mark.parametrize("name", ["three", "span"])
def test_a_wrong_answer_of_what_has_no_label(name):
    requests = asked(SHAPES[name])
    plain, wrong = (
        toy.answers(requests, [[]] * 12, SHAPES[name], "de", "1", mistakes)
        for mistakes in ({}, {"label": 1.0})
    )
    for one, other in zip(map(json.loads, plain), map(json.loads, wrong), strict=True):
        assert one["context"] == other["context"] and one != other

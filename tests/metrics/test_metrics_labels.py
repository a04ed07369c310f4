"""Macro F1 and Matthews' correlation: by hand, and equal to scikit-learn's."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.metrics import labels

LABELS = st.sampled_from("abcd")
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=40).map(
    lambda pairs: tuple(map(list, zip(*pairs, strict=True)))
)


def test_accuracy_by_hand():
    gold = ["entailment", "neutral", "neutral"]
    assert labels.accuracy(gold, ["entailment", "neutral", "contradiction"]) == {"accuracy": 2 / 3}


def test_macro_f1_by_hand():
    # a: 1 of 2 found, and right: 2/3. b: found once, right once of two: 2/3. c: 0, never found.
    gold, predicted = ["a", "a", "b", "c"], ["a", "b", "b", "b"]
    assert labels.macro_f1(gold, predicted) == {
        "accuracy": 0.5, "macro_f1": pytest.approx((2 / 3 + 1 / 2 + 0) / 3),
    }  # fmt: skip


def test_a_label_that_is_nowhere_does_not_count_and_one_that_is_predicted_alone_does():
    assert labels.macro_f1(["a", "a"], ["a", "a"])["macro_f1"] == 1.0, "whatever the task's labels"
    assert labels.macro_f1(["a", "a"], ["a", "b"])["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_matthews_by_hand():
    # Of two labels it is (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)): 2 1 1 1.
    gold, predicted = ["y", "y", "y", "n", "n"], ["y", "y", "n", "y", "n"]
    assert labels.matthews(gold, predicted) == {
        "accuracy": 0.6, "matthews": pytest.approx((2 * 1 - 1 * 1) / 6),
    }  # fmt: skip
    assert labels.matthews(["y", "n"], ["n", "y"])["matthews"] == -1.0


def test_matthews_of_one_label_alone_is_zero():
    for gold, predicted in ((["y", "n"], ["y", "y"]), (["y", "y"], ["y", "n"]), (["y"], ["y"])):
        assert labels.matthews(gold, predicted)["matthews"] == 0.0


@given(PAIRS)
def test_they_equal_scikit_learn(pairs):
    from sklearn.metrics import f1_score, matthews_corrcoef

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f1 = f1_score(*pairs, average="macro", zero_division=0)
        correlation = matthews_corrcoef(*pairs)
    assert labels.macro_f1(*pairs)["macro_f1"] == pytest.approx(f1, abs=1e-12)
    assert labels.matthews(*pairs)["matthews"] == pytest.approx(correlation, abs=1e-12)

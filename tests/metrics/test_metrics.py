"""Every metric by its name, and those that are counted on one hand; the others in tests/metrics."""

import pathlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.metrics.test_metrics_qa import QUESTIONS
from tests.metrics.test_metrics_tagging import IOBES, UPOS, tag_pairs

from xstilts import metrics

EXAMPLES = {  # metric -> gold, prediction that is perfect for it
    "accuracy": (["a", "b"], ["a", "b"]),
    "macro_f1": (["a", "b"], ["a", "b"]),
    "matthews": (["a", "b"], ["a", "b"]),
    "pearson": ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
    "spearman": ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
    "retrieval": ([4, 2], [4, 2]),
    "tagging": ([["B-PER", "O"], ["NOUN"]], [["B-PER", "O"], ["NOUN"]]),
    "squad": ([["Paris", "in Paris"], []], ["Paris", ""]),
    "squad2": ([["Paris", "in Paris"], []], ["Paris", ""]),
    "squad_f1": ([["Paris", "in Paris"], []], ["Paris", ""]),
    "told": ([2, 1], [2, 1]),  # hidden pieces, and those told
    "mlqa": ([["Paris", "in Paris"], ["Rom"]], ["Paris", "Rom"]),
    "map20": ([["a"], ["b", "c"]], [["a", "x"], ["c", "b"]]),
    "bucc": ([("de-1", "en-7"), ("de-2", "en-4")], [("de-2", "en-4"), ("de-1", "en-7")]),
}
IDS = st.sampled_from("abc")
LABELS = st.lists(st.tuples(IDS, IDS), min_size=1)
NUMBERS = st.lists(st.tuples(*[st.floats(-9, 9, width=16)] * 2), min_size=1)
STRATEGIES = {
    **dict.fromkeys(("accuracy", "macro_f1", "matthews"), LABELS),
    **dict.fromkeys(("pearson", "spearman"), NUMBERS),
    "retrieval": st.lists(st.tuples(*[st.integers(0, 5)] * 2), min_size=1),
    "tagging": tag_pairs(IOBES + UPOS).map(lambda pair: list(zip(*pair, strict=True))),
    "squad": QUESTIONS,
    "squad2": QUESTIONS,
    "squad_f1": QUESTIONS,
    "told": st.lists(st.tuples(st.just(3), st.integers(0, 3)), min_size=1),
    "mlqa": QUESTIONS,
    "map20": st.lists(st.tuples(*[st.lists(IDS, min_size=1, unique=True)] * 2), min_size=1),
    "bucc": st.lists(st.tuples(st.tuples(IDS, IDS), st.tuples(IDS, IDS)), min_size=1),
}
ONE_EACH = sorted(metrics.METRICS.keys() - {"bucc"})  # a prediction for every gold value


def test_retrieval_by_hand():
    assert metrics.score("retrieval", [0, 1, 2, 3], [0, 2, 2, 3], "de") == {"accuracy": 0.75}


def test_mining_by_hand():
    gold = [("de-1", "en-1"), ("de-2", "en-2"), ("de-3", "en-3"), ("de-4", "en-4")]
    predicted = [("de-1", "en-1"), ("de-2", "en-3"), ("de-3", "en-3"), ("de-3", "en-3")]
    # A pair that is there twice counts once: 2 of 3 are right, of 4 that there are.
    assert metrics.score("bucc", gold, predicted, "de") == {
        "precision": 2 / 3, "recall": 0.5, "f1": pytest.approx(4 / 7),
    }  # fmt: skip
    assert metrics.score("bucc", gold, [("en-1", "de-1")], "de")["f1"] == 0.0


def test_mining_without_a_prediction_is_zero():
    assert metrics.score("bucc", [("a", "b")], [], "de") == {
        "precision": 0.0, "recall": 0.0, "f1": 0.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match="nothing to score"):
        metrics.score("bucc", [], [("a", "b")], "de")


@pytest.mark.parametrize("name", ONE_EACH)
def test_wrong_input_is_an_error(name):
    gold, predicted = EXAMPLES[name]
    with pytest.raises(ValueError, match="2 gold values but 1 predictions"):
        metrics.score(name, gold[:2], predicted[:1], "en")
    with pytest.raises(ValueError, match="nothing to score"):
        metrics.score(name, [], [], "en")


@pytest.mark.parametrize("name", metrics.METRICS)
def test_perfect_is_one(name):
    gold, predicted = EXAMPLES[name]
    metric = metrics.METRICS[name]
    values = metrics.score(name, gold, predicted, "en")
    assert values == dict.fromkeys(metric.keys, pytest.approx(1.0))
    assert metric.task_score(values) == pytest.approx(1.0)
    assert {metric.main, *metric.averaged} <= set(metric.keys)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_scores_are_in_their_range_and_ignore_the_order(name):
    lowest = -1 if name in ("matthews", "pearson", "spearman") else 0

    @given(STRATEGIES[name], st.randoms(use_true_random=False))
    def check(examples, random):
        values = metrics.score(name, *map(list, zip(*examples, strict=True)), "en")
        assert all(isinstance(v, float) and lowest <= v <= 1 for v in values.values())
        random.shuffle(examples)
        again = metrics.score(name, *map(list, zip(*examples, strict=True)), "en")
        assert again == {key: pytest.approx(value, abs=1e-9) for key, value in values.items()}

    check()


def test_question_answering_counts_as_the_mean_of_f1_and_exact_match():
    values = {"f1": 0.8, "exact_match": 0.6}
    assert metrics.METRICS["squad"].task_score(values) == pytest.approx(0.7)
    assert metrics.METRICS["mlqa"].task_score(values) == pytest.approx(0.7)


def test_importing_metrics_imports_no_scientific_library():
    code = "import sys; import xstilts.metrics; print(*sys.modules)"
    folder = pathlib.Path(metrics.__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    imported = set(ran.stdout.split())
    assert "xstilts.metrics" in imported
    assert not imported & {"numpy", "seqeval", "sklearn", "torch", "pandas"}

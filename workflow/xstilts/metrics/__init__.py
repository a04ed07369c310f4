"""Metrics equal to the official scorers: lists of gold and predicted values in, floats 0 to 1 out.

`METRICS` names every metric that a task may ask for, `score` computes one. Plain Python, because
importing seqeval costs 1.4 s a process; the tests compare this package with it.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from xstilts.metrics import counts, pairs, qa, tagging


def accuracy(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> dict[str, float]:
    """Share of predictions that equal the gold value: a label, or the id of a sentence."""
    counts.check(gold, predicted)
    return {"accuracy": counts.mean([g == p for g, p in zip(gold, predicted, strict=True)])}


class Metric(NamedTuple):
    """A metric that a task may name."""

    function: Callable[..., dict[str, float]]
    keys: tuple[str, ...]  # what it returns
    main: str  # the key to show where there is room for one
    averaged: tuple[str, ...]  # the task's score in a benchmark is the mean of these
    by_language: bool = False  # the function takes the language

    def task_score(self, values: dict[str, float]) -> float:
        """The one figure of a task, as XTREME averages it: for questions the mean of F1 and EM."""
        return counts.mean([values[key] for key in self.averaged])


_ANSWERS = ("f1", "exact_match")
METRICS = {
    "accuracy": Metric(accuracy, ("accuracy",), "accuracy", ("accuracy",)),
    "tagging": Metric(tagging.chunk_f1, ("accuracy", "f1"), "f1", ("f1",)),
    "squad": Metric(qa.squad, _ANSWERS, "f1", _ANSWERS),
    "squad2": Metric(qa.squad2, _ANSWERS, "f1", _ANSWERS),
    "mlqa": Metric(qa.mlqa, _ANSWERS, "f1", _ANSWERS, by_language=True),
    "retrieval": Metric(accuracy, ("accuracy",), "accuracy", ("accuracy",)),
    "bucc": Metric(pairs.mining_f1, ("precision", "recall", "f1"), "f1", ("f1",)),
}


def score(name: str, gold: Sequence, predicted: Sequence, language: str) -> dict[str, float]:
    """Compute the metric `name` of one language."""
    metric = METRICS[name]
    arguments = (gold, predicted, language) if metric.by_language else (gold, predicted)
    return metric.function(*arguments)

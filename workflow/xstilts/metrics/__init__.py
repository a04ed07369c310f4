"""Metrics equal to the official scorers: lists of gold and predicted values in, floats out.

They are 0 to 1, and -1 to 1 where the metric is a correlation: 1 is perfect, higher is better.

`METRICS` names every metric that a task may ask for, `score` computes one. Plain Python, because
importing seqeval costs 1.4 s a process; the tests compare this package with it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from xstilts.metrics import correlation, counts, labels, pairs, qa, ranking, tagging


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
_CORRELATIONS = ("pearson", "spearman")
METRICS = {
    "accuracy": Metric(labels.accuracy, ("accuracy",), "accuracy", ("accuracy",)),
    "macro_f1": Metric(labels.macro_f1, ("accuracy", "macro_f1"), "macro_f1", ("macro_f1",)),
    "matthews": Metric(labels.matthews, ("accuracy", "matthews"), "matthews", ("matthews",)),
    "pearson": Metric(correlation.correlations, _CORRELATIONS, "pearson", ("pearson",)),
    "spearman": Metric(correlation.correlations, _CORRELATIONS, "spearman", ("spearman",)),
    "tagging": Metric(tagging.chunk_f1, ("accuracy", "f1"), "f1", ("f1",)),
    "squad": Metric(qa.squad, _ANSWERS, "f1", _ANSWERS),
    "squad_f1": Metric(qa.squad, _ANSWERS, "f1", ("f1",)),
    "squad2": Metric(qa.squad2, _ANSWERS, "f1", _ANSWERS),
    "mlqa": Metric(qa.mlqa, _ANSWERS, "f1", _ANSWERS, by_language=True),
    "retrieval": Metric(labels.accuracy, ("accuracy",), "accuracy", ("accuracy",)),
    "map20": Metric(ranking.map20, ("map20",), "map20", ("map20",)),
    "told": Metric(labels.told, ("told",), "told", ("told",)),
    "bucc": Metric(pairs.mining_f1, ("precision", "recall", "f1"), "f1", ("f1",)),
}


def score(name: str, gold: Sequence, predicted: Sequence, language: str) -> dict[str, float]:
    """Compute the metric `name` of one language."""
    metric = METRICS[name]
    arguments = (gold, predicted, language) if metric.by_language else (gold, predicted)
    return metric.function(*arguments)

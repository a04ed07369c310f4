"""One label a row: accuracy, macro F1 and the correlation of Matthews; counts of what is right."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

from xstilts.metrics import counts


def accuracy(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> dict[str, float]:
    """Share of predictions that equal the gold value: a label, or the id of a sentence."""
    counts.check(gold, predicted)
    return {"accuracy": counts.mean([g == p for g, p in zip(gold, predicted, strict=True)])}


def macro_f1(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> dict[str, float]:
    """Accuracy, and the unweighted mean of the F1 of the labels, as scikit-learn's `f1_score`.

    The mean is over the labels that are in `gold` or in `predicted`. One that is in neither does
    not count; one that is in `predicted` alone, or never predicted, has an F1 of 0.
    """
    values = accuracy(gold, predicted)
    in_gold, in_predicted, correct = _tally(gold, predicted)
    of_label = [
        counts.f1(correct[label], in_predicted[label], in_gold[label])
        for label in in_gold | in_predicted
    ]
    return values | {"macro_f1": counts.mean(of_label)}


def matthews(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> dict[str, float]:
    """Accuracy, and the correlation of Matthews, -1 to 1, as scikit-learn's `matthews_corrcoef`.

    For more than two labels it is that of Gorodkin 2004 (Comparing two K-category assignments by a
    K-category correlation coefficient; from memory). 0 where `gold` or `predicted` has one label
    alone.
    """
    values = accuracy(gold, predicted)
    n, (in_gold, in_predicted, correct) = len(gold), _tally(gold, predicted)
    covariance = n * correct.total() - sum(k * in_predicted[label] for label, k in in_gold.items())
    spread = math.prod(
        n * n - sum(k * k for k in tally.values()) for tally in (in_gold, in_predicted)
    )
    return values | {"matthews": covariance / math.sqrt(spread) if spread else 0.0}


def told(hidden: Sequence[int], right: Sequence[int]) -> dict[str, float]:
    """Share of all hidden pieces that are told right: numbers of both a row; 0 where none is
    hidden."""
    counts.check(hidden, right)
    if not hidden:
        raise ValueError("there is nothing to score")
    return {"told": sum(right) / sum(hidden) if sum(hidden) else 0.0}


def _tally(
    gold: Sequence[Hashable], predicted: Sequence[Hashable]
) -> tuple[Counter[Hashable], Counter[Hashable], Counter[Hashable]]:
    """Return label -> how often it is in `gold`, in `predicted`, and in both at one place."""
    both = zip(gold, predicted, strict=True)
    return Counter(gold), Counter(predicted), Counter(g for g, p in both if g == p)

"""One number a row: the correlations of Pearson and of Spearman."""

import math
from collections.abc import Sequence

from xstilts.metrics import counts


def correlations(gold: Sequence[float], predicted: Sequence[float]) -> dict[str, float]:
    """Both correlations, -1 to 1, as scipy's `pearsonr` and `spearmanr`.

    Spearman's is Pearson's of the ranks, where equal numbers have the mean of their ranks. Both are
    0 where all of `gold` or all of `predicted` is one number (scipy: NaN).
    """
    counts.check(gold, predicted)
    if not gold:
        raise ValueError("there is nothing to score")
    return {
        "pearson": _correlation(gold, predicted),
        "spearman": _correlation(ranks(gold), ranks(predicted)),
    }


def ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 1 for the smallest; equal ones have their mean rank."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    found = [0.0] * len(values)
    first = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or values[order[end]] != values[order[first]]:
            for i in order[first:end]:
                found[i] = (first + 1 + end) / 2
            first = end
    return found


def _correlation(x: Sequence[float], y: Sequence[float]) -> float:
    if min(x) == max(x) or min(y) == max(y):
        return 0.0
    a, b = _unit(x), _unit(y)
    return max(-1.0, min(1.0, math.fsum(p * q for p, q in zip(a, b, strict=True))))


def _unit(values: Sequence[float]) -> list[float]:
    """Return the deviations from the mean, scaled to a vector of length 1."""
    mean = math.fsum(values) / len(values)
    deviations = [value - mean for value in values]
    length = math.hypot(*deviations)
    return [deviation / length for deviation in deviations]

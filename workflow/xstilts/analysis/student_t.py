"""Student's t without scipy: critical values, probabilities, the interval of a mean."""

import functools
import math
import statistics
from collections.abc import Sequence


@functools.cache
def critical_value(dof: int, level: float = 0.95) -> float:
    """Return the t for which Student's distribution has a share `level` between -t and t.

    By bisection of the finite sums of Abramowitz and Stegun (1964, 26.7.3 and 26.7.4).

    Args:
        dof: degrees of freedom, at least 1.
        level: above 0, below 1.
    """
    low, high = 0.0, 1.0
    while probability_within(high, dof) < level:
        high *= 2
    for _ in range(80):  # more halvings than a float has bits
        middle = (low + high) / 2
        low, high = (middle, high) if probability_within(middle, dof) < level else (low, middle)
    return high


def probability_within(t: float, dof: int) -> float:
    """Return the probability of a value between -t and t, for t from 0 and integer dof from 1."""
    angle = math.atan(t / math.sqrt(dof))
    odd = dof % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for i in range(1 + odd, dof, 2):  # sin times 1 + cos²/2 + …, or cos + 2/3 cos³ + …
        total += term
        term *= math.cos(angle) ** 2 * i / (i + 1)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Return the lower and upper bound of Student's t interval of the mean; None for one value.

    The mean plus or minus t times the standard error (sample deviation over root n), which holds if
    the values are drawn independently from a normal distribution.
    """
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    standard_error = statistics.stdev(values) / math.sqrt(len(values))
    margin = critical_value(len(values) - 1, level) * standard_error
    return mean - margin, mean + margin

"""How sure a mean over few seeds is: Student's t, without scipy."""

import functools
import math
import statistics
from collections.abc import Sequence


@functools.cache
def student_t(freedom: int, level: float = 0.95) -> float:
    """Return the t that a share `level` of Student's distribution lies within, on both sides of 0.

    By bisection of the finite sums of Abramowitz and Stegun (1964, 26.7.3 and 26.7.4).

    Args:
        freedom: degrees of freedom, at least 1.
        level: above 0, below 1.
    """
    low, high = 0.0, 1.0
    while within(high, freedom) < level:
        high *= 2
    for _ in range(80):  # more halvings than a float has bits
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, freedom) < level else (low, middle)
    return high


def within(t: float, freedom: int) -> float:
    """Return the probability of a value from -t to t, for t from 0 and whole degrees of freedom."""
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for i in range(1 + odd, freedom, 2):  # sin times 1 + cos²/2 + …, or cos + 2/3 cos³ + …
        total += term
        term *= math.cos(angle) ** 2 * i / (i + 1)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Return the lower and upper end of Student's t interval of the mean; None of a single value.

    The mean plus or minus t times the standard error (sample deviation over root n), which holds if
    the values are drawn independently from a normal distribution.
    """
    if len(values) < 2:
        return None
    mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    reach = student_t(len(values) - 1, level) * error
    return mean - reach, mean + reach

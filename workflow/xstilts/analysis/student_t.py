"""Student's t: critical values, probabilities, the interval of a mean."""

import math
import statistics
from collections.abc import Sequence

from scipy import special


def critical_value(dof: float, level: float = 0.95) -> float:
    """Return the t for which Student's distribution has a share `level` between -t and t.

    Args:
        dof: degrees of freedom, above 0; may be infinite, or no whole number.
        level: above 0, below 1.
    """
    return quantile(dof, 0.5 + level / 2)


def quantile(dof: float, probability: float) -> float:
    """Return the t below which Student's distribution has some probability."""
    if math.isinf(dof):
        return float(special.ndtri(probability))
    return float(special.stdtrit(dof, probability))


def probability_within(t: float, dof: float) -> float:
    """Return the probability of a value between -t and t, for t from 0."""
    tail = special.ndtr(-t) if math.isinf(dof) else special.stdtr(dof, -t)
    return float(1 - 2 * tail)


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

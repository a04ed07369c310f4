"""Variances of a few seeds each, made surer by one another: the moderated t of Smyth 2004.

Three seeds tell little of a row's variance; the other rows of the same targets tell what variances
are like there. Each is drawn to their common value as far as they agree with each other, and gains
degrees of freedom by it. Smyth 2004, Linear models and empirical Bayes methods for assessing
differential expression in microarray experiments (Statistical Applications in Genetics and
Molecular Biology 3, article 3), section 6.2, and its implementation in limma (`fitFDist`,
`squeezeVar`); both from memory, not verified.

It departs from it where rows are a handful and not thousands of genes (`tests/bench/coverage.py`
shows what each is for):

- what is learned of the others is itself not sure, and the same in all rows: it is given on with
  degrees of freedom of its own, which are counted once where rows are summed up;
- how far rows agree is not sure either: one row more is thought to be there that differs as rows
  usually do;
- a row that is clearly noisier than the others keeps its own variance (after Phipson et al. 2016,
  Robust hyperparameter estimation, Annals of Applied Statistics 10; also from memory).
"""

from typing import NamedTuple

import numpy as np
from scipy import special

MIN_ROWS = 3  # of which a common variance is learned
MAX_DOF = 1e6  # of d0, where rows do not differ at all
NOTHING = 1e-200  # a variance below which there is none: rounding
ROUNDING = 1e-12  # of the largest variance: below it one is as good as nothing
USUAL_SPREAD = 0.5  # variance of the logarithm of a row's variance: factors of 4 are usual (2 sd)
# Probabilities of so large a variance if the row were like the others: from the first on it is
# drawn to them fully, below the second not at all.
LIKE_OTHERS, UNLIKE_OTHERS = 0.2, 0.1


class Moderated(NamedTuple):
    """Variances, and how sure they are; arrays (rows,).

    Attributes:
        dof: degrees of freedom if what was learned of the other rows were sure.
        learned: the part of the variance that was learned of them.
        learned_dof: degrees of freedom of what was learned, one number: it is the same in all rows.
    """

    variances: np.ndarray
    dof: np.ndarray
    learned: np.ndarray
    learned_dof: float


def moderate(variances: np.ndarray, dof: np.ndarray) -> Moderated:
    """Return moderated variances and their degrees of freedom.

    The variances are taken for draws of s0² F(dof, d0); d0 and s0² are fitted to the mean and
    variance of their logarithms. A moderated one is (d0 s0² + dof s²) / (d0 + dof), with d0 + dof
    degrees of freedom; those of s0² are the sum of 1 / (1 / dof + 1 / d0), because the logarithm of
    a variance varies by about 2 / dof + 2 / d0.

    Args:
        variances: array (rows,), of samples.
        dof: array (rows,), each at least 1.
    """
    if len(variances) < MIN_ROWS or not (variances > NOTHING).any():
        return Moderated(variances, dof.astype(float), np.zeros(len(variances)), np.inf)
    d0, s0 = _prior(variances, dof)
    learned_dof = float((1 / (1 / dof + 1 / d0)).sum())
    unlike = special.fdtrc(dof, min(d0, learned_dof), variances / s0)
    drawn = np.clip((unlike - UNLIKE_OTHERS) / (LIKE_OTHERS - UNLIKE_OTHERS), 0, 1)
    d0 = d0 * drawn
    learned = d0 * s0 / (d0 + dof)
    return Moderated(learned + dof * variances / (d0 + dof), d0 + dof, learned, learned_dof)


def _prior(variances: np.ndarray, dof: np.ndarray) -> tuple[float, float]:
    """Return d0, at most `MAX_DOF`, and s0²."""
    # A variance of nothing would have no logarithm; limma's bound.
    floor = 1e-5 * np.median(variances[variances > ROUNDING * variances.max()])
    logs = np.log(np.maximum(variances, floor))
    logs = logs - special.digamma(dof / 2) + np.log(dof / 2)
    sampling = special.polygamma(1, dof / 2).mean()
    squares = ((logs - logs.mean()) ** 2).sum()
    spread = (squares + USUAL_SPREAD + sampling) / len(logs) - sampling
    if spread > 0:
        d0 = min(2 * _inverse_trigamma(spread), MAX_DOF)
        return d0, float(np.exp(logs.mean() + special.digamma(d0 / 2) - np.log(d0 / 2)))
    return MAX_DOF, float((dof * variances).sum() / dof.sum())


def _inverse_trigamma(y: float) -> float:
    """Return the x > 0 whose trigamma is y > 0, by Newton's method on 1 / trigamma.

    That function is nearly linear; the start and the step are those of Smyth 2004, appendix.
    """
    if y > 1e7:
        return float(1 / np.sqrt(y))
    if y < 1e-6:
        return 1 / y
    x = 0.5 + 1 / y
    for _ in range(50):
        trigamma = special.polygamma(1, x)
        step = trigamma * (1 - trigamma / y) / special.polygamma(2, x)
        x += step
        if -step / x < 1e-8:
            break
    return float(x)

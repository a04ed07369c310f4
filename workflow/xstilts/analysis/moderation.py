"""Variances of a few seeds each, made surer by one another: the moderated t of Smyth 2004.

Three seeds tell little of a row's variance; the other rows of the same targets tell what variances
are like there. Each is drawn to their common value as far as they agree with each other, and gains
degrees of freedom by it. Smyth 2004, Linear models and empirical Bayes methods for assessing
differential expression in microarray experiments (Statistical Applications in Genetics and
Molecular Biology 3, article 3), section 6.2, and its implementation in limma (`fitFDist`,
`squeezeVar`); both from memory, not verified.
"""

import numpy as np
from scipy import special

MIN_ROWS = 3  # of which a common variance is learned


def moderate(variances: np.ndarray, dof: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return moderated variances and their degrees of freedom.

    The variances are taken for draws of s0² F(dof, d0); d0 and s0² are fitted to the mean and
    variance of their logarithms. A moderated one is (d0 s0² + dof s²) / (d0 + dof), with d0 + dof
    degrees of freedom, never more than all rows have together.

    Args:
        variances: array (rows,), of samples.
        dof: array (rows,), each at least 1.
    """
    if len(variances) < MIN_ROWS or not (variances > 0).any():
        return variances, dof.astype(float)
    # A variance of nothing would have no logarithm; limma's bound.
    floor = 1e-5 * np.median(variances[variances > 0])
    logs = np.log(np.maximum(variances, floor))
    logs = logs - special.digamma(dof / 2) + np.log(dof / 2)
    spread = logs.var(ddof=1) - special.polygamma(1, dof / 2).mean()
    if spread > 0:
        d0 = 2 * _inverse_trigamma(spread)
        s0 = np.exp(logs.mean() + special.digamma(d0 / 2) - np.log(d0 / 2))
        moderated = (d0 * s0 + dof * variances) / (d0 + dof)
    else:
        d0 = np.inf
        moderated = np.full(len(variances), (dof * variances).sum() / dof.sum())
    return moderated, np.minimum(d0 + dof, dof.sum())


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

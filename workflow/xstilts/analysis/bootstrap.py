"""Paired bootstrap over examples and seeds: the confidence interval of a difference of two rows.

The multi-bootstrap of Sellam et al. 2022 (The MultiBERTs, arXiv 2106.16163): each replicate
resamples the test examples, the same for both rows, and the seeds, of each row on its own. It
departs from it twice, because a grid has three seeds and not 25 (both from memory of Davison and
Hinkley 1997, Bootstrap Methods and their Application, not verified):

- resampling n values shows only (n - 1) / n of their variance, so the deviations of resampled seeds
  from their mean are scaled by the root of n / (n - 1);
- the replicates give a standard error, and the interval is Student's, with the degrees of freedom
  of Welch and Satterthwaite: percentiles of three seeds are far too narrow.

The interaction of seed and example is counted twice, with seeds and with examples, so intervals are
a little wide rather than narrow (Owen 2007, The pigeonhole bootstrap; from memory).
tests/analysis/test_bootstrap.py measures by how much. Languages are not resampled: the row is about
just these.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xstilts.analysis import student_t

REPLICATES = 1000
BLOCK = 50  # replicates at a time: BUCC has a million sentences
MAX_DOF = 200  # degrees of freedom; from here on Student's t is the normal distribution to 0.6%


class Means(NamedTuple):
    """A mean over examples by run (a seed of a row): of every replicate, and as observed.

    Attributes:
        resampled: array (replicates, runs).
        observed: array (runs,).
    """

    resampled: np.ndarray
    observed: np.ndarray


class Difference(NamedTuple):
    """A difference of two rows: its value, standard error and degrees of freedom."""

    value: float
    standard_error: float
    dof: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the lower and upper bound of the confidence interval."""
        margin = student_t.critical_value(self.dof, level) * self.standard_error
        return self.value - margin, self.value + margin

    def p_value(self) -> float:
        """Return the probability of a difference at least as large if the rows were equal."""
        if self.standard_error == 0:
            return 1.0 if self.value == 0 else 0.0
        t = abs(self.value) / self.standard_error
        return max(0.0, 1 - student_t.probability_within(t, self.dof))


def draw_counts(examples: int, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each example is drawn: array (replicates, examples), float32."""
    counts = [
        np.bincount(rng.integers(0, examples, examples), minlength=examples)
        for _ in range(replicates)
    ]
    return np.asarray(counts, dtype=np.float32).reshape(replicates, examples)


def resampled_means(
    values: Mapping[str, np.ndarray], ids: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> dict[str, Means]:
    """Return language -> the mean over its examples, by run.

    Examples of the same id are drawn together in all languages, because most targets are
    translations of one set; where they are not it does no harm.

    Args:
        values: language -> array (runs, examples).
        ids: language -> the id of each example.
    """
    index = {name: i for i, name in enumerate(dict.fromkeys(x for key in ids for x in ids[key]))}
    columns = {language: [index[name] for name in ids[language]] for language in values}
    observed = {
        language: array.mean(axis=1, dtype=np.float64) for language, array in values.items()
    }
    blocks: dict[str, list[np.ndarray]] = {language: [] for language in values}
    for _ in range(0, REPLICATES, BLOCK):
        all_counts = draw_counts(len(index), BLOCK, rng)
        for language, array in values.items():
            counts = all_counts[:, columns[language]]
            total = counts.sum(axis=1, keepdims=True)
            sums = counts @ array.astype(np.float32).T
            # A replicate may have no example of a very small language: it gets the observed mean.
            means = np.where(total > 0, sums / np.maximum(total, 1), observed[language])
            blocks[language].append(means)
    return {lang: Means(np.concatenate(blocks[lang]), observed[lang]) for lang in values}


def mean_over_languages(by_language: Mapping[str, Means]) -> Means:
    """Return the unweighted mean over languages."""
    languages = list(by_language.values())
    return Means(
        np.mean([means.resampled for means in languages], axis=0),
        np.mean([means.observed for means in languages], axis=0),
    )


def difference(row: Means, baseline: Means, rng: np.random.Generator) -> Difference:
    """Return how the mean over seeds of `row` differs from that of `baseline`.

    A row of one seed shows no noise of seeds: none is counted.
    """
    replicates = _resample_seeds(row, rng) - _resample_seeds(baseline, rng)
    value = float(row.observed.mean() - baseline.observed.mean())
    standard_error = float(replicates.std(ddof=1))
    variances = [_seed_variance(means) for means in (row, baseline)]
    denominator = sum(variance**2 / (n - 1) for variance, n in variances if n > 1)
    dof = standard_error**4 / denominator if denominator > 0 else float(MAX_DOF)
    return Difference(value, standard_error, int(max(1, min(dof, MAX_DOF))))


def _resample_seeds(means: Means, rng: np.random.Generator) -> np.ndarray:
    """Resample the seeds of each replicate and return their mean: array (replicates,)."""
    replicates, seeds = means.resampled.shape
    mean = means.resampled.mean(axis=1)
    if seeds == 1:
        return mean
    chosen = rng.integers(0, seeds, (replicates, seeds))
    resampled = np.take_along_axis(means.resampled, chosen, axis=1).mean(axis=1)
    return mean + (resampled - mean) * np.sqrt(seeds / (seeds - 1))


def _seed_variance(means: Means) -> tuple[float, int]:
    """Return the variance of the mean over seeds, and the number of seeds."""
    n = len(means.observed)
    return (float(means.observed.var(ddof=1)) / n if n > 1 else 0.0), n


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics).

    With a probability of 95% no false positive is below 0.05, however the tests depend on each
    other.
    """
    order = np.argsort(p_values, kind="stable")
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(p_values) - rank)))
        corrected[i] = highest
    return corrected

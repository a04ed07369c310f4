"""Paired bootstrap over examples and seeds: how sure a difference between two rows is.

The multi-bootstrap of Sellam et al. 2022 (The MultiBERTs, arXiv 2106.16163): in each replicate the
test examples are drawn anew, the same for both rows, and so are the seeds, of each row on its own.
Two departures, because a grid has three seeds and not 25 (both from memory of Davison and Hinkley
1997, Bootstrap Methods and their Application, not verified):

- drawing n values anew shows only (n - 1) / n of their variance, so deviations of drawn seeds from
  their mean are stretched by the root of n / (n - 1);
- the replicates give a standard error, and the interval is Student's, with the degrees of freedom
  of Welch and Satterthwaite: percentiles of three seeds are far too narrow.

The noise that belongs to one seed on one example is counted with both, so intervals are a little
wide rather than narrow (Owen 2007, The pigeonhole bootstrap; from memory). What that comes to is
measured in tests/analysis/test_bootstrap.py. Languages are not drawn: they are what the row is
about.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xstilts.analysis import interval

REPLICATES = 1000
BLOCK = 50  # replicates at a time: BUCC has a million sentences
MOST_FREEDOM = 200  # from here on Student's t is the normal distribution to 0.6%


class Draws(NamedTuple):
    """A mean over examples, of every replicate and of what was measured.

    Attributes:
        drawn: array (replicates, seeds).
        measured: array (seeds,).
    """

    drawn: np.ndarray
    measured: np.ndarray


class Difference(NamedTuple):
    """A difference of two rows: its value, standard error and degrees of freedom."""

    value: float
    error: float
    freedom: int

    def ends(self, level: float = 0.95) -> tuple[float, float]:
        """Return the ends of the interval that holds the true difference `level` of the time."""
        reach = interval.student_t(self.freedom, level) * self.error
        return self.value - reach, self.value + reach

    def p_value(self) -> float:
        """Return the probability of a difference at least as large if the rows were equal."""
        if self.error == 0:
            return 1.0 if self.value == 0 else 0.0
        return max(0.0, 1 - interval.within(abs(self.value) / self.error, self.freedom))


def weights(examples: int, replicates: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each example is drawn: array (replicates, examples), float32."""
    counts = [
        np.bincount(random.integers(0, examples, examples), minlength=examples)
        for _ in range(replicates)
    ]
    return np.asarray(counts, dtype=np.float32).reshape(replicates, examples)


def means(
    values: Mapping[str, np.ndarray], ids: Mapping[str, Sequence[str]], random: np.random.Generator
) -> dict[str, Draws]:
    """Return language -> the mean over its examples, drawn anew.

    Examples of the same id are drawn together in all languages, because most targets are
    translations of one set; where they are not it does no harm.

    Args:
        values: language -> array (columns, examples); a column is a seed of a row.
        ids: language -> the id of each example.

    Returns:
        language -> `Draws`, by column.
    """
    index = {name: i for i, name in enumerate(dict.fromkeys(x for key in ids for x in ids[key]))}
    columns = {language: [index[name] for name in ids[language]] for language in values}
    measured = {
        language: table.mean(axis=1, dtype=np.float64) for language, table in values.items()
    }
    parts: dict[str, list[np.ndarray]] = {language: [] for language in values}
    for _ in range(0, REPLICATES, BLOCK):
        drawn = weights(len(index), BLOCK, random)
        for language, table in values.items():
            chosen = drawn[:, columns[language]]
            total = chosen.sum(axis=1, keepdims=True)
            sums = chosen @ table.astype(np.float32).T
            # A replicate may hold none of a very small language: it counts as what was measured.
            found = np.where(total > 0, sums / np.maximum(total, 1), measured[language])
            parts[language].append(found)
    return {lang: Draws(np.concatenate(parts[lang]), measured[lang]) for lang in values}


def over_languages(found: Mapping[str, Draws]) -> Draws:
    """Return the unweighted mean over languages."""
    each = list(found.values())
    return Draws(
        np.mean([x.drawn for x in each], axis=0), np.mean([x.measured for x in each], axis=0)
    )


def difference(row: Draws, baseline: Draws, random: np.random.Generator) -> Difference:
    """Return how the mean over seeds of `row` differs from that of `baseline`.

    A row of one seed has no noise of seeds that could be seen: it counts as none.
    """
    drawn = _over_seeds(row, random) - _over_seeds(baseline, random)
    value = float(row.measured.mean() - baseline.measured.mean())
    error = float(drawn.std(ddof=1))
    shares = [_seed_variance(part) for part in (row, baseline)]
    below = sum(share**2 / (n - 1) for share, n in shares if n > 1)
    freedom = error**4 / below if below > 0 else float(MOST_FREEDOM)
    return Difference(value, error, int(max(1, min(freedom, MOST_FREEDOM))))


def _over_seeds(part: Draws, random: np.random.Generator) -> np.ndarray:
    """Draw the seeds of each replicate anew and return their mean: array (replicates,)."""
    replicates, seeds = part.drawn.shape
    mean = part.drawn.mean(axis=1)
    if seeds == 1:
        return mean
    chosen = random.integers(0, seeds, (replicates, seeds))
    again = np.take_along_axis(part.drawn, chosen, axis=1).mean(axis=1)
    return mean + (again - mean) * np.sqrt(seeds / (seeds - 1))


def _seed_variance(part: Draws) -> tuple[float, int]:
    """Return the variance of the mean that is due to seeds, and how many there are."""
    n = len(part.measured)
    return (float(part.measured.var(ddof=1)) / n if n > 1 else 0.0), n


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics).

    Those below 0.05 hold no false one with a probability of 95%, however they depend on each other.
    """
    order = np.argsort(p_values, kind="stable")
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(p_values) - rank)))
        corrected[i] = highest
    return corrected

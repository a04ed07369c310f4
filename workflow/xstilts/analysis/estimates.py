"""The estimate of a comparison of means: its standard error, its interval, its test.

What is compared is a *form*: a weighted sum of means, one a row and `Part`. Two things are random,
the examples and the seeds, as in the multi-bootstrap of Sellam et al. 2022 (The MultiBERTs, arXiv
2106.16163): an example is drawn once for all rows, languages and targets that have it, a seed of a
row once for all its targets, because they share the encoder of stage 1. For a sum of means the
variance over infinitely many replicates of that bootstrap is known, so none is drawn:

- of the examples, the sum over examples of the squared influence of each (Efron 1982, The
  Jackknife, the Bootstrap and Other Resampling Plans, chapter 6), times n / (n - 1);
- of the seeds of a row, the variance of the row's own sum over its seeds, by their number, as
  `moderation` makes it.

The interval is Student's, with the degrees of freedom of Welch and Satterthwaite. The interaction
of seed and example is counted with both, so intervals are a little wide rather than narrow (Owen
2007, The pigeonhole bootstrap). Rows, targets and languages are not drawn: an answer is about just
these. (Sources from memory; `tests/bench/coverage.py` shows what the intervals hold.)
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from xstilts.analysis import student_t
from xstilts.analysis.evidence import Evidence, Part
from xstilts.analysis.moderation import moderate

LEVEL = 0.95
SIGNIFICANCE_LEVEL = 0.05
POWER = 0.8
EXAMPLES_AND_SEEDS, EXAMPLES = "examples and seeds", "examples"  # the noise that is in an interval
# Seeds that show the noise of training. Two give one degree of freedom: Student's t is 12.7, and an
# interval that wide says nothing.
MIN_SEEDS = 3
TINY = 1e-9  # what is left of nothing by rounding
Form = Mapping[Part, np.ndarray]  # a part -> the weight of each row's mean over it


def noise_of(seeds: bool) -> str:
    """Return what an interval covers, as tables say it."""
    return EXAMPLES_AND_SEEDS if seeds else EXAMPLES


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A value, its standard error, its degrees of freedom.

    Attributes:
        seeds: whether the noise of training is in it.
    """

    value: float
    standard_error: float
    dof: float
    seeds: bool

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the lower and upper bound of the confidence interval."""
        margin = student_t.critical_value(self.dof, level) * self.standard_error
        return self.value - margin, self.value + margin

    def p_value(self) -> float:
        """Return the probability of a value at least as far from zero if the true one were zero."""
        if abs(self.value) < TINY:
            return 1.0
        if self.standard_error == 0:
            return 0.0
        t = abs(self.value) / self.standard_error
        return max(0.0, 1 - student_t.probability_within(t, self.dof))

    def detectable(self, tests: int = 1) -> float:
        """Return the smallest true value that such a test would find with a probability of 80%.

        Args:
            tests: how many share the 5% (the first step of Holm's correction).
        """
        found = student_t.critical_value(self.dof, 1 - (1 - LEVEL) / tests)
        return (found + student_t.quantile(self.dof, POWER)) * self.standard_error


def mean_form(rows: int, cells: Iterable[tuple[int, Part]]) -> dict[Part, np.ndarray]:
    """Return the mean over the parts of each (row, target), then over targets, then over rows.

    Args:
        rows: how many the evidence has.
        cells: number of a row, and what it is averaged over.
    """
    tree: dict[int, dict[str, list[Part]]] = {}
    for row, part in cells:
        tree.setdefault(row, {}).setdefault(part.target, []).append(part)
    form: dict[Part, np.ndarray] = {}
    for row, targets in tree.items():
        for parts in targets.values():
            for part in parts:
                weights = form.setdefault(part, np.zeros(rows))
                weights[row] += 1 / (len(tree) * len(targets) * len(parts))
    return form


def combine(terms: Iterable[tuple[float, Form]]) -> dict[Part, np.ndarray]:
    """Return the weighted sum of forms."""
    total: dict[Part, np.ndarray] = {}
    for factor, form in terms:
        for part, weights in form.items():
            total[part] = total[part] + factor * weights if part in total else factor * weights
    return {part: weights for part, weights in total.items() if weights.any()}


@dataclasses.dataclass(frozen=True)
class Noise:
    """What one source adds to the variance of a form, and the degrees of freedom of that."""

    variance: float
    dof: float


def satterthwaite(noises: Iterable[Noise]) -> float:
    """Return the degrees of freedom of a sum of variances (Welch and Satterthwaite)."""
    noises = [noise for noise in noises if noise.variance > 0]
    if not noises:
        return float("inf")
    return sum(n.variance for n in noises) ** 2 / sum(n.variance**2 / n.dof for n in noises)


class Estimator:
    """Estimates forms from evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._variances: dict[tuple[object, ...], dict[int, tuple[float, float]]] = {}

    def value(self, form: Form) -> float:
        """Return the value of a form as observed; NaN where a mean is not there."""
        return float(
            sum(
                weights[used] @ self.evidence.row_means(part)[used]
                for part, weights in form.items()
                for used in [weights.nonzero()[0]]
            )
        )

    def estimate(self, form: Form, value: float | None = None) -> Estimate:
        """Return the estimate of a form, or of a value whose change it is.

        Args:
            value: of a smooth function of means, of which `form` is the derivative.
        """
        seeds = self.seed_noise(form)
        noises = [*self.example_noise(form), *(seeds or ())]
        return Estimate(
            self.value(form) if value is None else value,
            float(np.sqrt(sum(noise.variance for noise in noises))),
            satterthwaite(noises),
            seeds is not None,
        )

    def example_noise(self, form: Form) -> list[Noise]:
        """Return what the draw of the examples of each data set adds to a form."""
        drawn: dict[int, int] = {}
        for part in form:
            data = self.evidence.places(part)[0]
            drawn[data] = max(drawn.get(data, 0), self.evidence.size(part))
        return [
            Noise(float(each[0] @ each[0]), max(1, drawn[data] - 1))
            for data, each in self.influences([form]).items()
        ]

    def influences(self, forms: Sequence[Form]) -> dict[int, np.ndarray]:
        """Return data set -> the influence of each of its examples: array (forms, examples)."""
        found: dict[int, np.ndarray] = {}
        for i, form in enumerate(forms):
            for part, weights in form.items():
                used = weights.nonzero()[0]
                values = weights[used].astype(np.float32) @ self.evidence.averages(part)[used]
                data, places = self.evidence.places(part)
                if part.examples or part.half is not None:
                    mask = self.evidence.mask(part)
                    values, places = values[mask], places[mask]
                n = len(values)
                if data not in found:
                    found[data] = np.zeros((len(forms), self.evidence.data_size(data)))
                centred = values - values.mean(dtype=np.float64)
                found[data][i, places] += centred / np.sqrt(n * max(1, n - 1))
        return found

    def seed_noise(self, form: Form) -> list[Noise] | None:
        """Return what the seeds of each row add to a form.

        None if a row of it has fewer than `MIN_SEEDS`: then the noise of training is not known.
        """
        found = []
        for row, pattern in by_row(form).items():
            scale = np.abs(list(pattern.values())).max()
            variances = self.row_variances(
                self.evidence.rows[row][0], {part: w / scale for part, w in pattern.items()}
            )
            if row not in variances:
                if self._trained(row, pattern):
                    return None
                continue  # nothing is trained, so no seed can matter
            variance, dof = variances[row]
            found.append(Noise(variance * scale**2, dof))
        return found

    def _trained(self, row: int, pattern: Mapping[Part, float]) -> bool:
        runs = self.evidence.runs_of(row)
        return any(not np.isnan(self.evidence.means(part)[runs]).all() for part in pattern)

    def row_variances(
        self, model: str, pattern: Mapping[Part, float]
    ) -> dict[int, tuple[float, float]]:
        """Return row -> variance of the mean over its seeds of a weighted sum of means, and dof.

        Of all rows of a model that have `MIN_SEEDS`, moderated by one another.
        """
        key = (model, *((part, round(weight, 9)) for part, weight in pattern.items()))
        if key not in self._variances:
            means = np.array([self.evidence.means(part) for part in pattern])
            weights = np.array(list(pattern.values()))
            samples = {}
            for row, (name, _) in enumerate(self.evidence.rows):
                if name == model:
                    sums = seed_sums(means[:, self.evidence.runs_of(row)], weights)
                    if len(sums) >= MIN_SEEDS:
                        samples[row] = sums
            counts = np.array([len(sums) for sums in samples.values()])
            spread = np.array([sums.var(ddof=1) for sums in samples.values()])
            variances, dof = moderate(spread, counts - 1) if samples else (spread, counts)
            self._variances[key] = {
                row: (float(v / n), float(nu))
                for row, v, n, nu in zip(samples, variances, counts, dof, strict=True)
            }
        return self._variances[key]


def seed_sums(means: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum of each seed: array (seeds,), of those that have all means.

    A part of which no seed has a mean is left out: nothing is trained for it.

    Args:
        means: array (parts, seeds), NaN where there is none.
        weights: array (parts,).
    """
    there = ~np.isnan(means)
    parts = there.any(axis=1)
    if not parts.any():
        return np.empty(0)
    seeds = there[parts].all(axis=0)
    return weights[parts] @ means[parts][:, seeds]


def by_row(form: Form) -> dict[int, dict[Part, float]]:
    """Return row -> part -> weight, where it has one."""
    rows: dict[int, dict[Part, float]] = {}
    for part, weights in form.items():
        for row in weights.nonzero()[0]:
            rows.setdefault(int(row), {})[part] = float(weights[row])
    return rows


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

"""The estimate of a comparison of means: its standard error, its interval, its test.

What is compared is a *form*: a weighted sum of means, one a row and `Part`. Two things are random,
the examples and the seeds, as in the multi-bootstrap of Sellam et al. 2022 (The MultiBERTs, arXiv
2106.16163): an example is drawn once for all rows, languages and targets that have it, a seed of a
row once for all its targets, because they share the encoder of stage 1. For a sum of means the
variance over infinitely many replicates of that bootstrap is known, so none is drawn:

- of the examples, the sum over examples of the squared influence of each (Efron 1982, The
  Jackknife, the Bootstrap and Other Resampling Plans, chapter 6), times n / (n - 1);
- of the seeds of a row, the variance of the row's own sum over its seeds, by their number, as
  `moderation` makes it; rows of one chain (`after`) have the seeds of its first stage together.

The interaction of seed and example is counted with both (Owen 2007, The pigeonhole bootstrap). It
is known well, so it is taken out of the variance of seeds, as in an analysis of variance of two
random factors, but never more than that variance is.

The interval is Student's, with the degrees of freedom of Welch and Satterthwaite. Rows, targets and
languages are not drawn: an answer is about just these. (Sources from memory;
`tests/bench/coverage.py` shows what the intervals hold.)
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from xstilts.analysis import student_t
from xstilts.analysis.evidence import Evidence, Part, Row
from xstilts.analysis.forms import Form, by_row, run_sums, seed_sums
from xstilts.analysis.moderation import moderate

LEVEL = 0.95
SIGNIFICANCE_LEVEL = 0.05
POWER = 0.8
# The noise that is in an interval; of alignment that of examples is not.
EXAMPLES_AND_SEEDS, EXAMPLES, SEEDS, NOTHING = "examples and seeds", "examples", "seeds", "nothing"
# Seeds that show the noise of training. Two give one degree of freedom: Student's t is 12.7, and an
# interval that wide says nothing.
MIN_SEEDS = 3
TINY = 1e-9  # what is left of nothing by rounding
SINGLE = 1e-8  # the same of an error, in units of the weights: examples are in single precision


_OfRow = tuple[int, Mapping[Part, float], float]  # a row, its part of a form, its variance


def noise_of(seeds: bool, examples: bool = True) -> str:
    """Return what an interval covers, as tables say it."""
    if not examples:
        return SEEDS if seeds else NOTHING
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
        """Return the probability of a value at least as far from zero if the true one were zero;
        NaN where there is no value."""
        if math.isnan(self.value) or math.isnan(self.standard_error):
            return math.nan
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


@dataclasses.dataclass(frozen=True)
class Noise:
    """What one source adds to the variance of a form, and how sure that is.

    Attributes:
        dof: degrees of freedom, but for what was learned of other rows.
        learned: the part of the variance that was learned of other rows (see `moderation`).
        learned_dof: degrees of freedom of what was learned.
        model: of which rows it was learned.
    """

    variance: float
    dof: float
    learned: float = 0.0
    learned_dof: float = float("inf")
    model: str = ""

    @property
    def alone(self) -> float:
        """Degrees of freedom of a sum of nothing else."""
        unsure = self.variance**2 / self.dof + self.learned**2 / self.learned_dof
        return self.variance**2 / unsure if unsure else float("inf")

    def scaled(self, factor: float) -> "Noise":
        """Return the noise of a form that is weighted: `factor` is that of the variance."""
        return dataclasses.replace(
            self, variance=self.variance * factor, learned=self.learned * factor
        )


def total(noises: Iterable[Noise]) -> float:
    """Return the variance of a sum; where rounding alone is left of a difference, 0."""
    variances = [noise.variance for noise in noises]
    found = sum(variances)
    return 0.0 if found < TINY * sum(map(abs, variances)) else found


def satterthwaite(noises: Iterable[Noise]) -> float:
    """Return the degrees of freedom of a sum of variances (Welch and Satterthwaite).

    What was learned of the rows of one model is wrong by the same factor in each of them, so it is
    summed up before it is squared.

    They are never fewer than those of the least sure variance in it, as holds of itself for a sum.
    A difference may be next to nothing, for which the formula says next to none; its interval would
    have no end, though the other variances are known.
    """
    noises = [noise for noise in noises if noise.variance != 0]
    unsure = sum(n.variance**2 / n.dof for n in noises)
    for model in {n.model for n in noises}:
        shared = [n for n in noises if n.model == model]
        unsure += sum(n.learned for n in shared) ** 2 / min(n.learned_dof for n in shared)
    if not unsure:
        return float("inf")
    least = min(noise.alone for noise in noises if not noise.variance < 0)
    return max(sum(n.variance for n in noises) ** 2 / unsure, least)


class Estimator:
    """Estimates forms from evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._variances: dict[tuple[object, ...], dict[int, Noise]] = {}
        self._products: dict[tuple[int, tuple[Part, ...]], np.ndarray] = {}

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
        error = math.sqrt(total(noises))
        return Estimate(
            self.value(form) if value is None else value,
            error if error > SINGLE * sum(abs(w).sum() for w in form.values()) else 0.0,
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
                averages = self.evidence.averages(part)[used]
                values = self.evidence.chosen(part, weights[used].astype(np.float32) @ averages)
                data, places = self.evidence.places(part)
                n = len(values)
                if data not in found:
                    found[data] = np.zeros((len(forms), self.evidence.data_size(data)))
                centred = values - values.mean(dtype=np.float64)
                found[data][i, places] += centred / np.sqrt(n * max(1, n - 1))
        return found

    def seed_noise(self, form: Form) -> list[Noise] | None:
        """Return what the seeds of each row add to a form; None where it is not known."""
        rows = self.row_noise(form)
        if rows is None:
            return None
        found: list[Noise] = []
        chains: dict[Row, list[_OfRow]] = {}
        patterns = by_row(form)
        for row, noise in rows.items():
            twice = min(noise.variance, self.interaction(row, patterns[row]))
            found += [noise, Noise(-twice, float("inf"))]
            chain = chains.setdefault(self.evidence.root(row), [])
            chain.append((row, patterns[row], noise.variance))
        for members in chains.values():
            found += [self._together(*pair) for pair in itertools.combinations(members, 2)]
        return found

    def row_noise(self, form: Form) -> dict[int, Noise] | None:
        """Return row -> what its seeds add to a form, the interaction with examples included.

        None if a row has fewer than `MIN_SEEDS`: then the noise of training is not known. A row in
        which nothing is trained is left out, since no seed can matter.
        """
        found = {}
        for row, pattern in by_row(form).items():
            scale = max(map(abs, pattern.values()))  # no numpy scalar: these are slow to round
            variances = self._row_variances(
                self.evidence.rows[row][0], {part: w / scale for part, w in pattern.items()}
            )
            if row in variances:
                found[row] = variances[row].scaled(scale**2)
            elif self._trained(row, pattern):
                return None
        return found

    def _together(self, one: _OfRow, other: _OfRow) -> Noise:
        """Return what it adds that two rows of a chain have one encoder of its first stage.

        Twice their covariance: the correlation of their sums over the seeds that both have, times
        the root of their variances.
        """
        sums = [self.sums(row, pattern) for row, pattern, _ in (one, other)]
        seeds = sorted(sums[0].keys() & sums[1].keys())
        pair = np.array([[each[seed] for seed in seeds] for each in sums])
        if len(seeds) < MIN_SEEDS or not pair.std(axis=1).all():
            return Noise(0.0, 1)
        correlation = float(np.corrcoef(pair)[0, 1])
        return Noise(2 * correlation * math.sqrt(one[2] * other[2]), len(seeds) - 1)

    def sums(self, row: int, pattern: Mapping[Part, float]) -> dict[str, float]:
        """Return seed -> the weighted sum of means of a row, of the seeds that have all."""
        runs = self.evidence.runs_of(row)
        means = np.array([self.evidence.means(part)[runs] for part in pattern])
        found = run_sums(means, np.array(list(pattern.values())))
        names = [self.evidence.runs[run][2] for run in runs]
        return {seed: float(x) for seed, x in zip(names, found, strict=False) if x == x}

    def interaction(self, row: int, pattern: Mapping[Part, float]) -> float:
        """Return what the interaction of seeds and examples of a row adds to a weighted sum of
        means, which the variances of examples and of seeds both have in them."""
        by_data: dict[int, list[Part]] = {}
        for part in pattern:
            by_data.setdefault(self.evidence.places(part)[0], []).append(part)
        total = 0.0
        for data, parts in by_data.items():
            weights = np.array([pattern[part] for part in parts])
            total += float(weights @ self._interactions(row, data, tuple(parts)) @ weights)
        return total

    def _interactions(self, row: int, data: int, parts: tuple[Part, ...]) -> np.ndarray:
        """Return the covariances of means by the interaction: array (parts, parts).

        They are of parts of one data set, so that a sum of any weights is quickly made of them.
        """
        key = (row, parts)
        if key not in self._products:
            runs = self._complete(row, parts)
            shape = (len(parts), len(runs), self.evidence.data_size(data))
            deviations: np.ndarray = np.zeros(shape, np.float32)
            for i, part in enumerate(parts):
                of_runs = self.evidence.values[part.target, part.language][runs]
                values = self.evidence.chosen(part, of_runs)
                places = self.evidence.places(part)[1]
                n = values.shape[1]
                values = values - values.mean(axis=0)  # what is hard for all seeds
                values -= values.mean(axis=1, keepdims=True)  # what a seed does everywhere
                deviations[i][:, places] = np.nan_to_num(values) / np.sqrt(n * max(1, n - 1))
            flat = deviations.reshape(len(parts), -1)
            pairs = len(runs) * max(1, len(runs) - 1)
            self._products[key] = (flat @ flat.T).astype(np.float64) / pairs
        return self._products[key]

    def _complete(self, row: int, parts: Sequence[Part]) -> list[int]:
        """Return the runs of a row that have all parts that any of them has."""
        runs = self.evidence.runs_of(row)
        there = ~np.isnan([self.evidence.means(part)[runs] for part in parts])
        complete = there[there.any(axis=1)].all(axis=0)
        return [run for run, has in zip(runs, complete, strict=True) if has]

    def _trained(self, row: int, pattern: Mapping[Part, float]) -> bool:
        runs = self.evidence.runs_of(row)
        return any(not np.isnan(self.evidence.means(part)[runs]).all() for part in pattern)

    def _row_variances(self, model: str, pattern: Mapping[Part, float]) -> dict[int, Noise]:
        """Return row -> variance of the mean over its seeds of a weighted sum of means.

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
            found = moderate(spread, counts - 1)
            self._variances[key] = {
                row: Noise(
                    float(found.variances[i] / counts[i]),
                    float(found.dof[i]),
                    float(found.learned[i] / counts[i]),
                    found.learned_dof,
                    model,
                )
                for i, row in enumerate(samples)
            }
        return self._variances[key]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics).

    With a probability of 95% no false positive is below 0.05, however the tests depend on each
    other. NaN is no test, and stays NaN.
    """
    order = [int(i) for i in np.argsort(p_values, kind="stable") if not math.isnan(p_values[i])]
    corrected, highest = [math.nan] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(order) - rank)))
        corrected[i] = highest
    return corrected

"""Rank correlations of estimates with a trait: no smooth function of means, so by draws.

Noise makes a rank correlation smaller than that of the true values, and a draw adds noise once
more. Two intervals are known, and each fails where the other holds (`tests/bench/coverage.py`):

- the percentiles of the draws: where many estimates lie closely in a row, all draws are further
  from 1 than the truth is;
- the basic one (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 5.2.1;
  from memory), which takes the estimate to be as far below the truth as draws are below the
  estimate: where the estimates are well apart it is shorter than the noise. It is drawn about
  estimates of which the noise is taken out again: drawn together by so much that they vary as the
  true values do.

So the interval is from the lower of the lower bounds to the higher of the higher ones, and p is the
larger one. Where the estimates differ by no more than their noise there is no order to correlate
with, and the interval is everything from -1 to 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from xstilts.analysis import student_t
from xstilts.analysis.estimates import LEVEL, POWER, Estimator, Noise, satterthwaite
from xstilts.analysis.evidence import Row
from xstilts.analysis.forms import Form, by_row

DRAWS = 4000
Order = Sequence[tuple[np.ndarray, np.ndarray]]  # x, and the positions of the estimates beside it


class Correlation(NamedTuple):
    """A rank correlation, or the difference of two, with a 95% interval and a p-value; `detectable`
    is NaN where not even the largest would have been seen."""

    value: float
    low: float
    high: float
    p: float
    detectable: float


class Draws:
    """Draws of estimates from their joint distribution.

    Attributes:
        values: array (estimates,), as observed.
        noise: array (DRAWS, estimates), what a draw adds to them.
        dof: degrees of freedom of the covariance.
        seeds: whether the noise of training is in it.
    """

    def __init__(
        self, estimator: Estimator, values: Sequence[float], forms: Sequence[Form]
    ) -> None:
        self.values = np.array(values)
        covariance, self.dof, self.seeds = _covariance(estimator, forms)
        random = np.random.default_rng(0)
        scales, axes = np.linalg.eigh(covariance)
        normal = random.standard_normal((DRAWS, len(values)))
        self.noise = normal * np.sqrt(np.maximum(scales, 0)) @ axes.T
        if np.isfinite(self.dof):  # a multivariate t, as the covariance is estimated
            self.noise *= np.sqrt(self.dof / random.chisquare(self.dof, (DRAWS, 1)))

    def correlation(self, orders: Sequence[Order]) -> Correlation:
        """Return the rank correlation of a class, or that of a class minus that of another.

        Args:
            orders: one class or two; the correlation of a class is the mean over its order.
        """
        observed = float(_contrast(orders, self.values[None])[0])
        drawn = _contrast(orders, self.values + self.noise)
        bound = float(len(orders))
        if not all(self._differ(order) for order in orders):
            return Correlation(observed, -bound, bound, 1.0, np.nan)
        about_true = _contrast(orders, self._denoised(orders) + self.noise)
        both = (drawn, 2 * observed - about_true)  # percentiles; basic
        outside = (1 - LEVEL) / 2
        lows, highs = np.quantile(both, [outside, 1 - outside], axis=1)
        low, high = lows.min(), highs.max()
        # As of a normal distribution: half of the interval is 1.96 deviations, and 0.84 more.
        power = 1 + student_t.quantile(np.inf, POWER) / student_t.critical_value(np.inf)
        detectable = power * float(high - low) / 2
        return Correlation(
            observed,
            float(np.clip(low, -bound, bound)),
            float(np.clip(high, -bound, bound)),
            max(map(_beyond_zero, both)),
            detectable if detectable <= bound else np.nan,
        )

    def _denoised(self, orders: Sequence[Order]) -> np.ndarray:
        """Return the estimates, those of a class drawn to their mean: array (estimates,)."""
        values = self.values.copy()
        for _, places in (part for order in orders for part in order):
            noise = self.noise[:, places].var(axis=1).mean()
            spread = values[places].var()
            share = np.sqrt(max(0.0, 1 - noise / spread)) if spread > 0 else 0.0
            values[places] = values[places].mean() + share * (
                values[places] - values[places].mean()
            )
        return values

    def _differ(self, order: Order) -> bool:
        """Return whether the estimates of a class differ by more than their noise."""
        for _, places in order:
            noise = self.noise[:, places]
            by_noise = noise.var(axis=1)
            if (by_noise >= self.values[places].var()).mean() > 1 - LEVEL:
                return False
        return True


def _beyond_zero(drawn: np.ndarray) -> float:
    """Return twice the smaller share of draws on one side of zero, at most 1."""
    smaller = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return min(1.0, 2 * (1 + int(smaller)) / (1 + len(drawn)))


def _contrast(orders: Sequence[Order], values: np.ndarray) -> np.ndarray:
    """Return the correlation of the first order minus that of the second, by draw."""
    first, *others = [_mean(order, values) for order in orders]
    return first - others[0] if others else first


def _mean(order: Order, values: np.ndarray) -> np.ndarray:
    """Return the mean correlation of an order, by draw: array (draws,)."""
    return np.mean([spearman(x, values[:, places]) for x, places in order], axis=0)


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of x with each row of y: array (rows,); 0 where all of
    either are equal."""
    a, b = stats.rankdata(x), stats.rankdata(y, axis=1)
    a, b = a - a.mean(), b - b.mean(axis=1, keepdims=True)
    scale = np.sqrt((a @ a) * (b * b).sum(axis=1))
    return np.divide(b @ a, scale, out=np.zeros(len(b)), where=scale > 0)


def _covariance(estimator: Estimator, forms: Sequence[Form]) -> tuple[np.ndarray, float, bool]:
    """Return the covariance of forms, its degrees of freedom, and whether seeds are in it."""
    evidence = estimator.evidence
    parts, noises = [], []
    for each in estimator.influences(forms).values():
        parts.append(each @ each.T)
        noises.append(Noise(float(np.trace(parts[-1])), max(1, each.shape[1] - 1)))
    of_rows = [estimator.row_noise(form) for form in forms]
    known = [each for each in of_rows if each is not None]
    seeds = len(known) == len(forms)
    patterns = [by_row(form) for form in forms]
    chains: dict[Row, list[int]] = {}  # rows that share the seeds of a first stage
    for row in sorted({row for each in known for row in each}) if seeds else ():
        chains.setdefault(evidence.root(row), []).append(row)
    for members in chains.values():
        deviations: dict[str, np.ndarray] = {}  # seed -> array (forms,)
        dof = []
        for row in members:
            for i, noise in enumerate(known):
                if row not in noise:
                    continue
                sums = estimator.sums(row, patterns[i][row])
                values, n = np.array(list(sums.values())), len(sums)
                own = values.var(ddof=1) / n
                scale = np.sqrt(noise[row].variance / own / (n * (n - 1))) if own > 0 else 0.0
                # Forms that not all have the same seeds: where one has none, it is at its mean.
                for seed, value in sums.items():
                    each = deviations.setdefault(seed, np.zeros(len(forms)))
                    each[i] += scale * (value - values.mean())
                dof.append(satterthwaite([noise[row]]))
        if dof:
            scaled = np.array(list(deviations.values())).T
            parts.append(scaled @ scaled.T)
            noises.append(Noise(float(np.trace(parts[-1])), min(dof)))
    return np.sum(parts, axis=0), satterthwaite(noises), seeds

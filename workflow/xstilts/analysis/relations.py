"""Rank correlations of estimates with other estimates, over points: how strong, and by chance?

Two questions are apart. *How strong is it in these points?* Both sides have noise, and where both
come from the same encoders it is noise in common, which correlates by itself. So all estimates are
drawn together (`ranks.Draws`), and the interval has the percentiles and the basic one of `ranks`,
about points of which the noise was taken out together: moved as little as possible, so that they
have the covariance of both sides less that of their noise.

*Would points that have nothing to do with each other show as much?* Of few points many orders are
alike by chance, and who looks at every layer sees the best of many. So the points of one side are
permuted, in all layers alike, and p is the share of permutations whose largest correlation, in
units of its deviation, is at least as large (max-T; Westfall and Young 1993, Resampling-Based
Multiple Testing; from memory). Within families points are permuted within these. A partial
correlation has the residuals permuted, not the ranks (Freedman and Lane 1983, Journal of Business &
Economic Statistics 1:4; from memory). `tests/bench/relations.py` shows how often both are wrong.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from xstilts.analysis.estimates import LEVEL
from xstilts.analysis.ranks import Draws

PERMUTATIONS = 4000


@dataclasses.dataclass(frozen=True)
class Scoring:
    """How points become unit vectors, whose product is their rank correlation.

    Attributes:
        groups: the points of each family, or all in one: each is ranked for itself, and counts by
            its points less one.
        given: array (points, traits) whose ranks are taken out of both sides; of one group alone.
    """

    groups: tuple[np.ndarray, ...]
    given: np.ndarray | None = None

    @property
    def dof(self) -> int:
        """The inverse of the variance of a correlation of points that are not related."""
        lost = 0 if self.given is None else self.given.shape[1]
        return sum(len(group) - 1 for group in self.groups) - lost

    def vectors(self, values: np.ndarray) -> np.ndarray:
        """Return the vectors of some values: array (draws, points), as `values` is; 0 where all of
        a family are equal."""
        found = np.zeros(values.shape)
        weight = sum(len(group) - 1 for group in self.groups)
        for group in self.groups:
            ranked = stats.rankdata(values[:, group], axis=1)
            ranked -= ranked.mean(axis=1, keepdims=True)
            if self.given is not None:
                basis = _basis(self.given[group])
                ranked -= ranked @ basis @ basis.T
            length = np.sqrt((ranked**2).sum(axis=1, keepdims=True))
            share = np.sqrt((len(group) - 1) / weight)
            there = length > 1e-9 * len(group)
            found[:, group] = np.divide(share * ranked, length, np.zeros_like(ranked), where=there)
        return found

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Return values less the mean of their group, those in no group as 0: (draws, points)."""
        found = np.zeros(values.shape)
        for group in self.groups:
            part = values[:, group]
            found[:, group] = part - part.mean(axis=1, keepdims=True)
        return found


def _basis(given: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the ranks of traits, centred: array (points, rank)."""
    ranked = stats.rankdata(given, axis=0)
    left, sizes, _ = np.linalg.svd(ranked - ranked.mean(axis=0), full_matrices=False)
    return left[:, sizes > 1e-9 * len(given)]


def correlation(scoring: Scoring, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rank correlation of the points of each draw: array (draws,)."""
    return np.einsum("dp,dp->d", scoring.vectors(x), scoring.vectors(y))


def interval(
    draws: Draws, scoring: Scoring, xs: np.ndarray, ys: np.ndarray
) -> tuple[float, float, float]:
    """Return the rank correlation of estimates with its 95% interval.

    That is everything from -1 to 1 where either side differs by no more than its noise.

    Args:
        xs, ys: where in the draws the two sides of each point are.
    """
    x, y = draws.values[None, xs], draws.values[None, ys]
    observed = float(correlation(scoring, x, y)[0])
    noises = draws.noise[:, xs], draws.noise[:, ys]
    if not all(_differ(scoring, *side) for side in zip((x, y), noises, strict=True)):
        return observed, -1.0, 1.0
    drawn = correlation(scoring, x + noises[0], y + noises[1])
    quiet_x, quiet_y = _denoised(scoring, (x, y), noises)
    true = float(correlation(scoring, quiet_x, quiet_y)[0])
    about_true = correlation(scoring, quiet_x + noises[0], quiet_y + noises[1])
    outside = (1 - LEVEL) / 2
    both = (drawn, observed + true - about_true)  # percentiles; basic
    lows, highs = np.quantile(both, [outside, 1 - outside], axis=1)
    return observed, max(-1.0, float(lows.min())), min(1.0, float(highs.max()))


def _differ(scoring: Scoring, values: np.ndarray, noise: np.ndarray) -> bool:
    """Return whether points differ by more than their noise."""
    spread = (scoring.centred(values) ** 2).sum()
    by_noise = (scoring.centred(noise) ** 2).sum(axis=1)
    return bool(spread > 0 and (by_noise >= spread).mean() <= 1 - LEVEL)


def _denoised(
    scoring: Scoring, sides: Sequence[np.ndarray], noises: Sequence[np.ndarray]
) -> np.ndarray:
    """Return both sides of points without what their noise adds to their covariance.

    They are moved by the symmetric matrix that gives them that covariance, the one which moves them
    least. Array (2, 1, points).
    """
    values = np.stack([scoring.centred(side)[0] for side in sides])
    noise = np.stack([scoring.centred(each) for each in noises])
    size = np.sqrt((values**2).sum(axis=1, keepdims=True))
    values, noise = values / size, noise / size[:, None]
    of_noise = np.einsum("adp,bdp->ab", noise, noise) / noise.shape[1]
    wanted = _root(values @ values.T - of_noise)
    moved = wanted @ np.linalg.pinv(_root(wanted @ (values @ values.T) @ wanted)) @ wanted
    return (size * (moved @ values))[:, None]


def _root(matrix: np.ndarray) -> np.ndarray:
    """Return the root of a symmetric matrix, without what is below zero in it."""
    sizes, axes = np.linalg.eigh(matrix)
    return axes * np.sqrt(np.maximum(sizes, 0)) @ axes.T


def shuffles(
    labels: Sequence[str], families: Sequence[str], within: bool, random: np.random.Generator
) -> np.ndarray:
    """Return permutations of points: array (PERMUTATIONS, points) of the places they come from.

    A label that is in several families goes to the place of another as a whole, because what is
    said of a language in one family is no other language in the next; and so only to one that is in
    the same families. Where each label is in one, all points may change places, or `within` those
    of one family.
    """
    place = {point: i for i, point in enumerate(zip(labels, families, strict=True))}
    of: dict[str, tuple[str, ...]] = {}
    for label, family in place:
        of[label] = (*of.get(label, ()), family)
    alone = not within and all(len(each) == 1 for each in of.values())
    found = np.tile(np.arange(len(labels)), (PERMUTATIONS, 1))
    for pattern in [()] if alone else dict.fromkeys(of.values()):
        alike = [label for label in of if alone or of[label] == pattern]
        order = random.permuted(np.tile(np.arange(len(alike)), (PERMUTATIONS, 1)), axis=1)
        for i in range(len(pattern) or 1):
            at = np.array([place[label, of[label][i]] for label in alike])
            found[:, at] = at[order]
    return found


class Tested(NamedTuple):
    """A correlation that is tested, with those of permuted points.

    Attributes:
        value: as observed.
        by_chance: array (PERMUTATIONS,).
        dof: see `Scoring`.
    """

    value: float
    by_chance: np.ndarray
    dof: int


def tested(scoring: Scoring, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> Tested:
    """Return the test of a correlation of points.

    Args:
        x, y: array (points,).
        order: see `shuffles`.
    """
    a, b = scoring.vectors(x[None])[0], scoring.vectors(y[None])[0]
    return Tested(float(a @ b), b[order] @ a, scoring.dof)


class Chance(NamedTuple):
    """How often points that are not related show as much.

    Attributes:
        p: of this correlation alone.
        p_any: of any of those that are looked at.
        least: the smallest correlation whose `p_any` is below 5%; NaN where not even 1 has that.
    """

    p: float
    p_any: float
    least: float


def by_chance(tests: Sequence[Tested]) -> list[Chance]:
    """Return the chances of correlations that are looked at together (max-T)."""
    if not tests:
        return []
    roots = np.sqrt([max(1, each.dof) for each in tests])
    drawn = np.abs([each.by_chance for each in tests]) * roots[:, None]
    largest, found = drawn.max(axis=0), []
    for each, root, own in zip(tests, roots, drawn, strict=True):
        size = abs(each.value) * root - 1e-9
        p, p_any = ((1 + (sizes >= size).sum()) / (1 + len(own)) for sizes in (own, largest))
        # So many permutations may be as large, for p to be below 5%.
        rest = int(np.ceil((1 - LEVEL) * (1 + len(own)))) - 2
        least = float(np.sort(largest)[-rest - 1]) / root + 1e-9
        found.append(Chance(float(p), float(p_any), least if least <= 1 else np.nan))
    return found

"""Forms: weighted sums of means, one mean a row of the grid and `Part`."""

from collections.abc import Iterable, Mapping

import numpy as np

from xstilts.analysis.evidence import Part

Form = Mapping[Part, np.ndarray]  # a part -> the weight of each row's mean over it


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


def by_row(form: Form) -> dict[int, dict[Part, float]]:
    """Return row -> part -> weight, where it has one."""
    rows: dict[int, dict[Part, float]] = {}
    for part, weights in form.items():
        for row in weights.nonzero()[0]:
            rows.setdefault(int(row), {})[part] = float(weights[row])
    return rows


def seed_sums(means: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum of each seed that has all means: array (seeds,), see `run_sums`."""
    sums = run_sums(means, weights)
    return sums[~np.isnan(sums)]


def run_sums(means: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum of each seed, NaN for one that has not all means: array (seeds,).

    A part of which no seed has a mean is left out: nothing is trained for it.

    Args:
        means: array (parts, seeds), NaN where there is none.
        weights: array (parts,).
    """
    parts = (~np.isnan(means)).any(axis=1)
    if not parts.any():
        return np.full(means.shape[1], np.nan)
    return weights[parts] @ means[parts]

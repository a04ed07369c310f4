"""The paired bootstrap that gave intervals of deltas until commit 0c35db0, to compare with.

A copy of `xstilts/analysis/bootstrap.py` of commit af239af (after Sellam et al. 2022), cut to what
an answer needs that asks of each row whether it gains on one target.
"""

import numpy as np
import pandas as pd

from xstilts.analysis import student_t
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL, holm
from xstilts.analysis.evidence import Evidence
from xstilts.experiment.questions import Question

REPLICATES = 200  # 1000 in the product: only the standard error is taken of them
MAX_DOF = 200


def answer(question: Question, evidence: Evidence) -> pd.DataFrame:
    """Return the columns of an answer that `coverage.py` reads, for classes of one row each."""
    rng = np.random.default_rng(0)
    arrays = list(evidence.values.values())
    n = arrays[0].shape[1]  # the examples are the same in all languages
    counts = rng.multinomial(n, [1 / n] * n, REPLICATES).astype(np.float32) / n
    resampled = np.mean([counts @ array.T for array in arrays], axis=0)
    observed = np.mean([array.mean(axis=1, dtype=np.float64) for array in arrays], axis=0)
    rows: dict[str, list[int]] = {}
    for i, (_, row, _) in enumerate(evidence.runs):
        rows.setdefault(row, []).append(i)
    lines = []
    for one in question.classes:
        cell = one.points[0].cells[0]
        parts = [rows[cell.intermediate], rows[cell.over]]
        row, over = (_resample_seeds(resampled[:, part], rng) for part in parts)
        variances = [float(observed[part].var(ddof=1)) / len(part) for part in parts]
        value = float(observed[parts[0]].mean() - observed[parts[1]].mean())
        error = float((row - over).std(ddof=1))
        below = sum(v**2 / (len(part) - 1) for v, part in zip(variances, parts, strict=True))
        dof = int(max(1, min(error**4 / below, MAX_DOF)))
        margin = student_t.critical_value(dof) * error
        p = 1 - student_t.probability_within(abs(value) / error, dof)
        lines.append(
            (one.name, 100 * value, 100 * (value - margin), 100 * (value + margin), p, dof)
        )
    table = pd.DataFrame(lines, columns=["class", "estimate", "low", "high", "p", "dof"])
    table["p holm"] = holm(table["p"].tolist())
    table = table.assign(kind="value", scale="points", tested=True, detectable=np.nan)
    return table.assign(agrees=table["p holm"] < SIGNIFICANCE_LEVEL)


def _resample_seeds(resampled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Resample the seeds of each replicate and return their mean: array (replicates,)."""
    replicates, seeds = resampled.shape
    mean = resampled.mean(axis=1)
    chosen = rng.integers(0, seeds, (replicates, seeds))
    drawn = np.take_along_axis(resampled, chosen, axis=1).mean(axis=1)
    return mean + (drawn - mean) * np.sqrt(seeds / (seeds - 1))

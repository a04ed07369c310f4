"""Which rows stay, by their measures. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from xstilts.experiment.filters import MEASURES, Filter

QUANTILES = (0.01, 0.1, 0.5, 0.9)


def outside(values: np.ndarray, bounds: Mapping[str, Any]) -> np.ndarray:
    """Return which values are outside of bounds, bool; NaN is not: what was not measured keeps no
    row from staying."""
    below = values < bounds["min"] if "min" in bounds else np.zeros(len(values), dtype=bool)
    above = values > bounds["max"] if "max" in bounds else np.zeros(len(values), dtype=bool)
    return below | above


def decided(measured: Mapping[str, np.ndarray], by: Filter, rows: int) -> tuple[np.ndarray, dict]:
    """Return which rows stay, bool [rows], and {dropped, outside}.

    `dropped` counts each row once, by the reason of the first measure (in the order of `MEASURES`)
    that it is outside of; `outside` counts for each measure all rows that are.

    Args:
        measured: measure -> its value of each row.
        by: the filter.
        rows: how many there are.
    """
    kept: np.ndarray = np.ones(rows, dtype=bool)
    dropped: dict[str, int] = {}
    every: dict[str, int] = {}
    for name, about in MEASURES.items():
        if name not in by:
            continue
        out = outside(measured[name], by[name])
        every[name] = int(out.sum())
        if first := int((out & kept).sum()):
            dropped[about.reason] = first
        kept &= ~out
    return kept, {"dropped": dropped, "outside": every}


def summary(values: np.ndarray) -> dict[str, float | int | None]:
    """Return {rows, mean, q01, q10, q50, q90} of a measure, over the rows of which it is known."""
    known = values[~np.isnan(values)]
    found: dict[str, float | int | None] = {"rows": len(known)}
    if not len(known):
        return found | {"mean": None} | {f"q{100 * q:02.0f}": None for q in QUANTILES}
    found["mean"] = round(float(known.mean(dtype=np.float64)), 6)
    for share, value in zip(QUANTILES, np.quantile(known, QUANTILES), strict=True):
        found[f"q{100 * share:02.0f}"] = round(float(value), 6)
    return found

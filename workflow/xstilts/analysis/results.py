"""`results.csv`: every score of an experiment in one tidy table, from which all others follow."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from xstilts import metrics
from xstilts.experiment.cells import CELL, NOSEED
from xstilts.experiment.plan import MADE_BY

COLUMNS = [*CELL, "language", "split", "metric", "headline", "value", "n"]


def table(grid: pd.DataFrame, files: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row per score, in the grid's order; the score that is missing has no value.

    Columns: `COLUMNS`, then `plan.MADE_BY`, the public checkpoint and the recipes. `seed` is a
    number, missing where nothing is trained; `value` is in percent, a correlation times 100; `n`
    the number of examples that are scored. `headline` is true for one score of each cell and
    language, the one of the main table; where that is a mean of several, such as F1 and exact
    match, these follow it.

    Args:
        grid: see `scores.accepted`.
        files: see `scores.accepted`.
    """
    about = [name for name in (*CELL, "language", "split", *MADE_BY) if name in grid]
    rows = []
    for line in grid.to_dict("records"):
        key = {name: line[name] for name in about}
        headline, score = headline_of(line["metric"]), files.get(line["score"])
        n = score["n"] if score else None
        for metric, value in values_of(score, headline).items():
            here = metric == headline
            rows.append({**key, "metric": metric, "headline": here, "value": value, "n": n})
    found = pd.DataFrame(rows, columns=[*COLUMNS, *(name for name in MADE_BY if name in about)])
    seeds = found["seed"].where(found["seed"] != NOSEED).str.removeprefix("seed")
    found["seed"] = pd.to_numeric(seeds).astype("Int64")
    found["value"] = 100 * found["value"].astype(float)
    return found.astype({"n": "Int64"})


def headline_of(metric: str) -> str:
    """Return the name of the figure of a task: `f1`, or `f1+exact_match` for their mean."""
    return "+".join(metrics.METRICS[metric].averaged)


def values_of(score: Mapping[str, Any] | None, headline: str) -> dict[str, float | None]:
    """Return metric -> value of a score file, the headline first."""
    return {headline: score["score"], **score["metrics"]} if score else {headline: None}

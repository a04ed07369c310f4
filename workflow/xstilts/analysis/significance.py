"""The differences to the row without intermediate task, and which of them are significant."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from xstilts.analysis.estimates import (
    EXAMPLES_AND_SEEDS,
    SIGNIFICANCE_LEVEL,
    Estimator,
    holm,
    noise_of,
)
from xstilts.analysis.evidence import Part
from xstilts.analysis.forms import combine, mean_form
from xstilts.experiment.cells import CELL
from xstilts.experiment.config import NONE

COLUMNS = [
    "model", "intermediate", "target", "language", "statistic", "over", "delta", "low", "high", "p",
    "p holm", "survives",
]  # fmt: skip
SCORE, EXAMPLE_VALUES = "score", "value of examples"


def deltas(
    grid: pd.DataFrame,
    metrics: pd.DataFrame,
    values: Mapping[str, np.ndarray],
    estimator: Estimator,
) -> pd.DataFrame:
    """Return a row per difference to `none` in percent: over all languages (language ""), and each.

    Columns: `delta`, of means over seeds, with the bounds of its 95% interval and, over all
    languages, the p-value alone and corrected over the table (Holm), see `estimates`. `statistic`
    is what differs: the score, or where that is no mean over examples (F1 of chunks or of mined
    pairs) the mean value of the examples. `over` is the noise that the interval covers: of examples
    alone where a row has fewer than `estimates.MIN_SEEDS` seeds; a delta `survives` only with both.
    A delta is left out if a value that it needs is missing.

    Args:
        grid: see `scores.accepted`.
        metrics: see `scores.to_frame`.
        values: score file -> the value of each example.
        estimator: of the same values.
    """
    rows = [
        row
        for target, part in grid.groupby("target", sort=False)
        for row in _target_deltas(
            str(target), part, metrics[metrics["target"] == target], values, estimator
        )
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    tested = table["p"].notna()
    table.loc[tested, "p holm"] = holm(table.loc[tested, "p"].tolist())
    table["survives"] = (table["p holm"] < SIGNIFICANCE_LEVEL) & (
        table["over"] == EXAMPLES_AND_SEEDS
    )
    return table


def _target_deltas(target, grid, metrics, values, estimator) -> Iterator[dict[str, object]]:
    """Yield the differences of one target."""
    evidence = estimator.evidence
    languages = list(dict.fromkeys(grid["language"]))
    there = [language for language in languages if (target, language) in evidence.values]
    statistic = _statistic(grid, metrics, values)
    rows = dict.fromkeys(zip(grid["model"], grid["intermediate"], strict=True))
    for model, intermediate in rows:
        if intermediate == NONE or (model, NONE) not in rows:
            continue
        pair = [evidence.row_index[model, name] for name in (intermediate, NONE)]
        gone = {
            language
            for language in there
            for name in (intermediate, NONE)
            if (model, name, target, language) in evidence.missing
        }
        whole = [("", languages)] if len(there) == len(languages) and not gone else []
        single = [(language, [language]) for language in there if language not in gone]
        for language, over in [*whole, *single]:
            parts = [Part(target, name) for name in over]
            row, none = (mean_form(len(evidence.rows), [(i, part) for part in parts]) for i in pair)
            found = estimator.estimate(combine([(1.0, row), (-1.0, none)]))
            low, high = found.interval()
            yield {
                **dict(model=model, intermediate=intermediate, target=target, language=language),
                **dict(statistic=statistic, over=noise_of(found.seeds)),
                **dict(delta=100 * found.value, low=100 * low, high=100 * high),
                **{"p": found.p_value() if language == "" else np.nan, "p holm": np.nan},
            }


def _statistic(grid, metrics, values) -> str:
    """Return `SCORE` if the scores of a target are means over examples, else `EXAMPLE_VALUES`."""
    key = [*CELL, "language"]
    main = metrics.loc[metrics["metric"] == "score", [*key, "value"]]
    both = grid.merge(main, on=key)
    pairs = [
        (values[path].mean(dtype=np.float64), score)
        for path, score in zip(both["score"], both["value"], strict=True)
        if path in values
    ]
    return SCORE if all(abs(mean - score) < 1e-5 for mean, score in pairs) else EXAMPLE_VALUES

"""The differences to the row without intermediate task, and which of them are significant."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from xstilts.analysis import bootstrap
from xstilts.analysis.bootstrap import Means
from xstilts.experiment.cells import CELL, NOSEED
from xstilts.experiment.config import NONE
from xstilts.running.files import digest

COLUMNS = [
    "model", "intermediate", "target", "language", "statistic", "over", "delta", "low", "high", "p",
    "p holm", "survives",
]  # fmt: skip
RUN = ["model", "intermediate", "seed"]
EXAMPLES_AND_SEEDS, EXAMPLES = "examples and seeds", "examples"
SCORE, EXAMPLE_VALUES = "score", "value of examples"
SIGNIFICANCE_LEVEL = 0.05
# Seeds that show the noise of training. Two give one degree of freedom: Student's t is 12.7, and an
# interval that wide says nothing.
MIN_SEEDS = 3


def deltas(
    grid: pd.DataFrame,
    metrics: pd.DataFrame,
    values: Mapping[str, np.ndarray],
    ids: Mapping[tuple[str, str], Sequence[str]],
) -> pd.DataFrame:
    """Return a row per difference to `none` in percent: over all languages (language ""), and each.

    Columns: `delta`, of means over seeds, with the bounds of its 95% interval and, over all
    languages, the p-value alone and corrected over the table (Holm), by `bootstrap`. `statistic` is
    what differs: the score, or where that is no mean over examples (F1 of chunks or of mined
    pairs) the mean value of the examples. `over` is the noise that the interval covers: of examples
    alone where a row has fewer than `MIN_SEEDS` seeds; a delta `survives` only with both. A delta
    is left out if a value that it needs is missing.

    Args:
        grid: see `scores.accepted`.
        metrics: see `scores.to_frame`.
        values: score file -> the value of each example.
        ids: (target, language) -> the id of each example.
    """
    rows = [
        row
        for target, part in grid.groupby("target", sort=False)
        for row in _target_deltas(
            str(target), part, metrics[metrics["target"] == target], values, ids
        )
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    tested = table["p"].notna()
    table.loc[tested, "p holm"] = bootstrap.holm(table.loc[tested, "p"].tolist())
    table["survives"] = (table["p holm"] < SIGNIFICANCE_LEVEL) & (
        table["over"] == EXAMPLES_AND_SEEDS
    )
    return table


def _target_deltas(target, grid, metrics, values, ids) -> Iterator[dict[str, object]]:
    """Yield the differences of one target."""
    runs = list(dict.fromkeys(grid[RUN].itertuples(index=False, name=None)))
    arrays = _value_arrays(
        grid, runs, values, {lang: n for (t, lang), n in ids.items() if t == target}
    )
    if not arrays:
        return
    language_ids = {language: ids[target, language] for language in arrays}
    by_language = bootstrap.resampled_means(arrays, language_ids, _rng(target))
    if len(arrays) == grid["language"].nunique():
        by_language = {"": bootstrap.mean_over_languages(by_language), **by_language}
    statistic = _statistic(grid, metrics, values)
    rows = {run[:2]: [other for other in runs if other[:2] == run[:2]] for run in runs}
    for (model, intermediate), row_runs in rows.items():
        if intermediate == NONE or (model, NONE) not in rows:
            continue
        both = (row_runs, rows[model, NONE])
        over = EXAMPLES_AND_SEEDS if all(map(_shows_seed_noise, both)) else EXAMPLES
        for language, means in by_language.items():
            row, none = (_select(means, [runs.index(run) for run in part]) for part in both)
            if np.isnan(row.observed).any() or np.isnan(none.observed).any():
                continue
            if over == EXAMPLES:
                row, none = _average_runs(row), _average_runs(none)
            rng = _rng(target, model, intermediate, language)
            yield {
                **dict(model=model, intermediate=intermediate, target=target, language=language),
                **dict(statistic=statistic, over=over),
                **_delta_columns(bootstrap.difference(row, none, rng), tested=language == ""),
            }


def _value_arrays(grid, runs, values, languages) -> dict[str, np.ndarray]:
    """Return language -> values, array (runs, examples), NaN where there are none.

    Args:
        runs: model, intermediate and seed of each.
        languages: language -> ids of its examples.
    """
    index = {run: i for i, run in enumerate(runs)}
    arrays: dict[str, np.ndarray] = {
        language: np.full((len(runs), len(ids)), np.nan, np.float32)
        for language, ids in languages.items()
    }
    for row in grid.itertuples():
        if row.score in values:
            arrays[row.language][index[row.model, row.intermediate, row.seed]] = values[row.score]
    return arrays


def _delta_columns(delta: bootstrap.Difference, tested: bool) -> dict[str, float]:
    low, high = delta.interval()
    columns = dict(delta=100 * delta.value, low=100 * low, high=100 * high)
    return {**columns, "p": delta.p_value() if tested else np.nan, "p holm": np.nan}


def _shows_seed_noise(runs) -> bool:
    """Return whether a row shows its noise of seeds: it has enough seeds, or no such noise."""
    return len(runs) >= MIN_SEEDS or runs[0][2] == NOSEED


def _select(means: Means, runs: list[int]) -> Means:
    return Means(means.resampled[:, runs], means.observed[runs])


def _average_runs(means: Means) -> Means:
    """Average the runs of a row into one, so that seeds are not resampled."""
    return Means(means.resampled.mean(axis=1, keepdims=True), means.observed.mean(keepdims=True))


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


def _rng(*names: str) -> np.random.Generator:
    """Return a generator seeded by names, so that another row does not change this one."""
    return np.random.default_rng(int(digest(names), 16))

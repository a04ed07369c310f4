"""The differences to the row without intermediate task, and which of them are no noise."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from xstilts.analysis import bootstrap
from xstilts.analysis.bootstrap import Draws
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import CELL, NOSEED
from xstilts.running.files import digest

COLUMNS = [
    "model", "intermediate", "target", "language", "statistic", "over", "delta", "low", "high", "p",
    "p holm", "survives",
]  # fmt: skip
COLUMN = ["model", "intermediate", "seed"]
BOTH, EXAMPLES = "examples and seeds", "examples"
SCORE, STAND_IN = "score", "value of examples"
LEVEL = 0.05


def deltas(
    grid: pd.DataFrame,
    found: pd.DataFrame,
    values: Mapping[str, np.ndarray],
    ids: Mapping[tuple[str, str], Sequence[str]],
) -> pd.DataFrame:
    """Return a row per difference to `none` in percent: over all languages (language ""), and each.

    Columns: `delta`, of means over seeds, with the ends of its 95% interval and, over all
    languages, the p-value alone and corrected over the table (Holm), by `bootstrap`. `statistic`
    says what: the score, or where that is no mean over examples (F1 of chunks or of mined pairs)
    the mean value of the examples in its stead. `over` says which noise could be seen: of
    examples alone where a row has one seed; only with both does a delta `survive`. A delta is left
    out if a value that it needs is missing.

    Args:
        grid: see `scores.accepted`.
        found: see `scores.rows`.
        values: score file -> the value of each example.
        ids: (target, language) -> the id of each example.
    """
    lines = [
        line
        for target, part in grid.groupby("target", sort=False)
        for line in _target(str(target), part, found[found["target"] == target], values, ids)
    ]
    table = pd.DataFrame(lines, columns=COLUMNS)
    tested = table["p"].notna()
    table.loc[tested, "p holm"] = bootstrap.holm(table.loc[tested, "p"].tolist())
    table["survives"] = (table["p holm"] < LEVEL) & (table["over"] == BOTH)
    return table


def _target(target, grid, found, values, ids) -> Iterator[dict[str, object]]:
    """Yield the differences of one target."""
    columns = list(dict.fromkeys(grid[COLUMN].itertuples(index=False, name=None)))
    tables = _tables(
        grid, columns, values, {lang: n for (t, lang), n in ids.items() if t == target}
    )
    if not tables:
        return
    names = {language: ids[target, language] for language in tables}
    draws = bootstrap.means(tables, names, _random(target))
    if len(tables) == grid["language"].nunique():
        draws = {"": bootstrap.over_languages(draws), **draws}
    statistic = _statistic(grid, found, values)
    rows = {column[:2]: [c for c in columns if c[:2] == column[:2]] for column in columns}
    for (model, intermediate), seeds in rows.items():
        if intermediate == NONE or (model, NONE) not in rows:
            continue
        both = (seeds, rows[model, NONE])
        over = BOTH if all(map(_seen, both)) else EXAMPLES
        for language, drawn in draws.items():
            row, none = (_pick(drawn, [columns.index(c) for c in part]) for part in both)
            if np.isnan(row.measured).any() or np.isnan(none.measured).any():
                continue
            if over == EXAMPLES:
                row, none = _mean(row), _mean(none)
            random = _random(target, model, intermediate, language)
            yield {
                **dict(model=model, intermediate=intermediate, target=target, language=language),
                **dict(statistic=statistic, over=over),
                **_figures(bootstrap.difference(row, none, random), tested=language == ""),
            }


def _tables(grid, columns, values, languages) -> dict[str, np.ndarray]:
    """Return language -> values, array (columns, examples), not a number where there are none.

    Args:
        columns: model, intermediate and seed of each.
        languages: language -> ids of its examples.
    """
    place = {column: i for i, column in enumerate(columns)}
    tables: dict[str, np.ndarray] = {
        language: np.full((len(columns), len(names)), np.nan, np.float32)
        for language, names in languages.items()
    }
    for row in grid.itertuples():
        if row.score in values:
            tables[row.language][place[row.model, row.intermediate, row.seed]] = values[row.score]
    return tables


def _figures(delta: bootstrap.Difference, tested: bool) -> dict[str, float]:
    low, high = delta.ends()
    figures = dict(delta=100 * delta.value, low=100 * low, high=100 * high)
    return {**figures, "p": delta.p_value() if tested else np.nan, "p holm": np.nan}


def _seen(seeds) -> bool:
    """Say whether the noise of seeds shows: there are several, or there is none to show."""
    return len(seeds) > 1 or seeds[0][2] == NOSEED


def _pick(draws: Draws, columns: list[int]) -> Draws:
    return Draws(draws.drawn[:, columns], draws.measured[columns])


def _mean(draws: Draws) -> Draws:
    """Take a row's seeds for one, so that they are not drawn."""
    return Draws(draws.drawn.mean(axis=1, keepdims=True), draws.measured.mean(keepdims=True))


def _statistic(grid, found, values) -> str:
    """Say whether the scores of a target are the means of its examples' values."""
    key = [*CELL, "language"]
    main = found.loc[found["metric"] == "score", [*key, "value"]]
    both = grid.merge(main, on=key)
    pairs = [
        (values[path].mean(dtype=np.float64), score)
        for path, score in zip(both["score"], both["value"], strict=True)
        if path in values
    ]
    return SCORE if all(abs(mean - score) < 1e-5 for mean, score in pairs) else STAND_IN


def _random(*names: str) -> np.random.Generator:
    """Return a generator of its own, so that a row more does not change the others."""
    return np.random.default_rng(int(digest(names), 16))

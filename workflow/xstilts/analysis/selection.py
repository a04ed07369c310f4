"""The best intermediate task of each target on dev, and its score files on test.

Phang et al. 2020 score on test, for each target, the model of the intermediate task that is best on
dev; a dev score is the mean over all languages, the median over seeds. The row without intermediate
task is scored too, as the baseline.
"""

from collections.abc import Iterator

import pandas as pd

from xstilts.experiment import plan
from xstilts.experiment.cells import CELL, Cell
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError

COLUMNS = ["model", "target", "intermediate", "seed", "value"]


def best(cells: pd.DataFrame) -> pd.DataFrame:
    """Return model, target, intermediate, seed and value: a row per (model, target).

    The intermediate task has the highest median over seeds, the first of equals; the row without
    intermediate task is no candidate.

    Args:
        cells: see `scores.cell_values`.

    Raises:
        UserError: where a candidate has no value, because it might have been the best, and where
            there is no candidate.
    """
    candidates = cells[cells["intermediate"] != NONE]
    if candidates.empty:
        raise UserError("there is no intermediate task to choose from, only `none`")
    empty = candidates[candidates["value"].isna()]
    if len(empty):
        first = "/".join(empty.iloc[0][CELL])
        raise UserError(f"{len(empty)} cell(s) have no complete score, the first of them {first}")
    chosen = []
    for _, target in candidates.groupby(["model", "target"], sort=False):
        medians = target.groupby("intermediate", sort=False)["value"].median()
        chosen.append(target[target["intermediate"] == medians.idxmax()])
    return _median_seeds(chosen)


def baselines(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the row without intermediate task in the same columns, where the grid has it."""
    none = cells[cells["intermediate"] == NONE].dropna(subset="value")
    return _median_seeds([target for _, target in none.groupby(["model", "target"], sort=False)])


def _median_seeds(groups: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the seed of the median value; of an even number the lower of the middle two."""
    rows = [group.sort_values("value").iloc[(len(group) - 1) // 2] for group in groups]
    return pd.DataFrame(rows, columns=[*CELL, "value"])[COLUMNS].reset_index(drop=True)


def test_rows(grid: Grid, chosen: pd.DataFrame, row: str) -> Iterator[dict[str, str]]:
    """Yield a row of the test grid per score file of the chosen cells.

    Its columns are those of `grid.csv`, and `row`: its row in the test tables.
    """
    for choice in chosen.itertuples():
        cell = Cell(choice.model, choice.intermediate, choice.seed, choice.target)
        about = plan.made_by(grid, cell)
        for lang in grid.experiment.test_languages[cell.target]:
            grid_row = plan.row(grid, cell, lang, grid.test_split(cell.target))
            yield {**grid_row, "split": "test", "row": row} | about

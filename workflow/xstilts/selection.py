"""Step: dev scores -> the best intermediate task of each target, as chosen for the test set.

Phang et al. 2020 score on test, for each target, the model of the intermediate task that is best on
dev; dev scores are of every language, the median over seeds.
"""

import argparse

import pandas as pd

from xstilts import scores, step
from xstilts.config import NONE
from xstilts.errors import UserError
from xstilts.files import atomic


def best(cells: pd.DataFrame) -> pd.DataFrame:
    """Return model, target, intermediate, seed and value: a row per (model, target).

    The intermediate has the highest median over seeds, of equals the first; the row without
    intermediate task is no candidate. The seed is the one whose value is that median, of an even
    number the lower one in the middle; `value` is its own.

    Args:
        cells: see `scores.cells`.

    Raises:
        UserError: where a candidate has no value, because it might have been the best, and where
            there is no candidate.
    """
    candidates = cells[cells["intermediate"] != NONE]
    if candidates.empty:
        raise UserError("there is no intermediate task to choose from, only `none`")
    empty = candidates[candidates["value"].isna()]
    if len(empty):
        first = "/".join(empty.iloc[0][scores.CELL])
        raise UserError(f"{len(empty)} cell(s) have no complete score, the first of them {first}")
    chosen = []
    for _, target in candidates.groupby(["model", "target"], sort=False):
        medians = target.groupby("intermediate", sort=False)["value"].median()
        seeds = target[target["intermediate"] == medians.idxmax()].sort_values("value")
        chosen.append(seeds.iloc[(len(seeds) - 1) // 2])
    columns = ["model", "target", "intermediate", "seed", "value"]
    return pd.DataFrame(chosen)[columns].reset_index(drop=True)


def main(args: argparse.Namespace) -> None:
    """Choose, and write what was chosen."""
    grid = pd.read_csv(args.grid, dtype=str, keep_default_na=False)
    if set(grid["split"]) != {"dev"}:
        raise UserError(f"{args.grid}: models are chosen by dev scores, and these are of another")
    found, refused = scores.collect(grid, scores.read)
    if refused:
        raise UserError(f"{len(refused)} score file(s) refused: {refused[0]}")
    chosen = best(scores.cells(grid, found))
    with atomic(args.out) as path:
        chosen.to_csv(path, index=False, float_format="%.4f")
    for row in chosen.itertuples():
        print(f"{row.model} {row.target}: {row.intermediate} ({row.seed}, {row.value:.1f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", required=True, help="grid.csv of the plan")
    parser.add_argument(
        "--out", required=True, help="CSV: model, target, intermediate, seed, value"
    )
    step.run(main, parser)

"""Step: dev scores -> the best intermediate task of each target, and its score files on test."""

import argparse

from xstilts.analysis import numbers
from xstilts.analysis.selection import baselines, best, test_rows
from xstilts.experiment import config, config_files, plan
from xstilts.experiment.config import BEST, NONE
from xstilts.experiment.grid import Grid
from xstilts.monitoring import cell_states, products
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, results_of
from xstilts.scoring import scores
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Choose on dev, and write the choice and the test grid."""
    asked = cell_states.read_grid(args.grid)
    dev_grid, _ = cell_states.there(asked, results_of(args.grid).parent)
    metrics, refused = scores.collect(dev_grid, scores.read)
    if refused:
        raise UserError(f"{len(refused)} score file(s) refused: {refused[0]}")
    cells = scores.cell_values(dev_grid, metrics)
    chosen, grid = best(cells), Grid(config.load(config_files.read([args.config])))
    test_grid = [*test_rows(grid, baselines(cells), NONE), *test_rows(grid, chosen, BEST)]
    with atomic(args.out) as path:
        chosen.to_csv(path, index=False, float_format="%.4f")
    plan.write(test_grid, args.test_grid)
    if args.record:
        inputs = [args.grid, args.config, *products.cells_of(asked["score"])]
        products.write(args.record, "select", inputs)
    for row in chosen.itertuples():
        value = numbers.points(row.value)
        print(f"{row.model} {row.target}: {row.intermediate} ({row.seed}, {value})")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--config", required=True, help="the resolved config (YAML)")
    p.add_argument("--grid", required=True, help="grid.csv of the plan")
    p.add_argument("--out", required=True, help="CSV: model, target, intermediate, seed, value")
    p.add_argument("--test-grid", required=True, help="CSV: a row per score file on the test split")
    p.add_argument("--record", help="says that both are whole, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())

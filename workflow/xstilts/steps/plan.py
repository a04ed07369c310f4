"""Step: a config -> `grid.csv`, a row per score file that it asks for, and the resolved config."""

import argparse
import json

import yaml

from xstilts.experiment import config
from xstilts.experiment.grid import Grid
from xstilts.experiment.plan import rows, write
from xstilts.running import step
from xstilts.running.files import atomic


def main(args: argparse.Namespace) -> None:
    """Write `grid.csv` and the resolved config."""
    grid = Grid(config.load(json.loads(args.config)))
    lines = list(rows(grid, grid.cells))
    with atomic(args.resolved) as path:
        path.write_text(yaml.safe_dump(dict(grid.experiment.settings), sort_keys=False))
    write(lines, args.out)
    print(f"{len(grid.cells)} cells, {len(lines)} score files")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--config", required=True, help="the merged config, as JSON")
    p.add_argument("--resolved", required=True, help="where the resolved config goes (YAML)")
    p.add_argument("--out", required=True, help="where the grid goes (CSV)")
    return p


if __name__ == "__main__":
    step.run(main, parser())

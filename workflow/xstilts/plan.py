"""Step: a config -> `grid.csv`, a row per score file that it asks for, and the resolved config."""

import argparse
import csv
import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from xstilts import config, step
from xstilts.files import atomic, digest
from xstilts.grid import Cell, Grid


def rows(grid: Grid, cells: Iterable[Cell]) -> Iterator[dict[str, str]]:
    """Yield a row of `grid.csv` per score file of some cells: its cell, language, path and expected
    spec."""
    split = grid.experiment.settings["split"]
    for cell in cells:
        for lang in grid.experiment.languages[cell.target]:
            yield row(grid, cell, lang, split)


def row(grid: Grid, cell: Cell, lang: str, split: str) -> dict[str, str]:
    """Return the row of one score file."""
    return {
        **dataclasses.asdict(cell),
        "language": lang,
        "split": split,
        "metric": grid.tasks[cell.target].metric,
        "score": grid.score(cell, lang, split),
        "spec": digest(grid.score_spec(cell, lang, split)),
    }


def write(lines: list[dict[str, str]], out: str | Path) -> None:
    """Write rows of one shape as CSV."""
    with atomic(out) as path, open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def main(args: argparse.Namespace) -> None:
    """Write `grid.csv` and the resolved config."""
    grid = Grid(config.load(json.loads(args.config)))
    lines = list(rows(grid, grid.cells))
    with atomic(args.resolved) as path:
        path.write_text(yaml.safe_dump(dict(grid.experiment.settings), sort_keys=False))
    write(lines, args.out)
    print(f"{len(grid.cells)} cells, {len(lines)} score files")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the merged config, as JSON")
    parser.add_argument("--resolved", required=True, help="where the resolved config goes (YAML)")
    parser.add_argument("--out", required=True, help="where the grid goes (CSV)")
    step.run(main, parser)

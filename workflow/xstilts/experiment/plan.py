"""The rows of `grid.csv`: one per score file that an experiment asks for."""

import csv
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from xstilts.experiment.grid import Cell, Grid
from xstilts.running.files import atomic


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
        "spec": grid.score_digest(cell, lang, split),
    }


def write(lines: list[dict[str, str]], out: str | Path) -> None:
    """Write rows of one shape as CSV."""
    with atomic(out) as path, open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)

"""The rows of `grid.csv`: one per score file that an experiment asks for."""

import csv
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from xstilts.experiment import amounts, search
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import Grid
from xstilts.experiment.recipe import Recipe
from xstilts.running.files import atomic

STRATA = "strata"  # the column of the names of the target's strata, where any target has some
FROM = "from"  # the column of the public checkpoint that a model is
STAGE_1 = "stage1_"  # before the names of a recipe's fields; those of stage 2 have nothing there
RECIPE = [field.name for field in dataclasses.fields(Recipe)]
AMOUNTS = ["rows", "steps", "after"]  # of an intermediate, as its entry has them
MADE_BY = [FROM, *RECIPE, *(STAGE_1 + name for name in (*RECIPE, *AMOUNTS))]


def rows(grid: Grid, cells: Iterable[Cell]) -> Iterator[dict[str, Any]]:
    """Yield a row of `grid.csv` per score file of some cells: its cell, language, path, expected
    spec, and what it is made by."""
    split = grid.experiment.settings["split"]
    for cell in cells:
        about = made_by(grid, cell)
        for lang in grid.experiment.languages[cell.target]:
            yield row(grid, cell, lang, split) | about


def row(grid: Grid, cell: Cell, lang: str, split: str) -> dict[str, Any]:
    """Return the row of one score file, without what it is made by."""
    return {
        **dataclasses.asdict(cell),
        "language": lang,
        "split": split,
        "metric": grid.tasks[cell.target].metric,
        **({STRATA: " ".join(grid.tasks[cell.target].strata)} if grid.stratified else {}),
        "score": grid.score(cell, lang, split),
        "spec": grid.score_digest(cell, lang, split),
    }


def made_by(grid: Grid, cell: Cell) -> dict[str, Any]:
    """Return the columns `MADE_BY` of a cell; those of a stage that it has not are None, and of
    what is chosen on dev they say so."""
    train = grid.tasks[cell.target].tuned_on
    entry, stage_1 = grid.entry(cell.intermediate), dict[str, Any]()
    if cell.intermediate != NONE:
        replaced = amounts.REPLACED if "steps" in entry else ()
        stage_1 = dataclasses.asdict(grid.recipe(cell.intermediate, cell.model))
        stage_1 |= dict.fromkeys(replaced)
        stage_1 |= dict.fromkeys(grid.searches.of(cell.model, cell.intermediate), search.KEY)
    stage_2 = dict[str, Any]()
    if train is not None:
        stage_2 = dataclasses.asdict(grid.tuning(train, cell.model)[0].recipe)
        stage_2 |= dict.fromkeys(grid.searches.of(cell.model, cell.intermediate, train), search.KEY)
    return {
        FROM: grid.public(cell.model),
        **{name: stage_2.get(name) for name in RECIPE},
        **{STAGE_1 + name: stage_1.get(name) for name in RECIPE},
        **{STAGE_1 + name: entry.get(name) for name in AMOUNTS},
        f"{STAGE_1}rows": amounts.asked(entry),
    }


def write(
    lines: Iterable[dict[str, Any]], out: str | Path, columns: Sequence[str] | None = None
) -> None:
    """Write rows of one shape as CSV; without `columns` those of the first."""
    lines = list(lines)
    with atomic(out) as path, open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns or list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)

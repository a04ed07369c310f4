"""The cells, as the page shows them: scores, state, log, trainings, examples."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.experiment.grid import CELL, Cell
from xstilts.monitoring.cell_states import CellState
from xstilts.report import examples
from xstilts.report.training import Trainings
from xstilts.running import logs
from xstilts.running.files import canonical

# Bytes, so that a page of thousands of cells still opens on a phone.
EXAMPLES = 4_000_000  # of all examples together
EXAMPLES_CELL = 16_000  # of those of one cell
BOTH = 1_500  # of a language, above which it has two right ones and two wrong ones
LOGS = 1_500_000  # of the ends of all logs together
LOG_CELL = 3_000


def records(
    states: Mapping[Cell, CellState],
    lines: pd.DataFrame,
    values: Mapping[tuple[str, ...], float],
    specs: Mapping[str, Any],
    trainings: Trainings,
    root: Path,
) -> list[dict[str, Any]]:
    """Return a record per cell, in the grid's order.

    Examples are of the first seed of a row and target that has some, as many as fit: the size of
    the page is bounded, whatever the grid.

    Args:
        states: of every cell.
        lines: rows of grid.csv.
        values: (model, intermediate, seed, target, language) -> score in percent.
        specs: absolute path of a score -> what its file says of its making.
        trainings: numbers the trainings that a cell comes from.
        root: the folder that holds `results`.
    """
    paths: dict[Cell, dict[str, str]] = {}
    columns = [lines[name] for name in [*CELL, "language", "score"]]
    for *names, language, path in zip(*columns, strict=True):
        paths.setdefault(Cell(*names), {})[language] = path
    rows, targets = places(states)
    several = {(cell.model, cell.intermediate, cell.target) for cell in states}
    pick = _Picker(root, lines["split"].iloc[0], min(EXAMPLES_CELL, EXAMPLES // len(several)))
    log_bytes = min(LOG_CELL, LOGS // len(states))
    found = []
    for cell, about in states.items():
        key = dataclasses.astuple(cell)
        scored = {lang: path for lang, path in paths[cell].items() if (*key, lang) in values}
        log = about.log or f"results/logs/evaluate/{cell}.log"
        record = {
            "row": rows.index((cell.model, cell.intermediate)),
            "target": targets.index(cell.target),
            "seed": cell.seed,
            **dataclasses.asdict(about),
            "log": log,
            "tail": logs.tail(root / log, log_bytes),
            "scores": [values.get((*key, lang)) for lang in paths[cell]],
            "spec": next((specs[str(root / path)] for path in scored.values()), None),
            "trainings": trainings.of(cell),
            "examples": pick(cell, scored),
        }
        found.append(record)
    return found


def places(states: Mapping[Cell, CellState]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the rows (model, intermediate) and the targets, in the grid's order."""
    rows = dict.fromkeys((cell.model, cell.intermediate) for cell in states)
    return list(rows), list(dict.fromkeys(cell.target for cell in states))


class _Picker:
    """Picks the examples of cells, `allowed` bytes for each."""

    def __init__(self, root: Path, split: str, allowed: int) -> None:
        self.root, self.split, self.allowed = root, split, allowed
        self.rows = examples.Rows()
        self.seen: set[tuple[str, str, str]] = set()

    def __call__(self, cell: Cell, scored: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        """Return language -> examples, {} if another seed of the cell has had some.

        Args:
            scored: language -> path of the score. One without a score, or whose score was refused,
                is not in it: its predictions are not of this grid.
        """
        place = (cell.model, cell.intermediate, cell.target)
        found: dict[str, list[dict[str, Any]]] = {}
        if place in self.seen or not scored:
            return found
        each = 2 if self.allowed // len(scored) > BOTH else 1
        used = 0
        for lang, path in scored.items():
            data = self.root / f"results/data/{cell.target}/{lang}.{self.split}.parquet"
            some = examples.of_language(self.root / path, data, self.rows, each)
            used += len(canonical(some).encode())
            if used > self.allowed:
                break
            if some:
                found[lang] = some
        if found:
            self.seen.add(place)
        return found

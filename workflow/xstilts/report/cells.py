"""The cells of the page: scores, state, log, trainings, examples."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import chance, numbers
from xstilts.experiment.cells import CELL, Cell
from xstilts.monitoring.cell_states import CellState
from xstilts.report import examples
from xstilts.report.training import Trainings
from xstilts.running import logs
from xstilts.running.files import canonical

# Limits in bytes, so that a page of thousands of cells still opens on a phone.
MAX_EXAMPLES = 4_000_000  # all examples together
MAX_CELL_EXAMPLES = 16_000  # the examples of a cell
TWO_EACH = 1_500  # a language with more room gets two right and two wrong examples, not one
MAX_LOGS = 1_500_000  # the ends of all logs together
MAX_CELL_LOG = 3_000


def records(
    states: Mapping[Cell, CellState],
    languages: Mapping[str, Sequence[str]],
    grid_rows: pd.DataFrame,
    values: Mapping[tuple[str, ...], str],
    specs: Mapping[str, Any],
    trainings: Trainings,
    root: Path,
    collapsed: Collection[Cell] = (),
) -> list[dict[str, Any]]:
    """Return a record per cell, in the grid's order.

    Examples are of the first seed of a row and target that has some, as many as fit, so that the
    size of the page is bounded.

    Args:
        states: of every cell.
        languages: target -> its languages, in the order of the page.
        grid_rows: rows of grid.csv.
        values: (model, intermediate, seed, target, language) -> score in percent, as text.
        specs: absolute path of a score -> how it was made, see `contents.SCORE_FIELDS`.
        trainings: numbers the trainings of a cell.
        root: the folder that holds `results`.
        collapsed: the cells that a training collapsed for; they have `collapsed`.
    """
    paths: dict[Cell, dict[str, str]] = {}
    columns = [grid_rows[name] for name in [*CELL, "language", "score"]]
    for *names, language, path in zip(*columns, strict=True):
        paths.setdefault(Cell(*names), {})[language] = path
    rows, targets = rows_and_targets(states)
    row_targets = {(cell.model, cell.intermediate, cell.target) for cell in states}
    example_bytes = min(MAX_CELL_EXAMPLES, MAX_EXAMPLES // len(row_targets))
    picker = _ExamplePicker(root, grid_rows["split"].iloc[0], example_bytes)
    log_bytes = min(MAX_CELL_LOG, MAX_LOGS // len(states))
    cell_records = []
    for cell, state in states.items():
        key = dataclasses.astuple(cell)
        asked = languages[cell.target]
        scored = {lang: paths[cell][lang] for lang in asked if (*key, lang) in values}
        log = state.log or f"results/logs/evaluate/{cell}.log"
        record = {
            "row": rows.index((cell.model, cell.intermediate)),
            "target": targets.index(cell.target),
            "seed": cell.seed,
            **dataclasses.asdict(state),
            "log": log,
            "tail": logs.tail(root / log, log_bytes),
            "scores": [values.get((*key, lang), numbers.MISSING) for lang in asked],
            "spec": next((specs[str(root / path)] for path in scored.values()), None),
            "trainings": trainings.of(cell),
            "examples": picker.pick(cell, scored),
            **({"collapsed": True} if cell in collapsed else {}),
        }
        cell_records.append(record)
    return cell_records


def rows_and_targets(states: Mapping[Cell, CellState]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the rows (model, intermediate) and the targets, in the grid's order."""
    rows = dict.fromkeys((cell.model, cell.intermediate) for cell in states)
    return list(rows), list(dict.fromkeys(cell.target for cell in states))


class _ExamplePicker:
    """Picks the examples of cells, `max_bytes` for each."""

    def __init__(self, root: Path, split: str, max_bytes: int) -> None:
        self.root, self.split, self.max_bytes = root, split, max_bytes
        self.row_cache = examples.RowCache()
        self.picked: set[tuple[str, str, str]] = set()

    def pick(self, cell: Cell, scored: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        """Return language -> examples, {} if another seed of the cell already has some.

        Args:
            scored: language -> path of the score; without languages whose score is missing or
                refused, since their predictions are not of this grid.
        """
        row_target = (cell.model, cell.intermediate, cell.target)
        by_language: dict[str, list[dict[str, Any]]] = {}
        if row_target in self.picked or not scored:
            return by_language
        count = 2 if self.max_bytes // len(scored) > TWO_EACH else 1
        used = 0
        for lang, path in scored.items():
            data = chance.rows_path(self.root / "results", cell.target, lang, self.split)
            chosen = examples.of_language(self.root / path, data, self.row_cache, count)
            used += len(canonical(chosen).encode())
            if used > self.max_bytes:
                break
            if chosen:
                by_language[lang] = chosen
        if by_language:
            self.picked.add(row_target)
        return by_language

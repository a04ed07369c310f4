"""The data of the page: the grid and its state, the main table, a record per cell."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import tables
from xstilts.analysis.significance import EXAMPLES_AND_SEEDS
from xstilts.experiment import graph
from xstilts.experiment.grid import CELL, NOSEED, Grid
from xstilts.monitoring import cell_states
from xstilts.monitoring.records import Pins, Records
from xstilts.report import cells
from xstilts.report.training import Trainings
from xstilts.running.errors import UserError
from xstilts.running.files import results_of
from xstilts.scoring import scores

# Fields of a score file that say how it was made.
SCORE_FIELDS = ("spec", "weights", "seconds", "device", "precision", "peak_memory", "n")


@dataclasses.dataclass
class ScoreReader:
    """Reads score files, and keeps what the page needs of each.

    Attributes:
        read: path -> the score, None where there is none; UserError for one to be refused.
        specs: absolute path -> `SCORE_FIELDS` of the score.
        versions: package -> versions that were used.
        devices: names of the devices that scored.
        pins: data set or model -> revisions that were used.
    """

    read: Callable[[str], Any] = scores.read
    specs: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    versions: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    devices: set[str] = dataclasses.field(default_factory=set)
    pins: dict[str, set[str]] = dataclasses.field(default_factory=dict)

    def __call__(self, path: str) -> Any:
        """Return the content of a score file, as `read`."""
        score = self.read(path)
        if isinstance(score, dict):
            self.specs[path] = {key: score[key] for key in SCORE_FIELDS if key in score}
            for collected, key in ((self.versions, "versions"), (self.pins, "pins")):
                values = score.get(key)
                for name, value in values.items() if isinstance(values, dict) else ():
                    collected.setdefault(str(name), set()).add(str(value))
            self.devices.add(str(score.get("device", "unknown")))
        return score


def main_values(main: pd.DataFrame, targets: list[str]) -> list[list[list[float | None]]]:
    """Return, per row of the main table, [value, delta] of each target and of the average."""
    return [
        [[_number(row[name]), _number(row[f"{name} delta"])] for name in [*targets, "average"]]
        for row in main.to_dict("records")
    ]


def _number(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)


def language_scores(metrics: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """Return (model, intermediate, seed, target, language) -> score in percent."""
    main = metrics[metrics["metric"] == "score"]
    key = [*CELL, "language"]
    return {
        tuple(names): round(100 * value, 4)
        for *names, value in main[[*key, "value"]].itertuples(index=False, name=None)
    }


def noise(
    deltas: pd.DataFrame | None, rows: list[tuple[str, str]], targets: list[str]
) -> dict[str, Any]:
    """Return the significant differences, `beyond`, as [row, target] by index; and the noise that
    they are compared with, `seen`: "both" of examples and seeds, "examples", or "" for none.

    Args:
        deltas: the table of that name (`significance.deltas`), as text; None if there is none.
    """
    overall = pd.DataFrame() if deltas is None else deltas[deltas["language"] == ""]
    if not len(overall):
        return {"seen": "", "beyond": []}
    beyond = [
        [rows.index((row.model, row.intermediate)), targets.index(row.target)]
        for row in overall[overall["survives"] == "True"].itertuples()
        if (row.model, row.intermediate) in rows and row.target in targets
    ]
    return {
        "seen": "both" if (overall["over"] == EXAMPLES_AND_SEEDS).any() else "examples",
        "beyond": beyond,
    }


def contents(
    grid_rows: pd.DataFrame,
    grid: Grid | None,
    root: Path,
    deltas: pd.DataFrame | None = None,
    lock: str = "",
) -> dict[str, Any]:
    """Return the data of the page.

    Args:
        grid_rows: rows of grid.csv.
        grid: of the config beside grid.csv; without it there are no trainings and no reasons.
        root: the folder that holds `results`.
        deltas: see `noise`.
        lock: the lock file of the experiment, "" for none.

    Returns:
        Plain data, which refers to `rows`, `targets` and `trainings` by index. Scores and deltas
        are in percent, None where they are missing.
    """
    pins = Pins(lock, root)
    reader = ScoreReader(pins.score)
    metrics, refused = cell_states.collect(grid_rows, root, reader)
    nodes = graph.build(grid) if grid else {}
    endings = cell_states.Endings(Records(nodes, pins, root))
    states = cell_states.cells(
        grid_rows, metrics, refused, endings.trouble if grid else lambda cell: None
    )
    by_target = grid_rows.groupby("target", sort=False)["language"]
    languages = {target: list(dict.fromkeys(group)) for target, group in by_target}
    rows, targets = cells.rows_and_targets(states)
    trainings = Trainings(root, grid)
    values = language_scores(metrics)
    return {
        "title": "xstilts",
        "facts": _facts(grid_rows, reader, grid),
        "targets": [
            {"name": name, "metric": metric, "languages": languages[name]}
            for name, metric in _metrics(grid_rows).items()
        ],
        "rows": [{"model": model, "intermediate": name} for model, name in rows],
        "main": main_values(tables.main_table(scores.cell_values(grid_rows, metrics)), targets),
        "noise": noise(deltas, rows, targets),
        "states": dict(Counter(state.state for state in states.values())),
        "cells": cells.records(states, grid_rows, values, reader.specs, trainings, root),
        "trainings": trainings.summaries,
        "pins": {name: sorted(pins) for name, pins in sorted(reader.pins.items())},
    }


def _metrics(grid_rows: pd.DataFrame) -> dict[str, str]:
    """Return target -> short name of its metric, in the grid's order."""
    pairs = zip(grid_rows["target"], grid_rows["metric"], strict=True)
    return {target: tables.SHORT_METRICS.get(metric, metric) for target, metric in pairs}


def _facts(grid_rows: pd.DataFrame, reader: ScoreReader, grid: Grid | None) -> list[list[str]]:
    """Return [name, text] pairs about the experiment as a whole."""
    facts = {
        "data": str(grid.experiment.settings["source"]) if grid else "",
        "split": ", ".join(dict.fromkeys(grid_rows["split"])),
        "seeds": ", ".join(dict.fromkeys(s for s in grid_rows["seed"] if s != NOSEED)),
        "score files": f"{len(grid_rows):,}",
        "devices": ", ".join(sorted(reader.devices)),
        "software": ", ".join(
            f"{name} {'/'.join(sorted(used))}" for name, used in sorted(reader.versions.items())
        ),
    }
    return [[name, text] for name, text in facts.items() if text]


def read(path: Path, tables_folder: Path | None = None, lock: str = "") -> dict[str, Any]:
    """Return the data of the page for a `grid.csv` and the config.yaml beside it, if there is one.

    Args:
        tables_folder: of the result tables, for the significant differences.
        lock: the lock file of the experiment, "" for none.

    Raises:
        UserError: `tables_folder` has no result tables.
    """
    grid_rows = cell_states.read_grid(path)
    config_path = path.parent / "config.yaml"
    grid = cell_states.read_config(config_path) if config_path.exists() else None
    deltas = None
    if tables_folder:
        try:
            deltas = pd.read_csv(tables_folder / "deltas.csv", dtype=str, keep_default_na=False)
            deltas = deltas[["model", "intermediate", "target", "language", "over", "survives"]]
        except (OSError, KeyError, pd.errors.ParserError, pd.errors.EmptyDataError):
            raise UserError(
                f"{tables_folder}: no result tables; the step `tables` makes them"
            ) from None
    return contents(grid_rows, grid, results_of(path).parent, deltas, lock)

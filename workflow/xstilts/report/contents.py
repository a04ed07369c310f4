"""What the page shows, as plain data: the grid and its state, the main table, a record per cell."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import tables
from xstilts.analysis.significance import EXAMPLES_AND_SEEDS
from xstilts.experiment import graph
from xstilts.experiment.grid import CELL, NOSEED, Grid
from xstilts.monitoring import cell_states
from xstilts.report import cells
from xstilts.report.training import Trainings
from xstilts.running.errors import UserError
from xstilts.scoring import scores

# Of a score file, what its making is shown by.
KEPT = ("spec", "weights", "seconds", "device", "precision", "peak_memory", "n")


@dataclasses.dataclass
class Read:
    """The score files: what the page needs of each is kept as they are read, once.

    Attributes:
        specs: absolute path -> what the score says of its making.
        versions: package -> versions that were used.
        devices: names of the devices that scored.
        pins: data set or model -> revisions that were used.
    """

    specs: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    versions: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    devices: set[str] = dataclasses.field(default_factory=set)
    pins: dict[str, set[str]] = dataclasses.field(default_factory=dict)

    def __call__(self, path: str) -> Any:
        """Return what is in a score file, as `scores.read`."""
        score = scores.read(path)
        if isinstance(score, dict):
            self.specs[path] = {key: score[key] for key in KEPT if key in score}
            for ours, key in ((self.versions, "versions"), (self.pins, "pins")):
                named = score.get(key)
                for name, value in named.items() if isinstance(named, dict) else ():
                    ours.setdefault(str(name), set()).add(str(value))
            self.devices.add(str(score.get("device", "unknown")))
        return score


def numbers(main: pd.DataFrame, targets: list[str]) -> list[list[list[float | None]]]:
    """Return, per row of the main table, [value, delta] of each target and of the average."""
    return [
        [[_number(row[name]), _number(row[f"{name} delta"])] for name in [*targets, "average"]]
        for row in main.to_dict("records")
    ]


def _number(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)


def language_scores(found: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """Return (model, intermediate, seed, target, language) -> score in percent."""
    main = found[found["metric"] == "score"]
    key = [*CELL, "language"]
    return {
        tuple(names): round(100 * value, 4)
        for *names, value in main[[*key, "value"]].itertuples(index=False, name=None)
    }


def noise(
    deltas: pd.DataFrame | None, rows: list[tuple[str, str]], targets: list[str]
) -> dict[str, Any]:
    """Return the differences that are more than noise, `beyond`, as [row, target] by index; and
    which noise could be seen, `seen`: "both" of examples and seeds, "examples", or "" for none.

    Args:
        deltas: the table of that name (`significance.deltas`), as text; None if there is none.
    """
    whole = pd.DataFrame() if deltas is None else deltas[deltas["language"] == ""]
    if not len(whole):
        return {"seen": "", "beyond": []}
    beyond = [
        [rows.index((row.model, row.intermediate)), targets.index(row.target)]
        for row in whole[whole["survives"] == "True"].itertuples()
        if (row.model, row.intermediate) in rows and row.target in targets
    ]
    return {
        "seen": "both" if (whole["over"] == EXAMPLES_AND_SEEDS).any() else "examples",
        "beyond": beyond,
    }


def contents(
    lines: pd.DataFrame, grid: Grid | None, root: Path, deltas: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Return the data of the page.

    Args:
        lines: rows of grid.csv.
        grid: of the config beside it; without it the page has no trainings and no reasons.
        root: the folder that holds `results`.
        deltas: see `noise`.

    Returns:
        Plain data; `rows`, `targets` and `trainings` are referred to by their index. Scores and
        deltas are in percent, None where they are missing.
    """
    read = Read()
    found, refused = cell_states.collect(lines, root, read)
    nodes = graph.build(grid, lines.to_dict("records")) if grid else {}
    results = cell_states.Results(root, nodes)
    states = cell_states.cells(
        lines, found, refused, results.trouble if grid else lambda cell: None
    )
    by_target = lines.groupby("target", sort=False)["language"]
    languages = {target: list(dict.fromkeys(group)) for target, group in by_target}
    rows, targets = cells.places(states)
    trainings = Trainings(root, grid)
    values = language_scores(found)
    return {
        "title": "xstilts",
        "facts": _facts(lines, read, grid),
        "targets": [
            {"name": name, "metric": metric, "languages": languages[name]}
            for name, metric in _metrics(lines).items()
        ],
        "rows": [{"model": model, "intermediate": name} for model, name in rows],
        "main": numbers(tables.main_table(scores.cell_values(lines, found)), targets),
        "noise": noise(deltas, rows, targets),
        "states": dict(Counter(about.state for about in states.values())),
        "cells": cells.records(states, lines, values, read.specs, trainings, root),
        "trainings": trainings.found,
        "pins": {name: sorted(which) for name, which in sorted(read.pins.items())},
    }


def _metrics(lines: pd.DataFrame) -> dict[str, str]:
    """Return target -> how its figure is called, in the grid's order."""
    pairs = zip(lines["target"], lines["metric"], strict=True)
    return {target: tables.SHORT_METRICS.get(metric, metric) for target, metric in pairs}


def _facts(lines: pd.DataFrame, read: Read, grid: Grid | None) -> list[list[str]]:
    """Return [name, text] pairs about the experiment as a whole."""
    facts = {
        "data": str(grid.experiment.settings["source"]) if grid else "",
        "split": ", ".join(dict.fromkeys(lines["split"])),
        "seeds": ", ".join(dict.fromkeys(s for s in lines["seed"] if s != NOSEED)),
        "score files": f"{len(lines):,}",
        "devices": ", ".join(sorted(read.devices)),
        "software": ", ".join(
            f"{k} {'/'.join(sorted(v))}" for k, v in sorted(read.versions.items())
        ),
    }
    return [[name, text] for name, text in facts.items() if text]


def read(path: Path, folder: Path | None = None) -> dict[str, Any]:
    """Return the data of the page for a `grid.csv`; config.yaml is read where it lies beside it.

    Args:
        folder: of the result tables, for what is noise.

    Raises:
        UserError: `folder` is not such a folder.
    """
    lines = cell_states.read_grid(path)
    beside = path.parent / "config.yaml"
    grid = cell_states.read_config(beside) if beside.exists() else None
    deltas = None
    if folder:
        try:
            deltas = pd.read_csv(folder / "deltas.csv", dtype=str, keep_default_na=False)
            deltas = deltas[["model", "intermediate", "target", "language", "over", "survives"]]
        except (OSError, KeyError, pd.errors.ParserError, pd.errors.EmptyDataError):
            raise UserError(f"{folder}: no result tables; the step `tables` makes them") from None
    return contents(lines, grid, path.resolve().parent.parent, deltas)

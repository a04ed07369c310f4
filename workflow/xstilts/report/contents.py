"""The data of the page: what its parts hold, put together."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import figure_data, languages, numbers, overlap, significance, tables
from xstilts.analysis.colours import Scale
from xstilts.analysis.delta_table import ROW
from xstilts.experiment import graph
from xstilts.experiment.cells import CELL
from xstilts.experiment.grid import Grid
from xstilts.monitoring import cell_states, collapsed, products
from xstilts.monitoring.records import Pins, Records
from xstilts.report import about, cells, downloads, questions, values
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


def contents(
    path: Path,
    grid_rows: pd.DataFrame,
    grid: Grid | None,
    deltas: pd.DataFrame | None = None,
    lock: str = "",
    left_out: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the data of the page.

    Args:
        path: of grid.csv.
        grid_rows: its rows.
        grid: of the config beside it; without it there are no trainings and no reasons.
        deltas: the table of that name (`significance.deltas`), None if there is none.
        lock: the lock file of the experiment, "" for none.
        left_out: what `cell_states.there` says of languages without rows.

    Returns:
        Plain data, which refers to `rows`, `targets` and `trainings` by index. Numbers that are
        shown are text, a dash where they are missing.
    """
    results = results_of(path)
    root, pins = results.parent, Pins(lock, results.parent)
    reader = ScoreReader(pins.score)
    metrics, refused = cell_states.collect(grid_rows, root, reader)
    nodes = graph.build(grid) if grid else {}
    endings = cell_states.Endings(Records(nodes, pins, root))
    states = cell_states.cells(
        grid_rows, metrics, refused, endings.trouble if grid else lambda cell: None
    )
    by_target = grid_rows.groupby("target", sort=False)["language"]
    names = {str(target): languages.ordered(group) for target, group in by_target}
    rows, targets = cells.rows_and_targets(states)
    trainings = Trainings(root, grid)
    levels = about.chance_levels(grid_rows["split"].iloc[0], grid, names, results)
    wide = {
        target: tables.with_deltas(table)
        for target, table in languages.by_target(scores.language_values(grid_rows, metrics)).items()
    }
    main = tables.main_table(scores.cell_values(grid_rows, metrics))
    columns = [*targets, tables.AVERAGE]
    scale = Scale.of(main[[f"{target} delta" for target in targets]].to_numpy().flat)
    overall = _overall(deltas, {(*row, target) for row in rows for target in targets})
    missing = len(grid_rows) - int((metrics["metric"] == "score").sum())
    pairs = overlap.pairs(overlap.read(grid, root, pins.score)[0]) if grid else ()
    text = tables.main_text_table(main, overall, {}, missing, len(grid_rows), pairs)
    marked = collapsed.trainings(nodes, root)
    of_marked = collapsed.cells(nodes, marked)
    at_guessing = [f"{line}."] if (line := collapsed.line(nodes, marked, root)) else []
    order = products.questions(grid.experiment) if grid else []
    asked = questions.read(path.parent, rows, targets, order)
    return {
        "title": "xstilts",
        "questions": asked,
        "facts": about.facts(path.parent.name, grid_rows, grid, reader.devices, reader.versions),
        "notes": [
            *text.notes,
            *at_guessing,
            *left_out,
            *about.notes(overall, grid_rows, grid, names, results),
        ],
        "targets": [
            {
                "name": name,
                "metric": metric,
                "languages": names[name],
                "chance": about.chance_texts(levels[name]),
            }
            for name, metric in _metrics(grid_rows).items()
        ],
        "rows": [{"model": model, "intermediate": name} for model, name in rows],
        "main": values.main_fields(main, text, columns, scale),
        "scale": values.legend(scale),
        "languages": values.language_fields(wide, rows, names),
        "differences": values.differences(main, columns, wide, rows, names),
        "states": dict(Counter(state.state for state in states.values())),
        "cells": cells.records(
            states,
            names,
            grid_rows,
            language_scores(metrics),
            reader.specs,
            trainings,
            root,
            of_marked,
        ),
        "trainings": trainings.summaries,
        "pins": {name: sorted(pins) for name, pins in sorted(reader.pins.items())},
        **downloads.collect(
            path.parent,
            downloads.names(
                dict.fromkeys(model for model, _ in rows),
                targets,
                [found["name"] for found in asked],
            ),
        ),
    }


def _overall(deltas: pd.DataFrame | None, known: Set[tuple[str, ...]]) -> pd.DataFrame:
    """Return the differences over all languages, no rows where there is no table.

    Args:
        deltas: see `contents`.
        known: (model, intermediate, target) of the grid; the table may be of an earlier one.
    """
    if deltas is None:
        return pd.DataFrame(columns=significance.COLUMNS).astype({"survives": bool})
    overall = deltas[deltas["language"] == ""]
    keys = zip(*(overall[name] for name in (*ROW, "target")), strict=True)
    return overall[pd.Series([key in known for key in keys], overall.index, dtype=bool)]


def language_scores(metrics: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Return (model, intermediate, seed, target, language) -> score in percent, as text."""
    main = metrics[metrics["metric"] == "score"]
    key = [*CELL, "language"]
    return {
        tuple(names): numbers.points(100 * value)
        for *names, value in main[[*key, "value"]].itertuples(index=False, name=None)
    }


def _metrics(grid_rows: pd.DataFrame) -> dict[str, str]:
    """Return target -> short name of its metric, in the grid's order."""
    pairs = zip(grid_rows["target"], grid_rows["metric"], strict=True)
    return {target: tables.SHORT_METRICS.get(metric, metric) for target, metric in pairs}


def read(path: Path, tables_folder: Path | None = None, lock: str = "") -> dict[str, Any]:
    """Return the data of the page for a `grid.csv` and what lies beside it.

    Of that it reads config.yaml and, to save them from the page, tables and figures, as far as they
    are there.

    Args:
        tables_folder: of the result tables, for the significant differences.
        lock: the lock file of the experiment, "" for none.

    Raises:
        UserError: `tables_folder` has no result tables.
    """
    root = results_of(path).parent
    grid_rows, left_out = cell_states.there(cell_states.read_grid(path), root)
    config_path = path.parent / "config.yaml"
    grid = cell_states.read_config(config_path) if config_path.exists() else None
    deltas = None
    if tables_folder:
        try:
            deltas = figure_data.read_table(tables_folder / "deltas.csv")[significance.COLUMNS]
        except (UserError, ValueError, KeyError):
            raise UserError(
                f"{tables_folder}: no result tables; the step `tables` makes them"
            ) from None
    return contents(path, grid_rows, grid, deltas, lock, left_out)

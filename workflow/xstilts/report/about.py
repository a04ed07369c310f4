"""What the page says of the run as a whole: facts, and notes on what it lacks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import chance, numbers
from xstilts.analysis.estimates import EXAMPLES_AND_SEEDS, MIN_SEEDS
from xstilts.data import prepare
from xstilts.experiment.cells import NOSEED
from xstilts.experiment.grid import Grid
from xstilts.running import record
from xstilts.running.errors import UserError


def facts(
    name: str,
    grid_rows: pd.DataFrame,
    grid: Grid | None,
    devices: set[str],
    versions: Mapping[str, set[str]],
) -> list[list[str]]:
    """Return [name, text] pairs, those without a text left out.

    Args:
        name: of the experiment.
        grid_rows: rows of grid.csv.
        grid: of the config beside it, if there is one.
        devices: that scored.
        versions: package -> versions that were used.
    """
    packages = [f"{name} {'/'.join(sorted(used))}" for name, used in sorted(versions.items())]
    named = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "code": record.code(),
        "experiment": name,
        "data": str(grid.experiment.settings["source"]) if grid else "",
        "split": ", ".join(dict.fromkeys(grid_rows["split"])),
        "seeds": ", ".join(dict.fromkeys(s for s in grid_rows["seed"] if s != NOSEED)),
        "score files": f"{len(grid_rows):,}",
        "devices": ", ".join(sorted(devices)),
        "packages": ", ".join(packages),
    }
    return [[name, text] for name, text in named.items() if text]


def chance_levels(
    split: str, grid: Grid | None, languages: Mapping[str, Sequence[str]], results: Path
) -> dict[str, list[float | None]]:
    """Return target -> chance level in percent of each of its languages, None where unknown.

    Args:
        split: that is scored.
        grid: of the config; without it nothing is known.
        languages: target -> its languages.
        results: the results folder.
    """
    return {
        target: [
            chance.of_task(grid, results, target, name, split) if grid else None for name in names
        ]
        for target, names in languages.items()
    }


def chance_texts(levels: Sequence[float | None]) -> dict[str, Any]:
    """Return the chance level of the mean over languages, and of each, as text; "" if unknown."""
    known = [level for level in levels if level is not None]
    mean = numbers.points(sum(known) / len(known)) if known and len(known) == len(levels) else ""
    each = ["" if level is None else numbers.points(level) for level in levels]
    return {"mean": mean, "languages": each}


def notes(
    overall: pd.DataFrame,
    grid_rows: pd.DataFrame,
    grid: Grid | None,
    languages: Mapping[str, Sequence[str]],
    results: Path,
) -> list[str]:
    """Return sentences about what the numbers lack: noise of seeds, languages, gold values.

    Args:
        overall: the rows of `significance.deltas` over all languages.
        grid_rows: rows of grid.csv.
        grid: of the config beside it, if there is one.
        languages: target -> its languages.
        results: the results folder.
    """
    found = []
    if len(overall) and not (overall["over"] == EXAMPLES_AND_SEEDS).any():
        few = f"Fewer than {MIN_SEEDS} seeds"
        found.append(f"{few}: the noise of training is not known, so no difference is marked.")
    languages_asked = grid.experiment.settings["languages"] if grid else []
    asked = languages_asked if isinstance(languages_asked, list) else []
    found += grid.experiment.notes if grid else []
    if grid and grid.searches.all:
        count = len(grid.searches.all)
        found.append(f"Chosen on dev: hyper-parameters, in {count} searches (chosen.csv).")
    for target, names in languages.items():
        task = grid.tasks[target] if grid else None
        if absent := [n for n in asked if task and n not in (*task.languages, *names)]:
            found.append(f"{target} has no {', '.join(absent)}.")
    split = grid_rows["split"].iloc[0]
    for target, names in languages.items():
        for name in names:
            value = _one_value(chance.rows_path(results, target, name, split))
            if value is not None:
                found.append(f"{target}, {name}: the only gold value is {value}.")
    return found


def _one_value(path: Path) -> str | None:
    """Return the only gold value of a file of prepared rows, None if it has several or no rows."""
    try:
        value = prepare.metadata(path).get("one_value")
    except UserError:
        return None
    return None if value is None else str(value)

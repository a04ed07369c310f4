"""Results by classes of examples: the strata that tasks declare."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from xstilts.analysis import class_deltas
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.evidence import MIN_EXAMPLES
from xstilts.analysis.text_table import TextTable
from xstilts.experiment.cells import CELL
from xstilts.experiment.config import NONE
from xstilts.experiment.selectors import Condition

KEY = ["model", "target", "stratum", "class"]
COUNTS = ["languages", "examples"]
Classes = Mapping[tuple[str, str], Mapping[str, Sequence[str | None]]]


def table(
    grid: pd.DataFrame, files: Mapping[str, object], values: Mapping[str, np.ndarray], of: Classes
) -> pd.DataFrame:
    """Return a row per (model, intermediate, target, stratum, class): the mean value of the
    examples of the class in a language, then the mean over languages, then the median over seeds.

    Columns: `languages` in which the class has `MIN_EXAMPLES`, `examples` in the language that has
    most, `value` in percent, missing where that of a language or seed is, `delta` to `none`.

    Args:
        grid: a row per score file: `CELL`, language, `score` (path).
        files: score file -> its score; those that are accepted.
        values: score file -> the value of each example.
        of: see `examples.strata`.
    """
    columns = [*CELL, "stratum", "class", "language", "examples", "value"]
    rows = []
    for (target, language), part in grid.groupby(["target", "language"], sort=False):
        for stratum, classes in of.get((target, language), {}).items():
            for name, chosen in _large(classes).items():
                for line in part.to_dict("records"):
                    path = line["score"]
                    there = path in files and path in values
                    mean = 100 * float(values[path][chosen].mean()) if there else np.nan
                    key = [*(line[column] for column in CELL), stratum, name, language]
                    rows.append([*key, len(chosen), mean])
    each = pd.DataFrame(rows, columns=columns)
    # The classes of a language of which no score is there are not known.
    known = grid.assign(known=[key in of for key in zip(grid.target, grid.language, strict=True)])
    whole = known.groupby("target")["known"].all()
    each["value"] = each["value"].where(each["target"].map(whole).astype(bool))
    seeds = each.groupby([*CELL, "stratum", "class"], sort=False)
    by_seed = seeds.agg(languages=("language", "nunique"), examples=("examples", "max"))
    by_seed["value"] = seeds["value"].mean(skipna=False)
    cells = by_seed.groupby(["model", "intermediate", "target", "stratum", "class"], sort=False)
    means = cells[COUNTS].max()
    means["value"] = cells["value"].median(skipna=False)
    means = means.reset_index()
    baseline = means.loc[means["intermediate"] == NONE, [*KEY, "value"]]
    means = means.merge(baseline, how="left", on=KEY, suffixes=("", " of none"))
    delta = means["value"] - means.pop("value of none")
    return means.assign(delta=delta.where(means["intermediate"] != NONE))


def _large(classes: Sequence[str | None]) -> dict[str, np.ndarray]:
    """Return class -> the numbers of its examples, of those that have enough, in natural order."""
    found: dict[str, list[int]] = {}
    for number, name in enumerate(classes):
        if name is not None:
            found.setdefault(name, []).append(number)
    names = sorted((n for n, of in found.items() if len(of) >= MIN_EXAMPLES), key=_natural)
    return {name: np.array(found[name]) for name in names}


def _natural(name: str) -> list[tuple[int, int, str]]:
    """The key by which 2 is before 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def deltas(grid: pd.DataFrame, of: Classes, estimator: Estimator) -> pd.DataFrame:
    """Return a row per (model, intermediate, target, stratum, class): how it differs from `none`.

    See `class_deltas.table`.

    Args:
        grid: see `table`.
        of: see `examples.strata`.
    """
    columns = [grid[name] for name in ("model", "intermediate", "target", "language")]
    large = {
        (key, stratum): list(_large(classes))
        for key, by in of.items()
        for stratum, classes in by.items()
    }
    classes = class_deltas.gathered(
        grid,
        (
            (cell, (cell[2], stratum, name), {stratum: Condition(among=(name,))})
            for cell in zip(*columns, strict=True)
            for stratum in of.get(cell[2:], {})
            for name in large[cell[2:], stratum]
        ),
    )
    names = ["model", "intermediate", "target", "stratum", "class"]
    return class_deltas.table(classes, names, estimator)


def wide(long: pd.DataFrame, deltas: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a row per (model, target, stratum, class) and a column per intermediate.

    Columns: `languages` and `examples`; then the score of `none`, the difference to it of the
    others, with `<name> low` and `<name> high` where `deltas` has it. Without `none` all are
    scores.
    """
    means = {}
    for name, part in long.groupby("intermediate", sort=False):
        column = "delta" if name != NONE and NONE in set(long["intermediate"]) else "value"
        means[name] = part.set_index(KEY)[column]
    if deltas is not None:
        means = class_deltas.beside(means, deltas, KEY)
    return long.groupby(KEY, sort=False)[COUNTS].max().assign(**means).reset_index()


def text_table(wide: pd.DataFrame, deltas: pd.DataFrame | None = None) -> TextTable:
    """Return the wide table for readers, see `class_deltas.text_table`."""
    notes = [
        "Mean value of the examples of a class, mean over languages, in percent: the median over"
        " seeds of none, differences to it of means over seeds.",
        f"Of classes with {MIN_EXAMPLES} examples or more in a language. examples: the most that a"
        " language has.",
    ]
    if wide.empty:
        notes.append("There is no such class yet.")
    return class_deltas.text_table(wide, KEY, COUNTS, deltas, notes, "strata")

"""The form of the paper's Table 2: a row of absolute figures, then signed differences to it."""

from collections.abc import Collection, Mapping

import pandas as pd

from xstilts.analysis.text_table import MISSING, Cell, Sheet, figure
from xstilts.experiment.config import NONE

ROW = ["model", "intermediate"]
GROUPS = ["XTREME's averages of the main table, in percent; missing unless all targets are there."]


def build(
    table: pd.DataFrame,
    notes: Collection[str] = (),
    headings: Mapping[str, str] | None = None,
    marked: Collection[tuple[str, str, str]] = (),
    low: Collection[str] = (),
) -> Sheet:
    """Return a sheet of a wide table; of each model and column the best is bold.

    A model without the row `none` has absolute figures. What is equal as it is printed is equally
    good; a single row is not the best of anything.

    Args:
        table: a row per (model, intermediate); for each column X also `X delta`.
        headings: column -> what to print over it.
        marked: (model, intermediate, column) of the deltas that get a mark.
        low: columns in which less is better.
    """
    columns = [c for c in table.columns[len(ROW) :] if not c.endswith(" delta")]
    with_baseline = set(table.loc[table["intermediate"] == NONE, "model"])
    best = {
        (model, column): _best(part[column], column in low)
        for model, part in table.groupby("model", sort=False)
        for column in columns
    }
    rows = []
    for row in table.to_dict("records"):
        delta = row["model"] in with_baseline and row["intermediate"] != NONE
        cells = []
        for column in columns:
            value = row[f"{column} delta"] if delta else row[column]
            cells.append(
                Cell(
                    figure(value, sign=delta),
                    best=bool(
                        value == value and round(row[column], 1) == best[row["model"], column]
                    ),
                    marked=(row["model"], row["intermediate"], column) in marked,
                )
            )
        rows.append(((row["model"], row["intermediate"]), cells))
    return Sheet(ROW, [(headings or {}).get(c, c) for c in columns], rows, list(notes))


def _best(values: pd.Series, low: bool) -> float | None:
    found = values.dropna().round(1)
    if len(found) < 2:
        return None
    return found.min() if low else found.max()


def missing_note(sheet: Sheet, missing: int, total: int) -> list[str]:
    """Return the footnote that says what a dash stands for, none where there is no dash."""
    dashes = sum(cell.text == MISSING for _, cells in sheet.rows for cell in cells)
    if not dashes:
        return []
    if not missing:
        return [f"{MISSING}: not in the grid."]
    cells = "cell is" if dashes == 1 else "cells are"
    return [
        f"{MISSING}: {dashes} {cells} not complete; {missing} of {total} score files are missing."
    ]

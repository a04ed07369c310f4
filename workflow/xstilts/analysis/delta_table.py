"""The layout of the paper's Table 2: scores in the row `none`, signed differences to it below."""

from collections.abc import Collection, Mapping

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.numbers import MISSING
from xstilts.analysis.significance import EXAMPLE_VALUES
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.experiment.config import NONE

ROW = ["model", "intermediate"]


def build(
    table: pd.DataFrame,
    notes: Collection[str] = (),
    headings: Mapping[str, str] | None = None,
    marked: Collection[tuple[str, str, str]] = (),
    lower_is_better: Collection[str] = (),
    overlapping: Collection[tuple[str, str]] = (),
) -> TextTable:
    """Return the text table of a wide table; the best of each model and column is bold.

    A model without the row `none` has absolute scores. Values that print alike are equally good; a
    single row has no best.

    Args:
        table: a row per (model, intermediate); for each column X also `X delta`.
        headings: column -> its heading, where that is not its name.
        marked: (model, intermediate, column) of the deltas to mark.
        lower_is_better: columns where it is.
        overlapping: (intermediate, column) of deltas of which that is to be said.
    """
    columns = [c for c in table.columns[len(ROW) :] if not c.endswith(" delta")]
    with_baseline = set(table.loc[table["intermediate"] == NONE, "model"])
    best = {
        (model, column): _best(part[column], column in lower_is_better)
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
                TableCell(
                    (numbers.delta if delta else numbers.points)(value),
                    best=bool(
                        value == value
                        and numbers.rounded(row[column]) == best[row["model"], column]
                    ),
                    marked=(row["model"], row["intermediate"], column) in marked,
                    overlaps=delta
                    and value == value
                    and (row["intermediate"], column) in overlapping,
                )
            )
        rows.append(((row["model"], row["intermediate"]), cells))
    return TextTable(ROW, [(headings or {}).get(c, c) for c in columns], rows, list(notes))


def _best(values: pd.Series, lower_is_better: bool) -> float | None:
    rounded = values.dropna().map(numbers.rounded)
    if len(rounded) < 2:
        return None
    return rounded.min() if lower_is_better else rounded.max()


def statistics_note(table: pd.DataFrame, deltas: pd.DataFrame, column: str) -> list[str]:
    """Return the footnote where a difference of medians is shown otherwise than that of means.

    Args:
        table: as `build` takes it.
        deltas: see `significance.deltas`; differences of means over seeds.
        column: of `deltas`, with the column of the table that a difference is in.
    """
    medians = table.set_index(ROW)
    differ = any(
        numbers.delta(row["delta"])
        != numbers.delta(medians.loc[(row["model"], row["intermediate"]), f"{row[column]} delta"])
        for row in deltas.to_dict("records")
    )
    if not differ:
        return []
    by_example = deltas.loc[deltas["statistic"] == EXAMPLE_VALUES, "target"].unique()
    of = f" (of {', '.join(by_example)}: of the mean value of the examples)"
    return [
        "Differences are of medians over seeds; those that are tested, in seeds.csv and deltas.csv,"
        f" are of means{of if len(by_example) else ''}, and may be others."
    ]


def missing_note(table: TextTable, missing: int, total: int) -> list[str]:
    """Return the footnote that explains the dashes; an empty list where there are none."""
    dashes = sum(cell.text == MISSING for _, cells in table.rows for cell in cells)
    if not dashes:
        return []
    if not missing:
        return [f"{MISSING}: not in the grid."]
    cells = "cell is" if dashes == 1 else "cells are"
    return [
        f"{MISSING}: {dashes} {cells} not complete; {missing} of {total} score files are missing."
    ]

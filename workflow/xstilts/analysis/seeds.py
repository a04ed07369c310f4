"""The values of a cell over seeds, and the interval of its difference to the row `none`."""

import pandas as pd

from xstilts.analysis import estimates, numbers, significance, student_t
from xstilts.analysis.text_table import TableCell, TextTable, without_empty
from xstilts.experiment.cells import CELL

KEY = ["model", "intermediate", "target"]
DELTA_COLUMNS = ["statistic", "over", "delta", "delta low", "delta high", "p", "p holm", "survives"]


def table(cells: pd.DataFrame, deltas: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate, target): its values over seeds, in percent.

    Columns: `n`, the number of seeds with a value; `median`, `mean`, `sd` (of the sample), and
    `low` and `high`, the bounds of Student's 95% t interval of the mean. They are missing if the
    value of any seed is; `sd` also where there is one value, the interval where there are fewer
    than `estimates.MIN_SEEDS`. Then the difference to `none`, see `significance.deltas`.

    Args:
        cells: see `scores.cell_values`.
        deltas: see `significance.deltas`.
    """
    rows = []
    for key, group in cells.groupby(KEY, sort=False)["value"]:
        enough = group.notna().all() and len(group) >= estimates.MIN_SEEDS
        interval = student_t.mean_interval(group.tolist()) if enough else None
        rows.append(
            {
                **dict(zip(KEY, key, strict=True)),
                "n": int(group.count()),
                "median": group.median(skipna=False),
                "mean": group.mean(skipna=False),
                "sd": group.std(skipna=False),
                "low": interval[0] if interval else float("nan"),
                "high": interval[1] if interval else float("nan"),
            }
        )
    names = {"low": "delta low", "high": "delta high"}
    overall = deltas[deltas["language"] == ""].rename(columns=names)[[*KEY, *DELTA_COLUMNS]]
    return pd.DataFrame(rows).merge(overall, how="left", on=KEY)


def wide(long: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate) and, by target, the columns of the long table."""
    rows = list(dict.fromkeys(zip(long["model"], long["intermediate"], strict=True)))
    columns = [c for c in long.columns if c not in KEY]
    parts = {
        f"{target} {column}": part.set_index(CELL[:2])[column]
        for target, part in long.groupby("target", sort=False)
        for column in columns
    }
    return pd.DataFrame(parts, index=pd.MultiIndex.from_tuples(rows, names=CELL[:2])).reset_index()


def text_table(long: pd.DataFrame) -> TextTable:
    """Return the table for readers; deltas that survive the correction are marked."""
    rows = []
    for row in long.to_dict("records"):
        tested = row["delta"] == row["delta"]
        cells = [
            TableCell(str(row["n"])),
            *(TableCell(numbers.points(row[name])) for name in ("median", "mean", "sd")),
            TableCell(numbers.interval(row["low"], row["high"])),
            TableCell(numbers.delta(row["delta"]), marked=row["survives"] is True),
            TableCell(numbers.interval(row["delta low"], row["delta high"])),
            TableCell(numbers.p_value(row["p holm"])),
            TableCell(row["over"] if tested else numbers.MISSING),
        ]
        rows.append(([row[key] for key in KEY], cells))
    columns = ["n", "median", "mean", "sd", "95%", "delta", "delta 95%", "p (Holm)", "noise of"]
    few = f"fewer than {estimates.MIN_SEEDS} seeds"
    notes = [
        "n: seeds; delta: difference of means to the row none (main has that of medians), with an"
        " interval and p that count the draw of examples and of seeds, p corrected over the"
        f" table. *: survives at 5%; not given where {few} hide the noise of training.",
    ]
    if (long["n"] < estimates.MIN_SEEDS).any():
        notes.append(f"No interval of the mean is given of {few}.")
    by_example = long.loc[long["statistic"] == significance.EXAMPLE_VALUES, "target"].unique()
    if len(by_example):
        notes.append(
            f"{', '.join(by_example)}: the delta is of the mean value of the examples, because the"
            " score is not a mean over them."
        )
    return without_empty(TextTable(KEY, columns, rows, notes))

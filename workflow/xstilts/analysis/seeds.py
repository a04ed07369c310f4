"""What a cell's values over seeds are, and how sure its difference to the row `none` is."""

import pandas as pd

from xstilts.analysis import interval, significance
from xstilts.analysis.text_table import MISSING, Cell, Sheet, figure
from xstilts.experiment.grid import CELL

KEY = ["model", "intermediate", "target"]
DELTA = ["statistic", "over", "delta", "delta low", "delta high", "p", "p holm", "survives"]


def table(cells: pd.DataFrame, deltas: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate, target): its values over seeds, in percent.

    Columns: `n`, how many seeds have a value; `median`, `mean`, `sd` (of the sample), and `low` and
    `high`, the ends of Student's 95% t interval of the mean. They are missing if the value of any
    seed is, deviation and interval also where there is one value. Then the difference to `none`,
    as `significance.deltas` says.

    Args:
        cells: see `scores.cells`.
        deltas: see `significance.deltas`.
    """
    lines = []
    for key, group in cells.groupby(KEY, sort=False)["value"]:
        whole = group.notna().all()
        ends = interval.mean_interval(group.tolist()) if whole else None
        lines.append(
            {
                **dict(zip(KEY, key, strict=True)),
                "n": int(group.count()),
                "median": group.median(skipna=False),
                "mean": group.mean(skipna=False),
                "sd": group.std(skipna=False),
                "low": ends[0] if ends else float("nan"),
                "high": ends[1] if ends else float("nan"),
            }
        )
    names = {"low": "delta low", "high": "delta high"}
    whole = deltas[deltas["language"] == ""].rename(columns=names)[[*KEY, *DELTA]]
    return pd.DataFrame(lines).merge(whole, how="left", on=KEY)


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


def sheet(long: pd.DataFrame) -> Sheet:
    """Return the table for readers; deltas that survive the correction have a mark."""
    rows = []
    for row in long.to_dict("records"):
        tested = row["delta"] == row["delta"]
        cells = [
            Cell(str(row["n"])),
            *(Cell(figure(row[name])) for name in ("median", "mean", "sd")),
            Cell(_interval(row["low"], row["high"])),
            Cell(figure(row["delta"], sign=True), marked=row["survives"] is True),
            Cell(_interval(row["delta low"], row["delta high"])),
            Cell(_p_value(row["p holm"])),
            Cell(row["over"] if tested else MISSING),
        ]
        rows.append(([row[key] for key in KEY], cells))
    columns = ["n", "median", "mean", "sd", "95%", "delta", "delta 95%", "p (Holm)", "noise of"]
    notes = [
        "n: seeds; delta: difference of means to the row none, with the interval and p of a paired"
        " bootstrap over examples and seeds, p corrected over the table.",
        "*: survives at 5%; not given where one seed hides the noise of training.",
    ]
    stand_in = long.loc[long["statistic"] == significance.STAND_IN, "target"].unique()
    if len(stand_in):
        notes.append(
            f"{', '.join(stand_in)}: the delta is of the mean value of the examples, because the"
            " score is not a mean over them."
        )
    return Sheet(KEY, columns, rows, notes)


def _interval(low: float, high: float) -> str:
    return f"{low:.1f} to {high:.1f}" if low == low else MISSING


def _p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else figure(p, digits=3)

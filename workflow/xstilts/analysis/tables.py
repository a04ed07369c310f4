"""The result tables: pure functions of `grid.csv` and the scores."""

import dataclasses
from collections.abc import Mapping

import pandas as pd

from xstilts.analysis import delta_table, overlap
from xstilts.analysis.delta_table import ROW
from xstilts.analysis.text_table import TextTable, without_empty
from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.xtreme import XTREME
from xstilts.experiment.config import NONE

AVERAGE = "average"  # the column of the main table that is no target


def main_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate) and a column per target: the median over seeds.

    As in the paper (arXiv 2005.13013; not verified). A value is missing if that of any seed is.
    `<target> delta` is the difference to the row without intermediate task; `average` the
    unweighted mean of the medians.

    Args:
        cells: see `scores.cell_values`.
    """
    by_target = cells.groupby([*ROW, "target"], sort=False)["value"]
    values = by_target.median(skipna=False).unstack("target")
    rows = list(dict.fromkeys(zip(cells["model"], cells["intermediate"], strict=True)))
    values = values.reindex(index=pd.MultiIndex.from_tuples(rows, names=ROW))
    values = values[list(dict.fromkeys(cells["target"]))]
    values[AVERAGE] = values.mean(axis=1, skipna=False)
    return with_deltas(values)


def groups_table(main: pd.DataFrame, of: Benchmark = XTREME) -> pd.DataFrame:
    """Return a row per (model, intermediate): a benchmark's averages of the main table, and deltas.

    A group is missing if any of its targets is, `overall` if any of all. `main` is of the languages
    of the benchmark.
    """
    values = main.set_index(ROW)
    averages = [
        of.averages({target: value for target, value in row.items() if pd.notna(value)})
        for row in values.to_dict("records")
    ]
    return with_deltas(pd.DataFrame(averages, index=values.index, dtype=float))


def groups_text_table(groups: pd.DataFrame, of: Benchmark = XTREME) -> TextTable:
    """Return the groups for readers, without those that are not whole."""
    what = "averages of the main table, in percent; of whole groups of targets alone."
    notes = [f"{of.title}'s {what}"]
    return without_empty(delta_table.build(groups, notes))


def with_deltas(values: pd.DataFrame) -> pd.DataFrame:
    """Put `<column> delta` beside each column: the difference to the model's row `none`."""
    columns = {}
    for name in values.columns:
        columns[name] = values[name]
        columns[f"{name} delta"] = _delta(values[name])
    return pd.DataFrame(columns).reset_index()


def _delta(column: pd.Series) -> pd.Series:
    """Subtract each model's row without intermediate task; missing where there is none."""
    baseline = column[column.index.get_level_values("intermediate") == NONE].droplevel(1)
    models = column.index.get_level_values("model")
    delta = column - baseline.reindex(models).to_numpy()
    return delta.where(column.index.get_level_values("intermediate") != NONE)


def to_long(wide: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a row per (model, intermediate, column): `value`, `delta`; `name` has the column."""
    columns = [c for c in wide.columns[len(ROW) :] if not c.endswith(" delta")]
    parts = [
        wide[ROW].assign(**{name: c, "value": wide[c], "delta": wide[f"{c} delta"]})
        for c in columns
    ]
    rows = pd.concat(parts).sort_index(kind="stable")  # in the grid's order
    return rows.reset_index(drop=True)


def main_text_table(
    main: pd.DataFrame,
    deltas: pd.DataFrame,
    metrics: Mapping[str, str],
    missing: int,
    total: int,
    overlapping: overlap.Pairs = (),
) -> TextTable:
    """Return the main table in the layout of the paper's Table 2.

    Args:
        main: see `main_table`.
        deltas: see `significance.deltas`; those that survive are marked.
        metrics: target -> short name of its metric.
        missing: how many of the `total` score files are missing.
        overlapping: see `overlap.pairs`.
    """
    notes = [
        "Mean over languages, then median over seeds, in percent; differences to the row none."
    ]
    survive = deltas[deltas["survives"]]
    notes += delta_table.statistics_note(main, deltas[deltas["language"] == ""], "target")
    if len(survive):
        notes.append(
            "*: more than the noise of examples and seeds (5%, Holm-corrected; seeds.csv)."
        )
    headings = {target: f"{target} ({metric})" for target, metric in metrics.items()}
    marked = set(survive[[*ROW, "target"]].itertuples(index=False, name=None))
    text = delta_table.build(main, notes, headings, marked, overlapping=overlapping)
    notes += overlap.note(text)
    return dataclasses.replace(
        text, notes=[*notes, *delta_table.missing_note(text, missing, total)]
    )


SHORT_METRICS = {
    **dict.fromkeys(("accuracy", "retrieval"), "acc"),
    **dict.fromkeys(("tagging", "bucc", "squad_f1"), "F1"),
    "told": "told",
    **{
        "map20": "mAP@20",
        "macro_f1": "macro F1",
        "matthews": "MCC",
        "pearson": "Pearson",
        "spearman": "Spearman",
    },
    **dict.fromkeys(("squad", "squad2", "mlqa"), "F1+EM"),
}

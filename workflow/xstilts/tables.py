"""Step: score files -> the result tables, pure functions of `grid.csv` and the scores."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from xstilts import comparison, interval, scores, step, xtreme
from xstilts.config import NONE
from xstilts.errors import UserError
from xstilts.files import atomic

MISSING = "–"
ROW = ["model", "intermediate"]


def main_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate) and a column per target: the median over seeds.

    As the paper reports (arXiv 2005.13013; not verified). A value is missing if that of any seed
    is. `<target> delta` is the difference to the row without intermediate task; `average` the
    unweighted mean of the targets, so of the medians.

    Args:
        cells: see `scores.cells`.
    """
    by_target = cells.groupby([*ROW, "target"], sort=False)["value"]
    values = by_target.agg(lambda seeds: seeds.median(skipna=False)).unstack("target")
    rows = list(dict.fromkeys(zip(cells["model"], cells["intermediate"], strict=True)))
    values = values.reindex(index=pd.MultiIndex.from_tuples(rows, names=ROW))
    values = values[list(dict.fromkeys(cells["target"]))]
    values["average"] = values.mean(axis=1, skipna=False)
    return _with_deltas(values)


def groups_table(main: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate): XTREME's averages of the main table, and deltas.

    A group is missing unless all its targets are there, `overall` unless all nine are.
    """
    values = main.set_index(ROW)
    averages = [
        xtreme.averages({target: value for target, value in row.items() if pd.notna(value)})
        for row in values.to_dict("records")
    ]
    return _with_deltas(pd.DataFrame(averages, index=values.index, dtype=float))


def seeds_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate, target): what its values over seeds are.

    Columns: `n`, how many seeds have a value; `median`, `mean`, and `low` and `high`, the ends of
    Student's 95% t interval of the mean, in percent. They are missing if the value of any seed is,
    the interval also where there is one value.
    """
    lines = []
    for key, group in cells.groupby([*ROW, "target"], sort=False)["value"]:
        whole = group.notna().all()
        ends = interval.mean_interval(group.tolist()) if whole else None
        lines.append(
            {
                **dict(zip([*ROW, "target"], key, strict=True)),
                "n": int(group.count()),
                "median": group.median(skipna=False),
                "mean": group.mean(skipna=False),
                "low": ends[0] if ends else float("nan"),
                "high": ends[1] if ends else float("nan"),
            }
        )
    return pd.DataFrame(lines)


def _with_deltas(values: pd.DataFrame) -> pd.DataFrame:
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


def markdown(table: pd.DataFrame, missing: int, total: int, metrics: Mapping[str, str]) -> str:
    """Return the main table as Markdown: `61.2 (+1.3)` in each cell, a dash where it is missing."""
    names = [c for c in table.columns[2:] if not c.endswith(" delta")]
    shown = table[["model", "intermediate"]].copy()
    for name in names:
        heading = f"{name} ({metrics[name]})" if name in metrics else name
        pairs = zip(table[name], table[f"{name} delta"], strict=True)
        shown[heading] = [_cell(value, delta) for value, delta in pairs]
    text = shown.to_markdown(index=False, disable_numparse=True)
    note = (
        "Mean over languages, then median over seeds, in percent; in brackets the difference to the"
        " row `none`."
    )
    if missing:
        note += f" {MISSING}: not complete; {missing} of {total} score files are missing."
    elif MISSING in text:
        note += f" {MISSING}: not in the grid."
    return f"{text}\n\n{note}\n"


def _cell(value: float, delta: float) -> str:
    if pd.isna(value):
        return MISSING
    return f"{value:.1f}" if pd.isna(delta) else f"{value:.1f} ({delta:+.1f})"


SHOWN = {
    **dict.fromkeys(("accuracy", "retrieval"), "acc"),
    **dict.fromkeys(("tagging", "bucc"), "F1"),
    **dict.fromkeys(("squad", "squad2", "mlqa"), "F1+EM"),
}


def main(args: argparse.Namespace) -> None:
    """Write the tables; say what was refused."""
    grid = pd.read_csv(args.grid, dtype=str, keep_default_na=False)
    found, refused = scores.collect(grid, scores.read)
    grid, found = scores.by_row(grid, found)
    cells = scores.cells(grid, found)
    main = main_table(cells)
    missing = len(grid) - int((found["metric"] == "score").sum())
    shown = {row.target: SHOWN[row.metric] for row in grid.itertuples()}
    text = markdown(main, missing, len(grid), shown)
    out = Path(args.out)
    groups = groups_table(main)
    ours = comparison.measured(main, groups, scores.by_language(grid, found))
    compared = comparison.comparison(ours, comparison.published(), grid["split"].iloc[0])
    _write(found[found["metric"] != "score"], out / "per_language.csv", "%.6f")
    _write(seeds_table(cells), out / "seeds.csv")
    _write(groups, out / "groups.csv")
    _write(compared, out / "comparison.csv")
    _write(main, out / "main.csv")
    with atomic(out / "main.md") as path:
        path.write_text(text, encoding="utf-8")
    print(text, end="")
    for line in refused:
        print(f"refused: {line}")
    if refused:
        raise UserError(f"{len(refused)} score file(s) refused: {refused[0]}")


def _write(table: pd.DataFrame, path: Path, digits: str = "%.4f") -> None:
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format=digits)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", required=True, help="grid.csv of the plan")
    parser.add_argument("--out", required=True, help="folder of the tables")
    step.run(main, parser)

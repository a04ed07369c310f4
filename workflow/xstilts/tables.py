"""Step: score files -> the result tables, pure functions of `grid.csv` and the scores."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from xstilts import (
    comparison,
    cost,
    examples,
    form,
    languages,
    scores,
    seeds,
    significance,
    standing,
    step,
    traits,
    xtreme,
)
from xstilts.config import NONE
from xstilts.errors import UserError
from xstilts.files import atomic
from xstilts.form import ROW
from xstilts.sheet import Sheet, latex, markdown


def main_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate) and a column per target: the median over seeds.

    As the paper reports (arXiv 2005.13013; not verified). A value is missing if that of any seed
    is. `<target> delta` is the difference to the row without intermediate task; `average` the
    unweighted mean of the targets, so of the medians.

    Args:
        cells: see `scores.cells`.
    """
    by_target = cells.groupby([*ROW, "target"], sort=False)["value"]
    values = by_target.median(skipna=False).unstack("target")
    rows = list(dict.fromkeys(zip(cells["model"], cells["intermediate"], strict=True)))
    values = values.reindex(index=pd.MultiIndex.from_tuples(rows, names=ROW))
    values = values[list(dict.fromkeys(cells["target"]))]
    values["average"] = values.mean(axis=1, skipna=False)
    return with_deltas(values)


def groups_table(main: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate): XTREME's averages of the main table, and deltas.

    A group is missing unless all its targets are there, `overall` unless all nine are.
    """
    values = main.set_index(ROW)
    averages = [
        xtreme.averages({target: value for target, value in row.items() if pd.notna(value)})
        for row in values.to_dict("records")
    ]
    return with_deltas(pd.DataFrame(averages, index=values.index, dtype=float))


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


def long(wide: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a row per (model, intermediate, column X): `value` and `delta`; X is in `name`."""
    columns = [c for c in wide.columns[len(ROW) :] if not c.endswith(" delta")]
    parts = [
        wide[ROW].assign(**{name: c, "value": wide[c], "delta": wide[f"{c} delta"]})
        for c in columns
    ]
    order = pd.concat(parts).sort_index(kind="stable")  # row by row, as the grid has them
    return order.reset_index(drop=True)


def main_sheet(
    main: pd.DataFrame, deltas: pd.DataFrame, metrics: Mapping[str, str], missing: int, total: int
) -> Sheet:
    """Return the main table in the form of the paper's Table 2.

    Args:
        main: see `main_table`.
        deltas: see `significance.deltas`; those that survive are marked.
        metrics: target -> short name of what is measured.
        missing: how many of the `total` score files are not there.
    """
    notes = [
        "Mean over languages, then median over seeds, in percent; differences to the row none."
    ]
    survive = deltas[deltas["survives"]]
    if len(survive):
        notes.append(
            "*: more than the noise of examples and seeds (5%, Holm-corrected; seeds.csv)."
        )
    headings = {target: f"{target} ({metric})" for target, metric in metrics.items()}
    marked = set(survive[[*ROW, "target"]].itertuples(index=False, name=None))
    made = form.form(main, notes, headings, marked)
    return dataclasses.replace(made, notes=[*notes, *form.missing_note(made, missing, total)])


SHOWN = {
    **dict.fromkeys(("accuracy", "retrieval"), "acc"),
    **dict.fromkeys(("tagging", "bucc"), "F1"),
    **dict.fromkeys(("squad", "squad2", "mlqa"), "F1+EM"),
}


def main(args: argparse.Namespace) -> None:
    """Write the tables; say what was refused."""
    grid = standing.read_grid(args.grid)
    files, refused = scores.accepted(grid, scores.read)
    grid, files = scores.by_row(grid, files)
    found = scores.rows(files)
    values, damaged = examples.read((path, score["n"]) for path, score in files.items())
    trainings, unread = cost.nodes(Path(args.grid).parent)
    refused += [*damaged, *unread]
    deltas = significance.deltas(grid, found, values, examples.ids(files, values))
    cells, by_language = scores.cells(grid, found), scores.by_language(grid, found)
    missing, total = len(grid) - len(files), len(grid)
    main = main_table(cells)
    shown = {row.target: SHOWN[row.metric] for row in grid.itertuples()}
    text = main_sheet(main, deltas, shown, missing, total)
    out = Path(args.out)

    def put(name: str, sheet: Sheet, **versions: pd.DataFrame) -> None:
        """Write a table for readers, and as CSV: `name.csv`, and others with their suffix."""
        for suffix, table in versions.items():
            _write(table, out / f"{name}{'' if suffix == 'table' else f'.{suffix}'}.csv")
        for suffix, written in (("md", markdown(sheet)), ("tex", latex(sheet))):
            with atomic(out / f"{name}.{suffix}") as path:
                path.write_text(written, encoding="utf-8")

    _write(found[found["metric"] != "score"], out / "per_language.csv", "%.6f")
    _write(deltas, out / "deltas.csv", "%.6f")
    _write(cost.curves(files, trainings), out / "curves.csv")
    for target, wide in languages.by_target(by_language).items():
        table = with_deltas(wide)
        sheet = languages.sheet(table, missing, total)
        put(f"languages/{target}", sheet, table=table, long=long(table, "language"))
    groups = groups_table(main)
    put("groups", form.form(groups, form.GROUPS), table=groups, long=long(groups, "group"))
    helped = traits.table(by_language, traits.known())
    where = traits.wide(helped)
    put("traits", traits.sheet(where), table=where, long=helped)
    over = seeds.table(cells, deltas)
    put("seeds", seeds.sheet(over), table=over, wide=seeds.wide(over))
    ours = comparison.measured(main, groups, by_language)
    compared = comparison.comparison(ours, comparison.published(), grid["split"].iloc[0])
    put("comparison", comparison.sheet(compared), table=compared)
    spent = cost.table(files, trainings)
    put("cost", cost.sheet(spent), table=spent)
    put("main", text, table=main, long=long(main, "target"))
    print(markdown(text), end="")
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

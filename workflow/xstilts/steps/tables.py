"""Step: score files -> the result tables."""

import argparse
from pathlib import Path

import pandas as pd

from xstilts.analysis import comparison, cost, delta_table, languages, seeds, significance, traits
from xstilts.analysis.tables import SHOWN, groups_table, long, main_sheet, main_table, with_deltas
from xstilts.analysis.text_table import Sheet, latex, markdown
from xstilts.monitoring import cell_states
from xstilts.running import step
from xstilts.running.errors import UserError
from xstilts.running.files import atomic
from xstilts.scoring import examples, scores


def main(args: argparse.Namespace) -> None:
    """Write the tables; say what was refused."""
    grid = cell_states.read_grid(args.grid)
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
    put(
        "groups",
        delta_table.build(groups, delta_table.GROUPS),
        table=groups,
        long=long(groups, "group"),
    )
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


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--grid", required=True, help="grid.csv of the plan")
    p.add_argument("--out", required=True, help="folder of the tables")
    return p


if __name__ == "__main__":
    step.run(main, parser())

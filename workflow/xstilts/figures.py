"""Step: result tables -> figures, each as PNG and SVG. Languages are shown by their codes."""

import argparse
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from xstilts import step
from xstilts.errors import UserError
from xstilts.form import ROW
from xstilts.languages import GAP
from xstilts.plots import curves, dots, gap, heatmap, style

NAMES = {*ROW, "target", "language", "kind", "seed", "task", "statistic", "over"}
FLAGS = {"survives", "best"}


def load(path: Path, names: Collection[str] = frozenset(NAMES)) -> pd.DataFrame:
    """Return a result table; UserError without it.

    Names stay text, also `007` and `nan`; `FLAGS` become bool, where empty is false; what else
    there is becomes numbers, where empty is missing.
    """
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such table; the step `tables` makes it") from None
    for column in set(raw.columns) - set(names):
        if column in FLAGS:
            raw[column] = raw[column] == "True"
        else:
            raw[column] = pd.to_numeric(raw[column].where(raw[column] != ""), errors="raise")
    return raw


def gaps(tables: Path, targets: Collection[str]) -> pd.DataFrame:
    """Return model, intermediate, target and `gap` of the targets that have one."""
    found = [
        table[[*ROW, GAP]].assign(target=target)
        for target in targets
        if GAP in (table := load(tables / f"languages/{target}.csv"))
    ]
    return pd.concat(found) if found else pd.DataFrame(columns=[*ROW, GAP, "target"])


def _dots(part: pd.DataFrame, title: str, path: Path) -> None:
    style.save(dots.draw(part, title), path)


def main(args: argparse.Namespace) -> None:
    """Draw all figures, by several processes: a large grid has a hundred."""
    tables, out = Path(args.tables), Path(args.out)
    main, deltas = load(tables / "main.csv"), load(tables / "deltas.csv")
    targets = [c for c in main.columns[len(ROW) : -2] if not c.endswith(" delta")]
    survivors = set(
        deltas.loc[deltas["survives"], [*ROW, "target"]].itertuples(index=False, name=None)
    )
    each = [
        (deltas[(deltas["model"] == model) & (deltas["target"] == target)], model, target)
        for model in dict.fromkeys(main["model"])
        for target in targets
    ]
    with ProcessPoolExecutor(max(1, args.processes)) as pool:
        drawn = [
            pool.submit(_dots, part, f"{target}, {model}", out / f"languages/{model}/{target}")
            for part, model, target in each
        ]
        style.save(heatmap.draw(main, survivors), out / "heatmap")
        style.save(gap.draw(gaps(tables, targets)), out / "gap")
        style.save(curves.draw(load(tables / "curves.csv")), out / "curves")
        for one in drawn:
            one.result()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", required=True, help="folder of the result tables")
    parser.add_argument("--out", required=True, help="folder of the figures")
    parser.add_argument("--processes", type=int, default=1, help="that draw beside this one")
    step.run(main, parser)

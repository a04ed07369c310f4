"""Step: result tables -> figures, each as PNG and SVG."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from xstilts.analysis.delta_table import ROW
from xstilts.analysis.figure_data import read_table, transfer_gaps
from xstilts.analysis.plots import curves, dots, gap, heatmap, style
from xstilts.monitoring import products
from xstilts.steps import process


def _save_dots(deltas: pd.DataFrame, title: str, path: Path) -> None:
    style.save(dots.draw(deltas, title), path)


def main(args: argparse.Namespace) -> None:
    """Draw all figures in several processes: a large grid has a hundred."""
    tables, out = Path(args.tables), Path(args.out)
    main, deltas = read_table(tables / "main.csv"), read_table(tables / "deltas.csv")
    targets = [c for c in main.columns[len(ROW) : -2] if not c.endswith(" delta")]
    significant = set(
        deltas.loc[deltas["survives"], [*ROW, "target"]].itertuples(index=False, name=None)
    )
    dot_plots = [
        (deltas[(deltas["model"] == model) & (deltas["target"] == target)], model, target)
        for model in dict.fromkeys(main["model"])
        for target in targets
    ]
    with ProcessPoolExecutor(max(1, args.processes)) as pool:
        futures = [
            pool.submit(_save_dots, part, f"{target}, {model}", out / f"languages/{model}/{target}")
            for part, model, target in dot_plots
        ]
        style.save(heatmap.draw(main, significant), out / "heatmap")
        style.save(gap.draw(transfer_gaps(tables, targets)), out / "gap")
        style.save(curves.draw(read_table(tables / "curves.csv")), out / "curves")
        for future in futures:
            future.result()
    if args.record:
        products.write(args.record, "figures", args.of)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--tables", required=True, help="folder of the result tables")
    p.add_argument("--out", required=True, help="folder of the figures")
    p.add_argument("--processes", type=int, default=1, help="how many draw figures")
    p.add_argument("--record", help="says that the figures are whole, written last")
    p.add_argument("--of", nargs="*", default=[], help="with --record: what they are made from")
    return p


if __name__ == "__main__":
    process.run(main, parser())

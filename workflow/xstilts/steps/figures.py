"""Step: result tables -> figures, each as PNG and SVG."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from xstilts.analysis.delta_table import ROW
from xstilts.analysis.figures import gaps, load
from xstilts.analysis.plots import curves, dots, gap, heatmap, style
from xstilts.running import step


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


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--tables", required=True, help="folder of the result tables")
    p.add_argument("--out", required=True, help="folder of the figures")
    p.add_argument("--processes", type=int, default=1, help="that draw beside this one")
    return p


if __name__ == "__main__":
    step.run(main, parser())

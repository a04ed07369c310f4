"""Step: result tables, and the rows for chance levels -> figures, each as PDF, PNG and SVG."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from xstilts.analysis import chance, figure_data
from xstilts.analysis.answers import files as answer_files
from xstilts.analysis.delta_table import ROW
from xstilts.analysis.figure_data import read_table
from xstilts.analysis.plots import (
    alignment,
    answer,
    curves,
    data_map,
    dots,
    gap,
    heatmap,
    style,
)  # fmt: skip
from xstilts.monitoring import cell_states, products
from xstilts.running.files import results_of
from xstilts.steps import process


def _save_dots(deltas: pd.DataFrame, title: str, missing: list[str], path: Path) -> None:
    style.save(dots.draw(deltas, title, missing), path)


def _save_answer(found: answer_files.Answer, path: Path) -> None:
    style.save(answer.draw(found.meta, found.table, found.points), path)


def _save_map(points: pd.DataFrame, title: str, path: Path) -> None:
    style.save(data_map.draw(points, title), path)


def main(args: argparse.Namespace) -> None:
    """Draw all figures in several processes: a large grid has a hundred."""
    tables, out = Path(args.tables), Path(args.out)
    main, deltas = read_table(tables / "main.csv"), read_table(tables / "deltas.csv")
    targets = [c for c in main.columns[len(ROW) : -2] if not c.endswith(" delta")]
    significant = set(
        deltas.loc[deltas["survives"], [*ROW, "target"]].itertuples(index=False, name=None)
    )
    by_target = {target: read_table(tables / f"languages/{target}.csv") for target in targets}
    with ProcessPoolExecutor(max(1, args.processes)) as pool:
        futures = []
        for model in dict.fromkeys(main["model"]):
            for target, table in by_target.items():
                part = deltas[(deltas["model"] == model) & (deltas["target"] == target)]
                missing = figure_data.missing_languages(table, part)
                path = out / f"languages/{model}/{target}"
                futures.append(pool.submit(_save_dots, part, f"{target}, {model}", missing, path))
        maps = figure_data.data_maps(tables)
        for run, points in maps.items():
            path = out.joinpath(products.DATA_MAPS, *run)
            futures.append(pool.submit(_save_map, points, ", ".join(run), path))
        questions = answer_files.names(tables)
        for name in questions:
            found, path = answer_files.read(tables, name), out / f"{products.QUESTIONS}/{name}"
            futures.append(pool.submit(_save_answer, found, path))
        if (path := tables / "alignment.layers.csv").exists():
            for (model, name), part in read_table(path).groupby(["model", "set"], sort=False):
                figure = alignment.draw(part, f"{name}, {model}")
                style.save(figure, out / f"alignment/{model}/{name}")
        style.save(heatmap.draw(main, significant), out / "heatmap")
        style.save(gap.draw(figure_data.transfer_gaps(by_target)), out / "gap")
        learning = figure_data.curves(read_table(tables / "curves.csv"), _chance(tables))
        style.save(curves.draw(learning), out / "curves")
        for future in futures:
            future.result()
    for path in (out / products.QUESTIONS).glob("*"):
        if path.stem not in questions:
            path.unlink()  # of a question that is no longer asked
    if args.record:
        products.write(args.record, "figures", args.of)


def _chance(tables: Path) -> dict[tuple[str, str], float]:
    """Return `chance.of_trainings`; none without the config beside the tables."""
    config = tables.parent / "config.yaml"
    if not config.exists():
        return {}
    return chance.of_trainings(cell_states.read_config(config), results_of(tables))


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

"""Step: score files -> the result tables."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from xstilts.analysis import (
    alignment,
    chosen,
    collapse,
    compute,
    cost,
    grounding,
    numbers,
    overlap,
    projection,
    quality,
    subsets,
    table_set,
)
from xstilts.analysis.latex import to_latex
from xstilts.analysis.text_table import TextTable, to_markdown
from xstilts.experiment import chains, graph, questions
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node
from xstilts.experiment.plan import FROM, STRATA
from xstilts.monitoring import cell_states, products
from xstilts.monitoring.records import Pins, Records
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json, results_of, write_json
from xstilts.scoring import examples, scores
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the tables; print the main table and the refused files."""
    rows, out = cell_states.read_grid(args.grid), Path(args.out)
    test = "row" in rows
    grid = None if test else _grid(Path(args.grid))
    nodes = graph.build(grid) if grid else {}
    records = products.records(grid, nodes) if grid else []
    asked = _asked(rows, products.has(grid, nodes) if grid else {})
    asked_questions = questions.all_of(grid) if grid else []
    found, refused = _read(args, rows, grid, nodes)
    texts: dict[str, TextTable] = {}
    for table in table_set.tables(found, asked, asked_questions):
        _write(table, out)
        if table.text:
            texts[table.name] = table.text
    kept = {*asked, *(f"{products.QUESTIONS}/{question.name}" for question in asked_questions)}
    _delete_others(out, kept)
    print(to_markdown(texts["main"]), end="")
    for line in refused:
        print(f"refused: {line}")
    if refused:
        raise UserError(f"{len(refused)} score file(s) refused: {refused[0]}")
    if args.record:
        asked_names = [question.name for question in asked_questions]
        plan = products.tables_plan(str(Path(args.grid).parent), asked_names, records)
        rule = "test_tables" if test else "tables"
        products.write(args.record, rule, [*plan, *products.cells_of(rows["score"])])


def _read(
    args: argparse.Namespace, rows: pd.DataFrame, of: Grid | None, nodes: Mapping[str, Node]
) -> tuple[table_set.Found, list[str]]:
    """Return what the tables are made from, and a line for each file that is refused."""
    results = results_of(args.grid)
    grid, left_out = cell_states.there(rows, results.parent)
    files, refused = scores.accepted(grid, Pins(args.lock, results.parent).score)
    trainings, damaged = cost.training_records(results)
    lineages = collapse.of_scores(files, trainings)
    grid, files = scores.relabel_test_rows(grid, files)
    values, unreadable = examples.read_all((path, score["n"]) for path, score in files.items())
    classes, unclassed = examples.strata(files, values)
    choices = _choices(of, results.parent)
    aligned = [each.aligned for each in (questions.all_of(of) if of else ()) if each.aligned]
    pins = Pins(args.lock, results.parent)
    made = Records(nodes, pins, results.parent)
    measured, misaligned = alignment.read(of, results.parent, pins.score) if of else (None, [])
    counted, miscounted = overlap.read(of, results.parent, pins.score) if of else (None, [])
    of_filters = [nodes[key] for key in products.filtered(nodes)]
    *made_rows, unmade = projection.read(of_filters, results.parent, pins.score)
    found = table_set.Found(
        grid=chosen.fill(grid, choices, _tuned(of)) if choices else grid,
        files=files,
        values=values,
        ids=examples.ids(files, values),
        classes=classes,
        data=_data_sets(of),
        roots=chains.roots(of.experiment.settings["intermediates"]) if of else {},
        trainings=trainings,
        lineages=lineages,
        checkpoints=_checkpoints(grid),
        left_out=left_out,
        products=compute.products(results, grid["model"].unique()),
        choices=choices,
        recorded=subsets.read(of, nodes, results.parent, made.current) if of else subsets.Found(),
        language_traits=of.experiment.settings["language_traits"] if of else {},
        alignment=measured,
        aligned=aligned,
        overlap=counted,
        controls=grounding.controls(of) if of else {},
        chains={n: of.chain(n) for n in of.experiment.settings["intermediates"]} if of else {},
        made=(made_rows[0], made_rows[1]) if of else None,
        quality=quality.means(of, nodes, results.parent, made.current) if of else {},
    )
    return found, [*refused, *unreadable, *unclassed, *damaged, *misaligned, *miscounted, *unmade]


def _grid(path: Path) -> Grid | None:
    """Return the grid of the config beside `grid.csv`; None without one, as no question is."""
    config = path.parent / "config.yaml"
    return cell_states.read_config(config) if config.exists() else None


def _choices(grid: Grid | None, root: Path) -> list[chosen.Choice]:
    """Return the records of what was chosen on dev, as far as they are there."""
    paths = [root / path for path in products.choices(grid)] if grid else []
    return [read_json(path) for path in paths if path.exists()]


def _tuned(grid: Grid | None) -> dict[str, str]:
    return (
        {name: task.tuned_on for name, task in grid.tasks.items() if task.tuned_on} if grid else {}
    )


def _data_sets(grid: Grid | None) -> dict[str, str]:
    """Return target -> its data set: views of one have the same examples."""
    return {name: task.hub or str(task.files) for name, task in grid.tasks.items()} if grid else {}


def _checkpoints(grid: pd.DataFrame) -> dict[str, str]:
    """Return model -> the public checkpoint that it is from."""
    return dict(zip(grid["model"], grid.get(FROM, grid["model"]), strict=True))


def _asked(grid: pd.DataFrame, has: Mapping[str, bool]) -> list[str]:
    """Return the tables that the plan expects, of languages without rows too."""
    languages_of = grid.groupby("target", sort=False)["language"].agg(list).to_dict()
    stratified = STRATA in grid and bool(grid[STRATA].any())
    about = stratified, grid["split"].iloc[0], has
    return products.table_names(languages_of, _checkpoints(grid).values(), *about)


def _write(table: table_set.Table, out: Path) -> None:
    """Write a table: as CSV, for readers as Markdown and LaTeX, and what is said of it."""
    for suffix, frame in table.csv.items():
        with atomic(out / f"{table.name}{suffix}.csv") as path:
            frame.to_csv(path, index=False, float_format=lambda x: numbers.stored(x, table.form))
    if table.text:
        # Above the table of an answer: the question, and the sentence.
        said = [table.about["ask"], table.about["sentence"]] if table.about else []
        markdown = "\n\n".join([*said, to_markdown(table.text)])
        latex = "".join(f"% {line}\n" for line in said) + to_latex(table.text)
        for suffix, text in ((".md", markdown), (".tex", latex)):
            with atomic(out / f"{table.name}{suffix}") as path:
                path.write_text(text, encoding="utf-8")
    if table.about is not None:
        write_json(out / f"{table.name}.json", table.about)


def _delete_others(out: Path, kept: set[str]) -> None:
    """Delete tables of an earlier version, of another grid, of a question that is not asked."""
    for name in set(products.TABLES) - kept:
        for path in out.glob(f"{name}.*"):
            path.unlink()
    for path in (out / products.QUESTIONS).glob("*"):
        name = path.name.rpartition(".")[0]
        if f"{products.QUESTIONS}/{name.removesuffix('.points')}" not in kept:
            path.unlink()


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--grid", required=True, help="grid.csv of the plan")
    p.add_argument("--lock", default="", help="lock file: other versions of data are refused")
    p.add_argument("--record", help="says that the tables are whole, written last")
    p.add_argument("--out", required=True, help="folder of the tables")
    return p


if __name__ == "__main__":
    process.run(main, parser())

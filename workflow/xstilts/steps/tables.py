"""Step: score files -> the result tables."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import (
    answer_text,
    collapse,
    comparison,
    cost,
    evidence,
    languages,
    numbers,
    results,
    seeds,
    significance,
    strata,
    traits,
)
from xstilts.analysis.answering import Answering
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.latex import to_latex
from xstilts.analysis.tables import (
    SHORT_METRICS,
    groups_table,
    groups_text_table,
    main_table,
    main_text_table,
    to_long,
    with_deltas,
)
from xstilts.analysis.text_table import TextTable, to_markdown, with_notes
from xstilts.benchmarks import xtreme
from xstilts.experiment import questions
from xstilts.experiment.grid import Grid
from xstilts.experiment.plan import FROM, STRATA
from xstilts.monitoring import cell_states, products
from xstilts.monitoring.records import Pins
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, results_of, write_json
from xstilts.scoring import examples, scores
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the tables; print the main table and the refused files."""
    grid = cell_states.read_grid(args.grid)
    paths, columns = list(grid["score"]), set(grid)
    asked = _asked(grid)
    grid, left_out = cell_states.there(grid, results_of(args.grid).parent)
    pins = Pins(args.lock, results_of(args.grid).parent)
    files, refused = scores.accepted(grid, pins.score)
    trainings, damaged_trainings = cost.training_records(results_of(args.grid))
    lineages = collapse.of_scores(files, trainings)
    grid, files = scores.relabel_test_rows(grid, files)
    metrics = scores.to_frame(files)
    values, damaged = examples.read_all((path, score["n"]) for path, score in files.items())
    classes, unclassed = _classes(files, values)
    refused += [*damaged, *unclassed, *damaged_trainings]
    asked_of = _grid(Path(args.grid)) if "row" not in columns else None
    ids, data = examples.ids(files, values), _data_sets(asked_of)
    estimator = Estimator(evidence.collect(grid, values, ids, classes, data))
    deltas = significance.deltas(grid, metrics, values, estimator)
    cells = scores.cell_values(grid, metrics)
    language_values = scores.language_values(grid, metrics)
    missing, total = len(grid) - len(files), len(grid)
    main = main_table(cells)
    target_metrics = {row.target: SHORT_METRICS[row.metric] for row in grid.itertuples()}
    main_text = main_text_table(main, deltas, target_metrics, missing, total)
    collapsed_runs = collapse.runs(files, lineages, trainings)
    collapsed = collapse.table(cells, collapsed_runs, trainings)
    of_collapsed = collapse.notes(collapsed, lineages.values(), trainings)
    main_text = with_notes(main_text, [*of_collapsed, *left_out])
    out = Path(args.out)
    checkpoints = _checkpoints(grid)

    def put(name: str, text_table: TextTable, **versions: pd.DataFrame) -> None:
        """Write a table for readers, and as CSV: `name.csv`, and others with their suffix."""
        for suffix, table in versions.items():
            _write(table, out / f"{name}{'' if suffix == 'table' else f'.{suffix}'}.csv")
        for suffix, text in (("md", to_markdown(text_table)), ("tex", to_latex(text_table))):
            with atomic(out / f"{name}.{suffix}") as path:
                path.write_text(text, encoding="utf-8")

    _write(results.table(grid, files), out / "results.csv", numbers.EXACT)
    _write(deltas, out / "deltas.csv", "%.6f")
    _write(cost.curves(files, trainings), out / "curves.csv")
    _write(collapsed, out / "collapsed.csv")
    for target, wide in languages.by_target(language_values).items():
        table = with_deltas(wide)
        text_table = languages.text_table(table, deltas[deltas["target"] == target], missing, total)
        put(f"languages/{target}", text_table, table=table, long=to_long(table, "language"))
    groups = groups_table(main)
    if "groups" in asked:
        put("groups", groups_text_table(groups), table=groups, long=to_long(groups, "group"))
    if "traits" in asked:
        language_traits = traits.language_traits()
        traits_long = traits.table(language_values, language_traits)
        by_trait = traits.deltas(grid, language_traits, estimator)
        traits_wide = traits.wide(traits_long, by_trait)
        text = traits.text_table(traits_wide, by_trait)
        put("traits", text, table=traits_wide, long=traits_long, deltas=by_trait)
    if "strata" in asked:
        strata_long = strata.table(grid, files, values, classes)
        strata_wide = strata.wide(strata_long)
        put("strata", strata.text_table(strata_wide), table=strata_wide, long=strata_long)
    seeds_long = seeds.table(cells, deltas)
    seeds_text = with_notes(seeds.text_table(seeds_long), of_collapsed)
    put("seeds", seeds_text, table=seeds_long, wide=seeds.wide(seeds_long))
    if "comparison" in asked:
        others = [model for model, name in checkpoints.items() if not xtreme.is_published(name)]
        measured = comparison.measured_results(main, groups, language_values)
        measured = measured[~measured["model"].isin(others)]
        published = comparison.published_results()
        compared = comparison.compare(measured, published, grid["split"].iloc[0])
        put("comparison", comparison.text_table(compared, others), table=compared)
    cost_table = cost.table(files, trainings)
    put("cost", cost.text_table(cost_table), table=cost_table)
    put("main", main_text, table=main, long=to_long(main, "target"))
    by_example = deltas.loc[deltas["statistic"] == significance.EXAMPLE_VALUES, "target"]
    answering = Answering(estimator.evidence, collapsed_runs, list(dict.fromkeys(by_example)))
    for question in questions.all_of(asked_of) if asked_of else ():
        found = answering.answer(question)
        name = f"{products.QUESTIONS}/{question.name}"
        meta = found.meta | {"sentence": answer_text.sentence(found.meta, found.table)}
        _write(found.table, out / f"{name}.csv", numbers.EXACT)
        _write(found.points, out / f"{name}.points.csv", numbers.EXACT)
        put(name, answer_text.text_table(found.meta, found.table))
        write_json(out / f"{name}.json", meta)
    for name in set(products.TABLES) - set(asked):
        for path in out.glob(f"{name}.*"):
            path.unlink()  # of an earlier version, or of another grid
    print(to_markdown(main_text), end="")
    for line in refused:
        print(f"refused: {line}")
    if refused:
        raise UserError(f"{len(refused)} score file(s) refused: {refused[0]}")
    if args.record:
        settings = asked_of.experiment.settings if asked_of else {}
        plan = products.tables_plan(str(Path(args.grid).parent), settings)
        rule = "test_tables" if "row" in columns else "tables"
        products.write(args.record, rule, [*plan, *products.cells_of(paths)])


def _grid(path: Path) -> Grid | None:
    """Return the grid of the config beside `grid.csv`; None without one, as no question is."""
    config = path.parent / "config.yaml"
    return cell_states.read_config(config) if config.exists() else None


def _data_sets(grid: Grid | None) -> dict[str, str]:
    """Return target -> its data set: views of one have the same examples."""
    return {name: task.hub or str(task.files) for name, task in grid.tasks.items()} if grid else {}


def _checkpoints(grid: pd.DataFrame) -> dict[str, str]:
    """Return model -> the public checkpoint that it is from."""
    return dict(zip(grid["model"], grid.get(FROM, grid["model"]), strict=True))


def _classes(files: dict[str, Any], values: dict[str, Any]) -> tuple[dict, list[str]]:
    """Return the classes of examples (see `examples.strata`), and a line for each refused file."""
    try:
        return examples.strata(files, values), []
    except UserError as error:
        return {}, str(error).splitlines()


def _asked(grid: pd.DataFrame) -> list[str]:
    """Return the tables that the plan expects, of languages without rows too."""
    languages_of = grid.groupby("target", sort=False)["language"].agg(list).to_dict()
    stratified = STRATA in grid and bool(grid[STRATA].any())
    return products.table_names(languages_of, _checkpoints(grid).values(), stratified)


def _write(table: pd.DataFrame, path: Path, form: str = numbers.CSV) -> None:
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format=lambda x: numbers.stored(x, form))


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

"""What an experiment ends in: plan, tables, figures, report, selection, test tables, submission.

They lie in `results/experiments/<name>/`. Each has a record in `.made/`, written last: the version
of the step, and a digest of the files that it was made from, by content.
"""

import csv
import dataclasses
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from xstilts.benchmarks import xtreme
from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.known import BENCHMARKS, scored
from xstilts.experiment import search
from xstilts.experiment.alignment import RECORD
from xstilts.experiment.cells import CELL, Cell
from xstilts.experiment.config import BEST, Experiment
from xstilts.experiment.difficulty import recorded
from xstilts.experiment.graph import Graph
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node
from xstilts.monitoring.claims import EXPERIMENTS, NODES, TEST_GRID
from xstilts.monitoring.records import Records, read
from xstilts.running.files import digest, sha256, write_json

# Raise a number when a change of the code changes what the step writes.
VERSIONS = {
    "plan": 6, "tables": 6, "figures": 4, "report": 4, "select": 3, "test_tables": 6,
    "submission": 2, "submission_xtreme_r": 1,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Product:
    """One of them.

    Attributes:
        rule: the rule that makes it, or a name that begins with it: `submission/xlmr`.
        outputs: the files that Snakemake is told of, the record not among them.
        inputs: the files that it is made from.
        about: what else it is made from.
    """

    rule: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)


# And one a target.
TABLES = (
    "main",
    *(each.table for each in BENCHMARKS.values()),
    "traits",
    "strata",
    "seeds",
    "comparison",
    "chosen",
    "difficulty",
    "overlap",
    "grounding",
    "projection",
    "cost",
    "alignment",
)
SOME = (  # that some grids have
    "chosen", "difficulty", "overlap", "grounding", "projection", "alignment",
)  # fmt: skip
DATA = ("results", "deltas", "curves", "compute", "collapsed")  # tables that are CSV alone
FIGURES = ("heatmap", "gap", "curves")
FIGURE_KINDS = ("pdf", "png", "svg")
QUESTIONS = "questions"  # a folder of tables, and of figures; a question has a file of each kind
DATA_MAPS = "data_map"  # a folder of figures, one a recorded training
QUESTION_KINDS = ("csv", "points.csv", "json", "md", "tex")


def home(name: str) -> str:
    """Return the folder of an experiment."""
    return f"{EXPERIMENTS}/{name}"


def record_of(folder: str, rule: str) -> str:
    """Return the path of the record of a product of the experiment in `folder`."""
    return f"{folder}/.made/{rule}.json"


def cells_of(scores: Iterable[str]) -> list[str]:
    """Return the records of the cells that score files belong to, in their order."""
    return list(dict.fromkeys(f"{path.rpartition('/')[0]}/cell.json" for path in scores))


def spec(
    rule: str, inputs: Iterable[str | Path], about: Mapping[str, Any], root: Path = Path()
) -> dict[str, Any]:
    """Return what the record of a product says; OSError where an input is not there."""
    files = [[str(path), sha256(root / path)] for path in inputs]
    name = rule.partition("/")[0]
    return {"kind": rule, "version": VERSIONS[name], "inputs": digest(files), **about}


def write(record: str | Path, rule: str, inputs: Iterable[str | Path] = (), **about: Any) -> None:
    """Say that a product is made."""
    write_json(record, {"spec": spec(rule, inputs, about)})


def listed(graph: Graph, name: str, root: Path = Path()) -> list[Product]:
    """Return the products of an experiment; those of the test split with what was chosen for it.

    Args:
        graph: of the experiment.
        name: of the experiment.
        root: the folder that holds `results`.
    """
    grid, folder = graph.grid, home(name)
    settings = grid.experiment.settings
    cells = [graph.evaluate(cell, settings["split"]).key for cell in grid.cells]
    graph.bags_of_words()
    graph.overlaps()
    graph.alignments()  # so that the graph is whole
    plan = tuple(f"{folder}/{file}" for file in ("grid.csv", "config.yaml", NODES, "traits.csv"))
    tables = record_of(folder, "tables")
    products = [
        Product("plan", plan, about={"config": settings_digest(settings)}),
        Product(
            "tables",
            tuple(table_files(graph, folder)),
            (*tables_plan(folder, questions(grid.experiment), records(grid, graph.nodes)), *cells),
        ),
        Product("figures", tuple(figure_files(graph, folder)), (tables,)),
        Product(
            "report",
            (f"{folder}/report.html",),
            (*plan[:2], *cells, tables, record_of(folder, "figures")),
        ),
    ]
    if not grid.experiment.test_languages:
        return products
    test = test_grid(folder)
    tested = [node.key for node in test_nodes(graph, root / test).values()]
    products += [
        Product("select", (f"{folder}/tables/selection.csv", test), (*plan[:2], *cells)),
        Product("test_tables", (f"{folder}/tables/test/main.csv",), (test, *tested)),
    ]
    for to, files in submissions(graph).items():
        for model in settings["models"]:
            best = [f"{cell}/cell.json" for cell in submitted(root / test, model, to).values()]
            name = f"{to.submission}/{model}"
            outputs = (f"{folder}/{name}.txt", *(f"{folder}/{name}/{file}" for file in files))
            products.append(Product(name, outputs, (test, *best)))
    return products


def test_grid(folder: str) -> str:
    """Return the path of the grid of what was chosen for the test split."""
    return f"{folder}/{TEST_GRID}"


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a grid; [] if it is not there yet."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_nodes(graph: Graph, path: Path) -> dict[Cell, Node]:
    """Return the evaluations of the cells of a test grid."""
    cells = {Cell(*(row[key] for key in CELL)): None for row in rows_of(path)}
    known = set(graph.grid.cells)
    return {
        cell: graph.evaluate(cell, graph.grid.test_split(cell.target))
        for cell in cells
        if cell in known
    }


def submitted(path: Path, model: str, to: Benchmark) -> dict[str, str]:
    """Return target of a benchmark -> folder of the predictions of the best cell of a model."""
    return {
        row["target"]: row["score"].rpartition("/")[0]
        for row in rows_of(path)
        if row["model"] == model and row["row"] == BEST and row["target"] in to.files
    }


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return the digest of a resolved config, but for what only says how to run it."""
    return digest({k: v for k, v in settings.items() if k not in ("replace", "trackers")})


def questions(experiment: Experiment) -> list[str]:
    """Return the names of the questions that are answered, in the order of the config.

    A rehearsal is not asked all that its config has.
    """
    return [question.name for question in experiment.questions]


def choices(grid: Grid) -> list[str]:
    """Return the records of what is chosen on dev."""
    return [search.path(name) for name in grid.searches.all]


def difficulty(nodes: Mapping[str, Node]) -> list[str]:
    """Return the records of what is known of the difficulty of train rows, and of subsets."""
    folders = tuple(f"results/{name}/" for name in ("bags", "difficulty", "subsets"))
    return sorted(key for key in nodes if key.startswith(folders))


def records(grid: Grid, nodes: Mapping[str, Node]) -> list[str]:
    """Return what the tables are made from beside the scores: `choices`, `difficulty`, and the
    records of alignment, of overlap, of synthetic rows, and of trainings with pictures."""
    rows, sets = grid.alignment_rows(), grid.experiment.alignment
    aligned = [f"{row.folder(name)}/{RECORD}" for row in rows for name in sets]
    overlap = [key for key, node in nodes.items() if node.rule == "overlap"]
    seen = dict.fromkeys(
        f"{grid.encoder(cell.model, name, cell.seed)}/node.json"
        for cell in grid.cells
        for name in grid.chain(cell.intermediate)
        if grid.seen(name)
    )
    return [*choices(grid), *difficulty(nodes), *aligned, *overlap, *filtered(nodes), *seen]


def filtered(nodes: Mapping[str, Node]) -> list[str]:
    """Return the records of synthetic rows that pass a filter."""
    return [key for key, node in nodes.items() if node.rule == "filter"]


def has(grid: Grid, nodes: Mapping[str, Node]) -> dict[str, bool]:
    """Return the tables that some grids have and others have not -> whether this one has it."""
    return {
        "chosen": bool(choices(grid)),
        "difficulty": bool(difficulty(nodes)),
        "alignment": bool(grid.experiment.alignment),
        "overlap": bool(grid.overlapping()),
        "grounding": any(
            grid.seen(name) for cell in grid.cells for name in grid.chain(cell.intermediate)
        ),
        "projection": bool(filtered(nodes)),
    }


def tables_plan(folder: str, asked: Collection[str], others: Collection[str] = ()) -> list[str]:
    """Return the files of the plan that the tables are made from, and the `others`.

    With either also the config, which has them and the traits that questions are asked by.

    Args:
        asked: see `questions`.
        others: see `records`.
    """
    config = [f"{folder}/config.yaml"] if asked or others else []
    return [f"{folder}/grid.csv", *config, *others]


def table_files(graph: Graph, folder: str) -> list[str]:
    """Return the tables that others read; more stand beside them, in other forms."""
    experiment, cells = graph.grid.experiment, graph.grid.cells
    languages = {cell.target: experiment.languages[cell.target] for cell in cells}
    models = dict.fromkeys(cell.model for cell in cells)
    checkpoints = [graph.grid.public(model) for model in models]
    grid, split = graph.grid, experiment.settings["split"]
    names = table_names(languages, checkpoints, grid.stratified, split, has(grid, graph.nodes))
    kinds = [f"{name}.{kind}" for name in names for kind in ("csv", "md", "tex")]
    kinds += [
        f"{QUESTIONS}/{name}.{kind}" for name in questions(experiment) for kind in QUESTION_KINDS
    ]
    return [f"{folder}/tables/{file}" for file in (*kinds, *(f"{name}.csv" for name in DATA))]


def table_names(
    languages: Mapping[str, Collection[str]],
    checkpoints: Iterable[str],
    stratified: bool = False,
    split: str = "dev",
    has: Mapping[str, bool] = MappingProxyType({}),
) -> list[str]:
    """Return the tables of a grid; those in which nothing could ever stand are left out.

    Args:
        languages: target -> languages in which it is scored.
        checkpoints: the public checkpoint of each model.
        stratified: whether a target has strata.
        split: that is scored.
        has: table -> whether there is anything to stand in it (`has`).
    """
    shown = {
        **dict.fromkeys((each.table for each in BENCHMARKS.values()), False),
        **{each.table: bool(each.scored_groups(set(languages))) for each in scored(languages)},
        "traits": any(lang != "en" for langs in languages.values() for lang in langs),
        "strata": stratified,
        **{name: has.get(name, False) for name in SOME},
        "comparison": any(xtreme.is_published(name, split) for name in checkpoints),
    }
    names = [name for name in TABLES if shown.get(name, True)]
    return [*names, *(f"languages/{target}" for target in languages)]


def figure_files(graph: Graph, folder: str) -> list[str]:
    """Return the figures."""
    each = dict.fromkeys(f"languages/{cell.model}/{cell.target}" for cell in graph.grid.cells)
    answers = [f"{QUESTIONS}/{name}" for name in questions(graph.grid.experiment)]
    aligned = [
        f"alignment/{model}/{name}"
        for model in dict.fromkeys(row.model for row in graph.grid.alignment_rows())
        for name in graph.grid.experiment.alignment
    ]
    maps = [f"{DATA_MAPS}/{'/'.join(run)}" for run in recorded(graph.nodes)]
    names = (*FIGURES, *each, *aligned, *answers, *maps)
    return [f"{folder}/figures/{name}.{kind}" for name in names for kind in FIGURE_KINDS]


def submissions(graph: Graph) -> dict[Benchmark, list[str]]:
    """Return the benchmarks to which predictions are submitted -> the files of the submission of
    one model, below its folder."""
    tested = graph.grid.experiment.test_languages
    found = {
        each: [
            task.file(lang)
            for target, task in each.files.items()
            for lang in tested.get(target, [])
            if lang in task.languages
        ]
        for each in scored(tested)
    }
    return {each: files for each, files in found.items() if files}


class Products:
    """The products of one experiment, and which of them are made from what is there."""

    def __init__(self, folder: str, records: Records, products: Iterable[Product]) -> None:
        self.folder, self.records = folder, records
        self.named = {product.rule: product for product in products}
        self._maker = {path: p.rule for p in self.named.values() for path in p.outputs}
        self._maker |= {record_of(folder, rule): rule for rule in self.named}
        self._current: dict[str, bool] = {}

    def current(self, rule: str) -> bool:
        """Return whether a product is there, made from what it would be made from now."""
        if rule not in self._current:
            self._current[rule] = self._made(self.named[rule])
        return self._current[rule]

    def exists(self, rule: str) -> bool:
        """Return whether anything of it is there."""
        paths = (record_of(self.folder, rule), *self.named[rule].outputs)
        return any((self.records.root / path).exists() for path in paths)

    def _made(self, product: Product) -> bool:
        root = self.records.root
        record = read(root / record_of(self.folder, product.rule))
        if record is None or not all((root / path).exists() for path in product.outputs):
            return False
        for path in product.inputs:
            if path in self._maker and not self.current(self._maker[path]):
                return False
            if path in self.records.nodes and not self.records.current(path):
                return False
        try:
            wanted = spec(product.rule, product.inputs, product.about, root)
        except OSError:
            return False
        return digest(record["spec"]) == digest(wanted)

"""What an experiment ends in: of what it is made, and when it is made anew."""

import dataclasses
import os

import pytest
from tests import results

from xstilts.benchmarks.xtreme import XTREME
from xstilts.experiment import cells as grid_cells
from xstilts.experiment import config, graph, grid, plan
from xstilts.experiment.questions import Question
from xstilts.monitoring import products
from xstilts.monitoring.products import Product, Products
from xstilts.monitoring.records import Pins, Records, read
from xstilts.running.files import digest, sha256, write_json

HOME = results.HOME
CELL = "results/scores/m/none/seed1/xnli/cell.json"
TEST_CELL = "results/test/m/none/seed1/xnli/cell.json"
SMALL = {"seeds": [1], "targets": ["xnli"], "languages": ["de"]}
PLAN = ("grid.csv", "config.yaml", "nodes.json", "traits.csv")
RULES = ["plan", "tables", "figures", "report"]
TESTED = ["select", "test_tables", "submission/m"]


class World:
    """A folder with an experiment that is finished, its products too."""

    def __init__(self, root, **changes):
        self.root, self.settings = root, results.CONFIG | SMALL | changes
        results.write(root, **SMALL | changes)
        if self.look(False).grid.experiment.test_languages:
            self.choose("none", "mnli")
        for rule in self.named():
            self.make(rule)

    def look(self, products_too=True):
        """Look anew."""
        self.graph = graph.Graph(grid.Grid(config.load(self.settings)))
        if products_too:
            self.list = products.listed(self.graph, results.NAME, self.root)
            nodes = self.graph.nodes
            self.products = Products(
                HOME, Records(nodes, Pins("", self.root), self.root), self.list
            )
        return self.graph

    def named(self):
        self.look()
        return self.products.named

    def stale(self):
        """The products that are not current."""
        return [rule for rule in self.named() if not self.products.current(rule)]

    def make(self, rule):
        """Make a product, as its step does: the record last. What is there keeps its content."""
        product = self.named()[rule]
        for path in product.outputs:
            if not (self.root / path).exists():
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                (self.root / path).write_text(path)
        products.write(products.record_of(HOME, rule), rule, product.inputs, **product.about)

    def choose(self, *intermediates):
        """Write the test grid of the step `select`, and what it asks for."""
        graph, lines = self.look(False), []
        for name, row in zip(intermediates, ("none", "best"), strict=False):
            cell = grid_cells.Cell("m", name, "seed1", "xnli")
            node = graph.evaluate(cell, "test")
            lines.append({"row": row, **plan.row(graph.grid, cell, "de", "test")})
            spec, pins = graph.grid.score_spec(cell, "de", "test"), results.pins_of(node)
            score = {"score": 0.5, "fingerprint": "f", "spec": spec, "pins": pins}
            [path] = node.outputs
            write_json(self.root / path, score)
            (self.root / path).with_suffix(".parquet").write_bytes(b"")
            for one in graph.nodes.values():
                if not (self.root / one.key).exists():
                    results.write_node(self.root, one)
        plan.write(lines, self.root / HOME / "test/grid.csv")


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


@pytest.fixture
def tested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, test=True)


# ---- what there is


def test_the_products_in_full(world):
    kinds = ("csv", "md", "tex")
    tables = ["main", "traits", "seeds", "cost", "languages/xnli"]
    figures = ["heatmap", "gap", "curves", "languages/m/xnli"]
    cells = [f"results/scores/m/{name}/seed1/xnli/cell.json" for name in ("none", "mnli")]
    how = ("replace", "trackers")
    settings = {k: v for k, v in world.graph.grid.experiment.settings.items() if k not in how}
    assert world.list == [
        Product(
            "plan",
            tuple(f"{HOME}/{name}" for name in PLAN),
            about={"config": digest(settings)},
        ),
        Product(
            "tables",
            (
                *(f"{HOME}/tables/{name}.{kind}" for name in tables for kind in kinds),
                *(
                    f"{HOME}/tables/{name}.csv"
                    for name in ("results", "deltas", "curves", "compute", "collapsed")
                ),
            ),
            (f"{HOME}/grid.csv", *cells),
        ),
        Product(
            "figures",
            tuple(
                f"{HOME}/figures/{name}.{kind}"
                for name in figures
                for kind in ("pdf", "png", "svg")
            ),
            (f"{HOME}/.made/tables.json",),
        ),
        Product(
            "report",
            (f"{HOME}/report.html",),
            (
                *(f"{HOME}/{name}" for name in ("grid.csv", "config.yaml")),
                *cells,
                *(f"{HOME}/.made/{name}.json" for name in ("tables", "figures")),
            ),
        ),
    ]


def test_the_products_of_the_test_split_in_full(tested):
    cells = [f"results/scores/m/{name}/seed1/xnli/cell.json" for name in ("none", "mnli")]
    scored = [f"results/test/m/{name}/seed1/xnli/cell.json" for name in ("none", "mnli")]
    assert [product.rule for product in tested.list] == RULES + TESTED
    assert tested.list[4:] == [
        Product(
            "select",
            (f"{HOME}/tables/selection.csv", f"{HOME}/test/grid.csv"),
            (f"{HOME}/grid.csv", f"{HOME}/config.yaml", *cells),
        ),
        Product(
            "test_tables", (f"{HOME}/tables/test/main.csv",), (f"{HOME}/test/grid.csv", *scored)
        ),
        Product(
            "submission/m",
            (f"{HOME}/submission/m.txt", f"{HOME}/submission/m/xnli/test-de.tsv"),
            (f"{HOME}/test/grid.csv", scored[1]),  # of the best row alone
        ),
    ]


def test_the_products_of_the_test_split_grow_with_what_is_chosen(tested):
    grid_file = tested.root / HOME / "test/grid.csv"
    grid_file.unlink()
    named = tested.named()
    assert named["test_tables"].inputs == named["submission/m"].inputs == (f"{HOME}/test/grid.csv",)
    assert TEST_CELL not in tested.graph.nodes
    tested.choose("none")
    named = tested.named()
    assert named["test_tables"].inputs == (f"{HOME}/test/grid.csv", TEST_CELL)
    assert TEST_CELL in tested.graph.nodes, "so the graph is whole"
    assert products.submitted(grid_file, "m", XTREME) == {}, "the row `none` is not submitted"


def test_what_is_chosen_and_was_dropped_from_the_config_since_is_left_out(tested):
    tested.settings |= {"intermediates": {"squad": {"tasks": ["squad"]}}}
    found = products.test_nodes(tested.look(False), tested.root / HOME / "test/grid.csv")
    assert [str(cell) for cell in found] == ["m/none/seed1/xnli"]


def test_what_is_submitted(tested):
    path = tested.root / HOME / "test/grid.csv"
    assert products.submitted(path, "m", XTREME) == {"xnli": "results/test/m/mnli/seed1/xnli"}
    assert products.submitted(path, "other", XTREME) == {}
    assert products.submitted(tested.root / "gone.csv", "m", XTREME) == {}
    text = path.read_text().replace(",xnli,", ",own,")
    path.write_text(text)
    assert products.submitted(path, "m", XTREME) == {}, "XTREME has no such target"


def test_the_records_of_cells_in_their_order():
    scores = ["s/b/de.json", "s/b/ru.json", "s/a/de.json", "s/b/zh.json"]
    assert products.cells_of(scores) == ["s/b/cell.json", "s/a/cell.json"]


def test_questions_have_files_of_each_kind_and_their_tables_are_made_from_the_config(world):
    """What a question says, and the traits that it asks by, are in the config alone."""
    without = {product.rule: product for product in world.list}
    settings = world.graph.grid.experiment.settings
    # A rehearsal leaves out what the toy world cannot be asked.
    asked = {**settings, "questions": {"dose": {"ask": "More?"}, "lost": {}, "kinds": {}}}
    experiment = dataclasses.replace(
        world.graph.grid.experiment,
        settings=asked,
        questions=(Question("dose", "More?", ()), Question("kinds", "kinds", ())),
    )
    listed = products.listed(graph.Graph(grid.Grid(experiment)), results.NAME, world.root)
    found = {product.rule: product for product in listed}
    assert [p for p in found["tables"].outputs if p not in without["tables"].outputs] == [
        f"{HOME}/tables/questions/{name}.{kind}"
        for name in ("dose", "kinds")
        for kind in ("csv", "points.csv", "json", "md", "tex")
    ]
    assert [p for p in found["figures"].outputs if p not in without["figures"].outputs] == [
        f"{HOME}/figures/questions/{name}.{kind}"
        for name in ("dose", "kinds")
        for kind in ("pdf", "png", "svg")
    ]
    assert found["tables"].inputs[:2] == (f"{HOME}/grid.csv", f"{HOME}/config.yaml")
    assert without["tables"].inputs[1] != f"{HOME}/config.yaml"
    assert found["tables"].inputs[2:] == without["tables"].inputs[1:]


# ---- their records


@pytest.mark.parametrize(
    ("languages", "checkpoint", "more"),
    [
        ({"xnli": ["en"]}, "toy/xlmr", set()),
        ({"xnli": ["de"], "pawsx": ["en"]}, "toy/xlmr", {"traits", "groups"}),
        ({"bucc": ["de"]}, "facebookai/xlm-roberta-large", {"traits", "comparison"}),
        ({"bucc": ["de"]}, "FacebookAI/xlm-roberta-base", {"traits"}),
        ({"xnli": ["de"], "xcopa": ["sw"]}, "toy/xlmr", {"traits", "groups_xtreme_r"}),
        ({"xquad": ["ro"], "pawsx": ["de"], "xnli": ["de"]}, "toy/xlmr", {"traits", "groups"}),
    ],
)
def test_a_table_in_which_nothing_could_stand_is_not_planned(languages, checkpoint, more):
    names = products.table_names(languages, [checkpoint])
    always = {"main", "seeds", "cost", *(f"languages/{target}" for target in languages)}
    assert set(names) == always | more and len(names) == len(set(names))
    assert set(products.table_names(languages, [checkpoint], True)) == {*names, "strata"}


def test_a_record_is_of_the_content_of_what_it_was_made_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    inputs = digest([["a", sha256("a")], ["b", sha256("b")]])
    expected = {"kind": "tables", "version": 6, "inputs": inputs, "more": 1}
    assert products.spec("tables", ["a", "b"], {"more": 1}) == expected
    products.write("record.json", "tables", ["a", "b"], more=1)
    assert read(tmp_path / "record.json") == {"spec": expected}
    os.utime("a", (1, 1))
    assert products.spec("tables", ["a", "b"], {"more": 1}) == expected, "not of its times"
    (tmp_path / "a").write_text("c")
    assert products.spec("tables", ["a", "b"], {"more": 1}) != expected
    assert products.spec("tables", ["b", "a"], {"more": 1}) != expected
    assert products.spec("submission/m", [], {})["version"] == products.VERSIONS["submission"]
    with pytest.raises(FileNotFoundError):
        products.spec("tables", ["gone"], {})
    (tmp_path / "below").mkdir()
    (tmp_path / "below/a").write_text("a")
    found = products.spec("tables", ["a"], {}, tmp_path / "below")
    assert found["inputs"] == digest([["a", sha256("below/a")]]), "named from the folder"


def test_the_config_is_all_but_what_says_how_to_run_it():
    settings = {"name": "", "replace": False, "seeds": [1]}
    expected = products.settings_digest(settings)
    assert products.settings_digest({**settings, "replace": True}) == expected
    assert products.settings_digest({**settings, "seeds": [1, 2]}) != expected


# ---- when they are current


def test_what_is_made_is_current(tested):
    assert tested.stale() == []
    for path in tested.root.rglob("*"):
        os.utime(path, (1, 1))
    assert tested.stale() == [], "whatever its times"


@pytest.mark.parametrize("rule", RULES + TESTED)
def test_a_product_without_record_or_an_output_is_not(tested, rule):
    product = tested.named()[rule]
    record = tested.root / products.record_of(HOME, rule)
    text = record.read_text()
    for damage in ("{", "[]", "{}"):
        record.write_text(damage)
        assert rule in tested.stale() and tested.products.exists(rule)
    record.unlink()
    assert rule in tested.stale() and tested.products.exists(rule)
    for path in product.outputs:
        (tested.root / path).unlink()
    tested.look()
    assert not tested.products.exists(rule)
    record.write_text(text)
    assert rule in tested.stale() and tested.products.exists(rule)


@pytest.mark.parametrize(
    ("rule", "stale"),
    [
        ("plan", [*RULES, *TESTED]),
        ("tables", ["tables", "figures", "report"]),
        ("figures", ["figures", "report"]),
        ("select", TESTED),
        ("test_tables", ["test_tables"]),
        ("submission/m", ["submission/m"]),
    ],
)
def test_what_follows_from_a_product_that_is_not_is_not_either(tested, rule, stale):
    (tested.root / products.record_of(HOME, rule)).unlink()
    assert tested.stale() == stale


def test_what_shows_a_node_that_is_not_current_is_not_either(tested):
    results.change(tested.root / CELL, spec={"kind": "cell", "scores": {}})
    results.change(tested.root / CELL.replace("cell", "de"), spec={})
    assert tested.stale() == ["tables", "figures", "report", *TESTED]


def test_what_shows_a_test_cell_that_is_not_current_is_not_either(tested):
    (tested.root / TEST_CELL).unlink()
    assert tested.stale() == ["test_tables"], "the best row is another cell"
    (tested.root / TEST_CELL.replace("none", "mnli")).unlink()
    assert tested.stale() == ["test_tables", "submission/m"]


def test_a_score_of_another_value_is_shown_anew(world):
    """The cell is current before and after: its record has another content."""
    results.change(world.root / CELL, scores={"de": 0.9})
    assert world.stale() == ["tables", "figures", "report"]
    for rule in ("tables", "figures", "report"):
        world.make(rule)
    assert world.stale() == []


def test_another_config_is_another_plan(world):
    world.settings |= {"replace": True}
    assert world.stale() == []
    world.settings |= {"threads": 2}
    assert world.stale() == RULES
    world.make("plan")
    assert world.stale() == [], "the plan says the same as before"


def test_a_new_version_of_a_step_makes_its_product_anew(world, monkeypatch):
    monkeypatch.setitem(products.VERSIONS, "report", 99)
    assert world.stale() == ["report"]
    monkeypatch.setitem(products.VERSIONS, "tables", 99)
    assert world.stale() == ["tables", "figures", "report"]


def test_another_experiment_has_its_own(world):
    listed = products.listed(world.graph, "other", world.root)
    other = Products(products.home("other"), world.products.records, listed)
    assert not any(map(other.current, other.named)) and not any(map(other.exists, other.named))
    inputs = {rule: product.inputs for rule, product in other.named.items()}
    assert inputs["figures"] == ("results/experiments/other/.made/tables.json",)
    assert dataclasses.asdict(listed[0]) != dataclasses.asdict(world.list[0])


def test_what_is_of_xtreme_r_alone_has_a_submission_of_its_own():
    def files(*targets):
        over = {"targets": [*targets], "languages": ["de", "tr"], "test": True}
        found = products.submissions(graph.Graph(grid.Grid(config.load(results.CONFIG | over))))
        return {each.submission: names for each, names in found.items()}

    assert files("xnli") == {"submission": ["xnli/test-de.tsv", "xnli/test-tr.tsv"]}
    assert files("xnli", "xcopa") == {
        "submission_xtreme_r": ["xnli/test-de.tsv", "xnli/test-tr.tsv", "xcopa/test-tr.jsonl"]
    }
    both = files("xcopa", "pawsx")
    assert both == {
        "submission": ["pawsx/test-de.tsv"],
        "submission_xtreme_r": ["xcopa/test-tr.jsonl"],
    }

"""What Snakemake is told of a node: nothing where its record is right, else what it reads."""

import base64
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import DAGSettings
from tests import results

from xstilts.experiment import cells as grid_cells
from xstilts.experiment import config, graph, grid
from xstilts.experiment.nodes import CHECKPOINT, HEAD
from xstilts.monitoring import planning, products
from xstilts.monitoring.planning import Planning
from xstilts.running.errors import UserError

CELL = "results/scores/m/mnli/seed1/xnli/cell.json"
TUNED = "results/tuned/m/mnli/seed1/mnli/node.json"
ROWS = "results/data/xnli/de.dev.parquet"
MNLI = "results/encoded/m/mnli/en"
SMALL = {"seeds": [1], "targets": ["xnli"], "languages": ["de"]}
ENCODER = [f"results/encoders/m/mnli/seed1/{name}" for name in (*CHECKPOINT, HEAD)]
READ = {  # by the tuning
    "init": ENCODER,
    "train": [f"{MNLI}.train.256.safetensors"],
    "dev": [f"{MNLI}.dev.256.safetensors"],
    "dev_rows": ["results/data/mnli/en.dev.parquet"],
}


def fake_workflow(main=True, cache=None, **settings):
    """As much of Snakemake's as is asked."""
    return SimpleNamespace(
        is_main_process=main,
        dag_settings=DAGSettings(**settings),
        workflow_settings=SimpleNamespace(cache=cache),
    )


def plan_of(name=results.NAME, lock="", **changes):
    """Look anew."""
    asked = grid.Grid(config.load(results.CONFIG | SMALL | changes))
    return Planning(graph.Graph(asked), name, lock)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of the experiment `e`, in which we are."""
    monkeypatch.chdir(tmp_path)
    results.write(tmp_path, **SMALL)
    return tmp_path


def inputs(key, plan=None, workflow=None):
    plan = plan or plan_of()
    assert plan.products
    return plan.inputs(plan.graph.nodes[key], workflow or fake_workflow())


# ---- nodes


def test_a_node_whose_record_is_right_reads_nothing(here):
    plan = plan_of()
    assert plan.products
    assert [plan.inputs(node, fake_workflow()) for node in plan.graph.nodes.values()] == [
        {} for _ in plan.graph.nodes
    ]
    assert plan.read == []


def test_a_node_of_another_spec_reads_all_and_the_mark(here):
    plan = plan_of()
    assert plan.products
    results.change(here / TUNED, spec={"kind": "other"})
    found = inputs(TUNED, plan)
    [mark] = found.pop("mark")
    assert found == READ and plan.read == [path for paths in READ.values() for path in paths]
    newest = max(path.stat().st_mtime for path in (here / TUNED).parent.iterdir())
    assert Path(mark).stat().st_mtime > newest and here not in Path(mark).parents


@pytest.mark.parametrize("left", [[], ["head.safetensors"]])
def test_a_node_that_is_missing_reads_all_and_no_mark(here, left):
    """But for what is left of it, which would be older than its inputs."""
    for path in (here / TUNED).parent.iterdir():
        if path.name not in left:
            path.unlink()
    found = inputs(TUNED)
    assert set(found) == {*READ, *(["mark"] if left else [])}
    assert {name: found[name] for name in READ} == READ


def test_a_job_that_was_submitted_reads_all_whatever_is_there(here):
    plan = plan_of()
    node = plan.graph.tune("m", "mnli", "seed1", "mnli")
    assert plan.inputs(node, fake_workflow(main=False)) == READ
    assert plan.product("tables", fake_workflow(main=False)) == {
        "files": list(plan.products.named["tables"].inputs)
    }


FORCED = [
    {"forceall": True},
    {"forcerun": frozenset({"tune"})},
    {"forcetargets": True},
]


@pytest.mark.parametrize("workflow", [*FORCED, {"cache": ["tune"]}], ids=str)
def test_what_may_be_made_all_the_same_reads_what_is_there(here, workflow):
    (here / ENCODER[0]).unlink()
    (here / "results/data/mnli/en.dev.parquet").unlink()
    found = inputs(TUNED, workflow=fake_workflow(**workflow))
    assert found == {**READ, "init": ENCODER[1:], "dev_rows": []}
    assert all(path.is_flagged for paths in found.values() for path in paths), "ancient"
    assert all("ancient" in path.flags for paths in found.values() for path in paths)


def test_what_snakemake_holds_for_incomplete_reads_what_is_there(here):
    folder = here / ".snakemake/incomplete"
    folder.mkdir(parents=True)
    (folder / base64.urlsafe_b64encode(TUNED.encode()).decode()).write_text("")
    assert inputs(TUNED) == READ
    assert inputs(CELL) == {}


def test_only_records_decide_whatever_triggers_were_asked_for(here):
    asked = frozenset({RerunTrigger.MTIME, RerunTrigger.PARAMS, RerunTrigger.CODE})
    workflow = fake_workflow(rerun_triggers=asked, forceall=True)
    inputs(TUNED, workflow=workflow)
    only = frozenset({RerunTrigger.MTIME})
    assert workflow.dag_settings == DAGSettings(rerun_triggers=only, forceall=True)
    workflow = fake_workflow(rerun_triggers=asked)
    plan_of().product("tables", workflow)
    assert workflow.dag_settings == DAGSettings(rerun_triggers=only)


RATE = {"recipes": {"mnli": {"learning_rate": 1e-4}}}


def test_what_another_experiment_asks_for_is_refused_in_one_line(here, capsys):
    with pytest.raises(SystemExit) as ended:
        inputs(TUNED, plan_of("mine", **RATE))
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {ENCODER[3]}: made for the experiment `e`, where `recipe.")
    assert said.count("\n") == 1


def test_what_is_asked_to_be_replaced_or_is_ones_own_or_missing_is_not(here):
    assert "mark" in inputs(TUNED, plan_of("mine", replace=True, **RATE))
    assert "mark" in inputs(TUNED, plan_of("e", **RATE))
    (here / results.HOME / "nodes.json").unlink()
    assert "mark" in inputs(TUNED, plan_of("mine", **RATE))


# ---- products


def make_products(here, plan):
    for rule, product in plan.products.named.items():
        for path in product.outputs:
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).touch()
        record = products.record_of(results.HOME, rule)
        products.write(record, rule, product.inputs, **product.about)


def test_a_product_reads_nothing_once_it_is_made(here):
    plan = plan_of()
    found = plan.product("tables", fake_workflow())
    cells = [f"results/scores/m/{name}/seed1/xnli/cell.json" for name in ("none", "mnli")]
    assert found == {"files": [f"{results.HOME}/grid.csv", *cells]}
    assert plan_of().product("plan", fake_workflow()).keys() == {"files", "mark"}, "files are there"
    make_products(here, plan)
    plan = plan_of()
    for rule in ("plan", "tables", "figures", "report"):
        assert plan.product(rule, fake_workflow()) == {}
    results.change(here / cells[0], scores={})
    found = plan_of().product("tables", fake_workflow())
    assert found.keys() == {"files", "mark"} and found["files"][1:] == cells


def test_what_is_pinned_here_makes_the_plan_once_more(here):
    """It takes it into the lock."""
    make_products(here, plan_of())
    assert plan_of(lock="e.lock").product("plan", fake_workflow()).keys() == {"files", "mark"}
    plan = plan_of(lock="e.lock")
    assert plan.products and len(plan.pins.adopted) == 3
    assert plan.product("tables", fake_workflow()) == {}


def test_what_all_asks_for(here):
    """Pins, and the products with their records."""
    plan = plan_of()
    found = plan.all()
    pins = ["models/m", "datasets/nyu-mll/glue", "datasets/facebook/xnli"]
    assert found[:3] == [f"results/pins/{name}.json" for name in pins]
    assert found[3:8] == [
        f"{results.HOME}/{name}"
        for name in ("grid.csv", "config.yaml", "nodes.json", "traits.csv", ".made/plan.json")
    ]
    expected = [
        path
        for rule, product in plan.products.named.items()
        for path in (*product.outputs, products.record_of(results.HOME, rule))
    ]
    assert found[3:] == expected and found[-1] == f"{results.HOME}/.made/report.json"


def test_what_was_chosen_is_known_once_it_is_looked_at_anew(here):
    plan = plan_of(test=True)
    assert plan.products.named["test_tables"].inputs == (f"{results.HOME}/test/grid.csv",)
    cell = grid_cells.Cell("m", "none", "seed1", "xnli")
    names = ("model", "intermediate", "seed", "target")
    row = dict(zip(names, (cell.model, cell.intermediate, cell.seed, cell.target), strict=True))
    row |= {"row": "none", "score": "results/test/m/none/seed1/xnli/de.json"}
    path = here / results.HOME / "test/grid.csv"
    path.parent.mkdir()
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    assert plan.products.named["test_tables"].inputs == (f"{results.HOME}/test/grid.csv",)
    assert plan.reload().named["test_tables"].inputs[1:] == (
        "results/test/m/none/seed1/xnli/cell.json",
    )


# ---- around it


def write_lock(path, revision):
    entry = f"{{requested: main, source: hub, revision: {revision}}}"
    path.write_text(f"datasets: {{facebook/xnli: {entry}}}\n")


def test_what_pins_that_were_looked_up_leave_to_do(here):
    write_lock(here / "e.lock", "r1")
    plan = plan_of(lock="e.lock")
    assert plan.products and plan.left(fake_workflow()) == ""
    (here / "results/pins/datasets/facebook/xnli.json").unlink()
    plan = plan_of(lock="e.lock")
    assert plan.products and not plan.records.current("results/pins/datasets/facebook/xnli.json")
    write_lock(here / "e.lock", "r2")  # by the job that makes the pin
    # Pin, rows, encoded rows and manifest of one language, two cells.
    said = "6 jobs are left, as pins were looked up: run it again"
    assert plan.left(fake_workflow()) == said
    assert plan.left(fake_workflow(targets=frozenset({"pin_data"}))) == "", "asked for by name"


def test_a_damaged_lock_is_one_line(here):
    (here / "e.lock").write_text("[")
    with pytest.raises(UserError, match=r"e\.lock: is not"):
        plan_of(lock="e.lock")


def test_once_jobs_run_nothing_is_newer_than_what_they_make(here):
    results.change(here / TUNED, spec={"kind": "other"})
    plan = plan_of()
    [mark] = inputs(TUNED, plan)["mark"]
    later = 2 * Path(mark).stat().st_mtime
    os.utime(here / ENCODER[0], (later, later))
    plan.start()
    assert Path(mark).stat().st_mtime == 0
    assert (here / ENCODER[0]).stat().st_mtime < later, "an input from the future"


def test_the_marks_of_snakemake_are_decoded(tmp_path):
    """A long name is split into folders, each but the last with an @ before it."""
    names = [TUNED, "a", "results/" + "x" * 300]
    for name in names:
        encoded = base64.urlsafe_b64encode(name.encode()).decode()
        parts = [encoded[i : i + 254] for i in range(0, len(encoded), 254)]
        path = tmp_path.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "no base64").write_text("")
    (tmp_path / base64.urlsafe_b64encode(b"\xff").decode()).write_text("")
    assert planning._incomplete(tmp_path) == set(names)
    assert planning._incomplete(tmp_path / "gone") == set()


def test_the_marks_are_those_of_snakemake(tmp_path):
    from snakemake.persistence.file import FilePersistence

    names, folder = [TUNED, "results/" + "x" * 300], tmp_path / "incomplete"
    snakemake = SimpleNamespace(_fetch_max_len=lambda folder: 255)
    for name in names:
        path = Path(FilePersistence._record_path(snakemake, str(folder), name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert planning._incomplete(folder) == set(names)


def test_results_of_an_earlier_version_are_named(tmp_path):
    assert planning.old_results(tmp_path) == ""
    (tmp_path / "results/experiments").mkdir(parents=True)
    (tmp_path / "results/experiments/grid.csv").write_text("")
    assert planning.old_results(tmp_path) == ""
    (tmp_path / "results/grid.csv").write_text("")
    said = planning.old_results(tmp_path)
    assert said.startswith("results/grid.csv: made by xstilts 0.1.0, whose tables were not in")
    assert "rm -r results/{grid.csv,config.yaml," in said and "\n" not in said


def test_a_training_goes_after_rows_and_before_it_evaluations(here):
    plan = plan_of()
    assert plan.products

    def priority(key, main=True):
        return plan.priority(plan.graph.nodes[key], fake_workflow(main))

    assert 0 < priority(TUNED) < 1 < priority(ROWS) < 2 < 10 < priority(CELL) < 11
    assert priority(CELL, main=False) == 0, "a job that was submitted asks for nothing"
    late = plan.graph.evaluate(grid_cells.Cell("m", "mnli", "seed1", "xnli"), "test")
    assert plan.priority(late, fake_workflow()) == 0, "which comes when all else is done"


def test_what_cannot_be_ordered_runs_all_the_same(here, capsys):
    (here / "results/models/m").mkdir(parents=True, exist_ok=True)
    (here / "results/models/m/node.json").write_text("{")
    plan = plan_of()
    assert plan.products
    assert plan.priority(plan.graph.nodes[TUNED], fake_workflow()) == 0
    assert plan.priority(plan.graph.nodes[CELL], fake_workflow()) == 0
    said = capsys.readouterr().err
    assert said.count("note: jobs run in any order (error: results/models/m/node.json") == 1, said

"""What was chosen on dev is held against records as a pin is; an open choice is waited for."""

import json
from types import SimpleNamespace

import pytest
from tests import results
from tests.monitoring.test_planning import SMALL, fake_workflow, plan_of

from xstilts.monitoring import unused
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.monitoring.estimate.workload import of_node, passes, tuned_epochs
from xstilts.monitoring.records import next_run
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json

MNLI, XNLI = "results/chosen/m/mnli.json", "results/chosen/m/mnli/mnli.json"
ENCODER = "results/encoders/m/mnli/seed1/node.json"
TUNED = "results/tuned/m/mnli/seed1/mnli/node.json"
CELL = "results/scores/m/mnli/seed1/xnli/cell.json"
RUN = SimpleNamespace(is_main_process=True, dryrun=False)


def searched(*rates, **more):
    return {"recipes": {"mnli": {"tune_on_dev": {"learning_rate": [*rates], **more}}}}


BOTH = searched(1e-5, 3e-5)
BOTH["recipes"]["xnli"] = BOTH["recipes"]["mnli"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of an experiment in which stage 1 and stage 2 were searched."""
    monkeypatch.chdir(tmp_path)
    results.write(tmp_path, **SMALL, **BOTH)
    return tmp_path


def planned(**recipes):
    found = plan_of(**recipes)
    assert found.products
    return found


def left(plan):
    return sorted(next_run(plan.graph.nodes, plan.records))


def test_what_was_made_by_what_was_chosen_is_current(here):
    plan = planned(**BOTH)
    assert left(plan) == [] and plan.chosen_anew() == set()
    chosen = {name for name in plan.graph.nodes[CELL].pins if name.startswith("chosen/")}
    assert chosen == {"chosen/m/mnli", "chosen/m/mnli/mnli"}


def test_where_another_value_is_chosen_what_follows_is_made_again(here):
    write_json(MNLI, read_json(MNLI) | {"chosen": "learning_rate=3e-05"})
    plan = planned(**BOTH)
    trials = {key for key in plan.graph.nodes if "/trials/m/mnli/seed1/mnli/" in key}
    assert set(left(plan)) == {ENCODER, TUNED, CELL, XNLI, *trials}
    with pytest.raises(UserError, match="made with r1, but learning_rate=3e-05 is chosen"):
        plan.pins.score(CELL.replace("cell", "de"))


def test_one_more_value_leaves_open_what_follows(here, capsys):
    more = json.loads(json.dumps(BOTH))
    more["recipes"]["mnli"]["tune_on_dev"]["learning_rate"].append(1e-4)
    plan, trial = planned(**more), "results/trials/m/mnli/seed1/learning_rate=0.0001/node.json"
    assert left(plan) == [MNLI, trial]
    assert plan.chosen_anew() == {"m/mnli"}
    nodes = plan.graph.nodes
    for key in (ENCODER, TUNED, CELL, XNLI):
        assert plan.undecided(nodes[key], RUN) == "m/mnli", key
    baseline = nodes["results/scores/m/none/seed1/xnli/cell.json"]
    for node in (nodes[trial], nodes[MNLI], baseline):
        assert plan.undecided(node, RUN) == ""
    assert plan.undecided(nodes[CELL], SimpleNamespace(is_main_process=False)) == ""
    dry = SimpleNamespace(is_main_process=True, dryrun=True)
    assert [plan.undecided(nodes[key], dry) for key in (TUNED, CELL)] == ["", ""]
    said = "note: m/mnli: what follows is made again only if other values win\n"
    assert capsys.readouterr().err == said
    # It is chosen: the same, or another.
    results.write_node(here, nodes[trial])
    results.write_node(here, nodes[MNLI])
    plan.decided()
    assert plan.undecided(nodes[CELL], RUN) == "" and plan.records.current(CELL)
    write_json(MNLI, read_json(MNLI) | {"chosen": "learning_rate=0.0001"})
    plan.decided()
    assert plan.undecided(nodes[CELL], RUN) == "" and not plan.records.current(ENCODER)


def test_what_is_not_made_yet_waits_for_nothing(here):
    for path in (MNLI, ENCODER, TUNED, CELL):
        (here / path).unlink()
    plan = planned(**BOTH)
    (here / "results/experiments/e/nodes.json").unlink()
    assert plan.undecided(plan.graph.nodes[ENCODER], RUN) == ""
    read = plan.inputs(plan.graph.nodes[ENCODER], fake_workflow())
    assert read["chosen"] == [MNLI]


def test_the_tables_are_made_from_what_was_chosen(here):
    plan = planned(**BOTH)
    tables = plan.products.named["tables"]
    choices = [f"results/chosen/m/{name}.json" for name in ("none/mnli", "mnli", "mnli/mnli")]
    assert set(choices) < set(tables.inputs)
    assert "results/experiments/e/config.yaml" in tables.inputs
    assert "results/experiments/e/tables/chosen.csv" in tables.outputs


def test_a_trial_has_the_workload_of_its_values_and_the_best_is_not_trained_twice(here):
    epochs = {"tune_on_dev": {"epochs": [1, 4]}}
    plan = plan_of(seeds=[1, 2], recipes={"mnli": epochs, "xnli": epochs})
    assert plan.products
    grid = plan.graph.grid
    sizes = DataSizes(here, grid)

    def tokens(key):
        found = of_node(plan.graph.nodes[f"results/{key}/node.json"], grid, sizes)
        return found and found.train_tokens

    for kind, place in (("encoders/m/mnli/{}", "trials/m/mnli/seed1"),
                        ("tuned/m/mnli/{}/mnli", "trials/m/mnli/seed1/mnli")):  # fmt: skip
        one, four = (tokens(f"{place}/epochs={n}") for n in (1, 4))
        assert four == pytest.approx(4 * one, rel=0.01)
        assert tokens(kind.format("seed1")) is None
        assert tokens(kind.format("seed2")) == four, "the most that may be chosen"
    assert passes("m", "mnli", grid, sizes) == tuned_epochs("m", "mnli", "mnli", grid) == 4


def test_what_no_experiment_searches_any_more_is_unused(here):
    assert unused.unused(here) == []
    results_of = here / "results/experiments/e/nodes.json"
    about = read_json(results_of)
    gone = {k for k in about["nodes"] if k.startswith(("results/trials", "results/chosen"))}
    write_json(
        results_of, about | {"nodes": {k: v for k, v in about["nodes"].items() if k not in gone}}
    )
    found = {str(path.relative_to(here)) for path in unused.unused(here)}
    assert found == {key.removesuffix("/node.json") for key in gone}

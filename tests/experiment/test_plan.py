"""The plan: what the tables are told of the grid."""

import csv
import json

import yaml
from tests import results
from tests.experiment.test_grid import BASE, make

from xstilts.data import pin
from xstilts.experiment import graph, plan
from xstilts.experiment.cells import Cell
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import plan as plan_step

HOME = "results/experiments/e"
FILES = {
    "out": "grid.csv", "resolved": "config.yaml", "nodes": "nodes.json", "traits": "traits.csv",
}  # fmt: skip


def run(lock=""):
    """Run the step where we are."""
    paths = [f"--{name}={HOME}/{file}" for name, file in FILES.items()]
    about = ["--config", json.dumps(BASE), "--name", "e", "--lock", lock]
    record = f"{HOME}/.made/plan.json"
    plan_step.main(plan_step.parser().parse_args([*about, *paths, "--record", record]))


def test_the_step_writes_the_grid_and_the_resolved_config(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run()
    out, resolved = tmp_path / HOME / "grid.csv", tmp_path / HOME / "config.yaml"
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    found = make()
    # German and English everywhere, but Tatoeba has no English.
    assert len(rows) == 8 * 2 + 3
    recipe = found.tuned_recipes["squad"]
    assert {k: v for k, v in rows[0].items() if k not in plan.MADE_BY} == {
        "model": "m", "intermediate": "none", "seed": "seed1", "target": "xquad", "language": "de",
        "split": "dev", "metric": "squad", "score": "results/scores/m/none/seed1/xquad/de.json",
        "spec": digest(found.score_spec(found.cells[0], "de", "dev")),
    }  # fmt: skip
    assert list(rows[0])[9:] == plan.MADE_BY
    assert {name: rows[0][name] for name in ("from", "learning_rate", "epochs", "max_steps")} == {
        "from": "o/m", "learning_rate": str(recipe.learning_rate), "epochs": str(recipe.epochs),
        "max_steps": "",
    }  # fmt: skip
    assert yaml.safe_load(resolved.read_text()) == found.experiment.settings
    assert capsys.readouterr().out == "11 cells, 19 score files\n"


def test_the_step_says_what_the_experiment_asks_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("e.lock")
    nodes = graph.build(make())
    found = read_json(f"{HOME}/nodes.json")
    assert (found["experiment"], found["lock"]) == ("e", "e.lock")
    assert found["nodes"].keys() == {p for n in nodes.values() for p in (n.key, *n.outputs)}
    scores = {f"results/scores/m/none/noseed/tatoeba/{name}.json": None for name in ("cell", "de")}
    cell = nodes["results/scores/m/none/noseed/tatoeba/cell.json"]
    assert scores | cell.outputs == {key: found["nodes"][key] for key in scores}
    settings = {
        k: v for k, v in make().experiment.settings.items() if k not in ("replace", "trackers")
    }
    wanted = {"kind": "plan", "version": 6, "inputs": digest([]), "config": digest(settings)}
    assert read_json(f"{HOME}/.made/plan.json") == {"spec": wanted}


def test_the_step_takes_over_what_is_pinned_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    node = graph.Graph(make()).pin_model("m")
    results.write_node(tmp_path, node)
    entry = {"requested": "main", "source": "hub", "revision": "r0"}
    pin_file = "results/pins/datasets/google/xquad.json"
    asked = {"kind": "datasets", "name": "google/xquad"}
    write_json(pin_file, {"spec": {}, **asked, **entry, "revision": "r9"})
    (tmp_path / "e.lock").write_text(yaml.safe_dump({"datasets": {"google/xquad": entry}}))
    run("e.lock")
    assert pin.read_lock("e.lock") == {
        "datasets": {"google/xquad": entry},  # what the lock says stays
        "models": {"o/m": {**entry, "revision": "r1"}},
    }
    run()


def test_a_row_names_the_recipes_of_its_stages():
    """Of a cell that is not tuned stage 2 is empty, of `none` stage 1; a toy model is the toy's."""
    five = {"epochs": 5}
    found = make(recipes={"mnli": {"epochs": 7}, "xquad": five, "other": five})

    def epochs(intermediate, target):
        columns = plan.made_by(found, Cell("m", intermediate, "seed1", target))
        assert list(columns) == plan.MADE_BY
        return columns["epochs"], columns["stage1_epochs"]

    assert epochs("mnli", "xquad") == (5, 7) and epochs("none", "xquad") == (5, None)
    assert epochs("mnli", "tatoeba") == (None, 7) and epochs("none", "tatoeba") == (None, None)
    toy = plan.made_by(make(source="toy"), found.cells[0])
    assert toy["from"] == "toy/xlmr"

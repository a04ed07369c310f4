"""The choice between trials, by their dev scores; a trial that is taken, and one that diverges."""

import json
import os
from pathlib import Path

import pytest
from tests import helpers
from tests.training.test_loop import Node

from xstilts.running.errors import NotFinite, UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import choose
from xstilts.training import choice, loop, publish

STATE, OUT = "results/.state/train", "results"
TRIAL, NODE = "trials/m/nli/seed1/learning_rate=0.01", "encoders/m/nli/seed1"


def trial(score, **more):
    return {"best": {"score": score, "step": 7}, "seconds": 2.0, "spec": {}, **more}


@pytest.mark.parametrize(
    ("records", "best"),
    [
        ({"a": trial(0.5), "b": trial(0.6), "c": trial(0.6)}, "b"),  # of equal ones the first
        ({"a": trial(0.4), "b": trial(0.7, collapsed={})}, "a"),
        ({"a": trial(0.3, collapsed={}), "b": trial(0.4, collapsed={})}, "b"),
        ({"a": {"diverged": "nan"}, "b": trial(0.1, collapsed={})}, "b"),
    ],
)
def test_the_best_on_dev_that_did_not_collapse_is_taken(records, best):
    assert choice.best(records, "m/nli") == best


def test_where_all_diverge_there_is_nothing_to_choose():
    with pytest.raises(NotFinite) as error:
        choice.best(
            {"learning_rate=1": {"diverged": "nan"}, "learning_rate=2": {"diverged": ""}}, "m/nli"
        )
    assert str(error.value) == (
        "m/nli: the training diverged with all that was tried: learning_rate=1, learning_rate=2;"
        " name lower learning rates, or more warmup"
    )  # fmt: skip


def test_what_a_choice_says_of_a_trial():
    assert choice.summary(trial(0.5)) == {"score": 0.5, "step": 7, "seconds": 2.0}
    assert choice.summary(trial(0.5, collapsed={"low": 0}))["collapsed"] is True
    assert choice.summary({"diverged": "the loss is nan", "spec": {}}) == {
        "diverged": "the loss is nan"
    }


# ---- trainings


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """Makes nodes and trials of one model; `learning_rate` 0.01 has been tried."""
    monkeypatch.chdir(tmp_path)
    tokenizer = helpers.make_tokenizer(tmp_path / "tokenizer")
    node, model = Node(tmp_path, tokenizer, learning_rate=0.01), helpers.write_model(tmp_path / "m")

    def run(at, **more):
        return node.run(model, Path(OUT, at), state=f"{STATE}/{at}", **more)

    run(TRIAL, trial="yes")
    recipe = {k: v for k, v in node.spec["recipe"].items() if k != "learning_rate"}
    chosen = {
        "search": "m/nli", "chosen": "learning_rate=0.01", "values": {"learning_rate": 0.01},
        "folder": f"{OUT}/{TRIAL}",
    }  # fmt: skip
    write_json(tmp_path / "choice.json", chosen)
    searched = {"chosen": "choice.json", "recipe": recipe, "tune_on_dev": ["learning_rate"]}
    return run, node.spec["recipe"], searched


def test_the_best_trial_is_taken_as_it_is_or_made_again_to_the_same(tried):
    run, recipe, searched = tried
    out = run(NODE, **searched)
    node, of_trial = read_json(out / "node.json"), read_json(f"{OUT}/{TRIAL}/node.json")
    assert node["spec"]["tune_on_dev"] == ["learning_rate"]
    assert "learning_rate" not in node["spec"]["recipe"]
    assert of_trial["spec"] == {k: v for k, v in node["spec"].items() if k != "tune_on_dev"} | {
        "recipe": recipe
    }
    assert node["chosen"] == {"learning_rate": 0.01}
    assert node["pins"] == of_trial["pins"] | {"chosen/m/nli": "learning_rate=0.01"}
    same = ("weights", "history", "seconds", "fingerprint", "files")
    assert {key: node[key] for key in same} == {key: of_trial[key] for key in same}
    assert (out / "model.safetensors").exists() and (out / "head.safetensors").exists()
    # Its weights are not there twice, nor ever below `results/trials`.
    assert not list(Path(OUT, "trials").rglob("*.safetensors"))
    assert not Path(STATE, TRIAL, publish.FINISHED).exists()
    for path in (out, Path(STATE, NODE)):
        for file in path.rglob("*.*"):
            file.unlink()
    Path(OUT, TRIAL, "node.json").unlink()  # also where no trial is left
    run(NODE, **searched)
    assert read_json(out / "node.json")["files"] == node["files"], "trained, to the same bytes"


def test_a_trial_that_is_killed_before_its_record_is_there_is_not_made_twice(tried, monkeypatch):
    run, *_ = tried
    record = f"{OUT}/{TRIAL}/node.json"
    before = read_json(record)
    os.unlink(record)
    monkeypatch.setattr(loop, "fit", None)
    run(TRIAL, trial="yes")
    assert read_json(record) == before


def test_a_trial_that_diverges_is_noted_and_a_training_that_does_fails(tried, capsys):
    run, recipe, _ = tried
    wild = {"recipe": recipe | {"learning_rate": 1e30, "eval_every": 1}}
    out = run("trials/m/nli/seed1/learning_rate=1e+30", trial="yes", **wild)
    node = read_json(out / "node.json")
    assert "not finite" in node["diverged"] or "nan" in node["diverged"]
    assert node["spec"]["recipe"]["learning_rate"] == 1e30 and node["pins"]
    assert [path.name for path in out.iterdir()] == ["node.json"]
    assert "this trial is out: the " in capsys.readouterr().out
    with pytest.raises(NotFinite):
        run(NODE, **wild)


def test_the_step_writes_the_choice_and_deletes_the_weights_of_the_others(tried):
    run, recipe, _ = tried
    other = run(
        "trials/m/nli/seed1/learning_rate=1e-09", trial="yes",
        recipe=recipe | {"learning_rate": 1e-9},
    )  # fmt: skip
    record = read_json(f"{OUT}/{TRIAL}/node.json")
    write_json(f"{OUT}/{TRIAL}/node.json", record | {"best": record["best"] | {"score": 0.9}})
    folders = {"learning_rate=1e-09": str(other), "learning_rate=0.01": f"{OUT}/{TRIAL}"}
    specs = {name: digest(read_json(f"{at}/node.json")["spec"]) for name, at in folders.items()}
    spec = {"searched": {"learning_rate": [1e-9, 0.01]}, "trials": specs}

    def step(spec):
        words = ["--spec", json.dumps(spec), "--search", "m/nli", "--out", "c.json", "--trials"]
        words += [f"{at}/node.json" for at in folders.values()]
        choose.main(choose.parser().parse_args(words))
        return read_json("c.json")

    made = step(spec)
    assert made["chosen"] == "learning_rate=0.01" and made["values"] == {"learning_rate": 0.01}
    assert (made["seed"], made["folder"]) == ("seed1", f"{OUT}/{TRIAL}")
    assert made["edges"] == ["learning_rate"] and list(made["trials"]) == list(folders)
    assert made["pins"] == read_json(f"{OUT}/{TRIAL}/node.json")["pins"]
    kept = {path.parents[1].name for path in Path(STATE).rglob("model.safetensors")}
    assert kept == {"learning_rate=0.01"}
    with pytest.raises(UserError, match="made by another spec"):
        step(spec | {"trials": specs | {"learning_rate=0.01": "another"}})

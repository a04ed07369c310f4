"""A model by its name: found, or the line that says which part of the name is wrong."""

import json
import re
import shutil

import pytest
from tests.export.made import Made

from xstilts.encoding import encoded
from xstilts.export import names, trained
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json

TUNED = "results/tuned/m/mnli/seed1/mnli"


def test_a_cell_is_the_model_that_it_scores(made):
    found = trained.find("m/mnli/seed1/xnli", directory=made.root)
    about = {key: getattr(found, key) for key in ("name", "base", "labels", "max_length", "head")}
    assert about == {
        "name": "m/mnli/seed1/xnli", "base": "o/tiny", "max_length": 32, "head": "",
        "labels": ("entailment", "neutral", "contradiction"),
    }  # fmt: skip
    assert found.folder == made.root / TUNED and found.task.name == "xnli"
    assert list(found.specs) == [
        "the public checkpoint", "the intermediate `mnli`", "the tuning on `mnli`"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "task", "folder", "head", "layer"),
    [
        ("m/hellaswag/seed1", None, "results/encoders/m/hellaswag/seed1", "", None),
        ("m/multi/seed1", "squad", "results/encoders/m/multi/seed1", "squad.", None),
        ("m/mnli/seed1/tatoeba", None, "results/encoders/m/mnli/seed1", None, 1),
        ("m/none/noseed/tatoeba", None, "results/models/m", None, 1),
    ],
)
def test_other_names(made, name, task, folder, head, layer):
    found = trained.find(name, directory=made.root, task=task)
    assert (found.folder, found.head, found.layer) == (made.root / folder, head, layer)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("m/mnil/seed1/xnli", "experiment `e` has no intermediate `mnil`; did you mean `mnli`?"
         " (it has none, mnli, hellaswag, multi)"),
        ("n/mnli/seed1/xnli", "experiment `e` has no model `n` (it has m)"),
        ("m/mnli/1/xnli", "experiment `e` has no seed `1`; did you mean `seed1`?"
         " (it has seed1, noseed)"),
        ("m/mnli/seed1/xnl", "experiment `e` has no target `xnl`; did you mean `xnli`?"
         " (it has xnli, udpos, xquad, tatoeba, sts)"),
        ("m/none/seed1/tatoeba", "is not in experiment `e`; did you mean `m/none/noseed/tatoeba`?"),
        ("m/none/seed1", "is not in experiment `e`: nothing is trained in that row before the"
         " target; name the target too"),
        ("m/mnli", "must be MODEL/INTERMEDIATE/SEED/TARGET of a cell, or MODEL/INTERMEDIATE/SEED of"
         " an intermediate"),
        ("m//seed1/xnli", "must be MODEL/INTERMEDIATE/SEED/TARGET of a cell, or"
         " MODEL/INTERMEDIATE/SEED of an intermediate"),
        ("m/multi/seed1", "is trained on several tasks; choose by --task: mnli, squad"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_answered_with_the_nearest(made, name, line):
    with pytest.raises(UserError) as error:
        trained.find(name, directory=made.root)
    assert str(error.value) == f"{name}: {line}"


def test_a_task_that_the_intermediate_has_not(made):
    with pytest.raises(UserError) as error:
        trained.find("m/multi/seed1", directory=made.root, task="squat")
    assert str(error.value) == (
        "--task: m/multi/seed1 has no head for `squat`; did you mean `squad`? (it has mnli, squad)"
    )
    with pytest.raises(UserError, match="--task: is for an intermediate of several tasks"):
        trained.find("m/mnli/seed1/xnli", directory=made.root, task="xnli")


WITH_PICTURES = """
source: toy
toy: {languages: [en, de]}
models: {m: {from: o/m}}
vision: {v: {from: o/v, positions: 16}}
tasks: {xgqa: {languages: [en, de]}}
intermediates:
  captions: {tasks: [captions]}
  vqa: {tasks: [vqa]}
  text: {tasks: [captions, vqa], images: none}
targets: [xgqa]
languages: [de]
seeds: [1]
"""


@pytest.mark.parametrize(
    ("name", "task", "why"),
    [
        ("m/vqa/seed1", None, "`vqa` comes with pictures"),
        ("m/captions/seed1", None, "`captions` comes with pictures"),
        ("m/text/seed1", "captions", "`captions` hides tokens"),
        ("m/none/seed1/xgqa", None, "`gqa` comes with pictures"),
    ],
)
def test_of_some_the_encoder_alone_is_of_use(tmp_path, name, task, why):
    config = tmp_path / "pictures.yaml"
    config.write_text(WITH_PICTURES)
    folder = "tuned/m/none/seed1/gqa" if name.endswith("xgqa") else f"encoders/{name}"
    line = f"^{name}: {why}.*which {tmp_path}/results/{folder} is as transformers loads it$"
    with pytest.raises(UserError, match=line):
        trained.find(name, [str(config)], tmp_path, task)
    with pytest.raises(UserError, match="m/text/seed1: is not made yet"):
        trained.find("m/text/seed1", [str(config)], tmp_path, "vqa")


def test_nothing_has_been_run(tmp_path):
    with pytest.raises(UserError, match="no experiment has been run here; --directory names"):
        trained.find("m/mnli/seed1/xnli", directory=tmp_path)


def test_dropped_weights_are_named_with_the_command_that_makes_them_again(copy, monkeypatch):
    (copy / TUNED / "model.safetensors").unlink()
    monkeypatch.chdir(copy)
    write_json(
        "results/experiments/e/nodes.json",
        read_json("results/experiments/e/nodes.json") | {"configs": [str(copy / "my.yaml")]},
    )
    for given in ([], ["my.yaml"], [str(copy / "my.yaml")]):
        with pytest.raises(UserError) as error:
            trained.find("m/mnli/seed1/xnli", given)
        assert str(error.value) == (
            f"m/mnli/seed1/xnli: its weights were dropped after their evaluation ({TUNED}/"
            "model.safetensors is missing); to make it: xstilts run my.yaml -- --notemp"
            f" {TUNED}/model.safetensors"
        )


def test_a_config_that_is_gone_is_not_named(copy):
    (copy / TUNED / "model.safetensors").unlink()
    nodes = copy / "results/experiments/e/nodes.json"
    write_json(nodes, read_json(nodes) | {"configs": ["/not/there.yaml"]})
    with pytest.raises(UserError, match=f"xstilts run CONFIG --directory {copy} -- --notemp"):
        trained.find("m/mnli/seed1/xnli", directory=copy)


def test_a_model_that_was_never_made(made):
    with pytest.raises(UserError) as error:
        trained.find("m/none/seed1/xnli", directory=made.root)
    line = str(error.value)
    assert line.startswith("m/none/seed1/xnli: is not made yet (")
    assert re.search(
        r"my\.yaml --directory \S+ -- --notemp results/tuned/m/none/seed1/mnli/model\.safetensors$",
        line,
    )


def test_a_model_of_another_spec_is_not_taken_for_this_one(copy):
    node = read_json(copy / TUNED / "node.json")
    write_json(copy / TUNED / "node.json", {**node, "spec": {**node["spec"], "seed": 2}})
    with pytest.raises(
        UserError, match="is of another spec than experiment `e` asks for; to make it: "
    ):
        trained.find("m/mnli/seed1/xnli", directory=copy)


def test_of_two_experiments_the_one_that_the_model_is_of_is_meant(copy):
    other = json.loads(json.dumps(read_json(copy / "results/experiments/e/nodes.json")))
    folder = copy / "results/experiments/a"
    folder.mkdir()
    write_json(folder / "nodes.json", other)
    text = (copy / "results/experiments/e/config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("max_length: 32", "max_length: 64"))
    assert trained.find("m/mnli/seed1/xnli", directory=copy).max_length == 32


def test_only_scores_of_these_weights_count(copy, made):
    node = read_json(copy / TUNED / "node.json")
    folder = copy / "results/scores/m/mnli/seed1/xnli"
    shutil.rmtree(folder, ignore_errors=True)
    for lang, weights in (("de", node["weights"]), ("ru", "others")):
        write_json(folder / f"{lang}.json", {"weights": weights, "language": lang})
    write_json(folder / "cell.json", {"weights": node["weights"]})
    found = trained.find("m/mnli/seed1/xnli", directory=copy)
    assert found.scores == ({"weights": node["weights"], "language": "de", "split": "dev"},)


MINE = {
    "format": "tagging", "hub": "o/mine", "config": "{lang}", "languages": ["de"],
    "splits": {"train": "train", "dev": "validation"},
}  # fmt: skip


def test_labels_that_no_task_names(tmp_path):
    """They are those of the train rows: in the record, and before 0.2.0 in the encoded rows."""
    made = Made(tmp_path, tasks={"mine": MINE}, targets=["mine"])
    path = made.tuned("mnli", "mine", ["A", "B"])
    node = read_json(path / "node.json")
    name, rows = "m/mnli/seed1/mine", "results/encoded/m/mine/de.train.32.safetensors"
    with pytest.raises(UserError) as error:
        trained.find(name, directory=tmp_path)
    assert str(error.value) == (
        f"{tmp_path / rows}: is missing, which has the labels; to make it: xstilts run"
        f" {tmp_path}/my.yaml --directory {tmp_path} -- --notemp {rows}"
    )
    data = encoded.Encoded(encoded.pack([[0, 2]]), {"spec": {}, "labels": ["A", "B"]})
    data.save(tmp_path / rows)
    assert trained.find(name, directory=tmp_path).labels == ("A", "B")
    write_json(path / "node.json", {**node, "labels": {"mine": ["X", "Y"]}})
    assert trained.find(name, directory=tmp_path).labels == ("X", "Y")


def test_an_intermediate_that_only_others_follow_on_has_a_name(tmp_path):
    chain = {"a": {"tasks": ["mnli"]}, "b": {"tasks": ["squad"], "after": "a"}}
    config = {
        "models": {"m": {"from": "o/m"}},
        "intermediates": chain,
        "targets": ["xquad"],
        "exclude": [{"intermediate": "a"}],
    }
    path = tmp_path / "e.yaml"
    path.write_text(json.dumps(config))
    assert names.look_up("m/a/seed1", [str(path)], tmp_path, None).path == (
        "results/encoders/m/a/seed1"
    )
    with pytest.raises(UserError, match="has no intermediate `a`"):
        names.look_up("m/a/seed1/xquad", [str(path)], tmp_path, None)
    found = names.look_up("m/b/seed1/xquad", [str(path)], tmp_path, None)
    assert list(trained._specs(found)) == [
        "the public checkpoint", "the intermediate `a`", "the intermediate `b`",
        "the tuning on `squad`",
    ]  # fmt: skip

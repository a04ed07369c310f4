"""A finished checkpoint is not computed again by a process that waited, or that comes late."""

import json
import os

import pytest
from tests import helpers
from tests.training.test_loop import Node

from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import evaluate as evaluate_step
from xstilts.training import loop, publish

NAMES = ("model.safetensors", "head.safetensors", "config.json", "tokenizer.json", "node.json")
STATE, OUT = "results/.state/train/tuned/m/none/seed1/nli", "results/tuned/m/none/seed1/nli"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A node, its model, and the number of trainings so far."""
    monkeypatch.chdir(tmp_path)
    node = Node(tmp_path, helpers.make_tokenizer(tmp_path / "tokenizer"))
    model, trainings = helpers.write_model(tmp_path / "model"), []
    real = loop.fit
    monkeypatch.setattr(loop, "fit", lambda *a, **o: trainings.append(1) or real(*a, **o))

    def run(**changes):
        node.run(model, tmp_path / OUT, state=STATE, **changes)
        return len(trainings)

    assert run() == 1
    return run, tmp_path / OUT, tmp_path / STATE


def contents(folder):
    return {name: (folder / name).read_bytes() for name in NAMES}


def delete(out):
    """As Snakemake does before it starts a job."""
    for name in NAMES:
        (out / name).unlink(missing_ok=True)


def test_what_is_made_is_linked_and_takes_no_disk_twice(made):
    _, out, state = made
    for name in NAMES:
        assert os.path.samefile(out / name, state / publish.FINISHED / name)
    assert {p.name for p in state.iterdir()} == {"lock", publish.FINISHED}


def test_a_job_that_comes_late_takes_what_is_there(made):
    run, out, _ = made
    before = contents(out)
    assert run() == 1, "declared, whole"
    for lost in (NAMES, ["head.safetensors"], ["node.json"]):
        old = os.stat(out / "model.safetensors").st_mtime_ns
        for name in lost:
            (out / name).unlink()
        assert run() == 1
        assert contents(out) == before
        assert os.stat(out / "model.safetensors").st_mtime_ns > old, "newer than its inputs"


def test_another_spec_or_damage_is_computed_anew(made):
    run, out, state = made
    before = contents(out)
    delete(out)
    assert run(seed=2) == 2
    assert contents(out) != before
    delete(out)
    path = state / publish.FINISHED / "head.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert run(seed=2) == 3


def test_the_next_step_that_reads_it_deletes_the_copy(made):
    run, out, state = made
    publish.delete_finished(OUT)
    assert not (state / publish.FINISHED).exists() and set(contents(out)) == set(NAMES)
    delete(out)
    assert run() == 2, "asked for anew"
    publish.delete_finished(out)
    assert not (state / publish.FINISHED).exists(), "an absolute path"
    publish.delete_finished("elsewhere/model")


@pytest.mark.parametrize("reader", ["train", "evaluate"])
def test_training_and_evaluation_delete_the_copy(made, reader, tmp_path, monkeypatch):
    _, out, state = made
    if reader == "train":
        node = Node(tmp_path, helpers.make_tokenizer(tmp_path / "tokenizer"))
        node.run(out, tmp_path / "next", state=tmp_path / "other")
    else:
        spec = {"model": digest(read_json(out / "node.json")["spec"])}
        made = {"spec": spec, "pins": {}, "weights": "w", "score": 0.5}
        made |= {"metrics": {}, "fingerprint": "f"}
        monkeypatch.setattr(evaluate_step.evaluate, "languages", lambda *_: {"en": made})
        write_json("manifest.json", {"spec": {"languages": {"en": ["rows", "encoded", "d"]}}})
        arguments = [
            "--cell", "m/none/seed1/t", "--specs", json.dumps({"en": spec}), "--model", OUT,
            "--manifest", "manifest.json", "--state", "scores", "--out", "o",
        ]  # fmt: skip
        evaluate_step.main(evaluate_step.parser().parse_args(arguments))
    assert not (state / publish.FINISHED).exists()

"""Trackers: what each is told, and that none can stop or delay a job."""

import json
import sys
import threading
import time
import types
from pathlib import Path
from typing import ClassVar

import pytest

from xstilts.running import ranks, trackers
from xstilts.running.errors import UserError
from xstilts.running.trackers import Trackers

OUT = "results/tuned/xlmr/mnli/seed1/udpos_en"
SPEC = {"recipe": {"learning_rate": 1e-5, "dropout": None}, "seed": 1}
CURVES = [({"loss": 1.0, "dev accuracy": 0.5}, 10), ({"loss": 0.5}, 20)]


def tell(names, folder, out=OUT):
    """What a job does."""
    with Trackers(names, folder / out, SPEC) as told:
        for values, step in CURVES:
            told.log(values, step)


def test_tensorboard_has_curves_and_spec_under_the_name_of_the_cell(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tell(["tensorboard"], tmp_path)
    run = tmp_path / "results/trackers/tensorboard/xlmr/mnli/seed1/udpos_en"
    events = EventAccumulator(str(run)).Reload()
    loss = [(event.step, event.value) for event in events.Scalars("loss")]
    assert loss == [(10, 1.0), (20, 0.5)]
    assert [event.value for event in events.Scalars("dev accuracy")] == [0.5]
    [text] = events.Tensors("spec/text_summary")
    assert json.loads(text.tensor_proto.string_val[0].decode().strip("`json\n")) == SPEC


def module(monkeypatch, name, **members):
    """A package with the part of the real one's interface that is used."""
    made = types.ModuleType(name)
    made.__dict__.update(members)
    monkeypatch.setitem(sys.modules, name, made)
    return made


def test_wandb_has_an_offline_run_of_that_name(tmp_path, monkeypatch):
    told = []

    class Run:
        def log(self, data, step):
            told.append((data, step))

        def finish(self):
            told.append("finish")

    def init(*, project, name, config, dir, mode):
        told.append([project, name, config, Path(dir), mode])
        return Run()

    module(monkeypatch, "wandb", init=init)
    tell(["wandb"], tmp_path)
    folder = tmp_path / "results/trackers"
    run = ["xstilts", "xlmr/mnli/seed1/udpos_en", SPEC, folder, "offline"]
    assert told == [run, *CURVES, "finish"]


class Client:
    """Of MLflow."""

    told: ClassVar[list] = []

    def __init__(self, tracking_uri):
        self.told.append(tracking_uri)

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        self.told.append(("experiment", name))
        return "7"

    def create_run(self, experiment_id, run_name):
        self.told.append((experiment_id, run_name))
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id="r"))

    def log_dict(self, run_id, dictionary, artifact_file):
        self.told.append((run_id, dictionary, artifact_file))

    def log_param(self, run_id, key, value):
        self.told.append((run_id, key, value))

    def log_metric(self, run_id, key, value, step):
        self.told.append((run_id, key, value, step))

    def set_terminated(self, run_id):
        self.told.append((run_id, "terminated"))


def test_mlflow_has_a_run_of_that_name(tmp_path, monkeypatch):
    monkeypatch.setattr(Client, "told", [])
    module(monkeypatch, "mlflow", MlflowClient=Client)
    tell(["mlflow"], tmp_path)
    folder = tmp_path / "results/trackers/mlflow"
    assert Client.told == [
        folder.as_uri(),
        ("experiment", "xstilts"),
        ("7", "xlmr/mnli/seed1/udpos_en"),
        ("r", SPEC, "spec.json"),
        ("r", "recipe.learning_rate", "1e-05"),
        ("r", "recipe.dropout", "None"),
        ("r", "seed", "1"),
        ("r", "loss", 1.0, 10),
        ("r", "dev accuracy", 0.5, 10),
        ("r", "loss", 0.5, 20),
        ("r", "terminated"),
    ]


class Faulty:
    """A tracker that fails at one of its calls."""

    def __init__(self, at, told):
        self.at, self.told = at, told

    def __call__(self, folder, run, spec, step):
        self._do("open")
        return self

    def log(self, values, step):
        self._do("log")

    def close(self):
        self._do("close")

    def _do(self, what):
        self.told.append(what)
        if what == self.at:
            raise SystemExit("no space left\nat all")


@pytest.mark.parametrize("at", ["open", "log", "close"])
def test_a_tracker_that_fails_is_one_line_and_the_others_go_on(tmp_path, monkeypatch, capfd, at):
    told, good = [], []
    monkeypatch.setitem(trackers.KINDS, "wandb", Faulty(at, told))
    monkeypatch.setitem(trackers.KINDS, "mlflow", Faulty("", good))
    tell(["wandb", "mlflow"], tmp_path)
    assert capfd.readouterr().out == "tracker wandb: off: SystemExit: no space left\n"
    assert told[-1] == at and told.count(at) == 1
    assert good == ["open", "log", "log", "close"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capfd):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/trackers").write_text("a file")
    tell(["tensorboard"], tmp_path)
    said = capfd.readouterr().out
    assert said.startswith("tracker tensorboard: off: ") and said.count("\n") == 1
    line = trackers.cannot_write(tmp_path / "results", ["tensorboard"])
    assert "trackers/tensorboard: cannot be written (Not a directory); runs without" in line
    assert trackers.cannot_write(tmp_path / "other", ["tensorboard"]) == ""


def test_a_tracker_that_hangs_delays_a_job_by_no_more_than_its_patience(tmp_path, monkeypatch):
    monkeypatch.setattr(trackers, "PATIENCE", 0.05)
    free = threading.Event()
    monkeypatch.setitem(trackers.KINDS, "wandb", lambda *_: free.wait(60))
    start = time.monotonic()
    tell(["wandb"], tmp_path)
    assert time.monotonic() - start < 10
    free.set()


def test_only_the_first_process_of_a_training_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(ranks, "rank", lambda: 1)
    tell(["tensorboard"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_trackers_that_are_not_installed_are_one_line(monkeypatch):
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: name == "wandb" or None)
    trackers.check(["wandb"])
    line = r"^trackers: not installed: tensorboard, mlflow; `pip install tensorboard mlflow`, or"
    with pytest.raises(UserError, match=line):
        trackers.check(["tensorboard", "wandb", "mlflow"])

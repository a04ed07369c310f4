"""A target that is tuned on one task and then on another, as XTREME-R tunes for XCOPA."""

import csv
import json
import os
import signal

import pytest
from tests.workflow.running import OWN, at_work, tiny
from tests.workflow.test_failures import step_process

from xstilts.running.files import digest

CONFIG = {
    "targets": ["csqa"],
    "languages": ["en"],
    "intermediates": {},
    "tasks": {"csqa": {"tuned_on": "csqa", "after": "hellaswag"}},
    "keep_tuned": False,
}
TABLES = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}


def node(experiment, task):
    return json.loads(experiment.read(f"tuned/xlmr/none/seed1/{task}/node.json"))


def test_the_second_tuning_goes_on_with_the_model_and_the_head_of_the_first(done):
    done.write(tiny(**CONFIG))
    run = done.snakemake().ok()
    assert (run.jobs["tune"], run.jobs["evaluate_csqa"]) == (2, 1)
    first, second = (node(done, task) for task in ("hellaswag", "csqa"))
    assert second["spec"]["parent"] == digest(first["spec"])
    assert (second["spec"]["after"], second["spec"]["head"]) == ("hellaswag", "goes on")
    assert not {"after", "head"} & first["spec"].keys()
    costs = list(csv.DictReader(done.read(f"{OWN}/tables/cost.csv").splitlines()))
    assert {row["kind"]: row["nodes"] for row in costs}["tune"] == "2"
    for task in ("hellaswag", "csqa"):
        assert not list(done.path(f"tuned/xlmr/none/seed1/{task}").glob("*.safetensors")), "read"
    assert done.snakemake().nothing
    # A score alone needs both tunings again, whose weights are gone; the first anew makes all.
    done.path("scores/xlmr/none/seed1/csqa/en.json").unlink()
    later = {rule: n for rule, n in TABLES.items() if rule != "plan"}
    assert done.planned() == {"tune": 2, "evaluate_csqa": 1, **later}
    done.write(tiny(**CONFIG, recipes={"hellaswag": {"learning_rate": 2.0e-3}}))
    assert done.planned() == {"tune": 2, "evaluate_csqa": 1, **TABLES}
    done.write(tiny(**CONFIG, recipes={"csqa": {"learning_rate": 2.0e-3}}))
    assert done.planned() == {"tune": 2, "evaluate_csqa": 1, **TABLES}


@pytest.mark.slow
def test_a_second_tuning_that_is_killed_goes_on_and_ends_in_the_same_bytes(done):
    longer = {"csqa": {"max_steps": 60, "eval_every": 20}}
    path = done.write(tiny(**{**CONFIG, "keep_tuned": True, "save_every": 0}, recipes=longer))
    record = "results/tuned/xlmr/none/seed1/csqa/node.json"
    assert done.snakemake(record).ok().jobs["tune"] == 2
    folder = (done.folder / record).parent
    weights = [(folder / f"{name}.safetensors").read_bytes() for name in ("model", "head")]
    log = done.path("logs/tune/xlmr/none/seed1/csqa.log")
    for made in (*folder.iterdir(), log):
        made.unlink()
    for state in done.path(".state/train/tuned/xlmr/none/seed1/csqa").rglob("*"):
        if state.is_file():
            state.unlink()

    def half_way() -> bool:
        return log.exists() and "step 20:" in log.read_text()

    with at_work(done.folder, [path], record, until=half_way) as process:
        os.kill(step_process(done.folder), signal.SIGKILL)
        assert process.wait(60) != 0
    assert done.snakemake(record).ok().jobs == {"tune": 1}
    assert node(done, "csqa")["resumed_at"]
    assert [(folder / f"{name}.safetensors").read_bytes() for name in ("model", "head")] == weights

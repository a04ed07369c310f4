"""A chain of intermediates whose last is a family by its dose; its first is no row of the table."""

import csv
import json
import os
import shutil
import signal

from tests.workflow.running import OWN, at_work, tiny
from tests.workflow.test_failures import step_process

from xstilts.running.files import digest

CONFIG = {
    "targets": ["tatoeba"],
    "languages": ["de"],
    "intermediates": {
        "mnli": {"tasks": ["mnli"]},
        "more-{rows}": {"tasks": ["mnli"], "after": "mnli", "rows": [20, 10**6], "steps": 9},
    },
    "exclude": [{"intermediate": "mnli"}],
}
RETRIED = {
    "on_collapse": "retry",
    "save_every": 0,
    "intermediates": {
        "first": {"tasks": ["mnli"], "rows": 32},
        "again": {"tasks": ["mnli"], "after": "first", "rows": 16, "steps": 60},
    },
    "recipes": {
        "all": {"batch_size": 8, "max_length": 64, "eval_every": 20, "eval_rows": 8},
        "first": {"max_steps": 3},
        "again": {"learning_rate": 1.0e-5},  # which learns nothing
    },
}
TABLES = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}


def test_a_chain_with_a_dose_on_the_results_of_another_grid(done):
    """The finished experiment has the encoder that the chain starts from."""
    done.write(tiny(**CONFIG))
    run = done.snakemake().ok()
    assert run.jobs == {"intermediate": 2, "evaluate_tatoeba": 2, **TABLES}
    said = run.out
    assert "note: intermediates: more-1000000: the toy world has fewer rows" in said
    assert "more-20, more-1000000: steps: `max_steps` of their recipe is less" in said
    rows = list(csv.DictReader(done.read(f"{OWN}/tables/main.csv").splitlines()))
    assert [row["intermediate"] for row in rows] == ["none", "more-20", "more-1000000"]
    first, few, all_ = (
        json.loads(done.read(f"encoders/xlmr/{name}/seed1/node.json"))
        for name in ("mnli", "more-20", "more-1000000")
    )
    for node, drawn in ((few, 20), (all_, 48)):
        assert node["spec"]["parent"] == digest(first["spec"]) and node["spec"]["after"] == "mnli"
        assert (node["rows"]["train"], node["steps"]) == (drawn, 3)  # `max_steps` is 3
        assert node["pins"] == first["pins"] and node["weights"] != first["weights"]
    grid = list(csv.DictReader(done.read(f"{OWN}/grid.csv").splitlines()))
    told = {row["intermediate"]: (row["stage1_rows"], row["stage1_steps"]) for row in grid}
    assert told["more-20"] == ("20", "9")
    assert done.snakemake().nothing
    # A change of the first link makes the chain anew, and what it scores.
    done.write(tiny(**CONFIG, recipes={"mnli": {"learning_rate": 2.0e-3}}))
    jobs = done.planned()
    assert jobs == {"intermediate": 3, "evaluate_tatoeba": 2, **TABLES}


def test_a_dose_of_a_chain_that_is_trained_again_goes_on_after_a_kill(done):
    """In the second of its three streams; it ends in the bytes of one that is not killed."""
    path, node = done.write(tiny(**RETRIED)), "results/encoders/xlmr/again/seed1/node.json"
    assert done.snakemake(node).ok().jobs == {"intermediate": 2}
    folder, log = (done.folder / node).parent, done.path("logs/intermediate/xlmr/again/seed1.log")
    weights = [(folder / f"{name}.safetensors").read_bytes() for name in ("model", "head")]
    whole = json.loads((folder / "node.json").read_text())
    assert (whole["spec"]["rows_at_most"], whole["steps"]) == (16, 60)
    assert [stream["resumed_at"] for stream in whole["streams"]] == [[], [], []]
    shutil.rmtree(folder)
    shutil.rmtree(done.path(".state/train/encoders/xlmr/again"))  # which has a link to it
    log.unlink()

    def second_stream() -> bool:
        return log.exists() and "step 20:" in log.read_text().partition("stream 2 of 3")[2]

    with at_work(done.folder, [path], node, until=second_stream) as process:
        os.kill(step_process(done.folder), signal.SIGKILL)
        assert process.wait(60) != 0
    assert not folder.exists() or not list(folder.glob("*.safetensors"))
    assert done.snakemake(node).ok().jobs == {"intermediate": 1}
    again = json.loads((folder / "node.json").read_text())
    assert again["weights"] == whole["weights"]
    assert [(folder / f"{name}.safetensors").read_bytes() for name in ("model", "head")] == weights
    first, second, third = (stream["resumed_at"] for stream in again["streams"])
    assert first == third == [] and len(second) == 1 and 0 < second[0] < 60
    curves = [[stream["curve"] for stream in each["streams"]] for each in (whole, again)]
    assert curves[0] == curves[1]

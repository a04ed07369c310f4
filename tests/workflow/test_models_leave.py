"""A model of a finished run is exported and used; one whose weights were dropped is made again."""

import re
import shlex

import pytest
from tests.workflow.running import tiny

TUNED = "tuned/xlmr/mnli/seed1/mnli"
CELL = "xlmr/mnli/seed1/xnli"


@pytest.fixture
def dropped(done):
    """The finished experiment as it is without `keep_tuned`."""
    done.write(tiny(keep_tuned=False))
    for name in ("model.safetensors", "head.safetensors", "config.json", "tokenizer.json"):
        done.path(f"{TUNED}/{name}").unlink()
    return done


def test_dropped_weights_are_made_again_by_the_command_that_is_said(dropped):
    # A run without anything to do would not make them: nothing needs them.
    assert not dropped.planned().keys() & {"tune", "intermediate"}
    before = dropped.read(f"{TUNED}/node.json")
    run = dropped.step("export", CELL, "--to", "out", "--config", "config.yaml")
    run.failed(CELL, "its weights were dropped")
    assert not (dropped.folder / "out").exists()
    config, options = re.search(r"to make it: xstilts run (\S+) -- (.*)$", run.out, re.M).groups()
    assert config == "config.yaml"
    assert dropped.snakemake(*shlex.split(options)).ok().jobs == {"tune": 1}
    assert dropped.read(f"{TUNED}/node.json") != before, "another time of day"
    out = dropped.step("export", CELL, "--to", "out").ok().out
    assert out.startswith("out: XLMRobertaForSequenceClassification of transformers")
    (dropped.folder / "rows.csv").write_text("text,text_pair\nein Hund,a dog\n狗,un chien\n")
    predicted = dropped.step("predict", CELL, "rows.csv").ok().out.splitlines()
    assert predicted[0] == "text,text_pair,prediction,probability"
    assert [line.split(",")[:2] for line in predicted[1:]] == [
        ["ein Hund", "a dog"], ["狗", "un chien"]
    ]  # fmt: skip
    assert "tune" not in dropped.planned()

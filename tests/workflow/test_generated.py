"""Rows that are generated: by the grammar in the toy world, and by a decoder in a mirror."""

import json
import shutil

import pytest
import yaml
from tests.generation import decoder
from tests.workflow.running import Experiment, tiny

from xstilts.data import prepare
from xstilts.running.files import digest

MADE = {"tasks": ["mnli"], "generated": {"by": "writer", "languages": ["de"], "rows": 24}}


@pytest.fixture(scope="module")
def mirror(finished, tmp_path_factory):
    """A config on a mirror with the toy world's MNLI and a decoder that has learned to write it."""
    folder = tmp_path_factory.mktemp("mirror")
    shutil.copytree(finished.path("toy/models"), folder / "mirror/models")
    shutil.copytree(finished.path("toy/datasets"), folder / "mirror/datasets")
    decoder.write(folder / "mirror/models/acme/taught")
    (folder / "prompt.md").write_text(decoder.PROMPT)
    taught = {"from": "acme/taught", "shots": 0, "temperature": 0.7, "max_tokens": 100}
    asked = {**MADE, "generated": {**MADE["generated"], "prompt": "prompt.md"}}
    experiment = Experiment(folder)
    experiment.write(
        tiny(
            source="mirror",
            models={"xlmr": {"from": "toy/xlmr"}},
            generators={"writer": taught},
            intermediates={"made": asked},
            targets=["xnli"],
        )
        | {"toy": {}}
    )
    return experiment


def test_a_decoder_writes_what_is_trained_on(mirror):
    rows = "results/generated/writer/mnli/de.24"
    mirror.snakemake(f"{rows}.json").ok()
    told = json.loads(mirror.path("generated/writer/mnli/de.24.json").read_text())
    assert told["spec"]["engine"] == "transformers" and told["spec"]["prompt"] == decoder.PROMPT
    assert told["pins"].keys() == {"datasets/nyu-mll/glue", "models/acme/taught"}
    assert told["rows_kept"] == 24 == prepare.read(f"{mirror.folder}/{rows}.parquet").num_rows
    assert told["rows_total"] == 24 + sum(told["dropped"].values())
    lock = yaml.safe_load((mirror.folder / "config.lock").read_text())
    assert "model.safetensors" in lock["models"]["acme/taught"]["files"]
    left = mirror.planned()
    assert left["filter"] == left["encode_synthetic"] == left["intermediate"] == 1
    assert not {"generate", "generator", "pin_generator"} & left.keys()


def test_a_decoder_that_has_changed_is_refused(mirror, tmp_path):
    copy = mirror.copy(tmp_path / "copy")
    (copy.path("generators/writer/node.json")).unlink()
    about = copy.folder / "mirror/models/acme/taught/config.json"
    about.write_text(about.read_text() + "\n")
    copy.snakemake("results/generators/writer/node.json").failed(
        "acme/taught", "config.json has changed since it was pinned", "xstilts pin"
    )


def test_generated_rows_are_trained_on_and_done(plan, done):
    config = tiny(
        generators={
            "writer": {"from": "Qwen/Qwen3-8B", "mistakes": {"unparsed": 0.2, "english": 0.2}}
        },
        intermediates={"mnli": {"tasks": ["mnli"]}, "made": MADE},
    )
    done.write(config)
    jobs = done.planned()
    assert jobs["generate"] == jobs["filter"] == jobs["encode_synthetic"] == 1
    assert jobs["intermediate"] == 1 and "prepare" not in jobs
    done.snakemake("results/encoders/xlmr/made/seed1/node.json").ok()
    told = json.loads(done.read("generated/writer/mnli/de.24.json"))
    assert told["rows_kept"] == 24 and told["dropped"]["not JSON"] > 0
    node = json.loads(done.read("encoders/xlmr/made/seed1/node.json"))
    assert node["pins"].keys() >= {"datasets/nyu-mll/glue", "models/toy/xlmr"}
    # Another filter is of the same answers; more rows are others.
    other = {**MADE, "generated": {**MADE["generated"], "filter": "basic"}}
    done.write({**config, "intermediates": {"made": other}})
    jobs = done.planned()
    assert jobs["filter"] == 1 and "generate" not in jobs
    made = f"synthetic/writer-24-1-{digest(['de'])[:4]}.basic/mnli/de.train.json"
    done.snakemake(f"results/{made}").ok()
    passed = json.loads(done.read(made))
    assert passed["rows_total"] == told["rows_total"]
    assert passed["dropped"]["language"] > 0 and passed["dropped"]["not JSON"] > 0
    assert passed["rows_kept"] == passed["rows_total"] - sum(passed["dropped"].values())
    more = {**MADE, "generated": {**MADE["generated"], "rows": 30}}
    done.write({**config, "intermediates": {"made": more}})
    assert done.planned()["generate"] == 1

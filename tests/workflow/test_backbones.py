"""A rehearsal with a decoder and the encoder of an encoder-decoder, to its table."""

import json

from tests.workflow.running import OWN, Experiment, tiny

MODELS = {
    "qwen3": {"from": "Qwen/Qwen3-0.6B-Base", "gpus": 2, "sharding": "fsdp"},
    "umt5": {"from": "google/umt5-small"},
}


def test_models_of_other_architectures_are_rehearsed_with_tiny_checkpoints(tmp_path):
    experiment = Experiment(tmp_path)
    experiment.write(tiny(models=MODELS, intermediates={}, targets=["xnli"]))
    done = experiment.snakemake().ok()
    assert done.jobs["toy_backbone"] == done.jobs["model"] == done.jobs["evaluate_xnli"] == 2
    for name, kind in (("qwen3", "decoder"), ("umt5", "encoder-decoder")):
        config = json.loads(experiment.path(f"models/{name}/config.json").read_text())
        assert config["model_type"] == name and config["xstilts"]["kind"] == kind
        assert experiment.path(f"scores/{name}/none/seed1/xnli/de.json").exists()
    table = experiment.read(f"{OWN}/tables/main.md")
    assert table.count("–") == 0 and "qwen3" in table and "umt5" in table
    assert experiment.snakemake().nothing

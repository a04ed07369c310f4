"""A model twice in a grid, with all of its weights trained and with an adapter."""

import csv
import json
import os
import shutil
import signal

import pytest
from tests.workflow.running import OWN, at_work, tiny
from tests.workflow.test_failures import step_process

from xstilts.models import adapters, checkpoint

ENTRY = {"from": "FacebookAI/xlm-roberta-base", "tokenizer": "xlmr", "adapter": {"rank": 4}}
CONFIG = {
    "models": {"xlmr": {"from": "FacebookAI/xlm-roberta-base"}, "lora": ENTRY},
    "targets": ["xnli", "tatoeba"],
    "keep_tuned": False,
    "save_every": 0,
}
NODE = "results/encoders/lora/mnli/seed1/node.json"
FILES = ("adapter_config.json", "adapter_model.safetensors", "head.safetensors", "tokenizer.json")


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """The finished experiment, whose model is then in the grid with an adapter too."""
    done = finished.copy(tmp_path_factory.mktemp("adapters") / "done")
    done.write(tiny(**CONFIG))
    run = done.snakemake().ok()
    own = {"intermediate_adapter": 1, "tune_adapter": 2, "evaluate_xnli": 2, "evaluate_tatoeba": 2}
    products = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
    assert run.jobs == {"pin_model": 1, "model": 1, **own, **products}
    return done


def test_the_grid_is_made_and_a_second_run_does_nothing(made):
    rows = list(csv.DictReader(made.read(f"{OWN}/tables/main.csv").splitlines()))
    assert [(row["model"], row["intermediate"]) for row in rows] == [
        (model, name) for model in ("xlmr", "lora") for name in ("none", "mnli")
    ]
    assert all(row["xnli"] and row["tatoeba"] for row in rows)
    assert made.snakemake().nothing
    status = made.step("status", "config.yaml")
    assert "8 cells: 8 done" in status.out, status.out


def test_what_is_kept_of_a_training(made):
    folder = made.path("encoders/lora/mnli/seed1")
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        [*FILES, "node.json", "tokenizer_config.json"]
    )
    tuned = made.path("tuned/lora/mnli/seed1/mnli")
    assert not [name for name in FILES if (tuned / name).exists()]  # they were temporary
    node = json.loads((folder / "node.json").read_text())
    assert node["spec"]["adapter"] == {
        "rank": 4, "alpha": 32, "dropout": 0.05, "on": "all-linear",
    }  # fmt: skip
    backbone = json.loads(made.read("models/lora/node.json"))
    # Six matrices a layer, of 32 wide or 128: four of 32 x 32, two of 32 x 128.
    assert node["adapter"]["parameters"] == 2 * 4 * (4 * (32 + 32) + 2 * (32 + 128))
    assert node["adapter"]["backbone"] == backbone["weights"] != node["weights"]
    second = json.loads((tuned / "node.json").read_text())
    assert second["spec"]["adapter"]["start"] == "continue"
    assert "adapter" not in json.loads(made.read("encoders/xlmr/mnli/seed1/node.json"))


def test_it_opens_in_peft_and_in_auto_model_from_the_folder_of_the_results(made, monkeypatch):
    import torch
    from peft import PeftModel
    from transformers import AutoModel

    monkeypatch.chdir(made.folder)
    folder = "results/encoders/lora/mnli/seed1"
    base = AutoModel.from_pretrained("results/models/lora", add_pooling_layer=False)
    models = [
        PeftModel.from_pretrained(base, folder),
        AutoModel.from_pretrained(folder),
        checkpoint.load_encoder(made.folder / folder),
    ]
    ids = torch.arange(5, 17).reshape(2, 6)
    with torch.inference_mode():
        states = [model.eval()(input_ids=ids).last_hidden_state for model in models]
    assert adapters.backbone(made.folder / folder) == made.path("models/lora")
    assert all((other - states[0]).abs().max() < 1e-5 for other in states)
    plain = checkpoint.load_encoder("results/models/lora")
    with torch.inference_mode():
        assert (plain(input_ids=ids).last_hidden_state - states[0]).abs().max() > 1e-4


def test_a_training_that_was_killed_goes_on_to_the_same_bytes(made, tmp_path):
    """And its saved states have the adapter and the head alone."""
    done = made.copy(tmp_path / "killed")
    folder, log = (done.folder / NODE).parent, done.path("logs/intermediate/lora/mnli/seed1.log")
    long = {"max_steps": 60, "epochs": 12, "eval_every": 20, "learning_rate": 2.0e-3}
    path = done.write(tiny(**CONFIG, recipes={"mnli": long}))
    assert done.snakemake(NODE).ok().jobs == {"intermediate_adapter": 1}
    weights = {name: (folder / name).read_bytes() for name in FILES}
    shutil.rmtree(folder)
    shutil.rmtree(done.path(".state/train/encoders/lora/mnli"))
    log.unlink()

    def begun() -> bool:
        return log.exists() and "step 20:" in log.read_text()

    state = done.path(".state/train/encoders/lora/mnli/seed1")
    with at_work(done.folder, [path], NODE, until=begun) as process:
        os.kill(step_process(done.folder), signal.SIGKILL)
        assert process.wait(60) != 0
    sizes = [p.stat().st_size for p in state.glob("[0-9]*.safetensors")]
    assert sizes and max(sizes) < (done.path("models/lora/model.safetensors")).stat().st_size
    assert done.snakemake(NODE).ok().jobs == {"intermediate_adapter": 1}
    node = json.loads((folder / "node.json").read_text())
    assert len(node["resumed_at"]) == 1 and 0 < node["resumed_at"][0] < 60
    assert {name: (folder / name).read_bytes() for name in FILES} == weights


def test_what_a_change_costs(made, tmp_path):
    """The plain model is untouched by any; how stage 2 starts is no matter of stage 1."""

    def planned(**changes):
        entry = {**ENTRY, **changes}
        path = made.write(
            tiny(**{**CONFIG, "models": {**CONFIG["models"], "lora": entry}}), "other.yaml"
        )
        jobs = made.planned("--config", "name=config", config=path)
        return {k: n for k, n in jobs.items() if k.startswith(("inter", "tune", "eval"))}

    scored = {"evaluate_xnli": 2, "evaluate_tatoeba": 1}
    all_ = {"intermediate_adapter": 1, "tune_adapter": 2, **scored}
    assert planned(adapter={"rank": 8}) == all_
    assert planned(adapter_start="merge") == {"tune_adapter": 1, "evaluate_xnli": 1}

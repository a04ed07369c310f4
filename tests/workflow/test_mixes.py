"""Intermediates of several tasks, one of them masked language modelling in two languages."""

import csv
import json

import pytest
from tests.workflow.running import OWN, tiny

TEXT = {
    "format": "mlm", "hub": "google/xtreme", "config": "tatoeba.{lang}",
    "codes": {"de": "deu", "ru": "rus"}, "splits": {"train": "validation"},
    "columns": {"source_sentence": "text"}, "languages": ["de", "ru"], "version": 1,
    "recipe": {"max_length": 32},
}  # fmt: skip
CONFIG = {
    "targets": ["tatoeba"],
    "languages": ["de"],
    "intermediates": {
        "multi": {"tasks": ["mnli", "squad"], "cap": 30},
        "mnli-mlm": {"tasks": ["mnli", "text"]},
    },
    "tasks": {"text": TEXT},
    "recipes": {"multi": {"max_steps": 6}, "text": {"batch_size": 4, "max_length": 32}},
}


@pytest.fixture(scope="module")
def mixed(finished, tmp_path_factory):
    """The finished experiment with two mixes in place of its intermediate."""
    experiment = finished.copy(tmp_path_factory.mktemp("mixed") / "results")
    experiment.write(tiny(**CONFIG))
    jobs = experiment.snakemake().ok().jobs
    data = {"toy_world": 1, "pin_data": 1, "prepare": 4, "encode": 4}
    assert jobs == {
        **data,
        "intermediate": 2,
        "evaluate_tatoeba": 2,
        "plan": 1,
        "tables": 1,
        "figures": 1,
        "report": 1,
        "all": 1,
    }
    return experiment


def test_a_mix_is_a_row_of_the_table_and_done_once(mixed):
    rows = list(csv.DictReader(mixed.read(f"{OWN}/tables/main.csv").splitlines()))
    assert [row["intermediate"] for row in rows] == ["none", "multi", "mnli-mlm"]
    assert all(row["tatoeba"] for row in rows)
    assert mixed.snakemake().nothing


def test_a_mix_says_what_was_drawn_and_keeps_its_heads_apart(mixed):
    from safetensors import safe_open
    from transformers import AutoModel

    folder = mixed.path("encoders/xlmr/multi/seed1")
    node = json.loads((folder / "node.json").read_text())
    drawn = {task: by["en"] for task, by in node["drawn"].items()}
    assert {task: (of["share"], of["available"] > 30) for task, of in drawn.items()} == {
        "mnli": (0.5, True),
        "squad": (0.5, True),
    }
    assert sum(of["batches"] for of in drawn.values()) == node["steps"] == 6
    assert sum(of["tokens"] for of in drawn.values()) == node["tokens"]
    assert node["best"]["dev"].keys() == {"mnli accuracy", "squad f1", "squad exact_match"}
    assert {"datasets/nyu-mll/glue", "datasets/rajpurkar/squad"} <= node["pins"].keys()
    with safe_open(folder / "head.safetensors", framework="numpy") as heads:
        assert {key.split(".")[0] for key in heads.keys()} == {"mnli", "squad"}  # noqa: SIM118
    assert AutoModel.from_pretrained(folder, add_pooling_layer=False).config.vocab_size


def test_text_of_several_languages_is_one_task_of_the_mix(mixed):
    node = json.loads(mixed.read("encoders/xlmr/mnli-mlm/seed1/node.json"))
    assert node["drawn"].keys() == {"mnli", "text"}
    shares = {lang: of["share"] for lang, of in node["drawn"]["text"].items()}
    assert shares.keys() == {"de", "ru"} and shares["de"] == shares["ru"]
    assert node["best"]["dev"].keys() == {"mnli accuracy"}
    assert node["heads"] == {"mnli": "mnli", "text": "text"}

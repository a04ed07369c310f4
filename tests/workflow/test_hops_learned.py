"""What the toy encoder learns of questions of two hops: with and without those of one hop first.

Two-hop questions are hardly learned from scratch, and are after single-hop ones over the same
paragraphs: so a gain that depends on the hops is there to be found, and is found.
"""

import csv
import json

import pytest
from tests.workflow.running import Experiment

pytestmark = pytest.mark.slow
OWN = "experiments/config/tables"
HOTPOT = {"format": "span", "rows": "hotpot", "context": "all", "metric": "squad"}
CONFIG = {
    "source": "toy",
    "models": {"xlmr": {"from": "FacebookAI/xlm-roberta-base"}},
    "tasks": {
        "one_hop": {
            "format": "span", "hub": "dgslibisey/MuSiQue", "config": "default", "metric": "squad",
            "splits": {"train": "train", "dev": "validation"}, "rows": "musique_last",
            "context": "all", "strata": ["hops", "shape"], "languages": ["en"],
        },
        "hotpotqa": {"context": "all"},
        "hotpot": {"context": "all"},
    },
    "intermediates": {"one-hop": {"tasks": ["one_hop"]}},
    "targets": ["hotpot", "hotpot_answer"],
    "languages": ["en"],
    "seeds": [1, 2, 3],
    "questions": {
        "hops": {
            "ask": "Is the gain another where the other person has to be found first?",
            "compare": {
                "one": {"target": "hotpot_answer"},
                "two": {"target": "hotpot", "example": {"type": "bridge"}},
            },
            "scales": ["points", "share", "log-odds"],
        },
        "claims": {
            "ask": "And of claims, by yes and no?",
            "compare": {
                "bridge": {"target": "hotpot", "example": {"type": "bridge"}},
                "comparison": {"target": "hotpot", "example": {"type": "comparison"}},
            },
        },
    },
    "recipes": {
        "all": {
            "learning_rate": 5.0e-4, "batch_size": 32, "max_steps": 1000, "max_length": 192,
            "eval_every": 250, "eval_rows": 100,
        }
    },
}  # fmt: skip


def means(experiment: Experiment) -> dict[tuple[str, str, str], float]:
    """Target, class of `type`, row -> mean value of the examples, over seeds, in percent."""
    lines = csv.DictReader(experiment.read(f"{OWN}/strata.long.csv").splitlines())
    return {
        (line["target"], line["class"], line["intermediate"]): float(line["value"])
        for line in lines
        if line["stratum"] == "type"
    }


def test_two_hops_are_learned_after_one(tmp_path):
    experiment = Experiment(tmp_path)
    experiment.write(CONFIG)
    experiment.snakemake().ok()
    found = means(experiment)
    print(found, experiment.read(f"{OWN}/questions/hops.md"))
    none, after = (found["hotpot", "bridge", row] for row in ("none", "one-hop"))
    assert none < 45, "guessing one of three places: 33"
    assert after > none + 15
    said = json.loads(experiment.read(f"{OWN}/questions/hops.json"))
    assert not said["missing"] and not said["reason"]

"""What the toy encoder learns of questions of two hops: with and without those of one hop first.

Two-hop questions are hardly learned from the toy encoder, and are after single-hop ones over such
paragraphs. (As a prototype showed it: an exact match of 0.25, and of 0.63; nine trainings of a good
minute on a quiet core.)
"""

import csv
import json
from statistics import fmean

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


def exact_match(experiment: Experiment, row: str) -> float:
    """The share of `hotpot` that a row answers in the very words, over seeds, in percent."""
    lines = csv.DictReader(experiment.read(f"{OWN}/results.csv").splitlines())
    asked = {"intermediate": row, "target": "hotpot", "metric": "exact_match"}
    return fmean(float(line["value"]) for line in lines if asked.items() <= line.items())


def test_two_hops_are_learned_after_one(tmp_path):
    experiment = Experiment(tmp_path)
    experiment.write(CONFIG)
    experiment.snakemake().ok()
    print(*(experiment.read(f"{OWN}/questions/{name}.md") for name in CONFIG["questions"]))
    none, after = (exact_match(experiment, row) for row in ("none", "one-hop"))
    assert none < 45, "one of three places, and every second claim: 37"
    assert after > none + 15
    said = json.loads(experiment.read(f"{OWN}/questions/hops.json"))
    assert not said["missing"] and not said["reason"]

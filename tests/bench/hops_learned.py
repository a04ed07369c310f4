"""What the toy encoder learns of questions of two hops: with and without those of one hop first.

    PYTHONPATH=workflow:. python tests/bench/hops_learned.py [FOLDER]

Prints the exact match of both rows and what the questions of the grid answer. Ends with an error
unless two hops are hardly learned from the toy encoder and well after single-hop questions over
such paragraphs. (A prototype had an exact match of 0.25, and of 0.63; seen here: 29.2 and 48.0.)
Nine trainings of 1,000 and 2,000 steps, so it is no test of every run.
"""

import csv
import json
import sys
import tempfile
from pathlib import Path
from statistics import fmean

from tests.workflow.running import Experiment, command, run

LIMIT_S = 7200
OWN = "experiments/config/tables"
CONFIG = {
    "source": "toy",
    "toy": {"sizes": {"train": 10000}},  # of 2,000 rows, both 23
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
            "learning_rate": 5.0e-4, "batch_size": 32, "epochs": 4, "max_steps": 1000,
            "max_length": 192, "eval_every": 250, "eval_rows": 100,
        },
        "one-hop": {"epochs": 8, "max_steps": 2000},  # of 1,000 one seed of three learns little
    },
}  # fmt: skip


def exact_match(experiment: Experiment, row: str) -> float:
    """The share of `hotpot` that a row answers in the very words, over seeds, in percent."""
    lines = csv.DictReader(experiment.read(f"{OWN}/results.csv").splitlines())
    asked = {"intermediate": row, "target": "hotpot", "metric": "exact_match"}
    return fmean(float(line["value"]) for line in lines if asked.items() <= line.items())


def main() -> None:
    """Run the grid, in a folder that stays if it is named, and print."""
    with tempfile.TemporaryDirectory() as passing:
        folder = Path(sys.argv[1] if sys.argv[1:] else passing)
        folder.mkdir(exist_ok=True)
        experiment = Experiment(folder)
        path = experiment.write(CONFIG)
        run(command(folder, [path]), folder, LIMIT_S).ok()
        for name in CONFIG["questions"]:
            print(experiment.read(f"{OWN}/questions/{name}.md"))
            said = json.loads(experiment.read(f"{OWN}/questions/{name}.json"))
            assert not said["missing"] and not said["reason"]
        none, after = (exact_match(experiment, row) for row in ("none", "one-hop"))
        print(f"exact match: none {none:.1f}, after one hop {after:.1f}")
        assert none < 45, "one of three places, and every second claim: 37"
        assert after > none + 15


if __name__ == "__main__":
    main()

"""A finished grid on which questions are asked, and the questions that are laid over it."""

from typing import Any

import yaml
from tests.workflow.running import Experiment, Run, command, run, tiny

CONFIG, OVER = "grid.yaml", "asked.yaml"
HOME = "experiments/grid+asked"  # below results: what the grid with the questions ends in
SHOWN = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
LANGUAGES = ["de", "ru", "hi"]
ONE = {"model": "xlmr", "target": "tatoeba"}  # where every row has all seeds, but for the chain
GRID = tiny(
    models={
        "xlmr": {"from": "FacebookAI/xlm-roberta-base"},
        "large": {"from": "FacebookAI/xlm-roberta-large"},  # the same in the toy world
    },
    intermediates={
        "mnli": {"tasks": ["mnli"]},
        "mnli-{rows}": {"tasks": ["mnli"], "rows": [16, 32]},
        "mnli-de": {"tasks": ["mnli_translated"], "languages": ["de"]},
        "ccg": {"tasks": ["ccg"]},
        "mix": {"tasks": ["mnli", "ccg"]},
        "ccg-mnli": {"tasks": ["mnli"], "after": "ccg", "rows": 16},
    },
    targets=["xnli", "tatoeba"],
    languages=LANGUAGES,
    seeds=[1, 2, 3],
    exclude=[
        {"intermediate": {"not": ["none", "mnli"]}, "target": "xnli"},
        {"model": "large", "target": "xnli"},
        {"model": "large", "intermediate": {"not": ["none", "mnli"]}},
        {"intermediate": "ccg-mnli", "seed": 2},
        {"intermediate": "ccg-mnli", "seed": 3},
    ],
    recipes={
        "all": {
            "max_steps": 2, "learning_rate": 5.0e-3, "batch_size": 8, "max_length": 64,
            "eval_every": 2, "eval_rows": 8,
        },
        "ccg": {"learning_rate": 0.05},  # which harms, so that there is something to claim
    },
    toy={
        "languages": ["en", *LANGUAGES],
        "sizes": {"train": 48, "dev": 64, "test": 32},
        "pretrain": {"steps": 3, "batch_size": 8, "layers": 2, "width": 32, "heads": 2},
    },
)  # fmt: skip
QUESTIONS: dict[str, Any] = {
    "europe": {
        "ask": "Do other languages gain less than European ones?",
        "compare": {
            "European": {"language": {"europe": True}},
            "others": {"language": {"not": {"europe": True}}},
        },
        "where": {**ONE, "intermediate": {"not": "ccg-mnli"}},
    },
    "mix": {
        "ask": "Do two tasks gain more than one?",
        "compare": {
            "one task": {"intermediate": {"n_tasks": 1, "rows": {"from": 48}}},
            "two tasks": {"intermediate": {"n_tasks": 2, "rows": {"from": 48}}},
        },
        "where": ONE,
    },
    "german": {
        "ask": "Does intermediate data in German gain more than in English?",
        "compare": {
            "English": {"intermediate": {"languages": "en", "tasks": "mnli", "rows": 48}},
            "German": {"intermediate": {"languages": "de"}},
        },
        "where": ONE,
    },
    "kind": {
        "ask": "Do syntactic tasks gain less than semantic ones?",
        "compare": {
            "semantic": {"intermediate": {"kind": "semantic"}},
            "syntactic": {"intermediate": {"kind": "syntactic"}},
        },
        "where": ONE,
        "scales": ["points", "log-odds"],
    },
    "dose": {
        "ask": "Does more data gain more in poor languages than in rich ones?",
        "along": {"intermediate": "rows", "scale": "log10"},
        "compare": {
            "rich": {"language": {"resources": {"from": 10000}}},
            "poor": {"language": {"resources": {"below": 10000}}},
        },
        "where": {**ONE, "intermediate": ["mnli", "mnli-{rows}"]},
    },
    "stratum": {
        "ask": "Is less gained where there is a negation?",
        "compare": {
            "other": {"example": {"inference": {"not": "negation"}}},
            "negation": {"example": {"inference": "negation"}},
        },
        "where": {"model": "xlmr", "intermediate": "mnli", "target": "xnli"},
        "scales": ["points", "share", "log-odds"],
    },
    "model": {
        "ask": "Does the larger model gain more?",
        "compare": {"small": {"model": "xlmr"}, "large": {"model": "large"}},
        "where": {"intermediate": "mnli", "target": "tatoeba"},
    },
}
TRAITS = {
    "intermediates": {
        "mnli": {"traits": {"kind": "semantic"}},
        "mnli-de": {"traits": {"kind": "semantic"}},
        "ccg": {"traits": {"kind": "syntactic"}},
    },
    "language_traits": {"de": {"europe": True}, "ru": {"europe": True}},
}


def ask(experiment: Experiment, questions: dict[str, Any] | str) -> None:
    """Write the config that only adds traits and questions; as text, where a mapping cannot be."""
    if not isinstance(questions, str):
        questions = yaml.safe_dump({"questions": questions}, sort_keys=False)
    experiment.write(yaml.safe_dump(TRAITS, sort_keys=False) + questions, OVER)


def snakemake(experiment: Experiment, *args: str, over: str = OVER) -> Run:
    """Run the grid with a config laid over it."""
    configs = [experiment.folder / name for name in (CONFIG, over)]
    return run(command(experiment.folder, configs, *args), experiment.folder)


def tables(experiment: Experiment) -> Run:
    """Run the step `tables` as the rule does, but for its record."""
    folder = f"results/{HOME}"
    return experiment.step("tables", "--grid", f"{folder}/grid.csv", "--out", f"{folder}/tables")

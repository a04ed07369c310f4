"""What the rules ask of the experiment: the grid, and input functions on it. No rule is here."""

import csv
import json
import os
import sys

sys.path.insert(0, f"{workflow.basedir}/workflow")

from snakemake.exceptions import WorkflowError

from xstilts import pin, xtreme
from xstilts.config import load
from xstilts.errors import UserError
from xstilts.grid import TOY_MODEL, Cell, Grid, spec_text
from xstilts.selection import BEST

ENVIRONMENT = f"{workflow.basedir}/envs/xstilts.yaml"
# Made by `tables` alone, never by PARTIAL_TABLES: the tables are of all scores, and none was refused.
TABLES_COMPLETE = "results/tables/.complete"

# The steps run with this interpreter, unless a deployment method brings its own.
shell.prefix(
    f"export PYTHONPATH={sys.path[0]!r}; "
    + (
        ""
        if workflow.deployment_settings.deployment_method
        else f'export PATH={os.path.dirname(sys.executable)!r}:"$PATH"; '
    )
)

try:
    EXPERIMENT = load(config)
    GRID = Grid(EXPERIMENT)
    # The lock is beside the last config file. The toy world is generated, so it needs none.
    LOCK = "" if EXPERIMENT.toy else os.path.splitext(workflow.configfiles[-1])[0] + ".lock"
    # A pin that is not (any more) what the lock says is looked up again, and so is all made from it.
    for path in pin.stale(LOCK, "results/pins"):
        path.unlink(missing_ok=True)
except UserError as error:
    raise WorkflowError(str(error))

# Where data sets and models are read. A resource and not a parameter of the rules: a mirror that has
# moved re-runs nothing, what is in it is known by the pins.
WHERE = {
    "source": EXPERIMENT.settings["source"],
    "root": EXPERIMENT.root or "",
    "lock": LOCK,
}
THREADS = EXPERIMENT.settings["threads"]
BUDGET = EXPERIMENT.settings["micro_batch_tokens"]


wildcard_constraints:
    model="|".join(EXPERIMENT.settings["models"]),
    intermediate="|".join(EXPERIMENT.intermediates),
    seed=r"noseed|seed\d+",
    task="|".join(EXPERIMENT.tasks),
    lang="[A-Za-z0-9_-]+",
    split="train|dev|test",
    length=r"\d+",


def toy_world(wildcards):
    """The generated data set, where that is the source."""
    return f"results/toy/manifests/{wildcards.hub}.json" if EXPERIMENT.toy else []


def toy_model(wildcards):
    """The generated model, where it is the source."""
    return f"results/toy/models/{TOY_MODEL}/model.safetensors" if EXPERIMENT.toy else []


def folder(wildcards, output):
    """The folder that a job writes."""
    return os.path.dirname(output[0])


def rows(task, lang, split):
    return f"results/data/{task}/{lang}.{split}.parquet"


def encoded(model, task, lang, split, length):
    return f"results/encoded/{GRID.tokenizer(model)}/{task}/{lang}.{split}.{length}.safetensors"


def checkpoint_files(folder):
    return [f"{folder}/model.safetensors", f"{folder}/node.json"]


def training_data(wildcards, lessons):
    """Encoded train and dev rows of the tasks of a training, and the dev rows as text."""
    scored = [lesson for lesson in lessons if lesson.dev]
    return {
        "train": [
            encoded(wildcards.model, lesson.task, lang, "train", lesson.recipe.max_length)
            for lesson in lessons
            for lang in lesson.languages
        ],
        "dev": [
            encoded(wildcards.model, lesson.task, lesson.dev, "dev", lesson.recipe.max_length)
            for lesson in scored
        ],
        "dev_rows": [rows(lesson.task, lesson.dev, "dev") for lesson in scored],
    }


def intermediate_inputs(wildcards):
    return {
        "init": checkpoint_files(f"results/models/{wildcards.model}"),
        **training_data(wildcards, GRID.lessons(wildcards.intermediate)),
    }


def tune_inputs(wildcards):
    folder = GRID.encoder(wildcards.model, wildcards.intermediate, wildcards.seed)
    return {
        "init": checkpoint_files(folder),
        **training_data(wildcards, GRID.tuning(wildcards.task)),
    }


def languages(split):
    """Target -> the languages in which it is scored on a split."""
    every_cell = split == EXPERIMENT.settings["split"]
    return EXPERIMENT.languages if every_cell else EXPERIMENT.test_languages


# What is scored: every cell on one split, and what is best there on another.
EVALUATED = [
    ("evaluate", target, EXPERIMENT.settings["split"]) for target in EXPERIMENT.settings["targets"]
] + [
    ("test", target, "test")
    for target in EXPERIMENT.test_languages
    if GRID.test_split(target) == "test"
]


def evaluate_inputs(target, split):
    """Input function of the evaluation of one target: its checkpoint, and rows of every language."""

    def inputs(wildcards):
        cell = Cell(wildcards.model, wildcards.intermediate, wildcards.seed, target)
        length, langs = GRID.length(target), languages(split)[target]
        dev = langs if GRID.needs_dev(target, split) else []
        return {
            "model": checkpoint_files(GRID.checkpoint(cell)),
            "rows": [rows(target, lang, split) for lang in langs],
            "encoded": [encoded(cell.model, target, lang, split, length) for lang in langs],
            "dev_rows": [rows(target, lang, "dev") for lang in dev],
            "dev_encoded": [encoded(cell.model, target, lang, "dev", length) for lang in dev],
        }

    return inputs


def score_specs(target, split):
    """Parameter of the evaluation of one target: language -> spec of its score, as JSON."""

    def specs(wildcards):
        cell = Cell(wildcards.model, wildcards.intermediate, wildcards.seed, target)
        return spec_text(
            {lang: GRID.score_spec(cell, lang, split) for lang in languages(split)[target]}
        )

    return specs


def all_scores(wildcards):
    split = EXPERIMENT.settings["split"]
    return [
        GRID.score(cell, lang, split)
        for cell in GRID.cells
        for lang in EXPERIMENT.languages[cell.target]
    ]


def test_grid(wildcards):
    """The rows of the test grid: what was chosen, known once all is scored on dev."""
    with open(checkpoints.select.get().output.grid, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_scores(wildcards):
    return [row["score"] for row in test_grid(wildcards)]


def submitted(wildcards):
    """Target -> folder of the predictions of the best cell of a model, of targets of XTREME."""
    return {
        row["target"]: os.path.dirname(row["score"])
        for row in test_grid(wildcards)
        if row["model"] == wildcards.model and row["row"] == BEST and row["target"] in xtreme.TASKS
    }


def submission_inputs(wildcards):
    """Predictions of the best cells, and the rows that they are of."""
    return [
        file
        for target, folder in submitted(wildcards).items()
        for lang in EXPERIMENT.test_languages[target]
        for file in (f"{folder}/{lang}.parquet", rows(target, lang, GRID.test_split(target)))
    ]


def submission_files():
    """The files of a submission of one model, below its folder."""
    return [
        task.file(lang)
        for target, task in xtreme.TASKS.items()
        for lang in EXPERIMENT.test_languages.get(target, [])
        if lang in task.languages
    ]


def test_outputs(wildcards):
    """What the test set adds, where it is asked for."""
    if not EXPERIMENT.test_languages:
        return []
    models = EXPERIMENT.settings["models"] if submission_files() else []
    return [
        "results/tables/test/main.csv",
        *(f"results/submission/{model}.txt" for model in models),
    ]


def used_tasks():
    """Every task that a cell of the grid trains on or scores."""
    tasks = set()
    for cell in GRID.cells:
        tasks |= {cell.target, EXPERIMENT.tasks[cell.target].tuned_on or cell.target}
        tasks |= set(EXPERIMENT.intermediates[cell.intermediate])
    return tasks


def tasks_of(wildcards):
    """The tasks that use a data set, for the line that says what is wrong with it."""
    return ", ".join(sorted(t for t in used_tasks() if EXPERIMENT.tasks[t].hub == wildcards.hub))


def all_pins(wildcards):
    """Pins of every data set and model of the grid. Nobody misses a file in the middle of the graph,
    so a pin that is stale is only made again because `all` asks for it."""
    models = {name for cell in GRID.cells for name in (cell.model, GRID.tokenizer(cell.model))}
    hubs = {EXPERIMENT.tasks[task].hub for task in used_tasks()}
    return [f"results/pins/datasets/{hub}.json" for hub in sorted(hubs)] + [
        f"results/pins/models/{model}.json" for model in sorted(models)
    ]


def adopt_pins():
    """Take what other experiments have pinned in the same folder into this one's lock file."""
    if LOCK:
        pin.adopt(LOCK, all_pins(None))

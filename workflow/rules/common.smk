"""What the rules ask of the experiment: the grid, and input functions on it. No rule is here."""

import json
import os
import sys

sys.path.insert(0, f"{workflow.basedir}/workflow")

from snakemake.exceptions import WorkflowError

from xstilts import pin
from xstilts.config import load
from xstilts.errors import UserError
from xstilts.grid import TOY_MODEL, Cell, Grid, spec_text

ENVIRONMENT = f"{workflow.basedir}/envs/xstilts.yaml"

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
    for path in pin.stale(pin.read_lock(LOCK), "results/pins") if LOCK else []:
        path.unlink()
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
    lang="[A-Za-z_-]+",
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


def training_data(wildcards, task, recipe):
    """Encoded train and dev rows of a task, and the dev rows as text."""
    return {
        "train": encoded(wildcards.model, task, "en", "train", recipe.max_length),
        "dev": encoded(wildcards.model, task, "en", "dev", recipe.max_length),
        "dev_rows": rows(task, "en", "dev"),
    }


def intermediate_inputs(wildcards):
    (task,) = EXPERIMENT.intermediates[wildcards.intermediate]
    return {
        "init": checkpoint_files(f"results/models/{wildcards.model}"),
        **training_data(wildcards, task, GRID.recipe(wildcards.intermediate)),
    }


def tune_inputs(wildcards):
    folder = GRID.encoder(wildcards.model, wildcards.intermediate, wildcards.seed)
    return {
        "init": checkpoint_files(folder),
        **training_data(wildcards, wildcards.task, GRID.tuned_recipes[wildcards.task]),
    }


def evaluate_inputs(target):
    """Input function of the evaluation of one target: its checkpoint, and rows of every language."""
    split, languages = EXPERIMENT.settings["split"], EXPERIMENT.languages[target]

    def inputs(wildcards):
        cell = Cell(wildcards.model, wildcards.intermediate, wildcards.seed, target)
        length = GRID.length(target)
        return {
            "model": checkpoint_files(GRID.checkpoint(cell)),
            "rows": [rows(target, lang, split) for lang in languages],
            "encoded": [encoded(cell.model, target, lang, split, length) for lang in languages],
        }

    return inputs


def score_specs(target):
    """Parameter of the evaluation of one target: language -> spec of its score, as JSON."""

    def specs(wildcards):
        cell = Cell(wildcards.model, wildcards.intermediate, wildcards.seed, target)
        return spec_text(
            {lang: GRID.score_spec(cell, lang) for lang in EXPERIMENT.languages[target]}
        )

    return specs


def all_scores(wildcards):
    return [
        GRID.score(cell, lang) for cell in GRID.cells for lang in EXPERIMENT.languages[cell.target]
    ]


def all_pins(wildcards):
    """Pins of every data set and model of the grid. Nobody misses a file in the middle of the graph,
    so a pin that is stale is only made again because `all` asks for it."""
    models, tasks = set(), set()
    for cell in GRID.cells:
        models |= {cell.model, GRID.tokenizer(cell.model)}
        tasks |= {cell.target, EXPERIMENT.tasks[cell.target].tuned_on or cell.target}
        tasks |= set(EXPERIMENT.intermediates[cell.intermediate])
    hubs = {EXPERIMENT.tasks[task].hub for task in tasks}
    return [f"results/pins/datasets/{hub}.json" for hub in sorted(hubs)] + [
        f"results/pins/models/{model}.json" for model in sorted(models)
    ]

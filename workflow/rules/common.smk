"""What the rules ask of the experiment: the grid, and input functions on it. No rule is here."""

import csv
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/workflow")

from snakemake.exceptions import WorkflowError

from xstilts.benchmarks import xtreme
from xstilts.data import pin
from xstilts.experiment.config import BEST, load
from xstilts.experiment.grid import TOY_MODEL, Cell, Grid, spec_text
from xstilts.running import gpus, ledger, lock, orphans
from xstilts.running.errors import UserError

if workflow.is_main_process:
    # Snakemake itself says only that the folder is locked, and how to undo that.
    if other := orphans.at_work(Path.cwd()):
        print(f"Snakemake ({other}) is at work on these results", file=sys.stderr)
        if "--unlock" in sys.argv:
            raise WorkflowError("not unlocked: wait until it has ended, or end it by Ctrl-C")
else:
    # SLURM's warning before the limit of time goes to all processes of a job. It is for the step: the
    # Snakemake around it would die of it, and the step with it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

ENVIRONMENT = f"{workflow.basedir}/envs/xstilts.yaml"
# Made by `tables` alone, never by PARTIAL_TABLES: the tables are of all scores, and none was refused.
TABLES_COMPLETE = "results/tables/.complete"

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

# The steps run with this interpreter, unless a deployment method brings its own.
shell.prefix(
    f"export PYTHONPATH={sys.path[0]!r} {gpus.SHARE}={EXPERIMENT.settings['jobs_per_gpu']}; "
    + (
        ""
        if workflow.deployment_settings.deployment_method
        else f'export PATH={os.path.dirname(sys.executable)!r}:"$PATH"; '
    )
)

# Where data sets and models are read. A resource and not a parameter of the rules: a mirror that has
# moved re-runs nothing, what is in it is known by the pins.
WHERE = {
    "source": EXPERIMENT.settings["source"],
    "root": EXPERIMENT.root or "",
    "lock": LOCK,
}
# Those that others read; more stand beside them, in other forms.
ALL_TABLES = expand(
    "results/tables/{name}.{kind}",
    name=["main", "groups", "traits", "seeds", "comparison", "cost"]
    + [f"languages/{target}" for target in dict.fromkeys(cell.target for cell in GRID.cells)],
    kind=["csv", "md", "tex"],
) + expand("results/tables/{name}.csv", name=["per_language", "deltas", "curves"])
ALL_FIGURES = expand(
    "results/figures/{name}.{kind}",
    name=["heatmap", "gap", "curves"]
    + list(dict.fromkeys(f"languages/{cell.model}/{cell.target}" for cell in GRID.cells)),
    kind=["png", "svg"],
)
THREADS = EXPERIMENT.settings["threads"]
BUDGET = EXPERIMENT.settings["micro_batch_tokens"]
SAVE_EVERY = EXPERIMENT.settings["save_every"]


wildcard_constraints:
    model="|".join(EXPERIMENT.settings["models"]),
    intermediate="|".join(EXPERIMENT.intermediates),
    seed=r"noseed|seed\d+",
    task="|".join(EXPERIMENT.tasks),
    lang="[A-Za-z0-9_-]+",
    split="train|dev|test",
    length=r"\d+",


def captioned(path):
    """A table or figure, with its place in `snakemake --report` if there is a caption for it."""
    name, kind = os.path.splitext(os.path.basename(path))
    caption = f"{workflow.basedir}/workflow/captions/{name}.rst"
    category = {".csv": "Tables", ".png": "Figures"}.get(kind)
    if not category or not os.path.exists(caption):
        return path
    return report(path, caption=caption, category=category, labels={"what": name})


def toy_world(wildcards):
    """The generated data set, where that is the source."""
    return f"results/toy/manifests/{wildcards.hub}.json" if EXPERIMENT.toy else []


def toy_model(wildcards):
    """The generated model, where it is the source."""
    return f"results/toy/models/{TOY_MODEL}/model.safetensors" if EXPERIMENT.toy else []


def folder(wildcards, output):
    """The folder that a job writes."""
    return os.path.dirname(output[0])


def state(wildcards, output):
    """The folder of what its next attempt goes on from."""
    return str(lock.folder_of(folder(wildcards, output)))


def rows(task, lang, split):
    return f"results/data/{task}/{lang}.{split}.parquet"


def encoded(model, task, lang, split, length):
    return f"results/encoded/{GRID.tokenizer(model)}/{task}/{lang}.{split}.{length}.safetensors"


def tuned(files):
    """Weights of a tuned model: dropped after their evaluations, unless the config keeps them or the
    test set is still to be scored with them. `node.json` stays."""
    keep = EXPERIMENT.settings["keep_tuned"] or EXPERIMENT.settings["test"]
    return files if keep else temp(files)


def checkpoint_files(folder):
    """What is read of a checkpoint, weights first. All of it, because Snakemake deletes at once what is
    temporary and no job asks for."""
    names = ["model.safetensors", "config.json", "tokenizer.json", "node.json"]
    trained = [] if folder.startswith("results/models/") else ["head.safetensors"]
    return [f"{folder}/{name}" for name in names + trained]


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


def take_results():
    """Hold the lock of the results folder until this Snakemake ends."""
    global RUN
    RUN = lock.held(orphans.RUN, wait=0)
    try:
        RUN.__enter__()
    except UserError as error:
        raise WorkflowError(str(error))


def say_device():
    """Say what the jobs of this machine compute on, if that is the CPU."""
    if workflow.executor_plugin.common_settings.local_exec and not gpus.pool():
        print("no GPU is here, or none in CUDA_VISIBLE_DEVICES: the CPU is used", file=sys.stderr)


def say_failures():
    """Print which nodes have failed and were not made since, by which kind of failure."""
    lines = ledger.lines("results/ledger.jsonl")
    if lines:
        print("not made (results/ledger.jsonl):", *lines, sep="\n", file=sys.stderr, flush=True)

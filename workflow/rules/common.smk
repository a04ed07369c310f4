"""What the rules ask: thin calls of the package, where it is computed and tested. No rule is here.

A node whose record is right has no inputs, so Snakemake has no reason to make it, and nothing above
it is looked at. One whose record is wrong has all its inputs and the mark, which is newer than what
it has made; one that is missing has its inputs.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path

# In a wheel all this is inside the package, in a clone around it. Another workflow may use this one as
# a module: `workflow.basedir` would be its folder.
BASE = Path(workflow.current_basedir).parents[1]
PACKAGES = str(BASE / "workflow" if (BASE / "workflow/xstilts").is_dir() else BASE.parent)
if PACKAGES not in sys.path[:1]:
    sys.path.insert(0, PACKAGES)
# The profile may have imported the package of another clone that is installed in this environment.
if getattr(sys.modules.get("xstilts"), "__path__", [PACKAGES])[0].rpartition("/")[0] != PACKAGES:
    for name in [name for name in sys.modules if name.partition(".")[0] == "xstilts"]:
        del sys.modules[name]

from snakemake.exceptions import WorkflowError

from xstilts.experiment import config_files, packages, recipe
from xstilts.experiment.config import load
from xstilts.experiment.difficulty import MEASURES
from xstilts.experiment.graph import Graph, overlap_file
from xstilts.experiment.nodes import ADAPTER, CHECKPOINT, HEAD, VISION
from xstilts.experiment.cells import Cell
from xstilts.experiment.ancestry import OWN_FEATURES, TOY_MODEL, TOY_VISION
from xstilts.experiment.grid import Grid, spec_text
from xstilts.monitoring import claims, products
from xstilts.monitoring.live import reporter
from xstilts.monitoring.planning import Planning, old_results
from xstilts.running import environment, gpus, ledger, lock, orphans, trackers
from xstilts.running.errors import UserError
from xstilts.toy.backbones import BACKBONES

if workflow.modifier.path_modifier.prefix or workflow.modifier.path_modifier.modifies_prefixes:
    raise WorkflowError("module: no `prefix`: results are in results/; use --directory")
if workflow.deployment_settings.deployment_method and (BASE / "__init__.py").exists():
    raise WorkflowError(
        "--software-deployment-method: use a clone; from a wheel, the packages of its environment"
        " would come before those of the other"
    )

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

ENVIRONMENT = f"{BASE}/envs/xstilts.yaml"

try:
    if line := config_files.targets([*map(os.path.relpath, workflow.overwrite_configfiles)]):
        raise UserError(line)
    config.update(
        config_files.places(workflow.configfiles, config)
        if workflow.modifier.is_main_snakefile()
        else config_files.anchored(config, (workflow.configfiles or ["here"])[-1])
    )
    EXPERIMENT = load(config)
    GRID = Grid(EXPERIMENT)
    NAME = config_files.name(EXPERIMENT.settings, workflow.configfiles)
    # The lock is beside the last config file. The toy world is generated, so it needs none.
    LOCK = config_files.lock_file(workflow.configfiles, NAME) if EXPERIMENT.pinned else ""
    HOME = products.home(NAME)
    GRAPH = Graph(GRID)
    PLANNING = Planning(GRAPH, NAME, LOCK)
    if workflow.is_main_process:
        deployed = bool(workflow.deployment_settings.deployment_method)
        packages.check(GRID, Path.cwd(), Path(ENVIRONMENT) if deployed else None)
        if not deployed:
            trackers.check(EXPERIMENT.settings["trackers"])
            recipe.check_packages(EXPERIMENT)
except UserError as error:
    # An exception would come with the place in this file, which is not where the mistake is.
    for line in str(error).splitlines():
        print(f"error: {line}", file=sys.stderr)
    raise SystemExit(1)

# The steps run with this package, and with this interpreter unless a deployment method brings its own.
# Not by shell.prefix: it would replace Bash's strict mode, and hold for whoever uses this as a module.
environment.set_up(
    packages=PACKAGES,
    programs=(
        "" if workflow.deployment_settings.deployment_method else os.path.dirname(sys.executable)
    ),
)
os.environ[gpus.SHARE] = str(EXPERIMENT.settings["jobs_per_gpu"])


def where(of):
    """Where a data set or model is read. Resources and not parameters of the rules: a mirror, and a
    folder of one's own, may move; what is in them is known by the pins."""

    def pin(w):
        return GRAPH.nodes[of(w).pin or of(w).key]

    return {
        "source": lambda w: "own" if pin(w).folder else EXPERIMENT.settings["source"],
        "root": lambda w: pin(w).folder or EXPERIMENT.root or "",
        "files": lambda w: json.dumps(pin(w).files),
        "lock": lambda w: LOCK if pin(w).folder or not EXPERIMENT.toy else "",
    }


# Where an experiment has what is its own.
OWN = {"home": lambda w: HOME, "name": NAME, "lock": LOCK}
THREADS = EXPERIMENT.settings["threads"]
BUDGET = EXPERIMENT.settings["micro_batch_tokens"]
COMPILED = "yes" if EXPERIMENT.settings["compile"] else "no"
SAVE_EVERY = EXPERIMENT.settings["save_every"]
TRACKERS = " ".join(EXPERIMENT.settings["trackers"])


wildcard_constraints:
    model="|".join(EXPERIMENT.settings["models"]),
    intermediate="|".join(EXPERIMENT.intermediates),
    seed=r"noseed|seed\d+",
    task="|".join(EXPERIMENT.tasks),
    lang="[A-Za-z0-9_-]+",
    split="train|dev|test",
    vision="|".join([*EXPERIMENT.settings["vision"], OWN_FEATURES]),
    images="|".join(name for name, task in EXPERIMENT.tasks.items() if task.format == "images"),
    length=r"\d+",


def node(method, *names):
    """From wildcards to a node of the graph: the method of the graph, the wildcards that it takes."""
    return lambda w: getattr(GRAPH, method)(*(getattr(w, name) for name in names))


def inputs(of):
    """The input function of a rule: what a node reads, by name."""

    def read(w):
        while search := PLANNING.undecided(of(w), workflow):
            checkpoints.choose_again.get(search=search)
            PLANNING.decided()
        return PLANNING.inputs(of(w), workflow)

    return read


def priority(of):
    """The priority of a rule: which job of it goes first."""
    return lambda w: PLANNING.priority(of(w), workflow)


def product(rule, **wildcards):
    """The input function of what an experiment ends in."""
    return lambda w: PLANNING.product(rule.format_map(dict(w.items())), workflow)


def made(rule):
    """The record of a product, its last output."""
    return products.record_of(HOME, rule)


def spec(of):
    """The spec of a node, as JSON."""
    return lambda w: spec_text(of(w).spec)


def read_by(of, name, change=str):
    """A parameter: the first of the files of a name that a node reads, "" if there is none."""
    return lambda w: next(map(change, of(w).inputs.get(name, ())), "")


def every_read_by(of, name):
    """A parameter: all files of a name that a node reads."""
    return lambda w: list(of(w).inputs.get(name, ()))


def leaks(found):
    """A parameter: by which intermediate, and the file of what of a target is in a task of it."""
    return [f"{one.intermediate}={overlap_file(one.task, one.target)}" for one in found]


def chosen(of):
    """A parameter of a training: what is chosen on dev for it, if anything is searched."""
    return read_by(of, "chosen", lambda path: f"--chosen {path}")


def named(names):
    """A constraint of wildcards: one of some names."""
    return "|".join(map(re.escape, names)) or "none"


def folder(wildcards, output):
    """The folder that a job writes."""
    return os.path.dirname(output[0])


def state(wildcards, output):
    """The folder of what its next attempt goes on from."""
    return str(lock.folder_of(folder(wildcards, output)))


def captioned(path):
    """A table or figure, with its place in `snakemake --report` if there is a caption for it."""
    name, kind = os.path.splitext(os.path.basename(path))
    category = {".csv": "Tables", ".png": "Figures"}.get(kind)
    caption = f"{BASE}/workflow/captions/{name}.rst"
    if os.path.dirname(path) in (
        f"{HOME}/{of}/{products.QUESTIONS}" for of in ("tables", "figures")
    ):
        category = category and not name.endswith(".points") and "Questions"
        caption = f"{BASE}/workflow/captions/question{kind}.rst"
    if not category or not os.path.exists(caption):
        return path
    return report(path, caption=caption, category=category, labels={"what": name})


def take_results():
    """Hold the lock of this folder until this Snakemake ends."""
    global RUN
    RUN = lock.held(lock.RUN, wait=0)
    try:
        RUN.__enter__()
    except UserError as error:
        raise WorkflowError(str(error).replace("\n", "\n  "))


def report_progress():
    """Say what becomes of the cells from now on."""
    global REPORTER
    REPORTER = reporter.attach(workflow, GRAPH, PLANNING.records, NAME)


def leave_terminal():
    """Take away what `report_progress` has put there."""
    if REPORTER:
        REPORTER.close()


def say(line):
    """Print a line on the terminal, if there is one."""
    if line:
        print(line, file=sys.stderr, flush=True)

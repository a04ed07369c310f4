"""A recipe: the hyper-parameters of one training; the tasks that have one, its members."""

import dataclasses
import importlib.util
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xstilts.running.errors import UserError

SEARCH = "tune_on_dev"  # beside the hyper-parameters of a recipe: see `search.py`

if TYPE_CHECKING:
    from xstilts.experiment.config import Experiment

NEEDS_BITSANDBYTES = (
    "optimizer: adamw8bit needs bitsandbytes, which is not installed: `pip install bitsandbytes`"
)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Hyper-parameters; the defaults are those of Phang et al. 2020 as read in jiant's scripts.

    Attributes:
        learning_rate: peak of the schedule (linear warm-up, then linear decay to 0).
        batch_size: examples an optimizer step (a span window counts as one), however they are cut
            into micro-batches.
        epochs: passes over the training data.
        max_steps: upper bound on the optimizer steps; None for no bound.
        max_length: pieces a sequence, special tokens included. Windows overlap by a third of it.
        warmup: share of the steps in which the learning rate rises.
        weight_decay: AdamW's, on matrices only (not on biases and LayerNorm).
        clip: largest gradient norm, applied after accumulation.
        dropout: of encoder and head; None keeps the encoder's own.
        eval_every: optimizer steps between evaluations on the English dev set (and one at the end).
        eval_rows: dev examples that such an evaluation reads (the first ones); None for all.
        patience: evaluations without a gain after which training stops.
        grouping: `length`, batches of examples of like length, or `none`, independent batches
            (`encoding.batches.epoch_batches`).
        optimizer: `adamw`, or `adamw8bit`, whose moments have 8 bits.
        scale: of the cosines of a dual encoder, if it is fixed; None to learn it.
        image_learning_rate: peak, of what makes of pictures the encoder's input, which is new.
    """

    learning_rate: float = 1e-5
    batch_size: int = 32
    epochs: float = 3
    max_steps: int | None = None
    max_length: int = 256
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float | None = None
    eval_every: int = 1000
    eval_rows: int | None = 500
    patience: int = 30
    grouping: str = "length"
    optimizer: str = "adamw"
    scale: float | None = None
    image_learning_rate: float = 1e-4

    def spec(self) -> dict[str, Any]:
        """Return what the spec of a training has of it; what came later, only where it is not as in
        all that was trained before it. (If a default changes, a spec without the key is still one
        of these.)"""
        later = {
            "grouping": "length", "optimizer": "adamw", "scale": None, "image_learning_rate": 1e-4,
        }  # fmt: skip
        fields = dataclasses.asdict(self).items()
        return {k: v for k, v in fields if k not in later or v != later[k]}


@dataclasses.dataclass(frozen=True)
class Member:
    """One task of a training: the languages of its train rows, of its dev rows, its recipe.

    `dev` is the task's train language (English), else the first language of the train rows; None
    for masked language modelling, which has no say in which checkpoint is the best. `rows`: of how
    many train rows a sample is drawn (None: all are read); `at_most`, of fewer if there are.
    `dealt`: each row is read in one of the languages. `subset`: how many rows are picked by how
    difficult they are, of which the training's spec says by what. `variants`: language -> variant
    of its train rows, where these are synthetic.
    """

    task: str
    languages: tuple[str, ...]
    dev: str | None
    recipe: Recipe
    rows: int | None = None
    at_most: bool = False
    dealt: bool = False
    subset: int | None = None
    variants: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def sample(self) -> dict[str, Any]:
        """What the spec of a training says of the sample; nothing where all rows are read."""
        key = "rows_at_most" if self.at_most else "rows"
        rows = {} if self.rows is None else {key: self.rows}
        return rows | ({"translations": "dealt"} if self.dealt else {})


def resolve(*layers: Mapping[str, Any]) -> Recipe:
    """Return the defaults overridden by each layer in turn; later layers win."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    merged.pop(SEARCH, None)
    return Recipe(**merged)


def check_packages(experiment: "Experiment") -> None:
    """Raise UserError if what the recipes of an experiment ask for is not installed; nothing is
    imported."""
    recipes = [task.recipe for task in experiment.tasks.values()]
    for section in (experiment.settings, *experiment.settings["models"].values()):
        recipes += section.get("recipes", {}).values()
    asked = any("adamw8bit" in _asked(recipe, "optimizer") for recipe in recipes)
    if asked and importlib.util.find_spec("bitsandbytes") is None:
        raise UserError(f"recipes: {NEEDS_BITSANDBYTES}")


def _asked(recipe: Mapping[str, Any], key: str) -> list[Any]:
    """Return the values that a recipe may have, those of a search too."""
    return [recipe.get(key), *(recipe.get(SEARCH) or {}).get(key, ())]


def layers(
    experiment: "Experiment", names: Iterable[str], model: str = ""
) -> list[Mapping[str, Any]]:
    """Return what a config says under `all` and some names, then what the entry of a model does."""
    sections = [experiment.settings["recipes"]]
    if model:
        sections.append(experiment.settings["models"][model].get("recipes", {}))
    return [section.get(name, {}) for section in sections for name in ("all", *names)]


def stride(max_length: int) -> int:
    """Return the pieces by which two windows overlap: 128 at the 384 of the SQuAD scripts."""
    return max_length // 3


def for_task(experiment: "Experiment", name: str, train: str, model: str = "") -> Recipe:
    """Return the recipe set under `name` (a stage 1 task, or a target) for training `train`; of
    one model, with what its own entry says."""
    tasks = experiment.tasks
    own = layers(experiment, [name], model)
    return resolve(tasks[train].recipe, tasks[name].recipe, *own)


def first_target(experiment: "Experiment", train: str) -> str:
    """Return under which name the recipe of a tuning is set: of the first target that is tuned on
    the task; its own, of one on the way of a chain."""
    targets = experiment.settings["targets"]
    return next((name for name in targets if experiment.tasks[name].tuned_on == train), train)


def tuned(experiment: "Experiment", model: str = "") -> dict[str, Recipe]:
    """Return train task -> stage 2 recipe; targets that share a train task must agree on it."""
    chosen: dict[str, tuple[str, tuple[Recipe, list[Any]]]] = {}
    for target in experiment.settings["targets"]:
        train = experiment.tasks[target].tuned_on
        if train is None:
            continue
        searched = [layer.get(SEARCH) for layer in layers(experiment, [target], model)]
        wanted = (for_task(experiment, target, train, model), searched)
        first, other = chosen.setdefault(train, (target, wanted))
        if other != wanted:
            raise UserError(
                f"recipes: `{first}` and `{target}` share one model tuned on `{train}`,"
                " so their recipes must be the same"
            )
    stage_1 = {task for tasks in experiment.intermediates.values() for task in tasks}
    sections = {"recipes": experiment.settings["recipes"]}
    if model:
        of_model = experiment.settings["models"][model].get("recipes", {})
        sections[f"models: {model}: recipes"] = of_model
    for train, (target, _) in chosen.items():
        own = train == target or train in stage_1
        if where := next((k for k, v in sections.items() if train in v and not own), ""):
            raise UserError(
                f"{where}: `{train}` is no intermediate task here; as the training data of"
                f" `{target}` its recipe is set under `{target}`"
            )
    return {train: wanted for train, (_, (wanted, _)) in chosen.items()}

"""The workload of a job: the tokens that it trains on, and those of inference."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

from xstilts.experiment import search
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import MAX_LENGTH, Grid
from xstilts.experiment.nodes import RECORDED, TRAININGS, Node
from xstilts.experiment.recipe import Member, Recipe
from xstilts.experiment.synthetic import UNFILTERED
from xstilts.experiment.tasks import POOL, SET
from xstilts.experiment.training_specs import CAP
from xstilts.experiment.vision import OWN as OWN_FEATURES
from xstilts.models.flop import training_flop
from xstilts.monitoring.estimate import vision_sizes
from xstilts.monitoring.estimate.data_sizes import DataSize, DataSizes

DECODED = 100  # pictures of 640 x 480 that a process decodes a second (tests/bench/decoding.py)
OWN_POSITIONS = 16  # of features of one's own, before they have been looked at
OF_ROWS = ("similarity", "consistency")  # rules of what a model says of synthetic rows
EMPTY = 4  # tokens of a pair of empty texts


@dataclasses.dataclass(frozen=True)
class Workload:
    """The workload of a job on the device.

    Attributes:
        model: the name of the model.
        task: the task of the training, or the target that is scored.
        train_tokens: tokens of forward and backward passes.
        inference_tokens: tokens of forward passes alone.
        devices: how many it is on at once.
        passes: FLOP per parameter and token in training, see `training_flop`.
        least: seconds that it takes on any device, as something else is done beside.
    """

    model: str
    task: str
    train_tokens: float
    inference_tokens: float
    devices: int = 1
    passes: int = 6
    least: float = 0.0

    def flop(self, matmul: float) -> float:
        """Return the floating-point operations, for a number of parameters of matrix products.

        2 per parameter and token in inference (Kaplan et al. 2020, section 2.1), without attention
        over the sequence and without embeddings.
        """
        return matmul * (self.passes * self.train_tokens + 2 * self.inference_tokens)


def of_node(node: Node, grid: Grid, sizes: DataSizes) -> Workload | None:
    """Return the workload of a job; None for one that does not use the device."""
    parts = node.name.split("/")
    if node.rule == "evaluate":
        return evaluation(Cell(*parts), grid, sizes)
    if node.rule == "align":
        return alignment(parts[0], parts[-1], grid, sizes)
    if node.rule == "features" and parts[0] != OWN_FEATURES:
        return features(parts[0], parts[1], parts[2], grid, sizes)
    if node.rule in OF_ROWS:
        return of_rows(node, grid, sizes)
    if node.rule not in TRAININGS:
        return None
    if node.rule in RECORDED:
        return _on_devices(recorded(parts[0], parts[1], node.rule == "pvi", grid, sizes), grid)
    model, intermediate, seed, *rest = parts
    task = "" if node.rule.endswith("intermediate") else rest.pop(0)
    searched = grid.searches.of(model, intermediate, task)
    # Of a training that takes what was chosen, the most of what is tried.
    values = search.trials(searched)[rest[0]] if rest else search.most(searched)
    if searched and not rest and seed == grid.searches.seed:
        return None  # the best trial is taken as it is
    if task:
        members = grid.tuning(task, model, values)
        before = functools.partial(positions, grid, NONE)
        found = training(model, task, members, members[0].recipe, None, sizes, None, before)
    else:
        found = stage_1(model, intermediate, grid, sizes, values)
    return _on_devices(found, grid)


def _on_devices(found: Workload, grid: Grid) -> Workload:
    """Return the workload of a training as its model's entry has it run."""
    settings: Any = grid.experiment.settings
    entry = settings["models"][found.model]
    again = entry.get("checkpointing") in ("yes", True)
    passes = training_flop(entry.get("adapter") is not None, again)
    return dataclasses.replace(found, devices=max(1, entry["gpus"]), passes=passes)


def recorded(model: str, task: str, empty: bool, grid: Grid, sizes: DataSizes) -> Workload:
    """Return the workload of a training that is recorded: a pass over its rows for each epoch.

    empty: whether it is on empty inputs; then of a classification a few special tokens are left, of
    a choice the endings, which are taken for half.
    """
    member = grid.recorded(model, task)
    found = training(model, task, [member], member.recipe, None, sizes)
    [lang] = member.languages
    there = sizes.of(model, task, lang, "train", member.recipe.max_length)
    share = 1.0
    if empty:
        few = EMPTY * there.examples / max(1.0, there.tokens)
        share = few if grid.tasks[task].format == "classification" else 0.5
    passes = there.tokens * math.ceil(found.train_tokens / max(1.0, there.tokens) - 0.01)
    return dataclasses.replace(
        found,
        train_tokens=share * found.train_tokens,
        inference_tokens=share * (found.inference_tokens + passes),
    )


def stage_1(
    model: str, intermediate: str, grid: Grid, sizes: DataSizes, values: search.Values
) -> Workload:
    """Return the workload of an intermediate, without those that it follows on.

    values: over those of its recipe.
    """
    entry, members = grid.entry(intermediate), grid.mixture(intermediate, model, values)
    amount = (
        entry.get("cap", CAP),
        sizes,
        entry.get("steps"),
        functools.partial(positions, grid, intermediate),
    )
    recipe = grid.recipe(intermediate, model, values)
    return training(model, intermediate, members, recipe, *amount)


def passes(model: str, intermediate: str, grid: Grid, sizes: DataSizes) -> float:
    """Return how often an intermediate reads the encoded rows of its tasks, for its time limit:
    its epochs or, where it asks for rows or steps, the tokens of these over all that there are."""
    values = search.most(grid.searches.of(model, intermediate))
    asked = ("rows", "steps", "translations", "subset", "translated")
    if grid.entry(intermediate).keys().isdisjoint(asked):
        return grid.recipe(intermediate, model, values).epochs
    members = grid.mixture(intermediate)
    there = sum(size.tokens for one in members for size in _train_sizes(model, one, sizes))
    return stage_1(model, intermediate, grid, sizes, values).train_tokens / max(there, 1.0)


def tuned_epochs(model: str, intermediate: str, task: str, grid: Grid) -> float:
    """Return how often stage 2 reads its rows; at most, where that is searched."""
    values = search.most(grid.searches.of(model, intermediate, task))
    return grid.tuning(task, model, values)[0].recipe.epochs


def _train_sizes(model: str, member: Member, sizes: DataSizes) -> list[DataSize]:
    """Return the sizes of the train rows of a task, a language each."""
    length, variants = member.recipe.max_length, member.variants
    return [
        sizes.of(model, member.task, lang, "train", length, variants.get(lang, ""))
        for lang in member.languages
    ]


def training(
    model: str,
    name: str,
    members: list[Member],
    recipe: Recipe,
    cap: int | None,
    sizes: DataSizes,
    asked: int | None = None,
    before: Callable[[str], int] = lambda task: 0,
) -> Workload:
    """Return the workload of a training, which draws its batches as `training/mixture.py` does.

    Early stopping is not counted: a training that stops early takes less. `asked`: its steps, in
    place of epochs. `before`: task -> the positions of a picture before each text.
    """
    weights, batch_tokens, epoch_steps = [], [], 0
    for member in members:
        train = _train_sizes(model, member, sizes)
        examples, tokens = sum(size.examples for size in train), sum(size.tokens for size in train)
        tokens += examples * before(member.task)
        batch_tokens.append(member.recipe.batch_size * tokens / examples)
        if member.dealt:
            examples = max(1, round(examples / len(train)))
        if (drawn := member.rows or member.subset) is not None:
            there = sum(size.rows for size in train) / (len(train) if member.dealt else 1)
            share = drawn / max(1, there)
            examples = max(1, round(examples * min(1.0, share)))
        weight = examples if cap is None or len(members) == 1 else min(examples, cap)
        epoch_steps += math.ceil(weight / member.recipe.batch_size)
        weights.append(weight)
    steps = max(1, round(epoch_steps * recipe.epochs)) if asked is None else asked
    steps = steps if recipe.max_steps is None else min(steps, recipe.max_steps)
    total = sum(weights)
    train_tokens = steps * sum(
        weight / total * tokens for weight, tokens in zip(weights, batch_tokens, strict=True)
    )
    evaluations = math.ceil(steps / recipe.eval_every)
    dev_tokens = 0.0
    for member in members:
        if member.dev:
            size = sizes.of(model, member.task, member.dev, "dev", member.recipe.max_length)
            size = size.first(recipe.eval_rows)
            dev_tokens += size.tokens + size.examples * before(member.task)
    return Workload(model, name, train_tokens, evaluations * dev_tokens)


def positions(grid: Grid, intermediate: str, task: str) -> int:
    """Return the positions of a picture before each text of a task; those of files of one's own are
    taken for 16."""
    images = grid.tasks[task].images
    if not images or grid.entry(intermediate).get("images") == "none":
        return 0
    entry = grid.experiment.settings["vision"].get(grid.sees(grid.vision(intermediate), images))
    return entry["positions"] if entry else OWN_POSITIONS


def features(vision: str, images: str, split: str, grid: Grid, sizes: DataSizes) -> Workload:
    """Return the workload of the features of a set: its pictures are read by a vision encoder, and
    decoded by as many processes as a job has threads."""
    patches = vision_sizes.of(vision, grid, sizes.root).patches
    pictures = sizes.rows(images, SET, split)
    least = pictures / (DECODED * grid.experiment.settings["threads"])
    name = vision_sizes.name_of(vision)
    return Workload(name, images, 0.0, float(pictures * patches), least=least)


def alignment(model: str, name: str, grid: Grid, sizes: DataSizes) -> Workload:
    """Return the workload of measuring the alignment of an encoder on a set: its sentences are
    taken for as long as the rows of its task, and what is computed of them is not counted."""
    of = grid.experiment.alignment[name]
    sides = [*of.languages, *(() if of.paired else (of.pivot,))]
    found = [sizes.of(model, of.task, lang, of.split, MAX_LENGTH) for lang in sides]
    tokens = sum(size.first(of.rows * (2 if of.paired else 1)).tokens for size in found)
    return Workload(model, name, 0.0, tokens)


def of_rows(node: Node, grid: Grid, sizes: DataSizes) -> Workload:
    """Return the workload of what a model says of synthetic rows: a pass over them and, of
    similarity, one over their sources."""
    model, *_, stem, task, lang = node.name.split("/")
    found = sizes.of(model, task, lang, "train", MAX_LENGTH, f"{stem}.{UNFILTERED}").tokens
    if node.rule == "similarity":
        found += sizes.of(model, task, grid.home(task), "train", MAX_LENGTH).tokens
    return Workload(model, task, 0.0, found)


def evaluation(cell: Cell, grid: Grid, sizes: DataSizes) -> Workload:
    """Return the workload of scoring all languages of a target, its pool of candidates included."""
    split, length = grid.experiment.settings["split"], grid.length(cell.target)
    languages = [*grid.experiment.languages[cell.target]]
    languages += [POOL] if grid.tasks[cell.target].pool else []
    tokens = sum(
        sizes.of(cell.model, cell.target, lang, split, length).tokens for lang in languages
    )
    return Workload(cell.model, cell.target, 0.0, tokens)

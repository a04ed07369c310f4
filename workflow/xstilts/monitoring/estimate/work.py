"""What a job has to compute: the pieces that it trains on, and those that it only reads."""

import dataclasses
import math

from xstilts.experiment.graph import Node
from xstilts.experiment.grid import CAP, Cell, Grid, Lesson
from xstilts.experiment.recipe import Recipe
from xstilts.monitoring.estimate.sizes import Sizes


@dataclasses.dataclass(frozen=True)
class Work:
    """The work of a job on the device.

    Attributes:
        model: the name of the model.
        task: what it is trained on, or the target that is scored.
        trained: pieces that go forward and backward.
        read: pieces that only go forward.
    """

    model: str
    task: str
    trained: float
    read: float

    def flop(self, matmul: float) -> float:
        """Return the floating-point operations, for so many parameters of matrix products.

        6 a parameter and piece in training and 2 in inference (Kaplan et al. 2020, section 2.1):
        attention over the sequence and the embeddings are left out.
        """
        return matmul * (6 * self.trained + 2 * self.read)


def of(node: Node, grid: Grid, sizes: Sizes) -> Work | None:
    """Return the work of a job; None for one that does not use the device."""
    parts = node.name.split("/")
    if node.rule == "intermediate":
        entry = grid.experiment.settings["intermediates"][parts[1]]
        lessons, recipe = grid.lessons(parts[1]), grid.recipe(parts[1])
        return training(parts[0], parts[1], lessons, recipe, entry.get("cap", CAP), sizes)
    if node.rule == "tune":
        lessons = grid.tuning(parts[3])
        return training(parts[0], parts[3], lessons, lessons[0].recipe, None, sizes)
    if node.rule == "evaluate":
        return evaluation(Cell(*parts), grid, sizes)
    return None


def training(
    model: str, name: str, lessons: list[Lesson], recipe: Recipe, cap: int | None, sizes: Sizes
) -> Work:
    """Return the work of a training, which draws its batches as `training/mixture.py` does.

    Early stopping is not foreseen: a training that stops early takes less.
    """
    drawn, epoch = [], 0
    for one in lessons:
        found = [
            sizes.of(model, one.task, lang, "train", one.recipe.max_length)
            for lang in one.languages
        ]
        examples, pieces = sum(s.examples for s in found), sum(s.pieces for s in found)
        weight = examples if cap is None or len(lessons) == 1 else min(examples, cap)
        epoch += math.ceil(weight / one.recipe.batch_size)
        drawn.append((weight, one.recipe.batch_size * pieces / examples))
    steps = max(1, round(epoch * recipe.epochs))
    steps = steps if recipe.max_steps is None else min(steps, recipe.max_steps)
    weights = sum(weight for weight, _ in drawn)
    trained = steps * sum(weight / weights * batch for weight, batch in drawn)
    times = math.ceil(steps / recipe.eval_every)
    dev = [
        sizes.of(model, one.task, one.dev, "dev", one.recipe.max_length).first(recipe.eval_rows)
        for one in lessons
        if one.dev
    ]
    return Work(model, name, trained, times * sum(size.pieces for size in dev))


def evaluation(cell: Cell, grid: Grid, sizes: Sizes) -> Work:
    """Return the work of scoring all languages of a target."""
    split, length = grid.experiment.settings["split"], grid.length(cell.target)
    languages = grid.experiment.languages[cell.target]
    read = sum(sizes.of(cell.model, cell.target, lang, split, length).pieces for lang in languages)
    return Work(cell.model, cell.target, 0.0, read)

"""A mixture: the tasks that one training draws its batches from, and how often each.

Examples-proportional mixing: a task weighs min(n, K) for its n training examples (a span window
counts as one), and every optimizer step draws one task by these weights, then its next batch, as
jiant's `task_sampler.py` does; so a task of small batches has its share of the steps, not of the
examples. Phang et al. 2020 take K = 2**17 (read in an authors' branch; for the paper itself not
verified).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xstilts.encoding import batches
from xstilts.encoding.encoded import Encoded
from xstilts.experiment.recipe import Recipe
from xstilts.training.tasks import TrainingTask

# Exponents by which the languages of a task are smoothed: XLM-R's alpha (not verified) for masked
# language modelling, the plain proportions for everything else.
SMOOTHING = {"mlm": 0.3}


@dataclass
class TaskStream:
    """The train rows of one task in one language, read batch by batch, epoch after epoch.

    `share` is the probability of a step to draw it; `drawn` counts what was trained on, which is
    less than what was made ahead; `grouping` is the recipe's.
    """

    task: TrainingTask
    lang: str
    share: float
    seed: int
    grouping: str = "length"
    drawn: dict[str, int] = field(
        default_factory=lambda: {"batches": 0, "examples": 0, "tokens": 0}
    )
    epoch: tuple[int, list[np.ndarray]] = (-1, [])  # number and batches of the last that was asked

    @property
    def data(self) -> Encoded:
        """Its encoded rows."""
        return self.task.train[self.lang]

    def batch(self, number: int) -> np.ndarray:
        """Return the examples of a batch; numbers go on over the epochs, from 0."""
        chosen = self.data.chosen
        epoch, index = divmod(number, math.ceil(len(chosen) / self.task.batch_size))
        if epoch != self.epoch[0]:
            lengths, _ = self.data.shapes()
            drawn = batches.epoch_batches(
                lengths[chosen], self.task.batch_size, self.seed, epoch, self.grouping
            )
            self.epoch = epoch, [chosen[batch] for batch in drawn]
        return self.epoch[1][index]

    def count(self, examples: int, tokens: int) -> None:
        """Count a batch that was trained on."""
        self.drawn["batches"] += 1
        self.drawn["examples"] += examples
        self.drawn["tokens"] += tokens


def weight(task: TrainingTask, cap: int | None) -> int:
    """Return the examples that a task counts for: all, or `cap` if it has more."""
    total = sum(task.sizes.values())
    return total if cap is None else min(total, cap)


def make_streams(
    tasks: Sequence[TrainingTask], cap: int | None, seed: int, grouping: str = "length"
) -> list[TaskStream]:
    """Return a stream per task and language, with its share of the steps."""
    total = sum(weight(task, cap) for task in tasks)
    return [
        TaskStream(task, lang, weight(task, cap) / total * share, seed, grouping)
        for task in tasks
        for lang, share in smoothed(task.sizes, SMOOTHING.get(task.format, 1.0)).items()
    ]


def smoothed(sizes: Mapping[str, int], alpha: float) -> dict[str, float]:
    """Return the share of each language: n**alpha over the sum of them (Conneau et al. 2020)."""
    powers = {lang: size**alpha for lang, size in sizes.items()}
    return {lang: power / sum(powers.values()) for lang, power in powers.items()}


def total_steps(
    tasks: Iterable[TrainingTask], cap: int | None, recipe: Recipe, asked: int | None = None
) -> int:
    """Return the optimizer steps of a training: its epochs times the batches of one, at least 1.

    As jiant's `SimpleAPIMultiTaskConfigurator` counts: the sum over tasks of min(n, K) / batch
    size, each rounded up. In place of that, the steps that were asked for; `max_steps` bounds both.
    """
    if asked is not None:
        return asked if recipe.max_steps is None else min(asked, recipe.max_steps)
    steps_per_epoch = sum(math.ceil(weight(task, cap) / task.batch_size) for task in tasks)
    steps = max(1, round(steps_per_epoch * recipe.epochs))
    return steps if recipe.max_steps is None else min(steps, recipe.max_steps)


def schedule(shares: Sequence[float], steps: int, seed: int) -> np.ndarray:
    """Return which stream each step draws, int [steps]."""
    # Two zeros and a one, so that this is another sequence than that of any epoch's permutation.
    generator = np.random.default_rng([seed, 0, 0, 1])
    return generator.choice(len(shares), size=steps, p=np.array(shares) / sum(shares))


def record(streams: Iterable[TaskStream]) -> dict[str, dict[str, Any]]:
    """Return task -> language -> share, examples there are, and batches, examples, tokens drawn."""
    drawn: dict[str, dict[str, Any]] = {}
    for stream in streams:
        entry: dict[str, Any] = {
            "share": round(stream.share, 6),
            "available": len(stream.data.chosen),
        }
        entry |= {"rows": stream.data.rows} if stream.data.sample is not None else {}
        entry |= stream.drawn
        drawn.setdefault(stream.task.name, {})[stream.lang] = entry
    return drawn

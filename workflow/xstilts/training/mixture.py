"""A mix: the tasks that one training draws its batches from, and how often each.

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
from xstilts.training.parts import Part

# Exponents by which the languages of a task are smoothed: XLM-R's alpha (not verified) for masked
# language modelling, the plain proportions for everything else.
SMOOTHING = {"mlm": 0.3}


@dataclass
class Stream:
    """The train rows of one task in one language, read batch by batch, epoch after epoch.

    `share` is the probability of a step to draw it; `drawn` counts what was.
    """

    part: Part
    lang: str
    share: float
    seed: int
    drawn: dict[str, int] = field(
        default_factory=lambda: {"batches": 0, "examples": 0, "tokens": 0}
    )
    queue: list[np.ndarray] = field(default_factory=list)

    @property
    def data(self) -> Encoded:
        """Its encoded rows."""
        return self.part.train[self.lang]

    def next(self) -> np.ndarray:
        """Return the examples of the next batch."""
        an_epoch = math.ceil(len(self.data) / self.part.batch_size)
        number, at = divmod(self.drawn["batches"], an_epoch)
        if at == 0 or not self.queue:  # no queue: a training that goes on inside an epoch
            lengths, _ = self.data.shapes()
            self.queue = batches.epoch_batches(lengths, self.part.batch_size, self.seed, number)
        self.drawn["batches"] += 1
        self.drawn["examples"] += len(self.queue[at])
        return self.queue[at]


def weight(part: Part, cap: int | None) -> int:
    """Return the examples that a task counts for: all, or `cap` if it has more."""
    total = sum(part.sizes.values())
    return total if cap is None else min(total, cap)


def streams(parts: Sequence[Part], cap: int | None, seed: int) -> list[Stream]:
    """Return a stream per task and language, by which share of the steps each is drawn."""
    total = sum(weight(part, cap) for part in parts)
    found = []
    for part in parts:
        for lang, share in smoothed(part.sizes, SMOOTHING.get(part.format, 1.0)).items():
            found.append(Stream(part, lang, weight(part, cap) / total * share, seed))
    return found


def smoothed(sizes: Mapping[str, int], alpha: float) -> dict[str, float]:
    """Return the share of each language: n**alpha over the sum of them (Conneau et al. 2020)."""
    powers = {lang: size**alpha for lang, size in sizes.items()}
    return {lang: power / sum(powers.values()) for lang, power in powers.items()}


def steps(parts: Iterable[Part], cap: int | None, recipe: Recipe) -> int:
    """Return the optimizer steps of a training: its epochs times the batches of one, at least 1.

    As jiant's `SimpleAPIMultiTaskConfigurator` counts: the sum over tasks of min(n, K) / batch
    size, each rounded up.
    """
    an_epoch = sum(math.ceil(weight(part, cap) / part.batch_size) for part in parts)
    found = max(1, round(an_epoch * recipe.epochs))
    return found if recipe.max_steps is None else min(found, recipe.max_steps)


def schedule(shares: Sequence[float], steps: int, seed: int) -> np.ndarray:
    """Return which stream each step draws, int [steps]."""
    # Two zeros and a one, so that this is another sequence than that of any epoch's permutation.
    generator = np.random.default_rng([seed, 0, 0, 1])
    return generator.choice(len(shares), size=steps, p=np.array(shares) / sum(shares))


def record(found: Iterable[Stream]) -> dict[str, dict[str, Any]]:
    """Return task -> language -> share, examples there are, and batches, examples, tokens drawn."""
    said: dict[str, dict[str, Any]] = {}
    for stream in found:
        about = {"share": round(stream.share, 6), "available": len(stream.data), **stream.drawn}
        said.setdefault(stream.part.task, {})[stream.lang] = about
    return said

"""The cells of a grid: every model, intermediate, seed and target that an experiment asks for."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from xstilts.experiment.config import NONE, Experiment

CELL = ["model", "intermediate", "seed", "target"]  # what names a cell, in tables and paths
NOSEED = "noseed"  # of a cell in which nothing is trained, so that no seed can matter


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One cell: a model, an intermediate, a seed (`seed1`, or `noseed`) and a target task."""

    model: str
    intermediate: str
    seed: str
    target: str

    def __str__(self) -> str:
        return f"{self.model}/{self.intermediate}/{self.seed}/{self.target}"


def of(experiment: Experiment) -> Iterator[Cell]:
    """Yield the cells that an experiment asks for, in the order of its config."""
    settings, seen = experiment.settings, set()
    for model in settings["models"]:
        for intermediate in experiment.intermediates:
            for seed in settings["seeds"]:
                for target in settings["targets"]:
                    axes = dict(model=model, intermediate=intermediate, seed=seed, target=target)
                    if _matches(axes, settings["exclude"]) and not _matches(
                        axes, settings["include"]
                    ):
                        continue
                    untrained = intermediate == NONE and experiment.tasks[target].tuned_on is None
                    cell = Cell(model, intermediate, NOSEED if untrained else f"seed{seed}", target)
                    if cell not in seen:
                        seen.add(cell)
                        yield cell


def _matches(axes: dict[str, Any], patterns: list[dict[str, Any]]) -> bool:
    return any(all(axes[key] == value for key, value in p.items()) for p in patterns)

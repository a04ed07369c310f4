"""The cells of a grid: every model, intermediate, seed and target that an experiment asks for."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from xstilts.experiment import selectors, traits
from xstilts.experiment.experiment import NONE, Experiment
from xstilts.experiment.traits import Traits

CELL = ["model", "intermediate", "seed", "target"]  # what names a cell, in tables and paths
NOSEED = "noseed"  # of a cell in which nothing is trained, so that no seed can matter
BY_TRAIT = ("model", "intermediate", "target")  # the axes that a pattern picks from by conditions
PATTERNS = ("exclude", "include")


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
    excluded, included = [], []
    if settings["exclude"]:
        known = traits.of(experiment)
        excluded, included = (_patterns(settings[section], section, known) for section in PATTERNS)
    for model in settings["models"]:
        for intermediate in experiment.intermediates:
            for seed in settings["seeds"]:
                for target in settings["targets"]:
                    axes = dict(model=model, intermediate=intermediate, seed=seed, target=target)
                    if _matches(axes, excluded) and not _matches(axes, included):
                        continue
                    cell = Cell(model, intermediate, named(experiment, axes), target)
                    if cell not in seen:
                        seen.add(cell)
                        yield cell


def named(experiment: Experiment, axes: Mapping[str, Any]) -> str:
    """Return what the seed of a cell is called."""
    untrained = axes["intermediate"] == NONE and experiment.tasks[axes["target"]].tuned_on is None
    return NOSEED if untrained else f"seed{axes['seed']}"


def picks(pattern: Mapping[str, Any], section: str) -> dict[str, selectors.Pick]:
    """Return the conditions of a pattern of `exclude` or `include`; UserError if one is none."""
    conditions = {axis: given for axis, given in pattern.items() if axis != "seed"}
    return selectors.parse(section, conditions, BY_TRAIT)


def check_patterns(settings: Mapping[str, Any], known: Traits) -> None:
    """Refuse patterns by a trait or a value that nothing has.

    Raises:
        UserError: the pattern's section and axis, what there is not.
    """
    for section in PATTERNS:
        for pattern in settings[section]:
            for axis, pick in picks(pattern, section).items():
                toy = settings["source"] == "toy"  # a rehearsal has other languages, and rows
                known.check(f"{section}: {axis}", axis, pick, values=not toy)
                traits.chosen(known, axis, [pick], known.names(axis), f"{section}: {axis}")


def _patterns(
    given: list[dict[str, Any]], section: str, known: Traits
) -> list[dict[str, Collection[Any]]]:
    """Return of each pattern what it means on each axis that it has."""
    found = []
    for pattern in given:
        meant: dict[str, Collection[Any]] = {
            axis: frozenset(traits.chosen(known, axis, [pick], known.names(axis)))
            for axis, pick in picks(pattern, section).items()
        }
        found.append(meant | ({"seed": (pattern["seed"],)} if "seed" in pattern else {}))
    return found


def _matches(axes: Mapping[str, Any], patterns: list[dict[str, Collection[Any]]]) -> bool:
    return any(all(axes[key] in meant for key, meant in p.items()) for p in patterns)
